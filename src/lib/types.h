/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Integer types, and wire order as a type of its own: "h->inner_type = 0x0800"
 * does not compile. Usable in BPF programs: includes nothing of the C library.
 */
#ifndef TUNL_LIB_TYPES_H
#define TUNL_LIB_TYPES_H

#include <linux/types.h>

#ifndef __cplusplus
#include <stdbool.h>
#endif

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

/* Network byte order. Packed, so that a pointer into a packet may be of it. */
typedef struct {
	u16 raw;
} __attribute__((packed)) be16;

typedef struct {
	u32 raw;
} __attribute__((packed)) be32;

#define TUNL_INLINE static inline __attribute__((always_inline, unused))

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define TUNL_SWAP16(x) __builtin_bswap16(x)
#define TUNL_SWAP32(x) __builtin_bswap32(x)
#else
#define TUNL_SWAP16(x) (x)
#define TUNL_SWAP32(x) (x)
#endif

TUNL_INLINE u16 be16_host(be16 v)
{
	return TUNL_SWAP16(v.raw);
}

TUNL_INLINE u32 be32_host(be32 v)
{
	return TUNL_SWAP32(v.raw);
}

TUNL_INLINE be16 be16_of(u16 host)
{
	return (be16){TUNL_SWAP16(host)};
}

TUNL_INLINE be32 be32_of(u32 host)
{
	return (be32){TUNL_SWAP32(host)};
}

TUNL_INLINE bool be16_eq(be16 a, be16 b)
{
	return a.raw == b.raw;
}

TUNL_INLINE bool be32_eq(be32 a, be32 b)
{
	return a.raw == b.raw;
}

TUNL_INLINE bool be32_is_zero(be32 a)
{
	return a.raw == 0;
}

#define countof(a)   (sizeof(a) / sizeof((a)[0]))
#define min_of(a, b) ((a) < (b) ? (a) : (b))
#define max_of(a, b) ((a) > (b) ? (a) : (b))

#ifndef container_of
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - __builtin_offsetof(type, member)))
#endif

#endif

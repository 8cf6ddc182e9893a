/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TUNL_CLI_XFRM_KERNEL_H
#define TUNL_CLI_XFRM_KERNEL_H

#include <stdbool.h>

/*
 * Whether the kernel can do ESP, by trying in a namespace that ends with it.
 * Without the right to try: false. TUNL_XFRM=own or =kernel in the environment says it instead.
 */
bool xfrm_kernel_has_esp(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "counts.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int wrong(char *bad, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int wrong(char *bad, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(bad, COUNTS_TEXT, fmt, ap);
	va_end(ap);
	return -1;
}

static const struct {
	const char *word;
	u32 counter;
} counters[COUNTS_LINK] = {
	{"rx_errors", C_RX_ERRORS},	   {"rx_crc_errors", C_RX_CRC},
	{"rx_fifo_errors", C_RX_FIFO},	   {"rx_frame_errors", C_RX_FRAME},
	{"rx_length_errors", C_RX_LENGTH}, {"rx_dropped", C_RX_DROPPED},
	{"tx_errors", C_TX_ERRORS},	   {"tx_carrier_errors", C_TX_CARRIER},
	{"collisions", C_TX_COLLISIONS},   {"tx_fifo_errors", C_TX_FIFO},
	{"tx_dropped", C_TX_DROPPED},	   {"tx_aborted_errors", C_TX_ABORTED},
};

static const struct {
	const char *word;
	size_t at;
} amounts[] = {
	{"rx_packets", offsetof(struct tunnel_stats, rx_packets)},
	{"rx_bytes", offsetof(struct tunnel_stats, rx_bytes)},
	{"tx_packets", offsetof(struct tunnel_stats, tx_packets)},
	{"tx_bytes", offsetof(struct tunnel_stats, tx_bytes)},
	{"multicast", offsetof(struct tunnel_stats, multicast)},
};

/* The value that the words give a counter: `what=N`; not named: 0. */
static u64 named(char **w, unsigned n, const char *word)
{
	size_t len = strlen(word);

	for (unsigned i = 0; i < n; i++)
		if (!strncmp(w[i], word, len) && w[i][len] == '=')
			return strtoull(w[i] + len + 1, NULL, 0);
	return 0;
}

static int check(char *bad, const char *word, u64 is, u64 expected)
{
	return is == expected ? 0
			      : wrong(bad, "%s is %llu, expected is %llu", word,
				      (unsigned long long)is, (unsigned long long)expected);
}

void counts_of(struct counts *c)
{
	for (size_t i = 0; i < countof(counters); i++)
		c->link[i] = stats_link_counter(&c->st, counters[i].counter);
}

static int check_link_counters(char *bad, const struct counts *c, char **w, unsigned n)
{
	for (size_t i = 0; i < countof(counters); i++)
		if (check(bad, counters[i].word, c->link[i], named(w, n, counters[i].word)))
			return -1;
	for (size_t i = 0; i < countof(amounts); i++)
		if (check(bad, amounts[i].word, *(const u64 *)((const u8 *)&c->st + amounts[i].at),
			  named(w, n, amounts[i].word)))
			return -1;
	return 0;
}

static bool is_counter(const char *word, size_t len)
{
	for (size_t i = 0; i < countof(counters); i++)
		if (strlen(counters[i].word) == len && !strncmp(counters[i].word, word, len))
			return true;
	for (size_t i = 0; i < countof(amounts); i++)
		if (strlen(amounts[i].word) == len && !strncmp(amounts[i].word, word, len))
			return true;
	return false;
}

static int check_reason(char *bad, const struct tunnel_stats *st, const char *word)
{
	size_t len = strcspn(word, "=");
	char name[64];
	enum reason reason;

	if (is_counter(word, len))
		return 0;
	snprintf(name, sizeof(name), "%.*s", (int)len, word);
	reason = reason_by_word(name);
	if (reason == R_NONE)
		return wrong(bad, "no counter %s", name);
	return check(bad, name, st->reason[reason], strtoull(word + len + 1, NULL, 0));
}

int counts_check(const struct counts *c, bool only_named, char **words, unsigned n, char *bad)
{
	if (!only_named && check_link_counters(bad, c, words, n))
		return -1;
	for (unsigned k = 0; k < n && c->reasons; k++)
		if (check_reason(bad, &c->st, words[k]))
			return -1;
	return 0;
}

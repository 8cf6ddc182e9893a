/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `prl` and `6rd` (spec cli 1.7, 1.8): what the client checks. In the kernel both
 * are ioctls of the sit driver, and its refusals name the ioctl's number.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/row.h"
#include "cli/tunnel.h"
#include "lib/addr.h"
#include "lib/text.h"
#include "model/modes.h"

enum {
	IOCTL_NONE = 0,
	IOCTL_PRL_ADD = 0x89f5,
	IOCTL_PRL_DEL = 0x89f6,
	IOCTL_6RD_SET = 0x89f9,
	IOCTL_6RD_RESET = 0x89fa
};

/* A command as it was read. */
struct sit_request {
	const char *dev;
	unsigned number;	 /* IOCTL_* */
	const char *verb;	 /* of the control protocol */
	char words[SIXRD_WORDS]; /* behind the device */
};

static int complain(const char *what, const char *word)
{
	fprintf(stderr, "%s \"%s\"\n", what, word);
	return EXIT_SYNTAX;
}

static int incomplete(void)
{
	fputs("Command line is not complete. Try option \"help\"\n", stderr);
	return EXIT_SYNTAX;
}

static int read_dev(const char *word, struct sit_request *r)
{
	if (!ifname_ok(word)) {
		fprintf(stderr, "Error: argument \"%s\" is wrong: \"dev\" not a valid ifname\n",
			word);
		return EXIT_SYNTAX;
	}
	r->dev = word;
	return 0;
}

/* What only sit's devices take; the others refuse as their drivers do. */
static int check_tunnel(const struct sit_request *r, struct err *e)
{
	char dev[TUNL_NAME_LEN];
	struct tunnel_row row;
	int rc;

	if (!ctl_is_admin())
		return err_set(e, EPERM, "%s", "");
	rc = row_get(dev_of(r->dev, dev), NULL, &row, e);
	if (rc)
		return rc;
	if (!mode_info(row.cfg.mode)->has_6rd)
		return err_set(e, EINVAL, "%s", "");
	return 0;
}

static int sit_send(const struct sit_request *r)
{
	char dev[TUNL_NAME_LEN];
	struct ctl_request req = {.verb = r->verb, .config = r->words};
	struct err e = {0};

	if (!r->dev) {
		fputs("Must specify device\n", stderr);
		return EXIT_SYNTAX;
	}
	req.target = dev_of(r->dev, dev);
	if (r->number == IOCTL_NONE)
		err_set(&e, ENOTTY, "%s", "");
	else if (!check_tunnel(r, &e) && !ctl_call(&req, &e))
		return 0;
	fprintf(stderr, "%s: ioctl %x failed: %s\n", r->dev, r->number, strerror(e.code));
	return EXIT_REFUSED;
}

static int read_prl(const char *word, const char *addr, struct sit_request *r)
{
	char buf[ADDR4_TEXT];
	be32 a;

	if (!addr4_parse(addr, &a)) {
		fprintf(stderr, "Error: an IP address is expected rather than \"%s\"\n", addr);
		return EXIT_REFUSED;
	}
	if (r->number != IOCTL_NONE) {
		fputs("One PRL entry at a time\n", stderr);
		return EXIT_SYNTAX;
	}
	r->number = strcmp(word, "prl-delete") ? IOCTL_PRL_ADD : IOCTL_PRL_DEL;
	snprintf(r->words, sizeof(r->words), "%s %s", word, addr4_print(a, buf));
	return 0;
}

static bool is_prl(const char *word)
{
	return !strcmp(word, "prl-default") || !strcmp(word, "prl-nodefault") ||
	       !strcmp(word, "prl-delete");
}

int prl_main(const struct cli *cli, int argc, char **argv)
{
	struct sit_request r = {.verb = "prl"};
	int rc = 0;

	(void)cli;
	for (int i = 0; i < argc && !rc; i += 2) {
		bool prl = is_prl(argv[i]);

		if (!prl && strcmp(argv[i], "dev"))
			return complain("Invalid PRL parameter", argv[i]);
		if (i + 1 == argc)
			return incomplete();
		rc = prl ? read_prl(argv[i], argv[i + 1], &r) : read_dev(argv[i + 1], &r);
	}
	return rc ? rc : sit_send(&r);
}

static int prefix_expected(const char *family, const char *word)
{
	fprintf(stderr, "Error: %s prefix is expected rather than \"%s\".\n", family, word);
	return EXIT_REFUSED;
}

static int read_6rd_prefix(const char *word, struct sixrd *s)
{
	return prefix6_parse(word, s->prefix, &s->prefix_len) ? 0 : prefix_expected("inet6", word);
}

static int read_6rd_relay(const char *word, struct sixrd *s)
{
	return prefix4_parse(word, &s->relay, &s->relay_len) ? 0 : prefix_expected("inet", word);
}

/* One item at argv[0]; *used: the words it took. */
static int read_6rd(int argc, char **argv, struct sit_request *r, struct sixrd *s, int *used)
{
	bool prefix = !strcmp(argv[0], "6rd-prefix");
	bool relay = !strcmp(argv[0], "6rd-relay_prefix");

	*used = 2;
	if (!strcmp(argv[0], "6rd-reset")) {
		*used = 1;
		r->number = IOCTL_6RD_RESET;
		return 0;
	}
	if (!prefix && !relay && strcmp(argv[0], "dev"))
		return complain("Invalid 6RD parameter", argv[0]);
	if (argc < 2)
		return incomplete();
	if (!prefix && !relay)
		return read_dev(argv[1], r);
	r->number = IOCTL_6RD_SET;
	return prefix ? read_6rd_prefix(argv[1], s) : read_6rd_relay(argv[1], s);
}

void sixrd_words(const struct sixrd *s, char buf[static SIXRD_WORDS])
{
	char p6[ADDR6_TEXT], p4[ADDR4_TEXT];

	snprintf(buf, SIXRD_WORDS, "6rd-prefix %s/%u 6rd-relay_prefix %s/%u",
		 addr6_print(s->prefix, p6), s->prefix_len, addr4_print(s->relay, p4),
		 s->relay_len);
}

int sixrd_main(const struct cli *cli, int argc, char **argv)
{
	struct sit_request r = {.verb = "6rd"};
	struct sixrd s = {0};
	int used;

	(void)cli;
	for (int i = 0; i < argc; i += used) {
		int rc = read_6rd(argc - i, argv + i, &r, &s, &used);

		if (rc)
			return rc;
	}
	if (r.number == IOCTL_6RD_RESET)
		strcpy(r.words, "6rd-reset");
	else
		sixrd_words(&s, r.words);
	return sit_send(&r);
}

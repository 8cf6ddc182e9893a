/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each row's reader refuses with iproute2's own message and exit status
 * (spec cli 1.5).
 */
#include "model/options.h"

#include <errno.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/num.h"
#include "lib/text.h"
#include "model/modes.h"

enum {
	STATUS_REFUSED = 1,
	STATUS_SYNTAX = 255,
	EVERYONE = DIALECT_IP | DIALECT_TUNL | DIALECT_TEXT,
};

static int bad_addr(struct reading *r, const char *arg)
{
	return err_exit(r->e, STATUS_REFUSED, EINVAL,
			"Error: an IP address is expected rather than \"%s\"", arg);
}

static int bad_arg(struct reading *r, const char *arg, const char *why)
{
	return err_exit(r->e, STATUS_SYNTAX, EINVAL, "Error: argument \"%s\" is wrong: %s", arg,
			why);
}

/* Words for the same protocol add up: `mode ipip mode vti` is vti. */
static int read_mode(struct reading *r, const char *word, const char *arg)
{
	const struct mode_info *m = mode_by_word(arg);
	struct tunnel_cfg *cfg = r->cfg;

	(void)word;
	if (!m)
		return err_exit(r->e, STATUS_SYNTAX, EINVAL, "Unknown tunnel mode \"%s\"", arg);
	if (cfg->proto && cfg->proto != m->proto)
		return err_exit(r->e, STATUS_SYNTAX, EINVAL,
				"You managed to ask for more than one tunnel mode.");
	if (!cfg->proto || m->id > cfg->mode)
		tunnel_cfg_set_mode(cfg, m->id);
	return 0;
}

static int read_remote(struct reading *r, const char *word, const char *arg)
{
	(void)word;
	return addr4_parse(arg, &r->cfg->remote) ? 0 : bad_addr(r, arg);
}

static int read_local(struct reading *r, const char *word, const char *arg)
{
	(void)word;
	return addr4_parse(arg, &r->cfg->local) ? 0 : bad_addr(r, arg);
}

static int read_dev(struct reading *r, const char *word, const char *arg)
{
	(void)word;
	r->dev = arg;
	text_copy(r->cfg->dev, sizeof(r->cfg->dev), arg);
	return 0;
}

/* `inherit` leaves what stands: iproute2's quirk (spec cli 1.3). */
static int read_ttl(struct reading *r, const char *word, const char *arg)
{
	(void)word;
	if (!strcmp(arg, "inherit") || field_ttl(arg, &r->cfg->ttl))
		return 0;
	return bad_arg(r, arg, "invalid TTL\n");
}

/* The message names what stands before the `/`, as iproute2's does. */
static int read_tos(struct reading *r, const char *word, const char *arg)
{
	char left[64];

	(void)word;
	if (field_tos(arg, &r->cfg->tos))
		return 0;
	text_copy(left, sizeof(left), arg);
	left[strcspn(left, "/")] = '\0';
	return bad_arg(r, left, "bad TOS value");
}

static int read_pmtudisc(struct reading *r, const char *word, const char *arg)
{
	(void)arg;
	r->cfg->pmtudisc = word[0] != 'n';
	return 0;
}

/* "key", "ikey", "okey": the first letter says which side. */
static bool is_input(const char *word)
{
	return word[0] != 'o';
}

static bool is_output(const char *word)
{
	return word[0] != 'i';
}

static int read_key(struct reading *r, const char *word, const char *arg)
{
	struct tunnel_cfg *cfg = r->cfg;
	be32 key;

	if (!field_key(arg, &key)) {
		if (strchr(arg, '.'))
			return bad_addr(r, arg);
		return err_exit(
			r->e, STATUS_SYNTAX, EINVAL,
			"invalid value for \"%s\": \"%s\"; it should be an unsigned integer", word,
			arg);
	}
	if (is_input(word)) {
		cfg->ikey = key;
		cfg->iflags |= TUNL_F_KEY;
	}
	if (is_output(word)) {
		cfg->okey = key;
		cfg->oflags |= TUNL_F_KEY;
	}
	return 0;
}

static void add_flag(struct tunnel_cfg *cfg, const char *word, u16 flag)
{
	if (is_input(word))
		cfg->iflags |= flag;
	if (is_output(word))
		cfg->oflags |= flag;
}

static int read_seq(struct reading *r, const char *word, const char *arg)
{
	(void)arg;
	add_flag(r->cfg, word, TUNL_F_SEQ);
	return 0;
}

static int read_csum(struct reading *r, const char *word, const char *arg)
{
	(void)arg;
	add_flag(r->cfg, word, TUNL_F_CSUM);
	return 0;
}

static int read_name(struct reading *r, const char *word, const char *arg)
{
	(void)word;
	return reading_name(r, arg);
}

static int read_datapath(struct reading *r, const char *word, const char *arg)
{
	(void)word;
	return field_datapath(arg, &r->cfg->datapath)
		       ? 0
		       : bad_arg(r, arg, "the datapath is auto, bpf or user");
}

static int read_mss(struct reading *r, const char *word, const char *arg)
{
	(void)word;
	return field_mss(arg, &r->cfg->mss) ? 0
					    : bad_arg(r, arg, "the MSS is auto, off or 88..65495");
}

static int read_keepalive(struct reading *r, const char *word, const char *arg)
{
	(void)word;
	return field_keepalive(arg, &r->cfg->keep_s, &r->cfg->keep_n)
		       ? 0
		       : bad_arg(r, arg, "keepalive is SECONDS,COUNT (1..32767,1..255) or off");
}

static int read_peers(struct reading *r, const char *word, const char *arg)
{
	(void)word;
	return peers_parse(arg, &r->cfg->peers)
		       ? 0
		       : bad_arg(r, arg, "peers are any, or up to 32 of ADDR[/LEN] with commas");
}

static int read_proto(struct reading *r, const char *word, const char *arg)
{
	u32 proto = 0;

	(void)word;
	if (strcmp(arg, "any") && !num_dec(arg, 255, &proto))
		return bad_arg(r, arg, "invalid protocol");
	r->cfg->proto = (u8)proto;
	return 0;
}

static int read_ignore_df(struct reading *r, const char *word, const char *arg)
{
	(void)word;
	(void)arg;
	r->cfg->ignore_df = true;
	return 0;
}

static int read_fwmark(struct reading *r, const char *word, const char *arg)
{
	(void)word;
	return num_u32(arg, ~0u, &r->cfg->fwmark) ? 0 : bad_arg(r, arg, "invalid fwmark\n");
}

static int read_6rd(struct reading *r, const char *word, const char *arg)
{
	struct sixrd *s = &r->cfg->sixrd;

	(void)word;
	if (prefix6_parse(arg, s->prefix, &s->prefix_len))
		return 0;
	return err_exit(r->e, STATUS_REFUSED, EINVAL,
			"Error: inet6 prefix is expected rather than \"%s\".", arg);
}

static int read_6rd_relay(struct reading *r, const char *word, const char *arg)
{
	struct sixrd *s = &r->cfg->sixrd;

	(void)word;
	if (prefix4_parse(arg, &s->relay, &s->relay_len))
		return 0;
	return err_exit(r->e, STATUS_REFUSED, EINVAL,
			"Error: inet prefix is expected rather than \"%s\".", arg);
}

static const struct tunnel_option options[] = {
	{"mode", "MODE", EVERYONE, false, "ipip, gre, sit, isatap or vti", read_mode},
	{"remote", "ADDR", EVERYONE, false, "outer destination; any: the route's next hop",
	 read_remote},
	{"local", "ADDR", EVERYONE, false, "outer source; any: the route's choice", read_local},
	{"dev", "PHYS_DEV", EVERYONE, false, "bind to this underlay device", read_dev},
	{"ttl", "TTL", EVERYONE, false, "outer TTL 1..255; 0: the inner packet's", read_ttl},
	{"hoplimit", "TTL", EVERYONE, false, NULL, read_ttl},
	{"hlim", "TTL", EVERYONE, false, NULL, read_ttl},
	{"tos", "TOS", EVERYONE, false, "outer TOS: VALUE, inherit or inherit/VALUE", read_tos},
	{"tclass", "TOS", EVERYONE, false, NULL, read_tos},
	{"dsfield", "TOS", EVERYONE, true, NULL, read_tos},
	{"pmtudisc", NULL, EVERYONE, false, "set DF on outer packets (default)", read_pmtudisc},
	{"nopmtudisc", NULL, EVERYONE, false, "do not set DF on outer packets", read_pmtudisc},
	{"key", "KEY", EVERYONE, false, "key of both directions", read_key},
	{"ikey", "KEY", EVERYONE, false, "key of received packets", read_key},
	{"okey", "KEY", EVERYONE, false, "key of sent packets", read_key},
	{"seq", NULL, EVERYONE, false, "sequence numbers, both directions", read_seq},
	{"iseq", NULL, EVERYONE, false, "refuse packets out of sequence", read_seq},
	{"oseq", NULL, EVERYONE, false, "number sent packets", read_seq},
	{"csum", NULL, EVERYONE, false, "checksums, both directions", read_csum},
	{"icsum", NULL, EVERYONE, false, "require checksums", read_csum},
	{"ocsum", NULL, EVERYONE, false, "send checksums", read_csum},
	{"name", "NAME", EVERYONE, false, "name of the tunnel; also as a bare word", read_name},
	{"datapath", "DATAPATH", DIALECT_TUNL | DIALECT_TEXT, false,
	 "who carries the packets: auto, bpf or user", read_datapath},
	{"mss", "MSS", DIALECT_TUNL | DIALECT_TEXT, false,
	 "bound the MSS of TCP inside: auto, off or a size", read_mss},
	{"keepalive", "SEC,COUNT", DIALECT_TUNL | DIALECT_TEXT, false,
	 "ask the remote every SEC seconds: no carrier after COUNT without answer", read_keepalive},
	{"peers", "PEERS", DIALECT_TUNL | DIALECT_TEXT, false,
	 "without remote: outer sources that are taken, A,B/LEN,...; any: all", read_peers},
	{"proto", "PROTO", DIALECT_TEXT, false, "outer protocol where it is not the mode's own",
	 read_proto},
	{"ignore-df", NULL, DIALECT_TEXT, false, "fragment inner packets that say DF",
	 read_ignore_df},
	{"fwmark", "MARK", DIALECT_TEXT, false, "mark of outer packets", read_fwmark},
	{"6rd-prefix", "PREFIX6", DIALECT_TEXT, false, "IPv6 prefix of the 6rd domain", read_6rd},
	{"6rd-relay_prefix", "PREFIX4", DIALECT_TEXT, false, "IPv4 bits that all sites share",
	 read_6rd_relay},
};

const struct tunnel_option *option_next(const struct tunnel_option *prev)
{
	const struct tunnel_option *o = prev ? prev + 1 : options;

	return o < options + countof(options) ? o : NULL;
}

const struct tunnel_option *option_find(const char *word, enum dialect dialect)
{
	for (const struct tunnel_option *o = option_next(NULL); o; o = option_next(o)) {
		if (!(o->dialects & dialect))
			continue;
		if (!strcmp(o->word, word) || (o->prefix && text_is_prefix(word, o->word)))
			return o;
	}
	return NULL;
}

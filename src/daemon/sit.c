/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/sit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/monitor.h"
#include "daemon/reconcile.h"
#include "daemon/tunnel.h"
#include "lib/addr.h"
#include "lib/text.h"
#include "model/grammar.h"
#include "model/modes.h"

enum { WORDS_LEN = 160 };

/* Save t and make everything agree with it. */
static int settle(struct tunnel *t, struct err *e)
{
	int err = tunnel_save(t);

	if (err)
		return err_set(e, -err, "the state file cannot be written: %s", strerror(-err));
	err = reconcile_now(t->home, t, e);
	if (!err)
		monitor_tunnel(t, "changed");
	return err;
}

static bool is_sits(const struct tunnel *t)
{
	return mode_info(t->cfg.mode)->has_6rd;
}

/* Change *p as the words say. 0, or the driver's -errno; -EPROTO: no such words. */
static int change_routers(struct prl *p, const char *words)
{
	char copy[WORDS_LEN], *word[3];
	be32 addr;

	if (strlen(words) >= sizeof(copy))
		return -EPROTO;
	strcpy(copy, words);
	if (text_split(copy, word, (int)countof(word)) != 2 || !addr4_parse(word[1], &addr))
		return -EPROTO;
	if (!strcmp(word[0], "prl-delete"))
		return prl_del(p, addr);
	if (!strcmp(word[0], "prl-default") || !strcmp(word[0], "prl-nodefault"))
		return prl_add(p, addr, !strcmp(word[0], "prl-default"));
	return -EPROTO;
}

int sit_prl(struct tunnel *t, const char *words, struct err *e)
{
	struct prl old = {0}, new;
	int err;

	if (!is_sits(t))
		return err_set(e, EINVAL, "mode %s has no routers", mode_info(t->cfg.mode)->word);
	if (t->prl)
		old = *t->prl;
	new = old;
	err = change_routers(&new, words);
	if (!err)
		err = tunnel_set_routers(t, &new);
	if (err)
		return err_set(e, -err, "%s", strerror(-err));
	err = settle(t, e);
	if (err) {
		tunnel_set_routers(t, &old);
		tunnel_save(t);
	}
	return err;
}

/* What is not said is zero; `6rd-reset` is what a new tunnel has. */
static int read_6rd(const struct tunnel *t, const char *words, struct sixrd *s, struct err *e)
{
	struct tunnel_cfg cfg;

	if (!strcmp(words, "6rd-reset")) {
		tunnel_cfg_init(&cfg);
		tunnel_cfg_set_mode(&cfg, t->cfg.mode);
	} else if (grammar_line(words, &cfg, e)) {
		return err_set(e, EPROTO, "%s", strerror(EPROTO));
	}
	*s = cfg.sixrd;
	if (!sixrd_is_valid(s))
		return err_set(e, EINVAL, "the 6rd prefix is too long or has host bits set");
	return 0;
}

int sit_6rd(struct tunnel *t, const char *words, struct err *e)
{
	struct sixrd old = t->cfg.sixrd, new;
	int err;

	if (!is_sits(t))
		return err_set(e, EINVAL, "mode %s has no 6rd prefix",
			       mode_info(t->cfg.mode)->word);
	err = read_6rd(t, words, &new, e);
	if (err)
		return err;
	t->cfg.sixrd = new;
	err = settle(t, e);
	if (err) {
		t->cfg.sixrd = old;
		tunnel_save(t);
	}
	return err;
}

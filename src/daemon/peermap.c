/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/peermap.h"

#include <string.h>
#include <sys/socket.h>

#include "mode/mode.h"

enum { PREFIXES = 64, PREFIX_BITS = 64 };

struct peer_keys {
	u32 ifindex, n;
	struct bpf_peer_key key[PRL_MAX + PREFIXES];
};

/*
 * The map's keys are prefixes of 64 bits, which is what an address with an
 * interface identifier has (RFC 5214 6.1 via RFC 4291 2.5.1). One of another
 * length, or more than there is room for, are looked at by the engine.
 */
static void add_prefix(const struct rtnl_addr *a, void *arg)
{
	struct peer_keys *p = arg;
	struct bpf_peer_key *key = &p->key[p->n];

	if (a->prefix_len != PREFIX_BITS || p->n == countof(p->key))
		return;
	*key = (struct bpf_peer_key){.ifindex = p->ifindex};
	memcpy(key->prefix, a->addr, sizeof(key->prefix));
	p->n++;
}

int peermap_write(struct tunnel *t)
{
	struct peer_keys p = {.ifindex = t->link.ifindex};
	struct mode_fast how = {0};

	mode_by_id(t->cfg.mode)->fast(&t->cfg, &how);
	if (!(how.rules & FAST_CHECK_ISATAP))
		return 0;
	for (u32 i = 0; t->prl && i < t->prl->n; i++)
		p.key[p.n++] = (struct bpf_peer_key){.ifindex = p.ifindex,
						     .router = t->prl->entry[i].addr};
	/* what cannot be asked for is not there: then those packets are the engine's */
	rtnl_addr_dump(&t->place->rtnl, AF_INET6, p.ifindex, add_prefix, &p);
	return bpf_ns_set_peers(t->home->bpf, p.ifindex, p.key, p.n);
}

void peermap_clear(struct tunnel *t)
{
	bpf_ns_set_peers(t->home->bpf, t->link.ifindex, NULL, 0);
}

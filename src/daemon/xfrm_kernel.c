/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/xfrm_kernel.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "ipsec/secret.h"

enum { BUF = 32768, PATIENCE_S = 5, PROBE_SPI = 0x7475, PROBE_KEY = 16 };

_Static_assert(sizeof(struct xfrm_addr) == sizeof(xfrm_address_t), "one is the other");
_Static_assert((int)SA_ESN == (int)XFRM_STATE_ESN && (int)SA_NOECN == (int)XFRM_STATE_NOECN,
	       "flags are the kernel's");

static int open_socket(u32 groups, int flags)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK, .nl_groups = groups};
	struct timeval tv = {.tv_sec = PATIENCE_S};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_XFRM), err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int xfrm_kernel_listen(void)
{
	return open_socket(XFRMGRP_SA | XFRMGRP_POLICY | XFRMGRP_EXPIRE, SOCK_NONBLOCK);
}

int xfrm_kernel_open(void)
{
	return open_socket(0, 0);
}

bool xfrm_kernel_heard(int fd)
{
	bool any = false;
	ssize_t n;
	char *buf = secret_alloc(BUF); /* news of associations hold keys */

	do {
		n = buf ? recv(fd, buf, BUF, MSG_DONTWAIT) : -1;
		any |= n > 0 || (n < 0 && errno == ENOBUFS);
	} while (n > 0 || (n < 0 && (errno == ENOBUFS || errno == EINTR) && buf));
	secret_free(buf);
	return any;
}

/* --- one message: what stands in it */

static void read_sel(const struct xfrm_selector *k, struct xfrm_sel *s)
{
	*s = (struct xfrm_sel){
		.family = k->family,
		.src_len = k->prefixlen_s,
		.dst_len = k->prefixlen_d,
		.proto = k->proto,
		.sport = ntohs(k->sport),
		.dport = ntohs(k->dport),
		.sport_mask = ntohs(k->sport_mask),
		.dport_mask = ntohs(k->dport_mask),
		.ifindex = (u32)k->ifindex,
	};
	memcpy(&s->src, &k->saddr, sizeof(s->src));
	memcpy(&s->dst, &k->daddr, sizeof(s->dst));
}

static void read_limits(const struct xfrm_lifetime_cfg *k, struct xfrm_limits *l)
{
	*l = (struct xfrm_limits){
		.soft_bytes = k->soft_byte_limit,
		.hard_bytes = k->hard_byte_limit,
		.soft_packets = k->soft_packet_limit,
		.hard_packets = k->hard_packet_limit,
	};
	/* the kernel's own timer sees to those of time, and tells of them */
}

static void read_key(struct xfrm_algo_cfg *a, const char *name, const void *key, u32 bits)
{
	memset(a, 0, sizeof(*a));
	strncpy(a->name, name, sizeof(a->name) - 1);
	a->key_len = min_of(bits / 8, (u32)sizeof(a->key));
	memcpy(a->key, key, a->key_len);
}

/* The attribute's payload, if it has room for size bytes and a key of so many bits. */
static const void *algo_of(const struct nlattr *at, size_t size, u32 bits)
{
	return mnl_attr_get_payload_len(at) >= size + bits / 8 ? mnl_attr_get_payload(at) : NULL;
}

static void read_algo(const struct nlattr *at, struct sa_cfg *cfg)
{
	const struct xfrm_algo *a = mnl_attr_get_payload(at);
	const struct xfrm_algo_aead *aead = mnl_attr_get_payload(at);
	const struct xfrm_algo_auth *auth = mnl_attr_get_payload(at);

	if (mnl_attr_get_payload_len(at) < sizeof(*aead))
		return;
	switch (mnl_attr_get_type(at)) {
	case XFRMA_ALG_AEAD:
		if (algo_of(at, sizeof(*aead), aead->alg_key_len))
			read_key(&cfg->aead, aead->alg_name, aead->alg_key, aead->alg_key_len);
		cfg->aead.icv_bits = aead->alg_icv_len;
		break;
	case XFRMA_ALG_CRYPT:
		if (algo_of(at, sizeof(*a), a->alg_key_len))
			read_key(&cfg->enc, a->alg_name, a->alg_key, a->alg_key_len);
		break;
	case XFRMA_ALG_AUTH_TRUNC:
		if (algo_of(at, sizeof(*auth), auth->alg_key_len))
			read_key(&cfg->auth, auth->alg_name, auth->alg_key, auth->alg_key_len);
		cfg->auth.icv_bits = auth->alg_trunc_len;
		cfg->auth_trunc = true;
		break;
	default:
		break;
	}
}

/* A received entry on its way into values. */
struct reading {
	struct sa_cfg *sa;
	struct sa_live *live;
	struct policy_cfg *policy;
};

static void read_replay(const struct nlattr *at, struct reading *r)
{
	const struct xfrm_replay_state *old = mnl_attr_get_payload(at);
	const struct xfrm_replay_state_esn *esn = mnl_attr_get_payload(at);
	struct replay *p = &r->live->replay;

	if (mnl_attr_get_type(at) == XFRMA_REPLAY_VAL) {
		p->out = old->oseq;
		p->top = old->seq;
		return;
	}
	if (mnl_attr_get_payload_len(at) < sizeof(*esn))
		return;
	r->sa->window = esn->replay_window;
	p->out = (u64)esn->oseq_hi << 32 | esn->oseq;
	p->top = (u64)esn->seq_hi << 32 | esn->seq;
}

static void read_encap(const struct nlattr *at, struct sa_cfg *cfg)
{
	const struct xfrm_encap_tmpl *e = mnl_attr_get_payload(at);

	if (mnl_attr_get_payload_len(at) < sizeof(*e))
		return;
	cfg->encap.type = e->encap_type;
	cfg->encap.sport = ntohs(e->encap_sport);
	cfg->encap.dport = ntohs(e->encap_dport);
	memcpy(&cfg->encap.oa, &e->encap_oa, sizeof(cfg->encap.oa));
}

static void read_mark(const struct nlattr *at, struct xfrm_markmask *m)
{
	const struct xfrm_mark *k = mnl_attr_get_payload(at);

	if (mnl_attr_get_payload_len(at) >= sizeof(*k))
		*m = (struct xfrm_markmask){k->v, k->m};
}

static int on_sa_attr(const struct nlattr *at, void *arg)
{
	struct reading *r = arg;
	struct sa_cfg *cfg = r->sa;

	if (mnl_attr_get_payload_len(at) < sizeof(u32))
		return MNL_CB_OK;
	switch (mnl_attr_get_type(at)) {
	case XFRMA_MARK:
		read_mark(at, &cfg->mark);
		break;
	case XFRMA_SET_MARK:
		cfg->has_out_mark = true;
		cfg->out_mark.value = mnl_attr_get_u32(at);
		if (!cfg->out_mark.mask)
			cfg->out_mark.mask = ~0U;
		break;
	case XFRMA_SET_MARK_MASK:
		cfg->out_mark.mask = mnl_attr_get_u32(at);
		break;
	case XFRMA_SA_EXTRA_FLAGS:
		cfg->extra = mnl_attr_get_u32(at);
		break;
	case XFRMA_IF_ID:
		cfg->if_id = mnl_attr_get_u32(at);
		break;
	case XFRMA_ENCAP:
		read_encap(at, cfg);
		break;
	case XFRMA_REPLAY_VAL:
	case XFRMA_REPLAY_ESN_VAL:
		read_replay(at, r);
		break;
	default:
		read_algo(at, cfg);
	}
	return MNL_CB_OK;
}

static bool read_sa(const struct nlmsghdr *n, struct reading *r)
{
	const struct xfrm_usersa_info *k = mnl_nlmsg_get_payload(n);
	struct sa_cfg *cfg = r->sa;

	if (mnl_nlmsg_get_payload_len(n) < sizeof(*k))
		return false;
	memset(cfg, 0, sizeof(*cfg));
	memset(r->live, 0, sizeof(*r->live));
	cfg->family = k->family;
	cfg->proto = k->id.proto;
	cfg->mode = k->mode;
	cfg->flags = k->flags;
	cfg->spi = (be32){k->id.spi};
	cfg->reqid = k->reqid;
	cfg->window = k->replay_window;
	memcpy(&cfg->src, &k->saddr, sizeof(cfg->src));
	memcpy(&cfg->dst, &k->id.daddr, sizeof(cfg->dst));
	read_sel(&k->sel, &cfg->sel);
	read_limits(&k->lft, &cfg->limits);
	r->live->bytes = k->curlft.bytes;
	r->live->packets = k->curlft.packets;
	r->live->add_time = k->curlft.add_time;
	r->live->use_time = k->curlft.use_time;
	mnl_attr_parse(n, sizeof(*k), on_sa_attr, r);
	return true;
}

static void read_tmpls(const struct nlattr *at, struct policy_cfg *p)
{
	const struct xfrm_user_tmpl *k = mnl_attr_get_payload(at);
	u32 n = mnl_attr_get_payload_len(at) / sizeof(*k);

	for (p->ntmpls = 0; p->ntmpls < min_of(n, (u32)XFRM_TMPLS); k++) {
		struct xfrm_tmpl *t = &p->tmpl[p->ntmpls++];

		*t = (struct xfrm_tmpl){
			.family = k->family,
			.proto = k->id.proto,
			.mode = k->mode,
			.use = k->optional,
			.spi = {k->id.spi},
			.reqid = k->reqid,
		};
		memcpy(&t->src, &k->saddr, sizeof(t->src));
		memcpy(&t->dst, &k->id.daddr, sizeof(t->dst));
	}
}

static int on_policy_attr(const struct nlattr *at, void *arg)
{
	struct reading *r = arg;

	switch (mnl_attr_get_type(at)) {
	case XFRMA_MARK:
		read_mark(at, &r->policy->mark);
		break;
	case XFRMA_IF_ID:
		r->policy->if_id = mnl_attr_get_u32(at);
		break;
	case XFRMA_TMPL:
		read_tmpls(at, r->policy);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static bool read_policy(const struct nlmsghdr *n, struct reading *r)
{
	const struct xfrm_userpolicy_info *k = mnl_nlmsg_get_payload(n);
	struct policy_cfg *p = r->policy;

	/* those of sockets (IKE's own) have other directions */
	if (mnl_nlmsg_get_payload_len(n) < sizeof(*k) || k->dir >= POLICY_DIRS)
		return false;
	*p = (struct policy_cfg){
		.dir = k->dir,
		.action = k->action,
		.flags = k->flags,
		.has_dir = true,
		.priority = k->priority,
		.index = k->index,
		.limits = xfrm_no_limits(),
	};
	read_sel(&k->sel, &p->sel);
	mnl_attr_parse(n, sizeof(*k), on_policy_attr, r);
	return true;
}

/* --- requests */

struct dump {
	const struct xfrm_kernel_fn *fn;
	struct reading r;
};

static int on_entry(const struct nlmsghdr *n, void *arg)
{
	struct dump *d = arg;

	if (n->nlmsg_type == XFRM_MSG_NEWSA && read_sa(n, &d->r))
		d->fn->state(d->r.sa, d->r.live, d->fn->arg);
	if (n->nlmsg_type == XFRM_MSG_NEWPOLICY && read_policy(n, &d->r))
		d->fn->policy(d->r.policy, d->fn->arg);
	return MNL_CB_OK;
}

static int dump_one(int fd, u16 type, struct dump *d)
{
	struct {
		struct nlmsghdr n;
	} req = {{.nlmsg_len = NLMSG_HDRLEN,
		  .nlmsg_type = type,
		  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		  .nlmsg_seq = type}};
	char *buf = secret_alloc(BUF);
	int more = MNL_CB_OK;
	ssize_t n;

	if (!buf)
		return -ENOMEM;
	n = send(fd, &req, sizeof(req), 0);
	while (n >= 0 && more == MNL_CB_OK) {
		n = recv(fd, buf, BUF, 0);
		more = n < 0 ? MNL_CB_ERROR : mnl_cb_run(buf, (size_t)n, type, 0, on_entry, d);
	}
	n = n < 0 || more < 0 ? -errno : 0;
	secret_free(buf);
	return (int)n;
}

int xfrm_kernel_dump(int fd, const struct xfrm_kernel_fn *fn)
{
	struct sa_cfg *sa = secret_alloc(sizeof(*sa));
	struct sa_live live;
	struct policy_cfg policy;
	struct dump d = {fn, {sa, &live, &policy}};
	int err = sa ? dump_one(fd, XFRM_MSG_GETSA, &d) : -ENOMEM;

	if (!err)
		err = dump_one(fd, XFRM_MSG_GETPOLICY, &d);
	secret_free(sa);
	return err;
}

/* Send n and take the kernel's answer. */
static int ask(int fd, struct nlmsghdr *n)
{
	struct {
		struct nlmsghdr n;
		struct nlmsgerr e;
		u8 rest[1024];
	} answer;

	n->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (send(fd, n, n->nlmsg_len, 0) < 0)
		return -errno;
	if (recv(fd, &answer, sizeof(answer), 0) < (ssize_t)NLMSG_LENGTH(sizeof(answer.e)))
		return -EPROTO;
	return answer.n.nlmsg_type == NLMSG_ERROR ? answer.e.error : -EPROTO;
}

static void put_mark(struct nlmsghdr *n, const struct sa *sa)
{
	struct xfrm_mark m = {sa->cfg.mark.value, sa->cfg.mark.mask};

	if (m.m)
		mnl_attr_put(n, XFRMA_MARK, sizeof(m), &m);
}

static void put_replay(struct nlmsghdr *n, const struct sa *sa)
{
	const struct replay *r = &sa->live->replay;
	u32 words = (sa->cfg.window + 31) / 32;
	struct xfrm_replay_state old = {(u32)r->out, (u32)r->top, replay_bitmap(r, &sa->cfg)};
	_Alignas(u32) u8 buf[sizeof(struct xfrm_replay_state_esn) + XFRM_WINDOW_MAX / 8];
	struct xfrm_replay_state_esn *esn = (void *)buf;

	if (!(sa->cfg.flags & SA_ESN) && sa->cfg.window <= 32) {
		mnl_attr_put(n, XFRMA_REPLAY_VAL, sizeof(old), &old);
		return;
	}
	*esn = (struct xfrm_replay_state_esn){.bmp_len = words,
					      .oseq = (u32)r->out,
					      .seq = (u32)r->top,
					      .oseq_hi = (u32)(r->out >> 32),
					      .seq_hi = (u32)(r->top >> 32),
					      .replay_window = sa->cfg.window};
	memcpy(buf + sizeof(*esn), r->bitmap, words * sizeof(u32));
	mnl_attr_put(n, XFRMA_REPLAY_ESN_VAL, sizeof(*esn) + words * sizeof(u32), esn);
}

int xfrm_kernel_tell(int fd, const struct sa *sa)
{
	char buf[2048] = {0};
	struct nlmsghdr *n = mnl_nlmsg_put_header(buf);
	struct xfrm_aevent_id *id = mnl_nlmsg_put_extra_header(n, sizeof(*id));
	const struct sa_live *v = sa->live;
	struct xfrm_lifetime_cur cur = {v->bytes, v->packets, v->add_time, v->use_time};

	n->nlmsg_type = XFRM_MSG_NEWAE;
	n->nlmsg_flags = NLM_F_REPLACE;
	memcpy(&id->sa_id.daddr, &sa->cfg.dst, sizeof(id->sa_id.daddr));
	memcpy(&id->saddr, &sa->cfg.src, sizeof(id->saddr));
	id->sa_id.spi = sa->cfg.spi.raw;
	id->sa_id.family = sa->cfg.family;
	id->sa_id.proto = sa->cfg.proto;
	id->reqid = sa->cfg.reqid;
	put_mark(n, sa);
	put_replay(n, sa);
	mnl_attr_put(n, XFRMA_LTIME_VAL, sizeof(cur), &cur);
	return ask(fd, n);
}

int xfrm_kernel_expire(int fd, const struct sa *sa, bool hard)
{
	char buf[1024] = {0};
	struct nlmsghdr *n = mnl_nlmsg_put_header(buf);
	struct xfrm_user_expire *x = mnl_nlmsg_put_extra_header(n, sizeof(*x));

	n->nlmsg_type = XFRM_MSG_EXPIRE;
	memcpy(&x->state.id.daddr, &sa->cfg.dst, sizeof(x->state.id.daddr));
	memcpy(&x->state.saddr, &sa->cfg.src, sizeof(x->state.saddr));
	x->state.id.spi = sa->cfg.spi.raw;
	x->state.id.proto = sa->cfg.proto;
	x->state.family = sa->cfg.family;
	x->hard = hard;
	put_mark(n, sa);
	return ask(fd, n);
}

/* An association between addresses of our own, which is taken away at once. */
static int probe(int fd, bool add)
{
	_Alignas(u32) u8 algo[sizeof(struct xfrm_algo) + PROBE_KEY] = {0};
	struct xfrm_algo *enc = (void *)algo;
	char buf[1024] = {0};
	struct nlmsghdr *n = mnl_nlmsg_put_header(buf);
	struct xfrm_usersa_info *sa;
	struct xfrm_usersa_id *id;

	n->nlmsg_type = add ? XFRM_MSG_NEWSA : XFRM_MSG_DELSA;
	if (!add) {
		id = mnl_nlmsg_put_extra_header(n, sizeof(*id));
		id->daddr.a4 = htonl(INADDR_LOOPBACK);
		id->spi = htonl(PROBE_SPI);
		id->family = AF_INET;
		id->proto = IPPROTO_ESP;
		return ask(fd, n);
	}
	sa = mnl_nlmsg_put_extra_header(n, sizeof(*sa));
	sa->family = AF_INET;
	sa->mode = XFRM_MODE_TUNNEL;
	sa->id.proto = IPPROTO_ESP;
	sa->id.spi = htonl(PROBE_SPI);
	sa->saddr.a4 = sa->id.daddr.a4 = htonl(INADDR_LOOPBACK);
	strcpy(enc->alg_name, "cbc(aes)");
	enc->alg_key_len = PROBE_KEY * 8;
	mnl_attr_put(n, XFRMA_ALG_CRYPT, sizeof(algo), algo);
	return ask(fd, n);
}

bool xfrm_kernel_can(void)
{
	const char *said = getenv("TUNL_XFRM");
	int fd = said ? -1 : xfrm_kernel_open();
	bool can = said && !strcmp(said, "kernel");

	if (fd < 0)
		return can;
	can = probe(fd, true) == 0;
	if (can)
		probe(fd, false);
	close(fd);
	return can;
}

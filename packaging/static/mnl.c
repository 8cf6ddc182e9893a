/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For `make static` where there is no libmnl.a (Debian has none): what tunl asks of libmnl,
 * with the prototypes of its header. A struct mnl_socket is made by mnl_socket_open2() and
 * freed by mnl_socket_close(). Messages stand in the caller's buffer, which is large enough.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct mnl_socket {
	int fd;
	struct sockaddr_nl addr;
};

struct mnl_socket *mnl_socket_open2(int bus, int flags)
{
	struct mnl_socket *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->fd = socket(AF_NETLINK, SOCK_RAW | flags, bus);
	if (s->fd >= 0)
		return s;
	free(s);
	return NULL;
}

struct mnl_socket *mnl_socket_open(int bus)
{
	return mnl_socket_open2(bus, 0);
}

int mnl_socket_bind(struct mnl_socket *s, unsigned groups, pid_t pid)
{
	socklen_t len = sizeof(s->addr);

	s->addr = (struct sockaddr_nl){
		.nl_family = AF_NETLINK, .nl_groups = groups, .nl_pid = (unsigned)pid};
	if (bind(s->fd, (struct sockaddr *)&s->addr, sizeof(s->addr)))
		return -1;
	return getsockname(s->fd, (struct sockaddr *)&s->addr, &len);
}

int mnl_socket_close(struct mnl_socket *s)
{
	int rc = close(s->fd);

	free(s);
	return rc;
}

int mnl_socket_get_fd(const struct mnl_socket *s)
{
	return s->fd;
}

unsigned mnl_socket_get_portid(const struct mnl_socket *s)
{
	return s->addr.nl_pid;
}

int mnl_socket_setsockopt(const struct mnl_socket *s, int type, void *buf, socklen_t len)
{
	return setsockopt(s->fd, SOL_NETLINK, type, buf, len);
}

ssize_t mnl_socket_sendto(const struct mnl_socket *s, const void *buf, size_t len)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	return sendto(s->fd, buf, len, 0, (const struct sockaddr *)&kernel, sizeof(kernel));
}

/* A message that does not fit is an error, not a shorter message; none but the kernel is heard. */
ssize_t mnl_socket_recvfrom(const struct mnl_socket *s, void *buf, size_t size)
{
	struct sockaddr_nl from = {0};
	struct iovec iov = {.iov_base = buf, .iov_len = size};
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n = recvmsg(s->fd, &msg, 0);

	if (n < 0)
		return -1;
	if (msg.msg_flags & MSG_TRUNC) {
		errno = ENOSPC;
		return -1;
	}
	if (msg.msg_namelen != sizeof(from)) {
		errno = EINVAL;
		return -1;
	}
	return n;
}

struct nlmsghdr *mnl_nlmsg_put_header(void *buf)
{
	struct nlmsghdr *n = buf;

	memset(n, 0, MNL_NLMSG_HDRLEN);
	n->nlmsg_len = MNL_NLMSG_HDRLEN;
	return n;
}

void *mnl_nlmsg_put_extra_header(struct nlmsghdr *n, size_t size)
{
	void *p = (char *)n + n->nlmsg_len;

	n->nlmsg_len += MNL_ALIGN(size);
	return memset(p, 0, MNL_ALIGN(size));
}

bool mnl_nlmsg_ok(const struct nlmsghdr *n, int len)
{
	return len >= (int)sizeof(*n) && n->nlmsg_len >= sizeof(*n) && (int)n->nlmsg_len <= len;
}

struct nlmsghdr *mnl_nlmsg_next(const struct nlmsghdr *n, int *len)
{
	*len -= (int)MNL_ALIGN(n->nlmsg_len);
	return (struct nlmsghdr *)((char *)n + MNL_ALIGN(n->nlmsg_len));
}

void *mnl_nlmsg_get_payload(const struct nlmsghdr *n)
{
	return (char *)n + MNL_NLMSG_HDRLEN;
}

size_t mnl_nlmsg_get_payload_len(const struct nlmsghdr *n)
{
	return n->nlmsg_len - MNL_NLMSG_HDRLEN;
}

void *mnl_nlmsg_get_payload_offset(const struct nlmsghdr *n, size_t offset)
{
	return (char *)n + MNL_NLMSG_HDRLEN + MNL_ALIGN(offset);
}

void *mnl_nlmsg_get_payload_tail(const struct nlmsghdr *n)
{
	return (char *)n + MNL_ALIGN(n->nlmsg_len);
}

static bool is_other(unsigned got, unsigned want)
{
	return got && want && got != want;
}

/* An answer's end: nothing more is to come. */
static int on_control(const struct nlmsghdr *n)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(n);

	if (n->nlmsg_type != NLMSG_ERROR)
		return n->nlmsg_type == NLMSG_DONE ? MNL_CB_STOP : MNL_CB_OK;
	if (n->nlmsg_len < mnl_nlmsg_size(sizeof(*e))) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	errno = e->error < 0 ? -e->error : e->error;
	return e->error ? MNL_CB_ERROR : MNL_CB_STOP;
}

size_t mnl_nlmsg_size(size_t len)
{
	return len + MNL_NLMSG_HDRLEN;
}

int mnl_cb_run(const void *buf, size_t size, unsigned seq, unsigned portid, mnl_cb_t each,
	       void *data)
{
	const struct nlmsghdr *n = buf;
	int len = (int)size, rc = MNL_CB_OK;

	for (; rc > MNL_CB_STOP && mnl_nlmsg_ok(n, len); n = mnl_nlmsg_next(n, &len)) {
		if (is_other(n->nlmsg_pid, portid) || is_other(n->nlmsg_seq, seq)) {
			errno = is_other(n->nlmsg_pid, portid) ? ESRCH : EPROTO;
			return MNL_CB_ERROR;
		}
		if (n->nlmsg_flags & NLM_F_DUMP_INTR) {
			errno = EINTR;
			return MNL_CB_ERROR;
		}
		if (n->nlmsg_type < NLMSG_MIN_TYPE)
			rc = on_control(n);
		else if (each)
			rc = each(n, data);
	}
	return rc;
}

uint16_t mnl_attr_get_type(const struct nlattr *a)
{
	return a->nla_type & NLA_TYPE_MASK;
}

uint16_t mnl_attr_get_len(const struct nlattr *a)
{
	return a->nla_len;
}

uint16_t mnl_attr_get_payload_len(const struct nlattr *a)
{
	return (uint16_t)(a->nla_len - MNL_ATTR_HDRLEN);
}

void *mnl_attr_get_payload(const struct nlattr *a)
{
	return (char *)a + MNL_ATTR_HDRLEN;
}

uint8_t mnl_attr_get_u8(const struct nlattr *a)
{
	return *(uint8_t *)mnl_attr_get_payload(a);
}

uint16_t mnl_attr_get_u16(const struct nlattr *a)
{
	return *(uint16_t *)mnl_attr_get_payload(a);
}

uint32_t mnl_attr_get_u32(const struct nlattr *a)
{
	return *(uint32_t *)mnl_attr_get_payload(a);
}

uint64_t mnl_attr_get_u64(const struct nlattr *a)
{
	uint64_t v;

	memcpy(&v, mnl_attr_get_payload(a), sizeof(v));
	return v;
}

const char *mnl_attr_get_str(const struct nlattr *a)
{
	return mnl_attr_get_payload(a);
}

bool mnl_attr_ok(const struct nlattr *a, int len)
{
	return len >= (int)sizeof(*a) && a->nla_len >= sizeof(*a) && (int)a->nla_len <= len;
}

struct nlattr *mnl_attr_next(const struct nlattr *a)
{
	return (struct nlattr *)((char *)a + MNL_ALIGN(a->nla_len));
}

int mnl_attr_parse(const struct nlmsghdr *n, unsigned offset, mnl_attr_cb_t each, void *data)
{
	const struct nlattr *a;
	int rc = MNL_CB_OK;

	mnl_attr_for_each(a, n, offset)
	{
		rc = each(a, data);
		if (rc <= MNL_CB_STOP)
			break;
	}
	return rc;
}

int mnl_attr_parse_nested(const struct nlattr *nest, mnl_attr_cb_t each, void *data)
{
	const struct nlattr *a;
	int rc = MNL_CB_OK;

	mnl_attr_for_each_nested(a, nest)
	{
		rc = each(a, data);
		if (rc <= MNL_CB_STOP)
			break;
	}
	return rc;
}

void mnl_attr_put(struct nlmsghdr *n, uint16_t type, size_t len, const void *data)
{
	struct nlattr *a = mnl_nlmsg_get_payload_tail(n);
	size_t room = MNL_ALIGN(len);

	a->nla_type = type;
	a->nla_len = (uint16_t)(MNL_ATTR_HDRLEN + len);
	memset((char *)mnl_attr_get_payload(a) + len, 0, room - len);
	if (len)
		memcpy(mnl_attr_get_payload(a), data, len);
	n->nlmsg_len += (uint32_t)(MNL_ATTR_HDRLEN + room);
}

void mnl_attr_put_u8(struct nlmsghdr *n, uint16_t type, uint8_t v)
{
	mnl_attr_put(n, type, sizeof(v), &v);
}

void mnl_attr_put_u16(struct nlmsghdr *n, uint16_t type, uint16_t v)
{
	mnl_attr_put(n, type, sizeof(v), &v);
}

void mnl_attr_put_u32(struct nlmsghdr *n, uint16_t type, uint32_t v)
{
	mnl_attr_put(n, type, sizeof(v), &v);
}

void mnl_attr_put_u64(struct nlmsghdr *n, uint16_t type, uint64_t v)
{
	mnl_attr_put(n, type, sizeof(v), &v);
}

void mnl_attr_put_str(struct nlmsghdr *n, uint16_t type, const char *v)
{
	mnl_attr_put(n, type, strlen(v), v);
}

void mnl_attr_put_strz(struct nlmsghdr *n, uint16_t type, const char *v)
{
	mnl_attr_put(n, type, strlen(v) + 1, v);
}

struct nlattr *mnl_attr_nest_start(struct nlmsghdr *n, uint16_t type)
{
	struct nlattr *a = mnl_nlmsg_get_payload_tail(n);

	a->nla_type = NLA_F_NESTED | type;
	n->nlmsg_len += MNL_ALIGN(sizeof(*a));
	return a;
}

void mnl_attr_nest_end(struct nlmsghdr *n, struct nlattr *a)
{
	a->nla_len = (uint16_t)((char *)mnl_nlmsg_get_payload_tail(n) - (char *)a);
}

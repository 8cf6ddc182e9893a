/* SPDX-License-Identifier: BSD-2-Clause */
/* Does the kernel do ESP? An association that it takes in a namespace of our own tells. */
#include "cli/xfrm_kernel.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/types.h"

enum { KEY = 20, PATIENCE_S = 5 };

struct request {
	struct nlmsghdr n;
	struct xfrm_usersa_info sa;
	struct nlattr attr;
	union {
		struct xfrm_algo_aead aead;
		struct xfrm_algo enc;
		u8 room[sizeof(struct xfrm_algo_aead) + KEY]; /* the key ends an algorithm */
	};
};

static void fill(struct request *r, bool aead)
{
	u32 key = aead ? KEY : 16;
	size_t len = aead ? sizeof(r->aead) : sizeof(r->enc);

	*r = (struct request){
		.n.nlmsg_type = XFRM_MSG_NEWSA,
		.n.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		.sa.family = AF_INET,
		.sa.mode = XFRM_MODE_TUNNEL,
		.sa.id.proto = IPPROTO_ESP,
		.sa.id.spi = htonl(0x1001),
	};
	r->sa.saddr.a4 = r->sa.id.daddr.a4 = htonl(INADDR_LOOPBACK);
	if (aead) {
		strcpy(r->aead.alg_name, "rfc4106(gcm(aes))");
		r->aead.alg_key_len = key * 8;
		r->aead.alg_icv_len = 128;
	} else {
		strcpy(r->enc.alg_name, "cbc(aes)");
		r->enc.alg_key_len = key * 8;
	}
	r->attr.nla_type = aead ? XFRMA_ALG_AEAD : XFRMA_ALG_CRYPT;
	r->attr.nla_len = (u16)(NLA_HDRLEN + len + key);
	r->n.nlmsg_len = (u32)((u8 *)&r->attr - (u8 *)r) + NLMSG_ALIGN(r->attr.nla_len);
}

/* The kernel's answer: 0 or a negative errno. */
static int ask(int fd, bool aead)
{
	struct {
		struct nlmsghdr n;
		struct nlmsgerr e;
		u8 rest[512];
	} answer;
	struct request r;

	fill(&r, aead);
	if (send(fd, &r, r.n.nlmsg_len, 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < (ssize_t)NLMSG_LENGTH(sizeof(answer.e)))
		return -errno;
	return answer.n.nlmsg_type == NLMSG_ERROR ? answer.e.error : -EPROTO;
}

static bool try_it(void)
{
	struct timeval patience = {.tv_sec = PATIENCE_S};
	int fd;

	if (unshare(CLONE_NEWNET))
		return false;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);
	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return !ask(fd, true) || !ask(fd, false);
}

bool xfrm_kernel_has_esp(void)
{
	const char *said = getenv("TUNL_XFRM");
	int status = 1;
	pid_t pid;

	if (said)
		return !strcmp(said, "kernel");
	pid = fork();
	if (pid == 0)
		_exit(try_it() ? 0 : 1);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

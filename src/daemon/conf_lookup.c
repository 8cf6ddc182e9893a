/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of remotes, looked up again and again. What a name server says is read by a
 * process of its own (resolver.c), which holds nothing, runs in the tunnel's namespace
 * and is ended when it takes too long. A name that cannot be looked up, or that means
 * nothing usable, leaves the tunnel as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/conf_impl.h"
#include "daemon/resolver.h"
#include "lib/addr.h"
#include "lib/log.h"
#include "lib/num.h"
#include "wire/ip4.h"

enum {
	JOBS = 8,	     /* at once */
	PATIENCE_MS = 10000, /* with one of them */
	FOLLOW_S = 30,	     /* between lookups; TUNL_LOOKUP_SECONDS */
	AGAIN_MS = 2000,     /* after the first failure; doubled each time, up to the above */
	ANSWER = 2048,
};

struct lookup_job {
	struct confd *k;       /* NULL: nobody waits for it any more */
	struct conf_entry *en; /* likewise */
	uv_process_t process;
	uv_timer_t patience;
	int fd; /* what it says; read when it has ended */
	bool late;
	u8 handles;
};

static u64 follow_ms(void)
{
	const char *text = getenv("TUNL_LOOKUP_SECONDS");
	u32 s = FOLLOW_S;

	if (text && (!num_dec(text, 86400, &s) || !s))
		s = FOLLOW_S;
	return (u64)s * 1000;
}

static void job_closed(uv_handle_t *h)
{
	struct lookup_job *job = h->data;

	if (--job->handles)
		return;
	close(job->fd);
	free(job);
}

/* Not what an outer packet can be sent to. */
static bool is_usable(be32 a)
{
	u32 net = be32_host(a) >> 24;

	return net != 0 && net != 127 && net < 224;
}

/* The addresses in text: the one that is used already, else the first that is usable. */
static bool choose(const struct conf_entry *en, char *text, be32 *addr, u32 *unusable)
{
	char *line;

	*addr = be32_of(0);
	while ((line = strsep(&text, "\n"))) {
		be32 a;

		if (!*line || !addr4_parse(line, &a))
			continue;
		if (!is_usable(a)) {
			++*unusable;
			continue;
		}
		if (be32_is_zero(*addr) || be32_eq(a, en->remote))
			*addr = a;
	}
	return !be32_is_zero(*addr);
}

static void set_name_why(struct conf_entry *en, const char *why)
{
	const char *host = en->want->host;
	char text[CONF_HOST + 200], addr[ADDR4_TEXT];

	if (!be32_is_zero(en->remote))
		snprintf(text, sizeof(text), "%s: %s; %s stays in use", host, why,
			 addr4_print(en->remote, addr));
	else
		snprintf(text, sizeof(text), "%s: %s", host, why);
	if (!en->name_why || strcmp(en->name_why, text))
		log_error("configuration: %s", text);
	free(en->name_why);
	en->name_why = strdup(text);
}

static void not_found(struct confd *k, struct conf_entry *en, const char *why)
{
	u64 wait = (u64)AGAIN_MS << min_of(en->look_tries, 10U);

	set_name_why(en, why);
	en->look_tries++;
	en->look_ms = uv_now(&k->daemon->loop) + min_of(wait, follow_ms());
}

static void found(struct confd *k, struct conf_entry *en, be32 addr)
{
	char was[ADDR4_TEXT], is[ADDR4_TEXT];

	if (en->name_why)
		log_info("configuration: %s is found again", en->want->host);
	free(en->name_why);
	en->name_why = NULL;
	en->look_tries = 0;
	en->look_ms = uv_now(&k->daemon->loop) + follow_ms();
	if (be32_eq(addr, en->remote))
		return;
	if (!be32_is_zero(en->remote))
		log_info("configuration: %s is %s now, no longer %s", en->want->host,
			 addr4_print(addr, is), addr4_print(en->remote, was));
	en->remote = addr;
	conf_queue(k, en);
}

/* "FAILED reason", or addresses. */
static void take_answer(struct lookup_job *job, char *text)
{
	struct conf_entry *en = job->en;
	u32 unusable = 0;
	be32 addr;

	if (job->late)
		not_found(job->k, en, "the name server does not answer");
	else if (!strncmp(text, RESOLVER_FAILED, strlen(RESOLVER_FAILED)))
		not_found(job->k, en, text + strlen(RESOLVER_FAILED));
	else if (choose(en, text, &addr, &unusable))
		found(job->k, en, addr);
	else
		not_found(job->k, en,
			  unusable ? "its address is none that packets can be sent to"
				   : "the name server tells no IPv4 address");
}

static void on_resolver_end(uv_process_t *process, int64_t status, int signum)
{
	struct lookup_job *job = process->data;
	char text[ANSWER];
	ssize_t n = read(job->fd, text, sizeof(text) - 1);

	(void)status;
	(void)signum;
	text[n > 0 ? n : 0] = '\0';
	if (job->en) {
		job->en->job = NULL;
		take_answer(job, text);
	}
	if (job->k) {
		job->k->njobs--;
		conf_look_soon(job->k);
	}
	uv_close((uv_handle_t *)&job->process, job_closed);
	uv_close((uv_handle_t *)&job->patience, job_closed);
}

static void on_patience(uv_timer_t *timer)
{
	struct lookup_job *job = timer->data;

	job->late = true;
	uv_process_kill(&job->process, SIGKILL);
}

static int spawn(struct lookup_job *job, const struct conf_tunnel *w, int ns_fd, int out)
{
	static char name[] = "tunld", arg[] = "--resolve";
	char netns[CONF_NETNS];
	char *args[] = {name, arg, w->host, netns, NULL};
	uv_stdio_container_t io[RESOLVER_NS + 1] = {
		{.flags = UV_IGNORE},
		{UV_INHERIT_FD, {.fd = out}},
		{.flags = UV_IGNORE},
		{UV_INHERIT_FD, {.fd = ns_fd}},
	};
	const uv_process_options_t o = {
		.exit_cb = on_resolver_end,
		.file = "/proc/self/exe",
		.args = args,
		.stdio = io,
		.stdio_count = (int)countof(io),
	};

	memcpy(netns, w->netns, sizeof(netns));
	return uv_spawn(&job->k->daemon->loop, &job->process, &o);
}

static struct lookup_job *job_new(struct confd *k, struct conf_entry *en, int fd)
{
	struct lookup_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	*job = (struct lookup_job){.k = k, .en = en, .fd = fd, .handles = 2};
	job->process.data = job->patience.data = job;
	uv_timer_init(&k->daemon->loop, &job->patience);
	return job;
}

/* A resolver for en, in ns. 0 or -errno. */
static int start_job(struct confd *k, struct conf_entry *en, struct ns *ns)
{
	struct lookup_job *job;
	int pipe[2], err;

	if (pipe2(pipe, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	job = job_new(k, en, pipe[0]);
	if (!job) {
		close(pipe[0]);
		close(pipe[1]);
		return -ENOMEM;
	}
	err = spawn(job, en->want, ns->fd, pipe[1]);
	close(pipe[1]);
	if (err) {
		uv_close((uv_handle_t *)&job->process, job_closed);
		uv_close((uv_handle_t *)&job->patience, job_closed);
		return err;
	}
	uv_timer_start(&job->patience, on_patience, PATIENCE_MS, 0);
	en->job = job;
	k->njobs++;
	return 0;
}

static void look_up(struct confd *k, struct conf_entry *en)
{
	struct err e = {0};
	struct ns *ns;
	int err = conf_enter(k, en->want->netns, &ns, &e);

	if (!err) {
		err = start_job(k, en, ns);
		conf_leave(ns);
	}
	if (err)
		not_found(k, en, e.text[0] ? e.text : strerror(-err));
}

static void on_look(uv_timer_t *timer)
{
	struct confd *k = timer->data;
	u64 now = uv_now(timer->loop), next = 0;

	list_for_each (n, &k->order) {
		struct conf_entry *en = list_entry(n, struct conf_entry, order);

		if (!en->want || !en->want->host || en->job)
			continue;
		if (k->njobs == JOBS)
			return; /* one that ends comes here again */
		if (en->look_ms <= now)
			look_up(k, en);
		if (!en->job && (!next || en->look_ms < next))
			next = en->look_ms;
	}
	if (next)
		uv_timer_start(&k->look, on_look, next > now ? next - now : 1, 0);
}

void conf_look_start(struct confd *k)
{
	uv_timer_init(&k->daemon->loop, &k->look);
	k->look.data = k;
}

void conf_look_soon(struct confd *k)
{
	if (!k->ending)
		uv_timer_start(&k->look, on_look, 1, 0);
}

void conf_look_forget(struct confd *k, struct conf_entry *en)
{
	(void)k;
	if (!en->job)
		return;
	uv_process_kill(&en->job->process, SIGKILL);
	en->job->en = NULL;
	if (k->ending)
		en->job->k = NULL;
	en->job = NULL;
}

void conf_look_end(struct confd *k)
{
	list_for_each (n, &k->order)
		conf_look_forget(k, list_entry(n, struct conf_entry, order));
}

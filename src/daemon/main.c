/* SPDX-License-Identifier: BSD-2-Clause */
/* tunld's parent from its first line to its last. */
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/adopt.h"
#include "daemon/conf.h"
#include "daemon/control.h"
#include "daemon/engproc.h"
#include "daemon/keepalive.h"
#include "daemon/neigh.h"
#include "daemon/netns.h"
#include "daemon/numbers.h"
#include "daemon/priv.h"
#include "daemon/process.h"
#include "daemon/pulse.h"
#include "daemon/scan.h"
#include "daemon/shared.h"
#include "daemon/state.h"
#include "daemon/tunnel.h"
#include "daemon/xfrm.h"
#include "ipsec/secret.h"
#include "lib/log.h"

struct options {
	bool foreground, help, version;
};

static const char usage[] = "Usage: tunld [--foreground] [--version]\n"
			    "Keeps the tunnels that tunl makes. TUNL_RUNDIR: its folder "
			    "(/run/tunl). TUNL_CONFDIR: of its configuration (/etc/tunl).\n";

static bool read_options(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--foreground") || !strcmp(argv[i], "-f"))
			o->foreground = true;
		else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			o->help = true;
		else if (!strcmp(argv[i], "--version") || !strcmp(argv[i], "-V"))
			o->version = true;
		else
			return false;
	}
	return true;
}

/*
 * What stands in the folder is believed: sockets, state, counters. So it has to be
 * of somebody who may, and nobody else may put something there (not even where the
 * sticky bit keeps them from taking away what is there).
 */
static int check_rundir(const char *dir, struct err *e)
{
	struct stat st;

	if (stat(dir, &st))
		return err_set(e, errno, "%s cannot be looked at: %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ENOTDIR, "%s is no folder", dir);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_set(e, EPERM,
			       "the folder %s is user %u's: it must be root's or tunld's own", dir,
			       (unsigned)st.st_uid);
	if (st.st_mode & S_IWOTH)
		return err_set(e, EPERM,
			       "everybody can write to the folder %s: take that away "
			       "(chmod o-w %s)",
			       dir, dir);
	return 0;
}

static int make_rundir(struct daemon *d, struct err *e)
{
	const char *env = getenv("TUNL_RUNDIR"), *dir = env && *env ? env : "/run/tunl";
	size_t len = strlen(dir);

	if (dir[0] != '/' || len >= sizeof(d->rundir))
		return err_set(e, EINVAL,
			       "TUNL_RUNDIR must be an absolute path of less than %zu "
			       "bytes",
			       sizeof(d->rundir));
	memcpy(d->rundir, dir, len + 1);
	if (mkdir(dir, 0755) && errno != EEXIST)
		return err_set(e, errno, "%s cannot be made: %s", dir, strerror(errno));
	return check_rundir(dir, e);
}

/* systemd says where standard error goes; a file is for those without it. */
static void open_log(const struct daemon *d, const struct options *o)
{
	char path[PATH_LEN];

	if (o->foreground || getenv("JOURNAL_STREAM")) {
		log_to_stderr(getenv("JOURNAL_STREAM") != NULL);
		return;
	}
	snprintf(path, sizeof(path), "%s/log", d->rundir);
	if (log_to_file(path))
		log_to_stderr(0);
}

static void on_signal(uv_signal_t *sig, int signum)
{
	(void)signum;
	uv_stop(sig->loop);
}

static void catch_signals(struct daemon *d)
{
	signal(SIGPIPE, SIG_IGN);
	uv_signal_init(&d->loop, &d->term);
	uv_signal_init(&d->loop, &d->intr);
	uv_signal_start(&d->term, on_signal, SIGTERM);
	uv_signal_start(&d->intr, on_signal, SIGINT);
}

static int open_files(struct daemon *d, struct err *e)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/counters", d->rundir);
	return shared_open(&d->shared, path, e);
}

/* From a process like any other to a daemon that can be talked to. */
static int come_up(struct daemon *d, int listen_fd, struct err *e)
{
	int err = open_files(d, e);

	if (err)
		return err;
	err = priv_drop();
	if (err)
		return err_set(e, -err, "capabilities cannot be dropped: %s", strerror(-err));
	catch_signals(d);
	neigh_beat_start(d);
	err = scan_init(d);
	if (err)
		return err_set(e, -err, "mounts cannot be followed: %s", strerror(-err));
	err = engproc_start(d, e);
	if (!err)
		err = adopt_all(d, e);
	if (!err && conf_start(d))
		err = err_set(e, ENOMEM, "out of memory for the configuration");
	if (err)
		return err;
	xfrm_load(d);
	err = control_start(d, listen_fd);
	return err ? err_set(e, -err, "the control socket: %s", strerror(-err)) : 0;
}

/* Tunnels and what the bpf datapath needs stay; only our memory goes. */
static void come_down(struct daemon *d)
{
	control_end(d);
	pulse_end(d);
	keepalive_end(d);
	conf_end(d);
	engproc_end(d);
	tunnel_abandon_all(d);
	netns_abandon_all(d);
	scan_fini(d);
	uv_close((uv_handle_t *)&d->term, NULL);
	uv_close((uv_handle_t *)&d->intr, NULL);
	uv_close((uv_handle_t *)&d->beat, NULL);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	uv_loop_close(&d->loop);
	htab_fini(&d->by_slot);
	state_close(d->state);
	numbers_close(d);
	shared_close(d->shared);
}

static int serve(struct daemon *d, const struct options *o, struct starter *st, struct err *e)
{
	int lock = process_lock(d->rundir), listen_fd, err;

	if (lock == -EWOULDBLOCK) {
		log_info("another tunld serves %s already", d->rundir);
		return 0;
	}
	if (lock < 0)
		return err_set(e, -lock, "%s/lock: %s", d->rundir, strerror(-lock));
	/* a socket holds the namespace that it is made in: first away from there */
	conf_note_home(d);
	priv_isolate(d->rundir);
	/* no child has this memory, hence not before the last fork; unlocked it is wiped all the
	 * same */
	secret_init();
	json_set_alloc_funcs(secret_alloc, secret_free); /* answers may hold keys */
	listen_fd = process_listen(d->rundir, e);
	if (listen_fd < 0)
		return listen_fd;
	err = come_up(d, listen_fd, e);
	if (err)
		return err;
	log_info("tunld " TUNL_VERSION " is up");
	process_ready(st);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	come_down(d);
	log_info("tunld ends%s", d->restart ? " and starts anew" : "");
	if (d->restart) {
		static char name[] = "tunld", arg[] = "--foreground";
		char *argv[] = {name, o->foreground ? arg : NULL, NULL};

		process_again(argv, lock, listen_fd);
		return err_set(e, ENOEXEC, "the new tunld cannot be started");
	}
	return 0;
}

static void daemon_init(struct daemon *d)
{
	list_init(&d->namespaces);
	list_init(&d->tunnels);
	uv_loop_init(&d->loop);
}

int daemon_main(int argc, char **argv)
{
	struct options o = {0};
	struct daemon d = {0};
	struct err e = {0};
	struct starter st = {-1, -1};
	int err;

	if (!read_options(&o, argc, argv) || o.help) {
		fputs(usage, o.help ? stdout : stderr);
		return o.help ? 0 : 2;
	}
	if (o.version) {
		puts("tunld " TUNL_VERSION);
		return 0;
	}
	process_remember_path();
	daemon_init(&d);
	err = make_rundir(&d, &e);
	if (err)
		fprintf(stderr, "tunld: %s\n", e.text);
	if (!err && !o.foreground && !process_is_successor()) {
		err = process_background(&st);
		if (err)
			err_set(&e, -err, "cannot go into the background: %s", strerror(-err));
	}
	if (!err) {
		open_log(&d, &o);
		err = serve(&d, &o, &st, &e);
	}
	if (err) {
		log_error("tunld: %s", e.text);
		process_complain(&st, e.text);
	}
	return err ? 1 : 0;
}

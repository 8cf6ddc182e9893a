/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the `ip` personality share: the call as it was read, and
 * the way to the real ip. A call borrows main's argv and lives as long as it.
 */
#ifndef TUNL_CLI_IP_CALL_H
#define TUNL_CLI_IP_CALL_H

#include <sys/types.h>

#include "cli/cli.h"
#include "lib/types.h"

enum ip_color { IP_COLOR_NEVER, IP_COLOR_AUTO, IP_COLOR_ALWAYS };

struct ip_call {
	int argc;
	char **argv;	/* as main was given them */
	int object;	/* index of the first word that is no global option */
	struct cli cli; /* the options that `ip tunnel` looks at */
	bool ipv4;	/* address family unspecified or inet: tunnels are ours */
	bool brief;
	enum ip_color color;
	const char *netns; /* -n NETNS */
};

/* --- ip_opts.c */

/*
 * Read the global options of argv (spec cli 1.1) into call. False: something
 * the real ip shall answer (usage, version, an error).
 */
bool ip_opts_read(int argc, char **argv, struct ip_call *call);

/*
 * The global options again, for a real ip that runs a part of this call: those
 * of argv without -batch FILE and -n NETNS, NULL-terminated; with room for
 * `more` further words. The array is the caller's to free(). *n: words in it.
 */
char **ip_opts_copy(const struct ip_call *call, int more, int *n);

/* --- ip_real.c */

/*
 * Become the real ip, with everything as it is. Returns only where there is
 * none: the exit status, after saying so.
 */
int ip_real_exec(char **argv);

/* Descriptors for a child, -1: as ours. */
struct ip_fds {
	int in, out, err;
};

/* Start the real ip as a child; its pid, or -errno after saying why not. */
pid_t ip_real_spawn(char **argv, const struct ip_fds *fds);

/* Wait for a child; its exit status as a shell would tell it. */
int ip_real_wait(pid_t pid);

/* Enter /run/netns/NAME. False after saying why not: exit status 255. */
bool ip_netns_enter(const char *name);

/*
 * Enter the namespace that `netns WORD` of `ip link add` means: a name, a path
 * or a process. False after saying why not: exit status 255.
 */
bool ip_netns_of_word(const char *word);

/* --- ip_main.c: who serves it */

enum ip_who { IP_REAL, IP_OURS };

/*
 * Whether the command `words` (object first, no global options) is ours.
 * Looks at words only: no file, socket or device is touched.
 */
enum ip_who ip_who(const struct ip_call *call, int argc, char **words);

/* Serve a command that is ours, in the current namespace. Exit status. */
int ip_serve(const struct ip_call *call, int argc, char **words);

/* --- ip_link.c: `ip link VERB ...`; words begin with the verb */

enum ip_who ip_link_who(int argc, char **words);
int ip_link_serve(const struct ip_call *call, int argc, char **words);

/* --- ip_detail.c: `ip -d link|addr show`, object first */

bool ip_detail_is(const struct ip_call *call, int argc, char **words);
int ip_detail_serve(const struct ip_call *call, int argc, char **words);

/* --- ip_batch.c: `ip -batch FILE` */

int ip_batch(const struct ip_call *call);

#endif

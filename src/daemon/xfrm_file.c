/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of associations and policies, RUNDIR/xfrm, root's alone (0600): it
 * holds keys. It is written whole, beside itself, and renamed:
 *
 *	tunl-xfrm 1 BOOT-ID
 *	state SLOT DEV:INODE:COOKIE CONFIG...
 *	policy DEV:INODE:COOKIE CONFIG...
 *
 * States stand oldest first. A file of another boot says nothing about this one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/netns.h"
#include "daemon/scan.h"
#include "daemon/shared.h"
#include "daemon/xfrm.h"
#include "ipsec/secret.h"
#include "lib/log.h"

enum { HEAD = 128, LINE = XFRM_LINE + 160, FILE_MAX_BYTES = 16 << 20 };

static void head_line(char head[static HEAD])
{
	char boot[64] = "unknown\n";
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (f) {
		if (!fgets(boot, sizeof(boot), f))
			boot[0] = '\n';
		fclose(f);
	}
	snprintf(head, HEAD, "tunl-xfrm 1 %s", boot);
}

static int put(int fd, const char *text, size_t len)
{
	return write(fd, text, len) == (ssize_t)len ? 0 : errno ? -errno : -ENOSPC;
}

static void add_ns(struct text *t, const struct ns *ns)
{
	text_add(t, "%llx:%llu:%llu ", (u64)ns->id.dev, (u64)ns->id.ino, (u64)ns->id.cookie);
}

/* The lines of one namespace, through line, which is wiped by the caller. */
static int put_ns(int fd, struct ns *ns, char *line)
{
	struct xfrm_db *db = &ns->xfrm->db;
	struct text t;
	int err = 0;

	list_for_each (n, &db->sas) {
		const struct sa *sa = list_entry(n, struct sa, node);

		text_init(&t, line, LINE);
		text_add(&t, "state %u ", sa->slot);
		add_ns(&t, ns);
		sa_print(&sa->cfg, false, &t);
		text_add(&t, "\n");
		err = err ? err : put(fd, t.buf, t.len);
	}
	for (u32 dir = 0; dir < POLICY_DIRS; dir++)
		list_for_each (n, &db->policies[dir]) {
			text_init(&t, line, LINE);
			text_add(&t, "policy ");
			add_ns(&t, ns);
			policy_print(&list_entry(n, struct policy, node)->cfg, &t);
			text_add(&t, "\n");
			err = err ? err : put(fd, t.buf, t.len);
		}
	return err;
}

static int put_all(int fd, struct daemon *d)
{
	char head[HEAD], *line = secret_alloc(LINE);
	int err = line ? 0 : -ENOMEM;

	head_line(head);
	if (!err)
		err = put(fd, head, strlen(head));
	list_for_each (n, &d->namespaces) {
		struct ns *ns = list_entry(n, struct ns, node);

		if (!err && ns->xfrm)
			err = put_ns(fd, ns, line);
	}
	secret_free(line);
	return err;
}

int xfrm_save(struct daemon *d)
{
	char path[PATH_LEN], tmp[PATH_LEN + 4];
	int fd, err;

	snprintf(path, sizeof(path), "%s/xfrm", d->rundir);
	snprintf(tmp, sizeof(tmp), "%s.new", path);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	err = put_all(fd, d);
	close(fd);
	if (!err && rename(tmp, path))
		err = -errno;
	if (err)
		unlink(tmp);
	return err;
}

/* The file's text, NUL-terminated, in memory for keys; NULL: there is none. */
static char *read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *text = NULL;
	struct stat st;
	ssize_t n = 0;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size < FILE_MAX_BYTES)
		text = secret_alloc((size_t)st.st_size + 1);
	if (text)
		n = read(fd, text, (size_t)st.st_size);
	close(fd);
	if (text)
		text[max_of(n, 0)] = '\0';
	return text;
}

/* A state is taken over with what its slot remembers; without that it would repeat itself. */
static int load_sa(struct nsx *x, u32 slot, char *config)
{
	struct shared *sh = x->ns->daemon->shared;
	struct sa_live *live;
	struct sa_cfg cfg;
	int err = sa_line(config, &cfg, NULL);

	if (!err)
		err = shared_sa_take_again(sh, slot, &live);
	if (!err && !live->add_time) {
		shared_sa_give(sh, slot);
		err = -ENODATA;
	}
	if (!err && !db_sa_add(&x->db, &cfg, live, slot))
		err = -ENOMEM;
	secret_wipe(&cfg, sizeof(cfg));
	return err;
}

static int load_policy(struct nsx *x, char *config)
{
	struct policy_cfg cfg;
	int err = policy_line(config, &cfg, NULL);

	if (err)
		return err;
	x->next_index = max_of(x->next_index, (cfg.index & ~7U) + 8);
	return db_policy_add(&x->db, &cfg, x->next_policy++) ? 0 : -ENOMEM;
}

/* What a walk over the namespaces of the system looks for. */
struct search {
	struct daemon *d;
	struct ns_identity id;
	struct ns *found;
};

static void look_at(int fd, void *arg)
{
	struct search *s = arg;
	struct ns_identity id;
	struct err e;

	if (s->found || netns_identify(fd, &id) || !netns_is(&id, &s->id))
		return;
	if (netns_take(s->d, fd, &s->found, &e))
		s->found = NULL;
}

static struct ns *find_ns(struct daemon *d, const struct ns_identity *id)
{
	struct search s = {d, *id, netns_find(d, id)};

	if (!s.found)
		scan_each_ns(look_at, &s);
	if (!s.found)
		scan_each_held_ns(look_at, &s);
	return s.found;
}

static int load_line(struct daemon *d, char *line)
{
	u64 dev, ino, cookie;
	struct ns_identity id;
	bool is_sa = !strncmp(line, "state ", 6);
	struct nsx *x;
	struct ns *ns;
	u32 slot = 0;
	int end = 0, err;

	if (is_sa)
		sscanf(line, "state %u %llx:%llu:%llu %n", &slot, &dev, &ino, &cookie, &end);
	else
		sscanf(line, "policy %llx:%llu:%llu %n", &dev, &ino, &cookie, &end);
	if (!end || slot >= ENGINE_SAS)
		return -EINVAL;
	id = (struct ns_identity){(dev_t)dev, (ino_t)ino, cookie};
	ns = find_ns(d, &id);
	if (!ns)
		return -ENOENT;
	err = xfrm_of(ns, &x);
	if (err)
		return err;
	return is_sa ? load_sa(x, slot, line + end) : load_policy(x, line + end);
}

void xfrm_load(struct daemon *d)
{
	char path[PATH_LEN], head[HEAD], *text, *line, *rest;
	u32 n = 0, lost = 0;

	snprintf(path, sizeof(path), "%s/xfrm", d->rundir);
	text = read_file(path);
	if (!text)
		return;
	head_line(head);
	rest = text;
	line = strsep(&rest, "\n");
	head[strcspn(head, "\n")] = '\0';
	if (line && !strcmp(line, head) && !xfrm_is_kernels(d))
		while ((line = strsep(&rest, "\n")) && rest) {
			n++;
			lost += load_line(d, line) != 0;
		}
	secret_free(text);
	if (n)
		log_info("xfrm: %u of %u associations and policies taken over", n - lost, n);
	if (lost && xfrm_save(d))
		log_error("xfrm: the file of associations cannot be written");
}

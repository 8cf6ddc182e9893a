/* SPDX-License-Identifier: BSD-2-Clause */
/*
 *	tunl-state 1 BOOT-ID
 *	tunnel SLOT ORDER HOME PLACE IFINDEX IFNAME CONFIG...
 *	routers SLOT {default|nodefault ADDR}...	(behind its tunnel's line)
 *	gone SLOT
 *
 * HOME and PLACE are DEV:INODE:COOKIE. Neither a device name nor the grammar has
 * a newline in it, and a device name has no blank.
 */
#include "daemon/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/log.h"
#include "lib/text.h"
#include "model/grammar.h"

enum { HISTORY_MIN = 64 }; /* lines of history that are no reason to write anew */

/* One entry a tunnel: its line as text, so that writing anew needs no one else. */
struct entry {
	struct hnode node; /* by slot */
	u64 order;
	char text[];
};

struct state {
	int fd;
	char path[PATH_LEN];
	char head[128];
	struct htab entries;
	size_t lines; /* in the file, history included */
};

static size_t print_id(const struct ns_identity *id, char *buf, size_t size)
{
	return (size_t)snprintf(buf, size, "%llx:%llu:%llu", (u64)id->dev, (u64)id->ino,
				(u64)id->cookie);
}

static void print_routers(struct text *t, const struct state_line *l)
{
	char addr[ADDR4_TEXT];

	if (!l->routers.n)
		return;
	text_add(t, "routers %u", l->slot);
	for (u32 i = 0; i < l->routers.n; i++)
		text_add(t, " %s %s", l->routers.entry[i].is_default ? "default" : "nodefault",
			 addr4_print(l->routers.entry[i].addr, addr));
	text_add(t, "\n");
}

size_t state_print(const struct state_line *l, char buf[static STATE_LINE])
{
	char home[80], place[80], cfg[GRAMMAR_LINE];
	struct text t;

	print_id(&l->home, home, sizeof(home));
	print_id(&l->place, place, sizeof(place));
	grammar_print(&l->cfg, cfg, sizeof(cfg));
	text_init(&t, buf, STATE_LINE);
	text_add(&t, "tunnel %u %llu %s %s %u %s %s\n", l->slot, (u64)l->order, home, place,
		 l->ifindex, l->ifname, cfg);
	print_routers(&t, l);
	return t.len;
}

static int read_id(const char *text, struct ns_identity *id)
{
	u64 dev, ino, cookie;
	int end = 0;

	if (sscanf(text, "%llx:%llu:%llu%n", &dev, &ino, &cookie, &end) != 3 || text[end])
		return -EINVAL;
	*id = (struct ns_identity){(dev_t)dev, (ino_t)ino, cookie};
	return 0;
}

static int read_tunnel(const char *text, struct state_line *l)
{
	char home[80], place[80];
	u64 order;
	int end = 0;

	if (sscanf(text, "tunnel %u %llu %79s %79s %u %15s %n", &l->slot, &order, home, place,
		   &l->ifindex, l->ifname, &end) != 6 ||
	    !end)
		return -EINVAL;
	l->order = order;
	if (l->slot >= ENGINE_SLOTS || !l->ifindex)
		return -EINVAL;
	if (read_id(home, &l->home) || read_id(place, &l->place))
		return -EINVAL;
	if (grammar_line(text + end, &l->cfg, NULL) || !l->cfg.mode)
		return -EINVAL;
	return 0;
}

/* The newest stands first, and is to be added last. */
static int read_routers(char *text, struct state_line *l)
{
	char *word[2 * PRL_MAX + 2];
	int n = text_split(text, word, (int)countof(word));
	be32 addr;

	if (n < 4 || n % 2)
		return -EINVAL;
	for (; n > 2; n -= 2)
		if (!addr4_parse(word[n - 1], &addr) ||
		    prl_add(&l->routers, addr, !strcmp(word[n - 2], "default")))
			return -EINVAL;
	return 0;
}

int state_read(const char *text, struct state_line *l)
{
	char copy[STATE_LINE], *second;
	int err;

	*l = (struct state_line){0};
	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, text);
	second = strchr(copy, '\n');
	if (second)
		*second++ = '\0';
	err = read_tunnel(copy, l);
	return err || !second ? err : read_routers(second, l);
}

static void entry_drop(struct state *s, u32 slot)
{
	struct hnode *n = htab_find(&s->entries, slot);

	if (!n)
		return;
	htab_del(&s->entries, n);
	free(container_of(n, struct entry, node));
}

static int entry_set(struct state *s, u32 slot, u64 order, const char *text)
{
	size_t len = strlen(text) + 1;
	struct entry *en = malloc(sizeof(*en) + len);

	if (!en)
		return -ENOMEM;
	en->order = order;
	memcpy(en->text, text, len);
	entry_drop(s, slot);
	return htab_add(&s->entries, &en->node, slot);
}

static int by_order(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;

	return x->order < y->order ? -1 : x->order > y->order;
}

/* All entries by order of creation; the caller frees the array. NULL: no memory. */
static struct entry **sorted(struct state *s)
{
	struct entry **all = calloc(s->entries.count + 1, sizeof(struct entry *));
	size_t i = 0;

	if (!all)
		return NULL;
	htab_for_each (n, &s->entries)
		all[i++] = container_of(n, struct entry, node);
	qsort(all, i, sizeof(struct entry *), by_order);
	return all;
}

/* Write head and entries to a new file. 0 or -errno. */
static int write_all(struct state *s, int fd)
{
	struct entry **all = sorted(s);
	FILE *f = all ? fdopen(dup(fd), "w") : NULL;
	bool bad = !f;

	if (f) {
		fputs(s->head, f);
		for (size_t i = 0; i < s->entries.count; i++)
			fputs(all[i]->text, f);
		bad = ferror(f);
		bad |= fclose(f) != 0;
	}
	free(all);
	return bad ? (errno ? -errno : -EIO) : 0;
}

static int write_anew(struct state *s)
{
	char tmp[PATH_LEN + 4];
	int fd, err;

	snprintf(tmp, sizeof(tmp), "%s.new", s->path);
	fd = open(tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	err = write_all(s, fd);
	if (!err && rename(tmp, s->path))
		err = -errno;
	if (err) {
		unlink(tmp);
		close(fd);
		return err;
	}
	if (s->fd >= 0)
		close(s->fd);
	s->fd = fd;
	s->lines = s->entries.count;
	return 0;
}

/* The text that the slot has then, with its last newline; false: it has no tunnel. */
static bool text_with(struct state *s, u32 slot, const char *line, char full[static STATE_LINE])
{
	struct hnode *n = htab_find(&s->entries, slot);
	const char *had = n ? container_of(n, struct entry, node)->text : "";
	int len = (int)strcspn(had, "\n");

	return snprintf(full, STATE_LINE, "%.*s\n%s\n", len, had, line) < STATE_LINE && n;
}

static void take_line(struct state *s, const char *line)
{
	struct state_line l;
	char text[STATE_LINE], full[STATE_LINE + 1];
	u32 slot;

	if (sscanf(line, "gone %u", &slot) == 1) {
		entry_drop(s, slot);
		return;
	}
	snprintf(text, sizeof(text), "%s", line);
	if (sscanf(line, "routers %u", &slot) == 1 && text_with(s, slot, line, text))
		text[strlen(text) - 1] = '\0';
	if (state_read(text, &l)) {
		log_error("state file: a line says nothing that is known here: \"%.100s\"", line);
		return;
	}
	snprintf(full, sizeof(full), "%s\n", text);
	if (entry_set(s, l.slot, l.order, full))
		log_error("state file: out of memory");
}

/*
 * What path holds of this boot: the lines after its head, be there what may
 * before it. A last line without newline was never finished.
 */
static void load(struct state *s)
{
	FILE *f = fopen(s->path, "re");
	bool ours = false, any = false;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (!f)
		return;
	while ((n = getline(&line, &size, f)) > 0 && line[n - 1] == '\n') {
		bool head = !strcmp(line, s->head);

		any = true;
		line[n - 1] = '\0';
		if (ours && !head)
			take_line(s, line);
		ours |= head;
	}
	if (any && !ours)
		log_info("state file: of another boot or version; begun anew");
	free(line);
	fclose(f);
}

static void make_head(struct state *s)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	char boot[64] = "unknown\n";

	if (f) {
		if (!fgets(boot, sizeof(boot), f))
			boot[0] = '\n';
		fclose(f);
	}
	snprintf(s->head, sizeof(s->head), "tunl-state 1 %s", boot);
}

static int tell(struct state *s, state_line_fn *fn, void *arg)
{
	size_t n = s->entries.count;
	struct entry **all = sorted(s);
	struct state_line l;
	char text[STATE_LINE];

	if (!all)
		return -ENOMEM;
	/* fn may take entries out and put them in: each text is looked at before it is called */
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(all[i]->text);

		memcpy(text, all[i]->text, len);
		text[len - 1] = '\0';
		if (state_read(text, &l) == 0)
			fn(&l, arg);
	}
	free(all);
	return 0;
}

int state_open(struct state **out, const char *path, state_line_fn *fn, void *arg, struct err *e)
{
	struct state *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return err_set(e, ENOMEM, "out of memory");
	s->fd = -1;
	snprintf(s->path, sizeof(s->path), "%s", path);
	make_head(s);
	load(s);
	err = write_anew(s);
	if (err) {
		state_close(s);
		return err_set(e, -err, "%s cannot be written: %s", path, strerror(-err));
	}
	*out = s;
	err = tell(s, fn, arg);
	return err ? err_set(e, -err, "%s", strerror(-err)) : 0;
}

void state_close(struct state *s)
{
	if (!s)
		return;
	htab_for_each (n, &s->entries)
		free(container_of(n, struct entry, node));
	htab_fini(&s->entries);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

/* Append text whole or not at all. */
static int append(struct state *s, const char *text, size_t len)
{
	off_t end = lseek(s->fd, 0, SEEK_END);
	ssize_t n = end < 0 ? -1 : write(s->fd, text, len);
	int err;

	if (n == (ssize_t)len) {
		s->lines++;
		return 0;
	}
	err = n < 0 ? -errno : -ENOSPC;
	if (end >= 0 && ftruncate(s->fd, end))
		log_error("state file: a torn line stays: %s", strerror(errno));
	return err;
}

static void tidy(struct state *s)
{
	if (s->lines > 2 * s->entries.count + HISTORY_MIN && write_anew(s))
		log_error("state file: cannot be written anew: %s", strerror(errno));
}

int state_put(struct state *s, const struct state_line *l)
{
	char text[STATE_LINE];
	size_t len = state_print(l, text);
	int err = append(s, text, len);

	if (err)
		return err;
	err = entry_set(s, l->slot, l->order, text);
	tidy(s);
	return err;
}

void state_forget(struct state *s, u32 slot)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "gone %u\n", slot);

	if (!htab_find(&s->entries, slot))
		return;
	entry_drop(s, slot);
	/* a line of a tunnel that is no more is found out at the next start */
	if (append(s, text, (size_t)len))
		log_info("state file: full; the end of a tunnel is not in it");
	tidy(s);
}

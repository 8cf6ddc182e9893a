/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin of qemu's that tells which instructions the machine spends on a thing:
 *
 *	-plugin insns.so,out=FILE
 *
 * Between two calls of a marker (tests/bench/load.c: a return at a fixed address)
 * every block of code that runs is counted. At the second, FILE.N has a line for each:
 * address, instructions in it, times it ran. tests/bench/parts.py adds up by function.
 *
 * The interface of qemu 6.0 and later is declared here: Debian has no header of it.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marker.h"

typedef uint64_t plugin_id; /* as the interface has it */
struct qemu_plugin_tb;

int qemu_plugin_version = 1;

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
					   void (*fn)(plugin_id id, struct qemu_plugin_tb *tb));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  void (*fn)(unsigned int vcpu, void *arg), int flags,
					  void *arg);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *p,
					      uint64_t n);

/* A translated block. They are never freed: the same code may be translated again. */
struct block {
	struct block *next;
	uint64_t addr, insns, runs, before;
};

static struct {
	struct block *all;
	char out[4000];
	bool counting;
	unsigned int windows;
} plugin;

static void report(void)
{
	char path[sizeof(plugin.out) + 16];
	FILE *f;

	snprintf(path, sizeof(path), "%s.%u", plugin.out, plugin.windows++);
	f = fopen(path, "w");
	if (!f)
		return;
	for (struct block *b = plugin.all; b; b = b->next)
		if (b->runs != b->before)
			fprintf(f, "%" PRIx64 " %" PRIu64 " %" PRIu64 "\n", b->addr, b->insns,
				b->runs - b->before);
	fclose(f);
}

static void on_marker(unsigned int vcpu, void *arg)
{
	(void)vcpu;
	(void)arg;
	if (plugin.counting)
		report();
	for (struct block *b = plugin.all; b; b = b->next)
		b->before = b->runs;
	plugin.counting = !plugin.counting;
}

static void on_translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	uint64_t addr = qemu_plugin_tb_vaddr(tb);
	struct block *b;

	(void)id;
	if (addr == MARKER_ADDRESS) {
		qemu_plugin_register_vcpu_tb_exec_cb(tb, on_marker, 0, NULL);
		return;
	}
	b = calloc(1, sizeof(*b));
	if (!b)
		return;
	b->addr = addr;
	b->insns = qemu_plugin_tb_n_insns(tb);
	b->next = plugin.all;
	plugin.all = b;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, 0, &b->runs, 1);
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			snprintf(plugin.out, sizeof(plugin.out), "%s", argv[i] + 4);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What the verbs of a lab file share: namespaces, devices, steps, words. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lab/lab_file_impl.h"

int file_no_memory(struct file_reader *r)
{
	return err_set(r->e, ENOMEM, "out of memory");
}

struct lab_step *file_step(struct file_reader *r, const struct file_line *l, enum lab_act act)
{
	struct lab_topo *t = r->t;
	struct lab_step *s;

	if (t->n_steps == LAB_STEPS) {
		file_wrong(r, l, 0, "more than %d steps", LAB_STEPS);
		return NULL;
	}
	s = &t->steps[t->n_steps++];
	*s = (struct lab_step){.act = act, .line = l->number, .net = -1};
	return s;
}

int file_net(struct file_reader *r, const struct file_line *l, int i, size_t len)
{
	int net = lab_topo_net(r->t, l->w[i].s, len);

	if (net < 0)
		file_wrong(r, l, i, "there is no namespace \"%.*s\" (`net` makes one)", (int)len,
			   l->w[i].s);
	return net;
}

const char *file_role(const struct file_reader *r, int net)
{
	return r->t->nets[net].role;
}

int file_place(struct file_reader *r, const struct file_line *l, int i, struct file_place *p)
{
	const char *colon = i < l->n ? strchr(l->w[i].s, ':') : NULL;
	size_t n;

	if (!colon)
		return file_wrong(r, l, i, "a device is named NET:DEV");
	p->net = file_net(r, l, i, (size_t)(colon - l->w[i].s));
	if (p->net < 0)
		return -EINVAL;
	p->dev = colon + 1;
	n = strlen(p->dev);
	if (!n || n > 15 || strpbrk(p->dev, "/:{}") || !strcmp(p->dev, ".") ||
	    !strcmp(p->dev, ".."))
		return file_wrong(r, l, i, "\"%.40s\" is no device's name", p->dev);
	return 0;
}

int file_dev(const struct lab_topo *t, const struct file_place *p)
{
	for (int i = 0; i < t->n_devs; i++)
		if (t->devs[i].net == p->net && !strcmp(t->devs[i].name, p->dev))
			return i;
	return -1;
}

/* Words from i on, one blank between them. */
const char *file_join(struct file_reader *r, const struct file_line *l, int i)
{
	char buf[LAB_TEXT] = "";
	size_t n = 0;

	for (; i < l->n && n < sizeof(buf); i++)
		n += (size_t)snprintf(buf + n, sizeof(buf) - n, "%s%s", n ? " " : "", l->w[i].s);
	if (n < sizeof(buf) - 80)
		return file_keep(r->t, "%s", buf);
	file_wrong(r, l, 0, "the line is too long");
	return NULL;
}

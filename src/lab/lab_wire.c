/* SPDX-License-Identifier: BSD-2-Clause */
#include "lab/lab_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lab/dissect.h"
#include "lab/explain.h"

/* IP headers that are part of the packet itself, not quoted by an ICMP error. */
static unsigned ip_layers(const struct dissection *d)
{
	unsigned n = 0;

	for (u16 i = 0; i < d->n_layers; i++)
		n += d->layers[i].kind == LAYER_IP && !d->layers[i].quoted;
	return n;
}

const struct layer *lab_wire_echo(const struct dissection *d)
{
	for (u16 i = 0; i < d->n_layers; i++) {
		const struct layer *l = &d->layers[i];

		if (!l->quoted && !strncmp(l->name, "ICMP", 4) && dissect_field(d, l, "sequence"))
			return l;
	}
	return NULL;
}

char *lab_wire_layers(const struct dissection *d, char *buf, size_t len)
{
	size_t n = 0;

	*buf = '\0';
	for (u16 i = 0; i < d->n_layers && n < len; i++) {
		if (d->layers[i].kind == LAYER_LINK)
			continue;
		n += (size_t)snprintf(buf + n, len - n, "%s%s%s", n ? "/" : "",
				      d->layers[i].quoted ? "quoted " : "", d->layers[i].name);
	}
	return buf;
}

static void note_sum(struct lab_wire *w, const struct size_sum *s, const char *text, bool tunnel)
{
	u32 *total = tunnel ? &w->wrapped : &w->plain;

	if (!*total)
		*total = s->total;
	if (tunnel && !w->sum[0])
		snprintf(w->sum, sizeof(w->sum), "%s", text);
	json_array_append_new(w->sums,
			      json_pack("{s:s, s:i}", "text", text, "total", (int)s->total));
}

static int explain_one(struct lab_wire *w, struct lab_ui *ui, const struct frame *f, bool tunnel,
		       struct err *e)
{
	struct dissection *d = w->d;
	struct size_sum s;
	char text[160];
	int err = dissect_frame(d, f, NULL);

	if (ui) {
		explain_text(ui->out, f, d, ui->colour);
		fputc('\n', ui->out);
	}
	json_array_append_new(w->packets, explain_json_data(f, d));
	if (err < 0 || !size_sum(&s, d))
		return err_set(e, EBADMSG, "packet %u is malformed", (unsigned)f->number);
	note_sum(w, &s, size_sum_text(&s, text, sizeof(text)), tunnel);
	if (tunnel && lab_wire_echo(d) && ip_layers(d) < 2)
		return err_set(e, EBADMSG,
			       "packet %u did not go through the tunnel: it has no inner IP header",
			       (unsigned)f->number);
	return 0;
}

int lab_wire_init(struct lab_wire *w, struct err *e)
{
	*w = (struct lab_wire){
		.packets = json_array(), .sums = json_array(), .d = malloc(sizeof(*w->d))};
	return w->d ? 0 : err_set(e, ENOMEM, "out of memory");
}

int lab_wire_explain(struct lab_wire *w, struct lab_ui *ui, const struct lab_capture *c,
		     const struct lab_wire_part *part, struct err *e)
{
	u32 left = part->end - part->first;
	int err = 0;

	for (u32 i = part->first; !err && i < part->end; i++) {
		bool told = i - part->first < part->shown;

		left -= told;
		err = explain_one(w, told ? ui : NULL, &c->frame[i], part->tunnel, e);
	}
	if (!err && left && part->tunnel)
		lab_ui_say(ui, "  (%u more packets of this ping are not shown here)\n", left);
	return err;
}

void lab_wire_fini(struct lab_wire *w)
{
	free(w->d);
	json_decref(w->packets);
	json_decref(w->sums);
}

void lab_wire_compare(const struct lab_wire *w, struct lab_ui *ui, const struct lab_topo *t)
{
	lab_ui_say(
		ui,
		"The same ping is %u bytes long without the tunnel and %u within it: %u more, %s.",
		w->plain, w->wrapped, w->wrapped - w->plain, t->overhead);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "lab/lab_wire.h"

#include <errno.h>
#include <stdlib.h>

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

	/* without the tunnel the request says it all */
	if (tunnel || f->number == 1) {
		explain_text(ui->out, f, d, ui->colour);
		fputc('\n', ui->out);
	}
	json_array_append_new(w->packets, explain_json(f, d));
	if (err < 0 || !size_sum(&s, d))
		return err_set(e, EBADMSG, "packet %u is malformed", (unsigned)f->number);
	note_sum(w, &s, size_sum_text(&s, text, sizeof(text)), tunnel);
	if (tunnel && ip_layers(d) < 2)
		return err_set(e, EBADMSG,
			       "packet %u did not go through the tunnel: it has no inner IP header",
			       (unsigned)f->number);
	return 0;
}

int lab_wire_explain(struct lab_wire *w, struct lab_ui *ui, const struct lab_capture *c, u32 first,
		     struct err *e)
{
	int err = 0;

	*w = (struct lab_wire){
		.packets = json_array(), .sums = json_array(), .d = malloc(sizeof(*w->d))};
	if (!w->d)
		return err_set(e, ENOMEM, "out of memory");
	if (c->n > 0)
		lab_ui_say(ui, "Without the tunnel, the request:\n");
	for (u32 i = 0; !err && i < c->n; i++) {
		if (i == first)
			lab_ui_say(ui, "Through the tunnel, the request and the reply:\n");
		err = explain_one(w, ui, &c->frame[i], i >= first, e);
	}
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

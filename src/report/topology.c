/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/topology.h"

#include <string.h>

#include "report/report_impl.h"

enum { GAP = 76, PAD = 14, HEAD = 34, CHIP_GAP = 10, LANE = 40, WIRE_LANE = 18, MARGIN = 10 };

const char *tunnel_word(const char *words, const char *key, char *buf, size_t len)
{
	size_t n = strlen(key);

	*buf = '\0';
	for (const char *s = words; n && *s; s += strcspn(s, " "), s += strspn(s, " ")) {
		if (strncmp(s, key, n) != 0 || s[n] != ' ')
			continue;
		s += n + 1;
		snprintf(buf, len, "%.*s", (int)strcspn(s, " "), s);
		break;
	}
	return buf;
}

static double text_width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return (double)n * PLACE_LETTER;
}

static double chip_width(const struct place_dev *d)
{
	double w = text_width(doc_text(d->json, "name"));
	size_t i;
	json_t *a;

	json_array_foreach(json_object_get(d->json, "addresses"), i, a)
	{
		double other = text_width(json_string_value(a));

		w = other > w ? other : w;
	}
	return w + 20;
}

static bool is_tunnel(const struct place_dev *d)
{
	return json_is_string(json_object_get(d->json, "tunnel"));
}

/* Place one box and what hangs in it. */
static void place_net(struct places *p, int n, double x)
{
	struct place_net *net = &p->nets[n];
	double y = p->top + HEAD;

	*net = (struct place_net){.x = x,
				  .y = p->top,
				  .w = text_width(net->name) + 60,
				  .name = net->name,
				  .forwards = net->forwards};
	for (int i = 0; i < p->n_devs; i++)
		if (p->devs[i].net == n && chip_width(&p->devs[i]) + 2 * PAD > net->w)
			net->w = chip_width(&p->devs[i]) + 2 * PAD;
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < p->n_devs; i++) {
			struct place_dev *d = &p->devs[i];

			if (d->net != n || is_tunnel(d) != (pass == 1))
				continue;
			d->x = x + PAD;
			d->y = y;
			d->w = net->w - 2 * PAD;
			d->h = PLACE_LINE * (1 + (double)json_array_size(
							 json_object_get(d->json, "addresses"))) +
			       8;
			y += d->h + CHIP_GAP;
		}
	}
	net->h = y - p->top - CHIP_GAP + PAD;
}

static bool is_far(const struct places *p, const struct place_dev *d)
{
	int apart = d->peer < 0 ? 0 : p->devs[d->peer].net - d->net;

	return apart > 1 || apart < -1;
}

static const char *words(const struct place_dev *d)
{
	return doc_text(d->json, "tunnel");
}

/* Whether tunnel a names b as its remote: 1 it does, 0 it names none, -1 another. */
static int names(const struct place_dev *a, const struct place_dev *b)
{
	char remote[64], local[64];

	tunnel_word(words(a), "remote", remote, sizeof(remote));
	tunnel_word(words(b), "local", local, sizeof(local));
	if (!remote[0] || !strcmp(remote, "any"))
		return 0;
	return !strcmp(remote, local) ? 1 : -1;
}

/* Of one mode, and where the packets bear the key, of one key or none. */
static bool same_kind(const struct place_dev *a, const struct place_dev *b)
{
	char x[24], y[24];

	tunnel_word(words(a), "mode", x, sizeof(x));
	tunnel_word(words(b), "mode", y, sizeof(y));
	if (strcmp(x, y) != 0 || strcmp(x, "gre") != 0)
		return !strcmp(x, y);
	tunnel_word(words(a), "key", x, sizeof(x));
	tunnel_word(words(b), "key", y, sizeof(y));
	return !strcmp(x, y);
}

static void label_tube(struct place_tube *t, const struct place_dev *a)
{
	char mode[24], key[24];

	tunnel_word(words(a), "mode", mode, sizeof(mode));
	tunnel_word(words(a), strcmp(mode, "gre") ? "" : "key", key, sizeof(key));
	snprintf(t->label, sizeof(t->label), "%s%s%s", mode, key[0] ? ", key " : "", key);
}

/* Where there is room, the outer addresses, too. */
static void lengthen_label(const struct places *p, struct place_tube *t)
{
	char left[48], right[48], longer[160];

	tunnel_word(words(&p->devs[t->from]), "local", left, sizeof(left));
	tunnel_word(words(&p->devs[t->to]), "local", right, sizeof(right));
	snprintf(longer, sizeof(longer), "%s \u00b7 %s \u00b7 %s", left, t->label, right);
	if (left[0] && right[0] && strlen(longer) < sizeof(t->label) &&
	    text_width(longer) < t->x2 - t->x1 - 20)
		strcpy(t->label, longer);
}

/* A tube between every two tunnels that name each other, or where one names and one takes all. */
static void find_tubes(struct places *p)
{
	for (int a = 0; a < p->n_devs; a++) {
		for (int b = a + 1; b < p->n_devs && p->n_tubes < PLACE_TUBES; b++) {
			struct place_dev *x = &p->devs[a], *y = &p->devs[b];
			int xy, yx;

			if (!is_tunnel(x) || !is_tunnel(y) || x->net == y->net || !same_kind(x, y))
				continue;
			xy = names(x, y);
			yx = names(y, x);
			if (xy + yx < 0 || (xy < 0 && yx <= 0) || (yx < 0 && xy <= 0))
				continue;
			p->tubes[p->n_tubes] = (struct place_tube){
				.from = x->net < y->net ? a : b,
				.to = x->net < y->net ? b : a,
				.half = xy < 0 || yx < 0,
			};
			label_tube(&p->tubes[p->n_tubes++], x);
			p->nets[x->net].tubes++;
			p->nets[y->net].tubes++;
		}
	}
}

/* The places under their devices at which tubes begin, side by side in a box, and free lanes. */
static void place_tubes(struct places *p)
{
	int begun[PLACE_NETS] = {0};
	double end[PLACE_TUBES];

	for (int i = 0; i < p->n_tubes; i++) {
		struct place_tube *t = &p->tubes[i];
		const struct place_dev *a = &p->devs[t->from], *b = &p->devs[t->to];
		int lane = 0, left;

		/* from the right here, from the left there: one lies within the other */
		left = p->nets[a->net].tubes - begun[a->net]++;
		t->x1 = a->x + a->w * left / (p->nets[a->net].tubes + 1);
		t->x2 = b->x + b->w * (++begun[b->net]) / (p->nets[b->net].tubes + 1);
		while (lane < p->n_lanes && end[lane] > t->x1 - 20)
			lane++;
		if (lane == p->n_lanes)
			p->n_lanes++;
		end[lane] = t->x2;
		t->lane = lane;
		lengthen_label(p, t);
	}
}

static void read_topology(struct places *p, const json_t *topology)
{
	size_t i;
	json_t *o;

	json_array_foreach(json_object_get(topology, "nets"), i, o)
	{
		if (p->n_nets == PLACE_NETS)
			break;
		p->nets[p->n_nets++] = (struct place_net){.name = doc_text(o, "name"),
							  .forwards = doc_bool(o, "forwards")};
	}
	json_array_foreach(json_object_get(topology, "devices"), i, o)
	{
		s64 net = doc_int(o, "net"), peer = doc_int(o, "peer");

		if (p->n_devs == PLACE_DEVS || net < 0 || net >= p->n_nets)
			break;
		p->devs[p->n_devs++] =
			(struct place_dev){.net = (int)net,
					   .peer = peer >= 0 && peer < PLACE_DEVS ? (int)peer : -1,
					   .json = o};
	}
	for (int d = 0; d < p->n_devs; d++)
		if (p->devs[d].peer >= p->n_devs)
			p->devs[d].peer = -1;
}

void topology_place(struct places *p, const json_t *topology)
{
	double x = MARGIN;

	memset(p, 0, sizeof(*p));
	read_topology(p, topology);
	for (int i = 0; i < p->n_devs; i++)
		p->n_wires_above += is_far(p, &p->devs[i]) && p->devs[i].peer > i;
	p->top = MARGIN + p->n_wires_above * WIRE_LANE;
	for (int n = 0; n < p->n_nets; n++) {
		place_net(p, n, x);
		x += p->nets[n].w + GAP;
		if (p->nets[n].y + p->nets[n].h > p->bottom)
			p->bottom = p->nets[n].y + p->nets[n].h;
	}
	p->width = x - GAP + MARGIN;
	find_tubes(p);
	place_tubes(p);
	p->height = p->bottom + MARGIN + (p->n_lanes ? p->n_lanes * LANE + 10 : 0);
}

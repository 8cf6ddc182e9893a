/* SPDX-License-Identifier: BSD-2-Clause */
/* The command `tunl explain`: its command line, and the walk over a capture. */
#include "lab/explain.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "lab/pcapfile.h"
#include "report/report.h"

/* A page of more could not be read, nor loaded: the rest is counted. */
enum { PAGE_PACKETS = 300 };

struct run {
	const char *name; /* of the file, for messages */
	const char *page; /* write HTML there, "-": to stdout; NULL: text or JSON */
	json_t *packets;  /* of the page */
	u64 more;	  /* packets that are not in it */
	bool json;
	bool first; /* no packet has been printed */
	int status;
	struct explain_opts opts;
	struct dissect_ports ports;
	struct dissection d;
};

static const char usage_text[] =
	"Usage: tunl explain FILE|- [ -j | --html[=PAGE] ] [ --gue PORT ]... [ --fou PORT[:PROTO] "
	"]...\n"
	"\n"
	"Says what the packets of a capture (pcap or pcapng) are made of: every layer with\n"
	"its offset and size, checksums checked, and the sum of the sizes.\n"
	"\n"
	"  -, FILE             read standard input, or FILE\n"
	"  -j, --json          print a JSON array, everything in it\n"
	"  --html[=PAGE]       write a page of HTML, to standard output or the file PAGE\n"
	"  --gue PORT          UDP packets to PORT carry GUE (default: 6080)\n"
	"  --fou PORT[:PROTO]  UDP packets to PORT carry IP protocol PROTO (default: 4 or 41,\n"
	"                      whichever the first bits show)\n";

/* A decimal number from 1 (least) to max that ends at `end`; 0 if it is none. */
static u32 number(const char *text, char end, u32 max)
{
	char *rest;
	unsigned long v;

	if (*text < '0' || *text > '9')
		return 0;
	errno = 0;
	v = strtoul(text, &rest, 10);
	return errno || *rest != end || v > max ? 0 : (u32)v;
}

static int add_gue(struct dissect_ports *p, const char *arg)
{
	u32 port = number(arg, 0, 65535);

	if (!port || p->n_gue == DISSECT_PORTS)
		return -EINVAL;
	p->gue[p->n_gue++] = (u16)port;
	return 0;
}

static int add_fou(struct dissect_ports *p, const char *arg)
{
	const char *colon = strchr(arg, ':');
	u32 port = number(arg, colon ? ':' : 0, 65535);
	u32 proto = colon ? number(colon + 1, 0, 255) : 0;

	if (!port || (colon && !proto) || p->n_fou == DISSECT_PORTS)
		return -EINVAL;
	p->fou[p->n_fou].port = (u16)port;
	p->fou[p->n_fou].ip_proto = (u8)proto;
	p->n_fou++;
	return 0;
}

static void print_json(struct run *r, const struct frame *f)
{
	json_t *o = explain_json(f, &r->d);

	fputs(r->first ? "" : ",\n", stdout);
	json_dumpf(o, stdout, JSON_INDENT(1));
	json_decref(o);
}

static void keep_for_page(struct run *r, const struct frame *f)
{
	if (json_array_size(r->packets) < PAGE_PACKETS)
		json_array_append_new(r->packets, explain_json_data(f, &r->d));
	else
		r->more++;
}

/* The name as JSON can have it: one that is no UTF-8 is not shown. */
static void write_page(struct run *r)
{
	const char *slash = strrchr(r->name, '/'), *name = slash ? slash + 1 : r->name;
	json_t *title = json_sprintf("Packets of %s", name);
	json_t *doc = json_pack("{s:o, s:O, s:I}", "title",
				title ? title : json_string("Packets of a capture"), "packets",
				r->packets, "more", (json_int_t)r->more);
	struct err e;

	if (report_write(r->page, doc, &e) < 0) {
		fprintf(stderr, "tunl: %s\n", e.text);
		r->status = 1;
	}
	json_decref(doc);
}

static void print_frame(struct run *r, const struct frame *f)
{
	const struct layer *l;

	dissect_frame(&r->d, f, &r->ports);
	if (r->page) {
		keep_for_page(r, f);
	} else if (r->json) {
		print_json(r, f);
	} else {
		fputs(r->first ? "" : "\n", stdout);
		explain_text(stdout, f, &r->d, r->opts.colour);
	}
	r->first = false;
	l = dissect_broken(&r->d);
	if (!l)
		return;
	fflush(stdout);
	fprintf(stderr, "tunl: %s: packet %llu: %s at offset %u: %s\n", r->name,
		(unsigned long long)f->number, l->name, l->offset, l->error);
	r->status = 1;
}

/* Every packet that can be read is printed, then what stopped the reading is said. */
static void print_packets(struct run *r, FILE *in)
{
	struct err e = {0};
	struct pcapfile *pf = pcapfile_open(in, &e);
	struct frame f;

	r->packets = json_array();
	fputs(r->json ? "[" : "", stdout);
	while (pf && pcapfile_next(pf, &f, &e) == 1)
		print_frame(r, &f);
	fputs(r->json ? "]\n" : "", stdout);
	if (r->page && (!e.code || json_array_size(r->packets)))
		write_page(r);
	json_decref(r->packets);
	pcapfile_free(pf);
	fflush(stdout);
	if (!e.code)
		return;
	fprintf(stderr, "tunl: %s: %s\n", r->name, e.text);
	r->status = 1;
}

static int run_file(struct run *r, const char *path)
{
	bool std = !strcmp(path, "-");
	FILE *in = std ? stdin : fopen(path, "rb");

	r->name = std ? "standard input" : path;
	if (!in) {
		fprintf(stderr, "tunl: %s: %s\n", path, strerror(errno));
		return 1;
	}
	print_packets(r, in);
	if (!std)
		fclose(in);
	if (ferror(stdout) && !r->page) {
		fprintf(stderr, "tunl: standard output cannot be written: %s\n", strerror(errno));
		return 1;
	}
	return r->status;
}

static int usage(FILE *out, int status)
{
	fputs(usage_text, out);
	return status;
}

static int bad_port(const char *option, const char *arg)
{
	fprintf(stderr, "tunl: --%s %s: not a port%s, or more than %d of them\n", option, arg,
		strcmp(option, "fou") ? "" : "[:protocol number]", DISSECT_PORTS);
	return 255;
}

/* -1 to go on, or the exit status. */
static int parse(struct run *r, int argc, char **argv)
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, 'j'},      {"gue", required_argument, NULL, 'g'},
		{"fou", required_argument, NULL, 'f'}, {"html", optional_argument, NULL, 'H'},
		{"help", no_argument, NULL, 'h'},      {0}};
	int c;

	optind = 0; /* getopt may have been used before: begin anew */
	while ((c = getopt_long(argc, argv, "jh", longs, NULL)) != -1) {
		if (c == 'j')
			r->json = true;
		else if (c == 'H')
			r->page = optarg ? optarg : "-";
		else if (c == 'h')
			return usage(stdout, 0);
		else if (c == 'g' && add_gue(&r->ports, optarg))
			return bad_port("gue", optarg);
		else if (c == 'f' && add_fou(&r->ports, optarg))
			return bad_port("fou", optarg);
		else if (c == '?')
			return usage(stderr, 255);
	}
	if (argc - optind == 1 && !(r->json && r->page))
		return -1;
	return usage(stderr, 255);
}

int explain_main(int argc, char **argv)
{
	struct run *r = calloc(1, sizeof(*r));
	int ret;

	if (!r) {
		fprintf(stderr, "tunl: no memory\n");
		return 1;
	}
	r->first = true;
	r->opts.colour = explain_wants_colour(stdout);
	ret = parse(r, argc, argv);
	if (!r->ports.n_gue)
		r->ports.gue[r->ports.n_gue++] = dissect_ports_default.gue[0];
	if (ret < 0)
		ret = run_file(r, argv[optind]);
	free(r);
	return ret;
}

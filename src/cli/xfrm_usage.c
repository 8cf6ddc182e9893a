/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "cli/xfrm.h"

static const char ids[] =
	"ID := [ src ADDR ] [ dst ADDR ] [ proto XFRM-PROTO ] [ spi SPI ]\n"
	"XFRM-PROTO := esp\n"
	"MODE := transport | tunnel | beet\n"
	"SELECTOR := [ src ADDR[/PLEN] ] [ dst ADDR[/PLEN] ] [ dev DEV ] [ UPSPEC ]\n"
	"UPSPEC := proto PROTO [ sport PORT ] [ dport PORT ] [ type NUMBER ] [ code NUMBER ]\n"
	"          [ key { DOTTED-QUAD | NUMBER } ]\n"
	"LIMIT := { time-soft | time-hard | time-use-soft | time-use-hard } SECONDS |\n"
	"         { byte-soft | byte-hard } SIZE | { packet-soft | packet-hard } COUNT\n";

static const char state[] =
	"Usage: tunl xfrm state { add | update } ID [ ALGO ]... [ mode MODE ]\n"
	"        [ mark MARK [ mask MASK ] ] [ reqid REQID ] [ seq SEQ ]\n"
	"        [ replay-window SIZE ] [ replay-seq SEQ ] [ replay-oseq SEQ ]\n"
	"        [ replay-seq-hi SEQ ] [ replay-oseq-hi SEQ ]\n"
	"        [ flag FLAG... ] [ extra-flag EXTRA-FLAG... ] [ sel SELECTOR ]\n"
	"        [ limit LIMIT ]... [ encap espinudp SPORT DPORT OADDR ]\n"
	"        [ output-mark MARK [ mask MASK ] ] [ if_id IF_ID ]\n"
	"       tunl xfrm state { delete | get } ID [ mark MARK [ mask MASK ] ]\n"
	"       tunl xfrm state { deleteall | list } [ keys | nokeys ] [ ID ] [ mode MODE ]\n"
	"        [ reqid REQID ] [ flag FLAG... ]\n"
	"       tunl xfrm state flush [ proto XFRM-PROTO ]\n"
	"       tunl xfrm state count\n"
	"ALGO := aead NAME KEY ICV-BITS | enc NAME KEY | auth NAME KEY |\n"
	"        auth-trunc NAME KEY ICV-BITS\n"
	"FLAG := noecn | decap-dscp | nopmtudisc | wildrecv | icmp | af-unspec | align4 | esn\n"
	"EXTRA-FLAG := dont-encap-dscp | oseq-may-wrap\n";

static const char policy[] =
	"Usage: tunl xfrm policy { add | update } SELECTOR dir DIR [ mark MARK [ mask MASK ] ]\n"
	"        [ index INDEX ] [ ptype PTYPE ] [ action ACTION ] [ priority PRIORITY ]\n"
	"        [ flag FLAG... ] [ if_id IF_ID ] [ limit LIMIT ]... [ tmpl TMPL ]...\n"
	"       tunl xfrm policy { delete | get } { SELECTOR | index INDEX } dir DIR\n"
	"        [ mark MARK [ mask MASK ] ] [ ptype PTYPE ]\n"
	"       tunl xfrm policy { deleteall | list } [ SELECTOR ] [ dir DIR ] [ index INDEX ]\n"
	"        [ ptype PTYPE ] [ action ACTION ] [ priority PRIORITY ]\n"
	"       tunl xfrm policy flush [ ptype PTYPE ]\n"
	"       tunl xfrm policy count\n"
	"TMPL := ID [ mode MODE ] [ reqid REQID ] [ level { required | use } ]\n"
	"DIR := in | out | fwd\n"
	"PTYPE := main | sub\n"
	"ACTION := allow | block\n"
	"FLAG := localok | icmp\n";

void xfrm_usage(const char *object)
{
	if (!object)
		fputs("Usage: tunl xfrm { state | policy } { COMMAND | help }\n"
		      "       tunl -s xfrm\n",
		      stderr);
	else
		fprintf(stderr, "%s%s", !strcmp(object, "state") ? state : policy, ids);
}

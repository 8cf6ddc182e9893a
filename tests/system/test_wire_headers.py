# SPDX-License-Identifier: BSD-2-Clause
"""The codecs of src/wire build alone, for the host and for BPF, and the verifier takes them."""

import ctypes
import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADERS = sorted(path.name for path in (ROOT / "src/wire").glob("*.h"))
WARN = ["-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers", "-Wno-unknown-pragmas", "-std=gnu17", "-O2"]

# One program that calls every parser on a packet of whatever content.
PROGRAM = """
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
%s
SEC("tc") int all(struct __sk_buff *skb)
{
	struct cur c = {(void *)(long)skb->data, (void *)(long)skb->data_end};
	const struct eth *e = cur_take(&c, sizeof(*e));
	struct ip4 *h = e ? (void *)cur_take(&c, IP4_HLEN) : 0;
	struct cur gue, exts = c;
	struct ip6_upper upper;
	struct gre_fields gre;
	struct gue_fields g;
	const struct icmp_hdr *icmp;
	const struct tcp *tcp;
	u8 ecn = 0;

	if (!h || ip4_hlen(h) < IP4_HLEN || !csum_ok(ip4_sum(h)))
		return TC_ACT_SHOT;
	if (!gre_parse(&c, &gre) || gre_is_refused(gre.flags))
		return TC_ACT_OK;
	gue = c;
	if (gue_parse(&gue, &g) == GUE_OK && ecn_decap(h->tos, g.proto, &ecn) == ECN_SET)
		ip4_set_ecn(h, ecn);
	if (ip6_walk(&exts, h->proto, &upper) != IP6_WALK_OK)
		return TC_ACT_OK;
	icmp = cur_take(&c, sizeof(*icmp));
	tcp = icmp ? cur_take(&c, sizeof(*tcp)) : 0;
	return tcp && icmp4_has_quote(icmp->type) && tcp_hlen(tcp) > upper.offset ? TC_ACT_SHOT : TC_ACT_OK;
}
char _license[] SEC("license") = "Dual BSD/GPL";
"""


def compile_text(compiler, text, out, *options):
    if not shutil.which(compiler):
        pytest.skip(f"needs {compiler}")
    done = subprocess.run([compiler, *WARN, *options, "-I", ROOT / "src", "-x", "c", "-c", "-o", out, "-"],
                          input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def bpf_options():
    arch = subprocess.run(["gcc", "-print-multiarch"], capture_output=True, text=True, check=True).stdout.strip()
    return ["-target", "bpf", "-mcpu=v3", "-g", f"-I/usr/include/{arch}", "-fno-stack-protector"]


@pytest.mark.unprivileged
@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("target", ["gcc", "clang", "bpf"])
def test_each_header_alone(tmp_path, header, target):
    compiler, options = ("clang", bpf_options()) if target == "bpf" else (target, ["-Wshadow", "-Wundef"])
    # twice: its guard holds
    compile_text(compiler, f'#include "wire/{header}"\n' * 2, tmp_path / "out.o", *options)


@pytest.mark.unprivileged
def test_beside_the_system_headers(tmp_path):
    """No name of ours is a macro, type or function of the C library's or the kernel's."""
    libc = ["netinet/in.h", "netinet/ip.h", "netinet/ip6.h", "netinet/ip_icmp.h", "netinet/icmp6.h",
            "netinet/tcp.h", "netinet/udp.h", "net/ethernet.h"]
    uapi = ["linux/ip.h", "linux/ipv6.h", "linux/icmp.h", "linux/icmpv6.h", "linux/tcp.h", "linux/udp.h",
            "linux/if_ether.h", "linux/if_tunnel.h", "linux/fou.h", "linux/virtio_net.h", "linux/bpf.h"]
    ours = [f"wire/{header}" for header in HEADERS]
    for order in (libc + ours, ours + libc, uapi + ours, ours + uapi):
        compile_text("gcc", "".join(f"#include <{name}>\n" for name in order), tmp_path / "out.o", "-D_GNU_SOURCE")


def built(tmp_path):
    text = PROGRAM % "".join(f'#include "wire/{header}"\n' for header in HEADERS)
    compile_text("clang", text, tmp_path / "all.bpf.o", *bpf_options())
    return tmp_path / "all.bpf.o"


@pytest.mark.unprivileged
def test_all_together_for_bpf(tmp_path):
    assert built(tmp_path).stat().st_size > 0


def test_the_verifier_accepts_them(tmp_path):
    lib = ctypes.CDLL("libbpf.so.1", use_errno=True)
    lib.bpf_object__open_file.restype = ctypes.c_void_p
    lib.bpf_object__open_file.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    lib.bpf_object__load.argtypes = [ctypes.c_void_p]
    lib.bpf_object__close.argtypes = [ctypes.c_void_p]
    obj = lib.bpf_object__open_file(os.fsencode(built(tmp_path)), None)
    assert obj
    try:
        done = lib.bpf_object__load(obj)
        if done == -1:  # EPERM
            pytest.skip("the kernel lets nobody load BPF programs here")
        assert done == 0, os.strerror(-done)
    finally:
        lib.bpf_object__close(obj)

# SPDX-License-Identifier: BSD-2-Clause
"""The page of a lab and of a capture, read in a browser: what is drawn is what was on the
wire, nothing is loaded, everything is legible, and what a packet or a name says stays text."""

import contextlib
import json
import os
import pathlib
import secrets

import pytest
from browser import PROGRAM, Browser
from net import run
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import GRE, Ether
from scapy.utils import wrpcap
from test_lab import left_nothing, namespaces
from tunnels import BUILD, Tunl

SUM = "64 (ICMP) + 20 (inner IP) + 20 (outer IP) = 104"
HOSTILE = ["<script>document.title='owned'</script>", "\"><img src=x onerror=\"document.title='owned'\">",
           "'><svg onload=alert(1)>", "</style></script><b id=evil>", "javascript:alert(1)", "&lt;&amp;&#x3c;",
           "{{7*7}}${7*7}<%= 7*7 %>", "\u202egnp.exe", "]]><!--", "\u0000\u0001"]

# luminance, contrast and the colours that lie behind a text (WCAG 2.2, 1.4.3 and 1.4.11)
CONTRAST = """(() => {
    const rgb = c => (c.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
    const lum = c => { const [r, g, b] = rgb(c).slice(0, 3).map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
                       return .2126 * r + .7152 * g + .0722 * b; };
    const clear = c => c === 'none' || c === 'transparent' || (rgb(c).length > 3 && rgb(c)[3] === 0);
    const behind = e => { for (; e; e = e.parentElement) {
        const s = getComputedStyle(e);
        if (e instanceof SVGElement && e.tagName === 'g') {
            const boxes = [...e.querySelectorAll(':scope > rect')];
            const fill = boxes.length && getComputedStyle(boxes[boxes.length - 1]).fill;
            if (fill && !clear(fill)) return fill;
        } else if (!(e instanceof SVGElement) && !clear(s.backgroundColor)) return s.backgroundColor;
    } return 'rgb(255, 255, 255)'; };
    const bad = [];
    let n = 0;
    for (const d of document.querySelectorAll('details')) d.open = true;
    for (const e of document.querySelectorAll('body *')) {
        const own = [...e.childNodes].some(c => c.nodeType === 3 && c.data.trim());
        if (!own || !e.getClientRects().length || ['SCRIPT', 'STYLE', 'title'].includes(e.tagName)) continue;
        const svg = e instanceof SVGElement, s = getComputedStyle(e);
        let back = behind(e);
        if (e.matches('text.mark')) back = getComputedStyle(e.previousElementSibling).fill;
        if (e.matches('.tubename')) back = getComputedStyle(document.querySelector('.tube .bore')).stroke;
        if (e.matches('.netname, .topo .note')) back = getComputedStyle(document.querySelector('.net')).fill;
        const a = lum(svg ? s.fill : s.color), b = lum(back), size = parseFloat(s.fontSize);
        const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
        const least = size >= 24 || (size >= 18.66 && s.fontWeight >= 700) ? 3 : 4.5;
        n++;
        if (ratio < least) bad.push([e.tagName, e.getAttribute('class'), e.textContent.slice(0, 30), +ratio.toFixed(2)]);
    }
    return {n, bad};
})()"""


@pytest.fixture(scope="module")
def browser():
    assert PROGRAM, "no chromium (Debian's package chromium)"
    b = Browser()
    yield b
    b.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of the first lab, made once."""
    tunl, path, lab = Tunl(), tmp_path_factory.mktemp("page") / "lab.html", "p" + secrets.token_hex(3)
    try:
        tunl(None, "lab", "report", "--datapath", "user", "-q", "--id", lab, "--pcap", str(path.with_suffix(".pcap")),
             str(path))
        left_nothing(tunl, lab)
        yield path
    finally:
        for ns in namespaces(lab):
            run("ip", "netns", "del", ns, check=False)
        tunl.close()


@pytest.fixture
def lab():
    name = "q" + secrets.token_hex(3)
    yield name
    for ns in namespaces(name):
        run("ip", "netns", "del", ns, check=False)


def look(browser, path, **how):
    browser.requests.clear()
    browser.complaints.clear()
    browser.view(**how)
    browser.open(path.as_uri())


def count(browser, selector):
    return browser.ask(f"document.querySelectorAll({json.dumps(selector)}).length")


def test_what_is_drawn(browser, page):
    look(browser, page)
    assert count(browser, "svg.topo .net") == 3 and count(browser, "svg.topo .dev") == 6
    assert count(browser, "svg.topo .dev.tun") == 2 and count(browser, "svg.topo .tube") == 1
    assert count(browser, "svg.topo .wire") == 2
    text = browser.ask("document.body.innerText")
    assert "10.10.100.1" in text and "10.10.20.1/24" in text and SUM in text
    assert browser.ask("document.querySelector('.equation').innerText.split(/\\s+/).join(' ')") == \
        "64 ICMP + 20 inner IP + 20 outer IP = 104 bytes"
    # the tube leads from one end to the other, below the boxes
    assert browser.ask("""(() => { const t = document.querySelector('.tube').getBoundingClientRect();
        return [...document.querySelectorAll('.dev.tun')].every(d => { const r = d.getBoundingClientRect();
            return r.left < t.right && r.right > t.left && r.bottom >= t.top && r.bottom < t.bottom; }); })()""")
    assert not browser.complaints and browser.requests == [page.as_uri()]


def test_layers_to_scale(browser, page):
    """Packet 3: Ethernet 14, IPv4 20, IPv4 20, ICMP 8, data 56, each within the one before."""
    look(browser, page)
    assert count(browser, ".pkt") == 4 and count(browser, ".pkt[open]") == 1
    rows = browser.ask("""[...document.querySelectorAll('#p3 .box')].map(b => {
        const w = r => +r.getAttribute('width'), x = r => +r.getAttribute('x');
        return [w(b.querySelector('.head')), x(b.querySelector('.frame')), w(b.querySelector('.frame'))]; })""")
    unit = 1000 / 118
    heads = [14, 20, 20, 8, 56]
    assert [round(w / unit) for w, _, _ in rows] == heads
    assert [round(x / unit) for _, x, _ in rows] == [0, 14, 34, 54, 62]
    assert [round(w / unit) for _, _, w in rows] == [118, 104, 84, 64, 56]
    assert browser.ask("document.querySelector('#p3 .sum').innerText") == SUM
    words = browser.ask("[...document.querySelectorAll('#p3 .lay summary')].map(s => s.innerText.replace(/\\s+/g, ' ').trim())")
    assert [w.split()[0] for w in words] == ["Ethernet", "IPv4", "IPv4", "ICMP", "data"]
    # the bytes: as many as there are, each of its layer
    per = browser.ask("""[0, 1, 2, 3, 4].map(i => [...document.querySelectorAll('#p3 .hex .h' + i)]
        .map(s => s.textContent.trim().split(' ').length).reduce((a, b) => a + b, 0))""")
    assert per == heads


def test_path_is_the_wire(browser, page):
    """The tunnel's request: whole at b's device, with the outer header on the wire, and without it at a's."""
    look(browser, page)
    hops = browser.ask("""[...document.querySelectorAll('.hops')][1].innerText""").split("\n")
    rows = browser.ask("""[...[...document.querySelectorAll('.hops')][1].children].map(li =>
        [li.querySelector('.where').innerText.replace(/\\s+/g, ' '), li.className,
         [...li.querySelectorAll('.stack > span')].map(s => s.innerText.replace(/\\s+/g, ' ')).join(' ')])""")
    inner, outer = "IPv4 20 ICMP 8 data 56", "IPv4 20 IPv4 20 ICMP 8 data 56"
    request = [row for row in rows if row[1] == "request"]
    assert [row[2] for row in request] == [inner, outer, outer, inner], hops
    assert request[1][0] == "b v2 \u2192 r v2_p" and request[2][0] == "r v1_p \u2192 a v1"
    assert [row[2] for row in rows if row[1] == "reply"] == [inner, outer, outer, inner]


def test_round_trips(browser, page):
    look(browser, page)
    assert count(browser, ".plot circle") == 20 and count(browser, ".plot g.through rect") == 20
    rows = browser.ask("[...document.querySelectorAll('#rtt tbody tr')].map(r => r.innerText.trim())")
    assert len(rows) == 2 and all(float(v) > 0 for row in rows for v in row.split()[-3:])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_legible(browser, page, scheme, width):
    """Contrast as WCAG AA asks; nothing wider than the window; light and dark differ."""
    look(browser, page, width=width, scheme=scheme)
    seen = browser.ask(CONTRAST)
    assert seen["n"] > 300 and not seen["bad"], seen["bad"]
    assert browser.ask("document.documentElement.scrollWidth") <= width
    back = browser.ask("getComputedStyle(document.body).backgroundColor")
    assert (back == "rgb(246, 247, 249)") == (scheme == "light")
    assert not browser.complaints


def test_theme_by_hand(browser, page):
    look(browser, page, scheme="dark")
    dark = browser.ask("getComputedStyle(document.body).backgroundColor")
    browser.ask("document.querySelector('nav button').click()")
    assert browser.ask("getComputedStyle(document.body).backgroundColor") != dark
    assert not browser.ask(CONTRAST)["bad"]


def test_keyboard(browser, page):
    """Everything is reached by Tab; a layer in focus marks its bytes; Enter opens it; a field its own bytes."""
    look(browser, page)
    hot = "getComputedStyle(document.querySelector('#p3 .hex .h2')).backgroundColor"
    before = browser.ask(hot)
    browser.ask("document.querySelectorAll('#p3 .lay > summary')[2].focus()")
    assert browser.ask(hot) == "rgb(255, 228, 92)" != before
    browser.key("Enter", 13)
    assert browser.ask("document.querySelectorAll('#p3 .lay')[2].open")
    browser.key("Tab", 9)
    field = browser.ask("document.activeElement.innerText.split('\\n')[0].trim()")
    assert browser.ask("document.activeElement.className") == "field", field
    on = browser.ask("[...document.querySelectorAll('#p3 .hex i.on')].map(i => i.textContent).join(' ')")
    at, n = browser.ask("[+document.activeElement.dataset.at, +document.activeElement.dataset.n]")
    data = bytes.fromhex(browser.ask("[...document.querySelectorAll('#p3 .hex i')].map(i => i.textContent).join('')"))
    assert bytes.fromhex(on) == data[at:at + n] and n > 0 and at >= 34
    browser.ask("document.querySelector('#p1 > summary').focus()")
    browser.key("ArrowDown", 40)
    assert browser.ask("document.activeElement.parentElement.id") == "p2"


def test_without_script(browser, page):
    """All of it is there, and layers mark their bytes."""
    browser.script(False)
    try:
        look(browser, page)
        assert not browser.ask("!!document.querySelector('nav button')")
        assert count(browser, ".pkt") == 4 and SUM in browser.ask("document.querySelector('#p3').innerText")
        browser.ask("document.querySelectorAll('#p3 .lay > summary')[1].focus()")
        assert browser.ask("getComputedStyle(document.querySelector('#p3 .hex .h1')).backgroundColor") == "rgb(255, 228, 92)"
    finally:
        browser.script(True)


def test_structure(browser, page):
    """What a screen reader goes by: one h1, no heading level skipped, names for all regions and drawings."""
    look(browser, page)
    levels = browser.ask("[...document.querySelectorAll('h1, h2, h3, h4')].map(h => +h.tagName[1])")
    assert levels[0] == 1 and levels.count(1) == 1 and all(b - a <= 1 for a, b in zip(levels, levels[1:]))
    assert browser.ask("document.documentElement.lang") == "en"
    assert browser.ask("[...document.querySelectorAll('svg, [role=region], nav, section')].every(e => "
                       "e.getAttribute('aria-label') || document.getElementById(e.getAttribute('aria-labelledby')))")
    ids = browser.ask("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    assert browser.ask("[...document.querySelectorAll('a[href^=\"#\"]')].every(a => document.querySelector(a.hash))")
    tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    unnamed = [n for n in tree if n.get("role", {}).get("value") in ("button", "link", "image", "region")
               and not n.get("ignored") and not n.get("name", {}).get("value")]
    assert not unnamed


def test_print(browser, page):
    """On paper: black on white whatever the screen is, no buttons, nothing cut off."""
    look(browser, page, scheme="dark", media="print", width=760)
    assert browser.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.ask("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert not browser.ask(CONTRAST)["bad"]
    assert browser.ask("document.documentElement.scrollWidth") <= 760
    assert len(browser.call("Page.printToPDF")["data"]) > 10000


@pytest.mark.parametrize("name", ["gre", "6rd", "nbma", "nested", "pmtu", "pods", "spoof", "isatap", "vti"])
def test_other_labs(browser, tunl, lab, tmp_path, name):
    """Their drawings: boxes do not overlap, no text leaves its box, every tunnel pair has a tube."""
    path = tmp_path / "x.html"
    tunl(None, "lab", "report", name, str(path), "-q", "--id", lab, "--pcap", str(tmp_path / "x.pcap"))
    left_nothing(tunl, lab)
    look(browser, path, width=1300)
    assert not browser.complaints and count(browser, ".pkt") >= 4
    tubes = {"gre": 2, "6rd": 1, "nbma": 2, "nested": 2, "pmtu": 1, "pods": 1, "spoof": 2, "isatap": 1, "vti": 1}
    assert count(browser, ".tube") == tubes[name] and count(browser, ".tube.half") == (name == "spoof")
    assert browser.ask("""(() => { const r = [...document.querySelectorAll('.topo .net')].map(n => n.getBoundingClientRect());
        return r.every((a, i) => r.every((b, k) => i === k || a.right <= b.left || b.right <= a.left)); })()""")
    assert browser.ask("""[...document.querySelectorAll('.dev')].every(d => { const b = d.querySelector('rect').getBoundingClientRect();
        return [...d.querySelectorAll('text')].every(t => { const r = t.getBoundingClientRect();
            return r.left >= b.left - 1 && r.right <= b.right + 1 && r.top >= b.top - 3 && r.bottom <= b.bottom + 3; }); })""")
    assert not browser.ask(CONTRAST)["bad"]


def hostile_page(tunl, tmp_path):
    """A capture whose packets say hostile things, and a file name that does."""
    packets = [Ether() / IP(src="10.0.0.1", dst="10.0.0.2") / GRE() / IP() / ICMP() / text.encode() for text in HOSTILE]
    packets += [Ether(bytes(secrets.token_bytes(n))) for n in range(14, 80)]
    pcap, out = tmp_path / "<img src=x onerror=alert(1)>.pcap", tmp_path / "out.html"
    wrpcap(str(pcap), packets)
    tunl(None, "explain", str(pcap), f"--html={out}", check=False)
    return out, len(packets)


def test_hostile_capture(browser, tunl, tmp_path):
    path, packets = hostile_page(tunl, tmp_path)
    look(browser, path)
    assert browser.ask("document.title").startswith("Packets of <img src=x onerror=alert(1)>.pcap")
    assert count(browser, "script") == 1 and count(browser, "img") == 0 and count(browser, ".pkt") == packets
    assert count(browser, "[onerror], [onload], #evil") == 0
    assert not browser.complaints and browser.requests == [path.as_uri()]


def test_hostile_names(browser, tunl, lab, tmp_path):
    """Devices, titles and outputs of a lab that a stranger wrote."""
    names = ["<b>x</b>"[:15].replace("/", "|"), "a&amp;'\"<i>", "{{7*7}}"[:0] + "$(id)`x`"]
    text = "title " + HOSTILE[0] + "\nabout " + HOSTILE[1] + "\nnet a\nnet b\n"
    text += "".join(f"link a:{n} 10.{i}.0.1/24  b:{n} 10.{i}.0.2/24\n" for i, n in enumerate(names))
    text += "section " + HOSTILE[3] + "\ntunnel a:t<script> mode ipip remote 10.0.0.2 local 10.0.0.1\n"
    text += "addr a:t<script> 1.1.1.1/30\ntunnel b:t<script> mode ipip remote 10.0.0.1 local 10.0.0.2\n"
    text += "addr b:t<script> 1.1.1.2/30\ncapture a:" + names[0] + "\nping a 1.1.1.2\n"
    text += "".join(f"run a echo {t.replace(chr(0), '').replace(chr(1), '').replace(chr(0x202e), '')}\n" for t in HOSTILE)
    text += "explain\n"
    (tmp_path / "mine.lab").write_text(text)
    path = tmp_path / "x.html"
    tunl(None, "lab", "report", str(tmp_path / "mine.lab"), str(path), "-q", "--id", lab,
         "--pcap", str(tmp_path / "x.pcap"))
    left_nothing(tunl, lab)
    look(browser, path)
    assert browser.ask("document.querySelector('h1').textContent") == HOSTILE[0]
    shown = browser.ask("[...document.querySelectorAll('.devname')].map(t => t.textContent)")
    assert set(shown) == {*names, "t<script>"}
    assert count(browser, "script") == 1 and count(browser, "img") == 0
    assert count(browser, "[onerror], [onload], #evil, main b b, main i b") == 0
    assert browser.ask("document.title") == HOSTILE[0] + " - tunl"
    assert not browser.complaints and browser.requests == [path.as_uri()]


def test_policy_stops_what_slips_through(browser, page, tmp_path):
    """Were a script ever to get into the page, the page's own policy would not run it."""
    path = tmp_path / "x.html"
    path.write_text(page.read_text().replace("<main", "<script>document.title='owned'</script><main", 1))
    look(browser, path)
    assert browser.ask("document.title") != "owned" and browser.complaints


def test_explain_html(tunl, tmp_path):
    """To standard output or a file; of a large capture the first, and how many more."""
    pcap = tmp_path / "many.pcap"
    wrpcap(str(pcap), [Ether() / IP() / ICMP()] * 310)
    out = tunl(None, "explain", str(pcap), "--html").stdout
    assert out.startswith("<!doctype html>") and out.rstrip().endswith("</html>")
    assert out.count('class="pkt"') == 300 and "10 more packets" in out
    assert tunl(None, "explain", str(pcap), f"--html={tmp_path / 'x.html'}").stdout == ""
    assert (tmp_path / "x.html").stat().st_mode & 0o777 == 0o666 & ~current_umask()
    assert tunl.refused(None, "explain", str(pcap), "-j", "--html", status=255)
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(pcap.read_bytes()[:-5])
    done = tunl.refused(None, "explain", str(cut), "--html", status=1)
    assert done.stdout.count('class="pkt"') == 300 and "9 more packets" in done.stdout and done.stderr


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_full_disk(tmp_path, page):
    """No room: an error that says so, what was there before stays, nothing else is left."""
    pcap = page.with_suffix(".pcap")
    script = (f"mount -t tmpfs -o size=8k tmpfs {tmp_path} && echo old >{tmp_path}/x.html && "
              f"{BUILD}/tunl explain {pcap} --html={tmp_path}/x.html; echo $?; ls {tmp_path}; cat {tmp_path}/x.html; "
              f"{BUILD}/tunl explain {pcap} --html >/dev/full; echo $?")
    done = run("unshare", "-m", "sh", "-c", script, check=False)
    assert done.stdout == "1\nx.html\nold\n1\n"
    assert done.stderr.splitlines() == [
        f"tunl: cannot write the report to {tmp_path}/x.html: No space left on device (nothing of it was left there)",
        "tunl: cannot write the report to standard output: No space left on device"]


def test_no_such_folder(tunl, lab, tmp_path):
    """The lab is taken down all the same."""
    err = tunl.refused(None, "lab", "report", str(tmp_path / "no/x.html"), "-q", "--id", lab,
                       "--pcap", str(tmp_path / "x.pcap"), status=1).stderr
    assert err == f"tunl lab: cannot write the report to {tmp_path}/no/x.html: No such file or directory\n"
    left_nothing(tunl, lab)


def test_default_place(tunl, lab, tmp_path):
    """Beside the caller, named after the lab."""
    with contextlib.chdir(tmp_path):
        out = tunl(None, "lab", "report", "-q", "--id", lab, "--pcap", "x.pcap").stdout
    assert out == "./tunl-lab-ipip.html\n" and pathlib.Path(tmp_path / "tunl-lab-ipip.html").stat().st_size > 20000
    assert {p.name for p in tmp_path.iterdir()} == {"tunl-lab-ipip.html", "x.pcap"}

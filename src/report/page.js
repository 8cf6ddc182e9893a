/* SPDX-License-Identifier: BSD-2-Clause */
/* What makes the page handier. Without it nothing is hidden: it only adds. */
(function () {
	"use strict";
	var all = function (sel, in_) { return Array.prototype.slice.call((in_ || document).querySelectorAll(sel)); };
	var root = document.documentElement;

	/* Light and dark by hand. */
	var theme = document.createElement("button");
	var dark = function () {
		var asked = root.getAttribute("data-theme");
		return asked ? asked === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
	};
	var name_theme = function () { theme.textContent = dark() ? "Light" : "Dark"; };
	theme.type = "button";
	theme.addEventListener("click", function () {
		root.setAttribute("data-theme", dark() ? "light" : "dark");
		name_theme();
	});
	name_theme();
	document.querySelector("nav").appendChild(theme);

	/* Commands to take along. */
	all("code.cmd").forEach(function (code) {
		var b = document.createElement("button");
		b.type = "button";
		b.textContent = "Copy";
		b.setAttribute("aria-label", "Copy: " + code.textContent);
		b.addEventListener("click", function () {
			var done = function () { b.textContent = "Copied"; setTimeout(function () { b.textContent = "Copy"; }, 1500); };
			if (navigator.clipboard)
				navigator.clipboard.writeText(code.textContent).then(done, function () {});
		});
		code.after(b);
	});

	/* A field's own bytes. The bytes of a packet become elements when it is first asked for. */
	var bytes = function (pkt) {
		if (pkt.bytes)
			return pkt.bytes;
		pkt.bytes = [];
		all(".hex .h", pkt).forEach(function (span) {
			var words = span.textContent.trim().split(" ");
			span.textContent = "";
			words.forEach(function (w) {
				var i = document.createElement("i");
				i.textContent = w;
				pkt.bytes.push(i);
				span.append(i, " ");
			});
		});
		return pkt.bytes;
	};
	var mark = function (field, on) {
		var at = +field.dataset.at, n = +field.dataset.n;
		bytes(field.closest(".pkt")).slice(at, at + n).forEach(function (i) { i.classList.toggle("on", on); });
	};
	all(".field[data-at]").forEach(function (f) {
		f.tabIndex = 0;
		f.addEventListener("mouseenter", function () { mark(f, true); });
		f.addEventListener("mouseleave", function () { mark(f, false); });
		f.addEventListener("focus", function () { mark(f, true); });
		f.addEventListener("blur", function () { mark(f, false); });
	});

	/* A box shows its layer. */
	all(".box").forEach(function (box) {
		var i = /\bb(\d+)\b/.exec(box.getAttribute("class"))[1];
		box.addEventListener("click", function () {
			var lay = box.closest(".pkt").querySelector('.lay[data-i="' + i + '"]');
			lay.open = true;
			lay.querySelector("summary").focus();
		});
	});

	/* Up and down through the packets. */
	var list = all(".pkt > summary");
	list.forEach(function (s, i) {
		s.addEventListener("keydown", function (e) {
			var to = e.key === "ArrowDown" ? list[i + 1] : e.key === "ArrowUp" ? list[i - 1] : null;
			if (to) {
				to.focus();
				e.preventDefault();
			}
		});
	});

	/* A step of the path shows its devices. */
	all(".hops li").forEach(function (li) {
		var show = function (on) {
			[li.dataset.dev, li.dataset.to].forEach(function (i) {
				var dev = i && document.getElementById("dev" + i);
				if (dev)
					dev.classList.toggle("on", on);
			});
		};
		li.addEventListener("mouseenter", function () { show(true); });
		li.addEventListener("mouseleave", function () { show(false); });
	});

	/* On paper all of it is open. */
	var shut = [];
	addEventListener("beforeprint", function () {
		shut = all("details:not([open])");
		shut.forEach(function (d) { d.open = true; });
	});
	addEventListener("afterprint", function () { shut.forEach(function (d) { d.open = false; }); });
})();

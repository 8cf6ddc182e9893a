# SPDX-License-Identifier: BSD-2-Clause
"""What a benchmark found: tables, for the eye as text and as SVG, for programs as JSON."""

import html
import json
import os
import subprocess
import time

WIDTH, BAR, LEFT, RIGHT, TOP = 760, 22, 190, 90, 34
COLOURS = ("#4878a8", "#e08a3c", "#6aa56a", "#b8564f", "#8a72a8", "#8c8c8c", "#c8a83c", "#50a0a0")


class Table:
    """Rows of figures. plot names the column that the drawing shows; mark is a line across
    it, the goal. log: its axis goes by powers of ten."""

    def __init__(self, name, title, columns, plot=None, mark=None, log=False):
        self.name, self.title, self.columns, self.rows = name, title, columns, []
        self.plot, self.mark, self.log = plot or columns[0], mark, log

    def add(self, label, *values):
        self.rows.append((label, values))

    def text(self):
        cells = [["", *self.columns], *([label, *map(show, values)] for label, values in self.rows)]
        wide = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
        lines = ["  ".join(c.ljust(w) if not i else c.rjust(w) for i, (c, w) in enumerate(zip(row, wide))).rstrip()
                 for row in cells]
        return "\n".join([self.title, *lines])

    def json(self):
        return {"name": self.name, "title": self.title,
                "rows": [{"row": label, **dict(zip(self.columns, values))} for label, values in self.rows]}

    def svg(self):
        at = self.columns.index(self.plot)
        rows = [(label, values[at]) for label, values in self.rows if isinstance(values[at], (int, float))]
        high = max([value for _, value in rows] + [self.mark or 0, 1e-9])
        scale = (WIDTH - LEFT - RIGHT) / high
        height = TOP + BAR * len(rows) + 12
        out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" '
               f'font-size="12"><rect width="100%" height="100%" fill="white"/>',
               f'<text x="8" y="18" font-weight="bold">{html.escape(self.title)}: {html.escape(self.plot)}</text>']
        for i, (label, value) in enumerate(rows):
            y = TOP + i * BAR
            out.append(f'<text x="{LEFT - 6}" y="{y + 14}" text-anchor="end">{html.escape(label)}</text>'
                       f'<rect x="{LEFT}" y="{y + 2}" width="{max(value, 0) * scale:.1f}" height="{BAR - 5}" '
                       f'fill="{COLOURS[i % len(COLOURS)]}"/>'
                       f'<text x="{LEFT + max(value, 0) * scale + 5:.1f}" y="{y + 14}">{show(value)}</text>')
        if self.mark:
            x = LEFT + self.mark * scale
            out.append(f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{height - 8}" stroke="#c00" stroke-dasharray="4 3"/>')
        return "\n".join([*out, "</svg>\n"])


def show(value):
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def commit(root):
    done = subprocess.run(["git", "-C", str(root), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def write(folder, name, tables, root, **more):
    """The tables of one benchmark, under its name. What was written."""
    folder.mkdir(parents=True, exist_ok=True)
    head = {"benchmark": name, "when": time.strftime("%Y-%m-%d %H:%M:%S"), "kernel": os.uname().release,
            "cpus": os.cpu_count(), "load": os.getloadavg()[0], "commit": commit(root), **more}
    (folder / f"{name}.json").write_text(json.dumps({**head, "tables": [t.json() for t in tables]}, indent=1) + "\n")
    about = ", ".join(f"{k} {v}" for k, v in head.items())
    (folder / f"{name}.txt").write_text("\n\n".join([about, *(t.text() for t in tables)]) + "\n")
    for table in tables:
        (folder / f"{name}-{table.name}.svg").write_text(table.svg())
    return folder / f"{name}.txt"

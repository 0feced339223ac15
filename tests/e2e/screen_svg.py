#!/usr/bin/env python3
"""A captured terminal screen (`tmux capture-pane -e -p`) as SVG: screen_svg.py [--light] < screen > screen.svg"""

import html
import re
import sys
import unicodedata

CELL_W, CELL_H, FONT = 8.4, 17, 14
BASIC = ["#1c1c1c", "#d75f5f", "#87af5f", "#d7af5f", "#5f87af", "#af87af", "#5fafaf", "#bcbcbc",
         "#767676", "#ff8787", "#afd787", "#ffd787", "#87afd7", "#d7afd7", "#87d7d7", "#ffffff"]


def colour(number):
    """xterm's palette of 256."""
    if number < 16:
        return BASIC[number]
    if number < 232:
        steps = [0, 95, 135, 175, 215, 255]
        number -= 16
        return "#%02x%02x%02x" % (steps[number // 36], steps[number // 6 % 6], steps[number % 6])
    return "#%02x%02x%02x" % ((8 + 10 * (number - 232),) * 3)


class Pen:
    def __init__(self):
        self.ink = self.paper = None
        self.bold = self.dim = self.reverse = self.underline = False

    def take(self, parameters):
        numbers = [int(n or 0) for n in parameters.split(";")]
        while numbers:
            n = numbers.pop(0)
            if n == 0:
                self.__init__()
            elif n in (1, 2, 4, 7):
                setattr(self, {1: "bold", 2: "dim", 4: "underline", 7: "reverse"}[n], True)
            elif n in (22, 24, 27):
                for name in {22: ("bold", "dim"), 24: ("underline",), 27: ("reverse",)}[n]:
                    setattr(self, name, False)
            elif n in (38, 48) and len(numbers) >= 2 and numbers[0] == 5:
                setattr(self, "ink" if n == 38 else "paper", numbers[1])
                del numbers[:2]
            elif 30 <= n <= 37 or 90 <= n <= 97:
                self.ink = n - 30 if n < 90 else n - 82
            elif 40 <= n <= 47 or 100 <= n <= 107:
                self.paper = n - 40 if n < 100 else n - 92
            elif n == 39:
                self.ink = None
            elif n == 49:
                self.paper = None

    def colours(self, light):
        ink = colour(self.ink) if self.ink is not None else ("#262626" if light else "#d0d0d0")
        paper = colour(self.paper) if self.paper is not None else ("#ffffff" if light else "#1c1c1c")
        return (paper, ink) if self.reverse else (ink, paper)


def columns(character):
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def runs(line, pen, light):
    """(column, columns, text, ink, paper, bold, underline) for each stretch of one look."""
    out, at = [], 0
    for piece in re.split(r"(\x1b\[[0-9;]*m|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x0e|\x0f)", line):
        if piece.startswith("\x1b["):
            pen.take(piece[2:-1])
        elif piece and piece[0] not in "\x1b\x0e\x0f":
            width = sum(columns(c) for c in piece)
            ink, paper = pen.colours(light)
            out.append((at, width, piece, ink, paper, pen.bold, pen.underline))
            at += width
    return out


def svg(screen, light=False):
    lines = screen.rstrip("\n").split("\n")
    pen = Pen()
    drawn = [runs(line, pen, light) for line in lines]
    width = max([sum(r[1] for r in row) for row in drawn] + [1])
    w, h = width * CELL_W + 16, len(lines) * CELL_H + 16
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{w:.0f}" height="{h:.0f}" viewBox="0 0 {w:.0f} {h:.0f}">',
           f'<rect width="100%" height="100%" rx="6" fill="{"#ffffff" if light else "#1c1c1c"}"/>',
           f'<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{FONT}" xml:space="preserve">']
    for y, row in enumerate(drawn):
        for x, wide, _, _, paper, _, _ in row:
            if paper != ("#ffffff" if light else "#1c1c1c"):
                out.append(f'<rect x="{8 + x * CELL_W:.1f}" y="{8 + y * CELL_H}" width="{wide * CELL_W:.1f}" height="{CELL_H}" fill="{paper}"/>')
        for x, wide, text, ink, _, bold, underline in row:
            if text.strip():
                lead = len(text) - len(text.lstrip(" "))
                shown = text.strip(" ")
                long = sum(columns(c) for c in shown) * CELL_W
                style = ' font-weight="bold"' * bold + ' text-decoration="underline"' * underline
                out.append(f'<text x="{8 + (x + lead) * CELL_W:.1f}" y="{8 + y * CELL_H + 13}" textLength="{long:.1f}" '
                           f'lengthAdjust="spacingAndGlyphs" fill="{ink}"{style}>{html.escape(shown)}</text>')
    return "\n".join(out + ["</g>", "</svg>", ""])


if __name__ == "__main__":
    sys.stdout.write(svg(sys.stdin.read(), "--light" in sys.argv[1:]))

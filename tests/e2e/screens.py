"""Screens kept as text: what changes from run to run is made alike, then all of it is compared.

FWD_RENEW_SCREENS=1 writes screens/*.txt anew; FWD_SCREENS=FOLDER also draws each as FOLDER/NAME.svg."""

import difflib
import os
import pathlib
import re
import time

from screen_svg import svg

KEPT = pathlib.Path(__file__).resolve().parent / "screens"
PICTURES = os.environ.get("FWD_SCREENS")
RENEW = os.environ.get("FWD_RENEW_SCREENS")

# What a text is replaced by, and whether blanks behind it make up for the width.
CHANGING = [
    (r"\b\d\d:\d\d:\d\d\b", "hh:mm:ss"),
    (r"-7d9c5b6f4-[a-z0-9]{1,5}", lambda m: "-7d9c5b6f4-" + "x" * (len(m[0]) - 11)),
    (r"(127\.1\.27\.)\d+([^ ]*)( *)", lambda m: padded(m[1] + "N" + re.sub(r":\d{5}\b", ":P", m[2]), m)),
    (r"127\.0\.0\.1:\d+( *)", lambda m: padded("127.0.0.1:P", m)),
    (r"\bpid \d+( *)", lambda m: padded("pid N", m)),
    (r"\b(fwd/[0-9.]+); [0-9a-f]{8}", r"\1; session"),
    (r"https://127\.0\.0\.1:\w+( *)", lambda m: padded("https://127.0.0.1:P", m)),
    (r"(p50|p95) [\d.]+ m?s\b", r"\1 N ms"),
    (r"  [\d.]+/s\b", ""),  # of the last seconds
    (r" +\d+(?:\.\d+)? ms\b", lambda m: "N ms".rjust(len(m[0]))),
]


def padded(text, match):
    return text + " " * max(0, len(match[0]) - len(text))


def normal(text):
    for pattern, by in CHANGING:
        text = re.sub(pattern, by, text)
    return "\n".join(line.rstrip() for line in text.rstrip("\n").split("\n")) + "\n"


def settled(screen):
    """The screen, once it stays as it is and its title tells of no traffic."""
    before = None
    for _ in range(50):
        text = screen.text()
        if text == before and "\u2193" not in text.split("\n")[0]:
            return text
        before = text
        time.sleep(0.15)
    return before


def differences(name, kept, text):
    return "".join(difflib.unified_diff(kept.splitlines(True), text.splitlines(True), f"screens/{name}.txt", "what is shown"))


def check(screen, name, seconds=5):
    """The screen is, whole, as it is kept under this name."""
    place = KEPT / f"{name}.txt"
    if RENEW:
        place.parent.mkdir(exist_ok=True)
        place.write_text(normal(settled(screen)))
    kept = place.read_text() if place.exists() else ""
    end = time.monotonic() + seconds
    while (text := normal(screen.text())) != kept:
        assert time.monotonic() < end, f"not as kept (FWD_RENEW_SCREENS=1 keeps it anew):\n{differences(name, kept, text)}"
        time.sleep(0.1)
    draw(screen, name)


def draw(screen, name):
    if PICTURES:
        pathlib.Path(PICTURES, f"{name}.svg").write_text(svg(screen.coloured()))

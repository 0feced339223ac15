#!/usr/bin/env python3
"""Writes daemon/forward/top_level_domains.cpp from the ICANN part of the public suffix list (Debian: publicsuffix)."""

import pathlib
import sys

SOURCE = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/publicsuffix/public_suffix_list.dat")
HEAD = """// The public top-level domains. Written by scripts/top_level_domains.py; not to be edited.
#include "daemon/forward/public_names.hpp"

#include <algorithm>
#include <iterator>

namespace fwd::forward {

namespace {

// clang-format off
constexpr std::string_view domains[] = {
"""
TAIL = """};
// clang-format on

} // namespace

bool is_top_level_domain(std::string_view label)
{
    return std::binary_search(std::begin(domains), std::end(domains), label);
}

} // namespace fwd::forward
"""

icann = SOURCE.read_text().split("===BEGIN ICANN DOMAINS===")[1].split("===END ICANN DOMAINS===")[0]
rules = (line.split()[0] for line in icann.splitlines() if line.strip() and not line.startswith("//"))
names = sorted({rule.rsplit(".", 1)[-1].encode("idna").decode().lower() for rule in rules})
lines, line = [], "   "
for name in names:
    word = f' "{name}",'
    if len(line + word) > 140:
        lines.append(line)
        line = "   "
    line += word
out = pathlib.Path(__file__).parent.parent / "daemon/forward/top_level_domains.cpp"
out.write_text(HEAD + "\n".join([*lines, line]) + "\n" + TAIL)
print(f"{len(names)} domains")

#!/usr/bin/env python3
"""The manual page of a program, made of what it says with --help: make_man.py PROGRAM SECTION FILE

Lines without indentation that stand alone are headings; the rest is kept as it is, since its columns mean something.
"""

import datetime
import os
import pathlib
import subprocess
import sys

FILES = {
    "fwd": """.TP
.B FWD_API_URL, FWD_API_KEY
where the daemon is and its token, instead of looking for it
.TP
.B NO_COLOR
no colours""",
    "fwdd": """.TP
.B KUBECONFIG
list of kubeconfig files, separated by ':'""",
}
PLACES = """.TP
.I $XDG_CONFIG_HOME/fwd/config.yaml
configuration: every long flag of the daemon is a key
.TP
.I $XDG_STATE_HOME/fwd/
leases, history, the API's token, the log of a daemon in the background
.TP
.I /run/fwd/UID/
api.sock and api.json of the running daemon
.TP
.I /etc/hosts
names, between the lines '# BEGIN fwd' and '# END fwd'"""


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in ".'" else text


def page(name, section, text):
    lines = text.rstrip("\n").split("\n")
    about = lines.pop(0) if " - " in lines[0] else f"{name} - the daemon of fwd"
    # The time of the source, so that the same source makes the same page.
    day = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", 0)), datetime.timezone.utc).strftime("%Y-%m-%d")
    out = [f'.TH {name.upper()} {section} "{day if "SOURCE_DATE_EPOCH" in os.environ else ""}" "fwd" "fwd"', ".SH NAME", escape(about),
           ".SH SYNOPSIS", f".B {name}", "[\\fIcommand\\fR] [\\fIflags\\fR]" if name == "fwd" else "[svc] [\\fIflags\\fR]", ".SH DESCRIPTION", ".nf"]
    for line in lines:
        if line and not line[0].isspace():
            heading, _, rest = line.partition("   ")
            out += [".fi", f'.SS "{escape(heading.strip().rstrip(":"))}"', *([escape(rest.strip()), ".PP"] if rest.strip() else []), ".nf"]
        else:
            out.append(escape(line))
    out += [".fi", ".SH ENVIRONMENT", FILES[name], ".SH FILES", PLACES, ".SH SEE ALSO", ".BR fwdd (8)" if name == "fwd" else ".BR fwd (1)", ""]
    return "\n".join(out)


if __name__ == "__main__":
    program, number, file = sys.argv[1:]
    said = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    pathlib.Path(file).write_text(page(pathlib.Path(program).name, number, said), encoding="utf-8")

#!/usr/bin/env python3
"""pack.py FWD OUT.mcpb - the bundle for MCP clients that take such (Claude Desktop and others): the program fwd for this machine and a
manifest that lists all of its tools and prompts, asked of the program itself. The daemon is no part of it.

FWD is the one that other machines can run (`scripts/build.sh fwd_portable`, portable/fwd in the build folder); one that needs more of
them than glibc is refused. The same input gives the same bytes."""

import json
import pathlib
import platform
import re
import subprocess
import sys
import zipfile

LONG = ("Makes services of Kubernetes clusters reachable on this machine under their own names and ports. The bundle is the bridge only: "
        "the fwd daemon has to run beside it (fwd start, as an administrator); without it every tool says so and how to start it.")


def ask(program):
    """Identity, tools and prompts of the program."""
    about = {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}}
    lines = "".join(json.dumps({"jsonrpc": "2.0", "id": method, "method": method, "params": about}) + "\n"
                    for method in ("server/discover", "tools/list", "prompts/list"))
    done = subprocess.run([program, "mcp"], input=lines, capture_output=True, text=True, timeout=20, check=True)
    answers = {each["id"]: each["result"] for each in map(json.loads, done.stdout.splitlines())}
    who = answers["server/discover"]["_meta"]["io.modelcontextprotocol/serverInfo"]
    return who, answers["tools/list"]["tools"], answers["prompts/list"]["prompts"]


def foreign_libraries(program):
    """Shared libraries that the program needs and that are no part of glibc."""
    said = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", said)
    return [each for each in needed if not re.fullmatch(r"(lib(c|m|pthread|dl|rt)\.so|ld-linux-[\w-]+\.so)\.\d+", each)]


def first_sentence(text):
    return text.split(". ")[0].split(": ")[0].rstrip(".") + "."


def manifest(program):
    who, tools, prompts = ask(program)
    setting = {"type": "string", "required": False, "default": ""}
    return {
        "manifest_version": "0.3", "name": "fwd", "display_name": "fwd", "version": who["version"],
        "description": "Kubernetes services on this machine, under their own names and ports", "long_description": LONG,
        "author": {"name": "The fwd authors"}, "license": "Apache-2.0", "keywords": ["kubernetes", "port-forward", "development"],
        "server": {"type": "binary", "entry_point": "server/fwd", "mcp_config": {
            "command": "${__dirname}/server/fwd", "args": ["mcp"],
            "env": {"FWD_API_URL": "${user_config.api_url}", "FWD_API_KEY": "${user_config.api_key}", "FWD_MCP_READ_ONLY": "${user_config.read_only}",
                    "FWD_MCP_TOOLSETS": "${user_config.toolsets}"}}},
        "tools": [{"name": each["name"], "description": first_sentence(each["description"])} for each in tools], "tools_generated": False,
        "prompts_generated": True,
        "compatibility": {"platforms": ["linux"]},
        "user_config": {
            "api_url": setting | {"title": "Address of the daemon", "description": "Empty: where this user's daemon is"},
            "api_key": setting | {"title": "Token of the daemon", "description": "Only with an address of your own", "sensitive": True},
            "read_only": {"type": "boolean", "title": "Read only", "description": "Hide tools that change anything", "required": False, "default": False},
            "toolsets": setting | {"title": "Toolsets", "description": "core, forward, cluster-read or all", "default": "all"},
        },
    }


def main():
    program, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    if foreign := foreign_libraries(program):
        sys.exit(f"pack.py: {program} needs {', '.join(foreign)}, which other machines may not have; pack portable/fwd (scripts/build.sh fwd_portable)")
    files = [("manifest.json", json.dumps(manifest(program), indent=2).encode() + b"\n", 0o644), ("server/fwd", program.read_bytes(), 0o755)]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content, mode in files:
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            bundle.writestr(entry, content)
    print(f"{out}: {out.stat().st_size} bytes for {platform.machine()}")


if __name__ == "__main__":
    main()

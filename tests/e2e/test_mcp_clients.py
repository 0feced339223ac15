"""`fwd mcp` under what others made for it: the official conformance suite, MCP Inspector, the SDKs of both eras, the bundle's own tool.

Their packages come by npm into a folder that FWD_MCP_NPM names (scripts/e2e.sh fills it where npm reaches a registry)."""

import json
import os
import pathlib
import re
import subprocess
import sys

from bed import UID, Skip, case, run, until

HERE = pathlib.Path(__file__).resolve().parent
PACK = HERE.parents[1] / "packaging/mcpb/pack.py"
GLIBC = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
ERAS = ("2025-11-25", "2026-07-28")
# Scenarios that `fwd mcp --http` itself can pass: the others call tools and prompts by the names that only the fixture server has.
OWN = {
    "2025-11-25": ("server-initialize", "ping", "logging-set-level", "tools-list", "resources-list", "prompts-list", "server-sse-multiple-streams",
                   "dns-rebinding-protection"),
    "2026-07-28": ("tools-list", "resources-list", "prompts-list", "server-sse-multiple-streams", "dns-rebinding-protection", "caching",
                   "sep-2164-resource-not-found", "input-required-result-unsupported-methods"),
}
# Scenarios of the suite that no server of ours is held to, and why.
NOT_APPLICABLE = {
    "server-sse-polling": "no event has an id, so no stream can be resumed: what was lost is read again",
    "tasks-*": "the extension for tasks is not offered: calls tell their progress and end within five minutes",
    "sep-2640-skills-*": "the extension for skills is not offered",
    "auth/*": "clients prove themselves by the daemon's token, not by OAuth",
}


class Npm:
    def __init__(self, bed):
        source = os.environ.get("FWD_MCP_NPM", "")
        self.root = pathlib.Path(source) / "node_modules"
        self.node = self.root / "node/bin/node"
        if not source or not self.node.exists():
            raise Skip("missing: the MCP clients from npm (scripts/e2e.sh installs them where a registry can be reached)")
        self.bed = bed

    def run(self, script, *arguments, seconds=110, env=None):
        path = self.root / script
        if not path.exists():
            raise Skip(f"missing: npm package of {script}")
        plain = {"PATH": f"{self.node.parent}:/usr/bin:/bin", "HOME": str(self.bed.dir), "NO_COLOR": "1"}
        return subprocess.run([self.node, path, *map(str, arguments)], capture_output=True, text=True, timeout=seconds, cwd=self.bed.dir, env=plain | (env or {}),
                              stdin=subprocess.DEVNULL)


def conformance(npm, url, *arguments):
    """Output of one run; every scored check has passed."""
    done = npm.run("@modelcontextprotocol/conformance/dist/index.js", "server", "--url", url, *arguments)
    said = done.stdout + done.stderr
    assert done.returncode == 0, "\n".join(said.splitlines()[-60:])
    return said


def serve(bed, port, *arguments):
    bed.spawn([bed.bin / "fwd", "mcp", "--http", f"127.0.0.1:{port}", *arguments], how="user", name="mcp")
    token = bed.home / ".local/state/fwd/token"
    bed.spawn([sys.executable, HERE / "mcp_proxy.py", port + 1, port, token], how="root", name="proxy")
    until(10, "the MCP server answers", lambda: healthy(port + 1))
    return f"http://localhost:{port + 1}/mcp"


def healthy(port):
    done = subprocess.run(["curl", "-s", "-m", "2", f"http://127.0.0.1:{port}/health"], capture_output=True, text=True)
    return '"ok"' in done.stdout


@case("the official conformance suite passes on our protocol code, in both eras", seconds=240)
def suite_on_fixture(bed):
    npm = Npm(bed)
    bed.spawn([bed.bin / "fwd-mcp-fixture", 3900], how="user", name="fixture")
    until(10, "the fixture server answers", lambda: healthy(3900))
    for era in ERAS:
        conformance(npm, "http://localhost:3900/mcp", "--requirements", era)


@case("the official conformance suite passes on fwd mcp --http, as far as it needs nothing made for it", seconds=240)
def suite_on_product(bed):
    npm = Npm(bed)
    bed.shop()
    url = serve(bed, 3910)
    for era in ERAS:
        for scenario in OWN[era]:
            conformance(npm, url, "--scenario", scenario, "--spec-version", era)


@case("MCP Inspector lists, calls and reads, in both eras", seconds=180)
def inspector(bed):
    npm = Npm(bed)
    bed.shop()
    # It runs as root here, so it is told where the user's daemon is.
    env = {"FWD_API_URL": f"unix:{bed_socket(bed)}"}
    tool = "@modelcontextprotocol/inspector/" + script_of(npm, "@modelcontextprotocol/inspector", "mcp-inspector")

    def ask(era, *arguments):
        pairs = [part for name, value in env.items() for part in ("-e", f"{name}={value}")]
        done = npm.run(tool, "--cli", *pairs, bed.bin / "fwd", "mcp", "--protocol-era", era, "--format", "json", *arguments)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return json.loads(done.stdout)["result"]
    for era in ("legacy", "modern"):
        strict = ("--strict",) if era == "modern" else ()
        assert len(ask(era, "--method", "tools/list", *strict)["tools"]) == 33
        called = ask(era, "--method", "tools/call", "--tool-name", "list_services", "--tool-args-json", "{}")
        assert called["structuredContent"]["count"] > 0, called
        assert len(ask(era, "--method", "resources/list")["resources"]) == 10
        assert "contents" in ask(era, "--method", "resources/read", "--uri", "fwd://status")
        assert len(ask(era, "--method", "resources/templates/list")["resourceTemplates"]) == 4
        assert len(ask(era, "--method", "prompts/list")["prompts"]) == 10
        assert ask(era, "--method", "prompts/get", "--prompt-name", "debug_service", "--prompt-args", "service=web")["messages"]
    ask("legacy", "--method", "logging/setLevel", "--log-level", "debug")


def script_of(npm, package, program):
    """What a package's command runs."""
    told = json.loads((npm.root / package / "package.json").read_text())["bin"]
    return (told if isinstance(told, str) else told[program]).removeprefix("./")


def bed_socket(bed):
    return f"/run/fwd/{UID}/api.sock"


SDK = """
import { Client } from '%(client)s';
import { StdioClientTransport } from '%(transport)s';
const client = new Client({ name: 'sdk', version: '1' }, { capabilities: { elicitation: {} }, ...%(options)s });
await client.connect(new StdioClientTransport({ command: '%(fwd)s', args: ['mcp'], env: { FWD_API_URL: '%(api)s', PATH: '/usr/bin:/bin' } }));
const tools = (await client.listTools()).tools;
const called = await client.callTool({ name: 'list_services', arguments: {} });
const status = await client.readResource({ uri: 'fwd://status' });
const prompt = await client.getPrompt({ name: 'explain_status' });
console.log(JSON.stringify({ tools: tools.length, services: called.structuredContent.count, status: status.contents.length, prompt: prompt.messages.length }));
await client.close();
"""


@case("the TypeScript SDKs of both eras connect and check what they get", seconds=120)
def sdk_clients(bed):
    npm = Npm(bed)
    bed.shop()
    modern = {"client": "@modelcontextprotocol/client", "transport": "@modelcontextprotocol/client/stdio"}
    legacy = {"client": "@modelcontextprotocol/sdk/client/index.js", "transport": "@modelcontextprotocol/sdk/client/stdio.js"}
    for packages, options in ((legacy, "{}"), (modern, "{versionNegotiation: {mode: 'auto'}}"), (modern, "{versionNegotiation: {mode: 'legacy'}}"),
                              (modern, "{versionNegotiation: {mode: {pin: '2026-07-28'}}}")):
        script = bed.dir / "client.mjs"
        script.write_text(SDK % (packages | {"options": options, "fwd": bed.bin / "fwd", "api": f"unix:{bed_socket(bed)}"}))
        (bed.dir / "node_modules").unlink(missing_ok=True)
        (bed.dir / "node_modules").symlink_to(npm.root)
        done = subprocess.run([npm.node, script], capture_output=True, text=True, timeout=60, cwd=bed.dir, env={"PATH": "/usr/bin:/bin", "HOME": str(bed.dir)})
        assert done.returncode == 0, f"{packages['client']} {options}: {done.stdout[-1000:]}{done.stderr[-2000:]}"
        told = json.loads(done.stdout.splitlines()[-1])
        assert told["tools"] == 33 and told["services"] > 0 and told["status"] == 1 and told["prompt"] == 1, told


@case("the bundle is valid by its own tool and lists every tool", seconds=120)
def bundle(bed):
    npm = Npm(bed)
    program = bed.bin / "portable/fwd"
    if not program.exists():
        raise Skip("missing: portable/fwd (the archives of Boost and of terminfo, and the source of fmt)")
    done = subprocess.run([sys.executable, PACK, program, bed.dir / "fwd.mcpb"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    again = subprocess.run([sys.executable, PACK, program, bed.dir / "again.mcpb"], capture_output=True, text=True, timeout=60)
    assert again.returncode == 0 and (bed.dir / "fwd.mcpb").read_bytes() == (bed.dir / "again.mcpb").read_bytes()
    tool = "@anthropic-ai/mcpb/" + script_of(npm, "@anthropic-ai/mcpb", "mcpb")
    unpacked = npm.run(tool, "unpack", bed.dir / "fwd.mcpb", bed.dir / "unpacked")
    assert unpacked.returncode == 0, unpacked.stdout + unpacked.stderr
    valid = npm.run(tool, "validate", bed.dir / "unpacked/manifest.json")
    assert valid.returncode == 0, valid.stdout + valid.stderr
    manifest = json.loads((bed.dir / "unpacked/manifest.json").read_text())
    packed = bed.dir / "unpacked/server/fwd"
    assert os.access(packed, os.X_OK)
    # It runs where nothing of ours is installed: of other machines it needs glibc.
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", packed))
    assert "libc.so.6" in needed and not set(needed) - GLIBC, needed
    lines = "".join(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n" for number, method, params in (
        (1, "initialize", {"protocolVersion": "2025-11-25", "capabilities": {}}), (2, "tools/list", {})))
    said = subprocess.run([packed, "mcp"], input=lines, capture_output=True, text=True, timeout=20, env={"HOME": str(bed.home), "PATH": "/usr/bin:/bin"})
    tools = [json.loads(line) for line in said.stdout.splitlines()][-1]["result"]["tools"]
    assert [each["name"] for each in manifest["tools"]] == [each["name"] for each in tools] and len(tools) == 33, manifest["tools"]


@case("a program that needs more of other machines than glibc is not packed")
def not_packed(bed):
    done = subprocess.run([sys.executable, PACK, bed.bin / "fwd", bed.dir / "fwd.mcpb"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "libboost_json" in done.stderr and not (bed.dir / "fwd.mcpb").exists(), done


@case("fwd mcp install shows the change, makes it, and takes it back")
def install(bed):
    for client, place in (("claude-code", ".claude.json"), ("cursor", ".cursor/mcp.json"), ("codex", ".codex/config.toml"), ("zed", ".config/zed/settings.json")):
        path = bed.home / place
        code, said, wrong = bed.fwd("mcp", "install", client)
        assert code == 0 and str(path) in said and re.search(r"^\+ .*fwd", said, re.M), said + wrong
        assert "mcp" in path.read_text()
        assert path.stat().st_mode & 0o777 == 0o600
        assert bed.fwd("mcp", "install", client)[1].endswith("says so already.\n")
        code, said, wrong = bed.fwd("mcp", "install", client, "--undo")
        assert code == 0 and "fwd" not in path.read_text().replace(str(bed.home), ""), said + wrong + path.read_text()
    assert bed.fwd("mcp", "install", "emacs")[0] == 2


@case("fwd mcp --http lets in who has the token, and nobody else")
def gate(bed):
    bed.shop()
    bed.spawn([bed.bin / "fwd", "mcp", "--http", "127.0.0.1:3920"], how="user", name="mcp")
    until(10, "the MCP server answers", lambda: healthy(3920))
    token = (bed.home / ".local/state/fwd/token").read_text().strip()
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}}})

    def status(*headers):
        command = ["curl", "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", "-d", body, "http://127.0.0.1:3920/mcp", "-H", "Content-Type: application/json",
                   "-H", "Accept: application/json, text/event-stream"]
        return subprocess.run([*command, *(part for header in headers for part in ("-H", header))], capture_output=True, text=True).stdout
    right = f"Authorization: Bearer {token}"
    assert status(right) == "200"
    assert status() == "401"
    assert status("Authorization: Bearer fwd_wrong") == "401"
    assert status(right, "Host: evil.example:3920") == "403"
    assert status(right, "Origin: http://evil.example") == "403"

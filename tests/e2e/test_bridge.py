"""`fwd mcp` as an agent's client uses it: JSON lines over a pipe."""

import json
import os
import subprocess

from bed import UID, Skip, case, curl, run, until


class Client:
    def __init__(self, bed):
        self.child = subprocess.Popen([bed.bin / "fwd", "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                      cwd=bed.home, env=bed.environment("user"), user=UID, group=UID, extra_groups=[])
        self.last = 0
        self.hello = self.call("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "e2e", "version": "1"}})
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message):
        self.child.stdin.write(json.dumps(message) + "\n")
        self.child.stdin.flush()

    def call(self, method, parameters=None):
        self.last += 1
        self.send({"jsonrpc": "2.0", "id": self.last, "method": method, "params": parameters or {}})
        while line := self.child.stdout.readline():
            message = json.loads(line)
            if message.get("id") == self.last and "method" not in message:
                assert "result" in message, message
                return message["result"]
        raise AssertionError("the bridge ended")

    def tool(self, name, **arguments):
        return self.call("tools/call", {"name": name, "arguments": arguments})

    def end(self):
        self.child.stdin.close()
        assert self.child.wait(5) == 0


@case("an agent adds a service through the bridge, reaches it, and removes it")
def add_through_bridge(bed):
    daemon = bed.start()
    client = Client(bed)
    assert client.hello["serverInfo"]["name"]
    tools = {tool["name"] for tool in client.call("tools/list")["tools"]}
    assert {"list_services", "add_service", "add_namespace", "remove_service", "get_connection_info", "list_k8s_services"} <= tools
    listed = client.tool("list_k8s_services", namespace="shop")
    assert not listed.get("isError"), listed
    assert "web" in {s["name"] for s in listed["structuredContent"]["services"]}
    added = client.tool("add_service", service="web", namespace="shop", wait="ready", timeout_s=20)
    assert not added.get("isError"), added
    assert curl("http://web/") and curl(f"http://{added['structuredContent']['address']}/")
    service = daemon.services()["web.shop"]
    assert "e2e" in str(service["owner"]), service["owner"]
    assert not client.tool("get_connection_info", service="web").get("isError")
    removed = client.tool("remove_service", service="web")
    assert not removed.get("isError"), removed
    until(5, "it is gone", lambda: not daemon.services())
    client.end()


@case("with the daemon down each tool says so and how to start it")
def daemon_down(bed):
    client = Client(bed)
    for tool in client.call("tools/list")["tools"]:
        schema = tool["inputSchema"]
        needed = {name: schema["properties"][name].get("enum", ["web"])[0] for name in schema.get("required", [])}
        if tool["name"] == "add_service":
            needed["service"] = "web"
        answer = client.tool(tool["name"], **needed)
        assert answer.get("isError") and "daemon_not_running" in json.dumps(answer) and "fwd" in json.dumps(answer), (tool["name"], answer)
    client.end()


@case("Claude Code lists the bridge as connected", seconds=180)
def claude_code(bed):
    source = os.environ.get("FWD_CLAUDE")
    if not source or not os.path.exists(f"{source}/node_modules/.bin/claude"):
        raise Skip("missing: Claude Code (scripts/e2e.sh installs it where npm is)")
    # It lies where the user cannot go, so it is shown where they can.
    folder = bed.dir / "claude"
    folder.mkdir()
    run("mount", "--bind", source, folder)
    bed.start()

    def claude(*arguments):
        return subprocess.run([folder / "node_modules/.bin/claude", *arguments], capture_output=True, text=True, cwd=bed.home, user=UID, group=UID,
                              extra_groups=[], timeout=90, env=bed.environment("user"), stdin=subprocess.DEVNULL)
    added = claude("mcp", "add", "fwd", "--", str(bed.bin / "fwd"), "mcp")
    assert added.returncode == 0, added.stdout + added.stderr
    listed = claude("mcp", "list")
    assert "Connected" in listed.stdout, listed.stdout + listed.stderr

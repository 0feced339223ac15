"""A scripted agent on `fwd mcp`: what a model would call, in the order in which it would, and what it must be told."""

import json
import socket
import subprocess
import threading

from bed import UID, case, until

MODERN = "2026-07-28"


class Agent:
    """One bridge process. Requests of the server are answered by `on_request`; what else comes is kept."""

    def __init__(self, bed, *arguments, capabilities=None, name="agent"):
        self.child = subprocess.Popen([bed.bin / "fwd", "mcp", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                      cwd=bed.home, env=bed.environment("user"), user=UID, group=UID, extra_groups=[])
        self.last, self.answers, self.heard, self.on_request = 0, {}, [], None
        self.capabilities, self.name, self.arrived = capabilities or {}, name, threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.child.stdout:
            message = json.loads(line)
            if "method" in message and "id" in message:
                self.send({"jsonrpc": "2.0", "id": message["id"], "result": self.on_request(message)})
                continue
            with self.arrived:
                if "method" in message:
                    self.heard.append(message)
                else:
                    self.answers[message["id"]] = message
                self.arrived.notify_all()

    def send(self, message):
        self.child.stdin.write(json.dumps(message) + "\n")
        self.child.stdin.flush()

    def ask(self, method, seconds=60, **params):
        self.last += 1
        number = self.last
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        with self.arrived:
            assert self.arrived.wait_for(lambda: number in self.answers, seconds), f"{method} was not answered"
        answer = self.answers.pop(number)
        assert "result" in answer, answer
        return answer["result"]

    def hello(self, version="2025-11-25"):
        self.ask("initialize", protocolVersion=version, capabilities=self.capabilities, clientInfo={"name": self.name, "version": "1"})
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return self

    def modern(self, method, meta=None, **params):
        about = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": self.capabilities,
                 "io.modelcontextprotocol/clientInfo": {"name": self.name, "version": "1"}}
        return self.ask(method, **params, _meta=about | (meta or {}))

    def tool(self, name, /, **arguments):
        return self.ask("tools/call", name=name, arguments=arguments)

    def good(self, name, /, **arguments):
        result = self.tool(name, **arguments)
        assert not result["isError"], (name, result["structuredContent"])
        return result["structuredContent"]

    def notified(self, method):
        with self.arrived:
            return [each["params"] for each in self.heard if each["method"] == method]

    def end(self):
        self.child.stdin.close()
        assert self.child.wait(5) == 0


@case("an agent finds a service, forwards it, gets its connection string and connects with it")
def finds_and_connects(bed):
    bed.start()
    agent = Agent(bed).hello()
    found = agent.good("find_services", query="web")["services"]
    assert any(each["service"] == "web" and each["namespace"] == "shop" for each in found), found
    added = agent.good("add_service", service="web.shop", timeout_s=30)
    assert added["ready"], added
    told = agent.good("get_connection_info", service="web.shop")
    with socket.create_connection((told["address"], told["ports"][0]["localPort"]), 10) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\nHost: web\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.")
    assert "web" in {name["hostname"] for name in agent.good("list_hostnames")["hostnames"]}
    agent.end()


@case("a subscription tells an agent of a pod that was killed, in both eras")
def told_of_a_pod(bed):
    daemon = bed.shop()
    old, new = Agent(bed).hello(), Agent(bed)
    uri = "fwd://services"
    old.ask("resources/subscribe", uri=uri)
    new.send({"jsonrpc": "2.0", "id": "listen", "method": "subscriptions/listen", "params": {
        "notifications": {"resourceSubscriptions": [uri]},
        "_meta": {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}}})
    until(10, "the listen is acknowledged", lambda: new.notified("notifications/subscriptions/acknowledged"))
    updated = "notifications/resources/updated"

    # The stream from the daemon opens a moment after the subscription, so the last pod goes and comes until it is heard.
    def kill():
        for replicas in (0, 1):
            bed.sim.ask("POST", "/faults", {"fault": "scale", "workload": "web", "replicas": replicas})
            until(10, "the daemon saw it", lambda: (daemon.services()["web.shop"]["status"] == "active") == bool(replicas))
        return all(any(each["uri"] == uri for each in agent.notified(updated)) for agent in (old, new))
    until(30, "both agents are told", kill, pause=0.5)
    assert new.notified(updated)[0]["_meta"]["io.modelcontextprotocol/subscriptionId"] == "listen"
    old.end()
    new.end()


@case("under --read-only nothing can be changed, and core shows fifteen tools")
def read_only(bed):
    bed.shop()
    agent = Agent(bed, "--read-only").hello()
    names = {tool["name"] for tool in agent.ask("tools/list")["tools"]}
    assert not names & {"add_service", "add_namespace", "remove_service", "remove_namespace", "reconnect_service"}, names
    agent.last += 1
    agent.send({"jsonrpc": "2.0", "id": agent.last, "method": "tools/call", "params": {"name": "remove_service", "arguments": {"service": "web"}}})
    until(5, "it is refused", lambda: agent.last in agent.answers)
    assert agent.answers[agent.last]["error"]["code"] == -32602
    agent.end()
    few = Agent(bed, "--toolsets", "core").hello()
    assert len(few.ask("tools/list")["tools"]) == 15
    few.end()


@case("a removal of what others forwarded is confirmed by a form, by input_required, and by a second call")
def confirms(bed):
    daemon = bed.start()
    other_one = Agent(bed, name="somebody").hello()
    other_one.good("add_namespace", namespace="shop", wait="none")
    until(20, "the shop is there", lambda: "web.shop" in daemon.services())
    other_one.end()
    accept = {"action": "accept", "content": {"confirm": True}}

    plain = Agent(bed).hello()
    asked = plain.good("remove_service", service="web.shop")
    assert asked["status"] == "confirmation_required" and "web.shop" in daemon.services(), asked
    assert plain.good("remove_service", service="web.shop", confirm_token=asked["confirm_token"])["status"] == "removed"
    again = plain.tool("remove_service", service="web.shop", confirm_token=asked["confirm_token"])
    assert again["isError"] and again["structuredContent"]["code"] == "confirmation_expired", again
    plain.end()

    asks = []
    form = Agent(bed, capabilities={"elicitation": {}}).hello()
    form.on_request = lambda message: asks.append(message) or {"action": "decline"}
    left = next(iter(daemon.services()))
    assert form.good("remove_service", service=left)["status"] == "declined"
    assert left in daemon.services() and asks[0]["method"] == "elicitation/create"
    form.on_request = lambda message: accept
    assert form.good("remove_service", service=left)["status"] == "removed"
    form.end()

    new = Agent(bed, capabilities={"elicitation": {}})
    left = next(iter(daemon.services()))
    call = {"name": "remove_service", "arguments": {"service": left}}
    first = new.modern("tools/call", **call)
    assert first["resultType"] == "input_required" and "confirm" in first["inputRequests"], first
    new.end()
    # The answer may reach another process.
    other = Agent(bed, capabilities={"elicitation": {}})
    done = other.modern("tools/call", **call, requestState=first["requestState"], inputResponses={"confirm": accept})
    assert done["structuredContent"]["status"] == "removed", done
    assert left not in daemon.services()
    other.end()

    firm = Agent(bed, "--confirm=deny").hello()
    refused = firm.tool("remove_namespace", namespace="shop")
    assert refused["isError"] and refused["structuredContent"]["code"] == "confirmation_denied", refused
    firm.end()


@case("an agent sees how far a namespace is, and each call tells the truth of its moment")
def progress_and_truth(bed):
    daemon = bed.start()
    agent = Agent(bed).hello()
    done = agent.ask("tools/call", name="add_namespace", arguments={"namespace": "shop", "timeout_s": 20}, _meta={"progressToken": "p"})
    assert done["structuredContent"]["count"] > 0, done
    told = agent.notified("notifications/progress")
    assert told and all(each["progressToken"] == "p" for each in told)
    numbers = [each["progress"] for each in told]
    assert numbers == sorted(set(numbers)), numbers
    daemon.stop()
    until(10, "the daemon is gone", lambda: agent.tool("get_health")["isError"])
    assert agent.tool("get_health")["structuredContent"]["code"] == "daemon_not_running"
    assert agent.ask("tools/list")["tools"]
    bed.start()
    assert agent.good("get_health")["status"] in ("ok", "degraded")
    agent.end()

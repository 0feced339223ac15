#!/usr/bin/env python3
"""Talks to `fwd mcp` in every version of MCP and holds each message that comes back against that version's JSON schema.

mcp_messages.py FWD [SCHEMAS]   by itself; SCHEMAS: a folder of VERSION.json (../shared/mcp-schema beside the repository)
"""

import json
import pathlib
import subprocess
import sys
import time

from mcp_exchange import SCHEMAS, Exchange, Schemas

LEGACY = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN = "2026-07-28"
CALLS = (("list_services", {}), ("list_services", {"limit": 1, "include_forwards": True}), ("list_services", {"limit": 0}),
         ("list_k8s_services", {"namespace": "shop"}), ("add_service", {"service": "web.shop", "wait": "none"}),
         ("get_connection_info", {"service": "web.shop"}), ("add_service", {"service": "Not A Name"}),
         ("remove_service", {"service": "nothing-like-it"}), ("get_service", {"service": "web.shop"}), ("find_services", {"query": "web"}),
         ("check_connection", {"service": "web.shop"}), ("explain_service", {"service": "web.shop"}), ("explain_service", {}), ("get_health", {}),
         ("get_quick_status", {}), ("get_analysis", {}), ("diagnose_errors", {}), ("get_metrics", {}), ("get_metrics", {"scope": "by_service"}),
         ("get_http_traffic", {"service": "web.shop"}), ("get_logs", {"count": 5}), ("get_history", {"type": "events"}), ("doctor", {}),
         ("list_hostnames", {}), ("export_env", {"format": "dotenv"}), ("reconnect_service", {"service": "web.shop"}), ("reconnect_all_errors", {}),
         ("sync_service", {"service": "web.shop"}), ("list_contexts", {}), ("list_k8s_namespaces", {}), ("list_ports", {"namespace": "shop", "service": "web"}),
         ("list_pods", {"namespace": "shop"}), ("get_pod", {"namespace": "shop", "pod": "deploy/web"}), ("get_pod_logs", {"namespace": "shop", "pod": "deploy/web"}),
         ("get_events", {"namespace": "shop"}), ("get_endpoints", {"namespace": "shop", "service": "web"}), ("add_namespace", {"namespace": "shop", "wait": "none"}),
         ("remove_namespace", {"namespace": "no-such-namespace"}))
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "schema check", "version": "1"}}
READS = ("fwd://status", "fwd://services", "fwd://forwards", "fwd://metrics", "fwd://summary", "fwd://errors", "fwd://contexts", "fwd://hostnames", "fwd://log")


class Bridge:
    """`fwd mcp`, by lines. Every line that it writes is one JSON object, or this fails."""

    def __init__(self, command, **options):
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
        self.last, self.exchange = 0, Exchange()

    def write(self, text):
        self.child.stdin.write((text if isinstance(text, bytes) else text.encode()) + b"\n")
        self.child.stdin.flush()

    def send(self, message):
        self.write(json.dumps(message))

    def tell(self, message):
        """Sends what is held to the protocol later."""
        self.send(self.exchange.add(message))

    def read(self):
        line = self.child.stdout.readline()
        assert line.endswith(b"\n"), f"the bridge ended: {line!r}"
        return json.loads(line)

    def ask(self, method, params=None, told=None, recorded=True):
        """The response; notifications before it go to `told`. `recorded`: kept, to be held to the protocol as a whole."""
        self.last += 1
        request = {"jsonrpc": "2.0", "id": self.last, "method": method} | ({} if params is None else {"params": params})
        self.send(request)
        if recorded:
            self.exchange.add(request)
        while True:
            message = self.read()
            if recorded:
                self.exchange.add(message)
            if message.get("id") == self.last and "method" not in message:
                return message
            if told is not None:
                told.append(message)

    def end(self):
        """Seconds from the end of input to the end of the process, which must be an orderly one."""
        self.child.stdin.close()
        started = time.monotonic()
        code = self.child.wait(10)
        assert code == 0, f"exit {code}"
        assert self.child.stdout.read() == b"", "something behind the last answer"
        return time.monotonic() - started


def check_tools(tools):
    import jsonschema
    for tool in tools:
        for which in ("inputSchema", "outputSchema"):
            if which in tool:
                jsonschema.Draft202012Validator.check_schema(tool[which])
                assert tool[which]["type"] == "object"


def check_call(schemas, tools, name, message):
    import jsonschema
    schemas.check(message, "JSONRPCResultResponse", "JSONRPCResponse")
    result = message["result"]
    schemas.check(result, "CallToolResult")
    published = next(tool for tool in tools if tool["name"] == name).get("outputSchema")
    if published and not result.get("isError"):
        jsonschema.Draft202012Validator(published).validate(result["structuredContent"])
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
    assert len(json.dumps(result.get("structuredContent", {}))) < 20000


def check_offers(schemas, ask, fits):
    """Resources, prompts and completion. A resource that cannot be read now is an error in the version's shape."""
    fits(ask("resources/list"), "ListResourcesResult")
    fits(ask("resources/templates/list"), "ListResourceTemplatesResult")
    for uri in READS:
        read = ask("resources/read", uri=uri)
        if "result" in read:
            fits(read, "ReadResourceResult")
        else:
            schemas.check(read, "JSONRPCErrorResponse", "JSONRPCError")
            assert read["error"]["data"]["next"] or read["error"]["data"]["code"], read
    missing = ask("resources/read", uri="fwd://nothing/of/ours")
    assert missing["error"]["data"]["uri"] == "fwd://nothing/of/ours"
    prompts = ask("prompts/list")
    fits(prompts, "ListPromptsResult")
    for prompt in prompts["result"]["prompts"]:
        given = {argument["name"]: "web" for argument in prompt.get("arguments", [])}
        fits(ask("prompts/get", name=prompt["name"], arguments=given), "GetPromptResult")
    fits(ask("completion/complete", ref={"type": "ref/prompt", "name": "debug_service"}, argument={"name": "service", "value": "w"}), "CompleteResult")


def check_legacy(start, version, folder=SCHEMAS):
    schemas = Schemas(version, folder)
    bridge = start()
    told = []
    first = bridge.ask("tools/list")
    schemas.check(first, "JSONRPCErrorResponse", "JSONRPCError")
    hello = bridge.ask("initialize", {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "schema check", "version": "1"}})
    schemas.check(hello, "JSONRPCResultResponse", "JSONRPCResponse")
    schemas.check(hello["result"], "InitializeResult")
    assert hello["result"]["protocolVersion"] == version
    bridge.tell({"jsonrpc": "2.0", "method": "notifications/initialized"})
    schemas.check(bridge.ask("ping")["result"], "EmptyResult")
    listed = bridge.ask("tools/list", {})
    schemas.check(listed["result"], "ListToolsResult")
    tools = listed["result"]["tools"]
    check_tools(tools)
    for name, arguments in CALLS:
        params = {"name": name, "arguments": arguments, "_meta": {"progressToken": f"token-{name}"}}
        check_call(schemas, tools, name, bridge.ask("tools/call", params, told))
    for message in told:
        schemas.check(message, "ProgressNotification")
    check_offers(schemas, lambda method, **params: bridge.ask(method, params), lambda message, name: schemas.check(message["result"], name))
    schemas.check(bridge.ask("resources/subscribe", {"uri": "fwd://status"})["result"], "EmptyResult")
    schemas.check(bridge.ask("resources/unsubscribe", {"uri": "fwd://status"})["result"], "EmptyResult")
    schemas.check(bridge.ask("logging/setLevel", {"level": "emergency"})["result"], "EmptyResult")
    for wrong in (bridge.ask("tools/call", {"name": "no_such_tool"}), bridge.ask("no/such/method"), bridge.ask("tools/list", {"cursor": "x"})):
        schemas.check(wrong, "JSONRPCErrorResponse", "JSONRPCError")
    batch = [{"jsonrpc": "2.0", "id": "b1", "method": "ping"}, {"jsonrpc": "2.0", "id": "b2", "method": "tools/list"}]
    bridge.write(json.dumps(batch))
    answer = bridge.read()
    if version == "2025-03-26":
        schemas.check(answer, "JSONRPCBatchResponse")
        assert {each["id"] for each in answer} == {"b1", "b2"}
    else:
        assert answer["error"]["code"] == -32600, answer
    return bridge.end()


def check_modern(start, folder=SCHEMAS):
    schemas = Schemas(MODERN, folder)
    bridge = start()
    about = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}

    def ask(method, told=None, meta=None, **params):
        return bridge.ask(method, params | {"_meta": about | (meta or {})}, told)

    listed = ask("tools/list")
    schemas.check(listed, "ListToolsResultResponse")
    tools = listed["result"]["tools"]
    check_tools(tools)
    schemas.check(ask("server/discover"), "DiscoverResultResponse")
    told = []
    for name, arguments in CALLS:
        message = ask("tools/call", told, {"progressToken": 7}, name=name, arguments=arguments)
        schemas.check(message, "CallToolResultResponse")
        check_call(schemas, tools, name, message)
    for message in told:
        schemas.check(message, "ProgressNotification")
    check_offers(schemas, ask, lambda message, name: schemas.check(message["result"], name))
    schemas.check(bridge.ask("tools/list", {"_meta": about | {"io.modelcontextprotocol/protocolVersion": "2027-01-01"}}), "UnsupportedProtocolVersionError")
    for wrong in (ask("ping"), ask("initialize"), bridge.ask("server/discover"), ask("tools/call", name="no_such_tool")):
        schemas.check(wrong, "JSONRPCErrorResponse")
    # A client that found the answer to server/discover too slow opens the old way, on the same process.
    Schemas("2025-11-25", folder).check(bridge.ask("initialize", HELLO)["result"], "InitializeResult")
    bridge.tell({"jsonrpc": "2.0", "id": "listen:0", "method": "subscriptions/listen", "params": {"_meta": about, "notifications": {"toolsListChanged": True}}})
    schemas.check(bridge.exchange.add(bridge.read()), "SubscriptionsAcknowledgedNotification")
    assert ask("tools/list")["result"]["tools"] == tools
    bridge.child.stdin.close()
    schemas.check(bridge.exchange.add(bridge.read()), "SubscriptionsListenResultResponse")
    schemas.check(bridge.exchange.add(bridge.read()), "CancelledNotification")
    assert bridge.child.wait(10) == 0


def check_garbage(start):
    """Nothing that comes in ends the bridge or breaks its stream."""
    bridge = start()
    for text, code in ((b"garbage", -32700), (b"\xff\xfe", -32700), (b"[]", -32600), (b'{"id":1}', -32600), (b"[" * 5000, -32700),
                       (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600), (b"[1]", -32600), (b"[[]]", -32600),
                       (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600), (b'"text"', -32600), (b"7", -32600), (b'{"jsonrpc":"2.0"', -32700)):
        bridge.write(text)
        answer = bridge.read()
        assert answer["error"]["code"] == code and "id" not in answer or answer.get("id") == 1, (text[:40], answer)
    bridge.write(b'{"pad":"' + b"x" * (9 * 1024 * 1024) + b'"}')
    assert bridge.read()["error"]["code"] == -32600
    for wrong in ({"cursor": "x"}, {"cursor": 7}, {"cursor": ""}):
        bridge.ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}})
        assert bridge.ask("tools/list", wrong)["error"]["code"] == -32602
    for unknown in ("no/such/method", "", "tools/call/", "__proto__", "x" * 5000):
        assert bridge.ask(unknown, {})["error"]["code"] == -32601, unknown
    for one in (0, "", -1, 2**53 - 1, "a" * 1000):
        bridge.send({"jsonrpc": "2.0", "id": one, "method": "ping"})
        answer = bridge.read()
        assert answer["id"] == one and type(answer["id"]) is type(one), answer
    for one in (None, 1.5, [], True):
        bridge.send({"jsonrpc": "2.0", "id": one, "method": "ping"})
        assert bridge.read()["error"]["code"] == -32600, one
    for number in range(100):
        bridge.send({"jsonrpc": "2.0", "id": f"many{number}", "method": "tools/call", "params": {"name": "get_health"}})
    answered = {bridge.read()["id"] for _ in range(100)}
    assert len(answered) == 100, "every call is answered, if only as busy"
    bridge.write(b"\r\n   \n")
    assert bridge.ask("ping")["result"] == {}
    # The end in the middle of a message, and with calls in flight.
    torn = start()
    torn.ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}})
    for number in range(64):
        torn.send({"jsonrpc": "2.0", "id": f"torn{number}", "method": "tools/call", "params": {"name": "get_health"}})
    torn.child.stdin.write(b'{"jsonrpc":"2.0","id":"half","meth')
    torn.child.stdin.close()
    started = time.monotonic()
    lines = torn.child.stdout.read().splitlines()
    assert torn.child.wait(10) == 0 and time.monotonic() - started < 10, "it waited for something"
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in lines)
    return bridge.end()


def main():
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else SCHEMAS
    start = lambda: Bridge([sys.argv[1], "mcp"])  # noqa: E731
    print(f"garbage: ended after {check_garbage(start) * 1000:.1f} ms")
    for version in LEGACY:
        print(f"{version}: ended after {check_legacy(start, version, folder) * 1000:.1f} ms")
    check_modern(start, folder)
    print(f"{MODERN}: ok")


if __name__ == "__main__":
    main()

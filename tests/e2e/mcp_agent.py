"""A scripted agent: an MCP client on a `fwd mcp` of its own."""

import json
import subprocess
import threading

from bed import UID
from mcp_exchange import MODERN, Exchange


class Agent:
    """One bridge process. Requests of the server are answered by `on_request`; what else comes is kept. What went over its connection
    is held to the protocol when it ends."""

    def __init__(self, bed, *arguments, capabilities=None, name="agent"):
        self.child = subprocess.Popen([bed.bin / "fwd", "mcp", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                      cwd=bed.home, env=bed.environment("user"), user=UID, group=UID, extra_groups=[])
        self.bed, self.exchange = bed, Exchange()
        self.last, self.answers, self.heard, self.on_request = 0, {}, [], None
        self.capabilities, self.name, self.arrived = capabilities or {}, name, threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.child.stdout:
            message = self.exchange.add(json.loads(line))
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
        self.exchange.add(message)
        self.child.stdin.write(json.dumps(message) + "\n")
        self.child.stdin.flush()

    def start(self, method, **params):
        """Sends a request; its number."""
        self.last += 1
        self.send({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params})
        return self.last

    def answer(self, number, method, seconds=60):
        with self.arrived:
            assert self.arrived.wait_for(lambda: number in self.answers, seconds), f"{method} was not answered"
        answer = self.answers.pop(number)
        assert "result" in answer, answer
        return answer["result"]

    def ask(self, method, seconds=60, **params):
        return self.answer(self.start(method, **params), method, seconds)

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
        self.reader.join(5)
        self.exchange.fits_schemas()
        self.exchange.fits_sdks(self.bed.dir)

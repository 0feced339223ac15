"""The terminal interface as a person sees it: every page and every key at every size, and what others do meanwhile."""

import json
import os
import signal
import subprocess

import screens
from bed import UID, case, connect, http_get, until
from tmux import Screen

SIZES = ((80, 24), (120, 40), (200, 60))
FIRST = "\u203a"


def every_page(screen, size):
    """From the services and back to them; db's pages and those that need no traffic."""
    def check(name):
        screens.check(screen, f"{name}-{size}")
    screen.press("Home", "NAME", "crashing", "? help")
    check("services")
    screen.keys("Space", "Space")
    screen.wait("choose none")
    check("services-chosen")
    screen.press("d", "Remove 2 services?")
    check("question")
    screen.keys("n", "Escape")
    screen.press("e", "WHAT IS WRONG", "crashing.shop", "CrashLoopBackOff", "no pod matches its selector")
    check("errors")
    screen.press("?", "WHAT EACH KEY DOES", "EVERYWHERE")
    check("help")
    screen.press("Escape", "WHAT IS WRONG")
    screen.press("f", "CONTEXTS", "current")
    check("contexts")
    screen.press("Enter", "NAMESPACES", "kube-system", "staging")
    check("namespaces")
    screen.press("G")
    screen.press("Enter", "SERVICES of staging", "api")
    check("browse")
    screen.press("Escape", "NAMESPACES")
    screen.press("Escape", "CONTEXTS")
    screen.press("Escape", "ADDRESS")
    screen.find("db.shop")
    check("services-filtered")
    screen.press("Enter", "CONNECT", "postgres", "db:5432")
    check("info")
    screen.press("Tab", "db.shop", "was made")
    check("timeline")
    screen.keys("Escape", "Escape")
    screen.wait("crashing")


def traffic_pages(screen, size):
    """The tabs of services that were used."""
    for service, tab, wanted in (("cart.shop", "http", "GET"), ("echo.shop", "connections", "echo-7d"), ("cart.shop", "pod-log", "as it writes")):
        screen.find(service)
        screen.press("Enter", "CONNECT")
        for _ in range({"http": 2, "connections": 3, "pod-log": 4}[tab]):
            screen.keys("Tab")
        screen.wait(wanted, "echo.shop.sim" if service == "echo.shop" else "cart.shop.sim")
        screens.check(screen, f"{tab}-{size}")
        screen.keys("Escape", "Escape")
        screen.wait("crashing")


@case("every page of the terminal interface at every size, whole", seconds=240)
def pages(bed):
    daemon = bed.shop(namespaces="shop,staging")
    # The reason begins with what the pod says; the cluster's events tell more soon after.
    until(30, "the probe's answer is told", lambda: "Unhealthy" in daemon.services()["never-ready.shop"]["reason"])
    screen = Screen(bed)
    screen.line("fwd tui")
    for width, height in SIZES:
        screen.resize(width, height)
        screen.wait("NAME", "ADDRESS", "crashing", "active", "? help")
        every_page(screen, f"{width}x{height}")
    for path in ("/", "/api/status", "/api/orders?page=2", "/status?code=404", "/status?code=503"):
        http_get("cart", 8080, path)
    with connect("echo", 7000) as held:
        held.sendall(b"there and back")
        assert held.recv(100) == b"there and back"
        screen.wait("crashing", seconds=30, without=("\u2193",))
        for width, height in SIZES:
            screen.resize(width, height)
            screen.wait("NAME", "crashing", "? help")
            traffic_pages(screen, f"{width}x{height}")
    screen.press("q", "ready$", without=("ADDRESS",))
    screen.end()


@case("the log page at every size: what happened before it was opened, and what happens")
def log_page(bed):
    daemon = bed.start()
    for name in ("cart", "crashing"):
        call_as(daemon, "claude-code/2.1; 5f", "POST", "/services", {"serviceName": name, "namespace": "shop", "wait": "listening"})
        until(15, f"{name} says how it is", lambda: daemon.services()[f"{name}.shop"]["status"] in ("active", "error"))
    screen = Screen(bed)
    screen.line("fwd tui")
    screen.wait("crashing", "error")
    screen.press("L", "cart.shop.sim is forwarded  by claude-code/2.1; 5f", "crashing.shop.sim")
    call_as(daemon, "claude-code/2.1; 5f", "DELETE", "/services/cart.shop.sim")
    screen.wait("cart.shop.sim is no longer forwarded  by claude-code/2.1; 5f")
    screen.keys("/")
    screen.line("forwarded")
    for width, height in SIZES:
        screen.resize(width, height)
        screens.check(screen, f"log-{width}x{height}")
    screen.end()


# Each key of a page: what is typed, what is seen then, what is not. `>x` is the text of the cursor's row.
KEYS = {
    "services": [
        ("j", ">api", ""), ("k", ">api", ""), ("Down", ">api", ""), ("Up", ">api", ""), ("G", ">web", ""), ("g", ">api", ""), ("End", ">web", ""),
        ("Home", ">api", ""), ("NPage", FIRST, ""), ("PPage", ">api", ""), ("C-f", FIRST, ""), ("C-b", ">api", ""), ("C-d", FIRST, ""), ("g", ">api", ""),
        ("s", "NAMESPACE\u25b2", ""), ("S", "NAMESPACE\u25bc", ""), ("s", "ADDRESS\u25b2", ""), ("s", "STATUS\u25b2", ""), ("g", ">crashing", ""),
        ("s", "PODS\u25b2", ""), ("s", "IN/s\u25b2", ""), ("s", "OUT/s\u25b2", ""), ("s", "NAME\u25b2", ""), ("g", ">api", ""),
        ("b", " IN ", "IN/s"), ("b", "IN/s", ""), ("c", "NAME", "PODS"), ("c", "PODS", ""),
        ("Space", "\u2713 api", ""), ("Space", "choose none", ""), ("Escape", "Enter open", "\u2713"), ("g", ">api", ""),
        ("d", "Remove api.", ""), ("n", "Enter open", "Remove"), ("d", "Remove api.", ""), ("Escape", "Enter open", "Remove"), ("DC", "Remove api.", ""), ("n", "Enter open", ""),
        ("y", "copied: api", ""), ("r", "reconnect", ""), ("R", "reconnect", ""),
        ("/", "/_", ""), ("c", "/c_", ""), ("a", "/ca_", ">api"), ("BSpace", "/c_", ""), ("C-u", "/_", ""), ("Escape", "Enter open", ""), ("g", ">api", ""),
        ("C-l", ">api", ""), ("Tab", "WHAT IS WRONG", ""), ("Tab", "WHAT HAPPENED", ""), ("Tab", "CONTEXTS", ""), ("BTab", "WHAT HAPPENED", ""),
        ("BTab", "WHAT IS WRONG", ""), ("BTab", "ADDRESS", ""), ("?", "WHAT EACH KEY DOES", ""), ("Escape", "ADDRESS", "")],
    "errors": [
        ("e", "WHAT IS WRONG", ""), ("j", ">empty", ""), ("k", ">crashing", ""), ("y", "copied: crashing", ""), ("r", "reconnect", ""), ("Enter", "CONNECT", ""),
        ("Escape", "WHAT IS WRONG", ""), ("d", "Remove crashing", ""), ("n", "Enter open", ""), ("Escape", "ADDRESS", "")],
    "log": [
        ("L", "as it happens", ""), ("Space", "stopped here", ""), ("/", "/_", ""), ("a", "/a_", ""), ("p", "/ap_", ""), ("i", "/api_", ""), ("Enter", "as it happens", ""),
        ("g", FIRST, ""), ("j", FIRST, ""), ("y", "copied: api", ""), ("Enter", "CONNECT", ""), ("Escape", "stopped here", ""),
        ("G", "as it happens", ""), ("/", "/api_", ""), ("z", "No line matches", ""), ("Enter", "/apiz", ""), ("Escape", "as it happens", "/apiz"), ("Escape", "ADDRESS", "")],
    "detail": [
        ("Enter", "CONNECT", ""), ("j", FIRST, ""), ("y", "there is nothing to copy", ""), ("Tab", "was made", ""), ("/", "/_", ""), ("#", "No line", ""), ("Escape", "was made", ""),
        ("y", "copied", ""), ("r", "reconnect", ""), ("d", "Remove api", ""), ("n", "Tab next", ""), ("Tab", "HTTP", ""), ("Tab", "No connection is open", ""),
        ("Tab", "as it writes", ""), ("Space", "stopped at line", ""), ("Right", "stopped at", "started"), ("Left", "started", ""), ("l", "stopped at", "started"), ("h", "started", ""),
        ("y", "copied", ""), ("/", "/_", ""), ("q", "/q_", ""), ("Escape", "started", ""), ("G", "started", ""), ("BTab", "No connection is open", ""), ("?", "WHAT EACH KEY DOES", ""),
        ("Escape", "No connection is open", ""), ("Escape", "ADDRESS", "")],
    "browse": [
        ("f", "current", ""), ("Right", "kube-system", ""), ("Left", "current", ""), ("l", "kube-system", ""), ("h", "current", ""), ("r", "current", ""), ("Enter", "kube-system", ""),
        ("Space", "\u2713", ""), ("Escape", "NAMESPACES", "\u2713"), ("/", "/_", ""), ("s", "/s_", ""), ("t", "/st_", ""), ("a", "staging", "kube-system"), ("Enter", "/sta", ""), ("Enter", "postgres:5432", ""),
        ("Space", "\u2713", ""), ("Escape", "SERVICES of", "\u2713"), ("Escape", "kube-system", ""), ("Escape", "current", ""), ("Escape", "ADDRESS", "")],
}


def press_all(screen, keys):
    for at, (key, seen, gone) in enumerate(keys):
        words = [w for w in (seen, gone) if w and not w.startswith(">")]
        screen.press(key, *[w for w in (seen,) if w and not w.startswith(">")], without=[w for w in (gone,) if w and not w.startswith(">")])
        if seen.startswith(">"):
            until(5, f"key {at} ({key}) of {words} brings the cursor to {seen[1:]}", lambda: seen[1:] in screen.cursor(), pause=0.05)


@case("every key of every page at every size", seconds=240)
def every_key(bed):
    bed.shop(namespaces="shop,staging")
    screen = Screen(bed)
    screen.line("fwd tui")
    for width, height in SIZES:
        screen.resize(width, height)
        screen.wait("NAME", "crashing", "? help")
        for page, keys in KEYS.items():
            screen.keys("g")
            press_all(screen, keys)
    screen.press("q", "ready$", without=("ADDRESS",))
    screen.end()


@case("the mouse: titles, columns, rows, a second click, the wheel; and none with --no-mouse")
def mouse(bed):
    bed.shop()
    screen = Screen(bed)
    screen.line("fwd tui")
    rows = screen.wait("NAME", "crashing", "? help").splitlines()
    y = next(at for at, line in enumerate(rows) if " echo " in line)
    screen.click(30, y)
    until(5, "a click puts the cursor on its row", lambda: "echo" in screen.cursor())
    screen.click(30, y)
    screen.wait("CONNECT", "echo.shop.sim")
    screen.click(screen.text().splitlines()[1].index("Timeline"), 1)
    screen.wait("was made")
    for title, words in (("Errors", "WHAT IS WRONG"), ("Log", "WHAT HAPPENED"), ("Browse", "CONTEXTS"), ("Help", "WHAT EACH KEY"), ("Services", "ADDRESS")):
        screen.click(screen.text().splitlines()[0].index(title), 0)
        screen.wait(words)
    screen.click(screen.text().splitlines()[1].index("STATUS"), 1)
    screen.wait("STATUS\u25b2")
    screen.click(0, 2)
    until(5, "a click puts the cursor on the first row", lambda: "crashing" in screen.cursor())
    screen.click(5, 5, button=65)
    until(5, "the wheel moves the cursor", lambda: screen.cursor() and "crashing" not in screen.cursor())
    screen.click(5, 5, button=64)
    until(5, "and back", lambda: "crashing" in screen.cursor())
    screen.bytes(b"\x1b[<0;999999;1M\x1b[<;;M\x1b[<0;0;0M")  # no place of this screen
    screen.press("q", "ready$", without=("ADDRESS",))
    screen.line("clear; fwd tui --no-mouse")
    screen.wait("crashing")
    assert screen.tmux("display-message", "-p", "-t", "main", "#{mouse_any_flag}").strip() == "0"
    screen.end()


def call_as(daemon, client, method, path, body=None):
    connection = daemon.connection()
    connection.request(method, f"/api/v1{path}", body and json.dumps(body), {"Content-Type": "application/json", "Fwd-Client": client})
    answer = connection.getresponse()
    assert answer.status < 300, answer.read()
    connection.close()


class Agent:
    """A client of `fwd mcp` on standard input and output."""

    def __init__(self, bed, name):
        self.process = subprocess.Popen([str(bed.bin / "fwd"), "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        cwd=bed.home, env=bed.environment("user"), user=UID, group=UID, extra_groups=[])
        self.last = 0
        self.ask("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": name, "version": "2.1"}})
        self.say({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def say(self, message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def ask(self, method, parameters):
        self.last += 1
        self.say({"jsonrpc": "2.0", "id": self.last, "method": method, "params": parameters})
        while (answer := json.loads(self.process.stdout.readline())).get("id") != self.last:
            pass
        return answer["result"]

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)


@case("what an agent does by MCP is seen as it happens, with its name")
def agent_is_seen(bed):
    daemon = bed.start()
    screen = Screen(bed, 120, 24)
    screen.line("fwd tui")
    screen.wait("Nothing is forwarded")
    agent = Agent(bed, "claude-code")
    agent.ask("tools/call", {"name": "add_service", "arguments": {"service": "web", "namespace": "shop"}})
    screen.wait("web ", "active", "by claude-code/2.1; ")
    screen.press("L", "web.shop.sim is forwarded  by claude-code/2.1; ")
    screen.press("Escape", "active")
    screen.press("Enter", "Asked by", "claude-code/2.1; ")
    screen.press("Escape", "active")
    screen.press("d", "Remove web.shop.sim?")
    screen.press("y", "Nothing is forwarded")
    assert daemon.services() == {}
    agent.end()
    screen.end()


@case("forwarding from the browser, choosing several, and reconnecting")
def browse_and_forward(bed):
    daemon = bed.start()
    screen = Screen(bed, 100, 30)
    screen.line("fwd tui")
    screen.wait("Nothing is forwarded")
    screen.press("f", "CONTEXTS")
    screen.press("Enter", "shop")
    screen.keys("/")
    screen.line("shop")
    screen.press("Enter", "SERVICES of shop", "cart")
    screen.keys("/")
    screen.line("ca")
    screen.wait("cache", "cart", without=("crashing",))
    screen.keys("Space", "Space", "Enter")
    until(10, "both are forwarded", lambda: set(daemon.services()) == {"cache.shop", "cart.shop"})
    screen.wait("forwarded")
    for _ in range(5):
        screen.keys("Escape")
    screen.wait("cache", "cart", "2/2 active")
    screen.press("r", "reconnect")
    screen.keys("Space", "Space", "d")
    screen.wait("Remove 2 services?")
    screen.press("y", "Nothing is forwarded")
    screen.end()


@case("a pod's log is followed from container to container and from pod to pod")
def follows_log(bed):
    bed.shop(services=["cart.shop"])
    screen = Screen(bed, 100, 24)
    screen.line("fwd tui")
    screen.wait("cart")
    screen.find("cart.shop")
    screen.press("Enter", "CONNECT")
    screen.press("BTab", "started", "as it writes")
    http_get("cart", 8080, "/hello")
    screen.wait("GET /hello")
    screen.press("Space", "stopped at line")
    http_get("cart", 8080, "/unseen")
    screen.press("k", "stopped at line 1 of")
    screen.press("G", "GET /unseen", "as it writes")
    bed.sim.ask("POST", "/faults", {"fault": "delete_pod", "service": "cart", "ms": 0})
    screen.wait("from here on pod cart-", "as it writes", seconds=30)
    http_get("cart", 8080, "/next-pod")
    screen.wait("GET /next-pod", "GET /unseen")
    screen.press("Escape", "/cart.shop")
    screen.end()


@case("a resize storm leaves a whole screen")
def storm(bed):
    bed.shop()
    screen = Screen(bed)
    screen.line("fwd tui")
    screen.wait("web")
    for step in range(60):
        screen.resize(40 + step * 7 % 120, 8 + step * 5 % 50)
    screen.resize(100, 30)
    text = screen.wait("NAME", "web", "? help")
    assert len(text.rstrip("\n").splitlines()) == 30, text
    screen.end()


@case("after kill -9 of the daemon the interface says so and takes up the next one")
def daemon_gone(bed):
    daemon = bed.shop()
    screen = Screen(bed, 120, 30)
    screen.line("fwd tui")
    screen.wait("web", "active")
    os.kill(daemon.engine, signal.SIGKILL)
    os.kill(daemon.agent, signal.SIGKILL)
    screen.wait("NO DAEMON", "The daemon is gone", "fwd start", "web")
    screens.draw(screen, "gone")
    bed.start()
    screen.wait("Nothing is forwarded", seconds=20, without=("NO DAEMON",))
    screen.end()

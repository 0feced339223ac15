"""What is measured. A scenario runs one tool once and gives figures; how rounds and tools are compared is not its business.

A scenario that shares the shop gets a Bench (tools are running, places known); one that starts everything itself says so by `own`.
"""

import concurrent.futures
import contextlib
import dataclasses
import http.client
import json
import socket
import subprocess
import threading
import time

from cluster import SHOP, Cluster
from processes import ENDS, Failed, Placement, cpu_seconds, memory, settle, wakeups


@dataclasses.dataclass
class Figure:
    """One column of the results. `budget` is the ratio to the peer that is promised, `limit` an absolute promise for our own."""
    unit: str
    better: str = "less"  # or "more"
    budget: float = None
    limit: float = None
    label: str = ""


@dataclasses.dataclass
class Scenario:
    id: str
    title: str
    figures: dict          # key to Figure; the first one is the headline
    run: object            # (bench, tool) -> {key: value}, or (bench, make_tool) where `own`
    own: bool = False
    quick: bool = False
    alone: bool = False    # for us only: nobody else has it, or it takes too long for them
    rounds: int = None     # instead of the run's


def load(bench, mode, tool, service, *arguments, more=(), seconds=60):
    """What fwd-bench-load found, as it printed it."""
    _, (address, port) = tool.of(service)
    command = [bench.build / "fwd-bench-load", mode, "--address", address, "--port", port, *arguments, *more]
    done = subprocess.run(Placement.of(ENDS, list(map(str, command))), capture_output=True, text=True, timeout=seconds)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise Failed((done.stdout + done.stderr).strip()[-300:] or f"fwd-bench-load {mode}: exit {done.returncode}") from None
    if done.returncode != 0:
        raise Failed(answer.get("error") or done.stdout.strip())
    return answer


def with_cpu(bench, tool, service, mode, *arguments):
    """(the load's answer, CPU seconds of the tool meanwhile)"""
    settle()
    processes, _ = tool.of(service)
    before = cpu_seconds(processes)
    answer = load(bench, mode, tool, service, *arguments)
    return answer, cpu_seconds(processes) - before


# --- bulk -------------------------------------------------------------------------------------------------------------


def bulk(mode, service, streams):
    def run(bench, tool):
        answer, used = with_cpu(bench, tool, service, mode, "--streams", streams, "--seconds", bench.options.seconds)
        return {"rate": answer["gb_per_s"], "cpu": used / (answer["bytes"] / 1e9), "busy": used / answer["seconds"]}
    return run


def bulk_figures(rate, cpu=None):
    return {"rate": Figure("GB/s", "more", budget=rate), "cpu": Figure("s/GB", budget=cpu, label="CPU"), "busy": Figure("cores", label="tool's core")}


# --- latency and connections ------------------------------------------------------------------------------------------


def latency(mode, service, requests):
    def run(bench, tool):
        settle()
        count = requests if not bench.options.delay_ms else max(50, requests // 40)
        answer = load(bench, mode, tool, service, "--requests", count)
        return {"p50": answer["p50_us"], "p99": answer["p99_us"]}
    return run


def under_bulk(bench, tool):
    """Keep-alive requests while another service of the same tool downloads as fast as it can."""
    settle()
    quiet = load(bench, "http-keepalive", tool, "web", "--requests", 1000)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        busy = pool.submit(load, bench, "down", tool, "source", "--streams", 1, "--seconds", 2.5)
        time.sleep(0.5)
        during = load(bench, "http-keepalive", tool, "web", "--requests", 300)
        busy.result()
    return {"p99": during["p99_us"], "times": during["p99_us"] / quiet["p99_us"]}


def connections(clients):
    def run(bench, tool):
        answer, used = with_cpu(bench, tool, "web", "connrate", "--clients", clients, "--seconds", bench.options.seconds)
        return {"rate": answer["per_s"], "p99": answer["p99_us"], "cpu": used / (answer["connections"] / 1000), "busy": used / answer["seconds"]}
    return run


# --- many services ----------------------------------------------------------------------------------------------------


def bulk_services(count):
    return {f"svc-{number:04}": 80 for number in range(count)}


def ask_all(tool, services, at_once=16):
    """One GET to each; seconds until the last had its answer."""
    def one(service):
        _, (address, port) = tool.of(service)
        connection = http.client.HTTPConnection(address, port, timeout=20)
        with contextlib.closing(connection):
            connection.request("GET", "/")
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise Failed(f"{service} answered {answer.status}")
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        try:
            list(pool.map(one, services))
        except OSError as failure:
            raise Failed(f"a service did not answer: {failure}") from None
    return time.monotonic() - begin


@contextlib.contextmanager
def own_cluster(bench, *arguments):
    place = bench.folder("cluster")
    cluster = Cluster(bench.build, place / "it", *arguments)
    try:
        yield cluster
    finally:
        cluster.stop()


@contextlib.contextmanager
def own_tool(bench, make, cluster, services):
    tool = make(bench.place(cluster, "bulk", services))
    try:
        yield tool
    finally:
        tool.stop()


def start(count):
    """From the start of the process until all services are there, and until each has answered once."""
    def run(bench, make):
        services = bulk_services(count)
        with own_cluster(bench, "--services", count) as cluster:
            begin = time.monotonic()
            with own_tool(bench, make, cluster, services) as tool:
                there = time.monotonic() - begin
                requests = cluster.counters()["requests_total"]
                return {"there": there, "answered": there + ask_all(tool, services), "requests": requests}
    return run


def mass(count):
    """Memory with nothing used, then with one used tunnel each; then what a quiet time costs."""
    def run(bench, make):
        services = bulk_services(count)
        with own_cluster(bench, "--services", count) as cluster, own_tool(bench, make, cluster, services) as tool:
            settle()
            idle = memory(tool.processes())
            ask_all(tool, services)
            settle()
            used = memory(tool.processes())
            seconds = bench.options.idle_seconds
            before, woken = cpu_seconds(tool.processes()), wakeups(tool.processes())
            time.sleep(seconds)
            return {"idle": idle["pss_mb"], "used": used["pss_mb"], "rss": used["rss_mb"], "threads": used["threads"], "descriptors": used["descriptors"],
                    "cpu": (cpu_seconds(tool.processes()) - before) / seconds * 100, "wakeups": (wakeups(tool.processes()) - woken) / seconds}
    return run


# --- calls ------------------------------------------------------------------------------------------------------------


def quantiles(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def rest_calls(bench, tool):
    """GET /status over one kept connection to the Unix socket."""
    channel = socket.socket(socket.AF_UNIX)
    channel.connect(str(tool.socket_path()))
    request = b"GET /api/v1/status HTTP/1.1\r\nHost: fwd\r\n\r\n"
    times = []
    for _ in range(2000):
        begin = time.perf_counter()
        channel.sendall(request)
        read_answer(channel)
        times.append((time.perf_counter() - begin) * 1e6)
    channel.close()
    p50, p99 = quantiles(times[100:])
    return {"p99": p99, "p50": p50}


def read_answer(channel):
    data = b""
    while b"\r\n\r\n" not in data:
        data += received(channel)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < length:
        body += received(channel)
    if not head.startswith(b"HTTP/1.1 200"):
        raise Failed(head.split(b"\r\n")[0].decode())
    return body


def received(channel):
    data = channel.recv(262144)
    if not data:
        raise Failed("the API closed the connection")
    return data


def mcp_calls(bench, tool):
    """tools/call of get_quick_status over stdio, beside the same REST call; and the first answer after a start."""
    starts = []
    for _ in range(5):
        begin = time.perf_counter()
        child = mcp_client(bench, tool)
        starts.append((time.perf_counter() - begin) * 1e3)
        times = []
        for number in range(500):
            begin = time.perf_counter()
            ask_mcp(child, {"jsonrpc": "2.0", "id": number + 10, "method": "tools/call", "params": {"name": "list_services", "arguments": {"limit": 1}}})
            times.append((time.perf_counter() - begin) * 1e6)
        child.stdin.close()
        child.wait(5)
    p50, p99 = quantiles(times[50:])
    return {"p50": p50, "p99": p99, "start": quantiles(starts)[0]}


def mcp_client(bench, tool):
    child = subprocess.Popen([bench.build / "fwd", "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**tool.env, "PATH": "/usr/bin:/bin"})
    ask_mcp(child, {"jsonrpc": "2.0", "id": 1, "method": "initialize",
                    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}})
    child.stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
    return child


def ask_mcp(child, message):
    child.stdin.write(json.dumps(message).encode() + b"\n")
    child.stdin.flush()
    answer = json.loads(child.stdout.readline())
    if "error" in answer or answer.get("result", {}).get("isError"):
        raise Failed(json.dumps(answer)[:300])
    return answer


# --- what goes wrong --------------------------------------------------------------------------------------------------


class Requests:
    """Twenty requests a second, each on a connection of its own; what came of each, with its time."""

    def __init__(self, place):
        self.place, self.results, self.going = place, [], True
        self.pool = concurrent.futures.ThreadPoolExecutor(64)
        self.thread = threading.Thread(target=self.drive)
        self.thread.start()

    def drive(self):
        while self.going:
            self.pool.submit(self.one)
            time.sleep(0.05)

    def one(self):
        begin = time.monotonic()
        try:
            connection = http.client.HTTPConnection(*self.place, timeout=15)
            with contextlib.closing(connection):
                connection.request("GET", "/")
                answer = connection.getresponse()
                answer.read()
                good = answer.status == 200
        except (OSError, http.client.HTTPException):
            good = False
        self.results.append((begin, time.monotonic(), good))

    def end(self):
        self.going = False
        self.thread.join()
        self.pool.shutdown()
        return sorted(self.results)


def pod_replaced(bench, make):
    """The only pod goes, its successor is Ready a second later: how long after Ready the first answer came, and what was lost."""
    with own_cluster(bench, "--ready-after-ms", 1000) as cluster:
        tool = make(bench.place(cluster, "shop", SHOP))
        try:
            def eligible():  # the pods that may be given connections
                return next(port["pods"] for port in cluster.ask("GET", "/truth")["ports"] if port["namespace"] == "shop" and port["service"] == "web")
            ask_all(tool, ["web"])
            requests = Requests(tool.of("web")[1])
            time.sleep(0.5)
            cluster.fault(fault="delete_pod", service="web", ms=0)
            gone = time.monotonic()
            while not eligible():
                time.sleep(0.002)
            ready = time.monotonic()
            time.sleep(1.5)
            results = requests.end()
        finally:
            tool.stop()
    after = [end for begin, end, good in results if good and end > gone + 0.5]
    return {"lost": sum(not good for _, _, good in results), "first": (min(after) - ready) * 1e3 if after else float("inf"), "asked": len(results)}


def stalled_reader(bench, tool):
    """A download that nobody reads; eight others on the same pod meanwhile, and again afterwards."""
    settle()
    _, (address, port) = tool.of("source")
    try:
        during = load(bench, "stall", tool, "web", more=("--stall-address", address, "--stall-port", port))
    except Failed as why:
        raise Failed(f"during the stall: {why}") from None
    return {"answered": during["answered"], "worst": during["worst_us"]}


def echo(bench, tool):
    answer = load(bench, "echo", tool, "echo", "--bytes", 64 * 1024 * 1024)
    if not answer["same"]:
        raise Failed("the bytes that came back are not those that were sent")
    return {"same": 1}


def every():
    """All of them, in the order in which they run."""
    up, down = bulk_figures(2.0, 0.48), bulk_figures(1.2, 0.78)
    p50 = lambda budget: {"p50": Figure("us", budget=budget), "p99": Figure("us", label="p99")}
    rate = {"rate": Figure("/s", "more", budget=5.0), "cpu": Figure("s/1000", label="CPU"), "p99": Figure("us", label="p99"),
            "busy": Figure("cores", label="tool's core")}
    made = [
        Scenario("X1", "64 MiB through an echo, compared", {"same": Figure("", "more")}, echo, quick=True, rounds=1),
        Scenario("B1", "upload, 1 stream", up, bulk("up", "sink", 1), quick=True),
        Scenario("B2", "download, 1 stream", down, bulk("down", "source", 1), quick=True),
        Scenario("B3", "upload, 8 streams", bulk_figures(2.0, 0.48), bulk("up", "sink", 8)),
        Scenario("B4", "download, 8 streams", bulk_figures(1.35, 0.78), bulk("down", "source", 8)),
        Scenario("B3x64", "upload, 64 streams", bulk_figures(None), bulk("up", "sink", 64)),
        Scenario("B4x64", "download, 64 streams", bulk_figures(None), bulk("down", "source", 64)),
        Scenario("L1", "HTTP keep-alive", p50(0.95), latency("http-keepalive", "web", 3000), quick=True),
        Scenario("L2", "HTTP, new connection", p50(0.40), latency("http-close", "web", 1000), quick=True),
        Scenario("L3", "HTTP keep-alive during a download", {"p99": Figure("us"), "times": Figure("x quiet", limit=3.0, label="times quiet")}, under_bulk),
        Scenario("C1", "connections, 16 clients", rate, connections(16), quick=True),
        Scenario("C1x64", "connections, 64 clients", {**rate, "rate": Figure("/s", "more")}, connections(64)),
        Scenario("H1", "a reader that stalls, eight others", {"answered": Figure("of 8", "more", limit=8), "worst": Figure("us", label="worst")}, stalled_reader),
        Scenario("R1", "the only pod replaced under 20 requests a second",
                 {"lost": Figure("requests", limit=0), "first": Figure("ms", limit=100, label="first answer after Ready")}, pod_replaced, own=True, rounds=3),
        Scenario("A1", "REST GET /status", {"p99": Figure("us", limit=250), "p50": Figure("us", label="p50")}, rest_calls, alone=True),
        Scenario("A2", "MCP tools/call", {"p50": Figure("us"), "p99": Figure("us", label="p99"), "start": Figure("ms", limit=20, label="first answer")},
                 mcp_calls, alone=True, rounds=1),
    ]
    start_figures = {"answered": Figure("s"), "there": Figure("s", label="listed"), "requests": Figure("requests", label="API requests")}
    for count, most in ((10, None), (100, None), (500, None), (1000, 3.0)):
        figures = {**start_figures, "answered": Figure("s", limit=most)}
        made.append(Scenario(f"S1x{count}", f"start with {count} services", figures, start(count), own=True, alone=count > 10, rounds=3))
    for count, idle, used, cpu in ((10, None, None, None), (100, None, None, None), (1000, 25.0, 90.0, 0.2)):
        figures = {"idle": Figure("MB", limit=idle), "used": Figure("MB", limit=used, label="used"), "cpu": Figure("% of a core", limit=cpu, label="CPU idle"),
                   "wakeups": Figure("/s", label="wake-ups"), "threads": Figure("", label="threads"), "descriptors": Figure("", label="descriptors")}
        made.append(Scenario(f"M1x{count}", f"{count} services at rest", figures, mass(count), own=True, alone=count > 10, rounds=1))
    return made

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
from processes import ENDS, TOOLS, Failed, Placement, Process, ahead, cpu_seconds, listening, memory, move, settle, wakeups


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
    far: bool = False      # through the delay proxy
    compare: bool = False  # once more with bytes through an echo beside it, which must come back as they were


def load(bench, mode, tool, service, *arguments, more=(), seconds=60, ahead=False):
    """What fwd-bench-load found, as it printed it."""
    _, (address, port) = tool.of(service)
    command = [bench.build / "fwd-bench-load", mode, "--address", address, "--port", port, *arguments, *more]
    done = subprocess.run(Placement.of(ENDS, list(map(str, command)), ahead=ahead), capture_output=True, text=True, timeout=seconds)
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
        answer = load(bench, mode, tool, service, "--requests", requests)
        return {"p50": answer["p50_us"], "p99": answer["p99_us"]}
    return run


def on_one_core(scenario):
    """The same with the tool on the core of the ends: no wake-up across cores hides what the software costs."""
    def run(bench, tool):
        move(tool.processes(), ENDS)
        try:
            return scenario(bench, tool)
        finally:
            move(tool.processes(), TOOLS)
    return run


# What a download that does not end is asked of a web server and of the source.
ENDLESS = "GET /big?bytes=1000000000000 HTTP/1.1\r\nHost: bench\r\n\r\n"


@contextlib.contextmanager
def download(bench, tool, service="source", first="\n", seconds=3.0):
    """Somebody downloads as fast as it goes, meanwhile."""
    _, (address, port) = tool.of(service)
    log = bench.folder("load") / "down"
    busy = Process("fwd-bench-load", ENDS, [bench.build / "fwd-bench-load", "down", "--address", address, "--port", port, "--streams", 1,
                                            "--seconds", seconds, "--first", first], log, behind=True)
    time.sleep(0.5)
    try:
        yield
        if not busy.alive():
            raise Failed("the download ended too early: " + busy.tail())
    finally:
        busy.stop()


def under_bulk(service, first="\n"):
    """Keep-alive requests while `service` of the same tool is downloaded from as fast as it goes."""
    def run(bench, tool):
        settle()
        quiet = load(bench, "http-keepalive", tool, "web", "--requests", 1000, ahead=True)
        with download(bench, tool, service, first, seconds=60):
            during = load(bench, "http-keepalive", tool, "web", "--requests", 300, ahead=True)
        return {"p99": during["p99_us"], "times": during["p99_us"] / quiet["p99_us"]}
    return run


def under_bulk_far(bench, tool):
    """A request takes 20 ms: fewer of them."""
    settle()
    quiet = load(bench, "http-keepalive", tool, "web", "--requests", 75, ahead=True)
    with download(bench, tool, seconds=60):
        during = load(bench, "http-keepalive", tool, "web", "--requests", 75, ahead=True)
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
            body = answer.read().decode()
            if answer.status != 200 or f"/{service}) at " not in body:
                raise Failed(f"{service} answered {answer.status}: {body[:200]}")
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


class StartWatch:
    """Watches, from outside, a tool that starts: when its last LIST was asked for, and when `count` more sockets listened."""

    def __init__(self, cluster, count):
        self.cluster, self.lists, self.listened, self.going = cluster, [], None, True
        self.wanted = listening((127, 9)) + count
        self.thread = threading.Thread(target=self.look)
        self.thread.start()

    def look(self):
        while self.going and self.listened is None:
            asked = self.cluster.counters()["requests"]
            self.lists.append((time.monotonic(), sum(count for what, count in asked.items() if what.startswith("list "))))
            if listening((127, 9)) >= self.wanted:
                self.listened = time.monotonic()

    def end(self):
        """Seconds from the last LIST's question until all listened."""
        self.going = False
        self.thread.join()
        if self.listened is None:
            return None
        asked = next(when for when, count in self.lists if count == self.lists[-1][1])
        return self.listened - asked


def start(count):
    """From the start of the process until all services are there, and until each has answered once."""
    def run(bench, make):
        services = bulk_services(count)
        with own_cluster(bench, "--services", count) as cluster:
            watch = StartWatch(cluster, count)
            begin = time.monotonic()
            try:
                with own_tool(bench, make, cluster, services) as tool:
                    there = time.monotonic() - begin
                    requests = cluster.counters()["requests_total"]
                    answered = there + ask_all(tool, services)
            finally:
                reach = watch.end()
            return {"there": there, "answered": answered, "requests": requests} | ({} if reach is None else {"reach": reach})
    return run


def mass(count):
    """Memory with nothing used, then with one used tunnel each."""
    def run(bench, make):
        services = bulk_services(count)
        with own_cluster(bench, "--services", count) as cluster, own_tool(bench, make, cluster, services) as tool:
            settle()
            idle = memory(tool.processes())
            ask_all(tool, services)
            settle()
            used = memory(tool.processes())
            return {"idle": idle["pss_mb"], "used": used["pss_mb"], "rss": used["rss_mb"], "threads": used["threads"], "descriptors": used["descriptors"]}
    return run


def quiet(count):
    """What a time costs in which nobody asks anything, with a used tunnel for each service."""
    def run(bench, make):
        services = bulk_services(count)
        with own_cluster(bench, "--services", count) as cluster, own_tool(bench, make, cluster, services) as tool:
            ask_all(tool, services)
            settle()
            seconds, begin, woken = bench.options.idle_seconds, cpu_seconds(tool.processes()), wakeups(tool.processes())
            time.sleep(seconds)
            return {"cpu": (cpu_seconds(tool.processes()) - begin) / seconds * 100, "wakeups": (wakeups(tool.processes()) - woken) / seconds}
    return run


# --- calls ------------------------------------------------------------------------------------------------------------


def quantiles(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def rest_channel(tool):
    channel = socket.socket(socket.AF_UNIX)
    channel.connect(str(tool.socket_path()))
    return channel


def rest_request(path):
    return f"GET /api/v1{path} HTTP/1.1\r\nHost: fwd\r\n\r\n".encode()


def rest_calls(bench, tool, path="/status", count=2000):
    """GETs over one kept connection to the Unix socket."""
    channel, request, times = rest_channel(tool), rest_request(path), []
    for _ in range(count):
        begin = time.perf_counter()
        channel.sendall(request)
        read_answer(channel)
        times.append((time.perf_counter() - begin) * 1e6)
    channel.close()
    p50, p99 = quantiles(times[count // 20:])
    return {"p99": p99, "p50": p50}


def rest_calls_under_bulk(bench, tool):
    with download(bench, tool, seconds=60), ahead():
        return rest_calls(bench, tool)


def rest_list(count):
    """The list of all forwards."""
    def run(bench, make):
        with own_cluster(bench, "--services", count) as cluster, own_tool(bench, make, cluster, bulk_services(count)) as tool:
            settle()
            return rest_calls(bench, tool, f"/forwards?limit={count}", 300)
    return run


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
    """tools/call of list_services over stdio, beside the REST call that it makes, on a kept connection as the bridge has it; and the first
    answer after a start."""
    starts, times, plain = [], [], []
    for _ in range(5):
        begin = time.perf_counter()
        child, channel = mcp_client(bench, tool), rest_channel(tool)
        starts.append((time.perf_counter() - begin) * 1e3)
        for number in range(200):
            begin = time.perf_counter()
            ask_mcp(child, {"jsonrpc": "2.0", "id": number + 10, "method": "tools/call", "params": {"name": "list_services", "arguments": {"limit": 1}}})
            between = time.perf_counter()
            channel.sendall(rest_request("/services?limit=1"))
            read_answer(channel)
            times.append((between - begin) * 1e6)
            plain.append((time.perf_counter() - between) * 1e6)
        channel.close()
        child.stdin.close()
        child.wait(5)
    p50, p99 = quantiles(times)
    return {"over": p50 - quantiles(plain)[0], "p50": p50, "p99": p99, "start": quantiles(starts)[0]}


def mcp_calls_under_bulk(bench, tool):
    with download(bench, tool, seconds=60):
        return mcp_calls(bench, tool)


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


def trouble(cause, seconds=1.5, arguments=()):
    """Twenty requests a second while `cause(cluster)` happens, which returns when it was over: from then the first good answer is
    counted. Lost is what was asked from its beginning on and not answered well."""
    def run(bench, make):
        with own_cluster(bench, *arguments) as cluster:
            tool = make(bench.place(cluster, "shop", {"web": SHOP["web"]}))
            try:
                ask_all(tool, ["web"])
                requests = Requests(tool.of("web")[1])
                try:
                    time.sleep(0.5)
                    begun = time.monotonic()
                    over = cause(cluster)
                    time.sleep(seconds)
                finally:
                    results = requests.end()
            finally:
                tool.stop()
        first = min((end for _, end, good in results if good and end > over), default=None)
        lost = sum(not good for begin, _, good in results if begin > begun)
        return {"lost": lost, "first": float("inf") if first is None else max(0.0, (first - over) * 1e3), "asked": len(results)}
    return run


def pod_replaced(cluster):
    """The only pod goes, its successor is Ready a second later."""
    cluster.fault(fault="delete_pod", service="web", ms=0)
    while not cluster.eligible("web"):
        time.sleep(0.002)
    return time.monotonic()


def tunnels_cut(cluster):
    cluster.fault(fault="drop", connections="tunnels")
    return time.monotonic()


def server_restarted(cluster):
    """Nothing listens for a second, and every connection is gone."""
    cluster.fault(fault="server_down", on=True)
    cluster.fault(fault="drop")
    time.sleep(1)
    cluster.fault(fault="server_down", on=False)
    return time.monotonic()


def stalled(first, *more):
    """A connection that stalls; eight others to the same pod and port meanwhile."""
    def run(bench, tool):
        settle()
        quiet = load(bench, "http-close", tool, "web", "--requests", 300, ahead=True)
        during = load(bench, "stall", tool, "web", "--first", first, *more, ahead=True)
        return {"answered": during["answered"], "worst": during["worst_us"], "times": during["worst_us"] / quiet["p99_us"]}
    return run


def echo(bench, tool, megabytes=64):
    answer = load(bench, "echo", tool, "echo", "--bytes", megabytes * 1024 * 1024)
    if not answer["same"]:
        raise Failed("the bytes that came back are not those that were sent")
    return {"same": 1}


def compared(scenario, bench, tool):
    """The scenario's load again, with random bytes through an echo beside it."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        beside = pool.submit(scenario.run, bench, tool)
        try:
            echo(bench, tool, megabytes=4)
        finally:
            beside.result()


def every():
    """All of them, in the order in which they run."""
    def p50(budget):
        return {"p50": Figure("us", budget=budget, label="p50"), "p99": Figure("us", label="p99")}

    def rate(budget=None):
        return {"rate": Figure("/s", "more", budget=budget), "cpu": Figure("s/1000", label="CPU"), "p99": Figure("us", label="p99"),
                "busy": Figure("cores", label="tool's core")}

    keep_alive, fresh = latency("http-keepalive", "web", 3000), latency("http-close", "web", 1000)
    beside = {"p99": Figure("us", label="p99"), "times": Figure("x quiet", limit=3.0, label="times quiet")}
    stall = {"answered": Figure("of 8", "more", limit=8), "worst": Figure("us", label="worst"), "times": Figure("x normal p99", limit=2.0, label="worst to p99")}
    lost = {"lost": Figure("requests", limit=0, label="lost"), "first": Figure("ms", limit=100, label="first answer after it")}
    made = [
        Scenario("X1", "64 MiB through an echo, compared", {"same": Figure("", "more")}, echo, quick=True, rounds=1),
        Scenario("B1", "upload, 1 stream", bulk_figures(2.0, 0.48), bulk("up", "sink", 1), quick=True, compare=True),
        Scenario("B2", "download, 1 stream", bulk_figures(1.2, 0.78), bulk("down", "source", 1), quick=True, compare=True),
        Scenario("B3", "upload, 8 streams", bulk_figures(2.0, 0.48), bulk("up", "sink", 8), compare=True),
        Scenario("B4", "download, 8 streams", bulk_figures(1.35, 0.78), bulk("down", "source", 8), compare=True),
        Scenario("B3x64", "upload, 64 streams", bulk_figures(None), bulk("up", "sink", 64), compare=True, rounds=3),
        Scenario("B4x64", "download, 64 streams", bulk_figures(None), bulk("down", "source", 64), compare=True, rounds=3),
        Scenario("L1", "HTTP keep-alive", p50(0.95), keep_alive, quick=True, compare=True),
        Scenario("L1core", "HTTP keep-alive, all on one core", p50(0.70), on_one_core(keep_alive), rounds=3),
        Scenario("L2", "HTTP, new connection", p50(0.40), fresh, quick=True, compare=True),
        Scenario("L2core", "HTTP, new connection, all on one core", p50(None), on_one_core(fresh), rounds=3),
        Scenario("L3", "HTTP keep-alive during a download from another pod", beside, under_bulk("source"), compare=True, rounds=3),
        Scenario("L3same", "HTTP keep-alive during a download from the same pod", {**beside, "times": Figure("x quiet", label="times quiet")},
                 under_bulk("web", ENDLESS), compare=True, rounds=3),
        Scenario("C1x1", "connections, 1 client", rate(), connections(1), rounds=3),
        Scenario("C1", "connections, 16 clients", rate(5.0), connections(16), quick=True, compare=True),
        Scenario("C1x64", "connections, 64 clients", rate(), connections(64), compare=True, rounds=3),
        Scenario("H1", "a reader that stalls, eight others to its pod", stall, stalled(ENDLESS), rounds=1),
        Scenario("H1w", "a pod that stops reading one of its connections, eight others", stall,
                 stalled("GET /slow?ms=60000 HTTP/1.1\r\nHost: bench\r\n\r\n", "--writes", 1), rounds=1),
        Scenario("A1", "REST GET /status", {"p99": Figure("us", limit=250, label="p99"), "p50": Figure("us", limit=80, label="p50")}, rest_calls,
                 alone=True, rounds=3),
        Scenario("A1bulk", "REST GET /status during a download", {"p99": Figure("us", limit=2000, label="p99"), "p50": Figure("us", label="p50")},
                 rest_calls_under_bulk, alone=True, rounds=3),
        Scenario("A2", "MCP tools/call", {"over": Figure("us", limit=120, label="p50 over its REST call"), "p50": Figure("us", label="p50"),
                                          "p99": Figure("us", limit=500, label="p99"), "start": Figure("ms", limit=20, label="first answer")}, mcp_calls, alone=True, rounds=3),
        Scenario("A2bulk", "MCP tools/call during a download", {"p50": Figure("us", label="p50"), "p99": Figure("us", limit=2000, label="p99")},
                 mcp_calls_under_bulk, alone=True, rounds=2),
        Scenario("L1far", "HTTP keep-alive, 20 ms to the API server", p50(None), latency("http-keepalive", "web", 75), far=True, rounds=3),
        Scenario("L2far", "HTTP, new connection, 20 ms to the API server", p50(0.35), latency("http-close", "web", 50), far=True, rounds=3),
        Scenario("L3far", "HTTP keep-alive during a download, 20 ms to the API server", {"p99": Figure("us", label="p99"), "times": Figure("x quiet", label="times quiet")},
                 under_bulk_far, far=True, rounds=3),
        Scenario("R1", "the only pod replaced under 20 requests a second", lost, trouble(pod_replaced, arguments=("--ready-after-ms", 1000)),
                 own=True, rounds=3),
        Scenario("R1cut", "all tunnels cut under 20 requests a second", lost, trouble(tunnels_cut), own=True, rounds=3),
        Scenario("R1api", "the API server gone for a second under 20 requests a second", {**lost, "first": Figure("ms", limit=1000, label="first answer after it")},
                 trouble(server_restarted), own=True, rounds=3),
    ]
    start_figures = {"answered": Figure("s", label="all answered"), "there": Figure("s", label="listed"), "requests": Figure("requests", label="API requests")}
    for count, most in ((10, None), (100, 0.5), (500, 1.5), (1000, 3.0)):
        figures = {**start_figures, "answered": Figure("s", limit=most, label="all answered")}
        if count == 1000:
            figures["reach"] = Figure("s", limit=0.1, label="all reachable after the last LIST")
        made.append(Scenario(f"S1x{count}", f"start with {count} services", figures, start(count), own=True, alone=count > 10, rounds=3))
    for count, idle, used in ((10, None, None), (100, None, None), (1000, 25.0, 90.0)):
        figures = {"idle": Figure("MB", limit=idle, label="nothing used"), "used": Figure("MB", limit=used, label="each used"), "threads": Figure("", label="threads"),
                   "descriptors": Figure("", label="descriptors")}
        made.append(Scenario(f"M1x{count}", f"{count} services in memory (PSS)", figures, mass(count), own=True, alone=count > 10, rounds=1))
    for count, cpu, wakes in ((10, None, None), (100, None, None), (1000, 0.2, 50.0)):
        figures = {"cpu": Figure("% of a core", limit=cpu, label="CPU"), "wakeups": Figure("/s", limit=wakes, label="wake-ups")}
        made.append(Scenario(f"I1x{count}", f"{count} services at rest, each with a tunnel", figures, quiet(count), own=True, alone=True, rounds=1))
    made.append(Scenario("A1x1000", "REST list of 1000 forwards", {"p99": Figure("us", limit=3000, label="p99"), "p50": Figure("us", label="p50")},
                         rest_list(1000), own=True, alone=True, rounds=1))
    return made

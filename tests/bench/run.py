#!/usr/bin/env python3
"""Compares fwd with kubectl port-forward on the simulated cluster, round by round, and prints ratios.

Sources and sinks run on core 0, the tool under test on core 1; the tools take turns within each round. What counts is the
median of the ratios of the rounds: absolute figures move by a factor of two between hours, ratios within one run by 5 %.
CPU is user and system time of the tool's processes. A tool that fails in a round has failed; nothing is left out silently.
"""

import argparse
import http.client
import json
import os
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PORTS = {"sink": 7001, "source": 7002, "echo": 7000, "web": 80}
TICKS = os.sysconf("SC_CLK_TCK")


class Missing(Exception):
    """Something the benchmark needs is not here."""


# --- processes ------------------------------------------------------------------------------------------------------


def pinned(core, command):
    """The command on one core, or as it is on a machine with a single one."""
    if Process.realtime:
        command = ["chrt", "-r", "5", *command]
    return ["taskset", "-c", str(core), *command] if core is not None and (os.cpu_count() or 1) > 1 else command


class Process:
    """A child with its log; ended by its own id only."""

    started = []
    realtime = False

    def __init__(self, name, command, log, env=None, **more):
        self.name, self.log = name, log
        with open(log, "wb") as out:
            self.child = subprocess.Popen(command, stdout=more.pop("stdout", out), stderr=out, stdin=subprocess.DEVNULL, env=env, **more)
        Process.started.append(self)

    def alive(self):
        return self.child.poll() is None

    def tail(self):
        return "\n".join(Path(self.log).read_text(errors="replace").splitlines()[-8:])

    def stop(self):
        if self.alive():
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()

    def family(self):
        """This process and its descendants."""
        found, open_ids = [], [self.child.pid]
        while open_ids:
            pid = open_ids.pop()
            found.append(pid)
            try:
                for task in Path(f"/proc/{pid}/task").iterdir():
                    open_ids += [int(word) for word in (task / "children").read_text().split()]
            except OSError:
                pass
        return found

    def cpu(self):
        """Seconds of user and system time so far."""
        total = 0.0
        for pid in self.family():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                total += (int(fields[11]) + int(fields[12])) / TICKS
            except OSError:
                pass
        return total

    def memory_mb(self):
        """Proportional memory (PSS), or resident where that is not told."""
        total = 0
        for pid in self.family():
            try:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
                total += int(re.search(r"^Pss:\s+(\d+)", rollup, re.M).group(1))
            except (OSError, AttributeError):
                pass
        return total / 1024


def wait_for(what, check, seconds=20.0, process=None):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = check()
        if got:
            return got
        if process and not process.alive():
            raise Missing(f"{process.name} ended while waiting for {what}:\n{process.tail()}")
        time.sleep(0.05)
    raise Missing(f"{what} did not come within {seconds:g} s" + (f":\n{process.tail()}" if process else ""))


# --- the tools ------------------------------------------------------------------------------------------------------


class Fwd:
    """One fwdd for all services."""

    name = "fwd"

    def __init__(self, build, work, kubeconfig, core, extra):
        state = work / "fwd-state"
        env = {**os.environ, "XDG_STATE_HOME": str(state), "XDG_CONFIG_HOME": str(work / "fwd-config"), "XDG_RUNTIME_DIR": str(work / "run")}
        for folder in (state, work / "fwd-config", work / "run"):
            folder.mkdir(mode=0o700)
        command = [str(build / "fwdd"), "svc", "-n", "shop", "--kubeconfig", str(kubeconfig), "--unprivileged", "--api-listen", "off",
                   "--address-base", "127.9.27.1", *extra]
        self.process = Process("fwdd", pinned(core, command), work / "fwdd.log", env)
        self.socket = lambda: next((str(path) for path in work.rglob("api.sock")), None)
        wait_for("fwdd's socket", self.socket, process=self.process)
        self.places = wait_for("fwdd's forwards", self.look_up, process=self.process)

    def look_up(self):
        try:
            channel = socket.socket(socket.AF_UNIX)
            channel.settimeout(5)
            channel.connect(self.socket())
            link = http.client.HTTPConnection("fwd")
            link.sock = channel
            link.request("GET", "/api/v1/forwards?limit=1000")
            body = json.loads(link.getresponse().read())
        except (OSError, ValueError, http.client.HTTPException):
            return None
        places = {}
        for forward in body.get("data", {}).get("forwards", []):
            name, pod_port = forward.get("serviceName"), str(forward.get("podPort"))
            if name in PORTS and pod_port in (str(PORTS[name]), "8080"):
                places[name] = (forward["localIP"], int(forward["localPort"]))
        return places if set(places) == set(PORTS) else None

    def of(self, service):
        return self.process, self.places[service]

    def processes(self):
        return [self.process]


class Kubectl:
    """kubectl port-forward, a process for each service."""

    def __init__(self, program, work, kubeconfig, core, name="kubectl", env=None):
        self.name, self.targets = name, {}
        for service, port in PORTS.items():
            command = [program, "--kubeconfig", str(kubeconfig), "-n", "shop", "port-forward", f"svc/{service}", f":{port}"]
            out = work / f"{name}-{service}.out"
            process = Process(f"{name} ({service})", pinned(core, command), work / f"{name}-{service}.log", {**os.environ, **(env or {})},
                              stdout=open(out, "wb"))
            self.targets[service] = (process, out)
        self.places = {}
        for service, (process, out) in self.targets.items():
            match = wait_for(f"kubectl's port for {service}", lambda: re.search(r"127\.0\.0\.1:(\d+)", out.read_text()), process=process)
            self.places[service] = ("127.0.0.1", int(match.group(1)))

    def of(self, service):
        return self.targets[service][0], self.places[service]

    def processes(self):
        return [process for process, _ in self.targets.values()]


# --- scenarios ------------------------------------------------------------------------------------------------------


class Scenario:
    """One kind of load. `better` tells whether a larger or a smaller figure wins; `figure` names it in the load's answer."""

    def __init__(self, name, service, arguments, figure, better="more", unit="", cpu_per=None):
        self.name, self.service, self.arguments = name, service, arguments
        self.figure, self.better, self.unit, self.cpu_per = figure, better, unit, cpu_per


def scenarios(options):
    seconds = ["--seconds", str(options.seconds)]
    every = [
        Scenario("upload, 1 stream", "sink", ["up", "--streams", "1", *seconds], "gb_per_s", unit="GB/s", cpu_per="bytes"),
        Scenario("download, 1 stream", "source", ["down", "--streams", "1", *seconds], "gb_per_s", unit="GB/s", cpu_per="bytes"),
        Scenario("new connections, 16 clients", "web", ["connrate", "--clients", "16", *seconds], "per_s", unit="/s", cpu_per="connections"),
    ]
    if options.delay_ms:
        return [Scenario("HTTP keep-alive, p50", "web", ["http-keepalive", "--requests", "50"], "p50_us", "less", "us"),
                Scenario("HTTP new connection, p50", "web", ["http-close", "--requests", "50"], "p50_us", "less", "us"),
                Scenario("new connections, 32 clients", "web", ["connrate", "--clients", "32", *seconds], "per_s", unit="/s", cpu_per="connections")]
    if options.quick:
        return every
    return every + [
        Scenario("upload, 8 streams", "sink", ["up", "--streams", "8", *seconds], "gb_per_s", unit="GB/s", cpu_per="bytes"),
        Scenario("download, 8 streams", "source", ["down", "--streams", "8", *seconds], "gb_per_s", unit="GB/s", cpu_per="bytes"),
        Scenario("ping, 1 byte, p50", "echo", ["ping", "--requests", "3000"], "p50_us", "less", "us"),
        Scenario("HTTP keep-alive, p50", "web", ["http-keepalive", "--requests", "3000"], "p50_us", "less", "us"),
        Scenario("HTTP new connection, p50", "web", ["http-close", "--requests", "1000"], "p50_us", "less", "us"),
        Scenario("HTTP new connection, p99", "web", ["http-close", "--requests", "1000"], "p99_us", "less", "us"),
    ]


def settle(seconds=8.0):
    """Waits until nobody works off an earlier run any more: kubectl goes on reading a download whose client has left."""
    end = time.monotonic() + seconds
    before = {process: process.cpu() for process in Process.started}
    while time.monotonic() < end:
        time.sleep(0.2)
        now = {process: process.cpu() for process in Process.started}
        if all(now[process] - before[process] <= 1 / TICKS for process in now):
            return
        before = now


def measure(options, tool, scenario):
    """One run: {"figure", "cpu"} or {"error"}."""
    process, (address, port) = tool.of(scenario.service)
    command = [str(options.build / "fwd-bench-load"), *scenario.arguments, "--address", address, "--port", str(port)]
    settle()
    before = process.cpu()
    done = subprocess.run(pinned(0 if options.pin else None, command), capture_output=True, text=True, timeout=60)
    used = process.cpu() - before
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = {"error": done.stdout + done.stderr}
    if done.returncode != 0 or not answer.get(scenario.figure):
        return {"error": answer.get("error") or f"{done.stdout.strip()} {done.stderr.strip()[-300:]}"}
    cpu = None
    if scenario.cpu_per == "bytes":
        cpu = used / (answer["bytes"] / 1e9)
    elif scenario.cpu_per == "connections":
        cpu = used / (answer["connections"] / 1000)
    return {"figure": answer[scenario.figure], "cpu": cpu, "busy": used / answer["seconds"]}


def spread(values):
    return f"{statistics.median(values):.4g} [{min(values):.4g}..{max(values):.4g}]"


def compare(options, scenario, ours, theirs):
    """All rounds of one scenario, tools in turn, the order turned each round."""
    runs = {ours.name: [], theirs.name: []}
    errors = []
    twice = []  # the same tool twice in a row, first and last: how much this hour's figures wander
    for number in range(options.rounds):
        order = [ours, theirs] if number % 2 == 0 else [theirs, ours]
        for tool in order:
            got = measure(options, tool, scenario)
            if "error" in got:
                errors.append(f"{scenario.name}, {tool.name}, round {number + 1}: {got['error']}")
            runs[tool.name].append(got)
        if number in (0, options.rounds - 1):
            again = measure(options, order[-1], scenario)
            if "figure" in again and "figure" in runs[order[-1].name][-1]:
                twice.append(again["figure"] / runs[order[-1].name][-1]["figure"])
    pairs = [(a, b) for a, b in zip(runs[ours.name], runs[theirs.name]) if "figure" in a and "figure" in b]
    row = {"scenario": scenario.name, "unit": scenario.unit, "better": scenario.better, "errors": errors, "runs": runs,
           "noisy": any(abs(ratio - 1) > 0.1 for ratio in twice)}
    if pairs:
        row["ratio"] = statistics.median(a["figure"] / b["figure"] for a, b in pairs)
        row["ours"], row["theirs"] = spread([a["figure"] for a, _ in pairs]), spread([b["figure"] for _, b in pairs])
        cpus = [(a["cpu"], b["cpu"]) for a, b in pairs if a["cpu"] is not None and b["cpu"]]
        if cpus:
            row["busy"] = {name: statistics.median(run["busy"] for run in of if "busy" in run) for name, of in runs.items()}
            row["cpu_ratio"] = statistics.median(a / b for a, b in cpus)
            row["cpu_ours"] = spread([a for a, _ in cpus])
            row["cpu_theirs"] = spread([b for _, b in cpus])
    return row


# --- the run --------------------------------------------------------------------------------------------------------


def kubectl_program():
    places = [os.environ.get("KUBECTL"), *map(str, (Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "fwd").rglob("kubectl")),
              shutil.which("kubectl")]
    for place in places:
        if place and os.access(place, os.X_OK) and Path(place).is_file():
            return place
    raise Missing("kubectl: not in $KUBECTL, not on PATH, not built by scripts/real_cluster.sh")


def facts(kubectl):
    def first_line(command):
        return subprocess.run(command, capture_output=True, text=True).stdout.strip().splitlines()[0]

    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "?")
    return {"cpu": f"{os.cpu_count()} x {model}", "kernel": platform.release(),
            "congestion": Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip(),
            "openssl": first_line(["openssl", "version"]), "kubectl": first_line([kubectl, "version", "--client"])}


def check_needs(options):
    for name in ("fwdd", "fwd-simcluster", "fwd-bench-load"):
        if not (options.build / name).exists():
            raise Missing(f"{options.build / name}: build it with scripts/bench.sh")
    if options.pin and not shutil.which("taskset"):
        raise Missing("taskset (package util-linux)")


def bound(row, ours):
    """Where our own process had time left, the ends were the limit, and the CPU ratio tells more than the rate."""
    if "busy" not in row or row["busy"][ours] > 0.9:
        return ""
    return f"   ({ours} used {row['busy'][ours]:.0%} of its core: the cluster and the load were the limit)"


def print_row(row, ours, theirs):
    print(f"\n{row['scenario']}" + ("   NOISY: the same tool twice differed by more than 10 %" if row["noisy"] else ""))
    if "ratio" in row:
        print(f"  {ours:<10}{row['ours']:>32} {row['unit']:<5}" + (f"  cpu {row['cpu_ours']}" if "cpu_ours" in row else ""))
        print(f"  {theirs:<10}{row['theirs']:>32} {row['unit']:<5}" + (f"  cpu {row['cpu_theirs']}" if "cpu_theirs" in row else ""))
        print(f"  ratio {row['ratio']:.2f}x" + (f", cpu {row['cpu_ratio']:.2f}x" if "cpu_ratio" in row else "") + bound(row, ours))
    for error in row["errors"]:
        print(f"  FAILED {error}")


def far_away(options, work, kubeconfig):
    """A kubeconfig whose server is reached through the delay proxy."""
    text = kubeconfig.read_text()
    port = re.search(r"server: https://127\.0\.0\.1:(\d+)", text).group(1)
    proxy = Process("fwd-bench-delay", pinned(0 if options.pin else None, [str(options.build / "fwd-bench-delay"), "--port", port, "--delay-ms",
                                                                          str(options.delay_ms / 2)]), work / "delay.err",
                    stdout=open(work / "delay.out", "wb"))
    ready = wait_for("the delay proxy", lambda: re.search(r"ready \S+:(\d+)", (work / "delay.out").read_text()), process=proxy)
    made = work / "kubeconfig-far"
    made.write_text(text.replace(f"https://127.0.0.1:{port}", f"https://127.0.0.1:{ready.group(1)}"))
    return made


def run(options, work):
    check_needs(options)
    kubectl = kubectl_program()
    cluster = work / "cluster"
    cluster.mkdir()
    sim = Process("fwd-simcluster", pinned(0 if options.pin else None, [str(options.build / "fwd-simcluster"), "--dir", str(cluster)]),
                  work / "simcluster.log")
    wait_for("the simulated cluster", lambda: "ready " in Path(sim.log).read_text(errors="replace"), process=sim)
    kubeconfig = far_away(options, work, cluster / "kubeconfig") if options.delay_ms else cluster / "kubeconfig"
    core = 1 if options.pin else None
    ours = Fwd(options.build, work, kubeconfig, core, options.fwd_flag)
    theirs = Kubectl(kubectl, work, kubeconfig, core)

    about = facts(kubectl)
    print("  ".join(f"{name}: {value}" for name, value in about.items()))
    print(f"{options.rounds} rounds, " + ("ends on core 0, tools on core 1" if options.pin else "not pinned") +
          "; median [least..most]; cpu in s/GB or s/1000 connections; ratio: median of the rounds' ratios, fwd to kubectl")
    for tool in (ours, theirs):  # tunnels open, caches warm
        for scenario in scenarios(options):
            measure(options, tool, scenario)
    rows = []
    for scenario in scenarios(options):
        row = compare(options, scenario, ours, theirs)
        print_row(row, ours.name, theirs.name)
        sys.stdout.flush()
        rows.append(row)
    memory = {tool.name: sum(process.memory_mb() for process in tool.processes()) for tool in (ours, theirs)}
    print("\nmemory (PSS): " + ", ".join(f"{name} {mb:.1f} MB" for name, mb in memory.items()) + " (fwd: every service of the shop, kubectl: four)")
    if options.json:
        Path(options.json).write_text(json.dumps({"about": about, "rows": rows, "memory_mb": memory}, indent=1))
    return verdict(options, rows)


def verdict(options, rows):
    failed = [error for row in rows for error in row["errors"]]
    upload = rows[0].get("ratio", 0)
    if failed:
        print(f"\nFAILED: {len(failed)} runs failed")
        return 1
    if options.delay_ms:
        print("\nok")
        return 0
    if upload < options.least_upload:
        print(f"\n{'NOISY' if rows[0]['noisy'] else 'FAILED'}: upload is {upload:.2f}x of kubectl's, wanted {options.least_upload:g}x")
        return 0 if rows[0]["noisy"] else 1
    print(f"\nok: upload is {upload:.2f}x of kubectl's (wanted {options.least_upload:g}x)")
    return 0


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--build", type=Path, default=Path("build-release"), help="folder of the programs")
    parse.add_argument("--quick", action="store_true", help="upload, download, new connections only")
    parse.add_argument("--rounds", type=int, default=7)
    parse.add_argument("--seconds", type=float, default=1.5, help="of each bulk run")
    parse.add_argument("--no-pin", dest="pin", action="store_false", help="let the scheduler place everything")
    parse.add_argument("--delay-ms", type=float, default=0, help="round trip to the API server, by the delay proxy; latencies only")
    parse.add_argument("--realtime", action="store_true", help="ahead of all other work on this machine (root; for one that is shared)")
    parse.add_argument("--least-upload", type=float, default=1.5, help="exit 1 below this ratio")
    parse.add_argument("--fwd-flag", action="append", default=[], help="a further flag for fwdd, e.g. --fwd-flag=--transport=spdy")
    parse.add_argument("--json", help="file for all figures")
    options = parse.parse_args()
    options.build = options.build.resolve()
    Process.realtime = options.realtime
    work = Path(tempfile.mkdtemp(prefix="fwd-bench-"))
    try:
        return run(options, work)
    except Missing as e:
        print(f"bench: {e}", file=sys.stderr)
        return 77
    finally:
        for process in reversed(Process.started):
            process.stop()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

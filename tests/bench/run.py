#!/usr/bin/env python3
"""Compares fwd with kubectl port-forward, and with other forwarders, on the simulated cluster, and prints figures and ratios.

Sources and sinks run on core 0, the tool under test on core 1; the tools take turns within each round. What counts is the median of the
ratios of the rounds. CPU is user and system time of the tool's processes. A tool that fails in a round has failed; nothing is left out
silently. Where one core has time left, the ends were the limit, and the CPU ratio tells more than the rate.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import adapters
import compare
import report
import scenarios
from cluster import SHOP, Cluster
from processes import Failed, Missing, Placement, Process


class Bench:
    """What scenarios need beside a tool."""

    def __init__(self, options, work):
        self.options, self.build, self.work, self.made = options, options.build, work, 0

    def folder(self, name):
        self.made += 1
        folder = self.work / f"{name}-{self.made}"
        folder.mkdir()
        return folder

    def place(self, cluster, namespace, services):
        """As adapters.Place wants it, but for name, program and flags, which each tool adds."""
        return {"work": self.folder("tool"), "kubeconfig": cluster.kubeconfig, "namespace": namespace, "services": services,
                "wait_seconds": 30 + len(services) / 2}


def maker(kind, name, program, flags):
    """Starts that tool in the place given by Bench.place()."""
    return lambda place: kind(adapters.Place(name=name, program=program, flags=flags, **place))


def kubectl_program():
    kept = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "fwd"
    for place in [os.environ.get("KUBECTL"), *map(str, sorted(kept.rglob("kubectl"))), shutil.which("kubectl")]:
        if place and os.access(place, os.X_OK) and Path(place).is_file():
            return place
    raise Missing("kubectl: not in $KUBECTL, not on PATH, not built by scripts/real_cluster.sh")


def tools_of(options):
    """{name: maker}, ours first."""
    programs = dict(word.split("=", 1) for word in options.tool)
    wanted = options.tools.split(",") + list(programs)
    if wanted[0] != "fwd":
        wanted.insert(0, "fwd")
    made = {}
    for name in dict.fromkeys(wanted):
        if name == "fwd":
            program, kind, flags = options.build / "fwdd", "fwd", options.fwd_flag
        elif name in ("kubectl", "kubectl-spdy"):
            program, kind, flags = kubectl_program(), "kubectl", ["--spdy"] if name == "kubectl-spdy" else []
        else:
            program, kind, flags = programs.get(name), name.split("-")[0], []
        if adapters.adapter(kind) is None:
            raise Missing(f"--tool {name}: there is no tests/bench/adapters/{kind}.py that says how it is started; there are: {', '.join(adapters.names())}")
        if not program or not shutil.which(str(program)):
            raise Missing(f"{name}: its program {program or ''} is not here; give it by --tool {name}=PROGRAM")
        made[name] = maker(adapters.adapter(kind), name, Path(shutil.which(str(program))), flags)
        made[name].isolated = adapters.adapter(kind).isolated
    return made


def facts(tools):
    def first_line(*command):
        return subprocess.run(command, capture_output=True, text=True).stdout.strip().splitlines()[0]

    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "?")
    about = {"cpu": f"{os.cpu_count()} x {model}", "kernel": platform.release(),
             "congestion control": Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip(), "openssl": first_line("openssl", "version")}
    if "kubectl" in tools or "kubectl-spdy" in tools:
        about["kubectl"] = first_line(kubectl_program(), "version", "--client").removeprefix("Client Version: ")
    about["date"] = first_line("date", "+%Y-%m-%d")
    return about


def isolate():
    """This run again in namespaces of its own, where the hosts file and lo may be changed."""
    if os.environ.get("FWD_BENCH_ISOLATED"):
        return
    if os.geteuid() != 0:
        raise Missing("one of the tools changes the hosts file and lo: run the benchmark as root, it takes namespaces of its own")
    setup = 'ip link set lo up && hosts=$(mktemp) && cat /etc/hosts >"$hosts" && mount --bind "$hosts" /etc/hosts && rm "$hosts"; exec "$@"'
    os.environ["FWD_BENCH_ISOLATED"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--net", "bash", "-c", setup, "bash", sys.executable, *sys.argv])


def chosen(options):
    wanted = options.scenario.split(",") if options.scenario else None
    found = []
    for scenario in scenarios.every():
        base = re.sub(r"(x\d+|far|core|same|bulk|cut|api|w)$", "", scenario.id)
        if wanted is not None:
            take = scenario.id in wanted or base in wanted
        else:
            take = scenario.quick or not options.quick
        if take:
            found.append(scenario)
    if not found:
        raise Missing(f"--scenario {options.scenario}: there are {', '.join(s.id for s in scenarios.every())}")
    return found


def check_record(readme):
    """Before the twenty minutes, not after them."""
    try:
        report.recorded_in(readme.read_text(), {}, [], ["fwd"])
    except (OSError, ValueError) as why:
        raise Missing(f"--record {readme}: {why}") from None


def run(options, work):
    if options.record:
        check_record(options.record)
    for name in ("fwdd", "fwd", "fwd-simcluster", "fwd-bench-load", "fwd-bench-delay"):
        if not (options.build / name).exists():
            raise Missing(f"{options.build / name}: build it with scripts/bench.sh")
    makers, picked = tools_of(options), chosen(options)
    if any(make.isolated for make in makers.values()):
        isolate()
    bench, about = Bench(options, work), facts(makers)
    print("\n".join(f"{name}: {value}" for name, value in about.items()))
    print(f"{options.rounds} rounds, " + ("ends on core 0, tools on core 1" if Placement.pin else "not pinned") +
          "; median [least..most]")
    shops = Shops(bench, makers)
    results = [measure(bench, scenario, shops, makers) for scenario in picked]
    return finish(options, about, results, list(makers))


class Shops:
    """All tools on one cluster, near or far, used once so that tunnels are open and caches warm; one of them at a time."""

    def __init__(self, bench, makers):
        self.bench, self.makers, self.far, self.running, self.cluster = bench, makers, None, {}, None

    def get(self, far):
        if self.far != far:
            self.close()
            self.cluster = Cluster(self.bench.build, self.bench.work / ("far" if far else "near"), delay_ms=self.bench.options.delay_ms if far else 0.0)
            self.running = {name: make(self.bench.place(self.cluster, "shop", SHOP)) for name, make in self.makers.items()}
            self.far = far
            for tool in self.running.values():
                scenarios.ask_all(tool, ["web"])
        return self.running

    def close(self):
        for tool in self.running.values():
            tool.stop()
        if self.cluster:
            self.cluster.stop()
        self.far, self.running, self.cluster = None, {}, None


def measure(bench, scenario, shops, makers):
    if scenario.own:
        shops.close()
    tools = makers if scenario.own else shops.get(scenario.far)
    if scenario.alone:
        tools = {"fwd": tools["fwd"]}
    rounds = min(scenario.rounds or bench.options.rounds, bench.options.rounds)
    result = compare.compare(scenario, bench, tools, rounds)
    report.print_result(result)
    sys.stdout.flush()
    return result


def finite(value):
    """As JSON can say it: what never came is null."""
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [finite(each) for each in value]
    return None if value == float("inf") else value


def finish(options, about, results, tools):
    table = report.markdown(about, results, tools)
    print("\n" + table)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.json").write_text(json.dumps(finite({"about": about, "results": results}), indent=1))
    try:
        written = report.charts(results, options.out)
    except ModuleNotFoundError as missing:
        written = [f"no charts: {missing} (scripts/deps.sh bench installs it)"]
    if options.record:
        record(options.record, options.out, about, results, tools, table, written)
    else:
        (options.out / "table.md").write_text(table)
    print("\n".join(map(str, [options.out, *written])))
    ours = [error for result in results for error in result["errors"] if error.startswith("fwd,")]
    missed = [f"{result['id']} {row['label'] or row['unit']}" for result in results for row in result["figures"].values() if row["met"] is False]
    print("\n" + (f"FAILED: {len(ours)} runs of fwd failed" if ours else "ok") + (f"; promises missed: {', '.join(missed)}" if missed else ""))
    return 1 if ours else 0


def record(readme, folder, about, results, tools, table, charts):
    """In the README, and as a page of its own beside the figures."""
    readme.write_text(report.recorded_in(readme.read_text(), about, results, tools))
    pictures = "".join(f"![{path.stem}]({path.name})\n" for path in charts if isinstance(path, Path))
    (folder / "README.md").write_text(f"# Measured\n\nBy `scripts/bench.sh`; [as JSON](results.json).\n\n{table}\n{pictures}")


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog="Exit: 0 measured, 1 a run of fwd failed, 77 something is missing.")
    parse.add_argument("--build", type=Path, default=Path("build-release"), help="folder of the programs")
    parse.add_argument("--quick", action="store_true", help="the commonest scenarios only, three short rounds")
    parse.add_argument("--tools", default="kubectl,kubectl-spdy", help="beside fwd; known: kubectl, kubectl-spdy (default: both)")
    parse.add_argument("--tool", action="append", default=[], metavar="NAME=PROGRAM", help="another forwarder, started as tests/bench/adapters/NAME.py says")
    parse.add_argument("--scenario", help="ids, by commas: B1 (one), S1 (all sizes of it)")
    parse.add_argument("--rounds", type=int, help="7, or 3 with --quick")
    parse.add_argument("--seconds", type=float, help="of each bulk run: 1.5, or 0.5 with --quick")
    parse.add_argument("--idle-seconds", type=float, default=60, help="of quiet time in I1")
    parse.add_argument("--no-pin", dest="pin", action="store_false", help="let the scheduler place everything")
    parse.add_argument("--delay-ms", type=float, default=20, help="round trip to the API server in the scenarios called far")
    parse.add_argument("--realtime", action="store_true", help="ahead of all other work on this machine (root; for one that is shared)")
    parse.add_argument("--fwd-flag", action="append", default=[], help="a further flag for fwdd, e.g. --fwd-flag=--transport=spdy")
    parse.add_argument("--out", type=Path, help="folder for results.json, table.md and the charts of how costs grow (default: BUILD/bench)")
    parse.add_argument("--record", type=Path, metavar="README.md", help="put the headlines between its benchmark marks, and a page into --out")
    options = parse.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 7)
    options.seconds = options.seconds or (0.5 if options.quick else 1.5)
    options.build = options.build.resolve()
    options.out = options.out or options.build / "bench"
    Placement.pin, Placement.realtime = options.pin and shutil.which("taskset"), options.realtime
    work = Path(tempfile.mkdtemp(prefix="fwd-bench-"))
    try:
        return run(options, work)
    except (Missing, Failed) as e:
        print(f"bench: {e}", file=sys.stderr)
        return 77 if isinstance(e, Missing) else 1
    finally:
        for process in reversed(list(Process.started)):
            process.stop()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

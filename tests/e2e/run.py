#!/usr/bin/env python3
"""Runs the cases of this folder, each in mount, network and process namespaces of its own, and counts them.

run.py --programs DIR [--full] [--only sim|real] [--jobs N] [--list] [PATTERN...]

A case is a function marked with @case; its title is its name. It gets a Bed (bed.py). On the simulated cluster N cases run
side by side, those marked `alone` afterwards; on the real cluster, in whose network namespace they run, one after the other.
A PATTERN is part of a case's name or of its file's; all of them have to fit. Needs root. The last line is `N passed, N failed, N skipped`.
"""

import argparse
import concurrent.futures
import importlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
sys.path.insert(0, str(HERE))
import bed  # noqa: E402


def cases(options):
    for path in sorted(HERE.glob("test_*.py")):
        importlib.import_module(path.stem)
    for case in bed.cases:
        for cluster in case.on:
            name = f"{cluster}: {case.title}"
            searched = f"{name} {case.function.__module__}"
            if options.only in (None, cluster) and (options.full or not case.full) and all(p in searched for p in options.patterns):
                yield name, cluster, case


def place_of(case):
    """What the case is found by again: two files may have functions of one name."""
    return f"{case.function.__module__}.{case.function.__name__}"


def command_of(cluster, arguments):
    """In fresh namespaces: what the case starts ends with it, whatever it does."""
    inner = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, __file__, *arguments]
    if cluster == "real":
        return ["nsenter", "--net=/run/netns/fwd-cluster", *inner]
    return [inner[0], "--net", *inner[1:]]


def run_case(name, cluster, case, options):
    folder = tempfile.mkdtemp(prefix="fwd-e2e-")
    arguments = ["--inside", place_of(case), "--cluster", cluster, "--dir", folder, "--programs", options.programs]
    log = open(os.path.join(tempfile.gettempdir(), os.path.basename(folder) + ".log"), "w+")
    started = time.monotonic()
    child = subprocess.Popen(command_of(cluster, arguments + (["--full"] if options.full else [])), stdin=subprocess.DEVNULL,
                             stdout=log, stderr=log, start_new_session=True)
    try:
        status = child.wait(case.seconds * (5 if options.full else 1))
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
        child.wait()
        status = "time"
    seconds = time.monotonic() - started
    log.seek(0)
    text = log.read()
    log.close()
    os.unlink(log.name)
    shutil.rmtree(folder, ignore_errors=True)
    if status == 0:
        figures = "".join(f"        {line}\n" for line in text.splitlines() if line.startswith("figure: "))
        print(f"ok      {name} ({seconds:.1f} s)\n{figures}", end="", flush=True)
        return "passed"
    if status == bed.SKIPPED:
        print(f"skipped {name}: {text.strip().splitlines()[-1] if text.strip() else ''}", flush=True)
        return "skipped"
    print(f"FAILED  {name} ({seconds:.1f} s{', out of time' if status == 'time' else ''})\n" + "".join(f"    {line}\n" for line in text.splitlines()[-70:]),
          flush=True)
    return "failed"


def inside(options):
    """In the case's namespaces: makes the bed, runs the case, says how it went."""
    for path in sorted(HERE.glob("test_*.py")):
        importlib.import_module(path.stem)
    function = next(c.function for c in bed.cases if place_of(c) == options.inside)
    place = bed.Bed(pathlib.Path(options.dir), options.programs, options.cluster, options.full)
    try:
        function(place)
        place.end()
        said = place.sanitizers_said()
        assert not said, "\n".join(said[:20])
        status = 0
    except bed.Skip as why:
        print(why)
        status = bed.SKIPPED
    except BaseException:  # whatever went wrong, the logs of the programs tell why
        traceback.print_exc()
        print(place.logs())
        status = 1
    place.end()
    sys.stdout.flush()
    os._exit(status)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", choices=["sim", "real"])
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--inside")
    parser.add_argument("--cluster")
    parser.add_argument("--dir")
    parser.add_argument("patterns", nargs="*")
    options = parser.parse_args()
    options.programs = os.path.abspath(options.programs)
    if options.inside:
        return inside(options)
    wanted = list(cases(options))
    if options.list:
        return print("\n".join(name for name, _, _ in wanted))
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    unable = {}
    if os.getuid() != 0:
        unable = {"sim": "missing: root", "real": "missing: root"}
    elif any(cluster == "real" for _, cluster, _ in wanted):
        up = subprocess.run([REPOSITORY / "scripts/real_cluster.sh", "up"], capture_output=True, text=True)
        if up.returncode == 77:
            unable["real"] = up.stderr.strip()
        elif up.returncode != 0:
            print(f"FAILED  real: the cluster starts\n{up.stdout[-2000:]}{up.stderr[-4000:]}")
            counts["failed"] += 1
            unable["real"] = "the cluster did not start"
    able = [one for one in wanted if one[1] not in unable]
    for name, cluster, _ in wanted:
        if cluster in unable:
            print(f"skipped {name}: {unable[cluster]}", flush=True)
            counts["skipped"] += 1
    together = [one for one in able if one[1] == "sim" and not one[2].alone]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        # The longest first, so that none is left for the end.
        for how in pool.map(lambda one: run_case(*one, options), sorted(together, key=lambda one: -one[2].seconds)):
            counts[how] += 1
    for one in able:
        if one not in together:
            counts[run_case(*one, options)] += 1
    if any(cluster == "real" for _, cluster, _ in wanted) and "real" not in unable and not os.environ.get("FWD_KEEP_CLUSTER"):
        subprocess.run([REPOSITORY / "scripts/real_cluster.sh", "down"], capture_output=True)
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    sys.exit(counts["failed"] > 0)


if __name__ == "__main__":
    main()

"""The programs under test as processes: started, watched, ended by their own ids; what they cost, from /proc."""

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class Missing(Exception):
    """Something the benchmark needs is not here."""


class Failed(Exception):
    """A tool did not do what was asked of it: it has failed, and is not left out."""


class Placement:
    """Which core a program gets, and whether it goes ahead of other work on this machine."""

    pin, realtime = True, False

    @classmethod
    def of(cls, core, command, ahead=False, behind=False):
        """`ahead`: who measures waiting times must not itself wait for a core that others fill (as root; else it does). `behind`: who only
        makes load leaves the core to everybody else."""
        if cls.realtime or (ahead and os.geteuid() == 0):
            command = ["chrt", "-r", "5", *command]
        elif behind:
            command = ["nice", "-n", "19", *command]
        return ["taskset", "-c", str(core), *command] if cls.pin and (os.cpu_count() or 1) > 1 else command


ENDS, TOOLS = 0, 1  # sources and sinks on one core, the tool under test on the other


@contextlib.contextmanager
def ahead():
    """This thread, which measures waiting times, ahead of all others on the ends' core; what it starts is not."""
    before, cores = os.sched_getscheduler(0), os.sched_getaffinity(0)
    if Placement.pin and len(cores) > 1:
        os.sched_setaffinity(0, {ENDS})
    if os.geteuid() == 0:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(5))
    try:
        yield
    finally:
        if os.geteuid() == 0:
            os.sched_setscheduler(0, before, os.sched_param(0))
        os.sched_setaffinity(0, cores)


class Process:
    started = []

    def __init__(self, name, core, command, log, env=None, stdout=None, behind=False):
        self.name, self.log = name, Path(log)
        with open(log, "wb") as errors, open(stdout or log, "ab") as out:
            self.child = subprocess.Popen(Placement.of(core, list(map(str, command)), behind=behind), stdout=out, stderr=errors, stdin=subprocess.DEVNULL,
                                          env={**os.environ, **(env or {})})
        Process.started.append(self)

    def alive(self):
        return self.child.poll() is None

    def tail(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])

    def stop(self):
        if self in Process.started:
            Process.started.remove(self)
        if self.alive():
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()

    def family(self):
        """This process and its descendants."""
        found, to_see = [], [self.child.pid]
        while to_see:
            pid = to_see.pop()
            found.append(pid)
            for task in tasks_of(pid):
                try:
                    to_see += [int(word) for word in (task / "children").read_text().split()]
                except OSError:
                    continue  # it ended meanwhile
        return found


def tasks_of(pid):
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


def text_of(path):
    """Of a file in /proc, empty when its process has ended."""
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


def number(pattern, text):
    found = re.search(pattern, text, re.M)
    return int(found.group(1)) if found else 0


def pids_of(processes):
    return [pid for process in processes for pid in process.family()]


def cpu_seconds(processes):
    """User and system time so far."""
    total = 0.0
    for pid in pids_of(processes):
        fields = text_of(f"/proc/{pid}/stat").rpartition(")")[2].split()
        if fields:
            total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def memory(processes):
    """{pss_mb, rss_mb, threads, descriptors}"""
    pids = pids_of(processes)
    rollups = [text_of(f"/proc/{pid}/smaps_rollup") for pid in pids]
    return {"pss_mb": sum(number(r"^Pss:\s+(\d+)", text) for text in rollups) / 1024,
            "rss_mb": sum(number(r"^Rss:\s+(\d+)", text) for text in rollups) / 1024,
            "threads": sum(len(tasks_of(pid)) for pid in pids), "descriptors": sum(map(descriptors_of, pids))}


def descriptors_of(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def move(processes, core):
    """All threads of them to that core."""
    for pid in pids_of(processes):
        for task in tasks_of(pid):
            try:
                os.sched_setaffinity(int(task.name), {core})
            except OSError:
                continue  # it ended meanwhile


def listening(network):
    """How many sockets of addresses like 127.9.* listen; `network` is (127, 9). Of /proc/net/tcp, where they come first."""
    ends = "".join(f"{byte:02X}" for byte in reversed(network)) + ":"
    count = 0
    with open("/proc/net/tcp") as table:
        next(table)
        for line in table:
            _, local, _, state, *_ = line.split(None, 4)
            if state != "0A":
                break
            count += local[4:9] == ends
    return count


def wakeups(processes):
    """How often its threads went to sleep by themselves, so far."""
    return sum(number(r"^voluntary_ctxt_switches:\s+(\d+)", text_of(task / "status")) for pid in pids_of(processes) for task in tasks_of(pid))


def wait_for(what, check, seconds=20.0, process=None, pause=0.02):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if got := check():
            return got
        if process and not process.alive():
            raise Failed(f"{process.name} ended while waiting for {what}:\n{process.tail()}")
        time.sleep(pause)
    raise Failed(f"{what} did not come within {seconds:g} s" + (f":\n{process.tail()}" if process else ""))


def settle(seconds=8.0):
    """Waits until nobody works off an earlier run any more: kubectl goes on reading a download whose client has left."""
    end = time.monotonic() + seconds
    before = {process: cpu_seconds([process]) for process in Process.started}
    while time.monotonic() < end:
        time.sleep(0.2)
        now = {process: cpu_seconds([process]) for process in Process.started}
        if all(now[process] - before[process] <= 1 / TICKS for process in now):
            return
        before = now

#!/usr/bin/env python3
"""kill -9 at seeded moments of start, change and stop: crash.py [--seed N] [--moments M] [--programs DIR]

For each moment the engine, the agent or both are killed. After the engine alone, the agent has the machine as it was within a
second; after the agent or both, routes are gone at once, and the next start or `fwd cleanup` has the rest. The hosts file must be byte for byte
what it was, and no lo:fwd address may be left. Runs in mount, network and process namespaces of its own. Needs root.
"""

import argparse
import contextlib
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import bed as beds  # noqa: E402

HOSTS = "/etc/hosts"
CONTENTS = [
    b"127.0.0.1 localhost\n::1 localhost\n# mine\n10.0.0.1 box\n",
    b"127.0.0.1 localhost\r\n# with carriage returns\r\n10.0.0.1\tbox\r\n",
    b"127.0.0.1 localhost\n10.0.0.1 no-final-newline",
    b"# comment at the end\n127.0.0.1 localhost\n\n\n#",
]
FIRST = "127.1.27.1"


class Moment:
    """One seeded choice of everything."""

    def __init__(self, seed):
        chance = random.Random(seed)
        self.seed = seed
        self.victim = chance.choice(["engine", "agent", "both"])
        self.phase = chance.choice(["start", "start", "change", "stop"])
        self.delay = {"start": chance.uniform(0, 0.6), "change": chance.uniform(0, 0.25), "stop": chance.uniform(0, 0.08)}[self.phase]
        self.content = chance.choice(CONTENTS)
        self.shape = chance.choice(["plain", "plain", "symlink", "mount"])
        self.repair = chance.choice(["start", "cleanup"])

    def __str__(self):
        return f"seed {self.seed}: {self.victim} {self.delay * 1000:.0f} ms into {self.phase}, hosts {self.shape}, then {self.repair}"


@contextlib.contextmanager
def hosts_as(moment, bed):
    """The hosts file in the shape that the moment asks for."""
    target = pathlib.Path("/etc/hosts.target")
    pathlib.Path(HOSTS).unlink(missing_ok=True)
    if moment.shape == "symlink":
        target.write_bytes(moment.content)
        os.symlink(target, HOSTS)
    else:
        pathlib.Path(HOSTS).write_bytes(moment.content)
    if moment.shape == "mount":
        mounted = bed.dir / "hosts-mounted"
        mounted.write_bytes(moment.content)
        beds.run("mount", "--bind", mounted, HOSTS)
    try:
        yield
    finally:
        if moment.shape == "mount":
            beds.run("umount", HOSTS)


def read():
    with open(HOSTS, "rb") as file:
        return file.read()


def clean(moment):
    """Whether the machine is as it was."""
    now = read()
    assert now == moment.content, f"hosts has {now!r} instead of {moment.content!r}"
    assert not beds.lo_labels(), beds.lo_labels()
    return True


def kill(pid):
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def routed():
    """Whether somebody still accepts for the first service."""
    try:
        socket.create_connection((FIRST, 80), 0.5).close()
        return True
    except OSError:
        return False


def change(daemon):
    """One change that touches hosts file, addresses and routes."""
    try:
        daemon.request("DELETE", "/api/v1/namespaces/staging.sim", seconds=1)
        daemon.request("POST", "/api/v1/namespaces", {"namespace": "staging"}, seconds=1)
    except OSError:
        pass


def run_moment(moment, bed):
    daemon = bed.start("svc", "-n", "shop,staging", wait=moment.phase != "start")
    if moment.phase == "start":
        time.sleep(moment.delay)
    else:
        beds.until(10, "the shop is there", lambda: len(daemon.services()) > 5)
        if moment.phase == "change":
            pid = os.fork()
            if pid == 0:
                change(daemon)
                os._exit(0)
            time.sleep(moment.delay)
        else:
            daemon.process.terminate()
            time.sleep(moment.delay)
    agent, engine = daemon.agent, daemon.engine
    if moment.victim in ("agent", "both"):
        kill(agent)
    if moment.victim in ("engine", "both"):
        kill(engine)
    killed = time.monotonic()
    if moment.phase == "change":
        os.waitpid(pid, 0)
    if moment.victim == "engine":
        if engine:
            daemon.process.wait(3)
            beds.until(1, "the agent cleans up within a second", lambda: clean(moment))
            return time.monotonic() - killed
        daemon.process.kill()
    daemon.process.wait(3)
    beds.until(1, "the engine stops without its agent", lambda: not engine or not beds.running(engine))
    beds.until(0.5, "routes are gone", lambda: not routed())
    if moment.repair == "cleanup":
        status, out, said = bed.fwd("cleanup", how="sudo")
        assert status == 0, (status, out, said)
    else:
        # The next start repairs before it adds its own, so what it leaves at its end is the machine as it was.
        again = bed.start("svc", "-n", "shop")
        beds.until(10, "the shop is there again", lambda: len(again.services()) > 5)
        assert again.stop() == 0
    clean(moment)
    return time.monotonic() - killed


def run_all(bed, seeds):
    bed.simcluster()
    problems, slowest = [], 0.0
    for seed in seeds:
        moment = Moment(seed)
        with hosts_as(moment, bed):
            try:
                took = run_moment(moment, bed)
                if moment.victim == "engine":
                    slowest = max(slowest, took)
            except (AssertionError, subprocess.TimeoutExpired) as why:
                problems.append(f"{moment}: {why}\n{bed.log_files[-1].read_text()[-1500:]}")
                for child in bed.children[1:]:
                    if child.poll() is None:
                        child.kill()
                        child.wait()
                bed.fwd("cleanup", how="sudo")
                for line in beds.lo_labels():
                    subprocess.run(["ip", "address", "delete", line.split()[3], "dev", "lo"])
    print(f"{len(seeds) - len(problems)} of {len(seeds)} moments; the agent alone took at most {slowest:.2f} s")
    assert not problems, "\n".join(problems)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1, help="of the first moment")
    parser.add_argument("--moments", type=int, default=1)
    parser.add_argument("--programs", default=str(pathlib.Path(__file__).resolve().parents[2] / "build-test"))
    parser.add_argument("--inside")
    options = parser.parse_args()
    if not options.inside:
        with tempfile.TemporaryDirectory(prefix="fwd-crash-") as folder:
            sys.exit(subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, __file__,
                                     *sys.argv[1:], "--inside", folder]).returncode)
    bed = beds.Bed(pathlib.Path(options.inside), os.path.abspath(options.programs), "sim", False)
    try:
        run_all(bed, range(options.seed, options.seed + options.moments))
    finally:
        bed.end()


if __name__ == "__main__":
    main()

"""More connections than there are descriptors, and more than anybody counts."""

import re
import resource
import socket
import subprocess
import time

from bed import Daemon, case, http_get, lo_labels, until
from proc import cpu_seconds, descriptors, resident
from truth import Truth


def crowd(address, count):
    """So many connections begun without waiting for any."""
    made = []
    for _ in range(count):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(address)
        made.append(s)
    return made


@case("10000 connections at once against 4096 descriptors: no spin, no crash, and service resumes", alone=True)
def too_many(bed):
    bed.need_cluster()
    resource.setrlimit(resource.RLIMIT_NOFILE, (16384, max(16384, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    process = bed.spawn(["prlimit", "--nofile=4096:4096", bed.bin / "fwd", "svc", "-n", "shop", "-c", bed.kubeconfig, "--unprivileged"],
                        how="user", name="fwd")
    daemon = Daemon(bed, process, "user")
    until(20, "the API answers", lambda: daemon.answers() or bed.must_run(process))
    forward = daemon.settled(20, ["web.shop"])["web.shop"]["forwards"][0]
    at = (forward["localIP"], int(forward["localPort"]))
    assert http_get(*at, "/healthz")[0] == 200
    engine = daemon.engine or process.pid
    with open(f"/proc/{engine}/limits") as file:
        assert re.search(r"Max open files\s+4096\s+4096", file.read())
    before = descriptors(engine)
    rivals = crowd(at, 10000)
    time.sleep(5)
    spent, now = cpu_seconds(engine), time.monotonic()
    time.sleep(2)
    busy = (cpu_seconds(engine) - spent) / (time.monotonic() - now)
    held = descriptors(engine)
    print(f"figure: {held} descriptors in use, {busy * 100:.1f} % of a CPU while the crowd waits")
    assert process.poll() is None and held < 4096, "no descriptor is left for tunnels, watches and the API"
    assert daemon.answers()
    assert busy < 0.3, f"{busy * 100:.0f} % of a CPU while nothing happens"
    for s in rivals:
        s.close()
    gone = time.monotonic()
    until(30, "service resumes", lambda: http_get(*at, "/healthz", 0.5)[0] == 200)
    print(f"figure: service resumes {time.monotonic() - gone:.2f} s after the crowd left")
    until(60, "the crowd's descriptors are closed", lambda: descriptors(engine) <= before + 32)
    assert daemon.stop() == 0


@case("after many short connections memory, descriptors and addresses are as they were after the first", alone=True, seconds=240)
def soak(bed):
    bed.need_cluster()
    daemon = bed.shop(services=["web.shop", "cart.shop"])
    first, rest = (10_000, 990_000) if bed.full else (1_500, 3_500)
    bench = bed.bin / "fwd-bench-load"
    address = daemon.services()["web.shop"]["localIP"]

    def connections(count):
        """Makes so many, by the load generator where it was built."""
        done = 0
        while done < count:
            seconds = min(60, max(1, (count - done) // 2000))
            out = subprocess.run([bench, "connrate", "--address", address, "--port", "80", "--clients", "8", "--seconds", str(seconds),
                                  "--answers", "3"],
                                 capture_output=True, text=True, timeout=seconds + 60)
            assert out.returncode == 0, out.stdout + out.stderr
            done += int(re.search(r'"connections":(\d+)', out.stdout)[1])
        return done

    def state():
        return resident(daemon.engine), descriptors(daemon.engine), sorted(lo_labels())
    with Truth(bed, daemon):
        began = time.monotonic()
        done = connections(first)
        time.sleep(4)  # a pod's end of a connection takes a second, and two more where the client's came first
        memory, files, addresses = state()
        done += connections(rest)
        took = time.monotonic() - began

        def as_before():
            memory_now, files_now, addresses_now = state()
            assert files_now <= files + 24, f"{files} descriptors, now {files_now}"
            assert addresses_now == addresses
            # What the allocator keeps is not given back, but it does not grow with what has been.
            assert memory_now <= memory * 1.15 + 8, f"{memory:.1f} MiB, now {memory_now:.1f}"
            return memory_now, files_now
        memory_now, files_now = until(90, "all is as it was", as_before, pause=0.5)
    print(f"figure: {done} connections in {took:.0f} s; {memory:.1f} MiB and {files} descriptors after the first {first}, "
          f"{memory_now:.1f} MiB and {files_now} at the end")
    assert http_get("web", 80, "/healthz")[0] == 200

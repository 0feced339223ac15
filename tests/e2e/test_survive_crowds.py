"""More connections than there are descriptors, and more than anybody counts."""

import re
import resource
import select
import socket
import subprocess
import time

from bed import Daemon, case, http_get, lo_labels, until
from crowd import ask_often, quantile, read_events, storm, unix_connection
from proc import cpu_seconds, descriptors, resident
from test_transfers import MIB, download, expected_download
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


def silent_readers(path, count):
    """Those who ask for events and never read one."""
    made = []
    for _ in range(count):
        one = unix_connection(path)
        one.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: fwd\r\n\r\n")
        made.append(one)
    return made


def left_alone(reader):
    """Whether the daemon has closed it; nothing is read."""
    poll = select.poll()
    poll.register(reader, select.POLLRDHUP)
    return bool(poll.poll(0))


def rest_of(reader):
    """What such a reader finds when it reads after all: (events, how many it was told were dropped, whether the stream had ended)."""
    reader.settimeout(1)
    text, ended = b"", False
    try:
        while not ended and b"event: dropped" not in text[-(1 << 16):]:
            data = reader.recv(1 << 16)
            ended = not data
            text += data
    except TimeoutError:
        pass
    before, _, after = text.partition(b"event: dropped\n")
    ids = [int(number) for number in re.findall(rb"^id: (\d+)$", before, re.M)]
    assert ids == list(range(ids[0], ids[0] + len(ids))), "an id is missing, and nobody said so"
    dropped = int(re.match(rb"data: .*?(\d+)", after)[1]) if after else 0
    if found := re.search(rb"^id: (\d+)$", after, re.M):
        assert int(found[1]) == ids[-1] + dropped + 1, f"{dropped} were said to be missing from {ids[-1]} to {found[1]}"
    return len(ids), dropped, ended


@case("100 readers of events of which 10 never read, 64 clients and a bulk transfer: memory is bounded and nobody disturbs another",
      alone=True, seconds=400)
def everybody_at_once(bed):
    sim = bed.simcluster("--services", "200")
    daemon = bed.start("svc", "-n", "bulk")
    until(30, "all are active", lambda: daemon.api("GET", "/status")["status"] == "ok" and len(daemon.services(held=False)) == 200)
    path, engine = daemon.socket_path(), daemon.engine
    clients = ask_often(path, 64, rate=5, targets=["/status", "/status", "/status", "/services/svc-0042.bulk"])
    assert clients.get() == "ready"
    readers = read_events(path, 90)
    assert readers.get() == "ready"
    silent = silent_readers(path, 10)
    until(10, "all read", lambda: descriptors(engine) >= 164)
    memory, files = resident(engine), descriptors(engine)
    busy, began = cpu_seconds(engine), time.monotonic()
    # As much as fills what the kernel keeps for a reader, and what the daemon does.
    weather = storm(sim, 200, rate=200)
    assert weather.get() == "ready"
    sums, most, length = set(), memory, 64 * MIB
    while time.monotonic() < began + (60 if bed.full else 15) or readers.look()[0]["count"] < 4000:
        sums.add(download("svc-0001", 80, length))
        most = max(most, resident(engine))
    changes, took = weather.end()
    busy = (cpu_seconds(engine) - busy) / (time.monotonic() - began)
    answers, bad = clients.end()
    last = {}

    def all_heard():
        before, last["heard"] = last.get("heard"), readers.look()
        return before == last["heard"] and len({one["last"] for one in before}) == 1
    until(60, "every reader has heard the last event", all_heard, pause=1)
    heard = readers.end()
    status = sorted(answers["/status"])
    print(f"figure: {changes / took:.0f} changes a second; GET /status {len(status)} times, p50 {quantile(status, .5) * 1000:.2f} ms, "
          f"p99 {quantile(status, .99) * 1000:.2f} ms; daemon {busy * 100:.0f} % of a CPU, {memory:.1f} MiB before, {most:.1f} at most")
    print(f"figure: each of 90 readers had {heard[0]['count']} events: {heard[0]['types']}")
    assert sums == {expected_download(length)}, "the transfer's bytes are not those that were sent"
    assert not bad, f"{len(bad)} answers were no 200: {bad[:3]}"
    for one in heard:
        assert not one["gaps"] and not one["dropped"] and not one["over"], one
    ends = {(one["first"], one["last"]) for one in heard}
    assert len(ends) == 1, f"not everybody had the same events: {sorted(ends)[:5]}"
    assert most < memory + 48, f"{memory:.1f} MiB, then {most:.1f}"
    # Those that did not read are told how much they missed, or let go.
    found = [rest_of(one) for one in silent[:5]]
    print(f"figure: who did not read had {found[0][0]} events waiting, and then was told of {found[0][1]} that were dropped")
    for events, dropped, ended in found:
        assert dropped or ended, f"{events} events, and neither a word of what was lost nor an end"
    until(60, "who does not read is let go", lambda: all(left_alone(one) for one in silent[5:]), pause=0.5)
    until(60, "their descriptors are closed", lambda: descriptors(engine) <= files - 140, pause=0.5)
    assert http_get("svc-0002", 80, "/healthz")[0] == 200

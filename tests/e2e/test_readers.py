"""A hundred readers of events, some of whom do not read, beside everything else that a daemon does. Memory is counted, which no
sanitizer leaves as it is."""

import re
import select
import time

from bed import case, http_get, until
from crowd import ask_often, quantile, read_events, storm, unix_connection
from proc import cpu_seconds, descriptors, resident
from test_transfers import MIB, download, expected_download


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
    weather = storm(sim, 200, rate=200 if bed.full else 100)  # a debug build on a slow machine keeps up with the half
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

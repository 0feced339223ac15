"""A thousand services: what they cost while nothing happens, and while everything does."""

import time

from bed import case, http_get, until
from crowd import storm
from proc import cpu_seconds, resident, wakeups
from tmux import Screen
from truth import Truth

COUNT = 1000


def thousand(bed):
    """A daemon with a thousand services, and a terminal that shows them."""
    bed.simcluster("--services", str(COUNT))
    daemon = bed.start("svc", "-n", "bulk")
    until(60, "all are active", lambda: daemon.api("GET", "/services?limit=1")["summary"]["activeServices"] == COUNT)
    screen = Screen(bed, 120, 40)
    screen.line("fwd tui")
    screen.wait("NAME", "svc-0000", "? help")
    return daemon, screen


@case("idle with 1000 services and a terminal that shows them: daemon, agent and terminal interface sleep", alone=True, seconds=180)
def idle(bed):
    daemon, screen = thousand(bed)
    for number in range(0, COUNT, 100):  # some were used, and have a tunnel
        assert http_get(f"svc-{number:04}", 80, "/healthz")[0] == 200
    screen.press("G", "svc-0999")
    everyone = {"engine": daemon.engine, "agent": daemon.agent, "terminal": screen.process()}
    time.sleep(22)  # the halves of closed connections, and the 16 s of a graph in which they are seen
    window = 60 if bed.full else 20
    before = {who: (cpu_seconds(pid), wakeups(pid)) for who, pid in everyone.items()}
    requests = bed.sim.ask("GET", "/counters")["requests"]
    time.sleep(window)
    spent = {who: (cpu_seconds(pid) - before[who][0], wakeups(pid) - before[who][1]) for who, pid in everyone.items()}
    asked = {what: n - requests.get(what, 0) for what, n in bed.sim.ask("GET", "/counters")["requests"].items() if n != requests.get(what)}
    cpu = sum(seconds for seconds, _ in spent.values()) / window * 100
    print(f"figure: {cpu:.2f} % of a core; woken in {window} s: " + ", ".join(f"{who} {woken}" for who, (_, woken) in spent.items()))
    print(f"figure: asked of the API server meanwhile: {asked}")
    assert spent["agent"][1] == 0, spent
    # The meters are read each second; the stream says that it is there each fifteen.
    assert spent["engine"][1] <= 4 * window, spent
    assert spent["terminal"][1] <= window / 2, spent
    assert sum(asked.values()) <= window / 20, asked
    if bed.full:
        assert cpu <= 0.2, f"{cpu:.2f} % of a core"


@case("a storm of 1000 changes a second: the terminal interface answers each key, memory is bounded, and then all is as it is shown",
      alone=True, seconds=300)
def changes(bed):
    daemon, screen = thousand(bed)
    engine, terminal = daemon.engine, screen.process()
    memory = {pid: resident(pid) for pid in (engine, terminal)}
    weather = storm(bed.sim, COUNT, rate=1000)
    assert weather.get() == "ready"
    window = 60 if bed.full else 20
    began, used, waits = time.monotonic(), {pid: cpu_seconds(pid) for pid in memory}, []
    most = dict(memory)

    def key(name, *words, **options):
        pressed = time.monotonic()
        screen.press(name, *words, **options)
        waits.append(time.monotonic() - pressed)
    while time.monotonic() < began + window:
        key("?", "WHAT EACH KEY DOES")
        key("Escape", "ADDRESS")
        key("G", "svc-0999")
        key("g", "svc-0000")
        key("L", "WHAT HAPPENED")
        key("Escape", "ADDRESS")
        most = {pid: max(most[pid], resident(pid)) for pid in most}
    took = time.monotonic() - began
    busy = {pid: (cpu_seconds(pid) - used[pid]) / took * 100 for pid in used}
    count, seconds = weather.end()
    ended = time.monotonic()
    print(f"figure: {count / seconds:.0f} changes a second; the slowest of {len(waits)} keys was answered in {max(waits) * 1000:.0f} ms, "
          f"the median {sorted(waits)[len(waits) // 2] * 1000:.0f} ms")
    print(f"figure: engine {busy[engine]:.0f} % of a core, {memory[engine]:.1f} MiB before, {most[engine]:.1f} at most; "
          f"terminal {busy[terminal]:.0f} %, {memory[terminal]:.1f} MiB before, {most[terminal]:.1f} at most")
    truth = Truth(bed, daemon)

    def as_it_is():
        different = list(truth.differences())
        assert not different, f"{len(different)}: {different[:3]}"
        return True
    until(60, "what is shown is what is so", as_it_is)
    print(f"figure: all is shown as it is {time.monotonic() - ended:.2f} s after the storm")
    assert most[engine] < memory[engine] * 2 + 64, (memory, most)
    assert most[terminal] < memory[terminal] * 2 + 32, (memory, most)
    shown = f"{COUNT}"
    screen.keys("Escape")
    until(20, "the terminal shows all as active", lambda: "pending" not in screen.text() and shown in screen.text())
    assert http_get("svc-0500", 80, "/healthz")[0] == 200

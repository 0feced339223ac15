"""What a terminal is given and how it is given back, whatever ends the interface; poor terminals; a hostile cluster."""

import base64
import os
import re
import shutil
import signal
import subprocess

import screens
from bed import UID, Skip, case, http_get, lo_labels, running, until
from tmux import Pty, Screen


def clean():
    return "BEGIN fwd" not in open("/etc/hosts").read() and not lo_labels()


def shell_works(screen):
    """The terminal is as before: cooked, on its own screen, with a cursor."""
    screen.line("stty -a | grep -o ' icanon'; echo done-$((40+2))")
    text = screen.wait("done-42")
    assert " icanon" in text, text
    flags = screen.tmux("display-message", "-p", "-t", "main", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}").split()
    assert flags == ["0", "1", "0"], flags


@case("the terminal is as before after quit, Ctrl-C, SIGTERM, SIGHUP and a fault, and while the interface is put aside")
def restored(bed):
    bed.start()
    screen = Screen(bed)
    for ending in ("q", "C-c", signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        screen.line("clear; fwd tui")
        screen.wait("Nothing is forwarded")
        if isinstance(ending, str):
            screen.keys(ending)
        else:
            os.kill(until(5, "fwd runs", screen.process), ending)
        screen.wait("ready$", without=("Nothing is forwarded",))
        shell_works(screen)
    screen.line("clear; fwd tui")
    screen.wait("Nothing is forwarded")
    screen.keys("C-z")
    screen.wait("ready$", without=("Nothing is forwarded",))
    shell_works(screen)
    screen.line("fg")
    screen.wait("Nothing is forwarded", "Services")
    screen.press("?", "WHAT EACH KEY DOES")
    os.kill(screen.process(), signal.SIGTSTP)  # by another's hand
    screen.wait("ready$", without=("WHAT EACH KEY",))
    shell_works(screen)
    screen.line("fg")
    screen.wait("WHAT EACH KEY DOES")
    for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT, signal.SIGBUS):
        os.kill(screen.process(), number)
        screen.wait("ready$", without=("WHAT EACH KEY", "Nothing is forwarded"))
        shell_works(screen)
        screen.line("clear; ulimit -c 0; fwd tui")
        screen.wait("Nothing is forwarded")
    screen.end()



def starve(screen):
    """No more memory for the interface from now on: what it does next throws."""
    pid = until(5, "fwd runs", screen.process)
    with open(f"/proc/{pid}/status") as file:
        size = int(re.search(r"VmSize:\s+(\d+) kB", file.read())[1])
    subprocess.run(["prlimit", f"--as={(size + 64) * 1024}", "--pid", str(pid)], check=True, user=UID, group=UID, extra_groups=[])
    screen.resize(2000, 400)


def may_starve(bed):
    if bed.environment("user").get("ASAN_OPTIONS") or bed.environment("user").get("TSAN_OPTIONS"):
        raise Skip("a sanitizer's address space has no bounds")


@case("an exception gives the terminal back, and says what it was")
def exception(bed):
    may_starve(bed)
    bed.shop()
    screen = Screen(bed)
    screen.line("clear; fwd tui; echo exit-$?")
    screen.wait("crashing")
    starve(screen)
    screen.wait("exit-1", "fwd: std::bad_alloc", without=("ADDRESS",))
    shell_works(screen)
    screen.end()


@case("over a pipe and on a terminal that cannot place a cursor it refuses with a sentence")
def refuses(bed):
    bed.start()
    code, out, said = bed.fwd("tui")
    assert code == 1 and "needs a terminal" in said and not out, (code, out, said)
    screen = Screen(bed, term="dumb")
    screen.line("fwd tui; echo exit-$?")
    assert "cannot place a cursor" in screen.wait("exit-1").replace("\n", "")
    screen.end()


@case("terminals of 256 colours, of 16, of none and without UTF-8 show the same")
def poor_terminals(bed):
    bed.shop(namespaces="shop,staging")
    inks = {"256": r"\x1b\[[0-9;]*38;5;", "16": r"\x1b\[(?:[0-9]+;)*(?:3[0-7]|9[0-7])[;m]", "none": None}
    for name, term, env, options, colours in (("256", "xterm-256color", {}, "", "256"), ("xterm", "xterm", {}, "", "16"), ("linux", "linux", {}, "", "16"),
                                              ("vt100", "vt100", {}, "", "none"), ("no-colour", "xterm-256color", {"NO_COLOR": "1"}, "", "none"),
                                              ("ascii", "xterm-256color", {"LC_ALL": "C", "LANG": "C"}, "", "256"), ("light", "xterm-256color", {}, "--theme light", "256")):
        screen = Screen(bed, term=term, env=env, name=name)
        screen.line(f"fwd tui {options}")
        text = screen.wait("NAME", "ADDRESS", "crashing", "? help")
        coloured = screen.coloured()
        for kind, ink in inks.items():
            if ink and kind == colours:
                assert re.search(ink, coloured), (name, coloured[:400])
            elif ink and colours in ("none", "16") and kind != colours:
                assert not re.search(inks["256"], coloured), (name, coloured[:400])
        if colours == "none":
            assert not re.search(inks["16"], coloured), (name, coloured[:400])
        if name == "ascii":
            assert text.isascii(), text
            screens.check(screen, "services-ascii")
        else:
            screens.check(screen, "services-80x24")
        screens.draw(screen, f"theme-{name}")
        screen.press("q", "ready$", without=("ADDRESS",))
        shell_works(screen)
        screen.end()


@case("a terminal gets exact bytes: what enters and leaves, what is copied, one write for a frame, none while nothing changes")
def exact_bytes(bed):
    bed.shop()
    terminal = Pty(bed, "tui")
    terminal.wait(b"crashing")
    terminal.frames()
    entered = terminal.got
    assert entered.startswith(b"\x1b[?1049h"), entered[:60]
    for each in (b"\x1b[?7l", b"\x1b[?2004h", b"\x1b[?1000h\x1b[?1006h", b"\x1b[?2026h", b"\x1b[?2026l"):
        assert each in entered, each
    assert terminal.settings() != terminal.before
    assert terminal.frames(1.5) == [], "nothing has changed"
    terminal.send(b"j")
    moved = terminal.frames()
    assert len(moved) == 1 and moved[0].startswith(b"\x1b[?2026h") and moved[0].endswith(b"\x1b[?2026l"), moved
    terminal.send(b"gy")
    terminal.wait(b"\x1b]52;c;" + base64.b64encode(b"api:8080") + b"\x07")
    terminal.wait(b"copied: api:8080")
    terminal.send(b"\x1b[200~q\x1b[201~")  # what is pasted is no key
    terminal.frames()
    assert terminal.process.poll() is None
    terminal.send(b"q")
    assert terminal.end() == 0
    left = terminal.got[terminal.got.rindex(b"\x1b[?1006l"):]
    assert left.startswith(b"\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[?7h\x1b[0m") and b"\x1b[?25h" in left and b"\x1b[?1049l" in left, left
    assert terminal.settings() == terminal.before


HOSTILE = ["\x1b[2J\x1b[H\x1b]0;owned\x07", "\x1b[31m\x1b[10;10Hred\x9b2J", "\u6f22\u5b57\uff21\uff22\u6f22", "e\u0301\u0323o\u0308" + "a\u0300" * 30, "a" + "\u0300" * 3000,
           "\u202eright to left\u202c\u200b\u2066x", "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \U0001f44d\U0001f3fd", "\t\r\n\x00\x07\x0e\x7f", "x" * 10000, "\u6f22" * 5000]


def waiting_pod(name, says):
    """A pod that is not ready, and says why in its own words."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "labels": {"app": name}},
            "spec": {"nodeName": "sim-node", "containers": [{"name": "main", "image": "x", "ports": [{"containerPort": 80}]}]},
            "status": {"phase": "Pending", "conditions": [{"type": "Ready", "status": "False"}],
                       "containerStatuses": [{"name": "main", "ready": False, "restartCount": 0, "image": "x", "state": {"waiting": {"reason": "CreateContainerError", "message": says}}}]}}


def service_named(name):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "shop"}, "spec": {"selector": {"app": name}, "ports": [{"port": 80}]}}


def others(text, mark):
    """All rows but those of the hostile service, and the line about the cursor."""
    rows = text.rstrip("\n").split("\n")
    return [row for row in rows[:-2] if mark not in row] + rows[-1:]


@case("reasons and log lines of a hostile cluster change nothing but their own cells", seconds=240)
def hostile(bed):
    bed.shop()
    put = lambda *objects: bed.sim.ask("POST", "/objects", {"put": list(objects)})  # noqa: E731
    put(service_named("zz-evil"), waiting_pod("zz-evil", "plain words"))
    screen = Screen(bed, 160, 24)
    screen.line("fwd tui")
    screen.wait("zz-evil", "plain words")
    plain = others(screens.settled(screen), "zz-evil")
    for at, says in enumerate(HOSTILE):
        put(waiting_pod("zz-evil", f"try {at} {says}"))
        screen.wait(f"try {at}")
        assert others(screens.settled(screen), "zz-evil") == plain, (says[:40], screen.text())
    screen.press("G", "zz-evil")
    screen.press("Enter", "CONNECT", "try 9")
    screen.press("Escape", "ADDRESS")
    screen.find("cart.shop")
    screen.press("Enter", "CONNECT")
    screen.press("BTab", "started", "as it writes")
    for at, says in enumerate(HOSTILE):
        bed.sim.ask("POST", "/faults", {"fault": "log", "service": "cart", "line": f"try {at} {says}".replace("\n", "")})
        bed.sim.ask("POST", "/faults", {"fault": "log", "service": "cart", "line": f"behind {at}"})
        rows = screen.wait(f"behind {at}").rstrip("\n").split("\n")
        assert rows[0].startswith(" fwd  Services") and "Pod log" in rows[1] and rows[-1].startswith(" Space stop"), rows
        assert f"  behind {at}" in rows, rows
        assert len(rows) == 24 and sum(f"try {at}" in row for row in rows) == 1, rows
    assert screen.tmux("display-message", "-p", "-t", "main", "#{pane_title}").strip() != "owned"
    screen.keys("Right", "Left")
    screen.press("q", "ready$", without=("ADDRESS",))
    shell_works(screen)
    screen.end()


def pod_named(name, labels):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "labels": labels},
            "spec": {"nodeName": "sim-node", "containers": [{"name": "main", "image": "x", "ports": [{"containerPort": 80}]}]},
            "status": {"phase": "Running", "podIP": "10.9.9.9", "conditions": [{"type": "Ready", "status": "True"}]}}


CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u202e\u2060-\u2069]")


@case("names that Kubernetes does not allow are refused, said so where problems are told, and shown nowhere else", seconds=240)
def hostile_names(bed):
    daemon = bed.shop()
    until(30, "the probe's answer is told", lambda: "Unhealthy" in daemon.services()["never-ready.shop"]["reason"])
    screen = Screen(bed, 160, 40)
    screen.line("fwd tui")
    screen.wait("crashing", "error", "Unhealthy")
    plain, hosts = screens.settled(screen).split("\n")[1:], open("/etc/hosts").read()
    names = [f"zz{at}-{says}" for at, says in enumerate([*HOSTILE, "../../../etc/hosts", "two words", "Upper", "a.b"])]
    for name in names:
        bed.sim.ask("POST", "/objects", {"put": [service_named(name), pod_named(name, {"app": "zz"}),
                                                 {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}]})
    lawful = {"zz13-a.b"}  # as a pod

    def told():
        problems = [one["message"] for one in daemon.api("GET", "/status")["problems"] if one["code"] == "bad_name"]
        for at, name in enumerate(names):
            assert any(text.startswith(f"service shop/zz{at}-") for text in problems), (at, problems)
            assert name in lawful or any(text.startswith(f"pod shop/zz{at}-") for text in problems), (at, problems)
        return problems
    assert not any(CONTROLS.search(text) for text in until(15, "each name is a problem", told))
    assert screens.settled(screen).split("\n")[1:] == plain, screen.text()
    assert not any(key.startswith("zz") for key in daemon.services())
    assert open("/etc/hosts").read() == hosts
    screen.press("e", "WHAT IS WRONG", "crashing.shop", r"service shop/zz0-\x1b[2J\x1b[H", "none that Kubernetes allows")
    screen.press("L", "WHAT HAPPENED", r"shop/zz0-\x1b[2J\x1b[H")
    rows = screen.text().rstrip("\n").split("\n")
    assert len(rows) == 40 and rows[0].startswith(" fwd  Services"), rows
    screen.press("f", "CONTEXTS")
    screen.press("Enter", "kube-system", "shop", without=("zz",))
    screen.press("Enter", "SERVICES of")
    screen.press("Escape", "NAMESPACES")
    assert screen.tmux("display-message", "-p", "-t", "main", "#{pane_title}").strip() != "owned"
    for words in (["ls"], ["ls", "-o", "name"], ["ls", "-o", "yaml"], ["find", "zz"], ["find", "zz", "-o", "name"], ["status"], ["explain"], ["explain", "cart.shop"],
                  ["events"], ["logs", "--daemon"], ["get", "shop/"], ["get", "cart.shop"]):
        code, out, said = bed.fwd(*words)
        assert not CONTROLS.search(out + said), (words, out, said)
        assert code in (0, 1) and (words[0] != "find" or "zz" not in out), (words, code, out, said)
    bed.sim.ask("POST", "/objects", {"delete": [{"apiVersion": "v1", "kind": kind, "namespace": "shop", "name": name} for name in names for kind in ("Service", "Pod")]})
    until(10, "none is a problem any more", lambda: not any(one["code"] == "bad_name" for one in daemon.api("GET", "/status")["problems"]))
    for _ in range(3):
        screen.keys("Escape")
    screen.press("q", "ready$", without=("ADDRESS",))
    shell_works(screen)
    screen.end()


def start_tied(bed, screen, *more):
    if not shutil.which("sudo"):
        raise Skip("missing: sudo")
    bed.need_cluster()
    screen.line(f"clear; KUBECONFIG={bed.kubeconfig} fwd svc -n shop --tui {' '.join(more)}")
    return screen.wait("NAME", "web", "active", seconds=30)


@case("fwd --tui starts the daemon through sudo, gives up root for good, and stops it when it is quit")
def tied_quit(bed):
    screen = Screen(bed, 120, 30)
    start_tied(bed, screen)
    pid = screen.process()
    status = open(f"/proc/{pid}/status").read()
    assert f"Uid:\t{UID}\t{UID}\t{UID}\t{UID}" in status and "CapEff:\t0000000000000000" in status, status
    assert http_get("web")[0] == 200
    screen.press("q", "stop the daemon")
    screen.press("n", "? help")
    screen.press("q", "stop the daemon")
    screen.press("y", "ready$", "Stopping the daemon")
    until(5, "the machine is clean", clean)
    shell_works(screen)
    screen.end()


@case("after kill -9 of the terminal's process the daemon it started has stopped and the machine is clean")
def tied_killed(bed):
    screen = Screen(bed, 120, 30)
    start_tied(bed, screen)
    assert not clean()
    daemon = [int(p) for p in os.listdir("/proc") if p.isdigit() and os.path.exists(f"/proc/{p}/comm") and open(f"/proc/{p}/comm").read().strip() == "fwdd"]
    assert daemon
    os.kill(screen.process(), signal.SIGKILL)
    until(10, "the daemon has stopped", lambda: not any(running(p) for p in daemon))
    until(10, "the machine is clean", clean)
    screen.end()


@case("a daemon that was detached stays, and the next terminal finds it")
def tied_detached(bed):
    screen = Screen(bed, 120, 30)
    start_tied(bed, screen)
    screen.press("D", "The daemon goes on", "ready$")
    assert http_get("web")[0] == 200
    screen.line("clear; fwd tui")
    screen.wait("web", "active")
    screen.press("q", "ready$", without=("ADDRESS",))
    assert bed.fwd("stop")[0] == 0
    until(5, "the machine is clean", clean)
    screen.end()


@case("an exception in a terminal that started its daemon ends the daemon too")
def tied_exception(bed):
    may_starve(bed)
    screen = Screen(bed, 120, 30)
    start_tied(bed, screen)
    starve(screen)
    screen.wait("ready$", "bad_alloc", without=("ADDRESS",))
    until(10, "the machine is clean", clean)
    shell_works(screen)
    screen.end()

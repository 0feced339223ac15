"""The terminal interface in a real terminal, and the daemon that hangs on it."""

import json
import os
import pathlib
import re
import shutil
import signal
import time

from bed import UID, Skip, UnixHTTP, case, http_get, lo_labels, running, until
from screen_svg import svg
from tmux import Screen

SIZES = ((80, 24), (120, 40), (200, 60))
KEEP = os.environ.get("FWD_SCREENS")  # a folder: every page's picture is put there


def keep(screen, name):
    if KEEP:
        pathlib.Path(KEEP, f"{name}.svg").write_text(svg(screen.coloured()))
        pathlib.Path(KEEP, f"{name}.txt").write_text(screen.text())


def clean():
    return "BEGIN fwd" not in open("/etc/hosts").read() and not lo_labels()


def shell_works(screen):
    """The terminal is as before: cooked, on its own screen, with a cursor."""
    screen.line("stty -a | grep -o ' icanon'; echo done-$((40+2))")
    text = screen.wait("done-42")
    assert " icanon" in text, text
    flags = screen.tmux("display-message", "-p", "-t", "main", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}").split()
    assert flags == ["0", "1", "0"], flags


def call_as(daemon, client, method, path, body=None):
    connection = UnixHTTP(daemon.socket_path(), 20)
    connection.request(method, f"/api/v1{path}", body and json.dumps(body), {"Content-Type": "application/json", "Fwd-Client": client})
    answer = connection.getresponse()
    assert answer.status < 300, answer.read()
    connection.close()


@case("every page of the terminal interface at every size")
def pages(bed):
    daemon = bed.shop(namespaces="shop,staging")
    screen = Screen(bed)
    screen.line("fwd tui")
    for width, height in SIZES:
        screen.resize(width, height)
        text = screen.wait("NAME", "ADDRESS", "crashing", "web", "pod crash", "? help")
        assert len(text.splitlines()) <= height and max(len(line) for line in text.splitlines()) <= width, text
        keep(screen, f"services-{width}")
        screen.press("e", "WHAT IS WRONG", "crashing.shop", "CrashLoopBackOff", "no pod matches its selector")
        keep(screen, f"errors-{width}")
        screen.press("L", "WHAT HAPPENED")
        keep(screen, f"log-{width}")
        screen.press("?", "WHAT EACH KEY DOES", "EVERYWHERE")
        keep(screen, f"help-{width}")
        screen.press("Escape", "WHAT HAPPENED")
        screen.press("f", "CONTEXTS", "current")
        keep(screen, f"contexts-{width}")
        screen.press("Enter", "NAMESPACES", "kube-system", "staging")
        keep(screen, f"namespaces-{width}")
        screen.press("G")
        screen.press("Enter", "SERVICES of staging", "api")
        keep(screen, f"browse-{width}")
        screen.press("Escape", "NAMESPACES")
        screen.press("Escape", "CONTEXTS")
        screen.press("Escape", "ADDRESS")
        screen.keys("/")
        screen.line("db.shop")
        screen.wait("/db.shop", "db ", without=("crashing",))
        screen.press("Enter", "CONNECT", "postgres", "db:5432")
        keep(screen, f"detail-{width}")
        for name in ("timeline", "http", "connections", "pod-log"):
            screen.press("Tab", "db.shop")
            time.sleep(0.3)  # what the daemon answers, for the picture
            keep(screen, f"{name}-{width}")
        screen.press("Escape", "ADDRESS")
        screen.press("Escape", "crashing")
    screen.press("q", "ready$", without=("ADDRESS",))
    shell_works(screen)
    screen.end()


@case("what an agent does is seen as it happens, with its name")
def agent_is_seen(bed):
    daemon = bed.start()
    screen = Screen(bed)
    screen.line("fwd tui")
    screen.wait("Nothing is forwarded")
    call_as(daemon, "claude-code/2.1; 5f", "POST", "/services", {"serviceName": "web", "namespace": "shop", "wait": "ready", "timeoutMs": 15000})
    screen.wait("web ", "active", "by claude-code/2.1; 5f")
    screen.press("L", "web.shop.sim is forwarded  by claude-code/2.1; 5f")
    screen.press("Escape", "active")
    screen.press("d", "Remove web.shop.sim?")
    screen.press("y", "Nothing is forwarded")
    assert daemon.services() == {}
    screen.end()


@case("forwarding from the browser, choosing several, and reconnecting")
def browse_and_forward(bed):
    daemon = bed.start()
    screen = Screen(bed, 100, 30)
    screen.line("fwd tui")
    screen.wait("Nothing is forwarded")
    screen.press("f", "CONTEXTS")
    screen.press("Enter", "shop")
    screen.keys("/")
    screen.line("shop")
    screen.press("Enter", "SERVICES of shop", "cart")
    screen.keys("/")
    screen.line("ca")
    screen.wait("cache", "cart", without=("crashing",))
    screen.keys("Space", "Space", "Enter")
    until(10, "both are forwarded", lambda: set(daemon.services()) == {"cache.shop", "cart.shop"})
    screen.wait("forwarded")
    for _ in range(5):
        screen.keys("Escape")
    screen.wait("cache", "cart", "2/2 active")
    screen.press("r", "reconnect")
    screen.keys("Space", "Space", "d")
    screen.wait("Remove 2 services?")
    screen.press("y", "Nothing is forwarded")
    screen.end()


@case("the terminal is as before after quit, Ctrl-C, SIGTERM, SIGHUP and while the interface is put aside")
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


@case("terminals of 16 colours, of none and without UTF-8")
def poor_terminals(bed):
    bed.shop()
    for name, term, env, options, paints in (("sixteen", "xterm", {}, "", True), ("none", "tmux-256color", {"NO_COLOR": "1"}, "", False),
                                             ("vt", "vt220", {}, "", False), ("ascii", "tmux-256color", {"LC_ALL": "C"}, "", True),
                                             ("light", "tmux-256color", {}, "--theme light", True)):
        screen = Screen(bed, term=term, env=env, name=name)
        screen.line(f"fwd tui {options}")
        text = screen.wait("NAME", "ADDRESS", "web")
        coloured = screen.coloured()
        assert bool(re.search(r"\x1b\[(?:[0-9]+;)*(3[0-8]|9[0-7])[;m]", coloured)) == paints, (name, coloured[:400])
        if name == "ascii":
            assert text.isascii(), text
        keep(screen, f"theme-{name}")
        screen.press("q", "ready$", without=("ADDRESS",))
        screen.end()


@case("a resize storm leaves a whole screen")
def storm(bed):
    bed.shop()
    screen = Screen(bed)
    screen.line("fwd tui")
    screen.wait("web")
    for step in range(60):
        screen.resize(40 + step * 7 % 120, 8 + step * 5 % 50)
    screen.resize(100, 30)
    text = screen.wait("NAME", "web", "? help")
    assert len(text.rstrip("\n").splitlines()) == 30, text
    screen.end()


@case("after kill -9 of the daemon the interface says so and takes up the next one")
def daemon_gone(bed):
    daemon = bed.shop()
    screen = Screen(bed, 120, 30)
    screen.line("fwd tui")
    screen.wait("web", "active")
    os.kill(daemon.engine, signal.SIGKILL)
    os.kill(daemon.agent, signal.SIGKILL)
    screen.wait("NO DAEMON", "The daemon is gone", "fwd start", "web")
    keep(screen, "gone")
    bed.start()
    screen.wait("Nothing is forwarded", seconds=20, without=("NO DAEMON",))
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
    until(2, "the machine is clean", clean)
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

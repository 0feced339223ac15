"""The API server, the network, the credentials and the rights go away and come back; listeners stay, and service resumes by itself."""

import re
import signal
import socket
import time

from bed import case, connect, http_get, until
from load import Load, ask
from truth import Truth


def fault(bed, name, **more):
    return bed.sim.ask("POST", "/faults", {"fault": name, **more})


def outage(bed):
    """Seconds that a fault lasts."""
    return 60 if bed.full else 6


def resumes(bed, load, ended, what):
    """The first request that began after the cause had ended is answered in time."""
    limit = 5 if bed.full else 20
    until(limit + 20, f"service resumes after {what}", lambda: any(a.start > ended for a in load.good()))
    first = min((a for a in load.good() if a.end > ended), key=lambda a: a.end)
    print(f"figure: {what}: first answer {first.end - ended:.2f} s after the cause had ended")
    assert first.end - ended < limit, f"{what}: {first.end - ended:.1f} s"
    # From then on all is as before.
    settled = time.monotonic()
    until(20, "twenty good answers", lambda: sum(a.start > settled for a in load.good()) >= 20)
    bad = [a for a in load.failed() if a.start > settled]
    assert not bad, bad


def through(bed, what, begin, end, truth_down=False, pause=False):
    """A load goes on while a fault comes and goes; nobody is ever refused, no POST arrives twice, and service resumes."""
    daemon = bed.shop(services=["web.shop"])
    with Truth(bed, daemon) as truth, Load("web") as load:
        until(10, "the first answers", lambda: len(load.good()) > 10)
        truth.unreachable(truth_down)
        truth.pause(pause)
        begin()
        time.sleep(outage(bed))
        end()
        ended = time.monotonic()
        truth.pause()  # a retry may be five seconds away
        try:
            resumes(bed, load, ended, what)
            daemon.settled(20, ["web.shop"])
        finally:
            truth.unreachable(False)
            truth.pause(False)
        time.sleep(1)
    load.listener_stayed()
    load.no_post_twice(bed.sim)
    print(f"figure: {what}: {len(load.answers)} requests, {len(load.failed())} failed")
    return load


@case("the API server is stopped and started again: listeners stay, service resumes, no POST is sent twice", seconds=150)
def server_restarts(bed):
    bed.simcluster()
    through(bed, "the server's restart", lambda: fault(bed, "server_down"), lambda: fault(bed, "server_down", on=False), truth_down=True)


@case("every connection to the API server is cut: service resumes at once")
def all_cut(bed):
    bed.simcluster()
    daemon = bed.shop(services=["web.shop"])
    with Truth(bed, daemon), Load("web") as load:
        until(10, "the first answers", lambda: len(load.good()) > 10)
        for _ in range(3):
            fault(bed, "drop")
            cut = time.monotonic()
            resumes(bed, load, cut, "a cut")
    load.listener_stayed()
    load.no_post_twice(bed.sim)
    # Only what was under way at the moment of a cut may fail.
    assert len(load.failed()) <= 12, load.failed()


@case("the API server is a black hole for a while: service resumes, no POST is sent twice", seconds=200)
def black_hole(bed):
    sim = bed.simcluster()
    through(bed, "the black hole", lambda: sim.process.send_signal(signal.SIGSTOP), lambda: sim.process.send_signal(signal.SIGCONT), pause=True)


@case("silent connections are found out and replaced", full=True, seconds=200)
def silent_connections(bed):
    bed.simcluster()
    through(bed, "connections gone silent", lambda: fault(bed, "black_hole"), lambda: None, pause=True)


@case("a token that expires is renewed by its plugin, and hardly a request notices")
def token_expires(bed):
    bed.simcluster()
    folder = bed.kubeconfig.parent
    daemon = bed.shop("-x", "sim-exec", services=["web.shop"])
    with Truth(bed, daemon), Load("web") as load:
        until(10, "the first answers", lambda: len(load.good()) > 10)
        fault(bed, "expire_token", user="sim-exec")
        time.sleep(1)
        load.none_failed()  # what is open stays open
        fault(bed, "drop")
        resumes(bed, load, time.monotonic(), "an expired token")
    load.listener_stayed()
    load.no_post_twice(bed.sim)
    runs = (folder / "credential-runs").read_text().count("run")
    assert 2 <= runs <= 6, f"the plugin ran {runs} times"


@case("the right to forward is withdrawn and given back: the state says which, and service resumes")
def rights_withdrawn(bed):
    bed.simcluster()
    daemon = bed.shop(services=["web.shop"])
    with Truth(bed, daemon) as truth, Load("web") as load:
        until(10, "the first answers", lambda: len(load.good()) > 10)
        truth.unreachable(True)
        fault(bed, "deny", user="sim-admin", resources=["pods/portforward"])
        fault(bed, "drop", connections="tunnels")

        def told():
            web = daemon.services()["web.shop"]
            assert web["status"] == "error" and "portforward" in web["reason"] and re.search("forbidden|allowed|may not", web["reason"]), web
            return True
        until(20, "the state says what is missing", told)
        time.sleep(outage(bed))
        fault(bed, "heal")
        truth.pause()  # it is asked again every few seconds
        resumes(bed, load, time.monotonic(), "rights given back")
        daemon.settled(20)
        truth.unreachable(False)
        truth.pause(False)
        time.sleep(1)
    load.listener_stayed()
    load.no_post_twice(bed.sim)


@case("after a long outage the first client is served at once, not at the next turn of a backoff", seconds=150)
def at_once_for_a_client(bed):
    bed.simcluster()
    daemon = bed.shop(services=["web.shop", "cart.shop"])
    assert http_get("web", 80, "/healthz")[0] == 200
    fault(bed, "server_down")
    with Load("web", rate=2, posts=False) as load:  # each tries, so that the backoffs grow to their five seconds
        time.sleep(30 if bed.full else 12)
        fault(bed, "server_down", on=False)
        for host, port in (("cart", 8080), ("web", 80)):
            began = time.monotonic()
            assert http_get(host, port, "/healthz", 30)[0] == 200
            took = time.monotonic() - began
            print(f"figure: a new client of {host} was answered after {took * 1000:.0f} ms")
            assert took < (1.5 if bed.full else 4), f"{took:.2f} s"
    load.listener_stayed()
    daemon.settled(20)


@case("a second context that cannot be reached from the start joins by itself, and the first never notices")
def second_context(bed):
    bed.simcluster()
    first, first_sim = bed.kubeconfig, bed.sim
    bed.simcluster()
    second, second_sim = bed.kubeconfig, bed.sim
    far = bed.write("far", re.sub(r"\b(name|cluster|user|current-context): sim\b", r"\1: far", second.read_text()))
    second_sim.ask("POST", "/faults", {"fault": "server_down"})
    bed.sim = first_sim
    daemon = bed.start("svc", "-n", "shop", "-x", "sim,far", "-c", f"{first}:{far}", kubeconfig=False)
    until(10, "the first context is forwarded", lambda: ask("web", 80, seconds=5)[0] == 200)
    bed.sim = second_sim
    far_truth = Truth(bed, daemon, context="far")
    bed.sim = first_sim
    with Truth(bed, daemon, context="sim"), far_truth, Load("web") as load:
        far_truth.unreachable(True)

        def told():
            status = daemon.api("GET", "/status")
            assert "far" in str(status) and re.search("refused|unreachable|reach", str(status)), status
            return True
        until(10, "the status tells of the second", told)
        time.sleep(outage(bed))
        far_truth.pause()
        second_sim.ask("POST", "/faults", {"fault": "server_down", "on": False})
        back = time.monotonic()
        until(20, "the second context is forwarded", lambda: ask("web.shop.far", 80, seconds=5)[0] == 200 or print(daemon.api("GET", "/status")))
        print(f"figure: the second context serves {time.monotonic() - back:.2f} s after it could be reached")
        far_truth.unreachable(False)
        far_truth.pause(False)
        time.sleep(1)
    load.none_failed()
    load.no_post_twice(first_sim)


@case("an application that resets, and a port nobody listens on: that connection alone fails, and the state says why")
def one_alone(bed):
    bed.simcluster()
    daemon = bed.shop(services=["web.shop", "db.shop", "api.shop"])
    with Truth(bed, daemon), Load("web") as load:
        until(10, "the first answers", lambda: len(load.good()) > 10)
        # Asked for TLS and left: many clients do so. The others on that tunnel do not notice.
        talking = connect("db", 5432)
        talking.sendall(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")
        assert talking.recv(1) == b"N"
        for _ in range(20):
            with connect("db", 5432) as c:
                c.sendall(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")
                c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        talking.sendall(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")
        assert talking.recv(1) == b"N"
        talking.close()
        assert daemon.services()["db.shop"]["status"] == "active"
    load.none_failed()
    with Truth(bed, daemon) as truth, Load("api", 8080) as load:
        until(10, "the first answers", lambda: len(load.good()) > 10)
        truth.pause()  # nobody knows before somebody tried
        fault(bed, "refuse_port", service="api", port=9090)
        for _ in range(5):
            try:
                with connect("api", 9090, 10) as c:
                    c.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    assert c.recv(10) == b""
            except ConnectionResetError:
                pass

        def told():
            ports = {f["localPort"]: f for f in daemon.services()["api.shop"]["forwards"]}
            assert ports["9090"]["status"] == "Error" and re.search("refused|listen", ports["9090"]["error"]), ports["9090"]
            assert ports["8080"]["status"] == "Active", ports["8080"]
            return True
        until(5, "the state says why", told)
        truth.refused("api", 9090)
        truth.pause(False)
        time.sleep(2)
        truth.pause()
        truth.refused("api", 9090, False)
        fault(bed, "heal")
        listens = time.monotonic()
        # The daemon asks by itself, on the tunnel that is there.
        until(30, "the state is active again, though no client came", lambda: daemon.settled(5, ["api.shop"]))
        print(f"figure: shown as active {time.monotonic() - listens:.1f} s after the port listens")
        truth.pause(False)
        assert http_get("api", 9090, "/healthz", 15)[0] == 200
    load.none_failed()

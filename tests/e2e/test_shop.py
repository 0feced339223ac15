"""The same table of services on the simulated and on the real cluster: answers, names, true reasons, transports, clean ends."""

import concurrent.futures
import os
import re

from bed import UID, Skip, case, connect, curl, http_get, lo_labels, run, until
from table import ACTIVE, HALF, INACTIVE, names, namespaces

BOTH = ("sim", "real")


def answer_all(services, how="name"):
    """Every TCP service of the table answers, on its own port, by its first name or by its address."""
    def one(key, port, probe):
        service = services[key]
        try:
            probe(names(key)[0] if how == "name" else service["localIP"], port)
        except Exception as error:
            return f"{key}:{port}: {error!r}"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(one, key, port, probe) for key, ports in ACTIVE.items() if key in services for port, probe in ports]
    problems = [job.result() for job in jobs if job.result()]
    assert not problems, "\n".join(problems)
    assert len(jobs) > 12


@case("every TCP service with ready pods answers by name on its own port", on=BOTH)
def answers_by_name(bed):
    bed.need_cluster()
    answer_all(bed.shop(namespaces=namespaces(bed.cluster)).services())


@case("curl reaches the web page under every form of its name", on=BOTH)
def every_form_of_a_name(bed):
    bed.shop(namespaces="shop,staging")
    for key in ("web.shop", "web.staging"):
        for name in names(key):
            assert curl(f"http://{name}/")
    assert curl("http://web/") and curl("http://web.shop.svc.cluster.local/")


def over(transport):
    def check(bed):
        bed.need_cluster()
        services = bed.shop("--transport", transport, namespaces=namespaces(bed.cluster)).services()
        answer_all(services)
    check.__name__ = f"over_{transport}"
    return check


for transport in ("websocket", "spdy", "legacy"):
    case(f"every service answers over {transport}", on=BOTH)(over(transport))


@case("what cannot be forwarded is listed with the true reason", on=BOTH)
def true_reasons(bed):
    daemon = bed.shop()

    def look():
        services = daemon.services()
        for key, (states, reason) in INACTIVE.items():
            service = services[key]
            assert service["status"] in states, f"{key}: {service['status']}"
            said = " ".join([service.get("reason", ""), *[f.get("error", "") for f in service["forwards"]]])
            assert re.search(reason, said), f"{key} says {said!r}"
        return True
    until(30, "all reasons are true", look)
    for key, (tcp, udp) in HALF.items():
        service = daemon.services()[key]
        assert str(tcp) in [f["localPort"] for f in service["forwards"]]
        ports = service["unsupportedPorts"]
        assert [p["port"] for p in ports] == [udp] and "UDP" in ports[0]["reason"] + ports[0]["protocol"]
        assert http_get(service["localIP"], tcp)[0] == 200


@case("a service without any pod resets at once instead of holding the connection", on=BOTH)
def no_pods_no_wait(bed):
    services = bed.shop().services()
    for key in ("idle.shop", "empty.shop"):
        try:
            with connect(services[key]["localIP"], 80, seconds=3) as c:
                c.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert c.recv(10) == b"", key
        except (ConnectionResetError, ConnectionRefusedError):
            pass


@case("the pods of a headless service answer by their own names", on=BOTH)
def headless_pods(bed):
    bed.shop()
    for pod in ("orders-0", "orders-1"):
        for ending in ("orders", "orders.shop", "orders.shop.svc.cluster.local"):
            assert http_get(f"{pod}.{ending}", 8080)[0] == 200


@case("two pods whose named port differs both serve the same service port", on=BOTH)
def mixed_ports(bed):
    bed.shop()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        bodies = {body for _, body in pool.map(lambda _: http_get("mixed", 80, "/"), range(16))}
    assert len(bodies) >= 2, bodies


@case("stop leaves hosts file and addresses as they were", on=BOTH)
def clean_stop(bed):
    with open("/etc/hosts", "rb") as file:
        before = file.read()
    daemon = bed.shop()
    assert b"# BEGIN fwd uid=12321" in open("/etc/hosts", "rb").read() and lo_labels()
    assert daemon.stop() == 0
    assert open("/etc/hosts", "rb").read() == before
    assert not lo_labels()


@case("without root everything answers by address, and low ports are moved up")
def unprivileged(bed):
    bed.simcluster()
    before = open("/etc/hosts", "rb").read()
    daemon = bed.shop("--unprivileged", how="user")
    services = daemon.services()
    web = services["web.shop"]["forwards"][0]
    assert web["localPort"] == "8080", web
    assert http_get(web["localIP"], 8080)[0] == 200
    assert http_get(services["cart.shop"]["localIP"], 8080)[0] == 200
    for key, ports in ACTIVE.items():
        if key in services:
            for forward in services[key]["forwards"]:
                assert forward["status"] == "Active", forward
    assert open("/etc/hosts", "rb").read() == before and not lo_labels()
    assert daemon.stop() == 0


@case("without BPF a bind per port serves the same table")
def by_bind(bed):
    daemon = bed.shop("--listening", "bind", namespaces="shop,staging")
    assert daemon.api("GET", "/info")["listening"] == "bind"
    answer_all(daemon.services())


@case("the client verbs list, add and remove while the daemon runs, and say so when it does not")
def client_verbs(bed):
    bed.need_cluster()
    status, _, said = bed.fwd("ls")
    assert status == 3 and "fwd" in said, (status, said)
    daemon = bed.start()
    status, out, said = bed.fwd("add", "web.shop")
    assert status == 0, said
    until(10, "web answers", lambda: curl("http://web/"))
    status, out, said = bed.fwd("ls", "-o", "name")
    assert status == 0 and "web.shop" in out, (out, said)
    status, out, said = bed.fwd("status")
    assert status == 0 and out, said
    status, out, said = bed.fwd("socket")
    assert status == 0 and out.strip() == "/run/fwd/12321/api.sock"
    assert bed.fwd("rm", "web.shop")[0] == 0
    until(5, "nothing is forwarded", lambda: not daemon.services())
    assert bed.fwd("ls", "--no-such-flag")[0] == 2
    assert bed.fwd("stop")[0] == 0
    assert daemon.process.wait(5) == 0
    assert bed.fwd("status")[0] == 3


@case("fwd start elevates, detaches, logs to the state folder and returns when the API answers; fwd stop ends it")
def start_and_stop(bed):
    if not os.path.exists("/usr/bin/sudo"):
        raise Skip("missing: sudo")
    bed.simcluster()
    before = open("/etc/hosts", "rb").read()
    status, out, said = bed.fwd("start", "svc", "-n", "shop", "-c", bed.kubeconfig, seconds=30)
    assert status == 0, (status, out, said)
    assert os.path.exists(f"/run/fwd/{UID}/api.sock")
    until(10, "web answers", lambda: curl("http://web/"))
    log = bed.home / ".local/state/fwd/fwdd.log"
    assert log.stat().st_uid == UID and log.read_text(), log
    status, out, said = bed.fwd("start", "svc", "-n", "shop", "-c", bed.kubeconfig, seconds=30)
    assert status != 0 or "already" in out + said, (status, out, said)
    assert bed.fwd("stop", seconds=15)[0] == 0
    assert open("/etc/hosts", "rb").read() == before and not lo_labels()


@case("fwd token prints the API's key, and --rotate ends the old one at once")
def token(bed):
    bed.start()

    def code(key):
        return run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--noproxy", "*", "-H", f"Authorization: Bearer {key}",
                   "http://localhost:8080/api/v1/services")
    old = bed.fwd("token")[1].strip()
    assert old.startswith("fwd_") and code(old) == "200"
    assert bed.fwd("token", "--rotate")[0] == 0
    new = bed.fwd("token")[1].strip()
    assert new != old and code(old) == "401" and code(new) == "200"

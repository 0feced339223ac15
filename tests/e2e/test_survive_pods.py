"""Pods come and go, and nobody who asks notices: restarts, deletion, scaling, stable names."""

import json
import time

from bed import case, connect, http_get, until
from load import Load, ask
from truth import watched

BOTH = ("sim", "real")


def eligible(sim, service, namespace="shop"):
    """The names of the pods that may be given connections of the service's first port."""
    return next([pod["name"] for pod in p["pods"]] for p in sim.ask("GET", "/truth")["ports"]
                if (p["service"], p["namespace"]) == (service, namespace))


def pod_names(bed, app):
    """All pods of the app that are not being deleted."""
    if bed.cluster == "sim":
        return eligible(bed.sim, app)
    listed = json.loads(bed.kubectl("-n", "shop", "get", "pods", "-l", f"app={app}", "-o", "json"))["items"]
    return [pod["metadata"]["name"] for pod in listed if "deletionTimestamp" not in pod["metadata"]]


def scale(bed, name, replicas):
    if bed.cluster == "sim":
        bed.sim.ask("POST", "/faults", {"fault": "scale", "workload": name, "replicas": replicas})
    else:
        bed.kubectl("-n", "shop", "scale", f"deployment/{name}", f"--replicas={replicas}")


def replace_all(bed, name, replicas):
    """As a Deployment rolls: one more, then each old one makes room once its successor is ready."""
    if bed.cluster == "real":
        bed.kubectl("-n", "shop", "rollout", "restart", f"deployment/{name}")
        bed.kubectl("-n", "shop", "rollout", "status", f"deployment/{name}", "--timeout=60s")
        return
    old = eligible(bed.sim, name)
    scale(bed, name, replicas + 1)
    for pod in old:
        until(20, "the next pod is ready", lambda: len(eligible(bed.sim, name)) == replicas + 1)
        bed.sim.ask("POST", "/faults", {"fault": "delete_pod", "pod": pod, "ms": 1000})
    until(20, "the last pod is ready", lambda: len(eligible(bed.sim, name)) == replicas + 1)
    scale(bed, name, replicas)


@case("a rolling restart of three replicas fails no request", on=BOTH)
def rolling_restart(bed):
    daemon = bed.shop(services=["web.shop"])
    before = set(pod_names(bed, "web"))
    with watched(bed, daemon), Load("web") as load:
        until(10, "the first answers", lambda: len(load.good()) > 10)
        replace_all(bed, "web", 3)
        time.sleep(1)
    load.none_failed()
    last = {a.pod for a in load.good()[-10:]}
    assert last and not last & before, (last, before)
    if bed.cluster == "sim":
        load.no_post_twice(bed.sim)


@case("while the only pod is replaced, requests wait and its successor answers them", on=BOTH)
def only_pod(bed):
    if bed.cluster == "sim":
        bed.simcluster("--ready-after-ms", "2000")
    daemon = bed.shop(services=["cart.shop"])
    before, = pod_names(bed, "cart")
    with watched(bed, daemon), Load("cart", 8080) as load:
        until(10, "the first answers", lambda: len(load.good()) > 10)
        if bed.cluster == "sim":
            deleted = time.monotonic()
            bed.sim.ask("POST", "/faults", {"fault": "delete_pod", "pod": before, "ms": 1000})
            successor, = until(20, "the successor is ready", lambda: eligible(bed.sim, "cart"), pause=0.005)
        else:
            deleted = time.monotonic()
            bed.kubectl("-n", "shop", "delete", "pod", before, "--wait=false")
            successor, = [p for p in pod_names(bed, "cart") if p != before] or until(
                10, "there is a successor", lambda: [p for p in pod_names(bed, "cart") if p != before])
            bed.kubectl("-n", "shop", "wait", "--for=condition=Ready", f"pod/{successor}", "--timeout=60s")
        ready = time.monotonic()
        time.sleep(1)
    answers = [a for a in load.good() if a.pod == successor]
    print(f"figure: ready after {ready - deleted:.2f} s, the successor's first answer {(min(a.end for a in answers) - ready) * 1000:+.0f} ms from when that was seen")
    load.none_failed()
    assert any(a.start < ready - 0.2 for a in answers), "no request was held for the successor"
    assert max(a.end for a in load.good() if a.pod == before) < min(a.end for a in answers) + 1
    if bed.cluster == "sim":
        load.no_post_twice(bed.sim)


@case("scaled to zero resets at once and says so; scaled up again serves again", on=BOTH)
def to_zero_and_back(bed):
    daemon = bed.shop(services=["cart.shop"])
    with watched(bed, daemon):
        scale(bed, "cart", 0)
        try:
            def told():
                service = daemon.services()["cart.shop"]
                assert service["status"] == "pending" and any(w in service["reason"].lower() for w in ("scaled", "no pod")), service
                return True
            until(20, "the state says why", told)

            def reset():
                began = time.monotonic()
                try:
                    with connect("cart", 8080, 10) as c:
                        c.sendall(b"GET / HTTP/1.0\r\n\r\n")
                        answer = c.recv(10)
                except ConnectionResetError:
                    answer = b""
                assert answer == b"" and time.monotonic() - began < 2, (answer, time.monotonic() - began)
                return True
            until(20, "a connection is reset at once", reset)
        finally:
            scale(bed, "cart", 1)
        with Load("cart", 8080, rate=5) as load:
            until(60, "it serves again", load.good)
        daemon.settled(10, ["cart.shop"])
    if bed.cluster == "sim":
        load.no_post_twice(bed.sim)


@case("after a restart of a StatefulSet each pod's name has the address it had, and leads to that pod", on=BOTH)
def stable_names(bed):
    daemon = bed.shop(services=["orders.shop"])

    def addresses(known=None):
        found = {name: f["localIP"] for f in daemon.services()["orders.shop"]["forwards"] for name in f["hostnames"] if name.startswith("orders-")}
        assert {"orders-0.orders", "orders-1.orders"} <= set(found), found
        return {name: found[name] for name in known or found}  # the names of public top-level domains come a moment later
    before = until(10, "the pods have names", addresses)
    with watched(bed, daemon):
        if bed.cluster == "real":
            bed.kubectl("-n", "shop", "rollout", "restart", "statefulset/orders")
            bed.kubectl("-n", "shop", "rollout", "status", "statefulset/orders", "--timeout=90s")
        else:
            for pod in ("orders-1", "orders-0"):
                bed.sim.ask("POST", "/faults", {"fault": "delete_pod", "pod": pod, "ms": 300})
                until(5, "it is going", lambda: pod not in eligible(bed.sim, "orders"))
                assert addresses(before) == before
                until(10, "it is back", lambda: pod in eligible(bed.sim, "orders"))
        for pod in ("orders-0", "orders-1"):
            until(10, f"{pod} answers by its own name", lambda: ask(f"{pod}.orders", 8080, seconds=5) == (200, pod))
        assert addresses(before) == before
        assert http_get("orders", 8080, "/healthz")[0] == 200

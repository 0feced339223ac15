"""The REST face of a whole daemon: what clusters have, what may be done, numbers that agree, and a contract that holds."""

import json
import random
import urllib.parse

import contract
from bed import case, http_get, until

K8S = "/kubernetes"


def text_of(daemon, path):
    """An answer that is no JSON."""
    connection = daemon.connection()
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.getheader("Content-Type"), answer.read().decode()


@case("rest reads clusters: services, ports, pods, workloads, logs, events, endpoints", on=("sim",))
def reads(bed):
    daemon = bed.shop()
    api = daemon.api
    services = api("GET", f"{K8S}/services?namespace=shop")["services"]
    assert {"web", "manual"} <= {one["name"] for one in services}
    status, first = daemon.request("GET", f"/api/v1{K8S}/services?namespace=shop&limit=2")
    assert status == 200 and first["meta"]["count"] == 2 and first["meta"]["continue"]
    token = urllib.parse.quote(first["meta"]["continue"], safe="")
    rest = api("GET", f"{K8S}/services?namespace=shop&limit=1000&continue={token}")["services"]
    assert len(rest) + 2 == len(services)
    assert api("GET", f"{K8S}/services/shop/web")["forwardKey"].startswith("web.shop.")
    assert api("GET", f"{K8S}/ports/shop/web")["ports"][0]["port"] == 80

    pods = api("GET", f"{K8S}/pods/shop?service_name=web")["pods"]
    assert pods and all(one["status"] == "Running" for one in pods), pods
    detail = api("GET", f"{K8S}/pods/shop/{pods[0]['name']}")
    assert detail["containers"][0]["state"] == "running"
    chosen = api("GET", f"{K8S}/pods/shop/deploy%2Fweb")
    assert chosen["name"] in {one["name"] for one in pods}
    for _ in range(3):
        http_get("web", 80)
    log = until(5, "the pods wrote lines", lambda: api("GET", f"{K8S}/pods/shop/deploy%2Fweb/logs?tail_lines=1")["logs"])
    assert len(log) == 1
    assert api("GET", f"{K8S}/pods/shop/{pods[0]['name']}/logs?tail_lines=1000")["truncated"] is False

    crashing = api("GET", f"{K8S}/pods/shop?service_name=crashing")["pods"][0]
    assert crashing["status"] == "CrashLoopBackOff"
    events = api("GET", f"{K8S}/events/shop?resource_kind=Pod&limit=1000")["events"]
    assert all(one["objectKind"] == "Pod" for one in events)
    times = [one["lastTimestamp"] for one in events]
    assert times == sorted(times, reverse=True)
    ends = api("GET", f"{K8S}/endpoints/shop/web")
    assert len(ends["ready"]) == len(pods)
    assert api("GET", f"{K8S}/contexts")["currentContext"]
    status, none = daemon.request("GET", f"/api/v1{K8S}/services?namespace=shpo")
    assert status == 404 and "did you mean shop" in none["error"]["message"]


@case("rest finds services by words, kind and port", on=("sim",))
def finds(bed):
    daemon = bed.shop()
    for query, name in (("query=db%20staging", "db"), ("kind=postgres", "db"), ("port=5432", "db")):
        found = daemon.api("GET", f"{K8S}/find?{query}&limit=1000")
        assert name in {one["name"] for one in found["services"]}, (query, found)
    assert daemon.api("GET", f"{K8S}/find?query=nothing-is-called-so")["services"] == []


@case("rest checks, connects anew, plans and tells how to connect", on=("sim",))
def acts(bed):
    daemon = bed.shop()
    report = daemon.api("POST", "/services/web.shop/check", {"path": "/", "timeoutMs": 10000})
    assert report["ok"], report
    assert [one["stage"] for one in report["stages"]] == ["name", "listener", "pod", "tunnel", "pod port", "protocol greeting", "http"]
    # Connections to it are reset at once; the check goes on to why.
    broken = daemon.api("POST", "/services/crashing.shop/check", {"timeoutMs": 3000})
    assert not broken["ok"] and '"pod"' in broken["verdict"] and "CrashLoopBackOff" in broken["verdict"], broken
    bad = daemon.api("POST", "/services/never-ready.shop/check", {"timeoutMs": 3000})
    assert not bad["ok"] and "pod" in bad["verdict"], bad
    again = daemon.api("POST", "/services/web.shop/reconnect")
    assert again["services"][0]["status"] == "active" and again["services"][0]["verified"]
    assert http_get("web", 80)[0] == 200
    assert daemon.api("POST", "/services/web.shop/sync", {"force": True})["service"]["status"] == "active"
    assert "crashing.shop" in " ".join(one["key"] for one in daemon.api("POST", "/services/reconnect", {"scope": "errors"})["services"])

    env = daemon.api("GET", "/services/web.shop/env?format=shell")
    assert env["env"]["WEB_HOST"] == "web" and 'export WEB_PORT="80"' in env["text"]
    assert daemon.api("GET", "/env?namespace=shop")["env"]["WEB_PORT"] == "80"
    doctor = daemon.api("GET", "/doctor?port=80")
    assert next(one for one in doctor["findings"] if one["check"] == "names")["ok"], doctor

    plan = daemon.api("POST", "/plans", {"operation": "remove_service", "arguments": {"key": "web.shop"}})
    assert plan["affected"][0]["key"].startswith("web.shop.")
    assert daemon.api("POST", f"/plans/{plan['planId']}/apply")["removed"]
    status, used = daemon.request("POST", f"/api/v1/plans/{plan['planId']}/apply")
    assert status == 410 and used["error"]["code"] == "gone"
    added = daemon.api("POST", "/services", {"serviceName": "web", "namespace": "shop", "ports": [{"port": "http"}], "wait": "reachable",
                                             "timeoutMs": 20000})
    assert added["ready"] and added["created"] is True, added
    status, same = daemon.request("POST", "/api/v1/services", {"serviceName": "web", "namespace": "shop", "wait": "ready"})
    assert status == 200 and same["data"]["key"] == added["key"]


@case("after a transfer every place says the same number", on=("sim",))
def numbers(bed):
    daemon = bed.shop()
    for _ in range(5):
        assert http_get("web", 80)[0] == 200

    def settled():
        service = daemon.api("GET", "/services/web.shop")
        assert service["totalBytesIn"] > 0 and sum(f["connections"] for f in service["forwards"]) == 0
        return service
    service = until(10, "the connections ended", settled)
    moved = service["totalBytesIn"], service["totalBytesOut"]
    one = until(10, "the meter has seen it", lambda: (m := daemon.api("GET", "/metrics/services/web.shop?points=300")) and
                m["history"][-1]["bytesIn"] == moved[0] and m)
    assert (one["totalBytesIn"], one["totalBytesOut"]) == moved
    assert (one["history"][-1]["bytesIn"], one["history"][-1]["bytesOut"]) == moved
    assert sum(point["rateIn"] for point in one["history"]) == moved[0]
    summary = daemon.api("GET", "/metrics")
    assert (summary["totalBytesIn"], summary["totalBytesOut"]) == moved
    assert daemon.api("GET", "/services")["summary"]["totalBytesIn"] == moved[0]
    assert daemon.api("GET", "/forwards")["summary"]["totalBytesOut"] == moved[1]
    status, kind, text = text_of(daemon, "/metrics")
    assert status == 200 and kind.startswith("text/plain; version=0.0.4")
    assert f'fwd_bytes_total{{direction="in"}} {moved[0]}\n' in text


@case("whatever is asked, the answer is documented and no failure of the daemon", on=("sim",))
def odd_requests(bed):
    """Requests made of the contract and of nonsense, from one seed."""
    daemon = bed.shop()
    document = contract.load(text_of(daemon, "/openapi.yaml")[2])
    assert text_of(daemon, "/docs")[1] == "text/html; charset=utf-8"
    chance = random.Random(7)
    words = ["web", "web.shop", "shop", "deploy%2Fweb", "none", "a%2Fb%3Ac%25", "%F0%9F%90%99", "x" * 300, "-1", "0", "1", "1001", "%00"]
    bodies = [None, {}, [], "x", {"serviceName": 7}, {"serviceName": "", "ports": [{}]}, {"key": None}, {"operation": "?", "arguments": []}]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if path.endswith(("/stream", "/events", "/shutdown", "/rotate")) or path in ("/", "/docs", "/openapi.yaml", "/metrics"):
                continue
            for _ in range(6):
                target = path
                while "{" in target:
                    target = target.replace(target[target.index("{"):target.index("}") + 1], chance.choice(words), 1)
                asked = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query" and chance.random() < 0.5 and p["name"] != "follow"]
                if asked:
                    target += "?" + "&".join(f"{name}={chance.choice(words)}" for name in asked)
                body = chance.choice(bodies) if method in ("post", "put") else None
                status, answer = daemon.request(method.upper(), target, body)
                assert status < 500, (method, target, body, status, json.dumps(answer)[:500])

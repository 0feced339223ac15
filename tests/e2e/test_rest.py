"""The REST face of a whole daemon: what clusters have, what may be done, numbers that agree, and a contract that holds."""

import json
import random
import re
import socket
import threading
import urllib.parse

import contract
import events
from bed import case, connect, http_get, lo_labels, read_all, until

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


@case("an addition that fails leaves nothing behind, and one that works is as it was asked for", on=("sim",))
def additions(bed):
    daemon = bed.start()

    def machine():
        with open("/etc/hosts", "rb") as file:
            return file.read(), lo_labels()
    until(5, "the API has its own name", lambda: b"fwd.internal" in machine()[0])
    before = machine()

    def untouched():
        assert daemon.api("GET", "/services")["services"] == [] and daemon.api("GET", "/namespaces")["namespaces"] == []
        now = machine()
        assert now == before, (before, now)
        return True
    for path, body, status, code in (
            ("services", {"serviceName": "wbe", "namespace": "shop"}, 404, "not_found"),
            ("services", {"serviceName": "web", "namespace": "shpo"}, 404, "not_found"),
            ("services", {"serviceName": "web", "namespace": "shop", "context": "none"}, 404, "not_found"),
            ("services", {"serviceName": "web", "namespace": "shop", "ports": [{"port": "nope"}]}, 404, "not_found"),
            ("services", {"serviceName": "external", "namespace": "shop"}, 422, "unsupported"),
            ("services", {"serviceName": "web", "namespace": "shop", "localIP": "127.0.0.9"}, 400, "invalid_request"),
            ("namespaces", {"namespace": "shpo"}, 404, "not_found"),
            ("namespaces", {"namespace": "shop", "selector": "a in ("}, 400, "invalid_request")):
        got, answer = daemon.request("POST", f"/api/v1/{path}", body)
        assert (got, answer["error"]["code"]) == (status, code), (body, got, answer)
        until(10, f"nothing is left of {body}", untouched)

    wish = {"serviceName": "api", "namespace": "shop", "localIP": "127.1.99.7", "ports": [{"port": 8080, "localPort": 18080}],
            "wait": "reachable", "timeoutMs": 20000}
    status, answer = daemon.request("POST", "/api/v1/services", wish)
    added = answer["data"]
    assert status == 201 and added["ready"] and added["localIP"] == "127.1.99.7", answer
    assert [(one["localPort"], one["remotePort"]) for one in added["ports"]] == [("18080", "8080")], added
    assert http_get("api", 18080, "/healthz")[0] == 200  # the first namespace that something is forwarded from has the bare names
    status, again = daemon.request("POST", "/api/v1/services", wish)
    assert status == 200 and again["data"]["key"] == added["key"], again
    status, taken = daemon.request("POST", "/api/v1/services", {"serviceName": "web", "namespace": "shop", "localIP": "127.1.99.7"})
    assert status == 409 and taken["error"]["code"] == "conflict" and "127.1.99.7" in taken["error"]["message"], taken
    assert set(daemon.services()) == {"api.shop"}

    some = {"namespace": "staging", "services": ["w*", "d*"], "exclude": ["db"], "wait": "ready", "timeoutMs": 20000}
    status, answer = daemon.request("POST", "/api/v1/namespaces", some)
    assert status == 201 and answer["data"]["ready"] and [key.split(".")[0] for key in answer["data"]["services"]] == ["web"], answer
    assert daemon.request("POST", "/api/v1/namespaces", some)[0] == 200
    status, answer = daemon.request("POST", "/api/v1/namespaces", {"namespace": "shop", "selector": "app=cart"})
    assert status == 201 and [key.split(".")[0] for key in answer["data"]["services"]] == ["cart"], answer
    kept = daemon.api("DELETE", "/namespaces/shop")
    assert [key.split(".")[0] for key in kept["services"]] == ["cart"] and [key.split(".")[0] for key in kept["kept"]] == ["api"], kept


@case("after a transfer every place says the same number, the one transferred", on=("sim",))
def numbers(bed):
    daemon = bed.shop()
    sent = random.Random(3).randbytes(1_234_567)
    with events.Stream(daemon, "?type=BandwidthUpdate&service=echo.shop") as stream:
        talking = connect("echo", 7000)
        sender = threading.Thread(target=lambda: (talking.sendall(sent), talking.shutdown(socket.SHUT_WR)))
        sender.start()
        assert read_all(talking) == sent
        sender.join()
        # What came in from the client went out to it again.
        both = {"in": len(sent), "out": len(sent)}
        until(10, "the stream told it", lambda: stream.last("BandwidthUpdate")["data"]["bytesIn"] == both["in"])
        told = stream.last("BandwidthUpdate")["data"]

    def numbers_of(one, names=("bytesIn", "bytesOut")):
        return {"in": one[names[0]], "out": one[names[1]]}
    total = ("totalBytesIn", "totalBytesOut")
    key = told["serviceKey"]
    said = {"the stream": numbers_of(told)}
    listed = daemon.api("GET", "/services?search=echo")
    said["/services"] = numbers_of(next(one for one in listed["services"] if one["key"] == key), total)
    said["/services' summary"] = numbers_of(listed["summary"], total)
    service = daemon.api("GET", f"/services/{key}")
    said["/services/:key"] = numbers_of(service, total)
    said["its forward"] = numbers_of(service["forwards"][0])
    forwards = daemon.api("GET", "/forwards?search=echo")
    said["/forwards"] = numbers_of(next(one for one in forwards["forwards"] if one["serviceKey"] == key))
    said["/forwards' summary"] = numbers_of(forwards["summary"], total)
    said["/forwards/:key"] = numbers_of(daemon.api("GET", f"/forwards/{service['forwards'][0]['key']}"))
    said["/metrics"] = numbers_of(daemon.api("GET", "/metrics"), total)
    metrics = daemon.api("GET", "/metrics/services?limit=1000")
    one = next(one for one in metrics["services"] if one["key"] == key)
    said["/metrics/services"] = numbers_of(one, total)
    said["its port"] = numbers_of(one["portForwards"][0])
    detail = daemon.api("GET", f"/metrics/services/{key}?points=300")
    said["/metrics/services/:key"] = numbers_of(detail, total)
    said["its last second"] = numbers_of(detail["history"][-1])
    said["its seconds together"] = {"in": sum(p["rateIn"] for p in detail["history"]), "out": sum(p["rateOut"] for p in detail["history"])}
    status, kind, text = text_of(daemon, "/metrics")
    assert status == 200 and kind.startswith("text/plain; version=0.0.4")
    name, space, context = key.split(".", 2)
    said["Prometheus"] = {way: int(re.search(rf'^fwd_bytes_total{{direction="{way}"}} (\d+)$', text, re.M)[1]) for way in both}
    labels = f'service="{name}",namespace="{space}",context="{context}"'
    said["Prometheus, the service"] = {way: int(re.search(rf'^fwd_service_bytes_total{{{labels},direction="{way}"}} (\d+)$', text, re.M)[1])
                                       for way in both}
    wrong = {where: number for where, number in said.items() if number != both}
    assert not wrong, (both, wrong)


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

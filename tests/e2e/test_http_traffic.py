"""HTTP requests as they pass: what real clients asked for is what REST tells, paired, timed and without their secrets."""

import contextlib
import json
import socket
import ssl

from bed import case, connect, curl, http_get, run, until


def seen(daemon, service="web.shop", query=""):
    """(summary, rows newest first) of a service."""
    data = daemon.api("GET", f"/services/{service}/http{query}")
    return data["summary"], [row for forward in data["forwards"] for row in forward["logs"]]


def asked(daemon, count, service="web.shop"):
    return until(5, f"{count} requests are told", lambda: seen(daemon, service) if seen(daemon, service)[0]["totalRequests"] == count else None)


@case("requests of a connection that is kept alive are told with path, status, sizes and times")
def kept_alive(bed):
    daemon = bed.shop(services=["web.shop"])
    summary, rows = seen(daemon)
    assert summary["totalRequests"] == 0 and rows == [], summary
    # One curl, one connection, four requests.
    run("curl", "-sS", "--noproxy", "*", "-m", "20", "-H", "Authorization: Bearer hidden", "http://web/healthz?token=hidden", "http://web/status?code=404",
        "http://web/slow?ms=300", "http://web/big?bytes=100000", "-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null")
    summary, rows = asked(daemon, 4)
    assert [(r["method"], r["path"], r["statusCode"]) for r in reversed(rows)] == [
        ("GET", "/healthz", 200), ("GET", "/status", 404), ("GET", "/slow", 200), ("GET", "/big", 200)], rows
    big, slow = rows[0], rows[1]
    assert big["size"] == 100000 and 300 <= slow["durationMs"] < 5000, rows
    assert all(r["host"] == "web" and r["protocol"] == "HTTP/1.1" and r["podName"].startswith("web-") and "cutBy" not in r for r in rows), rows
    assert summary["statusCodes"] == {"2xx": 3, "4xx": 1} and summary["inFlight"] == 0, summary
    assert 0 < summary["p50Ms"] <= summary["p95Ms"] and summary["requestsPerSecond"] > 0, summary
    assert "hidden" not in json.dumps(rows)
    assert [r["path"] for r in seen(daemon, query="?status_min=400")[1]] == ["/status"]
    assert [r["path"] for r in seen(daemon, query="?path_contains=big")[1]] == ["/big"]


@case("an upload, a HEAD, pipelined and chunked requests are paired rightly")
def paired(bed):
    daemon = bed.shop(services=["web.shop"])
    curl("-H", "Transfer-Encoding: chunked", "--data-binary", "x" * 5000, "-o", "/dev/null", "http://web/sum")
    curl("-I", "http://web/healthz", "-o", "/dev/null")
    with connect("web", 80) as c:
        one = "GET /status?code={} HTTP/1.1\r\nHost: web\r\n\r\n"
        c.sendall("".join(one.format(code) for code in (201, 202, 503)).encode())
        got = b""
        while got.count(b"HTTP/1.1 ") < 3:
            got += c.recv(65536)
        _, rows = asked(daemon, 5)
    assert [(r["method"], r["statusCode"]) for r in reversed(rows)] == [("POST", 200), ("HEAD", 200), ("GET", 201), ("GET", 202), ("GET", 503)], rows
    assert rows[-1]["requestSize"] == 5000, rows[-1]


@case("a request without an answer is in flight, then told with who left")
def unanswered(bed):
    daemon = bed.shop(services=["web.shop"])
    with connect("web", 80) as c:
        c.sendall(b"GET /slow?ms=60000 HTTP/1.1\r\nHost: web\r\n\r\n")
        until(5, "it is in flight", lambda: seen(daemon)[0]["inFlight"] == 1)
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # its end is a reset
    summary, rows = asked(daemon, 1)
    assert rows[0]["cutBy"] == "client" and "statusCode" not in rows[0] and summary["unanswered"] == 1, (summary, rows)


def put_service(bed, name, port, app):
    """A service of one pod, whose port answers as that application of the simulated cluster does."""
    labels = {"app": name}
    container = {"name": "main", "image": "fwd.example/app:1", "ports": [{"containerPort": port, "protocol": "TCP"}]}
    bed.sim.ask("POST", "/objects", {"put": [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "shop", "name": name, "labels": labels},
         "spec": {"replicas": 1, "selector": {"matchLabels": labels},
                  "template": {"metadata": {"labels": labels, "annotations": {"sim.fwd.dev/apps": f"{port}={app}"}}, "spec": {"containers": [container]}}}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "shop", "name": name},
         "spec": {"type": "ClusterIP", "clusterIP": "10.97.1.1", "selector": labels, "ports": [{"name": "it", "port": port, "targetPort": port, "protocol": "TCP"}]}}]})


def active(daemon, service):
    until(20, f"{service} is reachable", lambda: daemon.services().get(service, {}).get("status") == "active")


@case("requests of HTTP/2 without TLS are told, and gRPC calls with their status")
def http2(bed):
    daemon = bed.shop(services=["web.shop"])
    put_service(bed, "calls", 9000, "h2c")
    active(daemon, "calls.shop")
    h2 = ["--http2-prior-knowledge", "-sS", "--noproxy", "*", "-m", "20"]
    assert "h2c /page?token=hidden from calls-" in until(10, "it answers", lambda: run("curl", *h2, "http://calls:9000/page?token=hidden"))
    for path in ("missing", "again"):  # one curl each: 7.88 gives up before it says a second request on such a connection
        run("curl", *h2, "-o", "/dev/null", f"http://calls:9000/{path}")
    grpc = [*h2, "-o", "/dev/null", "-H", "Content-Type: application/grpc", "-H", "TE: trailers", "--data-binary", "12345"]
    run("curl", *grpc, "http://calls:9000/shop.Cart/Add")
    run("curl", *grpc, "http://calls:9000/shop.Cart/Fail")
    summary, rows = asked(daemon, 5, "calls.shop")
    assert [(r["protocol"], r["method"], r["path"], r["statusCode"], r.get("grpcStatus")) for r in reversed(rows)] == [
        ("HTTP/2", "GET", "/page", 200, None), ("HTTP/2", "GET", "/missing", 404, None), ("HTTP/2", "GET", "/again", 200, None),
        ("gRPC", "POST", "/shop.Cart/Add", 200, 0), ("gRPC", "POST", "/shop.Cart/Fail", 200, 5)], rows
    assert rows[1]["requestSize"] == 5 and rows[1]["host"] == "calls:9000", rows[1]


def metrics(daemon):
    """What Prometheus would read."""
    with contextlib.closing(daemon.connection()) as connection:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()


@case("requests over all services, their count for Prometheus, and a forward's own are the same ones")
def everywhere(bed):
    daemon = bed.shop(services=["web.shop", "api.shop"])
    for _ in range(3):
        http_get("web")
    http_get("api", 8080, "/healthz")
    asked(daemon, 3)
    asked(daemon, 1, "api.shop")
    every = daemon.api("GET", "/http?count=4")
    assert every["summary"]["totalRequests"] == 4, every["summary"]
    assert [row["serviceKey"].split(".")[0] for row in every["logs"]] == ["api", "web", "web", "web"], every["logs"]
    forward = daemon.api("GET", f"/forwards/{every['logs'][0]['forwardKey']}/http")
    assert forward["summary"]["totalRequests"] == 1 and forward["logs"][0]["path"] == "/healthz", forward
    text = metrics(daemon)
    assert 'fwd_service_http_requests_total{service="web",namespace="shop",context="sim",code="2xx"} 3' in text, text


@case("TLS is told by its name and left alone, and what is not HTTP leaves nothing")
def others(bed):
    daemon = bed.shop(services=["echo.shop"])
    put_service(bed, "sealed", 9443, "tls-echo")
    active(daemon, "sealed.shop")
    with connect("echo", 7000) as c:
        c.sendall(b"HELLO, no HTTP\r\n")
        assert c.recv(100) == b"HELLO, no HTTP\r\n"
    anyone = ssl._create_unverified_context()
    with anyone.wrap_socket(connect("sealed", 9443), server_hostname="sealed.example") as c:
        c.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert c.recv(100)
    for service in ("echo.shop", "sealed.shop"):
        summary, rows = seen(daemon, service)
        assert summary["totalRequests"] == 0 and rows == [], (summary, rows)
    assert summary["tlsConnections"] == 1 and summary["tlsNames"] == ["sealed.example"], summary

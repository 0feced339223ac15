"""What both clusters have, and how each answer is known to be the right one. Keys are `service.namespace`."""

import socket
import subprocess

from bed import connect, http_get, read_all, run


def http(path="/healthz"):
    def probe(host, port):
        status, body = http_get(host, port, path)
        assert status == 200, f"{status} {body[:200]}"
    return probe


def postgres(host, port):
    answer = run("psql", "-h", host, "-p", port, "-U", "postgres", "-d", "postgres", "-Atc", "select 1", env=CLIENT, timeout=20)
    assert answer.strip() == "1", answer


def redis(host, port):
    answer = run("redis-cli", "-h", host, "-p", port, "ping", timeout=20)
    assert answer.strip() == "PONG", answer


def greeter(host, port):
    with connect(host, port) as c:
        assert c.recv(100) == b"220 greeter ready\r\n"
        c.sendall(b"EHLO\r\n")
        assert c.recv(100) == b"EHLO\r\n"


def echo(host, port):
    c = connect(host, port)
    c.sendall(b"there and back")
    assert c.recv(100) == b"there and back"
    c.shutdown(socket.SHUT_WR)
    assert read_all(c) == b""


def sink(host, port):
    with connect(host, port) as c:
        c.sendall(bytes(100_000))


def source(host, port):
    with connect(host, port) as c:
        left = 1 << 20
        while left > 0:
            left -= len(c.recv(min(left, 65536))) or exit_early(left)


def exit_early(left):
    raise AssertionError(f"the source ended {left} bytes early")


CLIENT = {"PGCONNECT_TIMEOUT": "15", "PGSSLMODE": "prefer", "HOME": "/nonexistent", "PATH": "/usr/bin:/bin"}

ACTIVE = {
    "web.shop": [(80, http())],
    "api.shop": [(8080, http()), (9090, http())],
    "cart.shop": [(8080, http())],
    "db.shop": [(5432, postgres)],
    "cache.shop": [(6379, redis)],
    "greeter.shop": [(2525, greeter)],
    "echo.shop": [(7000, echo)],
    "sink.shop": [(7001, sink)],
    "source.shop": [(7002, source)],
    "orders.shop": [(8080, http())],
    "mixed.shop": [(80, http())],
    "web.staging": [(80, http())],
    "api.staging": [(8080, http())],
    "db.staging": [(5432, postgres)],
    "redis.data": [(6379, redis)],
    "postgres.data": [(5432, postgres)],
    "nginx.data": [(80, http("/"))],
}
# Those that cannot be active: states that are true, and what the reason has to mention.
INACTIVE = {
    "never-ready.shop": (("pending", "error"), r"(?i)ready"),
    "crashing.shop": (("pending", "error"), r"(?i)crash|exit|restart|back-?off"),
    "manual.shop": (("pending", "error", "unsupported"), r"(?i)selector|endpoint|pod"),
    "external.shop": (("unsupported",), r"(?i)ExternalName"),
    "empty.shop": (("pending", "error"), r"(?i)no .*pod|match"),
    "idle.shop": (("pending",), r"(?i)scaled|zero|\b0\b|no .*pod"),
}
# A TCP port beside one that cannot be forwarded.
HALF = {"dns-udp.shop": (8053, 53)}


def namespaces(cluster):
    return "shop,staging,data" if cluster == "real" else "shop,staging"


def names(key, primary="shop"):
    """The names that the service must answer to, where the context is the primary one."""
    service, namespace = key.split(".")
    tail = [f"{service}.{namespace}", f"{service}.{namespace}.svc", f"{service}.{namespace}.svc.cluster.local"]
    return ([service] if namespace == primary else []) + tail

"""Bytes: many, at once, half-closed; held to sums."""

import concurrent.futures
import hashlib
import socket

from bed import case, connect, curl, http_get, read_all

BOTH = ("sim", "real")
MIB = 1 << 20


def size(bed):
    return 1024 * MIB if bed.full else 64 * MIB


def numbered(length):
    """What is sent: every eight bytes differ from all others."""
    for start in range(0, length, MIB):
        yield b"".join(n.to_bytes(8, "big") for n in range(start, min(start + MIB, length), 8))[:length - start]


LETTERS = bytes(ord("a") + i % 26 for i in range(65536))  # what the web page's /big repeats


def upload(host, port, length):
    """(our SHA-256, the server's) of a body of that length."""
    mine = hashlib.sha256()
    with connect(host, port, 120) as c:
        c.sendall(f"POST /sum HTTP/1.1\r\nHost: web\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n".encode())
        for block in numbered(length):
            mine.update(block)
            c.sendall(block)
        answer = b"".join(iter(lambda: c.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 200 " in head.split(b"\r\n")[0], head
    got, sum_ = body.decode().split()
    assert int(got) == length
    return mine.hexdigest(), sum_


def download(host, port, length):
    """The SHA-256 of a body of that length, as it came."""
    sum_, got = hashlib.sha256(), 0
    with connect(host, port, 120) as c:
        c.sendall(f"GET /big?bytes={length} HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n".encode())
        file = c.makefile("rb")
        while file.readline().strip():
            pass
        while block := file.read(MIB):
            sum_.update(block)
            got += len(block)
    assert got == length, f"{got} of {length} bytes"
    return sum_.hexdigest()


def expected_download(length):
    """The SHA-256 that a download of that length, a multiple of 64 KiB, has when it is right."""
    expected = hashlib.sha256()
    for _ in range(length // len(LETTERS)):
        expected.update(LETTERS)
    return expected.hexdigest()


def moves(transport):
    def check(bed):
        bed.shop("--transport", transport, services=["web.shop"])
        mine, theirs = upload("web", 80, size(bed))
        assert mine == theirs
        assert download("web", 80, size(bed)) == expected_download(size(bed))
    check.__name__ = f"moves_{transport}"
    return check


for transport in ("websocket", "spdy", "legacy"):
    case(f"a large upload and download arrive unchanged over {transport}", on=BOTH)(moves(transport))


@case("a client that half-closes while the server streams gets all of it", on=BOTH)
def half_close(bed):
    bed.shop(services=["web.shop"])
    parts = 50 if bed.full else 30
    with connect("web", 80, 30) as c:
        c.sendall(f"GET /slow?ms=100&parts={parts} HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n".encode())
        c.shutdown(socket.SHUT_WR)
        got = b"".join(iter(lambda: c.recv(65536), b""))
    assert got.count(b"\n") >= parts and f"({parts})".encode() in got, f"{len(got)} bytes, ending {got[-80:]!r}"


@case("a half-close with the request still lets the whole answer through", on=BOTH)
def half_close_source(bed):
    bed.shop(services=["source.shop"])
    with connect("source", 7002, 30) as c:
        c.sendall(b"20000000\n")
        c.shutdown(socket.SHUT_WR)
        assert sum(len(block) for block in iter(lambda: c.recv(65536), b"")) == 20_000_000


@case("a half-close is passed on: an echo server ends its side after ours", on=BOTH)
def half_close_echo(bed):
    bed.shop(services=["echo.shop"])
    c = connect("echo", 7000)
    c.sendall(b"last words")
    c.shutdown(socket.SHUT_WR)
    assert read_all(c) == b"last words"


@case("200 connections at once all get their answer", on=BOTH)
def many_connections(bed):
    bed.shop(services=["web.shop"])
    open_ = [connect("web", 80, 60) for _ in range(200)]
    for n, c in enumerate(open_):
        c.sendall(f"GET /status?code=200&n={n} HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n".encode())
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(read_all, open_))
    good = sum(a.startswith(b"HTTP/1.1 200") for a in answers)
    assert good == 200, f"{good} of 200"


@case("a reader that stops reading disturbs no other connection", on=BOTH)
def stalled_reader(bed):
    bed.shop(services=["web.shop", "source.shop"])
    stalled = [connect("source", 7002, 30) for _ in range(2)] + [connect("web", 80, 30)]
    stalled[2].sendall(b"GET /big?bytes=1000000000 HTTP/1.1\r\nHost: web\r\n\r\n")
    for _ in range(20):
        assert http_get("web", 80, "/healthz", 5)[0] == 200
    for c in stalled:
        c.close()


@case("a large body comes back through curl as it went", on=BOTH)
def echoed(bed):
    bed.shop(services=["web.shop"])
    body = bed.write("body", b"".join(numbered(8 * MIB)))
    assert curl("-X", "POST", "--data-binary", f"@{body}", "http://web/sum").split()[1] == hashlib.sha256(body.read_bytes()).hexdigest()

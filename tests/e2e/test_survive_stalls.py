"""Somebody stops reading: a client, a pod, a process in a debugger. Nobody else notices, and afterwards it goes on."""

import concurrent.futures
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time

from bed import REAL, case, connect, http_get, run, until
from load import Load
from test_transfers import MIB, numbered
from truth import watched

BOTH = ("sim", "real")


def eight(host="cart", port=8080):
    """The seconds that each of eight requests took that were made at once, in order; all of them are answered."""
    def one(_):
        began = time.monotonic()
        assert http_get(host, port, "/healthz", 10)[0] == 200
        return time.monotonic() - began
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return sorted(pool.map(one, range(8)))


def rounds(count=10):
    """The longest of some rounds of eight, as p99 of so few is."""
    return max(eight()[-1] for _ in range(count))


def one_pod(bed):
    """A daemon that forwards `cart`, which has one pod, so that all connections meet there."""
    return bed.shop(services=["cart.shop"])


@case("beside a download that nobody reads, eight of eight others on the same pod are answered")
def unread_download(bed):
    daemon = one_pod(bed)
    with watched(bed, daemon):
        beside_unread_download()


def beside_unread_download():
    eight()
    quiet = rounds()
    stalled = connect("cart", 8080, 30)
    stalled.sendall(b"GET /big?bytes=1073741824 HTTP/1.1\r\nHost: cart\r\n\r\n")
    assert stalled.recv(10)
    time.sleep(0.5)  # by now nothing more fits in between
    beside = rounds()
    print(f"figure: beside an unread download the slowest of 80 took {beside * 1000:.1f} ms, otherwise {quiet * 1000:.1f} ms")
    stalled.close()
    eight()


@case("after 1000 aborted downloads eight of eight requests are answered")
def aborted_downloads(bed):
    daemon = one_pod(bed)
    with watched(bed, daemon):
        after_aborted_downloads(bed, daemon)


def after_aborted_downloads(bed, daemon):
    eight()
    before = len(os.listdir(f"/proc/{daemon.engine}/fd"))
    began = time.monotonic()
    for n in range(1000 if bed.full else 300):
        with connect("cart", 8080, 30) as c:
            c.sendall(b"GET /big?bytes=1073741824 HTTP/1.1\r\nHost: cart\r\n\r\n")
            assert c.recv(1000 * (n % 3)) or n % 3 == 0
            if n % 2:
                c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    print(f"figure: aborted downloads took {time.monotonic() - began:.1f} s, eight requests afterwards {eight()[-1] * 1000:.1f} ms")
    until(20, "their descriptors are closed", lambda: len(os.listdir(f"/proc/{daemon.engine}/fd")) <= before + 24)


@case("beside uploads to a pod's port that does not read them, eight of eight others are answered")
def unread_upload(bed):
    daemon = one_pod(bed)
    with watched(bed, daemon):
        beside_unread_uploads()


def beside_unread_uploads():
    eight()
    quiet = rounds()
    # The page reads no body that belongs to an answer it has not finished.
    stalled = []
    for _ in range(2):
        c = connect("cart", 8080, 30)
        c.sendall(b"GET /slow?ms=600000 HTTP/1.1\r\nHost: cart\r\n\r\n")
        c.settimeout(0.3)
        sent = 0
        try:
            while sent < 512 * MIB:
                sent += c.send(b"GET /healthz HTTP/1.1\r\nHost: cart\r\n\r\n" * 1000)
        except TimeoutError:
            pass
        print(f"figure: a pod that does not read took {sent / MIB:.1f} MiB")
        stalled.append(c)
    beside = rounds()
    print(f"figure: beside unread uploads the slowest of 80 took {beside * 1000:.1f} ms, otherwise {quiet * 1000:.1f} ms")
    for c in stalled:
        c.close()
    eight()


class Upload(threading.Thread):
    """Sends a known body to /sum, slowly enough to be under way for a while, and keeps what came back."""

    def __init__(self, length, pause):
        super().__init__()
        self.length, self.pause, self.sent, self.answer, self.error = length, pause, 0, b"", None
        self.sum = hashlib.sha256()

    def run(self):
        try:
            with connect("cart", 8080, 300) as c:
                c.sendall(f"POST /sum HTTP/1.1\r\nHost: cart\r\nConnection: close\r\nContent-Length: {self.length}\r\n\r\n".encode())
                for block in numbered(self.length):
                    c.sendall(block)
                    self.sum.update(block)
                    self.sent += len(block)
                    time.sleep(self.pause)
                self.answer = b"".join(iter(lambda: c.recv(65536), b""))
        except OSError as error:
            self.error = error

    def arrived_whole(self):
        assert not self.error, f"{self.error!r} after {self.sent} bytes"
        assert self.answer.split()[-2:] == [str(self.length).encode(), self.sum.hexdigest().encode()], self.answer


@case("a pod that stands still during an upload, as in a debugger, goes on afterwards", on=BOTH, seconds=240)
def pod_stands_still(bed):
    daemon = one_pod(bed)
    with watched(bed, daemon):
        stands_still(bed)


def stands_still(bed):
    # More than what all on the way may hold, and not over before the pod stands, however long that takes.
    upload = Upload(256 * MIB, 0.1)
    upload.start()
    until(10, "the upload is under way", lambda: upload.sent > 4 * MIB)
    stop, go_on = stand_still(bed)
    stop()
    upload.pause = 0
    try:
        time.sleep(120 if bed.full else 30)  # longer than the pings' deadline
        at = upload.sent
        assert at < upload.length and not upload.error, (at, upload.error)
    finally:
        go_on()
    began = time.monotonic()
    upload.join()
    upload.arrived_whole()
    print(f"figure: {(upload.length - at) / MIB:.0f} MiB were left and took {time.monotonic() - began:.1f} s")


def stand_still(bed):
    """How to stop what runs in the pod of `cart`, and how to let it go on."""
    if bed.cluster == "sim":
        def fault(on):
            bed.sim.ask("POST", "/faults", {"fault": "stall_pod", "service": "cart", "on": on})
        return lambda: fault(True), lambda: fault(False)
    status = '{range .items[*].status.containerStatuses[*]}{.containerID}{"\\n"}{end}'
    container = bed.kubectl("-n", "shop", "get", "pods", "-l", "app=cart", "-o", f"jsonpath={status}").split()[0].rpartition("/")[2]
    tasks = [REAL / "sys/usr/bin/ctr", "-a", REAL / "run/containerd.sock", "-n", "k8s.io", "tasks"]
    return lambda: run(*tasks, "pause", container), lambda: run(*tasks, "resume", container)


@case("a client that stands still during an upload and a download goes on afterwards", seconds=150)
def client_stands_still(bed):
    daemon = one_pod(bed)
    script = bed.write("transfer.py", f"import sys; sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r})\n"
                       "import hashlib, test_transfers as t\nmine, theirs = t.upload('cart', 8080, 64 << 20)\nassert mine == theirs\n"
                       "print(t.download('cart', 8080, 64 << 20), flush=True)\n")
    with watched(bed, daemon), Load("cart", 8080, rate=5) as load:
        for delay in (0.05, 0.25):
            child = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE)
            time.sleep(delay)
            child.send_signal(signal.SIGSTOP)
            time.sleep(120 if bed.full else 13)
            child.send_signal(signal.SIGCONT)
            out, _ = child.communicate(timeout=100)
            assert child.returncode == 0 and len(out.split()) == 1, out
    load.none_failed()

"""Many at once: readers of the event stream, clients that ask, and a cluster in which a thousand things change each second.

Readers and clients are processes of their own, so that neither waits for the other, nor for the case."""

import http.client
import json
import multiprocessing
import re
import selectors
import socket
import time
import urllib.parse

fork = multiprocessing.get_context("fork")


def unix_connection(path):
    made = socket.socket(socket.AF_UNIX)
    made.connect(str(path))
    return made


class Apart:
    """Runs `work(channel)` in a process: it says when it is ready by sending, is told to end by a message, and sends what it found."""

    def __init__(self, work):
        self.channel, theirs = fork.Pipe()
        self.process = fork.Process(target=self.inside, args=(work, theirs), daemon=True)
        self.process.start()
        theirs.close()

    @staticmethod
    def inside(work, channel):
        try:
            work(channel)
        except BaseException as error:
            channel.send(error)
            raise

    def get(self, seconds=60):
        assert self.channel.poll(seconds), "the crowd says nothing"
        got = self.channel.recv()
        if isinstance(got, BaseException):
            raise got
        return got

    def look(self):
        self.channel.send("look")
        return self.get()

    def end(self):
        self.channel.send("end")
        found = self.get()
        self.process.join()
        return found


# --- readers of events -----------------------------------------------------------------------------------------------


class Reader:
    """What came over one event stream."""

    def __init__(self, path):
        self.socket = unix_connection(path)
        self.socket.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: fwd\r\n\r\n")
        self.rest, self.open, self.over = b"", False, False
        self.first = self.last = None
        self.count = self.dropped = self.gaps = 0
        self.types = {}

    def take(self):
        """Reads what is there; False at the end."""
        try:
            data = self.socket.recv(1 << 18)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        if not data:
            self.over = True
            return False
        *whole, self.rest = (self.rest + data).split(b"\n\n")
        for block in whole:
            self.block(block)
        return True

    def block(self, text):
        if b": open" in text:
            self.open = True
        if b"event: dropped" in text:
            lost = json.loads(re.search(rb"^data: (.*)", text, re.M)[1])["count"]
            self.dropped += lost
            if self.last is not None:
                self.last += lost  # so many ids are missing, not one more
            return
        found = re.match(rb"id: (\d+)\nevent: (\w+)\ndata: ", text)
        if not found:
            return
        number = int(found[1])
        if self.last is not None and number != self.last + 1:
            self.gaps += 1
        self.first, self.last = self.first or number, number
        self.count += 1
        kind = found[2].decode()
        self.types[kind] = self.types.get(kind, 0) + 1

    def found(self):
        return {"first": self.first, "last": self.last, "count": self.count, "dropped": self.dropped, "gaps": self.gaps, "over": self.over,
                "types": self.types}


def read_events(path, count):
    """The work of a crowd of readers: they read until told to end; found: what each of them had."""
    def work(channel):
        poll = selectors.DefaultSelector()
        readers = [Reader(path) for _ in range(count)]
        for one in readers:
            one.socket.setblocking(False)
            poll.register(one.socket, selectors.EVENT_READ, one)
        told = False
        poll.register(channel, selectors.EVENT_READ)
        while True:
            for key, _ in poll.select():
                if key.data is None:
                    word = channel.recv()
                    channel.send([one.found() for one in readers])
                    if word == "end":
                        return
                    continue
                if not key.data.take():
                    poll.unregister(key.data.socket)
            if not told and all(one.open for one in readers):
                channel.send("ready")
                told = True
    return Apart(work)


# --- clients that ask ------------------------------------------------------------------------------------------------


class Client:
    """One kept connection that asks for one thing at a time."""

    def __init__(self, path, targets):
        self.socket = unix_connection(path)
        self.socket.setblocking(False)
        self.targets, self.turn = targets, 0
        self.asked_at, self.answer = None, b""

    def ask(self):
        self.asked = self.targets[self.turn % len(self.targets)]
        self.turn += 1
        self.answer, self.asked_at = b"", time.perf_counter()
        self.socket.sendall(f"GET /api/v1{self.asked} HTTP/1.1\r\nHost: fwd\r\nFwd-Client: crowd/1\r\n\r\n".encode())

    def take(self):
        """(what was asked, seconds, status) once the answer is whole."""
        data = self.socket.recv(1 << 18)
        assert data, f"the connection was closed on {self.asked}"
        self.answer += data
        head, found, body = self.answer.partition(b"\r\n\r\n")
        if not found or len(body) < int(re.search(rb"content-length: *(\d+)", head, re.I)[1]):
            return None
        took, self.asked_at = time.perf_counter() - self.asked_at, None
        return self.asked, took, int(head.split()[1])


def ask_often(path, clients, rate, targets):
    """The work of a crowd of clients, each asking `rate` times a second; found: {target: [seconds]}, and answers that were no 200."""
    def work(channel):
        poll = selectors.DefaultSelector()
        crowd = [Client(path, targets[i % len(targets):] + targets[:i % len(targets)]) for i in range(clients)]
        for one in crowd:
            poll.register(one.socket, selectors.EVENT_READ, one)
        poll.register(channel, selectors.EVENT_READ)
        took, bad, pause = {}, [], 1 / rate
        start = time.perf_counter()
        due = [start + pause * i / clients for i in range(clients)]
        channel.send("ready")
        while True:
            now = time.perf_counter()
            for i, one in enumerate(crowd):
                if one.asked_at is None and due[i] <= now:
                    one.ask()
                    due[i] = max(due[i] + pause, now)
            turn = min((due[i] for i, one in enumerate(crowd) if one.asked_at is None), default=None)
            for key, _ in poll.select(turn and max(0, turn - time.perf_counter())):
                if key.data is None:
                    channel.recv()
                    channel.send((took, bad))
                    return
                if done := key.data.take():
                    target, seconds, status = done
                    took.setdefault(target, []).append(seconds)
                    if status != 200:
                        bad.append((target, status))
    return Apart(work)


def quantile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


# --- a cluster that changes ------------------------------------------------------------------------------------------


class Calls:
    """The simulated cluster's control port over one kept connection."""

    def __init__(self, sim):
        at = urllib.parse.urlsplit(sim.url)
        self.connection = http.client.HTTPConnection(at.hostname, at.port, timeout=30)

    def post(self, path, body):
        self.connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text


def bulk_service(number, ports=1):
    """A service of the namespace `bulk` as `fwd-simcluster --services` makes it, with more ports."""
    name = f"svc-{number:04}"
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "bulk"},
            "spec": {"type": "ClusterIP", "selector": {"app": name},
                     "ports": [{"name": f"http{i or ''}", "port": 80 + i, "targetPort": 8080, "protocol": "TCP"} for i in range(ports)]}}


def storm(sim, services, rate, mix=("ready", "ports")):
    """The work of a cluster's controllers: so many changes a second, pods that become ready or not and services that gain or lose a
    port. The first ten services are left alone. Told to end, it leaves everything as it was; found: (changes, seconds)."""
    def work(channel):
        calls, made, start = Calls(sim), 0, time.monotonic()
        unready, ports = set(), {}

        def ready(number):
            pod = {"namespace": "bulk", "pod": f"svc-{number:04}-0"}
            calls.post("/faults", {"fault": "ready" if number in unready else "not_ready", **pod})
            unready.symmetric_difference_update({number})

        def port(numbers):
            for n in numbers:
                ports[n] = 3 - ports.get(n, 1)
            calls.post("/objects", {"put": [bulk_service(n, ports[n]) for n in numbers]})
        channel.send("ready")
        step = max(1, rate // 50)  # fifty times a second
        while not channel.poll(max(0, start + made / rate - time.monotonic())):
            numbers = [10 + (made + i) * 7919 % (services - 10) for i in range(step)]
            if "ports" in mix:
                half = len(numbers) // 2 if "ready" in mix else 0
                port(sorted(set(numbers[half:])))
                numbers, made = numbers[:half], made + len(numbers) - half
            for number in numbers:
                ready(number)
                made += 1
        took = time.monotonic() - start
        for number in sorted(unready):
            ready(number)
        port([n for n, count in ports.items() if count != 1])
        channel.recv()
        channel.send((made, took))
    return Apart(work)

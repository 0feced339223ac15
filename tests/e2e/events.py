"""The daemon's events as they come, by SSE."""

import contextlib
import json
import socket
import threading


class Stream:
    """`with Stream(daemon) as stream:` keeps every event from then on, each a dictionary with `id`, `type`, `timestamp` and `data`."""

    def __init__(self, daemon, query=""):
        connection = daemon.connection(seconds=60)
        connection.request("GET", f"/api/v1/events{query}")
        self.socket = connection.sock  # the connection forgets it, since the answer has no end
        self.answer = connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        self.events = []
        self.reader = threading.Thread(target=self.read, daemon=True)

    def __enter__(self):
        self.reader.start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.reader.join(5)

    def read(self):
        fields = {}
        with contextlib.suppress(OSError, ValueError):
            for line in self.answer:
                line = line.decode().rstrip("\n")
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif fields.get("data"):
                    assert fields["event"] != "dropped", fields
                    self.events.append({"id": int(fields["id"]), **json.loads(fields["data"])})
                    fields = {}

    def of(self, kind):
        return [one for one in self.events if one["type"] == kind]

    def last(self, kind):
        found = self.of(kind)
        assert found, f"no {kind} yet"
        return found[-1]

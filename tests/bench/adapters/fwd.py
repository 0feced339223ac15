"""fwd: one fwdd for all services, without root."""

import http.client
import json
import socket

from processes import TOOLS, Process, wait_for


class Tool:
    isolated = False

    def __init__(self, place):
        self.name, self.place, self.socket = place.name, place, None
        env = {"XDG_STATE_HOME": place.work / "state", "XDG_CONFIG_HOME": place.work / "config", "XDG_RUNTIME_DIR": place.work / "run"}
        for folder in env.values():
            folder.mkdir(mode=0o700)
        self.env = {name: str(folder) for name, folder in env.items()}
        self.process = Process(place.name, TOOLS, [place.program, "svc", "-n", place.namespace, "--kubeconfig", place.kubeconfig, "--unprivileged",
                                                   "--api-listen", "off", "--address-base", "127.9.27.1", *place.flags],
                               place.work / "fwdd.log", self.env)
        try:
            self.places = wait_for("fwdd's forwards", self.look_up, place.wait_seconds, self.process, pause=0.005)
        except BaseException:
            self.stop()
            raise

    def socket_path(self):
        if self.socket is None:
            self.socket = next(self.place.work.rglob("api.sock"), None)
        return self.socket

    def api(self, path):
        """The data of a GET under /api/v1."""
        channel = socket.socket(socket.AF_UNIX)
        channel.settimeout(10)
        channel.connect(str(self.socket_path() or "/no/socket"))
        link = http.client.HTTPConnection("fwd")
        link.sock = channel
        link.request("GET", "/api/v1" + path)
        body = json.loads(link.getresponse().read())
        link.close()
        return body["data"]

    def look_up(self):
        """{service: (address, port)} once all that were asked for are listed."""
        places = {}
        try:
            for offset in range(0, max(1, len(self.place.services)), 1000):
                for forward in self.api(f"/forwards?limit=1000&offset={offset}").get("forwards", []):
                    if int(forward["servicePort"]) == self.place.services.get(forward["serviceName"]):
                        places[forward["serviceName"]] = (forward["localIP"], int(forward["localPort"]))
        except (OSError, ValueError, KeyError, http.client.HTTPException):
            return None
        return places if set(places) == set(self.place.services) else None

    def of(self, service):
        return [self.process], self.places[service]

    def processes(self):
        return [self.process]

    def stop(self):
        self.process.stop()

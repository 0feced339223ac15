"""kubefwd: one process for a namespace, as root; it writes the hosts file and addresses, so only in namespaces of the benchmark's own."""

import socket

from processes import TOOLS, Process, wait_for


class Tool:
    isolated = True

    def __init__(self, place):
        self.name, self.place = place.name, place
        self.process = Process(place.name, TOOLS, [place.program, "svc", "-n", place.namespace, "-c", place.kubeconfig, *place.flags],
                               place.work / "kubefwd.log", {"KUBECONFIG": str(place.kubeconfig)})
        try:
            self.places = wait_for("kubefwd's names", self.look_up, place.wait_seconds, self.process)
        except BaseException:
            self.stop()
            raise

    def look_up(self):
        """{service: (address, port)} once every name stands in the hosts file and its port accepts."""
        words = [line.split() for line in open("/etc/hosts") if line.strip() and not line.startswith("#")]
        addresses = {name: line[0] for line in words for name in line[1:]}
        places = {}
        for service, port in self.place.services.items():
            if service not in addresses:
                return None
            try:
                socket.create_connection((addresses[service], port), timeout=1).close()
            except OSError:
                return None
            places[service] = (addresses[service], port)
        return places

    def of(self, service):
        return [self.process], self.places[service]

    def processes(self):
        return [self.process]

    def stop(self):
        self.process.stop()

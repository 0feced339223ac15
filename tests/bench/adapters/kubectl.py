"""kubectl port-forward: a process for each service. FLAGS may hold `--spdy`, for what it did before WebSocket."""

import re

from processes import TOOLS, Process, wait_for


class Tool:
    isolated = False

    def __init__(self, place):
        self.name, self.targets, self.places = place.name, {}, {}
        env = {"KUBECTL_PORT_FORWARD_WEBSOCKETS": "false" if "--spdy" in place.flags else "true"}
        try:
            for service in place.services:
                out = place.work / f"{service}.out"
                process = Process(f"{place.name} ({service})", TOOLS,
                                  [place.program, "--kubeconfig", place.kubeconfig, "-n", place.namespace, "port-forward", f"svc/{service}",
                                   f":{place.services[service]}"],
                                  place.work / f"{service}.log", env, stdout=out)
                self.targets[service] = (process, out)
            for service, (process, out) in self.targets.items():
                found = wait_for(f"kubectl's port for {service}", lambda out=out: re.search(r"127\.0\.0\.1:(\d+)", out.read_text()),
                                 place.wait_seconds, process)
                self.places[service] = ("127.0.0.1", int(found.group(1)))
        except BaseException:
            self.stop()
            raise

    def of(self, service):
        return [self.targets[service][0]], self.places[service]

    def processes(self):
        return [process for process, _ in self.targets.values()]

    def stop(self):
        for process in self.processes():
            process.stop()

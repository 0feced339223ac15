"""The simulated cluster that all tools talk to, its counters, and the delay proxy in front of it."""

import json
import re
import urllib.request

from processes import ENDS, Process, wait_for

# What the shop's services of the benchmark are called and which port answers there.
SHOP = {"sink": 7001, "source": 7002, "echo": 7000, "web": 80}


class Cluster:
    def __init__(self, build, folder, *arguments, delay_ms=0.0):
        folder.mkdir()
        self.folder, self.proxy = folder, None
        self.process = Process("fwd-simcluster", ENDS, [build / "fwd-simcluster", "--dir", folder, *arguments], folder / "simcluster.log")
        wait_for("the simulated cluster", lambda: "ready " in self.process.log.read_text(errors="replace"), process=self.process)
        self.control = (folder / "control").read_text().strip()
        self.kubeconfig = self.far_away(build, delay_ms) if delay_ms else folder / "kubeconfig"
        if "--services" not in arguments:
            self.one_pod_for("web")

    def far_away(self, build, delay_ms):
        """A kubeconfig whose server is reached through the delay proxy; `delay_ms` is the round trip."""
        text = (self.folder / "kubeconfig").read_text()
        port = re.search(r"server: https://127\.0\.0\.1:(\d+)", text).group(1)
        out = self.folder / "delay.out"
        self.proxy = Process("fwd-bench-delay", ENDS, [build / "fwd-bench-delay", "--port", port, "--delay-ms", delay_ms / 2],
                             self.folder / "delay.err", stdout=out)
        ready = wait_for("the delay proxy", lambda: re.search(r"ready \S+:(\d+)", out.read_text()), process=self.proxy)
        made = self.folder / "kubeconfig-far"
        made.write_text(text.replace(f"https://127.0.0.1:{port}", f"https://127.0.0.1:{ready.group(1)}"))
        return made

    def one_pod_for(self, service):
        """kubectl forwards to one pod; so that nobody has another task, there is no other."""
        self.fault(fault="scale", workload=service, kind="Deployment", replicas=1)
        wait_for(f"one pod for {service}", lambda: len(self.eligible(service)) == 1, process=self.process)

    def eligible(self, service):
        """The pods that may be given connections."""
        return next(port["pods"] for port in self.ask("GET", "/truth")["ports"] if port["namespace"] == "shop" and port["service"] == service)

    def ask(self, method, path, body=None):
        request = urllib.request.Request(self.control + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read().decode()
        return json.loads(text) if text else None

    def counters(self):
        return self.ask("GET", "/counters")

    def fault(self, **what):
        self.ask("POST", "/faults", what)

    def stop(self):
        for process in filter(None, (self.proxy, self.process)):
            process.stop()

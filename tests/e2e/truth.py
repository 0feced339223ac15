"""Ten times a second: does what the daemon shows agree with what the cluster knows? A difference may last a moment, not longer."""

import contextlib
import http.client
import threading
import time


def watched(bed, daemon):
    """The comparison; on the real cluster, where nobody knows better than the daemon does, nothing."""
    return Truth(bed, daemon) if bed.cluster == "sim" else contextlib.nullcontext()


class Truth:
    """`with Truth(bed, daemon) as truth:` watches until the block ends, and then fails if any difference lasted too long.

    Seen through REST only: each TCP port of each service that is forwarded, against the simulated cluster's pods that may be given
    its connections. Call `unreachable(True)` while nothing of the cluster can be reached, or no pod may be: nothing may then be shown
    as active. `refused("api", 9090)`: that port of the service's pods refuses, and a client has found out."""

    def __init__(self, bed, daemon, allowed=None, context=None):
        self.daemon, self.sim, self.context = daemon, bed.sim, context
        # A busy machine gives its processes late; by itself the daemon has one second.
        self.allowed = allowed or (1.0 if bed.full else 3.0)
        self.down = self.paused = False
        self.refusing = set()
        self.since, self.too_long, self.looks = {}, {}, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.over.set()
        self.thread.join()
        if kind is None:
            assert self.looks, "nothing was looked at"
            assert not self.too_long, "shown otherwise than it is:\n" + "\n".join(
                f"for {seconds:.1f} s: {what}" for what, seconds in sorted(self.too_long.items()))

    def unreachable(self, down):
        self.down, self.since = down, {}

    def refused(self, service, port, so=True):
        (self.refusing.add if so else self.refusing.discard)((service, port))

    def pause(self, paused=True):
        """While what is so cannot be known."""
        self.paused, self.since = paused, {}

    def watch(self):
        while not self.over.wait(0.1):
            if self.paused:
                self.since = {}
                continue
            try:
                found = set(self.differences())
            except (OSError, http.client.HTTPException):
                continue
            except AssertionError as error:  # an answer that is none
                self.too_long[str(error)] = 0
                continue
            now = time.monotonic()
            self.looks += 1
            self.since = {what: self.since.get(what, now) for what in found}
            for what, began in list(self.since.items()):
                if now - began > self.allowed and not self.paused:
                    self.too_long[what] = now - began

    def differences(self):
        """Sentences, the same one as long as the same thing is wrong."""
        truth = self.sim.ask("GET", "/truth")["ports"]
        shown = self.daemon.services(held=self.looks % 20 == 0, context=self.context)
        for port in truth:
            service = shown.get(f"{port['service']}.{port['namespace']}")
            if service is None or service["status"] == "unsupported":
                continue
            pods = sorted(pod["name"] for pod in port["pods"])
            where = f"{service['key']}:{port['port']}"
            own = [f for f in service["forwards"] if f["localIP"] == service.get("localIP") and f.get("servicePort") in (port["port"], str(port["port"]))]
            if len(own) != 1:
                yield f"{where}: {len(own)} forwards"
                continue
            yield from self.compare(where, own[0], service, pods, (port["service"], port["port"]) in self.refusing)

    def compare(self, where, forward, service, pods, refused):
        status = forward["status"]
        if self.down or refused:
            if status == "Active":
                yield f"{where} is Active while " + ("its port refuses" if refused else "nothing can be reached")
        elif pods and status != "Active":
            yield f"{where} is {status} ({forward.get('errorCode')}) with {len(pods)} eligible pods"
        elif not pods and status == "Active":
            yield f"{where} is Active without an eligible pod"
        if not self.down and service["pods"]["ready"] != len(pods):
            yield f"{where} says {service['pods']['ready']} pods are ready, while there are {len(pods)}"
        if not self.down and pods and forward.get("podName") and forward["podName"] not in pods:
            yield f"{where} names the pod {forward['podName']}, which is not eligible"

"""The place a case works in: a copy of /etc, an empty /run, a user of its own, a cluster; and the programs, started and watched."""

import collections
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse

import contract

SKIPPED = 77
UID = 12321
USER = "tester"
REAL = pathlib.Path(os.environ.get("FWD_REAL_CLUSTER")
                    or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "fwd/realcluster")

Case = collections.namedtuple("Case", "title function on full seconds alone")
cases = []


class Skip(Exception):
    """Why a case cannot run here."""


def case(title, on=("sim",), full=False, seconds=120, alone=False):
    """Marks a case. `on`: the clusters it runs on, `full`: only with --full, `seconds`: when it is given up, `alone`: it measures
    or loads the machine, so that no other case runs beside it."""
    def mark(function):
        cases.append(Case(title, function, on, full, seconds, alone))
        return function
    return mark


def until(seconds, what, attempt, pause=0.02):
    """What attempt() returned, once that is true. Says `what` did not happen otherwise, with the last exception."""
    end = time.monotonic() + seconds
    while True:
        why = ""
        try:
            if value := attempt():
                return value
        except (OSError, http.client.HTTPException, ValueError, KeyError, AssertionError) as error:
            why = f": {error!r}"
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s{why}")
        time.sleep(pause)


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def running(pid):
    """Whether the process is there and not merely waiting to be collected."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class UnixHTTP(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("fwd", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Bed:
    def __init__(self, folder, programs, cluster, full):
        self.dir, self.cluster, self.full = folder, cluster, full
        self.children, self.log_files = [], []
        run("mount", "-t", "tmpfs", "tmpfs", folder)
        folder.chmod(0o755)
        if cluster == "sim":
            run("ip", "link", "set", "lo", "up")
        self.kubeconfig_source = REAL / "kubeconfig"
        kubeconfig = self.kubeconfig_source.read_text() if cluster == "real" else ""
        self.home = folder / "home"
        # The programs' own folder may lie where the user cannot go, so it is shown in one where they can.
        self.bin = folder / "bin"
        self.bin.mkdir()
        run("mount", "--bind", programs, self.bin)
        self.make_etc()
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
        self.home.mkdir(mode=0o700)
        os.chown(self.home, UID, UID)
        self.kubeconfig = self.write("kubeconfig", kubeconfig) if kubeconfig else None
        self.sim = None

    def make_etc(self):
        etc = self.dir / "etc"
        run("cp", "-a", "/etc", etc)
        for name, line in (("passwd", f"{USER}:x:{UID}:{UID}::{self.home}:/bin/sh\n"), ("group", f"{USER}:x:{UID}:\n"),
                           ("shadow", f"{USER}:*:20000:0:99999:7:::\n")):
            with open(etc / name, "a") as file:
                file.write(line)
        (etc / "hosts").unlink()
        (etc / "hosts").write_text("127.0.0.1 localhost\n::1 localhost ip6-localhost\n# a line of the user's own\n10.9.8.7\tbuildbox\n")
        (etc / "resolv.conf").unlink(missing_ok=True)
        (etc / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        if (etc / "sudoers.d").is_dir():
            (etc / "sudoers.d/tester").write_text(f"{USER} ALL=(ALL) NOPASSWD: ALL\n")
            (etc / "sudoers.d/tester").chmod(0o440)
        run("mount", "--bind", etc, "/etc")

    def write(self, name, content):
        """A file in the user's home, and the user's own."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        os.chown(path.parent, UID, UID)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.chown(path, UID, UID)
        path.chmod(0o600)
        return path

    def environment(self, how, more=None):
        """how: `sudo` (root, called by the user), `root`, `user`."""
        plain = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root" if how == "root" else str(self.home), "no_proxy": "*"}
        plain |= {name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS") if name in os.environ}
        if how == "sudo":
            plain |= {"SUDO_UID": str(UID), "SUDO_GID": str(UID), "SUDO_USER": USER}
        return plain | (more or {})

    def spawn(self, command, how="sudo", name="program", env=None, **options):
        """Starts a program with its output in a file; ended with the bed."""
        path = self.dir / f"{name}-{len(self.log_files)}.log"
        self.log_files.append(path)
        credentials = {"user": UID, "group": UID, "extra_groups": []} if how == "user" else {}
        with open(path, "w") as log:
            child = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.home,
                                     env=self.environment(how, env), **credentials, **options)
        child.log = path
        self.children.append(child)
        return child

    def simcluster(self, *arguments):
        """The simulated cluster; its kubeconfig becomes the bed's."""
        folder = self.home / f"sim{len(self.children)}"
        folder.mkdir()
        os.chown(folder, UID, UID)
        child = self.spawn([self.bin / "fwd-simcluster", "--dir", folder, *arguments], how="user", name="simcluster")
        until(10, "fwd-simcluster says ready", lambda: "ready " in child.log.read_text() or self.must_run(child))
        self.kubeconfig = folder / "kubeconfig"
        self.sim = Sim(child, (folder / "control").read_text().strip())
        return self.sim

    def need_cluster(self):
        if not self.kubeconfig:
            self.simcluster()

    def must_run(self, child):
        if child.poll() is not None:
            raise RuntimeError(f"{child.args[0]} ended with {child.returncode}:\n{child.log.read_text()}")

    def start(self, *arguments, how="sudo", env=None, wait=True, kubeconfig=True):
        """`fwd ARGUMENTS` as a daemon; returned when its API answers."""
        if kubeconfig:
            self.need_cluster()
            arguments = [*arguments, "-c", self.kubeconfig]
        daemon = Daemon(self, self.spawn([self.bin / "fwd", *arguments], how=how, name="fwd", env=env), how)
        if wait:
            until(20, "the API answers", lambda: daemon.answers() or self.must_run(daemon.process))
        return daemon

    def shop(self, *arguments, namespaces="shop", services=None, seconds=30, **options):
        """A daemon that forwards the shop, once every service says what it is."""
        daemon = self.start("svc", "-n", namespaces, *arguments, **options)
        daemon.settled(seconds, services, namespaces)
        return daemon

    def fwd(self, *arguments, how="user", env=None, seconds=60, program="fwd"):
        """Runs `fwd ARGUMENTS` to its end: (exit status, standard output, standard error)."""
        credentials = {"user": UID, "group": UID, "extra_groups": []} if how == "user" else {}
        done = subprocess.run([str(self.bin / program), *map(str, arguments)], capture_output=True, text=True, timeout=seconds, cwd=self.home,
                              stdin=subprocess.DEVNULL, env=self.environment(how, env), **credentials)
        return done.returncode, done.stdout, done.stderr

    def sanitizers_said(self):
        """What programs that were built with sanitizers complained of."""
        marks = ("Sanitizer", "runtime error:")
        return [line for path in self.log_files for line in path.read_text(errors="replace").splitlines() if any(m in line for m in marks)]

    def kubectl(self, *arguments):
        """On the real cluster, as its administrator."""
        return run(REAL / "bin/kubectl", "--kubeconfig", self.kubeconfig_source, *arguments)

    def logs(self):
        return "".join(f"--- {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-40:]) + "\n" for path in self.log_files)

    def end(self):
        """Daemons first, so that they leave the network as it was: on the real cluster it is not ours alone."""
        for child in reversed(self.children):
            if child.poll() is None:
                child.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(5)


class Sim:
    """The simulated cluster's control port."""

    def __init__(self, process, url):
        self.process, self.url = process, url

    def ask(self, method, path, body=None):
        at = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(at.hostname, at.port, timeout=10)
        connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
        return json.loads(text) if text else None


class Daemon:
    def __init__(self, place, process, how):
        self.bed, self.process, self.how = place, process, how

    @property
    def agent(self):
        return self.process.pid

    @property
    def engine(self):
        """The agent's one child; None while or when there is none."""
        try:
            with open(f"/proc/{self.agent}/task/{self.agent}/children") as file:
                children = file.read().split()
        except OSError:
            return None
        return int(children[0]) if children else None

    def socket_path(self):
        places = ["/run/fwd/0/api.sock"] if self.how == "root" else []
        places += [f"/run/fwd/{UID}/api.sock", f"/run/user/{UID}/fwd/api.sock", self.bed.home / ".local/state/fwd/api.sock"]
        return next((p for p in places if os.path.exists(p)), None)

    def request(self, method, path, body=None, seconds=30, held=True):
        """(status, JSON) over the Unix socket, as the caller who is root."""
        with contextlib.closing(self.connection(seconds)) as connection:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            status, content = answer.status, json.loads(answer.read() or b"null")
        if held:
            self.hold_to_contract(method, path, status, content)
        return status, content

    def connection(self, seconds=30):
        return UnixHTTP(self.socket_path() or "/no/socket", seconds)

    def hold_to_contract(self, method, path, status, content):
        """Every reply is as /openapi.yaml says."""
        if not contract.known():
            with contextlib.closing(self.connection()) as connection:
                connection.request("GET", "/openapi.yaml")
                contract.load(connection.getresponse().read())
        contract.check(method, path, status, content)

    def api(self, method, path, body=None, seconds=30, held=True):
        status, answer = self.request(method, f"/api/v1{path}", body, seconds, held)
        assert answer["success"], f"{method} {path}: {status} {answer}"
        return answer["data"]

    def answers(self):
        return self.request("GET", "/api/health", seconds=2)[1]["version"]

    def services(self, held=True, context=None):
        """`held`: to the contract, which takes longer than the answer. `context`: of this one alone."""
        path = "/services?limit=1000" + (f"&context={context}" if context else "")
        return {f"{s['serviceName']}.{s['namespace']}": s for s in self.api("GET", path, held=held)["services"]}

    def settled(self, seconds=30, wanted=None, namespaces="shop"):
        """The services by `name.namespace`, once all that the table calls active in these namespaces are; or those of `wanted`."""
        from table import ACTIVE
        keys = wanted or [key for key in ACTIVE if key.split(".")[1] in namespaces.split(",")]

        def look():
            services = self.services()
            missing = [f"{key}: {services[key]['status'] if key in services else 'absent'}" for key in keys
                       if key not in services or services[key]["status"] != "active"]
            assert keys and not missing, f"not active: {missing}"
            late = [key for key in keys if not has_names(services[key])]
            assert not late, f"without their names: {late}"
            return services
        return until(seconds, "the services are active", look)

    def output(self):
        return self.process.log.read_text(errors="replace")

    def stop(self, number=signal.SIGTERM, seconds=5):
        """The exit status after the signal."""
        self.process.send_signal(number)
        return self.process.wait(seconds)


def has_names(service):
    """Whether its names are written, where any are. Those that end like a public domain (`web.shop`) are asked for first, and come later."""
    return all(any(name.endswith(f".{service['namespace']}") for name in one["hostnames"]) for one in [service, *service["forwards"]] if one["hostnames"])


# --- what a user of the forwards does --------------------------------------------------------------------------------

def http_get(host, port=80, path="/", seconds=15, source=None):
    """(status, body)"""
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def curl(*arguments):
    return run("curl", "-fsS", "--noproxy", "*", "-m", "20", *arguments)


def connect(host, port, seconds=15):
    return socket.create_connection((host, port), timeout=seconds)


def read_all(connection):
    with contextlib.closing(connection):
        return b"".join(iter(lambda: connection.recv(65536), b""))


def lo_labels():
    """Addresses on lo that carry our label."""
    return [line for line in run("ip", "-4", "-o", "address", "show", "dev", "lo").splitlines() if "lo:fwd" in line]


def serve_text(address, port, text, family=socket.AF_INET, v6only=None):
    """A developer's own program: accepts at (address, port) and says `text`. Returns its process."""
    code = f"""import socket
s = socket.socket(socket.{'AF_INET6' if family == socket.AF_INET6 else 'AF_INET'})
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
{'' if v6only is None else f's.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, {int(v6only)})'}
s.bind(({address!r}, {port})); s.listen(16); print('listening', flush=True)
while True:
    c, _ = s.accept()
    c.sendall({text!r}.encode()); c.shutdown(socket.SHUT_WR)
    c.settimeout(2)
    try:
        while c.recv(4096): pass
    except OSError: pass
    c.close()
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    first = child.stdout.readline()
    if "listening" not in first:
        rest = child.stdout.read()
        child.wait()
        raise OSError(f"cannot listen on {address}:{port}: {(first + rest).strip().splitlines()[-1]}")
    return child

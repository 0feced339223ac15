"""Start and kubeconfig gone wrong: what a person reads has to say what to do."""

import os
import re
import socket
import subprocess
import sys

from bed import case, curl, until

GOOD = """apiVersion: v1
kind: Config
current-context: one
clusters: [{name: c, cluster: {server: "https://127.0.0.1:6399"}}]
contexts:
- {name: one, context: {cluster: c, user: u}}
- {name: two, context: {cluster: c, user: nobody-here}}
- {name: three, context: {cluster: not-there, user: u}}
users: [{name: u, user: {token: abc}}]
"""
# What is wrong, the file's content (None: no file), arguments, and what the message has to hold.
REFUSED = [
    ("no kubeconfig", None, [], [r"\.kube/config|KUBECONFIG|no-such-file"]),
    ("broken YAML", "apiVersion: v1\nclusters: [{name: c,\n  - what\n", [], [r"kubeconfig-case", r"line|:\d"]),
    ("unknown context", GOOD, ["-x", "fuor"], [r"fuor", r"one.*two|two.*one"]),
    ("missing user", GOOD, ["-x", "two"], [r"nobody-here", r"\bu\b|user"]),
    ("missing cluster", GOOD, ["-x", "three"], [r"not-there", r"cluster"]),
    ("missing certificate file", GOOD.replace("token: abc", "client-certificate: /no/such.crt, client-key: /no/such.key"), [], [r"/no/such\.crt"]),
    ("missing authority file", GOOD.replace('6399"', '6399", certificate-authority: /no/ca.crt'), [], [r"/no/ca\.crt"]),
]


@case("svc ends with exit 1 and a message to act on, for each thing wrong in a kubeconfig")
def kubeconfig_rows(bed):
    wrong = []
    for what, content, arguments, wanted in REFUSED:
        path = bed.write("kubeconfig-case", content) if content is not None else bed.home / "no-such-file"
        status, out, said = bed.fwd("svc", "-n", "shop", "-c", path, *arguments, how="sudo", seconds=15)
        missing = [w for w in wanted if not re.search(w, out + said)]
        if status != 1 or missing:
            wrong.append(f"{what}: exit {status}, without {missing}:\n{out}{said}")
    assert not wrong, "\n".join(wrong)


@case("idle mode starts whatever is wrong with the kubeconfig, and a call tells")
def idle_starts(bed):
    path = bed.write("kubeconfig-case", "{broken: [")
    daemon = bed.start("-c", path, kubeconfig=False)
    status, answer = daemon.request("POST", "/api/v1/services", {"namespace": "shop", "serviceName": "web"})
    assert status >= 400 and not answer["success"] and "kubeconfig-case" in str(answer["error"]), answer


def told(bed, daemon, *patterns):
    """Waits until the status or the narration of start says all of these. A start of which nothing is left may end, with exit 1."""
    def look():
        said = daemon.output()
        if daemon.process.poll() is not None:
            assert daemon.process.returncode == 1, daemon.process.returncode
        else:
            said += str(daemon.api("GET", "/status"))
        missing = [p for p in patterns if not re.search(p, said)]
        assert not missing, f"without {missing}: {said}"
        return said
    return until(20, "the error is told", look)


def context_error(bed, kubeconfig, *patterns):
    told(bed, bed.start("svc", "-n", "shop", "-c", bed.write("kubeconfig-case", kubeconfig), kubeconfig=False, wait=False), *patterns)


def with_exec(command, arguments="[]", more=""):
    return GOOD.replace("{token: abc}", "{exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, "
                        f"command: {command}, args: {arguments}{more}}}}}")


@case("a plugin that is missing puts its context in error with the install hint")
def plugin_missing(bed):
    context_error(bed, with_exec("no-such-plugin-here", more=", installHint: get it from the vault"), "no-such-plugin-here", "get it from the vault")


@case("a plugin that fails puts its context in error with its last words")
def plugin_fails(bed):
    context_error(bed, with_exec("/bin/sh", '[-c, "echo please log in first >&2; exit 3"]'), "please log in first", r"\b3\b")


@case("a plugin that prints rubbish puts its context in error")
def plugin_rubbish(bed):
    context_error(bed, with_exec("/bin/echo", "[hello]"), r"(?i)/bin/echo", r"(?i)credential|json")


@case("a plugin that waits for a login shows that, with what it says, and disturbs nothing")
def plugin_waits(bed):
    kubeconfig = bed.write("kubeconfig-case", with_exec("/bin/sh", '[-c, "echo open https://login.example/ABCD >&2; sleep 600"]'))
    daemon = bed.start("svc", "-n", "shop", "-c", kubeconfig, kubeconfig=False)
    told(bed, daemon, "login.example/ABCD")
    assert daemon.stop() == 0


@case("a cluster that does not answer is told with its address")
def unreachable(bed):
    context_error(bed, GOOD, r"127\.0\.0\.1:6399", "(?i)refused")


@case("a server whose certificate is not trusted is told apart")
def not_trusted(bed):
    bed.simcluster()
    server = re.search(r'server"?: "?(https://[^"\s,}]+)', bed.kubeconfig.read_text())[1]
    context_error(bed, GOOD.replace("https://127.0.0.1:6399", server), "(?i)certificate", "(?i)trust|verif|authority|self")


@case("403 names the user, the verb, the resource and the rule that would grant it", on=("real",))
def forbidden(bed):
    daemon = bed.start("svc", "-n", "shop", "-x", "real-nobody", wait=False)
    told(bed, daemon, "fwd-nobody", r"\blist\b", "services", r"verbs \[.?list")


@case("401 is told as a matter of credentials", on=("real",))
def unauthorized(bed):
    text = bed.kubeconfig.read_text()
    bed.kubeconfig = bed.write("kubeconfig-case", re.sub(r'("name": "real-nobody",\s*"user": \{\s*"token": )"[^"]+"', r'\1"wrong"', text))
    told(bed, bed.start("svc", "-n", "shop", "-x", "real-nobody", wait=False), "(?i)credentials", "401")


@case("one context in error does not keep another from being forwarded")
def other_context_goes_on(bed):
    bed.simcluster()
    good = re.search(r"current-context\"?: \"?([^\"\s,]+)", bed.kubeconfig.read_text())[1]
    broken = bed.write("kubeconfig-case", GOOD)
    daemon = bed.start("svc", "-n", "shop", "-x", f"{good},one", "-c", f"{bed.kubeconfig}:{broken}", kubeconfig=False)
    told(bed, daemon, r"127\.0\.0\.1:6399")
    until(10, "the good one is forwarded", lambda: subprocess.run(["curl", "-fs", "http://web/"], capture_output=True).returncode == 0)
    told(bed, daemon, r"127\.0\.0\.1:6399")


@case("a user who may do in one namespace what forwarding takes gets that namespace", on=("real",))
def few_rights(bed):
    bed.shop("-x", "real-shop")
    assert curl("http://web/")


@case("a plugin and a token are as good as a certificate", on=("real",))
def other_credentials(bed):
    for context in ("real-token", "real-exec"):
        daemon = bed.shop("-x", context)
        assert curl("http://web/")
        assert daemon.stop() == 0


@case("an unknown namespace is told with close names")
def unknown_namespace(bed):
    bed.simcluster()
    daemon = bed.start("svc", "-n", "shpo", wait=False)

    told(bed, daemon, "shpo", r"\bshop\b")


@case("an unknown service is an error with close names and where else the name exists")
def unknown_service(bed):
    bed.simcluster()
    daemon = bed.start()
    status, answer = daemon.request("POST", "/api/v1/services", {"namespace": "shop", "serviceName": "wbe"})
    assert status == 404 and "web" in str(answer["error"]), answer
    status, answer = daemon.request("POST", "/api/v1/services", {"namespace": "staging", "serviceName": "cart"})
    assert status == 404 and "shop" in str(answer["error"]), answer


@case("a second daemon of the same user ends with exit 1 and names the first")
def second_daemon(bed):
    first = bed.shop(services=["web.shop"])
    status, out, said = bed.fwd("svc", "-n", "shop", "-c", bed.kubeconfig, how="sudo", seconds=15)
    assert status == 1 and str(first.agent) in out + said, (status, out, said, first.agent)
    assert curl("http://web/")


@case("svc without root forwards by address and says why there are no names")
def without_root(bed):
    daemon = bed.shop(services=["web.shop"], how="user")
    assert re.search(r"(?i)root|sudo|privilege", daemon.output()), daemon.output()
    forward = daemon.services()["web.shop"]["forwards"][0]
    assert curl(f"http://{forward['localIP']}:{forward['localPort']}/")


@case("wrong flags are told with exit 2")
def wrong_flags(bed):
    status, out, said = bed.fwd("svc", "--no-such-flag", how="sudo", seconds=15)
    assert status == 2 and "--no-such-flag" in out + said, (status, out, said)


@case("forcing sk_lookup where BPF is refused is an error, and auto falls back and says so")
def no_bpf(bed):
    bed.simcluster()
    # Without CAP_SYS_ADMIN, CAP_BPF and CAP_NET_ADMIN the kernel refuses, as it does in most containers.
    capsh = ["capsh", "--drop=cap_sys_admin,cap_bpf,cap_net_admin", "--", "-c"]
    command = f"exec {bed.bin}/fwd svc -n shop -c {bed.kubeconfig}"
    forced = bed.spawn([*capsh, command + " --listening lookup"], name="forced")
    assert forced.wait(15) == 1 and re.search(r"(?i)bpf|lookup", forced.log.read_text()), forced.log.read_text()
    bed.spawn([*capsh, command], name="auto")
    until(20, "web answers", lambda: curl("http://web/"))


@case("an unknown transport and a public listening address are refused")
def refused_values(bed):
    bed.simcluster()
    for arguments in (["--transport", "pigeon"], ["--api-listen", "0.0.0.0:8080"], ["--listening", "hard"]):
        status, out, said = bed.fwd("svc", "-n", "shop", "-c", bed.kubeconfig, *arguments, how="sudo", seconds=15)
        assert status in (1, 2) and arguments[1].split(":")[0] in out + said, (arguments, status, out, said)


@case("proxy-url: the cluster is reached through an HTTP proxy")
def through_proxy(bed):
    sim = bed.simcluster()
    text = bed.kubeconfig.read_text()
    server = re.search(r'server"?: "?(https://[^"\s,}]+)', text)[1]
    proxy = bed.spawn([sys.executable, os.path.join(os.path.dirname(__file__), "connect_proxy.py"), "3128"], how="root", name="proxy")
    until(5, "the proxy listens", lambda: socket.create_connection(("127.0.0.1", 3128), 1).close() is None)
    bed.kubeconfig = bed.write("proxied", re.sub(r"(server\"?: \"?" + re.escape(server) + r"\"?)", r"\1" + (
        ', "proxy-url": "http://127.0.0.1:3128"' if text.lstrip().startswith("{") else "\n    proxy-url: http://127.0.0.1:3128"), text))
    bed.shop(services=["web.shop"])
    assert curl("http://web/")
    assert "CONNECT" in proxy.log.read_text() and sim

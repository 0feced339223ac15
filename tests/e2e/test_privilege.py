"""Who runs what: the agent keeps little, the engine is the user, plugins are the user's and inherit nothing."""

import json
import os
import re
import stat

from bed import UID, USER, case, curl, run, until


def status_of(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def sockets_of(pid):
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except FileNotFoundError:
            continue
        found |= set(re.findall(r"^socket:\[(\d+)\]$", target))
    return found


def network_sockets(pid):
    """Of these, the ones that speak IP or raw packets."""
    known = {}
    for kind in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6", "udplite", "packet"):
        try:
            with open(f"/proc/{pid}/net/{kind}") as file:
                for line in file.readlines()[1:]:
                    known[line.split()[8 if kind == "packet" else 9]] = f"{kind} {line.split()[1]}"
        except OSError:
            continue
    return [known[inode] for inode in sockets_of(pid) if inode in known]


@case("the agent has no network socket, few capabilities, no new privileges and a filter")
def agent_is_bare(bed):
    daemon = bed.shop()
    assert curl("http://web/")
    assert network_sockets(daemon.agent) == []
    assert network_sockets(daemon.engine), "the look at /proc finds nothing at all"
    status = status_of(daemon.agent)
    held = int(status["CapEff"], 16)
    allowed = {name: 1 << bit for name, bit in
               {"CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3, "KILL": 5, "NET_BIND_SERVICE": 10, "NET_ADMIN": 12, "BPF": 39}.items()}
    assert held and held & ~sum(allowed.values()) == 0, f"{held:x}"
    assert int(status["CapPrm"], 16) == held
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2" and status["Threads"] == "1"


@case("the engine is the invoking user for good, and what it writes is theirs")
def engine_is_the_user(bed):
    daemon = bed.shop()
    status = status_of(daemon.engine)
    assert status["Uid"].split() == [str(UID)] * 4 and status["Gid"].split() == [str(UID)] * 4
    assert int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0
    assert "0" not in status["Groups"].split()
    state = bed.home / ".local/state/fwd"
    assert (state / "token").exists() or list(state.glob("*token*")), list(state.iterdir())
    for folder in (state, f"/run/fwd/{UID}"):
        for path in [folder, *[os.path.join(folder, name) for name in os.listdir(folder)]]:
            found = os.lstat(path)
            assert found.st_uid == UID and found.st_gid == UID, f"{path} belongs to {found.st_uid}:{found.st_gid}"
            assert stat.S_IMODE(found.st_mode) in (0o700, 0o600), f"{path} has mode {found.st_mode:o}"
    # Other processes of the same user may not trace it.
    refused = bed.spawn(["cat", f"/proc/{daemon.engine}/environ"], how="user", name="cat")
    assert refused.wait() != 0


PLUGIN = """#!/bin/sh
{ id -u; echo "$HOME"; echo "$PATH"; echo "$FROM_THE_CALLER"; ls -l /proc/self/fd | grep -c socket; ls /proc/self/fd | sort -n | tr '\\n' ' '; } > "$HOME/plugin-saw.$$"
mv "$HOME/plugin-saw.$$" "$HOME/plugin-saw"
echo '%s'
"""


@case("an exec plugin runs as the user, with their HOME and PATH, and holds no descriptor of ours", on=("sim", "real"))
def plugin_is_the_users(bed):
    bed.need_cluster()
    text = bed.kubeconfig.read_text()
    token = re.search(r'"?token"?: "?([^"\s,}]+)', text)
    if not token:
        token = re.search(r'\\"token\\": \\"([^"\\]+)', text)
    answer = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": token[1]}}
    plugin = bed.write("bin/plugin", PLUGIN % json.dumps(answer))
    plugin.chmod(0o755)
    server = re.search(r'server"?: "?(https://[^"\s,}]+)', text)[1]
    authority = re.search(r'certificate-authority-data"?: "?([^"\s,}]+)', text)[1]
    bed.kubeconfig = bed.write("exec-kubeconfig", f"""apiVersion: v1
kind: Config
current-context: sim
clusters: [{{name: c, cluster: {{server: "{server}", certificate-authority-data: {authority}}}}}]
contexts: [{{name: sim, context: {{cluster: c, user: u}}}}]
users: [{{name: u, user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, command: plugin, interactiveMode: Never}}}}}}]
""")
    path = f"{bed.home}/bin:/usr/bin:/bin"
    bed.shop(services=["web.shop"], env={"PATH": path, "FROM_THE_CALLER": "kept"})
    assert curl("http://web/")
    saw = (bed.home / "plugin-saw").read_text().splitlines()
    assert saw[0] == str(UID) and saw[1] == str(bed.home) and saw[2] == path and saw[3] == "kept", saw
    # `ls` itself opens one: 0, 1, 2 and that.
    assert saw[4] in ("0", "1", "2") and saw[5].split() in (["0", "1", "2", "3"], ["0", "1", "2"]), saw


@case("sudo without -E: the caller's PATH, KUBECONFIG and HOME are found again")
def plain_sudo(bed):
    if not os.path.exists("/usr/bin/sudo"):
        from bed import Skip
        raise Skip("missing: sudo")
    bed.simcluster()
    daemon = bed.spawn(["sudo", bed.bin / "fwd", "svc", "-n", "shop"], how="user", name="sudo", env={"KUBECONFIG": str(bed.kubeconfig)})
    until(20, "web answers", lambda: curl("http://web/"))
    assert os.path.exists(f"/run/fwd/{UID}/api.sock")
    assert b"uid=12321" in open("/etc/hosts", "rb").read()
    daemon.terminate()
    assert daemon.wait(10) in (0, -15, 143)
    until(10, "the hosts file is clean", lambda: b"fwd" not in open("/etc/hosts", "rb").read())


@case("--run-as works for root and is refused under sudo")
def run_as(bed):
    bed.simcluster()
    status, _, said = bed.fwd("svc", "-n", "shop", "-c", bed.kubeconfig, "--run-as", USER, how="sudo", seconds=10)
    assert status != 0 and "sudo" in said, (status, said)
    daemon = bed.start("svc", "-n", "shop", "--run-as", USER, how="root")
    assert status_of(daemon.engine)["Uid"].split()[0] == str(UID)


@case("the API's token is required over TCP, and foreign Host and Origin are refused")
def api_guard(bed):
    bed.shop(services=["web.shop"])
    url = "http://localhost:8080/api/v1/services"

    def code(*arguments):
        return run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--noproxy", "*", *arguments)
    assert code("http://localhost:8080/api/health") == "200"
    assert code(url) == "401"
    state = bed.home / ".local/state/fwd"
    token = next(state.glob("*token*")).read_text().strip()
    authorized = ["-H", f"Authorization: Bearer {token}"]
    assert code(*authorized, url) == "200"
    assert code(*authorized, "-H", "Host: evil.example", url) == "403"
    assert code(*authorized, "-H", "Origin: http://evil.example", url) == "403"
    assert code(*authorized, "http://fwd.internal/api/v1/services") == "200"
    assert token not in until(1, "output", lambda: "".join(p.read_text() for p in bed.log_files) or "-")

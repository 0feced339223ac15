"""`fwd start`: the daemon in the background, elevated through sudo, and the ways to begin without one."""

import os
import shutil

from bed import UID, Skip, case, curl, until


def need_sudo():
    if not shutil.which("sudo"):
        raise Skip("missing: sudo")


@case("fwd start elevates through sudo, takes the caller's environment along, and returns when the API answers")
def start_by_sudo(bed):
    need_sudo()
    bed.need_cluster()
    code, out, said = bed.fwd("start", "svc", "-n", "shop", env={"KUBECONFIG": str(bed.kubeconfig)})
    assert code == 0, out + said
    assert "runs in the background" in out and "http://localhost:8080" in out, out
    log = bed.home / ".local/state/fwd/fwdd.log"
    code, names, said = bed.fwd("ls", "-o", "name")
    assert code == 0 and "web.shop." in names, names + said + out + log.read_text()
    until(10, "web answers by name", lambda: curl("http://web/"))
    assert log.stat().st_uid == UID and log.stat().st_mode & 0o777 == 0o600, log.stat()
    code, out, said = bed.fwd("start")
    assert code == 1 and "running already" in said, out + said
    code, out, said = bed.fwd("stop")
    assert code == 0 and "stopped" in out, out + said
    assert "BEGIN fwd" not in open("/etc/hosts").read()
    code, out, said = bed.fwd()
    assert code == 3 and "sudo -E fwd svc" in said and "fwd start" in said, out + said


@case("fwd start --unprivileged needs no root, and fwd without arguments shows its status")
def start_unprivileged(bed):
    bed.need_cluster()
    code, out, said = bed.fwd("start", "svc", "-n", "shop", "--unprivileged", "-c", bed.kubeconfig)
    assert code == 0, out + said
    code, out, said = bed.fwd()
    assert code == 0 and "pid" in out, out + said
    assert bed.fwd("stop")[0] == 0


@case("a start that fails shows what the daemon said")
def start_fails(bed):
    code, out, said = bed.fwd("start", "svc", "--unprivileged", "-c", bed.home / "no-such-kubeconfig")
    assert code == 1 and "did not start" in said and "no-such-kubeconfig" in said, out + said


@case("under sudo, verbs speak to the user's daemon")
def verbs_under_sudo(bed):
    bed.shop()
    for how in ("user", "sudo"):
        code, out, said = bed.fwd("ls", "-o", "name", how=how)
        assert code == 0 and "web.shop." in out, (how, out, said)
    code, out, said = bed.fwd("token", how="sudo")
    assert code == 0 and out.startswith("fwd_"), said
    assert bed.fwd("token")[1] == out
    assert not os.path.exists("/root/.local/state/fwd/token") or open("/root/.local/state/fwd/token").read().strip() != out.strip()

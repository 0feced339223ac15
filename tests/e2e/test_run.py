"""What a newcomer types first."""

import os
import pathlib
import signal

from bed import case, curl, lo_labels, until

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def processes(name):
    """Live processes that run a program of that name."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe").endswith(f"/{name}"):
                found.append(int(pid))
        except OSError:
            pass
    return found


@case("run.sh without a kubeconfig brings the shop by name, and Ctrl-C ends all of it")
def first_run(bed):
    with open("/etc/hosts", "rb") as file:
        before = file.read()
    child = bed.spawn([REPOSITORY / "scripts/run.sh"], how="root", name="run", start_new_session=True,
                      env={"HOME": str(bed.home), "BUILD_DIR": os.environ["BUILD_DIR"]})
    until(60, "run.sh says ready", lambda: "\nready\n" in child.log.read_text() or bed.must_run(child))
    assert "http://web/" in child.log.read_text()
    assert curl("http://web/") and curl("http://web.shop.svc.cluster.local/")
    os.killpg(child.pid, signal.SIGINT)
    child.wait(10)
    assert not processes("fwd-simcluster") and not processes("fwdd")
    assert open("/etc/hosts", "rb").read() == before and not lo_labels()

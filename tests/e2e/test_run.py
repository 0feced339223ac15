"""What a newcomer types first."""

import fcntl
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import termios
import threading

from bed import UID, Skip, case, curl, lo_labels, run, until

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


def nothing_is_left(before):
    assert not processes("fwd-simcluster") and not processes("fwdd") and not processes("fwd")
    assert open("/etc/hosts", "rb").read() == before and not lo_labels()


@case("run.sh without a kubeconfig brings the shop by name; Ctrl-C, a signal to it alone or fwd stop ends all of it")
def first_run(bed):
    with open("/etc/hosts", "rb") as file:
        before = file.read()
    for end in (lambda child: os.killpg(child.pid, signal.SIGINT), lambda child: child.terminate(), lambda _: bed.fwd("stop", how="root")):
        run_once(bed, end)
        nothing_is_left(before)


def run_once(bed, end):
    child = bed.spawn([REPOSITORY / "scripts/run.sh"], how="root", name="run", start_new_session=True,
                      env={"HOME": str(bed.home), "BUILD_DIR": os.environ["BUILD_DIR"]})
    until(60, "run.sh says ready", lambda: "\nready\n" in child.log.read_text() or bed.must_run(child))
    assert "http://web/" in child.log.read_text()
    assert curl("http://web/") and curl("http://web.shop.svc.cluster.local/")
    end(child)
    child.wait(10)


def give_to_user(bed):
    """In this mount namespace the repository, with what was built in it, is the user's own clone: a layer over it takes the changes."""
    layer = bed.dir / "layer"
    for part in ("", "below", "above", "work"):
        (layer / part).mkdir()
    run("mount", "--bind", REPOSITORY, layer / "below")
    for folder in reversed(REPOSITORY.parents):
        if not os.stat(folder).st_mode & 0o005:  # the user may not pass: another folder of that name stands in
            run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", folder)
            REPOSITORY.mkdir(parents=True)
            break
    options = f"lowerdir={layer}/below,upperdir={layer}/above,workdir={layer}/work,metacopy=on"
    run("mount", "-t", "overlay", "overlay", "-o", options, REPOSITORY)
    run("chown", "-R", f"{UID}:{UID}", REPOSITORY)


class Terminal:
    """A command on a terminal of its own, as the user has it."""

    def __init__(self, bed, command, **environment):
        self.master, slave = pty.openpty()
        os.fchown(slave, UID, UID)
        self.child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, cwd=REPOSITORY, user=UID, group=UID, extra_groups=[],
                                      start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
                                      env=bed.environment("user", environment))
        os.close(slave)
        self.said = ""
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            while block := os.read(self.master, 65536):
                self.said += block.decode(errors="replace").replace("\r\n", "\n")
        except OSError:
            pass  # the last of them closed it

    def type(self, text):
        os.write(self.master, text.encode())


@case("sudo -E scripts/run.sh by a user builds as them, brings the shop by name, and Ctrl-C ends all of it", alone=True, seconds=240)
def sudo_first_run(bed):
    build = pathlib.Path(os.environ["BUILD_DIR"])
    if not shutil.which("sudo"):
        raise Skip("missing: sudo")
    if not build.is_relative_to(REPOSITORY):
        raise Skip("the build folder is not in the repository")
    with open("/etc/hosts", "rb") as file:
        before = file.read()
    give_to_user(bed)
    (build / "fwd").unlink()  # so that there is something to build
    terminal = Terminal(bed, ["sudo", "-E", "scripts/run.sh"], BUILD_DIR=str(build))
    try:
        until(200, "run.sh says ready", lambda: "\nready\n" in terminal.said or terminal.child.poll() is not None)
        assert terminal.child.poll() is None
        assert "open http://web/\n" in terminal.said
        assert curl("http://web/") and curl("http://web.shop.svc.cluster.local/")
        engines = [pid for pid in processes("fwdd") if os.stat(f"/proc/{pid}").st_uid == UID or f"Uid:\t{UID}" in open(f"/proc/{pid}/status").read()]
        assert len(engines) == 1 and len(processes("fwdd")) == 2
        terminal.type("\x03")
        terminal.child.wait(10)
    except BaseException:
        print(terminal.said)
        raise
    nothing_is_left(before)
    assert (build / "fwd").stat().st_uid == UID
    others = [path for top in (REPOSITORY, bed.home) for folder, _, files in os.walk(top) for path in [folder, *(os.path.join(folder, f) for f in files)]
              if os.lstat(path).st_uid != UID]
    assert not others, others[:10]

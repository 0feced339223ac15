"""Where the cluster keeps its things, its names and addresses, and the few helpers that every part uses."""

import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = pathlib.Path(os.environ.get("FWD_REAL_CLUSTER")
                    or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "fwd/realcluster")
BIN = ROOT / "bin"          # Kubernetes, compiled here
SYSTEM = ROOT / "sys"       # what Debian's packages hold: etcd, containerd, runc, plugins
IMAGES = ROOT / "images"
KEYS = ROOT / "pki"
RUN = ROOT / "run"          # all that the running cluster writes
LOGS = ROOT / "log"
KUBECONFIG = ROOT / "kubeconfig"

VERSION = os.environ.get("K8S_VERSION", "v1.33.13")
NAMESPACE = "fwd-cluster"   # the network namespace; nothing of the cluster is reachable outside it
NODE = "fwd-node"
BRIDGE = "fwd-pods0"
API_PORT = 6443
ETCD_PORT = 2379
PODS = "10.244.0"           # .1 is the bridge, which is also the node's address
SERVICES = "10.96.0"
NODE_ADDRESS = f"{PODS}.1"
SOCKET = RUN / "containerd.sock"
KUBERNETES = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl"]


class Missing(Exception):
    """Something that the cluster needs is not on this machine."""


def say(text):
    print(f"[{time.monotonic() - started:6.1f} s] {text}", flush=True)


started = time.monotonic()


def run(*command, **options):
    """The command's output; a CalledProcessError that shows its standard error when it fails."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.stderr.write(done.stdout[-2000:] + done.stderr[-4000:])
        done.check_returncode()
    return done.stdout


def kubectl(*arguments, **options):
    return run(BIN / "kubectl", "--kubeconfig", KUBECONFIG, *arguments, **options)


def until(seconds, what, attempt):
    """Calls attempt() until it returns something true without failing."""
    end = time.monotonic() + seconds
    while True:
        try:
            with open(os.devnull, "w") as quiet:
                loud, sys.stderr = sys.stderr, quiet
                try:
                    if found := attempt():
                        return found
                finally:
                    sys.stderr = loud
            why = ""
        except (OSError, subprocess.SubprocessError) as error:
            why = str(getattr(error, "stderr", "") or error)[-600:]
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s. {why}")
        time.sleep(0.15)

#!/usr/bin/env python3
"""cluster.py build|up|down|wipe|in COMMAND... - a one-node Kubernetes in a network namespace of its own.

Exits 77, after saying what is missing, where it cannot run here. scripts/real_cluster.sh is its short name.
"""

import glob
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

import build
import credentials
import daemons
import workloads
from layout import (BIN, BRIDGE, IMAGES, KEYS, KUBECONFIG, LOGS, NAMESPACE, NODE, NODE_ADDRESS, ROOT, RUN, SOCKET, SYSTEM,
                    Missing, kubectl, run, say, until)


def ctr(*arguments):
    return run(SYSTEM / "usr/bin/ctr", "-a", SOCKET, "-n", "k8s.io", *arguments)


def enter():
    """Goes on inside the cluster's network namespace, which is made when it is absent."""
    if os.environ.get("FWD_IN_CLUSTER"):
        return
    if not os.path.exists(f"/run/netns/{NAMESPACE}"):
        run("ip", "netns", "add", NAMESPACE)
        run("ip", "-n", NAMESPACE, "link", "set", "lo", "up")
    os.execvpe("nsenter", ["nsenter", f"--net=/run/netns/{NAMESPACE}", sys.executable, __file__, *sys.argv[1:]],
               os.environ | {"FWD_IN_CLUSTER": "1"})


def up():
    build.build()
    if len(str(RUN)) > 60:
        raise Missing(f"{RUN} is too long a path for the sockets in it; set FWD_REAL_CLUSTER to a shorter folder")
    enter()
    RUN.mkdir(exist_ok=True)
    daemons.write_configuration()
    credentials.make()
    bridge()
    for name in ("etcd", "kube-apiserver", "containerd", "kube-controller-manager", "kube-scheduler"):
        daemons.start(name)
    until(30, "containerd", lambda: ctr("version"))
    import_images()
    until(60, "the API server", lambda: kubectl("get", "--raw", "/readyz"))
    say("the API server is ready")
    daemons.start("kubelet")
    until(60, "the kubelet", lambda: kubectl("get", "--raw", f"/api/v1/nodes/{NODE}/proxy/healthz"))
    until(90, "the node", lambda: kubectl("wait", "--for=condition=Ready", f"node/{NODE}", "--timeout=1s"))
    until(30, "the service account", lambda: kubectl("-n", "default", "get", "serviceaccount", "default"))
    say("the node is ready")
    kubectl("apply", "-f", "-", input=json.dumps(workloads.everything()))
    until(120, "the workloads", workloads_ready)
    say("the workloads are ready")


def workloads_ready():
    """Whether every Deployment and StatefulSet that is meant to be ready has all its pods."""
    counts = "{range .items[*]}{.metadata.name} {.spec.replicas} {.status.updatedReplicas} {.status.readyReplicas}{'\\n'}{end}".replace("'", '"')
    for namespace in ("shop", "staging", "data"):
        for line in kubectl("-n", namespace, "get", "deployments,statefulsets", "-o", f"jsonpath={counts}").splitlines():
            name, wanted, *counts_now = line.split()
            if wanted != "0" and name not in ("never-ready", "crashing") and counts_now != [wanted, wanted]:
                return False
    return True


def bridge():
    if subprocess.run(["ip", "link", "show", BRIDGE], capture_output=True).returncode != 0:
        run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "address", "replace", f"{NODE_ADDRESS}/24", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")


def import_images():
    for archive in sorted(IMAGES.glob("*.tar")):
        with open(archive, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        mark = RUN / f"{archive.stem}.imported"
        if not mark.exists() or mark.read_text() != digest:
            ctr("images", "import", archive)
            mark.write_text(digest)


def down():
    enter()
    for name in ("kubelet", "kube-scheduler", "kube-controller-manager"):
        daemons.stop(name)
    if daemons.pid_of("containerd"):
        # The shims would outlive containerd, and with them the pods.
        for task in ctr("tasks", "ls", "-q").split():
            subprocess.run([SYSTEM / "usr/bin/ctr", "-a", SOCKET, "-n", "k8s.io", "tasks", "delete", "-f", task], capture_output=True)
        for container in ctr("containers", "ls", "-q").split():
            remember_network(container)
            subprocess.run([SYSTEM / "usr/bin/ctr", "-a", SOCKET, "-n", "k8s.io", "containers", "delete", container], capture_output=True)
        daemons.stop("containerd")
    release_networks()
    daemons.stop("kube-apiserver", 5)  # by itself it waits a minute for open forwards
    daemons.stop("etcd")
    say("stopped")


def remember_network(container):
    """Notes the pod's network namespace: nobody else will know of it once the container is gone."""
    information = ctr("containers", "info", container)
    for word in information.replace('"', " ").split():
        if "/netns/cni-" in word:
            with open(RUN / "pod-networks", "a") as file:
                file.write(word + "\n")


def release_networks():
    """Gives back the namespaces and addresses of pods: those deleted behind the kubelet's back would keep theirs until all are taken."""
    networks = RUN / "pod-networks"
    for path in sorted(set(networks.read_text().split())) if networks.exists() else []:
        subprocess.run(["umount", path], capture_output=True)
        pathlib.Path(path).unlink(missing_ok=True)
    networks.unlink(missing_ok=True)
    shutil.rmtree(RUN / "addresses", ignore_errors=True)


def wipe():
    enter()
    down()
    subprocess.run(["ip", "link", "delete", BRIDGE], capture_output=True)
    with open("/proc/mounts") as file:
        mounts = [line.split()[1] for line in file]
    for mount in sorted((m for m in mounts if m.startswith(f"{RUN}/")), reverse=True):
        subprocess.run(["umount", "-l", mount], capture_output=True)
    for group in glob.glob("/sys/fs/cgroup/kubepods") + glob.glob("/sys/fs/cgroup/*/kubepods"):
        subprocess.run(["find", group, "-depth", "-type", "d", "-exec", "rmdir", "{}", "+"], capture_output=True)
    for folder in (RUN, KEYS, LOGS):
        shutil.rmtree(folder, ignore_errors=True)
    KUBECONFIG.unlink(missing_ok=True)
    subprocess.run(["ip", "netns", "delete", NAMESPACE], capture_output=True)


def inside(command):
    """Runs the command beside the cluster, with its kubeconfig, and with a hosts file that nobody else sees."""
    enter()
    hosts = RUN / "hosts"
    if not hosts.exists():
        shutil.copy("/etc/hosts", hosts)
    environment = os.environ | {"KUBECONFIG": str(KUBECONFIG), "PATH": f"{BIN}:{os.environ['PATH']}"}
    environment.pop("FWD_IN_CLUSTER")
    os.execvpe("unshare", ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts), *command], environment)


def main():
    verbs = {"build": build.build, "up": up, "down": down, "wipe": wipe}
    if len(sys.argv) < 2 or sys.argv[1] not in [*verbs, "in"] or (sys.argv[1] == "in") != (len(sys.argv) > 2):
        sys.exit(__doc__.splitlines()[0])
    try:
        if os.getuid() != 0:
            raise Missing("missing: root")
        inside(sys.argv[2:]) if sys.argv[1] == "in" else verbs[sys.argv[1]]()
    except Missing as why:
        print(f"real cluster: {why}", file=sys.stderr)
        sys.exit(77)
    except (TimeoutError, subprocess.CalledProcessError) as error:
        print(f"real cluster: {error}\n{daemons.last_words()}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()

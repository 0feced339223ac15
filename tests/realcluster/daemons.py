"""The cluster's processes: started detached, known by pid file and executable, ended by exactly that."""

import os
import pathlib
import signal
import subprocess
import time

from layout import (API_PORT, BIN, ETCD_PORT, KEYS, LOGS, NODE, NODE_ADDRESS, PODS, RUN, SERVICES, SOCKET, SYSTEM, BRIDGE)

PROGRAMS = {
    "etcd": SYSTEM / "usr/bin/etcd",
    "kube-apiserver": BIN / "kube-apiserver",
    "kube-controller-manager": BIN / "kube-controller-manager",
    "kube-scheduler": BIN / "kube-scheduler",
    "containerd": SYSTEM / "usr/bin/containerd",
    "kubelet": BIN / "kubelet",
}


def pid_of(name):
    """The pid while the process that the pid file names still runs that program, else None."""
    try:
        pid = int((RUN / f"{name}.pid").read_text())
        return pid if os.readlink(f"/proc/{pid}/exe") == str(PROGRAMS[name].resolve()) else None
    except (OSError, ValueError):
        return None


def start(name):
    if pid_of(name):
        return
    LOGS.mkdir(exist_ok=True)
    with open(LOGS / name, "w") as log:
        path = f"{SYSTEM}/usr/bin:{SYSTEM}/usr/sbin:{os.environ['PATH']}"
        child = subprocess.Popen([str(PROGRAMS[name]), *arguments(name)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                 start_new_session=True, env=os.environ | {"PATH": path})
    (RUN / f"{name}.pid").write_text(str(child.pid))


def stop(name, patience=10.0):
    """TERM, and KILL when that was not enough."""
    if not (pid := pid_of(name)):
        return
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + patience
    while pid_of(name) and time.monotonic() < end:
        time.sleep(0.05)
    if pid := pid_of(name):
        os.kill(pid, signal.SIGKILL)
    (RUN / f"{name}.pid").unlink(missing_ok=True)


def last_words():
    """The ends of the logs of those that should run and do not."""
    gone = [name for name in PROGRAMS if (LOGS / name).exists() and not pid_of(name)]
    return "\n".join(f"{name} is gone; its last lines:\n{(LOGS / name).read_text(errors='replace')[-1500:]}" for name in gone)


def arguments(name):
    return {
        "etcd": [f"--data-dir={RUN}/etcd", "--name=one", "--log-level=warn",
                 f"--listen-client-urls=http://127.0.0.1:{ETCD_PORT}", f"--advertise-client-urls=http://127.0.0.1:{ETCD_PORT}",
                 "--listen-peer-urls=http://127.0.0.1:0", "--initial-advertise-peer-urls=http://127.0.0.1:0",
                 "--initial-cluster=one=http://127.0.0.1:0"],
        "kube-apiserver": [
            "--bind-address=127.0.0.1", f"--secure-port={API_PORT}", f"--advertise-address={NODE_ADDRESS}",
            f"--etcd-servers=http://127.0.0.1:{ETCD_PORT}", f"--service-cluster-ip-range={SERVICES}.0/16",
            "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged",
            f"--client-ca-file={KEYS}/ca.crt", f"--token-auth-file={KEYS}/tokens.csv",
            f"--tls-cert-file={KEYS}/apiserver.crt", f"--tls-private-key-file={KEYS}/apiserver.key",
            f"--kubelet-certificate-authority={KEYS}/ca.crt", "--kubelet-preferred-address-types=InternalIP",
            f"--kubelet-client-certificate={KEYS}/apiserver-kubelet.crt", f"--kubelet-client-key={KEYS}/apiserver-kubelet.key",
            "--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={KEYS}/accounts.pub",
            f"--service-account-signing-key-file={KEYS}/accounts.key"],
        "kube-controller-manager": [
            f"--kubeconfig={RUN}/conf/controller-manager.kubeconfig", "--bind-address=127.0.0.1", "--leader-elect=false",
            "--use-service-account-credentials", f"--root-ca-file={KEYS}/ca.crt",
            f"--service-account-private-key-file={KEYS}/accounts.key",
            f"--cluster-signing-cert-file={KEYS}/ca.crt", f"--cluster-signing-key-file={KEYS}/ca.key"],
        "kube-scheduler": [f"--kubeconfig={RUN}/conf/scheduler.kubeconfig", "--bind-address=127.0.0.1", "--leader-elect=false"],
        "containerd": [f"--config={RUN}/conf/containerd.toml", "--log-level=warn"],
        "kubelet": [f"--config={RUN}/conf/kubelet.yaml", f"--kubeconfig={RUN}/conf/node.kubeconfig", f"--root-dir={RUN}/kubelet",
                    f"--hostname-override={NODE}", f"--node-ip={NODE_ADDRESS}"],
    }[name]


def write_configuration():
    conf = RUN / "conf"
    conf.mkdir(parents=True, exist_ok=True)
    (RUN / "cni").mkdir(exist_ok=True)
    (RUN / "cni/10-pods.conflist").write_text(f"""{{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {{"type": "bridge", "bridge": "{BRIDGE}", "isGateway": true, "hairpinMode": true,
    "ipam": {{"type": "host-local", "dataDir": "{RUN}/addresses", "ranges": [[{{"subnet": "{PODS}.0/24"}}]],
             "routes": [{{"dst": "0.0.0.0/0"}}]}}}}]}}
""")
    # restrict_oom_score_adj: a container may lack the right to lower its score, and runc fails where it tries to.
    (conf / "containerd.toml").write_text(f"""version = 2
root = "{RUN}/containerd"
state = "{RUN}/containerd-state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "{SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/fwd/pause:1"
  stream_server_address = "127.0.0.1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{SYSTEM}/usr/lib/cni"
    conf_dir = "{RUN}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = "{SYSTEM}/usr/sbin/runc"
      Root = "{RUN}/runc"
""")
    evictions = ", ".join(f'{signal}: "0%"' for signal in ("memory.available", "nodefs.available", "nodefs.inodesFree",
                                                           "imagefs.available", "imagefs.inodesFree"))
    (conf / "kubelet.yaml").write_text(f"""apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: {NODE_ADDRESS}
healthzPort: 0
authentication: {{anonymous: {{enabled: false}}, webhook: {{enabled: true}}, x509: {{clientCAFile: {KEYS}/ca.crt}}}}
authorization: {{mode: Webhook}}
tlsCertFile: {KEYS}/kubelet.crt
tlsPrivateKeyFile: {KEYS}/kubelet.key
containerRuntimeEndpoint: unix://{SOCKET}
podLogsDir: {RUN}/pod-logs
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
makeIPTablesUtilChains: false
enforceNodeAllocatable: []
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {{{evictions}}}
maxPods: 200
resolvConf: ""
""")

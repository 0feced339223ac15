"""Certificates, tokens and kubeconfig files, made once per cluster."""

import base64
import json
import secrets

from layout import API_PORT, KEYS, KUBECONFIG, NODE, NODE_ADDRESS, RUN, SERVICES, run


def make():
    KEYS.mkdir(mode=0o700, exist_ok=True)
    if not (KEYS / "ca.crt").exists():
        key("ca")
        run("openssl", "req", "-x509", "-new", "-key", KEYS / "ca.key", "-sha256", "-days", "3650", "-subj", "/CN=fwd-test-ca",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature", "-out", KEYS / "ca.crt")
    names = ["DNS:localhost", "DNS:kubernetes.default.svc", "IP:127.0.0.1", "IP:::1", f"IP:{NODE_ADDRESS}", f"IP:{SERVICES}.1"]
    certificate("apiserver", "/CN=kube-apiserver", "serverAuth", names)
    certificate("kubelet", f"/CN={NODE}", "serverAuth", [f"DNS:{NODE}", f"IP:{NODE_ADDRESS}"])
    certificate("apiserver-kubelet", "/O=system:masters/CN=apiserver-kubelet", "clientAuth")
    certificate("node", f"/O=system:nodes/CN=system:node:{NODE}", "clientAuth")
    certificate("controller-manager", "/CN=system:kube-controller-manager", "clientAuth")
    certificate("scheduler", "/CN=system:kube-scheduler", "clientAuth")
    certificate("admin", "/O=system:masters/CN=fwd-admin", "clientAuth")
    if not (KEYS / "accounts.key").exists():
        key("accounts")
        run("openssl", "ec", "-in", KEYS / "accounts.key", "-pubout", "-out", KEYS / "accounts.pub")
    if not (KEYS / "tokens.csv").exists():
        rows = {user: secrets.token_hex(16) for user in ("token", "shop", "nobody")}
        write(KEYS / "tokens.csv", f'{rows["token"]},fwd-token,u1,"system:masters"\n{rows["shop"]},fwd-shop,u2\n{rows["nobody"]},fwd-nobody,u3\n')
    (RUN / "conf").mkdir(parents=True, exist_ok=True)
    for component in ("node", "controller-manager", "scheduler"):
        write(RUN / f"conf/{component}.kubeconfig", json.dumps(config({component: certificate_user(component)}, component)))
    write(KUBECONFIG, json.dumps(config(people(), "real"), indent=1))


def people():
    """One context for each: `real` by certificate, `real-token`, `real-exec` by plugin, `real-shop` with few rights, `real-nobody` with none."""
    tokens = {user: row.split(",")[0] for user, row in zip(("token", "shop", "nobody"), (KEYS / "tokens.csv").read_text().splitlines())}
    answer = json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": tokens["token"]}})
    return {
        "real": certificate_user("admin"),
        "real-token": {"token": tokens["token"]},
        "real-exec": {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
                               "command": "/bin/sh", "args": ["-c", f"echo '{answer}'"]}},
        "real-shop": {"token": tokens["shop"]},
        "real-nobody": {"token": tokens["nobody"]},
    }


def config(users, current):
    """A kubeconfig that holds everything itself, so that a copy of it works for any user (JSON is YAML too)."""
    contexts = [{"name": name, "context": {"cluster": "real", "user": name} | ({"namespace": "shop"} if name in ("real-shop", "real-nobody") else {})}
                for name in users]
    cluster = {"server": f"https://127.0.0.1:{API_PORT}", "certificate-authority-data": encoded(KEYS / "ca.crt")}
    return {"apiVersion": "v1", "kind": "Config", "current-context": current, "contexts": contexts,
            "clusters": [{"name": "real", "cluster": cluster}], "users": [{"name": n, "user": u} for n, u in users.items()]}


def certificate_user(name):
    return {"client-certificate-data": encoded(KEYS / f"{name}.crt"), "client-key-data": encoded(KEYS / f"{name}.key")}


def encoded(path):
    return base64.b64encode(path.read_bytes()).decode()


def write(path, text):
    path.touch(mode=0o600)
    path.write_text(text)


def key(name):
    run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", KEYS / f"{name}.key")


def certificate(name, subject, usage, names=()):
    if (KEYS / f"{name}.crt").exists():
        return
    key(name)
    extensions = ["basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature", f"extendedKeyUsage={usage}", "authorityKeyIdentifier=keyid"]
    if names:
        extensions.append("subjectAltName=" + ",".join(names))
    write(KEYS / f"{name}.ext", "\n".join(extensions) + "\n")
    run("openssl", "req", "-new", "-key", KEYS / f"{name}.key", "-subj", subject, "-out", KEYS / f"{name}.csr")
    run("openssl", "x509", "-req", "-in", KEYS / f"{name}.csr", "-CA", KEYS / "ca.crt", "-CAkey", KEYS / "ca.key", "-sha256", "-days", "3650",
        "-set_serial", "0x" + secrets.token_hex(8), "-extfile", KEYS / f"{name}.ext", "-out", KEYS / f"{name}.crt")

"""Makes what the cluster runs: Kubernetes from its Go modules, the rest from Debian's packages, and three images."""

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile

from layout import BIN, HERE, IMAGES, KUBERNETES, ROOT, SYSTEM, VERSION, Missing, run, say

SYSTEM_PACKAGES = ["etcd-server", "containerd", "runc", "containernetworking-plugins", "busybox-static"]
SERVER_PACKAGES = ["redis-server", "redis-tools", "nginx", "nginx-common", "postgresql-15", "postgresql-client-15",
                   "netbase", "tzdata"]


def missing_tools():
    return [t for t in ("go", "apt-get", "dpkg-deb", "openssl", "ip", "nsenter", "unshare") if not shutil.which(t)]


def build():
    if absent := missing_tools():
        raise Missing("missing: " + ", ".join(absent))
    ROOT.mkdir(parents=True, exist_ok=True)
    kubernetes()
    system()
    images()


# --- Kubernetes ------------------------------------------------------------------------------------------------------

GO_ENVIRONMENT = {"GOFLAGS": "-mod=mod -buildvcs=false", "GOWORK": "off", "CGO_ENABLED": "0"}


def kubernetes():
    wanted = [name for name in KUBERNETES if not (BIN / name).exists() or stamp(name) != VERSION]
    if not wanted:
        return
    module = ROOT / "mod"
    module.mkdir(exist_ok=True)
    BIN.mkdir(exist_ok=True)
    if not (module / "version").exists() or (module / "version").read_text().strip() != VERSION:
        describe_module(module)
    minor = VERSION.split(".")[1]
    # A server that calls itself 0.0.0 switches features off, so the version is linked in.
    settings = ["-s", "-w"]
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
        for key, value in (("gitVersion", VERSION), ("gitMajor", "1"), ("gitMinor", minor), ("gitTreeState", "clean"),
                           ("buildDate", "1970-01-01T00:00:00Z")):
            settings += ["-X", f"{package}.{key}={value}"]
    for name in wanted:
        say(f"compiling {name} {VERSION}")
        run("go", "build", "-trimpath", "-ldflags", " ".join(settings), "-o", BIN / name, f"k8s.io/kubernetes/cmd/{name}",
            cwd=module, env=os.environ | GO_ENVIRONMENT)
        (BIN / f".{name}.version").write_text(VERSION)


def stamp(name):
    path = BIN / f".{name}.version"
    return path.read_text().strip() if path.exists() else ""


def describe_module(module):
    """Writes a go.mod that needs k8s.io/kubernetes: it names its own parts at v0.0.0, so each gets its published release."""
    answer = json.loads(run("go", "mod", "download", "-json", f"k8s.io/kubernetes@{VERSION}", cwd="/", env=os.environ | GO_ENVIRONMENT))
    with open(answer["GoMod"]) as file:
        theirs = file.read()
    parts = sorted(set(re.findall(r"^\s*(k8s\.io/[a-z0-9-]+) v0\.0\.0\b", theirs, re.M)))
    lines = ["module cluster", re.search(r"^go [\d.]+$", theirs, re.M)[0]]
    lines += re.findall(r"^godebug default=\S+$", theirs, re.M)
    lines += [f"require k8s.io/kubernetes {VERSION}"]
    lines += [f"replace {part} => {part} v0.{VERSION.split('.', 1)[1]}" for part in parts]
    (module / "go.sum").unlink(missing_ok=True)
    (module / "go.mod").write_text("\n\n".join(lines) + "\n")
    (module / "version").write_text(VERSION)


# --- Debian's packages, unpacked and not installed ------------------------------------------------------------------

def fetch(folder, packages):
    """Downloads the packages; the lists are fetched when they turn out to be old or absent."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", *packages]
    if subprocess.run(command, cwd=folder, capture_output=True).returncode != 0:
        run("apt-get", "-qq", "update")
        run(*command, cwd=folder)
    return sorted(folder.glob("*.deb"))


def system():
    if (SYSTEM / ".complete").exists():
        return
    say("etcd, containerd, runc and CNI plugins from Debian's packages")
    shutil.rmtree(SYSTEM, ignore_errors=True)
    SYSTEM.mkdir()
    for package in fetch(ROOT / "packages/system", SYSTEM_PACKAGES):
        run("dpkg-deb", "-x", package, SYSTEM)
    (SYSTEM / ".complete").touch()


def libraries_of(packages):
    """The library packages under these, less the big ones that only optional parts load."""
    if subprocess.run(["apt-cache", "show", packages[0]], capture_output=True).returncode != 0:
        run("apt-get", "-qq", "update")
    kinds = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"]
    closure = run("apt-cache", "depends", "--recurse", *[f"--no-{kind}" for kind in kinds], *packages)
    names = sorted({name for name in closure.split("\n") if re.match(r"(lib|zlib)[a-z0-9.+-]*$", name)
                    and not re.match(r"lib(llvm|perl|z3)|.*-perl$", name)})
    # Virtual packages have no entry of their own and drop out.
    shown = subprocess.run(["apt-cache", "show", "--no-all-versions", *names], capture_output=True, text=True).stdout
    return sorted(set(re.findall(r"^Package: (\S+)$", shown, re.M)))


# --- images ----------------------------------------------------------------------------------------------------------

def images():
    IMAGES.mkdir(exist_ok=True)
    program = ROOT / "workload"
    run("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, ".", cwd=HERE / "workload", env=os.environ | GO_ENVIRONMENT)
    pause = ROOT / "tree"
    shutil.rmtree(pause, ignore_errors=True)
    for folder in ("bin", "etc", "proc", "sys", "dev", "tmp"):
        (pause / folder).mkdir(parents=True)
    shutil.copy(program, pause / "bin/workload")
    archive("workload", pause)
    shutil.rmtree(pause)
    if not (IMAGES / "servers.tag").exists():
        servers()


def servers():
    """An image of PostgreSQL, Redis and nginx as Debian ships them."""
    say("an image of PostgreSQL, Redis and nginx")
    tree = ROOT / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    for folder in ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc", "proc", "sys", "dev", "tmp", "data", "run", "var"):
        (tree / folder).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (tree / name).symlink_to(f"usr/{name}")
    (tree / "var/run").symlink_to("../run")
    unwanted = ["./usr/share/doc/*", "./usr/share/man/*", "./usr/share/locale/*", "*/llvmjit*", "*/bitcode/*"]
    for package in fetch(ROOT / "packages/servers", SERVER_PACKAGES + libraries_of(SERVER_PACKAGES)):
        content = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
        run("tar", "-x", "--keep-directory-symlink", "-C", tree, *[f"--exclude={u}" for u in unwanted], stdin=content.stdout)
        content.wait()
    shutil.copy(SYSTEM / "bin/busybox", tree / "usr/bin/busybox")
    for applet in run(SYSTEM / "bin/busybox", "--list").split():
        if not os.path.lexists(tree / "usr/bin" / applet):
            (tree / "usr/bin" / applet).symlink_to("busybox")
    (tree / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nserver:x:70:70::/data:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
    (tree / "etc/group").write_text("root:x:0:\nserver:x:70:\nnogroup:x:65534:\n")
    for folder in ("tmp", "data", "run"):
        (tree / folder).chmod(0o1777)
    run("chroot", tree, "/sbin/ldconfig")
    for program in (["redis-server", "--version"], ["nginx", "-v"], ["/usr/lib/postgresql/15/bin/postgres", "--version"]):
        run("chroot", tree, *program)
    archive("servers", tree)
    shutil.rmtree(tree)


def archive(name, tree):
    """Packs the tree as the one layer of an image archive, in the form that `docker save` writes. The same in, the same out."""
    layer = ROOT / f"{name}.layer"

    def plain(entry):
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mtime = 0
        return entry

    with tarfile.open(layer, "w") as tar:
        tar.add(tree, arcname=".", filter=plain)
    digest = hashlib.sha256()
    with open(layer, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    config = json.dumps({
        "architecture": run("dpkg", "--print-architecture").strip(), "os": "linux", "created": "1970-01-01T00:00:00Z",
        "config": {"Env": ["PATH=/usr/bin:/usr/sbin:/bin"]} | ({"Entrypoint": ["/bin/workload"]} if name == "workload" else {}),
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest.hexdigest()}"]}, "history": []}).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    # containerd asks for the sandbox's image by its own name, so one archive carries both.
    # The tag is the content's, so that pods of an older one are replaced.
    tag = digest.hexdigest()[:12]
    tags = [f"localhost/fwd/{name}:{tag}"] + (["localhost/fwd/pause:1"] if name == "workload" else [])
    manifest = json.dumps([{"Config": config_name, "RepoTags": tags, "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(IMAGES / f"{name}.tar.new", "w") as tar:
        for member, content in (("manifest.json", manifest), (config_name, config)):
            entry = tarfile.TarInfo(member)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        tar.add(layer, arcname="layer.tar", filter=plain)
    os.replace(IMAGES / f"{name}.tar.new", IMAGES / f"{name}.tar")
    (IMAGES / f"{name}.tag").write_text(tag)
    layer.unlink()

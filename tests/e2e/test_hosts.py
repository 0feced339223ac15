"""The hosts file: what people have in it survives everything."""

import collections
import os
import threading
import time

from bed import case, curl, run, until

HOSTS = "/etc/hosts"


def read(path=HOSTS):
    with open(path, "rb") as file:
        return file.read()


def put(content):
    with open(HOSTS, "wb") as file:
        file.write(content)


@case("comments, CRLF and a missing final newline come back byte for byte")
def byte_for_byte(bed):
    bed.simcluster()
    contents = [b"127.0.0.1 localhost\n", b"127.0.0.1 localhost", b"127.0.0.1\tlocalhost\r\n# mine\r\n10.1.1.1 a b\r\n", b"127.0.0.1 localhost\r\n10.1.1.1 x",
                b"# only a comment\n\n\n127.0.0.1 localhost\n\n", b""]
    for content in contents:
        put(content)
        daemon = bed.shop(services=["web.shop"])
        assert curl("http://web/")
        now = read()
        assert now.startswith(content) and b"# BEGIN fwd uid=12321" in now, now[:300]
        assert daemon.stop() == 0
        assert read() == content, (content, read())


@case("a symlinked hosts file stays a symlink, and its target is what is edited")
def symlink(bed):
    content = read()
    os.rename(HOSTS, "/etc/hosts.real")
    os.symlink("hosts.real", HOSTS)
    daemon = bed.shop(services=["web.shop"])
    assert os.readlink(HOSTS) == "hosts.real" and b"BEGIN fwd" in read("/etc/hosts.real")
    assert curl("http://web/")
    assert daemon.stop() == 0
    assert os.readlink(HOSTS) == "hosts.real" and read("/etc/hosts.real") == content


@case("a bind-mounted hosts file, as containers have it, is written in place and restored")
def bind_mounted(bed):
    mounted = bed.dir / "mounted-hosts"
    mounted.write_bytes(read())
    content = read()
    run("mount", "--bind", mounted, HOSTS)
    daemon = bed.shop(services=["web.shop"])
    assert curl("http://web/")
    assert daemon.stop() == 0
    assert read() == content


@case("owner, mode and the user's own entries of the file are kept")
def keeps_mode(bed):
    os.chmod(HOSTS, 0o640)
    os.chown(HOSTS, 0, 12321)
    daemon = bed.shop(services=["web.shop"])
    status = os.stat(HOSTS)
    assert (status.st_mode & 0o777, status.st_uid, status.st_gid) == (0o640, 0, 12321)
    daemon.stop()
    status = os.stat(HOSTS)
    assert (status.st_mode & 0o777, status.st_uid, status.st_gid) == (0o640, 0, 12321)


@case("a read-only hosts file is told, and everything answers by address")
def read_only(bed):
    run("mount", "--bind", HOSTS, HOSTS)
    run("mount", "-o", "remount,bind,ro", HOSTS)
    daemon = bed.shop(services=["web.shop"])
    assert "read-only" in daemon.output().lower(), daemon.output()[-1500:]
    assert curl(f"http://{daemon.services()['web.shop']['localIP']}/")
    assert daemon.stop() == 0


@case("a name that the user's own part has is not taken, and the conflict names the line")
def own_name(bed):
    put(b"127.0.0.1 localhost\n10.1.1.1 web\n")
    daemon = bed.shop(services=["cart.shop"])
    web = until(10, "web is there", lambda: daemon.services().get("web.shop"))
    conflict = until(10, "the conflict is told", lambda: daemon.services()["web.shop"]["conflicts"])
    assert conflict[0]["name"] == "web" and "2" in conflict[0]["heldBy"], conflict
    assert "web" not in web["hostnames"] or "web" not in daemon.services()["web.shop"]["hostnames"]
    assert until(10, "its other names lead to it", lambda: curl("http://web.shop/"))


@case("a block that another program removed is put back")
def put_back(bed):
    content = read()
    daemon = bed.shop(services=["web.shop"])
    with open("/etc/hosts.new", "wb") as file:
        file.write(content + b"10.2.2.2 theirs\n")
    os.rename("/etc/hosts.new", HOSTS)
    until(5, "the block is back", lambda: b"BEGIN fwd" in read())
    assert b"10.2.2.2 theirs\n" in read() and curl("http://web/")
    daemon.stop()
    assert read() == content + b"10.2.2.2 theirs\n"


def beside(bed, write):
    content = read()
    daemon = bed.start()
    daemon.api("POST", "/services", {"namespace": "shop", "serviceName": "web"})
    context = until(10, "a service is listed", lambda: next(iter(daemon.services().values()))["context"])
    stop = threading.Event()

    def change():
        while not stop.is_set():
            daemon.request("POST", "/api/v1/services", {"namespace": "shop", "serviceName": "cart"})
            time.sleep(0.06)
            daemon.request("DELETE", f"/api/v1/services/cart.shop.{context}")
            time.sleep(0.06)
    thread = threading.Thread(target=change)
    thread.start()
    try:
        for n in range(1000):
            write(n)
            time.sleep(0.005)
    finally:
        stop.set()
        thread.join()
    time.sleep(1.5)  # what is still appended to a replaced file is taken over within a second
    daemon.stop()
    expected = content + b"".join(b"10.3.%d.%d theirs-%d\n" % (n // 250, n % 250, n) for n in range(1000))
    now = read()
    assert now.startswith(content) and now.endswith(b"\n")
    # What was appended to a file just replaced is taken over a little later, so two lines may have changed places; none is lost or doubled.
    missing, extra = (sorted((collections.Counter(x.splitlines()) - collections.Counter(y.splitlines())).elements())
                      for x, y in ((expected, now), (now, expected)))
    assert not missing and not extra, f"{len(missing)} lines lost: {missing[:3]}; {len(extra)} lines too many: {extra[:3]}"


@case("a program that appends 1000 lines meanwhile loses none", seconds=180)
def appender(bed):
    def append(n):
        with open(HOSTS, "ab") as file:
            file.write(b"10.3.%d.%d theirs-%d\n" % (n // 250, n % 250, n))
    beside(bed, append)


@case("a program that replaces the file 1000 times meanwhile loses nothing", seconds=180)
def replacer(bed):
    def replace(n):
        line = b"10.3.%d.%d theirs-%d\n" % (n // 250, n % 250, n)
        with open(HOSTS, "rb") as file:
            before = file.read()
        # Its own lines stand before the block, as an editor of the user's part would have it.
        at = before.find(b"# BEGIN fwd")
        now = before + line if at < 0 else before[:at] + line + before[at:]
        with open("/etc/hosts.theirs", "wb") as file:
            file.write(now)
        os.chmod("/etc/hosts.theirs", 0o644)
        os.rename("/etc/hosts.theirs", HOSTS)
    beside(bed, replace)

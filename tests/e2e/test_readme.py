"""The README's examples, read out of it and run as they stand there."""

import json
import pathlib
import re
import subprocess

from bed import case, until

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"


def section(title):
    """The lines of the first block of that section: [(command, comment)]."""
    text = README.read_text().split(f"### {title}\n", 1)[1].split("\n### ", 1)[0]
    lines = re.search(r"```sh\n(.*?)```", text, re.S)[1].splitlines()
    return [re.fullmatch(r"(.*?)(?:\s+# (.*))?", line).groups() for line in lines if line.strip()]


def forwarded(bed, data):
    assert data["key"].startswith("shop.") and "web.shop" in " ".join(data["services"]), data


def one_service(bed, data):
    assert data["key"].startswith("db.staging.") and data["ready"], data


def listed(bed, data):
    assert len(data["services"]) == 5 and {one["namespace"] for one in data["services"]} == {"shop"}, data


def found(bed, data):
    assert {("db", "shop"), ("db", "staging")} <= {(one["name"], one["namespace"]) for one in data["services"]}, data


def explained(bed, data):
    assert "crash" in data["verdict"].lower() and not data["ok"], data


def checked(bed, data):
    assert data["ok"] and data["stages"][-1]["stage"] == "http", data


def connects(bed, data):
    assert re.search(r"^DATABASE_URL=.*postgresql://.*@", data["text"], re.M), data


def printed(bed, data):
    assert data["podName"].startswith("web-"), data


def removed(bed, data):
    assert data["removed"] and data["key"].startswith("db.staging."), data


# What the data of each example has to be, by its comment. One that comes as it happens has its own end.
EXPECTED = {
    "forward a namespace": forwarded,
    "one service, and wait": one_service,
    "what is forwarded, and the state of each": listed,
    "find services over all contexts": found,
    "why it does not work": explained,
    "try it, stage by stage": checked,
    "how a program connects": connects,
    "what its newest pod printed": printed,
    "what happens, as it happens": None,
    "no longer": removed,
}


def tells_of_an_addition(daemon, child):
    """Whether the stream shows one; makes another where it does not, since it may have begun late."""
    if re.search(r"event: ServiceAdded\ndata: .*api\.staging", child.log.read_text()):
        return True
    daemon.request("DELETE", "/api/v1/services/api.staging")
    daemon.api("POST", "/services", {"serviceName": "api", "namespace": "staging"})
    return False


@case("the README's REST in a minute works as it stands there")
def rest_in_a_minute(bed):
    daemon = bed.start()
    lines = section("REST in a minute")
    before = [command for command, comment in lines if not comment]
    tasks = [(command, comment) for command, comment in lines if comment]
    assert [comment for _, comment in tasks] == list(EXPECTED)
    user = bed.environment("user")
    user["PATH"] = f"{bed.bin}:{user['PATH']}"

    def shell(command):
        text = "set -eu\n" + "\n".join(before) + f"\n{command}\n"
        return bed.spawn(["bash", "-c", text], how="user", name="example", env=user)

    streams = []
    for command, comment in tasks:
        child = shell(command)
        if EXPECTED[comment] is None:
            streams.append(child)
            until(10, comment, lambda: tells_of_an_addition(daemon, child), pause=0.3)
            continue
        assert child.wait(60) == 0, (command, child.log.read_text())
        answer = json.loads(child.log.read_text())
        assert answer["success"], (command, answer)
        EXPECTED[comment](bed, answer["data"])
        if comment == "forward a namespace":
            until(20, "the web page is active", lambda: daemon.services()["web.shop"]["status"] == "active")
    for child in streams:
        until(10, "the stream tells of the end", lambda: re.search(r"event: ServiceRemoved\ndata: .*db\.staging", child.log.read_text()))
        child.terminate()
        child.wait(5)

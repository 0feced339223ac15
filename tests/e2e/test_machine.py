"""What happens to the machine itself: its network changes."""

from bed import case, http_get, lo_labels, run, until

TRIED = "connections are tried anew"


@case("a network that changes makes fwd try at once, and its own addresses do not")
def network_changes(bed):
    bed.simcluster("--services", "1000")
    daemon = bed.start("svc", "-n", "bulk")
    until(30, "all services have their addresses", lambda: len(lo_labels()) >= 1000)
    until(30, "the last one answers by name", lambda: http_get("svc-0999")[0] == 200)
    assert TRIED not in daemon.output(), "our own addresses on lo count as a change"
    run("ip", "link", "add", "fwd-veth0", "type", "veth", "peer", "name", "fwd-veth1")
    run("ip", "address", "add", "10.98.7.6/24", "dev", "fwd-veth0")
    run("ip", "link", "set", "fwd-veth0", "up")
    until(10, "the change is noticed", lambda: TRIED in daemon.output())
    assert http_get("svc-0500")[0] == 200
    assert daemon.stop() == 0

"""What happened, as REST tells it afterwards: once, with its time, and still so after a restart."""

import collections
import json
import re

import events
from bed import case, http_get, until
from test_survive_faults import fault
from test_survive_pods import eligible

# Too many to keep; the meters and the list of connections have them.
PASSING = {"BandwidthUpdate", "ConnectionOpened", "ConnectionClosed"}


def as_told(one):
    """An event of the stream, as history has to have it."""
    return (one["type"], one["timestamp"], one["data"].get("serviceKey"), one["data"].get("podName"), one["data"].get("status"))


def as_kept(one):
    return (one["type"], one["timestamp"], one.get("serviceKey"), one.get("podName"), one.get("status"))


def history(daemon, kind):
    return daemon.api("GET", f"/history/{kind}?count=1000")


def without_end(one):
    """The daemon's own end resolves what was wrong until then."""
    return {name: value for name, value in one.items() if name not in ("resolved", "resolvedAt")}


def once(told):
    """Nothing is told twice: what differs in its id alone is the same."""
    counted = collections.Counter(json.dumps({name: value for name, value in one.items() if name != "id"}, sort_keys=True) for one in told)
    twice = [one for one, count in counted.items() if count > 1]
    assert counted and not twice, twice


def suffer(bed, daemon):
    """A pod deleted, the API server gone and back, a token expired; after each, all is well again."""
    def well():
        daemon.settled(20, ["web.shop"])
        assert until(10, "it answers", lambda: http_get("web", 80, "/healthz", 5)[0] == 200 or None)
    old = eligible(bed.sim, "web")[0]
    fault(bed, "delete_pod", pod=old, ms=200)
    until(10, "another pod serves", lambda: (now := eligible(bed.sim, "web")) and old not in now or None)
    well()
    fault(bed, "server_down")
    until(20, "the outage shows", lambda: daemon.services()["web.shop"]["status"] == "error" or None)
    fault(bed, "server_down", on=False)
    well()
    fault(bed, "expire_token", user="sim-exec")
    fault(bed, "drop")
    well()
    return old


@case("history tells each event and error once, with its time, also after the daemon was started anew", seconds=150)
def told_once(bed):
    bed.simcluster()
    daemon = bed.shop("-x", "sim-exec", services=["web.shop"])
    assert http_get("web", 80)[0] == 200
    with events.Stream(daemon) as stream:
        pod = suffer(bed, daemon)
        heard = lambda: collections.Counter(as_told(one) for one in stream.events if one["type"] not in PASSING)
        until(10, "what the stream told is kept", lambda: not heard() - collections.Counter(map(as_kept, history(daemon, "events"))))
        told = heard()
    # One thing stays wrong from first to last.
    until(10, "what was mended is told so", lambda: all(one["resolved"] for one in history(daemon, "errors") if one["errorType"] != "crash_loop"))
    kept, errors = history(daemon, "events"), history(daemon, "errors")
    once(errors)
    assert all(one["resolvedAt"] >= one["timestamp"] for one in errors if one["resolved"]), errors
    counted = collections.Counter(map(as_kept, kept))
    assert told and all(counted[one] == told[one] for one in told), [one for one in told if counted[one] != told[one]]

    went = [one for one in kept if one["type"] == "PodRemoved" and one.get("podName") == pod]
    assert len({one["serviceKey"] for one in went}) == len(went) and any(one["serviceKey"].startswith("web.shop.") for one in went), went
    raised = [one for one in kept if one["type"] == "ErrorRaised"]
    assert len(raised) == len(errors) and any("web.shop" in one.get("serviceKey", "") for one in errors), (raised, errors)
    assert collections.Counter(one["timestamp"] for one in raised) == collections.Counter(one["timestamp"] for one in errors)
    returned = history(daemon, "reconnections")
    assert any("web.shop" in one["serviceKey"] for one in returned), returned
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", one["timestamp"]) for one in kept + errors + returned)

    assert daemon.stop() == 0
    daemon = bed.shop("-x", "sim-exec", services=["web.shop"])
    for before, kind in ((kept, "events"), (errors, "errors"), (returned, "reconnections")):
        now = history(daemon, kind)
        assert len({one["id"] for one in now}) == len(now)
        by_id = {one["id"]: one for one in now}
        lost = [one for one in before if without_end(by_id.get(one["id"], {})) != without_end(one)]
        assert not lost, (kind, lost[:3], [by_id.get(one["id"]) for one in lost[:3]])
    ends = [one for one in history(daemon, "events") if one["type"] == "ShutdownStarted"]
    assert len(ends) == 1, ends

"""A scripted agent on `fwd mcp`: what a model would call, in the order in which it would, and what it must be told."""

import re
import subprocess

from bed import case, until
from mcp_agent import Agent
from mcp_exchange import MODERN

ACCEPT = {"action": "accept", "content": {"confirm": True}}
UPDATED = "notifications/resources/updated"


@case("an agent finds a database, forwards it, gets its connection string and connects with it")
def finds_and_connects(bed):
    bed.start()
    agent = Agent(bed).hello()
    found = agent.good("find_services", kind="postgres", namespace="shop", context="sim")["services"]
    assert [each["service"] for each in found] == ["db"] and not found[0]["forwarded"], found
    added = agent.good("add_service", query="postgres in shop", context="sim", timeout_s=30)
    assert added["ready"] and added["key"] == "db.shop.sim", added
    told = agent.good("get_connection_info", service="db.shop")
    assert told["url"] == added["connection"]["url"] and told["url"].startswith("postgresql://shop"), told
    assert told["env"]["DATABASE_URL"] == told["url"], told
    # A person puts the password where the placeholder is.
    url = re.sub(r"\$\{\w+\}", "secret", told["url"])
    done = subprocess.run(["psql", url, "-Atc", "select 1"], capture_output=True, text=True, timeout=20, env={"PATH": "/usr/bin:/bin"})
    assert done.stdout == "1\n", (url, done)
    assert "db.shop" in {name["hostname"] for name in agent.good("list_hostnames")["hostnames"]}
    agent.end()


@case("a query that fits several services is answered with the candidates, over all clusters")
def candidates(bed):
    bed.start()
    agent = Agent(bed).hello()
    several = agent.tool("add_service", query="postgres")
    told = several["structuredContent"]
    assert several["isError"] and told["code"] == "ambiguous", told
    places = {(each["service"], each["namespace"], each["context"]) for each in told["candidates"]}
    assert {("db", "shop", "sim"), ("db", "staging", "sim")} <= places, places
    step = told["next"][0]
    assert agent.good(step["tool"], **step["arguments"], wait="none")["key"]
    none = agent.tool("add_service", query="cassandra")["structuredContent"]
    assert none["code"] == "not_found" and any("sim-nobody" in line for line in none["evidence"]), none
    agent.end()


@case("a pod that is killed behind a service that stays active is told by subscription in both eras, as an event and in history, once")
def told_of_a_pod(bed):
    daemon = bed.shop()
    old, new = Agent(bed).hello(), Agent(bed)
    uri = "fwd://services/sim/shop/web"
    old.ask("resources/subscribe", uri=uri)
    new.send({"jsonrpc": "2.0", "id": "listen", "method": "subscriptions/listen", "params": {
        "notifications": {"resourceSubscriptions": [uri]},
        "_meta": {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}}})
    until(10, "the listen is acknowledged", lambda: new.notified("notifications/subscriptions/acknowledged"))

    def pods(kind):
        entries = old.good("get_history", type="events", service="web.shop", event_type=kind)["entries"]
        return sorted(each["podName"] for each in entries)

    def there():
        return sorted(pod["name"] for pod in old.good("list_pods", namespace="shop", service="web")["pods"] if pod["ready"] == "1/1")
    # The stream from the daemon opens a moment after the subscription: a pod more is killed until both were told.
    before, killed = there(), []
    assert len(before) == 3, before

    def kill():
        killed.append(there()[0])
        bed.sim.ask("POST", "/faults", {"fault": "delete_pod", "pod": killed[-1]})
        until(20, "another pod took its place", lambda: len(there()) == 3 and killed[-1] not in there())
        return all(any(each["uri"] == uri for each in agent.notified(UPDATED)) for agent in (old, new))
    until(60, "both agents are told", kill, pause=0.5)
    assert new.notified(UPDATED)[0]["_meta"]["io.modelcontextprotocol/subscriptionId"] == "listen"
    assert daemon.services()["web.shop"]["status"] == "active"
    until(10, "each pod that went is in history once", lambda: pods("PodRemoved") == sorted(killed))
    until(10, "each pod that came is in history once", lambda: pods("PodAdded") == sorted({*before, *killed, *there()}))
    old.end()
    new.end()


@case("an agent learns why a service crashes, and where to read more")
def explains(bed):
    bed.start()
    agent = Agent(bed).hello()
    added = agent.tool("add_service", service="crashing.shop", timeout_s=5)
    assert added["isError"] and added["structuredContent"]["code"] == "not_ready_in_time", added
    told = agent.good("explain_service", service="crashing.shop")
    assert re.search(r"(?i)crash|restart|exit", told["verdict"]) and not told.get("ok"), told
    assert told["suggestion"] and told["timeline"], told
    steps = [step for step in told["next"] if step.get("tool") == "get_pod_logs"]
    assert steps, told["next"]
    assert agent.good("get_pod_logs", **steps[0]["arguments"])["pod"].startswith("crashing-")
    agent.end()


@case("under --read-only nothing can be changed, and core shows fifteen tools")
def read_only(bed):
    bed.shop()
    agent = Agent(bed, "--read-only").hello()
    names = {tool["name"] for tool in agent.ask("tools/list")["tools"]}
    assert not names & {"add_service", "add_namespace", "remove_service", "remove_namespace", "reconnect_service"}, names
    number = agent.start("tools/call", name="remove_service", arguments={"service": "web"})
    until(5, "it is refused", lambda: number in agent.answers)
    assert agent.answers[number]["error"]["code"] == -32602
    agent.end()
    few = Agent(bed, "--toolsets", "core").hello()
    assert len(few.ask("tools/list")["tools"]) == 15
    few.end()


def in_three_ways(bed, ask, happened):
    """A call that needs a person's word, for each kind of client: `ask()` names tool and arguments of the next one, `happened(that)` says
    whether it was done."""
    name, arguments = ask()
    plain = Agent(bed).hello()
    asked = plain.good(name, **arguments)
    assert asked["status"] == "confirmation_required" and not happened(arguments), asked
    done = plain.good(name, **arguments, confirm_token=asked["confirm_token"])
    assert happened(arguments), done
    again = plain.tool(name, **arguments, confirm_token=asked["confirm_token"])
    assert again["isError"] and again["structuredContent"]["code"] == "confirmation_expired", again
    plain.end()

    asks = []
    name, arguments = ask()
    form = Agent(bed, capabilities={"elicitation": {}}).hello()
    form.on_request = lambda message: asks.append(message) or {"action": "decline"}
    assert form.good(name, **arguments)["status"] == "declined"
    assert not happened(arguments) and asks[0]["method"] == "elicitation/create"
    form.on_request = lambda message: ACCEPT
    form.good(name, **arguments)
    assert happened(arguments)
    form.end()

    name, arguments = ask()
    new = Agent(bed, capabilities={"elicitation": {}})
    call = {"name": name, "arguments": arguments}
    first = new.modern("tools/call", **call)
    assert first["resultType"] == "input_required" and "confirm" in first["inputRequests"], first
    new.end()
    # The answer may reach another process.
    other = Agent(bed, capabilities={"elicitation": {}})
    done = other.modern("tools/call", **call, requestState=first["requestState"], inputResponses={"confirm": ACCEPT})
    assert not done["isError"] and happened(arguments), done
    other.end()

    name, arguments = ask()
    firm = Agent(bed, "--confirm=deny").hello()
    refused = firm.tool(name, **arguments)
    assert refused["isError"] and refused["structuredContent"]["code"] == "confirmation_denied", refused
    assert not happened(arguments)
    firm.end()


@case("a removal of what others forwarded is confirmed by a form, by input_required, and by a second call")
def confirms(bed):
    daemon = bed.start()
    other = Agent(bed, name="somebody").hello()
    other.good("add_namespace", namespace="shop", wait="none")
    until(20, "the shop is there", lambda: "web.shop" in daemon.services())
    other.end()
    in_three_ways(bed, lambda: ("remove_service", {"service": next(iter(daemon.services()))}),
                  lambda arguments: arguments["service"] not in daemon.services())


@case("what is added in a protected context is confirmed by a form, by input_required, and by a second call")
def confirms_additions(bed):
    bed.write(".config/fwd/config.yaml", "contexts:\n  sim-token: {protected: true}\n")
    daemon = bed.start()
    agent = Agent(bed).hello()
    assert agent.good("add_service", service="web.shop", wait="none")["key"] == "web.shop.sim"
    agent.end()
    left = ["web", "api", "db", "cache"]
    in_three_ways(bed, lambda: ("add_service", {"service": left.pop(0), "namespace": "shop", "context": "sim-token", "wait": "none"}),
                  lambda arguments: any(each["key"] == f"{arguments['service']}.shop.sim-token" for each in daemon.api("GET", "/services?limit=1000")["services"]))
    left = ["shop", "staging", "default", "kube-system"]
    in_three_ways(bed, lambda: ("add_namespace", {"namespace": left.pop(0), "context": "sim-token", "wait": "none"}),
                  lambda arguments: any(each["key"] == f"{arguments['namespace']}.sim-token" for each in daemon.api("GET", "/namespaces")["namespaces"]))


MANY = 40


def forty_services(bed):
    """A namespace with services whose pods are not ready before they are told to be."""
    bed.sim.ask("POST", "/faults", {"fault": "ready_after", "ms": 600_000})
    objects = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "many"}}]
    for number in range(MANY):
        name, labels = f"part-{number:02}", {"app": f"part-{number:02}"}
        notes = {"sim.fwd.dev/apps": "8080=http"}
        container = {"name": "main", "image": "fwd.example/app:1", "ports": [{"containerPort": 8080, "protocol": "TCP"}]}
        objects += [
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "many", "name": name, "labels": labels},
             "spec": {"replicas": 1, "selector": {"matchLabels": labels},
                      "template": {"metadata": {"labels": labels, "annotations": notes}, "spec": {"containers": [container]}}}},
            {"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "many", "name": name},
             "spec": {"type": "ClusterIP", "clusterIP": f"10.97.0.{number + 1}", "selector": labels,
                      "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]}},
        ]
    bed.sim.ask("POST", "/objects", {"put": objects})


@case("an agent sees progress while forty services become ready one after another")
def progress(bed):
    daemon = bed.start()
    forty_services(bed)
    agent = Agent(bed).hello()
    call = agent.start("tools/call", name="add_namespace", arguments={"namespace": "many", "timeout_s": 90}, _meta={"progressToken": "p"})

    def told():
        return agent.notified("notifications/progress")
    until(30, "none of the forty is ready", lambda: len([s for s in daemon.services().values() if s["status"] != "active"]) == MANY)
    for number in range(MANY):
        bed.sim.ask("POST", "/faults", {"fault": "ready", "service": f"part-{number:02}", "namespace": "many"})
        if number in (5, 15, 25, 35):
            until(20, f"the agent is told of {number + 1}", lambda: told()[-1]["progress"] >= number + 1)
            assert told()[-1]["total"] == MANY and call not in agent.answers, told()[-1]
    done = agent.answer(call, "add_namespace", 60)["structuredContent"]
    assert done["ready"] and done["count"] == done["total"] == MANY and not done["notReady"], done["summary"]
    numbers = [each["progress"] for each in told()]
    assert numbers == sorted(set(numbers)) and len(numbers) >= 5, numbers
    assert all(each["progressToken"] == "p" for each in told()) and re.search(r"36/40|3\d/40|40/40", told()[-1]["message"]), told()[-1]
    agent.end()


@case("each call tells the truth of its moment while the daemon stops and starts")
def truth_of_the_moment(bed):
    daemon = bed.start()
    agent = Agent(bed).hello()
    assert agent.good("get_health")["status"] == "ok"
    daemon.stop()
    until(10, "the daemon is gone", lambda: agent.tool("get_health")["isError"])
    assert agent.tool("get_health")["structuredContent"]["code"] == "daemon_not_running"
    assert agent.ask("tools/list")["tools"]
    bed.start()
    assert agent.good("get_health")["status"] in ("ok", "degraded")
    agent.end()

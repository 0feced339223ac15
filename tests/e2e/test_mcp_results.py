"""Every tool's structured result against the schema that the tool itself publishes: with something to tell, with nothing to tell, and
where a person said no."""

import json

from bed import Skip, case, until
from mcp_agent import Agent

GUARDED = "contexts:\n  sim-token: {protected: true}\n"
WEB = {"service": "web.shop.sim"}
IN_SHOP = {"namespace": "shop"}
ONE = "it takes one that is there, or fails"
NEVER_ASKS = "only what adds or removes asks a person"


class Impossible(str):
    """Why a tool has no such case."""


class AtFirst:
    """Nothing is forwarded yet: a call with these arguments then."""

    def __init__(self, **arguments):
        self.arguments = arguments


# Of each tool: arguments with which there is something to tell, and with which there is nothing.
CASES = {
    "add_namespace": ({"namespace": "staging", "timeout_s": 30}, {"namespace": "shop", "services": ["nothing-like-it"], "context": "sim-shop"}),
    "remove_namespace": ({"namespace": "staging"}, Impossible(ONE)),
    "add_service": ({"service": "echo.shop", "timeout_s": 30}, {"service": "empty.shop", "wait": "none"}),
    "remove_service": ({"service": "echo.shop.sim"}, Impossible(ONE)),
    "reconnect_service": (WEB, Impossible(ONE)),
    "reconnect_all_errors": ({}, AtFirst()),
    "sync_service": (WEB, Impossible(ONE)),
    "list_services": ({"include_forwards": True}, {"search": "nothing-like-it"}),
    "get_service": (WEB, Impossible(ONE)),
    "find_services": ({"kind": "postgres"}, {"query": "nothing-like-it"}),
    "get_connection_info": ({"service": "db.shop.sim"}, {"service": "external.shop.sim"}),
    "list_hostnames": ({}, AtFirst()),
    "export_env": ({"format": "dotenv"}, AtFirst()),
    "check_connection": (WEB, {"service": "idle.shop.sim", "timeout_s": 1}),
    "explain_service": ({"service": "crashing.shop.sim"}, AtFirst()),
    "get_health": ({}, AtFirst()),
    "get_quick_status": ({}, AtFirst()),
    "get_analysis": ({}, AtFirst()),
    "diagnose_errors": ({}, AtFirst()),
    "get_metrics": ({"scope": "service_detail", "service": "web.shop.sim"}, AtFirst(scope="by_service")),
    "get_http_traffic": (WEB, {"service": "db.shop.sim"}),
    "get_logs": ({"count": 5}, {"search": "nothing-like-it"}),
    "get_history": ({"type": "events"}, AtFirst(type="reconnections")),
    "doctor": ({"port": 80}, Impossible("it always has checks")),
    "list_contexts": ({}, Impossible("the simulated cluster's kubeconfig has contexts")),
    "list_k8s_namespaces": ({}, Impossible("every cluster has namespaces")),
    "list_k8s_services": (IN_SHOP, {"namespace": "default"}),
    "list_ports": ({"namespace": "shop", "service": "web"}, {"namespace": "shop", "service": "app=nothing-like-it"}),
    "list_pods": (IN_SHOP, {"namespace": "shop", "label_selector": "app=nothing-like-it"}),
    "get_pod": ({"namespace": "shop", "pod": "deploy/web"}, Impossible(ONE)),
    "get_pod_logs": ({"namespace": "shop", "pod": "deploy/web"}, {"namespace": "shop", "pod": "deploy/web", "grep": "nothing-like-it"}),
    "get_events": (IN_SHOP, {"namespace": "shop", "name": "nothing-like-it"}),
    "get_endpoints": ({"namespace": "shop", "service": "web"}, {"namespace": "shop", "service": "empty"}),
}
# Calls that a person is asked about here: additions in a protected context, removals of what another client forwarded.
ASKS = {
    "add_service": {"service": "web.shop", "context": "sim-token"}, "add_namespace": {"namespace": "shop", "context": "sim-token"},
    "remove_service": {"service": "web.shop.sim"}, "remove_namespace": {"namespace": "shop", "context": "sim"},
}


class Results:
    """Holds each result to what its tool says of itself."""

    def __init__(self, agent):
        self.tools = {tool["name"]: tool for tool in agent.ask("tools/list")["tools"]}
        self.seen = {name: set() for name in self.tools}

    def fits(self, agent, name, arguments, what):
        import jsonschema
        result = agent.tool(name, **arguments)
        structured = result["structuredContent"]
        assert not result["isError"], (name, arguments, structured)
        jsonschema.Draft202012Validator(self.tools[name]["outputSchema"]).validate(structured)
        assert structured["summary"] and json.loads(result["content"][0]["text"]) == structured, name
        assert len(json.dumps(structured)) < 20000, name
        if what == "empty":
            assert structured.get("count", 0) == 0, (name, structured)
        self.seen[name].add(what)
        return structured

    def missing(self):
        """Cases that were neither seen nor are impossible."""
        out = []
        for name, seen in self.seen.items():
            never = {"empty"} if isinstance(CASES[name][1], Impossible) else set()
            never |= set() if name in ASKS else {"declined"}  # NEVER_ASKS
            out += [(name, what) for what in {"told", "empty", "declined"} - seen - never]
        return out


@case("every tool's result fits its own output schema: with something to tell, with nothing, and declined", seconds=240)
def results(bed):
    try:
        import jsonschema  # noqa: F401
    except ImportError:
        raise Skip("missing: python3-jsonschema") from None
    bed.write(".config/fwd/config.yaml", GUARDED)
    daemon = bed.start()
    agent, other = Agent(bed, name="schemas", capabilities={"elicitation": {}}).hello(), Agent(bed, name="somebody").hello()
    held = Results(agent)
    assert set(CASES) == set(held.tools), set(CASES) ^ set(held.tools)
    for name, (_, empty) in CASES.items():
        if isinstance(empty, AtFirst):
            held.fits(agent, name, empty.arguments, "empty")

    for more in ({"namespace": "shop"}, {"namespace": "staging"}):
        other.good("add_namespace", wait="none", **more)
    until(30, "the shop is there", lambda: daemon.services().get("web.shop", {}).get("status") == "active")
    quiet = Agent(bed, name="quiet").hello()
    for name, arguments in ASKS.items():
        for said, status in (("decline", "declined"), ("cancel", "not_confirmed")):
            agent.on_request = lambda message, said=said: {"action": said}
            assert held.fits(agent, name, arguments, "declined")["status"] == status, name
        assert held.fits(quiet, name, arguments, "declined")["status"] == "confirmation_required", name
    quiet.end()

    agent.on_request = lambda message: {"action": "accept", "content": {"confirm": True}}
    removals = [name for name in CASES if name.startswith("remove_")]
    for name in [*(name for name in CASES if name not in removals), *removals]:
        told, empty = CASES[name]
        held.fits(agent, name, told, "told")
        if not isinstance(empty, (Impossible, AtFirst)):
            held.fits(agent, name, empty, "empty")
    assert not held.missing(), held.missing()
    agent.end()
    other.end()

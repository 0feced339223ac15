"""What goes over one connection of MCP, both ways, held to the protocol: to the JSON schema of its version and to the official SDK of
its era. Each is left out where it is not there (../shared/mcp-schema beside the repository, python3-jsonschema, the SDKs from npm)."""

import json
import os
import pathlib
import subprocess
import threading

HERE = pathlib.Path(__file__).resolve().parent
SCHEMAS = HERE.parents[2] / "shared/mcp-schema"
MODERN = "2026-07-28"
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"

# What requests and their results, and what notifications are called in the schemas and in the SDKs.
CALLS = {
    "initialize": ("Initialize", "InitializeResult"), "ping": ("Ping", "EmptyResult"), "server/discover": ("Discover", "DiscoverResult"),
    "tools/list": ("ListTools", "ListToolsResult"), "tools/call": ("CallTool", "CallToolResult"),
    "resources/list": ("ListResources", "ListResourcesResult"), "resources/read": ("ReadResource", "ReadResourceResult"),
    "resources/templates/list": ("ListResourceTemplates", "ListResourceTemplatesResult"), "resources/subscribe": ("Subscribe", "EmptyResult"),
    "resources/unsubscribe": ("Unsubscribe", "EmptyResult"), "prompts/list": ("ListPrompts", "ListPromptsResult"),
    "prompts/get": ("GetPrompt", "GetPromptResult"), "completion/complete": ("Complete", "CompleteResult"),
    "logging/setLevel": ("SetLevel", "EmptyResult"), "elicitation/create": ("Elicit", "ElicitResult"),
    "subscriptions/listen": ("SubscriptionsListen", "SubscriptionsListenResult"),
}
TOLD = {
    "notifications/initialized": "InitializedNotification", "notifications/cancelled": "CancelledNotification",
    "notifications/progress": "ProgressNotification", "notifications/message": "LoggingMessageNotification",
    "notifications/resources/updated": "ResourceUpdatedNotification", "notifications/tools/list_changed": "ToolListChangedNotification",
    "notifications/subscriptions/acknowledged": "SubscriptionsAcknowledgedNotification",
}


class Schemas:
    """The definitions of one version."""

    def __init__(self, version, folder=SCHEMAS):
        self.root = json.loads((folder / f"{version}.json").read_text())
        self.at = "$defs" if "$defs" in self.root else "definitions"

    def check(self, message, *names):
        """The message fits the first of these definitions that the version has."""
        import jsonschema
        name = next(name for name in names if name in self.root[self.at])
        schema = dict(self.root, **{"$ref": f"#/{self.at}/{name}"})
        wrong = [f"{'/'.join(map(str, e.path))}: {e.message[:200]}" for e in jsonschema.Draft202012Validator(schema).iter_errors(message)]
        assert not wrong, f"{name}: {wrong[:3]}\n{json.dumps(message)[:600]}"


class Exchange:
    """The messages of one connection. Only well-formed traffic belongs here: what a test writes to be refused does not."""

    def __init__(self):
        self.all, self.lock = [], threading.Lock()

    def add(self, message):
        with self.lock:
            self.all.append(message)
        return message

    def named(self):
        """(version, name of a definition, message) of each. A result goes by the request that it answers; a request that was
        answered by an error may have been wrong on purpose, so that the error alone counts."""
        refused = {m["id"] for m in self.all if "error" in m and "id" in m}
        agreed = next((m["result"]["protocolVersion"] for m in self.all if "protocolVersion" in m.get("result", {})), MODERN)
        asked, out = {}, []
        for message in self.all:
            method = message.get("method")
            if method is None:
                version, kind = asked.get(message.get("id"), (agreed, "Result"))
                kind = "InputRequiredResult" if message.get("result", {}).get("resultType") == "input_required" else kind
                out.append((version, kind if "result" in message else "Error", message))
                continue
            meta = message.get("params", {}).get("_meta", {})
            version = min(meta.get(VERSION_KEY, MODERN if "io.modelcontextprotocol/subscriptionId" in meta else agreed), MODERN)
            if "id" in message:
                asked[message["id"]] = (version, CALLS.get(method, ("", ""))[1])
                if message["id"] not in refused:
                    out.append((version, CALLS[method][0] + "Request", message))
            else:
                out.append((version, TOLD[method], message))
        return out

    def fits_schemas(self):
        """How many messages were held to the JSON schemas of their versions."""
        try:
            import jsonschema  # noqa: F401
        except ImportError:
            return 0
        if not SCHEMAS.is_dir():
            return 0
        known = {}
        for version, name, message in self.named():
            schemas = known.setdefault(version, Schemas(version))
            if name == "Error":
                schemas.check(message, "JSONRPCErrorResponse", "JSONRPCError")
            elif name.endswith("Result"):
                schemas.check(message, "JSONRPCResultResponse", "JSONRPCResponse")
                schemas.check(message["result"], name)
            else:
                schemas.check(message, name)
        return len(self.all)

    def fits_sdks(self, folder):
        """How many messages were parsed by the SDKs' own schemas."""
        modules = pathlib.Path(os.environ.get("FWD_MCP_NPM", "/nowhere")) / "node_modules"
        node = modules / "node/bin/node"
        if not node.exists():
            return 0
        with open(folder / "exchange.jsonl", "w") as file:
            for version, name, message in self.named():
                file.write(json.dumps({"modern": version >= MODERN, "name": name, "message": message}) + "\n")
        # Node looks for packages beside the script.
        (folder / "sdk_parse.mjs").write_text((HERE / "sdk_parse.mjs").read_text())
        (folder / "node_modules").unlink(missing_ok=True)
        (folder / "node_modules").symlink_to(modules)
        done = subprocess.run([node, folder / "sdk_parse.mjs", folder / "exchange.jsonl"], capture_output=True, text=True, timeout=60, cwd=folder,
                              env={"PATH": "/usr/bin:/bin", "HOME": str(folder)})
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
        return int(done.stdout.split()[-1])

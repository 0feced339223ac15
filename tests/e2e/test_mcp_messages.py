"""Every message of `fwd mcp` against the schemas of MCP, and how the process begins and ends."""

import signal
import subprocess
import time

from bed import UID, Skip, case
from mcp_messages import LEGACY, SCHEMAS, Bridge, check_garbage, check_legacy, check_modern


def starter(bed, started=None):
    """Makes bridges, and keeps them in the list `started`."""
    # What an MCP client passes on: next to nothing.
    environment = {"HOME": str(bed.home), "PATH": "/usr/bin:/bin"}

    def start():
        bridge = Bridge([bed.bin / "fwd", "mcp"], stderr=subprocess.DEVNULL, cwd=bed.home, env=environment, user=UID, group=UID, extra_groups=[])
        if started is not None:
            started.append(bridge)
        return bridge
    return start


def check_all(bed):
    """All versions; then the whole exchanges against the schemas and the SDKs."""
    started = []
    for version in LEGACY:
        check_legacy(starter(bed, started), version)
    check_modern(starter(bed, started))
    for bridge in started:
        assert bridge.exchange.fits_schemas() > 100
        bridge.exchange.fits_sdks(bed.dir)


def need_schemas():
    if not SCHEMAS.is_dir():
        raise Skip("missing: the schemas of MCP (../shared/mcp-schema beside the repository)")
    try:
        import jsonschema  # noqa: F401
    except ImportError:
        raise Skip("missing: python3-jsonschema") from None


@case("with a daemon, every message of the bridge fits the schema of its version and the SDK of its era", seconds=240)
def messages_with_daemon(bed):
    need_schemas()
    bed.shop()
    check_all(bed)


@case("with the daemon down, every message of the bridge fits the schema of its version and the SDK of its era", seconds=240)
def messages_without_daemon(bed):
    need_schemas()
    check_all(bed)


@case("garbage neither ends the bridge nor breaks its stream")
def garbage(bed):
    check_garbage(starter(bed))


@case("the bridge answers at once, and ends at once by end of input or a signal, with a call in flight")
def ends(bed):
    bed.shop()
    slow = {"name": "add_service", "arguments": {"service": "never-ready.shop", "timeout_s": 60}}
    for how in ("end of input", signal.SIGINT, signal.SIGTERM):
        started = time.monotonic()
        bridge = starter(bed)()
        bridge.ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}})
        assert time.monotonic() - started < 10, "it waited for something"
        bridge.send({"jsonrpc": "2.0", "id": "slow", "method": "tools/call", "params": slow})
        assert bridge.ask("ping")["result"] == {}
        if how == "end of input":
            assert bridge.end() < 10, "it waited for the call"
            continue
        bridge.child.send_signal(how)
        assert bridge.child.wait(10) == 0, how

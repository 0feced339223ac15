"""How each tool is started. An adapter is a file here, NAME.py, with a class Tool:

    Tool(place)              starts it for place.services ({service: port}) of place.namespace and returns when all of them can be
                             connected to; raises processes.Failed or processes.Missing
    tool.name
    tool.of(service)         (the processes that carry it, (address, port))
    tool.processes()         all of them
    tool.stop()

`place` is a Place. What a tool must not do to the machine (hosts file, addresses on lo), it does in namespaces of the benchmark's own: an
adapter with `isolated = True` makes the benchmark run itself under `unshare --mount --net`.
"""

import dataclasses
import importlib
from pathlib import Path


@dataclasses.dataclass
class Place:
    name: str             # what the tool is called in the tables
    program: str          # its program
    work: Path            # an empty folder of its own
    kubeconfig: Path
    namespace: str
    services: dict        # service to its port
    flags: list           # more arguments
    wait_seconds: float = 30.0


def adapter(name):
    """The class of the adapter called `name`, None when there is none."""
    try:
        return importlib.import_module(f"adapters.{name}").Tool
    except ModuleNotFoundError as missing:
        if missing.name == f"adapters.{name}":
            return None
        raise


def names():
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))

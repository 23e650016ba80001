"""The agent's main program in the embedded lab: the common services, and the nodes that only this backend makes."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec, module_from_spec

from bgpsim.agent.bgp_capture import BgpCaptureService
from bgpsim.agent.capture import CaptureService
from bgpsim.agent.frr import FrrService
from bgpsim.agent.health import HealthService
from bgpsim.agent.namespaces import Namespaces
from bgpsim.agent.processes import DaemonService
from bgpsim.agent.server import Server, Service
from bgpsim.agent.terminals import TerminalService
from bgpsim.agent.traceroute import TracerouteService
from bgpsim.lab.embedded.nodes import NodeService
from bgpsim.lab.embedded.power import PowerService

# Services whose imports (pyroute2) take long, in the order in which a run wants them. By name, for the lab does
# not know what the speakers are.
_SLOW_TO_IMPORT = (
    ("bgpsim.speakers.service", "SpeakerService"),
    ("bgpsim.agent.impairment", "ImpairmentService"),
    ("bgpsim.agent.activity", "ActivityService"),
    ("bgpsim.agent.events", "EventService"),
    ("bgpsim.agent.netlink", "NetlinkService"),
    ("bgpsim.agent.gobgp", "GobgpService"),
    ("bgpsim.agent.packets", "PacketService"),
    ("bgpsim.agent.stream.service", "StreamService"),
)


def main() -> int:
    stream = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(stream.fileno(), False)
    namespaces = Namespaces()
    server = Server()
    nodes, daemons = NodeService(namespaces), DaemonService(namespaces)
    server.register(nodes)
    server.register(daemons)
    server.register(PowerService(namespaces, nodes, daemons))
    server.register(FrrService(namespaces))
    server.register(HealthService(namespaces))
    server.register(TerminalService(namespaces))
    server.register(CaptureService(namespaces))
    server.register(BgpCaptureService(namespaces))
    server.register(TracerouteService(namespaces))
    # Imports hold the interpreter's lock: they would be in the way while nodes are made and exec lines run. The first
    # call for any of these comes after, and then the lab has little to do until its routers have talked.
    server.register_when_asked(lambda: _slow_services(namespaces))
    server.serve(stream)
    return 0


def _slow_services(namespaces: Namespaces) -> Iterator[Service]:
    _only_parts_of("pyroute2")
    for module, name in _SLOW_TO_IMPORT:
        if find_spec(module) is not None:
            yield getattr(import_module(module), name)(namespaces)


def _only_parts_of(package: str) -> None:
    """Import none of a package but the modules that are asked for.

    pyroute2's own __init__ imports all that it has, with sqlite3 and unittest: 7 MiB, of which its messages need none.
    """
    spec = find_spec(package)
    if spec is not None:
        sys.modules.setdefault(package, module_from_spec(spec))


if __name__ == "__main__":
    sys.exit(main())

"""The agent's main program in the embedded lab: the common services, and the nodes that only this backend makes."""

from __future__ import annotations

import os
import socket
import sys

from bgpsim.agent.namespaces import Namespaces
from bgpsim.agent.processes import DaemonService
from bgpsim.agent.server import Server
from bgpsim.lab.embedded.nodes import NodeService


def main() -> int:
    stream = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(stream.fileno(), False)
    namespaces = Namespaces()
    server = Server()
    server.register(NodeService(namespaces))
    server.register(DaemonService(namespaces))
    server.serve(stream)
    return 0


if __name__ == "__main__":
    sys.exit(main())

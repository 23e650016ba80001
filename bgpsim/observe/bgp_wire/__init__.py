"""BGP as it was on the wire: what the agent captured, decoded by scapy, as facts of the wire plane."""

from __future__ import annotations

import threading
from importlib import import_module


def prepare() -> None:
    """Import scapy's layer in the background, while this process waits for the lab: it takes up to 0.25 s."""
    name = "bgpsim.observe.bgp_wire.attributes"
    threading.Thread(target=import_module, args=(name,), name="scapy", daemon=True).start()

"""BGP as it was on the wire: what the agent captured, decoded by scapy, as facts of the wire plane."""

from __future__ import annotations

import contextlib
import threading
from importlib import import_module


def prepare() -> None:
    """Import scapy's layer in the background, while this process waits for the lab: it takes up to 0.25 s.

    No daemon thread: a process that ends waits for it. Python ends a daemon thread wherever it is, and within a
    library of Rust's that scapy imports this aborts the process ("FATAL: exception not rethrown").
    """
    threading.Thread(target=_import, name="scapy").start()


def _import() -> None:
    # Whoever needs it imports it again where this fails (no descriptor may be left), and is told why.
    with contextlib.suppress(Exception):
        import_module("bgpsim.observe.bgp_wire.attributes")
        # 50,000 makers of network cards, whose names nothing here asks for: 11 MiB.
        import_module("scapy.data").MANUFDB.d.clear()

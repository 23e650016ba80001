"""What captures say of a packet that must not be fragmented."""

from typing import Any

import pytest

from bgpsim.agent.protocol import LabDevice
from bgpsim.network.sizes import SizeFate
from bgpsim.network.state import FlowKey
from bgpsim.observe.path import Observer
from bgpsim.observe.sizes import fate

FLOW = FlowKey("host:h1", "host:h2", "10.1.0.2", "10.4.0.2")
OBSERVER = Observer({n: LabDevice(n, "router", None) for n in ("h1", "r1", "h2")}, frozenset(), {}, {})
GOES_ON = {"kind": "unicast", "interface": "net1", "neighbor": "REACHABLE", "carrier": True, "forwards": True}
BLACKHOLE = {**GOES_ON, "kind": "blackhole"}


def probe(*visits: list[Any], **more: Any) -> dict[str, Any]:
    plain = {"looped": False, "received": None, "refused": None, "errors": [], "kernel": None, "resolving": False}
    return {"visits": [["h1", None, "net0"], *visits], **plain, **more}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (probe(["r1", "net0", "net1"], ["h2", "net0", None], received="h2"), SizeFate("arrived", "h2")),
        ({**probe(refused="EMSGSIZE", kernel=GOES_ON), "visits": [["h1", None, None]]}, SizeFate("too-big", "h1")),
        (probe(["r1", "net0", None], errors=[[3, 4]], kernel=GOES_ON), SizeFate("fragmentation-needed", "r1")),
        (probe(["r1", "net0", None], errors=[[2, 0]], kernel=GOES_ON), SizeFate("fragmentation-needed", "r1")),
        (probe(["r1", "net0", None], kernel=GOES_ON), SizeFate("dropped", "r1")),
        (probe(["r1", "net0", "net1"]), SizeFate("dropped", "r1")),
        (probe(["r1", "net0", None], kernel=BLACKHOLE), SizeFate("blackhole", "r1")),
    ],
)
def test_fates(seen: dict[str, Any], expected: SizeFate) -> None:
    assert fate(OBSERVER, FLOW, seen) == expected

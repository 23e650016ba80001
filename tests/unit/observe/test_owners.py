"""Addresses as routers show them -> their canonical spelling."""

from __future__ import annotations

from typing import Any

from bgpsim.observe.owners import owners


def dump(**interfaces: list[str]) -> dict[str, Any]:
    return {"links": [{"ifname": n, "addr_info": [{"local": a} for a in of]} for n, of in interfaces.items()]}


KNOWN = owners(
    {
        "tor0": dump(lo=["127.0.0.1", "10.0.0.1"], net0=["fe80::a"], s0=["fe80::1"]),
        "tor1": dump(net0=["fe80::b"], s0=["fe80::1"]),
        "speaker": dump(p0=["fe80::2"], p1=["fe80::2"]),
    },
    [["tor0", "net0", "tor1", "net0"], ["tor0", "s0", "speaker", "p0"], ["tor1", "s0", "speaker", "p1"]],
)


def test_whose_address_it_is() -> None:
    assert KNOWN.device("10.0.0.1") == "tor0"
    assert KNOWN.device("127.0.0.1") is None
    assert KNOWN.device("fe80::b", "tor0") == "tor1"


def test_a_link_local_address_is_looked_up_on_the_links_of_who_asks() -> None:
    assert KNOWN.next_hop("fe80::2", "tor0") == "speaker:p0"
    assert KNOWN.next_hop("fe80::2", "tor1") == "speaker:p1"
    assert KNOWN.on_link("fe80::9", "tor0") is None
    # Somebody has it, but on no link of this device.
    assert KNOWN.on_link("fe80::a", "speaker") is None


def test_between_two_devices_the_address_of_either_end() -> None:
    assert KNOWN.between("speaker", "tor1", "fe80::1") == "tor1:s0"
    assert KNOWN.between("speaker", "tor1", "fe80::2") == "speaker:p1"
    assert KNOWN.between("speaker", "tor1", "2001:DB8::1") == "2001:db8::1"


def test_the_unspecified_address_is_the_router_itself() -> None:
    assert KNOWN.next_hop("0.0.0.0", "tor0") == KNOWN.next_hop("::", "tor0") == "self"

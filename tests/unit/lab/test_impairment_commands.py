"""The `tc` and `ip` lines of impairments. What they do: `tests/lab/test_impairments.py`."""

from __future__ import annotations

from bgpsim.agent import impairment_commands as commands
from bgpsim.agent.impairment import _retransmits
from bgpsim.agent.impairment_commands import Values
from bgpsim.agent.sightings import RELAY_PREFIX, TTL, Header, Sighting, follow


def test_netem_gets_what_is_set_and_no_more() -> None:
    assert " ".join(commands.netem("net0", Values(20_000, 5_000, 1.0, 10_000_000))) == (
        "qdisc replace dev net0 root netem limit 1000 delay 20000us 5000us loss 1% rate 10000000bit"
    )
    assert " ".join(commands.netem("net0", Values(delay=250))) == (
        "qdisc replace dev net0 root netem limit 1000 delay 250us"
    )
    assert (
        " ".join(commands.netem("net0", Values(loss=0.5))) == "qdisc replace dev net0 root netem limit 1000 loss 0.5%"
    )
    assert " ".join(commands.netem("net0", Values())) == "qdisc replace dev net0 root netem limit 1000"
    assert " ".join(commands.without_netem("net0")) == "qdisc del dev net0 root"


def test_a_root_discipline_is_the_devices_own_if_it_has_a_handle() -> None:
    """As iproute2 6.1 prints them."""
    default = '{"kind":"noqueue","handle":"0:","root":true,"refcnt":2,"options":{}}'
    hook = '{"kind":"clsact","handle":"ffff:","parent":"ffff:fff1","options":{}}'
    own = '{"kind":"pfifo","handle":"8001:","root":true,"refcnt":2,"options":{"limit":500}}'
    assert commands.own_discipline(f"[{default},{hook}]") is None
    assert commands.own_discipline("") is None
    assert commands.own_discipline(f"[{own},{hook}]") == "pfifo"


def test_the_relay_and_silence_are_filters_of_their_own() -> None:
    redirect = " ".join(commands.redirect("net0", "bgpsim-r0"))
    assert redirect.startswith("filter add dev net0 egress protocol all pref 2 bpf bytecode 4,")
    assert f",21 0 1 {commands.RELAYED_MARK}," in redirect
    assert redirect.endswith("action mirred egress redirect dev bgpsim-r0")
    assert " ".join(commands.silence("net0")) == (
        "filter add dev net0 egress protocol all pref 1 bpf direct-action bytecode 1,6 0 0 2"
    )
    assert commands.SILENT_PREFERENCE < commands.RELAY_PREFERENCE
    assert " ".join(commands.without_filter("net0", 1)) == "filter del dev net0 egress protocol all pref 1"


def test_a_relays_interface_has_a_name_that_fits() -> None:
    words = commands.relay_pair(f"{RELAY_PREFIX}999999", 42)
    assert words.count(f"{RELAY_PREFIX}999999") == 2
    assert len(f"{RELAY_PREFIX}999999") <= 15


def test_the_relays_interface_is_no_hop() -> None:
    header = Header("10.0.0.1", "10.0.0.9", 40000, 33890)
    seen = [
        Sighting("a", f"{RELAY_PREFIX}0", "out", TTL, header),
        Sighting("a", "net0", "out", TTL, header),
        Sighting("b", "net1", "in", TTL, header),
    ]
    trail = follow("a", seen)
    assert [(visit.device, visit.ingress, visit.egress) for visit in trail.visits] == [
        ("a", None, "net0"),
        ("b", "net1", None),
    ]
    lost = follow("a", seen[:1])
    assert lost.visits[-1].egress is None


def test_a_connection_that_sends_again_is_known_by_the_kernels_table() -> None:
    line = "   1: 0100000A:00B3 0200000A:A3E2 {state} 00000013:00000000 01:00000019 {again} 0 0 4711 2 0 100 4 30 10 -1"
    assert _retransmits(line.format(state="01", again="00000002"))
    assert not _retransmits(line.format(state="01", again="00000000"))
    assert not _retransmits(line.format(state="04", again="00000002"))
    assert not _retransmits(line.format(state="01", again="00000002").replace(":00B3", ":00B4"))

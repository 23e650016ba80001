"""From the way of each probe to paths, dispositions and whether every branch was walked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bgpsim.agent.protocol import LabDevice
from bgpsim.errors import LabError
from bgpsim.network.state import FlowKey, ForwardingPath, Hop
from bgpsim.observe.owners import owners
from bgpsim.observe.path import (
    FIRST_PORT,
    FLOWS,
    MOST_FLOWS,
    Branching,
    Observer,
    PathPlane,
    Step,
    next_hop_interfaces,
    read_paths,
)

POD, FAR_POD = "pod:default/netshoot@n1", "pod:default/netshoot@n2"
ROLES = {
    "h1": "host", "h2": "host", "n1": "node", "n2": "node", POD: "pod", FAR_POD: "pod",
    "r1": "router", "r2": "router", "a": "router", "b": "router", "r3": "router", "injector": "speaker",
}  # fmt: skip
DEVICES = {name: LabDevice(name, role, None) for name, role in ROLES.items()}  # type: ignore[arg-type]
LINKS = {("n1", "lxc0"): (POD, "eth0"), (POD, "eth0"): ("n1", "lxc0"), ("n2", "lxc7"): (FAR_POD, "eth0")}
DUMPS: dict[str, Any] = {"injector": {"links": [{"ifname": "b0", "addr_info": [{"local": "192.0.2.9"}]}]}}
OBSERVER = Observer(DEVICES, frozenset({"clab"}), LINKS, DUMPS)
FLOW = FlowKey("host:h1", "host:h2", "10.0.1.2", "10.0.2.2")
IN_SIX = FlowKey("host:h1", "host:h2", "2001:db8:1::2", "2001:db8:2::2")
Visit = tuple[str, str | None, str | None]
START: tuple[Visit, ...] = (("h1", None, "net0"), ("r1", "net0", "p0"))


def probe(*visits: Visit, port: int = FIRST_PORT, **facts: Any) -> Mapping[str, Any]:
    """As `packets.probe` tells it."""
    nothing: dict[str, Any] = {
        "looped": False,
        "received": None,
        "refused": None,
        "errors": [],
        "kernel": None,
        "resolving": False,
    }
    return {"pair": 0, "port": port, "visits": [list(visit) for visit in visits], "ttl": 60, **nothing, **facts}


def kernel(kind: str, **facts: Any) -> Mapping[str, Any]:
    nothing: dict[str, Any] = {"interface": None, "via": None, "neighbor": None, "carrier": None, "forwards": True}
    return {"kind": kind, **nothing, **facts}


def route(neighbor: str | None = "REACHABLE", **facts: Any) -> Mapping[str, Any]:
    return kernel("unicast", interface="p0", via="10.0.12.1", neighbor=neighbor, **{"carrier": True, **facts})


def test_hops_of_a_host_and_a_host() -> None:
    found = OBSERVER.path(FLOW, probe(*START, ("h2", "net0", None), received="h2"))
    hops = (Hop("h1", None, "net0"), Hop("r1", "net0", "p0"), Hop("h2", "net0", None))
    assert found == ForwardingPath(hops, "delivered", "h2")


def test_pods_are_no_hops_and_the_interfaces_to_them_not_named() -> None:
    visits: tuple[Visit, ...] = (
        (POD, None, "eth0"),
        ("n1", "lxc0", "net0"),
        ("r1", "net1", "net2"),
        ("n2", "net0", "lxc7"),
        (FAR_POD, "eth0", None),
    )
    flow = FlowKey(POD, FAR_POD, "10.1.0.2", "10.1.1.2")
    found = OBSERVER.path(flow, probe(*visits, received=FAR_POD))
    hops = (Hop("n1", None, "net0"), Hop("r1", "net1", "net2"), Hop("n2", "net0", None))
    assert found == ForwardingPath(hops, "delivered", "n2")
    neighbor = OBSERVER.path(flow, probe((POD, None, "eth0"), ("n1", "lxc0", None), kernel=kernel("blackhole")))
    assert neighbor == ForwardingPath((Hop("n1", None, None),), "blackhole", "n1")
    alone = OBSERVER.path(flow, probe((POD, None, None), kernel=route("INCOMPLETE")))
    assert alone == ForwardingPath((), "neighbor-unresolved", POD)


@pytest.mark.parametrize(
    ("facts", "disposition"),
    [
        ({"kernel": kernel("no-route")}, "no-route"),
        ({"kernel": kernel("blackhole")}, "blackhole"),
        # The same ICMP error (3, 1) for both: the kernel tells them apart.
        ({"kernel": kernel("unreachable"), "errors": [[3, 1]]}, "unreachable"),
        ({"kernel": route("FAILED"), "errors": [[3, 1]]}, "neighbor-unresolved"),
        ({"kernel": route(None), "errors": [[3, 1]]}, "neighbor-unresolved"),
        ({"kernel": route("FAILED"), "resolving": True}, "neighbor-unresolved"),
        ({"kernel": route("INCOMPLETE"), "resolving": True}, "neighbor-unresolved"),
        ({"kernel": route(None, carrier=False)}, "neighbor-unresolved"),
        # It failed before; this probe was not the reason to ask again.
        ({"kernel": route("FAILED")}, "filtered"),
        ({"kernel": route()}, "filtered"),
        ({"kernel": route(None)}, "filtered"),
        ({"kernel": route(), "errors": [[3, 1]]}, "filtered"),
        ({"kernel": route(), "errors": [[3, 13]]}, "filtered"),
        ({"kernel": kernel("prohibit"), "errors": [[3, 13]]}, "filtered"),
        ({"kernel": kernel("refused")}, "filtered"),
        ({"kernel": kernel("local")}, "filtered"),
        # A host that does not forward says "no route to host" to a lookup.
        ({"kernel": kernel("unreachable", forwards=False)}, "filtered"),
        ({"kernel": route(), "errors": [[11, 0]]}, "ttl-expired"),
    ],
)
def test_what_came_in_and_did_not_leave(facts: Mapping[str, Any], disposition: str) -> None:
    found = OBSERVER.path(FLOW, probe(*START, ("r2", "p0", None), **facts))
    hops = (Hop("h1", None, "net0"), Hop("r1", "net0", "p0"), Hop("r2", "p0", None))
    assert found == ForwardingPath(hops, disposition, "r2")  # type: ignore[arg-type]


def test_the_errors_of_ipv6_have_numbers_of_their_own() -> None:
    def fate(kind: int, code: int, neighbor: str | None) -> str:
        visits = (*START, ("r2", "p0", None))
        return OBSERVER.path(IN_SIX, probe(*visits, errors=[[kind, code]], kernel=route(neighbor))).disposition

    assert fate(3, 0, "STALE") == "ttl-expired"
    assert fate(1, 3, "FAILED") == "neighbor-unresolved"
    assert fate(11, 0, "STALE") == "filtered"
    assert fate(3, 1, "FAILED") == "filtered"


@pytest.mark.parametrize(
    ("facts", "disposition"),
    [
        ({"refused": "ENETUNREACH", "kernel": kernel("no-route", forwards=None)}, "no-route"),
        ({"refused": "EINVAL", "kernel": kernel("blackhole", forwards=None)}, "blackhole"),
        ({"refused": "EHOSTUNREACH", "kernel": kernel("unreachable", forwards=None)}, "unreachable"),
        ({"refused": "EACCES", "kernel": kernel("prohibit", forwards=None)}, "filtered"),
        ({"refused": "EPERM", "kernel": route("INCOMPLETE", forwards=None)}, "filtered"),
        ({"kernel": route("INCOMPLETE", forwards=None)}, "neighbor-unresolved"),
    ],
)
def test_what_never_left_its_sender(facts: Mapping[str, Any], disposition: str) -> None:
    found = OBSERVER.path(FLOW, probe(("h1", None, None), **facts))
    assert found == ForwardingPath((Hop("h1", None, None),), disposition, "h1")  # type: ignore[arg-type]


def test_ends_that_packets_alone_tell() -> None:
    def end(device: str, **facts: Any) -> tuple[str, str]:
        found = OBSERVER.path(FLOW, probe(*START, (device, "b0", None), **facts))
        return found.disposition, found.at

    refuses = kernel("unreachable", forwards=False)
    assert end("clab", kernel=refuses) == ("exits-network", "clab")
    assert end("clab", received="clab") == ("delivered", "clab")
    assert end("injector", kernel=refuses) == ("dropped-by-speaker", "injector")
    assert end("injector", received="injector") == ("delivered-to-speaker", "injector")
    to_itself = FlowKey("host:h1", "address:192.0.2.9", "10.0.1.2", "192.0.2.9")
    received = probe(*START, ("injector", "b0", None), received="injector")
    assert OBSERVER.path(to_itself, received).disposition == "delivered"
    # It left r2 and came in nowhere: something on the link took it.
    lost = OBSERVER.path(FLOW, probe(*START, ("r2", "p0", "da")))
    assert (lost.disposition, lost.at, lost.hops[-1]) == ("filtered", "r2", Hop("r2", "p0", "da"))


def test_a_loop_lists_the_device_that_closes_it_again() -> None:
    visits: tuple[Visit, ...] = (*START, ("r2", "p0", "p1"), ("r1", "p1", "p0"), ("r2", "p0", None))
    found = OBSERVER.path(FLOW, probe(*visits, looped=True))
    assert (found.disposition, found.at) == ("loop", "r2")
    assert found.hops[2:] == (Hop("r2", "p0", "p1"), Hop("r1", "p1", "p0"), Hop("r2", "p0", None))


def hop(interface: str, *flags: str) -> dict[str, Any]:
    return {"gateway": "10.9.9.9", "dev": interface, "flags": list(flags)}


def tables(*routes: Mapping[str, Any], family: str = "ipv4-unicast") -> dict[str, Any]:
    return {"routes": {family: list(routes)}}


def test_the_route_used_is_the_longest_and_of_those_the_one_of_the_lowest_metric() -> None:
    table = tables(
        {"dst": "default", "dev": "eth0"},
        {"dst": "10.0.0.0/8", "nexthops": [hop("p0"), hop("p1")]},
        {"dst": "10.0.2.0/24", "metric": 20, "nexthops": [hop("x"), hop("y"), hop("z")]},
        {
            "dst": "10.0.2.0/24",
            "metric": 10,
            "nexthops": [hop("x"), hop("y", "dead", "linkdown"), hop("z", "linkdown")],
        },
        {"dst": "10.0.2.128/25", "type": "blackhole"},
        {"dst": "10.0.2.64/26", "dev": "gone", "flags": ["dead", "linkdown"]},
    )
    assert next_hop_interfaces(table, "192.0.2.1") == ["eth0"]
    assert next_hop_interfaces(table, "10.1.0.1") == ["p0", "p1"]
    assert next_hop_interfaces(table, "10.0.2.2") == ["x", "z"]
    assert next_hop_interfaces(table, "10.0.2.65") == ["x", "z"]
    assert next_hop_interfaces(table, "10.0.2.129") is None
    assert next_hop_interfaces(table, "2001:db8::1") is None
    six = tables({"dst": "default", "nexthops": [hop("p0"), hop("p1")]}, family="ipv6-unicast")
    assert next_hop_interfaces(six, "2001:db8::1") == ["p0", "p1"]


SPLIT_TWICE = {
    "h1": tables({"dst": "default", "dev": "net0"}),
    "r1": tables({"dst": "10.0.2.0/24", "nexthops": [hop("p0"), hop("p1")]}),
    "r2": tables({"dst": "10.0.2.0/24", "nexthops": [hop("da"), hop("db")]}),
    "a": tables({"dst": "10.0.2.0/24", "dev": "net1"}),
    "b": tables({"dst": "10.0.2.0/24", "dev": "net1"}),
    "r3": tables({"dst": "10.0.2.0/24", "dev": "net0"}),
}
NOBODY_KNOWN = owners({}, [])
FORK = Observer(DEVICES, frozenset(), {}, SPLIT_TWICE)


def way(port: int, first: str, second: str) -> Mapping[str, Any]:
    """h1 to h2 by p0 or p1, and then by a or b."""
    visits: tuple[Visit, ...] = (
        ("h1", None, "net0"),
        ("r1", "net0", first),
        ("r2", first, f"d{second}"),
        (second, "net0", "net1"),
        ("r3", f"u{second}", "net0"),
        ("h2", "net0", None),
    )
    return probe(*visits, port=port, received="h2")


def test_two_splits_in_a_row_are_four_ways() -> None:
    h1, r1 = Step("h1", None, "net0"), ("r1", "net0")
    assert FORK.unwalked(FLOW, [way(1, "p0", "a")]) == [
        Branching((h1,), *r1, (1,), 1),
        Branching((h1, Step(*r1, "p0")), "r2", "p0", (1,), 1),
    ]
    # Each branch was walked, not each way.
    assert FORK.unwalked(FLOW, [way(1, "p0", "a"), way(2, "p1", "b")]) == [
        Branching((h1, Step(*r1, "p0")), "r2", "p0", (1,), 1),
        Branching((h1, Step(*r1, "p1")), "r2", "p1", (2,), 1),
    ]
    ways = [way(1, "p0", "a"), way(2, "p1", "b"), way(3, "p1", "a"), way(4, "p0", "b")]
    assert FORK.unwalked(FLOW, ways) == []


def test_next_hops_by_one_interface_differ_in_where_they_lead() -> None:
    shared = Observer(
        DEVICES, frozenset(), {}, {"h1": tables({"dst": "10.0.2.0/24", "nexthops": [hop("eth0"), hop("eth0")]})}
    )
    one = probe(("h1", None, "eth0"), ("r1", "eth0", None), port=1, received="r1")
    other = probe(("h1", None, "eth0"), ("r2", "eth0", None), port=2, received="r2")
    assert [b.missing for b in shared.unwalked(FLOW, [one])] == [1]
    assert shared.unwalked(FLOW, [one, other]) == []


def test_a_branch_that_ends_at_its_first_step_was_walked() -> None:
    """Its neighbor is not there: the kernel's lookup says which it was."""
    visits: tuple[Visit, ...] = (("h1", None, "net0"), ("r1", "net0", None))
    stopped = probe(*visits, port=2, kernel={**route("FAILED"), "interface": "p1"}, resolving=True)
    left = FORK.unwalked(FLOW, [way(1, "p0", "a"), way(3, "p0", "b"), stopped])
    assert left == []


def test_a_device_that_chose_no_next_hop_has_no_branches() -> None:
    visits: tuple[Visit, ...] = (("h1", None, "net0"), ("r1", "net0", None))
    for fate in (kernel("blackhole"), kernel("no-route"), route(forwards=False)):
        assert FORK.unwalked(FLOW, [probe(*visits, kernel=fate)]) == []


def test_a_route_of_another_table_is_not_known_to_be_the_only_one() -> None:
    elsewhere = Observer(DEVICES, frozenset(), {}, {"h1": tables({"dst": "10.9.0.0/16", "dev": "net0"})})
    assert [b.missing for b in elsewhere.unwalked(FLOW, [probe(("h1", None, "net0"), ("h2", "net0", None))])] == [1]


class Forked:
    """Answers as an agent in front of the fork would, where the way of each source port is given."""

    def __init__(self, ways: Mapping[int, tuple[str, str]], able: Sequence[int]) -> None:
        self.ways = ways
        self.able = able
        self.sent: list[list[int]] = []
        self.wanted: list[Mapping[str, Any]] = []

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
        if method == "packets.probe":
            assert params["devices"] == [*sorted(DEVICES), "clab"]
            (pair,) = params["pairs"]
            assert (pair["device"], pair["source"], pair["target"]) == ("h1", "10.0.1.2", "10.0.2.2")
            self.sent.append(pair["ports"])
            return [way(port, *self.ways.get(port, ("p0", "a"))) for port in pair["ports"]]
        if method == "packets.trace":
            return [[] for _ in params["pairs"]]
        if method == "impairments.list":
            return []
        assert method == "packets.ports"
        self.wanted += params["wanted"]
        used = {port for ports in self.sent for port in ports}
        fresh = [port for port in self.able if port not in used]
        return [fresh[:1] for _ in params["wanted"]]


def read(agent: Forked) -> Any:
    return read_paths(agent, DEVICES, ["clab"], [FLOW], SPLIT_TWICE, NOBODY_KNOWN).forwarding[FLOW]


def test_flows_are_added_until_every_way_was_walked() -> None:
    able = [40100, 40101, 40102, 40103]
    agent = Forked({40100: ("p1", "b"), 40101: ("p1", "a"), 40102: ("p0", "b")}, able)
    found = read(agent)
    assert agent.sent == [list(range(FIRST_PORT, FIRST_PORT + FLOWS)), [40100], [40101], [40102]]
    assert (found.disposition, len(found.paths), found.complete, found.flows) == ("delivered", 4, True, FLOWS + 3)
    assert found.evidence == "capture"


def test_where_no_port_leads_elsewhere_nothing_more_is_sent() -> None:
    found = read(agent := Forked({}, []))
    assert len(agent.sent) == 1
    assert (len(found.paths), found.complete, found.flows) == (1, False, FLOWS)


def test_the_number_of_flows_has_an_end() -> None:
    """Lookups promise another way, and packets never take it."""
    found = read(Forked({}, range(50000, 51000)))
    assert (len(found.paths), found.complete, found.flows) == (1, False, MOST_FLOWS)


def test_branches_that_end_differently_are_partial() -> None:
    class Halved(Forked):
        def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
            answer = super().call(method, timeout, **params)
            if method == "packets.probe":
                visits: tuple[Visit, ...] = (*START, ("r2", "p0", None))
                answer[0] = probe(*visits, port=answer[0]["port"], kernel=kernel("blackhole"))
            return answer

    found = read(Halved({}, []))
    assert [path.disposition for path in found.paths] == ["delivered", "blackhole"]
    assert (found.disposition, found.evidence) == ("partial", "capture+kernel")


def test_without_flows_nothing_is_sent() -> None:
    agent = Forked({}, [])
    assert read_paths(agent, DEVICES, ["clab"], [], SPLIT_TWICE, NOBODY_KNOWN) == PathPlane()
    assert agent.sent == []


def test_senders_are_found_by_their_endpoint_id() -> None:
    def sender(source: str) -> str:
        return OBSERVER.sender(FlowKey(source, "host:h2", "10.0.1.2", "10.0.2.2"))

    assert [sender(name) for name in ("host:h1", "node:n1", "router:r1", POD)] == ["h1", "n1", "r1", POD]
    with pytest.raises(LabError, match="host:h7 is no device of this lab"):
        sender("host:h7")

"""One state against another, attribute by attribute, and what is gathered of it."""

from dataclasses import replace
from ipaddress import ip_network
from typing import Any

from bgpsim.check.diff import AttributeChange, diff
from bgpsim.check.gathering import gathered
from bgpsim.network.state import (
    AdvertisedKey,
    Attributes,
    BgpPath,
    FamilyCounters,
    FibKey,
    FibNextHop,
    FibRoute,
    FlowKey,
    Forwarding,
    ForwardingPath,
    Hop,
    NetworkState,
    PathKey,
    Session,
    SessionKey,
    WireKey,
)
from bgpsim.source import Source

V4 = "ipv4-unicast"


def key(device: str, prefix: str, neighbor: str = "net0") -> PathKey:
    return PathKey(device, V4, ip_network(prefix), neighbor)


def path(next_hop: str = "self", *, best: bool = True, **more: Any) -> BgpPath:
    weight = more.pop("weight", 0)
    sources = more.pop("sources", ())
    return BgpPath(Attributes(next_hop, **more), True, best, False, weight=weight, sources=sources)


def way(disposition: Any, *devices: str, complete: bool = True) -> Forwarding:
    hops = tuple(Hop(d, None, None) for d in devices)
    return Forwarding(disposition, (ForwardingPath(hops, disposition, devices[-1]),), complete)


A, B = "pod:a", "pod:b"
FLOW = FlowKey(A, B, "10.1.1.2", "10.1.2.2")


def test_a_changed_route_names_each_attribute_that_is_not_what_it_was() -> None:
    place = key("tor0", "10.1.0.0/24")
    (found,) = diff(
        NetworkState(paths={place: path("r0:net0", as_path=(1, 2), med=5)}),
        NetworkState(paths={place: path("r0:net0", as_path=(1,), best=False)}),
    ).changed
    assert found.attributes == (
        AttributeChange("as-path", "1 2", "1"),
        AttributeChange("med", "5", ""),
        AttributeChange("best", "yes", "no"),
    )


def test_weight_is_a_fact_and_the_lines_behind_a_route_are_none() -> None:
    place = key("tor0", "10.1.0.0/24")
    before = NetworkState(paths={place: path(sources=(Source("topo.yml", 3),))})
    assert diff(before, NetworkState(paths={place: path(sources=(Source("topo.yml", 4),))})).empty
    (found,) = diff(before, NetworkState(paths={place: path(weight=32768)})).changed
    assert found.attributes == (AttributeChange("weight", "0", "32768"),)


def test_what_is_refused_is_in_no_table() -> None:
    refused = replace(path(), valid=False, best=False, lost="denied: own AS 65000 in the path")
    assert diff(NetworkState(), NetworkState(paths={key("tor0", "10.1.0.0/24"): refused})).empty


def test_every_kind_of_fact_is_told() -> None:
    prefix = ip_network("10.1.0.0/24")
    end = SessionKey("tor0", "net0")
    up = Session("Established", "ebgp", "r0", families={V4: FamilyCounters(3, None, 9)})
    before = NetworkState(sessions={end: up})
    facts: dict[str, NetworkState] = {
        "added": replace(before, fib={FibKey("tor0", V4, prefix, 20): FibRoute("unicast", "bgp", frozenset())}),
        "advertised": replace(before, advertised={AdvertisedKey("tor0", "net0", V4, prefix): Attributes("self")}),
        "wire": replace(before, wire={WireKey("injector", "sent", "tor0", V4, prefix): Attributes("self")}),
        "sessions": replace(before, sessions={end: Session("Down", "ebgp", "r0", because="no carrier")}),
        "counters": replace(before, sessions={end: replace(up, families={V4: FamilyCounters(4, None, 9)})}),
        "new": replace(before, forwarding={FLOW: way("delivered", "worker")}),
    }
    for name, after in facts.items():
        change = diff(before, after)
        told = [n for n in (*facts, "removed", "changed", "gone", "lost", "gained", "moved") if getattr(change, n)]
        assert told == [name]
        assert not change.empty
    assert diff(facts["new"], before).gone
    assert diff(before, facts["sessions"]).sessions[0].because == "no carrier"


def test_a_session_that_is_not_configured_any_more() -> None:
    before = NetworkState(sessions={SessionKey("tor0", "net0"): Session("Established", "ebgp", "r0")})
    (gone,) = diff(before, NetworkState()).sessions
    assert (gone.before, gone.after, gone.came) == ("Established", None, False)


def test_a_device_that_one_side_could_not_read_is_not_compared() -> None:
    before = NetworkState(paths={key("tor0", "10.1.0.0/24"): path(), key("tor1", "10.1.0.0/24"): path()})
    change = diff(before, NetworkState(not_observed={"bgp": {"tor0": "bgpd did not answer"}}))
    assert [r.device for r in change.removed] == ["tor1"]
    assert change.unread == ("bgp of tor0: bgpd did not answer",)


def test_other_branches_that_hashing_chose_are_no_move() -> None:
    before = NetworkState(forwarding={FLOW: way("delivered", "a", "x", complete=False)})
    assert diff(before, NetworkState(forwarding={FLOW: way("delivered", "a", "y", complete=False)})).empty
    assert diff(before, NetworkState(forwarding={FLOW: way("loop", "a", "y", complete=False)})).lost


def test_a_pair_whose_address_moved_is_the_same_pair() -> None:
    elsewhere = FLOW._replace(target_address="10.1.9.2")
    before = NetworkState(forwarding={FLOW: way("delivered", "a", "b")})
    (lost,) = diff(before, NetworkState(forwarding={elsewhere: way("no-route", "a")})).lost
    assert lost.flow == elsewhere
    assert lost.before.startswith("10.1.1.2 → 10.1.2.2: ")
    assert lost.after == "10.1.1.2 → 10.1.9.2: a: no-route"


def test_prefixes_that_changed_alike_are_one_group_with_their_session() -> None:
    prefixes = [f"10.{n}.0.0/16" for n in (10, 9, 11, 100)]
    end = SessionKey("r0", "net1")
    before = NetworkState(
        sessions={end: Session("Established", "ebgp", "tor1")},
        paths={
            key(device, p, n): path(as_path=(n == "net0",))
            for p in prefixes
            for device, n in (("r0", "net1"), ("tor0", "net0"))
        },
    )
    after = NetworkState(sessions={end: Session("Down", "ebgp", "tor1")}, paths={})
    (group,) = gathered(diff(before, after))
    assert group.prefixes == ("10.9.0.0/16", "10.10.0.0/16", "10.11.0.0/16", "10.100.0.0/16")
    assert group.title == "10.9.0.0/16, 10.10.0.0/16, 10.11.0.0/16 … (4 prefixes)"
    assert (group.begins.device, group.begins.peer) == ("r0", "net1")
    assert group.session is not None
    assert group.session.key == end
    assert group.places_text() == "bgp removed: r0 (net1), tor0 (net0)"


def test_a_group_begins_where_the_route_comes_from() -> None:
    prefix = "10.1.3.0/25"
    hop = frozenset({FibNextHop("injector:tor1", "x")})
    after = NetworkState(
        paths={key("tor0", prefix): path(as_path=(1, 2, 3)), key("tor1", prefix, "fe80::2"): path(as_path=(3,))},
        fib={FibKey("tor1", V4, ip_network(prefix), 20): FibRoute("unicast", "bgp", hop)},
    )
    (group,) = gathered(diff(NetworkState(), after))
    assert (group.begins.plane, group.begins.device) == ("bgp", "tor1")
    sent = {WireKey("injector", "sent", "tor1", V4, ip_network(prefix)): Attributes("injector:tor1", (3,))}
    spoken = {SessionKey("injector", "tor1"): Session("Established", "ebgp", "tor1")}
    (group,) = gathered(diff(NetworkState(sessions=spoken), replace(after, wire=sent, sessions=spoken)))
    assert (group.begins.plane, group.begins.device) == ("wire", "injector")


def test_no_change_is_left_out_of_the_groups() -> None:
    before = NetworkState(paths={key("a", "10.1.0.0/24"): path(), key("b", "10.1.0.0/24"): path(med=1)})
    after = NetworkState(paths={key("b", "10.1.0.0/24"): path(med=2), key("a", "10.2.0.0/24"): path()})
    change = diff(before, after)
    told = [c for group in gathered(change) for c in group.changes]
    assert sorted(told, key=lambda c: c.order) == sorted(change.routes, key=lambda c: c.order)

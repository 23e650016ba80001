"""compare, diff and expectations on small hand-made states."""

from dataclasses import replace
from ipaddress import ip_network

from bgpsim.check.compare import compare
from bgpsim.check.diff import diff, same
from bgpsim.check.expectations import (
    ChangeExpected,
    DispositionExpected,
    ReachExpected,
    SameAsExpected,
    SessionsExpected,
    evaluate,
)
from bgpsim.network.state import (
    UNTOLD,
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

PREFIX = ip_network("10.1.1.0/24")
LINE = Source("topo.yml", 31, "neighbor 10.0.1.2 peer-group SERVERS")
KEY = PathKey("tor0", "ipv4-unicast", PREFIX, "10.0.2.2")
FLOW = FlowKey("pod:a", "pod:b", "10.1.1.2", "10.1.2.2")
BACK = FlowKey("pod:b", "pod:a", "10.1.2.2", "10.1.1.2")


def path(**changes: object) -> BgpPath:
    return replace(
        BgpPath(Attributes("10.0.2.2", local_preference=100), valid=True, best=True, multipath=False, sources=(LINE,)),
        **changes,  # type: ignore[arg-type]
    )


def forwarding(disposition: str = "delivered", via: str = "tor0") -> Forwarding:
    hops = (Hop("worker", None, "net0"), Hop(via, "net2", None))
    return Forwarding(disposition, (ForwardingPath(hops, disposition, via),))  # type: ignore[arg-type]


def state(**parts: object) -> NetworkState:
    return NetworkState(**parts)  # type: ignore[arg-type]


def test_equal_states_have_no_mismatch_and_count_every_fact_once() -> None:
    one = state(
        paths={KEY: path()},
        sessions={SessionKey("tor0", "10.0.2.2"): Session("Established", "ibgp", "worker")},
        forwarding={FLOW: forwarding()},
    )
    result = compare(one, one)
    assert result.agrees
    assert result.planes["bgp"].compared == result.planes["bgp"].equal == 2
    assert result.planes["path"].compared == 1
    assert result.planes["wire"].status == "empty"


def test_a_missing_path_names_the_line_behind_it() -> None:
    result = compare(state(paths={KEY: path()}), state())
    (mismatch,) = result.mismatches
    assert (mismatch.kind, mismatch.device, mismatch.prefix, mismatch.peer) == (
        "missing",
        "tor0",
        "10.1.1.0/24",
        "10.0.2.2",
    )
    assert mismatch.because == (LINE,)
    assert result.planes["bgp"].missing == 1


def test_what_is_not_sent_names_the_lines_behind_it() -> None:
    sent = AdvertisedKey("tor0", "net0", "ipv4-unicast", PREFIX)
    heard = WireKey("injector", "received", "tor0", "ipv4-unicast", PREFIX)
    predicted = state(
        advertised={sent: Attributes("self")},
        wire={heard: Attributes("tor0:x")},
        lines={sent: (LINE,), heard: (LINE,)},
    )
    found = compare(predicted, state())
    assert [(m.plane, m.kind, m.peer, m.because) for m in found.mismatches] == [
        ("bgp", "missing", "to net0", (LINE,)),
        ("wire", "missing", "received tor0", (LINE,)),
    ]


def test_two_attributes_that_differ_are_two_mismatches_of_one_fact() -> None:
    seen = path(attributes=Attributes("10.0.2.9", local_preference=200))
    result = compare(state(paths={KEY: path()}), state(paths={KEY: seen}))
    assert sorted(m.field or "" for m in result.mismatches) == ["local-preference", "next-hop"]
    assert result.planes["bgp"].differs == result.planes["bgp"].compared == 1


def test_an_unread_device_is_not_observed_and_never_equal() -> None:
    unread = state(not_observed={"bgp": {"tor0": "bgpd does not answer"}})
    result = compare(state(paths={KEY: path()}), unread)
    assert result.planes["bgp"].status == "not_observed"
    assert (result.planes["bgp"].equal, result.planes["bgp"].not_observed) == (0, 1)


def test_a_pair_that_two_observers_disagree_about_is_not_observed() -> None:
    """It alone, and by name: the way back of the same pods was read."""
    why = "capture and traceroute disagree: source port 40000, TTL 2: …"
    predicted = state(forwarding={FLOW: forwarding(), BACK: forwarding()})
    doubted = state(forwarding={BACK: forwarding()}, not_observed={"path": {FLOW.pair: why}})
    result = compare(predicted, doubted).planes["path"]
    assert (result.status, result.equal, result.compared, result.not_observed) == ("compared", 1, 1, 1)
    assert result.because == f"pod:a → pod:b (10.1.2.2): {why}"
    # In a step that is compared with another, whichever of the two it was.
    assert same(predicted, doubted).agrees
    assert same(doubted, predicted).agrees
    assert same(doubted, predicted).planes["path"].not_observed == 1


def test_a_path_denied_on_import_is_no_fact_of_the_table() -> None:
    denied = path(valid=False, best=False, lost="denied: own AS 65010 in the path")
    assert compare(state(paths={KEY: denied}), state()).agrees


def test_counters_compare_only_where_both_are_known() -> None:
    def with_counters(**counts: int) -> NetworkState:
        session = Session("Established", "ebgp", "router0", families={"ipv4-unicast": FamilyCounters(**counts)})
        return state(sessions={SessionKey("tor0", "net0"): session})

    assert compare(with_counters(accepted=8, received=13, sent=13), with_counters(accepted=8, sent=13)).agrees
    (mismatch,) = compare(with_counters(accepted=8, sent=13), with_counters(accepted=6, sent=13)).mismatches
    assert (mismatch.field, mismatch.predicted, mismatch.observed) == ("ipv4-unicast accepted", "8", "6")


def test_selection_reason_is_a_fact_with_two_paths_only() -> None:
    other = KEY._replace(neighbor="net0")
    third = KEY._replace(neighbor="net1")
    loser = path(best=False)
    two = {KEY: path(reason="Older Path"), other: loser}
    seen = {KEY: path(reason="Router ID"), other: loser}
    assert [m.field for m in compare(state(paths=two), state(paths=seen)).mismatches] == ["selection-reason"]
    worse = replace(loser, lost="Router ID")
    assert compare(state(paths=two | {third: worse}), state(paths=seen | {third: worse})).agrees


def test_fib_next_hops_are_compared_as_a_set() -> None:
    key = FibKey("tor0", "ipv4-unicast", PREFIX, 20)
    one = FibRoute("unicast", "bgp", frozenset({FibNextHop("10.0.1.2", "net1"), FibNextHop("10.0.2.2", "net2")}))
    other = replace(one, next_hops=frozenset({FibNextHop("10.0.1.2", "net1")}))
    assert compare(state(fib={key: one}), state(fib={key: one})).agrees
    (mismatch,) = compare(state(fib={key: one}), state(fib={key: other})).mismatches
    assert (mismatch.plane, mismatch.field) == ("fib", "nexthops")


def test_partial_observation_must_be_a_subset_of_the_prediction() -> None:
    both = replace(forwarding(), paths=forwarding().paths + forwarding(via="tor1").paths)
    some = replace(forwarding(), complete=False)
    assert compare(state(forwarding={FLOW: both}), state(forwarding={FLOW: some})).agrees
    assert not compare(state(forwarding={FLOW: both}), state(forwarding={FLOW: forwarding()})).agrees
    assert not compare(state(forwarding={FLOW: forwarding(via="tor1")}), state(forwarding={FLOW: some})).agrees


def test_wire_facts() -> None:
    key = WireKey("injector", "received", "tor0", "ipv4-unicast", PREFIX)
    assert not compare(state(wire={key: Attributes("a")}), state(wire={key: Attributes("b")})).agrees


def test_diff_tells_lost_gained_and_moved() -> None:
    before = state(forwarding={FLOW: forwarding(), BACK: forwarding("blackhole")}, paths={KEY: path()})
    after = state(forwarding={FLOW: forwarding("no-route"), BACK: forwarding()})
    change = diff(before, after)
    assert [c.flow for c in change.lost] == [FLOW]
    assert [c.flow for c in change.gained] == [BACK]
    assert [r.prefix for r in change.removed] == ["10.1.1.0/24"]
    moved = diff(before, replace(before, forwarding={FLOW: forwarding(via="tor1"), BACK: forwarding("blackhole")}))
    assert [c.flow for c in moved.moved] == [FLOW]
    assert diff(before, before).empty


def test_expectations_hold_and_fail() -> None:
    up = Session("Established", "ebgp", "router0")
    first = state(forwarding={FLOW: forwarding(), BACK: forwarding()}, sessions={SessionKey("tor0", "net0"): up})
    second = state(forwarding={FLOW: forwarding("no-route"), BACK: forwarding()})
    states = {"one": first, "two": second, "three": first}

    def check(expected: object, *steps: str) -> bool:
        return evaluate(expected, states, steps).holds  # type: ignore[arg-type]

    assert check(ReachExpected("", (FLOW, BACK)), "one")
    assert not check(ReachExpected("", (FLOW, BACK)), "one", "two")
    assert check(ChangeExpected("", (FLOW,)), "one", "two")
    assert not check(ChangeExpected("", (FLOW, BACK)), "one", "two")
    assert not check(ChangeExpected("", ()), "one", "two")
    assert check(ChangeExpected("", (FLOW,), gained=True), "one", "two", "three")
    assert check(DispositionExpected("", (FLOW,), "no-route"), "one", "two")
    assert check(SameAsExpected("", "one"), "one", "two", "three")
    assert not check(SameAsExpected("", "one"), "one", "two")
    assert check(SessionsExpected("", ("tor0",), "Established"), "one")
    assert not check(SessionsExpected("", ("tor0",), "Down"), "one")
    assert not check(SessionsExpected("", ("tor9",), "Established"), "one"), "no session at all proves nothing"


def test_same_is_symmetric_in_what_it_refuses() -> None:
    more = state(paths={KEY: path()})
    assert not same(more, state()).agrees
    assert not same(state(), more).agrees


def test_a_next_hop_that_is_not_predicted_is_no_fact() -> None:
    key = AdvertisedKey("a", "net0", "ipv4-unicast", ip_network("10.9.0.0/16"))
    told, seen = Attributes(UNTOLD, origin="incomplete"), Attributes("10.1.0.2", origin="incomplete")
    assert compare(NetworkState(advertised={key: told}), NetworkState(advertised={key: seen})).agrees
    assert compare(NetworkState(advertised={key: seen}), NetworkState(advertised={key: told})).agrees
    other = replace(seen, origin="igp")
    found = compare(NetworkState(advertised={key: told}), NetworkState(advertised={key: other}))
    assert [m.field for m in found.mismatches] == ["origin"]


def test_of_three_paths_the_reason_is_one_of_the_best_against_another() -> None:
    place = PathKey("a", "ipv4-unicast", ip_network("10.9.0.0/16"), "x")
    path = BgpPath(Attributes("10.1.0.2"), valid=True, best=False, multipath=False)
    mine = {
        place: replace(path, best=True, reason="Router ID"),
        place._replace(neighbor="y"): replace(path, lost="Router ID"),
        place._replace(neighbor="z"): replace(path, lost="MED"),
    }

    def fields(reason: str) -> list[str | None]:
        seen = {**mine, place: replace(mine[place], reason=reason)}
        return [m.field for m in compare(NetworkState(paths=mine), NetworkState(paths=seen)).mismatches]

    assert fields("Router ID") == fields("MED") == []
    assert fields("AS Path") == ["selection-reason"]

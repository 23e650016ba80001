"""What changed between two sights, as a watcher is told."""

from dataclasses import replace
from ipaddress import ip_network

from hypothesis import given
from hypothesis import strategies as st

from bgpsim.agent.protocol import LabDevice
from bgpsim.network.state import (
    Attributes,
    BgpPath,
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
from bgpsim.scenario.sight import (
    MOST_OPEN,
    Sight,
    agreement_fact,
    changes,
    heard_facts,
    judge,
    path_fact,
    route_facts,
    session_facts,
    times,
)

DEVICES = {
    "tor0": LabDevice("tor0", "router", "frr"),
    "injector": LabDevice("injector", "speaker", "exabgp"),
}
UP, DOWN = Session("Established", "ebgp", "tor0"), Session("Down", "ebgp", "tor0", word="Active")


def path(med: int | None = None, *, best: bool = True) -> BgpPath:
    return BgpPath(Attributes("10.0.0.1", (65000,), med=med), valid=True, best=best, multipath=False)


def key(prefix: str) -> PathKey:
    return PathKey("tor0", "ipv4-unicast", ip_network(prefix), "net0")


ONE, TWO = key("10.1.0.0/24"), key("10.2.0.0/24")
HEARD = WireKey("injector", "received", "tor0", "ipv4-unicast", ip_network("10.1.0.0/24"))


def sight(observed: NetworkState, predicted: NetworkState | None = None, time: float = 1.0) -> Sight:
    judgement = judge(predicted, observed)
    return Sight(
        time=time,
        lab={"scenario": "one"},
        step={"name": "first", "state": "ended"},
        sessions=session_facts(observed, judgement, {}),
        routes=route_facts(observed, judgement, {}),
        heard=heard_facts(observed, DEVICES, judgement, {}),
        agreement=agreement_fact("first", judgement),
        judgement=judgement,
    )


def told(before: Sight | None, after: Sight) -> list[tuple[object, ...]]:
    return [
        (event["event"], event.get("change"), event.get("prefix") or event.get("device"), event.get("predicted"))
        for event in changes(before, after)
    ]


def test_at_first_all_there_is() -> None:
    state = NetworkState(
        sessions={SessionKey("tor0", "net0"): UP}, paths={ONE: path()}, wire={HEARD: Attributes("tor0:x-injector")}
    )
    events = list(changes(None, sight(state, state)))
    assert [event["event"] for event in events] == ["lab", "step", "session", "route", "heard", "agreement"]
    assert all(event["first"] is True and event["time"] == 1.0 for event in events)
    assert events[3]["attributes"] == {
        "next-hop": "10.0.0.1", "as-path": "65000", "origin": "igp",
    }  # fmt: skip
    assert events[-1]["planes"] == {
        "bgp": {"compared": 2, "equal": 2, "not_observed": 0},
        "wire": {"compared": 1, "equal": 1, "not_observed": 0},
    }


def test_a_route_that_arrives_leaves_or_is_another() -> None:
    before = NetworkState(paths={ONE: path(), TWO: path()})
    after = NetworkState(paths={ONE: path(5), key("10.3.0.0/24"): path()})
    events = list(changes(sight(before), sight(after)))
    assert [(event["change"], event["prefix"], event["predicted"]) for event in events] == [
        ("changed", "10.1.0.0/24", None),
        ("left", "10.2.0.0/24", None),
        ("arrived", "10.3.0.0/24", None),
    ]
    assert set(events[0]["was"]) == {"attributes"}
    assert not any("first" in event for event in events)


def test_what_was_to_come_and_what_was_to_go_is_as_predicted() -> None:
    predicted = NetworkState(paths={ONE: path(), key("10.4.0.0/24"): path()})
    before, after = NetworkState(paths={TWO: path()}), NetworkState(paths={ONE: path(best=False)})
    assert told(sight(before, predicted), sight(after, predicted))[:2] == [
        ("route", "arrived", "10.1.0.0/24", False),  # it is not best yet
        ("route", "left", "10.2.0.0/24", True),
    ]
    gone = sight(NetworkState(paths={}), predicted)
    assert ("route", "left", "10.1.0.0/24", False) in told(sight(after, predicted), gone)


def test_another_prediction_is_told_though_nothing_moved() -> None:
    state = NetworkState(paths={ONE: path()})
    assert told(sight(state, state), sight(state, NetworkState())) == [
        ("route", "prediction", "10.1.0.0/24", False),
        ("agreement", None, None, None),
    ]


def test_a_session_tells_what_it_was() -> None:
    at = SessionKey("tor0", "net0")
    (event,) = changes(sight(NetworkState(sessions={at: UP})), sight(NetworkState(sessions={at: DOWN})))
    assert (event["state"], event["word"], event["was"]) == ("Down", "Active", {"state": "Established", "word": None})


def test_what_could_not_be_read_is_judged_by_nobody() -> None:
    state = NetworkState(paths={ONE: path()}, not_observed={"bgp": {"tor0": "bgpd does not answer"}})
    assert told(None, sight(state, NetworkState()))[2] == ("route", "arrived", "10.1.0.0/24", None)


def test_differences_are_counted_and_not_all_listed() -> None:
    many = NetworkState(paths={key(f"10.{n}.0.0/16"): path() for n in range(MOST_OPEN + 3)})
    fact = agreement_fact("first", judge(NetworkState(), many))
    assert (len(fact["open"]), fact["open_count"]) == (MOST_OPEN, MOST_OPEN + 3)
    assert fact["open"][0]["kind"] == "unexpected"


def test_ended_and_trouble_are_told_once() -> None:
    before = sight(NetworkState())
    after = replace(before, trouble="tor0: bgpd does not answer", ended={"why": "it was taken down", "down": True})
    assert [event["event"] for event in changes(before, after)] == ["trouble", "ended"]
    assert not list(changes(after, replace(after, time=2.0)))


def test_a_path_is_seen_beside_the_predicted_one() -> None:
    flow = FlowKey("pod:a", "pod:b", "10.0.0.1", "10.0.0.2")
    way = Forwarding("delivered", (ForwardingPath((Hop("tor0", "a", "b"),), "delivered", "tor0"),))
    lost = Forwarding("no-route", (ForwardingPath((Hop("tor0", "a", None),), "no-route", "tor0"),))
    seen = path_fact(flow, way, None, NetworkState(forwarding={flow: way}))
    assert (seen["predicted"], seen["hops"], seen["expected"]["disposition"]) == (
        True, ["tor0[a>b]: delivered"], "delivered",
    )  # fmt: skip
    assert path_fact(flow, way, None, NetworkState(forwarding={flow: lost}))["predicted"] is False
    assert path_fact(flow, way, None, NetworkState())["predicted"] is None
    assert path_fact(flow, None, "captures lost packets", None)["because"] == "captures lost packets"


TABLES = st.dictionaries(
    st.sampled_from([key(f"10.{n}.0.0/16") for n in range(5)]), st.builds(path, st.integers(0, 2), best=st.booleans())
)


@given(TABLES, TABLES, TABLES)
def test_who_applies_the_events_has_the_newest_sight(
    before: dict[PathKey, BgpPath], after: dict[PathKey, BgpPath], predicted: dict[PathKey, BgpPath]
) -> None:
    expected = NetworkState(paths=predicted)
    old, new = sight(NetworkState(paths=before), expected), sight(NetworkState(paths=after), expected)
    held: dict[str, object] = {}
    for told_before, told_after in ((None, old), (old, new)):
        for event in changes(told_before, told_after):
            if event["event"] != "route":
                continue
            if event["change"] == "left":
                assert event["predicted"] is (ip_network(event["prefix"]) not in {k.prefix for k in predicted})
                del held[event["prefix"]]
            else:
                held[event["prefix"]] = (event["attributes"], event["best"], event["predicted"])
    assert held == {
        str(k.prefix): (fact["attributes"], fact["best"], fact["predicted"]) for k, fact in new.routes.items()
    }


def test_ages_begin_when_a_fact_became_what_it_is() -> None:
    assert times(
        {"a": 1.0, "b": 2.0}, {"a": "x", "b": "y", "e": "z"}, {"a": "x", "b": "Y", "c": "z", "e": "z"}, 9.0
    ) == {
        "a": 1.0,
        "b": 9.0,
        "c": 9.0,
    }

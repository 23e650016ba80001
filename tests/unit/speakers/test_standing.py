"""What is kept of a session has the effect of all that went over it, and does not grow with it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bgpsim.observe.wire import net_effect
from bgpsim.speakers.record import MOST_EVENTS, MOST_ROUTES, Record

PREFIXES = [f"10.{n}.0.0/16" for n in range(5)]
ROUTES = st.lists(
    st.one_of(
        st.sampled_from(PREFIXES).map(lambda p: {"nlri": p}),
        st.sampled_from(PREFIXES).map(lambda p: {"nlri": p, "path-information": "0.0.0.7"}),
    ),
    max_size=4,
)
UPDATES = st.fixed_dictionaries(
    {},
    optional={
        "attribute": st.fixed_dictionaries({"origin": st.sampled_from(["igp", "egp"]), "med": st.integers(0, 1)}),
        "announce": st.fixed_dictionaries(
            {"ipv4 unicast": st.dictionaries(st.sampled_from(["fe80::2", "2001:db8::2"]), ROUTES, max_size=2)}
        ),
        "withdraw": st.fixed_dictionaries({"ipv4 unicast": ROUTES}),
    },
)


def message(update: dict[str, Any], direction: str, time: float = 1.0) -> dict[str, Any]:
    return {
        "type": "update",
        "time": time,
        "neighbor": {"direction": "send" if direction == "sent" else "receive", "message": {"update": update}},
    }


def state(word: str, time: float = 1.0) -> dict[str, Any]:
    return {"type": "state", "time": time, "neighbor": {"state": word}}


def event(update: dict[str, Any], direction: str) -> dict[str, Any]:
    return {"speaker": "s", "router": "r", "direction": direction, "message": message(update, direction)}


@given(st.lists(st.tuples(UPDATES, st.sampled_from(["sent", "received"])), max_size=8))
def test_what_stands_is_the_effect_of_all(updates: list[tuple[dict[str, Any], str]]) -> None:
    record = Record("s", "r")
    for update, direction in updates:
        record.take(message(update, direction))
    spell = lambda speaker, router, address: address  # noqa: E731
    assert net_effect(record.standing(), spell) == net_effect([event(*one) for one in updates], spell)


def announce(number: int, prefixes: list[str]) -> dict[str, Any]:
    return {"attribute": {"med": number}, "announce": {"ipv4 unicast": {"fe80::2": [{"nlri": p} for p in prefixes]}}}


def test_a_new_session_has_a_new_account() -> None:
    record = Record("s", "r")
    record.take(state("up"))
    record.take(message(announce(1, PREFIXES), "sent"))
    assert record.sent(0) == {"messages": 1, "standing": 5, "fresh": 5}
    record.take(message(announce(2, PREFIXES[:2]), "sent"))
    assert record.sent(1) == {"messages": 2, "standing": 5, "fresh": 2}
    record.take(state("down"))
    assert record.sent(0) == {"messages": 0, "standing": 0, "fresh": 0}
    assert list(record.standing()) == record.updates() == []
    assert not record.established


def test_events_are_kept_up_to_a_number_and_the_rest_is_counted() -> None:
    record = Record("s", "r")
    for number in range(MOST_EVENTS + 10):
        record.take(message(announce(number, [PREFIXES[0]]), "sent", float(number)))
    assert len(record.events(0.0)) == MOST_EVENTS
    assert record.left_out(0.0) == 10
    assert record.left_out(5.0) == 5
    assert record.sent(0)["messages"] == MOST_EVENTS + 10
    assert len(record.events(float(MOST_EVENTS))) == 10
    assert record.left_out(float(MOST_EVENTS)) == 0


def test_of_a_long_update_the_first_routes_are_kept() -> None:
    record = Record("s", "r")
    prefixes = [f"10.{n}.0.0/16" for n in range(MOST_ROUTES + 6)]
    record.take(message(announce(1, prefixes), "sent"))
    (kept,) = record.events(0.0)
    assert kept["more_routes"] == 6
    assert record.sent(0)["standing"] == MOST_ROUTES + 6

"""The agent's runs of a stream as outages, ways and loops in time."""

from typing import Any

import pytest

from bgpsim.agent.protocol import LabDevice
from bgpsim.network.loss import Measured, Measurement
from bgpsim.network.state import FlowKey, Hop
from bgpsim.observe.path import Observer
from bgpsim.observe.stream import Stream, measurement

FLOW = FlowKey("host:h1", "host:h2", "10.1.0.2", "10.4.0.2")
DEVICES = {name: LabDevice(name, "router" if name[0] == "r" else "host", None) for name in ("h1", "r1", "r2", "h2")}
DEVICES["s"] = LabDevice("s", "speaker", None)
OBSERVER = Observer(DEVICES, frozenset({"clab"}), {}, {})
TRAILS = [
    {"visits": [["h1", None, "net0"], ["r1", "net0", "net1"], ["h2", "net0", None]], "looped": False},
    {"visits": [["h1", None, "net0"], ["r1", "net0", None]], "looped": False},
    {"visits": [["h1", None, "net0"], ["r1", "net0", "net1"]], "looped": False},
    {"visits": [["h1", None, "net0"], ["r1", "a", "b"], ["r2", "c", "c"], ["r1", "b", None]], "looped": True},
    {"visits": [["h1", None, "net0"], ["r1", "net0", "net1"], ["s", "tor", None]], "looped": False},
    {"visits": [["h1", None, "net0"], ["r1", "net0", "net1"], ["clab", "port0", None]], "looped": False},
]  # fmt: skip
ARRIVES, STOPS, VANISHES, LOOPS, DROPPED, EXITS = range(len(TRAILS))


def read(
    runs: list[list[Any]],
    *,
    slots: int,
    unseen: list[list[int]] | None = None,
    skipped: list[list[int]] | None = None,
    refused: list[list[Any]] | None = None,
    acted: float = 100.0,
) -> Measurement:
    """A stream whose first slot is at 100 s, one every 10 ms; the actions begin at `acted`."""
    found = {"runs": runs, "unseen": unseen or [], "unlisted": 0, "duplicates": 0, "late": 0}
    sent = {"slots": slots, "skipped": skipped or [], "refused": refused or [], "gap": 0.012, "late": [slots, 0, 0]}
    told = {"sender": sent, "watcher": {"trails": TRAILS, "pairs": [found], "lost": []}}
    return measurement(Stream((FLOW,), FLOW, 0.01, 100.0, acted), told, OBSERVER)


def of(found: Measurement) -> Measured:
    return found.pairs[FLOW]


def test_an_outage_lasts_to_the_next_packet_that_arrives() -> None:
    """20 lost packets, one every 10 ms: 200 ms; two ways of being lost are one outage."""
    found = of(
        read(
            [[0, 9, True, False, ARRIVES], [10, 14, False, False, VANISHES], [15, 29, False, False, STOPS],
             [30, 99, True, False, ARRIVES]],
            slots=100,
        )
    )  # fmt: skip
    assert (found.sent, found.received, found.lost) == (100, 80, 20)
    (outage,) = found.outages
    assert (outage.begin, outage.seconds, outage.packets) == (pytest.approx(0.1), pytest.approx(0.2), 20)
    assert outage.ended
    assert outage.at == ("vanished at r1", "stopped at r1")
    assert found.recovered
    assert [stretch.fate for stretch in found.stretches] == ["delivered", "vanished", "stopped", "delivered"]
    assert found.stretches[0].hops == (Hop("h1", None, "net0"), Hop("r1", "net0", "net1"), Hop("h2", "net0", None))


def test_what_was_sent_before_the_actions_is_not_counted() -> None:
    found = of(read([[0, 29, False, False, STOPS], [30, 49, True, False, ARRIVES]], slots=50, acted=100.195))
    assert (found.sent, found.lost) == (30, 10)
    assert (found.outages[0].begin, found.outages[0].seconds) == (pytest.approx(0.005), pytest.approx(0.1))


def test_a_slot_that_was_not_sent_is_no_loss_and_ends_nothing() -> None:
    found = of(read([[0, 49, True, False, ARRIVES]], slots=50, unseen=[[20, 24]], skipped=[[20, 24]]))
    assert (found.sent, found.lost, found.outages, len(found.stretches)) == (45, 0, (), 1)


def test_an_outage_over_slots_that_were_not_sent_has_the_time_and_not_the_packets() -> None:
    runs = [[0, 9, True, False, ARRIVES], [10, 29, False, False, STOPS], [30, 49, True, False, ARRIVES]]
    (outage,) = of(read(runs, slots=50, unseen=[[15, 19]], skipped=[[15, 19]])).outages
    assert (outage.packets, outage.seconds) == (15, pytest.approx(0.2))


def test_what_the_senders_kernel_refused_is_lost() -> None:
    found = of(read([[0, 49, True, False, ARRIVES]], slots=50, unseen=[[10, 19]], refused=[[0, 10, 14, "ENETUNREACH"]]))
    assert found.outages[0].at == ("refused", "unseen")
    assert (found.lost, found.outages[0].packets) == (10, 10)


def test_an_outage_that_does_not_end() -> None:
    found = of(read([[0, 9, True, False, ARRIVES], [10, 49, False, False, STOPS]], slots=50))
    assert not found.recovered
    assert (found.outages[0].ended, found.lost_seconds) == (False, pytest.approx(0.4))


@pytest.mark.parametrize(
    ("trail", "expired", "fate"),
    [
        (STOPS, False, "stopped"),
        (VANISHES, False, "vanished"),
        (LOOPS, False, "loop"),
        (LOOPS, True, "ttl-expired"),
        (DROPPED, False, "dropped-by-speaker"),
        (EXITS, False, "exits-network"),
    ],
)
def test_fates(trail: int, expired: bool, fate: str) -> None:
    (stretch,) = of(read([[0, 9, False, expired, trail]], slots=10)).stretches
    assert stretch.fate == fate
    assert stretch.looped is (trail == LOOPS)


def test_a_packet_that_looped_and_arrived_is_no_loss_but_a_loop() -> None:
    found = of(read([[0, 4, True, False, LOOPS], [5, 9, True, False, ARRIVES]], slots=10))
    assert found.lost == 0
    assert [stretch.looped for stretch in found.stretches] == [True, False]


def test_a_stream_that_ends_before_anything_was_sent() -> None:
    found = of(read([[0, 9, True, False, ARRIVES]], slots=10, acted=101.0))
    assert (found.sent, found.lost, found.recovered, found.stretches) == (0, 0, True, ())

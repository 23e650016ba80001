"""Answers of a traceroute held against the captured way of the same flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bgpsim.agent.protocol import LabDevice
from bgpsim.network.state import FlowKey, Forwarding, NetworkState
from bgpsim.observe.owners import owners
from bgpsim.observe.traceroute import Tracer, Verdict, counts, cross_check

ADDRESSES = {
    "h1": ("10.0.1.2",),
    "r1": ("10.0.1.1", "10.0.0.1", "fe80::1"),
    # The same loopback on both, and link-local addresses that are unique on a link only.
    "r2": ("10.0.12.1", "10.0.0.9", "fe80::1"),
    "r3": ("10.0.13.1", "10.0.0.9"),
    "h2": ("10.0.2.2",),
    "injector": (),
}
ROLES = {"h1": "host", "h2": "host", "injector": "speaker"}
DEVICES = {name: LabDevice(name, ROLES.get(name, "router"), None) for name in ADDRESSES}  # type: ignore[arg-type]
DUMPS: dict[str, Any] = {
    name: {"links": [{"ifname": "net0", "addr_info": [{"local": address} for address in of]}]}
    for name, of in ADDRESSES.items()
}
TRACER = Tracer(DEVICES, DUMPS, owners(DUMPS, []))
FLOW = FlowKey("host:h1", "host:h2", "10.0.1.2", "10.0.2.2")


def probe(*devices: str, received: str | None = None, port: int = 40000) -> dict[str, Any]:
    visits = [[device, f"from-{number}", f"to-{number}"] for number, device in enumerate(devices)]
    return {"port": port, "visits": visits, "received": received}


def verdict(*answers: str | None, flow: FlowKey = FLOW) -> Verdict:
    return TRACER.verdict(flow, probe("h1", "r1", "r2", "h2", received="h2"), answers)


@pytest.mark.parametrize(
    "answers",
    [
        ("10.0.1.1", "10.0.12.1", "10.0.2.2"),
        # Any address of the device will do, also one that another has too.
        ("10.0.0.1", "10.0.0.9", "10.0.2.2"),
        ("fe80::1", "10.0.12.1", "10.0.2.2"),
        # No way back from most of them.
        (None, "10.0.12.1", None),
    ],
)
def test_an_answer_comes_from_an_address_of_the_captured_device(answers: Sequence[str | None]) -> None:
    assert verdict(*answers) == Verdict(agrees=True)


def test_silence_is_no_answer() -> None:
    assert verdict(None, None, None) == Verdict(agrees=False)
    assert verdict("192.0.0.8", None, None) == Verdict(agrees=False)


@pytest.mark.parametrize(
    ("answers", "which"),
    [
        (("10.0.1.1", "10.0.13.1", "10.0.2.2"), "TTL 2: captures saw r2, and 10.0.13.1 answered, which is r3's"),
        (("10.0.1.1", "10.0.2.2", None), "TTL 2: captures saw r2, and 10.0.2.2 answered, which is h2's"),
        ((None, None, "203.0.113.1"), "TTL 3: captures saw h2, and 203.0.113.1 answered, which is nobody's"),
        # Two devices in the other order.
        (("10.0.12.1", "10.0.1.1", None), "TTL 1: captures saw r1, and 10.0.12.1 answered, which is r2's"),
    ],
)
def test_any_other_device_s_answer_is_a_disagreement(answers: Sequence[str | None], which: str) -> None:
    reason = f"capture and traceroute disagree: source port 40000, {which}"
    assert verdict(*answers) == Verdict(False, reason)


def test_the_target_answers_as_the_address_that_it_was_asked_as() -> None:
    """A speaker that attracts what is not its own, a translated address: whoever took the probe has the answer."""
    service = FLOW._replace(target_address="10.96.0.1")
    assert verdict(None, None, "10.96.0.1", flow=service) == Verdict(agrees=True)
    # A translated answer on the way hides who it was.
    assert verdict(None, "10.96.0.1", None, flow=service) == Verdict(agrees=False)


def test_the_far_end_of_a_management_network_and_a_speaker_that_drops_are_not_asked() -> None:
    assert TRACER.askable(probe("h1", "r1", "r2")) == ("r1", "r2")
    assert TRACER.askable(probe("h1", "r1", "clab")) == ("r1",)
    assert TRACER.askable(probe("h1", "r1", "injector")) == ("r1",)
    assert TRACER.askable(probe("h1", "r1", "injector", received="injector")) == ("r1", "injector")
    assert TRACER.askable(probe("h1")) == ()


class Answering:
    """An agent whose devices answer packets, by pair and TTL, with time exceeded (RFC 792)."""

    def __init__(self, *answers: Sequence[str | None]) -> None:
        self.answers = answers
        self.pairs: list[Mapping[str, Any]] = []

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
        assert method == "packets.trace"
        self.pairs += params["pairs"]
        return [
            [
                (address, "0b000000" + "00000000" + packet)
                for packet, address in zip(pair["packets"], of, strict=True)
                if address
            ]
            for pair, of in zip(params["pairs"], self.answers, strict=True)
        ]


def test_one_flow_of_a_pair_is_traced_as_far_as_it_was_captured() -> None:
    """The first that left its sender; a pair without one is not traced."""
    stuck = probe("h1", port=40000)
    stuck["visits"][0][2] = None
    nowhere = FLOW._replace(target_address="10.0.9.9")
    agent = Answering(["10.0.1.1", None])
    sent = {nowhere: [stuck], FLOW: [stuck, probe("h1", "r1", "r2", port=40001), probe("h1", "r1", port=40002)]}
    assert cross_check(agent, TRACER, sent) == {FLOW: Verdict(agrees=True)}
    (pair,) = agent.pairs
    packets = [bytes.fromhex(packet) for packet in pair["packets"]]
    ends = {"device": "h1", "source": "10.0.1.2", "target": "10.0.2.2", "egress": "to-0"}
    assert pair == {**ends, "token": packets[0][28:].hex(), "packets": [packet.hex() for packet in packets]}
    assert [(packet[8], int.from_bytes(packet[20:22], "big")) for packet in packets] == [(1, 40001), (2, 40001)]
    assert cross_check(Answering(), TRACER, {nowhere: [stuck]}) == {}


def test_pairs_are_counted_by_what_was_said() -> None:
    def forwarding(word: Any) -> Forwarding:
        return Forwarding("delivered", (), traceroute=word)

    words = ["agrees", "agrees", "silent", None]
    state = NetworkState(
        forwarding={FLOW._replace(target=str(number)): forwarding(word) for number, word in enumerate(words)},
        not_observed={"path": {FLOW.pair: "capture and traceroute disagree: …"}},
    )
    assert counts(state) == {"pairs": 4, "agree": 2, "silent": 1}
    assert counts(NetworkState()) == {"pairs": 0, "agree": 0, "silent": 0}

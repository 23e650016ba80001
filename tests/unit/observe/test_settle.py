"""Which sessions are sure to change by themselves: hand-made ends, no lab."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bgpsim.agent.protocol import LabDevice
from bgpsim.observe.owners import owners
from bgpsim.observe.settle import HOLD_MARGIN, End, _end, _Reaches, _speaker_end, still_to_change, wait_settled

LINK = frozenset({("a", "net0"), ("b", "net0")})


def end(device: str, far: str | None, neighbor: str = "net0", **changes: object) -> End:
    made = End(
        device,
        neighbor,
        state="Active",
        established=False,
        queued=False,
        shut=False,
        opens=0,
        retry=10.0,
        hold=9.0,
        connected_only=False,
        ttl=255,
        far=far,
        link=LINK,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def waiting(
    *ends: End, elapsed: float = 2.0, opens: int = 0, reaches: Callable[[End], bool] = lambda _: True
) -> tuple[str, ...]:
    return still_to_change(ends, reaches, {e.key: opens for e in ends}, elapsed)


UP = {"established": True, "state": "Established"}


def test_both_ends_up_is_at_rest() -> None:
    assert waiting(end("a", "b", **UP), end("b", "a", **UP)) == ()


def test_two_live_ends_that_reach_each_other_may_come_up() -> None:
    assert waiting(end("a", "b"), end("b", "a")) == (
        "a net0 is Active and may come up",
        "b net0 is Active and may come up",
    )


def test_no_process_or_no_neighbor_at_the_far_end_is_at_rest() -> None:
    assert waiting(end("a", "b")) == ()
    assert waiting(end("a", None)) == ()
    assert waiting(end("a", "b"), end("b", "c", link=None)) == ()


def test_a_neighbor_that_is_shut_down_is_at_rest() -> None:
    assert waiting(end("a", "b", shut=True), end("b", "a")) == ()


def test_no_way_there_or_none_back_is_at_rest() -> None:
    assert waiting(end("a", "b"), end("b", "a"), reaches=lambda e: e.device != "b") == ()


@pytest.mark.parametrize(("tried", "rests"), [(1, False), (2, True)])
def test_two_failed_attempts_are_enough(tried: int, rests: bool) -> None:
    """A wrong AS number, say: each attempt ends in a NOTIFICATION. Only those since the last event count."""
    found = waiting(end("a", "b", opens=5 + tried), end("b", "a", opens=5), opens=5)
    assert (found == ()) is rests


@pytest.mark.parametrize(("elapsed", "rests"), [(19.9, False), (20.1, True)])
def test_attempts_that_never_connect_are_counted_by_their_timer(elapsed: float, rests: bool) -> None:
    """A wrong MD5 password, say: no connection, no OPEN. Two connect-retry times, of the end that dials sooner."""
    found = waiting(end("a", "b"), end("b", "a", retry=120.0), elapsed=elapsed)
    assert (found == ()) is rests


@pytest.mark.parametrize(("elapsed", "rests"), [(9.0 + HOLD_MARGIN - 0.1, False), (9.0 + HOLD_MARGIN + 0.1, True)])
def test_a_session_that_stands_at_one_end_waits_for_its_hold_time(elapsed: float, rests: bool) -> None:
    for others in ((), (end("b", "a"),)):
        found = waiting(end("a", "b", **UP), *others, elapsed=elapsed)
        assert ("a net0 waits for its hold time" not in found) is rests


def test_a_session_whose_way_is_gone_waits_for_its_hold_time() -> None:
    found = waiting(end("a", "b", **UP), end("b", "a", **UP), reaches=lambda e: e.device != "a")
    assert found == ("a net0 waits for its hold time",)


def test_queued_messages_are_no_rest() -> None:
    assert waiting(end("a", "b", queued=True, **UP), end("b", "a", **UP)) == ("a net0 has messages queued",)


def test_parallel_links_are_told_apart() -> None:
    other = frozenset({("a", "net1"), ("b", "net1")})
    up = [end("a", "b", **UP), end("b", "a", **UP)]
    down = [end("a", "b", "net1", link=other), end("b", "a", "net1", link=other)]
    assert waiting(*up, *down) == ("a net1 is Active and may come up", "b net1 is Active and may come up")


KERNEL, STATIC = 3, 196


class Kernels:
    """node -- tor -- far, with the loopback of tor and an address of far behind routes of that protocol."""

    def __init__(self, protocol: int) -> None:
        self.protocol = protocol

    def call(self, method: str, queries: Sequence[dict[str, str]] = (), **_: object) -> Any:
        if method == "netlink.installed_by":
            return self.protocol
        assert method == "netlink.lookup"
        ((device, target),) = [(q["device"], q["target"]) for q in queries]
        if (device, target) in (("tor", "10.0.0.1"), ("far", "10.0.2.2")):
            return [{"kind": "local"}]
        if device == "node":
            return [{"kind": "unicast", "interface": "net0", "via": "10.0.1.1"}]
        return [{"kind": "unicast", "interface": "net1", "via": None}]


@pytest.mark.parametrize(
    ("target", "far", "changes", "protocol", "arrives"),
    [
        ("10.0.0.1", "tor", {"ttl": 1}, KERNEL, True),
        ("10.0.0.1", "tor", {"ttl": 1, "connected_only": True}, KERNEL, False),
        ("10.0.0.1", "tor", {"ttl": 1, "connected_only": True}, STATIC, True),
        ("10.0.2.2", "far", {"ttl": 1}, KERNEL, False),
        ("10.0.2.2", "far", {"ttl": 2}, KERNEL, True),
    ],
)
def test_how_far_packets_get(target: str, far: str, changes: dict[str, object], protocol: int, arrives: bool) -> None:
    """GoBGP's external session to a loopback of the next router comes up with TTL 1; FRR does not even try, unless a
    static route of its own leads there."""
    addresses = {"tor": {"net0": ["10.0.1.1"], "lo": ["10.0.0.1"]}, "far": {"net0": ["10.0.2.2"]}, "node": {}}
    known = owners(
        {
            name: {"links": [{"ifname": i, "addr_info": [{"local": a} for a in of]} for i, of in interfaces.items()]}
            for name, interfaces in addresses.items()
        },
        [],
    )
    carrier = frozenset({("node", "net0"), ("tor", "net1")})
    reaches = _Reaches(Kernels(protocol), known, carrier, {}).reaches  # type: ignore[arg-type]
    assert reaches(end("node", far, target, link=None, **changes)) is arrives


@pytest.mark.parametrize(("program", "elapsed", "waits"), [("gobgpd", 20.0, True), ("gobgpd", 30.0, False)])
def test_a_speaker_s_session_waits_for_the_speaker_to_dial(program: str, elapsed: float, waits: bool) -> None:
    """FRR never dials a link-local address, however short its own timer."""
    known = owners(
        {
            "b0": {"links": [], "addresses": []},
            "injector": {"links": [], "addresses": []},
        },
        [("b0", "x-injector", "injector", "b0")],
    )
    told = {"word": "Active", "established": False, "queued": False, "shut": False}
    told |= {"opens": 0, "retry": 1.0, "interval": 0.0, "hold": 9.0, "external": True, "hops": 1}
    router = replace(_end("b0", True, "fe80::2", told, known), far="injector", link=LINK)
    alive = {"speaker": "injector", "router": "b0", "program": program, "established": False, "alive": True}
    speaker = replace(_speaker_end(alive, known), link=LINK)
    assert bool(waiting(router, speaker, elapsed=elapsed)) is waits
    # An unnumbered neighbor it does dial.
    assert _end("b0", True, "net0", told, known).retry == 1.0


class SilentLab:
    """Two routers whose link went silent at 0 s; each keeps its session up for the hold time. Its clock is its own."""

    def __init__(self, hold: float) -> None:
        self.hold, self.now = hold, 0.0

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
        match method:
            case "impairments.list":
                plain = {"means": None, "silent": True, "delay": 250_000, "jitter": 0, "loss": 0.0, "rate": 0}
                return [{"device": name, "interface": "net0", **plain} for name in ("a", "b")]
            case "activity.wait":
                before, self.now = self.now < self.hold, self.now + min(params["quiet"], params["limit"])
                up = self.now < self.hold
                told = {"word": "Established" if up else "Idle", "established": up, "queued": False, "shut": False}
                told |= {"opens": 1, "retry": 10.0, "interval": 0.0, "hold": self.hold, "external": True, "hops": 255}
                return {
                    "quiet": params["limit"] >= params["quiet"],
                    "moved": up != before,
                    "still": min(params["quiet"], params["limit"]),
                    "last": "a: BGP" if up != before else None,
                    "mark": str(up),
                    "sessions": {name: {"net0": told} for name in ("a", "b")},
                }
            case "netlink.dump":
                return {name: {"links": [{"ifname": "net0", "flags": ["UP", "LOWER_UP"]}]} for name in ("a", "b")}
            case "frr.show":
                return {name: [""] for name in ("a", "b")}
        assert method == "nodes.links"
        return [("a", "net0", "b", "net0")]


@pytest.mark.parametrize("hold", [9.0, 180.0])
def test_a_silent_link_is_waited_for_until_its_hold_time_is_over(hold: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ends have carrier and stand; the longest usual wait is shorter than 180 s."""
    lab = SilentLab(hold)
    monkeypatch.setattr("bgpsim.observe.settle.time.monotonic", lambda: lab.now)
    devices = {name: LabDevice(name, "router", "frr") for name in ("a", "b")}
    settled = wait_settled(lab, devices, quiet=1.5, timeout=90.0)
    assert settled.how == "quiet"
    assert settled.quiet == 2.5
    assert hold <= settled.seconds < hold + 6

"""What a reader is told first: one difference per cause, and where it begins."""

from __future__ import annotations

from typing import Any

from bgpsim.report.differences import gathered
from bgpsim.report.document import MismatchGroupPart, MismatchPart


def mismatch(plane: Any, kind: Any, device: str, peer: str | None, prefix: str | None = None, field: str | None = None):  # type: ignore[no-untyped-def]
    return MismatchPart(
        plane=plane,
        kind=kind,
        device=device,
        peer=peer,
        family=None,
        prefix=prefix,
        field=field,
        predicted="p",
        observed="o",
        because=[],
    )


P = "10.1.3.0/24"


def test_a_route_that_is_not_passed_on_begins_where_it_still_is() -> None:
    """tor1 has it as predicted (no mismatch of a path of its own there) and does not send it."""
    (found,) = gathered(
        [
            mismatch("bgp", "missing", "router0", "net1", P),
            mismatch("bgp", "missing", "router0", "to net0", P),
            mismatch("bgp", "missing", "tor0", "net0", P),
            mismatch("bgp", "missing", "tor1", "to net0", P),
            mismatch("fib", "missing", "tor0", "metric 20", P),
        ]
    )
    assert found.title == f"route {P}: bgp missing at tor1, to net0"
    assert found.elsewhere() == "bgp missing: router0 (net1, to net0), tor0 (net0); fib missing: tor0"


def test_a_route_that_is_not_put_in_begins_at_its_origin() -> None:
    (found,) = gathered(
        [
            mismatch("bgp", "missing", "router0", "net1", P),
            mismatch("bgp", "missing", "tor1", "local", P),
            mismatch("bgp", "missing", "tor1", "to net0", P),
        ]
    )
    assert (found.first.device, found.first.peer) == ("tor1", "local")


def test_a_route_that_only_the_kernel_has_otherwise_begins_in_that_kernel() -> None:
    (found,) = gathered([mismatch("fib", "differs", "tor0", "metric 20", P, "kind")])
    assert found.title == f"route {P}: fib differs (kind) at tor0, metric 20"
    assert found.others == ()


def test_pairs_come_first_then_sessions_then_routes_then_counters() -> None:
    found = gathered(
        [
            mismatch("bgp", "differs", "tor0", "net0", None, "ipv4-unicast accepted"),
            mismatch("bgp", "differs", "tor0", "net0", None, "ipv4-unicast sent"),
            mismatch("bgp", "missing", "tor0", "net0", P),
            mismatch("bgp", "differs", "tor1", "net0", None, "state"),
            mismatch("path", "differs", "pod:a", "pod:b", "10.1.3.2", "path"),
        ]
    )
    assert [d.title for d in found] == [
        "path pod:a → pod:b",
        "session: bgp differs (state) at tor1, net0",
        f"route {P}: bgp missing at tor0, net0",
        "prefix counters: bgp differs (ipv4-unicast accepted) at tor0, net0",
    ]


def test_the_routes_of_a_session_that_is_down_belong_to_it() -> None:
    found = gathered(
        [
            mismatch("bgp", "differs", "tor1", "10.0.3.2", None, "state"),
            mismatch("bgp", "missing", "tor1", "to 10.0.3.2", P),
            mismatch("bgp", "missing", "tor1", "10.0.3.2", "10.1.2.0/24"),
            mismatch("bgp", "missing", "tor1", "to 10.0.4.2", "10.1.2.0/24"),
            mismatch("wire", "missing", "tor1", "sent 10.0.3.2", P),
        ]
    )
    assert [(d.title, len(d.others)) for d in found] == [
        ("session: bgp differs (state) at tor1, 10.0.3.2", 3),
        ("route 10.1.2.0/24: bgp missing at tor1, to 10.0.4.2", 0),
    ]


def test_nothing_is_left_out() -> None:
    every = [
        mismatch("bgp", "missing", "a", "to x", P),
        mismatch("bgp", "missing", "b", "x", P),
        mismatch("wire", "unexpected", "s", "received a", P),
        mismatch("bgp", "unexpected", "c", "x", "10.0.0.0/8"),
        mismatch("path", "missing", "pod:a", "pod:b", "10.1.3.2"),
    ]
    told = [m for d in gathered(every) for m in (d.first, *d.others)]
    assert sorted(map(str, told)) == sorted(map(str, every))


def test_routes_of_a_group_are_one_difference() -> None:
    def of(prefix: str) -> list[MismatchPart]:
        return [mismatch("bgp", "missing", "tor1", "to net0", prefix), mismatch("fib", "missing", "tor0", None, prefix)]

    group = MismatchGroupPart(
        routes=5000, examples=["10.1.0.0/24", "10.1.1.0/24"], count=10000, first=of("10.1.0.0/24")
    )
    other = [mismatch("bgp", "missing", "tor1", "to net0", "10.9.0.0/24")]
    found = gathered([*of("10.1.0.0/24"), *of("10.1.1.0/24"), *other], [group])
    assert [d.title for d in found] == [
        "route 10.1.0.0/24 and 4999 more: bgp missing at tor1, to net0",
        "route 10.9.0.0/24: bgp missing at tor1, to net0",
    ]


def test_a_session_counts_its_routes_that_are_not_listed() -> None:
    state = mismatch("bgp", "differs", "tor1", "net0", field="state")
    first = [mismatch("bgp", "missing", "tor1", "net0", "10.1.0.0/24")]
    group = MismatchGroupPart(routes=5000, examples=["10.1.0.0/24"], count=5000, first=first)
    (session,) = gathered([state, *first], [group])
    assert (session.about, len(session.others), session.not_listed) == ("session", 1, 4999)

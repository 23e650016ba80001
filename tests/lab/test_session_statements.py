"""Statements about sessions on real routers: which sessions come up, and whole tables, as predicted."""

from __future__ import annotations

from pathlib import Path

import pytest
from session_cases import CASES, REFUSED, topo
from variants import Step, Variant, all_agree, router, session, topology, why_down

pytestmark = pytest.mark.lab

REQ = "no bgp ebgp-requires-policy\n"


def as_said(steps: list[Step]) -> None:
    """Whether each session stands, seen from the end that has a neighbor configured."""
    rows = {row["device"]: row["observed"]["state"] for row in steps[0]["sessions"]}
    assert {c.name: rows[f"{c.name}-b"] for c in CASES} == {c.name: "Established" if c.up else "Down" for c in CASES}


def all_up(steps: list[Step]) -> None:
    assert all(row["observed"]["state"] == "Established" for row in steps[0]["sessions"])


def far_apart(steps: list[Step]) -> None:
    """x1 and x3 are two links apart, and ttl-security hops 1 drops what crossed both; x3 is in x2's listen range.

    Of l2's three prefixes l1 takes one; it stays down until the limit is taken away. m1 has three when the limit of two
    is typed, and may have them again under one of three. After `no bgp shutdown` x1 connects to nobody by itself.
    """
    first, typed, shut, back = steps
    for one, other in (("x1", "10.250.0.2"), ("x1", "10.250.0.3"), ("x3", "2001:db8:250:23::2")):
        assert session(first, one, other)[0] == "Established"
    assert session(first, "x2", "2001:db8:250:23::3")[0] == "Established"
    assert session(first, "x1", "10.250.23.3")[0] == session(first, "x3", "10.250.12.1")[0] == "Down"
    states = [(session(s, "l1", "10.249.12.2")[0], session(s, "m1", "10.248.12.2")[0]) for s in steps]
    up, down = "Established", "Down"
    assert states == [(down, up), (up, down), (down, down), (up, up)]
    assert why_down(typed, "m1", "10.248.12.2") == "more prefixes came than maximum-prefix allows"
    assert why_down(shut, "x1", "10.250.0.2") == "all sessions are shut down here"
    assert session(back, "x1", "10.250.0.2")[0] == "Established"


def by_loopback(peer: str, asn: int, said: str) -> str:
    return f"neighbor {peer} remote-as {asn}\n" + "".join(
        f"neighbor {peer} {words}\n" for words in ("update-source lo", "timers connect 2", said)
    )


def on_link(peer: str, asn: int, *said: str) -> str:
    return f"neighbor {peer} remote-as {asn}\n" + "".join(
        f"neighbor {peer} {words}\n" for words in ("timers connect 2", *said)
    )


CHAIN = topology(
    [
        router(
            "x1",
            65101,
            {"lo": "10.250.0.1/32", "a": "10.250.12.1/24"},
            REQ
            + by_loopback("10.250.0.2", 65102, "disable-connected-check")
            + by_loopback("10.250.0.3", 65103, "ttl-security hops 2")
            + on_link("10.250.23.3", 65103, "ttl-security hops 1")
            + "network 10.250.0.1/32",
            first="ip route add 10.250.0.2/32 via 10.250.12.2\nip route add 10.250.0.3/32 via 10.250.12.2\n"
            "ip route add 10.250.23.0/24 via 10.250.12.2",
        ),
        router(
            "x2",
            65102,
            {"lo": "10.250.0.2/32", "a": "10.250.12.2/24", "b": "10.250.23.2/24"},
            REQ
            + "bgp disable-ebgp-connected-route-check\n"
            + by_loopback("10.250.0.1", 65101, "disable-connected-check")
            + "neighbor V peer-group\nneighbor V remote-as external\n"
            "bgp listen range 2001:db8:250::/48 peer-group V\nnetwork 10.250.0.2/32\n"
            "address-family ipv6 unicast\nneighbor V activate\nnetwork 2001:db8:250:23::/64\nexit-address-family",
            first="ip -6 addr add 2001:db8:250:23::2/64 dev b nodad\n"
            "ip route add 10.250.0.1/32 via 10.250.12.1\nip route add 10.250.0.3/32 via 10.250.23.3",
        ),
        router(
            "x3",
            65103,
            {"lo": "10.250.0.3/32", "b": "10.250.23.3/24"},
            REQ
            + by_loopback("10.250.0.1", 65101, "ttl-security hops 2")
            + on_link("10.250.12.1", 65101, "ttl-security hops 1")
            + on_link("2001:db8:250:23::2", 65102)
            + "network 10.250.0.3/32\naddress-family ipv6 unicast\nneighbor 2001:db8:250:23::2 activate\n"
            "network 2001:db8:250:33::/64\nexit-address-family",
            first="ip -6 addr add 2001:db8:250:23::3/64 dev b nodad\nip -6 addr add 2001:db8:250:33::1/64 dev lo\n"
            "ip route add 10.250.0.1/32 via 10.250.23.2\nip route add 10.250.0.2/32 via 10.250.23.2\n"
            "ip route add 10.250.12.0/24 via 10.250.23.2",
        ),
        *(
            router(
                f"{name}1",
                65001,
                {"lo": f"10.{net}.0.1/32", "n": f"10.{net}.12.1/24"},
                REQ + f"network 10.{net}.0.1/32\n" + on_link(f"10.{net}.12.2", 65002, *said),
            )
            for name, net, said in (("l", 249, ("maximum-prefix 1",)), ("m", 248, ()))
        ),
        *(
            router(
                f"{name}2",
                65002,
                {"lo": f"10.{net}.0.2/32", "n": f"10.{net}.12.2/24"},
                REQ + "redistribute connected\n" + on_link(f"10.{net}.12.1", 65001),
                first=f"ip addr add 10.{net}.1.2/32 dev lo",
            )
            for name, net in (("l", 249), ("m", 248))
        ),
    ],
    *(("x1:a", "x2:a"), ("x2:b", "x3:b"), ("l1:n", "l2:n"), ("m1:n", "m2:n")),
)
L1, M1, X1 = 'l1: ["router bgp 65001", ', 'm1: ["router bgp 65001", ', 'x1: ["router bgp 65101", '

VARIANTS = {
    "pairs": Variant(topo(CASES), ["name: only"], as_said),
    "refused": Variant(
        topo(REFUSED),
        ["name: only"],
        all_up,
        lab="{topology: topo.yml, allow-refused: true}",
        open=("neighbor 10.0.", "bgp listen range", "the session with 10.0.5.2 has one prefix more"),
    ),
    "far apart": Variant(
        CHAIN,
        [
            "name: first",
            f'name: typed, configure: {{{L1}"no neighbor 10.249.12.2 maximum-prefix"], '
            f'{M1}"neighbor 10.248.12.2 maximum-prefix 2"]}}',
            f'name: shut, configure: {{{L1}"neighbor 10.249.12.2 shutdown"], '
            f'{M1}"neighbor 10.248.12.2 shutdown"], {X1}"bgp shutdown"]}}',
            f'name: back, configure: {{{L1}"no neighbor 10.249.12.2 shutdown"], '
            f'{M1}"neighbor 10.248.12.2 maximum-prefix 3", "no neighbor 10.248.12.2 shutdown"], '
            f'{X1}"no bgp shutdown"]}}',
        ],
        far_apart,
        open=("no bgp shutdown",),
    ),
}


def test_prediction_and_routers_agree(tmp_path: Path) -> None:
    all_agree(VARIANTS, tmp_path)

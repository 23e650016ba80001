"""A ring of routers, each an AS of its own with a host behind it."""

from __future__ import annotations

from ipaddress import IPv4Address

from bgpsim.generate.fabric import MOST_NODES, Fabric, Place, wired

FEWEST, MOST = 3, MOST_NODES // 2
_FIRST_AS = 65001
_LOOPBACKS = IPv4Address("10.0.0.0")


def ring(count: int) -> Fabric:
    """`count` routers, FEWEST to MOST: router1 is cabled to router2, …, the last one to router1."""
    digits = len(str(count))
    numbers = range(1, count + 1)
    name = {number: f"router{number:0{digits}}" for number in numbers}
    places = {
        name[number]: Place(_FIRST_AS + number - 1, _LOOPBACKS + number, f"host{number:0{digits}}")
        for number in numbers
    }
    links = [(name[number], name[number % count + 1]) for number in numbers]
    about = (
        f"A ring of {count} FRR routers, AS {_FIRST_AS} to {_FIRST_AS + count - 1}, with a host behind each.",
        "Sessions are unnumbered: they run over link-local addresses. Whatever link is lost, there is another way.",
    )
    return wired(f"ring-{count}", about, places, links)

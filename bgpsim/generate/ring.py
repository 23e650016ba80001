"""A ring of routers, each an AS of its own, with hosts behind some."""

from __future__ import annotations

from ipaddress import IPv4Address

from bgpsim.generate.fabric import Fabric, Place, wired

FEWEST, MOST = 3, 150
MOST_HOSTS = 12
"""Packets are followed between every two hosts: with sixty there would be 3,540 pairs."""
_FIRST_AS = 65001
_LOOPBACKS = IPv4Address("10.0.0.0")


def ring(count: int) -> Fabric:
    """`count` routers, FEWEST to MOST: router1 is cabled to router2, …, the last one to router1.

    A host stands behind each of them, or behind every second, third … where that would be more than MOST_HOSTS.
    """
    digits = len(str(count))
    every = -(-count // MOST_HOSTS)
    numbers = range(1, count + 1)
    name = {number: f"router{number:0{digits}}" for number in numbers}
    host = {number: f"host{number:0{digits}}" for number in numbers[::every]}
    places = {name[n]: Place(_FIRST_AS + n - 1, _LOOPBACKS + n, host.get(n)) for n in numbers}
    links = [(name[number], name[number % count + 1]) for number in numbers]
    with_host = "each" if every == 1 else f"every {every}{'nd' if every == 2 else 'rd' if every == 3 else 'th'} one"
    about = (
        f"A ring of {count} FRR routers, AS {_FIRST_AS} to {_FIRST_AS + count - 1}, with a host behind {with_host}.",
        "Sessions are unnumbered: they run over link-local addresses. Whatever link is lost, there is another way.",
    )
    return wired(f"ring-{count}", about, places, links)

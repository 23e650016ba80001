"""A fat-tree of k-port switches (Al-Fares et al., SIGCOMM 2008), its AS numbers as RFC 7938 section 5.2.1 has them."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from bgpsim.generate.fabric import Fabric, Place, wired

SIZES = (4, 6, 8)
_CORE_AS = 65000
_POD_AS = 65100
_EDGE_AS = 65201
"""One AS for all of tier 1, one for each pod's tier 2, one for each switch of tier 3."""
_CORES, _AGGREGATIONS, _EDGES = (IPv4Address(f"10.0.{tier}.0") for tier in (1, 2, 3))


def fat_tree(k: int) -> Fabric:
    """k of SIZES: (k/2)² cores, and k pods of k/2 aggregation and k/2 edge switches; a host behind each edge switch."""
    half = k // 2
    places = {core: Place(_CORE_AS, _CORES + number + 1) for number, core in enumerate(_cores(half))}
    for pod in range(k):
        for number in range(half):
            place = Place(_POD_AS + pod, _AGGREGATIONS + pod * half + number + 1)
            places[f"agg{pod}-{number}"] = place
        for number in range(half):
            nth = pod * half + number
            places[f"edge{pod}-{number}"] = Place(_EDGE_AS + nth, _EDGES + nth + 1, f"host{pod}-{number}")
    about = (
        f"A fat-tree of {k}-port switches, all FRR: {half * half} cores, {k} pods of {half} aggregation and {half}",
        f"edge switches, a host behind each edge switch. ASes as in RFC 7938: the cores are AS {_CORE_AS}, the",
        f"aggregation switches of pod 0 AS {_POD_AS}, of pod 1 AS {_POD_AS + 1} …, each edge switch has its own, from",
        f"{_EDGE_AS} on.",
        "Sessions are unnumbered: they run over link-local addresses.",
    )
    return wired(f"fat-tree-{k}", about, places, list(_links(k)))


def _cores(half: int) -> list[str]:
    return [f"core{number}" for number in range(half * half)]


def _links(k: int) -> Iterator[tuple[str, str]]:
    """Aggregation switch n of every pod goes to the cores n·k/2 … n·k/2 + k/2 - 1, and to all edges of its pod."""
    half = k // 2
    for pod in range(k):
        for number in range(half):
            for core in _cores(half)[number * half : (number + 1) * half]:
                yield core, f"agg{pod}-{number}"
            for edge in range(half):
                yield f"agg{pod}-{number}", f"edge{pod}-{edge}"

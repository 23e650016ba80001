"""Statements that a router may have: a family of statements -> how likely it is, and a function that draws its lines.

A new family is one function and one row of `DRAWS`. What makes the instance stands in `BEGINNINGS`, drawn before there
is any neighbor; what makes sessions in `sessions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from random import Random
from typing import TypeAlias

from bgpsim.fuzz.draft import Draft
from bgpsim.fuzz.sketch import Section
from bgpsim.network.types import Prefix

Drawn: TypeAlias = Iterator[tuple[Section, str]]
_OTHERS4 = [IPv4Network(f"10.9.{n}.0/24") for n in range(8)] + [IPv4Network("10.9.0.0/16"), IPv4Network("0.0.0.0/0")]
_OTHERS6 = [IPv6Network(f"fd00:9:{n}::/48") for n in range(4)] + [IPv6Network("fd00:9::/32")]


@dataclass(frozen=True, slots=True)
class Draw:
    likely: float
    lines: Callable[[Random, Draft], Drawn]
    typed: bool = True
    """It may be typed on a running router too, and taken back by its `no` form."""


def _router_id(random: Random, draft: Draft) -> Drawn:
    yield (
        "bgp",
        f"bgp router-id {random.choice((str(draft.loopback), f'10.255.{random.randint(0, 255)}.{draft.number}'))}",
    )


def _policy(random: Random, draft: Draft) -> Drawn:
    if not draft.datacenter:
        yield "bgp", "no bgp ebgp-requires-policy"


def _policy_wanted(random: Random, draft: Draft) -> Drawn:
    if draft.datacenter:
        yield "bgp", "bgp ebgp-requires-policy"


def _no_ipv4(random: Random, draft: Draft) -> Drawn:
    draft.born_ipv4 = False
    yield "bgp", "no bgp default ipv4-unicast"


def _always(text: str) -> Callable[[Random, Draft], Drawn]:
    def draw(random: Random, draft: Draft) -> Drawn:
        yield "bgp", text

    return draw


def _timers(random: Random, draft: Draft) -> Drawn:
    yield "bgp", f"timers bgp {random.choice(('3 9', '3 9', '2 9', '3 12'))}"


def _deterministic(random: Random, draft: Draft) -> Drawn:
    yield "bgp", f"{'no ' if draft.datacenter else ''}bgp deterministic-med"


def _redistribute(protocol: str, likely6: float) -> Callable[[Random, Draft], Drawn]:
    def draw(random: Random, draft: Draft) -> Drawn:
        yield "ipv4", f"redistribute {protocol}"
        if draft.ipv6 and random.random() < likely6:
            yield "ipv6", f"redistribute {protocol}"

    return draw


def _network(random: Random, draft: Draft) -> Drawn:
    """One of its own, one that it has a static route for, or one that it does not have."""
    choices = [*draft.prefixes, *draft.statics, random.choice(_OTHERS4)]
    for prefix in random.sample(choices, k=min(len(choices), random.randint(1, 2))):
        yield ("ipv4" if prefix.version == 4 else "ipv6"), f"network {prefix}"


def _default_originate(random: Random, draft: Draft) -> Drawn:
    for peer in random.sample(draft.peers, k=min(1, len(draft.peers))):
        yield random.choice(peer.families), f"neighbor {peer.name} default-originate"


def _next_hop_self(random: Random, draft: Draft) -> Drawn:
    internal = [peer for peer in draft.peers if peer.internal] or draft.peers
    for peer in internal[: random.randint(1, 3)]:
        yield peer.families[0], f"neighbor {peer.name} next-hop-self"


def _free(draft: Draft, others: list[Prefix]) -> list[Prefix]:
    return [prefix for prefix in others if prefix not in draft.statics]


def _static(random: Random, draft: Draft) -> Drawn:
    """To nowhere, to a neighbor on a link, or out of an interface."""
    ports = [port for port in draft.ports if port.other]
    prefix = random.choice(_free(draft, [*_OTHERS4, *(_OTHERS6 if draft.ipv6 else ())]))
    version = prefix.version
    word = "ip" if version == 4 else "ipv6"
    gateways = [port.other[version] for port in ports if version in port.other]
    to = "blackhole"
    if gateways and random.random() < 0.6:
        to = str(random.choice(gateways))
    draft.statics.append(prefix)
    yield "config", f"{word} route {prefix} {to}"


def _multihop_static(random: Random, draft: Draft) -> Drawn:
    """Two next hops of one prefix."""
    gateways = [str(port.other[4]) for port in draft.ports if 4 in port.other]
    if len(gateways) > 1:
        prefix = random.choice(_free(draft, list(_OTHERS4)))
        draft.statics.append(prefix)
        for gateway in random.sample(gateways, k=2):
            yield "config", f"ip route {prefix} {gateway}"


BEGINNINGS: Mapping[str, Draw] = {
    "bgp router-id": Draw(0.8, _router_id, typed=False),
    "no bgp ebgp-requires-policy": Draw(0.95, _policy, typed=False),
    "bgp ebgp-requires-policy": Draw(0.03, _policy_wanted, typed=False),
    "no bgp default ipv4-unicast": Draw(0.2, _no_ipv4, typed=False),
    "bgp default ipv6-unicast": Draw(0.06, _always("bgp default ipv6-unicast"), typed=False),
    "bgp log-neighbor-changes": Draw(0.05, _always("bgp log-neighbor-changes"), typed=False),
}
DRAWS: Mapping[str, Draw] = {
    "bgp bestpath as-path multipath-relax": Draw(0.4, _always("bgp bestpath as-path multipath-relax")),
    "bgp bestpath compare-routerid": Draw(0.6, _always("bgp bestpath compare-routerid")),
    "bgp always-compare-med": Draw(0.25, _always("bgp always-compare-med")),
    "bgp deterministic-med": Draw(0.25, _deterministic),
    "timers bgp": Draw(0.1, _timers, typed=False),
    "ip route": Draw(0.35, _static),
    "ip route, several next hops": Draw(0.1, _multihop_static),
    "redistribute connected": Draw(0.7, _redistribute("connected", 0.8)),
    "redistribute static": Draw(0.3, _redistribute("static", 0.7)),
    "redistribute kernel": Draw(0.15, _redistribute("kernel", 0.5)),
    "network": Draw(0.35, _network),
    "default-originate": Draw(0.08, _default_originate),
    "next-hop-self": Draw(0.15, _next_hop_self),
}


def begin(random: Random, draft: Draft) -> None:
    """The instance, before there is any neighbor."""
    draft.datacenter = random.random() < 0.6
    if draft.datacenter or random.random() < 0.3:
        draft.add("config", f"frr defaults {'datacenter' if draft.datacenter else 'traditional'}", "frr defaults")
    _put(random, draft, BEGINNINGS)
    if not draft.datacenter:
        # A hold time of three minutes is longer than anybody waits for.
        draft.add("bgp", f"timers bgp {random.choice(('3 9', '3 9', '2 9', '3 12'))}", "timers bgp")


def finish(random: Random, draft: Draft) -> None:
    _put(random, draft, DRAWS)


def _put(random: Random, draft: Draft, draws: Mapping[str, Draw]) -> None:
    for statement, draw in draws.items():
        if random.random() < draw.likely:
            for section, text in draw.lines(random, draft):
                draft.add(section, text, statement)

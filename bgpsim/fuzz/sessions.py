"""How two routers with a link between them come to speak BGP: addresses, and the lines at both ends.

Mostly both ends agree; now and then they do not, and the session is down or carries one family less.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network
from random import Random
from typing import Literal

from bgpsim.fuzz.draft import Draft, Peer, Port
from bgpsim.network.types import Prefix

_LINKS4, _LINKS6 = IPv4Network("10.1.0.0/16"), IPv6Network("fd00:1::/48")
Kind = Literal["unnumbered", "ipv4", "ipv6", "both", "loopback", "bare"]
_KINDS: Mapping[Kind, float] = {"unnumbered": 7, "ipv4": 5, "ipv6": 3, "both": 2, "loopback": 3, "bare": 1}


def draw_link(random: Random, number: int, a: Draft, b: Draft) -> tuple[str, str]:
    """Cable two routers and configure what they speak over it; returns the names of both interfaces."""
    kind = random.choices(list(_KINDS), list(_KINDS.values()))[0]
    near, far = f"net{len(a.ports)}", f"net{len(b.ports)}"
    ports = _addressed(random, number, kind, (a, near), (b, far))
    a.ports.append(ports[0])
    b.ports.append(ports[1])
    if kind != "bare":
        _SESSIONS[kind](random, a, b, *ports)
    return near, far


def _addressed(random: Random, number: int, kind: Kind, a: tuple[Draft, str], b: tuple[Draft, str]) -> list[Port]:
    networks: list[Prefix] = []
    if kind in ("ipv4", "both", "loopback", "bare") or random.random() < 0.2:
        block = list(_LINKS4.subnets(new_prefix=24))[number]
        networks.append(next(block.subnets(new_prefix=random.choice((30, 30, 31, 24)))))
    if kind in ("ipv6", "both") or (a[0].ipv6 and b[0].ipv6 and random.random() < 0.5):
        networks.append(IPv6Network((int(_LINKS6.network_address) + (number << 64), 64)))
    ends: list[dict[int, object]] = [{}, {}]
    for network in networks:
        first = 0 if network.prefixlen == 31 else 1
        for (draft, interface), end, offset in zip((a, b), ends, (first, first + 1), strict=True):
            end[network.version] = network[offset]
            draft.commands.append(f"ip addr add {network[offset]}/{network.prefixlen} dev {interface}")
            draft.prefixes.append(network)
            draft.ipv6 = draft.ipv6 or network.version == 6
    (one, other) = ends
    return [
        Port(a[1], b[0].name, one, other),  # type: ignore[arg-type]
        Port(b[1], a[0].name, other, one),  # type: ignore[arg-type]
    ]


def _unnumbered(random: Random, a: Draft, b: Draft, near: Port, far: Port) -> None:
    families = _families(random, both=0.5)
    v6only = random.random() < 0.15
    for draft, other, port in ((a, b, near), (b, a, far)):
        word = "interface v6only" if v6only or random.random() < 0.03 else "interface"
        group = _group(random, draft, other)
        name = port.interface
        said = f"peer-group {group}" if group else f"remote-as {_remote(random, draft, other)}"
        draft.add("bgp", f"neighbor {name} {word} {said}", f"neighbor {word}")
        _finish(random, draft, other, name, group, families)


def _numbered(version: int) -> Callable[[Random, Draft, Draft, Port, Port], None]:
    def session(random: Random, a: Draft, b: Draft, near: Port, far: Port) -> None:
        families = _families(random, both=0.2) if version == 4 else _families(random, both=0.3, mostly="ipv6")
        extended = version == 6 and "ipv4" in families and random.random() < 0.7
        for draft, other, port in ((a, b, near), (b, a, far)):
            name = str(port.other[version])
            group = _named(random, draft, other, name)
            if extended and random.random() < 0.95:
                draft.add("bgp", f"neighbor {name} capability extended-nexthop", "capability extended-nexthop")
            if random.random() < 0.1:
                draft.add("bgp", f"neighbor {name} ebgp-multihop {random.choice((2, 5))}", "ebgp-multihop")
            _finish(random, draft, other, name, group, families)

    return session


def _both(random: Random, a: Draft, b: Draft, near: Port, far: Port) -> None:
    for version in (4, 6):
        _numbered(version)(random, a, b, near, far)


def _loopback(random: Random, a: Draft, b: Draft, near: Port, far: Port) -> None:
    """Between loopbacks, with a static route to the other one's."""
    families = _families(random, both=0.2)
    for draft, other, port in ((a, b, near), (b, a, far)):
        name = str(other.loopback)
        if any(peer.name == name for peer in draft.peers):
            continue  # a parallel link: the second way to it
        draft.add("config", f"ip route {name}/32 {port.other[4]}", "ip route")
        draft.statics.append(IPv4Network(f"{name}/32"))
        group = _named(random, draft, other, name)
        source = "lo" if random.random() < 0.5 else str(draft.loopback)
        if random.random() < 0.97:
            draft.add("bgp", f"neighbor {name} update-source {source}", "update-source")
        if draft.asn != other.asn and random.random() < 0.95:
            draft.add("bgp", f"neighbor {name} ebgp-multihop{random.choice(('', ' 2', ' 3'))}", "ebgp-multihop")
        _finish(random, draft, other, name, group, families)


_SESSIONS: Mapping[str, Callable[[Random, Draft, Draft, Port, Port], None]] = {
    "unnumbered": _unnumbered,
    "ipv4": _numbered(4),
    "ipv6": _numbered(6),
    "both": _both,
    "loopback": _loopback,
}


def _families(random: Random, both: float, mostly: Literal["ipv4", "ipv6"] = "ipv4") -> tuple[str, ...]:
    if random.random() < both:
        return ("ipv4", "ipv6")
    return (mostly,)


def _remote(random: Random, draft: Draft, other: Draft) -> str:
    if random.random() < 0.02:
        return str(other.asn + 100)
    internal = draft.asn == other.asn
    return random.choice((str(other.asn), str(other.asn), "internal" if internal else "external"))


def _group(random: Random, draft: Draft, other: Draft) -> str | None:
    """A peer-group of the right kind, made where it is not there."""
    if random.random() < 0.6:
        return None
    internal = draft.asn == other.asn
    name = "INSIDE" if internal else "OUTSIDE"
    if name not in draft.groups:
        draft.groups[name] = internal
        draft.add("bgp", f"neighbor {name} peer-group", "peer-group")
        draft.add("bgp", f"neighbor {name} remote-as {'internal' if internal else 'external'}", "remote-as")
    return name


def _named(random: Random, draft: Draft, other: Draft, name: str) -> str | None:
    """A neighbor by its address; returns its peer-group."""
    group = _group(random, draft, other)
    if group is None:
        draft.add("bgp", f"neighbor {name} remote-as {_remote(random, draft, other)}", "remote-as")
    else:
        draft.add("bgp", f"neighbor {name} peer-group {group}", "peer-group")
    return group


def _finish(
    random: Random, draft: Draft, other: Draft, name: str, group: str | None, families: tuple[str, ...]
) -> None:
    """Families, timers, and what is seldom said of a neighbor."""
    if len(families) > 1 and random.random() < 0.04:
        families = families[:1]
    for family in ("ipv4", "ipv6"):
        wanted, there = family in families, family == "ipv4" and draft.born_ipv4
        if wanted != there:
            draft.add(family, f"{'' if wanted else 'no '}neighbor {name} activate", "activate")
    if not draft.datacenter or random.random() < 0.1:
        draft.add("bgp", f"neighbor {name} timers connect {random.choice((3, 5, 10))}", "timers connect")
    if random.random() < 0.08:
        draft.add("bgp", f"neighbor {name} timers {random.choice(('3 9', '4 12', '2 10'))}", "timers")
    seldom = random.random()
    if seldom < 0.03:
        draft.add("bgp", f"neighbor {name} passive", "passive")
    elif seldom < 0.05:
        draft.add("bgp", f"neighbor {name} shutdown", "shutdown")
    elif seldom < 0.1:
        draft.add("bgp", f"neighbor {name} description to {other.asn}", "description")
    draft.peers.append(Peer(name, draft.asn == other.asn, tuple(families), group))  # type: ignore[arg-type]


STATEMENTS = (
    *("neighbor interface", "neighbor interface v6only", "remote-as", "peer-group", "activate", "update-source"),
    *("ebgp-multihop", "capability extended-nexthop", "timers connect", "timers", "passive", "shutdown"),
    *("description", "ip route"),
)
"""The families of statements that make sessions."""

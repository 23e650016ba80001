"""What two ends that reach each other agree upon, or why they do not: shut, passwords, AS numbers, OPEN messages.

RFC 4271 sections 6.2 and 8, RFC 2385, RFC 6286; FRR bgpd/bgp_packet.c, bgp_open_receive, and bgp_open.c,
bgp_open_option_parse. Measured on 8.4.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bgpsim.model.neighbors import as_number_fits, is_internal, neighbor_sources, router_id, session_as
from bgpsim.network.description import NO_AS, BgpInstance, Device, Neighbor
from bgpsim.network.types import FAMILIES, Family
from bgpsim.source import Source


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a session that may come up."""

    device: Device
    instance: BgpInstance
    neighbor: Neighbor

    @property
    def name(self) -> str:
        return self.device.name

    @property
    def asn(self) -> int:
        return session_as(self.instance, self.neighbor)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """`lines`: the statements that make it; none: the neighbor's own."""

    because: str
    lines: tuple[Source, ...] = ()


def disagreement(here: Side, there: Side) -> Disagreement | None:
    """Why the session does not come up, as `here` sees it; None where it does."""
    if there.instance.shutdown and not there.neighbor.dynamic:
        return Disagreement(f"all sessions are shut down at {there.name}", _shutdown_line(there.instance))
    if there.neighbor.shutdown:
        return Disagreement(f"shut down at {there.name}", neighbor_sources(there.neighbor))
    if here.neighbor.options.password != there.neighbor.options.password:
        return _passwords(here, there)
    for one, other in ((here, there), (there, here)):
        found = _as_number(one, other, here) or _identifier(one, other) or _hold_time(one, other)
        if found is not None:
            return found
    if not _common(here, there) and not _common(there, here):
        return Disagreement(f"no address family is active at both {here.name} and {there.name}")
    return next(_capabilities(here, there), None)


def families(here: Side, there: Side) -> tuple[Family, ...]:
    """What `here` takes to be agreed upon (RFC 4760 section 8, and FRR's ways around it)."""
    if here.neighbor.options.override_capabilities or there.neighbor.options.no_capabilities:
        return tuple(family for family in FAMILIES if family in here.neighbor.families)
    return _common(here, there)


def _common(here: Side, there: Side) -> tuple[Family, ...]:
    return tuple(f for f in FAMILIES if f in here.neighbor.families and f in there.neighbor.families)


def _shutdown_line(instance: BgpInstance) -> tuple[Source, ...]:
    line = instance.sources.get("shutdown")
    return (line,) if line else ()


def shut_here(instance: BgpInstance, neighbor: Neighbor) -> Disagreement | None:
    """`bgp shutdown` lets in whoever connects from a listen range all the same (measured on 8.4.4)."""
    if instance.shutdown and not neighbor.dynamic:
        return Disagreement("all sessions are shut down here", _shutdown_line(instance))
    return Disagreement("shut down here") if neighbor.shutdown else None


def _passwords(here: Side, there: Side) -> Disagreement:
    lines = neighbor_sources(here.neighbor) + neighbor_sources(there.neighbor)
    for one, other in ((here, there), (there, here)):
        if one.neighbor.options.password is None:
            return Disagreement(f"{other.name} has a password for it, and {one.name} has none", lines)
    return Disagreement(f"{here.name} and {there.name} have different passwords for it", lines)


def _as_number(one: Side, other: Side, here: Side) -> Disagreement | None:
    if as_number_fits(one.instance, one.neighbor, other.asn):
        return None
    lines = neighbor_sources(one.neighbor)
    if one.neighbor.remote_as == NO_AS:  # of the peer: what has none itself is not looked at here
        return Disagreement(f"{one.name} has no AS number configured for it", lines)
    return Disagreement(f"AS {other.asn} of {other.name} is not the {one.neighbor.remote_as} expected of it", lines)


def _identifier(one: Side, other: Side) -> Disagreement | None:
    """RFC 6286 section 2.1, as FRR keeps it."""
    if one.instance.engine != "frr":
        return None
    mine, theirs = router_id(one.device), router_id(other.device)
    if mine == theirs and int(mine) and is_internal(one.instance, one.neighbor):
        return Disagreement(f"{other.name} has the router ID of {one.name}, {mine}, in one AS")
    return None


def _hold_time(one: Side, other: Side) -> Disagreement | None:
    least, offered = one.instance.minimum_hold_time, other.neighbor.hold_time
    if offered >= least:
        return None
    return Disagreement(f"{other.name} offers a hold time of {offered} s, and {one.name} takes {least} s at least")


def _capabilities(here: Side, there: Side) -> Iterator[Disagreement]:
    """`strict-capability-match` looks at families (strict_capability_same), in OPEN messages with capabilities."""
    for one, other in ((here, there), (there, here)):
        options = one.neighbor.options
        if not _common(one, other) and not options.override_capabilities and not other.neighbor.options.no_capabilities:
            yield Disagreement(f"no address family is active at both {here.name} and {there.name}")
        missing = set(one.neighbor.families) - set(other.neighbor.families)
        if options.strict_capabilities and missing and not other.neighbor.options.no_capabilities:
            yield Disagreement(
                f"{other.name} has not {', '.join(sorted(missing))}, and {one.name} is strict about capabilities",
                neighbor_sources(one.neighbor),
            )

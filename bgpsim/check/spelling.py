"""Facts as the text that reports show."""

from __future__ import annotations

from collections.abc import Iterable

from bgpsim.network.as_path import as_path_text as as_path_text  # used under this name by whoever spells facts
from bgpsim.network.state import (
    Attributes,
    BgpPath,
    FibNextHop,
    FibRoute,
    Forwarding,
    ForwardingPath,
    Hop,
)


def attribute_texts(attributes: Attributes) -> dict[str, str]:
    """Each attribute under its report name; one that is absent is an empty text."""

    def number(value: int | None) -> str:
        return "" if value is None else str(value)

    return {
        "next-hop": attributes.next_hop,
        "as-path": as_path_text(attributes.as_path),
        "origin": attributes.origin,
        "med": number(attributes.med),
        "local-preference": number(attributes.local_preference),
        "atomic-aggregate": "yes" if attributes.atomic_aggregate else "",
        "aggregator": attributes.aggregator or "",
        "communities": " ".join(attributes.communities),
        "large-communities": " ".join(attributes.large_communities),
        "extended-communities": " ".join(attributes.extended_communities),
        "originator-id": attributes.originator_id or "",
        "cluster-list": " ".join(attributes.cluster_list),
        "unknown": ", ".join(attributes.unknown),
    }


def attributes_text(attributes: Attributes) -> str:
    """All attributes that are there, on one line."""
    return ", ".join(
        f"{name} {text}" for name, text in attribute_texts(attributes).items() if text or name == "as-path"
    )


def bgp_path_text(path: BgpPath) -> str:
    flags = [name for name, on in (("best", path.best), ("multipath", path.multipath)) if on]
    if not path.valid:
        flags.append("not valid")
    return attributes_text(path.attributes) + (f" ({', '.join(flags)})" if flags else "")


def next_hop_text(hop: FibNextHop) -> str:
    parts = []
    if hop.via is not None:
        parts.append(f"via {hop.via}")
    if hop.interface is not None:
        parts.append(f"dev {hop.interface}")
    if hop.weight != 1:
        parts.append(f"weight {hop.weight}")
    return " ".join(parts)


def fib_texts(route: FibRoute) -> dict[str, str]:
    return {
        "kind": route.kind,
        "protocol": route.protocol,
        "nexthops": ", ".join(sorted(next_hop_text(hop) for hop in route.next_hops)),
        "linkdown": "linkdown" if route.linkdown else "",
    }


def fib_text(route: FibRoute) -> str:
    texts = fib_texts(route)
    kind = "" if route.kind == "unicast" else route.kind
    return " ".join(text for text in (kind, texts["nexthops"], f"proto {route.protocol}", texts["linkdown"]) if text)


def hops_text(hops: Iterable[Hop]) -> str:
    return " → ".join(
        f"{hop.device}[{hop.ingress or ''}>{hop.egress or ''}]" if hop.ingress or hop.egress else hop.device
        for hop in hops
    )


def forwarding_path_text(path: ForwardingPath) -> str:
    """`worker → tor0 → …: delivered`, with interfaces where two links could be meant."""
    walk = hops_text(path.hops)
    # The last device of the walk is where it ends.
    return f"{walk}: {path.disposition}" if walk else f"{path.disposition} at {path.at}"


def forwarding_text(forwarding: Forwarding) -> str:
    return " | ".join(sorted(forwarding_path_text(path) for path in forwarding.paths)) or forwarding.disposition

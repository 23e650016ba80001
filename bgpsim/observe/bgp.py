"""The bgp plane: sessions, counters and tables, as FRR (`show bgp … json`) and GoBGP (`gobgp -j`) tell them."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Literal

from bgpsim.errors import LabError
from bgpsim.network.as_path import read_as_path
from bgpsim.network.grouped import Growing, prefix_of
from bgpsim.network.state import (
    AdvertisedKey,
    AsPath,
    Attributes,
    BgpPath,
    FamilyCounters,
    PathKey,
    Session,
    SessionKey,
)
from bgpsim.network.types import FAMILIES, Family
from bgpsim.observe import frr_words
from bgpsim.observe.communities import community_text
from bgpsim.observe.long_answers import members
from bgpsim.observe.owners import Owners

FRR_COMMANDS = (
    *(
        command
        for family in ("ipv4", "ipv6")
        for command in (f"show bgp {family} unicast summary json", f"show bgp {family} unicast json detail")
    ),
    "show bgp neighbors json",
)
_IN_JSON: Mapping[Family, str] = {"ipv4-unicast": "ipv4Unicast", "ipv6-unicast": "ipv6Unicast"}
_NOBODY = ("0.0.0.0", "::")
"""The peer of a path that is the router's own."""
_GOBGP_ORIGINS: tuple[frr_words.Origin, ...] = ("igp", "egp", "incomplete")
_COMMUNITIES = ("community", "largeCommunity", "extendedCommunity")
GOBGP_WORDS = ("Unknown", "Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established")
"""PeerState.SessionState of GoBGP's API (api/gobgp.proto), in RFC 4271's words."""


@dataclass
class BgpPlane:
    sessions: dict[SessionKey, Session] = field(default_factory=dict)
    paths: Growing[PathKey, BgpPath] = field(default_factory=Growing)
    advertised: Growing[AdvertisedKey, Attributes] = field(default_factory=Growing)
    not_observed: dict[str, str] = field(default_factory=dict)
    add_path: set[str] = field(default_factory=set)
    """Routers that send several paths of a prefix to somebody."""
    known: dict[tuple[object, ...], Any] = field(default_factory=dict)
    """What was made of the same values before: a table has few sets of attributes."""


def read_frr(plane: BgpPlane, device: str, answers: Sequence[Iterator[str]], owners: Owners) -> None:
    """`answers`: to FRR_COMMANDS, each in parts. Raises LabError for a shape that is not known."""
    refused = _not_negotiated("".join(answers[-1]) or "{}")
    for number, family in enumerate(FAMILIES):
        summary = json.loads("".join(answers[2 * number]) or "{}")
        peers = summary.get("peers", {})
        frr_words.check_readable(device, summary)
        for name, peer in peers.items():
            _frr_session(plane, device, family, name, peer, owners, carried=(name, family) not in refused)
        for inside, prefix, paths in members(answers[2 * number + 1], "routes"):
            if inside is not None:
                _frr_paths(plane, device, family, prefix, list(frr_words.paths_of(paths)), peers, owners)


def _frr_session(
    plane: BgpPlane,
    device: str,
    family: Family,
    name: str,
    peer: Mapping[str, Any],
    owners: Owners,
    *,
    carried: bool,
) -> None:
    """`carried`: the session carries the family; a summary lists every peer for which it is active."""
    interface = name if peer.get("idType") == "interface" else None
    key = SessionKey(device, name)
    established = peer["state"] == "Established"
    counters = {family: FamilyCounters(accepted=peer.get("pfxRcd"), sent=peer.get("pfxSnt"))}
    counters = counters if established and carried else {}
    known = plane.sessions.get(key)
    if known is not None:
        counters = {**known.families, **counters}
    kind: Literal["ebgp", "ibgp"] = "ibgp" if peer["remoteAs"] == peer["localAs"] else "ebgp"
    other = None if interface is None else owners.links.get((device, interface), (None,))[0]
    if interface is None:
        other = owners.device(name, device)
    plane.sessions[key] = Session(
        state="Established" if established else "Down",
        type=kind if peer["remoteAs"] else None,
        peer=other,
        interface=interface,
        families=counters,
        word=peer["state"],
    )


def _not_negotiated(answer: str) -> set[tuple[str, Family]]:
    """Neighbors and families that are active at this end, and that their standing sessions do not carry."""
    found: set[tuple[str, Family]] = set()
    for name, neighbor in json.loads(answer).items():
        if isinstance(neighbor, dict) and neighbor.get("bgpState") == "Established":
            told = neighbor.get("addressFamilyInfo", {})
            # What is carried is in an update group, whatever the capabilities say: they can be overridden.
            found |= {(name, f) for f, key in _IN_JSON.items() if key in told and "updateGroupId" not in told[key]}
    return found


def _frr_paths(
    plane: BgpPlane,
    device: str,
    family: Family,
    prefix: str,
    paths: list[Mapping[str, Any]],
    peers: Collection[str],
    owners: Owners,
) -> None:
    own = [path for path in paths if path["peer"]["peerId"] in _NOBODY]
    # A route may be named by `network`, redistributed and an aggregate at once: the paths are counted in this order.
    own.sort(key=lambda path: ("aggregatorAs" in path, not path.get("local")))
    for path in paths:
        peer = path["peer"]
        neighbor = peer.get("interface") if peer.get("interface") in peers else peer["peerId"]
        path_id = path.get("addpathRxId", 0)
        if peer["peerId"] in _NOBODY:
            neighbor, path_id = "local", next(number for number, one in enumerate(own) if one is path)
        best = path.get("bestpath", {})
        if path.get("addpathTxIdAll"):
            plane.add_path.add(device)
        # Alone, a path is "First path received", which says nothing.
        reason = best.get("selectionReason") if best.get("overall") and len(paths) > 1 else None
        flags = (bool(path.get("valid")), bool(best.get("overall")), bool(path.get("multipath")), path.get("weight", 0))
        values = ("path", device, *_frr_values(path), *flags, reason)
        found = plane.known.get(values)
        if found is None:
            found = plane.known[values] = BgpPath(_frr_attributes(path, device, owners), *flags, reason)
        plane.paths[PathKey(device, family, prefix_of(prefix), neighbor, path_id)] = found


def _frr_values(path: Mapping[str, Any]) -> tuple[object, ...]:
    """All that `_frr_attributes` looks at."""
    hops = path["nexthops"]
    return (
        *(path["aspath"]["string"], path["origin"], path.get("metric"), path.get("locPrf")),
        *(path.get("atomicAggregate"), path.get("aggregatorAs"), path.get("aggregatorId"), path.get("originatorId")),
        *(path[name]["string"] if name in path else None for name in _COMMUNITIES),
        tuple(path["clusterList"]["list"]) if "clusterList" in path else None,
        path["peer"].get("interface"),
        *((hop["ip"], hop.get("used")) for hop in hops),
    )


def _frr_attributes(path: Mapping[str, Any], device: str, owners: Owners) -> Attributes:
    used = [hop for hop in path["nexthops"] if hop.get("used")] or path["nexthops"][:1]
    if path["origin"] not in frr_words.ORIGINS:
        raise LabError(f"{device}: FRR shows an unknown origin {path['origin']!r}")
    parts: list[int | frozenset[int] | tuple[int, ...]] = []
    for segment in path["aspath"]["segments"]:
        if segment["type"] == "as-sequence":
            parts += segment["list"]
        elif segment["type"] == "as-confed-sequence":
            parts.append(tuple(segment["list"]))
        elif segment["type"] == "as-set":
            parts.append(frozenset(segment["list"]))
        else:
            raise LabError(f"{device}: FRR shows an unknown AS path segment {segment['type']!r}")
    return Attributes(
        next_hop=owners.next_hop(used[0]["ip"], device, path["peer"].get("interface")),
        as_path=tuple(parts),
        origin=frr_words.ORIGINS[path["origin"]],
        med=path.get("metric"),
        local_preference=path.get("locPrf"),
        atomic_aggregate=bool(path.get("atomicAggregate")),
        aggregator=f"{path['aggregatorAs']}:{path['aggregatorId']}" if "aggregatorAs" in path else None,
        communities=tuple(sorted(path.get("community", {}).get("string", "").split())),
        large_communities=tuple(sorted(path.get("largeCommunity", {}).get("string", "").split())),
        extended_communities=tuple(sorted(path.get("extendedCommunity", {}).get("string", "").split())),
        originator_id=path.get("originatorId"),
        cluster_list=tuple(path.get("clusterList", {}).get("list", ())),
    )


def several_paths(answer: str) -> frozenset[str]:
    """The neighbors that are sent several paths of a prefix, by the answer to `show bgp neighbors json`."""
    return frozenset(
        name
        for name, neighbor in json.loads(answer).items()
        if isinstance(neighbor, dict)
        and any(
            (family.get("txAdvertisedAndReceived") or family.get("txAdvertised"))
            and (family.get("rxAdvertisedAndReceived") or family.get("rxReceived"))
            for family in neighbor.get("neighborCapabilities", {}).get("addPath", {}).values()
        )
    )


def advertised_commands(plane: BgpPlane, device: str, several: frozenset[str]) -> list[tuple[Family, str, str]]:
    """Family, neighbor and command for each Adj-RIB-Out that FRR prints as it is.

    Of `several` paths of a prefix it prints one, whichever comes last (bgpd/bgp_route.c, show_adj_route).
    """
    return [
        (family, key.neighbor, f"show bgp {family[:4]} unicast neighbors {key.neighbor} advertised-routes json")
        for key, session in sorted(plane.sessions.items())
        if key.device == device and key.neighbor not in several
        for family in sorted(session.families)
    ]


def read_advertised(
    plane: BgpPlane, device: str, family: Family, neighbor: str, answer: Iterator[str], owners: Owners
) -> None:
    """FRR shows an Adj-RIB-Out before its own AS is prepended, and without communities (bgp_route.c)."""
    for inside, name, route in members(answer, "advertisedRoutes"):
        if inside is None:
            if name == "bgpOriginatingDefaultNetwork" and route:
                plane.advertised[AdvertisedKey(device, neighbor, family, prefix_of(route))] = Attributes("self")
            continue
        hop, origin = frr_words.advertised(device, route)
        values = (device, hop, route["path"], origin, route.get("metric"), route.get("locPrf"))
        if values not in plane.known:
            plane.known[values] = Attributes(
                next_hop=owners.next_hop(hop, device),
                as_path=read_as_path(route["path"]),
                origin=origin,
                med=route.get("metric"),
                local_preference=route.get("locPrf"),
            )
        plane.advertised[AdvertisedKey(device, neighbor, family, prefix_of(name))] = plane.known[values]


def read_gobgp(plane: BgpPlane, device: str, tables: Mapping[str, Any], owners: Owners) -> None:
    """`tables`: `gobgp.tables` of one node. What a node receives is what its router really sent to it."""
    for neighbor in tables["neighbors"]:
        address = neighbor["state"]["neighbor_address"]
        word = GOBGP_WORDS[neighbor["state"].get("session_state", 0)]
        established = word == "Established"
        configuration = neighbor["conf"]
        counters: dict[Family, FamilyCounters] = {}
        for family in FAMILIES:
            known = tables["families"][family]
            sides = known["neighbors"][address]
            used = [p for paths in (known["rib"] or {}).values() for p in paths if p.get("neighbor-ip") == address]
            if established and (sides["adj-in"] or sides["adj-out"]):
                counters[family] = FamilyCounters(len(used), len(sides["adj-in"]), len(sides["adj-out"]))
        plane.sessions[SessionKey(device, address)] = Session(
            state="Established" if established else "Down",
            type="ibgp" if configuration["peer_asn"] == configuration["local_asn"] else "ebgp",
            peer=owners.device(address),
            families=counters,
            word=word,
        )
    for family in FAMILIES:
        known = tables["families"][family]
        for prefix, paths in (known["rib"] or {}).items():
            for path in paths:
                key = PathKey(device, family, ip_network(prefix), path.get("neighbor-ip") or "local")
                plane.paths[key] = BgpPath(
                    _gobgp_attributes(path, device, owners), valid=True, best=bool(path.get("best")), multipath=False
                )
        for address, sides in known["neighbors"].items():
            if plane.sessions[SessionKey(device, address)].state != "Established":
                continue  # GoBGP shows what it would send
            for prefix, paths in (sides["adj-out"] or {}).items():
                advertised = AdvertisedKey(device, address, family, ip_network(prefix))
                plane.advertised[advertised] = _gobgp_attributes(paths[0], device, owners)


def _gobgp_attributes(path: Mapping[str, Any], device: str, owners: Owners) -> Attributes:
    """Attribute types as on the wire (RFC 4271 section 4.3, 1997, 4360, 4456, 4760, 8092), in GoBGP's JSON
    (pkg/packet/bgp/bgp.go, the MarshalJSON methods)."""
    found: dict[str, Any] = {"next_hop": "0.0.0.0", "origin": "incomplete"}
    unknown: list[tuple[int, str]] = []
    for attribute in path["attrs"]:
        match attribute["type"]:
            case 1:
                found["origin"] = _GOBGP_ORIGINS[attribute["value"]]
            case 2:
                found["as_path"] = _gobgp_as_path(attribute["as_paths"])
            case 3:
                found["next_hop"] = attribute["nexthop"]
            case 14:
                # An IPv4-mapped one is printed as the IPv4 address in it (Go's net.IP).
                hop = ip_address(attribute["nexthop"])
                mapped = isinstance(hop, IPv4Address) and attribute["afi"] == 2
                found["next_hop"] = str(IPv6Address(f"::ffff:{hop}") if mapped else hop)
            case 4:
                found["med"] = attribute["metric"]
            case 5:
                found["local_preference"] = attribute["value"]
            case 6:
                found["atomic_aggregate"] = True
            case 7:
                found["aggregator"] = f"{attribute['as']}:{attribute['address']}"
            case 8:
                found["communities"] = tuple(sorted(community_text(c) for c in attribute["communities"]))
            case 9:
                found["originator_id"] = attribute["value"]
            case 10:
                found["cluster_list"] = tuple(attribute["value"])
            case 16:
                found["extended_communities"] = tuple(sorted(map(_gobgp_extended, attribute["value"])))
            case 32:
                found["large_communities"] = tuple(
                    sorted(f"{c['ASN']}:{c['LocalData1']}:{c['LocalData2']}" for c in attribute["value"])
                )
            case code:
                # What GoBGP does not know it shows as octets in base 64, and passes on if it is transitive.
                if not isinstance(attribute.get("value"), str):
                    raise LabError(f"{device}: GoBGP shows an attribute of the unknown type {code}")
                unknown.append((code, base64.b64decode(attribute["value"]).hex()))
    found["unknown"] = tuple(f"{code} 0x{value}" for code, value in sorted(unknown))
    return Attributes(**{**found, "next_hop": owners.next_hop(found["next_hop"], device)})


def _gobgp_extended(community: Mapping[str, Any]) -> str:
    """As FRR writes route targets and sites of origin (bgp_ecommunity.c)."""
    kind = {2: "RT", 3: "SoO"}.get(community.get("subtype", -1))
    if kind is None:
        raise LabError(f"GoBGP shows an extended community of an unknown kind: {community}")
    administrator, _, number = str(community["value"]).rpartition(":")
    if administrator.count(".") == 1:
        # An AS of four octets, which GoBGP writes as asdot (RFC 5396) and FRR does not.
        high, low = map(int, administrator.split("."))
        administrator = str(high << 16 | low)
    return f"{kind}:{administrator}:{number}"


def _gobgp_as_path(segments: list[Mapping[str, Any]]) -> AsPath:
    parts: list[int | frozenset[int]] = []
    for segment in segments:
        if segment["segment_type"] == 1:
            parts.append(frozenset(segment["asns"]))
        else:
            parts += segment["asns"]
    return tuple(parts)

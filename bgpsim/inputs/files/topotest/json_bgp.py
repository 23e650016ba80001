"""`bgp` of a router in a JSON topology -> the lines that topotest would make of it (tests/topotests/lib/bgp.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bgpsim.inputs.files.part import Part

_Book = Mapping[tuple[str, str], Mapping[Literal["ipv4", "ipv6"], str]]


def bgp_lines(router: str, routers: Mapping[str, Part], addresses: _Book) -> list[str]:
    """Nothing where the router has no `bgp`. What is not known of it is listed, and no line is made of it."""
    part = routers[router].get("bgp")
    if part is None:
        return []
    asn = _asn(router, routers)
    part.keys(
        ("local_as", "router_id", "address_family"),
        possible=("vrf", "graceful-restart", "bestpath", "ecmp", "default_originate", "cluster_id", "gracefulrestart"),
        affects=(router,),
    )
    lines = [f"router bgp {asn}", " no bgp ebgp-requires-policy"]
    if "router_id" in part:
        lines.append(f" bgp router-id {part['router_id'].text()}")
    if any(key in family for family in _unicast(part) for key in ("advertise_networks", "network")):
        lines.append(" no bgp network import-check")
    lines.append(" no bgp default ipv4-unicast")
    families: list[str] = []
    for name, family in part["address_family"].entries() if "address_family" in part else ():
        if name not in ("ipv4", "ipv6"):
            part["address_family"].list_unmodelled(name, affects=(router,))
            continue
        family.keys(("unicast",), possible=("multicast", "labeled-unicast", "vpn"), affects=(router,))
        if "unicast" in family:
            version: Literal["ipv4", "ipv6"] = "ipv4" if name == "ipv4" else "ipv6"
            neighbors, inside = _family(router, version, family["unicast"], routers, addresses)
            lines += neighbors
            families += [f" address-family {name} unicast", *inside, " exit-address-family"]
    return [*lines, *families, "exit"]


def _unicast(part: Part) -> list[Part]:
    families = part["address_family"].entries() if "address_family" in part else ()
    return [family["unicast"] for _, family in families if "unicast" in family]


def _asn(router: str, routers: Mapping[str, Part]) -> str:
    part = routers[router].get("bgp")
    if part is not None and isinstance(part.value, list):
        part.fail("one BGP instance: those of VRFs are not run")
    if part is None or "local_as" not in part:
        routers[router].fail("`bgp` with `local_as`")
    return part["local_as"].scalar()


def _family(
    router: str,
    version: Literal["ipv4", "ipv6"],
    part: Part,
    routers: Mapping[str, Part],
    addresses: _Book,
) -> tuple[list[str], list[str]]:
    """Lines of the instance, and of the family."""
    part.keys(
        ("neighbor", "redistribute", "advertise_networks", "network", "maximum_paths"),
        possible=("aggregate_address", "import_vrf", "default_originate", "delete"),
        affects=(router,),
    )
    lines: list[str] = []
    inside: list[str] = []
    for entry in part["redistribute"].items() if "redistribute" in part else ():
        entry.keys(("redist_type",), possible=("redist_attr", "delete"), affects=(router,))
        inside.append(f"  redistribute {entry['redist_type'].text()}")
    for key in ("advertise_networks", "network"):
        for entry in part[key].items() if key in part else ():
            network = entry["network"] if isinstance(entry.value, dict) else entry
            inside.append(f"  network {network.text()}")
    for kind, word in (("ebgp", ""), ("ibgp", "ibgp ")):
        if "maximum_paths" in part and kind in part["maximum_paths"]:
            inside.append(f"  maximum-paths {word}{part['maximum_paths'][kind].scalar()}")
    for far, neighbor in part["neighbor"].entries() if "neighbor" in part else ():
        if far not in routers:
            neighbor.fail(f"a neighbor that is one of {', '.join(routers)}")
        neighbor.keys(("dest_link",), possible=("remote_as",), affects=(router,))
        for link, told in neighbor["dest_link"].entries() if "dest_link" in neighbor else ():
            _neighbor(router, version, (far, link), told, (lines, inside), routers, addresses)
    return lines, inside


def _neighbor(
    router: str,
    version: Literal["ipv4", "ipv6"],
    end: tuple[str, str],
    told: Part,
    into: tuple[list[str], list[str]],
    routers: Mapping[str, Part],
    addresses: _Book,
) -> None:
    """`dest_link: {KEY: …}`: the neighbor's address is the one that it has on its own link KEY."""
    lines, inside = into
    far, link = end
    written = addresses.get(end, {}).get(version)
    if written is None:
        told.fail(f"a link of {far} with an address of {version}")
    address = written.partition("/")[0]
    lines.append(f" neighbor {address} remote-as {_asn(far, routers)}")
    inside.append(f"  neighbor {address} activate")
    if told.value is None:
        return
    told.keys(
        (
            "keepalivetimer",
            "holddowntimer",
            "connecttimer",
            "source_link",
            "ebgp_multihop",
            "next_hop_self",
            "password",
        ),
        possible=(
            *("route_maps", "prefix_lists", "send_community", "no_send_community", "allowas-in", "bfd", "shutdown"),
            *("route_reflector_client", "capability", "graceful-restart", "default_originate", "disable_connected"),
        ),
        affects=(router,),
    )
    if "keepalivetimer" in told or "holddowntimer" in told:
        keep = told["keepalivetimer"].scalar() if "keepalivetimer" in told else "60"
        hold = told["holddowntimer"].scalar() if "holddowntimer" in told else "180"
        lines.append(f" neighbor {address} timers {keep} {hold}")
    if "connecttimer" in told:
        lines.append(f" neighbor {address} timers connect {told['connecttimer'].scalar()}")
    source = told.get("source_link")
    if source is not None:
        own = addresses.get((router, source.text()), {}).get(version)
        lines.append(f" neighbor {address} update-source {source.text() if own is None else own.partition('/')[0]}")
    if "ebgp_multihop" in told or (source is not None and link == "lo" and _asn(far, routers) != _asn(router, routers)):
        hops = told["ebgp_multihop"].scalar() if "ebgp_multihop" in told else "2"
        lines.append(f" neighbor {address} ebgp-multihop {hops}")
    if "password" in told:
        lines.append(f" neighbor {address} password {told['password'].text()}")
    if "next_hop_self" in told and told["next_hop_self"].value:
        inside.append(f"  neighbor {address} next-hop-self")

"""A JSON topology -> `Plan`.

As topotest's topojson has it (`routers`, each with `links`, which take addresses in turn, and `bgp`); or plainly: a
mapping of switches to their routers as in a script, or `routers` and `links` as lists; any of them also below
`topology`.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface
from typing import Literal

from bgpsim.inputs.files.part import Part
from bgpsim.inputs.files.topotest.json_bgp import bgp_lines
from bgpsim.inputs.files.topotest.plan import Gear, Plan

Version = Literal["ipv4", "ipv6"]
_VERSIONS: tuple[Version, Version] = ("ipv4", "ipv6")
_LINK_KEYS = ("ipv4", "ipv6", "type", "interface", "dst_node", "vrf", "description")


def read_json(top: Part, plan: Plan) -> None:
    """Raises InputError for what is no topology."""
    if not isinstance(top.value, dict):
        top.fail("a topology: a mapping with `routers`, or of switches to routers")
    if "topology" in top and isinstance(top["topology"].value, dict):
        top = top["topology"]
    routers = top.get("routers")
    if routers is None and "links" not in top:
        _mapping(top, plan)
    elif routers is not None and isinstance(routers.value, dict) and "links" not in top:
        _Topojson(top, routers, plan).read()
    else:
        _lists(top, plan)


def _mapping(top: Part, plan: Plan) -> None:
    switches: dict[str | None, tuple[str, ...]] = {}
    sources = {}
    for name, part in top.entries():
        ends = (part,) if isinstance(part.value, str) else part.items()
        switches[name] = tuple(end.text() for end in ends)
        sources[name] = part.source
    plan.from_mapping(switches, sources)  # type: ignore[arg-type]


def _lists(top: Part, plan: Plan) -> None:
    """`{"routers": ["r1"], "switches": ["s1"], "links": [["r1", "s1"], {"endpoints": ["r1:eth0", "r2:eth0"]}]}`"""
    top.keys(("routers", "switches", "hosts", "links", "name"))
    for key, kind in (("routers", "router"), ("switches", "switch"), ("hosts", "host")):
        part = top.get(key)
        if part is None:
            continue
        names = (
            [(n, p) for n, p in part.entries()]
            if isinstance(part.value, dict)
            else [(p.text(), p) for p in part.items()]
        )
        for name, at in names:
            plan.add(name, kind, at.source)  # type: ignore[arg-type]
    for link in top["links"].items() if "links" in top else ():
        if isinstance(link.value, dict):
            link.keys(("endpoints",))
            if "endpoints" not in link:
                link.fail("`endpoints`")
        ends = (link["endpoints"] if isinstance(link.value, dict) else link).items()
        if len(ends) != 2:
            link.fail("two ends, each `router` or `router:interface`")
        found: list[tuple[Gear, str | None]] = []
        for end in ends:
            name, _, interface = end.text().partition(":")
            if name not in plan.gears:
                plan.add(name, "router", end.source)
            found.append((plan.gears[name], interface or None))
        (one, own), (other, far) = found
        plan.link(one, other, link.source, own, far)


class _Topojson:
    """tests/topotests/lib/topojson.py, build_topo_from_json: routers in the order of their names, the links of each in
    the order of theirs, interfaces `r1-r2-eth0` with one number a router, addresses in turn."""

    def __init__(self, top: Part, routers: Part, plan: Plan) -> None:
        self.top = top
        self.plan = plan
        self.routers = dict(routers.entries())
        self.switches = dict(top["switches"].entries()) if "switches" in top else {}
        self.number = dict.fromkeys(self.routers, 0)
        self.addresses: dict[tuple[str, str], dict[Version, str]] = {}
        """(router, key of the link) -> with their lengths."""
        self.interfaces: dict[tuple[str, str], str] = {}
        self.next: dict[Version, int] = {}
        self.length: dict[Version, int] = {}

    def read(self) -> None:
        known = ("address_types", "ipv4base", "ipv4mask", "ipv6base", "ipv6mask", "link_ip_start", "lo_prefix")
        self.top.keys((*known, "routers", "switches", "name"), possible=("feature", "ospf", "isis"))
        for name in sorted(self.routers, key=_number):
            self.routers[name].keys(
                ("links", "bgp", "static_routes"),
                possible=("prefix_lists", "route_maps", "bgp_community_lists", "ospf", "ospf6", "pim", "igmp", "vrfs"),
                affects=(name,),
            )
            self.plan.add(name, "router", self.routers[name].source)
        for name in sorted(self.switches, key=_number):
            self.plan.add(name, "switch", self.switches[name].source)
        self._start()
        seen: set[str] = set()
        for count, name in enumerate(sorted(self.routers), 1):
            for key, link in self._links(self.routers[name]):
                self._link(name, key, link, count, seen)
            seen.add(name)
        for name in sorted(self.switches):
            for key, link in self._links(self.switches[name]):
                self._port(name, key, link)
        self._configure()

    @staticmethod
    def _links(node: Part) -> list[tuple[str, Part]]:
        return sorted(node["links"].entries()) if "links" in node else []

    def _start(self) -> None:
        start = self.top.get("link_ip_start")
        for version, mask in (("ipv4", "v4mask"), ("ipv6", "v6mask")):
            if start is None or version not in start:
                continue
            address = start[version].address()
            most = 32 if version == "ipv4" else 128
            length = start[mask].integer(1, most) if mask in start else most - 2
            at: Version = "ipv4" if version == "ipv4" else "ipv6"
            self.length[at] = length
            self.next[at] = int(address) + (1 if length < (32 if version == "ipv4" else 127) else 0)

    def _link(self, name: str, key: str, link: Part, count: int, seen: set[str]) -> None:
        link.keys(_LINK_KEYS, possible=("ospf", "ospf6", "pim", "igmp", "shutdown", "peer-interface"), affects=(name,))
        if "type" in link and link["type"].value == "loopback":
            self._loopback(name, key, link, count)
            return
        far, _, rest = key.partition("-")
        back = "-".join((name, rest)) if rest else name
        if far not in self.routers:
            if far not in self.switches:
                link.fail(f"a link to one of {', '.join((*self.routers, *self.switches))}")
            return
        if far in seen:
            return
        other = dict(self._links(self.routers[far])).get(back)
        if other is None:
            link.fail(f"a link {back!r} among those of {far}, as its other end")
        own_name = f"{name}-{far}-eth{self.number[name]}"
        far_name = f"{far}-{name}-eth{self.number[far]}"
        self.number[name] += 1
        self.number[far] += 1
        self.interfaces[name, key], self.interfaces[far, back] = own_name, far_name
        self.plan.link(self.plan.gears[name], self.plan.gears[far], link.source, own_name, far_name)
        for version in _VERSIONS:
            if version not in link:
                continue
            if link[version].value == "auto":
                first = self._turn(version, link)
                self._give(name, key, version, first)
                self._give(far, back, version, first + 1)
                self.next[version] += 2 ** ((32 if version == "ipv4" else 128) - self.length[version])
            else:
                self._written(name, key, version, link)
                if version in other:
                    self._written(far, back, version, other)

    def _port(self, switch: str, key: str, link: Part) -> None:
        far = link["dst_node"].text() if "dst_node" in link else key.partition("-")[0]
        if far not in self.routers:
            link.fail(f"a link to one of {', '.join(self.routers)}")
        name, port = f"{far}-{switch}-eth{self.number[far]}", f"{switch}-{far}-eth{self.number[far]}"
        self.number[far] += 1
        self.interfaces[far, switch] = name
        self.plan.link(self.plan.gears[switch], self.plan.gears[far], link.source, port, name)
        for version in _VERSIONS:
            if version in link and link[version].value == "auto":
                self._give(far, switch, version, self._turn(version, link))
                self.next[version] += 1
            elif version in link:
                self._written(far, switch, version, link)

    def _loopback(self, name: str, key: str, link: Part, count: int) -> None:
        self.interfaces[name, key] = key
        for version, mask in (("ipv4", "v4mask"), ("ipv6", "v6mask")):
            at: Version = "ipv4" if version == "ipv4" else "ipv6"
            if version not in link:
                continue
            if link[version].value != "auto":
                self._written(name, key, at, link)
                continue
            lo = self.top.get("lo_prefix")
            if lo is None or version not in lo or mask not in lo:
                link.fail(f"`lo_prefix` with `{version}` and `{mask}` at the top, for addresses that are `auto`")
            dot = "." if version == "ipv4" else ":"
            text = f"{lo[version].text()}{count}{dot}{_number(name)}/{lo[mask].scalar()}"
            self.addresses.setdefault((name, key), {})[at] = _checked(text, link)

    def _turn(self, version: Version, link: Part) -> int:
        if version not in self.next:
            link.fail(f"`link_ip_start` with `{version}` at the top, for addresses that are `auto`")
        return self.next[version]

    def _give(self, name: str, key: str, version: Version, number: int) -> None:
        address = IPv4Address(number) if version == "ipv4" else IPv6Address(number)
        self.addresses.setdefault((name, key), {})[version] = f"{address}/{self.length[version]}"

    def _written(self, name: str, key: str, version: Version, link: Part) -> None:
        self.addresses.setdefault((name, key), {})[version] = _checked(link[version].text(), link)

    def _configure(self) -> None:
        for name, part in self.routers.items():
            lines = []
            for (router, key), addresses in self.addresses.items():
                if router == name:
                    lines.append(f"interface {self.interfaces[router, key]}")
                    lines += [f" {'ip' if v == 'ipv4' else 'ipv6'} address {a}" for v, a in addresses.items()]
                    lines.append("exit")
            lines += _static_lines(part)
            lines += bgp_lines(name, self.routers, self.addresses)
            self.plan.configurations[name] = "\n".join(lines) + "\n"


def _static_lines(router: Part) -> list[str]:
    found = []
    for entry in router["static_routes"].items() if "static_routes" in router else ():
        entry.keys(
            ("network", "next_hop"), possible=("admin_distance", "no_of_ip", "tag", "vrf", "interface", "delete")
        )
        networks = [entry["network"]] if isinstance(entry["network"].value, str) else entry["network"].items()
        hop = entry["next_hop"].text() if "next_hop" in entry else entry.fail("`next_hop`")
        for network in networks:
            kind = "ipv6" if network.prefix().version == 6 else "ip"
            found.append(f"{kind} route {network.text()} {'blackhole' if hop.lower() == 'null0' else hop}")
    return found


def _checked(text: str, part: Part) -> str:
    try:
        ip_interface(text)
        ip_address(text.partition("/")[0])
    except ValueError:
        part.fail(f"an address with its length, and not {text!r}")
    return text


def _number(name: str) -> int:
    found = re.search(r"\d+", name)
    return int(found[0]) if found else 0

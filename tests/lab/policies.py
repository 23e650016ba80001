"""Routers with policies drawn from a seed, and a speaker's routes with every attribute, as a lab's files.

    s1, s2 ── r1 ══ r3     r1 and r2 are one AS; every other session is external
              │            each link has a session of IPv4 and one of IPv6; r1 and r3 have two links
              r2 ── r4

A tree, so that there is one outcome whatever the policies say.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from variants import Step, Variant, router, take, topology

COMMUNITIES = ("65001:1", "65001:2", "65100:7", "65100:70", "no-peer", "65003:65535", "local-AS", "blackhole")
LARGE = ("65001:1:1", "65001:1:2", "65100:0:7", "4200000000:3:4")
EXTENDED = ("65001:1", "65100:70000", "10.9.9.9:5")
ASNS = (65200, 65201, 65202, 4200000001, 65100)
V4 = tuple(f"10.{90 + n // 8}.{n % 8 * 16}.0/{length}" for n, length in enumerate((20, 22, 24, 24, 21, 23, 20, 24) * 3))
V6 = tuple(f"2001:db8:{n:x}00::/{length}" for n, length in enumerate((40, 48, 56, 64) * 3, start=9))
LINKS = (("r1", "r2", 1), ("r1", "r3", 2), ("r1", "r3", 3), ("r2", "r4", 4))
ASN = {"r1": 65001, "r2": 65001, "r3": 65003, "r4": 65004}


def files(seed: int) -> dict[str, str]:
    random = Random(seed)
    nodes = [_router(random, name) for name in ASN]
    links = [(f"{one}:l{n}", f"{other}:l{n}") for one, other, n in LINKS]
    return topology(nodes, *links)


def announcements(seed: int) -> list[str]:
    """Entries of `announce:`."""
    random = Random(seed + 1_000_000)
    first = [_route(random, "s1", prefix) for prefix in (*V4, *V6)]
    second = [_route(random, "s2", prefix) for prefix in (*V4, *V6) if random.random() < 0.5]
    return first + second


def variant(seed: int) -> Variant:
    entries = ", ".join(announcements(seed))
    speakers = "speakers: {s1: {asn: 65100, peers: [r1]}, s2: {asn: 65101, peers: [r1]}}\n"
    return Variant(files(seed), (f"name: announced, announce: [{entries}]",), _routes_are_there, top=speakers)


def _routes_are_there(steps: list[Step]) -> None:
    """Not all is denied everywhere."""
    assert steps[0]["planes"]["bgp"]["compared"] > len(V4)


def _by_hand(first: int, end: int) -> None:
    compared = 0
    with TemporaryDirectory() as folder:
        for seed in range(first, end):
            try:
                take(f"seed {seed}", variant(seed), Path(folder) / str(seed))
            except AssertionError as differs:
                print(seed, "differs", str(differs)[:200], flush=True)
                continue
            report = json.loads((Path(folder) / str(seed) / "report" / "report.json").read_text())
            compared += sum(plane["compared"] for plane in report["runs"][0]["steps"][0]["planes"].values())
            print(seed, "equal;", compared, "facts so far", flush=True)


def _route(random: Random, speaker: str, prefix: str) -> str:
    words = [f"speaker: {speaker}", f'prefix: "{prefix}"']
    path: list[object] = [65100 if speaker == "s1" else 65101, *random.sample(ASNS, random.randint(0, 3))]
    if random.random() < 0.15:
        path.append([65210, 65211])
    words.append(f"as-path: {path}")
    words.append(f"origin: {random.choice(('igp', 'egp', 'incomplete'))}")
    if random.random() < 0.6:
        words.append(f"med: {random.choice((0, 5, 50, 4294967295))}")
    for key, values, chance in (
        ("communities", COMMUNITIES[:6], 0.7),
        ("large-communities", LARGE, 0.5),
        ("extended-communities", (*(f"target:{v}" for v in EXTENDED), "origin:65001:9"), 0.5),
    ):
        if random.random() < chance:
            words.append(f"{key}: {_listed(random.sample(values, random.randint(1, 3)))}")
    if random.random() < 0.2:
        words.append('aggregator: "65200:192.0.2.9"')
    if random.random() < 0.2:
        words.append("atomic-aggregate: true")
    return "{" + ", ".join(words) + "}"


def _listed(values: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _router(random: Random, name: str) -> str:
    number = int(name[1])
    addresses = {"lo": f"10.255.0.{number}/32"}
    first = [f"ip addr add 2001:db8:ffff::{number}/128 dev lo", f"ip route add blackhole 10.72.{number}.0/24"]
    neighbors: list[tuple[str, int, int]] = []
    for one, other, n in LINKS:
        if name in (one, other):
            end, far = (1, 2) if name == one else (2, 1)
            addresses[f"l{n}"] = f"10.1.{n}.{end}/24"
            first.append(f"ip addr add 2001:db8:1:{n}::{end}/64 dev l{n} nodad")
            neighbors.append((other if name == one else one, n, far))
    statics = [f"ip route 10.70.{number}.0/24 blackhole", f"ip route 10.71.{number}.0/24 10.1.{neighbors[0][1]}.9"]
    config = [*statics, *_lists(random), *_maps(random, number)]
    bgp = _bgp(random, name, neighbors)
    return router(name, ASN[name], addresses, "\n".join(bgp), first="\n".join(first), config="\n".join(config))


def _bgp(random: Random, name: str, neighbors: Sequence[tuple[str, int, int]]) -> list[str]:
    lines = ["bgp bestpath compare-routerid", f"bgp router-id 10.255.0.{name[1]}"]
    if random.random() < 0.4:
        lines.append("bgp ebgp-requires-policy")
    peers: dict[int, list[str]] = {4: [], 6: []}
    lines.append("neighbor GROUP peer-group")
    for far, n, end in neighbors:
        for version, address in ((4, f"10.1.{n}.{end}"), (6, f"2001:db8:1:{n}::{end}")):
            lines.append(f"neighbor {address} remote-as {ASN[far]}")
            if ASN[far] != ASN[name] and random.random() < 0.4:
                lines.append(f"neighbor {address} peer-group GROUP")
            if version == 6:
                lines.append(f"no neighbor {address} activate")
            peers[version].append(address)
    for version, family in ((4, "ipv4"), (6, "ipv6")):
        lines.append(f"address-family {family} unicast")
        use = f" route-map {_map(random)}" if random.random() < 0.6 else ""
        metric = f" metric {random.choice((0, 77))}" if random.random() < 0.4 else ""
        lines.append(f"redistribute connected{metric}{use}")
        if version == 4:
            lines.append(f"redistribute static{' route-map ' + _map(random) if random.random() < 0.7 else ''}")
            lines.append(f"network 10.72.{name[1]}.0/24 route-map {_map(random)}")
        for address in ("GROUP", *peers[version]):
            if version == 6 and address != "GROUP":
                lines.append(f"neighbor {address} activate")
            lines += _neighbor(random, address, version)
        lines.append("exit-address-family")
    return lines


def _neighbor(random: Random, address: str, version: int) -> list[str]:
    lines = []
    for way in ("in", "out"):
        if random.random() < 0.75:
            lines.append(f"route-map {_map(random)} {way}")
        if address != "GROUP" and random.random() < 0.25:
            lines.append(f"prefix-list {random.choice(('P1', 'P2', 'P3') if version == 4 else ('Q1', 'Q2'))} {way}")
        elif address != "GROUP" and random.random() < 0.15:
            lines.append(f"distribute-list {random.choice(('ACL1', 'ACL2') if version == 4 else ('ACL6',))} {way}")
        if random.random() < 0.2:
            lines.append(f"filter-list {random.choice(('A1', 'A2', 'A3', 'A4'))} {way}")
    for line, chance in (
        (f"weight {random.choice((0, 10, 500))}", 0.15),
        ("soft-reconfiguration inbound", 0.3),
        ("next-hop-self", 0.2),
        ("next-hop-self force", 0.1),
        ("default-originate", 0.06),
        ("default-originate route-map DEFAULT", 0.1),
        ("send-community all", 0.1),
    ):
        if random.random() < chance:
            lines.append(line)
    made = [f"neighbor {address} {line}" for line in lines]
    if random.random() < 0.2:
        made.append(
            f"no neighbor {address} send-community {random.choice(('standard', 'extended', 'large', 'both', 'all'))}"
        )
    return made


def _map(random: Random) -> str:
    return random.choice(("M1", "M2", "M3", "M4", "M1", "M2", "M3", "M4", "M5", "NONE"))


def _lists(random: Random) -> list[str]:
    lines = []
    for name in ("P1", "P2", "P3"):
        for _ in range(random.randint(1, 4)):
            lines.append(f"ip prefix-list {name}{_seq(random)} {_action(random)} {_prefix4(random)}")
        if random.random() < 0.6:
            lines.append(f"ip prefix-list {name} permit any")
    for name in ("Q1", "Q2"):
        for _ in range(random.randint(1, 3)):
            prefix = random.choice((*V6, "2001:db8::/32"))
            lines.append(
                f"ipv6 prefix-list {name}{_seq(random)} {_action(random)} {prefix}{_bounds(random, prefix, 128)}"
            )
        if random.random() < 0.6:
            lines.append(f"ipv6 prefix-list {name} permit any")
    for name in ("ACL1", "ACL2"):
        for _ in range(random.randint(1, 3)):
            rule = random.choice(
                (f"{random.choice(V4)}", f"{random.choice(V4)} exact-match", "10.90.0.0 0.0.255.255", "host 10.91.16.0")
            )
            lines.append(f"access-list {name} {_action(random)} {rule}")
        lines.append(f"access-list {name} permit any")
    lines.append(f"ipv6 access-list ACL6 {_action(random)} {random.choice(V6)}")
    lines.append("ipv6 access-list ACL6 permit any")
    expressions = (
        "_65200_",
        "^65100",
        "65201$",
        "^$",
        ".*",
        "^65100( [0-9]+)?$",
        "[0-9]+_65202",
        "[{]65210,65211[}]$",
        "0{3}1",
    )
    for name in ("A1", "A2", "A3"):
        for expression in random.sample(expressions, 2):
            lines.append(f"bgp as-path access-list {name} {_action(random)} {expression}")
        if random.random() < 0.5:
            lines.append(f"bgp as-path access-list {name} permit .*")
    for name in ("C1", "C2"):
        for _ in range(random.randint(1, 2)):
            members = " ".join(random.sample(COMMUNITIES[:6], random.randint(1, 2)))
            lines.append(f"bgp community-list standard {name} {_action(random)} {members}")
    for expression in random.sample(("65001:[12]", "^65100:7$", "_65100:70_", "no-peer", "^$"), 2):
        lines.append(f"bgp community-list expanded CE {_action(random)} {expression}")
    lines.append(f"bgp large-community-list standard L1 permit {random.choice(LARGE)}")
    lines.append(f"bgp large-community-list expanded LE permit {random.choice(('65001:1:.*', '_4200000000:3:4_'))}")
    lines.append(f"bgp extcommunity-list standard X1 permit rt {random.choice(EXTENDED)}")
    lines.append(
        f"bgp extcommunity-list expanded XE {_action(random)} {random.choice(('RT:65001:.*', 'SoO:', '10.9.9.9'))}"
    )
    return lines


def _seq(random: Random) -> str:
    return f" seq {random.randint(1, 40)}" if random.random() < 0.5 else ""


def _action(random: Random) -> str:
    return random.choice(("permit", "permit", "deny"))


def _prefix4(random: Random) -> str:
    prefix = random.choice((*V4, "10.90.0.0/16", "10.91.0.0/16", "10.0.0.0/8", "10.255.0.0/24"))
    return prefix + _bounds(random, prefix, 32)


def _bounds(random: Random, prefix: str, top: int) -> str:
    length = int(prefix.split("/")[1])
    low = random.randint(length, top)
    high = random.randint(low, top)
    return random.choice(("", f" ge {low}", f" le {high}", f" ge {low} le {high}"))


def _maps(random: Random, number: int) -> list[str]:
    lines = []
    for name in ("M1", "M2", "M3", "M4", "M5", "DEFAULT"):
        sequences = sorted(random.sample(range(1, 100), random.randint(1, 5)))
        for seq in sequences:
            action = "permit" if random.random() < 0.75 else "deny"
            lines.append(f"route-map {name} {action} {seq}")
            lines += [f"match {m}" for m in random.sample(_matches(random), random.choice((0, 1, 1, 2)))]
            sets = random.sample(_sets(random, number), random.choice((0, 1, 2, 4)))
            # FRR sends 0.0.0.0 where that map sets an IPv4 next hop, and the peer closes the session.
            lines += [f"set {s}" for s in sets if name != "DEFAULT" or not s.startswith("ip next-hop")]
            after = [s for s in sequences if s > seq]
            chance = random.random()
            if action == "deny":
                continue  # FRR refuses on-match there
            if chance < 0.15:
                lines.append("on-match next")
            elif chance < 0.25 and after:
                lines.append(f"on-match goto {random.choice(after) + random.choice((0, 0, 1))}")
            elif chance < 0.3 and after:
                lines.append(f"continue {random.choice(after)}")
            if random.random() < 0.15 and name not in ("M5", "DEFAULT"):
                lines.append(f"call {random.choice(('M5', 'NONE'))}")
        if random.random() < 0.6:
            lines.append(f"route-map {name} permit 100")
        lines.append("exit")
    return lines


def _matches(random: Random) -> list[str]:
    return [
        f"ip address prefix-list {random.choice(('P1', 'P2', 'P3', 'P9'))}",
        f"ipv6 address prefix-list {random.choice(('Q1', 'Q2'))}",
        f"ip address {random.choice(('ACL1', 'ACL2', 'ACL9'))}",
        "ipv6 address ACL6",
        f"ip next-hop prefix-list {random.choice(('P1', 'P3'))}",
        f"ip next-hop address 10.1.{random.randint(1, 4)}.1",
        "ip next-hop type blackhole",
        f"ip route-source prefix-list {random.choice(('P1', 'P2'))}",
        f"as-path {random.choice(('A1', 'A2', 'A3', 'A9'))}",
        f"community {random.choice(('C1', 'C2', 'CE', 'C9'))}{random.choice(('', ' exact-match'))}",
        f"large-community {random.choice(('L1', 'LE'))}{random.choice(('', ' exact-match'))}",
        f"extcommunity {random.choice(('X1', 'XE'))}",
        f"metric {random.choice((5, 50))}",
        f"local-preference {random.choice((0, 100, 250))}",
        f"origin {random.choice(('igp', 'egp', 'incomplete'))}",
        f"peer {random.choice(('10.1.1.1', '10.1.2.1', '10.1.4.1', 'local', 'GROUP'))}",
        f"tag {random.choice((5, 6))}",
        f"interface l{random.randint(1, 4)}",
        f"ip address prefix-list {random.choice(('P1', 'P2', 'P3'))}",
        f"as-path {random.choice(('A1', 'A2', 'A3'))}",
        f"community {random.choice(('C1', 'C2', 'CE'))}",
    ]


def _sets(random: Random, number: int) -> list[str]:
    return [
        f"as-path prepend {' '.join(str(a) for a in random.sample(ASNS, 2))}",
        f"as-path prepend last-as {random.randint(1, 3)}",
        f"as-path exclude {' '.join(str(a) for a in random.sample((*ASNS, 65210), 2))}",
        f"community {' '.join(random.sample(COMMUNITIES[:7], random.randint(1, 3)))}{random.choice(('', ' additive'))}",
        random.choice(("community none", "community blackhole additive", "community graceful-shutdown additive")),
        f"comm-list {random.choice(('C1', 'C2', 'CE', 'C9'))} delete",
        f"large-community {' '.join(random.sample(LARGE, 2))}{random.choice(('', ' additive'))}",
        "large-community none",
        f"large-comm-list {random.choice(('L1', 'LE'))} delete",
        f"extcommunity rt {random.choice(EXTENDED)}",
        f"extcommunity soo {random.choice(EXTENDED)}",
        f"local-preference {random.choice(('250', '+50', '-30', '100'))}",
        f"metric {random.choice(('5', '+10', '-7', '1000'))}",
        f"origin {random.choice(('igp', 'egp', 'incomplete'))}",
        f"weight {random.choice((0, 20, 40000))}",
        f"tag {random.choice((5, 6))}",
        f"ip next-hop {random.choice((f'10.1.{random.randint(1, 4)}.{random.randint(1, 3)}', '192.0.2.77'))}",
        "ip next-hop peer-address",
        "ip next-hop unchanged",
        f"ipv6 next-hop global 2001:db8:1:{random.randint(1, 4)}::{random.randint(1, 3)}",
        "ipv6 next-hop peer-address",
        "ipv6 next-hop prefer-global",
        "aggregator as 65222 192.0.2.1",
        "atomic-aggregate",
        f"originator-id 192.0.2.{number}",
    ]


if __name__ == "__main__":
    _by_hand(int(sys.argv[1]), int(sys.argv[2]))

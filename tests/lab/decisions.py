"""One router for each way to choose, all of one AS and apart, and five speakers that tell each the same drawn routes.

s1, s2 and s3 are external (s1 and s2 of one AS), i1 and i2 internal, with cluster lists and next hops further away.
Each prefix is a case of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from variants import host, router, topology

CHOICES: Mapping[str, str] = {
    "d1": "",
    "d2": "no bgp deterministic-med",
    "d3": "bgp always-compare-med",
    "d4": "no bgp deterministic-med\nbgp always-compare-med\nbgp bestpath compare-routerid",
    "d5": "bgp bestpath as-path ignore\nbgp bestpath compare-routerid",
    "d6": "bgp bestpath med missing-as-worst\nno bgp deterministic-med\nbgp bestpath compare-routerid",
    "d7": "bgp bestpath as-path multipath-relax\nmaximum-paths 2\nmaximum-paths ibgp 2",
    "d8": "bgp bestpath as-path multipath-relax\nbgp bestpath peer-type multipath-relax",
    "d9": "maximum-paths 1\nmaximum-paths ibgp 3 equal-cluster-length\nbgp bestpath med missing-as-worst confed",
    "d10": "bgp default local-preference 150\nno bgp deterministic-med\nbgp bestpath as-path confed",
}
SPEAKERS = {"s1": 65101, "s2": 65101, "s3": 65102, "i1": 65001, "i2": 65001}
PREFIXES = tuple(f"10.90.{n}.0/24" for n in range(14))


def files() -> dict[str, str]:
    nodes, links = [], []
    for number, (name, choice) in enumerate(CHOICES.items(), start=1):
        nodes.append(
            router(
                name,
                65001,
                {"lo": f"10.255.0.{number}/32", "n": f"10.8.{number}.1/24"},
                choice,
                first=f"ip route add 10.50.1.0/24 via 10.8.{number}.2 metric 5\n"
                f"ip route add 10.50.2.0/24 via 10.8.{number}.2 metric 9",
            )
        )
    nodes.append(host("h", "10.8.1.2/24", "10.8.1.1"))
    for number, name in enumerate(CHOICES):
        links.append((f"{name}:n", f"h:net{number}"))
    return topology(nodes, *links)


def speakers() -> str:
    peers = ", ".join(CHOICES)
    of = ", ".join(f"{name}: {{asn: {asn}, peers: [{peers}]}}" for name, asn in SPEAKERS.items())
    return f"speakers: {{{of}}}\n"


def routes(seed: int, *speakers: str) -> dict[tuple[str, str], str]:
    """Entries of `announce:` by speaker and prefix; a speaker leaves some out."""
    found = {}
    for prefix in PREFIXES:
        of_prefix = Random(f"{seed} {prefix}")
        # Few values, so that many steps of the process are reached.
        same_length, loose = of_prefix.random() < 0.6, of_prefix.random() < 0.5
        for speaker in SPEAKERS:
            random = Random(f"{seed} {prefix} {speaker}")
            if random.random() < 0.25:
                continue
            text = _route(random, speaker, prefix, same_length=same_length, loose=loose)
            if speaker in speakers or not speakers:
                found[speaker, prefix] = text
    return found


def _route(random: Random, speaker: str, prefix: str, *, same_length: bool, loose: bool) -> str:
    words = [f"speaker: {speaker}", f'prefix: "{prefix}"']
    first = SPEAKERS[speaker] if speaker[0] == "s" else random.choice((65101, 65102))
    path = [first, random.choice((65200, 65201)), *([65300] if not same_length and random.random() < 0.5 else [])]
    words.append(f"as-path: {path}")
    if random.random() < 0.8:
        words.append(f"med: {random.choice((0, 10, 20))}")
    if loose and random.random() < 0.2:
        words.append(f"origin: {random.choice(('igp', 'incomplete'))}")
    if speaker[0] == "i":
        if loose:
            words.append(f"local-preference: {random.choice((100, 100, 100, 120))}")
        if random.random() < 0.5:
            words.append(f"next-hop: 10.50.{random.choice((1, 2))}.{random.randint(1, 2)}")
        if random.random() < 0.6:
            clusters = ", ".join(f'"192.0.2.{n}"' for n in range(101, 101 + random.randint(1, 2)))
            words.append(f"cluster-list: [{clusters}]")
        if random.random() < 0.6:
            words.append(f'originator-id: "192.0.2.{random.choice((50, 60))}"')
    return "{" + ", ".join(words) + "}"


def announced(entries: Mapping[tuple[str, str], str]) -> str:
    return f"announce: [{', '.join(entries.values())}]"

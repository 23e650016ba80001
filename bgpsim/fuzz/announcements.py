"""Speakers, and routes with random attributes: all that an `announce:` entry takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeAlias

from bgpsim.fuzz.draft import Draft
from bgpsim.fuzz.sketch import Speaker

Entry: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, str, str, int]
"""Speaker, router, prefix and path id."""
_AS_NUMBERS = (64512, 64600, 64700, 65001, 65002, 65003, 3356, 4200000009)
_PREFIXES = (
    *(f"100.64.{n}.0/24" for n in range(6)),
    *("100.64.0.0/16", "10.2.1.0/24", "10.2.1.0/25", "10.0.0.1/32", "0.0.0.0/0"),
    *(f"2001:db8:{n}::/48" for n in range(4)),
    "2001:db8::/32",
)


def draw_speakers(random: Random, drafts: list[Draft]) -> list[Speaker]:
    made = []
    for number in range(1, random.choice((0, 1, 1, 2, 2, 3)) + 1):
        peers = random.sample(drafts, k=min(len(drafts), random.choice((1, 1, 2))))
        asn = peers[0].asn if random.random() < 0.25 else random.choice((64900 + number, 64900))
        settings: Entry = {"asn": asn}
        if random.random() < 0.1:
            settings["add-path"] = True
        if random.random() < 0.2:
            settings["router-id"] = f"192.0.2.{random.randint(100, 200)}"
        if random.random() < 0.2:
            settings["traffic"] = "answer"
        made.append(Speaker(f"s{number}", tuple(peer.name for peer in peers), settings))
    return made


def _as_path(random: Random, speaker: Speaker) -> Any:
    first = [speaker.settings["asn"]] if random.random() < 0.8 else []
    path: list[Any] = first + [random.choice(_AS_NUMBERS) for _ in range(random.randint(0, 3))]
    if random.random() < 0.15:
        path.append(sorted(random.sample(_AS_NUMBERS, k=2)))
    return path


def _communities(random: Random, speaker: Speaker) -> Any:
    known = ["no-export", "no-advertise", "local-AS", "no-peer", "blackhole", "graceful-shutdown"]
    plain = [f"{random.randint(1, 65000)}:{random.randint(0, 65535)}" for _ in range(random.randint(1, 3))]
    return plain + ([random.choice(known)] if random.random() < 0.4 else [])


def _raw(random: Random, speaker: Speaker) -> Any:
    flags = random.choice((0xC0, 0xC0, 0xE0, 0x80))
    return [{"code": random.choice((99, 100, 201)), "flags": flags, "value": f"0x{random.randint(0, 1 << 32):010x}"}]


_ATTRIBUTES: Mapping[str, tuple[float, Callable[[Random, Speaker], Any]]] = {
    "as-path": (0.6, _as_path),
    "origin": (0.5, lambda random, _: random.choice(("igp", "egp", "incomplete"))),
    "med": (0.5, lambda random, _: random.choice((0, 10, 20, 50, 4294967295))),
    "communities": (0.3, _communities),
    "large-communities": (0.15, lambda random, _: [f"{random.choice(_AS_NUMBERS)}:{random.randint(0, 9)}:1"]),
    "extended-communities": (
        0.15,
        lambda random, _: [random.choice(("target:65000:7", "origin:65000:8", "target:70000:9"))],
    ),
    "local-preference": (0.25, lambda random, _: random.choice((50, 100, 150))),
    "originator-id": (0.08, lambda random, _: f"192.0.2.{random.randint(1, 254)}"),
    "cluster-list": (0.08, lambda random, _: ["192.0.2.77", "192.0.2.78"][: random.randint(1, 2)]),
    "aggregator": (0.1, lambda random, _: f"{random.choice(_AS_NUMBERS)}:192.0.2.{random.randint(1, 254)}"),
    "atomic-aggregate": (0.1, lambda random, _: True),
    "attributes": (0.1, _raw),
}


@dataclass(slots=True)
class Announcer:
    """Remembers what is in force, so that what is withdrawn or replaced is there."""

    speakers: list[Speaker]
    standing: dict[Key, None] = field(default_factory=dict)

    def announce(self, random: Random) -> tuple[str, Entry]:
        """A speaker and the other keys of an entry."""
        speaker = random.choice(self.speakers)
        to = random.sample(speaker.peers, k=random.randint(1, len(speaker.peers)))
        prefix = random.choice(_PREFIXES)
        path_id = random.randint(1, 3) if speaker.settings.get("add-path") else 0
        for router in to:
            self.standing[speaker.name, router, prefix, path_id] = None
        return speaker.name, _entry(random, speaker, to, prefix, path_id)

    def replace(self, random: Random) -> tuple[str, Entry]:
        name, router, prefix, path_id = random.choice(list(self.standing))
        speaker = next(one for one in self.speakers if one.name == name)
        return name, _entry(random, speaker, [router], prefix, path_id)

    def withdraw(self, random: Random) -> tuple[str, Entry]:
        key = random.choice(list(self.standing))
        del self.standing[key]
        name, router, prefix, path_id = key
        return name, {"to": [router], "prefix": prefix, **({"path-id": path_id} if path_id else {})}


def _entry(random: Random, speaker: Speaker, to: list[str], prefix: str, path_id: int) -> Entry:
    entry: Entry = {"to": list(to), "prefix": prefix}
    for name, (likely, draw) in _ATTRIBUTES.items():
        if random.random() < likely:
            entry[name] = draw(random, speaker)
    if path_id:
        entry["path-id"] = path_id
    if random.random() < 0.08:
        # Somebody else's address: of a link, of a loopback, or nobody's.
        hops = ("10.1.0.1", "10.1.1.2", "10.0.0.2", "203.0.113.1") if ":" not in prefix else ("fd00:1::1", "fd00::2")
        entry["next-hop"] = random.choice(hops)
    return entry

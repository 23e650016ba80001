"""Speakers of a scenario file -> `SpeakerFile`, with the names of the interfaces on both ends of each link."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address

from bgpsim.frr_series import DEFAULT, Series
from bgpsim.inputs.files.speakers import Attachment, SpeakerFile, next_hop_beside, speaker_link_local
from bgpsim.scenario.schema import SpeakerSection
from bgpsim.source import Source

INTERFACE_NAME = 15
"""IFNAMSIZ (linux/if.h) less the final null."""
FIRST_ROUTER_ID = IPv4Address("192.0.2.1")
"""TEST-NET-1 (RFC 5737): no router of a lab has it."""


def speaker_files(
    sections: Mapping[str, SpeakerSection],
    sources: Mapping[str, Source],
    interfaces: Iterable[tuple[str, str]] = (),
    frr: Callable[[str], Series] = lambda _: DEFAULT,
) -> tuple[SpeakerFile, ...]:
    """In the order of the file; interface names are unique per device, the speakers' addresses per router.

    `interfaces`: (router, interface) of the topology's own links; `frr`: router -> its release of FRR.
    """
    on_router: dict[str, set[str]] = {}
    for router, interface in interfaces:
        on_router.setdefault(router, set()).add(interface)
    speakers_at: Counter[str] = Counter()
    made = []
    for number, (name, section) in enumerate(sections.items()):
        on_speaker: set[str] = set()
        attachments = []
        for router in section.peers:
            taken = on_router.setdefault(router, set())
            address = speaker_link_local(speakers_at[router])
            speakers_at[router] += 1
            ends = (_short(f"x-{name}", taken), _short(router, on_speaker))
            attachments.append(Attachment(router, *ends, address, next_hop_beside(address, frr(router))))
        made.append(
            SpeakerFile(
                name=name,
                asn=section.asn,
                router_id=FIRST_ROUTER_ID + number if section.router_id is None else IPv4Address(section.router_id),
                attachments=tuple(attachments),
                traffic=section.traffic,
                source=sources[name],
                add_path=section.add_path,
                engine=section.engine,
            )
        )
    return tuple(made)


def _short(name: str, taken: set[str]) -> str:
    """The name, or its beginning and the first free number where it is too long or taken; adds it to `taken`."""
    short, number = name, 0
    while len(short) > INTERFACE_NAME or short in taken:
        number += 1
        short = name[: INTERFACE_NAME - len(str(number))] + str(number)
    taken.add(short)
    return short

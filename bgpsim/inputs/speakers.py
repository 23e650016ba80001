"""What a speaker means: its device, its links, and the neighbor that each of its routers gets for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bgpsim.errors import InputError
from bgpsim.inputs.files.lab_files import Timeline
from bgpsim.inputs.files.speakers import ROUTER_LINK_LOCAL, Announcement, Attachment, SpeakerFile
from bgpsim.inputs.frr.reader import FrrReader
from bgpsim.network.description import (
    BgpInstance,
    Device,
    Interface,
    InterfaceRef,
    Neighbor,
    NeighborFamily,
    OriginatedTable,
    Origination,
    Segment,
)
from bgpsim.network.types import FAMILIES, Family


@dataclass(frozen=True, slots=True)
class AttachedSpeaker:
    devices: Mapping[str, Device]
    """The speaker, and its routers as they are with it."""
    segments: tuple[Segment, ...]


def attached(
    speaker: SpeakerFile, devices: Mapping[str, Device], readers: Mapping[str, FrrReader], timeline: Timeline
) -> AttachedSpeaker:
    """`devices`, `readers`: without this speaker. Raises InputError for a peer that runs no BGP."""
    changed: dict[str, Device] = {}
    for link in speaker.attachments:
        router, reader = changed.get(link.router, devices[link.router]), readers[link.router]
        if reader.booted is None or (router.bgp is None and not reader.removed):
            raise InputError(
                f"speaker {speaker.name}: found the peer {link.router!r}, expected a router that runs BGP",
                file=speaker.source.file,
                line=speaker.source.line,
            )
        changed[link.router] = _with_peer(router, speaker, link, reader)
    changed[speaker.name] = _device(speaker, readers, timeline)
    return AttachedSpeaker(changed, tuple(_segment(speaker, link) for link in speaker.attachments))


def _segment(speaker: SpeakerFile, link: Attachment) -> Segment:
    ends = (InterfaceRef(speaker.name, link.speaker_interface), InterfaceRef(link.router, link.router_interface))
    return Segment(ends, speaker.source)


def _families() -> dict[Family, NeighborFamily]:
    return {family: NeighborFamily() for family in FAMILIES}


def _with_peer(router: Device, speaker: SpeakerFile, link: Attachment, reader: FrrReader) -> Device:
    peer = Neighbor(
        name=str(link.speaker_address),
        address=link.speaker_address,
        interface=link.router_interface,
        remote_as=speaker.asn,
        families=_families(),
        hold_time=reader.profile.hold_time,
        keepalive=reader.profile.keepalive,
        connect_retry=1,
        extended_nexthop=True,
        add_path=speaker.add_path,
        source=speaker.source,
        sources=(speaker.source,),
    )
    port = Interface(link.router_interface, link_local=ROUTER_LINK_LOCAL, source=speaker.source)
    bgp = router.bgp
    if bgp is not None and not reader.removed:
        bgp = replace(bgp, neighbors=(*bgp.neighbors, peer))
    return replace(router, interfaces=(*router.interfaces, port), bgp=bgp)


def _device(speaker: SpeakerFile, readers: Mapping[str, FrrReader], timeline: Timeline) -> Device:
    interfaces = [Interface("lo", mtu=65536)]
    neighbors = []
    originated: list[Origination] = []
    tables: list[OriginatedTable] = []
    for link in speaker.attachments:
        router_as = readers[link.router].booted
        assert router_as is not None
        interfaces.append(Interface(link.speaker_interface, link_local=link.speaker_address, source=speaker.source))
        neighbors.append(
            Neighbor(
                name=link.speaker_interface,
                address=ROUTER_LINK_LOCAL,
                interface=link.speaker_interface,
                remote_as=router_as,
                families=_families(),
                extended_nexthop=True,
                add_path=speaker.add_path,
                source=speaker.source,
                sources=(speaker.source,),
            )
        )
        here = (speaker.name, link.router)
        originated += [_origination(a, link) for a in timeline.announced if (a.speaker, a.router) == here]
        tables += [
            OriginatedTable(_origination(group.like, link), group.prefixes)
            for table in timeline.tables
            if (table.speaker, table.router) == here
            for group in table.groups
        ]
    return Device(
        speaker.name,
        "speaker",
        tuple(interfaces),
        forwards=False,
        bgp=BgpInstance(
            engine=speaker.engine,
            asn=speaker.asn,
            router_id=speaker.router_id,
            neighbors=tuple(neighbors),
            originated=tuple(originated),
            tables=tuple(tables),
            ebgp_requires_policy=False,
            installs=False,
            source=speaker.source,
        ),
        traffic=speaker.traffic,
        source=speaker.source,
    )


def _origination(a: Announcement, link: Attachment) -> Origination:
    return Origination(
        prefix=a.prefix,
        to=(link.speaker_interface,),
        as_path=a.as_path,
        origin=a.origin,
        next_hop=a.next_hop,
        med=a.med,
        communities=a.communities,
        large_communities=a.large_communities,
        extended_communities=a.extended_communities,
        local_preference=a.local_preference,
        originator_id=a.originator_id,
        cluster_list=a.cluster_list,
        aggregator=a.aggregator,
        atomic_aggregate=a.atomic_aggregate,
        unknown=a.unknown,
        path_id=a.path_id,
        source=a.source,
    )

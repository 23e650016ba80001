"""The router's side of an attachment: FRR is given a neighbor for the speaker, line by line, and asked what it has."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bgpsim.agent.protocol import Agent
from bgpsim.errors import DeviceDied, LabError
from bgpsim.inputs.files.speakers import Attachment, SpeakerFile
from bgpsim.network.types import Prefix

_INSTANCE = re.compile(r"^router bgp ([\d.]+)$", re.M)
# What FRR says of a line that it does not take (lib/command.c, vtysh/vtysh.c).
_REFUSAL = re.compile(r"^(?:% .*|.*[Uu]nknown command.*)$", re.M)


@dataclass(frozen=True, slots=True)
class NeighborState:
    """The router's own view of the session to the speaker (`show bgp neighbors ADDRESS json`)."""

    state: str
    """FRR's word: Established, Idle, Active …"""
    updates_received: int
    """UPDATE messages since the router knows the neighbor, End-of-RIB markers among them."""

    @property
    def established(self) -> bool:
        return self.state == "Established"


def router_asn(agent: Agent, router: str) -> int:
    """The AS of the router's default BGP instance, asked of bgpd. Raises LabError when it runs none."""
    found = _INSTANCE.search(_show(agent, router, "show running-config"))
    if found is None:
        raise LabError(f"{router} runs no BGP instance, so a speaker cannot peer with it")
    return _asn(found[1])


def router_lines(speaker: SpeakerFile, attachment: Attachment, asn: int) -> tuple[str, ...]:
    """The configuration that the router is given. IPv4 routes get IPv6 next hops (RFC 8950): no IPv4 link is needed."""
    neighbor = f"neighbor {attachment.speaker_address}"
    # FRR takes several paths from whoever offers them; to send them it must be told.
    several = (f"{neighbor} addpath-tx-all-paths",) if speaker.add_path else ()
    return (
        f"router bgp {asn}",
        f"{neighbor} remote-as {speaker.asn}",
        f"{neighbor} interface {attachment.router_interface}",
        f"{neighbor} capability extended-nexthop",
        f"{neighbor} timers connect 1",
        "address-family ipv4 unicast",
        f"{neighbor} activate",
        *several,
        "exit-address-family",
        "address-family ipv6 unicast",
        f"{neighbor} activate",
        *several,
        "exit-address-family",
    )


def configure_router(agent: Agent, router: str, lines: Sequence[str]) -> None:
    """Type the lines. Raises LabError with FRR's answer when it refuses one: vtysh stops there."""
    command = ["vtysh", "-c", "configure terminal"]
    for line in lines:
        command += ["-c", line]
    done = agent.call("nodes.run", device=router, command=command)
    refusal = _REFUSAL.search(done["output"])
    if done["exit_code"] or refusal:
        said = refusal[0] if refusal else done["output"].strip() or f"exit code {done['exit_code']}"
        raise LabError(
            f"{router} refused a line of the speaker's attachment: {said}", log=(*lines, *done["output"].splitlines())
        )


def neighbor_state(agent: Agent, link: Attachment) -> NeighborState:
    """Raises DeviceDied when bgpd is gone, LabError when it does not know the speaker."""
    address = str(link.speaker_address)
    shown = json.loads(_show(agent, link.router, f"show bgp neighbors {address} json"))
    neighbor = shown.get(address)
    if neighbor is None:
        raise LabError(f"{link.router} has no neighbor {address}: the speaker's attachment was removed")
    return NeighborState(neighbor["bgpState"], neighbor["messageStats"]["updatesRecv"])


def has_route(agent: Agent, link: Attachment, prefix: Prefix, path_id: int = 0) -> bool:
    """Whether the router has a path for `prefix` from the speaker, with that id (RFC 7911)."""
    shown = json.loads(_show(agent, link.router, f"show bgp ipv{prefix.version} unicast {prefix} json"))
    return any(
        path["peer"].get("peerId") == str(link.speaker_address) and path.get("addpathRxId", 0) == path_id
        for path in shown.get("paths", ())
    )


def _show(agent: Agent, router: str, command: str) -> str:
    shown = agent.call("frr.show", devices=[router], commands=[command])[router]
    if shown is None:
        raise DeviceDied(f"{router}: bgpd ended by itself")
    text: str = shown[0]
    return text


def _asn(text: str) -> int:
    """asplain or asdot (RFC 5396)."""
    high, dot, low = text.rpartition(".")
    return int(high) * 65536 + int(low) if dot else int(text)

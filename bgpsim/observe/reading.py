"""All planes of a running lab in one reading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bgpsim.agent.protocol import Agent, LabDevice
from bgpsim.network.state import FlowKey, NetworkState, SessionKey
from bgpsim.network.types import FAMILIES
from bgpsim.observe.bgp import (
    FRR_COMMANDS,
    BgpPlane,
    advertised_commands,
    read_advertised,
    read_frr,
    read_gobgp,
    several_paths,
)
from bgpsim.observe.bgp_wire.plane import contradicted, read_wire
from bgpsim.observe.fib import read_fib
from bgpsim.observe.kernels import Kernels
from bgpsim.observe.long_answers import MOST, elements, parts
from bgpsim.observe.owners import owners
from bgpsim.observe.path import read_paths
from bgpsim.observe.speakers import speaker_session
from bgpsim.observe.wire import net_effect


def observe(agent: Agent, devices: Mapping[str, LabDevice], flows: Sequence[FlowKey]) -> NetworkState:
    """Read sessions, tables and kernel routes of every router and node, follow packets, and what speakers were sent.

    `devices` may be a part of the lab that no link joins to the rest: nothing of the rest is read.
    """
    kernels = Kernels(agent, agent.call("netlink.dump", devices=sorted(devices), most=MOST), flows)
    known = owners(kernels.dumps, agent.call("nodes.links"))
    routers = sorted(name for name, device in devices.items() if device.engine == "frr")
    nodes = sorted(name for name, device in devices.items() if device.role == "node" and device.engine == "gobgp")
    plane = BgpPlane()
    for name in routers:
        answers = _shown(agent, name, FRR_COMMANDS)
        if answers is None:
            plane.not_observed[name] = "bgpd does not answer"
            continue
        read_frr(plane, name, answers, known)
        several: frozenset[str] = frozenset()
        if name in plane.add_path:
            (told,) = agent.call("frr.show", devices=[name], commands=["show bgp neighbors json"])[name] or ("{}",)
            several = several_paths(told)
        asked = advertised_commands(plane, name, several)
        for family, neighbor, command in asked:
            for answer in _shown(agent, name, [command]) or ():
                read_advertised(plane, name, family, neighbor, answer, known)
        plane.known.clear()  # it is of this router alone
    for name, tables in agent.call("gobgp.tables", devices=nodes).items():
        if tables is None:
            plane.not_observed[name] = "gobgpd does not answer"
        else:
            read_gobgp(plane, name, tables, known)
    routing = [name for name in kernels.dumps if devices[name].role in ("router", "node", "host")]
    fib = read_fib(((name, family, kernels.routes(name, family)) for name in routing for family in FAMILIES), known)
    speaking = [name for name, device in devices.items() if device.role == "speaker"]
    for told in agent.call("speaker.alive") if speaking else ():
        if told["speaker"] not in devices:
            continue
        plane.sessions[SessionKey(told["speaker"], told["router"])] = speaker_session(told)
    told = parts(agent, "bgp_capture", agent.call("bgp_capture.sessions", most=MOST))
    captured = read_wire(elements(told), plane.sessions, devices, known)
    if speaking:
        # GoBGP gives no account of what it heard and sent: of its speakers the capture alone tells.
        accounted = [name for name in speaking if devices[name].engine == "exabgp"]
        contradicted(captured, net_effect(_standing(agent, devices), known.between), accounted)
    ways = read_paths(agent, devices, agent.call("nodes.gateways"), flows, kernels.dumps, known)
    return NetworkState(
        sessions=plane.sessions,
        paths=plane.paths.grouped(),
        advertised=plane.advertised.grouped(),
        fib=fib,
        forwarding=ways.forwarding,
        wire=captured.facts,
        not_observed={"bgp": plane.not_observed, "path": ways.not_observed, "wire": captured.not_observed},
    )


def _standing(agent: Agent, devices: Mapping[str, LabDevice]) -> Iterator[Mapping[str, Any]]:
    told = elements(parts(agent, "speaker", agent.call("speaker.standing", most=MOST)))
    return (event for event in told if event["speaker"] in devices)


def _shown(agent: Agent, router: str, commands: Sequence[str]) -> list[Iterator[str]] | None:
    """bgpd's answers, each in parts; None where it does not answer."""
    answers = agent.call("frr.show", devices=[router], commands=commands, most=MOST)[router]
    return None if answers is None else [parts(agent, "frr", answer) for answer in answers]

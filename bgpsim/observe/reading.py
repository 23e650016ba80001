"""All planes of a running lab in one reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bgpsim.agent.protocol import Agent, LabDevice
from bgpsim.network.state import FlowKey, NetworkState, SessionKey
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
from bgpsim.observe.owners import owners
from bgpsim.observe.path import read_paths
from bgpsim.observe.speakers import speaker_session
from bgpsim.observe.wire import net_effect


def observe(agent: Agent, devices: Mapping[str, LabDevice], flows: Sequence[FlowKey]) -> NetworkState:
    """Read sessions, tables and kernel routes of every router and node, follow packets, and what speakers were sent."""
    dumps = agent.call("netlink.dump", devices=sorted(devices))
    known = owners(dumps, agent.call("nodes.links"))
    routers = sorted(name for name, device in devices.items() if device.engine == "frr")
    nodes = sorted(name for name, device in devices.items() if device.engine == "gobgp")
    plane = BgpPlane()
    for name, answers in agent.call("frr.show", devices=routers, commands=FRR_COMMANDS).items():
        if answers is None:
            plane.not_observed[name] = "bgpd does not answer"
            continue
        read_frr(plane, name, answers, known)
        several: frozenset[str] = frozenset()
        if name in plane.add_path:
            (told,) = agent.call("frr.show", devices=[name], commands=["show bgp neighbors json"])[name] or ("{}",)
            several = several_paths(told)
        asked = advertised_commands(plane, name, several)
        sent = agent.call("frr.show", devices=[name], commands=[command for _, _, command in asked])[name]
        for (family, neighbor, _), answer in zip(asked, sent or (), strict=True):
            read_advertised(plane, name, family, neighbor, answer, known)
    for name, tables in agent.call("gobgp.tables", devices=nodes).items():
        if tables is None:
            plane.not_observed[name] = "gobgpd does not answer"
        else:
            read_gobgp(plane, name, tables, known)
    routing = {name: dump for name, dump in dumps.items() if devices[name].role in ("router", "node", "host")}
    speaking = [name for name, device in devices.items() if device.role == "speaker"]
    for told in agent.call("speaker.alive") if speaking else ():
        plane.sessions[SessionKey(told["speaker"], told["router"])] = speaker_session(told)
    captured = read_wire(agent.call("bgp_capture.sessions"), plane.sessions, devices, known)
    if speaking:
        contradicted(captured, net_effect(agent.call("speaker.updates"), known.between), speaking)
    ways = read_paths(agent, devices, agent.call("nodes.gateways"), flows, dumps, known)
    return NetworkState(
        sessions=plane.sessions,
        paths=plane.paths,
        advertised=plane.advertised,
        fib=read_fib(routing, known),
        forwarding=ways.forwarding,
        wire=captured.facts,
        not_observed={"bgp": plane.not_observed, "path": ways.not_observed, "wire": captured.not_observed},
    )

"""A sketch as files, as a user has them: a containerlab topology with FRR's configuration in it, and a scenario.

Always the same bytes for the same sketch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from bgpsim.fuzz.sketch import Action, Line, Router, Section, Sketch, Speaker, Step

ROUTER_IMAGE = "frrouting/frr:v8.4.4"
_HOST_IMAGE = "nicolaka/netshoot:latest"
_FAMILIES: Sequence[Section] = ("ipv4", "ipv6")


def lab_files(sketch: Sketch, image: str = ROUTER_IMAGE) -> Mapping[str, str]:
    """File name -> text."""
    return {"topo.yml": _text(_topology(sketch, image)), "scenario.yaml": _text(_scenario(sketch))}


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _topology(sketch: Sketch, image: str) -> Iterator[str]:
    yield f"# {sketch.about}"
    yield f"name: {sketch.name}"
    yield "topology:"
    yield "  kinds:"
    yield "    linux: {network-mode: none}"
    yield "  nodes:"
    for router in sketch.routers:
        yield f"    {router.name}:"
        yield "      kind: linux"
        yield f"      image: {image}"
        yield "      exec:"
        yield from (f"        - {line}" for line in router.commands)
        yield "        - touch /etc/frr/vtysh.conf"
        yield "        - rm -f /etc/frr/frr.conf"
        yield "        - sed -i -e 's/bgpd=no/bgpd=yes/g' /etc/frr/daemons"
        yield "        - /usr/lib/frr/frrinit.sh start"
        yield "        - >-"
        yield "          vtysh -c 'conf t'"
        yield from (f"          -c '{line}'" for line in configuration(router))
    for host in sketch.hosts:
        yield f"    {host.name}:"
        yield "      kind: linux"
        yield f"      image: {_HOST_IMAGE}"
        yield "      exec:"
        yield from (f"        - {line}" for line in host.commands)
    yield "  links:"
    for (a, a_interface), (b, b_interface) in sketch.links:
        yield f'    - endpoints: ["{a}:{a_interface}", "{b}:{b_interface}"]'


def configuration(router: Router) -> Iterator[str]:
    """Its lines in the order in which they are typed."""
    yield from _texts(router.lines, "config")
    yield f"router bgp {router.asn}"
    yield from _texts(router.lines, "bgp")
    for family in _FAMILIES:
        inside = list(_texts(router.lines, family))
        if inside:
            yield f"address-family {family} unicast"
            yield from inside
            yield "exit-address-family"


def typed(router: Router, section: Section, text: str) -> list[str]:
    """A line of that section as it is typed on the running router."""
    before = {"config": [], "bgp": [f"router bgp {router.asn}"]}.get(
        section, [f"router bgp {router.asn}", f"address-family {section} unicast"]
    )
    return [*before, *text.splitlines()]


def _texts(lines: Sequence[Line], section: Section) -> Iterator[str]:
    for line in lines:
        if line.section == section:
            yield from line.text.splitlines()


def _scenario(sketch: Sketch) -> Iterator[str]:
    yield f"# {sketch.about}"
    yield f"name: {sketch.name}"
    yield "lab: {topology: topo.yml, ecmp: forced}"
    if sketch.speakers:
        yield "speakers:"
        yield from (f"  {speaker.name}: {_flow(_section(speaker))}" for speaker in sketch.speakers)
    yield "steps:"
    for step in sketch.steps:
        yield from _step(step)


def _section(speaker: Speaker) -> dict[str, Any]:
    return {**speaker.settings, "peers": list(speaker.peers)}


def _step(step: Step) -> Iterator[str]:
    yield f"  - name: {step.name}"
    by_key: dict[str, list[Action]] = {}
    for action in step.actions:
        by_key.setdefault(action.key, []).append(action)
    for key, actions in by_key.items():
        yield f"    {key}:"
        for action in actions:
            if key == "configure":
                yield f"      {action.device}: {_flow(list(action.value))}"
            elif key in ("announce", "replace", "withdraw"):
                yield f"      - {_flow({'speaker': action.device, **action.value})}"
            else:
                yield f'      - "{action.device}:{action.value}"'


def _flow(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=1 << 20, sort_keys=False).strip()

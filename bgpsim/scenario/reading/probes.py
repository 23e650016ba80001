"""The `probe:` of a step -> `Probe`, its pairs by name -> flows. Errors point to the line."""

from __future__ import annotations

from bgpsim.inputs.files.part import Problems
from bgpsim.inputs.quantities import microseconds
from bgpsim.network.description import Network
from bgpsim.network.state import FlowKey
from bgpsim.scenario.reading.document import Document
from bgpsim.scenario.reading.endpoints import Endpoints
from bgpsim.scenario.reading.names import problem
from bgpsim.scenario.schema import ContinuousSection, Pair, ProbeSection
from bgpsim.scenario.timeline import Continuous, Probe

MOST_A_SECOND = 2400
"""Packets: each passes five devices or more, and is seen twice at each, on a machine that runs the routers too."""


def read_probe(
    section: str | ProbeSection | None, at: tuple[str | int, ...], document: Document, network: Network
) -> Probe:
    """Raises InputError, all problems together."""
    if section is None:
        return Probe()
    if isinstance(section, str):
        section = ProbeSection(continuous=ContinuousSection())
    asked = section.continuous
    continuous = None if asked is None else _continuous(asked, (*at, "probe", "continuous"), document, network)
    return Probe(continuous, tuple(sorted(set(section.sizes))))


def _continuous(
    section: ContinuousSection, at: tuple[str | int, ...], document: Document, network: Network
) -> Continuous:
    ends, problems = Endpoints(network), Problems()
    interval = microseconds(section.interval) / 1e6
    flows: set[FlowKey] | None = None if section.pairs is None else set()
    for number, pair in enumerate(section.pairs or ()):
        with problems.collected():
            assert flows is not None
            flows.update(ends.one_way(pair.from_, pair.to, document.source(*at, "pairs", number)))
    control = None
    with problems.collected():
        control = _control(section.control, (*at, "control"), document, ends)
    rate = round(len(flows or ()) / interval)
    if rate > MOST_A_SECOND:
        problems.found.append(
            problem(
                document.source(*at, "pairs"),
                f"found {len(flows or ())} pairs with an interval of {section.interval}, {rate} packets a second;"
                f" expected at most {MOST_A_SECOND}",
                "name fewer pairs, or a longer interval",
            )
        )
    problems.raise_all()
    return Continuous(
        flows=None if flows is None else tuple(sorted(flows)),
        interval=interval,
        control=control,
        at_most=None if section.lost is None else microseconds(section.lost.at_most) / 1e6,
        source=document.source(*at),
    )


def _control(pair: Pair | None, at: tuple[str | int, ...], document: Document, ends: Endpoints) -> FlowKey | None:
    """The first of its flows: one address family is enough."""
    if pair is None:
        return None
    found = ends.one_way(pair.from_, pair.to, document.source(*at))
    if len({(flow.source, flow.target) for flow in found}) > 1:
        raise problem(
            document.source(*at),
            f"control: '{pair.from_}' to '{pair.to}' are {len(found)} pairs; expected one",
        )
    return found[0]

"""`impair:` and `link-down: [{link, silent: true}]` of a step -> actions and what they make of the timeline."""

from __future__ import annotations

from dataclasses import replace

from bgpsim.inputs.files.impairments import MOST_DELAY, Impaired, Impairment
from bgpsim.inputs.files.lab_files import Timeline
from bgpsim.inputs.quantities import bits_per_second, duration_text, microseconds, per_cent
from bgpsim.network.description import Network
from bgpsim.scenario.reading.names import Names, problem
from bgpsim.scenario.schema import ImpairEntry
from bgpsim.scenario.timeline import Impair, Silence
from bgpsim.source import Source


def read_impairment(entry: ImpairEntry, names: Names, source: Source) -> Impair:
    """Raises InputError for a link that is none, or values that do not go together."""
    device, interface, _ = link_ends(entry.link, names, source)
    impairment = Impairment(
        microseconds(entry.delay), microseconds(entry.jitter), per_cent(entry.loss), bits_per_second(entry.rate)
    )
    if impairment.jitter > impairment.delay:
        found = f"jitter {entry.jitter} with delay {entry.delay}"
        raise problem(source, f"{found}: a packet cannot be early; expected a jitter of at most the delay")
    if impairment.delay + impairment.jitter > MOST_DELAY:
        found = duration_text(impairment.delay + impairment.jitter)
        raise problem(source, f"a delay of {found}; expected at most {duration_text(MOST_DELAY)}, jitter included")
    if impairment.nothing and not entry.clear and not entry.model_fields_set & {"delay", "jitter", "loss", "rate"}:
        raise problem(source, "nothing is impaired; expected delay, jitter, loss or rate, or `clear: true`")
    return Impair(device, interface, impairment, both=entry.direction == "both")


def link_ends(text: str, names: Names, source: Source) -> tuple[str, str, tuple[str, str]]:
    """Device and interface as named, and the other end. Raises InputError for what is no link between two ends."""
    device, interface = names.interface(text, source)
    other = _other(names.network, (device, interface))
    if other is None:
        raise problem(
            source,
            f"{device}:{interface} is on a management network or a bridge; expected a link between two interfaces",
        )
    return device, interface, other


def _other(network: Network, end: tuple[str, str]) -> tuple[str, str] | None:
    for segment in network.segments:
        ends = [(e.device, e.interface) for e in segment.ends]
        if end in ends and len(ends) == 2 and not segment.management and not segment.bridged:
            ends.remove(end)
            return ends[0]
    return None


def after_impairment(timeline: Timeline, action: Impair, network: Network, source: Source) -> Timeline:
    end = (action.device, action.interface)
    other = _other(network, end)
    assert other is not None
    ends = (end, other) if action.both else (end,)
    kept = tuple(i for i in timeline.impaired if (i.device, i.interface) not in ends)
    new = tuple(Impaired(*e, action.impairment, source, action.both) for e in ends if not action.impairment.nothing)
    return replace(timeline, impaired=kept + new)


def after_silence(timeline: Timeline, action: Silence, network: Network) -> Timeline:
    end = (action.device, action.interface)
    other = _other(network, end)
    assert other is not None
    kept = tuple(e for e in timeline.silenced if e not in (end, other))
    return replace(timeline, silenced=(*kept, end, other))


def after_link_up(timeline: Timeline, device: str, interface: str, network: Network) -> Timeline:
    """The link is silent no more, whichever end the link-up names."""
    end = (device, interface)
    gone = (end, _other(network, end))
    return replace(timeline, silenced=tuple(e for e in timeline.silenced if e not in gone))

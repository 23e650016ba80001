"""`node-down`, `session-down` and `configure` of a step: read, checked, and what they make of the timeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from bgpsim.inputs.files.lab_files import LabFiles, Timeline, TypedLines
from bgpsim.inputs.frr.edits import chooses_anew, sessions_reset
from bgpsim.network.description import BgpInstance, Network
from bgpsim.scenario.reading.events import session
from bgpsim.scenario.reading.names import Names, problem
from bgpsim.scenario.timeline import Action, Configure, SetNode, SetSession
from bgpsim.source import Source


@dataclass(frozen=True, slots=True)
class Change:
    """What an action makes of the timeline, and of the moments in between."""

    timeline: Timeline
    actions: tuple[Action, ...]
    interim: tuple[Timeline, ...] = ()
    """While a session that it resets is down."""
    chosen_anew: frozenset[str] = field(default_factory=frozenset)
    """See `Network.chosen_anew`."""


@dataclass(frozen=True, slots=True)
class DeviceActions:
    """Each raises InputError for what cannot be done in the lab as the timeline has left it."""

    files: LabFiles
    build: Callable[[LabFiles, Timeline], Network]
    lodgers: Mapping[str, str]
    """As in `Names`."""

    def node(self, name: str, up: bool, timeline: Timeline, source: Source) -> Change:
        """All that was typed and set on a device goes with it; it comes back as its files make it."""
        names = Names(self.build(self.files, timeline), self.lodgers)
        device = names.device(name, source, ("router", "node", "host"))
        if device.away == (not up):
            state = "up" if up else "down"
            raise problem(source, f"{name} is {state} here already; expected one that is {'down' if up else 'up'}")
        if up:
            left = tuple(other for other in timeline.nodes_down if other != name)
            return Change(replace(timeline, nodes_down=left), (SetNode(name, True),))
        gone = replace(
            timeline,
            nodes_down=(*timeline.nodes_down, name),
            interfaces_down=tuple(end for end in timeline.interfaces_down if end[0] != name),
            interfaces_cut=tuple(end for end in timeline.interfaces_cut if end[0] != name),
            configured=tuple(typed for typed in timeline.configured if typed.device != name),
            sessions_shut=tuple(end for end in timeline.sessions_shut if end[0] != name),
        )
        return Change(gone, (SetNode(name, False),))

    def session(self, text: str, up: bool, timeline: Timeline, source: Source) -> Change:
        """A router's own neighbor is shut by a line, as others that are typed; so a later line can undo it."""
        network = self.build(self.files, timeline)
        device, name = session(text, network, source)
        bgp = network.devices[device].bgp
        assert bgp is not None
        if next(n for n in bgp.neighbors if n.name == name).shutdown != up:
            raise problem(
                source,
                f"the session {device}:{name} is {'not ' if up else ''}shut down here"
                f"{'' if up else ' already'}; expected one that is{'' if up else ' not'}",
            )
        action = SetSession(device, name, up, source)
        end = (device, name)
        if bgp.engine == "frr" and name not in self._speakers_neighbors(device):
            return replace(self.configure(typed_session(action), timeline), actions=(action,))
        shut = tuple(other for other in timeline.sessions_shut if other != end)
        return Change(replace(timeline, sessions_shut=shut if up else (*shut, end)), (action,))

    def after_manifests(self, before: Timeline, now: Timeline) -> Timeline:
        """A node whose GoBGP starts anew has forgotten that a session was shut."""
        if not now.sessions_shut or before.applied == now.applied:
            return now
        then, after = (self.build(self.files, replace(t, sessions_shut=())).devices for t in (before, now))
        kept = (end for end in now.sessions_shut if then[end[0]].bgp == after[end[0]].bgp)
        return replace(now, sessions_shut=tuple(kept))

    def _speakers_neighbors(self, router: str) -> set[str]:
        links = [link for speaker in self.files.speakers for link in speaker.attachments]
        return {str(link.speaker_address) for link in links if link.router == router}

    def configure(self, typed: TypedLines, timeline: Timeline) -> Change:
        """Line by line, for each may reset sessions, and a later one may undo what it says."""
        device, source = typed.device, typed.lines[0]
        network = self.build(self.files, timeline)
        Names(network).present(device, source, ("router",))
        before = network.devices[device].bgp
        reset: frozenset[str] = frozenset()
        anew = False
        bgp = before
        for number in range(len(typed.lines)):
            then = replace(typed, lines=typed.lines[: number + 1])
            after = self._instance(device, replace(timeline, configured=(*timeline.configured, then)))
            reset |= sessions_reset(bgp, after)
            anew = anew or chooses_anew(bgp, after)
            bgp = after
        made = replace(timeline, configured=(*timeline.configured, typed))
        still = () if bgp is None else (n.name for n in bgp.neighbors if n.name in reset and not n.shutdown)
        ends = tuple((device, name) for name in sorted(still))
        interim = (replace(made, sessions_shut=(*made.sessions_shut, *ends)),) if ends else ()
        return Change(made, (Configure(typed),), interim, frozenset((device,)) if anew else frozenset())

    def _instance(self, device: str, timeline: Timeline) -> BgpInstance | None:
        return self.build(self.files, timeline).devices[device].bgp


def typed_session(action: SetSession) -> TypedLines:
    """The lines that shut a router's session down, or bring it back."""
    line = f"{'no ' if action.up else ''}neighbor {action.neighbor} shutdown"
    source = action.source
    return TypedLines(action.device, tuple(Source(source.file, source.line, text) for text in ("router bgp", line)))


def typed_lines(device: str, lines: str | list[str], source: Callable[..., Source]) -> TypedLines:
    """`source`: of the whole text, or of the line with a number. A text of several lines is as many."""
    texts = [(line, source()) for line in lines.splitlines()] if isinstance(lines, str) else []
    texts += [(line, source(number)) for number, line in enumerate(lines)] if isinstance(lines, list) else []
    written = tuple(Source(at.file, at.line, text.strip()) for text, at in texts if text.strip())
    if not written:
        raise problem(source(), f"nothing is typed on {device}; expected configuration lines")
    broken = next((line for line in written if not line.text.isprintable() or line.text.endswith("?")), None)
    if broken is not None:
        raise problem(
            broken, f"{broken.text!r} cannot be typed; expected one line of printable characters, without `?`"
        )
    return TypedLines(device, written)

"""`bgpsim diff` in the terminal: what changed, shortest way to read it first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape

from bgpsim.check.diff import PairChange, RouteChange, SessionChange, StateDiff
from bgpsim.check.gathering import Group, gathered
from bgpsim.check.step_diff import Differences, StatePair, StepDiff
from bgpsim.network.state import NetworkState
from bgpsim.report.lines import say

SHOWN = 8
"""Groups of routes, sessions or pairs of one kind, without -v."""
_SIGNS = {"added": "[green]+[/]", "removed": "[red]−[/]", "changed": "[yellow]~[/]"}  # noqa: RUF001
_MIXED = "[yellow]±[/]"


class DiffText:
    """Prints to a console; `verbose`: nothing is shortened."""

    def __init__(self, console: Console, verbose: bool = False) -> None:
        self.console = console
        self.limit = None if verbose else SHOWN

    def show(self, found: Differences) -> None:
        self._say(f"[bold]{escape(found.a)}[/] → [bold]{escape(found.b)}[/]")
        for note in found.notes:
            self._say(f"[yellow]note:[/] {escape(note)}", 2)
        equal = [step for step in found.steps if not step.differs]
        for step in found.steps:
            if step.differs:
                self._say()
                self._step(step, found)
        if equal:
            self._say()
            names = ", ".join(_name(step, found) for step in equal)
            self._say(f"[green]=[/] {escape(names)}: no difference  [dim]({_size(equal)})[/]", 2)
        for side, names_ in ((found.a, found.only_a), (found.b, found.only_b)):
            if names_:
                self._say(f"[red]only in {escape(side)}:[/] {escape(', '.join(names_))}", 2)
        for what in found.unread:
            self._say(f"[yellow]not compared:[/] {escape(what)}", 2)

    def _say(self, text: str = "", indent: int = 0) -> None:
        say(self.console, text, indent)

    def _step(self, step: StepDiff, found: Differences) -> None:
        views = step.views()
        self._say(f"[bold]{escape(_name(step, found))}[/]", 2)
        for title, pair in views:
            if pair.change.empty:
                self._say(f"[dim]{title}:[/] no difference", 4)
                continue
            self._say(f"[dim]{title}[/]", 4)
            self._change(pair)

    def _change(self, pair: StatePair) -> None:
        change = pair.change
        self._sessions(change.sessions)
        groups = gathered(change)
        if groups:
            self._say(f"routes: {counted(change)}", 4)
            for group in self._shown(groups):
                self._group(group)
            self._more(groups, "groups of routes", 6)
        self._apart(change, bool(groups or change.sessions))
        for word, colour, pairs in (
            ("lost", "red", change.lost),
            ("gained", "green", change.gained),
            ("moved", "yellow", change.moved),
            ("gone", "red", change.gone),
            ("new", "green", change.new),
        ):
            for one in self._shown(pairs):
                self._pair(word, colour, one)
            self._more(pairs, word, 4)
        if pair.before.forwarding or pair.after.forwarding:
            (before, of_before), (after, of_after) = map(_delivered, (pair.before, pair.after))
            total = f" of {of_before}" if of_before != of_after else ""
            self._say(f"reachability: {before}{total} → {after} of {of_after} ordered pairs delivered", 4)

    def _sessions(self, sessions: Sequence[SessionChange]) -> None:
        for session in self._shown(sessions):
            peer = f" ({session.peer})" if session.peer and session.peer != session.key.neighbor else ""
            colour = "green" if session.came else "red"
            because = f"  [dim]{escape(session.because)}[/]" if session.because and not session.came else ""
            self._say(
                f"[{colour}]session[/] {escape(session.key.device)} {escape(session.key.neighbor + peer)}: "
                f"{session.before or 'not configured'} → {session.after or 'not configured'}{because}",
                4,
            )
        self._more(sessions, "session ends", 4)

    def _group(self, group: Group) -> None:
        kinds = {change.kind for change in group.changes}
        sign = _SIGNS[group.begins.kind] if len(kinds) == 1 else _MIXED
        self._say(f"{sign} [bold]{escape(group.title)}[/]  {escape(beginning(group))}", 6)
        for line in values(group.begins):
            self._say(escape(line), 10)
        if len(group.changes) > 1:
            self._say(f"[dim]{escape(group.places_text())}[/]", 10)

    def _apart(self, change: StateDiff, follows: bool) -> None:
        """Mostly follows from the routes and sessions: counted, and listed where there are none to follow from."""
        for what, found in (("Adj-RIB-Out entries", change.advertised), ("routes on the wire", change.wire)):
            if found:
                self._say(f"[dim]{what} changed: {len(found)}[/]", 4)
            listed = found if self.limit is None or not follows else ()
            for route in self._shown(listed):
                place = " ".join(filter(None, (route.device, route.peer, route.prefix)))
                self._say(f"{_SIGNS[route.kind]} {escape(place)}", 6)
                for line in values(route):
                    self._say(escape(line), 10)
            self._more(listed, what, 6)
        counters = change.counters if self.limit is None or not follows else ()
        for counter in self._shown(counters):
            self._say(
                f"{escape(counter.key.device)} {escape(counter.key.neighbor)} {counter.family}: {counter.counter} "
                f"{counter.before} → {counter.after}",
                4,
            )
        self._more(counters, "counters", 4)

    def _pair(self, word: str, colour: str, pair: PairChange) -> None:
        self._say(f"[{colour}]{word}[/] {escape(pair.flow.source)} → {escape(pair.flow.target)}", 4)
        if pair.before:
            self._say(f"[dim]before[/]  {escape(pair.before)}", 8)
        if pair.after:
            self._say(f"[dim]after [/]  {escape(pair.after)}", 8)

    def _shown(self, found: Sequence) -> Sequence:  # type: ignore[type-arg]
        return found[: self.limit]

    def _more(self, found: Sequence[object], what: str, indent: int) -> None:
        if self.limit is not None and len(found) > self.limit:
            self._say(f"[dim]… and {len(found) - self.limit} more {what} (-v has them all)[/]", indent)


def _delivered(state: NetworkState) -> tuple[int, int]:
    """How many pairs are, and of how many."""
    return sum(f.disposition.startswith("delivered") for f in state.forwarding.values()), len(state.forwarding)


def counted(change: StateDiff) -> str:
    """`10 added, 2 removed`."""
    kinds = (("added", change.added), ("removed", change.removed), ("changed", change.changed))
    return ", ".join(f"{len(found)} {word}" for word, found in kinds if found) or "none in tables"


def beginning(group: Group) -> str:
    """Where to begin, in words: `injector announces it to tor1`."""
    change, session = group.begins, group.session
    peer = change.peer or ""
    if change.plane == "wire":
        verb = {"added": "announces", "removed": "withdraws", "changed": "announces otherwise"}[change.kind]
        what = "it" if len(group.prefixes) == 1 else "them"
        to = "from" if change.kind == "removed" else "to"
        return f"{change.device} {verb} {what} {to} {peer.removeprefix('sent ')}"
    where = f"{change.kind} at {change.device}"
    if change.plane == "fib":
        where += ", kernel"
    elif peer == "local":
        where += ", its own"
    else:
        where += f", from {peer}"
    if session is not None:
        went = "came up" if session.came else "went down"
        where += f": session {session.key.device} {session.key.neighbor} {went}"
    return where


def values(change: RouteChange) -> Iterable[str]:
    """By attribute where it changed, else what is there or was."""
    if change.kind != "changed":
        yield change.after or change.before or ""
    for name, before, after in change.attributes:
        yield f"{name}: {before or '-'} → {after or '-'}"


def _name(step: StepDiff, found: Differences) -> str:
    """The step's name where both sides have it, else both."""
    one, other = step.before.removeprefix(found.a + "#"), step.after.removeprefix(found.b + "#")
    return one if one == other else f"{one} → {other}"


def _size(steps: Sequence[StepDiff]) -> str:
    states: list[NetworkState] = [pair.after for step in steps for _, pair in step.views()]
    counts = (
        (sum(len(s.sessions) for s in states), "session ends"),
        (sum(len(s.paths) + len(s.fib) for s in states), "routes"),
        (sum(len(s.forwarding) for s in states), "pairs"),
    )
    return ", ".join(f"{number} {what}" for number, what in counts) + " compared"

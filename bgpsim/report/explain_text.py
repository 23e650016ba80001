"""`bgpsim explain` in the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape

from bgpsim.check.explain import KernelReason, Origin, PathReason, RouteReason
from bgpsim.check.explain_way import HopReason, PairReason, Way
from bgpsim.check.missing import Missing
from bgpsim.report.lines import say
from bgpsim.report.masking import masked
from bgpsim.source import Source

_COLOURS = {"best": "green", "used beside the best": "green", "lost": "yellow", "not eligible": "red"}


class ExplainText:
    """Prints to a console."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def heading(self, scenario: str, step: str) -> None:
        self._say(f"[dim]{escape(scenario)}, at the end of step “{escape(step)}”[/]")

    def route(self, reason: RouteReason) -> None:
        asked = reason.asked
        if reason.prefix is not None and reason.prefix != asked:
            asked += f", covered by {reason.prefix}"
        self._say(f"[bold]{escape(reason.device)}[/]  [bold]{escape(asked)}[/]")
        for path in reason.paths:
            self._path(path, 2)
        if not reason.paths and reason.prefix is not None:
            self._say("[dim]not in its BGP table[/]", 2)
        if reason.kernel is not None:
            self._kernel(reason.kernel, 2)
            if reason.kernel.prefix != reason.prefix:
                self._say(f"[dim]{reason.prefix} is in its BGP table and not in its kernel[/]", 4)
        elif reason.prefix is None:
            self._say("[red]no route[/]", 2)
        if reason.origin is not None and len(reason.origin.by) > 1:
            self._origin(reason.origin, 2)
        if reason.covering is not None:
            self._say(f"[dim]goes before {reason.covering}, which is shorter[/]", 2)
        self._missing(reason.missing, 2)

    def pair(self, reason: PairReason) -> None:
        colour = "green" if reason.disposition.startswith("delivered") else "red"
        self._say(
            f"[bold]{escape(reason.sender)}[/] → [bold]{escape(reason.target)}[/] ({reason.target_address}): "
            f"[{colour}]{reason.disposition}[/]"
        )
        for number, way in enumerate(reason.ways, start=1):
            if len(reason.ways) > 1:
                self._say(f"[dim]way {number} of {len(reason.ways)}[/]", 2)
            self._way(way)
        if reason.observed is not None:
            self._say(f"observed: {escape(reason.observed)}", 2)

    def _way(self, way: Way) -> None:
        for hop in way.hops:
            self._hop(hop)
        end = way.end
        because = f": {escape(end.because)}" if end.because else ""
        colour = "green" if end.disposition.startswith("delivered") else "red"
        self._say(f"[{colour}]{end.disposition}[/] at {escape(end.device)}{because}", 2)
        if way.hijack is not None:
            self._say(f"[red]because {escape(way.hijack)}[/]", 2)
        if way.origin is not None:
            self._origin(way.origin, 2)
        self._missing(end.missing, 2)

    def _hop(self, hop: HopReason) -> None:
        ends = " ".join(
            part
            for part in (f"in {hop.ingress}" if hop.ingress else "", f"out {hop.egress}" if hop.egress else "")
            if part
        )
        self._say(f"[bold]{escape(hop.device)}[/]  [dim]{escape(ends)}[/]", 2)
        if hop.route is not None:
            self._say(f"{hop.route.prefix}  {escape(hop.route.text)}", 4)
            if not hop.learnt:
                self._lines(hop.route.lines, 4)
        for path in hop.learnt:
            peer = f" ({path.peer})" if path.peer and path.peer != path.neighbor else ""
            others = f"; {hop.others} other path{'s' if hop.others > 1 else ''}" if hop.others else ""
            self._say(f"learnt from {escape(path.neighbor + peer)} by {path.session}: {_why(path)}{others}", 4)

    def _path(self, path: PathReason, indent: int) -> None:
        peer = f" ({path.peer})" if path.peer and path.peer != path.neighbor else ""
        source = "its own" if path.neighbor == "local" else f"from {escape(path.neighbor + peer)}, {path.session}"
        self._say(f"[{_COLOURS[path.fate]}]{path.fate}[/]  {source}: {_why(path)}", indent)
        self._say(f"[dim]{escape(path.attributes)}[/]", indent + 4)
        if path.observed is not None:
            self._say(f"observed: {escape(path.observed)}", indent + 4)
        self._lines(path.lines, indent + 4)

    def _kernel(self, kernel: KernelReason, indent: int) -> None:
        seen = "" if kernel.observed is None else f"  observed: {escape(kernel.observed)}"
        self._say(f"kernel  {kernel.prefix}  {escape(kernel.text)}{seen}", indent)
        if "proto bgp" not in kernel.text:
            self._lines(kernel.lines, indent + 4)

    def _origin(self, origin: Origin, indent: int) -> None:
        way = " ← ".join(origin.by)
        how = "announced by speaker" if origin.speaker else "put into BGP by"
        self._say(f"{origin.prefix} comes from [bold]{escape(origin.device)}[/]  [dim]({escape(way)})[/]", indent)
        self._say(f"[dim]{how} {escape(origin.device)}: {escape(origin.attributes)}[/]", indent + 4)
        self._lines(origin.lines, indent + 4)

    def _missing(self, found: Iterable[Missing], indent: int) -> None:
        for stop in found:
            where = f"  [dim]({stop.specified})[/]" if stop.specified else ""
            self._say(f"[red]missing[/] {escape(stop.because)}{where}", indent)
            self._lines(stop.lines, indent + 4)

    def _lines(self, lines: Iterable[Source], indent: int) -> None:
        """The configuration's own words; those of one line of a file together."""
        texts: dict[str, list[str]] = {}
        for line in lines:
            texts.setdefault(str(line), []).append(masked(line.text.strip()))
        for place, words in texts.items():
            self._say(f"[cyan]{escape(place)}[/]  {escape('; '.join(dict.fromkeys(words)))}", indent)

    def _say(self, text: str = "", indent: int = 0) -> None:
        say(self.console, text, indent)


def _why(path: PathReason) -> str:
    where = f"  [dim]({path.specified})[/]" if path.specified else ""
    return escape(path.why) + where

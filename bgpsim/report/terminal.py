"""What a user sees while a scenario runs, step by step. Readable when piped; NO_COLOR is rich's own."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bgpsim.network.state import DELIVERED
from bgpsim.report import probes
from bgpsim.report.differences import Difference, gathered
from bgpsim.report.document import (
    ErrorPart,
    LabPart,
    Line,
    MismatchPart,
    PairChangePart,
    RunPart,
    SessionPart,
    StateDiffPart,
    StepPart,
)
from bgpsim.report.tables_text import tables_text

_MARK = {
    "pass": "[green]✓[/]",
    "fail": "[red]✗[/]",
    "error": "[red]✗[/]",
    "inconclusive": "[yellow]?[/]",
    "interrupted": "[yellow]…[/]",
}
_COLOUR = {"pass": "green", "fail": "red", "error": "red", "inconclusive": "yellow", "interrupted": "yellow"}
SHOWN_DIFFERENCES = 12
SHOWN_CHANGES = 8


class Terminal:
    """Prints one run. `verbosity`: -1 the verdict alone, 0 as usual, 1 every path and route."""

    def __init__(self, console: Console, verbosity: int = 0) -> None:
        self.console = console
        self.verbosity = verbosity
        self._steps = 0
        self._faults: set[str] = set()
        self._sessions_before: list[SessionPart] = []
        self._differences_before: tuple[Difference, ...] = ()

    def _say(self, text: str = "", indent: int = 0) -> None:
        if self.verbosity >= 0:
            line = Text.from_markup(text)
            if self.console.is_terminal:
                # What is folded keeps its indentation.
                self.console.print(Padding(line, (0, 0, 0, indent), expand=False), highlight=False)
            else:
                line.pad_left(indent)
                self.console.print(line, soft_wrap=True, highlight=False)

    def scenario(self, name: str, file: str) -> None:
        self._steps = 0
        self._faults = set()
        self._sessions_before = []
        self._differences_before = ()
        self._say(f"[bold]{escape(name)}[/]  [dim]{escape(file)}[/]")

    def before(self, step: StepPart) -> None:
        """A running lab: what is as it was after this step is not told again."""
        self._sessions_before = list(step.sessions)
        self._differences_before = gathered(step.mismatches, step.mismatch_groups)

    def lab(self, lab: LabPart, seconds: float) -> None:
        used: dict[str, list[str]] = {}
        for image in lab.images:
            used.setdefault(f"{image.used} for {image.asked}", []).append(image.device)
        self._say(
            f"lab up in {seconds:.1f} s  [dim]({lab.backend}, {'rootless' if lab.rootless else 'as root'})[/]", indent=2
        )
        for text, devices in sorted(used.items()):
            self._say(f"[dim]{escape(text)}: {escape(', '.join(sorted(devices)))}[/]", indent=4)
        for stand_in in lab.stand_ins:
            self._say(f"[dim]{escape(stand_in.by)} stands in for {escape(stand_in.stands_for)}[/]", indent=4)
        for text in lab.induced:
            self._say(f"[dim]induced: {escape(text)}[/]", indent=4)
        self._lines_that_failed(lab)

    def _lines_that_failed(self, lab: LabPart) -> None:
        """Those that were not told yet: of the topology once the lab is up, of steps at the end."""
        told = []
        for failure in lab.exec_failures:
            where = f" ({failure.file}:{failure.line})" if failure.file else ""
            what = f"on {failure.device}, rc {failure.exit_code}: {failure.command}{where}"
            told.append(("exec failed", what, failure.output.strip().splitlines()[-3:]))
        for rejected in lab.rejected_lines:
            where = f" ({rejected.file}:{rejected.line})" if rejected.file else ""
            told.append(("refused", f"by {rejected.device}: {rejected.text}{where}: {rejected.answer}", []))
        for kind, what, output in told:
            if what in self._faults:
                continue
            self._faults.add(what)
            self._say(f"[yellow]{kind}[/] {escape(what)}", indent=4)
            for line in output:
                self._say(f"[dim]{escape(line)}[/]", indent=6)

    def step(self, step: StepPart) -> None:
        """One step: what was done, predicted, seen and found."""
        self._steps += 1
        self._say()
        seconds = step.volatile.get("seconds")
        timing = f"  [dim]{seconds:.1f} s[/]" if isinstance(seconds, float) else ""
        self._say(f"{_MARK[step.verdict]} [bold]{escape(step.name)}[/]{timing}", indent=2)
        for action in step.actions:
            self._say(f"[cyan]>[/] {escape(action)}", indent=4)
        if step.settled is not None and step.settled.how == "timeout":
            self._say(f"[yellow]did not settle[/]: {escape(step.settled.because or '')}", indent=4)
        self._sessions(step.sessions)
        if step.tables is not None and self.verbosity > 0:
            for line in tables_text(step.tables):
                self._say(escape(line), indent=6)
        self._planes(step)
        self._mismatches(step)
        if step.diff is not None:
            change = step.diff.observed or step.diff.predicted
            if change is not None:
                self._diff(step.diff.against, change)
        self._reachability(step)
        self._probe(step)
        for speaker, packets in sorted(step.volatile.get("dropped", {}).items()):
            if packets:
                self._say(f"[dim]{escape(speaker)} attracted and dropped {packets} packets[/]", indent=4)
        for expectation in step.expectations:
            seen = "; ".join(text for text in (expectation.seen, expectation.volatile.seen) if text)
            self._say(f"{_MARK[expectation.verdict]} {escape(expectation.text)}  [dim]{escape(seen)}[/]", indent=4)

    def _probe(self, step: StepPart) -> None:
        """What a steady stream lost, and which sizes came through."""
        for header, found in ((probes.HEADER, list(probes.rows(step))), probes.size_rows(step)):
            if found:
                first, *rest = probes.aligned(header, found)
                self._say(f"[dim]{escape(first)}[/]", indent=4)
                for line in rest:
                    self._say(f"[red]{escape(line)}[/]" if "≠" in line else escape(line), indent=4)
        for line in probes.footnotes(step):
            self._say(f"[dim]{escape(line)}[/]", indent=4)

    def _sessions(self, sessions: Sequence[SessionPart]) -> None:
        """All of them in the first step and with -v, else those that changed or differ from the prediction."""
        shown = [s for s in sessions if self.verbosity > 0 or s not in self._sessions_before or _differs(s)]
        unchanged = len(sessions) - len(shown)
        self._sessions_before = list(sessions)
        if self.verbosity < 0 or not sessions:
            return
        if not shown:
            self._say(f"[dim]all {unchanged} session ends as in the step before[/]", indent=4)
            return
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for name in ("session", "peer", "state", "accepted", "sent"):
            table.add_column(name, overflow="fold")
        for row in shown:
            here = row.predicted.state if row.predicted else None
            there = row.observed.state if row.observed else None
            state = _both(here, there)
            if here == there == "Down" or (there is None and here == "Down"):
                because = row.predicted.because if row.predicted and row.predicted.because else ""
                state = f"[dim]Down[/] [dim]{escape(because)}[/]"
            counts = {"accepted": [], "sent": []}  # type: dict[str, list[str]]
            for family, part in row.families.items():
                tag = "" if family == "ipv4-unicast" else " (v6)"
                for name, into in counts.items():
                    count = getattr(part, name)
                    if family == "ipv4-unicast" or count.predicted or count.observed:
                        into.append(_both(count.predicted, count.observed) + tag)
            name = row.peer or row.neighbor
            via = f" [dim]({row.neighbor})[/]" if row.neighbor != name else ""
            table.add_row(
                escape(row.device), escape(name) + via, state, " ".join(counts["accepted"]), " ".join(counts["sent"])
            )
        self.console.print(_indented(table))
        if unchanged:
            self._say(f"[dim]{unchanged} session ends as in the step before[/]", indent=4)

    def _planes(self, step: StepPart) -> None:
        parts = []
        for plane in ("bgp", "fib", "path", "wire"):
            result = step.planes.get(plane)
            if result is None:
                continue
            if result.status != "compared":
                parts.append(f"[dim]{plane} {result.status.replace('_', ' ')}[/]")
                continue
            colour = "green" if result.equal == result.compared else "red"
            unread = f" [yellow]+{result.not_observed} not observed[/]" if result.not_observed else ""
            parts.append(f"{plane} [{colour}]{result.equal}/{result.compared}[/]{unread}")
        if parts:
            self._say("as predicted: " + "  ".join(parts), indent=4)

    def _mismatches(self, step: StepPart) -> None:
        if self.verbosity > 0:
            for m in step.mismatches:
                what = " ".join(part for part in (m.prefix, m.peer, m.field) if part)
                self._say(f"[red]{m.plane} {m.kind}[/] [bold]{escape(m.device)}[/] {escape(what)}", indent=4)
                self._values(m)
            if step.mismatches_left_out:
                self._say(f"[red]… and {step.mismatches_left_out} more[/] of the same kinds", indent=4)
            return
        differences = gathered(step.mismatches, step.mismatch_groups)
        fresh = [d for d in differences if d not in self._differences_before]
        for difference in fresh[:SHOWN_DIFFERENCES]:
            self._say(f"[red]{escape(difference.title)}[/]", indent=4)
            self._values(difference.first)
            if difference.others:
                what = (
                    f"{len(difference.others) + difference.not_listed} routes of it"
                    if difference.about == "session"
                    else difference.elsewhere()
                )
                self._say(f"[dim]and {escape(what)}[/]", indent=8)
        if len(fresh) > SHOWN_DIFFERENCES:
            more = len(fresh) - SHOWN_DIFFERENCES
            self._say(f"[red]… and {more} more[/] (-v and report.json have them all)", indent=4)
        known = [d.title for d in differences if d in self._differences_before]
        if known:
            self._say(f"[red]as in the step before:[/] {escape('; '.join(known))}", indent=4)
        self._differences_before = differences

    def _values(self, m: MismatchPart) -> None:
        self._say(f"predicted: {escape(m.predicted or '-')}", indent=8)
        self._say(f"observed:  {escape(m.observed or '-')}", indent=8)
        self._because(m.because)

    def _because(self, because: Sequence[Line]) -> None:
        for line in because[:3]:
            self._say(f"[dim]{escape(f'{line.file}:{line.line}')}  {escape(line.text.strip())}[/]", indent=8)

    def _diff(self, against: str, change: StateDiffPart) -> None:
        routes, pairs = change.routes, change.reachability
        counted = [f"{count} {word}" for word, count in routes.counts.items() if count]
        self._say(
            f"against “{escape(against)}”: " + (f"routes {', '.join(counted)}" if counted else "no route changed"), 4
        )
        if self.verbosity > 0:
            for sign, found in (("+", routes.added), ("-", routes.removed), ("~", routes.changed)):
                for r in found:
                    self._say(
                        f"{sign} {r.plane} {escape(r.device)} {r.prefix} {escape(r.peer or '')}: "
                        f"{escape(r.after or r.before or '')}",
                        indent=6,
                    )
        for word, colour, changed in (
            ("lost", "red", pairs.lost),
            ("gained", "green", pairs.gained),
            ("moved", "yellow", pairs.moved),
        ):
            self._pairs(word, colour, changed)

    def _pairs(self, word: str, colour: str, changed: Sequence[PairChangePart]) -> None:
        limit = len(changed) if self.verbosity > 0 else SHOWN_CHANGES
        for pair in changed[:limit]:
            self._say(f"[{colour}]{word}[/] {escape(pair.sender)} → {escape(pair.target)}", indent=4)
            self._say(f"[dim]{escape(pair.after)}[/]", indent=8)
        if len(changed) > limit:
            self._say(f"[{colour}]… {len(changed) - limit} more {word}[/]", indent=4)

    def _reachability(self, step: StepPart) -> None:
        delivered = total = 0
        for row in step.reachability:
            forwarding = row.observed or row.predicted
            total += 1
            delivered += forwarding is not None and forwarding.disposition in DELIVERED
            if self.verbosity > 0 and forwarding is not None:
                for path in forwarding.paths or []:
                    walk = " → ".join(hop.device for hop in path.hops)
                    ttl = f", ttl {path.ttl}" if path.ttl is not None else ""
                    self._say(
                        f"[dim]{escape(row.sender.id)} → {escape(row.target.id)}: {escape(walk)}: "
                        f"{path.disposition}{ttl}[/]",
                        indent=6,
                    )
        if total:
            self._say(f"reachability: {delivered} of {total} ordered pairs delivered", indent=4)

    def error(self, error: ErrorPart) -> None:
        """Always printed."""
        where = "" if error.file is None else escape(error.file) + (f":{error.line}" if error.line else "") + ": "
        self.console.print(Text.from_markup(f"[red]error:[/] {where}{escape(error.message)}"), soft_wrap=True)
        for other in error.others:
            self.console.print(Text.from_markup(f"[red]error:[/] {escape(other)}"), soft_wrap=True)
        if error.hint:
            self.console.print(Text.from_markup(f"[cyan]hint:[/] {escape(error.hint)}"), soft_wrap=True)
        for line in error.volatile.log:
            self.console.print(Text(f"    {line}", style="dim"), soft_wrap=True)

    def verdict(self, run: RunPart) -> None:
        """Always printed. Before it, the step that broke off, which nobody has told yet."""
        for step in run.steps[self._steps :]:
            self.step(step)
        if run.lab is not None:
            self._lines_that_failed(run.lab)
        if "bundle" in run.volatile:
            self._say(f"bundle: {escape(str(run.volatile['bundle']))}", indent=2)
        possible = [u for u in run.not_modelled if u.effect == "possible"]
        if run.not_modelled:
            self._say()
        for statement in run.not_modelled if self.verbosity > 0 else possible:
            self._say(
                f"[yellow]not modelled[/] {escape(statement.file)}:{statement.line} "
                f"{escape(statement.text.strip())} [dim](effect: {statement.effect})[/]",
                indent=2,
            )
        for finding in run.findings:
            where = f"{finding.file}:{finding.line} " if finding.file else ""
            self._say(f"[yellow]finding[/] {escape(where)}{escape(finding.text)}", indent=2)
        if run.error is not None:
            self.error(run.error)
        colour = _COLOUR[run.verdict]
        confidence = "" if run.confidence == "full" else f", confidence {run.confidence}"
        steps = f"{len(run.steps)} step" + ("" if len(run.steps) == 1 else "s")
        seconds = run.volatile.get("seconds", {}).get("total")
        timing = f", {seconds:.1f} s" if isinstance(seconds, float) else ""
        self.console.print(
            Text.from_markup(f"[bold {colour}]{run.verdict}[/] {escape(run.scenario)} ({steps}{confidence}{timing})")
        )


def _differs(row: SessionPart) -> bool:
    counts = (count for family in row.families.values() for count in (family.accepted, family.sent))
    apart = any(count.predicted != count.observed for count in counts if None not in (count.predicted, count.observed))
    here, there = row.predicted, row.observed
    return apart or (here is not None and there is not None and here.state != there.state)


def _both(predicted: object, observed: object) -> str:
    """One text where prediction and observation agree (or only one is there), else both."""
    if observed is None:
        return "" if predicted is None else str(predicted)
    if predicted is None or predicted == observed:
        return str(observed)
    return f"[red]{predicted} predicted, {observed} seen[/]"


def _indented(table: Table) -> Table:
    outer = Table.grid(padding=0)
    outer.add_column(width=4)
    outer.add_column()
    outer.add_row("", table)
    return outer

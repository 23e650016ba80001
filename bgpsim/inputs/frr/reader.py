"""FRR statements -> BgpInstance and static routes, by the registry of statements.

Lines are read in order, in the mode that the lines before have entered, as vtysh and the daemons do. What is not known
is listed as not modelled, with its line; nothing is skipped in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bgpsim.errors import InputError
from bgpsim.inputs.commands import VtyLine
from bgpsim.inputs.frr.configuration import Configuration
from bgpsim.inputs.frr.grammar.matching import Miss
from bgpsim.inputs.frr.grammar.modes import AROUND, BLOCKS, OPAQUE, Mode, left
from bgpsim.inputs.frr.grammar.registry import Found, lookup, unheard_of
from bgpsim.inputs.frr.grammar.statement import Daemon, Said
from bgpsim.inputs.frr.policies import PolicyLines
from bgpsim.inputs.frr.profile import Profile
from bgpsim.inputs.frr.values import NotTaken, Refused, Unknown
from bgpsim.network.description import BgpInstance, KernelRoute
from bgpsim.network.policies import Policies
from bgpsim.source import Source, Unmodelled

_SHOWN = ("show", "enable", "en", "write", "wr", "terminal", "do")
How = Literal["call", "typed", "file"]
"""`vtysh -c … -c …`, which stops at a refused line; lines at vtysh's prompt, or in a file: the next one is read."""
_CONSEQUENCE: dict[How, str] = {
    "call": "vtysh stops there, and the lines after it in this call are not read",
    "typed": "it changes nothing, and the next line is read",
    "file": "it is skipped, and the next line is read",
}


@dataclass(frozen=True, slots=True)
class PredictedRefusal:
    """A line that the router will not take, as far as the registry and the lines before it tell."""

    device: str
    source: Source
    why: str
    consequence: str
    """What becomes of the lines after it."""


class _Stop(Exception):
    """vtysh reads no further."""


class FrrReader:
    """One router's configuration. `allow_refused`: list a value that no router accepts, instead of raising it.
    `version`: the FRR that reads it, as `Statement.versions` names them."""

    def __init__(self, device: str, *, allow_refused: bool = False, version: str = "8.4") -> None:
        self.device = device
        self.version = version
        self.unmodelled: list[Unmodelled] = []
        self.refusals: list[PredictedRefusal] = []
        self.booted: int | None = None
        """The AS number of the instance that the router's own lines made, before anything was typed on it."""
        self.configuration = Configuration()
        self._allow_refused = allow_refused
        self._mode: Mode = "view"
        self._how: How = "call"
        self._daemon: Daemon | None = None

    @property
    def removed(self) -> bool:
        """The instance of the boot was taken away, with what others had put into it."""
        return self.configuration.removed

    @property
    def profile(self) -> Profile:
        """What the instance started with, and `timers bgp` has made of it."""
        return self.configuration.profile

    @property
    def static_routes(self) -> tuple[KernelRoute, ...]:
        return self.configuration.statics.routes

    @property
    def policies(self) -> Policies:
        """The router's lists and route-maps."""
        return self.configuration.part(PolicyLines).built()

    def instance(self) -> BgpInstance | None:
        """The instance as it stands; None where there is no `router bgp`."""
        lines = self.configuration.instance
        return None if lines is None else lines.built(self.configuration.profile)

    def starts(self) -> None:
        """What follows is typed on a router that runs."""
        lines = self.configuration.instance
        self.booted, self.configuration.running = None if lines is None else lines.asn, True

    def type(self, lines: Sequence[Source]) -> None:
        """Lines typed in `configure terminal`; a refused one changes nothing, and the next is read all the same."""
        begin = [Source(line.file, line.line, "configure terminal") for line in lines[:1]]
        self.read([VtyLine(line.text, line) for line in (*begin, *lines)], "typed")

    def read_file(self, lines: Sequence[VtyLine], daemon: Daemon | None = None) -> None:
        """A configuration file, as `vtysh -b`, `vtysh -f` or a daemon at its start reads it: a line that is refused is
        skipped. `daemon`: whose file it is, where each has its own (bgpd.conf); None: an integrated frr.conf."""
        self._daemon = daemon
        self._read(lines, "file", "config")
        self._daemon = None

    def read(self, lines: Sequence[VtyLine], how: How = "call") -> None:
        """The lines of one `vtysh` call, which begins in view mode.

        Raises InputError for an AS number, address or prefix that no router accepts.
        """
        self._read(lines, how, "view")

    def _read(self, lines: Sequence[VtyLine], how: How, mode: Mode) -> None:
        self._how, self._mode = how, mode
        for line in lines:
            text = line.source.text
            if not text or text.startswith(("!", "#")):
                continue
            try:
                self._line(text, line.source)
            except _Stop:
                break

    def _line(self, text: str, source: Source) -> None:
        try:
            self._statement(text, source)
        except Refused as why:
            if not self._allow_refused:
                message = f"{self.device}: {why} in `{text}`"
                raise InputError(message, file=source.file, line=source.line) from None
            self._list(source, "none", f"the router refuses it: {why}")
            self._refuse(source, str(why))
        except NotTaken as why:
            self._list(source, "possible", str(why))
            self._refuse(source, str(why))
        except Unknown as why:
            self._list(source, "possible", str(why))

    def _refuse(self, source: Source, why: str) -> None:
        self.refusals.append(PredictedRefusal(self.device, source, why, _CONSEQUENCE[self._how]))
        if self._how == "call":
            raise _Stop

    def _list(self, source: Source, effect: Literal["none", "possible"], why: str) -> None:
        self.unmodelled.append(Unmodelled(source, self.device, source.text, effect, (self.device,), why))

    def _statement(self, text: str, source: Source) -> None:
        words = text.split()
        if self._mode == "view":
            if words[0].startswith("conf"):
                self._mode = "config"
            elif words[0] not in _SHOWN:
                raise Unknown("not in configuration mode")
        elif words[0] in ("end", "exit", "quit") and len(words) == 1:
            self._mode = left(self._mode, words[0])
        elif words[0] != "do" and not self._opaque(words):
            self._known(words, text, source)

    def _opaque(self, words: list[str]) -> bool:
        """A line of a block whose lines are not held against the registry. False: it is of another block."""
        if self._mode not in OPAQUE:
            return False
        if words == ["exit-address-family"] and self._mode.endswith("-family"):
            self._mode = AROUND[self._mode]
            return True
        if words[0] == "address-family" and self._mode in ("other-bgp", "other-bgp-family"):
            self._mode = "other-bgp-family"
        elif words[0] in BLOCKS or (words[0] == "address-family" and self._mode == "other-family"):
            return False
        raise Unknown(OPAQUE[self._mode])

    def _known(self, words: list[str], text: str, source: Source) -> None:
        found = lookup(self._mode, text)
        if isinstance(found, Miss):
            self._unknown(found, words, text)
            return
        statement = found.statement
        if self.version not in statement.versions:
            raise NotTaken(f"FRR {self.version} has no such statement; {', '.join(statement.versions)} has")
        if self._daemon is not None and self._daemon not in statement.of:
            raise NotTaken(f"it is a statement of {' and '.join(statement.of)}, and {self._daemon} refuses it")
        self._apply(found, source)
        self._mode = statement.enters if statement.enters and not found.match.keywords & {"no"} else found.mode

    def _apply(self, found: Found, source: Source) -> None:
        statement = found.statement
        if statement.apply is not None:
            statement.apply(self.configuration, Said(statement, found.match, found.mode, source))
        if statement.answer != "modelled":
            self._list(source, statement.answer, statement.why)

    def _unknown(self, miss: Miss, words: list[str], text: str) -> None:
        """Raises Refused for a wrong value, NotTaken for what FRR does not have, Unknown for what it may have."""
        wrong = miss.wrong_value(words)
        if wrong is not None:
            raise Refused(wrong)
        if miss.why != "unknown":
            raise NotTaken(miss.told(words))
        if words[0] in BLOCKS and miss.at < 2:
            self._mode = "other"
        elif words[0] == "address-family" and self._mode in ("bgp", "ipv4-unicast", "ipv6-unicast", "other-family"):
            self._mode = "other-family"
        elif self.version == "8.4" and unheard_of(self._mode, text):
            raise NotTaken(miss.told(words) or f"FRR {self.version} has no such statement")
        raise Unknown("not known to bgpsim")

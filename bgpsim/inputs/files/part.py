"""Typed reading of a YAML document, part by part: what is found must be what is expected, else file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from types import MappingProxyType
from typing import Any, Literal, NoReturn

from bgpsim.errors import InputError
from bgpsim.inputs.files.yaml_source import Location, YamlSource
from bgpsim.network.types import Prefix
from bgpsim.source import Source, Unmodelled

MAX_ASN = 4294967295


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a document. `unmodelled` is shared by all parts of a file and collects what is not read."""

    document: YamlSource
    location: Location = ()
    unmodelled: list[Unmodelled] = field(default_factory=list)

    @property
    def value(self) -> Any:
        value = self.document.value
        for step in self.location:
            value = value[step]
        return value

    @property
    def source(self) -> Source:
        return self.document.source(self.location)

    @property
    def written(self) -> tuple[tuple[int, str], ...]:
        """The lines of the file that make up a text, numbered."""
        return self.document.written(self.location)

    @property
    def name(self) -> str:
        """The part's place in words: `topology.nodes.tor0`."""
        return ".".join(str(step) for step in self.location) or "the document"

    def fail(self, expected: str) -> NoReturn:
        raise self.document.error(f"{self.name}: found {_shown(self.value)}, expected {expected}", self.location)

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def __getitem__(self, key: str | int) -> Part:
        return Part(self.document, (*self.location, key), self.unmodelled)

    def get(self, key: str) -> Part | None:
        """None where the key is not there, or has no value."""
        if key in self:
            return self[key]
        return None

    def keys(
        self,
        read: tuple[str, ...],
        *,
        harmless: Mapping[str, str] = MappingProxyType({}),
        possible: tuple[str, ...] = (),
        device: str | None = None,
        affects: tuple[str, ...] = (),
    ) -> None:
        """Close the schema of a mapping: read; known and harmless, with why; known and possibly of effect.

        All else is wrong: all such keys are raised together.
        """
        if not isinstance(self.value, dict):
            self.fail("a mapping")
        known = (*read, *harmless, *possible)
        problems = Problems()
        for key in self.value:
            part = self[key]
            if key in harmless or key in possible:
                if self.value[key] is None:
                    continue
                self.list_unmodelled(str(key), harmless.get(key), device=device, affects=affects)
            elif key not in read:
                close = get_close_matches(str(key), known, 1)
                problems.found.append(
                    self.document.error(
                        f"{self.name}: found the key {key!r}, expected one of {', '.join(sorted(known))}",
                        part.location,
                        hint=f"did you mean {close[0]!r}?" if close else None,
                    )
                )
        problems.raise_all()

    def list_unmodelled(
        self, key: str, harmless: str | None = None, *, device: str | None = None, affects: tuple[str, ...] = ()
    ) -> None:
        """Note a member that is not modelled; `harmless` says why it changes no prediction, None: it may."""
        source = self[key].source
        effect: Literal["none", "possible"] = "possible" if harmless is None else "none"
        text = source.text or key
        self.unmodelled.append(Unmodelled(source, device, text, effect, tuple(sorted(affects)), harmless or ""))

    def entries(self) -> Iterator[tuple[str, Part]]:
        """The members of a mapping, in order."""
        if not isinstance(self.value, dict):
            self.fail("a mapping")
        for key in self.value:
            yield str(key), self[key]

    def items(self) -> tuple[Part, ...]:
        """The items of a list."""
        if not isinstance(self.value, list):
            self.fail("a list")
        return tuple(self[number] for number in range(len(self.value)))

    def text(self) -> str:
        if not isinstance(self.value, str) or not self.value:
            self.fail("a text")
        text: str = self.value
        return text

    def scalar(self) -> str:
        """A text; numbers and truth values as YAML writes them."""
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if not isinstance(self.value, str | int | float):
            self.fail("a text")
        return str(self.value)

    def truth(self) -> bool:
        if not isinstance(self.value, bool):
            self.fail("true or false")
        return bool(self.value)

    def integer(self, low: int, high: int) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not low <= self.value <= high:
            self.fail(f"a whole number from {low} to {high}")
        number: int = self.value
        return number

    def asn(self) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not 1 <= self.value <= MAX_ASN:
            self.fail(f"an AS number from 1 to {MAX_ASN}")
        number: int = self.value
        return number

    def prefix(self) -> Prefix:
        try:
            return ip_network(self.text())
        except ValueError as error:
            self.fail(f"a prefix ({error})")

    def address(self) -> IPv4Address | IPv6Address:
        try:
            return ip_address(self.text())
        except ValueError:
            self.fail("an IP address")

    def texts(self) -> Mapping[str, str]:
        """A mapping of texts (labels)."""
        return {key: part.scalar() for key, part in self.entries()}


class Problems:
    """Errors of parts that can be read each without the other, to be raised together."""

    def __init__(self) -> None:
        self.found: list[InputError] = []

    @contextmanager
    def collected(self) -> Iterator[None]:
        try:
            yield
        except InputError as error:
            self.found += [error, *error.others]

    def raise_all(self) -> None:
        """Raises the first by line, with the rest in `others`; nothing where there is none."""
        if self.found:
            first, *rest = sorted(self.found, key=lambda problem: problem.line or 0)
            raise InputError(first.message, hint=first.hint, file=first.file, line=first.line, others=tuple(rest))


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"

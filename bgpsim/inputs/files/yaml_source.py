"""YAML with the line of every key and item: values as PyYAML's safe loader gives them, and where each stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import yaml

from bgpsim.errors import InputError
from bgpsim.source import Source

Location: TypeAlias = tuple[str | int, ...]
_FAST = getattr(yaml, "CSafeLoader", None)
"""Of PyYAML's wheels; one that was built without libyaml has none."""
_DEEPEST = 60
_MOST = 200_000
"""Parts of one document; aliases of aliases can stand for any number of them."""


@dataclass(frozen=True, slots=True)
class YamlSource:
    """One document. `lines`: location (keys and item numbers from the top) -> line, from 1."""

    value: Any
    file: str
    lines: Mapping[Location, int]
    texts: tuple[str, ...] = ()
    """The file's lines, for `Source.text`."""
    scalars: Mapping[Location, tuple[int, int]] = field(default_factory=lambda: MappingProxyType({}))
    """Texts -> their first line and the one after their last; of a block (`|`, `>`) the first is below its mark."""

    def line(self, location: Location = ()) -> int:
        """The line of that key or item; of the nearest part above where it is not there."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def source(self, location: Location = ()) -> Source:
        line = self.line(location)
        text = self.texts[line - 1].strip() if 0 < line <= len(self.texts) else ""
        return Source(self.file, line, text)

    def first_line(self, location: Location) -> int:
        """Where the content of that text begins, for YAML inside YAML."""
        return self.scalars[location][0] if location in self.scalars else self.line(location)

    def written(self, location: Location) -> tuple[tuple[int, str], ...]:
        """The lines of the file that make up that text, numbered."""
        first, end = self.scalars.get(location, (0, 0))
        return tuple((number, self.texts[number - 1]) for number in range(first, min(end, len(self.texts) + 1)))

    def error(self, message: str, location: Location = (), *, hint: str | None = None) -> InputError:
        return InputError(message, hint=hint, file=self.file, line=self.line(location))


def read_text(path: Path, shown: str) -> str:
    """Raises InputError where the file cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"there is no file {shown}", file=shown) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{shown} cannot be read: {error}", file=shown) from None


def read_yaml(path: Path, shown: str) -> YamlSource:
    """The one document of a file. Raises InputError: not there, not YAML, or not exactly one document."""
    documents = read_documents(path, shown)
    if len(documents) != 1:
        raise InputError(f"found {len(documents)} YAML documents, expected one", file=shown, line=1)
    return documents[0]


def read_documents(path: Path, shown: str) -> tuple[YamlSource, ...]:
    """All documents of a file that are not empty, in order."""
    return parse_documents(read_text(path, shown), shown)


def parse_documents(text: str, shown: str, first_line: int = 1) -> tuple[YamlSource, ...]:
    """`first_line`: where the text begins in the file, for YAML inside YAML (kubeadmConfigPatches)."""
    if _FAST is not None:
        # libyaml takes a tenth of the time, and has not the words for what is wrong.
        with suppress(yaml.YAMLError, ValueError, OverflowError, RecursionError):
            return tuple(_documents(_FAST, text, shown, first_line))
    try:
        return tuple(_documents(yaml.SafeLoader, text, shown, first_line))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = first_line if mark is None else mark.line + first_line
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise InputError(f"not valid YAML: {what}", file=shown, line=line) from None
    except RecursionError:
        raise InputError("found parts nested too deep, expected less", file=shown, line=first_line) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise InputError(f"not valid YAML: {str(error).splitlines()[0]}", file=shown, line=first_line) from None


def _documents(kind: Any, text: str, shown: str, first_line: int) -> Iterator[YamlSource]:
    texts = ("",) * (first_line - 1) + tuple(text.splitlines())
    # The loader reads the first bytes at once: even making one can fail.
    loader = kind(text)
    while loader.check_node():
        node = loader.get_node()
        if node is None:
            continue
        places = _Places(loader, shown, first_line)
        places.note(node, ())
        value = loader.construct_document(node)
        if value is not None:
            yield YamlSource(value, shown, places.lines, texts, places.scalars)


class _Places:
    """Where each part of a document stands. A key that stands twice is an error, for YAML keeps only the last."""

    def __init__(self, loader: yaml.SafeLoader, shown: str, first: int) -> None:
        self.loader = loader
        self.shown = shown
        self.first = first
        self.lines: dict[Location, int] = {}
        self.scalars: dict[Location, tuple[int, int]] = {}
        self.parts = 0

    def note(self, node: yaml.Node, location: Location) -> None:
        line = node.start_mark.line + self.first
        self.parts += 1
        if len(location) > _DEEPEST or self.parts > _MOST:
            raise InputError(
                f"found more than {_MOST} parts, or {_DEEPEST} levels of them (an alias within its own anchor?),"
                " expected less",
                file=self.shown,
                line=line,
            )
        self.lines.setdefault(location, line)
        if isinstance(node, yaml.MappingNode):
            self._mapping(node, location)
        elif isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                self.note(item, (*location, number))
        elif isinstance(node, yaml.ScalarNode):
            block = node.style in ("|", ">")
            end = node.end_mark.line + self.first + (0 if block else 1)
            self.scalars[location] = (line + 1 if block else line, end)

    def _mapping(self, node: yaml.MappingNode, location: Location) -> None:
        seen: dict[object, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + self.first
            if not isinstance(key_node, yaml.ScalarNode):
                raise InputError("found a list or mapping as a key, expected a text", file=self.shown, line=line)
            if key_node.tag == "tag:yaml.org,2002:bool":
                # YAML 1.1 takes `on:` for a truth; no key of any file is one, and Go's yaml.v3 reads a text too.
                key_node.tag = "tag:yaml.org,2002:str"
            # `<<` brings in another mapping's keys, and has no value that could be made of it.
            merge = key_node.tag == "tag:yaml.org,2002:merge"
            key = "<<" if merge else self.loader.construct_object(key_node)
            if key in seen and not merge:
                raise InputError(
                    f"found key {key!r} twice, expected it once (first at line {seen[key]})", file=self.shown, line=line
                )
            seen[key] = line
            self.lines[(*location, key)] = line
            self.note(value_node, (*location, key))

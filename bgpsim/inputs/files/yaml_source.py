"""YAML with the line of every key and item: values as PyYAML's safe loader gives them, and where each stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from bgpsim.errors import InputError
from bgpsim.source import Source

Location: TypeAlias = tuple[str | int, ...]
_DEEPEST = 60


@dataclass(frozen=True, slots=True)
class YamlSource:
    """One document. `lines`: location (keys and item numbers from the top) -> line, from 1."""

    value: Any
    file: str
    lines: Mapping[Location, int]
    texts: tuple[str, ...] = ()
    """The file's lines, for `Source.text`."""

    def line(self, location: Location = ()) -> int:
        """The line of that key or item; of the nearest part above where it is not there."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)

    def source(self, location: Location = ()) -> Source:
        line = self.line(location)
        text = self.texts[line - 1].strip() if 0 < line <= len(self.texts) else ""
        return Source(self.file, line, text)

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
    texts = ("",) * (first_line - 1) + tuple(text.splitlines())
    loader = yaml.SafeLoader(text)
    found = []
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is None:
                continue
            lines: dict[Location, int] = {}
            _place(loader, node, (), lines, shown, first_line)
            value = loader.construct_document(node)
            if value is not None:
                found.append(YamlSource(value, shown, lines, texts))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = first_line if mark is None else mark.line + first_line
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise InputError(f"not valid YAML: {what}", file=shown, line=line) from None
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"not valid YAML: {str(error).splitlines()[0]}", file=shown, line=first_line) from None
    finally:
        loader.dispose()
    return tuple(found)


def _place(
    loader: yaml.SafeLoader, node: yaml.Node, location: Location, lines: dict[Location, int], shown: str, first: int
) -> None:
    """Note the line of every part; a key that stands twice is an error, for YAML keeps only the last."""
    if len(location) > _DEEPEST:
        raise InputError(
            f"found parts nested {_DEEPEST} deep (an alias within its own anchor?), expected less",
            file=shown,
            line=node.start_mark.line + first,
        )
    lines.setdefault(location, node.start_mark.line + first)
    if isinstance(node, yaml.MappingNode):
        seen: dict[object, int] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            line = key_node.start_mark.line + first
            if key in seen and key != "<<":
                raise InputError(
                    f"found key {key!r} twice, expected it once (first at line {seen[key]})", file=shown, line=line
                )
            seen[key] = line
            lines[(*location, key)] = line
            _place(loader, value_node, (*location, key), lines, shown, first)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _place(loader, item, (*location, number), lines, shown, first)

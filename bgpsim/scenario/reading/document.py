"""A scenario file's text -> `ScenarioFile`; every problem of its shape becomes an InputError at its line."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bgpsim.errors import InputError
from bgpsim.inputs.files.yaml_source import YamlSource, read_yaml
from bgpsim.scenario.reading.names import hint
from bgpsim.scenario.schema import ScenarioFile
from bgpsim.source import Source

Location: TypeAlias = tuple[str | int, ...]

_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "string_too_short": "a text that is not empty",
}


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed scenario file that knows the line of each of its parts."""

    file: ScenarioFile
    text: YamlSource
    problems: tuple[InputError, ...] = ()
    """What is wrong with the parts that were left out of `file`; see `read_usable`."""

    def source(self, *location: str | int) -> Source:
        """The line of `steps, 2, announce, 0, prefix`, say; of the nearest part above where there is no such part."""
        return self.text.source(_existing(self.text.value, location))


def read(path: Path, shown: str) -> Document:
    """Raises InputError, all problems of the file's shape together."""
    document = read_usable(path, shown)
    if document.problems:
        raise together(document.problems)
    return document


def read_usable(path: Path, shown: str) -> Document:
    """As `read`, but where the file makes sense without the values that are wrong, it comes without them.

    So the rest can still be checked, and one reading tells of all problems.
    """
    return usable(read_yaml(path, shown))


def usable(text: YamlSource) -> Document:
    """As `read_usable`, of a text that was read already."""
    try:
        return Document(ScenarioFile.model_validate(text.value), text)
    except ValidationError as error:
        problems = tuple(_problem(text, details) for details in error.errors())
        locations = [_existing(text.value, details["loc"]) for details in error.errors()]
    file = _without(text.value, locations)
    if file is None:
        raise together(problems)
    return Document(file, text, problems)


_STEP_STANDS_WITHOUT = (
    "expect",
    "exec",
    "link-down",
    "link-up",
    "impair",
    "withdraw",
    "replace",
    "configure",
    "at",
    "probe",
)
"""Keys of a step: without them nothing that a later step names is missing."""


def _without(value: Any, wrong: Sequence[Location]) -> ScenarioFile | None:
    """The file without the keys at or above these places; None where it would be another scenario, or none."""
    value = deepcopy(value)
    for location in wrong:
        depth = max((n for n, part in enumerate(location) if isinstance(part, str)), default=0)
        if depth < 2 or location[0] not in ("speakers", "steps"):
            return None
        if location[0] == "steps" and depth == 2 and location[2] not in _STEP_STANDS_WITHOUT:
            return None
        section = value
        for part in location[:depth]:
            section = section.get(part, {}) if isinstance(section, dict) else section[part]
        section.pop(location[depth], None)
    try:
        return ScenarioFile.model_validate(value)
    except ValidationError:
        return None


def together(problems: Sequence[InputError]) -> InputError:
    """One error that carries all, in the order of their lines."""
    flat: list[InputError] = []
    for found in problems:
        flat += [found, *found.others]
    first, *rest = sorted(flat, key=lambda p: (p.file or "", p.line or 0))
    return InputError(first.message, hint=first.hint, file=first.file, line=first.line, others=tuple(rest))


def _existing(value: Any, location: Location) -> Location:
    """The location with what is not in the file (pydantic's union tags, missing keys) left out."""
    found: list[str | int] = []
    for part in location:
        if (isinstance(value, dict) and part in value) or (isinstance(value, list) and isinstance(part, int)):
            value = value[part]  # type: ignore[index]
            found.append(part)
    return tuple(found)


def _problem(text: YamlSource, details: ErrorDetails) -> InputError:
    location = _existing(text.value, details["loc"])
    source = text.source(location)
    text_of, how = message(details, location)
    return InputError(text_of, hint=how, file=source.file, line=source.line)


def message(details: ErrorDetails, location: Location) -> tuple[str, str | None]:
    """What is wrong at that place of the schema, and how to mend it, if that can be said."""
    kind, found = details["type"], details["input"]
    if kind == "extra_forbidden":
        key = str(location[-1])
        known = _keys(location[:-1])
        inside = f" in {_spelled(location[:-1])}" if len(location) > 1 else ""
        return f"unknown key '{key}'{inside}; expected one of {', '.join(known)}", hint(key, known, "keys")
    if kind == "missing":
        inside = f" in {_spelled(location)}" if location else ""
        return f"key '{details['loc'][-1]}' is missing{inside}", None
    where = _spelled(location) or "the file"
    context = details.get("ctx", {})
    if kind == "value_error":
        return f"{where}: {context['error']}", None
    if kind == "literal_error":
        choices = [choice.strip("'") for choice in context["expected"].replace(" or ", ", ").split(", ")]
        if len(choices) == 1:
            return f"{where}: found {_shown(found)}; expected {choices[0]}: only `{choices[0]}` is there today", None
        quote = "write it in quotes: YAML reads it as a number" if isinstance(found, int | float) else None
        return f"{where}: found {_shown(found)}; expected one of {', '.join(choices)}", quote or hint(
            str(found), choices, "values"
        )
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = f"at least {context['ge']}" if kind == "greater_than_equal" else f"at most {context['le']}"
        return f"{where}: found {_shown(found)}; expected a whole number, {bound}", None
    if kind == "too_short":
        return f"{where}: found an empty list; expected at least one entry", None
    expected = _EXPECTED.get(kind, details["msg"])
    quote = None
    if kind == "string_type" and isinstance(found, int | float):
        quote = "write it in quotes"
        if any(part in ("communities", "large-communities") for part in location):
            quote += ": YAML takes digits with colons for a number in base 60"
    return f"{where}: found {_shown(found)}; expected {expected}", quote


def _shown(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case bool():
            return str(value).lower()
        case str():
            return f"'{value}'"
        case _:
            return str(value)


def _spelled(location: Location) -> str:
    """`steps[0].announce[1].prefix`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")


def _keys(location: Sequence[str | int]) -> list[str]:
    """The keys of the section at that place of the schema."""
    section: Any = ScenarioFile
    for part in location:
        section = _inside(section, part)
    assert isinstance(section, type)
    assert issubclass(section, BaseModel)
    return [field.alias or name for name, field in section.model_fields.items()]


def _inside(annotation: Any, part: str | int) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _plain(next(f.annotation for n, f in annotation.model_fields.items() if (f.alias or n) == part))
    return _plain(get_args(annotation)[-1])  # an item of a list, a value of a mapping


def _plain(annotation: Any) -> Any:
    """Without Annotated and None; of a union the one section in it."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (list, dict) or isinstance(annotation, type):
        return annotation
    members = [_plain(member) for member in get_args(annotation)]
    nested = [m for m in members if get_origin(m) in (list, dict) or (isinstance(m, type) and issubclass(m, BaseModel))]
    return nested[0] if nested else annotation

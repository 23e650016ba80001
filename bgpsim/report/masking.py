"""Passwords do not leave the lab: reports and bundles show `***` in their place."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from pydantic import BaseModel

_SECRETS = re.compile(
    r"""(?ix)
    ( \b neighbor \s+ \S+ \s+ password \s+ (?:\d\s+)?   # FRR
    | \b (?:enable\s+)? password \s+ (?=\S+\s*$)        # FRR's own terminal
    | \b (?:md5-password|auth-password|auth_password) \s* =? \s*    # ExaBGP, GoBGP
    | ["']? \b (?:password|authPassword|auth-secret-value) ["']? \s* :\s+   # YAML, JSON
    )
    ( "[^"]*" | '[^']*' | [^\s"';,}]+ )
    """
)
_Model = TypeVar("_Model", bound=BaseModel)


def masked(text: str) -> str:
    """The text with `***` for each password in a line of FRR, ExaBGP, GoBGP or YAML."""
    return "\n".join(_SECRETS.sub(r"\1***", line) for line in text.split("\n")) if "assword" in text else text


def masked_part(part: _Model) -> _Model:
    """A part of a report without passwords."""
    dumped = part.model_dump(by_alias=True)
    if "assword" not in repr(dumped):
        return part
    return type(part).model_validate(_walk(dumped))


def _walk(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {key: _walk(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_walk(member) for member in value]
    return value

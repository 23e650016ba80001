"""What every section of the scenario file is made of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


def kebab(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


class Section(BaseModel):
    """Base of all sections: no unknown keys, keys in kebab-case, no silent conversion of text to numbers."""

    model_config = ConfigDict(extra="forbid", alias_generator=kebab, frozen=True, strict=True)


def list_or_text(value: Any) -> str:
    return "list" if isinstance(value, list) else "text"


def list_or_number(value: Any) -> str:
    return "list" if isinstance(value, list) else "number"


def mapping_or_text(value: Any) -> str:
    return "mapping" if isinstance(value, dict) else "text"


Asn = Annotated[int, Field(ge=1, le=4294967295, description="an AS number (RFC 6793), 1 to 4294967295")]
Name = Annotated[str, Field(min_length=1)]

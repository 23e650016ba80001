"""A report's bytes: keys sorted, two spaces, one newline at the end."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel


def to_json(report: BaseModel) -> str:
    return (
        json.dumps(report.model_dump(by_alias=True, mode="json"), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    )


def without_volatile(value: Any) -> Any:
    """The part that is the same in every run: all `volatile` members taken out, at any depth."""
    if isinstance(value, dict):
        return {key: without_volatile(member) for key, member in value.items() if key != "volatile"}
    if isinstance(value, list):
        return [without_volatile(member) for member in value]
    return value

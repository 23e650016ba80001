"""The shipped lab, as the package carries it (in the source tree a link to `scenarios/cilium-bgp`)."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

_FOLDER = "seed"


def seed_files() -> Mapping[str, str]:
    """File name -> text, in the order of the names."""
    folder = files(__package__) / _FOLDER
    found = (entry for entry in folder.iterdir() if entry.name.endswith((".yaml", ".yml")))
    return {entry.name: entry.read_text(encoding="utf-8") for entry in sorted(found, key=lambda entry: entry.name)}

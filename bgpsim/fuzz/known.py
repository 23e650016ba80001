"""`tests/fidelity/known_differences.yaml`: what FRR does and the model does not yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bgpsim.check.compare import Mismatch
from bgpsim.inputs.files.part import Part, Problems
from bgpsim.inputs.files.yaml_source import read_yaml

_KEYS = ("name", "statement", "attribute", "reason", "frr", "scenario")


@dataclass(frozen=True, slots=True)
class KnownDifference:
    name: str
    statement: str
    """A family of statements; the entry speaks of networks that have one of it."""
    attribute: str
    """`plane field`, `bgp med`, say; or a plane alone, for what is missing or unexpected there."""
    reason: str
    frr: str
    """The beginning of the versions that it is about."""
    scenario: str
    """A folder beside the file: a small scenario that shows it."""

    def fits(self, mismatch: Mismatch) -> bool:
        told = f"{mismatch.plane} {mismatch.field}" if mismatch.field else str(mismatch.plane)
        return told == self.attribute


def load_known(path: Path) -> tuple[KnownDifference, ...]:
    """Nothing where there is no such file. Raises InputError for an entry that is not whole."""
    if not path.exists():
        return ()
    problems = Problems()
    found: list[KnownDifference] = []
    top = Part(read_yaml(path, str(path)))
    for part in top.items() if top.value else ():
        with problems.collected():
            part.keys(_KEYS)
            for key in _KEYS:
                if key not in part:
                    part.fail(f"an entry with `{key}`")
            found.append(KnownDifference(**{key: part[key].text() for key in _KEYS}))
    problems.raise_all()
    return tuple(found)

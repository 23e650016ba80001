"""docs/modelled.md says of every FRR statement what becomes of it, as the registry does."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgpsim.inputs.frr.grammar.table import tables, written_into
from bgpsim.inputs.frr.statements import STATEMENTS

DOCUMENT = Path(__file__).parents[3] / "docs" / "modelled.md"


def test_the_document_says_what_the_registry_says() -> None:
    text = DOCUMENT.read_text()
    assert written_into(text) == text, "make it anew: python -m bgpsim.inputs.frr.grammar.table docs/modelled.md"


def test_every_statement_has_a_row() -> None:
    rows = [line for line in tables().splitlines() if line.startswith("| `")]
    assert len(rows) == len(STATEMENTS)
    assert {row.split(" | ")[1] for row in rows} == {"modelled", "listed, none", "listed, possible"}


def test_a_document_without_a_place_for_it_is_none() -> None:
    with pytest.raises(ValueError, match="found no"):
        written_into("# What is modelled\n")

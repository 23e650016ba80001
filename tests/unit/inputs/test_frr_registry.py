"""Every statement of the registry, read by its own examples: it takes each, and answers as it says."""

from __future__ import annotations

import pytest

from bgpsim.errors import InputError
from bgpsim.inputs.commands import VtyLine
from bgpsim.inputs.frr.grammar.registry import Found, lookup
from bgpsim.inputs.frr.grammar.statement import PREAMBLES, Statement
from bgpsim.inputs.frr.grammar.syntax import compiled
from bgpsim.inputs.frr.reader import FrrReader
from bgpsim.inputs.frr.statements import STATEMENTS
from bgpsim.source import Source

ANSWERS = {"none": ["none"], "possible": ["possible"], "modelled": []}
EXAMPLES = [(s, line) for s in STATEMENTS for line in s.examples]
REFUSED = [(s, line) for s in STATEMENTS for line in s.refused]


def read(statement: Statement, line: str) -> FrrReader:
    reader = FrrReader("r1", version=statement.versions[0])
    texts = ("conf t", *PREAMBLES[statement.modes[0]], *statement.before, line)
    reader.read([VtyLine(text, Source("frr", number, text)) for number, text in enumerate(texts, 1)])
    return reader


@pytest.mark.parametrize(("statement", "line"), EXAMPLES, ids=[line for _, line in EXAMPLES])
def test_an_example_is_answered_as_its_statement_says(statement: Statement, line: str) -> None:
    found = lookup(statement.modes[0], line)
    assert isinstance(found, Found), found
    assert found.statement is statement
    reader = read(statement, line)
    listed = [(note.text, note.effect) for note in reader.unmodelled if note.source.text == line]
    assert listed == [(line, effect) for effect in ANSWERS[statement.answer]]
    assert reader.refusals == []


@pytest.mark.parametrize(("statement", "line"), REFUSED, ids=[line for _, line in REFUSED])
def test_a_wrong_value_is_refused_with_what_was_expected(statement: Statement, line: str) -> None:
    with pytest.raises(InputError, match=r"found .*, expected ") as caught:
        read(statement, line)
    assert (caught.value.file, caught.value.line) == ("frr", 2 + len(PREAMBLES[statement.modes[0]] + statement.before))


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda s: s.syntax)
def test_a_statement_is_whole(statement: Statement) -> None:
    assert statement.examples
    assert (statement.answer == "modelled") == (not statement.why)
    assert statement.answer != "modelled" or statement.apply is not None
    for form in statement.forms:
        compiled(form)


def test_no_two_statements_are_the_same() -> None:
    forms = [(mode, form) for s in STATEMENTS for mode in s.modes for form in s.forms]
    assert len(forms) == len(set(forms))

"""JSON in parts is the JSON that it would be whole, wherever it is cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgpsim.agent.texts import KeptTexts
from bgpsim.errors import LabError
from bgpsim.observe.long_answers import elements, members, parts

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(["routes", "a", "b"]), VALUES, max_size=3)


def cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@given(OBJECTS, st.integers(1, 40), st.sampled_from([None, 1]))
def test_members(whole: dict[str, Any], size: int, indent: int | None) -> None:
    found: dict[str, Any] = {}
    for inside, name, value in members(iter(cut(json.dumps(whole, indent=indent), size)), "routes"):
        if inside is None:
            found[name] = value
        else:
            found.setdefault(inside, {})[name] = value
    assert found == {k: v for k, v in whole.items() if v != {} or k != "routes"}


@given(st.lists(VALUES, max_size=6), st.integers(1, 40))
def test_elements(whole: list[Any], size: int) -> None:
    assert list(elements(iter(cut(json.dumps(whole), size)))) == whole


def test_nothing_is_nothing() -> None:
    assert list(members(iter([]), "routes")) == []
    assert list(elements(iter([" \n"]))) == []


@pytest.mark.parametrize("text", ["[1, 2", '{"a": 1', "% Unknown command", '{"routes": {"1.0.0.0/8": [1]'])
def test_what_breaks_off_is_an_error(text: str) -> None:
    with pytest.raises(LabError, match="not the JSON that is expected"):
        list(members(iter([text]), "routes") if text[0] != "[" else elements(iter([text])))


class Kept:
    """An agent that has nothing but kept texts."""

    def __init__(self) -> None:
        self.texts = KeptTexts()

    def call(self, method: str, /, timeout: float = 60.0, **params: Any) -> Any:
        assert method == "frr.part"
        return self.texts.part(params["kept"], 7)


@given(st.text(max_size=60))
def test_a_kept_text_comes_whole_and_is_forgotten(text: str) -> None:
    agent = Kept()
    octets = text.encode()
    answer = agent.texts.answer((octets[at : at + 3] for at in range(0, len(octets), 3)), most=5)
    assert (answer == text) if len(octets) <= 5 else (answer == {"kept": 0})
    assert "".join(parts(agent, "frr", answer)) == text
    with pytest.raises(LabError, match="no text 0 is kept"):
        agent.texts.part(0, 7)

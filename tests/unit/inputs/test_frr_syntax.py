"""FRR's command syntax: what is written by it is read by it, abbreviations, and where a line goes wrong."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgpsim.inputs.frr.grammar.matching import Match, Miss, match
from bgpsim.inputs.frr.grammar.modes import Mode
from bgpsim.inputs.frr.grammar.registry import Found, lookup
from bgpsim.inputs.frr.grammar.syntax import Syntax, compiled
from bgpsim.inputs.frr.grammar.tokens import Fit, Token
from bgpsim.inputs.frr.statements import STATEMENTS

PEER = "neighbor <A.B.C.D|X:X::X:X|WORD>$neighbor"


def read(line: str, *syntaxes: str) -> Match | Miss:
    return match([compiled(text) for text in syntaxes], line.split())


@pytest.mark.parametrize(
    ("line", "syntax", "values"),
    [
        (
            "neighbor 10.0.0.2 timers 3 9",
            f"{PEER} timers (0-65535)$keepalive (0-65535)$hold",
            {"neighbor": IPv4Address("10.0.0.2"), "keepalive": 3, "hold": 9},
        ),
        (
            "neighbor FE80::2 route-map X in",
            f"{PEER} route-map WORD$name <in|out>$way",
            {"neighbor": ip_address("fe80::2"), "name": "X", "way": "in"},
        ),
        ("network 10.9.1.1/16", "network A.B.C.D/M$prefix", {"prefix": IPv4Network("10.9.0.0/16")}),
        ("network 2001:db8::1/32", "network X:X::X:X/M$prefix", {"prefix": IPv6Network("2001:db8::/32")}),
        ("peers 1 2 3", "peers ASNUM...$peers", {"peers": (1, 2, 3)}),
        ("peers 1", "peers ASNUM...$peers", {"peers": (1,)}),
        ("a le 24 ge 8", "a [{ge (0-32)$ge|le (0-32)$le}]", {"le": 24, "ge": 8}),
        ("a", "a [{ge (0-32)$ge|le (0-32)$le}]", {}),
        ("set metric +10", "set metric <(-9-9)|rtt|(-99-99)>$metric", {"metric": 10}),
        ("description a b", "description LINE...$text", {"text": ("a", "b")}),
        ("map RED", "map [<WORD>]$name", {"name": "RED"}),
    ],
)
def test_values_have_names_and_types(line: str, syntax: str, values: dict[str, object]) -> None:
    found = read(line, syntax)
    assert isinstance(found, Match), found
    assert found.values == values


def test_keywords_are_flags() -> None:
    found = read("no agg 10.0.0.0/8 sum", "[no] aggregate-address A.B.C.D/M$prefix [{as-set|summary-only}]")
    assert isinstance(found, Match)
    assert found.keywords == {"no", "aggregate-address", "summary-only"}


@pytest.mark.parametrize(
    ("line", "why", "at"),
    [
        ("neighbor 10.0.0.2 timers 3 70000", "unknown", 4),
        ("neighbor 10.0.0.2 timers", "incomplete", 3),
        ("ne", "incomplete", 1),
        ("network 10.0.0.0/8 backdoor backdoor", "unknown", 3),
        ("nothing", "unknown", 0),
        ("bgp d", "ambiguous", 2),
    ],
)
def test_a_miss_says_how_far_it_came(line: str, why: str, at: int) -> None:
    syntaxes = (
        f"{PEER} timers (0-65535) (0-65535)",
        "network A.B.C.D/M [{route-map WORD|backdoor}]",
        "bgp dampening",
        "bgp deterministic-med",
    )
    found = read(line, *syntaxes)
    assert isinstance(found, Miss)
    assert (found.why, found.at) == (why, at)


def test_a_wrong_value_is_told_with_what_was_expected() -> None:
    line = "neighbor 10.0.0.2 timers 3 70000"
    found = read(line, f"{PEER} timers (0-65535) (0-65535)")
    assert isinstance(found, Miss)
    assert found.wrong_value(line.split()) == "found '70000', expected a whole number from 0 to 65535"
    assert found.told(line.split()) == "found '70000', expected a whole number from 0 to 65535"


@pytest.mark.parametrize(
    ("line", "taken"),
    [
        # A value before a keyword before anything; the whole keyword before the beginning of one (lib/command_match.c).
        ("route 5", 0),
        ("route blackhole", 1),
        ("route b", 1),
        ("route b0", 2),
    ],
)
def test_the_word_that_fits_best_decides(line: str, taken: int) -> None:
    found = read(line, "route (1-9)", "route blackhole", "route INTERFACE")
    assert isinstance(found, Match)
    assert found.which == taken


@pytest.mark.parametrize("text", ["", "a <b", "a b]", "a | b", "[a]", "...", "a (1-"])
def test_what_is_no_syntax(text: str) -> None:
    with pytest.raises(ValueError, match=r"found|must|not"):
        compiled(text)


# --- what a syntax writes, it reads ---

WORDS = st.from_regex(r"[A-Z][A-Z0-9]{1,6}", fullmatch=True)


def word_of(token: Token) -> st.SearchStrategy[str]:
    match token.kind:
        case "keyword":
            return st.just(token.text)
        case "range":
            return st.integers(token.low, token.high).map(str)
        case "ipv4":
            return st.ip_addresses(v=4).map(str)
        case "ipv6":
            return st.ip_addresses(v=6).map(str)
        case "ipv4-prefix":
            return st.tuples(st.ip_addresses(v=4), st.integers(0, 32)).map(lambda p: f"{p[0]}/{p[1]}")
        case "ipv6-prefix":
            return st.tuples(st.ip_addresses(v=6), st.integers(0, 128)).map(lambda p: f"{p[0]}/{p[1]}")
        case _:
            return WORDS


@dataclass(frozen=True)
class Line:
    words: tuple[str, ...]
    tokens: tuple[Token, ...]


@st.composite
def written(draw: st.DrawFn, syntax: Syntax) -> Line:
    """A walk through the syntax, with a value for each token."""
    words: list[str] = []
    walked: list[int] = []
    following = syntax.first
    while True:
        open_ = [p for p in following if p not in walked or (syntax.tokens[p].repeats and len(walked) < 12)]
        may_end = bool(walked) and walked[-1] in syntax.last
        if not open_ or (may_end and draw(st.booleans())):
            assert may_end
            return Line(tuple(words), tuple(syntax.tokens[p] for p in walked))
        walked.append(draw(st.sampled_from(open_)))
        words.append(draw(word_of(syntax.tokens[walked[-1]])))
        following = syntax.follow[walked[-1]]


FORMS = [(statement, form) for statement in STATEMENTS for form in statement.forms]


@given(st.sampled_from(FORMS).flatmap(lambda both: st.tuples(st.just(both[1]), written(compiled(both[1])))))
def test_what_a_syntax_writes_it_reads(both: tuple[str, Line]) -> None:
    form, line = both
    found = match([compiled(form)], line.words)
    assert isinstance(found, Match), (form, line.words)
    for token, word in zip(line.tokens, line.words, strict=True):
        if token.kind != "keyword" and token.name is not None and not token.repeats:
            assert str(found.values[token.name]) == str(token.value(word)) or token.kind == "variable"
        if token.kind == "keyword" and found.keywords:
            assert token.text in found.keywords or token.name is not None


EXAMPLES = [(statement.modes[0], line) for statement in STATEMENTS for line in statement.examples]


@given(st.sampled_from(EXAMPLES), st.data())
def test_a_keyword_may_be_shortened_as_long_as_it_is_the_only_one(
    example: tuple[Mode, str], data: st.DataObject
) -> None:
    mode, line = example
    whole = lookup(mode, line)
    assert isinstance(whole, Found)
    words = line.split()
    at = data.draw(st.integers(0, len(words) - 1))
    unfit = lookup(mode, " ".join((*words[:at], "\0")))
    if at == 0 or words[at] not in whole.match.keywords or not isinstance(unfit, Miss) or unfit.at != at:
        return
    words[at] = words[at][: data.draw(st.integers(1, len(words[at])))]
    could = {t.text for t in unfit.expected if t.kind == "keyword" and t.text.startswith(words[at])}
    if len(could) == 1 and not any(t.fit(words[at]) == Fit.VALUE for t in unfit.expected):
        short = lookup(mode, " ".join(words))
        assert isinstance(short, Found)
        assert (short.statement, short.match.values) == (whole.statement, whole.match.values)


@given(st.sampled_from(("config", "bgp", "ipv4-unicast", "route-map")), st.text(max_size=40))
def test_any_line_is_found_or_missed(mode: Mode, text: str) -> None:
    if text.split():
        assert isinstance(lookup(mode, text), Found | Miss)

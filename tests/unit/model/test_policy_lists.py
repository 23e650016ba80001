"""Lists against plain loops over `ipaddress`, and expressions against the C library's own regcomp(3)."""

from __future__ import annotations

import ctypes
import ctypes.util
from ipaddress import IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from bgpsim.model.expressions import BadExpression, matches
from bgpsim.model.policy_lists import (
    access_list_permits,
    as_path_list_permits,
    community_list_permits,
    deleted,
    prefix_list_permits,
)
from bgpsim.network.policies import AccessRule, AsPathRule, CommunityRule, PrefixRule

LIBC = ctypes.CDLL(ctypes.util.find_library("c"))
REG_EXTENDED, REG_NOSUB = 1, 8


def by_libc(expression: str, text: str) -> bool | None:
    """None: regcomp refuses it."""
    compiled = ctypes.create_string_buffer(256)
    written = expression.replace("_", "(^|[,{}() ]|$)").encode()
    if LIBC.regcomp(compiled, written, REG_EXTENDED | REG_NOSUB):
        return None
    found = LIBC.regexec(compiled, text.encode(), 0, None, 0) == 0
    LIBC.regfree(compiled)
    return found


atoms = st.sampled_from(
    ["65001", "6500[12]", "_", "^", "$", ".", ".*", "[^ ]+", "(65001|65002)", "0{2}", "[0-9]+", " ", "1?", "[{]", "[}]",
     "\\.", "(_1)*", ":", "[[:digit:]]", "|", "{1,2}", "[,]"]
)  # fmt: skip
texts = st.lists(st.sampled_from(["65001", "65002", "{65001,1}", "100", "11", "(65001)", ""]), max_size=4).map(" ".join)


@given(st.lists(atoms, min_size=1, max_size=5).map("".join), texts)
def test_an_expression_means_what_the_c_library_makes_of_it(expression: str, text: str) -> None:
    told = by_libc(expression, text)
    if told is None:
        return
    try:
        assert matches(expression, text) is told
    except BadExpression:
        raise AssertionError(f"{expression!r} is one to the C library") from None


prefixes = st.builds(
    lambda bits, length: IPv4Network((bits << 24 | 0x00A0B000, length), strict=False),
    st.integers(10, 12),
    st.integers(0, 32),
)


@st.composite
def rules(draw: st.DrawFn) -> tuple[PrefixRule, ...]:
    made = []
    for seq in range(draw(st.integers(0, 5))):
        prefix = draw(prefixes)
        bounds = sorted(draw(st.lists(st.integers(prefix.prefixlen, 32), min_size=2, max_size=2)))
        ge, le = draw(st.sampled_from([(None, None), (bounds[0], None), (None, bounds[1]), tuple(bounds)]))
        made.append(PrefixRule(seq, draw(st.sampled_from(["permit", "deny"])), prefix, ge, le))
    return tuple(made)


@given(rules(), prefixes)
def test_a_prefix_list_is_a_loop_over_its_rules(made: tuple[PrefixRule, ...], prefix: IPv4Network) -> None:
    permitted = False
    for rule in made:
        low = rule.prefix.prefixlen if rule.ge is None else rule.ge
        top = rule.le if rule.le is not None else 32 if rule.ge is not None else rule.prefix.prefixlen
        if prefix.subnet_of(rule.prefix) and low <= prefix.prefixlen <= top:
            permitted = rule.action == "permit"
            break
    assert prefix_list_permits(made, prefix) is permitted
    assert not prefix_list_permits(None, prefix)


def test_an_access_list_matches_longer_prefixes_too_unless_it_is_exact() -> None:
    ten = IPv4Network("10.0.0.0/8")
    assert access_list_permits((AccessRule(5, "permit", ten),), IPv4Network("10.1.0.0/16"))
    assert not access_list_permits((AccessRule(5, "permit", ten, exact=True),), IPv4Network("10.1.0.0/16"))
    wild = AccessRule(5, "permit", None, address=0x0A010000, wildcard=0xFFFF)
    assert access_list_permits((wild,), IPv4Network("10.1.7.0/24"))
    assert not access_list_permits((wild,), IPv4Network("10.2.0.0/16"))


def test_an_as_set_is_printed_in_braces_and_matched_as_printed() -> None:
    path = (65001, frozenset((65003, 65002)))
    assert as_path_list_permits((AsPathRule(5, "permit", "^65001 [{]65002,65003[}]$"),), path)
    assert as_path_list_permits((AsPathRule(5, "permit", "_65003_"),), path)
    assert not as_path_list_permits((AsPathRule(5, "permit", "_6500_"),), path)
    assert as_path_list_permits((AsPathRule(5, "permit", "^$"),), ())


def test_a_standard_community_list_asks_for_all_and_an_exact_one_for_no_others() -> None:
    rule = (CommunityRule(5, "permit", ("65001:1", "no-export")),)
    assert community_list_permits("standard", rule, ("65001:1", "65001:2", "no-export"))
    assert not community_list_permits("standard", rule, ("65001:1",))
    assert not community_list_permits("standard", rule, ("65001:1", "65001:2", "no-export"), exact=True)
    assert community_list_permits("standard", rule, ("65001:1", "no-export"), exact=True)


def test_an_expanded_community_list_sees_them_in_the_order_of_their_numbers() -> None:
    rule = (CommunityRule(5, "permit", (), "^65001:9 65001:10 no-export$"),)
    assert community_list_permits("standard", rule, ("65001:10", "65001:9", "no-export"))


def test_deleting_asks_about_each_community_alone() -> None:
    rules = (CommunityRule(5, "deny", ("65001:2",)), CommunityRule(10, "permit", (), "^65001:"))
    assert deleted("standard", rules, ("65001:1", "65001:2", "65002:1")) == ("65001:2", "65002:1")

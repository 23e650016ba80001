"""Prefix-lists, access-lists and the lists of AS paths and communities, while a router's lines are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from bgpsim.inputs.frr.values import NotTaken, Refused
from bgpsim.network.policies import AccessRule, AsPathRule, CommunityKind, CommunityRule, PrefixRule, Version

Rule = TypeVar("Rule", PrefixRule, AccessRule, AsPathRule, CommunityRule)
Name = TypeVar("Name")


class PolicyLists:
    """By name, and in a list by sequence number."""

    def __init__(self) -> None:
        self.prefix: dict[tuple[Version, str], dict[int, PrefixRule]] = {}
        self.access: dict[tuple[Version, str], dict[int, AccessRule]] = {}
        self.as_path: dict[str, dict[int, AsPathRule]] = {}
        self.community: dict[tuple[CommunityKind, str], dict[int, CommunityRule]] = {}

    def add_community(self, kind: CommunityKind, name: str, rule: CommunityRule, seq: int | None) -> None:
        there = self.community.get((kind, name), {})
        expanded = next((r.expression is not None for r in there.values()), rule.expression is not None)
        if expanded != (rule.expression is not None):
            style = "an expanded" if expanded else "a standard"
            raise NotTaken(f"{name} is {style} list at this line")
        add(self.community, (kind, name), rule, seq, aligned=True)


def add(lists: dict[Name, dict[int, Rule]], name: Name, rule: Rule, seq: int | None, *, aligned: bool = False) -> None:
    """A rule that is there already is left alone, whatever its number (FRR's duplicate checks). Without a number it
    comes five after the last one, `aligned` to a multiple of five."""
    rules = lists.get(name, {})
    if _numbers(rules, rule):
        return
    last = max(rules, default=0)
    number = (last // 5 * 5 if aligned else last) + 5 if seq is None else seq
    lists[name] = {**rules, number: replace(rule, seq=number)}


def remove(lists: dict[Name, dict[int, Rule]], name: Name, rule: Rule | None = None, seq: int | None = None) -> None:
    """One rule, by what it says or by its number, or the whole list. A list goes with its last rule. What is not there
    is no error to FRR, but for bgpd's own lists (`remove_there`)."""
    rules = lists.get(name, {})
    gone = list(rules) if rule is None and seq is None else [seq] if rule is None else _numbers(rules, rule)
    if not set(gone) & set(rules):
        return
    left = {number: there for number, there in rules.items() if number not in gone}
    if left:
        lists[name] = left
    else:
        del lists[name]


def remove_there(lists: dict[Name, dict[int, Rule]], name: Name, rule: Rule | None = None) -> None:
    rules = lists.get(name, {})
    if not rules or (rule is not None and not _numbers(rules, rule)):
        raise NotTaken("there is no such list at this line" if not rules else "there is no such rule at this line")
    remove(lists, name, rule)


def _numbers(rules: Mapping[int, Rule], rule: Rule) -> list[int]:
    """Of the rules that say the same."""
    wanted = replace(rule, seq=0, source=None)
    return [number for number, there in rules.items() if replace(there, seq=0, source=None) == wanted]


def checked(rule: PrefixRule) -> PrefixRule:
    """lib/filter_nb.c, prefix_list_length_validate."""
    lengths = [rule.prefix.prefixlen, *(n for n in (rule.ge, rule.le) if n is not None)]
    if lengths != sorted(lengths):
        text = " ".join(f"{word} {n}" for word, n in (("ge", rule.ge), ("le", rule.le)) if n is not None)
        raise Refused(f"found {rule.prefix} {text!r}, expected prefix length <= ge <= le")
    return rule

"""`ip prefix-list`, `access-list`, `bgp as-path access-list` and the community-lists, with their `no` forms."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from typing import TypeVar

from bgpsim.inputs.frr import policy_values, values
from bgpsim.inputs.frr.values import Refused, Unknown
from bgpsim.network.policies import (
    AccessRule,
    AsPathRule,
    CommunityKind,
    CommunityRule,
    PrefixRule,
    Version,
)
from bgpsim.network.types import Prefix
from bgpsim.source import Source

_TOP = 2**32 - 1


Rule = TypeVar("Rule", PrefixRule, AccessRule, AsPathRule, CommunityRule)
Name = TypeVar("Name")


class PolicyLists:
    """One router's lists while its lines are read. Methods raise Refused and Unknown as the reader's do."""

    def __init__(self) -> None:
        self.prefix: dict[tuple[Version, str], dict[int, PrefixRule]] = {}
        self.access: dict[tuple[Version, str], dict[int, AccessRule]] = {}
        self.as_path: dict[str, dict[int, AsPathRule]] = {}
        self.community: dict[tuple[CommunityKind, str], dict[int, CommunityRule]] = {}
        self.expanded: dict[tuple[CommunityKind, str], bool] = {}

    def statement(self, words: list[str], negated: bool, source: Source) -> bool:
        """False: not about a list."""
        match words:
            case [("ip" | "ipv6") as family, "prefix-list", name, *rest]:
                self._prefix_list(4 if family == "ip" else 6, name, rest, negated, source)
            case ["access-list", name, *rest]:
                self._access_list(4, name, rest, negated, source)
            case ["ipv6", "access-list", name, *rest]:
                self._access_list(6, name, rest, negated, source)
            case ["bgp", "as-path", "access-list", name, *rest]:
                self._as_path_list(name, rest, negated, source)
            case ["bgp", ("community-list" | "large-community-list" | "extcommunity-list") as kind, *rest]:
                self._community_list(_KINDS[kind], rest, negated, source)
            case _:
                return False
        return True

    def _prefix_list(self, version: Version, name: str, words: list[str], negated: bool, source: Source) -> None:
        if words[:1] == ["description"]:
            return
        rules = self.prefix.get((version, name), {})
        seq, rest = _sequence(words, 1)
        if negated:
            if rest:
                wanted = replace(_prefix_rule(version, rest, source), seq=0, source=None)
                _remove(rules, seq, lambda rule: replace(rule, seq=0, source=None) == wanted)
            else:
                _remove(rules, seq, None)
            _keep(self.prefix, (version, name), rules)
            return
        rule = _prefix_rule(version, rest, source)
        if any(replace(there, seq=0, source=None) == replace(rule, source=None) for there in rules.values()):
            return
        number = max(rules, default=0) + 5 if seq is None else seq
        self.prefix[version, name] = rules | {number: replace(rule, seq=number)}

    def _access_list(self, version: Version, name: str, words: list[str], negated: bool, source: Source) -> None:
        if words[:1] == ["remark"]:
            return
        rules = self.access.get((version, name), {})
        seq, rest = _sequence(words, 1)
        if negated:
            wanted = replace(_access_rule(version, rest, source), source=None) if rest else None
            same = None if wanted is None else lambda rule: replace(rule, seq=0, source=None) == wanted
            _remove(rules, seq, same)
            _keep(self.access, (version, name), rules)
            return
        rule = _access_rule(version, rest, source)
        if any(replace(there, seq=0, source=None) == replace(rule, source=None) for there in rules.values()):
            return
        number = max(rules, default=0) + 5 if seq is None else seq
        self.access[version, name] = rules | {number: replace(rule, seq=number)}

    def _as_path_list(self, name: str, words: list[str], negated: bool, source: Source) -> None:
        rules = self.as_path.get(name, {})
        seq, rest = _sequence(words, 0)
        if negated and not rest:
            _remove(rules, None, None)
            _keep(self.as_path, name, rules)
            return
        if len(rest) < 2:
            raise Refused("found no expression, expected `permit|deny EXPRESSION`")
        rule = AsPathRule(0, policy_values.action(rest[0]), policy_values.as_path_expression(rest[1:]), source)
        same = [n for n, r in rules.items() if (r.action, r.expression) == (rule.action, rule.expression)]
        if negated:
            _remove(rules, same[0] if same else -1, None)
            _keep(self.as_path, name, rules)
        elif not same:
            number = _following(rules) if seq is None else seq
            self.as_path[name] = rules | {number: replace(rule, seq=number)}

    def _community_list(self, kind: CommunityKind, words: list[str], negated: bool, source: Source) -> None:
        expanded, name, words = _community_list_name(words, {key[1] for key in self.community if key[0] == kind})
        rules = self.community.get((kind, name), {})
        seq, rest = _sequence(words, 0)
        if negated and not rest:
            _remove(rules, None, None)
            _keep(self.community, (kind, name), rules)
            return
        if len(rest) < 2:
            raise Refused("found no value, expected `permit|deny` and one")
        if expanded is None:
            expanded = self.expanded.get((kind, name), False)
        if rules and self.expanded[kind, name] != expanded:
            style = "expanded" if self.expanded[kind, name] else "standard"
            raise Refused(f"found another style, expected a rule for the {style} list {name}")
        members = () if expanded else policy_values.of_kind(kind, rest[1:])
        text = policy_values.expression(rest[1:]) if expanded else None
        rule = CommunityRule(0, policy_values.action(rest[0]), members, text, source)
        same = [
            n
            for n, r in rules.items()
            if (r.action, r.members, r.expression) == (rule.action, rule.members, rule.expression)
        ]
        if negated:
            _remove(rules, same[0] if same else -1, None)
            _keep(self.community, (kind, name), rules)
        elif not same:
            number = _following(rules) if seq is None else seq
            self.expanded[kind, name] = expanded
            self.community[kind, name] = rules | {number: replace(rule, seq=number)}


_KINDS: dict[str, CommunityKind] = {
    "community-list": "standard",
    "large-community-list": "large",
    "extcommunity-list": "extended",
}


def _community_list_name(words: list[str], there: set[str]) -> tuple[bool | None, str, list[str]]:
    """Whether it is an expanded one (None: only a list that is there can tell), its name, and what follows."""
    match words:
        case ["standard", name, *rest]:
            return False, name, rest
        case ["expanded", name, *rest]:
            return True, name, rest
        case [number, *rest] if number.isdecimal() and 1 <= int(number[:5]) <= 500:
            return int(number) >= 100, number, rest
        case [name] if name in there:
            return None, name, []
    raise Refused("found no kind of list, expected standard, expanded or a number from 1 to 500")


def _sequence(words: list[str], lowest: int) -> tuple[int | None, list[str]]:
    if words[:1] == ["seq"] and len(words) > 1:
        return values.number(words[1], lowest, _TOP), words[2:]
    return None, words


def _following(rules: dict[int, Rule]) -> int:
    return max(rules, default=0) // 5 * 5 + 5


def _remove(rules: dict[int, Rule], seq: int | None, same: object) -> None:
    """All of them, the one of this number, or the first that is the same."""
    if callable(same):
        seq = next((number for number, rule in rules.items() if same(rule)), -1)
    if seq is None:
        if not rules:
            raise Unknown("there is no such list at this line")
        rules.clear()
    elif rules.pop(seq, None) is None:
        raise Unknown("there is no such rule at this line")


def _keep(lists: dict[Name, dict[int, Rule]], name: Name, rules: dict[int, Rule]) -> None:
    """A list goes with its last rule."""
    if rules:
        lists[name] = rules
    else:
        lists.pop(name, None)


def _prefix_of(version: Version, text: str) -> Prefix:
    prefix = values.prefix(text)
    if prefix.version != version:
        raise Refused(f"found {text!r}, expected an IPv{version} prefix")
    return prefix


def _prefix_rule(version: Version, words: list[str], source: Source) -> PrefixRule:
    match words:
        case [act, "any"]:
            whole = _prefix_of(version, "0.0.0.0/0" if version == 4 else "::/0")
            return PrefixRule(0, policy_values.action(act), whole, None, whole.max_prefixlen, source)
        case [act, text, *bounds]:
            prefix = _prefix_of(version, text)
        case _:
            raise Refused("found no prefix, expected `permit|deny PREFIX [ge N] [le N]`")
    found: dict[str, int] = {}
    while bounds:
        if len(bounds) < 2 or bounds[0] not in ("ge", "le") or bounds[0] in found:
            raise Refused(f"found {' '.join(bounds)!r}, expected ge N or le N")
        found[bounds[0]] = values.number(bounds[1], 0, prefix.max_prefixlen)
        bounds = bounds[2:]
    ge, le = found.get("ge"), found.get("le")
    lengths = [prefix.prefixlen, *(n for n in (ge, le) if n is not None)]
    if lengths != sorted(lengths):
        raise Refused(f"found {' '.join(words[1:])!r}, expected prefix length <= ge <= le")
    return PrefixRule(0, policy_values.action(act), prefix, ge, le, source)


def _access_rule(version: Version, words: list[str], source: Source) -> AccessRule:
    if not words:
        raise Refused("found no rule, expected `permit|deny PREFIX`")
    act, rest = policy_values.action(words[0]), words[1:]
    match rest:
        case ["any"]:
            return AccessRule(0, act, _prefix_of(version, "0.0.0.0/0" if version == 4 else "::/0"), source=source)
        case [text] if "/" in text:
            return AccessRule(0, act, _prefix_of(version, text), source=source)
        case [text, "exact-match"] if "/" in text:
            return AccessRule(0, act, _prefix_of(version, text), exact=True, source=source)
        case ["ip", *both] if version == 4:
            address, wildcard, after = _wildcard(both)
            mask, mask_wildcard, after = _wildcard(after)
            if after:
                raise Refused(f"found {' '.join(after)!r}, expected the line's end")
            return AccessRule(0, act, None, False, address, wildcard, mask, mask_wildcard, source)
        case [_, *_] if version == 4:
            address, wildcard, after = _wildcard(rest if rest[0] == "host" or len(rest) > 1 else ["host", *rest])
            if after:
                raise Refused(f"found {' '.join(after)!r}, expected the line's end")
            return AccessRule(0, act, None, False, address, wildcard, source=source)
    raise Refused(f"found {' '.join(rest)!r}, expected a prefix")


def _wildcard(words: list[str]) -> tuple[int, int, list[str]]:
    """An address, the bits of it that are not looked at, and what follows."""
    match words:
        case ["any", *rest]:
            return 0, _TOP, rest
        case ["host", address, *rest]:
            return _ipv4(address), 0, rest
        case [address, wildcard, *rest]:
            return _ipv4(address), _ipv4(wildcard), rest
    raise Refused(f"found {' '.join(words)!r}, expected an address and its wildcard bits")


def _ipv4(text: str) -> int:
    try:
        return int(IPv4Address(text))
    except ValueError:
        raise Refused(f"found {text!r}, expected an IPv4 address") from None

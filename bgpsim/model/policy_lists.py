"""Whether a list permits a prefix, an AS path or communities: the first rule that matches tells, and none is a no.

lib/plist.c, lib/filter.c, bgpd/bgp_filter.c and bgpd/bgp_clist.c of FRR. A list that does not exist is None here, and
what that means is up to who asks.
"""

from __future__ import annotations

from collections import Counter

from bgpsim.model.expressions import matches
from bgpsim.network.policies import (
    AccessList,
    AccessRule,
    AsPathList,
    CommunityKind,
    CommunityList,
    CommunityRule,
    PrefixList,
    PrefixRule,
)
from bgpsim.network.types import AsPath, Prefix

_WELL_KNOWN = {
    "internet": 0x00000000,
    "graceful-shutdown": 0xFFFF0000,
    "accept-own": 0xFFFF0001,
    "route-filter-translated-v4": 0xFFFF0002,
    "route-filter-v4": 0xFFFF0003,
    "route-filter-translated-v6": 0xFFFF0004,
    "route-filter-v6": 0xFFFF0005,
    "llgr-stale": 0xFFFF0006,
    "no-llgr": 0xFFFF0007,
    "accept-own-nexthop": 0xFFFF0008,
    "blackhole": 0xFFFF029A,
    "no-export": 0xFFFFFF01,
    "no-advertise": 0xFFFFFF02,
    "local-AS": 0xFFFFFF03,
    "no-peer": 0xFFFFFF04,
}
_INTERNET = "internet"


def prefix_rule(rules: PrefixList, prefix: Prefix) -> PrefixRule | None:
    """The one that tells. Only the rules' order counts, not how FRR's tree finds them."""
    return next((rule for rule in rules if _in_rule(rule, prefix)), None)


def _in_rule(rule: PrefixRule, prefix: Prefix) -> bool:
    if rule.prefix.version != prefix.version or prefix.prefixlen < rule.prefix.prefixlen:
        return False
    if prefix.network_address not in rule.prefix:
        return False
    if rule.ge is None and rule.le is None:
        return prefix.prefixlen == rule.prefix.prefixlen
    return (rule.ge is None or prefix.prefixlen >= rule.ge) and (rule.le is None or prefix.prefixlen <= rule.le)


def prefix_list_permits(rules: PrefixList | None, prefix: Prefix) -> bool:
    found = None if rules is None else prefix_rule(rules, prefix)
    return found is not None and found.action == "permit"


def access_rule(rules: AccessList, prefix: Prefix) -> AccessRule | None:
    return next((rule for rule in rules if _in_access_rule(rule, prefix)), None)


def _in_access_rule(rule: AccessRule, prefix: Prefix) -> bool:
    if rule.prefix is not None:
        if rule.prefix.version != prefix.version or prefix.prefixlen < rule.prefix.prefixlen:
            return False
        return prefix.network_address in rule.prefix and (not rule.exact or prefix.prefixlen == rule.prefix.prefixlen)
    if prefix.version != 4:
        return False
    bits = int(prefix.network_address) & ~rule.wildcard
    if bits & 0xFFFFFFFF != rule.address & ~rule.wildcard & 0xFFFFFFFF:
        return False
    if rule.mask is None:
        return True
    return int(prefix.netmask) & ~rule.mask_wildcard & 0xFFFFFFFF == rule.mask & ~rule.mask_wildcard & 0xFFFFFFFF


def access_list_permits(rules: AccessList | None, prefix: Prefix) -> bool:
    found = None if rules is None else access_rule(rules, prefix)
    return found is not None and found.action == "permit"


def as_path_text(path: AsPath) -> str:
    """As bgpd prints it and matches it (bgpd/bgp_aspath.c, aspath_make_str_count): sets in braces."""
    return " ".join("{" + ",".join(map(str, sorted(p))) + "}" if isinstance(p, frozenset) else str(p) for p in path)


def as_path_list_permits(rules: AsPathList | None, path: AsPath) -> bool:
    text = as_path_text(path)
    found = next((rule for rule in rules or () if matches(rule.expression, text)), None)
    return found is not None and found.action == "permit"


def community_number(text: str) -> int:
    if text in _WELL_KNOWN:
        return _WELL_KNOWN[text]
    high, low = text.split(":")
    return int(high) << 16 | int(low)


def in_order(kind: CommunityKind, members: tuple[str, ...]) -> tuple[str, ...]:
    """As bgpd keeps and prints them: by number. Extended ones stay in the order they have."""
    if kind == "standard":
        return tuple(sorted(members, key=community_number))
    if kind == "large":
        return tuple(sorted(members, key=lambda member: tuple(map(int, member.split(":")))))
    return members


def community_list_permits(
    kind: CommunityKind, rules: CommunityList | None, members: tuple[str, ...], *, exact: bool = False
) -> bool:
    """`exact`: the communities of a standard list's rule and no others."""
    found = next((rule for rule in rules or () if _in_community_rule(kind, rule, members, exact)), None)
    return found is not None and found.action == "permit"


def _in_community_rule(kind: CommunityKind, rule: CommunityRule, members: tuple[str, ...], exact: bool) -> bool:
    if rule.expression is not None:
        return matches(rule.expression, " ".join(in_order(kind, members)))
    if not rule.members or (kind == "standard" and _INTERNET in rule.members):
        return True
    if exact:
        return bool(members) and Counter(rule.members) == Counter(members)
    return bool(members) and not Counter(rule.members) - Counter(members)


def deleted(kind: CommunityKind, rules: CommunityList, members: tuple[str, ...]) -> tuple[str, ...]:
    """What `set comm-list X delete` leaves: each community is asked about by itself."""
    return tuple(m for m in members if not _deletes(kind, rules, m))


def _deletes(kind: CommunityKind, rules: CommunityList, member: str) -> bool:
    for rule in rules:
        if rule.expression is not None:
            hit = matches(rule.expression, member)
        else:
            hit = not rule.members or member in rule.members or (kind == "standard" and _INTERNET in rule.members)
        if hit:
            return rule.action == "permit"
    return False

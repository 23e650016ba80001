"""What a route-map makes of a route, clause by clause; measured on FRR 8.4.4 where it is not obvious."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest

from bgpsim.model.route_map_sets import Changed
from bgpsim.model.route_maps import Asked, apply
from bgpsim.network.policies import CommunityRule, MapEntry, Match, Policies, PrefixRule, RouteMap, Set
from bgpsim.network.state import Attributes

TEN = ip_network("10.0.0.0/8")
ROUTE = Changed(Attributes("10.0.1.2", (65001, 65002), med=5), med=5)


def asked(*maps: tuple[str, RouteMap], place: str = "in", **more: object) -> Asked:
    lists = {(4, "TEN"): (PrefixRule(5, "permit", TEN),)}
    communities = {("standard", "ONE"): (CommunityRule(5, "permit", ("65001:1",)),)}
    policies = Policies(prefix_lists=lists, community_lists=communities, route_maps=dict(maps))  # type: ignore[arg-type]
    return Asked(policies, TEN, place, **more)  # type: ignore[arg-type]


def permit(seq: int, *sets: Set, **more: object) -> MapEntry:
    return MapEntry(seq, "permit", sets=sets, **more)  # type: ignore[arg-type]


NEVER = (Match("tag", number=9),)


def test_a_route_map_that_is_not_there_denies_and_one_that_matches_nothing_too() -> None:
    assert not apply(asked(), "NONE", ROUTE).permitted
    assert not apply(asked(("M", (permit(10, matches=NEVER),))), "M", ROUTE).permitted


def test_a_list_that_is_not_there_matches_nothing() -> None:
    entry = permit(10, matches=(Match("address prefix-list", "NONE", version=4),))
    assert not apply(asked(("M", (entry,))), "M", ROUTE).permitted


def test_going_on_to_where_nothing_matches_denies() -> None:
    entries = (permit(10, on_match="next"), permit(20, matches=NEVER))
    assert not apply(asked(("M", entries)), "M", ROUTE).permitted


def test_going_on_beyond_the_last_entry_permits() -> None:
    entries = (permit(10, Set("weight", number=7), on_match=30), permit(20, Set("weight", number=8)))
    answer = apply(asked(("M", entries)), "M", ROUTE)
    assert (answer.permitted, answer.route.weight) == (True, 7)
    answer = apply(asked(("M", entries[:1])), "M", ROUTE)
    assert answer.permitted


def test_on_match_next_at_the_last_entry_permits() -> None:
    assert apply(asked(("M", (permit(10, on_match="next"),))), "M", ROUTE).permitted


def test_a_called_map_decides_too_and_one_that_is_not_there_does_not() -> None:
    entry = permit(10, Set("weight", number=7), call="OTHER")
    deny = MapEntry(10, "deny")
    assert not apply(asked(("M", (entry,)), ("OTHER", (deny,))), "M", ROUTE).permitted
    assert apply(asked(("M", (entry,)), ("OTHER", (permit(10, Set("tag", number=3)),))), "M", ROUTE).route.tag == 3
    assert apply(asked(("M", (entry,))), "M", ROUTE).permitted


def test_maps_that_call_each_other_deny() -> None:
    maps = (("A", (permit(10, call="B"),)), ("B", (permit(10, call="A"),)))
    assert not apply(asked(*maps), "A", ROUTE).permitted


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Set("as-path prepend", ("1", "2")), (1, 2, 65001, 65002)),
        (Set("as-path prepend last-as", number=2), (65001, 65001, 65001, 65002)),
        (Set("as-path exclude", ("65001",)), (65002,)),
    ],
)
def test_the_as_path(change: Set, expected: tuple[int, ...]) -> None:
    assert apply(asked(("M", (permit(10, change),))), "M", ROUTE).route.attributes.as_path == expected


def test_an_as_set_is_excluded_in_part_and_never_last() -> None:
    route = Changed(Attributes("10.0.1.2", (frozenset((1, 2)), 3)))
    left = apply(asked(("M", (permit(10, Set("as-path exclude", ("1", "3"))),))), "M", route)
    assert left.route.attributes.as_path == (frozenset((2,)),)
    again = apply(asked(("M", (permit(10, Set("as-path prepend last-as", number=2)),))), "M", route)
    assert again.route.attributes.as_path == route.attributes.as_path


def test_numbers_stop_at_their_ends() -> None:
    sets = (Set("metric", number=9, sign="-"), Set("local-preference", number=2**32 - 1, sign="+"))
    route = apply(asked(("M", (permit(10, *sets),))), "M", Changed(ROUTE.attributes, med=5, preference=100)).route
    assert (route.attributes.med, route.attributes.local_preference) == (0, 2**32 - 1)


def test_a_metric_that_is_not_sent_is_matched_and_not_added_to() -> None:
    """On the way to an external peer bgpd takes the attribute away and keeps its number."""
    route = Changed(Attributes("10.0.1.2", med=None), med=50)
    entry = permit(10, Set("metric", number=7, sign="+"), matches=(Match("metric", number=50),))
    assert apply(asked(("M", (entry,)), place="out"), "M", route).route.attributes.med == 7


def test_extended_communities_are_added_even_twice() -> None:
    route = Changed(Attributes("10.0.1.2", extended_communities=("RT:1:1",)))
    changed = apply(asked(("M", (permit(10, Set("extcommunity rt", ("RT:1:1",))),))), "M", route).route
    assert changed.attributes.extended_communities == ("RT:1:1", "RT:1:1")


def test_an_interface_is_matched_by_name_only_in_a_peer_group() -> None:
    entry = permit(10, matches=(Match("peer", "net0"),))
    assert not apply(asked(("M", (entry,)), peer="net0"), "M", ROUTE).permitted
    assert apply(asked(("M", (entry,)), peer="net0", peer_group="G"), "M", ROUTE).permitted


def test_an_ipv6_next_hop_turns_an_ipv4_route_into_one_with_it() -> None:
    """Unless an IPv4 one was set before (measured on 8.4.4)."""
    v6, v4 = IPv6Address("2001:db8::1"), IPv4Address("10.0.9.9")
    alone = permit(10, Set("ipv6 next-hop global", address=v6))
    assert apply(asked(("M", (alone,))), "M", ROUTE).route.attributes.next_hop == str(v6)
    both = permit(10, Set("ip next-hop", address=v4), Set("ipv6 next-hop global", address=v6))
    assert apply(asked(("M", (both,))), "M", ROUTE).route.attributes.next_hop == str(v4)

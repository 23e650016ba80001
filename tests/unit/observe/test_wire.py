"""UPDATEs as ExaBGP 5 reports them -> what stands on a session afterwards. Shapes copied from real runs."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from bgpsim.errors import LabError
from bgpsim.network.state import Attributes, WireKey
from bgpsim.observe.wire import net_effect


def event(message: dict[str, Any], direction: str = "received", router: str = "tor0") -> dict[str, Any]:
    return {
        "speaker": "injector",
        "router": router,
        "direction": direction,
        "time": 1.0,
        "message": {"type": "update", "neighbor": {"message": message}},
    }


def announce(prefix: str, next_hop: str = "fe80::1", family: str = "ipv4 unicast", **attributes: Any) -> dict[str, Any]:
    made = {name.replace("_", "-"): value for name, value in attributes.items()}
    return {
        "update": {
            "attribute": {"origin": "igp", "as-path": {}} | made,
            "announce": {family: {next_hop: [{"nlri": prefix}]}},
        }
    }


def withdraw(prefix: str, family: str = "ipv4 unicast") -> dict[str, Any]:
    return {"update": {"withdraw": {family: [{"nlri": prefix}]}}}


def key(prefix: str, direction: Any = "received", router: str = "tor0", path_id: int = 0) -> WireKey:
    network = ip_network(prefix)
    return WireKey(
        "injector", direction, router, "ipv4-unicast" if network.version == 4 else "ipv6-unicast", network, path_id
    )


def spell(speaker: str, router: str, address: str) -> str:
    return f"{speaker}-{router}-{address}"


def test_the_last_word_on_each_route_stands() -> None:
    found = net_effect(
        [
            event(announce("10.0.0.0/24", med=1)),
            event(announce("10.0.1.0/24")),
            event(announce("10.0.0.0/24", med=2)),
            event(withdraw("10.0.1.0/24")),
            event(withdraw("10.0.9.0/24")),
            event({"eor": {"afi": "ipv4", "safi": "unicast"}}),
        ],
        spell,
    )
    assert found == {key("10.0.0.0/24"): Attributes("injector-tor0-fe80::1", med=2)}


def test_directions_and_peers_are_kept_apart() -> None:
    found = net_effect(
        [
            event(announce("10.0.0.0/24")),
            event(announce("10.0.0.0/24"), router="tor1"),
            event(announce("10.0.0.0/24"), direction="sent"),
            event(withdraw("10.0.0.0/24"), router="tor1"),
        ],
        spell,
    )
    assert set(found) == {key("10.0.0.0/24"), key("10.0.0.0/24", "sent")}


def test_every_attribute_is_read() -> None:
    message = announce(
        "2001:db8::/48",
        next_hop="2001:db8::1",
        family="ipv6 unicast",
        origin="incomplete",
        as_path={
            "0": {"element": "as-sequence", "value": [65010, 65000]},
            "1": {"element": "as-set", "value": [3, 4]},
        },
        med=7,
        local_preference=200,
        atomic_aggregate=True,
        aggregator="65000:192.0.2.1",
        community=[[65000, 1], [65535, 65281]],
        large_community=[[65000, 1, 2]],
        originator_id="192.0.2.9",
        cluster_list=["192.0.2.8"],
    )
    (attributes,) = net_effect([event(message)], spell).values()
    assert attributes == Attributes(
        next_hop="injector-tor0-2001:db8::1",
        as_path=(65010, 65000, frozenset({3, 4})),
        origin="incomplete",
        med=7,
        local_preference=200,
        atomic_aggregate=True,
        aggregator="65000:192.0.2.1",
        communities=("65000:1", "no-export"),
        large_communities=("65000:1:2",),
        originator_id="192.0.2.9",
        cluster_list=("192.0.2.8",),
    )


def test_a_next_hop_of_32_octets_is_its_link_local_address() -> None:
    """RFC 2545 section 3; ExaBGP lists the routes under the global and under the link-local address."""
    message = announce("2001:db8::/48", family="ipv6 unicast")
    message["update"]["announce"]["ipv6 unicast"] = {
        "fe80::1": [{"nlri": "2001:db8::/48"}],
        "2001:db8::1": [{"nlri": "2001:db8::/48"}],
    }
    (attributes,) = net_effect([event(message)], spell).values()
    assert attributes.next_hop == "injector-tor0-fe80::1"


def test_path_ids_make_routes_of_their_own() -> None:
    """RFC 7911: ExaBGP writes the id like an address."""
    message = announce("10.0.0.0/24")
    routes = [{"nlri": "10.0.0.0/24", "path-information": f"0.0.0.{number}"} for number in (1, 2)]
    message["update"]["announce"]["ipv4 unicast"] = {"fe80::1": routes}
    found = net_effect([event(message), event(withdraw("10.0.0.0/24"))], spell)
    assert set(found) == {key("10.0.0.0/24", path_id=1), key("10.0.0.0/24", path_id=2)}


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"update": {"something": {}}}, "an UPDATE of an unknown shape: ['something']"),
        (announce("10.0.0.0/24", pmsi=1), "an UPDATE has attributes that are not known: pmsi"),
        (announce("10.0.0.0/24", origin="odd"), "an UPDATE has the unknown origin 'odd'"),
        (announce("10.0.0.0/24", family="ipv4 flow"), "an UPDATE of the unknown family 'ipv4 flow'"),
        (
            announce("10.0.0.0/24", as_path={"0": {"element": "confed", "value": []}}),
            "an AS path segment of the unknown kind 'confed'",
        ),
    ],
)
def test_what_is_not_known_is_refused(message: dict[str, Any], said: str) -> None:
    with pytest.raises(LabError) as caught:
        net_effect([event(message)], spell)
    assert said in caught.value.message


def test_attributes_that_exabgp_does_not_know_are_kept_by_code_and_without_flags() -> None:
    """The partial bit tells that somebody passed it on, and ExaBGP sets it on all that it shows."""
    attributes = {"attribute-0xC8-0xE0": "0x0A0B", "attribute-0x63-0xC0": "0x01"}
    message = {
        "update": {
            "attribute": {"origin": "igp"} | attributes,
            "announce": announce("10.0.0.0/24")["update"]["announce"],
        }
    }
    assert net_effect([event(message)], spell)[key("10.0.0.0/24")].unknown == ("99 0x01", "200 0x0a0b")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0x0002FDE800000064, "RT:65000:100"),
        (0x0102C00002010007, "RT:192.0.2.1:7"),
        (0x0203000111700007, "SoO:70000:7"),
        # Neither: another type, another subtype.
        (0x4004FDE800000064, "0x4004fde800000064"),
        (0x000BFDE800000064, "0x000bfde800000064"),
    ],
)
def test_extended_communities_are_read_from_their_octets(value: int, text: str) -> None:
    message = announce("10.0.0.0/24", extended_community=[{"value": value, "string": "whatever"}])
    assert net_effect([event(message)], spell)[key("10.0.0.0/24")].extended_communities == (text,)


def test_path_ids_of_a_router_are_counted_by_attributes_and_a_speaker_s_own_stay() -> None:
    def path(number: int, med: int) -> dict[str, Any]:
        message = announce("10.0.0.0/24", med=med)
        message["update"]["announce"]["ipv4 unicast"]["fe80::1"][0]["path-information"] = f"0.0.1.{number}"
        return message

    found = net_effect([event(path(9, 5)), event(path(7, 3)), event(path(5, 1), "sent")], spell)
    assert {(k.direction, k.path_id): a.med for k, a in found.items()} == {
        ("received", 1): 3,
        ("received", 2): 5,
        ("sent", 261): 1,
    }

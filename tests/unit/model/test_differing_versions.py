"""Where releases of FRR behave differently: each case once on 8.4 and once on a later one, as measured on both."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Address, ip_network

import pytest
from drawing import frr, neighbor, net, speaker, state

from bgpsim.check.compare import is_in_table
from bgpsim.frr_series import SERIES, Series
from bgpsim.inputs.files.speakers import next_hop_beside
from bgpsim.network.description import Network, Origination
from bgpsim.network.state import AdvertisedKey, PathKey, SessionKey

OLD, NEW = (8, 4), (10, 3)
BOTH = ("ipv4-unicast", "ipv6-unicast")
PREFIX = ip_network("10.99.0.0/24")


def over_loopbacks(release: Series, families: tuple[str, ...] = BOTH, **addresses: str) -> Network:
    """a (8.4) and b, an IPv4 session between their loopbacks."""

    def to(address: str):  # type: ignore[no-untyped-def]
        return neighbor(address, families=families, ebgp_ttl=2, update_source="lo")

    return net(
        links=["a:b -- b:a"],
        addresses={
            "a:lo": "10.255.0.1/32",
            "b:lo": "10.255.0.2/32 " + addresses.get("b", ""),
            "a:b": "10.0.12.1/24",
            "b:a": "10.0.12.2/24",
        },
        routes={"a": ["10.255.0.2/32 via 10.0.12.2"], "b": ["10.255.0.1/32 via 10.0.12.1"]},
        routers={
            "a": frr(65001, to("10.255.0.2"), router_id="10.0.0.1"),
            "b": frr(65002, to("10.255.0.1"), router_id="10.0.0.2", frr=release),
        },
    )


@pytest.mark.parametrize("release", SERIES)
def test_ipv6_on_an_ipv4_session_without_an_ipv6_address(release: Series) -> None:
    """Both ends are down, and both for the reason that is b's."""
    sessions = state(over_loopbacks(release)).sessions
    for key in (SessionKey("a", "10.255.0.2"), SessionKey("b", "10.255.0.1")):
        found = sessions[key]
        if release >= (10, 0):
            assert found.state == "Down"
            assert (found.because or "").startswith("b has no IPv6 address beside 10.255.0.2")
        else:
            assert found.state == "Established"


def test_one_address_or_one_family_less_is_enough() -> None:
    key = SessionKey("b", "10.255.0.1")
    assert state(over_loopbacks(NEW, b="fd00::2/128")).sessions[key].state == "Established"
    assert state(over_loopbacks(NEW, ("ipv4-unicast",))).sessions[key].state == "Established"


def announced(release: Series, *as_path: int | frozenset[int], asn: int = 65099) -> bool:
    """Whether the router takes a speaker's path."""
    instance = speaker(asn, "r", originated=(Origination(PREFIX, as_path=as_path),))
    instance = replace(instance, neighbors=tuple(replace(n, remote_as=65000) for n in instance.neighbors))
    to_speaker = neighbor("fe80::2%x", asn, families=BOTH)
    network = net(
        links=["r:x -- s:r"],
        addresses={"r:lo": "10.255.0.1/32"},
        kinds={"s": "speaker"},
        link_local={"r:x": "fe80::1", "s:r": "fe80::2"},
        routers={"r": frr(65000, to_speaker, router_id="10.0.0.1", frr=release), "s": instance},
    )
    return is_in_table(state(network).paths[PathKey("r", "ipv4-unicast", PREFIX, "fe80::2")])


@pytest.mark.parametrize("as_path", [(), (65010,), (frozenset({65099}),)])
def test_a_path_that_does_not_begin_with_the_peer_s_as(as_path: tuple[int | frozenset[int], ...]) -> None:
    assert announced(OLD, *as_path)
    assert not announced(NEW, *as_path)


def test_an_internal_peer_s_path_may_begin_with_anything() -> None:
    assert announced(NEW, 65010, asn=65000)
    assert announced(NEW, 65099, 65010)


def test_a_speaker_s_routes_at_10_3_have_another_next_hop() -> None:
    own = IPv6Address("fe80::2")
    assert {release: next_hop_beside(own, release) for release in SERIES} == {
        **dict.fromkeys(SERIES),
        NEW: IPv6Address("fe80::1002"),
    }


def test_the_release_of_gobgp_and_exabgp_is_none() -> None:
    """What FRR does is no other engine's."""
    network = over_loopbacks(OLD)
    other = replace(network.devices["b"], bgp=replace(network.devices["b"].bgp, engine="gobgp", frr=NEW))  # type: ignore[arg-type]
    changed = replace(network, devices={**network.devices, "b": other})
    assert state(changed).sessions[SessionKey("a", "10.255.0.2")].state == "Established"


def test_the_preference_that_is_printed_to_an_external_peer() -> None:
    """Not sent by any of them."""
    printed, sent = {}, {}
    for release in SERIES:
        network = net(
            links=["a:b -- b:a", "b:c -- c:b"],
            addresses={"a:lo": "10.255.0.1/32"},
            routers={
                "a": frr(65000, neighbor("b", "internal"), router_id="10.0.0.1"),
                "b": frr(65000, neighbor("a", "internal"), "c", router_id="10.0.0.2", frr=release),
                "c": frr(65003, "b", router_id="10.0.0.3"),
            },
        )
        found, prefix = state(network), ip_network("10.255.0.1/32")
        printed[release] = found.advertised[AdvertisedKey("b", "c", "ipv4-unicast", prefix)].local_preference
        sent[release] = {of.local_preference for key, of in found.wire.items() if key.stream == "b to c"}
    assert printed == {(7, 5): 100, (8, 4): 100, (10, 3): 100, (10, 7): None}
    assert all(values == {None} for values in sent.values())

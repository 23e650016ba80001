"""Where only the order of arrival tells, every order is an outcome; where history tells, there is one."""

from ipaddress import ip_network

from drawing import frr, net
from seed_lab import announce, seed

from bgpsim.model import outcome_with, outcomes, predict
from bgpsim.network.state import AdvertisedKey, PathKey

ANYCAST = ip_network("10.99.0.1/32")
BOTH = seed(announced=[announce("10.99.0.1/32")])
"""At both ToRs at once: router0 may hear of it from either first, and tells the other one what it chose."""


def best_at_router0(found) -> str:
    (neighbor,) = (
        key.neighbor
        for key, path in found.paths.items()
        if (key.device, key.prefix) == ("router0", ANYCAST) and path.best
    )
    return neighbor


def test_two_equal_paths_at_once_have_two_outcomes() -> None:
    found = outcomes(BOTH, None, ())
    assert [best_at_router0(p.state) for p in found] == ["net0", "net1"]
    assert found[0].state == predict(BOTH, None, ()).state
    # Each is whole: what router0 sends follows from what it chose (AS 65010 is tor0's, 65011 tor1's).
    for prediction, asn in zip(found, (65010, 65011), strict=True):
        for neighbor in ("net0", "net1"):
            sent = prediction.state.advertised[AdvertisedKey("router0", neighbor, "ipv4-unicast", ANYCAST)]
            assert sent.as_path == (asn, 65099)


def test_history_leaves_one() -> None:
    first = predict(seed(announced=[announce("10.99.0.1/32", "tor1")]), None, ()).state
    (found,) = outcomes(BOTH, first, ())
    assert best_at_router0(found.state) == "net1"


def test_independent_ties_multiply_and_are_bounded() -> None:
    prefixes = [f"10.99.0.{n}/32" for n in range(1, 4)]
    network = seed(announced=[announce(prefix) for prefix in prefixes])
    assert len(outcomes(network, None, ())) == 8
    assert len(outcomes(network, None, (), most=3)) <= 3


def test_a_path_that_is_said_to_have_come_first_stays_best() -> None:
    first = PathKey("router0", "ipv4-unicast", ANYCAST, "net1")
    found = predict(BOTH, None, (), arrived=frozenset({first}))
    assert best_at_router0(found.state) == "net1"
    assert found.ties == ()


def test_of_more_ties_than_can_be_tried_the_outcome_that_was_seen_is_found() -> None:
    prefixes = [ip_network(f"10.{n}.0.0/16") for n in range(20, 28)]
    network = net(
        links=["a:net0 -- b:net0", "a:net1 -- c:net0", "b:net1 -- d:net0", "c:net1 -- d:net1"],
        addresses={f"d:lo{n}": f"10.{20 + n}.0.1/16" for n in range(8)},
        routers={
            "a": frr(65001, "net0", "net1", router_id="10.0.0.1"),
            "b": frr(65002, "net0", "net1", router_id="10.0.0.2"),
            "c": frr(65003, "net0", "net1", router_id="10.0.0.3"),
            "d": frr(65004, "net0", "net1", router_id="10.0.0.4"),
        },
    )
    wanted = {PathKey("a", "ipv4-unicast", prefix, "net1" if n % 2 else "net0") for n, prefix in enumerate(prefixes)}
    (found,) = outcome_with(network, None, (), wanted)
    best = {
        key for key, path in found.state.paths.items() if path.best and key.device == "a" and key.prefix in prefixes
    }
    assert best == wanted
    assert len(outcomes(network, None, (), most=4)) == 4

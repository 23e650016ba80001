"""Which pairs lose packets during a step, derived by hand from what the step cuts, and what it leaves alone."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from drawing import flow, frr, net, state, with_down
from seed_lab import announce, pod, seed

from bgpsim.model.losses import Moment, losses
from bgpsim.network.description import Network
from bgpsim.network.loss import LossPrediction
from bgpsim.network.state import FlowKey

CROSS = [("worker", "worker2"), ("worker", "worker3"), ("worker2", "worker"), ("worker3", "worker")]
WITHIN = [("worker2", "worker3"), ("worker3", "worker2")]


def pairs(network: Network, names: Sequence[tuple[str, str]]) -> list[FlowKey]:
    return [flow(network, pod(a), pod(b)) for a, b in names]


def during(before: Network, after: Network, flows: Sequence[FlowKey], **more: object) -> dict[FlowKey, LossPrediction]:
    first = Moment(before, state(before))
    last = Moment(after, state(after, first.state))
    return losses(first, last, flows, **{"interval": 0.01, **more})  # type: ignore[arg-type]


def words(found: dict[FlowKey, LossPrediction]) -> set[tuple[str, bool | None]]:
    return {(one.loss, one.recovers) for one in found.values()}


def test_nothing_is_done() -> None:
    network = seed(cilium=True)
    found = during(network, network, pairs(network, CROSS + WITHIN))
    assert words(found) == {("none", True)}


def test_the_only_uplink_is_cut_and_comes_back() -> None:
    """tor1's only uplink carries all that crosses the racks, and nothing of what stays in rack 1."""
    up = seed(cilium=True)
    down = with_down(up, "tor1:net0")
    assert words(during(up, down, pairs(up, CROSS))) == {("must", False)}
    assert words(during(down, up, pairs(up, CROSS))) == {("must", True)}
    for one, other in ((up, down), (down, up)):
        assert words(during(one, other, pairs(up, WITHIN))) == {("none", True)}


def test_a_flap_within_one_step() -> None:
    up = seed(cilium=True)
    flap = replace(up, interim=(with_down(up, "tor1:net0"),))
    found = during(up, flap, pairs(up, CROSS))
    assert words(found) == {("must", True)}
    assert found[flow(up, pod("worker"), pod("worker2"))].because == "its only way crosses router0:net1, which is cut"
    assert words(during(up, flap, pairs(up, WITHIN))) == {("none", True)}


def test_a_stream_that_sends_seldom_may_miss_what_takes_a_message() -> None:
    up = seed(cilium=True)
    flap = replace(up, interim=(with_down(up, "tor1:net0"),))
    assert words(during(up, flap, pairs(up, CROSS), interval=0.05)) == {("may", True)}
    # What is lost for good is missed by none.
    assert words(during(up, with_down(up, "tor1:net0"), pairs(up, CROSS), interval=0.1)) == {("must", False)}


def test_a_hijack_and_its_withdrawal() -> None:
    """The low half of worker3's pods goes to the speaker: whoever sends there loses, and nobody else."""
    plain = seed(cilium=True, announced=())
    hijacked = seed(cilium=True, announced=(announce("10.1.3.0/25", "tor1"),))
    to_worker3 = [("worker", "worker3"), ("worker2", "worker3")]
    others = [pair for pair in CROSS + WITHIN if pair not in to_worker3]
    assert words(during(plain, hijacked, pairs(plain, to_worker3))) == {("must", False)}
    assert words(during(hijacked, plain, pairs(plain, to_worker3))) == {("must", True)}
    for one, other in ((plain, hijacked), (hijacked, plain)):
        assert words(during(one, other, pairs(plain, others))) == {("none", True)}


def test_bgp_is_configured_anew_on_a_router_of_the_way() -> None:
    """The state at rest is the same, and the session may be reset on the way there."""
    network = seed(cilium=True)
    instance = network.devices["tor1"].bgp
    assert instance is not None
    slower = tuple(replace(neighbor, hold_time=30) for neighbor in instance.neighbors)
    tor1 = replace(network.devices["tor1"], bgp=replace(instance, neighbors=slower))
    changed = replace(network, devices={**network.devices, "tor1": tor1})
    found = during(network, changed, pairs(network, CROSS))
    assert {one.because for one in found.values()} == {"BGP at tor1 is configured anew"}
    assert words(found) == {("may", True)}


def test_what_a_step_types_is_outside_the_model() -> None:
    network = seed(cilium=True)
    assert words(during(network, network, pairs(network, CROSS), outside="exec")) == {("may", None)}


def test_of_the_first_step_nothing_is_known_but_its_end() -> None:
    network = seed(cilium=True)
    moment = Moment(network, state(network))
    assert words(losses(None, moment, pairs(network, CROSS), interval=0.01)) == {("may", True)}
    alone = seed()
    moment = Moment(alone, state(alone))
    assert words(losses(None, moment, pairs(alone, CROSS), interval=0.01)) == {("must", False)}


# h1 -- r1 -- r2 -- r4 -- h2, and the longer way r1 -- r3 -- r5 -- r4
LINKS = ["h1:net0 -- r1:h", "r1:r2 -- r2:r1", "r2:r4 -- r4:r2", "r1:r3 -- r3:r1", "r3:r5 -- r5:r3", "r5:r4 -- r4:r5"]
ADDRESSES = {"h1:net0": "10.1.0.2/24", "r1:h": "10.1.0.1/24", "r4:h": "10.4.0.1/24", "h2:net0": "10.4.0.2/24"}
PEERS = {"r1": ("r2", "r3"), "r2": ("r1", "r4"), "r3": ("r1", "r5"), "r4": ("r2", "r5"), "r5": ("r3", "r4")}


@pytest.fixture
def two_ways() -> Network:
    routers = {name: frr(65000 + int(name[1]), *peers, router_id=f"10.0.0.{name[1]}") for name, peers in PEERS.items()}
    return net(
        links=[*LINKS, "r4:h -- h2:net0"],
        addresses=ADDRESSES,
        routers=routers,
        routes={"h1": ["default via 10.1.0.1"], "h2": ["default via 10.4.0.1"]},
        kinds={"h1": "host", "h2": "host"},
        endpoints={"host:h1": "h1", "host:h2": "h2"},
    )


def test_a_router_at_the_cut_that_knows_another_way_may_be_fast(two_ways: Network) -> None:
    """r1 has heard of h2's network from r3 too. r2 has not heard of h1's from r4: r4's own way there is by r2."""
    forth, back = flow(two_ways, "host:h1", "host:h2"), flow(two_ways, "host:h2", "host:h1")
    found = during(two_ways, with_down(two_ways, "r1:r2"), [forth, back])
    assert (found[forth].loss, found[forth].recovers) == ("may", True)
    assert (found[back].loss, found[back].recovers) == ("must", True)
    assert found[back].because == "its only way crosses r2:r1, which is cut"


def test_a_way_that_moves_without_a_cut_may_lose(two_ways: Network) -> None:
    forth = flow(two_ways, "host:h1", "host:h2")
    assert words(during(with_down(two_ways, "r1:r2"), two_ways, [forth])) == {("may", True)}


def test_a_spare_way_that_is_cut_costs_nothing(two_ways: Network) -> None:
    """r1 and r4 lose a path that they do not use."""
    flows = [flow(two_ways, "host:h1", "host:h2"), flow(two_ways, "host:h2", "host:h1")]
    spare = with_down(two_ways, "r3:r5")
    assert words(during(two_ways, spare, flows)) == {("none", True)}
    assert words(during(spare, two_ways, flows)) == {("none", True)}


def test_without_the_spare_way_every_cut_costs(two_ways: Network) -> None:
    """r1 has no other way in its table when the short one is cut; the long one comes up in the same step."""
    flows = [flow(two_ways, "host:h1", "host:h2"), flow(two_ways, "host:h2", "host:h1")]
    found = during(with_down(two_ways, "r3:r5"), with_down(two_ways, "r1:r2"), flows)
    assert words(found) == {("must", True)}


def test_a_sender_that_is_not_there_yet(two_ways: Network) -> None:
    flows = [flow(two_ways, "host:h1", "host:h2")]
    assert words(during(replace(two_ways, endpoints=()), two_ways, flows)) == {("must", True)}

"""Which sizes come through, by hand from the MTUs: h1 -- r1 -- r2 -- h2."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from drawing import flow, net, state
from seed_lab import pod, seed

from bgpsim.model.losses import Moment
from bgpsim.model.sizes import sizes
from bgpsim.network.description import Network
from bgpsim.network.sizes import SizeFate


def line(mtus: Mapping[str, int], back: bool = True) -> Network:
    """`back`: the routers have a route to h1."""
    network = net(
        links=["h1:net0 -- r1:a", "r1:b -- r2:a", "r2:b -- h2:net0"],
        addresses={
            "h1:net0": "10.1.0.2/24",
            "r1:a": "10.1.0.1/24",
            "r1:b": "10.9.0.1/30",
            "r2:a": "10.9.0.2/30",
            "r2:b": "10.2.0.1/24",
            "h2:net0": "10.2.0.2/24",
        },
        routes={
            "h1": ["default via 10.1.0.1"],
            "h2": ["default via 10.2.0.1"],
            "r1": ["10.2.0.0/24 via 10.9.0.2"],
            "r2": ["10.1.0.0/24 via 10.9.0.1"] if back else [],
        },
        kinds={"h1": "host", "h2": "host"},
        endpoints={"host:h1": "h1", "host:h2": "h2"},
    )
    return with_mtus(network, mtus)


def with_mtus(network: Network, mtus: Mapping[str, int]) -> Network:
    devices = dict(network.devices)
    for name, device in network.devices.items():
        interfaces = tuple(replace(i, mtu=mtus.get(f"{name}:{i.name}", i.mtu)) for i in device.interfaces)
        devices[name] = replace(device, interfaces=interfaces)
    return replace(network, devices=devices)


def becomes(network: Network, size: int, source: str = "host:h1", target: str = "host:h2") -> SizeFate:
    key = flow(network, source, target)
    (found,) = sizes(Moment(network, state(network)), [key], [size]).values()
    (fate,) = found
    return fate


@pytest.mark.parametrize(
    ("mtus", "size", "fate"),
    [
        ({}, 9500, SizeFate("arrived", "h2")),
        ({}, 9501, SizeFate("too-big", "h1")),
        ({"h1:net0": 1500}, 1501, SizeFate("too-big", "h1")),
        ({"r1:b": 1400, "r2:a": 1400}, 1400, SizeFate("arrived", "h2")),
        ({"r1:b": 1400, "r2:a": 1400}, 1401, SizeFate("fragmentation-needed", "r1")),
        # The far end alone: a veth takes four bytes more than its MTU, and says nothing of what it does not take.
        ({"r2:a": 1400}, 1404, SizeFate("arrived", "h2")),
        ({"r2:a": 1400}, 1405, SizeFate("dropped", "r1")),
        ({"r2:b": 1400}, 1401, SizeFate("fragmentation-needed", "r2")),
    ],
)
def test_a_line(mtus: dict[str, int], size: int, fate: SizeFate) -> None:
    assert becomes(line(mtus), size) == fate


def test_a_router_without_a_way_back_says_nothing() -> None:
    assert becomes(line({"r2:b": 1400}, back=False), 1401) == SizeFate("dropped", "r2")


def test_what_does_not_arrive_anyway_ends_as_ever() -> None:
    network = line({})
    key = flow(network, "host:h1", "address:10.2.0.9")
    (fates,) = sizes(Moment(network, state(network)), [key], [100]).values()
    assert fates == (SizeFate("neighbor-unresolved", "r2"),)


def test_links_to_pods_count_too() -> None:
    """Paths do not name them."""
    network = with_mtus(seed(cilium=True), {"worker3:lxc0": 1400, f"{pod('worker')}:eth0": 1300})
    assert becomes(network, 1401, pod("worker2"), pod("worker3")) == SizeFate("fragmentation-needed", "worker3")
    assert becomes(network, 1400, pod("worker2"), pod("worker3")) == SizeFate("arrived", pod("worker3"))
    assert becomes(network, 1301, pod("worker"), pod("worker2")) == SizeFate("too-big", pod("worker"))
    assert becomes(network, 1305, pod("worker2"), pod("worker")) == SizeFate("dropped", "worker")

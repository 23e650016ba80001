"""Names of a scenario file against a small network made by hand."""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Network

import pytest

from bgpsim.errors import InputError
from bgpsim.network.description import Device, Endpoint, Interface, Network
from bgpsim.scenario.reading.endpoints import Endpoints, all_pairs
from bgpsim.scenario.reading.names import Names
from bgpsim.scenario.schema import NamedPrefix
from bgpsim.source import Source

HERE = Source("s.yaml", 7)


def pod(node: str, v4: str, v6: str, rack: str) -> Endpoint:
    name = f"pod:default/web@{node}"
    return Endpoint(name, name, (IPv4Address(v4), IPv6Address(v6)), {"rack": rack})


NETWORK = Network(
    name="small",
    devices={
        "tor0": Device(
            "tor0",
            "router",
            (
                Interface("lo", (IPv4Interface("10.0.0.1/32"),)),
                Interface("net1", (IPv4Interface("10.0.1.1/24"),)),
                Interface("net0"),
            ),
        ),
        "worker": Device(
            "worker", "node", (Interface("net0"),), pod_cidrs=(IPv4Network("10.1.1.0/24"), IPv6Network("fd00:1::/64"))
        ),
        "injector": Device("injector", "speaker", ()),
    },
    segments=(),
    endpoints=(
        pod("worker", "10.1.1.2", "fd00:1::2", "r0"),
        pod("worker2", "10.1.2.2", "fd00:2::2", "r1"),
        Endpoint("node:worker", "worker", (IPv4Address("10.0.2.2"),)),
    ),
)


def named(of: str, **more: str) -> NamedPrefix:
    return NamedPrefix.model_validate({"of": of} | more)


@pytest.mark.parametrize(
    ("spec", "prefix"),
    [
        ("10.99.0.0/24", "10.99.0.0/24"),
        (named("worker.pod-cidr"), "10.1.1.0/24"),
        (named("worker.pod-cidr", half="low"), "10.1.1.0/25"),
        (named("worker.pod-cidr", half="high"), "10.1.1.128/25"),
        (named("worker.pod-cidr", half="high", family="ipv6"), "fd00:1:0:0:8000::/65"),
        (named("tor0.lo"), "10.0.0.1/32"),
        (named("tor0.net1"), "10.0.1.0/24"),
    ],
)
def test_prefixes(spec: str | NamedPrefix, prefix: str) -> None:
    assert str(Names(NETWORK).prefix(spec, HERE)) == prefix


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.99.0.1", "10.99.0.1"),
        ("10.99.0.0/24", "10.99.0.1"),
        ("10.99.0.7/32", "10.99.0.7"),
        ("worker.pod-cidr", "10.1.1.1"),
        ("tor0.lo", "10.0.0.1"),
        ("2001:db8::/48", "2001:db8::1"),
    ],
)
def test_addresses(text: str, address: str) -> None:
    assert str(Names(NETWORK).address(text, HERE)) == address


@pytest.mark.parametrize(
    ("of", "message", "hint"),
    [
        ("wroker.pod-cidr", "'wroker' is not in this lab", "worker"),
        ("tor0.pod-cidr", "'tor0' is no Kubernetes node", "worker.pod-cidr"),
        ("tor0.net9", "tor0 has no interface 'net9'", "tor0.net1"),
        ("tor0.net0", "tor0.net0 has no address", None),
        ("tor0", "'tor0' names no prefix", None),
        ("10.1.0.0/16", "'10.1.0.0/16' is a prefix; expected the name of one", "`prefix: 10.1.0.0/16`"),
    ],
)
def test_a_wrong_name_is_an_input_error(of: str, message: str, hint: str | None) -> None:
    with pytest.raises(InputError, match=message) as caught:
        Names(NETWORK).prefix(named(of), HERE)
    assert (caught.value.file, caught.value.line) == ("s.yaml", 7)
    assert hint is None or hint in (caught.value.hint or "")


def test_a_single_address_has_no_half() -> None:
    with pytest.raises(InputError, match="has no half"):
        Names(NETWORK).prefix(named("tor0.lo", half="low"), HERE)


@pytest.mark.parametrize(
    ("text", "message"),
    [("tor0", "expected DEVICE:INTERFACE"), ("tor9:net0", "'tor9' is not in this lab"),
     ("tor0:net7", "no interface 'net7'"), ("injector:e0", "injector has no interface 'e0'")],
)  # fmt: skip
def test_a_wrong_interface(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Names(NETWORK).interface(text, HERE)


def test_all_pairs_are_ordered_pairs_of_pods_in_both_families() -> None:
    a, b = "pod:default/web@worker", "pod:default/web@worker2"
    assert all_pairs(NETWORK) == (
        (a, b, "10.1.1.2", "10.1.2.2"),
        (a, b, "fd00:1::2", "fd00:2::2"),
        (b, a, "10.1.2.2", "10.1.1.2"),
        (b, a, "fd00:2::2", "fd00:1::2"),
    )


@pytest.mark.parametrize(
    ("sender", "target", "pairs"),
    [
        ("*", "pod:default/web@worker", [("worker2", "pod:default/web@worker")]),
        ("label:rack=r0", "label:rack=r1", [("worker", "pod:default/web@worker2")]),
        ("worker2", "node:worker", [("worker2", "node:worker")]),
        ("web@worker", "address:10.99.0.0/24", [("worker", "address:10.99.0.1")]),
    ],
)
def test_one_way(sender: str, target: str, pairs: list[tuple[str, str]]) -> None:
    flows = Endpoints(NETWORK).one_way(sender, target, HERE)
    assert sorted({(f.source.partition("@")[2], f.target) for f in flows}) == pairs


def test_both_ways_has_each_pair_and_its_return() -> None:
    flows = Endpoints(NETWORK).both_ways("label:rack=r0", "label:rack=r1", HERE)
    assert set(flows) == set(all_pairs(NETWORK))


@pytest.mark.parametrize(
    ("sender", "target", "message"),
    [
        ("web", "*", "'web' is not unique; expected one of pod:default/web@worker, pod:default/web@worker2"),
        ("nobody", "*", "'nobody' is no endpoint"),
        ("label:rack", "*", "expected label:key=value"),
        ("label:rack=r9", "*", "no pod or host has label:rack=r9"),
        ("pod:default/web@worker9", "*", "no endpoint 'pod:default/web@worker9'"),
        ("node:worker", "*", "'node:worker' cannot send"),
        ("address:10.0.0.1", "*", "cannot send"),
        ("*", "address:ten", "'ten' is no address"),
        ("*", "svc:x", "'svc:x' is no endpoint"),
    ],
)
def test_a_wrong_endpoint(sender: str, target: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        Endpoints(NETWORK).one_way(sender, target, HERE)
    assert message in caught.value.message


def test_reach_needs_an_end_that_can_answer() -> None:
    with pytest.raises(InputError, match="cannot answer"):
        Endpoints(NETWORK).both_ways("*", "address:10.99.0.1", HERE)

"""What holds for every network: the order of writing does not matter, no loops in RIBs, walks end."""

from dataclasses import replace

from drawing import flow, frr, net
from hypothesis import given, settings
from hypothesis import strategies as st

from bgpsim.model import predict


@st.composite
def fabrics(draw):
    """Random connected graphs of unnumbered routers, each with a loopback; AS numbers may repeat."""
    size = draw(st.integers(2, 5))
    pairs = [(draw(st.integers(0, n - 1)), n) for n in range(1, size)]
    pairs += draw(st.lists(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)), max_size=4))
    links, ports = [], {n: [] for n in range(size)}
    for one, other in pairs:
        if one != other:
            ends = []
            for n in (one, other):
                ports[n].append(f"net{len(ports[n])}")
                ends.append(f"r{n}:{ports[n][-1]}")
            links.append(" -- ".join(ends))
    numbers = [draw(st.integers(65001, 65004)) for _ in range(size)]
    relax = draw(st.booleans())
    return net(
        links=links,
        addresses={f"r{n}:lo": f"10.0.0.{n}/32" for n in range(size)},
        routers={
            f"r{n}": frr(numbers[n], *ports[n], router_id=f"10.0.0.{n}", multipath_relax=relax) for n in range(size)
        },
        endpoints={f"host:r{n}": f"r{n}" for n in range(size)},
    )


@settings(max_examples=60, deadline=None)
@given(fabrics(), st.randoms())
def test_every_fabric(network, random) -> None:
    ids = [endpoint.id for endpoint in network.endpoints]
    flows = [flow(network, a, b) for a in ids for b in ids if a != b]
    found = predict(network, None, flows)
    for key, path in found.state.paths.items():
        own = network.devices[key.device].bgp.asn
        if own in path.attributes.as_path:
            assert path.lost == f"denied: own AS {own} in the path"
        if path.best:
            assert path.valid
            assert own not in path.attributes.as_path
    assert set(found.state.forwarding) == set(flows)
    assert all(result.paths for result in found.state.forwarding.values())

    names = list(network.devices)
    random.shuffle(names)
    devices = {}
    for name in names:
        device = network.devices[name]
        neighbors = list(device.bgp.neighbors)
        random.shuffle(neighbors)
        devices[name] = replace(device, bgp=replace(device.bgp, neighbors=tuple(neighbors)))
    again = predict(replace(network, devices=devices), None, flows)
    assert again.state.paths == found.state.paths
    assert again.state.fib == found.state.fib
    assert again.state.forwarding == found.state.forwarding
    assert again.unmodelled == found.unmodelled

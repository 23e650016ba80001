"""The capture of BGP in a running lab: what it has not seen from its beginning on, it does not claim to know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from variants import router, topology

from bgpsim.agent.client import AgentClient
from bgpsim.check.compare import compare
from bgpsim.lab.embedded.lab import EmbeddedLab
from bgpsim.lab.images import default_store
from bgpsim.model import predict
from bgpsim.network.state import NetworkState
from bgpsim.observe import observe
from bgpsim.observe.settle import wait_settled
from bgpsim.scenario.reading.loading import load
from bgpsim.scenario.timeline import Scenario

pytestmark = pytest.mark.lab
START = "bgp_capture.start"


def speaks(*neighbors: tuple[str, int]) -> str:
    """Both families on each IPv4 session."""
    named = "\n".join(f"neighbor {address} remote-as {asn}" for address, asn in neighbors)
    active = "\n".join(f"neighbor {address} activate" for address, _ in neighbors)
    six = f"address-family ipv6 unicast\n{active}\nredistribute connected\nexit-address-family"
    return f"no bgp ebgp-requires-policy\n{named}\nredistribute connected\n{six}"


def line_of_routers() -> dict[str, str]:
    """r1 - r2 - r3: an external session, an internal one; each link has addresses of both families."""
    r1, r2, r3 = ("10.0.12.1", 65001), ("10.0.12.2", 65002), ("10.0.23.3", 65002)
    return topology(
        [
            router(
                "r1",
                65001,
                {"lo": "10.255.0.1/32", "a": "10.0.12.1/24"},
                speaks(r2),
                first="ip addr add fd00:12::1/64 dev a\nip addr add fd00:255::1/128 dev lo",
            ),
            router(
                "r2",
                65002,
                {"lo": "10.255.0.2/32", "a": "10.0.12.2/24", "b": "10.0.23.2/24"},
                speaks(r1, r3),
                first="ip addr add fd00:12::2/64 dev a\nip addr add fd00:23::2/64 dev b",
            ),
            router(
                "r3",
                65002,
                {"lo": "10.255.0.3/32", "b": "10.0.23.3/24"},
                speaks(("10.0.23.2", 65002)),
                first="ip addr add fd00:23::3/64 dev b\nip addr add fd00:255::3/128 dev lo",
            ),
        ],
        ("r1:a", "r2:a"),
        ("r2:b", "r3:b"),
    )


@pytest.fixture
def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[EmbeddedLab, Scenario]]:
    """A lab whose capture begins when all sessions stand."""
    for name, text in line_of_routers().items():
        (tmp_path / name).write_text(text)
    file = tmp_path / "scenario.yaml"
    file.write_text("name: late\nlab: {topology: topo.yml}\nsteps: [{name: up}]\n")
    scenario = load(file, file.name)
    lab = EmbeddedLab(scenario.files, default_store())
    call, held = AgentClient.call, {}

    def later(self: AgentClient, method: str, /, timeout: float = 60.0, **parameters: Any) -> Any:
        if method == START and not held:
            held.update(parameters)
            return None
        return call(self, method, timeout, **parameters)

    monkeypatch.setattr(AgentClient, "call", later)
    try:
        lab.bring_up(lambda _: None)
        settle(lab)
        lab.agent.call(START, **held)
        yield lab, scenario
    finally:
        lab.close()


def settle(lab: EmbeddedLab) -> None:
    settled = wait_settled(lab.agent, lab.devices, quiet=1.75, timeout=60)
    assert settled.how == "quiet", settled.because


def test_a_stream_is_observed_from_its_syn_on_or_not_at_all(late: tuple[EmbeddedLab, Scenario]) -> None:
    lab, scenario = late
    (step,) = scenario.steps
    predicted = predict(step.network, None, step.flows).state

    def look() -> tuple[NetworkState, dict[str, str]]:
        observed = observe(lab.agent, lab.devices, step.flows)
        return observed, dict(observed.not_observed["wire"])

    observed, missing = look()
    assert set(missing) == {"r1 to 10.0.12.2", "r2 to 10.0.12.1", "r2 to 10.0.23.3", "r3 to 10.0.23.2"}
    assert set(missing.values()) == {"no connection of it was seen from its SYN on"}
    assert observed.wire == {}
    wire = compare(predicted, observed).planes["wire"]
    assert (wire.status, wire.compared, wire.not_observed) == ("not_observed", 0, len(predicted.wire))

    clear(lab, "r1")
    observed, missing = look()
    assert set(missing) == {"r2 to 10.0.23.3", "r3 to 10.0.23.2"}
    assert {key.stream for key in observed.wire} == {"r1 to 10.0.12.2", "r2 to 10.0.12.1"}
    assert [m for m in compare(predicted, observed).mismatches if m.plane == "wire"] == []

    clear(lab, "r3")
    observed, missing = look()
    assert missing == {}
    found = compare(predicted, observed)
    assert found.mismatches == ()
    assert found.planes["wire"].equal == len(predicted.wire)
    # IPv6 on an IPv4 session: of own routes and to an external peer the link-local address goes with the global one
    # (RFC 2545 section 3); what r2 has from r1 it sends to r3 with its global address alone.
    hops = {(key.stream, str(key.prefix)): of.next_hop for key, of in observed.wire.items()}
    assert hops["r1 to 10.0.12.2", "fd00:255::1/128"] == "r1:a"
    assert hops["r3 to 10.0.23.2", "fd00:255::3/128"] == "r3:b"
    assert hops["r2 to 10.0.23.3", "fd00:255::1/128"] == "fd00:12::1"


def clear(lab: EmbeddedLab, device: str) -> None:
    assert lab.execute(device, "vtysh -c 'clear bgp *'").exit_code == 0
    settle(lab)

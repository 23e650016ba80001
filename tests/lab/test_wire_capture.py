"""The capture of BGP in a running lab: what it has not seen from its beginning on, it does not claim to know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_variants import router, topology

from bgpsim.agent.client import AgentClient
from bgpsim.check.compare import compare
from bgpsim.lab.embedded.lab import EmbeddedLab
from bgpsim.lab.images import default_store
from bgpsim.model import predict
from bgpsim.network.state import NetworkState
from bgpsim.observe import observe
from bgpsim.observe.settle import wait_settled
from bgpsim.scenario.loading import load
from bgpsim.scenario.timeline import Scenario

pytestmark = pytest.mark.lab
BGP = "no bgp ebgp-requires-policy\nneighbor {} remote-as external\nredistribute connected"
START = "bgp_capture.start"


def line_of_routers() -> dict[str, str]:
    """r1 - r2 - r3."""
    between = BGP.format("10.0.12.1") + "\nneighbor 10.0.23.3 remote-as external"
    return topology(
        [
            router("r1", 65001, {"lo": "10.255.0.1/32", "a": "10.0.12.1/24"}, BGP.format("10.0.12.2")),
            router("r2", 65002, {"lo": "10.255.0.2/32", "a": "10.0.12.2/24", "b": "10.0.23.2/24"}, between),
            router("r3", 65003, {"lo": "10.255.0.3/32", "b": "10.0.23.3/24"}, BGP.format("10.0.23.2")),
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

    assert lab.execute("r1", "vtysh -c 'clear bgp *'").exit_code == 0
    settle(lab)
    observed, missing = look()
    assert set(missing) == {"r2 to 10.0.23.3", "r3 to 10.0.23.2"}
    assert {key.stream for key in observed.wire} == {"r1 to 10.0.12.2", "r2 to 10.0.12.1"}
    found = compare(predicted, observed)
    assert [m for m in found.mismatches if m.plane == "wire"] == []
    assert found.planes["wire"].compared == len(observed.wire) > 0

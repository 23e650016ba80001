"""Prediction and lab are told once where they changed alike."""

from bgpsim.check.step_diff import StepDiff, state_pair
from bgpsim.network.state import FamilyCounters, NetworkState, Session, SessionKey


def state(accepted: int, received: int | None) -> NetworkState:
    counters = {"ipv4-unicast": FamilyCounters(accepted, received, 9)}
    return NetworkState(sessions={SessionKey("r0", "net0"): Session("Established", "ebgp", "tor0", families=counters)})  # type: ignore[arg-type]


def test_alike_though_the_router_does_not_say_what_it_received() -> None:
    predicted, observed = state_pair(state(3, 9), state(5, 13)), state_pair(state(3, None), state(5, None))
    assert [title for title, _ in StepDiff("a", "b", predicted, observed).views()] == ["predicted and observed"]


def test_not_alike() -> None:
    step = StepDiff("a", "b", state_pair(state(3, 9), state(5, 13)), state_pair(state(3, None), state(3, None)))
    assert [(title, pair.change.empty) for title, pair in step.views()] == [("predicted", False), ("observed", True)]
    assert step.differs


def test_one_view_alone() -> None:
    step = StepDiff("a", "b", observed=state_pair(state(3, 9), state(3, 9)))
    assert [title for title, _ in step.views()] == ["observed"]
    assert not step.differs

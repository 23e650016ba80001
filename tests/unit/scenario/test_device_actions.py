"""`node-down`, `session-down`, `configure` and `at` of a scenario: read, refused with their line, and predicted."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_loading import HEAD, folder, problems  # noqa: F401

from bgpsim.model import outcomes, predict
from bgpsim.network.state import NetworkState, SessionKey
from bgpsim.scenario.reading.loading import load
from bgpsim.scenario.timeline import AwaitEvent, Configure, SetInterface, SetNode, SetSession, Step

POLICIES = "    apply: [cilium-bgp-peering-policies.yaml]\n"


def steps(folder: Path, *texts: str) -> tuple[Step, ...]:  # noqa: F811
    path = folder / "s.yaml"
    path.write_text(HEAD + POLICIES + "".join(f"  - {{{text}}}\n" for text in texts))
    return load(path, "s.yaml").steps


def states(of: tuple[Step, ...]) -> list[NetworkState]:
    found: list[NetworkState] = []
    for step in of:
        found.append(predict(step.network, found[-1] if found else None, step.flows).state)
    return found


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("node-down: [tor9]", "'tor9' is not in this lab; expected a router or node or host", "tor0"),
        ("node-down: [injector]", "'injector' is a speaker; expected a router or node or host", None),
        ("node-down: [srv-worker]", "'srv-worker' lives in the network namespace of worker", None),
        ("node-down: ['pod:default/netshoot@worker']", "is a pod; expected a router or node or host", None),
        ("node-up: [tor0]", "tor0 is up here already; expected one that is down", None),
        ("node-down: [tor0], link-down: ['tor0:net0']", "tor0 is down here (node-down); expected a device", None),
        ("node-down: [worker], exec: {srv-worker: ip addr}", "worker is down here (node-down)", None),
        ("node-down: [tor0], configure: {tor0: [router bgp]}", "tor0 is down here (node-down)", None),
        ("node-down: [tor0], session-down: ['tor0:net0']", "tor0 is down here (node-down)", None),
        ("session-down: [tor0]", "'tor0' is not a session; expected DEVICE:NEIGHBOR (tor0:net0)", None),
        ("session-down: ['tor0:net7']", "tor0 has no neighbor 'net7'", "net0"),
        ("session-down: ['injector:router0']", "'router0' is no peer of speaker injector; expected one of tor0", "tor"),
        ("session-up: ['tor0:net0']", "the session tor0:net0 is not shut down here; expected one that is", None),
        ("session-down: ['tor0:net0', 'tor0:net0']", "tor0:net0 is shut down here already", None),
        ("configure: {worker: [router bgp]}", "'worker' is a node; expected a router", None),
        ("configure: {tor0: []}", "nothing is typed on tor0; expected configuration lines", None),
        ("configure: {tor0: ['router bgp ?']}", "'router bgp ?' cannot be typed", None),
        ("configure: {tor0: ['router bgp 0']}", "tor0: found '0', expected an AS number from 1", None),
        ("at: [{after: {session: 'tor0:net7', is: down}}]", "tor0 has no neighbor 'net7'", "net0"),
        ("at: [{after: {link: 'tor0:net7', is: down}}]", "tor0 has no interface 'net7'", "net0"),
        ("at: [{after: {link: 'tor0:net0', is: established}}]", "expected `is: up` or `is: down`", None),
        ("at: [{after: {session: 'tor0:net0', is: down, on: tor0}}]", "expected `on: ROUTER` with `route:`", None),
        ("at: [{after: {session: 'tor0:net0', link: 'tor0:net0', is: down}}]", "expected one of `session:`", None),
        ("at: [{after: {route: 10.0.0.0/8, is: present}}]", "expected `on: ROUTER` with `route:`", None),
        ("at: [{after: {route: 10.0.0.0/8, on: worker, is: present}}]", "'worker' is a node; expected a router", None),
        ("at: [{after: {route: 10.0.0.0/8, on: tor0, best-via: net7}}]", "tor0 has no neighbor 'net7'", "net0"),
        ("at: [{after: {route: 10.0.0.0/8, on: tor0}}]", "or `best-via: NEIGHBOR`", None),
        ("at: [{after: {link: 'tor0:net0', is: up}, node-up: [tor0]}]", "tor0 is up here already", None),
    ],
)
def test_what_cannot_be_done_is_told_with_its_line(
    folder: Path,  # noqa: F811
    text: str,
    message: str,
    hint: str | None,
) -> None:
    (problem,) = problems(folder, HEAD + POLICIES + f"  - {{name: two, {text}}}\n")
    assert message in problem.message
    assert hint is None or (problem.hint is not None and hint in problem.hint)
    assert (problem.file, problem.line) == ("s.yaml", 11)


def test_the_order_of_actions(folder: Path) -> None:  # noqa: F811
    _, two = steps(
        folder,
        "name: two, at: [{after: {link: 'tor0:net0', is: down}, link-up: ['tor0:net0'], node-up: [tor1]}],"
        " configure: {tor0: [router bgp, timers bgp 2 6]}, session-down: ['router0:net0'], link-down: ['tor0:net0'],"
        " node-down: [tor1]",
    )
    kinds = [type(action) for action in two.actions]
    assert kinds == [SetNode, SetInterface, SetSession, Configure, AwaitEvent, SetNode, SetInterface]


def test_a_node_takes_its_pods_and_its_history_with_it(folder: Path) -> None:  # noqa: F811
    made = steps(
        folder,
        "name: cut, link-down: ['worker:net0'], session-down: ['tor0:net0'],"
        " configure: {tor0: [router bgp, no neighbor 10.0.1.2]}",
        "name: gone, node-down: [worker, tor0]",
        "name: back, node-up: [tor0, worker]",
    )
    first, _, off, on = states(made)
    pod = "pod:default/netshoot@worker"
    network = made[2].network
    assert (network.devices["worker"].away, network.devices[pod].away) == (True, True)
    assert not {key.device for key in off.fib} & {"worker", "tor0"}
    assert not {key.device for key in off.sessions} & {"worker", "tor0"}
    assert {flow.source for flow in off.forwarding}.isdisjoint({pod})
    assert pod in {flow.target for flow in off.forwarding}
    # What was set, cut and typed is gone with the device.
    assert on == first


def test_a_speakers_session_is_shut_at_its_router(folder: Path) -> None:  # noqa: F811
    made = steps(folder, "name: shut, session-down: ['injector:tor0']", "name: back, session-up: ['tor0:fe80::2']")
    _, shut, back = states(made)
    assert shut.sessions[SessionKey("tor0", "fe80::2")].because == "shut down here"
    assert shut.sessions[SessionKey("injector", "tor0")].because == "shut down at tor0"
    assert back.sessions[SessionKey("tor0", "fe80::2")].state == "Established"


def test_a_gobgp_that_starts_anew_has_forgotten(folder: Path) -> None:  # noqa: F811
    made = steps(
        folder,
        "name: shut, session-down: ['worker:10.0.0.1']",
        "name: deleted, delete: [cilium-bgp-peering-policies.yaml]",
        "name: applied, apply: [cilium-bgp-peering-policies.yaml]",
    )
    first, shut, _, applied = states(made)
    assert shut.sessions[SessionKey("worker", "10.0.0.1")].because == "shut down here"
    assert applied.sessions == first.sessions


def test_lines_that_close_a_session_pass_through_its_absence(folder: Path) -> None:  # noqa: F811
    _, timers, passive = steps(
        folder,
        "name: timers, configure: {tor1: [router bgp, neighbor net0 timers 2 6]}",
        "name: passive, configure: {tor1: [router bgp, neighbor net0 passive, bgp always-compare-med]}",
    )
    assert timers.network.interim == ()
    (passed,) = passive.network.interim
    bgp = passed.devices["tor1"].bgp
    assert bgp is not None
    assert {n.name for n in bgp.neighbors if n.shutdown} == {"net0"}
    assert (timers.network.chosen_anew, passive.network.chosen_anew) == (frozenset(), {"tor1"})


def test_a_line_that_is_not_modelled_is_listed(folder: Path) -> None:  # noqa: F811
    _, two = steps(folder, "name: two, configure: {tor1: [router bgp, bgp bestpath bandwidth ignore]}")
    (listed,) = (u for u in two.network.unmodelled if u.source.file == "s.yaml")
    assert (listed.text, listed.effect, listed.device) == ("bgp bestpath bandwidth ignore", "possible", "tor1")


ANYCAST = "announce: [{speaker: injector, to: [tor0], prefix: 10.99.0.1/32}]"


def test_what_a_hurried_step_leaves_open_are_outcomes(folder: Path) -> None:  # noqa: F811
    """Whether router0 had lost tor0's path when tor1's came decides which of the two it uses."""
    made = steps(
        folder,
        f"name: first, {ANYCAST}",
        "name: both, announce: [{speaker: injector, to: [tor1], prefix: 10.99.0.1/32}]",
        "name: flap, session-down: ['tor0:net0'], at: [{after: {session: 'router0:net0', is: down},"
        " session-up: ['tor0:net0']}]",
    )
    before = states(made[:3])[-1]
    flap = made[3]
    prediction = predict(flap.network, before, ())
    assert (prediction.hurried, prediction.is_open) == (True, True)
    assert "how far the routers had come when the step went on decides" in {u.text for u in prediction.unmodelled}
    best = {
        key.neighbor
        for one in outcomes(flap.network, before, ())
        for key, path in one.state.paths.items()
        if (key.device, str(key.prefix)) == ("router0", "10.99.0.1/32") and path.best
    }
    assert best == {"net0", "net1"}


def test_a_hurried_step_that_leaves_nothing_open_is_certain(folder: Path) -> None:  # noqa: F811
    made = steps(
        folder,
        "name: two, session-down: ['tor0:net0'], at: [{after: {link: 'tor1:net0', is: down}, announce: "
        "[{speaker: injector, to: [tor1], prefix: 10.98.0.0/24}]}]",
    )
    before = states(made[:1])[-1]
    assert not predict(made[1].network, before, ()).is_open

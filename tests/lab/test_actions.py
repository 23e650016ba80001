"""What a step does to devices, sessions and running routers, and on what it sees: prediction and routers agree.

Which lines close a session is seen by which of two equal external paths is used: FRR keeps the oldest.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from variants import (
    CILIUM,
    POLICIES,
    Step,
    Variant,
    all_agree,
    host,
    of_seed,
    router,
    session,
    topology,
    way,
    why_down,
)

from bgpsim.cli.output import Silent
from bgpsim.inputs.files.lab_files import LabFiles
from bgpsim.lab.embedded.lab import EmbeddedLab
from bgpsim.lab.images import default_store
from bgpsim.scenario.playing import reactions
from bgpsim.scenario.playing.runner import run
from bgpsim.scenario.reading.loading import load
from bgpsim.speakers.control import SpeakerControl

pytestmark = pytest.mark.lab

PAIR = "no bgp ebgp-requires-policy\nneighbor {} remote-as {}\nneighbor {} timers connect 1\n"


def best(step: Step, prefix: str, device: str = "r0") -> set[str]:
    """What the step changed in a router's choice: the neighbors whose path became the best."""
    changed = step["diff"]["observed"]["routes"]
    return {
        route["peer"]
        for route in [*changed["changed"], *changed["added"]]
        if (route["device"], route["prefix"], route["plane"]) == (device, prefix, "bgp") and "(best" in route["after"]
    }


def power(steps: list[Step]) -> None:
    """A node's pods go with it, a router says goodbye to nobody; both come back as their files make them."""
    peers, worker, back, down, up = steps
    pod = "pod:default/netshoot@worker"
    assert way(peers, "pod:default/netshoot@worker3", pod)[0] == "delivered"
    # With its uplink's session shut, tor1 has no default route either.
    assert way(worker, "pod:default/netshoot@worker3", pod)[0] == "no-route"
    assert pod not in {row["from"]["id"] for row in worker["reachability"]}
    assert why_down(worker, "tor0", "10.0.2.2") == "nobody has the address 10.0.2.2"
    assert why_down(worker, "tor1", "10.0.3.2") == "shut down at worker2"
    assert why_down(worker, "worker2", "10.0.0.2") == "shut down here"
    assert why_down(worker, "injector", "tor1") == "shut down at tor1"
    assert not {row["device"] for row in worker["sessions"]} & {"worker", pod}
    assert session(back, "tor0", "10.0.2.2") == session(peers, "tor0", "10.0.2.2")
    assert session(back, "tor1", "fe80::2") == session(peers, "tor1", "fe80::2")
    assert why_down(down, "router0", "net1") == "no carrier on router0:net1"
    assert session(up, "router0", "net1") == session(peers, "router0", "net1")
    # The speaker has kept its route for the router that is new.
    assert session(up, "tor1", "fe80::2")[1] == (1, 14)


def typed(steps: list[Step]) -> None:
    """The oldest path is used: it is the one of the neighbor whose session no line has closed."""
    up, second, multihop, source, family, ranked, less, other = steps
    anycast = "10.9.0.0/24"
    assert session(up, "r0", "10.0.1.2")[1] == (4, 6)
    # r0 tells of one loopback and a static route now, and no more of its connected networks.
    assert best(second, "10.78.0.0/16", "a1") == {"10.0.1.1"}
    assert best(second, anycast) == set()
    assert best(multihop, anycast) == {"10.0.2.2"}
    assert best(source, anycast) == {"10.0.1.2"}
    assert best(family, anycast) == {"10.0.2.2"}
    # By router ID, among two that are used together.
    assert best(ranked, anycast) == {"10.0.1.2"}
    assert session(less, "r0", "10.0.1.2")[0] == "Established"
    assert {row["neighbor"] for row in less["sessions"] if row["device"] == "r0"} == {"10.0.1.2", "net3"}
    assert why_down(less, "r0", "net3") == "no AS number is configured for it"
    assert why_down(less, "a2", "10.0.2.1") == "r0 has no neighbor with an address of a2"
    assert why_down(other, "a1", "10.0.1.1") == "AS 65055 of r0 is not the 65000 expected of it"
    assert {row["neighbor"] for row in other["sessions"] if row["device"] == "r0"} == {"10.0.1.2"}


def moving(steps: list[Step]) -> None:
    """Each action came after what it waits for, and before the network was at rest."""
    up, flapped, away, quick = steps
    assert way(up, "host:h1", "host:h2")[0] == "delivered"
    told = flapped["volatile"]["events"]
    assert [event["event"] for event in told] == [
        "session r2:10.0.12.1 is down",
        "10.2.0.0/24 is best via 10.0.12.2 on r1",
    ]
    # The session is down at once; its neighbor is dialled a second later.
    assert told[0]["seconds"] < 0.5 < told[1]["seconds"] < flapped["volatile"]["settling"]["at"]
    assert way(flapped, "host:h1", "host:h2")[0] == "delivered"
    assert best(flapped, "10.77.0.0/16", "r1") == {"10.0.12.2"}
    # The speaker's route was announced when the other one had gone.
    assert best(away, "10.2.0.0/24", "r1") == {"fe80::2"}
    assert way(away, "host:h1", "host:h2")[0] == "dropped-by-speaker"
    assert way(quick, "host:h1", "host:h2")[0] == "delivered"


R0 = """
no bgp ebgp-requires-policy
timers bgp 1 3
neighbor 10.0.1.2 remote-as 65001
neighbor 10.0.1.2 timers connect 1
neighbor 10.0.2.2 remote-as 65002
neighbor 10.0.2.2 timers connect 1
neighbor net3 interface remote-as internal
redistribute connected
"""

VARIANTS: Mapping[str, Variant] = {
    "power": Variant(
        of_seed(),
        [
            f"name: peers, {POLICIES}, announce: [{{speaker: injector, prefix: 10.99.0.1/32}}]",
            'name: worker, node-down: [worker], session-down: ["worker2:10.0.0.2", "injector:tor1", "tor1:net0"]',
            'name: back, node-up: [worker], session-up: ["tor1:net0", "injector:tor1", "worker2:10.0.0.2"],'
            " expect: {same-as: peers}",
            "name: down, node-down: [tor1]",
            "name: up, node-up: [tor1], expect: {same-as: peers}",
        ],
        power,
        lab=CILIUM,
        top="speakers: {injector: {asn: 65099, peers: [tor1]}}\n",
    ),
    "typed": Variant(
        topology(
            [
                router("r0", 65000, {"lo": "10.255.0.1/32", "net1": "10.0.1.1/24", "net2": "10.0.2.1/24"}, R0),
                router(
                    "a1",
                    65001,
                    {"lo": "10.255.0.2/32", "net0": "10.0.1.2/24", "net1": "10.1.1.1/24"},
                    PAIR.format("10.0.1.1", 65000, "10.0.1.1") + "redistribute connected\nnetwork 10.9.0.0/24",
                    first="ip route add blackhole 10.9.0.0/24",
                ),
                router(
                    "a2",
                    65002,
                    {"lo": "10.255.0.3/32", "net0": "10.0.2.2/24"},
                    PAIR.format("10.0.2.1", 65000, "10.0.2.1"),
                    first="ip route add blackhole 10.9.0.0/24",
                ),
                router("b", 65000, {"lo": "10.255.0.4/32"}, "neighbor net0 interface remote-as internal"),
            ],
            *(("r0:net1", "a1:net0"), ("r0:net2", "a2:net0"), ("r0:net3", "b:net0"), ("a1:net1", "b:net1")),
        ),
        [
            "name: up",
            "name: second, configure: {a2: [router bgp, network 10.9.0.0/24], r0: [ip route 10.78.0.0/16 blackhole,"
            " router bgp 65000, address-family ipv4 unicast, redistribute static,"
            " no redistribute connected, network 10.255.0.1/32]}",
            "name: multihop, configure: {r0: [router bgp, neighbor 10.0.1.2 ebgp-multihop 2,"
            " neighbor 10.0.1.2 timers 2 6, neighbor 10.0.2.2 timers 2 6]}",
            "name: source, configure: {r0: [router bgp, neighbor 10.0.2.2 update-source 10.0.2.1,"
            " no neighbor 10.0.2.2 timers 2 6, no neighbor 10.0.1.2 timers]}",
            "name: family, configure: {a1: [router bgp, address-family ipv6 unicast, neighbor 10.0.1.1 activate],"
            " r0: [router bgp, address-family ipv6 unicast, neighbor 10.0.1.2 activate]}",
            "name: ranked, configure: {r0: [router bgp, bgp bestpath as-path multipath-relax,"
            " bgp bestpath compare-routerid]}",
            "name: less, configure: {r0: [no ip route 10.78.0.0/16 blackhole, router bgp, no redistribute static,"
            " no bgp bestpath compare-routerid, no neighbor 10.0.2.2, no neighbor net3 remote-as internal]}",
            "name: other, configure: {r0: [no router bgp 65000, router bgp 65055, no bgp ebgp-requires-policy,"
            " neighbor 10.0.1.2 remote-as 65001]}",
        ],
        typed,
        open=("no bgp ebgp-requires-policy",),
    ),
    "moving": Variant(
        topology(
            [
                router(
                    "r1",
                    65001,
                    {"lo": "10.255.0.1/32", "a": "10.0.12.1/24", "h": "10.1.0.1/24"},
                    PAIR.format("10.0.12.2", 65002, "10.0.12.2") + "redistribute connected",
                ),
                router(
                    "r2",
                    65002,
                    {"lo": "10.255.0.2/32", "a": "10.0.12.2/24", "h": "10.2.0.1/24"},
                    PAIR.format("10.0.12.1", 65001, "10.0.12.1") + "redistribute connected",
                    config="ip route 10.77.0.0/16 blackhole",
                ),
                *(host("h1", "10.1.0.2/24", "10.1.0.1"), host("h2", "10.2.0.2/24", "10.2.0.1")),
            ],
            *(("r1:a", "r2:a"), ("r1:h", "h1:net0"), ("r2:h", "h2:net0")),
        ),
        [
            "name: up",
            'name: flapped, session-down: ["r1:10.0.12.2"], at: ['
            '{after: {session: "r2:10.0.12.1", is: down}, session-up: ["r1:10.0.12.2"]},'
            " {after: {route: 10.2.0.0/24, on: r1, best-via: 10.0.12.2},"
            " configure: {r2: [router bgp, network 10.77.0.0/16]}}]",
            "name: away, node-down: [h2], at: [{after: {route: 10.2.0.0/24, on: r1, is: absent},"
            " announce: [{speaker: s, to: [r1], prefix: 10.2.0.0/24}]}]",
            'name: quick, node-up: [h2], at: [{after: {link: "r2:h", is: up},'
            " withdraw: [{speaker: s, prefix: 10.2.0.0/24}]}]",
        ],
        moving,
        top="speakers: {s: {asn: 65099, peers: [r1]}}\n",
    ),
}


def test_prediction_and_routers_agree(tmp_path: Path) -> None:
    all_agree(VARIANTS, tmp_path)


def test_what_does_not_come_and_what_is_refused_prove_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that the router refuses stops no other; an event that is so already is none. The run is inconclusive."""
    monkeypatch.setattr(reactions, "EVENT_TIMEOUT", 2.0)
    routers = [
        router(f"r{n}", 65000 + n, {"a": f"10.0.0.{n}/24"}, PAIR.format(f"10.0.0.{m}", 65000 + m, f"10.0.0.{m}"))
        for n, m in ((1, 2), (2, 1))
    ]
    files = topology(routers, ("r1:a", "r2:a"))
    (tmp_path / "topo.yml").write_text(files["topo.yml"])
    (tmp_path / "scenario.yaml").write_text(
        """name: never
lab: {topology: topo.yml}
steps:
  - name: up
  - name: refused
    configure:
      r1:
        - router bgp
        - neighbor 10.0.0.9 activate
        - no neighbor 10.0.0.2 nonsense
        - neighbor 10.0.0.2 shutdown
  - name: never
    at:
      - after: {session: "r1:10.0.0.2", is: down}
        session-up: ["r1:10.0.0.2"]
"""
    )
    made: list[EmbeddedLab] = []

    def make(lab_files: LabFiles) -> EmbeddedLab:
        made.append(EmbeddedLab(lab_files, default_store(), SpeakerControl))
        return made[0]

    outcome = run(load(tmp_path / "scenario.yaml", "scenario.yaml"), make, Silent())
    assert outcome.exit_code == 3
    up, refused, never = outcome.run.steps
    assert [step.verdict for step in (up, refused, never)] == ["pass", "pass", "inconclusive"]
    assert {row.observed.state for row in refused.sessions if row.observed} == {"Down"}
    error = outcome.run.error
    assert error is not None
    assert (error.file, error.line) == ("scenario.yaml", 14)
    assert error.message.startswith("the event did not come within 2 s: session r1:10.0.0.2 is down (last seen: down)")
    assert [(line.source.line if line.source else 0, line.line) for line in made[0].facts.rejected_lines] == [
        (9, "neighbor 10.0.0.9 activate"),
        (10, "no neighbor 10.0.0.2 nonsense"),
    ]

"""`bgpsim diff --markdown`: it fits a comment whatever happens, and its drawing is one that Mermaid takes."""

import re
from ipaddress import ip_network

import pytest

from bgpsim.check.step_diff import Differences, StepDiff, state_pair
from bgpsim.network.description import InterfaceRef
from bgpsim.network.state import (
    Attributes,
    BgpPath,
    FlowKey,
    Forwarding,
    ForwardingPath,
    Hop,
    NetworkState,
    PathKey,
    Session,
    SessionKey,
)
from bgpsim.network.topology import Link, Topology
from bgpsim.report.diff_markdown import render
from bgpsim.report.mermaid import drawing

GITHUB = 65_536


def flow(n: int, m: int) -> FlowKey:
    return FlowKey(f"pod:ns/app@{n}", f"pod:ns/app@{m}", f"10.1.{n % 250}.2", f"10.2.{m % 250}.2")


def way(disposition: str, *hops: Hop) -> Forwarding:
    return Forwarding(disposition, (ForwardingPath(hops, disposition, hops[-1].device),))  # type: ignore[arg-type]


DELIVERED = way("delivered", Hop("a", None, "net0"), Hop("b", "net0", None))
LOST = way("no-route", Hop("a", None, None))


def differences(
    before: NetworkState, after: NetworkState, topology: Topology | None = None, steps: int = 1
) -> Differences:
    step = StepDiff("x.yaml#one", "x.yaml#two", observed=state_pair(before, after), topology=topology)
    return Differences("x.yaml", "x.yaml", (step,) * steps)


@pytest.mark.parametrize(("ends", "prefixes", "steps"), [(3, 10, 1), (40, 3000, 1), (90, 300, 12), (3, 30, 900)])
def test_it_fits_a_comment(ends: int, prefixes: int, steps: int) -> None:
    pairs = [flow(n, m) for n in range(ends) for m in range(ends) if n != m]
    paths = {
        PathKey(f"leaf{n % 7}", "ipv4-unicast", ip_network((10 << 24) + (n << 8), strict=True), f"net{n % 5}"): BgpPath(
            Attributes("spine1:net3", tuple(range(64500, 64500 + n % 9))), True, True, False
        )
        for n in range(prefixes)
    }
    before = NetworkState(forwarding=dict.fromkeys(pairs, DELIVERED))
    after = NetworkState(forwarding=dict.fromkeys(pairs, LOST), paths=paths)
    text = render(differences(before, after, steps=steps))
    assert len(text) <= GITHUB
    assert text.count("<details>") == text.count("</details>") > 0
    assert text.count("```") % 2 == 0
    assert "**They differ.**" in text


def test_the_matrix_shows_before_and_after() -> None:
    before = NetworkState(forwarding={flow(1, 2): DELIVERED, flow(2, 1): LOST, flow(1, 3): DELIVERED})
    after = NetworkState(forwarding={flow(1, 2): LOST, flow(2, 1): DELIVERED, flow(3, 1): LOST, flow(1, 3): DELIVERED})
    rows = [line for line in render(differences(before, after)).splitlines() if line.startswith("| `pod:ns/app@")]
    assert rows[:3] == [
        "| `pod:ns/app@1` | · | **✓→✗** | ✓ |",
        "| `pod:ns/app@2` | **✗→✓** | · | · |",
        "| `pod:ns/app@3` | + | · | · |",
    ]


def test_no_difference_is_short() -> None:
    same = NetworkState(forwarding={flow(1, 2): DELIVERED})
    assert render(differences(same, same)) == (
        "## bgpsim diff: `x.yaml` → `x.yaml`\n\n**No difference.**\n\nNo difference in 1 of 1 steps: `two`\n"
    )


PARALLEL = Topology(
    {"a": "router", 'b"': "node", "pod:ns/x@b": "pod"},
    (
        Link((InterfaceRef("a", "net0"), InterfaceRef('b"', "net0"))),
        Link((InterfaceRef("a", "net1"), InterfaceRef('b"', "net1")), up=False),
        Link((InterfaceRef('b"', "lxc0"), InterfaceRef("pod:ns/x@b", "eth0"))),
    ),
)


def test_the_drawing_marks_the_link_that_was_used_and_not_its_twin() -> None:
    pair = FlowKey("pod:z", "pod:ns/x@b", "10.0.0.1", "10.0.0.2")
    over = [way("delivered", Hop("a", None, egress), Hop('b"', egress, None)) for egress in ("net1", "net0")]
    states = [NetworkState(forwarding={pair: forwarding}) for forwarding in over]
    assert drawing(state_pair(*states), PARALLEL) == (
        "flowchart LR\n"
        '  n0["a"]\n'
        '  n1[["b#quot;"]]\n'
        '  n2(["ns/x@b"])\n'
        '  n0 ---|"net0 · net0"| n1\n'
        '  n0 -.-|"net1 · net1"| n1\n'
        "  n1 --- n2\n"
        "  linkStyle 0 stroke:#1a7f37,stroke-width:4px\n"
        "  linkStyle 1 stroke:#d1242f,stroke-width:3px,stroke-dasharray:6 4\n"
        "  linkStyle 2 stroke:#9a6700,stroke-width:3px\n"
    )


def test_where_lost_packets_end_is_framed() -> None:
    states = [NetworkState(forwarding={flow(1, 2): f}) for f in (DELIVERED, LOST)]
    text = drawing(state_pair(*states), None)
    assert text is not None
    assert '  n0["a<br/>no-route"]\n' in text
    assert text.endswith("  class n0 lost\n")


def test_without_files_the_drawing_is_of_sessions_and_ways() -> None:
    session = {SessionKey("r0", "net0"): Session("Established", "ebgp", "tor0")}
    state = NetworkState(sessions=session, forwarding={flow(1, 2): DELIVERED})
    text = drawing(state_pair(state, state), None)
    assert text is not None
    assert set(re.findall(r'\["(\w+)"\]', text)) == {"a", "b", "r0", "tor0"}


def test_a_large_topology_is_drawn_where_something_changed_alone() -> None:
    devices = {f"d{n}": "router" for n in range(200)} | {"a": "router", "b": "router"}
    links = [Link((InterfaceRef(f"d{n}", "u"), InterfaceRef(f"d{n + 1}", "d"))) for n in range(199)]
    topology = Topology(devices, (*links, Link((InterfaceRef("a", "net0"), InterfaceRef("b", "net0")))))  # type: ignore[arg-type]
    states = [NetworkState(forwarding={flow(1, 2): f}) for f in (DELIVERED, LOST)]
    text = drawing(state_pair(*states), topology)
    assert text is not None
    assert len(re.findall(r"^  n\d+\[", text, re.MULTILINE)) == 2
    assert "linkStyle 0 " in text

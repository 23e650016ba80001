"""Bad input, by `bgpsim run` itself: exit code 2, file and line, what was found and what was expected; nothing starts.

Each case is the shipped lab with one place broken.
"""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bgpsim.cli.main import main

SHIPPED = Path(__file__).parents[3] / "scenarios" / "cilium-bgp"
SCENARIO, TOPOLOGY, CLUSTER, POLICY = "scenario.yaml", "topo.yml", "cluster.yml", "cilium-bgp-peering-policies.yaml"
ANYCAST = "{speaker: injector, to: [tor0], prefix: 10.99.0.1/32}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped files; whoever makes a lab of them fails the test."""
    for path in SHIPPED.glob("*.y*ml"):
        shutil.copy(path, tmp_path / path.name)

    def started(*_: object) -> None:
        pytest.fail("a lab was started")

    monkeypatch.setattr("bgpsim.lab.embedded.lab.EmbeddedLab", started)
    return tmp_path


def broken(folder: Path, name: str, old: str, new: str) -> int:
    """Put `new` in the one place of `old` (the first); returns its line."""
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


def run(folder: Path, scenario: str = SCENARIO) -> Result:
    return CliRunner().invoke(main, ["run", str(folder / scenario)])


@pytest.mark.parametrize(
    ("name", "old", "new", "below", "found", "expected"),
    [
        # The line is that of the change, and `below` more.
        (SCENARIO, "steps:", "steps: [", 1, "not valid YAML", "expected"),
        (TOPOLOGY, "  links:", "  links: [", 1, "not valid YAML", "expected"),
        (CLUSTER, "nodes:", "nodes: {", 1, "not valid YAML", "expected"),
        (POLICY, "  name: rack1", "  name: 'rack1", 11, "not valid YAML", "found"),
        (SCENARIO, "link-down:", "link-dwon:", 0, "unknown key 'link-dwon'", "expected one of name"),
        (TOPOLOGY, "image:", "imgae:", 0, "the key 'imgae'", "expected one of"),
        (CLUSTER, "networking:", "netwroking:", 0, "key 'netwroking'", "expected one of"),
        (POLICY, "virtualRouters", "virtualRoutes", 0, "'virtualRoutes'", "expected one of"),
        (TOPOLOGY, '"tor1:net0"]', '"tor9:net0"]', 0, "the node 'tor9'", "expected one of router0"),
        (
            TOPOLOGY,
            "10.0.3.1/24 dev net1",
            "10.0.1.1/24 dev net1",
            0,
            "found the address 10.0.1.1 on tor1:net1 and on tor0:net1",
            "expected it on one",
        ),
        (CLUSTER, '"10.0.3.2"', '"10.0.2.2"', 0, "the node-ip 10.0.2.2", "expected it on one"),
        (SCENARIO, ANYCAST, ANYCAST.replace("injector", "injecter"), 0, "no speaker 'injecter'", "expected one of"),
        (
            SCENARIO,
            "{speaker: injector, prefix: {of",
            "{speaker: injecter, prefix: {of",
            0,
            "no speaker 'injecter'",
            "expected one of",
        ),
        (
            SCENARIO,
            "to: [tor0]",
            "to: [tor2]",
            0,
            "'tor2' is no peer of speaker injector",
            "expected one of tor0, tor1",
        ),
        (SCENARIO, "peers: [tor0, tor1]", "peers: [tor0, tor9]", 0, "'tor9' is not in this lab", "expected a router"),
        (SCENARIO, "10.99.0.1/32", "10.99.0.1/24", 0, "has host bits set", "expected 10.99.0.0/24"),
        (SCENARIO, "10.99.0.1/32", "10.99.0.1/33", 0, "'10.99.0.1/33'", "expected"),
        (SCENARIO, "worker3.pod-cidr", "tor1.lo", 0, "tor1.lo is 10.0.0.2/32, a single address", "expected a wider"),
        (
            SCENARIO,
            "10.99.0.1/32}",
            '"2001:db8::/48", next-hop: 10.0.1.9}',
            0,
            "next-hop 10.0.1.9 is IPv4",
            "expected IPv6 for 2001:db8::/48",
        ),
        (SCENARIO, "asn: 65099", "asn: 0", 0, "found 0", "expected a whole number, at least 1"),
        (SCENARIO, "asn: 65099", "asn: 4294967296", 0, "found 4294967296", "at most 4294967295"),
        (SCENARIO, "asn: 65099", "asn: AS65099", 0, "found 'AS65099'", "a whole number"),
        (SCENARIO, "as-path: [65099]", "as-path: [x]", 0, "as-path[0]: found 'x'", "a whole number"),
        (POLICY, "peerASN: 65010", "peerASN: 0", 0, "peerASN: found 0", "expected an AS number from 1"),
        (POLICY, "10.0.0.1/32", "10.0.0.1/33", 0, "'10.0.0.1/33'", "expected a prefix"),
        (
            SCENARIO,
            "traffic: drop",
            "traffic: swallow",
            0,
            "found 'swallow'",
            "expected one of drop, answer",
        ),
        (
            SCENARIO,
            "10.99.0.1/32}",
            "10.99.0.1/32, communities: [no-exprt]}",
            0,
            "'no-exprt' is not a community",
            "expected ASN:VALUE",
        ),
        (
            SCENARIO,
            "10.99.0.1/32}",
            '10.99.0.1/32, large-communities: ["1:2"]}',
            0,
            "'1:2' is not a large community",
            "expected ASN:VALUE:VALUE",
        ),
        (SCENARIO, "10.99.0.1/32}", "10.99.0.1/32, med: -1}", 0, "med: found -1", "a whole number, at least 0"),
        (SCENARIO, '"tor1:net0"', '"tor1:net9"', 0, "tor1 has no interface 'net9'", "expected one that is there"),
    ],
)
def test_one_place_broken(folder: Path, name: str, old: str, new: str, below: int, found: str, expected: str) -> None:
    line = broken(folder, name, old, new) + below
    shown = str(folder / name) if name == SCENARIO else name
    done = run(folder)
    said = " ".join(done.output.split())
    assert done.exit_code == 2, said
    assert f"{shown}:{line}: " in said
    assert found in said
    assert expected in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("topology: topo.yml", "topology: top.yml", "top.yml"),
        ("cluster: cluster.yml", "cluster: kind.yml", "kind.yml"),
        ("[netshoot-ds.yaml]", "[netshoot.yaml]", "netshoot.yaml"),
        ("[cilium-bgp-peering-policies.yaml]", "[policies.yaml]", "policies.yaml"),
    ],
)
def test_a_missing_file_is_a_problem_of_the_line_that_names_it(folder: Path, old: str, new: str, what: str) -> None:
    line = broken(folder, SCENARIO, old, new)
    done = run(folder)
    said = " ".join(done.output.split())
    assert done.exit_code == 2
    assert f"{folder / SCENARIO}:{line}: cannot read '{what}': No such file or directory" in said


def test_a_missing_scenario(folder: Path) -> None:
    done = run(folder, "nothing.yaml")
    assert done.exit_code == 2
    assert f"there is no file {folder / 'nothing.yaml'}" in " ".join(done.output.split())


def test_all_problems_are_told_at_once(folder: Path) -> None:
    lines = [
        broken(folder, SCENARIO, "peers: [tor0, tor1]", "peers: [tor0, tor9]"),
        broken(folder, SCENARIO, '"tor1:net0"', '"tor1:net9"'),
        broken(folder, SCENARIO, "same-as: anycast at tor1", "same-as: nothing"),
    ]
    done = run(folder)
    said = " ".join(done.output.split())
    assert done.exit_code == 2
    assert all(f"{folder / SCENARIO}:{line}: " in said for line in lines)


def test_a_policy_that_matches_no_node_is_a_finding_and_no_error(folder: Path) -> None:
    """The lab is what it says: nobody there peers. `plan` reads the same files; only the expectations fail."""
    broken(folder, POLICY, "      rack: rack1", "      rack: rack7")
    done = CliRunner().invoke(main, ["plan", str(folder / "baseline.yaml")])
    assert done.exit_code == 1, done.output
    assert "error:" not in done.output
    assert f"finding {POLICY}:18 policy rack1 matches no node" in " ".join(done.output.split())

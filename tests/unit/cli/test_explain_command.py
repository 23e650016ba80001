"""`bgpsim explain` on the shipped scenario; what it must say is read off BGP's rules and the input files."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bgpsim.cli.main import main

SCENARIO = Path(__file__).parents[3] / "scenarios" / "cilium-bgp" / "scenario.yaml"
PODS = "pod:default/netshoot@"


def explain(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, ["explain", str(SCENARIO), *words])
    assert done.exit_code == code, done.output
    return done.output


def at(line: str, text: str) -> str:
    """That line of the input file, as explanations quote it."""
    file, _, number = line.partition(":")
    assert (SCENARIO.parent / file).read_text().splitlines()[int(number) - 1].strip() == text
    return f"{line}  {text}"


def test_the_best_path_the_loser_and_the_lines_behind_them() -> None:
    """tor1 hears the anycast address from the speaker (65099) and over router0 (65000 65010 65099)."""
    said = explain("--at", "tor1", "10.99.0.1/32", "--step", "anycast at tor1")
    assert "best  from fe80::2 (injector), ebgp: won at AS Path  (RFC 4271 section 9.1.2.2 a)" in said
    assert (
        "lost  from net0 (router0), ebgp: lost at AS Path: 3 AS numbers (65000 65010 65099) against 1 AS number (65099)"
    ) in said
    assert "scenario.yaml:33  - {speaker: injector, to: [tor1], prefix: 10.99.0.1/32}" in said
    assert "10.99.0.1/32 comes from injector  (tor1 ← injector)" in said


def test_a_path_that_is_not_eligible() -> None:
    said = explain("--at", "router0", "worker3.pod-cidr", "--step", "cilium peers")
    assert "best  from net1 (tor1), ebgp: the only eligible path" in said
    assert "not eligible  from net0 (tor0), ebgp: denied: own AS 65000 in the path  (RFC 4271 section 9.1.2)" in said
    assert at("cilium-bgp-peering-policies.yaml:27", "exportPodCIDR: true") in said
    assert "10.1.3.0/24 comes from worker3  (router0 ← tor1 ← worker3)" in said


def test_an_address_is_looked_up_by_its_longest_prefix() -> None:
    said = explain("--at", "router0", "10.1.3.2", "--step", "hijack")
    assert "router0  10.1.3.2, covered by 10.1.3.0/25" in said
    assert "goes before 10.1.3.0/24, which is shorter" in said
    # GoBGP's node learns it and forwards by its default route.
    said = explain("--at", "worker", "10.1.3.2", "--step", "hijack")
    assert "kernel  0.0.0.0/0  via 10.0.2.1 dev net0 proto boot" in said
    assert "10.1.3.0/25 is in its BGP table and not in its kernel" in said


def test_what_is_missing_is_a_session_that_is_down() -> None:
    said = explain("--at", "tor0", "10.1.3.2", "--step", "fabric")
    assert "missing the session of tor1 with worker3 (10.0.4.2) is down: no BGP process at 10.0.4.2 (worker3)" in said
    said = explain("--at", "tor0", "10.1.3.2", "--step", "uplink lost")
    assert "missing the session net1 of router0 is down: no carrier on router0:net1" in said


def test_a_way_hop_by_hop() -> None:
    said = explain("--from", "worker", "--to", f"{PODS}worker3", "--step", "cilium peers")
    order = [said.index(f"\n  {name}  ") for name in ("worker", "tor0", "router0", "tor1", "worker3")]
    assert order == sorted(order)
    assert at("topo.yml:71", "- ip route replace default via 10.0.2.1").replace("- ip", "ip") in said
    assert "10.1.3.0/24  via tor1:net0 dev net1 proto bgp" in said
    assert "learnt from net1 (tor1) by ebgp: the only eligible path; 1 other path" in said
    assert "delivered at worker3" in said


def test_a_hijack_is_named() -> None:
    said = explain("--from", "worker", "--to", f"{PODS}worker3", "--step", "hijack")
    assert "dropped-by-speaker at injector" in said
    assert "because speaker injector announced 10.1.3.0/25, which is longer than 10.1.3.0/24 of worker3" in said
    assert "scenario.yaml:42  - {speaker: injector, to: [tor1]" in said


def test_where_packets_are_dropped_the_missing_route_is_told() -> None:
    said = explain("--from", "worker", "--to", f"{PODS}worker2", "--step", "uplink lost")
    assert "blackhole at router0: router0 has a blackhole route" in said
    assert at("topo.yml:18", "- ip route add blackhole 10.0.0.0/8").replace("- ip", "ip") in said
    assert "missing the session net1 of router0 is down" in said
    said = explain("--from", "worker2", "--to", "address:192.0.2.1", "--step", "uplink lost")
    assert "no-route at tor1: tor1 has no route to 192.0.2.1" in said
    assert "missing no router of this lab has a route to 192.0.2.1" in said


def test_json_has_the_same() -> None:
    document = json.loads(explain("--at", "tor1", "10.99.0.1/32", "--json"))
    assert (document["schema"], document["step"]) == ("bgpsim.explain/1", "restored")
    best, loser = document["routes"][0]["paths"]
    assert (best["fate"], loser["fate"], loser["step"]) == ("best", "lost", "AS Path")
    assert {"file", "line", "text"} == set(best["lines"][0])
    pair = json.loads(explain("--from", "worker", "--to", f"{PODS}worker2", "--json"))["pairs"][0]
    assert pair["disposition"] == "delivered"
    assert [hop["device"] for hop in pair["ways"][0]["hops"]] == ["worker", "tor0", "router0", "tor1", "worker2"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--at", "tor9", "10.1.3.2"), "'tor9' is no device with a routing table in this lab"),
        (("--at", "tor9", "10.1.3.2"), "did you mean tor"),
        (("--at", "tor1", "10.1.33.0/24"), "10.1.33.0/24 is in no table of this lab at this step"),
        (("--at", "tor1", "10.1.3.0/33"), "neither an address nor a prefix"),
        (("--at", "tor1", "worker3.pod-cdir"), "worker3 has no interface 'pod-cdir'"),
        (("--at", "tor1", "10.1.3.2", "--step", "hijak"), "did you mean hijack?"),
        (("--from", "workr", "--to", f"{PODS}worker3"), "did you mean worker"),
        (("--from", "worker", "--to", "worker3"), "'worker3' is not unique; expected one of node:worker3"),
        (("--from", "worker"), "--from and --to belong together"),
        ((), "expected either --at DEVICE PREFIX, or --from ENDPOINT --to ENDPOINT"),
        (("--at", "tor1", "10.1.3.2", "--from", "worker", "--to", "worker3"), "expected either --at"),
    ],
)
def test_bad_input(words: tuple[str, ...], said: str) -> None:
    assert said in explain(*words, code=2)

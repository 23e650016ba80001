"""Tables in scenarios: files, generators, and what is in force of them step by step."""

from __future__ import annotations

import shutil
from collections import Counter
from ipaddress import ip_network
from pathlib import Path

import pytest

from bgpsim.errors import InputError
from bgpsim.inputs.files.route_table import AnnouncedTable, grouped_routes, in_force, taken_out
from bgpsim.inputs.files.speakers import Announcement
from bgpsim.model import predict
from bgpsim.scenario.reading.loading import load
from bgpsim.scenario.reading.route_generator import generate
from bgpsim.scenario.reading.route_mrt import is_mrt, read_mrt
from bgpsim.scenario.timeline import AnnounceTable, Scenario, Withdraw, WithdrawTable
from bgpsim.source import Source

SHIPPED = Path(__file__).parents[3] / "scenarios" / "cilium-bgp"
MRT = Path(__file__).parents[2] / "data" / "mrt"
LINE = Source("s.yaml", 1)
HEAD = """\
name: x
lab: {topology: topo.yml, cluster: cluster.yml, manifests: [netshoot-ds.yaml]}
speakers:
  injector: {asn: 65099, peers: [tor0, tor1]}
steps:
"""
ROUTES = """\
# a comment
route 80.0.0.0/24 next-hop self as-path [ 65099 3356 ] ( 7 8 ) med 5 community [ 65000:1 no-export ];
announce route 80.0.1.0/24 as-path 65099 large-community 65000:1:2 # and another
announce ipv6 unicast 2001:db8:1::/48 origin egp aggregator (65000:192.0.2.1) atomic-aggregate
attributes as-path [65099] extended-community [ target:65000:1 ] nlri 81.0.0.0/24 81.0.1.0/24

route 81.0.1.0/24 as-path 65099
"""


def made(folder: Path, *steps: str, routes: str = ROUTES) -> Scenario:
    for name in ("topo.yml", "cluster.yml", "netshoot-ds.yaml"):
        shutil.copy(SHIPPED / name, folder / name)
    shutil.copy(MRT / "frr-8.4.4.mrt", folder / "frr.mrt")
    (folder / "routes.txt").write_text(routes)
    (folder / "s.yaml").write_text(HEAD + "".join(f"  - {step}\n" for step in steps))
    return load(folder / "s.yaml", "s.yaml")


def refused(folder: Path, *steps: str, routes: str = ROUTES) -> list[tuple[str | None, int | None, str]]:
    with pytest.raises(InputError) as caught:
        made(folder, *steps, routes=routes)
    return [(error.file, error.line, error.message) for error in (caught.value, *caught.value.others)]


FILE = "{name: one, announce: [{speaker: injector, to: [tor0], file: routes.txt}]}"


def table_of(scenario: Scenario, step: int = 0) -> AnnouncedTable:
    action = scenario.steps[step].actions[-1]
    assert isinstance(action, AnnounceTable | WithdrawTable)
    return action.table


def test_a_route_file(tmp_path: Path) -> None:
    scenario = made(tmp_path, FILE)
    table = table_of(scenario)
    assert str(scenario.steps[0].actions[0]) == (
        "announce 5 routes (5 sets of attributes) of routes.txt by injector to tor0"
    )
    routes = {str(p): g.like for g in table.groups for p in g.prefixes}
    first = routes["80.0.0.0/24"]
    assert (first.speaker, first.router, first.next_hop) == ("injector", "tor0", None)
    assert (first.as_path, first.med) == ((65099, 3356, frozenset({7, 8})), 5)
    assert first.communities == ("65000:1", "no-export")
    assert first.source == Source("routes.txt", 2, ROUTES.splitlines()[1])
    assert routes["80.0.1.0/24"].large_communities == ("65000:1:2",)
    six = routes["2001:db8:1::/48"]
    assert (six.origin, six.aggregator, six.atomic_aggregate) == ("egp", "65000:192.0.2.1", True)
    assert routes["81.0.0.0/24"].extended_communities == ("RT:65000:1",)
    # The last line for a prefix holds.
    assert routes["81.0.1.0/24"].extended_communities == ()
    (speaker,) = (d for d in scenario.steps[0].network.devices.values() if d.kind == "speaker")
    assert speaker.bgp is not None
    assert [(str(t.like.prefix), len(t.prefixes)) for t in speaker.bgp.tables] == [
        (str(g.prefixes[0]), len(g.prefixes)) for g in table.groups
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("rout 80.0.0.0/24", "found 'rout 80.0.0.0/24'; expected `route PREFIX …` or `attributes … nlri PREFIX …`"),
        ("route 80.0.0.1/24", "'80.0.0.1/24' is not a prefix: 80.0.0.1/24 has host bits set; expected 80.0.0.0/24"),
        ("route 224.0.0.0/4", "'224.0.0.0/4' is multicast; expected a unicast prefix that routers take"),
        ("route 80.0.0.0/24 metric 5", "found 'metric'; expected one of as-path, community, large-community, "),
        ("route 80.0.0.0/24 med", "med: found nothing; expected a value"),
        ("route 80.0.0.0/24 med x", "med: found 'x'; expected a whole number"),
        ("route 80.0.0.0/24 med 1 med 2", "'med' stands twice; expected it once"),
        ("route 80.0.0.0/24 as-path [ 1 2", "as-path: found '[' and no ']'; expected both"),
        ("route 80.0.0.0/24 as-path [ 0 ]", "as-path[0]: found 0; expected a whole number, at least 1"),
        ("route 80.0.0.0/24 community [ 1 ]", "communities[0]: '1' is not a community; expected ASN:VALUE"),
        ("route 80.0.0.0/24 origin bgp", "origin: found 'bgp'; expected one of igp, egp, incomplete"),
        ("route 2001:db8::/48 next-hop 10.0.0.1", "next-hop 10.0.0.1 is IPv4; expected IPv6 for 2001:db8::/48"),
        ("attributes med 5 nlri", "nlri: found no prefix; expected one or more"),
    ],
)
def test_a_wrong_line_of_a_route_file(tmp_path: Path, line: str, message: str) -> None:
    ((file, number, found),) = refused(tmp_path, FILE, routes=f"# one\nroute 80.9.0.0/16\n{line}\n")
    assert (file, number) == ("routes.txt", 3)
    assert found.startswith(message)


def test_all_wrong_lines_are_told(tmp_path: Path) -> None:
    found = refused(tmp_path, FILE, routes="route 1/33\nroute 80.0.0.0/24\nroute 80.0.1.0/24 med -1\n")
    assert [line for _, line, _ in found] == [1, 3]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{speaker: injector, file: nowhere.txt}", "cannot read 'nowhere.txt': No such file or directory"),
        ("{speaker: injector, file: .}", "'.' is a folder; expected a file"),
        ("{speaker: injector, file: routes.txt, peer: 192.0.2.1}", "peer: 'routes.txt' is no MRT file"),
        ("{speaker: injector, file: frr.mrt, peer: 192.0.2.1}", "peer '192.0.2.1' is not in 'frr.mrt'; expected"),
        ("{speaker: injector, file: routes.txt, med: 5}", "found `med:` with `file:`; expected it with `prefix:`"),
        ("{speaker: injector, file: r, generate: {routes: 5}}", "expected either `file:` or `generate:`"),
        ("{speaker: injector, generate: {routes: 0}}", "generate.routes: found 0; expected a whole number, at least 1"),
        ("{speaker: injector}", "key 'prefix' is missing; expected `prefix:`, or `file:` or `generate:`"),
    ],
)
def test_a_wrong_entry(tmp_path: Path, entry: str, message: str) -> None:
    ((file, line, found),) = refused(tmp_path, f"{{name: one, announce: [{entry}]}}")
    assert (file, line) == ("s.yaml", 6)
    assert message in found


def test_an_empty_file_is_told_of(tmp_path: Path) -> None:
    ((_, line, found),) = refused(tmp_path, FILE, routes="# nothing\n")
    assert (line, found) == (6, "'routes.txt' has no route; expected one or more")


def test_what_is_in_force(tmp_path: Path) -> None:
    scenario = made(
        tmp_path,
        "{name: one, announce: [{speaker: injector, prefix: 80.0.0.0/24}, {speaker: injector, file: routes.txt}]}",
        "{name: two, announce: [{speaker: injector, to: [tor0], prefix: 80.0.1.0/24, med: 7}]}",
        "{name: three, withdraw: [{speaker: injector, prefix: 80.0.1.0/24}]}",
        "{name: four, withdraw: [{speaker: injector, to: [tor0], file: routes.txt}]}",
        "{name: five, withdraw: [{speaker: injector, all: true}]}",
    )

    def originated(step: int) -> tuple[int, int]:
        bgp = scenario.steps[step].network.devices["injector"].bgp
        assert bgp is not None
        return len(bgp.originated), sum(len(t.prefixes) for t in bgp.tables)

    # The table has the single route's place, then a single one the table's at one router.
    assert [originated(n) for n in range(5)] == [(0, 10), (1, 9), (0, 8), (0, 4), (0, 0)]
    kinds = [Counter(type(a) for a in step.actions) for step in scenario.steps]
    assert kinds[2] == {Withdraw: 2}
    assert kinds[3] == {WithdrawTable: 1}
    assert [len(a.table) for a in scenario.steps[3].actions if isinstance(a, WithdrawTable)] == [4]
    assert [a.table.router for a in scenario.steps[4].actions if isinstance(a, WithdrawTable)] == ["tor1"]


def test_what_is_not_announced_cannot_be_withdrawn(tmp_path: Path) -> None:
    ((_, line, found),) = refused(tmp_path, "{name: one, withdraw: [{speaker: injector, file: routes.txt}]}")
    assert line == 6
    assert found.startswith("speaker injector announces nothing of routes.txt here; expected a table")


def test_a_table_withdrawn_and_announced_again_in_one_step(tmp_path: Path) -> None:
    again = FILE.replace("name: one,", "name: two, withdraw: [{speaker: injector, all: true}],")
    first, second = made(tmp_path, FILE, again).steps
    assert [len(step.network.interim) for step in (first, second)] == [0, 1]


def test_generated_tables_are_the_same_for_the_same_seed_and_keep_off_the_lab(tmp_path: Path) -> None:
    own = [ip_network("80.0.0.0/5"), ip_network("0.0.0.0/0")]
    one, other = (generate(3000, 4, 7, own, [3356]) for _ in range(2))
    assert one == other
    assert list(one) != list(generate(3000, 4, 8, own, [3356]))
    assert len(one) == 3000
    assert not any(p.overlaps(own[0]) for p in one)
    assert all(p.is_global and not p.is_multicast for p in one)
    lengths = Counter(p.prefixlen for p in one)
    assert lengths.most_common(1)[0][0] == 24
    assert 0.5 < lengths[24] / 3000 < 0.7
    groups = grouped_routes(one)
    assert 300 < len(groups) < 1500
    assert all(3356 not in (g.like.as_path or ()) for g in groups)
    assert len({g.like.as_path for g in groups}) > 0.9 * len(groups)
    assert all(p.version == 6 and p.is_global for p in generate(200, 6, 1, (), ()))
    # The speaker's AS is in front.
    table = table_of(made(tmp_path, "{name: one, announce: [{speaker: injector, generate: {routes: 50}}]}"))
    assert {g.like.as_path[0] for g in table.groups if g.like.as_path} == {65099}
    assert len(table) == 50


def test_a_space_that_is_used_up_is_told_of() -> None:
    with pytest.raises(ValueError, match="expected fewer routes"):
        generate(5, 4, 1, [ip_network("0.0.0.0/1"), ip_network("128.0.0.0/1")], ())


def test_what_frr_wrote() -> None:
    """FRR 8.4.4, `dump bgp routes-mrt`: see tests/data/mrt/README.md."""
    path = MRT / "frr-8.4.4.mrt"
    assert is_mrt(path)
    routes = read_mrt(path, "frr.mrt", None, LINE)
    assert sorted(map(str, routes)) == [
        *("10.0.0.0/32", "10.0.0.1/32", "2001:db8:99::/48", "2001:db8::/128", "2001:db8::1/128"),
        *("80.0.0.0/24", "80.0.1.0/24"),
    ]
    route = routes[ip_network("80.0.0.0/24")]
    assert (route.as_path, route.med, route.next_hop) == ((65099, 3356, frozenset({7, 8})), 7, None)
    assert (route.communities, route.large_communities) == (("65099:1", "no-export"), ("1:2:3",))
    assert (route.aggregator, route.atomic_aggregate) == ("65099:1.2.3.4", True)
    assert routes[ip_network("2001:db8:99::/48")].origin == "egp"
    of_peer = read_mrt(path, "frr.mrt", "AS65002", LINE)
    assert sorted(map(str, of_peer)) == ["10.0.0.1/32", "2001:db8::1/128"]
    assert read_mrt(path, "frr.mrt", "fe80::2", LINE).keys() == {
        p for p in routes if str(p)[:2] == "80" or "99" in str(p)
    }


def test_what_gobgp_wrote() -> None:
    """GoBGP 3.10.0, a table dump with path ids: see tests/data/mrt/README.md."""
    routes = read_mrt(MRT / "gobgp-3.10.0.mrt", "gobgp.mrt", None, LINE)
    found = {str(p): r for p, r in routes.items()}
    assert sorted(found) == ["198.51.100.0/24", "198.51.101.0/24", "198.51.102.0/24", "2001:db8:1::/48"]
    first, second = found["198.51.100.0/24"], found["198.51.101.0/24"]
    assert (first.as_path, first.med, first.communities) == ((65010, 400000), 50, ("65010:1", "no-export"))
    assert first.large_communities == ("65010:1:2",)
    assert (second.as_path, second.origin) == ((65010, frozenset({65011, 65012})), "egp")
    assert (second.aggregator, second.extended_communities) == ("65010:192.0.2.1", ("RT:65010:7",))
    assert found["2001:db8:1::/48"].as_path == (65010,)


def test_a_file_that_breaks_off(tmp_path: Path) -> None:
    whole = (MRT / "frr-8.4.4.mrt").read_bytes()
    (tmp_path / "half.mrt").write_bytes(whole[:200])
    with pytest.raises(InputError, match=r"half\.mrt: record 3: Invalid MRT data length") as caught:
        read_mrt(tmp_path / "half.mrt", "half.mrt", None, LINE)
    assert "expected TABLE_DUMP_V2 (RFC 6396)" in caught.value.message
    (tmp_path / "updates.mrt").write_bytes(whole[:4] + b"\x00\x10\x00\x04" + whole[8:])
    with pytest.raises(InputError, match=r"updates\.mrt: record 1: "):
        read_mrt(tmp_path / "updates.mrt", "updates.mrt", None, LINE)


def announced(*prefixes: str, med: int | None = None, router: str = "tor0") -> AnnouncedTable:
    like = Announcement("injector", router, ip_network("0.0.0.0/0"), LINE, med=med)
    return AnnouncedTable("t", "injector", router, grouped_routes({ip_network(p): like for p in prefixes}), LINE)


def test_taken_out() -> None:
    one, other = announced("80.0.0.0/24", "80.0.1.0/24"), announced("80.0.0.0/24", router="tor1")
    left, gone = taken_out((one, other), "injector", "tor0", {ip_network("80.0.0.0/24")})
    assert [sorted(map(str, t.prefixes)) for t in left] == [["80.0.1.0/24"], ["80.0.0.0/24"]]
    assert [sorted(map(str, t.prefixes)) for t in gone] == [["80.0.0.0/24"]]
    assert str(left[0].groups[0].like.prefix) == "80.0.1.0/24"


def test_what_is_announced_just_so_is_not_sent_again() -> None:
    table = announced("80.0.0.0/24", "80.0.1.0/24", "80.0.2.0/24", med=5)
    beside = [announced("80.0.0.0/24", med=5), announced("80.0.1.0/24"), announced("80.0.2.0/24", med=5, router="tor1")]
    assert in_force(table, beside, ()) == {ip_network("80.0.0.0/24")}
    single = table.at(ip_network("80.0.2.0/24"))
    assert single is not None
    assert in_force(table, (), [single]) == {ip_network("80.0.2.0/24")}


def test_what_gobgp_cannot_send_of_a_table_is_told_once(tmp_path: Path) -> None:
    routes = (
        "route 80.0.0.0/24 as-path [ 65099 3356 ]\nroute 80.0.1.0/24 as-path [ 3356 ]\nroute 80.0.2.0/24 as-path 7\n"
    )
    step = FILE.replace("injector", "g")
    for name in ("topo.yml", "cluster.yml", "netshoot-ds.yaml"):
        shutil.copy(SHIPPED / name, tmp_path / name)
    (tmp_path / "routes.txt").write_text(routes)
    head = HEAD.replace("steps:", "  g: {asn: 65099, peers: [tor0], engine: gobgp}\nsteps:")
    (tmp_path / "s.yaml").write_text(f"{head}  - {step}\n")
    with pytest.raises(InputError) as caught:
        load(tmp_path / "s.yaml", "s.yaml")
    assert (caught.value.file, caught.value.line, caught.value.others) == ("routes.txt", 2, ())
    assert caught.value.message == (
        "80.0.1.0/24: as-path [3356]: GoBGP puts its own AS first; expected 65099 there,"
        " or ExaBGP (without `engine: gobgp`) (and 1 more)"
    )
    # A generated table begins with the speaker's AS.
    step = "{name: one, announce: [{speaker: g, generate: {routes: 50}}]}"
    (tmp_path / "s.yaml").write_text(f"{head}  - {step}\n")
    scenario = load(tmp_path / "s.yaml", "s.yaml")
    assert len(table_of(scenario)) == 50
    # The prediction is the one of ExaBGP: what GoBGP would say otherwise is refused.
    network = scenario.steps[0].network
    assert network.devices["g"].bgp is not None
    assert network.devices["g"].bgp.engine == "gobgp"
    (tmp_path / "s.yaml").write_text(f"{head.replace(', engine: gobgp', '')}  - {step}\n")
    other = load(tmp_path / "s.yaml", "s.yaml").steps[0].network
    assert predict(network, None, ()).state.wire == predict(other, None, ()).state.wire


def test_gobgp_and_add_path_are_not_had_together(tmp_path: Path) -> None:
    for name in ("topo.yml", "cluster.yml", "netshoot-ds.yaml"):
        shutil.copy(SHIPPED / name, tmp_path / name)
    (tmp_path / "s.yaml").write_text(
        HEAD.replace("[tor0, tor1]", "[tor0], engine: gobgp, add-path: true") + "  - {name: one}\n"
    )
    with pytest.raises(InputError, match="add-path: GoBGP numbers paths as it likes") as caught:
        load(tmp_path / "s.yaml", "s.yaml")
    assert (caught.value.file, caught.value.line) == ("s.yaml", 4)

"""Where FRR's lines come from: `vtysh -c`, here-documents, files; and what becomes of the rest after a refused one."""

from __future__ import annotations

import pytest

from bgpsim.errors import InputError
from bgpsim.inputs.commands import VtyLine, commands
from bgpsim.inputs.files.containerlab import ExecLine
from bgpsim.inputs.frr.calls import VtyshCall, vtysh_call
from bgpsim.inputs.frr.files import ConfigurationFile, read_at_boot
from bgpsim.inputs.frr.reader import FrrReader, How
from bgpsim.source import Source


def call(text: str, lines: tuple[tuple[int, str], ...] = ()) -> VtyshCall | None:
    (command,) = commands((ExecLine(text, Source("topo.yml", 3), lines),))
    return vtysh_call(command)


def test_lines_stand_where_they_are_written() -> None:
    text = "vtysh -c 'conf t' -c 'router bgp 1' -c 'exit' --command=end"
    written = ((4, "   vtysh -c 'conf t'"), (5, "     -c 'router bgp 1' -c 'exit'"), (6, "     --command=end"))
    found = call(text, written)
    assert found is not None
    assert found.how == "call"
    assert [(line.text, line.source.line) for line in found.lines] == [
        ("conf t", 4),
        ("router bgp 1", 5),
        ("exit", 5),
        ("end", 6),
    ]


HERE = "bash -c 'vtysh <<{begin}\nconf t\n  router bgp 1\n\nEOF\n'"


@pytest.mark.parametrize("begin", ["EOF", '"EOF"', "-EOF"])
def test_a_here_document_is_typed(begin: str) -> None:
    text = HERE.format(begin=begin)
    found = call(text, tuple(enumerate(text.splitlines(), 3)))
    assert found is not None
    assert (found.how, [(line.text, line.source.line) for line in found.lines]) == (
        "typed",
        [("conf t", 4), ("router bgp 1", 5)],
    )


@pytest.mark.parametrize(
    ("line", "how", "file"),
    [
        ("vtysh -f /tmp/x.conf", "file", "/tmp/x.conf"),
        ("vtysh -b", "file", "/etc/frr/frr.conf"),
        ("sh -c 'vtysh < /tmp/x'", "typed", "/tmp/x"),
        ("sh -c 'exec /usr/bin/vtysh -b'", "file", "/etc/frr/frr.conf"),
    ],
)
def test_a_file_is_named(line: str, how: How, file: str) -> None:
    assert call(line) == VtyshCall(how, file=file)


def test_a_shell_may_call_it() -> None:
    found = call("""sh -c "vtysh -c 'conf t' -c 'router bgp 1'" """)
    assert found is not None
    assert (found.how, [line.text for line in found.lines]) == ("call", ["conf t", "router bgp 1"])


@pytest.mark.parametrize(
    "line",
    [
        "vtysh -c",
        "vtysh -f x -c y",
        "sh -c 'echo x | vtysh'",
        "sh -c 'vtysh -b; reboot'",
        "sh -c 'vtysh <<EOF\nrouter bgp $ASN\nEOF'",
        "sh -c 'cat <<EOF\nconf t\nEOF'",
        "bash x.sh",
        "ip link",
    ],
)
def test_what_is_no_plain_call(line: str) -> None:
    assert call(line) is None


LINES = ("router bgp 65001", "neighbor 10.0.0.9 activate", "neighbor 10.0.0.2 remote-as 65002")


@pytest.mark.parametrize(("how", "neighbors"), [("call", []), ("typed", ["10.0.0.2"])])
def test_vtysh_with_c_stops_at_a_refused_line(how: How, neighbors: list[str]) -> None:
    """FRR 8.4.4: `-c` stops there with exit code 1; a here-document goes on."""
    reader = FrrReader("r1")
    texts = ("conf t", *LINES)
    reader.read([VtyLine(text, Source("topo.yml", n, text)) for n, text in enumerate(texts, 1)], how)
    bgp = reader.instance()
    assert bgp is not None
    assert [n.name for n in bgp.neighbors] == neighbors
    (refusal,) = reader.refusals
    assert (refusal.device, refusal.source.line, refusal.source.text) == ("r1", 3, LINES[1])
    assert ("vtysh stops there" in refusal.consequence) == (how == "call")


def boot(allow_refused: bool = False, **files: str) -> FrrReader:
    reader = FrrReader("r1", allow_refused=allow_refused)
    read_at_boot(reader, {f"{name}.conf": ConfigurationFile(text, f"r1/{name}.conf") for name, text in files.items()})
    return reader


FRR = """! an integrated file
frr defaults datacenter
hostname r1
!
ip route 10.9.0.0/16 blackhole
router bgp 65001
 neighbor 10.0.0.9 activate
 neighbor 10.0.0.2 remote-as 65002
 address-family ipv4 unicast
  neighbor 10.0.0.2 next-hop-self
 exit-address-family
exit
"""


def test_a_refused_line_is_skipped_at_boot() -> None:
    reader = boot(frr=FRR)
    bgp = reader.instance()
    assert bgp is not None
    (peer,) = bgp.neighbors
    assert (peer.hold_time, peer.families["ipv4-unicast"].next_hop_self) == (9, True)
    assert peer.source == Source("r1/frr.conf", 8, "neighbor 10.0.0.2 remote-as 65002")
    assert [str(route.prefix) for route in reader.static_routes] == ["10.9.0.0/16"]
    assert [(r.source.line, "skipped" in r.consequence) for r in reader.refusals] == [(7, True)]


def test_a_wrong_value_in_a_file_is_bad_input() -> None:
    with pytest.raises(InputError, match="found '0', expected an AS number") as caught:
        boot(frr="router bgp 0\n")
    assert (caught.value.file, caught.value.line) == ("r1/frr.conf", 1)
    reader = boot(frr=f"router bgp 0\n{FRR}", allow_refused=True)
    assert [r.source.line for r in reader.refusals] == [1, 8]
    assert reader.instance() is not None


def test_each_daemon_takes_its_own_statements_alone() -> None:
    reader = boot(
        bgpd="router bgp 65001\n neighbor 10.0.0.2 remote-as 65002\nip route 10.8.0.0/16 blackhole\n",
        staticd="ip route 10.9.0.0/16 blackhole\n",
        zebra="hostname r1\ninterface net0\n ip address 10.0.0.1/24\n",
    )
    assert [str(route.prefix) for route in reader.static_routes] == ["10.9.0.0/16"]
    (refusal,) = reader.refusals
    assert (str(refusal.source), refusal.why) == (
        "r1/bgpd.conf:3",
        "it is a statement of staticd, and bgpd refuses it",
    )


def test_daemons_do_not_look_at_their_files_beside_an_integrated_one() -> None:
    assert boot(frr="hostname r1\n", bgpd="router bgp 65001\n").instance() is None


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("neighbor nobody is here", "found 'is', expected"),
        ("bogus", "FRR 8.4 has no such statement"),
        ("exit-address-family", "FRR 8.4 has no such statement"),
        ("timers bgp 1", "the line ends too soon, expected a whole number from 0 to 65535"),
        ("bgp d", "it is ambiguous"),
        ("maximum-paths many", "found 'many', expected a whole number from 1 to 256, ibgp"),
    ],
)
def test_a_line_that_frr_does_not_have(line: str, why: str) -> None:
    reader = FrrReader("r1")
    texts = ("conf t", LINES[0], line)
    reader.read([VtyLine(text, Source("topo.yml", n, text)) for n, text in enumerate(texts, 1)])
    (refusal,) = reader.refusals
    assert refusal.why.startswith(why)


@pytest.mark.parametrize("line", ["vrrp 5", "ip pim something", "ipv6 nd x", "mpls label 5"])
def test_a_line_that_frr_may_have(line: str) -> None:
    reader = FrrReader("r1")
    reader.read([VtyLine(text, Source("topo.yml", n, text)) for n, text in enumerate(("conf t", line), 1)])
    assert reader.refusals == []
    assert [(u.text, u.why) for u in reader.unmodelled] == [(line, "not known to bgpsim")]


def test_a_version_that_does_not_know_a_statement_refuses_it() -> None:
    lines = ("conf t", "router bgp 65001", "neighbor 10.0.0.2 remote-as auto")
    for version, refused in (("8.4", [3]), ("10.3", [])):
        reader = FrrReader("r1", version=version)
        reader.read([VtyLine(text, Source("topo.yml", n, text)) for n, text in enumerate(lines, 1)])
        assert [r.source.line for r in reader.refusals] == refused
        assert [u.source.line for u in reader.unmodelled] == [3]

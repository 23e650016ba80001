"""Whether a container's image starts FRR, and what FRR reads then."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from bgpsim.inputs.build import build_network
from bgpsim.inputs.files.binds import BoundText
from bgpsim.inputs.files.container_start import starts_frr
from bgpsim.inputs.files.containerlab import load_topology
from bgpsim.inputs.files.lab_files import LabFiles, Timeline
from bgpsim.inputs.frr_files import read_daemons
from bgpsim.network.description import Network
from bgpsim.source import Source

BGP = "router bgp 65001\n no bgp ebgp-requires-policy\n neighbor 10.0.0.2 remote-as 65002\n"
ADDRESS = "interface eth1\n ip address 10.0.0.1/24\n ipv6 address 2001:db8::1/64\n description x\nexit\n"


def network(folder: Path, node: str, files: Mapping[str, str]) -> Network:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    links = '  links:\n    - endpoints: ["r1:eth1", "h1:eth1"]\n'
    host = "    h1: {kind: linux, image: alpine}\n"
    path = folder / "t.yml"
    path.write_text(f"name: t\ntopology:\n  nodes:\n    r1:\n      kind: linux\n{node}{host}{links}")
    topology, unmodelled = load_topology(path, "t.yml")
    return build_network(LabFiles(topology, unmodelled=unmodelled), Timeline())


def node(*binds: str, more: str = "") -> str:
    shown = "".join(f'        - "{bind}"\n' for bind in binds)
    return f"      image: frrouting/frr:v8.4.1\n{more}" + (f"      binds:\n{shown}" if binds else "")


@pytest.mark.parametrize(
    ("lines", "starts"),
    [
        ("      image: frr\n", True),
        ("      image: quay.io/frrouting/frr:8.5.1\n", True),
        ("      image: alpine\n", False),
        ("      image: frr\n      cmd: bash\n", False),
        ("      image: frr\n      cmd: sleep infinity\n", False),
        ("      image: frr\n      entrypoint: /bin/sh\n", False),
        ("      image: frr\n      cmd: /usr/lib/frr/docker-start\n", True),
        ("      image: frr\n      cmd: sh -c '/usr/lib/frr/frrinit.sh start; sleep infinity'\n", True),
        ("      image: frr\n      exec: [/usr/lib/frr/frrinit.sh start]\n", False),
        ("      image: frr\n      exec: [service frr restart]\n", False),
        ("      image: frr\n      exec: [ip link set eth1 up]\n", True),
    ],
)
def test_an_image_of_frr_starts_it_unless_the_topology_says_otherwise(tmp_path: Path, lines: str, starts: bool) -> None:
    path = tmp_path / "t.yml"
    path.write_text(f"name: t\ntopology:\n  nodes:\n    r1:\n      kind: linux\n{lines}")
    assert starts_frr(load_topology(path, "t.yml")[0].nodes["r1"]) == starts


def test_the_integrated_file_gives_addresses_and_bgp_with_its_lines(tmp_path: Path) -> None:
    files = {"d": "bgpd=yes\n", "f.conf": ADDRESS + BGP}
    found = network(tmp_path, node("d:/etc/frr/daemons", "f.conf:/etc/frr/frr.conf"), files)
    device = found.devices["r1"]
    assert device.bgp is not None
    assert (device.bgp.asn, str(device.bgp.source)) == (65001, "f.conf:6")
    eth1 = device.interface("eth1")
    assert eth1 is not None
    assert [str(address) for address in eth1.addresses] == ["10.0.0.1/24", "2001:db8::1/64"]
    assert not [note for note in found.unmodelled if note.effect == "possible"]


def test_bgpd_must_be_enabled(tmp_path: Path) -> None:
    found = network(tmp_path, node("f.conf:/etc/frr/frr.conf"), {"f.conf": BGP})
    assert found.devices["r1"].bgp is None
    assert [text for _, text in found.findings] == ["r1: BGP is configured, but bgpd is not started"]


def test_an_integrated_file_hides_those_of_the_daemons(tmp_path: Path) -> None:
    own = "bgpd.conf:/etc/frr/bgpd.conf"
    files = {"d": "bgpd=yes\n", "bgpd.conf": BGP, "f.conf": ADDRESS}
    assert network(tmp_path, node("d:/etc/frr/daemons", own), files).devices["r1"].bgp is not None
    both = node("d:/etc/frr/daemons", own, "f.conf:/etc/frr/frr.conf")
    assert network(tmp_path, both, files).devices["r1"].bgp is None


def test_a_daemon_that_is_off_reads_nothing(tmp_path: Path) -> None:
    files = {"d": "bgpd=no\n", "bgpd.conf": BGP}
    found = network(tmp_path, node("d:/etc/frr/daemons", "bgpd.conf:/etc/frr/bgpd.conf"), files)
    assert (found.devices["r1"].bgp, found.findings) == (None, ())


def test_a_folder_without_daemons_starts_nothing(tmp_path: Path) -> None:
    found = network(tmp_path, node("r1:/etc/frr"), {"r1/frr.conf": BGP})
    assert found.devices["r1"].bgp is None
    assert [text for _, text in found.findings] == ["r1: FRR is not started: /etc/frr has no file `daemons`"]


def test_a_file_that_is_bound_alone_cannot_be_edited(tmp_path: Path) -> None:
    more = "      exec: [\"sed -i -e 's/bgpd=no/bgpd=yes/g' /etc/frr/daemons\", /usr/lib/frr/frrinit.sh start]\n"
    files = {"d": "bgpd=no\n", "f.conf": BGP}
    binds = ("d:/etc/frr/daemons", "f.conf:/etc/frr/frr.conf")
    assert network(tmp_path, node(*binds, more=more), files).devices["r1"].bgp is None
    # In a folder that is bound as a whole it can.
    whole = node("r1:/etc/frr", more=more)
    assert network(tmp_path, whole, {"r1/daemons": "bgpd=no\n", "r1/frr.conf": BGP}).devices["r1"].bgp is not None


def test_the_profile_of_daemons_is_the_routers(tmp_path: Path) -> None:
    files = {"d": 'bgpd=yes\nfrr_profile="datacenter"\n', "f.conf": BGP}
    found = network(tmp_path, node("d:/etc/frr/daemons", "f.conf:/etc/frr/frr.conf"), files).devices["r1"].bgp
    assert found is not None
    assert found.neighbors[0].hold_time == 9


def test_lines_of_exec_follow_those_of_the_files(tmp_path: Path) -> None:
    more = "      exec: [\"vtysh -c 'conf t' -c 'router bgp 65001' -c 'bgp router-id 1.1.1.1'\"]\n"
    files = {"d": "bgpd=yes\n", "f.conf": BGP}
    found = network(tmp_path, node("d:/etc/frr/daemons", "f.conf:/etc/frr/frr.conf", more=more), files)
    instance = found.devices["r1"].bgp
    assert instance is not None
    assert str(instance.router_id) == "1.1.1.1"


def test_lines_that_start_frr_twice_are_worth_a_word(tmp_path: Path) -> None:
    more = "      exec: [/usr/lib/frr/frrinit.sh start]\n"
    ((source, text),) = network(tmp_path, node(more=more), {}).findings
    assert source is not None
    assert (source.line, "cmd: bash" in text) == (4, True)


@pytest.mark.parametrize(
    ("line", "enabled"),
    [
        ("bgpd=yes", True),
        ("bgpd='yes'", True),
        ("bgpd=1 # on", True),
        ("export bgpd=yes", True),
        ("bgpd=no", False),
        ("bgpd=0", False),
        ("bgpd=", False),
        ("# bgpd=yes", False),
    ],
)
def test_daemons_is_read_as_a_shell_does(line: str, enabled: bool) -> None:
    told = read_daemons(BoundText(f"{line}\n", "d", Source("t", 1)))
    assert (("bgpd" in told.enabled), told.listed) == (enabled, ())


@pytest.mark.parametrize("line", ['bgpd_options="-A 127.0.0.1 -n"', "if true; then", "unheard=of", "bgpd=$(x"])
def test_what_else_stands_in_daemons_is_listed(line: str) -> None:
    told = read_daemons(BoundText(f"zebra=yes\n{line}\n", "d", Source("t", 1)))
    assert [(str(found.source), found.source.text) for found in told.listed] == [("d:2", line)]

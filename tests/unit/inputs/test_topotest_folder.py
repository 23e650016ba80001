"""A topotest's folder: which of its files say what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bgpsim.errors import InputError
from bgpsim.inputs.build import build_network
from bgpsim.inputs.files.lab_files import LabFiles, Timeline
from bgpsim.inputs.files.topotest import load_topotest
from bgpsim.network.description import Network

TEST = """\
def build_topo(tgen):
    for n in (1, 2):
        tgen.add_router(f"r{n}")
    switch = tgen.add_switch("s1")
    switch.add_link(tgen.gears["r1"])
    switch.add_link(tgen.gears["r2"])
"""


def conf(number: int, other: int, bgp: bool = True) -> str:
    lines = [f"interface r{number}-eth0", f" ip address 10.0.0.{number}/24", "!"]
    if bgp:
        lines += [f"router bgp 6500{number}", f" neighbor 10.0.0.{other} remote-as 6500{other}"]
    return "\n".join(lines) + "\n"


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def network(folder: Path, files: Mapping[str, str]) -> Network:
    topology, unmodelled = load_topotest(write(folder, files), "test")
    return build_network(LabFiles(topology, unmodelled=unmodelled), Timeline())


def addresses(found: Network, device: str) -> dict[str, list[str]]:
    return {i.name: [str(a) for a in i.addresses] for i in found.devices[device].interfaces if i.addresses}


def test_a_script_and_an_integrated_file_each(tmp_path: Path) -> None:
    files = {"test_a.py": TEST, "r1/frr.conf": conf(1, 2), "r2/frr.conf": conf(2, 1)}
    found = network(tmp_path, files)
    assert addresses(found, "r1") == {"r1-eth0": ["10.0.0.1/24"]}
    assert [device.bgp.asn for device in found.devices.values() if device.bgp] == [65001, 65002]
    assert [str(device.bgp.source) for device in found.devices.values() if device.bgp] == [
        "test/r1/frr.conf:4",
        "test/r2/frr.conf:4",
    ]
    (segment,) = found.segments
    assert ([str(end) for end in segment.ends], segment.bridged) == (["r1:r1-eth0", "r2:r2-eth0"], True)
    # Nothing but what the test makes.
    assert set(found.devices) == {"r1", "r2"}


def test_files_of_the_daemons(tmp_path: Path) -> None:
    bgp = "router bgp 65001\n neighbor 10.0.0.2 remote-as 65002\n"
    files = {"test_a.py": TEST, "r1/zebra.conf": conf(1, 2, bgp=False), "r1/bgpd.conf": bgp}
    found = network(tmp_path, {**files, "r1/staticd.conf": "ip route 10.9.0.0/16 blackhole\n"})
    device = found.devices["r1"]
    assert device.bgp is not None
    assert [str(route.prefix) for route in device.routes if route.protocol == "static"] == ["10.9.0.0/16"]
    assert addresses(found, "r1") == {"r1-eth0": ["10.0.0.1/24"]}
    assert [(note.text, note.effect) for note in found.unmodelled] == [('tgen.add_router(f"r{n}")', "none")]


@pytest.mark.parametrize(("call", "asn"), [("load_frr_config", 1), ("load_config", 2), ("start", 1)])
def test_of_both_the_test_says_which(tmp_path: Path, call: str, asn: int) -> None:
    test = f"{TEST}\ndef setup_module(mod):\n    router.{call}('x')\n"
    files = {"test_a.py": test, "r1/frr.conf": "router bgp 1\n", "r1/bgpd.conf": "router bgp 2\n"}
    instance = network(tmp_path, files).devices["r1"].bgp
    assert instance is not None
    assert instance.asn == asn


def test_a_test_is_named_by_its_file_where_there_are_several(tmp_path: Path) -> None:
    other = TEST.replace("(1, 2)", "(1, 2, 3)")
    write(tmp_path, {"test_a.py": TEST, "test_b.py": other, "lib.py": "import os\n"})
    with pytest.raises(InputError) as caught:
        load_topotest(tmp_path, "test")
    assert "found several topologies (test/test_a.py, test/test_b.py)" in caught.value.message
    assert len(load_topotest(tmp_path / "test_b.py", "test/test_b.py")[0].nodes) == 4


@pytest.mark.parametrize("files", [{}, {"README": "x"}, {"a.py": "import os\n"}, {"r1/x.json": '{"routers": {}}'}])
def test_a_folder_without_a_topology(tmp_path: Path, files: Mapping[str, str]) -> None:
    with pytest.raises(InputError) as caught:
        load_topotest(write(tmp_path, files), "test")
    assert "found no topology, expected a test_*.py" in caught.value.message


PLAIN: list[Any] = [
    {"s1": ["r1", "r2"]},
    {"topology": {"s1": ["r1", "r2"]}},
    {"routers": ["r1", "r2"], "switches": ["s1"], "links": [["s1", "r1"], ["s1", "r2"]]},
    {
        "routers": {"r1": {}, "r2": {}},
        "switches": {"s1": {}},
        "links": [{"endpoints": ["s1:a", "r1:r1-eth0"]}, ["s1", "r2"]],
    },
]


@pytest.mark.parametrize("text", PLAIN)
def test_plain_json(tmp_path: Path, text: Any) -> None:
    files = {"topology.json": json.dumps(text), "r1/frr.conf": conf(1, 2), "r2/frr.conf": conf(2, 1)}
    found = network(tmp_path, files)
    assert [str(end) for end in found.segments[0].ends] == ["r1:r1-eth0", "r2:r2-eth0"]
    assert len([device for device in found.devices.values() if device.bgp]) == 2


TOPOJSON: dict[str, Any] = {
    "address_types": ["ipv4"],
    "ipv4base": "10.0.0.0",
    "ipv4mask": 30,
    "link_ip_start": {"ipv4": "10.0.0.0", "v4mask": 30},
    "lo_prefix": {"ipv4": "1.0.", "v4mask": 32},
    "routers": {
        "r1": {
            "links": {"lo": {"ipv4": "auto", "type": "loopback"}, "r2": {"ipv4": "auto"}, "r3": {"ipv4": "auto"}},
            "bgp": {
                "local_as": "100",
                "address_family": {
                    "ipv4": {
                        "unicast": {
                            "redistribute": [{"redist_type": "connected"}],
                            "neighbor": {"r2": {"dest_link": {"r1": {"keepalivetimer": 3, "holddowntimer": 9}}}},
                        }
                    }
                },
            },
            "static_routes": [{"network": "10.9.0.0/16", "next_hop": "10.0.0.2"}],
        },
        "r2": {
            "links": {
                "lo": {"ipv4": "auto", "type": "loopback"},
                "r1": {"ipv4": "auto"},
                "r3": {"ipv4": "192.0.2.1/24"},
            },
            "bgp": {
                "local_as": 200,
                "address_family": {"ipv4": {"unicast": {"neighbor": {"r1": {"dest_link": {"r2": {}}}}}}},
            },
        },
        "r3": {"links": {"r1": {"ipv4": "auto"}, "r2": {"ipv4": "192.0.2.2/24"}}},
    },
}


def test_topojson_gives_interfaces_addresses_and_sessions(tmp_path: Path) -> None:
    found = network(tmp_path, {"test_a.json": json.dumps(TOPOJSON, indent=1)})
    assert addresses(found, "r1") == {
        "lo": ["1.0.1.1/32"],
        "r1-r2-eth0": ["10.0.0.1/30"],
        "r1-r3-eth1": ["10.0.0.5/30"],
    }
    assert addresses(found, "r2") == {
        "lo": ["1.0.2.2/32"],
        "r2-r1-eth0": ["10.0.0.2/30"],
        "r2-r3-eth1": ["192.0.2.1/24"],
    }
    assert addresses(found, "r3") == {"r3-r1-eth0": ["10.0.0.6/30"], "r3-r2-eth1": ["192.0.2.2/24"]}
    one, two = (found.devices[name].bgp for name in ("r1", "r2"))
    assert one is not None
    assert two is not None
    assert [(n.name, n.remote_as, n.hold_time) for n in one.neighbors] == [("10.0.0.2", 200, 9)]
    assert [(n.name, n.remote_as, n.hold_time) for n in two.neighbors] == [("10.0.0.1", 100, 180)]
    assert len(one.redistribute) == 1
    assert [str(r.prefix) for r in found.devices["r1"].routes] == ["10.9.0.0/16"]
    assert not [note for note in found.unmodelled if note.effect == "possible"]


def test_a_configuration_beside_it_counts_more(tmp_path: Path) -> None:
    own = "interface r1-r2-eth0\n ip address 10.7.0.1/24\n"
    found = network(tmp_path, {"test_a.json": json.dumps(TOPOJSON), "r1/frr.conf": own})
    assert (addresses(found, "r1"), found.devices["r1"].bgp) == ({"r1-r2-eth0": ["10.7.0.1/24"]}, None)


def changed(*path: str, value: Any) -> str:
    text = json.loads(json.dumps(TOPOJSON))
    at = text
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return json.dumps(text, indent=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (changed("routers", "r2", "links", "r1", value=None), "expected a link 'r1' among those of r2"),
        (changed("routers", "r1", "links", "r9", value={}), "expected a link to one of r1, r2, r3"),
        (changed("link_ip_start", value=None), "expected `link_ip_start` with `ipv4`"),
        (changed("lo_prefix", value=None), "expected `lo_prefix`"),
        (changed("routers", "r2", "links", "r3", "ipv4", value="10.0.0"), "expected an address with its length"),
        (changed("routers", "r2", "bgp", value=[{}]), "expected one BGP instance"),
        (changed("routers", "r2", "bgp", "local_as", value=None), "expected `bgp` with `local_as`"),
        (changed("routers", "r1", "linkz", value={}), "found the key 'linkz'"),
        ('{"s1": 3}', "found 3, expected a list"),
        ("[]", "expected a topology"),
        ('{"routers": [', "expected"),
    ],
)
def test_json_that_cannot_be_meant(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_topotest(write(tmp_path, {"test_a.json": text}), "test")
    assert message in str(caught.value), str(caught.value)
    assert caught.value.file == "test/test_a.json"
    assert caught.value.line is not None

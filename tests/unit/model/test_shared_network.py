"""Several external peers of one router on a network: which next hop each of them gets (RFC 4271 section 5.1.3)."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from bgpsim.inputs.build import build_network
from bgpsim.inputs.files.containerlab import load_topology
from bgpsim.inputs.files.lab_files import LabFiles, Timeline
from bgpsim.model import predict
from bgpsim.network.description import Network
from bgpsim.network.state import AdvertisedKey, SessionKey


def network(folder: Path, *more: str) -> Network:
    """r1 with r2 and r3 on a bridge; `more`: lines of r1's for its neighbors. r3 has 10.3.0.0/24."""
    lines = "".join(f" {line}\n" for line in more)
    (folder / "r1.conf").write_text(
        "interface e\n ip address 10.0.0.1/24\nrouter bgp 65001\n no bgp ebgp-requires-policy\n"
        f" neighbor 10.0.0.2 remote-as 65002\n neighbor 10.0.0.3 remote-as 65003\n{lines}"
    )
    for n in (2, 3):
        (folder / f"r{n}.conf").write_text(
            f"interface e\n ip address 10.0.0.{n}/24\ninterface x\n ip address 10.{n}.0.1/24\n"
            f"router bgp 6500{n}\n no bgp ebgp-requires-policy\n neighbor 10.0.0.1 remote-as 65001\n"
            " address-family ipv4 unicast\n  redistribute connected\n"
        )
    (folder / "daemons").write_text("bgpd=yes\n")
    nodes = "".join(
        f"    r{n}: {{kind: linux, image: frr, network-mode: none,"
        f' binds: ["r{n}.conf:/etc/frr/frr.conf", "daemons:/etc/frr/daemons"]}}\n'
        for n in (1, 2, 3)
    )
    links = "".join(f'    - endpoints: ["r{n}:e", "b:r{n}"]\n' for n in (1, 2, 3))
    links += '    - endpoints: ["r2:x", "r3:y"]\n    - endpoints: ["r3:x", "r2:y"]\n'
    path = folder / "t.yml"
    path.write_text(f"name: t\ntopology:\n  nodes:\n{nodes}    b: {{kind: bridge}}\n  links:\n{links}")
    return build_network(LabFiles(load_topology(path, "t.yml")[0]), Timeline())


def sent(found: Network, neighbor: str) -> str:
    key = AdvertisedKey("r1", neighbor, "ipv4-unicast", ip_network("10.3.0.0/24"))
    return predict(found, None, ()).state.advertised[key].next_hop


def test_a_route_goes_on_with_the_next_hop_on_the_network(tmp_path: Path) -> None:
    assert sent(network(tmp_path), "10.0.0.2") == "10.0.0.3"


def test_it_goes_back_with_it_where_another_peer_of_the_group_is_there(tmp_path: Path) -> None:
    assert sent(network(tmp_path), "10.0.0.3") == "10.0.0.3"


@pytest.mark.parametrize("line", ["neighbor 10.0.0.2 shutdown", "no neighbor 10.0.0.2"])
def test_it_goes_back_with_the_routers_own_where_there_is_none(tmp_path: Path, line: str) -> None:
    assert sent(network(tmp_path, line), "10.0.0.3") == "self"


def test_one_port_down_leaves_the_others_their_carrier(tmp_path: Path) -> None:
    found = network(tmp_path)
    files = LabFiles(load_topology(tmp_path / "t.yml", "t.yml")[0])
    cut = build_network(files, Timeline(interfaces_down=(("r2", "e"),), interfaces_cut=(("r2", "e"),)))
    for state, up in ((predict(found, None, ()), True), (predict(cut, None, ()), False)):
        sessions = state.state.sessions
        assert sessions[SessionKey("r1", "10.0.0.3")].state == "Established"
        assert (sessions[SessionKey("r1", "10.0.0.2")].state == "Established") == up


def test_a_peer_that_comes_back_may_join_its_group_late(tmp_path: Path) -> None:
    found = network(tmp_path)
    files = LabFiles(load_topology(tmp_path / "t.yml", "t.yml")[0])
    cut = build_network(files, Timeline(nodes_down=("r2",)))
    first = predict(found, None, ())
    again = predict(found, predict(cut, first.state, ()).state, ())
    found_in = [[(n.device, n.text) for n in p.unmodelled if "next hop" in n.text] for p in (first, again)]
    text = "with which next hop 10.0.0.2 hears its own routes back depends on when it came up"
    assert found_in == [[], [("r1", text)]]

"""One small lab on two releases of FRR: as predicted on each, and where they differ the prediction does too.

The session between a and b runs over IPv4 addresses of their loopbacks and carries IPv6 routes too. FRR 8.4 goes on,
with IPv4-mapped next hops; 10.3 refuses the OPEN, since its end has no IPv6 address. c has a speaker: 10.3 never looks
at a next hop that is the very link-local address by which a neighbor is configured, and gets another one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from variants import router, session, topology, why_down

from bgpsim.errors import NoSuchRelease
from bgpsim.lab.images import default_store, ensure

pytestmark = pytest.mark.lab

_PEER = """\
no bgp ebgp-requires-policy
bgp router-id {own}
neighbor {peer} remote-as external
neighbor {peer} ebgp-multihop 2
neighbor {peer} update-source lo
address-family ipv4 unicast
redistribute connected
exit-address-family
address-family ipv6 unicast
neighbor {peer} activate
exit-address-family
"""
_UNNUMBERED = """\
no bgp ebgp-requires-policy
neighbor b interface remote-as external
address-family ipv4 unicast
redistribute connected
"""
_SCENARIO = """\
name: releases
lab: {topology: topo.yml}
speakers: {injector: {asn: 65099, peers: [c]}}
steps:
  - name: announced
    announce: [{speaker: injector, to: [c], prefix: 10.99.0.0/24, communities: ["65099:1"]}]
  - {name: withdrawn, withdraw: [{speaker: injector, to: [c], prefix: 10.99.0.0/24}]}
"""


@pytest.fixture(scope="module", autouse=True)
def _images() -> None:
    """Another distribution than Debian, without a mirror of Debian's, cannot have them."""
    try:
        ensure(("frr", "frr-10.3"), default_store(), print)
    except NoSuchRelease as error:
        pytest.skip(str(error))


def _files() -> dict[str, str]:
    """a asks for 8.2, b and c for 10.3."""
    a, b, c = (f"10.255.0.{number}" for number in (1, 2, 3))
    nodes = [
        router("a", 65001, {"lo": f"{a}/32", "b": "10.0.12.1/24"}, _PEER.format(own=a, peer=b),
               first=f"ip route add {b}/32 via 10.0.12.2"),
        router("b", 65002, {"lo": f"{b}/32", "a": "10.0.12.2/24"},
               f"neighbor c interface remote-as external\n{_PEER.format(own=b, peer=a)}",
               first=f"ip route add {a}/32 via 10.0.12.1"),
        router("c", 65003, {"lo": f"{c}/32"}, _UNNUMBERED),
    ]  # fmt: skip
    later = [node.replace("frrouting/frr:v8.2.2", "quay.io/frrouting/frr:10.3.1") for node in nodes[1:]]
    return {**topology([nodes[0], *later], ("a:b", "b:a"), ("b:c", "c:b")), "scenario.yaml": _SCENARIO}


def _run(folder: Path, *options: str) -> dict[str, Any]:
    for name, text in _files().items():
        (folder / name).write_text(text)
    command = [str(Path(sys.executable).with_name("bgpsim")), "run", str(folder / "scenario.yaml"), *options, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    (run,) = json.loads(done.stdout)["runs"]
    assert (done.returncode, run["verdict"]) == (0, "pass"), done.stdout[:3000]
    assert run["lab"]["rejected_lines"] == []
    for step in run["steps"]:
        for plane in ("bgp", "fib", "wire"):
            counted = step["planes"][plane]
            assert 0 < counted["compared"] == counted["equal"], (step["name"], plane)
            assert counted["not_observed"] == 0
    assert isinstance(run, dict)
    return run


def _used(run: dict[str, Any]) -> dict[str, str]:
    return {image["device"]: image["used"] for image in run["lab"]["images"]}


def test_each_router_runs_the_release_of_its_tag(tmp_path: Path) -> None:
    """Half of the session is enough to refuse it. c has its own prefix, b's two and the speaker's."""
    run = _run(tmp_path)
    assert _used(run) == {"a": "FRR 8.4.4", "b": "FRR 10.3", "c": "FRR 10.3"}
    announced, withdrawn = run["steps"]
    assert session(announced, "a", "10.255.0.2") == ("Down", None)
    assert why_down(announced, "a", "10.255.0.2").startswith("b has no IPv6 address beside 10.255.0.2, and FRR 10.3")
    assert session(announced, "c", "fe80::2")[0] == "Established"
    # b's loopback and link; its neighbor there and the speaker are told of every route that c has.
    told = session(announced, "b", "c")[1]
    less = session(withdrawn, "b", "c")[1]
    assert told is not None
    assert less is not None
    assert told[0] == less[0] + 1


def test_all_on_an_older_one(tmp_path: Path) -> None:
    run = _run(tmp_path, "--frr", "8.4")
    assert set(_used(run).values()) == {"FRR 8.4.4"}
    assert session(run["steps"][0], "a", "10.255.0.2")[0] == "Established"

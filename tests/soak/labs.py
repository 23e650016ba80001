"""The labs that soak plays with, and random steps that each of them can take."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

SEED_LAB = Path(__file__).parents[2] / "scenarios" / "cilium-bgp"
_LINK = "b0:net0"
_HOST = """\
    h{n}:
      kind: linux
      image: nicolaka/netshoot
      exec:
        - ip addr add 10.1.{n}.2/24 dev net0
        - ip route replace default via 10.1.{n}.1
"""
_ROUTER = """\
    b{n}:
      kind: linux
      image: frrouting/frr:v8.4.4
      exec:
        - ip link del eth0
        - ip addr add 10.0.0.{n}/32 dev lo
        - ip addr add 10.1.{n}.1/24 dev h
        - touch /etc/frr/vtysh.conf
        - sed -i -e 's/bgpd=no/bgpd=yes/g' /etc/frr/daemons
        - /usr/lib/frr/frrinit.sh start
        - >-
          vtysh -c 'conf t' -c 'frr defaults datacenter' -c 'router bgp 6500{asn}' -c 'bgp router-id 10.0.0.{n}'
          -c 'no bgp ebgp-requires-policy' -c 'neighbor net0 interface remote-as external'
          -c 'address-family ipv4 unicast' -c 'redistribute connected'
"""
_LINKS = """\
  links:
    - endpoints: ["b0:net0", "b1:net0"]
    - endpoints: ["h0:net0", "b0:h"]
    - endpoints: ["h1:net0", "b1:h"]
"""
_SPEAKERS = {"injector": {"asn": 65099, "peers": ["b0"]}}


@dataclass
class Walk:
    """Random steps, each of which the lab can take where it then is."""

    chance: random.Random
    needs: frozenset[str]
    cut: bool = False
    impaired: bool = False
    announced: bool = False
    applied: bool = False
    _number: int = field(default=0)

    def first(self) -> list[dict[str, Any]]:
        """What the fault's target needs to be there, before anything random."""
        if "cluster" in self.needs:
            return [{}, self._apply()]
        steps: list[dict[str, Any]] = [{}]
        if "relay" in self.needs:
            steps.append(self._impair())
        if "stream" in self.needs:
            steps.append({"probe": "continuous"})
        return [{**step, "name": self._name()} for step in steps]

    def step(self) -> dict[str, Any]:
        choices: list[Callable[[], dict[str, Any]]] = [dict, self._exec, self._link]
        if "cluster" in self.needs:
            choices = [dict, self._uplink]
        elif "speaker" in self.needs:
            choices += [self._route, self._route]
        elif not self.cut:
            choices += [self._impair, lambda: {"probe": "continuous"}]
        return {**self.chance.choice(choices)(), "name": self._name()}

    def _name(self) -> str:
        self._number += 1
        return f"step {self._number}"

    def _apply(self) -> dict[str, Any]:
        self.applied = True
        return {"apply": ["cilium-bgp-peering-policies.yaml"]}

    def _exec(self) -> dict[str, Any]:
        return {"exec": {self.chance.choice(("b0", "b1")): "vtysh -c 'show bgp summary'"}}

    def _link(self) -> dict[str, Any]:
        self.cut = not self.cut
        return {"link-down" if self.cut else "link-up": [_LINK]}

    def _uplink(self) -> dict[str, Any]:
        self.cut = not self.cut
        return {"link-down" if self.cut else "link-up": ["tor1:net0"]}

    def _impair(self) -> dict[str, Any]:
        self.impaired = not self.impaired
        return {"impair": [{"link": _LINK, "delay": "5ms" if self.impaired else "0ms"}]}

    def _route(self) -> dict[str, Any]:
        self.announced = not self.announced
        if self.announced:
            return {"announce": [{"speaker": "injector", "to": ["b0"], "prefix": "10.77.0.0/24"}]}
        return {"withdraw": [{"speaker": "injector", "all": True}]}


def write(folder: Path, steps: list[dict[str, Any]], needs: frozenset[str]) -> Path:
    """The scenario file of these steps, and the files that it names."""
    folder.mkdir(parents=True, exist_ok=True)
    whole: dict[str, Any] = {"name": "soak", "lab": {"topology": "topo.yml"}}
    if "cluster" in needs:
        for name in ("topo.yml", "cluster.yml", "netshoot-ds.yaml", "cilium-bgp-peering-policies.yaml"):
            (folder / name).write_bytes((SEED_LAB / name).read_bytes())
        whole["lab"] |= {"cluster": "cluster.yml", "manifests": ["netshoot-ds.yaml"]}
    else:
        nodes = "".join(_ROUTER.format(n=n, asn=n + 1) + _HOST.format(n=n) for n in (0, 1))
        (folder / "topo.yml").write_text(f"name: soak\ntopology:\n  nodes:\n{nodes}{_LINKS}")
    if "speaker" in needs:
        whole["speakers"] = _SPEAKERS
    named = [{"name": f"first {n}", **step} for n, step in enumerate(steps, 1)]
    scenario = folder / "scenario.yaml"
    scenario.write_text(yaml.safe_dump({**whole, "steps": named}, sort_keys=False))
    return scenario

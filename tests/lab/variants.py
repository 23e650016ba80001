"""Small labs by their files: what a variant is, how it is run by the command, and what its report says."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
from sealed import this_user

from bgpsim.report.document import report_schema

SEED = Path(__file__).parents[2] / "scenarios" / "cilium-bgp"
CILIUM = "{topology: topo.yml, cluster: cluster.yml, manifests: [netshoot-ds.yaml]}"
POLICIES = "apply: [cilium-bgp-peering-policies.yaml]"
_AT_ONCE = 2

Step = Mapping[str, Any]
Facts = Callable[[list[Step]], None]


@dataclass(frozen=True, slots=True)
class Variant:
    """Files by name, the scenario's steps, and what its steps must show."""

    files: Mapping[str, str]
    steps: Sequence[str]
    facts: Facts
    lab: str = "{topology: topo.yml}"
    top: str = ""
    open: tuple[str, ...] = field(default=())
    """What the prediction has to leave open: the beginning of each text in `not_modelled` with effect possible."""


def of_seed(*changes: tuple[str, str, str]) -> dict[str, str]:
    """The shipped files, with (file, text, other text) exchanged."""
    names = ("topo.yml", "cluster.yml", "cilium-bgp-peering-policies.yaml", "netshoot-ds.yaml")
    files = {name: (SEED / name).read_text() for name in names}
    for name, old, new in changes:
        assert old in files[name]
        files[name] = files[name].replace(old, new)
    return files


def router(name: str, asn: int, addresses: Mapping[str, str], bgp: str, *, first: str = "", config: str = "") -> str:
    """An FRR router. `bgp`: its statements, one a line; `first`: `ip` lines before FRR starts; `config`: before BGP."""
    before = [f"ip addr add {a} dev {i}" for i, a in addresses.items()] + first.strip().splitlines()
    lines = ["conf t", "frr defaults datacenter", *config.strip().splitlines(), f"router bgp {asn}"]
    vtysh = " ".join(f"-c '{line.strip()}'" for line in [*lines, *bgp.strip().splitlines()])
    commands = [
        "ip link del eth0",
        *(line.strip() for line in before),
        "touch /etc/frr/vtysh.conf",
        "sed -i -e 's/bgpd=no/bgpd=yes/g' /etc/frr/daemons",
        "/usr/lib/frr/frrinit.sh start",
        f"vtysh {vtysh}",
    ]
    shown = "".join(f"        - >-\n          {command}\n" for command in commands)
    return f"    {name}:\n      kind: linux\n      image: frrouting/frr:v8.2.2\n      exec:\n{shown}"


def host(name: str, address: str, gateway: str) -> str:
    lines = f"        - ip addr add {address} dev net0\n        - ip route replace default via {gateway}\n"
    return f"    {name}:\n      kind: linux\n      image: nicolaka/netshoot:latest\n      exec:\n{lines}"


def topology(nodes: Sequence[str], *links: tuple[str, str]) -> dict[str, str]:
    ends = "".join(f'    - endpoints: ["{one}", "{other}"]\n' for one, other in links)
    return {"topo.yml": "name: variant\ntopology:\n  nodes:\n" + "".join(nodes) + "  links:\n" + ends}


# --- what a report says ---


def session(step: Step, device: str, neighbor: str) -> tuple[str, tuple[int, int] | None]:
    """State, and accepted and sent IPv4 prefixes, as observed."""
    (row,) = (r for r in step["sessions"] if (r["device"], r["neighbor"]) == (device, neighbor))
    family = row["families"].get("ipv4-unicast")
    counts = None if family is None else (family["accepted"]["observed"], family["sent"]["observed"])
    return row["observed"]["state"], counts


def why_down(step: Step, device: str, neighbor: str) -> str:
    (row,) = (r for r in step["sessions"] if (r["device"], r["neighbor"]) == (device, neighbor))
    because = row["predicted"]["because"]
    assert isinstance(because, str)
    return because


def way(step: Step, source: str, target: str) -> tuple[str, set[tuple[str, ...]]]:
    """Disposition, and the devices of every way that packets took."""
    (row,) = (r for r in step["reachability"] if (r["from"]["id"], r["to"]["id"]) == (source, target))
    ways = {tuple(hop["device"] for hop in path["hops"]) for path in row["observed"]["paths"]}
    return row["observed"]["disposition"], ways


# --- running them ---


def take(name: str, variant: Variant, folder: Path) -> None:
    folder.mkdir()
    for file, text in variant.files.items():
        (folder / file).write_text(text)
    steps = "".join(f"  - {{{step}}}\n" for step in variant.steps)
    scenario = folder / "scenario.yaml"
    scenario.write_text(f"name: variant\nlab: {variant.lab}\n{variant.top}steps:\n{steps}")
    command = this_user().start("run", str(scenario), "--report", str(folder / "report"))
    try:
        out, err = command.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        command.kill()
        raise
    assert (err, command.returncode) == ("", 0), out
    report = json.loads((folder / "report" / "report.json").read_text())
    jsonschema.validate(report, report_schema())
    (run,) = report["runs"]
    possible = [n["text"] for n in run["not_modelled"] if n["effect"] == "possible"]
    assert all(text.startswith(variant.open) for text in possible) if variant.open else not possible, possible
    for step in run["steps"]:
        assert (step["settled"]["how"], step["mismatches"]) == ("quiet", []), (name, step["name"])
        for plane, found in step["planes"].items():
            if found["status"] != "empty":
                assert found["compared"] == found["equal"], (name, step["name"], plane)
                assert found["compared"] > 0
                assert found["not_observed"] == 0, (name, step["name"], plane, found["because"])
    variant.facts(run["steps"])


def all_agree(variants: Mapping[str, Variant], folder: Path) -> None:
    """Each in a lab of its own, two at once; what failed is raised together."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        started = {
            name: pool.submit(take, name, variant, folder / re.sub(r"\W", "-", name))
            for name, variant in variants.items()
        }
    failed = []
    for name, future in started.items():
        error = future.exception()
        if isinstance(error, Exception):
            error.add_note(f"the variant: {name}")
            failed.append(error)
    if failed:
        raise ExceptionGroup("these variants failed", failed)

"""The ring of twenty routers by munet, in namespaces of the bench's own, to the same tables as the floor and the lab.

munet (PyPI, GPL) is only run; nothing of it is imported. Its nodes run the `exec` lines of the lab's topology, as the
lab's do.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import yaml

from benchmarks.commands import ROOT, CommandFailed, run
from benchmarks.figures import Parts
from benchmarks.large_labs import Measured, Written
from benchmarks.seed_lab import milestones
from bgpsim.generate.fabric import Fabric
from bgpsim.generate.files import host_lines, prepare_lines, vtysh_words
from bgpsim.lab.images import default_store, ensure

_SCRIPT = ROOT / "benchmarks" / "munet_ring.sh"
_GAVE_UP = 3
_OPTIONS = ("", "", "", "--unshare-inline")
"""As its users run it; where it gives up thrice, with the option that makes it faster: fewer processes."""
_SETTINGS = (
    'for setting in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 >"$setting"; done',
    'for setting in /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding; do echo 1 >"$setting"; done',
    "for device in /sys/class/net/*; do ip link set ${device##*/} up; done",
)
"""What a lab's nodes have before their `exec` lines run."""


def measure(fabric: Fabric, files: Written) -> Measured:
    """Raises CommandFailed where munet is not installed or does not get there."""
    if find_spec("munet") is None:
        raise CommandFailed("munet is not installed: pip install -e '.[bench]'")
    rootfs = ensure({"frr"}, default_store(), lambda _: None)["frr"].rootfs
    (files.floor / "munet.yaml").write_text(yaml.safe_dump(topology(fabric)))
    for router in fabric.routers:
        shutil.copytree(rootfs / "etc" / "frr", files.floor / f"{router.name}.etc", dirs_exist_ok=True)
    prefixes = sorted({str(Path(name).resolve()) for name in (sys.prefix, sys.base_prefix)} | {sys.prefix})
    for option in _OPTIONS:
        command: list[str | Path] = ["bash", _SCRIPT, rootfs, files.floor, sys.executable, option, *prefixes]
        finished = run(command, check=False)
        if finished.exit_code != _GAVE_UP:
            break
    if finished.exit_code:
        raise CommandFailed(f"munet: exit code {finished.exit_code}: {finished.errors}")
    at = milestones(finished)
    parts = (
        ("a root for munet; not counted", at["rooted"]),
        ("routes in the kernels", at["routes"] - at["rooted"]),
        ("counters read", at["done"] - at["routes"]),
    )
    return Measured(
        at["done"] - at["rooted"], finished.peak_kib, Parts(" ".join(filter(None, ("munet", option))), parts)
    )


def topology(fabric: Fabric) -> dict[str, object]:
    """munet's configuration: point-to-point links, nothing numbered by munet, one command per node."""
    links: dict[str, list[dict[str, str]]] = {}
    for cable in fabric.cables:
        # Each end names the other.
        for (near, interface), (far, far_interface) in ((cable.a, cable.b), (cable.b, cable.a)):
            links.setdefault(near, []).append({"to": far, "name": interface, "remote-name": far_interface})
    nodes: list[dict[str, object]] = []
    for router in fabric.routers:
        # Without a source it is a tmpfs.
        volumes = [f"/bench/{router.name}.etc:/etc/frr", "/run/frr"]
        command = _script((*prepare_lines(router), " ".join(vtysh_words(router))))
        nodes.append(
            {"name": router.name, "cmd": command, "volumes": volumes, "connections": links.get(router.name, [])}
        )
        if router.host is not None:
            name = router.host.name
            lines = _script(host_lines(router.host))
            nodes.append({"name": name, "cmd": lines, "connections": links[name]})
    settings = {"networks-autonumber": False, "loopbacks-autonumber": False, "ipv6-enable": True}
    return {"version": 1, "topology": {**settings, "nodes": nodes}}


def _script(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in (*_SETTINGS, *lines, "exec sleep infinity"))

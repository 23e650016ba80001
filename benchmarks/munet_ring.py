"""The ring of twenty routers by munet, in namespaces of the bench's own, to the same tables as the floor and the lab.

munet (PyPI, GPL) is only run; nothing of it is imported. Its nodes get what the floor's get: addresses with
`ip -batch`, and the daemons forked directly.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import yaml

from benchmarks.commands import ROOT, CommandFailed, run
from benchmarks.figures import Parts
from benchmarks.large_labs import Measured, Written
from benchmarks.seed_lab import milestones
from bgpsim.generate.fabric import Fabric
from bgpsim.lab.images import default_store, ensure

_SCRIPT = ROOT / "benchmarks" / "munet_ring.sh"
_GAVE_UP = 3
_OPTIONS = ("", "", "", "--unshare-inline")
"""As its users run it; where it gives up thrice, with the option that makes it faster: fewer processes."""
_START = """\
for setting in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 >"$setting"; done
for setting in /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding; do echo 1 >"$setting"; done
ip -batch /bench/{name}.ip
"""
_DAEMONS = """\
/usr/lib/frr/zebra -d -F traditional -A 127.0.0.1 -s 90000000
/usr/lib/frr/bgpd -d -F traditional -A 127.0.0.1
/usr/lib/frr/staticd -d -F traditional -A 127.0.0.1
/usr/lib/frr/watchfrr -d -F traditional zebra bgpd staticd
"""


def measure(fabric: Fabric, files: Written) -> Measured:
    """Raises CommandFailed where munet is not installed or does not get there."""
    if find_spec("munet") is None:
        raise CommandFailed("munet is not installed: pip install -e '.[bench]'")
    rootfs = ensure({"frr"}, default_store(), lambda _: None)["frr"].rootfs
    (files.floor / "munet.yaml").write_text(yaml.safe_dump(topology(fabric)))
    for router in fabric.routers:
        etc = files.floor / f"{router.name}.etc"
        etc.mkdir(exist_ok=True)
        for name in ("zebra.conf", "staticd.conf", "vtysh.conf"):
            (etc / name).touch()
        (etc / "bgpd.conf").write_text((files.floor / f"{router.name}.conf").read_text())
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
        command = _START.format(name=router.name) + _DAEMONS + "exec sleep infinity\n"
        nodes.append(
            {"name": router.name, "cmd": command, "volumes": volumes, "connections": links.get(router.name, [])}
        )
        if router.host is not None:
            name = router.host.name
            command = _START.format(name=name) + "exec sleep infinity\n"
            nodes.append({"name": name, "cmd": command, "connections": links[name]})
    settings = {"networks-autonumber": False, "loopbacks-autonumber": False, "ipv6-enable": True}
    return {"version": 1, "topology": {**settings, "nodes": nodes}}

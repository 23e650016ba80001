"""The folder of a topotest -> `TopologyFile`: its script or JSON file says who is linked to whom, `rN/*.conf` what each
router's daemons read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from bgpsim.errors import InputError
from bgpsim.inputs.files.binds import Bind, BoundFile
from bgpsim.inputs.files.containerlab import ExecLine, LinkDefinition, LinkEnd, NodeDefinition, TopologyFile
from bgpsim.inputs.files.part import Part
from bgpsim.inputs.files.topotest.json_file import read_json
from bgpsim.inputs.files.topotest.plan import Gear, Plan
from bgpsim.inputs.files.topotest.script import read_script
from bgpsim.inputs.files.yaml_source import read_yaml
from bgpsim.source import Source, Unmodelled

ROUTER_IMAGE = "frrouting/frr"
HOST_IMAGE = "nicolaka/netshoot"
LINK_MTU = 1500
"""A veth's own, which topotest does not change."""
_DAEMONS = (
    *(
        "bgpd",
        "ospfd",
        "ospf6d",
        "ripd",
        "ripngd",
        "isisd",
        "pimd",
        "ldpd",
        "nhrpd",
        "eigrpd",
        "babeld",
        "sharpd",
        "pbrd",
    ),
    *("bfdd", "fabricd", "vrrpd", "pathd"),
)
_ALWAYS = ("zebra", "staticd")
_FRR = "/etc/frr"


def load_topotest(path: Path, shown: str) -> tuple[TopologyFile, tuple[Unmodelled, ...]]:
    """`path`: the folder, or the one script or JSON file in it that is meant. Raises InputError."""
    folder = path if path.is_dir() else path.parent
    where = shown if path.is_dir() else os.path.dirname(shown)
    plan = _plan(_candidates(path, folder, where), where or ".")
    nodes = {name: _node(gear, plan, folder, where) for name, gear in plan.gears.items()}
    links = tuple(
        LinkDefinition((LinkEnd(*link.ends[0]), LinkEnd(*link.ends[1])), link.source, LINK_MTU) for link in plan.links
    )
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", folder.resolve().name) or "topotest"
    return TopologyFile(plan.file, name, nodes, links, Source(plan.file, 1)), tuple(plan.unmodelled)


def _shown(*parts: str) -> str:
    return os.path.normpath(os.path.join(*parts))


def _candidates(path: Path, folder: Path, where: str) -> list[tuple[Path, str]]:
    """Files that may hold the topology, and their names in reports; tests before JSON files."""
    if path.is_file():
        return [(path, _shown(where, path.name))]
    try:
        files = sorted(file for file in folder.iterdir() if file.is_file())
    except OSError as error:
        raise InputError(f"cannot read '{where}': {error.strerror}, expected a topotest's folder", file=where) from None
    scripts = [f for f in files if f.suffix == ".py" and f.name not in ("__init__.py", "conftest.py")]
    scripts.sort(key=lambda file: not file.name.startswith("test_"))
    return [(f, _shown(where, f.name)) for f in (*scripts, *(f for f in files if f.suffix == ".json"))]


def _plan(candidates: Sequence[tuple[Path, str]], where: str) -> Plan:
    scripts = [
        found for file, shown in candidates if file.suffix == ".py" and (found := _script(file, shown)) is not None
    ]
    if not scripts:
        for file, shown in candidates:
            if file.suffix != ".py" and (found := _json(file, shown, len(candidates) == 1)) is not None:
                scripts.append(found)
    if len(scripts) > 1 and len({_shape(plan) for plan in scripts}) > 1:
        names = ", ".join(plan.file for plan in scripts)
        raise InputError(f"found several topologies ({names}), expected one, or its file by its name", file=where)
    if not scripts:
        raise InputError(
            "found no topology, expected a test_*.py with add_router and add_link, or a JSON file with `routers`",
            file=where,
        )
    if not scripts[0].gears:
        raise InputError("found a topology without a router, expected one at least", file=scripts[0].file)
    return scripts[0]


def _shape(plan: Plan) -> object:
    return tuple(plan.gears), tuple(link.ends for link in plan.links)


def _script(file: Path, shown: str) -> Plan | None:
    try:
        text = file.read_text(errors="replace")
    except OSError as error:
        raise InputError(f"cannot read it: {error.strerror}, expected a test", file=shown) from None
    return read_script(text, shown)


def _json(file: Path, shown: str, only: bool) -> Plan | None:
    """None for a file of something else (what a test expects to see, say), unless it is the only one."""
    top = Part(read_yaml(file, shown))
    value = top.value
    inner = value.get("topology", value) if isinstance(value, dict) else None
    about = isinstance(inner, dict) and (
        "routers" in inner
        or "links" in inner
        or (
            bool(inner)
            and all(isinstance(ends, list) and all(isinstance(e, str) for e in ends) for ends in inner.values())
        )
    )
    if not about and not only:
        return None
    plan = Plan(shown)
    read_json(top, plan)
    plan.unmodelled += top.unmodelled
    return plan


def _node(gear: Gear, plan: Plan, folder: Path, where: str) -> NodeDefinition:
    if gear.kind == "switch":
        return NodeDefinition(gear.name, "bridge", None, (), gear.source)
    if gear.kind == "host":
        lines = tuple(ExecLine(line, gear.source) for line in _host_lines(gear, plan))
        return NodeDefinition(gear.name, "linux", HOST_IMAGE, lines, gear.source, network_mode="none")
    binds = tuple(_router_files(gear, plan, folder, where))
    return NodeDefinition(gear.name, "linux", ROUTER_IMAGE, (), gear.source, network_mode="none", binds=binds)


def _host_lines(gear: Gear, plan: Plan) -> Iterator[str]:
    first = next((i for link in plan.links for name, i in link.ends if name == gear.name), None)
    if first is not None and gear.address:
        yield f"ip addr add {gear.address} dev {first}"
        if gear.default:
            yield f"ip route replace default {gear.default}"


def _router_files(gear: Gear, plan: Plan, folder: Path, where: str) -> Iterator[Bind]:
    """Its frr.conf where it has one, else those of its daemons; where it has both, the test says which is loaded."""
    own = folder / gear.name
    names = sorted(file.name for file in own.glob("*.conf") if file.is_file()) if own.is_dir() else []
    per_daemon = [n for n in names if n.removesuffix(".conf") in (*_DAEMONS, *_ALWAYS)]
    chosen = per_daemon
    if "frr.conf" in names and not (plan.integrated is False and per_daemon):
        chosen = ["frr.conf"]
    texts: dict[str, bytes] = {}
    for name in chosen:
        shown = _shown(where, gear.name, name)
        try:
            texts[name] = (own / name).read_bytes()
        except OSError as error:
            raise InputError(f"cannot read it: {error.strerror}, expected a configuration", file=shown) from None
        yield Bind(f"{_FRR}/{name}", gear.source, own / name, shown, {"": BoundFile(texts[name])})
    if not chosen and gear.name in plan.configurations:
        texts["frr.conf"] = plan.configurations[gear.name].encode()
        yield Bind(
            f"{_FRR}/frr.conf", gear.source, None, f"{plan.file}#{gear.name}", {"": BoundFile(texts["frr.conf"])}
        )
    elif not chosen:
        plan.list(gear.source, f"{gear.name} has no configuration beside the test: its FRR runs without one", "none")
    if (own / "daemons").is_file():
        shown = _shown(where, gear.name, "daemons")
        content = (own / "daemons").read_bytes()
        yield Bind(f"{_FRR}/daemons", gear.source, own / "daemons", shown, {"": BoundFile(content)})
        return
    text = "".join(f"{daemon}=yes\n" for daemon in _started(texts))
    yield Bind(f"{_FRR}/daemons", gear.source, None, f"{plan.file}#{gear.name}/daemons", {"": BoundFile(text.encode())})


def _started(texts: dict[str, bytes]) -> Iterator[str]:
    """zebra and staticd run always; others that the integrated file speaks of (topogen.py, load_frr_config), or that
    have a file of their own."""
    for daemon in _DAEMONS:
        word = "candidate-path" if daemon == "pathd" else daemon.removesuffix("d")
        integrated = texts.get("frr.conf", b"").decode(errors="replace")
        if f"{daemon}.conf" in texts or re.search(rf"\b{word}\b", integrated):
            yield daemon

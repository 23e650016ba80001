"""What a containerlab node inherits: its own keys, then its group's, its kind's and the defaults'."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bgpsim.inputs.files.part import Part
from bgpsim.source import Unmodelled

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SYSCTL = re.compile(r"[a-z0-9_]+([./][A-Za-z0-9_-]+)+")
_SET_BY_THE_LAB = {
    "net.ipv4.ip_forward": "1",
    "net.ipv4.conf.all.forwarding": "1",
    "net.ipv4.conf.default.forwarding": "1",
    "net.ipv6.conf.all.forwarding": "1",
    "net.ipv6.conf.default.forwarding": "1",
    "net.ipv6.conf.all.disable_ipv6": "0",
    "net.ipv6.conf.default.disable_ipv6": "0",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "0",
    "net.ipv4.conf.all.arp_ignore": "0",
    "net.ipv6.conf.all.accept_ra": "0",
    "net.ipv6.conf.default.accept_ra": "0",
}
_MOVE_NO_ROUTE = re.compile(
    r"net\.ipv[46]\.fib_multipath_hash_\w+|net\.(core|unix)\..*|kernel\..*|fs\..*|net\.ipv4\.tcp_\w+"
)
FORWARDING_OFF = {"net.ipv4.ip_forward": "0", "net.ipv6.conf.all.forwarding": "0"}
"""Both of them: the container passes nothing on."""


@dataclass(frozen=True, slots=True)
class NodeLayers:
    """A node's layers, its own first."""

    parts: tuple[Part, ...]
    kind: Part | None

    def first(self, key: str) -> Part | None:
        return next((found for part in self.parts if (found := part.get(key)) is not None), None)

    def appended(self, key: str) -> tuple[Part, ...]:
        """Of a list: those of the layers below come first."""
        return tuple(item for part in reversed(self.parts) if key in part for item in part[key].items())

    def merged(self, key: str) -> dict[str, str]:
        """Of a mapping of texts: the upper layer's word counts."""
        found: dict[str, str] = {}
        for part in reversed(self.parts):
            if key in part:
                found |= part[key].texts()
        return found


@dataclass(frozen=True, slots=True)
class Layers:
    """What all nodes of a topology may inherit from; `folder`: the topology file's."""

    kinds: Mapping[str, Part]
    groups: Mapping[str, Part]
    defaults: Part | None
    folder: Path

    def of(self, node: Part) -> NodeLayers:
        """containerlab's own order: node, group, kind, defaults (types/topology.go)."""
        defaults = self.defaults
        named = node.get("group") or (None if defaults is None else defaults.get("group"))
        group = None if named is None else self.groups.get(named.text())
        upper = [layer for layer in (node, group) if layer is not None and layer.value is not None]
        kind = next((found for p in (*upper, defaults) if p is not None and (found := p.get("kind"))), None)
        below = [] if kind is None else [self.kinds.get(kind.text())]
        parts = [*upper, *(layer for layer in (*below, defaults) if layer is not None and layer.value is not None)]
        return NodeLayers(tuple(parts), kind)


def environment(layers: NodeLayers, folder: Path) -> Mapping[str, str]:
    """`env`, over the lines of the `env-files` (`KEY=value`, `#` begins a comment). Raises InputError."""
    found: dict[str, str] = {}
    for part in layers.appended("env-files"):
        found |= _env_file(part, folder / part.text())
    own = layers.merged("env")
    # It makes containerlab take over the caller's environment, of which a lab has nothing.
    own.pop("__IMPORT_ENVS", None)
    return {**found, **own}


def _env_file(part: Part, path: Path) -> Mapping[str, str]:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError as error:
        raise part.document.error(
            f"{part.name}: cannot read {part.text()!r}: {error.strerror}, expected a file of KEY=value lines",
            part.location,
        ) from None
    found = {}
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        key, equals, value = text.partition("=")
        if not equals or not _KEY.fullmatch(key.strip()):
            part.fail(f"a file of KEY=value lines; its line {number} is {text[:40]!r}")
        value = value.strip()
        found[key.strip()] = value[1:-1] if len(value) > 1 and value[0] == value[-1] in "'\"" else value
    return found


def sysctls(layers: NodeLayers, node: str) -> Mapping[str, str]:
    """The node's `sysctls`. Those that may move a route, and that the model does not know, are listed."""
    found: dict[str, str] = {}
    merged = layers.merged("sysctls")
    # Docker takes those of the network namespace; forwarding off in one family alone is more than the model knows.
    off = {name for name, value in FORWARDING_OFF.items() if merged.get(name) == value}
    for part in layers.parts:
        for name, value in part["sysctls"].entries() if "sysctls" in part else ():
            if not _SYSCTL.fullmatch(name) or ".." in name:
                value.fail("a sysctl's name with dots (net.ipv4.ip_forward)")
            dotted = name.replace("/", ".")
            if dotted in found:
                continue
            found[dotted] = value.scalar()
            effect: Literal["none", "possible"] = "possible"
            if dotted in off and len(off) == len(FORWARDING_OFF):
                continue
            why = ""
            if _SET_BY_THE_LAB.get(dotted) == found[dotted]:
                effect, why = "none", "it is so in every node of the lab"
            elif _MOVE_NO_ROUTE.fullmatch(dotted):
                effect, why = "none", "it moves no route"
            value.unmodelled.append(Unmodelled(value.source, node, value.source.text, effect, (node,), why))
    return found

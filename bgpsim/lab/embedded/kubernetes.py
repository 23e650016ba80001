"""Kubernetes nodes: GoBGP configured from Cilium's resources as Cilium's agent would (Cilium 1.12 to 1.15).

`pkg/bgpv1` of Cilium starts one GoBGP server per virtual router with listening off, gives it its peers and then the
node's pod CIDR as a path without attributes of its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bgpsim.agent.protocol import Agent
from bgpsim.errors import InputError, LabError
from bgpsim.inputs.files.kind import KindNode
from bgpsim.inputs.files.manifests import ManifestFile, PeeringPolicy, VirtualRouter
from bgpsim.lab.embedded.parallel import in_parallel
from bgpsim.network.types import Prefix

SOCKET = "/run/gobgp.sock"
LOG = "/run/gobgpd.log"
_FAMILIES = ("ipv4-unicast", "ipv6-unicast")


@dataclass(frozen=True, slots=True)
class NodeBgp:
    """What one node's GoBGP is given."""

    router: VirtualRouter
    router_id: str
    prefixes: tuple[Prefix, ...]
    rejects: bool
    """From Cilium 1.16 on everything received is refused on import."""

    def toml(self) -> str:
        """gobgpd's configuration file."""
        lines = [
            "[global.config]",
            f"  as = {self.router.local_asn}",
            f'  router-id = "{self.router_id}"',
            "  port = -1",
        ]
        if self.rejects:
            lines += [
                "[global.apply-policy.config]",
                '  import-policy-list = ["own-routes"]',
                '  default-import-policy = "reject-route"',
            ]
        for neighbor in self.router.neighbors:
            lines += [
                "[[neighbors]]",
                "  [neighbors.config]",
                f'    neighbor-address = "{neighbor.peer_address.network_address}"',
                f"    peer-as = {neighbor.peer_asn}",
                "  [neighbors.timers.config]",
                f"    connect-retry = {neighbor.connect_retry}",
                f"    hold-time = {neighbor.hold_time}",
                f"    keepalive-interval = {neighbor.keepalive}",
                # Cilium's constant; GoBGP's own default is 30.
                "    idle-hold-time-after-reset = 5",
                "  [neighbors.transport.config]",
                f"    remote-port = {neighbor.peer_port}",
            ]
            if neighbor.peer_asn != self.router.local_asn and neighbor.ebgp_multihop_ttl > 1:
                lines += [
                    "  [neighbors.ebgp-multihop.config]",
                    "    enabled = true",
                    f"    multihop-ttl = {neighbor.ebgp_multihop_ttl}",
                ]
            if neighbor.graceful_restart:
                lines += [
                    "  [neighbors.graceful-restart.config]",
                    "    enabled = true",
                    f"    restart-time = {neighbor.graceful_restart_time}",
                    "    notification-enabled = true",
                ]
            for family in _FAMILIES:
                lines += ["  [[neighbors.afi-safis]]", "    [neighbors.afi-safis.config]"]
                lines.append(f'      afi-safi-name = "{family}"')
                if neighbor.graceful_restart:
                    lines += ["    [neighbors.afi-safis.mp-graceful-restart.config]", "      enabled = true"]
        if self.rejects:
            # A default of reject-route alone refuses local routes too, in silence.
            lines += [
                "[[policy-definitions]]",
                '  name = "own-routes"',
                "  [[policy-definitions.statements]]",
                '    name = "own-routes"',
                "    [policy-definitions.statements.conditions.bgp-conditions]",
                '      route-type = "local"',
                "    [policy-definitions.statements.actions]",
                '      route-disposition = "accept-route"',
            ]
        return "\n".join(lines) + "\n"


def desired(
    applied: Sequence[ManifestFile],
    nodes: Sequence[KindNode],
    pod_cidrs: Mapping[str, tuple[Prefix, ...]],
    cilium: str,
) -> dict[str, NodeBgp]:
    """What each node should run, of what is applied. Two policies that match one node clear its sessions."""
    policies = {r.name: r for m in applied for r in m.resources if isinstance(r, PeeringPolicy)}
    result: dict[str, NodeBgp] = {}
    minor = tuple(int(part) for part in cilium.split(".")[:2])
    for node in nodes:
        selecting = [p for p in policies.values() if p.node_selector is None or p.node_selector.matches(node.labels)]
        if len(selecting) != 1:
            continue
        routers = selecting[0].virtual_routers
        if len(routers) > 1:
            raise InputError(
                f"policy {selecting[0].name}: found {len(routers)} virtual routers, expected one for a node",
                hint="bgpsim runs one GoBGP per node so far",
                file=routers[1].source.file,
                line=routers[1].source.line,
            )
        for router in routers:
            addresses = [str(ip) for ip in node.node_ips if ip.version == 4]
            if not addresses:
                raise LabError(
                    f"node {node.name}: no IPv4 node-ip, so Cilium has no router ID",
                    file=node.source.file,
                    line=node.source.line,
                )
            prefixes = pod_cidrs[node.name] if router.export_pod_cidr else ()
            result[node.name] = NodeBgp(router, addresses[0], tuple(prefixes), rejects=minor >= (1, 16))
    return result


class ClusterBgp:
    """The GoBGP processes of a cluster's nodes."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._running: dict[str, NodeBgp] = {}

    @property
    def running(self) -> Mapping[str, NodeBgp]:
        return dict(self._running)

    def become(self, wanted: Mapping[str, NodeBgp]) -> None:
        """Start, stop and restart until every node runs what is wanted; all nodes at once."""
        ports = {neighbor.peer_port for of in wanted.values() for neighbor in of.router.neighbors}
        self._agent.call("bgp_capture.ports", ports=sorted(ports))
        changed = [name for name in sorted({*self._running, *wanted}) if self._running.get(name) != wanted.get(name)]
        in_parallel(lambda name: self._change(name, wanted.get(name)), changed)

    def forget(self, node: str) -> None:
        """It was taken away, and runs nothing any more."""
        self._running.pop(node, None)

    def set_neighbor(self, node: str, neighbor: str, *, enabled: bool) -> None:
        """Returns when gobgpd says so; it has said goodbye to the neighbor then."""
        self._gobgp(node, "neighbor", neighbor, "enable" if enabled else "disable")
        deadline = time.monotonic() + 20.0
        while time.monotonic() < deadline:
            listed = json.loads(self._gobgp(node, "-j", "neighbor") or "[]") or []
            down = {n["state"]["neighbor_address"]: bool(n["state"].get("admin_state")) for n in listed}
            if down.get(neighbor) != enabled:
                return
        raise LabError(f"{node}: gobgpd did not {'enable' if enabled else 'disable'} its neighbor {neighbor}")

    def _change(self, node: str, wanted: NodeBgp | None) -> None:
        if node in self._running:
            self._agent.call("daemons.stop", device=node, name="gobgpd")
            del self._running[node]
        if wanted is None:
            return
        self._agent.call("nodes.write", device=node, path="/run/gobgpd.toml", text=wanted.toml())
        argv = ["gobgpd", "-p", "--pprof-disable", "-f", "/run/gobgpd.toml", "--api-hosts", f"unix://{SOCKET}"]
        self._agent.call("daemons.start", device=node, name="gobgpd", argv=argv, log=LOG)
        self._agent.call("daemons.await_socket", device=node, name="gobgpd", path=SOCKET)
        self._await_neighbors(node, wanted)
        for prefix in wanted.prefixes:
            family = "ipv4" if prefix.version == 4 else "ipv6"
            self._gobgp(node, "global", "rib", "add", str(prefix), "origin", "igp", "-a", family)
        self._running[node] = wanted

    def _await_neighbors(self, node: str, wanted: NodeBgp) -> None:
        """gobgpd reads its file after its API is up: the peers are there when it lists them."""
        deadline = time.monotonic() + 20.0
        while time.monotonic() < deadline:
            listed = json.loads(self._gobgp(node, "-j", "neighbor") or "[]") or []
            if len(listed) >= len(wanted.router.neighbors):
                return
        raise LabError(f"{node}: gobgpd did not take its neighbors")

    def _gobgp(self, node: str, *argv: str) -> str:
        command = ["gobgp", "--target", f"unix://{SOCKET}", *argv]
        done = self._agent.call("nodes.run", device=node, command=command)
        if done["exit_code"]:
            raise LabError(f"{node}: {' '.join(argv)}: {done['output'].strip()[-200:]}")
        output: str = done["output"]
        return output

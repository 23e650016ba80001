"""Nodes without power, seen from outside: which containers go with a device, and what runs again when it is back."""

from __future__ import annotations

from bgpsim.agent.protocol import Agent
from bgpsim.errors import LabError
from bgpsim.lab.embedded.plan import BuildPlan, Cable, Container


class Outages:
    """The devices that are away. What a device runs is its lab's affair."""

    def __init__(self, plan: BuildPlan) -> None:
        self._plan = plan
        self._away: dict[str, tuple[str, ...]] = {}

    @property
    def away(self) -> frozenset[str]:
        """Devices and the pods on them."""
        return frozenset(name for members in self._away.values() for name in members)

    def members(self, device: str) -> tuple[Container, ...]:
        """The device, the containers in its network namespace and its pods, in the order in which they are made."""
        mine = [c for c in self._plan.containers if c.name == device]
        sidecars = [c for c in self._plan.containers if c.shares == device]
        pods = [c for c in self._plan.containers if c.role == "pod" and c.name.rpartition("@")[2] == device]
        return (*mine, *sidecars, *pods)

    def off(self, agent: Agent, device: str) -> None:
        members = self.members(device)
        if device in self._away or not members:
            raise LabError(f"{device} is not there")
        self._away[device] = tuple(c.name for c in members)
        agent.call("power.off", device=device, others=[c.name for c in members[1:]])

    def on(self, agent: Agent, device: str, nodes: list[dict[str, object]]) -> None:
        """`nodes`: `members`, as `nodes.create` takes them."""
        if device not in self._away:
            raise LabError(f"{device} is there already")
        names = set(self._away[device])
        cables = [c for c in self._plan.cables if names & {c.a, c.b}]
        made = agent.call("power.on", nodes=nodes, links=[as_link(cable) for cable in cables])
        settings = {name: list(self._plan.settings.get(name, ())) for name in sorted(names)}
        for link in made:
            for name, interface in ((link["a"], link["a_interface"]), (link["b"], link["b_interface"])):
                if name not in names:
                    settings[name] = self._lines_of(name, interface)
        agent.call("nodes.batch", commands=settings)
        del self._away[device]

    def _lines_of(self, device: str, interface: str) -> list[str]:
        """The settings of one interface at the far end of a link that was made anew."""
        return [line for line in self._plan.settings.get(device, ()) if interface in line.split()]


def as_link(cable: Cable) -> dict[str, object]:
    """As `nodes.wire` takes it."""
    return {
        "a": cable.a,
        "a_interface": cable.a_interface,
        "b": cable.b,
        "b_interface": cable.b_interface,
        "mtu": cable.mtu,
    }

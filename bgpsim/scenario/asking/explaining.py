"""What `bgpsim explain` is asked, as typed -> explanations of one step's state, or an error with the near names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path

from bgpsim.check.explain import RouteReason, explain_route
from bgpsim.check.explain_way import PairReason, explain_pair
from bgpsim.check.lookup import Wanted, covers
from bgpsim.errors import InputError
from bgpsim.model import predict
from bgpsim.network.description import Network
from bgpsim.network.state import FlowKey, NetworkState
from bgpsim.network.types import Prefix
from bgpsim.scenario.asking.comparands import picked_step
from bgpsim.scenario.reading.endpoints import Endpoints
from bgpsim.scenario.reading.loading import load, up_to
from bgpsim.scenario.reading.names import Names, hint
from bgpsim.scenario.schema import NamedPrefix
from bgpsim.source import Source

NOWHERE = Source("", 0)
"""Of what was typed on the command line."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One step's state, to be asked. `network` is None for a report, which has endpoints by their ids alone."""

    scenario: str
    step: str
    state: NetworkState
    observed: NetworkState | None = None
    network: Network | None = None

    def route(self, device: str, text: str) -> RouteReason:
        """Raises InputError for a device or a prefix that is not there."""
        devices = {key.device for key in self.state.paths} | {key.device for key in self.state.fib}
        if device not in devices:
            raise InputError(
                f"--at: '{device}' is no device with a routing table in this lab; expected a router, node or host",
                hint=hint(device, devices, "devices"),
            )
        return explain_route(self.state, device, self._wanted(text), self.observed)

    def pairs(self, sender: str, target: str) -> tuple[PairReason, ...]:
        """Raises InputError for an end that is not there."""
        flows = self.flows(sender, target)
        return tuple(explain_pair(self.state, flow, self.observed) for flow in flows)

    def flows(self, sender: str, target: str) -> tuple[FlowKey, ...]:
        if self.network is not None:
            return _typed(self.network, sender, target)
        senders, targets = ({getattr(f, end) for f in self.state.forwarding} for end in ("source", "target"))
        for option, text, known in (("--from", sender, senders), ("--to", target, targets)):
            if not any(_named(text, name) for name in known):
                raise InputError(
                    f"{option}: '{text}' is no endpoint of this report; expected one whose packets it follows",
                    hint=hint(text, known, "endpoints"),
                )
        found = [f for f in sorted(self.state.forwarding) if _named(sender, f.source) and _named(target, f.target)]
        if not found:
            raise InputError(f"this report does not follow packets from '{sender}' to '{target}'")
        return tuple(found)

    def _wanted(self, text: str) -> Wanted:
        """An address, a prefix of some table, or a name of one."""
        try:
            return ip_address(text)
        except ValueError:
            pass
        known = _prefixes(self.state)
        try:
            prefix: Prefix = ip_network(text)
        except ValueError:
            if self.network is None or "." not in text or "/" in text:
                raise InputError(
                    f"--at: '{text}' is neither an address nor a prefix; expected 10.1.3.2 or 10.1.3.0/24, say",
                    hint=hint(text, map(str, known), "prefixes"),
                ) from None
            prefix = _named_prefix(self.network, text)
        if prefix in known:
            return prefix
        cover = [str(p) for p in sorted(known, key=lambda p: -p.prefixlen) if p.prefixlen and covers(p, prefix)]
        near = f"it lies in {cover[0]}; an address of it may be asked for too" if cover else None
        raise InputError(
            f"--at: {prefix} is in no table of this lab at this step; expected a prefix that is, or an address",
            hint=near or hint(str(prefix), map(str, known), "prefixes"),
        )


def subject(text: str, step: str | None, sender: str | None, target: str | None) -> Subject:
    """Of a scenario file or a report (`report.json#SCENARIO/STEP`); the last step where none is named."""
    name, _, pick = (text, "", "") if Path(text).exists() else text.partition("#")
    pick = pick or step or ""
    path = Path(name)
    if path.suffix == ".json" or path.is_dir():
        run, found = picked_step(name, path, pick or None)
        if found.predicted is None:
            raise InputError(f"{name}: step '{found.name}' has no predicted state; expected one that was predicted")
        return Subject(run.scenario, found.name, found.predicted, found.observed)
    scenario = load(path, name)
    if pick:
        scenario = up_to(scenario, pick.removeprefix(f"{scenario.name}/"))
    last = scenario.steps[-1]
    flows: Sequence[FlowKey] = ()
    if sender is not None and target is not None:
        flows = _typed(last.network, sender, target)
    before: NetworkState | None = None
    for each in scenario.steps:
        wanted = {*each.flows, *flows} if each is last else each.flows
        before = predict(each.network, before, tuple(sorted(wanted))).state
    assert before is not None
    return Subject(scenario.name, last.name, before, None, last.network)


def _typed(network: Network, sender: str, target: str) -> tuple[FlowKey, ...]:
    try:
        return Endpoints(network).one_way(sender, target, NOWHERE)
    except InputError as error:
        raise InputError(error.message, hint=error.hint) from None


def _named_prefix(network: Network, text: str) -> Prefix:
    try:
        return Names(network).prefix(NamedPrefix(of=text), NOWHERE)
    except InputError as error:
        raise InputError(f"--at: {error.message}", hint=error.hint) from None


def _named(text: str, endpoint: str) -> bool:
    """`worker` and `netshoot@worker` stand for `pod:default/netshoot@worker`."""
    return text in ("*", endpoint) or endpoint.endswith((f"/{text}", f"@{text}", f":{text}"))


def _prefixes(state: NetworkState) -> set[Prefix]:
    tables = {key.prefix for key in state.paths} | {key.prefix for key in state.fib}
    return tables | {key.prefix for key in state.wire}

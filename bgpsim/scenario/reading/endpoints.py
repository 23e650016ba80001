"""Senders and targets as scenario files name them -> the flows that the path plane follows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bgpsim.network.description import Endpoint, Network
from bgpsim.network.state import FlowKey
from bgpsim.scenario.reading.names import Names, hint, problem
from bgpsim.source import Source

FORMS = "expected pod:namespace/workload@node, host:NAME, node:NAME, label:key=value, * or address:ADDRESS"


def senders(network: Network) -> tuple[Endpoint, ...]:
    """What probes can be sent from: pods and hosts that are there. In this order flows are listed everywhere."""
    return tuple(sorted((e for e in network.endpoints if _can_send(e) and not e.away), key=lambda e: e.id))


def _can_send(endpoint: Endpoint) -> bool:
    return endpoint.id.partition(":")[0] in ("pod", "host")


def all_pairs(network: Network) -> tuple[FlowKey, ...]:
    """From every sender to every other and to those that are away, in every family that both have."""
    targets = [e for e in network.endpoints if _can_send(e)]
    return tuple(sorted(flow for a in senders(network) for b in targets for flow in _flows(a, b)))


def _flows(sender: Endpoint, target: Endpoint) -> Iterable[FlowKey]:
    if sender.id == target.id:
        return
    for mine in sender.addresses:
        # One address per family: an endpoint's first is the one that a name stands for.
        other = next((address for address in target.addresses if address.version == mine.version), None)
        if other is not None and mine == next(a for a in sender.addresses if a.version == mine.version):
            yield FlowKey(sender.id, target.id, str(mine), str(other))


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Endpoint names of one network; errors point to the given source."""

    network: Network

    def one_way(self, sender: str, target: str, source: Source) -> tuple[FlowKey, ...]:
        """All flows from each sender to each target, itself left out. Raises InputError where there is none."""
        found = {
            flow
            for a in self._named(sender, source, sending=True)
            for b in self._named(target, source, sending=False)
            for flow in _flows(a, b)
        }
        if not found:
            raise problem(source, f"from '{sender}' to '{target}' there is no pair with an address family in common")
        return tuple(sorted(found))

    def both_ways(self, sender: str, target: str, source: Source) -> tuple[FlowKey, ...]:
        """As `one_way`, and back; both ends must be able to send."""
        for end in self._named(target, source, sending=False):
            if end.away or not _can_send(end):
                raise problem(
                    source,
                    f"'{target}' cannot answer: reach holds only if both directions deliver; expected a pod or host",
                    "for one direction write disposition: [{from: …, to: …, is: delivered}]",
                )
        forth = self.one_way(sender, target, source)
        back = (FlowKey(f.target, f.source, f.target_address, f.source_address) for f in forth)
        return tuple(sorted({*forth, *back}))

    def _named(self, text: str, source: Source, *, sending: bool) -> tuple[Endpoint, ...]:
        able = [e for e in self.network.endpoints if _can_send(e) and not (sending and e.away)]
        known = able if sending else list(self.network.endpoints)
        scheme, colon, rest = text.partition(":")
        if text == "*":
            if not able:
                raise problem(source, "'*' matches nothing: there is no pod or host in this lab at this step")
            return tuple(able)
        if not colon:
            return (self._bare(text, known, source),)
        if scheme == "label":
            key, equals, value = rest.partition("=")
            if not equals or not key:
                raise problem(source, f"'{text}' is no label; expected label:key=value")
            labels = {f"label:{k}={v}" for e in able for k, v in e.labels.items()}
            chosen = [e for e in able if e.labels.get(key) == value]
            if not chosen:
                raise problem(source, f"no pod or host has {text}", hint(text, labels, "labels"))
            return tuple(chosen)
        if scheme == "address":
            if sending:
                raise problem(source, f"'{text}' cannot send; expected a pod or host as the sender")
            address = Names(self.network).address(rest, source)
            return (Endpoint(id=f"address:{address}", device="", addresses=(address,)),)
        exact = [e for e in known if e.id == text]
        if exact:
            return tuple(exact)
        if scheme not in ("pod", "host", "node"):
            raise problem(source, f"'{text}' is no endpoint; {FORMS}")
        if any(e.id == text and e.away for e in self.network.endpoints):
            raise problem(source, f"'{text}' is down here (node-down); expected one that can send")
        if any(e.id == text for e in self.network.endpoints):
            raise problem(source, f"'{text}' cannot send; expected a pod or host as the sender")
        raise problem(
            source, f"no endpoint '{text}' in this lab at this step", hint(text, (e.id for e in known), "endpoints")
        )

    def _bare(self, word: str, known: list[Endpoint], source: Source) -> Endpoint:
        chosen = [e for e in known if word in _words(e)]
        if len(chosen) == 1:
            return chosen[0]
        if not chosen:
            words = {w for e in known for w in _words(e)}
            raise problem(source, f"'{word}' is no endpoint; {FORMS}", hint(word, words, "endpoints"))
        listed = ", ".join(sorted(e.id for e in chosen))
        raise problem(source, f"'{word}' is not unique; expected one of {listed}")


def _words(endpoint: Endpoint) -> frozenset[str]:
    """`pod:default/netshoot@worker` answers to default/netshoot@worker, netshoot@worker, netshoot and worker."""
    _, _, rest = endpoint.id.partition(":")
    workload, _, node = rest.partition("@")
    parts = {endpoint.id, rest, rest.rpartition("/")[2], workload.rpartition("/")[2]}
    return frozenset(parts | ({node} if node else set()))

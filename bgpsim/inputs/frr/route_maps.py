"""`route-map NAME permit|deny SEQ` and the lines of its block."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bgpsim.inputs.frr import policy_values, values
from bgpsim.inputs.frr.values import Refused, Unknown
from bgpsim.network.policies import Action, MapEntry, Match, MatchKind, RouteMap, Set, SetKind, Version
from bgpsim.source import Source

_TOP = 2**32 - 1
ZEBRA_ALONE = "zebra's route-maps have it, and BGP's take no notice of the line"


@dataclass
class _Entry:
    action: Action
    source: Source
    matches: dict[str, Match] = field(default_factory=dict)
    """By command: another line of the same command takes the place of the one before, at the end."""
    sets: dict[str, Set] = field(default_factory=dict)
    call: str | None = None
    on_match: Literal["next"] | int | None = None


class RouteMaps:
    """One router's while its lines are read. Methods raise Refused and Unknown as the reader's do."""

    def __init__(self) -> None:
        self._maps: dict[str, dict[int, _Entry]] = {}
        self._here: tuple[str, int] | None = None

    def built(self) -> dict[str, RouteMap]:
        return {
            name: tuple(
                MapEntry(seq, e.action, tuple(e.matches.values()), tuple(e.sets.values()), e.call, e.on_match, e.source)
                for seq, e in sorted(entries.items())
            )
            for name, entries in self._maps.items()
        }

    def enter(self, words: list[str], negated: bool, source: Source) -> bool:
        """`route-map …` itself; True where a block begins."""
        match words:
            case [_, "optimization"]:
                return False
            case [name] if negated:
                if self._maps.pop(name, None) is None:
                    raise Unknown(f"there is no route-map {name} at this line")
            case [name, action, number] if negated:
                seq = values.number(number, 1, 65535)
                if self._maps.get(name, {}).pop(seq, None) is None or policy_values.action(action) is None:
                    raise Unknown(f"there is no such entry of route-map {name} at this line")
                if not self._maps[name]:
                    del self._maps[name]
            case [name, action, number]:
                act, seq = policy_values.action(action), values.number(number, 1, 65535)
                entries = self._maps.setdefault(name, {})
                if seq in entries:
                    entries[seq].action, entries[seq].source = act, source
                else:
                    entries[seq] = _Entry(act, source)
                self._here = (name, seq)
                return True
            case _:
                raise Refused("expected `route-map NAME permit|deny SEQUENCE`")
        return False

    def statement(self, words: list[str], negated: bool, source: Source) -> bool:
        """A line of the block; False: not one of its own."""
        assert self._here is not None
        name, seq = self._here
        entry = self._maps.get(name, {}).get(seq)
        if entry is None or words[0] not in ("match", "set", "call", "on-match", "continue", "description"):
            return False
        match words:
            case ["description", *_]:
                pass
            case ["call", *_] if negated:
                entry.call = None
            case ["call", other]:
                entry.call = other
            case ["on-match" | "continue", *_] if negated:
                entry.on_match = None
            case ["on-match", "next"]:
                entry.on_match = "next"
            case ["on-match", "goto", number] | ["continue", number]:
                target = values.number(number, 1, 65535)
                if target <= seq:
                    raise Refused(f"found {target}, expected a sequence number after {seq}")
                entry.on_match = target
            case ["match", *rest]:
                self._match(entry, rest, negated, source)
            case ["set", *rest]:
                self._set(entry, rest, negated, source)
            case _:
                raise Refused(f"found {' '.join(words)!r}, expected a line of a route-map")
        return True

    @staticmethod
    def _match(entry: _Entry, words: list[str], negated: bool, source: Source) -> None:
        if negated:
            _forget(entry.matches, " ".join(words))
            return
        found = _matched(words, source)
        command = f"{_word(found.version)}{found.kind}"
        entry.matches.pop(command, None)
        entry.matches[command] = found

    @staticmethod
    def _set(entry: _Entry, words: list[str], negated: bool, source: Source) -> None:
        if negated:
            _forget(entry.sets, " ".join(words))
            return
        found = _changed(words, source)
        command = found.kind
        # One command of bgpd's each (bgpd/bgp_routemap.c, route_set_ip_nexthop_cmd, …_aspath_prepend_cmd).
        for several in ("as-path prepend", "ip next-hop"):
            for there in [c for c in entry.sets if c.startswith(several) and command.startswith(several)]:
                del entry.sets[there]
        entry.sets.pop(command, None)
        entry.sets[command] = found


def _forget(lines: dict[str, Match] | dict[str, Set], text: str) -> None:
    """The longest command that the line begins with."""
    names = sorted((name for name in lines if f"{text} ".startswith(f"{name} ")), key=len)
    if not names:
        raise Unknown("there is no such line in the route-map")
    lines.pop(names[-1])


def _word(version: Version | None) -> str:
    return "" if version is None else "ip " if version == 4 else "ipv6 "


def _matched(words: list[str], source: Source) -> Match:
    match words:
        case [("ip" | "ipv6") as family, *rest]:
            return _of_family(4 if family == "ip" else 6, rest, source)
        case ["as-path", name]:
            return Match("as-path", name, source=source)
        case [("community" | "large-community") as kind, name]:
            return Match(_COMMUNITY[kind], name, source=source)
        case [("community" | "large-community") as kind, name, "exact-match"]:
            return Match(_COMMUNITY[kind], name, exact=True, source=source)
        case ["extcommunity", name]:
            return Match("extcommunity", name, source=source)
        case ["metric", number]:
            return Match("metric", number=values.number(number, 0, _TOP), source=source)
        case ["local-preference", number]:
            return Match("local-preference", number=values.number(number, 0, _TOP), source=source)
        case ["tag", number]:
            return Match("tag", number=values.number(number, 1, _TOP), source=source)
        case ["origin", ("igp" | "egp" | "incomplete") as origin]:
            return Match("origin", origin, source=source)
        case ["peer", name]:
            return Match("peer", values.spelled(name), source=source)
        case ["interface", name]:
            return Match("interface", name, source=source)
        case ["probability", number]:
            return Match("probability", number=values.number(number, 0, 100), source=source)
        case ["source-protocol" | "source-instance", *_]:
            raise Unknown(ZEBRA_ALONE)
    raise Unknown


_COMMUNITY: dict[str, MatchKind] = {"community": "community", "large-community": "large-community"}


def _of_family(version: Version, words: list[str], source: Source) -> Match:
    match words:
        case [("address" | "next-hop"), "prefix-len", _]:
            raise Unknown(ZEBRA_ALONE)
        case ["address", "prefix-list", name]:
            return Match("address prefix-list", name, version=version, source=source)
        case ["address", name]:
            return Match("address", name, version=version, source=source)
        case ["next-hop", "prefix-list", name]:
            return Match("next-hop prefix-list", name, version=version, source=source)
        case ["next-hop", "type", "blackhole"]:
            return Match("next-hop type blackhole", version=version, source=source)
        case ["next-hop", "address", text]:
            return Match("next-hop address", str(values.address(text)), version=version, source=source)
        case ["next-hop", name]:
            return Match("next-hop", name, version=version, source=source)
        case ["route-source", "prefix-list", name] if version == 4:
            return Match("route-source prefix-list", name, version=version, source=source)
        case ["route-source", name] if version == 4:
            return Match("route-source", name, version=version, source=source)
    raise Unknown


def _changed(words: list[str], source: Source) -> Set:
    match words:
        case ["as-path", "prepend", "last-as", number]:
            return Set("as-path prepend last-as", number=values.number(number, 1, 10), source=source)
        case ["as-path", ("prepend" | "exclude") as kind, *numbers] if numbers:
            known: SetKind = "as-path prepend" if kind == "prepend" else "as-path exclude"
            return Set(known, tuple(str(values.number(n, 1, _TOP)) for n in numbers), source=source)
        case ["as-path", "replace", number]:
            word = number if number == "any" else str(values.number(number, 1, _TOP))
            return Set("as-path replace", (word,), source=source)
        case ["comm-list", name, "delete"]:
            return Set("comm-list delete", (name,), source=source)
        case ["large-comm-list", name, "delete"]:
            return Set("large-comm-list delete", (name,), source=source)
        case ["community", "none"]:
            return Set("community", source=source)
        case ["community", *found] if found:
            listed = [word for word in found if word != "additive"]
            additive = "additive" in found
            return Set("community", policy_values.communities(listed), additive=additive, source=source)
        case ["large-community", "none"]:
            return Set("large-community", source=source)
        case ["large-community", *found] if found:
            listed = [word for word in found if word != "additive"]
            additive = "additive" in found
            return Set("large-community", policy_values.large_communities(listed), additive=additive, source=source)
        case ["extcommunity", "none"]:
            return Set("extcommunity none", source=source)
        case ["extcommunity", ("rt" | "soo") as kind, *found] if found:
            own: SetKind = "extcommunity rt" if kind == "rt" else "extcommunity soo"
            return Set(own, policy_values.extended_communities(found, kind), source=source)
        case ["local-preference", text]:
            return _adjustment("local-preference", text, source)
        case ["metric", text] if "rtt" not in text:
            return _adjustment("metric", text, source)
        case ["origin", ("igp" | "egp" | "incomplete") as origin]:
            return Set("origin", (origin,), source=source)
        case ["weight", number]:
            return Set("weight", number=values.number(number, 0, _TOP), source=source)
        case ["tag", number]:
            return Set("tag", number=values.number(number, 1, _TOP), source=source)
        case ["originator-id", text]:
            return Set("originator-id", (str(values.router_id(text)),), source=source)
        case ["aggregator", "as", number, text]:
            aggregator = f"{values.number(number, 1, _TOP)}:{values.router_id(text)}"
            return Set("aggregator", (aggregator,), source=source)
        case ["atomic-aggregate"]:
            return Set("atomic-aggregate", source=source)
        case [("ip" | "ipv6") as family, "next-hop", *rest]:
            return _next_hop(family, rest, source)
        case ["src", *_]:
            raise Unknown(ZEBRA_ALONE)
    raise Unknown


def _adjustment(kind: Literal["metric", "local-preference"], text: str, source: Source) -> Set:
    sign: Literal["", "+", "-"] = "+" if text[:1] == "+" else "-" if text[:1] == "-" else ""
    number = values.number(text.removeprefix(sign), 0, _TOP)
    if kind == "metric" and sign and not number:
        raise Refused(f"found {text!r}, expected a number that is not zero")
    return Set(kind, number=number, sign=sign, source=source)


def _next_hop(family: str, words: list[str], source: Source) -> Set:
    match words:
        case ["peer-address"]:
            return Set("ip next-hop peer-address" if family == "ip" else "ipv6 next-hop peer-address", source=source)
        case ["unchanged"] if family == "ip":
            return Set("ip next-hop unchanged", source=source)
        case ["prefer-global"] if family == "ipv6":
            return Set("ipv6 next-hop prefer-global", source=source)
        case [("global" | "local") as kind, text] if family == "ipv6":
            address = values.address(text)
            if address.version != 6:
                raise Refused(f"found {text!r}, expected an IPv6 address")
            known: SetKind = "ipv6 next-hop global" if kind == "global" else "ipv6 next-hop local"
            return Set(known, address=address, source=source)
        case [text] if family == "ip":
            address = values.address(text)
            if address.version != 4:
                raise Refused(f"found {text!r}, expected an IPv4 address")
            return Set("ip next-hop", address=address, source=source)
    raise Unknown

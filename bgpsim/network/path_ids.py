"""Path ids that a router hands out as paths come to it (RFC 7911 section 3 leaves them to the sender), counted anew.

They differ from run to run. Of what a router of FRR's has sent, the paths of one prefix are counted from 1 in the order
of their attributes, on the wire and in the table of the one who took them; a speaker's ids are as it was told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from bgpsim.network.grouped import Grouped
from bgpsim.network.state import NetworkState, SessionKey, in_order
from bgpsim.network.types import Prefix

State = TypeVar("State", bound=NetworkState)
Entry = TypeVar("Entry", bound=tuple[Any, ...])
Value = TypeVar("Value")


def counted(state: State, routers: Collection[str]) -> State:
    """`routers`: the devices whose ids mean nothing."""

    def sent_by_router(place: Any) -> bool:
        return place.direction == "sent" and place.device in routers

    def learnt_of_router(place: Any) -> bool:
        session = state.sessions.get(SessionKey(place.device, place.neighbor))
        return session is not None and session.peer in routers

    return replace(
        state,
        wire=_counted(state.wire, sent_by_router, in_order),
        paths=_counted(state.paths, learnt_of_router, lambda path: in_order(path.attributes)),
    )


def _counted(
    entries: Mapping[Entry, Value], opaque: Callable[[Any], bool], order: Callable[[Value], str]
) -> Mapping[Entry, Value]:
    tables: Mapping[Any, Mapping[Prefix, Value]] = Grouped.of(entries).tables
    several = sorted((place for place in tables if place[-1] and opaque(place)), key=str)
    if not several:
        return entries
    together: dict[Any, dict[Prefix, list[Value]]] = {}
    for place in several:
        of = together.setdefault(place._replace(path_id=0), {})
        for prefix, value in tables[place].items():
            of.setdefault(prefix, []).append(value)
    made = {place: dict(table) for place, table in tables.items() if place not in several}
    for place, of in together.items():
        for prefix, values in of.items():
            for number, value in enumerate(sorted(values, key=order), start=1):
                made.setdefault(place._replace(path_id=number), {})[prefix] = value
    return Grouped(made)

"""States as JSON and back: whatever a state can hold, by its dataclasses' own types."""

import json
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bgpsim.errors import InputError
from bgpsim.network.state import Attributes, BgpPath, NetworkState, PathKey
from bgpsim.network.state_json import decode, encode


def through_json(value: Any, hint: Any) -> Any:
    return decode(json.loads(json.dumps(encode(value, hint))), hint)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(st.from_type(NetworkState))
def test_every_state_comes_back_as_it_was(state: NetworkState) -> None:
    assert through_json(state, NetworkState) == state


def path(prefix: str, neighbor: str, **attributes: Any) -> tuple[PathKey, BgpPath]:
    key = PathKey("tor0", "ipv4-unicast", ip_network(prefix), neighbor)
    return key, BgpPath(Attributes("self", **attributes), True, True, False)


PATHS = dict(
    [
        path("10.1.0.0/24", "net0", as_path=(65000, frozenset({65001, 65002}))),
        path("10.2.0.0/24", "net0", communities=("65000:1", "no-export")),
        path("10.1.0.0/24", "local", med=0),
    ]
)


def test_equal_states_give_equal_bytes_whatever_order_they_were_made_in() -> None:
    one, other = NetworkState(paths=PATHS), NetworkState(paths=dict(reversed(PATHS.items())))
    assert json.dumps(encode(one, NetworkState)) == json.dumps(encode(other, NetworkState))


def test_what_stands_in_many_places_is_written_once() -> None:
    many = {key._replace(device=f"tor{n}"): value for n in range(50) for key, value in PATHS.items()}
    assert len(encode(NetworkState(paths=many), NetworkState)["values"]["Attributes"]) == len(PATHS)


@dataclass(frozen=True)
class Earlier:
    name: str


@dataclass(frozen=True)
class Later:
    name: str
    colour: str = "red"
    notes: tuple[str, ...] = field(default=())


Later.__name__ = Earlier.__name__


def test_a_field_that_an_older_writer_did_not_know_has_its_default() -> None:
    assert decode(encode(Earlier("a"), Earlier), Later) == Later("a")


def test_what_a_newer_one_wrote_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="colour, notes: written by a newer bgpsim"):
        decode(encode(Later("a", "blue"), Later), Earlier)


def test_what_is_no_such_document_is_refused() -> None:
    with pytest.raises(InputError, match="not a state"):
        decode({"fields": {}, "values": {}, "root": [1]}, NetworkState)

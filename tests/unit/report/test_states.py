"""states.json.gz: the same bytes in every run, and all that lasts of a state."""

import gzip
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from bgpsim.errors import InputError
from bgpsim.network.state import (
    Attributes,
    BgpPath,
    FlowKey,
    Forwarding,
    ForwardingPath,
    NetworkState,
    PathKey,
    Session,
    SessionKey,
)
from bgpsim.network.topology import Topology
from bgpsim.report.states import RunStates, StepStates, read, to_bytes
from bgpsim.source import Source

PREFIX = ip_network("10.99.0.0/24")
FLOW = FlowKey("pod:a", "pod:b", "10.1.1.2", "10.1.2.2")


def path(neighbor: str, reason: str | None) -> tuple[PathKey, BgpPath]:
    key = PathKey("tor0", "ipv4-unicast", PREFIX, neighbor)
    return key, BgpPath(Attributes("self"), True, reason is not None, False, reason=reason)


PREDICTED = NetworkState(
    sessions={SessionKey("tor0", "net0"): Session("Down", "ebgp", "router0", because="no carrier")},
    paths=dict([path("net0", "AS Path"), path("net1", None)]),
    forwarding={FLOW: Forwarding("delivered", (ForwardingPath((), "delivered", "b"),))},
)


def runs(observed: NetworkState) -> tuple[RunStates, ...]:
    return (RunStates("s", "s.yaml", (StepStates("one", PREDICTED, observed, Topology({"tor0": "router"})),)),)


def back(folder: Path, observed: NetworkState) -> NetworkState:
    (folder / "states.json.gz").write_bytes(to_bytes(runs(observed)))
    (run,) = read(folder / "states.json.gz", "states.json.gz")
    found = run.steps[0].observed
    assert found is not None
    return found


def test_what_lasts_comes_back(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(to_bytes(runs(PREDICTED)))
    assert read(tmp_path / "file", "file") == runs(PREDICTED)


def test_two_runs_give_the_same_bytes() -> None:
    def seen(word: str, via: str, traceroute: str) -> NetworkState:
        way = ForwardingPath((), "delivered", via)
        return replace(
            PREDICTED,
            sessions={SessionKey("tor0", "net0"): Session("Down", "ebgp", "router0", word=word)},
            forwarding={FLOW: Forwarding("delivered", (way,), complete=False, traceroute=traceroute)},  # type: ignore[arg-type]
        )

    one, other = (to_bytes(runs(seen(*of))) for of in (("Idle", "a", "agrees"), ("Active", "b", "silent")))
    assert one == other
    assert gzip.decompress(one).startswith(b'{"fields"')


def test_no_password_is_in_it(tmp_path: Path) -> None:
    line = Source("topo.yml", 48, "neighbor 10.0.1.2 password s3cret")
    down = Session("Down", "ebgp", "router0", because_sources=(line,))
    (end,) = back(tmp_path, replace(PREDICTED, sessions={SessionKey("tor0", "net0"): down})).sessions.values()
    assert end.because_sources == (line._replace(text="neighbor 10.0.1.2 password ***"),)


def test_a_way_that_was_walked_whole_is_kept(tmp_path: Path) -> None:
    assert back(tmp_path, PREDICTED).forwarding == PREDICTED.forwarding


def test_a_reason_is_kept_where_it_is_a_fact(tmp_path: Path) -> None:
    assert back(tmp_path, PREDICTED).paths == PREDICTED.paths
    three = replace(PREDICTED, paths={**PREDICTED.paths, **dict([path("net2", None)])})
    assert {p.reason for p in back(tmp_path, three).paths.values()} == {None}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no gzip", "found no states in it"),
        (gzip.compress(b"{"), "found no states in it"),
        (gzip.compress(b'{"schema": "bgpsim.states/9"}'), "expected 'bgpsim.states/1'"),
        (gzip.compress(b'{"schema": "bgpsim.states/1"}'), "not a state"),
    ],
    # Of their own: gzip writes the time into what it packs.
    ids=["no gzip", "no JSON", "another schema", "no states"],
)
def test_what_is_no_such_file_is_bad_input(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "states.json.gz").write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        read(tmp_path / "states.json.gz", "r/states.json.gz")
    assert caught.value.file == "r/states.json.gz"

"""What is left of a network without some of its pieces is still a network."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from networks import sketches

from bgpsim.fuzz.files import ROUTER_IMAGE, lab_files
from bgpsim.fuzz.generator import network
from bgpsim.fuzz.joined import read
from bgpsim.fuzz.shrinking import large_pieces, small_pieces, without
from bgpsim.fuzz.sketch import Sketch


@settings(max_examples=40, deadline=None)
@given(sketches(), st.data())
def test_nothing_that_is_left_names_what_is_gone(sketch: Sketch, data: st.DataObject) -> None:
    pieces = data.draw(st.lists(st.sampled_from(large_pieces(sketch) + small_pieces(sketch)), max_size=6))
    left = without(sketch, pieces)
    devices = {one.name for of in (left.routers, left.hosts, left.speakers) for one in of}
    assert {end[0] for link in left.links for end in link} <= devices
    assert {peer for speaker in left.speakers for peer in speaker.peers} <= devices
    for step in left.steps:
        for action in step.actions:
            assert action.device in devices
            if action.key in ("announce", "replace", "withdraw"):
                assert set(action.value["to"]) <= devices


def test_each_large_piece_takes_something_away() -> None:
    sketch = network(3, 4)
    for piece in large_pieces(sketch):
        assert lab_files(without(sketch, [piece])) != lab_files(sketch)


def test_without_its_changes_a_network_is_read() -> None:
    sketch = network(3, 4)
    left = without(sketch, [piece for piece in large_pieces(sketch) if piece[0] == "step"])
    with tempfile.TemporaryDirectory() as folder:
        assert len(read(left, Path(folder), ROUTER_IMAGE).scenario.steps) == 1

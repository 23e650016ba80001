"""The relay's schedule and frames, without any socket in the way of them."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterator

import pytest

from bgpsim.agent.relay import PACKET_AUXDATA, QUEUE, SO_TIMESTAMPNS, SOL_PACKET, Direction, whole

CHANCE = random.Random(7)
FRAME = b"\xff" * 6 + b"\x02" * 6 + b"\x88\xb5" + b"payload"


@pytest.fixture
def direction() -> Iterator[Direction]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Direction(ours, theirs)


def test_nothing_set_is_no_delay(direction: Direction) -> None:
    assert [direction.due(at, 100, CHANCE) for at in (1.0, 2.0)] == [1.0, 2.0]


def test_delay_is_counted_from_the_arrival_and_keeps_the_order(direction: Direction) -> None:
    direction.delay = 0.5
    assert direction.due(1.0, 100, CHANCE) == 1.5
    direction.delay = 0.1
    assert direction.due(1.1, 100, CHANCE) == 1.5
    assert direction.due(2.0, 100, CHANCE) == 2.1


def test_a_rate_takes_the_time_of_the_bits_after_the_delay_and_the_frame_before(direction: Direction) -> None:
    """As netem: max(arrival + delay, the one before) and 8 bits a byte."""
    direction.rate, direction.delay = 8000.0, 0.5
    assert direction.due(1.0, 1000, CHANCE) == 2.5
    assert direction.due(1.0, 1000, CHANCE) == 3.5
    assert direction.due(9.0, 1000, CHANCE) == 10.5


def test_jitter_lets_frames_overtake(direction: Direction) -> None:
    direction.delay, direction.jitter = 0.5, 0.4
    due = [direction.due(1.0, 100, CHANCE) for _ in range(500)]
    times = [one for one in due if one is not None]
    assert 1.1 <= min(times) < 1.15
    assert 1.85 < max(times) <= 1.9
    assert times != sorted(times)


def test_loss_takes_its_part_and_is_counted(direction: Direction) -> None:
    direction.loss = 0.25
    lost = sum(direction.due(1.0, 100, random.Random(seed)) is None for seed in range(2000))
    assert lost == direction.lost
    assert 440 < lost < 560
    direction.loss = 1.0
    assert direction.due(1.0, 100, CHANCE) is None


def test_a_full_queue_takes_no_more(direction: Direction) -> None:
    direction.waiting = QUEUE
    assert direction.due(1.0, 100, CHANCE) is None
    assert (direction.lost, direction.overflowed) == (0, 1)


def stamp(seconds: int, nanoseconds: int) -> tuple[int, int, bytes]:
    return socket.SOL_SOCKET, SO_TIMESTAMPNS, struct.pack("=qq", seconds, nanoseconds)


def auxdata(status: int, tag: int, protocol: int) -> tuple[int, int, bytes]:
    return SOL_PACKET, PACKET_AUXDATA, struct.pack("=IIIHHHH", status, 0, 0, 0, 0, tag, protocol)


def test_a_frame_has_its_tag_again_and_the_kernels_time() -> None:
    buffer = bytearray(FRAME + b"rest of an earlier one")
    assert whole(buffer, len(FRAME), [stamp(5, 500_000_000), auxdata(0, 0, 0)]) == (FRAME, 5.5)
    tagged, _ = whole(buffer, len(FRAME), [auxdata(0x50, 0x6005, 0x8100)])
    assert tagged == FRAME[:12] + b"\x81\x00\x60\x05" + FRAME[12:]
    service, _ = whole(buffer, len(FRAME), [auxdata(0x50, 7, 0x88A8)])
    assert service[12:16] == b"\x88\xa8\x00\x07"
    unnamed, _ = whole(buffer, len(FRAME), [auxdata(0x10, 7, 0)])
    assert unnamed[12:16] == b"\x81\x00\x00\x07"

"""A stream's packets as runs: pure bookkeeping, fed as the captures would feed it."""

from hypothesis import given
from hypothesis import strategies as st

from bgpsim.agent.stream import tally
from bgpsim.agent.stream.tally import Tally

WAY = (("h1", "net0", "out", 64), ("r1", "net0", "in", 64), ("r1", "net1", "out", 63), ("h2", "net0", "in", 63))


def send(book: Tally, slot: int, *, seen: int = len(WAY), received: int = 1, backwards: bool = False) -> None:
    """A packet of pair 0 on its way from h1 over r1 to h2, seen at the first so many places."""
    for place in reversed(WAY[:seen]) if backwards else WAY[:seen]:
        book.seen(0, slot, *place)
    for _ in range(received):
        book.received(0, slot)


def pair(book: Tally) -> dict[str, object]:
    return book.answer()["pairs"][0]


def test_packets_with_one_fate_and_way_are_one_run() -> None:
    book = Tally(["h1"])
    for slot in range(100):
        # Sockets are read one after the other, in whatever order.
        send(book, slot, backwards=slot % 2 == 1)
    book.look(60)
    book.look(100)
    assert pair(book) == {"runs": [[0, 99, True, False, 0]], "unseen": [], "unlisted": 0, "duplicates": 0, "late": 0}
    assert book.answer()["trails"] == [
        {"visits": [["h1", None, "net0"], ["r1", "net0", "net1"], ["h2", "net0", None]], "looped": False}
    ]


def test_a_loss_tells_where_the_packet_was_last() -> None:
    book = Tally(["h1"])
    send(book, 0)
    send(book, 1, seen=2, received=0)
    send(book, 2, seen=3, received=0)
    send(book, 3)
    book.look(4)
    answer = book.answer()
    assert [run[:3] for run in answer["pairs"][0]["runs"]] == [[0, 0, True], [1, 1, False], [2, 2, False], [3, 3, True]]
    last = [answer["trails"][run[4]]["visits"][-1] for run in answer["pairs"][0]["runs"]]
    assert last[1:3] == [["r1", "net0", None], ["r1", "net0", "net1"]]


def test_slots_of_which_nothing_was_seen_do_not_end_a_run() -> None:
    book = Tally(["h1"])
    for slot in (0, 1, 4, 5):
        send(book, slot)
    book.look(7)
    assert (pair(book)["runs"], pair(book)["unseen"]) == ([[0, 5, True, False, 0]], [[2, 3], [6, 6]])


def test_a_packet_that_comes_twice_and_one_that_comes_too_late() -> None:
    book = Tally(["h1"])
    send(book, 0, received=3)
    send(book, 1, received=0)
    book.look(2)
    send(book, 1)
    assert (pair(book)["duplicates"], pair(book)["late"]) == (2, 1)
    assert [run[2] for run in pair(book)["runs"]] == [True, False]  # type: ignore[attr-defined]


def test_a_loop_and_the_last_of_the_ttl() -> None:
    book = Tally(["h1"])
    book.seen(0, 0, "h1", "net0", "out", 64)
    for ttl in range(64, 1, -2):
        book.seen(0, 0, "r1", "net0" if ttl == 64 else "net1", "in", ttl)
        book.seen(0, 0, "r1", "net1", "out", ttl - 1)
        book.seen(0, 0, "r2", "net0", "in", ttl - 1)
        if ttl > 2:
            book.seen(0, 0, "r2", "net0", "out", ttl - 2)
    book.look(1)
    answer = book.answer()
    assert answer["pairs"][0]["runs"] == [[0, 0, False, True, 0]]
    assert answer["trails"][0]["looped"]


def test_complete_asks_for_all_that_was_sent() -> None:
    book = Tally(["h1"])
    for slot in (0, 2):
        send(book, slot)
    assert not book.complete(3, ())
    assert book.complete(3, {1})
    assert not book.complete(4, {1})


def test_memory_is_bounded_and_says_so() -> None:
    book = Tally(["h1"])
    for slot in range(2 * tally.MOST_RUNS + 10):
        send(book, slot, seen=4 if slot % 2 else 2, received=slot % 2)
    book.look(2 * tally.MOST_RUNS + 10)
    assert len(pair(book)["runs"]) == tally.MOST_RUNS  # type: ignore[arg-type]
    assert pair(book)["unlisted"] == tally.MOST_RUNS + 10


@given(st.lists(st.sampled_from(["arrives", "stops", "nothing"]), min_size=1, max_size=60), st.integers(0, 60))
def test_every_slot_is_in_one_place(fates: list[str], early: int) -> None:
    book = Tally(["h1"])
    for slot, fate in enumerate(fates):
        if fate != "nothing":
            send(book, slot, seen=4 if fate == "arrives" else 2, received=int(fate == "arrives"))
    book.look(min(early, len(fates)))
    book.look(len(fates))
    unseen = {slot for first, last in pair(book)["unseen"] for slot in range(first, last + 1)}  # type: ignore[attr-defined]
    told = {
        slot: received
        for first, last, received, _, _ in pair(book)["runs"]  # type: ignore[attr-defined]
        for slot in range(first, last + 1)
        if slot not in unseen
    }
    assert unseen == {slot for slot, fate in enumerate(fates) if fate == "nothing"}
    assert told == {slot: fate == "arrives" for slot, fate in enumerate(fates) if fate != "nothing"}

"""Running configurations -> which sessions never come up, and who may connect from a listen range."""

from __future__ import annotations

from bgpsim.observe.never_up import Said, read_running

A = """
router bgp 65001
 bgp disable-ebgp-connected-route-check
 neighbor G peer-group
 neighbor G remote-as external
 neighbor G password one two
 neighbor 10.0.0.2 peer-group G
 neighbor 10.0.0.3 remote-as 65003
 neighbor 10.0.0.3 passive
 neighbor net0 interface peer-group G
 neighbor net0 password three
 bgp listen range 10.1.0.0/16 peer-group G
"""
B = """
router bgp 65002
 neighbor 10.0.0.1 remote-as 65001
 neighbor 10.0.0.1 password one two
 neighbor 10.0.0.9 remote-as 65001
 neighbor 10.0.0.9 port 1790
 neighbor 10.0.0.8 remote-as 65001
"""
RUNNING = read_running({"a": A, "b": B})


def test_a_group_s_words_are_its_members_until_they_have_their_own() -> None:
    assert RUNNING.of["a", "10.0.0.2"] == Said("one two", anywhere=True)
    assert RUNNING.of["a", "net0"] == Said("three", anywhere=True)
    assert RUNNING.of["b", "10.0.0.8"] == Said()
    assert RUNNING.anywhere(("a", "10.0.0.3"))
    assert not RUNNING.anywhere(("b", "10.0.0.8"))


def test_passwords_must_be_equal() -> None:
    assert RUNNING.fits(("a", "10.0.0.2"), ("b", "10.0.0.1"))
    assert not RUNNING.fits(("a", "net0"), ("b", "10.0.0.1"))
    assert not RUNNING.fits(("a", "10.0.0.2"), ("b", "10.0.0.8"))


def test_one_end_has_to_dial() -> None:
    assert RUNNING.fits(("a", "10.0.0.3"), ("b", "10.0.0.8"))
    assert not RUNNING.fits(("a", "10.0.0.3"), ("b", "10.0.0.9"))
    assert RUNNING.fits(("a", "10.0.0.3"), ("c", "10.0.0.1"))


def test_who_may_connect_from_a_listen_range() -> None:
    assert RUNNING.caller("a", ("10.0.0.2", "10.1.0.2"), ("b", "10.0.0.1")) == "10.1.0.2"
    assert RUNNING.caller("a", ("10.0.0.2",), ("b", "10.0.0.1")) is None
    assert RUNNING.caller("a", ("10.1.0.2",), ("b", "10.0.0.8")) is None
    assert RUNNING.caller("b", ("10.1.0.2",), ("a", "10.0.0.2")) is None
    shut = read_running({"a": A + " neighbor G shutdown\n", "b": B})
    assert shut.caller("a", ("10.1.0.2",), ("b", "10.0.0.1")) is None

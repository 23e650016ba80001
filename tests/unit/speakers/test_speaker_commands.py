"""Lines and files for ExaBGP: the grammar of its version 5, written out by hand."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest

from bgpsim.errors import InputError
from bgpsim.inputs.files.speakers import Announcement, Attachment, SpeakerFile
from bgpsim.source import Source
from bgpsim.speakers.commands import announce_line, withdraw_line
from bgpsim.speakers.configuration import configuration_text, with_static_route

LINE = Source("scenario.yaml", 7)
PLAIN = Announcement("injector", "tor0", IPv4Network("10.99.0.1/32"), LINE)
LINK = Attachment("tor0", "x-injector", "tor0")
SPEAKER = SpeakerFile("injector", 65099, IPv4Address("192.0.2.1"), (LINK,), "drop", LINE)
RELAY = ("/usr/bin/python3", "-I", "/somewhere/api_process.py", "/run/exabgp/tor0.sock")


def test_the_shortest_announcement_leaves_the_as_path_to_exabgp() -> None:
    assert announce_line(PLAIN, LINK) == "neighbor fe80::1 announce route 10.99.0.1/32 next-hop fe80::2 origin igp"


def test_every_attribute() -> None:
    full = replace(
        PLAIN,
        as_path=(65099, 65010),
        origin="egp",
        med=50,
        communities=("65000:1", "no-export"),
        large_communities=("65000:1:2",),
        extended_communities=("target:65000:100",),
        next_hop=IPv4Address("10.0.0.9"),
    )
    assert announce_line(full, LINK) == (
        "neighbor fe80::1 announce route 10.99.0.1/32 next-hop 10.0.0.9 origin egp as-path [ 65099 65010 ] med 50 "
        "community [ 65000:1 65535:65281 ] large-community [ 65000:1:2 ] extended-community [ target:65000:100 ]"
    )


def test_an_empty_as_path_is_sent_empty_and_a_med_of_zero_is_sent() -> None:
    assert announce_line(replace(PLAIN, as_path=(), med=0), LINK).endswith("origin igp as-path [ ] med 0")


def test_well_known_communities_are_numbers_for_exabgp_does_not_know_all_names() -> None:
    """RFC 1997, 3765, 7999, 8326: 0xFFFF0000, …029A, …FF01 to …FF04."""
    names = ("graceful-shutdown", "blackhole", "no-export", "no-advertise", "local-AS", "no-peer")
    line = announce_line(replace(PLAIN, communities=names), LINK)
    assert line.endswith("community [ 65535:0 65535:666 65535:65281 65535:65282 65535:65283 65535:65284 ]")


def test_a_second_speaker_speaks_from_its_own_address() -> None:
    second = replace(LINK, speaker_address=IPv6Address("fe80::3"))
    assert announce_line(PLAIN, second) == "neighbor fe80::1 announce route 10.99.0.1/32 next-hop fe80::3 origin igp"
    assert withdraw_line(PLAIN, second) == "neighbor fe80::1 withdraw route 10.99.0.1/32 next-hop fe80::3"
    lines = [line.strip() for line in configuration_text(SPEAKER, second, 65010, RELAY).splitlines()]
    assert lines[lines.index("neighbor fe80::1 {") + 1] == "local-address fe80::3;"


def test_ipv6_has_its_own_words() -> None:
    six = replace(PLAIN, prefix=IPv6Network("2001:db8:99::/48"))
    assert (
        announce_line(six, LINK)
        == "neighbor fe80::1 announce ipv6 unicast 2001:db8:99::/48 next-hop fe80::2 origin igp"
    )
    assert withdraw_line(six, LINK) == "neighbor fe80::1 withdraw ipv6 unicast 2001:db8:99::/48 next-hop fe80::2"
    elsewhere = replace(six, next_hop=IPv6Address("2001:db8::9"))
    assert "next-hop 2001:db8::9" in announce_line(elsewhere, LINK)
    assert withdraw_line(PLAIN, LINK) == "neighbor fe80::1 withdraw route 10.99.0.1/32 next-hop fe80::2"


def test_an_ipv6_route_cannot_have_an_ipv4_next_hop() -> None:
    wrong = replace(PLAIN, prefix=IPv6Network("2001:db8:99::/48"), next_hop=IPv4Address("10.0.0.9"))
    with pytest.raises(InputError, match="expected an IPv6 address") as caught:
        announce_line(wrong, LINK)
    assert (caught.value.file, caught.value.line) == ("scenario.yaml", 7)


@pytest.mark.parametrize("word", ["65000:1 ] med 5", "a\nb", "", "[", "ünder:1", "x;y"])
def test_a_community_cannot_carry_another_command(word: str) -> None:
    for attribute in ("communities", "large_communities", "extended_communities"):
        with pytest.raises(InputError, match="expected one word"):
            announce_line(replace(PLAIN, **{attribute: (word,)}), LINK)


def test_the_configuration_file_leaves_no_trace_in_the_router() -> None:
    text = configuration_text(SPEAKER, SPEAKER.attachments[0], 65010, RELAY)
    lines = [line.strip() for line in text.splitlines()]
    # Link-local at both ends, bound to the link: no prefix that the router could redistribute.
    assert lines[lines.index("neighbor fe80::1 {") + 1 :][:2] == ["local-address fe80::2;", "source-interface tor0;"]
    for line in ("local-as 65099;", "peer-as 65010;", "router-id 192.0.2.1;", "nexthop enable;", "respawn false;"):
        assert line in lines
    # Without them ExaBGP would offer every family that it knows, and no IPv6 next hop for IPv4.
    assert lines[lines.index("family {") + 1 :][:3] == ["ipv4 unicast;", "ipv6 unicast;", "}"]
    assert "ipv4 unicast ipv6;" in lines
    assert f"run {' '.join(RELAY)};" in lines
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize("word", ["has space", "semi;colon", "brace{", ""])
def test_a_word_that_the_grammar_cannot_hold_is_refused(word: str) -> None:
    with pytest.raises(InputError, match="without spaces"):
        configuration_text(SPEAKER, SPEAKER.attachments[0], 65010, ("/usr/bin/python3", word))


def test_the_file_that_exabgp_is_asked_about_holds_the_refused_route() -> None:
    text = configuration_text(SPEAKER, SPEAKER.attachments[0], 65010, RELAY)
    asked = with_static_route(text, announce_line(replace(PLAIN, communities=("bogus",)), LINK))
    assert asked is not None
    lines = [line.strip() for line in asked.splitlines()]
    assert lines[-4:] == [
        "static {",
        "route 10.99.0.1/32 next-hop fe80::2 origin igp community [ bogus ];",
        "}",
        "}",
    ]
    assert asked.count("{") == asked.count("}")
    six = with_static_route(text, announce_line(replace(PLAIN, prefix=IPv6Network("2001:db8::/32")), LINK))
    assert six is not None
    assert "route 2001:db8::/32 next-hop fe80::2 origin igp;" in six
    assert with_static_route(text, withdraw_line(PLAIN, LINK)) is None

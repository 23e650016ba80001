"""Interface names of the speakers' links fit into 15 characters and are unique per device."""

from bgpsim.scenario.reading.attachments import speaker_files
from bgpsim.scenario.schema import SpeakerSection
from bgpsim.source import Source

HERE = Source("s.yaml", 1)


def test_names_are_plain_where_they_fit() -> None:
    (one,) = speaker_files({"injector": SpeakerSection(asn=65099, peers=["tor0", "tor1"])}, {"injector": HERE})
    assert [(a.router, a.router_interface, a.speaker_interface) for a in one.attachments] == [
        ("tor0", "x-injector", "tor0"),
        ("tor1", "x-injector", "tor1"),
    ]
    assert str(one.router_id) == "192.0.2.1"


def test_long_names_are_shortened_with_a_number_and_stay_unique() -> None:
    section = SpeakerSection(asn=1, peers=["datacentre-leaf-1", "datacentre-leaf-2"])
    names = ["a-very-long-speaker", "a-very-long-speaking"]
    first, second = speaker_files(dict.fromkeys(names, section), dict.fromkeys(names, HERE))
    on_router = [f.attachments[0].router_interface for f in (first, second)]
    on_speaker = [a.speaker_interface for a in first.attachments]
    assert on_router == ["x-a-very-long-1", "x-a-very-long-2"]
    assert on_speaker == ["datacentre-lea1", "datacentre-lea2"]
    assert all(len(name) <= 15 for name in on_router + on_speaker)
    assert (str(first.router_id), str(second.router_id)) == ("192.0.2.1", "192.0.2.2")


def test_the_speakers_of_one_router_have_addresses_of_their_own() -> None:
    """A router knows a neighbor by its address: fe80::2 for its first speaker, then fe80::3, fe80::4."""
    peers = {"a": ["tor0"], "b": ["tor1", "tor0"], "c": ["tor0", "tor1"]}
    sections = {name: SpeakerSection(asn=65099, peers=routers) for name, routers in peers.items()}
    made = speaker_files(sections, dict.fromkeys(peers, HERE))
    found = {(f.name, a.router): str(a.speaker_address) for f in made for a in f.attachments}
    assert found == {
        ("a", "tor0"): "fe80::2",
        ("b", "tor1"): "fe80::2",
        ("b", "tor0"): "fe80::3",
        ("c", "tor0"): "fe80::4",
        ("c", "tor1"): "fe80::3",
    }


def test_an_interface_of_the_topology_keeps_its_name() -> None:
    section = SpeakerSection(asn=65099, peers=["tor0"])
    (one,) = speaker_files({"injector": section}, {"injector": HERE}, [("tor0", "x-injector"), ("tor0", "net0")])
    (link,) = one.attachments
    assert (link.router_interface, str(link.speaker_address)) == ("x-injector1", "fe80::2")

"""What is typed at a prompt, and how it may go on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgpsim.errors import InputError
from bgpsim.watch.lines import Verb, completed, completions, read, read_pair

LAB = {
    "speakers": [{"name": "injector", "asn": 65099, "peers": ["tor0", "tor1"]}],
    "announced": [{"speaker": "injector", "to": "tor0", "prefix": "10.99.0.1/32"}],
    "links": [["router0:net0", "tor0:net0"], ["router0:net1", "tor1:net0"]],
    "down": ["tor1:net0"],
    "senders": ["pod:default/netshoot@worker", "pod:default/netshoot@worker3"],
    "targets": ["node:worker", "pod:default/netshoot@worker", "pod:default/netshoot@worker3"],
    "prefixes": ["tor0.lo", "worker3.pod-cidr"],
}
TWO = {**LAB, "speakers": [{"name": name, "asn": 1, "peers": ["tor0"]} for name in ("a", "b")]}


@pytest.mark.parametrize(
    ("verb", "line", "step"),
    [
        ("announce", "10.99.0.1/32", {"announce": [{"speaker": "injector", "prefix": "10.99.0.1/32"}]}),
        (
            "announce",
            "worker3.pod-cidr half low to tor0 tor1 as-path 65099 65001 med 5 community 65000:1 no-export",
            {
                "announce": [
                    {
                        "speaker": "injector",
                        "to": ["tor0", "tor1"],
                        "prefix": {"of": "worker3.pod-cidr", "half": "low"},
                        "as-path": [65099, 65001],
                        "med": 5,
                        "communities": ["65000:1", "no-export"],
                    }
                ]
            },
        ),
        ("withdraw", "all from tor0", {"withdraw": [{"speaker": "injector", "to": ["tor0"], "all": True}]}),
        ("withdraw", "2001:db8::/32 by x", {"withdraw": [{"speaker": "x", "prefix": "2001:db8::/32"}]}),
        ("cut", "tor1:net0", {"link-down": ["tor1:net0"]}),
        ("restore", " tor1:net0  tor0:net0 ", {"link-up": ["tor1:net0", "tor0:net0"]}),
    ],
)
def test_a_line_is_a_step(verb: Verb, line: str, step: dict[str, object]) -> None:
    assert read(verb, line, LAB).step == step


@pytest.mark.parametrize(
    ("verb", "line", "lab", "said"),
    [
        ("cut", " ", LAB, "found nothing; expected DEVICE:INTERFACE"),
        ("announce", "10.0.0.0/8 tor0", LAB, "found 'tor0'; expected PREFIX [to ROUTER"),
        ("announce", "10.0.0.0/8 to", LAB, "found nothing after 'to'"),
        ("announce", "10.0.0.0/8 to by injector", LAB, "found nothing after 'to'"),
        ("announce", "10.0.0.0/8 med 5 6", LAB, "found '6'"),
        ("announce", "10.0.0.0/8 med x", LAB, "med: found 'x'; expected a number"),
        ("announce", "10.0.0.0/8 half low", LAB, "expected a name as worker.pod-cidr"),
        ("announce", "10.0.0.0/8", TWO, "there are several speakers; expected by a or by b"),
        ("announce", "10.0.0.0/8", {}, "this lab has no speaker"),
    ],
)
def test_a_line_that_cannot_be_meant(verb: Verb, line: str, lab: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as error:
        read(verb, line, lab)
    assert said in error.value.message


def test_a_pair() -> None:
    assert read_pair("worker to worker3") == read_pair("worker worker3") == ("worker", "worker3")
    assert read_pair(" ") is None
    with pytest.raises(InputError, match="found 3 names; expected FROM TO"):
        read_pair("a b c")


@pytest.mark.parametrize(
    ("verb", "line", "offered"),
    [
        ("announce", "", ["tor0.lo", "worker3.pod-cidr"]),
        ("announce", "pod", ["worker3.pod-cidr"]),
        ("announce", "10.0.0.0/8 ", ["to", "by", "half", "as-path", "med", "community"]),
        ("announce", "10.0.0.0/8 to ", ["tor0", "tor1"]),
        ("announce", "10.0.0.0/8 to tor1 ", ["tor0", "by", "half", "as-path", "med", "community"]),
        ("announce", "10.0.0.0/8 by injector m", ["med", "community"]),
        ("withdraw", "", ["10.99.0.1/32", "all"]),
        ("cut", "", ["router0:net0", "tor0:net0", "router0:net1"]),
        ("cut", "router0:net0 r", ["router0:net1", "tor0:net0"]),
        ("restore", "", ["tor1:net0"]),
        ("pair", "pod:default/netshoot@worker ", LAB["targets"]),
    ],
)
def test_how_a_line_may_go_on(verb: Verb, line: str, offered: list[str]) -> None:
    assert completions(verb, line, LAB) == offered


@given(
    st.sampled_from(["announce", "withdraw", "cut", "restore", "pair"]),
    st.text(st.sampled_from("atobymed 10.:/-"), max_size=20),
)
def test_what_is_offered_ends_the_line(verb: Verb, line: str) -> None:
    for word in completions(verb, line, LAB):
        assert completed(line, word).split()[-1] == word
        assert completed(line, word).endswith(" ")

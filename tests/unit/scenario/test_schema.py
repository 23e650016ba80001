"""The scenario file's shape: every problem is told with its line, what was found and what was expected."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from bgpsim.errors import InputError
from bgpsim.scenario.reading.document import read
from bgpsim.scenario.schema import AnnounceEntry, scenario_schema

SHIPPED = Path(__file__).parents[3] / "scenarios" / "cilium-bgp"

HEAD = """\
name: x
lab: {topology: topo.yml}
steps:
  - name: one
"""


def errors(tmp_path: Path, text: str) -> list[tuple[int | None, str, str | None]]:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read(path, "s.yaml")
    assert caught.value.file == "s.yaml"
    assert caught.value.exit_code == 2
    return [(e.line, e.message, e.hint) for e in (caught.value, *caught.value.others)]


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("a: [1", 1, "not valid YAML", None),
        ("- a\n", 1, "the file: found a list; expected a mapping", None),
        ("name: x\nsteps: [{name: a}]\n", 1, "key 'lab' is missing", None),
        (HEAD + "    anounce: []\n", 5, "unknown key 'anounce' in steps[0]; expected one of name, apply", "announce"),
        (HEAD + "    exec: {tor1: 4}\n", 5, "steps[0].exec.tor1: found 4; expected a text", "in quotes"),
        (HEAD + "    exec: {tor1: [ls, 4]}\n", 5, "steps[0].exec.tor1[1]: found 4; expected a text", "in quotes"),
        (HEAD.replace("topo.yml", "t, clster: c"), 2, "unknown key 'clster' in lab", "cluster"),
        (HEAD.replace("topo.yml", "t, cilium: 1.14"), 2, "lab.cilium: found 1.14; expected one of 1.12", "in quotes"),
        (HEAD.replace("topo.yml", "t, ecmp: force"), 2, "found 'force'; expected one of as-is, forced", "forced"),
        (HEAD + "speakers:\n  i: {asn: 0, peers: [a]}\n", 6, "speakers.i.asn: found 0; expected a whole number", None),
        (HEAD + "speakers:\n  i: {asn: 4294967296, peers: [a]}\n", 6, "at most 4294967295", None),
        (HEAD + "speakers:\n  i: {asn: '65099', peers: [a]}\n", 6, "found '65099'; expected a whole number", None),
        (HEAD + "speakers:\n  i: {asn: 1, peers: []}\n", 6, "found an empty list; expected at least one entry", None),
        (
            HEAD + "    announce:\n      - speaker: i\n        prefix: 10.0.0.1/24\n",
            7,
            "'10.0.0.1/24' is not a prefix: 10.0.0.1/24 has host bits set",
            None,
        ),
        (HEAD + "    announce:\n      - {speaker: i, prefix: 10.0.0.0/33}\n", 6, "'10.0.0.0/33' is not a prefix", None),
        (
            HEAD + "    announce:\n      - speaker: i\n        prefix: {of: w.pod-cidr, haf: low}\n",
            7,
            "unknown key 'haf' in steps[0].announce[0].prefix; expected one of of, half, family",
            "half",
        ),
        (
            HEAD + "    announce:\n      - {speaker: i, prefix: 10.0.0.0/8, communities: ['1:70000']}\n",
            6,
            "'1:70000' is not a community; expected ASN:VALUE",
            None,
        ),
        *(
            (HEAD + f"    announce:\n      - {{speaker: i, prefix: 10.0.0.0/8, {words}}}\n", 6, message, hint)
            for words, message, hint in (
                ("communities: [no-exprt]", "'no-exprt' is not a community; expected ASN:VALUE", None),
                ("communities: ['1:2:3']", "'1:2:3' is not a community; expected ASN:VALUE, each 0 to 65535", None),
                ("communities: ['65000:']", "'65000:' is not a community", None),
                ("communities: ['-1:1']", "'-1:1' is not a community", None),
                ("communities: ['65535:1']", "'65535:1' is reserved (RFC 1997); expected another community", None),
                ("communities: ['0:0']", "'0:0' is reserved (RFC 1997)", None),
                ("communities: ['0x10']", "'0x10' is not a community", None),
                # 65000 * 60 + 1: YAML 1.1 has numbers in base 60.
                ("communities: [65000:1]", "communities[0]: found 3900001; expected a text", "in quotes: YAML takes"),
                ("communities: no-export", "found 'no-export'; expected a list", None),
                ("large-communities: ['1:2']", "'1:2' is not a large community; expected ASN:VALUE:VALUE", None),
                ("large-communities: ['1:2:4294967296']", "'1:2:4294967296' is not a large community", None),
                ("large-communities: ['1:b:3']", "each 0 to 4294967295 (RFC 8092)", None),
                ("large-communities: [no-export]", "'no-export' is not a large community", None),
                ("extended-communities: ['target:1']", "'target:1' is not an extended community", None),
                ("extended-communities: [no-export]", "'no-export' is not an extended community", None),
                ("local-preference: -1", "local-preference: found -1; expected a whole number, at least 0", None),
                ("originator-id: 9", "originator-id: found 9; expected a text", "write it in quotes"),
                ("cluster-list: [1.2.3]", "'1.2.3' is not a router ID; expected one written like 192.0.2.1", None),
                ("aggregator: '65000'", "'65000' is not an aggregator; expected ASN:ADDRESS", None),
                ("atomic-aggregate: 1", "atomic-aggregate: found 1; expected true or false", None),
                ("path-id: 0", "path-id: found 0; expected a whole number, at least 1", None),
                ("as-path: [65099, []]", "as-path[1]: found an empty list; expected at least one entry", None),
                ("as-path: [65099, [x]]", "as-path[1][0]: found 'x'; expected a whole number", None),
                ("attributes: [{code: 99}]", "key 'value' is missing in steps[0].announce[0].attributes[0]", None),
                ("attributes: [{code: 4, value: '0x01'}]", "found 4; expected the key `med` instead", None),
                ("attributes: [{code: 99, value: 0x01}]", "value: found 1; expected a text", "write it in quotes"),
                ("attributes: [{code: 99, flags: 0x40, value: '0x01'}]", "found 0x40; expected 0x80", None),
                ("attributes: [{code: 99, flag: 0x40, value: '0x01'}]", "unknown key 'flag'", "flags"),
                ("origin: ibgp", "found 'ibgp'; expected one of igp, egp, incomplete", "igp"),
                ("origin: IGP", "found 'IGP'; expected one of igp, egp, incomplete", None),
                ("as-path: [65099, 0]", "as-path[1]: found 0; expected a whole number, at least 1", None),
                ("as-path: [4294967296]", "as-path[0]: found 4294967296; expected a whole number, at most", None),
                ("as-path: [as65099]", "as-path[0]: found 'as65099'; expected a whole number", None),
                ("as-path: '65099 65010'", "as-path: found '65099 65010'; expected a list", None),
                ("med: -1", "med: found -1; expected a whole number, at least 0", None),
                ("med: 4294967296", "med: found 4294967296; expected a whole number, at most 4294967295", None),
                ("med: high", "med: found 'high'; expected a whole number", None),
                ("med: yes", "med: found true; expected a whole number", None),
                ("next-hop: self", "'self' is not an address; expected 10.0.0.1", None),
                ("next-hop: 10.0.0.0/24", "'10.0.0.0/24' is not an address", None),
                ("next-hop: 0.0.0.0", "'0.0.0.0' is no host's address", None),
                ("next-hop: 224.0.0.1", "'224.0.0.1' is no host's address", None),
                ("next-hop: 127.0.0.1", "'127.0.0.1' is no host's address", None),
                ("next-hop: 'fe80::1%eth0'", "'fe80::1%eth0' is no host's address", None),
            )
        ),
        *(
            (HEAD + f"    withdraw:\n      - speaker: i\n        prefix: {prefix}\n", 7, message, None)
            for prefix, message in (
                (
                    "10.99.0.1/24",
                    "'10.99.0.1/24' is not a prefix: 10.99.0.1/24 has host bits set; expected 10.99.0.0/24",
                ),
                ("10.99.0.0/33", "'10.99.0.0/33' is not a prefix"),
                ("10.99.0.0/-1", "expected 10.99.0.0/24 or 2001:db8::/48, say"),
                ("10.99.0/24", "'10.99.0/24' is not a prefix"),
                ("'2001:db8::1/64'", "has host bits set; expected 2001:db8::/64"),
                ("224.0.0.0/24", "'224.0.0.0/24' is multicast; expected a unicast prefix"),
                ("'fe80::/64'", "'fe80::/64' is link-local; expected a unicast prefix"),
                ("5", "prefix: found 5; expected a text"),
                ("{of: worker.pod-cidr, half: lower}", "found 'lower'; expected one of low, high"),
                ("{half: low}", "key 'of' is missing"),
            )
        ),
        *(
            (HEAD + f"speakers:\n  i:\n    asn: 1\n    peers: [a]\n    {words}\n", 9, message, hint)
            for words, message, hint in (
                ("traffic: anwser", "speakers.i.traffic: found 'anwser'; expected one of drop, answer", "answer"),
                ("add-path: send", "speakers.i.add-path: found 'send'; expected true or false", None),
                ("router-id: '1'", "speakers.i.router-id: '1' is not a router ID; expected one", None),
                ("router-id: 0.0.0.0", "expected another than 0.0.0.0", None),
                ("hold-time: 9", "unknown key 'hold-time' in speakers.i", None),
            )
        ),
        (HEAD + "speakers:\n  i: {asn: AS65099, peers: [a]}\n", 6, "found 'AS65099'; expected a whole number", None),
        (HEAD + "    withdraw:\n      - {speaker: i}\n", 6, "expected either `prefix:` or `all: true`", None),
        (
            HEAD + "    expect: {disposition: [{from: a, to: b, is: droped-by-speaker}]}\n",
            5,
            "found 'droped-by-speaker'; expected one of delivered",
            "dropped-by-speaker",
        ),
        (HEAD + "    expect: {reach: [{from: a}]}\n", 5, "key 'to' is missing in steps[0].expect.reach[0]", None),
        (HEAD + "    link_down: ['a:b']\n", 5, "unknown key 'link_down'", "link-down"),
    ],
)
def test_a_problem_names_its_line(tmp_path: Path, text: str, line: int, message: str, hint: str | None) -> None:
    found = errors(tmp_path, text)
    assert len(found) == 1
    assert found[0][0] == line
    assert message in found[0][1]
    if hint is not None:
        assert hint in (found[0][2] or "")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("65000:1", "65000:1"),
        ("065000:01", "65000:1"),
        ("NO_EXPORT", "no-export"),
        ("65535:65281", "no-export"),
        ("no_advertise", "no-advertise"),
        ("local-as", "local-AS"),
        ("no-export-subconfed", "local-AS"),
        ("65535:65283", "local-AS"),
        ("nopeer", "no-peer"),
        ("65535:666", "blackhole"),
        ("graceful-shutdown", "graceful-shutdown"),
        ("0:1", "0:1"),
    ],
)
def test_a_community_has_one_spelling_that_of_frr(written: str, shown: str) -> None:
    entry = AnnounceEntry.model_validate({"speaker": "i", "prefix": "10.0.0.0/8", "communities": [written]})
    assert entry.communities == [shown]


def test_a_large_community_has_one_spelling() -> None:
    entry = {"speaker": "i", "prefix": "10.0.0.0/8", "large-communities": ["4294967295:00:7"]}
    assert AnnounceEntry.model_validate(entry).large_communities == ["4294967295:0:7"]


def test_all_problems_are_told_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    found = errors(tmp_path, "nam: x\nlab: {topology: 3}\nsteps: []\n")
    assert [line for line, _, _ in found] == [1, 1, 2, 3]


def test_the_schema_is_valid_and_takes_the_shipped_scenarios() -> None:
    schema = scenario_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for path in ("baseline.yaml", "scenario.yaml", "drift.yaml"):
        jsonschema.validate(yaml.safe_load((SHIPPED / path).read_text()), schema)
        read(SHIPPED / path, path)


def test_an_unknown_key_is_refused_by_the_json_schema_too() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"name": "x", "lab": {"topology": "t"}, "steps": [{"nam": "a"}]}, scenario_schema())

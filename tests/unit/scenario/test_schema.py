"""The scenario file's shape: every problem is told with its line, what was found and what was expected."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from bgpsim.errors import InputError
from bgpsim.scenario.document import read
from bgpsim.scenario.schema import scenario_schema

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

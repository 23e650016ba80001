"""The registry of FRR statements, held against a real FRR: it accepts every example, and refuses every wrong value."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bgpsim.inputs.files.containerlab import load_topology
from bgpsim.inputs.files.lab_files import LabFiles, TypedLines
from bgpsim.inputs.frr.grammar.modes import COMPLETE, Mode
from bgpsim.inputs.frr.grammar.registry import Found, lookup, unheard_of
from bgpsim.inputs.frr.grammar.statement import PREAMBLES, Statement
from bgpsim.inputs.frr.grammar.syntax import Syntax, compiled
from bgpsim.inputs.frr.statements import STATEMENTS
from bgpsim.lab.embedded.lab import EmbeddedLab
from bgpsim.lab.embedded.vtysh import type_lines
from bgpsim.lab.images import default_store
from bgpsim.source import Source

pytestmark = pytest.mark.lab
VERSION = "8.4"
DAEMONS = "bgpd ospfd ospf6d ripd ripngd isisd eigrpd babeld bfdd fabricd ldpd".split()
NODE = f"""name: grammar
topology:
  nodes:
    r1:
      kind: linux
      image: frrouting/frr:v8.2.2
      exec:
        - ip link del eth0
        - touch /etc/frr/vtysh.conf
        - sed -i {" ".join(f"-e s/{name}=no/{name}=yes/" for name in DAEMONS)} /etc/frr/daemons
        - /usr/lib/frr/frrinit.sh start
  links: []
"""
OF_MODULES = ("fpm", "bmp")
"""Words of statements that a daemon takes only if a module is loaded, which is not so by default."""
PREPARED, CLEARED = "prepared", "cleared"
"""Lines that must be taken for the examples to say anything; lines that take away what may be there."""


def taken(line: str) -> str:
    return "refused" if any(word in line.split()[:2] for word in OF_MODULES) else "accepted"


def script(statement: Statement, line: str, about: str) -> list[Source]:
    """The line in its mode, with what it needs before it, on a router without BGP; and what undoes it."""
    mode = statement.modes[0]
    cleared = ("no router bgp 65000",) if mode != "config" or "bgp" in line else ()
    back = () if mode != "config" else ("end", "configure terminal")
    undone = () if line.startswith("no ") else (*back, f"no {line}")
    texts: list[tuple[str, tuple[str, ...]]] = [
        (PREPARED, ("end", "configure terminal")),
        (CLEARED, cleared),
        (PREPARED, (*PREAMBLES[mode], *statement.before)),
        (about, (line,)),
        (CLEARED, undone),
    ]
    return [Source(file, 0, text) for file, group in texts for text in group]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLab]:
    folder = tmp_path_factory.mktemp("grammar")
    (folder / "topo.yml").write_text(NODE)
    topology, _ = load_topology(folder / "topo.yml", "topo.yml")
    lab = EmbeddedLab(LabFiles(topology, None, ()), default_store())
    lab.bring_up(lambda _: None)
    yield lab
    lab.close()


WORD_OF = {"ipv4": "10.0.1.2", "ipv4-prefix": "10.0.0.0/8", "ipv6": "2001:db8::1", "ipv6-prefix": "2001:db8::/32"}


def walked(syntax: Syntax, long: bool) -> str:
    """A line of it: the shortest way through, or one that takes all that it may."""
    path: list[int] = []
    following = syntax.first
    while True:
        ahead = [p for p in following if p not in path]
        if not ahead or (not long and path and path[-1] in syntax.last):
            break
        path.append(ahead[-1 if long else 0])
        following = syntax.follow[path[-1]]
    tokens = [syntax.tokens[p] for p in path]
    return " ".join(str(t.high) if t.kind == "range" else WORD_OF.get(t.kind, t.text) for t in tokens)


@pytest.mark.parametrize("mode", sorted(COMPLETE))
def test_the_registry_knows_all_that_frr_has_there(lab: EmbeddedLab, mode: Mode) -> None:
    """What it does not know is then none of FRR's."""
    lines = " ".join(f"-c '{line}'" for line in ("conf t", *PREAMBLES[mode], "list"))
    printed = lab.execute("r1", f"vtysh {lines}").output
    commands = [line.strip() for line in printed.splitlines() if line.startswith("    ")]
    forms = [form for form in commands if form not in ("exit", "quit", "end", "no rd")]  # that one is a VRF's alone
    assert len(forms) > 100
    missing = []
    for form in forms:
        for line in {walked(compiled(form), long) for long in (False, True)}:
            found = lookup(mode, line)
            if not isinstance(found, Found) or found.mode != mode:
                missing.append((form, line))
    assert missing == []


def test_lines_of_configure_terminal_begin_with_no_other_words(lab: EmbeddedLab) -> None:
    printed = lab.execute("r1", "vtysh -c 'conf t' -c list").output
    lines = [line.strip().removeprefix("[no] ").removeprefix("no ") for line in printed.splitlines()]
    assert len(lines) > 500
    assert [line for line in lines if line and unheard_of("config", line)] == []


def test_every_statement_is_taken_and_every_wrong_value_refused(lab: EmbeddedLab) -> None:
    here = [s for s in STATEMENTS if VERSION in s.versions]
    elsewhere = [s for s in STATEMENTS if VERSION not in s.versions]
    lines = [x for s in here for line in s.examples for x in script(s, line, taken(line))]
    lines += [x for s in here for line in s.refused for x in script(s, line, "refused")]
    lines += [x for s in elsewhere for line in s.examples for x in script(s, line, "refused")]
    found = type_lines(lab.agent, TypedLines("r1", tuple(lines)))
    answers = [(r.source.file, r.line, r.answer) for r in found if r.source is not None]
    assert [a for a in answers if a[0] not in ("refused", CLEARED)] == []
    assert [line for file, line, _ in answers if file == "refused"] == [x.text for x in lines if x.file == "refused"]

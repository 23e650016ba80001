"""The registry of FRR statements, held against a real FRR: it accepts every example, and refuses every wrong value."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgpsim.inputs.files.containerlab import load_topology
from bgpsim.inputs.files.lab_files import LabFiles, TypedLines
from bgpsim.inputs.frr.grammar.statement import PREAMBLES, Statement
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
PREPARED, CLEARED = "prepared", "cleared"
"""Lines that must be taken for the examples to say anything; lines that take away what may be there."""


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


def test_every_statement_is_taken_and_every_wrong_value_refused(tmp_path: Path) -> None:
    (tmp_path / "topo.yml").write_text(NODE)
    topology, _ = load_topology(tmp_path / "topo.yml", "topo.yml")
    here = [s for s in STATEMENTS if VERSION in s.versions]
    elsewhere = [s for s in STATEMENTS if VERSION not in s.versions]
    lines = [x for s in here for line in s.examples for x in script(s, line, "accepted")]
    lines += [x for s in here for line in s.refused for x in script(s, line, "refused")]
    lines += [x for s in elsewhere for line in s.examples for x in script(s, line, "refused")]
    lab = EmbeddedLab(LabFiles(topology, None, ()), default_store())
    try:
        lab.bring_up(lambda _: None)
        assert lab.facts.exec_failures == ()
        found = type_lines(lab.agent, TypedLines("r1", tuple(lines)))
    finally:
        lab.close()
    answers = [(r.source.file, r.line, r.answer) for r in found if r.source is not None]
    assert [a for a in answers if a[0] not in ("refused", CLEARED)] == []
    assert [line for file, line, _ in answers if file == "refused"] == [x.text for x in lines if x.file == "refused"]

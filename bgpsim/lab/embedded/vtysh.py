"""Lines typed on a router: vtysh reads them as it would a person's, so that a refused one stops no other."""

from __future__ import annotations

import re

from bgpsim.agent.protocol import Agent
from bgpsim.errors import LabError
from bgpsim.inputs.files.lab_files import TypedLines
from bgpsim.lab.base import RejectedLine
from bgpsim.lab.embedded.refusals import REFUSED

_FILE = "/run/typed-lines"
_WIDTH = 20000
_PROMPT = re.compile(r"^\S+?(?:\([\w-]+\))?[#>] ?(?P<line>.*)$")
"""`tor0(config-router)# no neighbor 10.0.1.2`: vtysh shows what it reads behind its prompt."""
_REFUSAL = re.compile(rf"^({REFUSED}|.*[Uu]nknown command.*)$")


def type_lines(agent: Agent, typed: TypedLines) -> list[RejectedLine]:
    """In `configure terminal`; returns when each has been taken or refused. Raises LabError where vtysh fails."""
    device = typed.device
    text = "".join(f"{line}\n" for line in ("configure terminal", *(line.text for line in typed.lines)))
    agent.call("nodes.write", device=device, path=_FILE, text=text)
    # Its prompt would break a line that is longer than the screen is wide.
    command = ["sh", "-c", f"COLUMNS={_WIDTH} exec vtysh < {_FILE}"]
    done = agent.call("nodes.run", device=device, command=command)
    if done["exit_code"]:
        raise LabError(f"{device}: vtysh ended with {done['exit_code']}: {done['output'].strip()[-200:]}")
    return refused(typed, done["output"])


def refused(typed: TypedLines, output: str) -> list[RejectedLine]:
    """The lines that an answer stands behind, from what vtysh has printed."""
    found: list[RejectedLine] = []
    waiting = list(typed.lines)
    current = None
    for printed in output.splitlines():
        prompt = _PROMPT.match(printed)
        if prompt is not None and waiting and prompt["line"].strip() == waiting[0].text:
            current = waiting.pop(0)
        elif current is not None and _REFUSAL.match(printed):
            found.append(RejectedLine(typed.device, current.text, printed.strip(), current))
    if waiting:
        raise LabError(f"{typed.device}: vtysh did not take `{waiting[0].text}`", log=tuple(output.splitlines()[-12:]))
    return found

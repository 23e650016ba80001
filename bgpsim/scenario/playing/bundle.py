"""A failure bundle: everything that tells why a run went as it did, in one folder to hand on.

What the lab can still tell is gathered before it is closed; a lab that has ended tells less, and the bundle says so.
Passwords are masked.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from bgpsim.errors import LabError
from bgpsim.lab.base import Lab
from bgpsim.observe.bgp import FRR_COMMANDS
from bgpsim.observe.pcap import pcap_of
from bgpsim.report.canonical import to_json
from bgpsim.report.document import Report, RunPart
from bgpsim.report.markdown import render
from bgpsim.report.masking import masked
from bgpsim.scenario.timeline import Scenario

_CONFIGURATIONS = {
    "bgpd": "show running-config",
    "zebra": "show running-config",
    "staticd": "show running-config",
}


@dataclass(slots=True)
class Evidence:
    """What a lab told: path in the bundle -> what is in it."""

    files: dict[str, str | bytes] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    """What could not be had, and why."""


def gather(lab: Lab) -> Evidence:
    """Logs, configurations as they run, RIBs, FIBs, what speakers said and heard.

    Raises nothing: what a lab that broke answers may be cut short or no answer at all, and must not hide why it broke.
    """
    evidence = Evidence()
    for what, collect in _SOURCES.items():
        try:
            for path, text in collect(lab):
                evidence.files[path] = masked(text) if isinstance(text, str) else text
        except LabError as error:
            evidence.missing.append(f"{what}: {error.message}")
        except Exception as error:
            evidence.missing.append(f"{what}: {error}")
    return evidence


def _logs(lab: Lab) -> Iterator[tuple[str, str]]:
    yield "log/supervisor.txt", _lines(lab.log_lines())
    for name in lab.devices:
        yield f"log/{_plain(name)}.txt", _lines(lab.agent.call("nodes.log", device=name))


def _configurations(lab: Lab) -> Iterator[tuple[str, str]]:
    routers = sorted(name for name, device in lab.devices.items() if device.engine == "frr")
    for daemon, command in _CONFIGURATIONS.items():
        for name, answers in lab.agent.call("frr.show", devices=routers, commands=[command], daemon=daemon).items():
            yield f"configuration/{_plain(name)}-{daemon}.conf", "does not answer\n" if answers is None else answers[0]


def _ribs(lab: Lab) -> Iterator[tuple[str, str]]:
    routers = sorted(name for name, device in lab.devices.items() if device.engine == "frr")
    for name, answers in lab.agent.call("frr.show", devices=routers, commands=FRR_COMMANDS).items():
        told = dict(zip(FRR_COMMANDS, answers or ["does not answer"] * len(FRR_COMMANDS), strict=True))
        yield f"rib/{_plain(name)}.json", _json({command: _parsed(answer) for command, answer in told.items()})
    nodes = sorted(name for name, device in lab.devices.items() if device.role == "node" and device.engine == "gobgp")
    for name, tables in lab.agent.call("gobgp.tables", devices=nodes).items():
        yield f"rib/{_plain(name)}.json", _json(tables)


def _fibs(lab: Lab) -> Iterator[tuple[str, str]]:
    for name, dump in lab.agent.call("netlink.dump", devices=sorted(lab.devices)).items():
        yield f"fib/{_plain(name)}.json", _json(dump)


def _speakers(lab: Lab) -> Iterator[tuple[str, str]]:
    for told in lab.agent.call("speaker.alive"):
        speaker, router = told["speaker"], told["router"]
        place = f"speaker/{_plain(speaker)}-{_plain(router)}"
        yield f"{place}.log", _lines(lab.agent.call("speaker.log", speaker=speaker, router=router))
        events = lab.agent.call("speaker.events", speaker=speaker, router=router)
        yield f"{place}.events.json", "".join(json.dumps(event) + "\n" for event in events)


def _packets(lab: Lab) -> Iterator[tuple[str, bytes]]:
    """The BGP packets that each device has sent last, as pcap."""
    by_device: dict[str, list[tuple[int, bytes]]] = {}
    for packet in lab.agent.call("bgp_capture.recent"):
        by_device.setdefault(packet["device"], []).append((packet["time"], bytes.fromhex(packet["data"])))
    for name, packets in by_device.items():
        yield f"packets/{_plain(name)}.pcap", pcap_of(packets)


_SOURCES: dict[str, Callable[[Lab], Iterator[tuple[str, str]] | Iterator[tuple[str, bytes]]]] = {
    "logs": _logs,
    "configurations": _configurations,
    "RIBs": _ribs,
    "FIBs": _fibs,
    "speakers": _speakers,
    "packets": _packets,
}


def write(folder: Path | None, evidence: Evidence, scenario: Scenario, run: RunPart, exit_code: int) -> Path:
    """Into `folder`, or a new one among the temporary files; returns where."""
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="bgpsim-bundle-"))
    else:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    report = Report(verdict=run.verdict, exit_code=exit_code, runs=[run])
    files: dict[str, str | bytes] = {**evidence.files, "report.json": to_json(report), "report.md": render(report)}
    inputs = _inputs(scenario.inputs)
    files.update({f"inputs/{name}": text for name, text in inputs.items()})
    files["README.md"] = _readme(scenario, run, evidence, next(iter(inputs), None))
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def _inputs(paths: Sequence[Path]) -> dict[str, str]:
    """The scenario file first, then those it names, as they lie to each other."""
    whole = [path.resolve() for path in paths]
    if not whole:
        return {}
    top = Path(os.path.commonpath([path.parent for path in whole]))
    found = {}
    for path in whole:
        try:
            found[str(PurePosixPath(path.relative_to(top)))] = masked(
                path.read_text(encoding="utf-8", errors="replace")
            )
        except OSError as error:
            found[f"{path.name}.missing"] = f"{error.strerror}\n"
    return found


def _readme(scenario: Scenario, run: RunPart, evidence: Evidence, file: str | None) -> str:
    versions = run.volatile.get("versions", {})
    lines = [f"# {scenario.name}: {run.verdict}", ""]
    if run.error is not None:
        lines += [run.error.message, ""]
    if file is not None:
        lines += ["To play it again, in this folder:", "", f"    bgpsim run inputs/{file}", ""]
    lines += [f"- {name} {version}" for name, version in sorted(versions.items())]
    lines += [f"- could not be had: {what}" for what in evidence.missing]
    lines += ["", "log/, configuration/ (as it ran), rib/, fib/, speaker/ (what ExaBGP sent and heard),"]
    lines += ["packets/ (the BGP packets that each device sent last), inputs/, report.json, report.md."]
    lines += ["Passwords are masked."]
    return "\n".join(lines) + "\n"


def _plain(name: str) -> str:
    """A file's name for a device's, which may have slashes."""
    return name.replace("/", "_")


def _lines(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


def _parsed(answer: str) -> Any:
    try:
        return json.loads(answer)
    except ValueError:
        return answer

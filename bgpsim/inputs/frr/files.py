"""FRR's configuration files in a node: an integrated frr.conf, or a file for each daemon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bgpsim.inputs.commands import VtyLine
from bgpsim.inputs.frr.grammar.statement import Daemon
from bgpsim.inputs.frr.reader import FrrReader
from bgpsim.source import Source

INTEGRATED = "frr.conf"
PER_DAEMON: dict[str, Daemon] = {
    "zebra.conf": "zebra",
    "staticd.conf": "staticd",
    "bgpd.conf": "bgpd",
    "bfdd.conf": "bfdd",
}


@dataclass(frozen=True, slots=True)
class ConfigurationFile:
    """`shown`: how messages name the file, as the user does."""

    text: str
    shown: str


def file_lines(file: ConfigurationFile) -> tuple[VtyLine, ...]:
    """Each line with its number; empty ones and comments too."""
    return tuple(
        VtyLine(line.strip(), Source(file.shown, number, line.strip()))
        for number, line in enumerate(file.text.splitlines(), 1)
    )


def read_at_boot(reader: FrrReader, files: Mapping[str, ConfigurationFile]) -> None:
    """The files of /etc/frr, by their names there. Where there is a frr.conf, daemons do not look at their own files
    (lib/vty.c, vty_read_config). A refused line is skipped. Raises InputError as FrrReader.read does."""
    if INTEGRATED in files:
        reader.read_file(file_lines(files[INTEGRATED]))
        return
    for name, daemon in PER_DAEMON.items():
        if name in files:
            reader.read_file(file_lines(files[name]), daemon)

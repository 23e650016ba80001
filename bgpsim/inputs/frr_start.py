"""A router's FRR when it starts: the files that are there are read, in FRR's own order, into its configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bgpsim.inputs.commands import VtyLine
from bgpsim.inputs.files.binds import BoundText
from bgpsim.inputs.frr.files import PER_DAEMON, ConfigurationFile, file_lines
from bgpsim.inputs.frr.interface_lines import InterfaceAddressLine, split
from bgpsim.inputs.frr.reader import FrrReader, How
from bgpsim.inputs.iproute import KernelSetup
from bgpsim.source import Source, Unmodelled


def lines_of(file: BoundText) -> tuple[VtyLine, ...]:
    """The lines of a bound configuration file, numbered."""
    return file_lines(ConfigurationFile(file.text, file.shown))


def boot(kernel: KernelSetup, reader: FrrReader) -> None:
    """What FRR reads when it has just been started in this container. Raises InputError for values that FRR refuses."""
    daemons = kernel.files.daemons()
    if daemons is None:
        return
    for line in daemons.listed:
        _list(kernel, line.source, "possible", line.why)
    if daemons.profile is not None:
        reader.read_file([VtyLine(daemons.profile.text, daemons.profile)])
    for daemon, file in kernel.files.configurations(daemons.enabled):
        lines, addresses = split(lines_of(file))
        if daemon in (None, "zebra"):
            set_addresses(kernel, addresses)
        reader.read_file(lines, None if daemon is None else PER_DAEMON.get(f"{daemon}.conf", "other"))


def typed(kernel: KernelSetup, reader: FrrReader, lines: Sequence[VtyLine], how: How) -> None:
    """One `vtysh` call of an `exec` line."""
    rest, addresses = split(lines)
    set_addresses(kernel, addresses)
    if how == "file":
        reader.read_file(rest)
    else:
        reader.read(rest, how)


def set_addresses(kernel: KernelSetup, lines: Sequence[InterfaceAddressLine]) -> None:
    """zebra puts them on, as `ip addr` would; on an interface that is not there, when it comes."""
    for line in lines:
        interface = kernel.interfaces.get(line.interface)
        if interface is None:
            _list(kernel, line.source, "none", f"{kernel.device} has no interface {line.interface}")
            continue
        there = tuple(a for a in interface.addresses if a != line.address)
        if line.removed:
            if len(there) == len(interface.addresses):
                continue
            kernel.interfaces[line.interface] = replace(interface, addresses=there)
        elif len(there) == len(interface.addresses):
            kernel.address_sources[line.interface, line.address] = line.source
            kernel.interfaces[line.interface] = replace(interface, addresses=(*there, line.address))


def _list(kernel: KernelSetup, source: Source, effect: str, why: str) -> None:
    assert effect in ("none", "possible")
    kernel.unmodelled.append(Unmodelled(source, kernel.device, source.text, effect, (kernel.device,), why))  # type: ignore[arg-type]

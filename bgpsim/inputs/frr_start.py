"""A router's FRR when it starts: the files that are there are read, in FRR's own order, into its configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bgpsim.inputs.commands import VtyLine
from bgpsim.inputs.frr.interface_lines import InterfaceAddressLine, numbered, split
from bgpsim.inputs.frr.reader import FrrReader
from bgpsim.inputs.iproute import KernelSetup
from bgpsim.source import Source, Unmodelled


def boot(kernel: KernelSetup, reader: FrrReader) -> None:
    """What FRR reads when it has just been started in this container. Raises InputError for values that FRR refuses."""
    daemons = kernel.files.daemons()
    if daemons is None:
        return
    for line in daemons.listed:
        _list(kernel, line.source, "possible", line.why)
    if daemons.profile is not None:
        _read(reader, [VtyLine(daemons.profile.text, daemons.profile)])
    for _, file in kernel.files.configurations(daemons.enabled):
        lines, addresses = split(list(numbered(file.text, file.shown)))
        set_addresses(kernel, addresses)
        _read(reader, lines)


def typed(kernel: KernelSetup, reader: FrrReader, lines: Sequence[VtyLine]) -> None:
    """One `vtysh` call of an `exec` line."""
    rest, addresses = split(lines)
    set_addresses(kernel, addresses)
    reader.read(rest)


def _read(reader: FrrReader, lines: Sequence[VtyLine]) -> None:
    if lines:
        first = lines[0].source
        begin = VtyLine("configure terminal", Source(first.file, first.line, "configure terminal"))
        reader.read([begin, *lines])


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

"""Names of a scenario file -> what they stand for in this lab, or an InputError that lists the near ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from ipaddress import ip_address, ip_network

from bgpsim.errors import InputError
from bgpsim.network.description import Device, DeviceKind, Network
from bgpsim.network.types import Address, Prefix
from bgpsim.scenario.schema import NamedPrefix
from bgpsim.source import Source

SHOWN_CHOICES = 12


def hint(word: str, known: Iterable[str], what: str) -> str:
    """The nearest known words, or else all of them."""
    choices = sorted(set(known))
    near = get_close_matches(word, choices, n=3, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(near)}?"
    if not choices:
        return f"there are no {what}"
    rest = f" and {len(choices) - SHOWN_CHOICES} more" if len(choices) > SHOWN_CHOICES else ""
    return f"{what}: {', '.join(choices[:SHOWN_CHOICES])}{rest}"


def problem(source: Source, message: str, how: str | None = None) -> InputError:
    """An InputError at that line."""
    return InputError(message, hint=how, file=source.file, line=source.line)


@dataclass(frozen=True, slots=True)
class Names:
    """The devices, interfaces and prefixes of one network by their names; errors point to the given source."""

    network: Network
    lodgers: Mapping[str, str] = field(default_factory=dict)
    """Containers in the network namespace of a device -> that device."""

    def device(self, name: str, source: Source, kinds: tuple[DeviceKind, ...]) -> Device:
        """Raises InputError for a name that is no device, or one of another kind."""
        known = {n: d for n, d in self.network.devices.items() if d.kind in kinds}
        if name in known:
            return known[name]
        expected = " or ".join(kinds)
        if name in self.network.devices:
            found = self.network.devices[name].kind
            raise problem(
                source, f"'{name}' is a {found}; expected a {expected}", hint(name, known, f"{expected} names")
            )
        if name in self.lodgers:
            owner = self.lodgers[name]
            raise problem(
                source,
                f"'{name}' lives in the network namespace of {owner}; expected a {expected}",
                f"its interfaces and routes are those of {owner}",
            )
        raise problem(
            source, f"'{name}' is not in this lab; expected a {expected}", hint(name, known, f"{expected} names")
        )

    def present(self, name: str, source: Source, kinds: tuple[DeviceKind, ...]) -> Device:
        """A device that `node-down` has not taken away."""
        device = self.device(name, source, kinds)
        if device.away:
            raise problem(source, f"{name} is down here (node-down); expected a device that is up")
        return device

    def container(self, name: str, source: Source) -> tuple[str, str | None]:
        """What a line can be typed in: a device and None, or the device whose network namespace it has, and itself."""
        if name in self.lodgers:
            return self.present(self.lodgers[name], source, ("router", "node", "host")).name, name
        return self.present(name, source, ("router", "node", "host", "pod")).name, None

    def interface(self, text: str, source: Source) -> tuple[str, str]:
        """`tor1:net0` -> (device, interface); `injector:tor0` is a speaker's end of its link to tor0."""
        name, colon, interface = text.rpartition(":")
        if not colon or not name or not interface:
            raise problem(source, f"'{text}' is not an interface; expected DEVICE:INTERFACE (tor1:net0)")
        device = self.present(name, source, ("router", "node", "host", "speaker"))
        if device.interface(interface) is None:
            known = [i.name for i in device.interfaces]
            raise problem(
                source,
                f"{name} has no interface '{interface}'; expected one that is there",
                hint(interface, known, f"interfaces of {name}"),
            )
        if not any((end.device, end.interface) == (name, interface) for s in self.network.segments for end in s.ends):
            raise problem(source, f"{name}:{interface} is on no link; expected an interface that is")
        return name, interface

    def prefix(self, spec: str | NamedPrefix, source: Source) -> Prefix:
        """A literal prefix, or one by name; a half of it where that is asked for."""
        if isinstance(spec, str):
            return ip_network(spec)
        prefix = self._named(spec.of, spec.family, source)
        if spec.half is None:
            return prefix
        if prefix.prefixlen == prefix.max_prefixlen:
            raise problem(source, f"{spec.of} is {prefix}, a single address: it has no half; expected a wider prefix")
        low, high = prefix.subnets()
        return low if spec.half == "low" else high

    def address(self, text: str, source: Source) -> Address:
        """An address, the first host of a prefix, or of a named one (`10.99.0.1`, `10.99.0.0/24`, `tor1.lo`)."""
        try:
            return ip_address(text)
        except ValueError:
            pass
        try:
            return _first_host(ip_network(text))
        except ValueError:
            pass
        if text.partition(".")[0] not in self.network.devices:
            raise problem(
                source,
                f"'{text}' is no address; expected an address, a prefix, or DEVICE.pod-cidr, DEVICE.INTERFACE",
            )
        if text.endswith(".pod-cidr"):
            return _first_host(self._named(text, None, source))
        name, _, interface = text.partition(".")
        return self._interface_addresses(name, interface, source)[0]

    def _named(self, text: str, family: str | None, source: Source) -> Prefix:
        if _is_prefix(text):
            raise problem(
                source,
                f"'{text}' is a prefix; expected the name of one, DEVICE.pod-cidr or DEVICE.INTERFACE",
                f"a prefix is written as it is: `prefix: {text}`",
            )
        name, dot, part = text.partition(".")
        if not dot:
            raise problem(source, f"'{text}' names no prefix; expected DEVICE.pod-cidr or DEVICE.INTERFACE")
        device = self.device(name, source, ("router", "node", "host"))
        if part == "pod-cidr":
            if device.kind != "node":
                nodes = [f"{n}.pod-cidr" for n, d in self.network.devices.items() if d.pod_cidrs]
                raise problem(
                    source,
                    f"'{name}' is no Kubernetes node: it has no pod CIDR; expected one that has",
                    hint(text, nodes, "pod CIDRs"),
                )
            prefixes = device.pod_cidrs
        else:
            addresses = self._interface_addresses(name, part, source)
            if part == "lo":
                prefixes = tuple(ip_network(address) for address in addresses)
            else:
                interface = device.interface(part)
                assert interface is not None
                prefixes = tuple(address.network for address in interface.addresses)
        chosen = [p for p in prefixes if family is None or p.version == int(family.removeprefix("ipv"))]
        if not chosen:
            raise problem(source, f"{text} has no {family or 'IP'} prefix; expected one that has")
        return chosen[0]

    def _interface_addresses(self, name: str, interface: str, source: Source) -> tuple[Address, ...]:
        device = self.device(name, source, ("router", "node", "host"))
        found = device.interface(interface)
        if found is None:
            known = [f"{name}.{i.name}" for i in device.interfaces if i.addresses]
            if device.pod_cidrs:
                known.append(f"{name}.pod-cidr")
            raise problem(
                source,
                f"{name} has no interface '{interface}'",
                hint(f"{name}.{interface}", known, "names with an address"),
            )
        if not found.addresses:
            raise problem(source, f"{name}.{interface} has no address in the input files")
        return tuple(address.ip for address in found.addresses)


def _is_prefix(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _first_host(prefix: Prefix) -> Address:
    """`.1` of a subnet; the address itself where there is only one, the lower of a point-to-point pair (RFC 3021)."""
    if prefix.prefixlen >= prefix.max_prefixlen - 1:
        return prefix[0]
    return prefix[1]

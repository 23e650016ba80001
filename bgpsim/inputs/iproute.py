"""What `ip` lines do to a device's interfaces and routes (iproute2), and the other commands that routing rests on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_interface, ip_network
from typing import Literal

from bgpsim.errors import InputError
from bgpsim.inputs.commands import Command
from bgpsim.inputs.frr_files import DAEMONS, INTEGRATED, FrrFiles
from bgpsim.network.description import Interface, KernelRoute, RouteKind, RouteNextHop
from bgpsim.network.types import Address, InterfaceAddress, Prefix
from bgpsim.source import Source, Unmodelled

_KINDS: dict[str, RouteKind] = {"blackhole": "blackhole", "unreachable": "unreachable", "prohibit": "prohibit"}
_ENABLE_BGPD = re.compile(r"s(.)bgpd=no\1bgpd=yes\1g?")
_FORWARDING = ("net.ipv4.ip_forward=1", "net.ipv4.conf.all.forwarding=1", "net.ipv6.conf.all.forwarding=1")
_IDLE = ("echo", "sleep", "true", "touch", "mkdir", "cat")
_REFUSED = "the kernel refuses it"
MOST_MTU = 65535
"""Of a veth (ETH_MAX_MTU)."""
LEAST_MTU = 1280
"""RFC 8200 section 5."""


class _NotUnderstood(Exception):
    """The line has a part that is not modelled; the message, if any, says why."""


class _NoEffect(Exception):
    """The line changes nothing that is modelled; the message says why."""


@dataclass
class KernelSetup:
    """A device's interfaces and hand-made routes while its lines are read, in order."""

    device: str
    interfaces: dict[str, Interface] = field(default_factory=dict)
    routes: dict[tuple[Prefix, int], KernelRoute] = field(default_factory=dict)
    address_sources: dict[tuple[str, InterfaceAddress], Source] = field(default_factory=dict)
    """(interface, address) -> the line that added it."""
    frr_started: bool = False
    bgpd_started: bool = False
    """FRR was started when /etc/frr/daemons said `bgpd=yes`."""
    unmodelled: list[Unmodelled] = field(default_factory=list)
    files: FrrFiles = field(default_factory=FrrFiles)
    """Of the container whose lines are read."""

    def start_frr(self) -> None:
        """FRR starts with the files that are there."""
        daemons = self.files.daemons()
        self.frr_started = daemons is not None
        self.bgpd_started = daemons is not None and "bgpd" in daemons.enabled

    def take(self, command: Command) -> bool:
        """Read one command; False for `vtysh`, which is not this reader's. Raises InputError for a bad address."""
        if command.program == "vtysh":
            return False
        try:
            self._run(command)
        except _NoEffect as why:
            self._note(command, "none", str(why))
        except _NotUnderstood as why:
            self._note(command, "possible", str(why))
        return True

    def _run(self, command: Command) -> None:
        words = command.words
        match command.program:
            case "ip":
                _Ip(self, command).run()
            case "iptables":
                masquerade = "nat" in words and "MASQUERADE" in words and "-o" in words[:-1]
                if masquerade and words[words.index("-o") + 1] == "eth0":
                    raise _NoEffect("it rewrites only what leaves by the management network, where nothing answers")
                raise _NotUnderstood
            case "sed" if words[-1] == DAEMONS:
                self._edit_daemons(words[1:-1])
            case "frrinit.sh" if words[1:] in (("start",), ("restart",)):
                if self.frr_started and words[1] == "start":
                    raise _NoEffect("FRR runs already, and a second one ends")
                self.start_frr()
            case "rm" if [word for word in words[1:] if word != "-f"] == [INTEGRATED]:
                if self.files.is_mount(INTEGRATED):
                    raise _NoEffect("the file is a mount of its own, and stays")
                self.files.removed.add(INTEGRATED)
            case "touch" if all(word.startswith("/etc/frr/") for word in words[1:]):
                pass
            case "sysctl" if [word for word in words[1:] if word not in ("-w", "-q")] in [[s] for s in _FORWARDING]:
                raise _NoEffect("forwarding is on in every node of the lab")
            case program if program in _IDLE:
                raise _NoEffect("it moves no packet")
            case "":
                raise _NotUnderstood("no shell could split this line")
            case _:
                raise _NotUnderstood

    def _edit_daemons(self, words: tuple[str, ...]) -> None:
        """`sed -i -e 's/bgpd=no/bgpd=yes/g' /etc/frr/daemons`: which daemons will run."""
        scripts = [word for word in words if word not in ("-i", "-e", "--in-place", "-ie", "-E", "-r")]
        if len(scripts) != 1 or not any(word.startswith(("-i", "--in-place")) for word in words):
            raise _NotUnderstood
        if not _ENABLE_BGPD.fullmatch(scripts[0]):
            raise _NotUnderstood
        if self.files.is_mount(DAEMONS):
            raise _NoEffect("the file is a mount of its own: nothing can take its place, and sed fails")
        self.files.enabled_by_hand.add("bgpd")

    def _note(self, command: Command, effect: Literal["none", "possible"], why: str) -> None:
        text = command.text
        self.unmodelled.append(Unmodelled(command.source, self.device, text, effect, (self.device,), why))

    def drop_routes(self, interface: str, version: int | None = None) -> None:
        """The kernel removes the routes of an interface that goes down, or loses its last address."""
        self.routes = {
            key: route
            for key, route in self.routes.items()
            if interface not in (hop.interface for hop in route.next_hops)
            or version not in (None, route.prefix.version)
        }

    def add(self, route: KernelRoute) -> None:
        """The last one put in stays."""
        self.routes[route.prefix, route.metric] = route


class _Ip:
    """One `ip` command."""

    def __init__(self, kernel: KernelSetup, command: Command) -> None:
        self.kernel = kernel
        self.command = command
        self.words = list(command.words[1:])

    def run(self) -> None:
        version = None
        while self.words and self.words[0] in ("-4", "-6"):
            version = int(self._next()[1])
        thing = self._next().lower()
        match next((known for known in ("address", "link", "route") if known.startswith(thing)), None):
            case "address":
                self._address()
            case "link":
                self._link()
            case "route":
                self._route(version)
            case _:
                raise _NotUnderstood

    def _next(self) -> str:
        if not self.words:
            raise _NotUnderstood("the line ends too soon")
        return self.words.pop(0)

    def _bad(self, found: str, expected: str) -> InputError:
        source = self.command.source
        message = f"{self.kernel.device}: found {found!r} in `{source.text}`, expected {expected}"
        return InputError(message, file=source.file, line=source.line)

    def _interface(self, name: str) -> Interface:
        if name not in self.kernel.interfaces:
            raise _NotUnderstood(f"{self.kernel.device} has no interface {name} at this line")
        return self.kernel.interfaces[name]

    def _interface_address(self, text: str) -> InterfaceAddress:
        try:
            return ip_interface(text)
        except ValueError:
            raise self._bad(text, "an address with its prefix length (10.0.0.1/24)") from None

    def _gateway(self, text: str) -> Address:
        try:
            return ip_address(text)
        except ValueError:
            raise self._bad(text, "an IP address") from None

    def _prefix(self, text: str, six: bool) -> Prefix:
        if text in ("default", "all", "any"):
            return ip_network("::/0" if six else "0.0.0.0/0")
        try:
            return ip_network(text)
        except ValueError as error:
            raise self._bad(text, f"a prefix ({error})") from None

    # --- ip address ---

    def _address(self) -> None:
        action = self._next()
        if action in ("flush", "f"):
            if self.words[:1] == ["dev"]:
                self._next()
            self._set_addresses(self._interface(self._next()), ())
            if self.words:
                raise _NotUnderstood
            return
        if action not in ("add", "a", "replace", "del", "delete"):
            raise _NotUnderstood
        text, device = None, None
        while self.words:
            word = self._next()
            if word == "dev":
                device = self._next()
            elif word in ("brd", "broadcast", "label") or (word == "scope" and self.words[:1] == ["global"]):
                self._next()
            elif text is None:
                text = self._next() if word == "local" else word
            elif word != "nodad":
                raise _NotUnderstood
        if text is None or device is None:
            raise _NotUnderstood
        address = self._interface_address(text)
        interface = self._interface(device)
        if action.startswith("del"):
            if address not in interface.addresses:
                raise _NoEffect(f"{_REFUSED}: the address is not there")
            self._set_addresses(interface, tuple(a for a in interface.addresses if a != address))
        elif address not in interface.addresses:
            self.kernel.address_sources[device, address] = self.command.source
            self._set_addresses(interface, (*interface.addresses, address))
        elif action != "replace":
            raise _NoEffect(f"{_REFUSED}: the address is there already")

    def _set_addresses(self, interface: Interface, addresses: tuple[InterfaceAddress, ...]) -> None:
        changed = replace(interface, addresses=addresses, source=self.command.source)
        self.kernel.interfaces[interface.name] = changed
        for version in {a.version for a in interface.addresses} - {a.version for a in addresses}:
            self.kernel.drop_routes(interface.name, version)

    # --- ip link ---

    def _link(self) -> None:
        action = self._next()
        if action in ("del", "delete"):
            interface = self._interface(self._device())
            if self.words or interface.name == "lo":
                raise _NotUnderstood
            del self.kernel.interfaces[interface.name]
            self.kernel.drop_routes(interface.name)
            return
        if action not in ("set", "s"):
            raise _NotUnderstood
        interface = self._interface(self._device())
        mtu = self._mtu()
        if set(self.words) - {"up", "down"} or not (self.words or mtu):
            raise _NotUnderstood
        up = self.words[-1] == "up" if self.words else interface.up
        self.kernel.interfaces[interface.name] = replace(interface, up=up, mtu=mtu or interface.mtu)
        if "down" in self.words:
            self.kernel.drop_routes(interface.name)

    def _mtu(self) -> int | None:
        """`mtu 1400`, taken out of the words; None where there is none."""
        if "mtu" not in self.words[:-1]:
            return None
        at = self.words.index("mtu")
        mtu = self._number(self.words[at + 1])
        del self.words[at : at + 2]
        if mtu > MOST_MTU:
            raise _NoEffect(f"{_REFUSED}: the MTU is above {MOST_MTU}")
        if mtu < LEAST_MTU:
            raise _NotUnderstood(f"with an MTU below {LEAST_MTU} the kernel takes IPv6 off the interface")
        return mtu

    def _device(self) -> str:
        word = self._next()
        return self._next() if word == "dev" else word

    # --- ip route ---

    def _route(self, version: int | None) -> None:
        action = self._next()
        if action not in ("add", "a", "replace", "del", "delete"):
            raise _NotUnderstood
        word = self._next()
        kind: RouteKind = "unicast"
        if word in _KINDS:
            kind, word = _KINDS[word], self._next()
        elif word == "unicast":
            word = self._next()
        gateways = (following for w, following in zip(self.words, self.words[1:], strict=False) if w == "via")
        prefix = self._prefix(word, version == 6 or any(":" in text for text in gateways))
        metric, onlink = 0, False
        hops: list[list[str | None]] = [[None, None]]
        while self.words:
            word = self._next()
            if word == "via":
                hops[-1][0] = self._next()
            elif word == "dev":
                hops[-1][1] = self._next()
            elif word == "nexthop":
                hops.append([None, None])
            elif word in ("metric", "preference", "priority"):
                metric = self._number(self._next())
            elif word in ("proto", "protocol", "scope", "weight"):
                if (word[:5], self._next()) not in (("proto", "boot"), ("scope", "link"), ("weigh", "1")):
                    raise _NotUnderstood
            elif word == "onlink":
                onlink = True
            else:
                raise _NotUnderstood
        written = [hop for hop in hops if hop != [None, None]]
        there = self.kernel.routes.get((prefix, metric))
        if action.startswith("del"):
            self._remove(there, written)
            return
        if there is not None and action != "replace":
            raise _NoEffect(f"{_REFUSED}: there is such a route already")
        if (kind == "unicast") != bool(written):
            raise _NotUnderstood
        next_hops = tuple(self._next_hop(prefix, via, device, onlink) for via, device in written)
        self.kernel.add(KernelRoute(prefix, kind, next_hops, "boot", metric, onlink, self.command.source))

    def _number(self, text: str) -> int:
        if not re.fullmatch("[0-9]{1,9}", text):
            raise self._bad(text, "a whole number")
        return int(text)

    def _remove(self, route: KernelRoute | None, written: list[list[str | None]]) -> None:
        """A route goes if it has the next hops that are written, where any are."""
        if route is None:
            raise _NoEffect(f"{_REFUSED}: there is no such route")
        for via, device in written:
            if not any(
                (via is None or hop.address == self._gateway(via)) and device in (None, hop.interface)
                for hop in route.next_hops
            ):
                raise _NoEffect(f"{_REFUSED}: there is no such route")
        del self.kernel.routes[route.prefix, route.metric]

    def _next_hop(self, prefix: Prefix, via: str | None, device: str | None, onlink: bool) -> RouteNextHop:
        """The kernel looks up a gateway's interface when the route is put in."""
        if device is not None and not self._interface(device).up:
            raise _NoEffect(f"{_REFUSED}: {device} is down")
        if via is None:
            return RouteNextHop(None, device)
        gateway = self._gateway(via)
        if gateway.version != prefix.version:
            raise _NotUnderstood
        if device is not None and (onlink or gateway.is_link_local):
            return RouteNextHop(gateway, device)
        for interface in self.kernel.interfaces.values():
            if device in (None, interface.name) and interface.up and interface.name != "lo":
                for address in interface.addresses:
                    if address.version == gateway.version and gateway in address.network and gateway != address.ip:
                        return RouteNextHop(gateway, interface.name)
        for route in self.kernel.routes.values():
            for hop in route.next_hops:
                if hop.address is None and gateway in route.prefix and device in (None, hop.interface):
                    return RouteNextHop(gateway, hop.interface)
        raise _NotUnderstood(f"{gateway} is on no network of {self.kernel.device} at this line")

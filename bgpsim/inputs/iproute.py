"""What `ip` lines do to a device's interfaces and routes (iproute2), and the other commands that routing rests on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface, ip_network

from bgpsim.inputs.commands import Command
from bgpsim.network.description import Interface, KernelRoute, RouteKind, RouteNextHop
from bgpsim.network.types import Prefix
from bgpsim.source import Unmodelled

_KINDS: dict[str, RouteKind] = {"blackhole": "blackhole", "unreachable": "unreachable", "prohibit": "prohibit"}
_LINK_HARMLESS = ("promisc", "alias", "txqueuelen", "group")


class _NotUnderstood(Exception):
    """The line has a part that is not modelled."""


@dataclass
class KernelSetup:
    """A device's interfaces and hand-made routes while its lines are read, in order."""

    device: str
    interfaces: dict[str, Interface] = field(default_factory=dict)
    routes: dict[tuple[Prefix, int], KernelRoute] = field(default_factory=dict)
    bgp_enabled: bool = False
    """`bgpd=yes` in /etc/frr/daemons."""
    frr_started: bool = False
    unmodelled: list[Unmodelled] = field(default_factory=list)

    def take(self, command: Command) -> bool:
        """Read one command; False for `vtysh`, which is not this reader's."""
        if command.program == "vtysh":
            return False
        try:
            if command.program == "ip":
                self._ip(command)
            elif command.program == "iptables":
                self._iptables(command)
            elif command.program == "frrinit.sh" and command.words[1:] == ("start",):
                self.frr_started = True
            elif command.program == "sed" and "bgpd=no/bgpd=yes" in command.text and "daemons" in command.text:
                self.bgp_enabled = True
            elif command.program != "touch":
                raise _NotUnderstood
        except (_NotUnderstood, ValueError, IndexError):
            self._note(command, "possible")
        return True

    def _note(self, command: Command, effect: str, why: str = "") -> None:
        assert effect in ("none", "possible")
        self.unmodelled.append(
            Unmodelled(
                command.source,
                self.device,
                command.text,
                "none" if effect == "none" else "possible",
                (self.device,),
                why,
            )
        )

    def _iptables(self, command: Command) -> None:
        words = command.words
        masquerade = "nat" in words and "MASQUERADE" in words and "-o" in words
        if not masquerade or words[words.index("-o") + 1] != "eth0":
            raise _NotUnderstood
        self._note(command, "none", "it rewrites only what leaves by the management network, where nothing answers")

    def _ip(self, command: Command) -> None:
        words = list(command.words[1:])
        version = None
        while words and words[0] in ("-4", "-6"):
            version = int(words.pop(0)[1])
        thing, *words = words
        thing = next(known for known in ("address", "link", "route") if known.startswith(thing.lower()))
        if thing == "address":
            self._address(words, command)
        elif thing == "link":
            self._link(words)
        else:
            self._route(words, version, command)

    def _interface(self, name: str) -> Interface:
        if name not in self.interfaces:
            raise _NotUnderstood
        return self.interfaces[name]

    def _address(self, words: list[str], command: Command) -> None:
        action, text, *rest = words
        if action not in ("add", "a", "replace", "del", "delete") or len(rest) < 2 or rest[0] != "dev":
            raise _NotUnderstood
        if set(rest[2:]) - {"nodad"}:
            raise _NotUnderstood
        interface = self._interface(rest[1])
        address: IPv4Interface | IPv6Interface = ip_interface(text)
        others = tuple(a for a in interface.addresses if a != address)
        addresses = others if action.startswith("del") else (*others, address)
        self.interfaces[interface.name] = replace(interface, addresses=addresses, source=command.source)

    def _link(self, words: list[str]) -> None:
        if words[0] in ("del", "delete"):
            name = words[2] if words[1] == "dev" else words[1]
            self._interface(name)
            del self.interfaces[name]
            self._drop_routes(name)
            return
        if words[0] != "set":
            raise _NotUnderstood
        rest = words[2:] if words[1] == "dev" else words[1:]
        interface = self._interface(rest[0])
        for word in rest[1:]:
            if word not in ("up", "down"):
                raise _NotUnderstood
            self.interfaces[interface.name] = replace(interface, up=word == "up")
            if word == "down":
                self._drop_routes(interface.name)

    def _drop_routes(self, interface: str) -> None:
        """The kernel removes the routes of an interface that goes."""
        self.routes = {
            key: route for key, route in self.routes.items() if interface not in (h.interface for h in route.next_hops)
        }

    def _route(self, words: list[str], version: int | None, command: Command) -> None:
        action, *words = words
        if action not in ("add", "a", "replace", "del", "delete"):
            raise _NotUnderstood
        kind: RouteKind = "unicast"
        if words[0] in _KINDS:
            kind = _KINDS[words.pop(0)]
        text = words.pop(0)
        options = dict(zip(words[::2], words[1::2], strict=True))
        if set(options) - {"via", "dev", "metric", "proto", "scope"} or options.get("proto", "boot") != "boot":
            raise _NotUnderstood
        via = ip_address(options["via"]) if "via" in options else None
        six = version == 6 or (via is not None and via.version == 6)
        prefix = ip_network(("::/0" if six else "0.0.0.0/0") if text == "default" else text)
        metric = int(options.get("metric", "0"))
        if action.startswith("del"):
            self.routes.pop((prefix, metric), None)
            return
        hops: tuple[RouteNextHop, ...] = ()
        if kind == "unicast":
            hops = (RouteNextHop(via, options.get("dev") or self._connected(via)),)
        self.add(KernelRoute(prefix, kind, hops, "boot", metric, source=command.source))

    def _connected(self, via: object) -> str | None:
        """The interface on whose network a gateway is: the kernel looks it up when the route is put in."""
        for interface in self.interfaces.values():
            for address in interface.addresses:
                if isinstance(via, type(address.ip)) and via in address.network and interface.up:
                    return interface.name
        raise _NotUnderstood

    def add(self, route: KernelRoute) -> None:
        """The last one written stays: `replace` takes its place, an `add` of what is there fails (the lab says so)."""
        self.routes[route.prefix, route.metric] = route

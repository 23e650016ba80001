"""What is typed to impair an interface: `tc` and `ip` lines, as pure functions.

Each is for what *leaves* by one interface, in the network namespace of its device.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

SILENT_PREFERENCE, RELAY_PREFERENCE = 1, 2
"""Preferences of the two filters at an interface's egress: a silent link is silent for the relay's frames too."""
RELAYED_MARK = 0x62677073
"""skb->mark of what the relay sends: it has been through it. The kernel clears marks on the way to another namespace
(skb_scrub_packet)."""
RELAY_MTU = 65535
QUEUE = 1000
"""Packets that wait in one direction; netem's own default, written out."""
_LOAD_MARK = "32 0 0 4294963220"
"""BPF_LD | BPF_W | BPF_ABS at SKF_AD_OFF + SKF_AD_MARK (linux/filter.h)."""


@dataclass(frozen=True, slots=True)
class Values:
    """Microseconds, per cent and bits per second; all zero: nothing."""

    delay: int = 0
    jitter: int = 0
    loss: float = 0.0
    rate: int = 0

    def shown(self) -> dict[str, Any]:
        return {"delay": self.delay, "jitter": self.jitter, "loss": self.loss, "rate": self.rate}


def netem(interface: str, values: Values) -> list[str]:
    """tc-netem(8): the root queueing discipline, replaced as a whole."""
    words = ["qdisc", "replace", "dev", interface, "root", "netem", "limit", str(QUEUE)]
    if values.delay or values.jitter:
        words += ["delay", f"{values.delay}us", *([f"{values.jitter}us"] if values.jitter else [])]
    if values.loss:
        words += ["loss", f"{values.loss:g}%"]
    if values.rate:
        words += ["rate", f"{values.rate}bit"]
    return words


def without_netem(interface: str) -> list[str]:
    return ["qdisc", "del", "dev", interface, "root"]


def own_discipline(shown: str) -> str | None:
    """The root discipline's kind, from `tc -j qdisc show`; None for the kernel's default, which has no handle."""
    for discipline in json.loads(shown or "[]"):
        if discipline.get("root") and discipline["handle"] != "0:":
            return str(discipline["kind"])
    return None


def hook(interface: str) -> list[str]:
    return ["qdisc", "add", "dev", interface, "clsact"]


def without_hook(interface: str) -> list[str]:
    return ["qdisc", "del", "dev", interface, "clsact"]


def silence(interface: str) -> list[str]:
    """Every frame is dropped (TC_ACT_SHOT, linux/pkt_cls.h) by a one-instruction classic BPF program; carrier stays."""
    return [*_filter("add", interface, SILENT_PREFERENCE), "bpf", "direct-action", "bytecode", "1,6 0 0 2"]


def redirect(interface: str, relay: str) -> list[str]:
    """Every frame that does not have the relay's mark goes to `relay` instead (tc-bpf(8), tc-mirred(8))."""
    program = f"4,{_LOAD_MARK},21 0 1 {RELAYED_MARK},6 0 0 0,6 0 0 4294967295"
    action = ["action", "mirred", "egress", "redirect", "dev", relay]
    return [*_filter("add", interface, RELAY_PREFERENCE), "bpf", "bytecode", program, *action]


def without_filter(interface: str, preference: int) -> list[str]:
    return _filter("del", interface, preference)


def _filter(verb: str, interface: str, preference: int) -> list[str]:
    return ["filter", verb, "dev", interface, "egress", "protocol", "all", "pref", str(preference)]


def relay_pair(name: str, device_pid: int) -> list[str]:
    """`ip` words: a veth pair of one name at both ends, one of them in the device's namespace."""
    mtu = str(RELAY_MTU)
    return [
        *("link", "add", "name", name, "mtu", mtu, "netns", str(device_pid)),
        *("type", "veth", "peer", "name", name, "mtu", mtu),
    ]

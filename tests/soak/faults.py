"""What soak does to a lab, and what bgpsim has to say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

How = Literal[
    "none", "kill", "stop", "pause", "interrupt", "terminate", "disk", "descriptors", "processes", "crowd", "client"
]
Kind = Literal["run", "kept"]


@dataclass(frozen=True, slots=True)
class Fault:
    """`says`: a regular expression with {device}, the target's; "" where nothing has to be said, for nothing broke."""

    how: How
    target: str = ""
    says: str = ""
    kinds: tuple[Kind, ...] = ("run", "kept")
    needs: frozenset[str] = frozenset()
    """Of speaker, relay, stream, cluster: what the lab has to have for it."""
    codes: frozenset[int] = frozenset({3})
    """Exit codes of the command that meets it."""

    @property
    def name(self) -> str:
        return f"{self.how} {self.target}".strip()


def _daemon(target: str, *needs: str) -> tuple[Fault, ...]:
    there = frozenset(needs)
    return (
        Fault("kill", target, rf"{{device}}: {target} ended by itself", needs=there),
        Fault("stop", target, rf"{{device}}: {target} is stopped \(SIGSTOP\)", needs=there),
    )


def _own(target: str, killed: str, stopped: str) -> tuple[Fault, ...]:
    # 2 where nothing had begun yet: the lab could not be sealed off.
    either = frozenset({2, 3})
    return (
        Fault("kill", target, f"{killed} was killed by SIGKILL", codes=either),
        Fault("stop", target, rf"{stopped} is stopped \(SIGSTOP\)", codes=either),
    )


_FULL = r"[Nn]o space left on device"
_TOO_MANY = r"[Tt]oo many open files"
_NO_MORE = r"no more processes or threads can be started|Resource temporarily unavailable"
_SPEAKER, _RELAY, _STREAM, _CLUSTER = "speaker", "relay", "stream", "cluster"
_GONE_KEEPER = r"its keeper was killed, and the lab ended with it|is gone: it was taken down, or its keeper ended"

FAULTS: tuple[Fault, ...] = (
    Fault("none"),
    Fault("kill", "command", kinds=("run",), codes=frozenset({-9})),
    Fault("terminate", "command", kinds=("run",), codes=frozenset({-15})),
    Fault("pause", "command", kinds=("run",), codes=frozenset({0})),
    Fault("interrupt", "command", "interrupted; the lab is gone", kinds=("run",), codes=frozenset({130})),
    Fault("kill", "keeper", _GONE_KEEPER, kinds=("kept",)),
    Fault("stop", "keeper", r"its keeper \(pid \d+\) is stopped \(SIGSTOP\)", kinds=("kept",)),
    *_own("supervisor", "its supervisor", "its supervisor"),
    *_own("PID 1", "its PID 1", "its PID 1|the lab's PID 1"),
    *_own("agent", "its agent", "its agent"),
    Fault("kill", "tini", "{device} ended by itself: its init is gone"),
    Fault("stop", "tini", r"{device}: its init is stopped \(SIGSTOP\)"),
    *_daemon("watchfrr"),
    *_daemon("zebra"),
    *_daemon("bgpd"),
    *_daemon("staticd"),
    *_daemon("gobgpd", _CLUSTER),
    Fault("kill", "exabgp", r"speaker injector(:| at \w+:) ExaBGP (at b0 )?ended", needs=frozenset({_SPEAKER})),
    Fault("stop", "exabgp", r"injector: ExaBGP is stopped \(SIGSTOP\)", needs=frozenset({_SPEAKER})),
    Fault(
        "kill",
        "API process",
        r"speaker injector(:| at \w+:) ExaBGP.* (ended|lost its API process)",
        needs=frozenset({_SPEAKER}),
    ),
    Fault("stop", "API process", r"injector: ExaBGP's API process is stopped", needs=frozenset({_SPEAKER})),
    Fault("kill", "relay", "the relay ended by itself", needs=frozenset({_RELAY})),
    Fault("stop", "relay", r"the relay is stopped \(SIGSTOP\)", needs=frozenset({_RELAY})),
    Fault("kill", "sender", "the stream's sender ended by itself", needs=frozenset({_STREAM})),
    Fault("stop", "sender", r"the stream's sender is stopped \(SIGSTOP\)", needs=frozenset({_STREAM})),
    Fault("kill", "watcher", "the stream's watcher ended by itself", needs=frozenset({_STREAM})),
    Fault("stop", "watcher", r"the stream's watcher is stopped \(SIGSTOP\)", needs=frozenset({_STREAM})),
    Fault("disk", "agent", _FULL),
    Fault("descriptors", "agent", _TOO_MANY),
    Fault("processes", "agent", _NO_MORE),
    Fault("descriptors", "command", _TOO_MANY, kinds=("run",)),
    Fault("crowd", "keeper", f"the lab's keeper: {_TOO_MANY}", kinds=("kept",)),
    Fault("client", "slow", kinds=("kept",)),
    Fault("client", "half a request", kinds=("kept",)),
    Fault("client", "garbage", kinds=("kept",)),
    Fault("client", "endless", kinds=("kept",)),
    Fault("client", "second writer", kinds=("kept",)),
)
BY_NAME = {fault.name: fault for fault in FAULTS}

"""The decision process in words: FRR's name for each step, where it is specified, and what told two paths apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bgpsim.check.spelling import as_path_text
from bgpsim.network.state import BgpPath

_PREFERENCE = 100

SPECIFIED: Mapping[str, str] = {
    "Weight": "FRR's own step",
    "Local Pref": "RFC 4271 section 9.1.1",
    "Local Route": "FRR's own step",
    "AS Path": "RFC 4271 section 9.1.2.2 a",
    "Confederation based AS Path": "RFC 5065 section 5.3, FRR's own option",
    "Origin": "RFC 4271 section 9.1.2.2 b",
    "MED": "RFC 4271 section 9.1.2.2 c",
    "Peer Type": "RFC 4271 section 9.1.2.2 d",
    "Confed Peer Type": "RFC 5065 section 5.3",
    "IGP Metric": "RFC 4271 section 9.1.2.2 e",
    "Older Path": "RFC 5004",
    "Router ID": "RFC 4271 section 9.1.2.2 f",
    "Cluster length": "RFC 4456 section 9",
    "Neighbor IP": "RFC 4271 section 9.1.2.2 g",
    "Nothing left to compare": "no rule",
}
"""`selectionReason` of FRR -> where the step is specified."""

_REFUSALS = (
    ("denied: own AS", "RFC 4271 section 9.1.2"),
    ("denied: ORIGINATOR_ID", "RFC 4456 section 8"),
    ("denied: own router ID", "RFC 4456 section 8"),
    ("denied: own cluster ID", "RFC 4456 section 8"),
    ("denied: a confederation", "RFC 5065 section 5"),
    ("denied: no confederation", "RFC 5065 section 5"),
    ("denied: no import policy", "RFC 8212 section 3"),
    ("denied: import policy", "RFC 4271 section 9.1.1"),
    ("denied: next hop", "RFC 4271 section 5.1.3"),
    ("next hop", "RFC 4271 section 9.1.2.1"),
)
"""How a refusal begins -> where it is specified."""


def specified(reason: str) -> str | None:
    """The RFC's section of a step or of a refusal; None where it is not known."""
    if reason in SPECIFIED:
        return SPECIFIED[reason]
    return next((where for begins, where in _REFUSALS if reason.startswith(begins)), None)


def told_apart(reason: str, loser: BgpPath, winner: BgpPath) -> str | None:
    """What the step compared: the loser's value against the winner's. None where a state does not hold it."""
    value = _VALUES.get(reason)
    if value is None:
        return _WORDS.get(reason)
    one, other = value(loser), value(winner)
    return f"{one} against {other}" if one != other else None


def _length(path: BgpPath) -> str:
    numbers = path.attributes.as_path
    word = "AS number" if len(numbers) == 1 else "AS numbers"
    return f"{len(numbers)} {word}" + (f" ({as_path_text(numbers)})" if numbers else "")


def _preference(path: BgpPath) -> str:
    value = path.attributes.local_preference
    return f"local preference {_PREFERENCE if value is None else value}"


_VALUES: Mapping[str, Callable[[BgpPath], str]] = {
    "Weight": lambda p: f"weight {p.weight}",
    "Local Pref": _preference,
    "AS Path": _length,
    "Origin": lambda p: f"origin {p.attributes.origin}",
    "MED": lambda p: f"MED {p.attributes.med or 0}",
    "Cluster length": lambda p: f"{len(p.attributes.cluster_list)} clusters",
}
_WORDS: Mapping[str, str] = {
    "Local Route": "learnt, against one of the router's own",
    "Peer Type": "learnt by iBGP, against one by eBGP",
    "Confed Peer Type": "learnt in its own member AS, against one from another one",
    "IGP Metric": "its next hop is further away",
    "Older Path": "the other one was there first",
    "Router ID": "its neighbor has the higher router ID",
    "Neighbor IP": "its neighbor has the higher address",
}

"""What a speaker that runs GoBGP cannot send as it is written, measured on GoBGP 3.10 (internal/pkg/table/path.go,
UpdatePathAttrs): nothing of it is sent otherwise, it is refused."""

from __future__ import annotations

from bgpsim.inputs.files.speakers import Announcement, SpeakerFile
from bgpsim.network.description import Network

_ELSE = "or ExaBGP (without `engine: gobgp`)"


def refusal(announcement: Announcement, speaker: SpeakerFile, network: Network) -> tuple[str, str] | None:
    """The key, and what was found and expected; None for what it can send, or whoever else is to send it."""
    if speaker.engine != "gobgp":
        return None
    a, router = announcement, network.devices[announcement.router].bgp
    external = router is None or router.asn != speaker.asn
    if a.as_path is not None and external and a.as_path[:1] != (speaker.asn,):
        text = _path_text(a)
        return "as-path", f"as-path {text}: GoBGP puts its own AS first; expected {speaker.asn} there, {_ELSE}"
    if a.originator_id is not None:
        return "originator-id", f"originator-id: GoBGP sends none of a route of its own; expected none, {_ELSE}"
    if a.cluster_list:
        return "cluster-list", f"cluster-list: GoBGP sends none of a route of its own; expected none, {_ELSE}"
    for unknown in a.unknown:
        if not unknown.transitive:
            found = f"attribute {unknown.code} with flags 0x{unknown.flags:02X}"
            return "attributes", f"{found}: GoBGP sends transitive ones alone; expected 0xC0 or 0xE0, {_ELSE}"
    return None


def _path_text(a: Announcement) -> str:
    parts = (sorted(part) if isinstance(part, frozenset) else part for part in a.as_path or ())
    return str(list(parts))

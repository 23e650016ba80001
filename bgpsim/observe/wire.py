"""The wire plane: UPDATEs that a speaker heard and sent -> the net effect, route by route (RFC 4271 section 4.3).

An event is what `speaker.updates` gives: {speaker, router, time, event}, where `event` is one JSON object of ExaBGP 5
(`encoder json`, `receive { parsed; update; }`), of either direction.
"""

from __future__ import annotations

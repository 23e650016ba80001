"""How long nothing must happen before a step counts as settled (longer than every delay that daemons add)."""

from __future__ import annotations

import re
from collections.abc import Iterable

USUAL = 1.75
"""Seconds: FRR's default coalescing time of an update group (1.25 s as measured) and half a second."""
AFTER_POLICY = 5.5
"""Seconds: FRR applies an edited route-map or list after `bgp route-map delay-timer`, 5 s (bgpd/bgp_routemap.c)."""

_POLICY = re.compile(r"route-map|prefix-list|access-list|community-list|filter-list|distribute-list")


def window(lines: Iterable[str]) -> float:
    """The quiet window in seconds after these lines were typed on routers."""
    return AFTER_POLICY if any(_POLICY.search(line) for line in lines) else USUAL

"""How long nothing must happen before a step counts as settled (longer than every delay that daemons add)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bgpsim.daemon_timers import COALESCE, ROUTE_MAP_DELAY

USUAL = COALESCE.seconds + 0.5
AFTER_POLICY = ROUTE_MAP_DELAY.seconds + 0.5
"""FRR applies an edited route-map or list so much later."""

_POLICY = re.compile(r"route-map|prefix-list|access-list|community-list|filter-list|distribute-list")


def window(lines: Iterable[str]) -> float:
    """The quiet window in seconds after these lines were typed on routers."""
    return AFTER_POLICY if any(_POLICY.search(line) for line in lines) else USUAL

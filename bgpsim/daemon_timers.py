"""Every timer of the daemons that can delay a change: the one table that the settle rule reads.

A lab is at rest when nothing has moved for longer than each delay that daemons add by themselves, and no timer is left
that will move something. What a daemon tells of itself (its connect retry, hold time, advertisement interval, delay of
OPEN) is read from it, and stands here with its default; the rest is as measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Daemon = Literal["bgpd", "zebra", "gobgpd", "ExaBGP"]
Rule = Literal["window", "window after policy", "asked", "attempts", "margin", "at rest meanwhile"]
"""How the settle rule minds it. window: nothing must move for longer. asked: the daemon says how long it is, and it is
waited for. attempts: a session has failed when it has been tried for so long. margin: added to what is waited for.
at rest meanwhile: it is longer than a lab waits, and the state until then is the one that counts."""


@dataclass(frozen=True, slots=True)
class Timer:
    """`seconds`: the default, or what was measured."""

    of: Daemon
    what: str
    seconds: float
    rule: Rule
    source: str


COALESCE = Timer("bgpd", "coalesce-time of an update group", 1.25, "window", "bgpd/bgp_updgrp.h; measured on 8.4.4")
ROUTE_MAP_DELAY = Timer(
    "bgpd", "bgp route-map delay-timer", 5.0, "window after policy", "bgpd/bgp_routemap.c; 5.06 s measured on 8.4.4"
)
ADVERTISEMENT_INTERVAL = Timer(
    "bgpd", "neighbor X advertisement-interval", 0.0, "asked", "bgpd/bgpd.h, BGP_DEFAULT_*BGP_ROUTEADV"
)
DELAY_OPEN = Timer("bgpd", "neighbor X timers delayopen", 0.0, "asked", "bgpd/bgp_fsm.c")
CONNECT_RETRY = Timer("bgpd", "timers connect (10 s with datacenter defaults)", 120.0, "asked", "bgpd/bgpd.h")
HOLD = Timer("bgpd", "hold time (9 s with datacenter defaults)", 180.0, "asked", "bgpd/bgpd.h")
START = Timer("bgpd", "start timer, doubled with each failure up to 60 s", 1.0, "attempts", "bgpd/bgp_fsm.c")
PREFIX_RESTART = Timer(
    "bgpd", "maximum-prefix restart, in minutes", 60.0, "at rest meanwhile", "bgpd/bgp_route.c, v_pmax_restart"
)
NEXTHOP_GROUP = Timer("zebra", "zebra nexthop-group keep", 180.0, "at rest meanwhile", "zebra/zebra_nhg.c")
ACTS_ON_HOLD = Timer("bgpd", "acting on a hold timer that has run out, and seeing it", 1.5, "margin", "measured")
GOBGP_DIAL = Timer(
    "gobgpd", "a random 5 to 9 s before it dials, whatever is configured", 10.0, "attempts", "measured on 3.10.0"
)
GOBGP_SPEAKER = Timer(
    "gobgpd", "5 to 9 s, one more after a reset, and an attempt may take 4", 14.0, "attempts", "measured on 3.10.0"
)
EXABGP_PAUSE = Timer("ExaBGP", "pause between two attempts, longer with each", 10.0, "attempts", "measured on 5.0.15")
SPEAKER_HOLD = Timer("ExaBGP", "hold time that a speaker offers", 30.0, "asked", "bgpsim/speakers/configuration.py")

TIMERS = (
    *(COALESCE, ROUTE_MAP_DELAY, ADVERTISEMENT_INTERVAL, DELAY_OPEN, CONNECT_RETRY, HOLD, START, PREFIX_RESTART),
    *(NEXTHOP_GROUP, ACTS_ON_HOLD, GOBGP_DIAL, GOBGP_SPEAKER, EXABGP_PAUSE, SPEAKER_HOLD),
)
SPEAKERS: Mapping[str, Timer] = {"ExaBGP": EXABGP_PAUSE, "gobgpd": GOBGP_SPEAKER}
"""By a speaker's program."""

"""`frr defaults traditional|datacenter`: what an instance starts with where nothing is said."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """What a new `router bgp` starts with (bgpd/bgp_vty.c, FRR_CFG_DEFAULT_BOOL and _ULONG); times in seconds."""

    keepalive: int
    hold_time: int
    connect_retry: int
    ebgp_requires_policy: bool
    deterministic_med: bool


PROFILES = {
    "traditional": Profile(60, 180, 120, ebgp_requires_policy=True, deterministic_med=False),
    "datacenter": Profile(3, 9, 10, ebgp_requires_policy=False, deterministic_med=True),
}

"""Where FRR's releases print the same thing in other words (`show bgp … json`): each shape, and since when.

- `json detail`: up to 9 a prefix is a list, its own facts first and its paths behind them; 10 has an object with
  `paths` in it (bgpd/bgp_route.c, bgp_show_table).
- `advertised-routes json`: up to 9 `bgpOriginCode` is `i`, `e` or `?`; 10 has `origin`, spelled out
  (bgpd/bgp_route.c, route_vty_out_tmp).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from bgpsim.errors import LabError
from bgpsim.frr_series import OBSERVED, spelled

Origin = Literal["igp", "egp", "incomplete"]

ORIGINS: Mapping[str, Origin] = {"IGP": "igp", "EGP": "egp", "incomplete": "incomplete"}
_ORIGIN_CODES: Mapping[str, Origin] = {"i": "igp", "e": "egp", "?": "incomplete"}
_NEXT_HOPS = ("nextHopGlobal", "nextHop", "nexthopGlobal")


def check_readable(device: str, summary: Mapping[str, Any]) -> None:
    """Raises LabError for FRR 7, which has no `json detail`; of its peers it does not say the own AS either."""
    if any("localAs" not in peer for peer in summary.get("peers", {}).values()):
        raise LabError(
            f"{device}: its FRR prints no whole table with all attributes as JSON",
            hint="another release can be read: lab: {images: {frr: ...}}, or --frr: "
            + ", ".join(map(spelled, OBSERVED)),
        )


def paths_of(told: Any) -> Iterator[Mapping[str, Any]]:
    """The paths of one prefix in `json detail`."""
    among = told.get("paths", ()) if isinstance(told, dict) else told
    return (path for path in among if "aspath" in path)


def advertised(device: str, route: Mapping[str, Any]) -> tuple[str, Origin]:
    """Next hop and origin of a route in `advertised-routes json`. Raises LabError for a shape that is not known."""
    hop = next((route[name] for name in _NEXT_HOPS if name in route), None)
    origin = ORIGINS.get(route.get("origin", "")) or _ORIGIN_CODES.get(route.get("bgpOriginCode", ""))
    if hop is None or origin is None:
        raise LabError(f"{device}: FRR shows an advertised route of an unknown shape: {route}")
    return hop, origin

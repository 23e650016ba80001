"""The tables of a plan: whole, but for those that are too long to be read."""

from __future__ import annotations

from ipaddress import IPv4Network

from bgpsim.network.state import AdvertisedKey, Attributes, FibKey, FibRoute, NetworkState
from bgpsim.report.tables import MOST_LISTED, tables
from bgpsim.report.tables_text import tables_text


def test_of_a_long_table_the_first_routes_are_listed() -> None:
    prefixes = [IPv4Network((n << 12, 20)) for n in range(MOST_LISTED + 5)]
    route = Attributes("self")
    state = NetworkState(
        advertised={AdvertisedKey("r", n, "ipv4-unicast", p): route for n in ("a", "b") for p in reversed(prefixes)},
        fib={FibKey("r", "ipv4-unicast", prefixes[0], 0): FibRoute("unicast", "boot", frozenset())},
    )
    part = tables(state)
    assert (len(part.advertised), len(part.fib), part.left_out) == (2 * MOST_LISTED, 1, 10)
    assert [row.prefix for row in part.advertised][:2] == ["0.0.0.0/20", "0.0.16.0/20"]
    assert list(tables_text(part))[-1] == "… and 10 more rows of long tables"

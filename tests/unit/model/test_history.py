"""What a router chose earlier decides what it says now: FRR's selection reason is the one of its last choice."""

from dataclasses import replace
from ipaddress import ip_network

from seed_lab import announce, seed

from bgpsim.model import predict
from bgpsim.network.state import PathKey

ANYCAST = ip_network("10.99.0.1/32")
BOTH = seed(announced=[announce("10.99.0.1/32")])
"""At both ToRs: router0 has two external paths that no step before the age tells apart."""


def reason(found, neighbor: str) -> str | None:
    path = found.paths[PathKey("router0", "ipv4-unicast", ANYCAST, neighbor)]
    assert path.best
    return path.reason


def test_a_reason_stays_while_nothing_changes() -> None:
    """router0 hears the route from tor0, then from tor1 too: it compares them once, and keeps the older."""
    first = predict(seed(announced=[announce("10.99.0.1/32", "tor0")]), None, ()).state
    second = predict(BOTH, first, ()).state
    assert reason(second, "net0") == "Older Path"
    chosen = {
        key: replace(path, reason="Router ID") if key.prefix == ANYCAST and path.best else path
        for key, path in second.paths.items()
    }
    third = predict(BOTH, replace(second, paths=chosen), ()).state
    assert reason(third, "net0") == "Router ID"


def test_an_open_choice_has_no_reason_and_none_is_made_up_later() -> None:
    first = predict(BOTH, None, ())
    assert any(str(ANYCAST) in u.text for u in first.unmodelled)
    assert reason(first.state, "net0") is None
    assert reason(predict(BOTH, first.state, ()).state, "net0") is None

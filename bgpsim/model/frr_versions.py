"""Where FRR's releases behave differently at rest, as measured (docs/frr-versions.md): the one place that knows.

The release is that of the image which a lab would run the router on (`BgpInstance.frr`).
"""

from __future__ import annotations

from bgpsim.network.description import BgpInstance


def refuses_ipv6_without_address(instance: BgpInstance) -> bool:
    """An OPEN that settles on IPv6 unicast is refused where the session's IPv4 address is on an interface without an
    IPv6 address (bgpd/bgp_packet.c, bgp_open_receive): 10 closes the session, 8.4 goes on with IPv4-mapped next hops.
    """
    return instance.engine == "frr" and instance.frr >= (10, 0)


def enforces_first_as(instance: BgpInstance) -> bool:
    """An external peer's path must begin with the peer's AS, else it is taken as withdrawn (RFC 4271 section 6.3;
    bgpd/bgp_attr.c): the default of 10, and not of 8.4."""
    return instance.engine == "frr" and instance.frr >= (10, 0)


def prints_preference_to_external(instance: BgpInstance) -> bool:
    """`advertised-routes json` has the local preference of an internal peer's path to external peers too, whom it is
    not sent to: up to 10.3, and not on 10.7."""
    return instance.engine == "frr" and instance.frr < (10, 7)

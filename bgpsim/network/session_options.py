"""What FRR's statements about a session set, beside addresses, AS numbers, timers and families."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from bgpsim.network.types import Family

BGP_PORT = 179


@dataclass(frozen=True, slots=True)
class LocalAs:
    """`neighbor X local-as N [no-prepend [replace-as]]`: the AS number that this end says it is of."""

    asn: int
    no_prepend: bool = False
    """Received paths do not get it in front."""
    replace_as: bool = False
    """Sent paths get it alone, and not the instance's own AS behind it."""


@dataclass(frozen=True, slots=True)
class PrefixLimit:
    """`neighbor X maximum-prefix N`: more accepted prefixes end the session."""

    prefixes: int
    warning_only: bool = False
    restart: int | None = None
    """Minutes after which the session is tried again; None: never by itself."""


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """Of one neighbor. `NOTHING_SAID` where no statement was made."""

    password: str | None = field(default=None, repr=False)
    """Of TCP MD5 signatures (RFC 2385)."""
    ttl_security: int | None = None
    """How many links the peer may be away (RFC 5082): packets leave with TTL 255, and must come with 256 minus this."""
    connected_check: bool = True
    """False: an external peer need not be on a connected network, and the TTL stays what it is."""
    port: int = BGP_PORT
    """Where this end dials to."""
    local_as: LocalAs | None = None
    limits: Mapping[Family, PrefixLimit] = field(default_factory=lambda: MappingProxyType({}))
    strict_capabilities: bool = False
    """No session unless the peer has every family that is active here."""
    override_capabilities: bool = False
    """The own families are used, whatever the peer says."""
    no_capabilities: bool = False
    """The OPEN message carries none, so that the peer uses the families that it has itself."""
    enforce_first_as: bool | None = None
    """Paths of an external peer must begin with its AS. None: as the release does (bgpsim/model/frr_versions.py)."""
    alone: bool = False
    """`solo`: an update group of its own, in which nothing goes back to where it came from."""
    loop_detection: bool = False
    """`sender-as-path-loop-detection`: nothing is sent with the peer's AS in the path; only with `alone` (8.4.4)."""
    delay_open: int | None = None
    """Seconds between the connection and the OPEN message."""
    advertisement_interval: int | None = None
    """Seconds between two rounds of UPDATE messages."""


NOTHING_SAID = SessionOptions()

"""Statements about a neighbor's session while its lines are read -> SessionOptions."""

from __future__ import annotations

from dataclasses import dataclass, field

from bgpsim.network.session_options import BGP_PORT, LocalAs, PrefixLimit, SessionOptions
from bgpsim.network.types import Family


@dataclass
class SessionLines:
    """Of a neighbor or peer-group; None: nothing was said here."""

    password: str | None = None
    ttl_security: int | None = None
    connected_check: bool | None = None
    port: int | None = None
    local_as: LocalAs | None = None
    limits: dict[Family, PrefixLimit] = field(default_factory=dict)
    strict_capabilities: bool | None = None
    override_capabilities: bool | None = None
    no_capabilities: bool | None = None
    enforce_first_as: bool | None = None
    alone: bool | None = None
    loop_detection: bool | None = None
    delay_open: int | None = None
    advertisement_interval: int | None = None

    def over(self, group: SessionLines) -> SessionOptions:
        """These lines, and the group's where nothing is said here."""

        def said(name: str) -> object:
            own = getattr(self, name)
            return getattr(group, name) if own is None else own

        return SessionOptions(
            password=self.password or group.password,
            ttl_security=group.ttl_security if self.ttl_security is None else self.ttl_security,
            connected_check=said("connected_check") is not False,
            port=self.port or group.port or BGP_PORT,
            local_as=self.local_as or group.local_as,
            limits=group.limits | self.limits,
            strict_capabilities=bool(said("strict_capabilities")),
            override_capabilities=bool(said("override_capabilities")),
            no_capabilities=bool(said("no_capabilities")),
            enforce_first_as=(group.enforce_first_as if self.enforce_first_as is None else self.enforce_first_as),
            alone=bool(said("alone")),
            loop_detection=bool(said("loop_detection")),
            delay_open=self.delay_open or group.delay_open,
            advertisement_interval=(
                group.advertisement_interval if self.advertisement_interval is None else self.advertisement_interval
            ),
        )

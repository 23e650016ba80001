"""Statements of `configure terminal` that are about the router itself."""

from __future__ import annotations

from bgpsim.inputs.frr.configuration import Configuration
from bgpsim.inputs.frr.grammar.statement import ROUTING, Said, Statement, listed, modelled
from bgpsim.inputs.frr.profile import PROFILES
from bgpsim.inputs.frr.values import Unknown

COSMETIC = "it names, logs or describes, and moves no route"


def _defaults(router: Configuration, said: Said) -> None:
    profile = said.text("profile")
    if profile not in PROFILES:
        raise Unknown(f"a profile {profile} is not known to FRR, which warns and goes on")
    router.next_profile = PROFILES[profile]


STATEMENTS: tuple[Statement, ...] = (
    modelled(
        "config",
        "frr defaults PROFILE...$profile",
        _defaults,
        "frr defaults datacenter",
        "frr defaults traditional",
        daemons=ROUTING,
    ),
    *listed(
        "none",
        COSMETIC,
        "config",
        ("[no] frr version VERSION...", "frr version 8.4.4"),
        ("[no] hostname [WORD]", "hostname leaf"),
        ("[no] domainname [WORD]", "domainname example.net"),
        ("[no] log LINE...", "log stdout", "log syslog informational", "log file /tmp/frr.log"),
        ("[no] service LINE...", "service integrated-vtysh-config", "service password-encryption"),
        ("[no] banner motd LINE...", "banner motd line hello"),
        ("[no] password [LINE...]", "password zebra"),
        ("[no] enable password [LINE...]", "enable password zebra"),
        ("[no] username WORD nopassword", "username root nopassword"),
        ("[no] debug LINE...", "debug bgp updates"),
        ("line vty", "line vty"),
        daemons=(*ROUTING, "other", "vtysh"),
    ),
)

"""ExaBGP's configuration file for one attachment of a speaker.

Each attachment has an ExaBGP process of its own: every router has the same link-local address on a speaker's link, and
a command of ExaBGP's selects a neighbor by addresses, AS numbers and router ID, never by interface.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bgpsim.errors import InputError
from bgpsim.inputs.files.speakers import ROUTER_LINK_LOCAL, Attachment, SpeakerFile

HOLD_TIME = 30
"""Seconds, the speaker's offer; the session takes the smaller of both ends' (RFC 4271 section 4.2)."""
ENVIRONMENT: Mapping[str, str] = {
    # The default `nobody` may have no id in the lab's user namespace.
    "exabgp_daemon_user": "root",
    # No named pipes for a command line of ExaBGP's own.
    "exabgp_api_cli": "false",
    "exabgp_log_level": "WARNING",
    "exabgp_log_destination": "stderr",
}
_ANNOUNCED = re.compile(r" announce (?:route|ipv6 unicast) (.+)$")
_WORD = re.compile(r"[^\s{};\"'#\\]+")


def configuration_text(speaker: SpeakerFile, attachment: Attachment, router_asn: int, relay: Sequence[str]) -> str:
    """The file for `speaker` at `attachment.router`; `relay` is the command line of the API process.

    IPv4 routes travel with IPv6 next hops (RFC 8950) over a session of link-local addresses. The speaker dials.
    Raises InputError for a word that ExaBGP's grammar cannot hold.
    """
    for word in (attachment.speaker_interface, *relay):
        if not _WORD.fullmatch(word):
            raise InputError(
                f"speaker {speaker.name}: found {word!r}, expected a name without spaces, quotes and ;",
                file=speaker.source.file,
                line=speaker.source.line,
            )
    return f"""process relay {{
  run {" ".join(relay)};
  encoder json;
  respawn false;
}}
neighbor {ROUTER_LINK_LOCAL} {{
  local-address {attachment.speaker_address};
  source-interface {attachment.speaker_interface};
  router-id {speaker.router_id};
  local-as {speaker.asn};
  peer-as {router_asn};
  hold-time {HOLD_TIME};
  adj-rib-out true;
  family {{
    ipv4 unicast;
    ipv6 unicast;
  }}
  capability {{
    {"add-path send/receive" if speaker.add_path else "add-path disable"};
    nexthop enable;
    route-refresh enable;
  }}
  nexthop {{
    ipv4 unicast ipv6;
  }}
  api {{
    processes [ relay ];
    neighbor-changes;
    receive {{
      parsed;
      update;
      notification;
    }}
    send {{
      parsed;
      update;
    }}
  }}
}}
"""


def with_static_route(configuration: str, command: str) -> str | None:
    """The same file with the route of an announce command in it, for `exabgp validate`; None for other commands."""
    route = _ANNOUNCED.search(command)
    if route is None:
        return None
    return f"{configuration.rstrip().removesuffix('}')}  static {{\n    route {route[1]};\n  }}\n}}\n"

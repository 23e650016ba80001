"""Small networks of two or three routers that each show one statement about sessions, put side by side into one lab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from variants import router, topology

Ends = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """Two routers `a` and `b` on a link, 10.0.N.1 and 10.0.N.2, each with a loopback that it tells of.

    `a`, `b`: their statements, in which {a} and {b} are the addresses. `up`: whether the session stands.
    """

    name: str
    a: str
    b: str
    up: bool
    asn: tuple[int, int] = (65001, 65002)
    own: tuple[str, str] = ("", "")
    """Statements of the IPv4 family."""
    config: tuple[str, str] = ("", "")


def plain(remote: int | str = 65002) -> str:
    return f"neighbor {{b}} remote-as {remote}\nneighbor {{b}} timers connect 2"


def back(remote: int | str = 65001) -> str:
    return f"neighbor {{a}} remote-as {remote}\nneighbor {{a}} timers connect 2"


def files(cases: Sequence[Case]) -> dict[str, str]:
    nodes, links = [], []
    for number, case in enumerate(cases, 1):
        addresses = {"a": f"10.0.{number}.1", "b": f"10.0.{number}.2"}
        for end, name in enumerate("ab"):
            bgp = "no bgp ebgp-requires-policy\n" + (case.a, case.b)[end].format(**addresses)
            family = case.own[end].format(**addresses)
            bgp += f"\naddress-family ipv4 unicast\nredistribute connected\n{family}\nexit-address-family"
            first = ("a", "b")[end]
            nodes.append(
                router(
                    f"{case.name}-{name}",
                    case.asn[end],
                    {"lo": f"10.255.{number}.{end + 1}/32", "net0": f"{addresses[first]}/24"},
                    "\n".join(line for line in bgp.splitlines() if line.strip()),
                    first=f"ip addr add 10.254.{number}.{end + 1}/32 dev lo",
                    config=case.config[end],
                )
            )
        links.append((f"{case.name}-a:net0", f"{case.name}-b:net0"))
    return topology(nodes, *links)


CASES = (
    Case("md5", plain() + "\nneighbor {b} password one", back() + "\nneighbor {a} password one", True),
    Case("md5-other", plain() + "\nneighbor {b} password one", back() + "\nneighbor {a} password two", False),
    Case("md5-one", plain() + "\nneighbor {b} password one", back(), False),
    Case("gtsm", plain() + "\nneighbor {b} ttl-security hops 1", back() + "\nneighbor {a} ttl-security hops 1", True),
    Case("gtsm-far", plain() + "\nneighbor {b} ttl-security hops 2", back() + "\nneighbor {a} ebgp-multihop", True),
    Case("gtsm-254", plain() + "\nneighbor {b} ttl-security hops 254", back() + "\nneighbor {a} ebgp-multihop 2", True),
    Case(
        "listen",
        "neighbor G peer-group\nneighbor G remote-as external\nneighbor G password one\n"
        "bgp listen range 10.0.0.0/16 peer-group G\nbgp listen limit 5",
        back() + "\nneighbor {a} password one",
        True,
    ),
    Case(
        "listen-out",
        "neighbor G peer-group\nneighbor G remote-as external\nbgp listen range 10.1.0.0/16 peer-group G",
        back(),
        False,
    ),
    Case("local-as", plain() + "\nneighbor {b} local-as 65009", back(65009), True),
    Case("local-np", plain() + "\nneighbor {b} local-as 65009 no-prepend", back(65009), True),
    Case("local-ra", plain() + "\nneighbor {b} local-as 65009 no-prepend replace-as", back(65009), True),
    Case("local-no", plain() + "\nneighbor {b} local-as 65009", back(65001), False),
    Case("limit", plain(), back(), False, own=("neighbor {b} maximum-prefix 1", "")),
    Case("limit-ok", plain(), back(), True, own=("neighbor {b} maximum-prefix 3", "")),
    Case("limit-warn", plain(), back(), True, own=("neighbor {b} maximum-prefix 1 warning-only", "")),
    Case("limit-again", plain(), back(), False, own=("neighbor {b} maximum-prefix 1 50 restart 1", "")),
    Case("shut", plain() + "\nbgp shutdown", back(), False),
    Case("shut-msg", plain() + "\nneighbor {b} shutdown message for repair", back(), False),
    Case("shut-born", "bgp default shutdown\n" + plain(), back(), False),
    Case("port", plain() + "\nneighbor {b} port 1790", back(), True),
    Case("ports", plain() + "\nneighbor {b} port 1790", back() + "\nneighbor {a} port 1790", False),
    Case("passive", plain() + "\nneighbor {b} passive", back(), True),
    Case("passives", plain() + "\nneighbor {b} passive", back() + "\nneighbor {a} passive", False),
    Case("hold", plain() + "\nbgp minimum-holdtime 20", back(), False),
    Case("hold-ok", plain() + "\nbgp minimum-holdtime 9", back(), True),
    Case("strict", plain() + "\nneighbor {b} strict-capability-match", back(), True),
    Case(
        "strict-v6",
        plain() + "\nneighbor {b} strict-capability-match\naddress-family ipv6 unicast\nneighbor {b} activate\n"
        "exit-address-family",
        back(),
        False,
    ),
    Case("dont", plain() + "\nneighbor {b} dont-capability-negotiate", back(), True),
    Case("override", plain() + "\nneighbor {b} override-capability", back(), True),
    Case(
        "override-v6",
        plain() + "\nneighbor {b} override-capability\naddress-family ipv6 unicast\nneighbor {b} activate\n"
        "exit-address-family",
        back(),
        True,
    ),
    Case(
        "same-id", "bgp router-id 10.9.9.9\n" + plain(65001), "bgp router-id 10.9.9.9\n" + back(), False, (65001, 65001)
    ),
    Case("solo", plain() + "\nneighbor {b} solo", back(), True),
    Case("loop-detect", plain() + "\nneighbor {b} sender-as-path-loop-detection", back(), True),
    Case("first-as", plain() + "\nneighbor {b} enforce-first-as", back(), True),
    Case("external", plain("external"), back("external"), True),
    Case("internal", plain("internal"), back("internal"), False),
    Case("ibgp-gtsm", plain("internal") + "\nneighbor {b} ttl-security hops 1", back(), True, (65001, 65001)),
    Case("delay", plain() + "\nneighbor {b} timers delayopen 4", back() + "\nneighbor {a} timers delayopen 4", True),
    Case("interval", plain() + "\nneighbor {b} advertisement-interval 8", back(), True),
)

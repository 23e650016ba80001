"""Two routers on a link for each way of saying something about their session, put side by side into one lab."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from variants import router, topology

V6 = "address-family ipv6 unicast\nneighbor {peer} activate\nexit-address-family"
GROUP = "neighbor G peer-group\nneighbor G remote-as external\n"


@dataclass(frozen=True, slots=True)
class Case:
    """Routers `NAME-a` and `NAME-b`, each with two loopbacks that it tells of. `a`, `b`: what they say of each other
    beside `neighbor {peer} remote-as …`. `shows`: the lines of `a` without which the prediction is another one; none
    where they are about time alone.
    """

    name: str
    a: str
    b: str = ""
    up: bool = True
    remote: tuple[str, str] = ("65002", "65001")
    """What each expects the other's AS number to be; none: it has no neighbor of its own (but a listen range)."""
    asn: tuple[int, int] = (65001, 65002)
    shows: str = ""


def lines(case: Case, end: int, peer: str) -> str:
    """The statements of `router bgp`; the lines about a session's peer come last, so that `vtysh` reads them all."""
    remote = case.remote[end]
    own = f"neighbor {peer} remote-as {remote}\nneighbor {peer} timers connect 2\n" if remote else ""
    first = "bgp default shutdown\n" if case.name.startswith("born") and not end else ""
    said = (case.a, case.b)[end].replace("{peer}", peer)
    return f"no bgp ebgp-requires-policy\n{first}redistribute connected\n{own}{said}"


def topo(cases: Sequence[Case]) -> dict[str, str]:
    nodes, links = [], []
    for number, case in enumerate(cases, 1):
        for end, name in enumerate("ab"):
            nodes.append(
                router(
                    f"{case.name}-{name}",
                    case.asn[end],
                    {"lo": f"10.255.{number}.{end + 1}/32", "net0": f"10.0.{number}.{end + 1}/24"},
                    lines(case, end, f"10.0.{number}.{2 - end}"),
                    first=f"ip addr add 10.254.{number}.{end + 1}/32 dev lo",
                )
            )
        links.append((f"{case.name}-a:net0", f"{case.name}-b:net0"))
    return topology(nodes, *links)


def of_peer(*words: str) -> str:
    return "\n".join(f"neighbor {{peer}} {said}" for said in words)


PASSWORD, OTHER = of_peer("password one"), of_peer("password two")
SLOW = of_peer("timers connect 120")
"""Attempts that nobody would wait for."""
LISTEN = GROUP + "bgp listen range 10.0.0.0/16 peer-group G"
ALONE = ("", "65001")

CASES = (
    Case("md5", PASSWORD, PASSWORD, shows="password"),
    Case("md5-other", f"{SLOW}\n{PASSWORD}", f"{SLOW}\n{OTHER}", up=False),
    Case("md5-one", f"{SLOW}\n{PASSWORD}", SLOW, up=False, shows="password"),
    Case(
        "md5-group",
        f"{GROUP}neighbor G password one\n{SLOW}\n" + of_peer("peer-group G"),
        SLOW,
        False,
        shows="password",
    ),
    Case("gtsm", of_peer("ttl-security hops 1"), of_peer("ttl-security hops 1"), shows="ttl-security"),
    Case("gtsm-far", of_peer("ttl-security hops 2"), of_peer("ebgp-multihop"), shows=""),
    Case("gtsm-254", of_peer("ttl-security hops 254"), of_peer("ebgp-multihop 2")),
    Case("gtsm-in", of_peer("ttl-security hops 1"), remote=("internal", "65001"), asn=(65001, 65001)),
    Case(
        "listen", f"{LISTEN}\nneighbor G password one\nbgp listen limit 5", PASSWORD, remote=ALONE, shows="listen range"
    ),
    Case("listen-out", GROUP + "bgp listen range 10.1.0.0/16 peer-group G", up=False, remote=ALONE),
    Case("listen-as", LISTEN.replace("external", "65003"), up=False, remote=ALONE),
    Case("listen-shut", f"{LISTEN}\nneighbor G shutdown", up=False, remote=ALONE, shows="shutdown"),
    Case("listen-off", f"{LISTEN}\nbgp shutdown", remote=ALONE, shows="bgp shutdown"),
    Case("listen-slow", f"{LISTEN}\nneighbor G timers delayopen 4", of_peer("timers connect 5"), remote=ALONE),
    Case("local", of_peer("local-as 65009"), remote=("65002", "65009"), shows="local-as"),
    Case("local-np", of_peer("local-as 65009 no-prepend"), remote=("65002", "65009"), shows="local-as"),
    Case("local-ra", of_peer("local-as 65009 no-prepend replace-as"), remote=("65002", "65009"), shows="local-as"),
    Case(
        "local-group",
        "neighbor G peer-group\nneighbor G remote-as 65002\nneighbor G local-as 65009\n" + of_peer("peer-group G"),
        remote=("65002", "65009"),
        shows="local-as",
    ),
    Case("local-wrong", of_peer("local-as 65009"), up=False, shows="local-as"),
    Case(
        "local-both",
        of_peer("local-as 65009"),
        of_peer("local-as 65077 no-prepend replace-as"),
        remote=("65077", "external"),
        shows="local-as",
    ),
    Case("limit", of_peer("maximum-prefix 1"), up=False, shows="maximum-prefix"),
    Case("limit-ok", of_peer("maximum-prefix 3")),
    Case("limit-warn", of_peer("maximum-prefix 1 warning-only"), shows=""),
    Case("limit-again", of_peer("maximum-prefix 1 50 restart 1"), up=False, shows="maximum-prefix"),
    Case("limit-group", f"{GROUP}neighbor G maximum-prefix 1\n" + of_peer("peer-group G"), up=False, shows="maximum"),
    Case("off", "bgp shutdown", up=False, shows="bgp shutdown"),
    Case("off-told", of_peer("shutdown message for repair"), up=False, shows="shutdown"),
    Case("off-group", f"{GROUP}neighbor G shutdown\n" + of_peer("peer-group G", "shutdown"), up=False),
    Case("born", "", up=False),
    Case("born-open", "no neighbor {peer} shutdown", shows="no neighbor"),
    Case("port", of_peer("port 1790")),
    Case("ports", f"{SLOW}\n" + of_peer("port 1790"), f"{SLOW}\n" + of_peer("passive"), up=False, shows="port"),
    Case("passive", f"{SLOW}\n" + of_peer("passive"), f"{SLOW}\n" + of_peer("passive"), up=False, shows="passive"),
    Case("hold", "bgp minimum-holdtime 20", up=False, shows="minimum-holdtime"),
    Case("hold-none", of_peer("timers 0 0"), "bgp minimum-holdtime 3", up=False, shows="timers 0 0"),
    Case("strict", of_peer("strict-capability-match")),
    Case("strict-6", f"{V6}\n" + of_peer("strict-capability-match"), up=False, shows="strict"),
    Case("strict-none", f"{V6}\n" + of_peer("strict-capability-match"), of_peer("dont-capability-negotiate")),
    Case("none-6", f"{V6}\n" + of_peer("dont-capability-negotiate")),
    Case("none-far", of_peer("dont-capability-negotiate"), V6, shows="dont-capability"),
    Case("over-6", f"{V6}\n" + of_peer("override-capability"), shows="override-capability"),
    Case("half-6", V6),
    Case(
        "same-id", "bgp router-id 10.9.9.9", "bgp router-id 10.9.9.9", False, ("65001", "65001"), (65001, 65001), "id"
    ),
    Case("solo", of_peer("solo"), shows="solo"),
    Case("detect", of_peer("sender-as-path-loop-detection")),
    Case("detect-solo", of_peer("solo", "sender-as-path-loop-detection"), shows="solo"),
    Case("first-as", of_peer("enforce-first-as")),
    Case("external", "", remote=("external", "external")),
    Case("internal", "", up=False, remote=("internal", "internal")),
    Case("interval", of_peer("advertisement-interval 4")),
)

REFUSED = (
    Case("own-as", of_peer("local-as 65001")),
    Case(
        "both-ttl",
        of_peer("ebgp-multihop 3", "ttl-security hops 1"),
        of_peer("ttl-security hops 254", "ebgp-multihop 2"),
    ),
    Case("conflict", of_peer("strict-capability-match", "override-capability")),
    Case("no-group", GROUP.replace(" remote-as external", " passive") + "bgp listen range 10.0.0.0/8 peer-group G"),
    Case("edge", of_peer("maximum-prefix 2")),
)
"""Their last lines are refused by a router, as predicted; the last one is let stand with one prefix more."""

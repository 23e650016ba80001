"""Why a path lost, where a route comes from, what is missing: on small states and on the shipped scenario."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from bgpsim.check.decision_words import SPECIFIED, specified, told_apart
from bgpsim.check.explain import explain_route, origin
from bgpsim.check.explain_way import explain_pair
from bgpsim.check.missing import missing
from bgpsim.model.decision import REASONS
from bgpsim.network.state import (
    AdvertisedKey,
    Attributes,
    BgpPath,
    FibKey,
    FibNextHop,
    FibRoute,
    FlowKey,
    Forwarding,
    ForwardingPath,
    Hop,
    NetworkState,
    PathKey,
    Session,
    SessionKey,
    WireKey,
)
from bgpsim.source import Source

V4 = "ipv4-unicast"
PREFIX = ip_network("10.1.3.0/24")
LINE = Source("topo.yml", 48, "redistribute connected")


def path(*as_path: int, best: bool = True, lost: str | None = None, valid: bool = True, **more: Any) -> BgpPath:
    reason = more.pop("reason", None)
    return BgpPath(Attributes("hop", as_path, **more), valid, best, False, reason=reason, lost=lost, sources=(LINE,))


def chain(**sessions: Any) -> NetworkState:
    """tor0 - r0 - tor1, where tor1 puts the prefix in itself."""
    ends = {
        SessionKey("tor0", "net0"): Session("Established", "ebgp", "r0"),
        SessionKey("r0", "net0"): Session("Established", "ebgp", "tor0"),
        SessionKey("r0", "net1"): Session("Established", "ebgp", "tor1"),
        SessionKey("tor1", "net0"): Session("Established", "ebgp", "r0", because_sources=(LINE,)),
    }
    paths = {
        PathKey("tor0", V4, PREFIX, "net0"): path(1, 2),
        PathKey("r0", V4, PREFIX, "net1"): path(2),
        PathKey("tor1", V4, PREFIX, "local"): path(),
    }
    return NetworkState(sessions={**ends, **sessions}, paths=paths)


def without(state: NetworkState, *devices: str) -> NetworkState:
    return replace(state, paths={k: p for k, p in state.paths.items() if k.device not in devices})


def test_every_step_of_the_decision_process_says_where_it_is_specified() -> None:
    assert set(REASONS) == set(SPECIFIED)


@pytest.mark.parametrize(
    ("refusal", "where"),
    [
        ("denied: own AS 65000 in the path", "RFC 4271 section 9.1.2"),
        ("denied: no import policy, and ebgp-requires-policy is on", "RFC 8212 section 3"),
        ("next hop 10.0.9.9 cannot be resolved", "RFC 4271 section 9.1.2.1"),
        ("something else", None),
    ],
)
def test_where_a_refusal_is_specified(refusal: str, where: str | None) -> None:
    assert specified(refusal) == where


def test_what_told_two_paths_apart() -> None:
    assert told_apart("AS Path", path(1, 2), path(3)) == "2 AS numbers (1 2) against 1 AS number (3)"
    assert told_apart("MED", path(med=20), path()) == "MED 20 against MED 0"
    assert (
        told_apart("Local Pref", path(local_preference=50), path())
        == "local preference 50 against local preference 100"
    )
    assert told_apart("Router ID", path(), path()) == "its neighbor has the higher router ID"


def test_the_best_comes_first_then_the_losers_then_the_refused() -> None:
    state = NetworkState(
        paths={
            PathKey("r0", V4, PREFIX, "a"): path(1, best=False, valid=False, lost="denied: own AS 1 in the path"),
            PathKey("r0", V4, PREFIX, "b"): path(2, 3, best=False, lost="AS Path"),
            PathKey("r0", V4, PREFIX, "c"): path(4, reason="AS Path"),
        }
    )
    found = explain_route(state, "r0", PREFIX).paths
    assert [(p.neighbor, p.fate, p.why) for p in found] == [
        ("c", "best", "won at AS Path"),
        ("b", "lost", "lost at AS Path: 2 AS numbers (2 3) against 1 AS number (4)"),
        ("a", "not eligible", "denied: own AS 1 in the path"),
    ]
    assert found[0].lines == (LINE,)


def test_a_route_is_followed_to_where_it_comes_from() -> None:
    found = origin(chain(), "tor0", PREFIX)
    assert found is not None
    assert (found.device, found.by, found.speaker, found.lines) == ("tor1", ("tor0", "r0", "tor1"), False, (LINE,))


def test_routers_that_point_at_each_other_are_no_origin() -> None:
    state = chain()
    turned = {
        **state.paths,
        PathKey("r0", V4, PREFIX, "net0"): path(1),
        PathKey("r0", V4, PREFIX, "net1"): path(best=False),
    }
    assert origin(replace(state, paths=turned), "tor0", PREFIX) is None


def test_missing_tells_the_nearest_session_that_is_down() -> None:
    down = Session("Down", "ebgp", "tor1", because="shut down at tor1", because_sources=(LINE,))
    state = without(chain(), "tor0", "r0")
    state = replace(state, sessions={**state.sessions, SessionKey("r0", "net1"): down})
    (stop,) = missing(replace(state, fib={FibKey("r0", V4, ip_network("10.0.0.0/8"), 0): BLACKHOLE}), "tor0", PREFIX)
    assert stop.because == "the session of r0 with tor1 (net1) is down: shut down at tor1"
    assert stop.lines == (LINE,)


BLACKHOLE = FibRoute("blackhole", "boot", frozenset())


def test_missing_where_the_far_end_of_a_cut_link_has_no_name() -> None:
    cut = Session("Down", "ebgp", None, because="no carrier on r0:net1")
    state = without(chain(), "tor0", "r0")
    state = replace(
        state,
        sessions={k: s for k, s in state.sessions.items() if k.device != "tor1"} | {SessionKey("r0", "net1"): cut},
        fib={FibKey("r0", V4, ip_network("10.0.0.0/8"), 0): BLACKHOLE},
    )
    (stop,) = missing(state, "tor0", ip_address("10.1.3.2"))
    assert stop.because == "the session net1 of r0 is down: no carrier on r0:net1"


def test_missing_where_it_is_refused_or_not_sent() -> None:
    state = without(chain(), "tor0")
    heard = {
        PathKey("tor0", V4, PREFIX, "net0"): path(1, 2, best=False, valid=False, lost="denied: own AS 2 in the path")
    }
    (stop,) = missing(replace(state, paths={**state.paths, **heard}), "tor0", PREFIX)
    assert stop.because == "tor0 refuses it: denied: own AS 2 in the path"
    internal = {k: replace(s, type="ibgp") for k, s in state.sessions.items()}
    (stop,) = missing(replace(state, sessions=internal), "tor0", PREFIX)
    assert stop.because == "r0 does not send it to tor0: what is learnt by iBGP is not passed on by iBGP"
    assert stop.specified == "RFC 4271 section 9.2"
    held = {PathKey("r0", V4, PREFIX, "net1"): path(2, communities=("no-export",))}
    (stop,) = missing(replace(state, paths={**state.paths, **held}), "tor0", PREFIX)
    assert stop.specified == "RFC 1997"
    sent = {AdvertisedKey("r0", "net0", V4, PREFIX): Attributes("self")}
    (stop,) = missing(replace(state, advertised=sent), "tor0", PREFIX)
    assert stop.because == "r0 sends it, and tor0 does not keep it"


def test_missing_everywhere_and_without_a_session() -> None:
    (stop,) = missing(chain(), "tor0", ip_address("192.0.2.1"))
    assert stop.because == "no router of this lab has a route to 192.0.2.1"
    (stop,) = missing(chain(), "alone", PREFIX)
    assert stop.because == "no BGP session, up or down, leads from alone to who has 10.1.3.0/24: r0, tor0, tor1"


def test_a_hijack_is_named_with_what_it_goes_before() -> None:
    half = ip_network("10.1.3.0/25")
    state = chain()
    state = replace(
        state,
        sessions={**state.sessions, SessionKey("tor1", "fe80::2"): Session("Established", "ebgp", "injector")},
        paths={**state.paths, PathKey("tor1", V4, half, "fe80::2"): path(99)},
        wire={WireKey("injector", "sent", "tor1", V4, half): Attributes("injector:tor1", (99,))},
        lines={WireKey("injector", "sent", "tor1", V4, half): (Source("s.yaml", 9, "- {speaker: injector}"),)},
        fib={
            FibKey("tor1", V4, half, 20): FibRoute("unicast", "bgp", frozenset({FibNextHop("injector:tor1", "x")})),
            FibKey("tor1", V4, PREFIX, 0): FibRoute("unicast", "kernel", frozenset({FibNextHop(None, "net2")})),
        },
    )
    flow = FlowKey("pod:a", "pod:b", "10.1.1.2", "10.1.3.2")
    hops = (Hop("tor1", "net0", "x"), Hop("injector", "tor1", None))
    walked = ForwardingPath(hops, "dropped-by-speaker", "injector", "injector drops what it attracts")
    state = replace(state, forwarding={flow: Forwarding("dropped-by-speaker", (walked,))})
    (found,) = explain_pair(state, flow).ways
    assert found.hijack == "speaker injector announced 10.1.3.0/25, which is longer than 10.1.3.0/24 of tor1"
    assert found.origin is not None
    assert [str(line) for line in found.origin.lines] == ["s.yaml:9"]
    assert [(h.device, h.route and h.route.prefix, len(h.learnt)) for h in found.hops] == [
        ("tor1", "10.1.3.0/25", 1),
        ("injector", None, 0),
    ]


def test_what_the_lab_shows_stands_beside_the_prediction() -> None:
    predicted = chain()
    observed = replace(predicted, paths={k: p for k, p in predicted.paths.items() if k.device != "r0"})
    assert explain_route(predicted, "tor0", PREFIX, observed).paths[0].observed == "as predicted"
    assert explain_route(predicted, "r0", PREFIX, observed).paths[0].observed == "not there"

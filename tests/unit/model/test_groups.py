"""ECMP after an interface was down: what the kernel took out of zebra's nexthop groups (FRR 8.4.4, measured)."""

from dataclasses import replace
from ipaddress import ip_network

from drawing import frr, net, with_down

from bgpsim.model import predict
from bgpsim.network.state import FibKey

CLOS = net(
    links=[
        *("l1:up1 -- s1:net1", "l1:up2 -- s2:net1", "l2:up1 -- s1:net2", "l2:up2 -- s2:net2"),
        *("l1:h0 -- h1:net0", "l2:h0 -- h2:net0"),
    ],
    addresses={
        "l1:h0": "10.1.0.1/24",
        "l2:h0": "10.2.0.1/24",
        "h1:net0": "10.1.0.2/24",
        "h2:net0": "10.2.0.2/24",
        "l1:lo": "10.255.1.1/32",
        "l2:lo": "10.255.1.2/32",
        "s1:lo": "10.255.0.1/32",
        "s2:lo": "10.255.0.2/32",
    },
    routers={
        "s1": frr(65100, "net1", "net2", multipath_relax=True),
        "s2": frr(65101, "net1", "net2", multipath_relax=True),
        "l1": frr(65201, "up1", "up2", multipath_relax=True),
        "l2": frr(65202, "up1", "up2", multipath_relax=True),
    },
    kinds={"h1": "host", "h2": "host"},
)
TO_L2 = FibKey("l1", "ipv4-unicast", ip_network("10.2.0.0/24"), 20)


def kernel(*cuts: tuple[str, ...]) -> list[set[str]]:
    """The interfaces of l1's route to l2's hosts, after each step with these interfaces down."""
    before, found = None, []
    for down in cuts:
        before = predict(with_down(CLOS, *down), before, ()).state
        route = before.fib.get(TO_L2)
        found.append({hop.interface for hop in route.next_hops} if route else set())
    return found


def test_a_group_taken_again_lacks_the_interface_that_was_down() -> None:
    """The kernel took up1 out of the group {up1, up2} when its carrier was gone; zebra does not put it in again."""
    assert kernel((), ("s1:net1",), ()) == [{"up1", "up2"}, {"up2"}, {"up2"}]


def test_a_group_that_the_kernel_has_emptied_is_refused_and_the_route_before_stays() -> None:
    assert kernel((), ("s1:net1",), (), ("s2:net1",), ()) == [{"up1", "up2"}, {"up2"}, {"up2"}, {"up1"}, {"up1"}]


def test_zebra_makes_a_group_anew_that_had_no_valid_member() -> None:
    both = ("s1:net1", "s2:net1")
    assert kernel((), both, ()) == [{"up1", "up2"}, set(), {"up1", "up2"}]
    assert kernel((), ("s1:net1",), both, ()) == [{"up1", "up2"}, {"up2"}, set(), {"up1", "up2"}]


def test_a_group_first_used_after_the_cut_is_whole() -> None:
    assert kernel(("s1:net1",), ()) == [{"up2"}, {"up1", "up2"}]


def test_it_is_said_and_only_where_it_is_so() -> None:
    first = predict(CLOS, None, ())
    cut = predict(with_down(CLOS, "s1:net1"), first.state, ())
    back = predict(CLOS, cut.state, ())

    def texts(prediction) -> set[tuple[str | None, str]]:
        return {(u.device, u.text) for u in prediction.unmodelled if "nexthop group" in u.text}

    assert texts(first) == texts(cut) == set()
    assert texts(back) == {
        ("l1", "the kernel's nexthop group of 10.2.0.0/24 has lost up1"),
        ("l1", "the kernel's nexthop group of 10.255.1.2/32 has lost up1"),
        # s1 is the other end of the link that was cut.
        ("s1", "the kernel's nexthop group of 10.255.0.2/32 has lost net1"),
    }


def test_a_state_that_was_observed_remembers_none() -> None:
    seen = predict(with_down(CLOS, "s1:net1"), predict(CLOS, None, ()).state, ()).state
    forgotten = predict(CLOS, replace(seen, groups={}), ()).state
    assert {hop.interface for hop in forgotten.fib[TO_L2].next_hops} == {"up1", "up2"}

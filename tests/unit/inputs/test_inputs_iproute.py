"""`ip` lines and their neighbors, each against what iproute2 and the kernel make of it."""

from contextlib import suppress
from ipaddress import ip_address, ip_interface, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgpsim.errors import InputError
from bgpsim.inputs.commands import commands
from bgpsim.inputs.files.containerlab import ExecLine
from bgpsim.inputs.iproute import KernelSetup
from bgpsim.network.description import Interface, KernelRoute, RouteNextHop
from bgpsim.source import Source

MANAGEMENT = ip_interface("172.20.20.2/24")


def run(*lines: str) -> KernelSetup:
    """A device with `lo`, `eth0` on the management network with a default route, and `net0`, `net1`."""
    names = ("lo", "net0", "net1")
    kernel = KernelSetup("r1", {n: Interface(n) for n in names} | {"eth0": Interface("eth0", (MANAGEMENT,))})
    kernel.add(KernelRoute(ip_network("0.0.0.0/0"), next_hops=(RouteNextHop(ip_address("172.20.20.1"), "eth0"),)))
    for command in commands(tuple(ExecLine(text, Source("topo.yml", n)) for n, text in enumerate(lines, 1))):
        assert kernel.take(command)
    return kernel


def addresses(kernel: KernelSetup, interface: str) -> list[str]:
    return [str(a) for a in kernel.interfaces[interface].addresses]


def shown(kernel: KernelSetup) -> dict[str, str]:
    """prefix metric -> next hops, or the kind."""
    return {
        f"{r.prefix} {r.metric}": ",".join(f"{h.address}@{h.interface}" for h in r.next_hops) or r.kind
        for r in kernel.routes.values()
    }


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["ip addr add 10.0.0.1/24 dev net0"], ["10.0.0.1/24"]),
        (["ip a a 10.0.0.1 dev net0"], ["10.0.0.1/32"]),
        (["ip -6 address add 2001:db8::1/64 dev net0 nodad"], ["2001:db8::1/64"]),
        (["ip addr add dev net0 10.0.0.1/24"], ["10.0.0.1/24"]),
        (["ip addr add local 10.0.0.1/24 dev net0 scope global label net0:1"], ["10.0.0.1/24"]),
        (["ip addr add 10.0.0.1/24 brd + dev net0"], ["10.0.0.1/24"]),
        (["ip addr add 10.0.0.1/24 dev net0", "ip addr add 10.0.0.1/24 dev net0"], ["10.0.0.1/24"]),
        (["ip addr add 10.0.0.1/24 dev net0", "ip addr add 10.1.0.1/24 dev net0"], ["10.0.0.1/24", "10.1.0.1/24"]),
        (["ip addr add 10.0.0.1/24 dev net0", "ip addr del 10.0.0.1/24 dev net0"], []),
        (["ip addr add 10.0.0.1/24 dev net0", "ip addr flush dev net0"], []),
    ],
)
def test_addresses(lines: list[str], expected: list[str]) -> None:
    assert addresses(run(*lines), "net0") == expected


@pytest.mark.parametrize(
    ("line", "mtu", "up"),
    [
        ("ip link set net0 mtu 1400", 1400, True),
        ("ip link set dev net0 mtu 1400 down", 1400, False),
        ("ip link set net0 down mtu 9000", 9000, False),
        ("ip link set net0 up", 9500, True),
    ],
)
def test_mtus(line: str, mtu: int, up: bool) -> None:
    interface = run(line).interfaces["net0"]
    assert (interface.mtu, interface.up) == (mtu, up)


def test_an_mtu_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="a whole number"):
        run("ip link set net0 mtu jumbo")


DEFAULT = "0.0.0.0/0 0"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["ip route add blackhole 10.0.0.0/8"], {"10.0.0.0/8 0": "blackhole"}),
        (["ip r add unreachable 10.0.0.0/8 metric 5"], {"10.0.0.0/8 5": "unreachable"}),
        (["ip route add 10.0.0.0/8 via 172.20.20.9"], {"10.0.0.0/8 0": "172.20.20.9@eth0"}),
        (["ip route add 10.0.0.0/8 dev net0"], {"10.0.0.0/8 0": "None@net0"}),
        (["ip route add 10.0.0.0/8 via 9.9.9.9 dev net0 onlink"], {"10.0.0.0/8 0": "9.9.9.9@net0"}),
        (
            ["ip route add 9.9.9.9 dev net1 scope link", "ip route add 10.0.0.0/8 via 9.9.9.9"],
            {"9.9.9.9/32 0": "None@net1", "10.0.0.0/8 0": "9.9.9.9@net1"},
        ),
        (
            ["ip route add 10.0.0.0/8 nexthop via 172.20.20.8 nexthop via 172.20.20.9 dev eth0 weight 1"],
            {"10.0.0.0/8 0": "172.20.20.8@eth0,172.20.20.9@eth0"},
        ),
        (["ip -6 route add default via fe80::1 dev net0"], {"::/0 0": "fe80::1@net0"}),
        (["ip route add 2001:db8::/32 dev net0"], {"2001:db8::/32 0": "None@net0"}),
        # `add` of what is there is refused; `replace` takes its place; another metric is another route.
        (["ip route add default via 172.20.20.9"], {}),
        (["ip route replace default via 172.20.20.9"], {DEFAULT: "172.20.20.9@eth0"}),
        (["ip route add default via 172.20.20.9 metric 7"], {"0.0.0.0/0 7": "172.20.20.9@eth0"}),
        # No gateway where no network leads to it.
        (["ip route add 10.0.0.0/8 via 9.9.9.9"], {}),
        (["ip route add 10.0.0.0/8 dev net7"], {}),
        (["ip link set net0 down", "ip route add 10.0.0.0/8 dev net0"], {}),
        (["ip route add 10.0.0.0/8 dev net0", "ip link set net0 down"], {}),
        (["ip route add 10.0.0.0/8 dev net0", "ip link set dev net0 down", "ip link set dev net0 up"], {}),
        (["ip route add 10.0.0.0/8 dev net0", "ip route del 10.0.0.0/8 dev net1"], {"10.0.0.0/8 0": "None@net0"}),
        (["ip route add 10.0.0.0/8 dev net0", "ip route del 10.0.0.0/8"], {}),
    ],
)
def test_routes(lines: list[str], expected: dict[str, str]) -> None:
    assert shown(run(*lines)) == {DEFAULT: "172.20.20.1@eth0"} | expected


@pytest.mark.parametrize(
    "line",
    ["ip link del eth0", "ip link set eth0 down", "ip addr flush dev eth0", "ip addr del 172.20.20.2/24 dev eth0"],
)
def test_the_default_goes_with_its_interface(line: str) -> None:
    assert shown(run(line)) == {}


def test_a_deleted_interface_is_gone() -> None:
    assert "eth0" not in run("ip link del eth0").interfaces
    assert "eth0" not in run("ip link delete dev eth0").interfaces


def test_up_and_down() -> None:
    assert not run("ip link set net0 down").interfaces["net0"].up
    assert run("ip link set net0 down", "ip link set net0 up").interfaces["net0"].up


@pytest.mark.parametrize(
    ("line", "effect", "why"),
    [
        ("iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE", "none", "management network"),
        ("iptables -t nat -A POSTROUTING -o net0 -j MASQUERADE", "possible", ""),
        ("iptables -A FORWARD -j DROP", "possible", ""),
        ("iptables -t nat -j MASQUERADE -o", "possible", ""),
        ("sysctl -w net.ipv4.ip_forward=1", "none", "forwarding is on"),
        ("sysctl -w net.ipv4.fib_multipath_hash_policy=1", "possible", ""),
        ("sleep 1", "none", "moves no packet"),
        ("ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:01 dev net0", "possible", ""),
        ("ip", "possible", "ends too soon"),
        ("ip route", "possible", "ends too soon"),
        ("ip addr add 10.0.0.1/24 dev net9", "possible", "r1 has no interface net9 at this line"),
        ("ip route add 10.0.0.0/8 via 9.9.9.9", "possible", "on no network of r1"),
        ("ip route add default via 172.20.20.9", "none", "there is such a route already"),
        ("ip route del 10.0.0.0/8", "none", "there is no such route"),
        ("ip link set net0 mtu 1000", "possible", "takes IPv6 off the interface"),
        ("ip link set net0 mtu 70000", "none", "the kernel refuses it"),
        ("ip link set net0 mtu", "possible", ""),
        ("ip link set net0 txqueuelen 5", "possible", ""),
        ("ip link add br0 type bridge", "possible", ""),
        ("echo 'no end", "possible", "no shell could split this line"),
        ("sed -i s/ospfd=no/ospfd=yes/ /etc/frr/daemons", "possible", ""),
        ("bash -c 'ip link del eth0'", "possible", ""),
    ],
)
def test_what_is_not_modelled_is_listed(line: str, effect: str, why: str) -> None:
    kernel = run(line)
    (listed,) = kernel.unmodelled
    assert (listed.source, listed.device, listed.text) == (Source("topo.yml", 1, line), "r1", line)
    assert (listed.effect, listed.affects) == (effect, ("r1",))
    assert why in listed.why
    assert bool(listed.why) or effect == "possible"


ENABLE = "sed -i -e 's/bgpd=no/bgpd=yes/g' /etc/frr/daemons"
START = "/usr/lib/frr/frrinit.sh start"


@pytest.mark.parametrize(
    ("lines", "started", "bgpd"),
    [
        ([ENABLE, START], True, True),
        ([START, ENABLE], True, False),
        ([START, ENABLE, "/usr/lib/frr/frrinit.sh restart"], True, True),
        ([START], True, False),
        ([ENABLE], False, False),
        (["sed -i 's|bgpd=no|bgpd=yes|' /etc/frr/daemons", START], True, True),
        (["sed -e s/bgpd=no/bgpd=yes/ /etc/frr/daemons", START], True, False),  # it prints, and changes no file
        (["sed -i s/bgpd=no/bgpd=yes/ /etc/frr/daemons.bak", START], True, False),
    ],
)
def test_which_daemons_run(lines: list[str], started: bool, bgpd: bool) -> None:
    kernel = run(*lines)
    assert (kernel.frr_started, kernel.bgpd_started) == (started, bgpd)


words = st.sampled_from(
    "ip addr address a route r link add del replace set flush dev via default blackhole metric nexthop weight scope"
    " proto boot onlink up down net0 eth0 lo -6 -4 10.0.0.1/24 10.0.0.0/8 172.20.20.1 ::1 fe80::1/64 iptables -t nat"
    " MASQUERADE -o sed -i /etc/frr/daemons sysctl 1 -1 x".split()
)


@given(st.lists(st.lists(words | st.text(max_size=6), max_size=9), max_size=5))
def test_any_line_is_read_listed_or_an_input_error(lines: list[list[str]]) -> None:
    with suppress(InputError):
        kernel = run(*(" ".join(line) for line in lines if line[:1] != ["vtysh"]))
        assert all(u.source.file == "topo.yml" for u in kernel.unmodelled)


prefixes = st.builds(
    lambda value, length: ip_network((value, length), strict=False),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
)


@given(st.lists(prefixes, unique=True, max_size=6))
def test_what_is_added_is_there_and_what_is_deleted_is_gone(found: list[object]) -> None:
    adds = [f"ip route add blackhole {p} metric 9" for p in found]
    before = set(shown(run()))
    assert set(shown(run(*adds))) == before | {f"{p} 9" for p in found}
    assert set(shown(run(*adds, *(f"ip route del {p} metric 9" for p in found)))) == before


def test_a_saved_configuration_that_is_removed_is_understood() -> None:
    """Nothing of it is read here; removing anything else is not understood."""
    assert not run("rm -f /etc/frr/frr.conf", "rm /etc/frr/frr.conf").unmodelled
    assert [u.effect for u in run("rm -f /etc/frr/daemons", "rm -rf /etc/frr/frr.conf /run").unmodelled] == [
        "possible"
    ] * 2

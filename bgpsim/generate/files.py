"""A fabric as files: a containerlab topology with FRR's configuration in it, and a scenario. Always the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from textwrap import wrap

from bgpsim.generate.fabric import Fabric, Host, Router

_ROUTER_IMAGE = "frrouting/frr:v8.2.2"
_HOST_IMAGE = "nicolaka/netshoot:latest"
_WIDTH = 118


def lab_files(fabric: Fabric) -> Mapping[str, str]:
    """File name -> text."""
    return {"topo.yml": _text(_topology(fabric)), "scenario.yaml": _text(_scenario(fabric))}


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _topology(fabric: Fabric) -> Iterator[str]:
    yield from (f"# {line}" for line in fabric.about)
    yield f"name: {fabric.name}"
    yield "topology:"
    yield "  kinds:"
    yield "    linux:"
    yield "      cmd: bash"
    # Else each node had an eth0 on the management network, and every packet a second way.
    yield "      network-mode: none"
    yield "  nodes:"
    for router in fabric.routers:
        yield from _router(router)
        if router.host is not None:
            yield from _host(router.host)
    yield "  links:"
    for cable in fabric.cables:
        (a, a_interface), (b, b_interface) = cable.a, cable.b
        yield f'    - endpoints: ["{a}:{a_interface}", "{b}:{b_interface}"]'


def _router(router: Router) -> Iterator[str]:
    yield f"    {router.name}:"
    yield "      kind: linux"
    yield f"      image: {_ROUTER_IMAGE}"
    yield "      exec:"
    yield from (f"        - {line}" for line in prepare_lines(router))
    yield "        - >-"
    first, *others = vtysh_words(router)
    yield f"          {first}"
    yield from (f"          {words}" for words in others)


def prepare_lines(router: Router) -> Iterator[str]:
    """The router's `exec` lines up to the start of FRR."""
    yield f"ip addr add {router.loopback}/32 dev lo"
    if router.host is not None:
        yield f"ip addr add {router.host.gateway} dev {router.host.router_interface}"
    yield "touch /etc/frr/vtysh.conf"
    # The image's own, if it has one: with nothing to read FRR starts in half the time.
    yield "rm -f /etc/frr/frr.conf"
    yield "sed -i -e 's/bgpd=no/bgpd=yes/g' /etc/frr/daemons"
    yield "/usr/lib/frr/frrinit.sh start"


def vtysh_words(router: Router) -> Iterator[str]:
    """The `exec` line that configures the router, in parts."""
    yield "vtysh -c 'conf t'"
    yield from (f"-c '{line}'" for line in frr_lines(router))


def frr_lines(router: Router) -> tuple[str, ...]:
    """The router's BGP configuration."""
    return (
        "log syslog informational",
        "frr defaults datacenter",
        f"router bgp {router.asn}",
        f"bgp router-id {router.loopback}",
        "no bgp ebgp-requires-policy",
        # Equal paths through different ASes are used together, and which of them is best is not left to chance.
        "bgp bestpath as-path multipath-relax",
        "bgp bestpath compare-routerid",
        "neighbor FABRIC peer-group",
        "neighbor FABRIC remote-as external",
        *(f"neighbor {interface} interface peer-group FABRIC" for interface in router.fabric),
        "address-family ipv4 unicast",
        "redistribute connected",
    )


def _host(host: Host) -> Iterator[str]:
    yield f"    {host.name}:"
    yield "      kind: linux"
    yield f"      image: {_HOST_IMAGE}"
    yield "      exec:"
    yield from (f"        - {line}" for line in host_lines(host))


def host_lines(host: Host) -> Iterator[str]:
    """The host's `exec` lines."""
    yield f"ip addr add {host.address} dev net0"
    yield f"ip route replace default via {host.gateway.ip}"


def _scenario(fabric: Fabric) -> Iterator[str]:
    first = fabric.routers[0]
    yield from (f"# {line}" for line in fabric.about)
    yield f"name: {fabric.name}"
    yield "lab:"
    yield "  topology: topo.yml"
    yield "  ecmp: forced                    # so that packets walk every branch there is"
    yield "steps:"
    yield "  - name: fabric"
    yield "    expect:"
    yield "      sessions:"
    yield "        established:"
    yield from _flow_list([router.name for router in fabric.routers], " " * 10)
    yield "      reach:"
    yield '        - {from: "*", to: "*"}'
    yield ""
    yield "  # What if? Every packet has another way."
    yield "  - name: link lost"
    yield f'    link-down: ["{first.name}:{first.fabric[0]}"]'
    yield "    expect:"
    yield "      lost: []"


def _flow_list(names: list[str], indent: str) -> Iterator[str]:
    yield from wrap(
        f"[{', '.join(names)}]", _WIDTH, initial_indent=indent, subsequent_indent=f"{indent} ", break_on_hyphens=False
    )

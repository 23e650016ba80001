"""The seed's lab by hand, from its write-up: topo.yml, cluster.yml, the peering policies and the DaemonSet."""

from collections.abc import Sequence
from ipaddress import ip_network

from drawing import LINE, frr, gobgp, neighbor, net, speaker, with_bgp

from bgpsim.network.description import Network, Origination

NODES = {  # name: (node address, tor, tor's port, pod CIDR, pod address or None: the control plane is tainted)
    "control-plane": ("10.0.1.2", "tor0", "net1", "10.1.0.0/24", None),
    "worker": ("10.0.2.2", "tor0", "net2", "10.1.1.0/24", "10.1.1.2"),
    "worker2": ("10.0.3.2", "tor1", "net1", "10.1.2.0/24", "10.1.2.2"),
    "worker3": ("10.0.4.2", "tor1", "net2", "10.1.3.0/24", "10.1.3.2"),
}


def pod(node: str) -> str:
    return f"pod:default/netshoot@{node}"


def seed(*, cilium: bool = False, announced: Sequence[Origination] | None = None) -> Network:
    """`cilium`: with the peering policies applied. `announced`: with a speaker at both ToRs, which announces these."""
    links = ["router0:net0 -- tor0:net0", "router0:net1 -- tor1:net0", "router0:eth0 -- clab:router0"]
    addresses = {
        "router0:lo": "10.0.0.0/32",
        "router0:eth0": "172.20.20.2/24",
        "clab:router0": "172.20.20.1/24",
        "tor0:lo": "10.0.0.1/32",
        "tor1:lo": "10.0.0.2/32",
    }
    routes = {"router0": ["default via 172.20.20.1 dev eth0", "10.0.0.0/8 blackhole"]}
    kinds = {"clab": "gateway"}
    endpoints = {}
    for name, (address, tor, port, cidr, pod_address) in NODES.items():
        links.append(f"{tor}:{port} -- {name}:net0")
        gateway = address.rsplit(".", 1)[0] + ".1"
        addresses[f"{tor}:{port}"] = f"{gateway}/24"
        addresses[f"{name}:net0"] = f"{address}/24"
        routes[name] = [f"default via {gateway}", f"{cidr} blackhole"]
        kinds[name] = "node"
        if pod_address:
            links.append(f"{name}:lxc0 -- {pod(name)}:eth0")
            addresses[f"{pod(name)}:eth0"] = f"{pod_address}/32"
            routes[name].append(f"{pod_address}/32 dev lxc0")
            routes[pod(name)] = ["169.254.1.1/32 dev eth0", "default via 169.254.1.1 dev eth0"]
            kinds[pod(name)] = "pod"
            endpoints[pod(name)] = pod(name)
    default = {"default_originate": True}
    extra = [neighbor("fe80::2%x-injector", 65099, families=("ipv4-unicast", "ipv6-unicast"))]
    attached = extra if announced is not None else []
    routers = {
        "router0": frr(65000, neighbor("net0", **default), neighbor("net1", **default), router_id="10.0.0.0"),
        "tor0": frr(
            65010,
            "net0",
            neighbor("10.0.1.2", "internal"),
            neighbor("10.0.2.2", "internal"),
            *attached,
            router_id="10.0.0.1",
        ),
        "tor1": frr(
            65011,
            "net0",
            neighbor("10.0.3.2", "internal"),
            neighbor("10.0.4.2", "internal"),
            *attached,
            router_id="10.0.0.2",
            multipath_relax=True,
        ),
    }
    link_local = {}
    if announced is not None:
        kinds["injector"] = "speaker"
        for tor in ("tor0", "tor1"):
            links.append(f"{tor}:x-injector -- injector:{tor}")
            link_local |= {f"{tor}:x-injector": "fe80::1", f"injector:{tor}": "fe80::2"}
        routers["injector"] = _speaker(announced)
    network = net(
        links=links,
        addresses=addresses,
        routers=routers,
        routes=routes,
        kinds=kinds,
        endpoints=endpoints,
        link_local=link_local,
    )
    if not cilium:
        return network
    return with_bgp(
        network,
        **{
            name.replace("-", "_"): gobgp(
                65010 if tor == "tor0" else 65011, address, "10.0.0.1" if tor == "tor0" else "10.0.0.2", cidr
            )
            for name, (address, tor, _, cidr, _) in NODES.items()
        },
    )


def _speaker(announced: Sequence[Origination]):
    from dataclasses import replace

    instance = speaker(65099, "tor0", "tor1", originated=announced)
    named = tuple(replace(n, name=n.interface) for n in instance.neighbors)
    return replace(instance, neighbors=named)


def announce(prefix: str, *to: str, **attributes: object) -> Origination:
    return Origination(ip_network(prefix), to=to or None, source=LINE, **attributes)  # type: ignore[arg-type]

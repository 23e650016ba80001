#!/bin/bash
# The floor under the seed lab: the least work that ends with the same tables, without Python and without bgpsim.
#
#     floor.sh FRR_ROOTFS NODE_ROOTFS
#
# The namespaces of scenarios/cilium-bgp/topo.yml and cluster.yml, wired with `ip -batch`; on the three routers the
# daemons that frrinit.sh would start, with the seed's BGP lines as their configuration file; when the fabric's tables
# are there, one GoBGP per Kubernetes node, configured as bgpsim configures it. It ends when every router counts what
# it should have received and sent, and the kernels have the routes. Prints milestones, `name seconds`, on a monotonic
# clock; the last one is `done`.
#
# Rootless. Everything is in namespaces of its own, and when their PID 1 ends, in whatever way, the kernel ends the rest.
# It ends with this script (also by SIGKILL), by Ctrl-C, when nobody reads its output any more, and after a minute.
set -euo pipefail

if [ "${1:-}" != --inside ]; then
    read -r uptime _ </proc/uptime
    exec unshare --user --map-root-user --mount --net --pid --uts --ipc --fork --kill-child --mount-proc \
        -- "$BASH" "$0" --inside "$uptime" "$(dirname "$0")" "$@"
fi

trap 'exit 130' INT TERM # PID 1 of a namespace hears only what it asks for
started=$2 here=$3 frr=$4 node=$5
at=/run/floor
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
routers='router0 tor0 tor1'
nodes='control-plane worker worker2 worker3'
pods='pod1 pod2 pod3'   # of worker, worker2 and worker3: the DaemonSet does not run on the control plane
limit=60
. "$here/floor_common.sh"

# ---- what each device is given ---------------------------------------------------------------------------------------

settings() { # the `ip` commands of a device, after wiring
    echo 'link set lo up'
    case $1 in
        router0) lines 'net0 net1 eth0' 172.20.20.2/24 172.20.20.1
            echo 'addr add 10.0.0.0/32 dev lo'
            echo 'route add blackhole 10.0.0.0/8' ;;
        tor0) lines 'net0 net1 net2'
            echo 'addr add 10.0.0.1/32 dev lo'
            echo 'addr add 10.0.1.1/24 dev net1'
            echo 'addr add 10.0.2.1/24 dev net2' ;;
        tor1) lines 'net0 net1 net2'
            echo 'addr add 10.0.0.2/32 dev lo'
            echo 'addr add 10.0.3.1/24 dev net1'
            echo 'addr add 10.0.4.1/24 dev net2' ;;
        control-plane) server 172.18.0.2 10.0.1 10.1.0 ;;
        worker) server 172.18.0.3 10.0.2 10.1.1 && pod_route 10.1.1 ;;
        worker2) server 172.18.0.4 10.0.3 10.1.2 && pod_route 10.1.2 ;;
        worker3) server 172.18.0.5 10.0.4 10.1.3 && pod_route 10.1.3 ;;
        pod*) echo 'link set eth0 up'
            echo "addr add 10.1.${1#pod}.2/32 dev eth0"
            echo 'route add 169.254.1.1 dev eth0 scope link'
            echo 'neigh add 169.254.1.1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent'
            echo 'route add default via 169.254.1.1 dev eth0' ;;
        clab) bridge 172.20.20.1/24 1 ;;
        kind) bridge 172.18.0.1/16 4 ;;
    esac
}

lines() { # lines 'INTERFACES' [ADDRESS GATEWAY]: links up; with an address, eth0's
    local interface
    for interface in $1; do echo "link set $interface up"; done
    if [ $# -gt 1 ]; then
        echo "addr add $2 dev eth0"
        echo "route add default via $3 dev eth0"
    fi
}

server() { # server MANAGEMENT RACK POD_CIDR
    lines 'net0 eth0' "$1/16" 172.18.0.1
    echo "addr add $2.2/24 dev net0"
    echo "route replace default via $2.1"
    echo "route add blackhole $3.0/24"
}

pod_route() {
    echo 'link set lxc0 address 02:00:00:00:00:01 up'
    echo "route add $1.2/32 dev lxc0 scope link"
}

bridge() { # bridge ADDRESS PORTS
    local port
    echo 'link add br0 type bridge'
    echo "addr add $1 dev br0"
    echo 'link set br0 up'
    for ((port = 0; port < $2; port++)); do echo "link set port$port master br0 up"; done
}

links() { # the veth pairs: device, interface, device, interface, MTU
    # The ToRs delete their eth0 before anything else, so they get none.
    cat <<'END'
router0 net0 tor0 net0 9500
router0 net1 tor1 net0 9500
tor0 net1 control-plane net0 9500
tor0 net2 worker net0 9500
tor1 net1 worker2 net0 9500
tor1 net2 worker3 net0 9500
router0 eth0 clab port0 1500
control-plane eth0 kind port0 1500
worker eth0 kind port1 1500
worker2 eth0 kind port2 1500
worker3 eth0 kind port3 1500
pod1 eth0 worker lxc0 9500
pod2 eth0 worker2 lxc0 9500
pod3 eth0 worker3 lxc0 9500
END
}

bgpd_conf() { # the seed's lines, as a file
    case $1 in
        router0) cat <<'END'
frr defaults datacenter
router bgp 65000
  bgp router-id 10.0.0.0
  no bgp ebgp-requires-policy
  neighbor ROUTERS peer-group
  neighbor ROUTERS remote-as external
  neighbor ROUTERS default-originate
  neighbor net0 interface peer-group ROUTERS
  neighbor net1 interface peer-group ROUTERS
  address-family ipv4 unicast
    redistribute connected
  exit-address-family
!
END
            ;;
        tor0) cat <<'END'
frr defaults datacenter
router bgp 65010
  bgp router-id 10.0.0.1
  no bgp ebgp-requires-policy
  neighbor ROUTERS peer-group
  neighbor ROUTERS remote-as external
  neighbor SERVERS peer-group
  neighbor SERVERS remote-as internal
  neighbor net0 interface peer-group ROUTERS
  neighbor 10.0.1.2 peer-group SERVERS
  neighbor 10.0.2.2 peer-group SERVERS
  address-family ipv4 unicast
    redistribute connected
  exit-address-family
!
END
            ;;
        tor1) cat <<'END'
frr defaults datacenter
router bgp 65011
  bgp router-id 10.0.0.2
  bgp bestpath as-path multipath-relax
  no bgp ebgp-requires-policy
  neighbor ROUTERS peer-group
  neighbor ROUTERS remote-as external
  neighbor SERVERS peer-group
  neighbor SERVERS remote-as internal
  neighbor net0 interface peer-group ROUTERS
  neighbor 10.0.3.2 peer-group SERVERS
  neighbor 10.0.4.2 peer-group SERVERS
  address-family ipv4 unicast
    redistribute connected
  exit-address-family
!
END
            ;;
    esac
}

gobgpd_toml() { # gobgpd_toml AS ROUTER_ID PEER
    cat <<END
[global.config]
  as = $1
  router-id = "$2"
  port = -1
[[neighbors]]
  [neighbors.config]
    neighbor-address = "$3"
    peer-as = $1
  [neighbors.timers.config]
    connect-retry = 120
    hold-time = 90
    keepalive-interval = 30
    idle-hold-time-after-reset = 5
  [neighbors.transport.config]
    remote-port = 179
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv6-unicast"
END
}

# ---- nodes -----------------------------------------------------------------------------------------------------------

router() { # its root and its daemons
    root_of "$1" "$frr"
    local etc=$at/$1/root/etc/frr
    : >"$etc/zebra.conf"
    : >"$etc/staticd.conf"
    bgpd_conf "$1" >"$etc/bgpd.conf"
    rm "$etc/frr.conf"
    mkdir -p "$at/$1/root/run/frr"
    enter_new "$1" "$1" "$start_frr"
}

kubernetes_node() { # kubernetes_node DEVICE AS ROUTER_ID PEER: ready; gobgpd starts when `cilium` is opened for writing
    root_of "$1" "$node"
    gobgpd_toml "$2" "$3" "$4" >"$at/$1/root/run/gobgpd.toml"
    mkfifo "$at/$1/root/run/cilium"
    enter_new "$1" "clab-bgp-cplane-demo-$1" "
        read -r _ </run/cilium
        gobgpd -p --pprof-disable -f /run/gobgpd.toml --api-hosts unix:///run/gobgp.sock
        exit"
}

own_path() { # own_path DEVICE PREFIX: what Cilium's agent adds after the peers
    until_true "$1's GoBGP answers" test -S "$at/$1/root/run/gobgp.sock"
    until_true "$1's GoBGP takes $2" \
        chroot "$at/$1/root" gobgp --target unix:///run/gobgp.sock global rib add "$2" origin igp -a ipv4 \
        >>"$at/$1.log" 2>&1
}

# ---- the same tables? ------------------------------------------------------------------------------------------------

kernel_has() { # kernel_has ROUTES: each router's kernel has that many of BGP (cheap, so it is asked first)
    local router
    for router in $routers; do
        [ "$(ip -n "$router" route show proto bgp | grep -c '^[^[:space:]]')" -ge "$1" ] || return 1
    done
}

counts() { # counts ROUTER 'NEIGHBOR=PfxRcd/PfxSnt ...': it counts just that, in the order of its table
    [ "$(chroot "$at/$1/root" vtysh -d bgpd -c 'show bgp ipv4 unicast summary wide' 2>>"$at/$1.log" |
        awk '/^Neighbor/ { on = 1; next }
            on && NF >= 12 {
                gsub(/.*\(|\)/, "", $1)
                printf "%s=%s ", $1, $(NF - 2) ~ /[^0-9]/ ? "down" : $(NF - 2) "/" $(NF - 1)
            }')" = "$2 " ]
}

fabric_is_there() {
    counts router0 'net0=3/9 net1=3/9' &&
        counts tor0 'net0=6/9 10.0.1.2=down 10.0.2.2=down' &&
        counts tor1 'net0=6/9 10.0.3.2=down 10.0.4.2=down'
}

cluster_is_there() {
    counts router0 'net0=5/13 net1=5/13' &&
        counts tor0 'net0=8/13 10.0.1.2=1/11 10.0.2.2=1/11' &&
        counts tor1 'net0=8/13 10.0.3.2=1/11 10.0.4.2=1/11'
}

# ---- the lab ---------------------------------------------------------------------------------------------------------

mount -t tmpfs none /run
mkdir -p $at /run/netns

{
    for device in $routers $nodes $pods clab kind; do echo "netns add $device"; done
    links | while read -r a a_interface b b_interface mtu; do
        echo "link add $a_interface mtu $mtu netns $a type veth peer $b_interface mtu $mtu netns $b"
    done
} | ip -batch -

for device in $routers $nodes $pods clab kind; do
    settings "$device" | nsenter --net="/run/netns/$device" /bin/sh -c '
        for setting in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 >"$setting"; done
        for setting in /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding; do echo 1 >"$setting"; done
        exec ip -batch -' &
    wiring+=" $!"
done
for pid in $wiring; do wait "$pid"; done
milestone wired

for device in $routers; do router "$device"; done
kubernetes_node control-plane 65010 10.0.1.2 10.0.0.1
kubernetes_node worker 65010 10.0.2.2 10.0.0.1
kubernetes_node worker2 65011 10.0.3.2 10.0.0.2
kubernetes_node worker3 65011 10.0.4.2 10.0.0.2
milestone started

until_true 'the fabric in the kernels' kernel_has 6
milestone fabric-routes
until_true 'the fabric' fabric_is_there
milestone fabric

for device in $nodes; do : >"$at/$device/root/run/cilium"; done
own_path control-plane 10.1.0.0/24
own_path worker 10.1.1.0/24
own_path worker2 10.1.2.0/24
own_path worker3 10.1.3.0/24
milestone cilium-added

until_true 'the pods in the kernels' kernel_has 10
milestone cluster-routes
until_true 'the cluster' cluster_is_there
milestone done

# Not part of the measure: a packet from rack to rack, so that the tables are known to be of use.
nsenter --net=/run/netns/pod1 chroot "$at/worker/root" ping -n -c 1 -W 2 10.1.3.2 >/dev/null
milestone reached

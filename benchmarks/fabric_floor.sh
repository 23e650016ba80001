#!/bin/bash
# The floor under a generated fabric: the least work that ends with the same tables, without Python and without bgpsim.
#
#     fabric_floor.sh FRR_ROOTFS FOLDER
#
# The folder says what to make (benchmarks/large_labs.py writes it): `nodes` and `links`, NODE.ip with `ip -batch` lines,
# and for a router ROUTER.conf for bgpd, and what it must end with: ROUTER.routes, how many routes of BGP its kernel has,
# and ROUTER.counts, PfxRcd/PfxSnt of each neighbor. Namespaces wired with `ip -batch`; on each router the daemons that
# frrinit.sh would start, forked directly. It ends when every router has that. Prints milestones, `name seconds`; the last
# one is `done`. With a third argument `stay` it waits then until nobody holds its standard input open.
#
# Rootless and sealed, as floor.sh.
set -euo pipefail

if [ "${1:-}" != --inside ]; then
    read -r uptime _ </proc/uptime
    exec unshare --user --map-root-user --mount --net --pid --uts --ipc --fork --kill-child --mount-proc \
        -- "$BASH" "$0" --inside "$uptime" "$(dirname "$0")" "$@"
fi

trap 'exit 130' INT TERM # PID 1 of a namespace hears only what it asks for
started=$2 here=$3 frr=$4 folder=$5 stay=${6:-}
at=/run/floor limit=120
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
. "$here/floor_common.sh"

router() {
    root_of "$1" "$frr"
    local etc=$at/$1/root/etc/frr
    : >"$etc/zebra.conf"
    : >"$etc/staticd.conf"
    cp "$folder/$1.conf" "$etc/bgpd.conf"
    rm "$etc/frr.conf"
    mkdir -p "$at/$1/root/run/frr"
    enter_new "$1" "$1" "$start_frr"
}

kernel_has() { # kernel_has ROUTER ROUTES
    [ "$(ip -n "$1" route show proto bgp | grep -c '^[^[:space:]]')" -ge "$2" ]
}

counts() { # counts ROUTER 'NEIGHBOR=PfxRcd/PfxSnt ...'
    [ "$(chroot "$at/$1/root" vtysh -d bgpd -c 'show bgp ipv4 unicast summary wide' 2>>"$at/$1.log" |
        awk '/^Neighbor/ { on = 1; next }
            on && NF >= 12 { gsub(/.*\(|\)/, "", $1); printf "%s=%s/%s ", $1, $(NF - 2), $(NF - 1) }')" = "$2 " ]
}

mount -t tmpfs none /run
mkdir -p $at /run/netns
mapfile -t nodes <"$folder/nodes"

{
    for node in "${nodes[@]}"; do echo "netns add $node"; done
    while read -r a a_interface b b_interface; do
        echo "link add $a_interface mtu 9500 netns $a type veth peer $b_interface mtu 9500 netns $b"
    done <"$folder/links"
} | ip -batch -

for node in "${nodes[@]}"; do
    nsenter --net="/run/netns/$node" /bin/sh -c '
        for setting in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 >"$setting"; done
        for setting in /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding; do echo 1 >"$setting"; done
        exec ip -batch -' <"$folder/$node.ip" &
    wiring+=" $!"
done
for pid in $wiring; do wait "$pid"; done
milestone wired

routers=()
for node in "${nodes[@]}"; do
    if [ -e "$folder/$node.conf" ]; then routers+=("$node"); fi
done
for node in "${routers[@]}"; do router "$node"; done
milestone started

# One after the other, and the counters at the end: what is asked while routers are at work is time taken from them.
for node in "${routers[@]}"; do
    until_true "the routes of $node in its kernel" kernel_has "$node" "$(<"$folder/$node.routes")"
done
milestone routes

check() { # check FIRST STEP: the counters of every STEPth router
    local number
    for ((number = $1; number < ${#routers[@]}; number += $2)); do
        local node=${routers[number]}
        until_true "the tables of $node" counts "$node" "$(<"$folder/$node.counts")"
    done
}
cores=$(nproc)
for ((core = 0; core < cores; core++)); do
    check "$core" "$cores" &
    checks+=" $!"
done
for pid in $checks; do wait "$pid"; done
milestone done

if [ -n "$stay" ]; then read -r _ || true; fi

#!/bin/bash
# A fabric by munet, sealed: the peer that large_labs has beside it once.
#
#     munet_ring.sh FRR_ROOTFS FOLDER PYTHON OPTION PREFIX...
#
# The folder is the one that fabric_floor.sh gets, with munet.yaml in it; OPTION is one for munet, or empty; each PREFIX
# is a folder that PYTHON needs. munet makes the nodes and links and runs each node's `cmd`: the `exec` lines of
# the lab's topology. It ends when every router has the floor's tables. Prints
# milestones, `name seconds`; the last one is `done`.
#
# Exit code 3 where munet gave up: on a busy machine it may look for a process of its own before that is there.
#
# munet makes bridges and mounts in the namespaces that it is started in, and leaves them there when it is killed. So it
# gets namespaces of its own with a root of their own, as an ordinary user's root, with nothing of the host's network; when
# their PID 1, this script, ends, in whatever way, the kernel ends the rest.
set -euo pipefail

if [ "${1:-}" != --inside ]; then
    read -r uptime _ </proc/uptime
    exec unshare --user --map-root-user --mount --net --pid --uts --ipc --fork --kill-child --mount-proc \
        -- "$BASH" "$0" --inside "$uptime" "$(dirname "$0")" "$@"
fi

trap 'exit 130' INT TERM # PID 1 of a namespace hears only what it asks for
started=$2 here=$3 frr=$4 folder=$5 python=$6 option=$7
shift 7
at=/run/munet limit=180 # seconds
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root
unset PYTHONPATH
. "$here/floor_common.sh"

new_root() { # new_root PREFIX...: the host's programs with FRR's image over them, and nothing else of the host
    local root=/run/root name prefix
    mount -t tmpfs none /run
    mkdir -p $root
    mount -t tmpfs -o mode=755 none $root
    mkdir -p $root/{usr,etc,proc,sys,dev,run,tmp,root,var,old,bench}
    mount -t overlay -o "lowerdir=$frr/usr:/usr,userxattr" none $root/usr
    for name in bin sbin lib lib64; do ln -s usr/$name $root/$name; done
    cp -a "$frr/etc/." $root/etc/ 2>/dev/null
    cp -a "$frr/var/." $root/var/ 2>/dev/null
    ln -sfn ../run $root/var/run
    mount --bind "$folder" $root/bench
    for prefix in "$@"; do
        case $prefix in /usr | /usr/*) continue ;; esac
        mkdir -p "$root$prefix"
        mount --rbind -o ro "$prefix" "$root$prefix"
    done
    mount --rbind /dev $root/dev
    mount -t proc none $root/proc
    mount -t sysfs none $root/sys
    mount -t tmpfs -o mode=755 none $root/run
    cd $root
    pivot_root . old
    umount -l /old
    folder=/bench
    mkdir -p $at /run/frr
}

pid_of() { # pid_of NODE: the process that holds a node's namespaces, as munet notes it
    cat "$at/$1/nspid" 2>/dev/null
}

kernel_has() { # kernel_has ROUTER ROUTES
    local pid
    if ! kill -0 "$munet" 2>/dev/null; then
        tail -n 5 /run/munet.log >&2
        echo 'munet ended by itself' >&2
        exit 3
    fi
    pid=$(pid_of "$1") && [ -n "$pid" ] &&
        [ "$(nsenter -t "$pid" -n ip route show proto bgp 2>/dev/null | grep -c '^[^[:space:]]')" -ge "$2" ]
}

counts() { # counts ROUTER 'NEIGHBOR=PfxRcd/PfxSnt ...'
    [ "$(nsenter -t "$(pid_of "$1")" -m -n vtysh -d bgpd -c 'show bgp ipv4 unicast summary wide' 2>>$at/vtysh.log |
        awk '/^Neighbor/ { on = 1; next }
            on && NF >= 12 { gsub(/.*\(|\)/, "", $1); printf "%s=%s/%s ", $1, $(NF - 2), $(NF - 1) }')" = "$2 " ]
}

new_root "$@"
mapfile -t nodes <"$folder/nodes"
milestone rooted
"$python" -m munet -c "$folder/munet.yaml" -d $at --no-cli $option </dev/null >/run/munet.log 2>&1 &
munet=$!

for node in "${nodes[@]}"; do
    if [ -e "$folder/$node.conf" ]; then
        until_true "the routes of $node in its kernel" kernel_has "$node" "$(<"$folder/$node.routes")"
    fi
done
milestone routes
for node in "${nodes[@]}"; do
    if [ -e "$folder/$node.conf" ]; then
        until_true "the tables of $node" counts "$node" "$(<"$folder/$node.counts")"
    fi
done
milestone done

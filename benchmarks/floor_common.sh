# What the floors have in common; sourced. They set `started` (uptime in seconds), `at` (a folder) and `limit` (seconds).
poll=0.05

elapsed() { # hundredths of a second since the script was started
    local now
    read -r now _ </proc/uptime
    echo $((10#${now/./} - 10#${started/./}))
}

milestone() {
    local hundredths
    hundredths=$(elapsed)
    printf '%s %d.%02d\n' "$1" $((hundredths / 100)) $((hundredths % 100))
}

until_true() { # until_true WHAT COMMAND...: poll, and give up after the limit
    local what=$1
    shift
    until "$@"; do
        if [ "$(elapsed)" -gt $((limit * 100)) ]; then
            echo "floor: not within $limit s: $what" >&2
            tail -n 20 "$at"/*.log >&2 || true
            exit 1
        fi
        sleep $poll
    done
}

root_of() { # root_of DEVICE IMAGE: an overlay over the image, with a /run of its own
    local place=$at/$1
    mkdir -p "$place/upper" "$place/work" "$place/root"
    mount -t overlay -o "lowerdir=$2,upperdir=$place/upper,workdir=$place/work,userxattr" none "$place/root"
    mount -t tmpfs -o mode=755 none "$place/root/run"
    mount --rbind /dev "$place/root/dev"
}

enter_new() { # enter_new DEVICE HOSTNAME SCRIPT: namespaces of its own, its root, and the script as PID 1 there
    nsenter --net="/run/netns/$1" unshare --mount --pid --uts --ipc --fork --kill-child -- /bin/sh -c '
        hostname "$2" && mount -t proc none "$1/proc" && exec chroot "$1" /bin/sh -c "$3"' \
        sh "$at/$1/root" "$2" "$3" >"$at/$1.log" 2>&1 &
}

start_frr='
    /usr/lib/frr/zebra -d -F traditional -A 127.0.0.1 -s 90000000
    /usr/lib/frr/bgpd -d -F traditional -A 127.0.0.1
    /usr/lib/frr/staticd -d -F traditional -A 127.0.0.1
    /usr/lib/frr/watchfrr -d -F traditional zebra bgpd staticd
    exec sleep infinity'

#!/bin/busybox sh
# The guest's first process. Its root becomes the host's, read-only over 9p, below a tmpfs that takes what is written.
# Beside it in the initramfs: `settings` (shell assignments) and `job` (the command), see machine.py.
export PATH=/sbin:/bin:/usr/sbin:/usr/bin
busybox mkdir -p /proc /sys /dev /lower /written /new
busybox mount -t proc proc /proc
busybox mount -t sysfs sys /sys
busybox mount -t devtmpfs dev /dev
exec >/dev/ttyS0 2>&1 </dev/null
busybox stty -onlcr -F /dev/ttyS0
. /settings

for module in $ROOT_MODULES; do busybox modprobe "$module"; done
busybox mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=262144 host /lower
busybox mount -t tmpfs -o size=90% written /written
busybox mkdir /written/upper /written/work
busybox mount -t overlay -o lowerdir=/lower,upperdir=/written/upper,workdir=/written/work root /new
busybox mkdir -p "/new$STORE" /new/usr/lib/modules
# Not through the overlay: the lab lays overlays of its own over it, and the kernel stacks no more than two.
busybox mount --bind "/lower$STORE" "/new$STORE"
busybox mount --bind "/lower$MODULES" /new/usr/lib/modules
for place in /proc /sys /dev; do busybox mount --move $place /new$place; done
busybox mkdir -p /new/dev/pts /new/dev/shm
busybox mount -t devpts -o mode=620,ptmxmode=666 devpts /new/dev/pts
busybox mount -t tmpfs -o mode=1777 shm /new/dev/shm
busybox mount -t tmpfs -o mode=755 run /new/run
busybox mkdir -p /new/run/guest
busybox mkdir -m 1777 /new/run/tmp
busybox cp /bin/busybox /job /settings /new/run/guest
# What the kernel calls when it wants a module; busybox goes by the name it is called by.
busybox ln -s busybox /new/run/guest/modprobe
busybox cat >/new/run/guest/second <<'SECOND'
. /run/guest/settings
busybox() { /run/guest/busybox "$@"; }
echo /run/guest/modprobe >/proc/sys/kernel/modprobe
for module in $WITHHELD; do
    busybox mount --bind /dev/null "$(busybox find /usr/lib/modules/ -name "$module.ko*")"
done
for module in $MODULES_WANTED; do busybox modprobe "$module"; done
busybox ifconfig lo up
busybox hostname guest
if [ "$ORDINARY" ]; then
    # To an ordinary user, for the run: the way to what the command needs. It is the overlay that is altered.
    for folder in $FOLDERS; do busybox chmod a+rx "$folder" 2>/dev/null; done
    set -- /usr/bin/setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs
fi
busybox timeout -k 5 "$SECONDS_MOST" "$@" /bin/sh /run/guest/job
echo $? >/dev/ttyS1
busybox poweroff -f
SECOND
exec busybox switch_root /new /run/guest/busybox sh /run/guest/second

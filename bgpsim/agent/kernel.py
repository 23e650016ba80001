"""The system calls that Python 3.11 has no function for: namespaces, mounts, prctl (all Linux)."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

_LIBC = ctypes.CDLL(None, use_errno=True)

CLONE_FS = 0x00000200
CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

_PR_SET_PDEATHSIG = 1
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}


def _checked(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    _checked(_LIBC.unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """Moves the calling thread alone; out of a PID namespace its next children."""
    _checked(_LIBC.setns(descriptor, kind), "setns")


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, options: str | None = None) -> None:
    _checked(
        _LIBC.mount(
            source.encode(),
            target.encode(),
            None if kind is None else kind.encode(),
            ctypes.c_ulong(flags),
            None if options is None else options.encode(),
        ),
        f"mount {kind or source} on {target}",
    )


def bind(source: str, target: str, *, read_only: bool = False) -> None:
    """A recursive bind mount. A remount must keep the flags of the mount below, which the kernel has locked."""
    mount(source, target, None, MS_BIND | MS_REC)
    if read_only:
        flags = os.statvfs(target).f_flag & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | 1024 | 2048 | 0x1000)
        kept = flags & (MS_NOSUID | MS_NODEV | MS_NOEXEC)
        for statvfs_flag, mount_flag in ((1024, 1024), (2048, 2048), (0x1000, 1 << 21)):
            kept |= mount_flag if flags & statvfs_flag else 0
        mount(source, target, None, MS_BIND | MS_REMOUNT | MS_RDONLY | kept)


def unmount(target: str) -> None:
    _checked(_LIBC.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def enter_root(new_root: str) -> None:
    """pivot_root onto `new_root` (which must be a mount point); the old root is gone afterwards."""
    os.chdir(new_root)
    number = _SYS_PIVOT_ROOT[os.uname().machine]
    _checked(_LIBC.syscall(number, b".", b"."), f"pivot_root to {new_root}")
    unmount(".")
    os.chdir("/")


def die_with_parent(signal_number: int) -> None:
    """PR_SET_PDEATHSIG: the kernel sends the signal when the parent *thread* ends; cleared by a change of identity."""
    _checked(_LIBC.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0), "prctl")


@contextmanager
def network_namespace(pid: int) -> Iterator[None]:
    """The calling thread's network namespace is that of `pid` within the block."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        other = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            setns(other, CLONE_NEWNET)
        finally:
            os.close(other)
        try:
            yield
        finally:
            setns(own, CLONE_NEWNET)
    finally:
        os.close(own)


_CONTAINER = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET


@contextmanager
def container(pid: int) -> Iterator[None]:
    """What the calling thread starts within the block starts in all namespaces of `pid`, and in its root.

    For a child made by vfork, as `subprocess` does: an nsenter(1) in front of a command costs as much as a small
    command. Raises ProcessLookupError where the process is gone.
    """
    # A thread enters a mount namespace only if it shares its root and working directory with no other (setns(2)).
    unshare(CLONE_FS)
    with _pidfd(os.getpid()) as own, _pidfd(pid) as other:
        setns(other, _CONTAINER)
        try:
            yield
        finally:
            setns(own, _CONTAINER)


@contextmanager
def new_container(shared_network: int | None) -> Iterator[None]:
    """What the calling thread forks within the block is PID 1 of new namespaces, with the network of another process
    where one is named. Raises OSError where the kernel gives none.
    """
    unshare(CLONE_FS)
    with _pidfd(os.getpid()) as own:
        try:
            if shared_network is None:
                unshare(_CONTAINER)
            else:
                with _pidfd(shared_network) as other:
                    setns(other, CLONE_NEWNET)
                unshare(_CONTAINER & ~CLONE_NEWNET)
            yield
        finally:
            setns(own, _CONTAINER)


@contextmanager
def _pidfd(pid: int) -> Iterator[int]:
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)

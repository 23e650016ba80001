"""The supervisor: seals the lab off from the host and is PID 1 inside.

Runs as a process of its own (`python -m bgpsim.lab.embedded.seal`), single-threaded, for only such a process may
enter a user namespace. Three lives:

1. outside: as root, binds what the lab needs (it may lie in a tree that only root can read), then enters a user
   namespace; as an ordinary user the other way round, for without it there is nothing it may mount;
2. still outside the PID namespace: waits for PID 1, so that its own death (PDEATHSIG) ends the lab;
3. PID 1: builds the root, starts the agent, reaps, and ends when the life-line does: a pipe whose other end is held
   by the command alone. When PID 1 ends, in whatever way, the kernel ends every process, link and mount of the lab.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bgpsim.agent import kernel

# Where things are inside; the same on every machine, so that no path of the host is seen there.
LAB = "/lab"
PYTHON = f"{LAB}/python"
SITE = f"{LAB}/site"
SOURCE = f"{LAB}/source"
STORE = f"{LAB}/store"

AGENT_SIGNALLED, FIRST_PROCESS_SIGNALLED = 64, 128
"""The supervisor's exit code when a signal ended the agent, or PID 1: this and the signal's number (below 65)."""
_STAGE = "/mnt"
_ORDINARY_RANGE = 65536
_HOST_FOLDERS = ("usr", "bin", "sbin", "lib", "lib64", "lib32", "libx32")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the command tells the supervisor: paths of the host, and inherited descriptors."""

    python: str
    """sys.base_prefix; "" where it is /usr, which the lab sees anyway."""
    interpreter: str
    """The interpreter's path below `python` (or /usr)."""
    site: str
    package: str
    speakers: str
    store: str
    first_id: int
    """Started as root: the first of the ordinary ids that the lab's ids are mapped to."""
    lifeline: int
    rpc: int
    status: int
    """A pipe: `ready`, or one line of what is wrong, before it is closed."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def main() -> int:
    # By stdin: an argument would show the host's paths in every process list of the lab.
    plan = Plan(**json.load(sys.stdin))
    for descriptor in (plan.rpc, plan.lifeline, plan.status):
        # They came by inheritance; nothing that the lab starts may hold them too.
        os.set_inheritable(descriptor, False)
    try:
        _seal(plan)
    except OSError as error:
        os.write(plan.status, str(error).encode())
        return 1
    # PDEATHSIG is not heard by a child whose parent died before it asked for it; this pipe's end is.
    own_life_read, own_life_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(own_life_write)
        _first_process(plan, own_life_read)
    for descriptor in (plan.rpc, plan.lifeline, plan.status, own_life_read):
        os.close(descriptor)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return FIRST_PROCESS_SIGNALLED - code if code < 0 else code


def _seal(plan: Plan) -> None:
    if os.geteuid() == 0:
        kernel.unshare(kernel.CLONE_NEWNS)
        kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
        _stage(plan)
        _map_ordinary_range(plan.first_id)
    else:
        uid, gid = os.getuid(), os.getgid()
        kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
        kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
        _stage(plan)
    kernel.unshare(
        kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC
    )


def _map_ordinary_range(first: int) -> None:
    """Enter a user namespace whose ids are ordinary ones outside. Its maps must be written from outside."""
    entered_read, entered_write = os.pipe()
    writer = os.fork()
    parent = os.getppid() if writer == 0 else 0
    if writer == 0:
        try:
            os.close(entered_write)
            os.read(entered_read, 1)
            for kind in ("uid_map", "gid_map"):
                Path(f"/proc/{parent}/{kind}").write_text(f"0 {first} {_ORDINARY_RANGE}")
            os._exit(0)
        except OSError:
            os._exit(1)
    os.close(entered_read)
    kernel.unshare(kernel.CLONE_NEWUSER)
    os.close(entered_write)
    if os.waitpid(writer, 0)[1]:
        raise OSError(0, "the id maps of the lab's user namespace could not be written")
    os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def _stage(plan: Plan) -> None:
    """Bind the host's trees that the lab needs below one tmpfs, read-only, while they can still be reached."""
    wanted = {"site": plan.site, "package": plan.package, "speakers": plan.speakers, "store": plan.store}
    if plan.python:
        wanted["python"] = plan.python
    # Descriptors first: the tmpfs may hide one of them.
    opened = {name: os.open(path, os.O_PATH | os.O_DIRECTORY) for name, path in wanted.items()}
    kernel.mount("tmpfs", _STAGE, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=755")
    for name, descriptor in opened.items():
        os.mkdir(f"{_STAGE}/{name}")
        kernel.bind(f"/proc/self/fd/{descriptor}", f"{_STAGE}/{name}", read_only=True)
        os.close(descriptor)
    os.mkdir(f"{_STAGE}/root")


def _first_process(plan: Plan, outer_life: int) -> None:
    """PID 1 of the lab; never returns."""
    status = 1
    try:
        kernel.die_with_parent(signal.SIGKILL)
        _build_root(plan)
        agent = _start_agent(plan)
        os.write(plan.status, b"ready")
        os.close(plan.status)
        status = _reap(agent, (plan.lifeline, outer_life))
    except OSError as error:
        os.write(plan.status, str(error).encode())
    finally:
        os._exit(status)


def _build_root(plan: Plan) -> None:
    root = f"{_STAGE}/root"
    kernel.mount("tmpfs", root, "tmpfs", kernel.MS_NOSUID, "mode=755")
    for name in ("lab", "proc", "dev", "run", "tmp", "etc", "sys", "root", "nodes"):
        os.mkdir(f"{root}/{name}")
    for name in _HOST_FOLDERS:
        host = Path("/", name)
        if host.is_symlink():
            os.symlink(os.readlink(host), f"{root}/{name}")
        elif host.is_dir():
            os.mkdir(f"{root}/{name}")
            kernel.bind(str(host), f"{root}/{name}", read_only=True)
    _etc(root)
    places = {"site": SITE, "store": STORE, "package": f"{SOURCE}/bgpsim", "speakers": f"{SOURCE}/speakers"}
    if plan.python:
        places["python"] = PYTHON
    for name, place in places.items():
        os.makedirs(f"{root}{place}")
        kernel.bind(f"{_STAGE}/{name}", f"{root}{place}", read_only=True)
    kernel.mount("proc", f"{root}/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    kernel.mount(
        "sysfs", f"{root}/sys", "sysfs", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC | kernel.MS_RDONLY
    )
    make_dev(f"{root}/dev")
    for name, mode in (("run", "755"), ("tmp", "1777"), ("nodes", "755")):
        kernel.mount("tmpfs", f"{root}/{name}", "tmpfs", kernel.MS_NOSUID, f"mode={mode}")
    kernel.enter_root(root)


def _etc(root: str) -> None:
    """What the host's own programs need to start, and no more of the host's configuration."""
    Path(root, "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/usr/sbin/nologin\n")
    Path(root, "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    Path(root, "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
    for name in ("ld.so.cache", "ld.so.conf"):
        if Path("/etc", name).is_file():
            Path(root, "etc", name).write_bytes(Path("/etc", name).read_bytes())
    if Path("/etc/alternatives").is_dir():
        os.mkdir(f"{root}/etc/alternatives")
        kernel.bind("/etc/alternatives", f"{root}/etc/alternatives", read_only=True)


def make_dev(place: str) -> None:
    """A /dev of its own: the few devices that programs expect, bound from the one outside."""
    kernel.mount("tmpfs", place, "tmpfs", kernel.MS_NOSUID, "mode=755")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        Path(place, name).touch()
        kernel.bind(f"/dev/{name}", f"{place}/{name}")
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1")):
        os.symlink(target, f"{place}/{name}")
    os.symlink("/proc/self/fd/2", f"{place}/stderr")
    for name in ("shm", "pts"):
        os.mkdir(f"{place}/{name}")
    kernel.mount("devpts", f"{place}/pts", "devpts", kernel.MS_NOSUID, "newinstance,ptmxmode=0666,mode=620")
    os.symlink("pts/ptmx", f"{place}/ptmx")


def interpreter_inside(plan: Plan) -> str:
    return f"{PYTHON if plan.python else '/usr'}/{plan.interpreter}"


def agent_environment(plan: Plan) -> Mapping[str, str]:
    """Nothing of the user's environment is seen inside."""
    # A Python built with a shared library looks for it where it was installed, which is not where it is here.
    own_libraries = {"LD_LIBRARY_PATH": f"{PYTHON}/lib"} if plan.python else {}
    return {
        **own_libraries,
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": f"{SOURCE}:{SITE}",
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        # Its threads take turns anyway: an arena for each costs 10 MiB with twenty routers.
        "MALLOC_ARENA_MAX": "1",
        "HOME": "/root",
        "LANG": "C.UTF-8",
    }


def _start_agent(plan: Plan) -> int:
    python = interpreter_inside(plan)
    pid = os.fork()
    if pid == 0:
        try:
            kernel.die_with_parent(signal.SIGKILL)
            os.set_inheritable(plan.rpc, True)
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
                # A background job ignores some of them, and what runs in the lab must not: Ctrl-C in a terminal there.
                signal.signal(number, signal.SIG_DFL)
            # Without the interpreter's own site-packages: what happens to be installed there is no part of the lab.
            argv = [python, "-S", "-m", "bgpsim.lab.embedded.inside", str(plan.rpc)]
            os.execve(python, argv, dict(agent_environment(plan)))
        except OSError as error:
            print(f"the agent could not be started: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(127)
    os.close(plan.rpc)
    return pid


def _reap(agent: int, lifelines: Sequence[int]) -> int:
    """Until the agent ends or one of the life-lines does: take in every orphan of the lab. Returns the exit code."""
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    poller = select.poll()
    for lifeline in lifelines:
        poller.register(lifeline, select.POLLIN | select.POLLHUP)
    poller.register(wake_read, select.POLLIN)
    while True:
        while True:
            try:
                pid, ended = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return 0
            if pid == agent:
                return AGENT_SIGNALLED + os.WTERMSIG(ended) if os.WIFSIGNALED(ended) else 0
            if pid == 0:
                break
        for descriptor, _ in poller.poll():
            if descriptor in lifelines:
                return 0
            os.read(wake_read, 4096)


if __name__ == "__main__":
    sys.exit(main())

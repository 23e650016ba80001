"""Nodes as small containers: namespaces of their own and a root file system from an image. Runs inside the lab."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bgpsim.agent import kernel
from bgpsim.agent.namespaces import ENVIRONMENT, Namespaces
from bgpsim.agent.server import Method
from bgpsim.errors import LabError
from bgpsim.lab.embedded.bound_files import lay_out, mount
from bgpsim.lab.embedded.seal import STORE, make_dev
from bgpsim.lab.embedded.segments import pairs
from bgpsim.lab.embedded.syslog import SystemLog

_NODES = Path("/nodes")
_LAYERS = _NODES / ".layers"
_SYSCTLS = {
    # Values that a prediction rests on, whatever the host's defaults are (docs/modelled.md lists them).
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    "net/ipv4/icmp_ratelimit": "0",
    "net/ipv4/icmp_msgs_per_sec": "100000",
    "net/ipv4/icmp_msgs_burst": "10000",
    "net/ipv6/icmp/ratelimit": "0",
    "net/ipv6/conf/all/accept_dad": "0",
    "net/ipv6/conf/default/accept_dad": "0",
    "net/ipv6/conf/default/dad_transmits": "0",
    "net/ipv6/conf/default/accept_ra": "0",
}
_FORWARDING = {"net/ipv4/ip_forward": "1", "net/ipv6/conf/all/forwarding": "1"}


def place_of(device: str) -> Path:
    """Where a node's own layer of files lies."""
    return _NODES / device.replace("/", "%")


class NodeService:
    """Methods `nodes.*`: create, wire, run commands, watch."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces
        self._gateways: list[str] = []
        self._bridges: list[str] = []
        self._links: list[tuple[str, str, str, str]] = []
        self._pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="node")
        self._log = SystemLog()

    def methods(self) -> Mapping[str, Method]:
        return {
            "nodes.create": self.create,
            "nodes.wire": self.wire,
            "nodes.links": self.links,
            "nodes.gateways": self.gateways,
            "nodes.run": self.run,
            "nodes.run_each": self.run_each,
            "nodes.batch": self.batch,
            "nodes.processes": self.processes,
            "nodes.alive": self.alive,
            "nodes.write": self.write,
            "nodes.read": self.read,
            "nodes.log": self.log,
            "nodes.set_interface": self.set_interface,
        }

    def create(self, nodes: Sequence[Mapping[str, Any]]) -> Mapping[str, int]:
        """Make these nodes, in order; returns the pids of their inits.

        A node: {name, image (rootfs below the store), hostname, shares, gateway, bridge, forwards, sysctls, init,
        binds (`bound_files.as_request`), without (files of the image)}.
        """
        for image in sorted({node["image"] for node in nodes if node["image"] is not None}):
            _own_layer(image)
        # One by one: forks of one process side by side were not faster, measured on two cores.
        for node in nodes:
            self._create(node)
        return {node["name"]: self._namespaces.pid(node["name"]) for node in nodes}

    def _create(self, node: Mapping[str, Any]) -> None:
        pid = _create(node, None if node["shares"] is None else self._namespaces.pid(node["shares"]))
        self._namespaces.add(node["name"], pid)
        if node["gateway"]:
            self._gateways.append(node["name"])
        if node["bridge"]:
            self._bridges.append(node["name"])
        if node["image"] is not None:
            self._log.listen(node["name"], self._namespaces.root(node["name"]))

    def wire(self, links: Sequence[Mapping[str, Any]]) -> None:
        """veth pairs, both ends straight into their namespaces: {a, a_interface, b, b_interface, mtu}."""
        self.connect(links)
        self._links += [(link["a"], link["a_interface"], link["b"], link["b_interface"]) for link in links]

    def connect(self, links: Sequence[Mapping[str, Any]]) -> None:
        """As `wire`, for links that are known already."""
        lines = [
            f"link add name {link['a_interface']} mtu {link['mtu']} netns {self._namespaces.pid(link['a'])} type veth "
            f"peer name {link['b_interface']} mtu {link['mtu']} netns {self._namespaces.pid(link['b'])}"
            for link in links
        ]
        ip_batch(["ip", "-batch", "-"], lines)

    def forget(self, device: str) -> None:
        """It is gone, and that is meant."""
        self._namespaces.remove(device)
        self._log.close(device)

    def gateways(self) -> list[str]:
        """The far ends of the management networks."""
        return self._gateways

    def links(self) -> list[tuple[str, str, str, str]]:
        """Every two ends on one network: device and interface of both. The kernel tells it only per pair of namespaces.
        Most are the ends of a veth pair; a bridge itself is no end.
        """
        return list(pairs(self._links, self._bridges))

    def batch(self, commands: Mapping[str, Sequence[str]]) -> None:
        """`ip -batch` in several devices at once."""

        def one(device: str) -> None:
            enter = ["nsenter", "-t", str(self._namespaces.pid(device)), "-n", "--"]
            ip_batch([*enter, "ip", "-batch", "-"], commands[device])

        list(self._pool.map(one, [device for device in commands if commands[device]]))

    def run(
        self, device: str, command: str | Sequence[str], limit: float = 60.0, env: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        """Run one command to its end, `limit` seconds at most; a text is split as a shell would, run without one."""
        argv = shlex.split(command) if isinstance(command, str) else list(command)
        started = time.monotonic()
        done = self._namespaces.run(device, argv, timeout=limit, env=env)
        return {"exit_code": done.returncode, "output": done.stdout, "seconds": time.monotonic() - started}

    def run_each(
        self, device: str, commands: Sequence[Sequence[str]], limit: float = 60.0, env: Mapping[str, str] | None = None
    ) -> list[Mapping[str, Any]]:
        """As `run`, one after the other, whatever the exit codes."""
        return [self.run(device, command, limit, env) for command in commands]

    def set_interface(
        self, device: str, interface: str, peer: str, peer_interface: str, up: bool, link_local: Sequence[str] = ()
    ) -> None:
        """Set one end of a link up or down; returns when both ends' kernels say so.

        `link_local`: fixed addresses with their lengths that this end must have again when it is up.
        """
        with self._namespaces.enter_network(device), _Interface(interface) as end:
            end.set_up(up)
        if up and link_local:
            self.batch({device: [f"addr replace {address} dev {interface} nodad" for address in link_local]})
        deadline = time.monotonic() + 5.0
        while time.monotonic() < deadline:
            flags = []
            for name, name_of_interface in ((device, interface), (peer, peer_interface)):
                with self._namespaces.enter_network(name), _Interface(name_of_interface) as end:
                    flags.append(end.flags())
            runs = all(flag & _IFF_UP for flag in flags)
            if bool(flags[0] & _IFF_UP) == up and all(bool(flag & _IFF_RUNNING) == runs for flag in flags):
                return
            time.sleep(0.001)
        raise LabError(f"{device}:{interface} did not go {'up' if up else 'down'} within 5 s")

    def log(self, device: str) -> list[str]:
        """What the device's daemons said to syslog, oldest first."""
        return list(self._log.lines(device))

    def processes(self, device: str) -> Mapping[str, str]:
        return {str(pid): name for pid, name in self._namespaces.processes(device).items()}

    def alive(self) -> Mapping[str, bool]:
        return {name: self._namespaces.alive(name) for name in self._namespaces.names()}

    def write(self, device: str, path: str, text: str) -> None:
        """Write a file in the device's root."""
        (self._namespaces.root(device) / path.lstrip("/")).write_text(text)

    def read(self, device: str, path: str, last: int = 100_000) -> str | None:
        """The last characters of a file in the device's root; None where there is none."""
        try:
            return (self._namespaces.root(device) / path.lstrip("/")).read_text(errors="replace")[-last:]
        except FileNotFoundError:
            return None


_IFF_UP = 0x1
_IFF_RUNNING = 0x40
"""Administratively up and with carrier (RFC 2863's operational state); netdevice(7)."""
_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914


class _Interface:
    """An interface of the calling thread's network namespace, by the ioctls of netdevice(7)."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> _Interface:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def flags(self) -> int:
        request = struct.pack("16sh22x", self._name.encode(), 0)
        try:
            answer = fcntl.ioctl(self._socket, _SIOCGIFFLAGS, request)
        except OSError as error:
            raise LabError(f"interface {self._name}: {error.strerror}") from None
        flags: int = struct.unpack("16sH22x", answer)[1]
        return flags

    def set_up(self, up: bool) -> None:
        flags = self.flags()
        flags = flags | _IFF_UP if up else flags & ~_IFF_UP
        fcntl.ioctl(self._socket, _SIOCSIFFLAGS, struct.pack("16sH22x", self._name.encode(), flags))


def _own_layer(image: str) -> None:
    """A copy of the image's small writable folders, owned by the lab's own root.

    The store belongs to an id that the lab may not have (started as root, it runs under ordinary ones), and the
    overlay takes a folder's owner from its topmost layer.
    """
    layer = _LAYERS / image
    if layer.exists():
        return
    for name in ("etc", "var", "root", "home", "opt", "srv"):
        source = Path(STORE, image, name)
        if source.is_dir():
            shutil.copytree(source, layer / name, symlinks=True, ignore_dangling_symlinks=True)


def ip_batch(argv: Sequence[str], lines: Sequence[str]) -> None:
    """Raises LabError for a line that iproute2 refuses; the lines before it are done."""
    done = subprocess.run(
        argv,
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    if done.returncode:
        raise LabError(f"the lab could not be wired: {done.stderr.strip()[-300:]}")


def _create(node: Mapping[str, Any], shared_network: int | None) -> int:
    """Fork the node's PID 1 into namespaces of its own: the calling thread enters them, forks, and comes back."""
    lay_out(node["binds"], place_of(node["name"]) / "binds")
    said_read, said_write = os.pipe2(os.O_CLOEXEC)
    with kernel.new_container(shared_network):
        init = os.fork()
        if init == 0:
            _become_init(node, shared_network is None, said_write)
    os.close(said_write)
    with os.fdopen(said_read) as said:
        # Ends when the node's init has become tini: the descriptor closes at exec.
        problem = said.read()
    if problem:
        raise LabError(f"node {node['name']} could not be made: {problem}")
    return init


def _become_init(node: Mapping[str, Any], own_network: bool, said: int) -> None:
    """In the new namespaces: mounts, sysctls, then tini as PID 1. Never returns."""
    try:
        kernel.die_with_parent(0)
        os.setsid()
        socket.sethostname(node["hostname"])
        if own_network:
            _set_sysctls(node)
        place = place_of(node["name"])
        root = place / "root"
        root.mkdir(parents=True)
        kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
        if node["image"] is None:
            kernel.bind("/", str(root))
        else:
            for name in ("upper", "work"):
                (place / name).mkdir()
            lower = f"{_LAYERS}/{node['image']}:{STORE}/{node['image']}"
            options = f"lowerdir={lower},upperdir={place}/upper,workdir={place}/work,userxattr"
            kernel.mount("overlay", str(root), "overlay", 0, options)
            make_dev(f"{root}/dev")
        for name, mode in (("run", "755"), ("tmp", "1777")):
            kernel.mount("tmpfs", f"{root}/{name}", "tmpfs", kernel.MS_NOSUID, f"mode={mode}")
        for path in node["without"]:
            Path(f"{root}{path}").unlink(missing_ok=True)
        kernel.mount("proc", f"{root}/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
        # Read-only as the lab's own: the kernel refuses a mount with more rights than the one that is seen.
        flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC | kernel.MS_RDONLY
        kernel.mount("sysfs", f"{root}/sys", "sysfs", flags)
        mount(node["binds"], place / "binds", str(root))
        kernel.enter_root(str(root))
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        null = os.open("/dev/null", os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        init = [*node["init"]]
        os.execve(init[0], init, ENVIRONMENT)
    except BaseException as error:
        os.write(said, str(error).encode())
    finally:
        os._exit(1)


def _set_sysctls(node: Mapping[str, Any]) -> None:
    wanted = {**_SYSCTLS, **(_FORWARDING if node["forwards"] else {}), **node["sysctls"]}
    for name, value in wanted.items():
        place = Path("/proc/sys", name)
        if place.exists():
            place.write_text(value)

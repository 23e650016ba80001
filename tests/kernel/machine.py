"""A virtual machine with Debian's own kernel, the host's files and no network device.

The kernel, QEMU and busybox are Debian packages, unpacked as the lab's images are, and never installed. The machine has
the host's root file system read-only by virtio-9p; what is written goes to its memory, and is gone with it.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bgpsim.errors import BgpsimError
from bgpsim.lab.image_sources import host_sources, named_sources
from bgpsim.lab.image_store import Recipe, make
from bgpsim.lab.images import default_store

RECIPE = Recipe("kernel", "linux-image-amd64", ("linux-image-amd64", "qemu-system-x86", "busybox-static", "kmod"))
KVM = Path("/dev/kvm")
CPU_INFO = Path("/proc/cpuinfo")
CPU_FLAGS = frozenset({"vmx", "svm"})
"""Without one of them /dev/kvm may be there all the same (KVM on page tables, pvm), and runs adapted kernels only."""
ROOT_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
"""What the guest needs before it has a root file system."""
MODULES_WANTED = ("sch_netem", "veth")
"""Loaded before an ordinary user asks for them."""
INIT = Path(__file__).with_name("init.sh")
LIBRARIES = Path("usr/lib/x86_64-linux-gnu")
CPUS, MEGABYTES = 2, 4096
BOOT_SECONDS = 60
_PR_SET_PDEATHSIG = 1


class MachineError(BgpsimError):
    """The machine could not be started, or ended before the command in it."""


@dataclass(frozen=True, slots=True)
class Job:
    """What the guest runs. `line` is for sh; `folders` must be readable to its user; `withheld` modules do not load."""

    line: str
    environment: Mapping[str, str]
    folders: Sequence[Path]
    seconds: int
    ordinary: bool = False
    emulated: bool = False
    withheld: Sequence[str] = ()


def root() -> Path:
    """The unpacked packages; made where they are not there (some 90 MB from the mirror)."""
    if os.uname().machine != "x86_64":
        raise MachineError(f"written for x86_64, and this is {os.uname().machine}")
    store = default_store() / "kernel"
    store.mkdir(parents=True, exist_ok=True)
    for made in store.glob(f"{RECIPE.name}-*-{RECIPE.digest}"):
        return made / "rootfs"
    own = os.environ.get("BGPSIM_APT_SOURCES")
    sources = named_sources(Path(own)) if own else host_sources(Path("/etc/apt"), Path("/etc/os-release"))
    with tempfile.TemporaryDirectory(prefix=".making-", dir=store) as folder:
        make([RECIPE], Path(folder), Path(folder), sources, lambda line: print(f"kernel: {line}", flush=True))
        (made,) = Path(folder).glob(f"{RECIPE.name}-*-{RECIPE.digest}")
        # What the package's script would have done: the modules' dependencies.
        version = kernel(made / "rootfs").name.removeprefix("vmlinuz-")
        command = [*_loaded(made / "rootfs", "usr/bin/kmod", name="depmod"), "-b", str(made / "rootfs"), version]
        subprocess.run(command, check=True)
        made.rename(store / made.name)
    return store / made.name / "rootfs"


def kernel(unpacked: Path) -> Path:
    (found,) = (unpacked / "boot").glob("vmlinuz-*")
    return found


def _loaded(unpacked: Path, program: str, name: str | None = None) -> list[str]:
    """A program of these packages with their own libraries and loader."""
    return [
        str(unpacked / "lib64/ld-linux-x86-64.so.2"),
        *("--library-path", str(unpacked / LIBRARIES)),
        *(("--argv0", name) if name else ()),
        str(unpacked / program),
    ]


def run(job: Job) -> int:
    """Boots, runs the job with its output on ours, and gives its exit code; 124 where it took too long."""
    if not job.emulated:
        _check_kvm()
    unpacked = root()
    # In memory, so that nothing is left however this process ends.
    with os.fdopen(os.memfd_create("initramfs"), "r+b") as initramfs, os.fdopen(os.memfd_create("code"), "r+b") as code:
        initramfs.write(_initramfs(unpacked, job))
        initramfs.flush()
        with subprocess.Popen(
            _qemu(unpacked, initramfs.fileno(), code.fileno(), job.emulated),
            stdin=subprocess.DEVNULL,
            pass_fds=(initramfs.fileno(), code.fileno()),
            env={**os.environ, "QEMU_MODULE_DIR": str(unpacked / LIBRARIES / "qemu")},
            preexec_fn=_end_with_us,
        ) as qemu:
            try:
                qemu.wait(job.seconds + BOOT_SECONDS)
            except subprocess.TimeoutExpired:
                raise MachineError(f"the guest did not end within {job.seconds + BOOT_SECONDS} s") from None
            finally:
                qemu.kill()
        code.seek(0)
        told = code.read().strip()
    if not told.isdigit():
        raise MachineError(f"the guest ended before its command (QEMU's exit code {qemu.returncode})")
    return int(told)


def _check_kvm() -> None:
    hint = "emulated it runs anywhere, much slower: --emulate"
    if not os.access(KVM, os.R_OK | os.W_OK):
        raise MachineError(f"{KVM} is not there, or not for this user: no virtual machine here", hint=hint)
    if CPU_FLAGS.isdisjoint(CPU_INFO.read_text().split()):
        raise MachineError(f"this processor has neither vmx nor svm: {KVM} runs no ordinary kernel", hint=hint)


def _end_with_us() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _qemu(unpacked: Path, initramfs: int, code: int, emulated: bool) -> list[str]:
    # Emulated, time is counted in instructions, a nanosecond each: the guest does not see how slowly they are run.
    processor = (
        ("-accel", "tcg", "-icount", "shift=0", "-cpu", "max", "-smp", "1")
        if emulated
        else ("-accel", "kvm", "-cpu", "host", "-smp", str(CPUS))
    )
    return [
        *_loaded(unpacked, "usr/bin/qemu-system-x86_64"),
        *("-L", str(unpacked / "usr/share/qemu"), "-L", str(unpacked / "usr/share/seabios")),
        *(*processor, "-m", str(MEGABYTES)),
        *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-nic", "none"),
        *("-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"),
        *("-serial", f"file:/proc/self/fd/{code}"),
        *("-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap"),
        *("-device", "virtio-9p-pci,fsdev=host,mount_tag=host"),
        *("-kernel", str(kernel(unpacked)), "-initrd", f"/proc/self/fd/{initramfs}"),
        *("-append", "console=ttyS0 quiet loglevel=3 panic=-1"),
    ]


def _initramfs(unpacked: Path, job: Job) -> bytes:
    """busybox, the modules that a root file system on 9p needs, the first process and the job."""
    version = kernel(unpacked).name.removeprefix("vmlinuz-")
    modules = unpacked / "usr/lib/modules"
    dependencies = (modules / version / "modules.dep").read_text()
    files = {
        "init": INIT.read_bytes(),
        "bin/busybox": (unpacked / "usr/bin/busybox").read_bytes(),
        "settings": _settings(modules, job).encode(),
        "job": _script(job).encode(),
        f"lib/modules/{version}/modules.dep": dependencies.encode(),
    }
    for module in closure(dependencies, ROOT_MODULES):
        files[f"lib/modules/{version}/{module}"] = (modules / version / module).read_bytes()
    return cpio(files)


def _settings(modules: Path, job: Job) -> str:
    values = {
        "ROOT_MODULES": " ".join(ROOT_MODULES),
        "MODULES_WANTED": " ".join(module for module in MODULES_WANTED if module not in job.withheld),
        "MODULES": str(modules),
        "STORE": str(default_store()),
        "WITHHELD": " ".join(job.withheld),
        "ORDINARY": "yes" if job.ordinary else "",
        "FOLDERS": " ".join(sorted({str(way) for folder in job.folders for way in (folder, *folder.parents)})),
        "SECONDS_MOST": str(job.seconds),
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def _script(job: Job) -> str:
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in job.environment.items())
    return f"{exports}cd {shlex.quote(os.getcwd())} || exit 1\n{job.line}\n"


def closure(dependencies: str, modules: Sequence[str]) -> set[str]:
    """Files of these modules and of all that they need, from modules.dep (depmod(8): each line names all of them)."""
    found: set[str] = set()
    for line in dependencies.splitlines():
        file, _, needs = line.partition(":")
        if Path(file).name.split(".")[0].replace("-", "_") in modules:
            found |= {file, *needs.split()}
    return found


def cpio(files: Mapping[str, bytes]) -> bytes:
    """An archive as the kernel reads it (`newc`, initramfs buffer format): files, executable, and their folders."""
    folders = {str(parent) for name in files for parent in Path(name).parents if str(parent) != "."}
    parts = [_member(name, 0o40755, b"") for name in sorted(folders)]
    parts += [_member(name, 0o100755, content) for name, content in files.items()]
    return b"".join([*parts, _member("TRAILER!!!", 0, b"")])


def _member(name: str, mode: int, content: bytes) -> bytes:
    named = name.encode() + b"\0"
    numbers = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(named), 0)
    head = b"070701" + b"".join(b"%08X" % number for number in numbers) + named
    return head + b"\0" * (-len(head) % 4) + content + b"\0" * (-len(content) % 4)


def environment(ordinary: bool) -> dict[str, str]:
    """The command's, in the guest: nothing of the host's but paths."""
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/run/tmp" if ordinary else "/root",
        "TMPDIR": "/run/tmp",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "BGPSIM_DATA": str(default_store()),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.getcwd(),
    }


def folders() -> tuple[Path, ...]:
    """What Python and bgpsim are read from, as it is named and as it lies."""
    executable = Path(sys.executable)
    named = (Path.cwd(), default_store(), executable.parent, Path(sys.base_prefix), Path(sys.prefix))
    return (*named, executable.resolve().parent, *(place.resolve() for place in named))

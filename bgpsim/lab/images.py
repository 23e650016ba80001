"""Images: root file systems for the lab's nodes, made from the distribution's packages.

Nothing is installed on the host and nothing needs root: apt resolves and downloads the whole dependency closure with
a private configuration (an empty dpkg status), dpkg-deb and tar unpack it into the user's data directory. What the
packages' maintainer scripts would have done, and a lab needs, is done by `_finish`.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from bgpsim.errors import ImageError

# A change of what is in an image, or of how it is finished, takes a new number: an old image is then not used.
REVISION = 1

_BASE = tuple(
    """
    base-files bash bsdutils coreutils dash debianutils findutils gawk grep hostname iproute2 iptables iputils-ping
    libc-bin libpam-modules libpam-runtime login procps sed tcpdump tini traceroute util-linux
    """.split()
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """One image: the packages it is made of, and the image names that it stands for."""

    name: str
    packages: tuple[str, ...]
    engine: str
    """The package whose version the image is known by."""
    title: str
    stands_for: tuple[str, ...]
    """Patterns of image names, without registry host `docker.io/` and without tag."""


RECIPES = (
    Recipe("frr", (*_BASE, "frr"), "frr", "FRR", ("frrouting/frr", "quay.io/frrouting/frr")),
    Recipe(
        "node",
        (*_BASE, "gobgpd", "curl", "netcat-openbsd", "bind9-dnsutils"),
        "gobgpd",
        "gobgpd",
        (
            "nicolaka/netshoot",
            "kindest/node",
            "ghcr.io/*/network-multitool",
            "wbitt/network-multitool",
            "alpine",
            "busybox",
            "debian",
            "ubuntu",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Image:
    """An image that is there. `versions`: package name -> version without the distribution's revision."""

    name: str
    rootfs: Path
    versions: Mapping[str, str]

    @property
    def used(self) -> str:
        """What reports say: `FRR 8.4.4`."""
        recipe = _recipe(self.name)
        return f"{recipe.title} {self.versions[recipe.engine]}"


def default_store() -> Path:
    """`$BGPSIM_DATA`, or bgpsim's folder in the user's data directory (XDG)."""
    if chosen := os.environ.get("BGPSIM_DATA"):
        return Path(chosen).absolute()
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser().absolute() / "bgpsim"


def resolve(asked: str) -> str:
    """The name of our image that stands for the one a topology asks for.

    Raises ImageError where none does.
    """
    name = re.sub(r"(@sha256:[0-9a-f]+|:[^:/]+)$", "", asked).removeprefix("docker.io/").removeprefix("library/")
    for recipe in RECIPES:
        if any(fnmatchcase(name, pattern) for pattern in recipe.stands_for):
            return recipe.name
    known = ", ".join(sorted(pattern for recipe in RECIPES for pattern in recipe.stands_for))
    raise ImageError(f"found image {asked!r}, expected one that bgpsim has a stand-in for: {known}")


def ensure(names: Iterable[str], store: Path, progress: Callable[[str], None]) -> dict[str, Image]:
    """The images of these names, made first where they are not there. A few stat calls when they are."""
    wanted = sorted(set(names))
    found = {name: image for name in wanted if (image := _load(name, store)) is not None}
    missing = [name for name in wanted if name not in found]
    if missing:
        with _lock(store):
            for name in missing:
                found[name] = _load(name, store) or _build(_recipe(name), store, progress)
    return found


def _recipe(name: str) -> Recipe:
    return next(recipe for recipe in RECIPES if recipe.name == name)


def _folder(name: str, store: Path) -> Path:
    return store / "images" / f"{name}-{REVISION}"


def _load(name: str, store: Path) -> Image | None:
    folder = _folder(name, store)
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ImageError(
            f"the image store cannot be read: {folder}: {error}", hint=f"remove {folder} and run `make install` again"
        ) from None
    return Image(name, folder / "rootfs", manifest["versions"])


@contextmanager
def _lock(store: Path) -> Iterator[None]:
    """One process builds at a time; the kernel drops the lock of one that died."""
    try:
        store.mkdir(parents=True, exist_ok=True)
        handle = (store / "lock").open("w")
    except OSError as error:
        raise ImageError(f"the image store cannot be written: {error}", hint="set BGPSIM_DATA to another") from None
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(recipe: Recipe, store: Path, progress: Callable[[str], None]) -> Image:
    folder = _folder(recipe.name, store)
    folder.parent.mkdir(parents=True, exist_ok=True)
    for stale in folder.parent.glob(f".{recipe.name}-*"):
        shutil.rmtree(stale, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=f".{recipe.name}-", dir=folder.parent))
    try:
        progress(f"image {recipe.name}: downloading packages")
        archives = _download(recipe.packages, store, work)
        progress(f"image {recipe.name}: unpacking {len(archives)} packages")
        rootfs = work / "rootfs"
        _unpack(archives, rootfs)
        _finish(rootfs)
        versions = {name: _upstream(version) for name, version in _versions(archives).items()}
        manifest = {"name": recipe.name, "versions": versions, "packages": _versions(archives)}
        (work / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True))
        # The lab may run under another uid than the store's owner: everything must be readable.
        work.chmod(0o755)
        work.rename(folder)
    except OSError as error:
        raise ImageError(f"image {recipe.name} could not be made: {error}") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    image = _load(recipe.name, store)
    assert image is not None
    progress(f"image {recipe.name}: ready ({image.used})")
    return image


def _run(argv: list[str], what: str, env: Mapping[str, str] | None = None) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL, check=False)
    except FileNotFoundError:
        raise ImageError(f"{argv[0]} is not there", hint="images are made on Debian or Ubuntu") from None
    if done.returncode:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        reason = next((line for line in said if line.startswith("E:")), said[-1] if said else "no output")
        raise ImageError(f"{what}: {reason}", hint="the distribution's package archive must be reachable")
    return done.stdout


def _sources(folder: Path) -> None:
    """Copy the host's own apt sources, the distribution's alone (third parties may be unreachable or unsigned).

    `BGPSIM_APT_SOURCES` names a file to use instead.
    """
    if chosen := os.environ.get("BGPSIM_APT_SOURCES"):
        shutil.copy(chosen, folder / Path(chosen).name)
        return
    etc = Path("/etc/apt")
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]:
        if path.suffix not in (".list", ".sources") or not path.is_file():
            continue
        text = path.read_text()
        if path.suffix == ".list":
            kept = "\n".join(line for line in text.splitlines() if _distribution(line))
        else:
            kept = "\n\n".join(part for part in re.split(r"\n\s*\n", text) if _distribution(part))
        if kept.strip():
            (folder / path.name).write_text(kept + "\n")
    if not any(folder.iterdir()):
        raise ImageError(
            "no Debian or Ubuntu package source in /etc/apt", hint="name a sources file in BGPSIM_APT_SOURCES"
        )


def _distribution(stanza: str) -> bool:
    """Whether an apt source is Debian's or Ubuntu's own: signed by their keyring or, by default, in their suites."""
    text = "\n".join(line for line in stanza.splitlines() if not line.lstrip().startswith("#"))
    if "debian-archive" in text or "ubuntu-archive" in text:
        return True
    release = Path("/etc/os-release").read_text()
    codename = re.search(r"^VERSION_CODENAME=(\S+)", release, re.M)
    return "igned-" not in text and codename is not None and re.search(rf"\b{codename[1]}\b", text) is not None


def _download(packages: Iterable[str], store: Path, work: Path) -> list[Path]:
    apt = work / "apt"
    for sub in ("state/lists/partial", "sources"):
        (apt / sub).mkdir(parents=True)
    (store / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    (apt / "state" / "status").touch()
    _sources(apt / "sources")
    configuration = apt / "apt.conf"
    configuration.write_text(
        f'Dir::State "{apt}/state"; Dir::State::status "{apt}/state/status"; Dir::Cache "{apt}";\n'
        f'Dir::Cache::archives "{store}/archives"; Dir::Etc::sourcelist "/dev/null";\n'
        f'Dir::Etc::sourceparts "{apt}/sources"; Dir::Etc::main "/dev/null"; Dir::Etc::parts "/etc/apt/apt.conf.d";\n'
        'APT::Sandbox::User "root"; Acquire::Languages "none"; APT::Install-Recommends "false";\n'
        # Hooks of the host's configuration would act on the host.
        "#clear APT::Update::Post-Invoke; #clear APT::Update::Post-Invoke-Success; #clear DPkg::Post-Invoke;\n"
        "#clear APT::Update::Pre-Invoke; #clear DPkg::Pre-Invoke; #clear DPkg::Pre-Install-Pkgs;\n"
    )
    env = {**os.environ, "APT_CONFIG": str(configuration), "LC_ALL": "C"}
    _run(["apt-get", "-o", "APT::Update::Error-Mode=any", "update"], "package lists could not be fetched", env)
    install = ["apt-get", "-y", "-o", "Debug::NoLocking=1", "install", *packages]
    simulated = _run([*install[:2], "--simulate", *install[2:]], "packages could not be resolved", env)
    _run([*install[:2], "--download-only", *install[2:]], "packages could not be downloaded", env)
    names = [
        f"{name}_{version.replace(':', '%3a')}_{arch}.deb"
        for name, version, arch in re.findall(r"^Inst (\S+) \((\S+) .*\[(\S+)\]\)", simulated, re.M)
    ]
    return [store / "archives" / name for name in names]


def _versions(archives: Iterable[Path]) -> dict[str, str]:
    parts = (archive.name.split("_") for archive in archives)
    return {name: version.replace("%3a", ":") for name, version, _ in parts}


def _upstream(version: str) -> str:
    """`1:8.4.4-1.1~deb12u2` -> `8.4.4`."""
    return version.split(":", 1)[-1].rsplit("-", 1)[0]


# Documentation and translations are two thirds of the files and no use to a lab.
_LEFT_OUT = ("dev", "usr/share/doc", "usr/share/info", "usr/share/locale", "usr/share/man", "usr/share/zoneinfo")
_TAR_OPTIONS = [
    "--keep-directory-symlink",
    "--no-same-owner",
    "--no-same-permissions",
    *(f"--exclude=./{folder}/*" for folder in _LEFT_OUT),
]


def _unpack(archives: Iterable[Path], rootfs: Path) -> None:
    """Unpack over merged /usr, as every supported release has it; owners are not kept (nobody could, without root)."""
    (rootfs / "usr").mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        (rootfs / "usr" / name).mkdir()
        (rootfs / name).symlink_to(f"usr/{name}")
    for archive in archives:
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE) as reader:
            unpacked = subprocess.run(
                ["tar", "-x", "-C", str(rootfs), *_TAR_OPTIONS],
                stdin=reader.stdout,
                capture_output=True,
                text=True,
                check=False,
            )
        if reader.returncode or unpacked.returncode:
            raise ImageError(f"{archive.name} could not be unpacked: {unpacked.stderr.strip()[-300:]}")


_PASSWD = """\
root:x:0:0:root:/root:/bin/bash
frr:x:0:0:FRR:/nonexistent:/usr/sbin/nologin
_gobgp:x:0:0:GoBGP:/nonexistent:/usr/sbin/nologin
tcpdump:x:0:0::/nonexistent:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
# Only uid 0 may be mapped in the lab, so the daemons' users are root under other names.
_GROUP = """\
root:x:0:
frr:x:0:root
frrvty:x:0:root
tty:x:5:
adm:x:4:
shadow:x:42:
nogroup:x:65534:
"""


def _finish(rootfs: Path) -> None:
    """What maintainer scripts would have done and the lab needs."""
    etc = rootfs / "etc"
    (etc / "passwd").write_text(_PASSWD)
    (etc / "group").write_text(_GROUP)
    (etc / "hosts").write_text("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n")
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\nservices: files\n")
    for name in ("resolv.conf", "fstab", "ld.so.conf.local"):
        (etc / name).write_text("")
    # vtysh asks PAM for an account at every call. The shared files are made by a post-install script, and services
    # that include what is not there fail as a whole.
    if (etc / "pam.d").is_dir():
        for kind in ("auth", "account", "password", "session"):
            (etc / "pam.d" / f"common-{kind}").write_text(f"{kind} sufficient pam_permit.so\n")
        (etc / "pam.d" / "frr").write_text("auth sufficient pam_permit.so\naccount sufficient pam_permit.so\n")
    for folder in ("dev", "proc", "sys", "run", "tmp", "root", "var/log", "var/tmp", "var/lib"):
        (rootfs / folder).mkdir(parents=True, exist_ok=True)
    (rootfs / "tmp").chmod(0o777)
    shutil.rmtree(rootfs / "var" / "run", ignore_errors=True)
    if not (rootfs / "var" / "run").is_symlink():
        (rootfs / "var" / "run").symlink_to("../run")
    # Read by whatever id the lab runs under, whatever the umask was.
    subprocess.run(["chmod", "-R", "u+rwX,a+rX", str(rootfs)], check=True)
    links = {
        "usr/sbin/iptables": "iptables-nft",
        "usr/sbin/iptables-save": "iptables-nft-save",
        "usr/sbin/iptables-restore": "iptables-nft-restore",
        "usr/sbin/ip6tables": "ip6tables-nft",
        "usr/sbin/ip6tables-save": "ip6tables-nft-save",
        "usr/sbin/ip6tables-restore": "ip6tables-nft-restore",
        "usr/bin/awk": "gawk",
        "usr/bin/nc": "nc.openbsd",
        "usr/bin/traceroute": "traceroute.db",
        "usr/bin/sh": "dash",
    }
    for link, target in links.items():
        place = rootfs / link
        if (place.parent / target).exists() and not place.is_symlink() and not place.exists():
            place.symlink_to(target)


def main() -> int:
    """`python -m bgpsim.lab.images`: make all images that are not there."""
    try:
        ensure((recipe.name for recipe in RECIPES), default_store(), lambda line: print(line, flush=True))
    except ImageError as error:
        print(f"error: {error}" + (f"\nhint: {error.hint}" if error.hint else ""), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

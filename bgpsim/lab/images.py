"""Images: root file systems for the nodes of the embedded lab, and which one an image name maps to.

`python -m bgpsim.lab.images [NAME…]` makes the usual ones, or those. An image is a complete root file system of the
release that the host runs (Debian or Ubuntu), or of the Debian release that has the wanted version of FRR
(`bgpsim.lab.debian_suites`), so the host's own /usr is not needed: see `bgpsim.lab.image_store`.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bgpsim.errors import BgpsimError, ImageError
from bgpsim.frr_series import DEFAULT, SERIES, Series, of_image, of_version, spelled
from bgpsim.lab.image_store import Recipe, make

Role = Literal["container", "kubernetes-node"]

_NFT = {
    f"usr/sbin/{family}tables{action}": "xtables-nft-multi"
    for family in ("ip", "ip6", "arp", "eb")
    for action in ("", "-save", "-restore")
}

_LINKS = {
    # What update-alternatives would have chosen; a link is made only where its target is in the image.
    **_NFT,
    "usr/bin/awk": "mawk",
    "usr/bin/nawk": "mawk",
    "usr/bin/nc": "nc.openbsd",
    "usr/bin/netcat": "nc.openbsd",
    "usr/bin/traceroute": "traceroute.db",
    "usr/bin/traceroute6": "traceroute6.db",
    "usr/bin/pager": "less",
    "usr/bin/which": "which.debianutils",
    "usr/bin/sh": "dash",
    "var/run": "../run",
    "var/lock": "../run/lock",
}

_DIRECTORIES = {
    **dict.fromkeys(("dev", "proc", "sys", "run", "run/lock", "root", "mnt", "srv", "home", "opt"), 493),
    **dict.fromkeys(("var/log", "var/lib", "var/cache", "var/tmp"), 493),
    "tmp": 0o1777,
    "var/tmp": 0o1777,
}

_PASSWD = """\
root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""

_GROUP = """\
root:x:0:
adm:x:4:
tty:x:5:
utmp:x:43:
nogroup:x:65534:
"""

_FILES = {
    "etc/passwd": _PASSWD,
    "etc/group": _GROUP,
    "etc/hosts": "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n",
    "etc/resolv.conf": "",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n"
    "protocols: files\nservices: files\n",
    "etc/ld.so.conf": "include /etc/ld.so.conf.d/*.conf\n",
    "etc/profile": "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nexport PATH\n",
}

_BASE = (
    "base-files",
    "bash",
    "coreutils",
    "dash",
    "debianutils",
    "diffutils",
    "findutils",
    "grep",
    "gzip",
    "hostname",
    "less",
    "libc-bin",
    "mawk",
    "ncurses-base",
    "procps",
    "sed",
    "sysvinit-utils",
    "tar",
    "tini",
    "util-linux",
    "ethtool",
    "iproute2",
    "iptables",
    "iputils-ping",
    "tcpdump",
    "traceroute",
)


def _frr(series: Series) -> Recipe:
    return Recipe(
        name=_name_of(series),
        versioned_by="frr",
        packages=(*_BASE, "frr", "libpam-modules"),
        links=_LINKS,
        files={
            **_FILES,
            # Only user 0 is mapped in a lab, so FRR's own user and groups are that one.
            "etc/passwd": _PASSWD + "frr:x:0:0:FRR:/nonexistent:/usr/sbin/nologin\n",
            "etc/group": _GROUP + "frr:x:0:root\nfrrvty:x:0:root\n",
            # Debian's file has no account line and so falls to PAM's default, which refuses with a complaint.
            # Its `other` includes what a script would have made; without that PAM fails as a whole.
            **{
                f"etc/pam.d/common-{kind}": f"{kind} sufficient pam_permit.so\n"
                for kind in ("auth", "account", "password", "session")
            },
            "etc/pam.d/frr": "auth sufficient pam_permit.so\naccount sufficient pam_permit.so\n",
        },
        directories={**_DIRECTORIES, "var/log/frr": 0o755},
        series=series,
    )


def _name_of(series: Series) -> str:
    """The image of the version that has always been the one is called `frr` alone."""
    return "frr" if series == DEFAULT else f"frr-{spelled(series)}"


RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        *map(_frr, SERIES),
        Recipe(
            name="node",
            versioned_by="gobgpd",
            packages=(*_BASE, "gobgpd", "curl", "netcat-openbsd", "bind9-dnsutils"),
            links=_LINKS,
            files=_FILES,
            directories=_DIRECTORIES,
        ),
    )
}
"""All images by name."""

USUAL = (_name_of(DEFAULT), "node")
"""Those that the shipped scenarios name."""

_TOOLS = "Debian's iproute2, ping, traceroute, tcpdump, curl, netcat, dig"

_KNOWN_AS: Mapping[str, str] = {
    **dict.fromkeys(("frrouting/frr", "quay.io/frrouting/frr", "frrouting/frr-debian", "frr"), "frr"),
    **dict.fromkeys(
        (
            "nicolaka/netshoot",
            "kindest/node",
            "ghcr.io/srl-labs/network-multitool",
            "wbitt/network-multitool",
            "praqma/network-multitool",
            "alpine",
            "busybox",
            "debian",
            "ubuntu",
            "node",
            "ghcr.io/nicolaka/netshoot",
            "ghcr.io/hellt/network-multitool",
            "ghcr.io/srl-labs/alpine",
            "hellt/network-multitool",
            "akpinar/alpine",
            "centos",
            "fedora",
            "rockylinux",
            "almalinux",
            "archlinux",
            "python",
            "nginx",
            "httpd",
            "curlimages/curl",
            "networkop/host",
            "praqma/network-multitool-minimal",
            "jonlabelle/network-tools",
        ),
        "node",
    ),
}
"""Image names without registry docker.io, tag and digest, and the image that serves."""


@dataclass(frozen=True, slots=True)
class Image:
    """A root file system that is there. `versions` are upstream's, by Debian package: `{"frr": "8.4.4"}`."""

    name: str
    rootfs: Path
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ImageUse:
    """Which image serves for the one a topology asks for.

    `used` is what the report says of it; its version is known once the image is there (`versioned`).
    """

    asked: str
    image: str
    used: str

    @property
    def routes(self) -> bool:
        """It has FRR in it."""
        return self.image == "frr" or self.image.startswith("frr-")

    def versioned(self, image: Image) -> ImageUse:
        """The same with versions filled in: `FRR 8.4.4`."""
        return replace(self, used=self.used.format_map(image.versions))


def repository(image_name: str) -> str:
    """An image name without tag, digest and Docker Hub's prefixes: `docker.io/library/alpine:3` → `alpine`."""
    name = image_name.strip().split("@", 1)[0]
    name = re.sub(r":[^/:]*$", "", name)
    name = re.sub(r"^(index\.|registry-1\.)?docker\.io/", "", name)
    return name.removeprefix("library/")


def resolve(image_name: str, role: Role = "container", frr: Series | None = None) -> ImageUse:
    """Which image serves for an image name of a topology or a manifest; `frr`: of FRR this one, whatever the tag says.

    A Kubernetes node always gets `node`, whatever kind's image is called, and GoBGP stands in for Cilium's agent.
    Raises ImageError for a name that no image serves.
    """
    if role == "kubernetes-node":
        return ImageUse(image_name, "node", "gobgpd {gobgpd}")
    image = _KNOWN_AS.get(repository(image_name))
    if image is None:
        raise ImageError(
            f"image {image_name!r}: the embedded lab has nothing like it",
            hint="known: " + ", ".join(sorted(_KNOWN_AS)),
        )
    if image == "frr":
        return ImageUse(image_name, _name_of(frr or of_image(image_name)), "FRR {frr}")
    return ImageUse(image_name, image, _TOOLS)


def default_store() -> Path:
    """Where images are kept: $BGPSIM_DATA, else $XDG_DATA_HOME/bgpsim, else ~/.local/share/bgpsim.

    Raises ImageError for a user that has none of them.
    """
    if own := os.environ.get("BGPSIM_DATA"):
        return Path(own).absolute()
    # The XDG base directory specification: a relative path is to be ignored.
    shared = os.environ.get("XDG_DATA_HOME", "")
    if os.path.isabs(shared):
        return Path(shared) / "bgpsim"
    try:
        return Path.home() / ".local/share/bgpsim"
    except RuntimeError:
        raise ImageError("this user has no home folder to keep images in", hint="name one: BGPSIM_DATA=DIR") from None


def ensure(names: Iterable[str], store: Path, progress: Callable[[str], None]) -> Mapping[str, Image]:
    """The images of these names, by name; those that are missing are made (some 20 s, 60 MB from the mirror).

    Raises ImageError if one cannot be made: no network, no apt, a full disk, a store that cannot be written.
    """
    wanted = sorted(set(names))
    for name in wanted:
        if name not in RECIPES:
            raise ImageError(f"no image {name!r}", hint="images: " + ", ".join(RECIPES))
    images = store / "images"
    found = _present(wanted, images)
    if len(found) < len(wanted):
        try:
            _make_missing(wanted, images, progress)
        except OSError as error:
            hint = "free some space, or name another folder: BGPSIM_DATA=DIR"
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                hint = "name a folder that can be written: BGPSIM_DATA=DIR"
            raise ImageError(f"{error.filename or store}: {error.strerror or error}", hint=hint) from error
        found = _present(wanted, images)
    return {name: found[name] for name in wanted}


def _make_missing(names: Sequence[str], images: Path, progress: Callable[[str], None]) -> None:
    from bgpsim.lab.image_sources import host_sources, named_sources

    images.mkdir(parents=True, exist_ok=True)
    with _alone(images, progress):
        missing = [name for name in names if name not in _present(names, images)]
        if not missing:
            return  # somebody else made them meanwhile
        for stale in images.glob(".making-*"):
            shutil.rmtree(stale, ignore_errors=True)
        own = os.environ.get("BGPSIM_APT_SOURCES")
        sources = named_sources(Path(own)) if own else host_sources(Path("/etc/apt"), Path("/etc/os-release"))
        with tempfile.TemporaryDirectory(prefix=".making-", dir=images) as folder:
            make([RECIPES[name] for name in missing], images, Path(folder), sources, progress)


def _present(names: Sequence[str], images: Path) -> dict[str, Image]:
    """The images of these names that are there, made by the recipes of today."""
    found: dict[str, Image] = {}
    for name in names:
        recipe = RECIPES[name]
        for folder in sorted(images.glob(f"{name}-*-{recipe.digest}")):
            try:
                versions = dict(json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["versions"])
                version = versions[recipe.versioned_by]
                if recipe.series is not None and of_version(version) != recipe.series:
                    continue  # of another release of the host
                found[name] = Image(name, folder / "rootfs", {**versions, name: version})
            except (ValueError, TypeError, KeyError):
                raise ImageError(f"{folder}: its manifest.json is damaged", hint=f"remove {folder}") from None
            except OSError as error:
                reason = error.strerror or error
                raise ImageError(f"{folder}: its manifest.json: {reason}", hint=f"remove {folder}") from None
            if not found[name].rootfs.is_dir():
                raise ImageError(f"{folder}: it has no rootfs", hint=f"remove {folder}")
    return found


@contextmanager
def _alone(images: Path, progress: Callable[[str], None]) -> Iterator[None]:
    """Holds the store's lock: one process makes images at a time. The kernel frees it when the process dies."""
    with (images / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another process is making images: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(names: Sequence[str] = ()) -> int:
    """Makes these images (none: the usual ones) in the default store; prints progress, or an error and its hint."""
    try:
        made = ensure(names or USUAL, default_store(), lambda line: print(f"images: {line}", flush=True))
    except BgpsimError as error:
        print(f"images: {error}" + (f" ({error.hint})" if error.hint else ""), file=sys.stderr)
        return 1
    for image in made.values():
        version = image.versions[RECIPES[image.name].versioned_by]
        print(f"images: {image.name} ({RECIPES[image.name].versioned_by} {version}): {image.rootfs}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

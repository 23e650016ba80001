"""Fetches Debian packages with apt, without root, and unpacks them into root file systems.

Nothing is installed: apt runs with a configuration, package lists and a package status of its own, in a
temporary folder, and maintainer scripts never run. What they would have done and a lab needs is data of the
recipe (`Recipe.links`, `files`, `directories`).

An image holds no absolute path of the store, is owned by whoever made it, and is readable by everybody: the
lab binds it read-only at another path and, started as root, reads it as another user.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from bgpsim.errors import ImageError
from bgpsim.frr_series import Series, of_version
from bgpsim.lab.apt import Apt, Deb, upstream_version
from bgpsim.lab.debian_suites import apt_of_suite
from bgpsim.lab.image_sources import AptSources

Progress = Callable[[str], None]

FORMAT = 2
"""Part of every recipe's digest: raise it when this module lays out an image differently."""

MERGED = frozenset({"bin", "sbin", "lib", "lib32", "lib64", "libx32"})
"""Top-level folders that are links into /usr since Debian 12; older packages still ship files in them."""

LEFT_OUT = (
    "usr/share/doc/",
    "usr/share/man/",
    "usr/share/info/",
    "usr/share/locale/",
    "usr/share/lintian/",
    "usr/share/bug/",
    "usr/share/bash-completion/",
    "usr/share/doc-base/",
    "var/cache/",
)
"""What no node reads. Links keep the images small (no copyright files: the images are never passed on)."""

COPIED = ("etc/", "var/", "root/")
"""Never hard-linked between images: somebody may edit these in place."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an image is made of. `links` are made where the link's target exists and its own path does not."""

    name: str
    versioned_by: str
    packages: tuple[str, ...]
    links: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    directories: Mapping[str, int] = field(default_factory=dict)
    series: Series | None = None
    """The series of FRR that it must have; its name says it too, so the digest does not."""

    @property
    def digest(self) -> str:
        """Eight hex digits that change with anything in the recipe."""
        parts = [
            FORMAT,
            self.name,
            self.versioned_by,
            self.packages,
            sorted(self.links.items()),
            sorted(self.files.items()),
            sorted(self.directories.items()),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]


def make(
    recipes: Sequence[Recipe],
    images: Path,
    folder: Path,
    sources: AptSources,
    progress: Progress,
) -> None:
    """Makes the images `images/NAME-VERSION-DIGEST` of all recipes; `folder` is empty, beside `images`.

    Every package is unpacked once, and images share files as hard links. An image appears by one rename.
    """
    own = Apt(folder / "apt", sources)
    progress("fetching the package lists")
    own.update()
    apts = {recipe.name: _apt_for(recipe, own, folder, sources, progress) for recipe in recipes}
    closures = {recipe.name: apts[recipe.name].closure(recipe.name, recipe.packages) for recipe in recipes}
    for recipe in recipes:
        debs = closures[recipe.name]
        missing = [deb for deb in debs if not deb.file.exists()]
        size = sum(deb.size for deb in missing) / 1e6
        progress(f"{recipe.name}: fetching {len(missing)} of {len(debs)} packages ({size:.0f} MB)")
        apts[recipe.name].download(recipe.name, recipe.packages)
    wanted = {deb.file: deb for debs in closures.values() for deb in debs}
    progress(f"unpacking {len(wanted)} packages")
    trees = folder / "packages"
    with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 1)) as pool:
        digests = dict(zip(wanted, pool.map(lambda file: unpack(file, trees / file.name), wanted), strict=True))
    for recipe in recipes:
        debs = closures[recipe.name]
        made = folder / recipe.name
        lay_out(made / "rootfs", [trees / deb.file.name for deb in debs], recipe)
        manifest = _manifest(recipe, debs, digests)
        (made / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
        for path in (made, made / "manifest.json"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        version = next(upstream_version(deb.version) for deb in debs if deb.name == recipe.versioned_by)
        made.rename(images / f"{recipe.name}-{version}-{recipe.digest}")
        progress(f"{recipe.name}: ready ({recipe.versioned_by} {version})")


def _apt_for(recipe: Recipe, own: Apt, folder: Path, sources: AptSources, progress: Progress) -> Apt:
    """The host's release where it has what the recipe needs, else the Debian release that has it."""
    if recipe.series is None:
        return own
    there = own.version_of(recipe.versioned_by)
    if there is not None and of_version(there) == recipe.series:
        return own
    return apt_of_suite(recipe.series, folder, sources, there, progress)


def _manifest(recipe: Recipe, debs: Sequence[Deb], digests: Mapping[Path, str]) -> dict[str, object]:
    packages = {
        deb.name: {"version": deb.version, "architecture": deb.architecture, "sha256": digests[deb.file]}
        for deb in debs
    }
    content = json.dumps([recipe.digest, packages], sort_keys=True).encode()
    return {
        "image": recipe.name,
        "recipe": recipe.digest,
        "digest": hashlib.sha256(content).hexdigest(),
        "versions": {deb.name: upstream_version(deb.version) for deb in debs},
        "packages": packages,
    }


def unpack(deb: Path, tree: Path) -> str:
    """Unpacks one package file below `tree`, merged and trimmed; returns the SHA-256 of the file."""
    tree.mkdir(parents=True)
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", deb],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                for member in archive:
                    _unpack_member(archive, member, tree)
        except tarfile.TarError as error:
            raise ImageError(f"{deb.name}: not a whole package: {error}") from None
        finally:
            assert process.stdout is not None
            # dpkg-deb pads its output beyond the archive's end and must not die of a closed pipe.
            while process.stdout.read(1 << 16):
                pass
    if process.returncode:
        raise ImageError(f"{deb.name}: dpkg-deb could not unpack it (exit {process.returncode})")
    with deb.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def merged(path: str) -> str:
    """The path of a package's file in a merged-/usr image, relative to its root: `./bin/sh` → `usr/bin/sh`."""
    relative = os.path.normpath(path).lstrip("/")
    if ".." in relative.split("/"):
        raise ImageError(f"a package has a file outside the root: {path}")
    return "usr/" + relative if relative.split("/", 1)[0] in MERGED else relative


def _unpack_member(archive: tarfile.TarFile, member: tarfile.TarInfo, tree: Path) -> None:
    if member.issym() and os.path.normpath(member.name) in MERGED:
        return  # Debian 13's base-files ships the links that every image has anyway
    relative = merged(member.name)
    if (relative + "/").startswith(LEFT_OUT) or relative == ".":
        return
    target = tree / relative
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        target.unlink()
    if member.issym():
        target.symlink_to(member.linkname)
    elif member.islnk():
        os.link(tree / merged(member.linkname), target)
    elif member.isfile():
        content = archive.extractfile(member)
        assert content is not None
        with target.open("wb") as file:
            shutil.copyfileobj(content, file)
        # No set-id bits: the lab maps one user, and a store on the host must not carry them.
        target.chmod(0o755 if member.mode & 0o100 else 0o644)


def lay_out(rootfs: Path, trees: Sequence[Path], recipe: Recipe) -> None:
    """Makes the root file system of a recipe from unpacked packages."""
    rootfs.mkdir(parents=True)
    for name in sorted(MERGED):
        if any((tree / "usr" / name).is_dir() for tree in trees):
            (rootfs / name).symlink_to(f"usr/{name}")
    for tree in trees:
        _merge(tree, rootfs)
    for path, mode in recipe.directories.items():
        (rootfs / path).mkdir(parents=True, exist_ok=True)
        (rootfs / path).chmod(mode)
    for path, text in recipe.files.items():
        file = rootfs / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(text)
        file.chmod(0o644)
    for path, target in recipe.links.items():
        link = rootfs / path
        if link.is_dir() and not link.is_symlink() and not any(link.iterdir()):
            # A package ships an empty folder where a script would have made the link (/var/run).
            link.rmdir()
        if not os.path.lexists(link) and os.path.lexists(link.parent / target):
            link.symlink_to(target)
    for folder, _, _ in os.walk(rootfs):
        inside = os.path.relpath(folder, rootfs)
        if inside not in recipe.directories:
            os.chmod(folder, 0o755)


def _merge(tree: Path, rootfs: Path) -> None:
    """Adds a package's tree to a root file system; the later package wins where two have a file."""
    for folder, subfolders, files in os.walk(tree):
        inside = os.path.relpath(folder, tree)
        target_folder = rootfs if inside == "." else rootfs / inside
        if not target_folder.is_dir():
            target_folder.mkdir(parents=True)
        links = [name for name in subfolders if os.path.islink(os.path.join(folder, name))]
        for name in [*files, *links]:
            source, target = os.path.join(folder, name), target_folder / name
            if os.path.lexists(target):
                if target.is_dir():
                    continue
                target.unlink()
            if os.path.islink(source) or f"{inside}/".startswith(COPIED):
                shutil.copy2(source, target, follow_symlinks=False)
            else:
                os.link(source, target)

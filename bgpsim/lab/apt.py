"""apt without root, with nothing of the host's but its sources, its keys and its way to the network.

Nothing is installed: the configuration, the package lists and the package status are in a folder of their own.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bgpsim.errors import ImageError
from bgpsim.lab.image_sources import AptSources


@dataclass(frozen=True, slots=True)
class Deb:
    """A package file that apt chose: `file` is its name in the archive folder, or a whole path."""

    name: str
    version: str
    architecture: str
    file: Path
    size: int


def upstream_version(version: str) -> str:
    """The version without epoch, Debian revision and repacking suffix (deb-version(7)): `8.4.4`."""
    version = version.split(":", 1)[-1]
    if "-" in version:
        version = version.rsplit("-", 1)[0]
    return re.split(r"[+~](?:dfsg|ds|really|repack|git|deb|ubuntu)", version, maxsplit=1)[0]


class Apt:
    """apt with nothing of the host's but its sources, its keys and its way to the network."""

    def __init__(self, folder: Path, sources: AptSources) -> None:
        self._folder = folder
        self.archives = folder / "archives"
        self._nothing = folder / "nothing"
        for path in (
            self.archives / "partial",
            self._nothing / "partial",
            folder / "lists/partial",
            folder / "sources",
            folder / "cache",
        ):
            path.mkdir(parents=True)
        sources.write(folder / "sources")
        # Every image is merged-/usr from the start, which Debian asks of a package that only checks for it.
        (folder / "status").write_text(
            "Package: usr-is-merged\nStatus: install ok installed\nArchitecture: all\nMulti-Arch: foreign\n"
            "Maintainer: none\nVersion: 999\nDescription: the image is laid out merged\n\n"
        )
        config = folder / "apt.conf"
        config.touch(mode=0o600)
        config.write_text(self._configuration())
        self._environment = {**os.environ, "LC_ALL": "C", "APT_CONFIG": str(config)}

    def _configuration(self) -> str:
        architecture = _output(["dpkg", "--print-architecture"]).strip()
        # Proxies, certificates and time-outs are the host's; hooks, index targets and options are not.
        kept = [
            line
            for line in _output(["apt-config", "dump"]).splitlines()
            if re.match(r"Acquire::(?!IndexTargets|Languages|GzipIndexes|Changelogs|CompressionTypes)\S", line)
        ]
        own = {
            "Dir::Etc::main": "/dev/null",
            "Dir::Etc::parts": "/dev/null",
            "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": self._folder / "sources",
            "Dir::State": self._folder,
            "Dir::State::lists": self._folder / "lists",
            "Dir::State::status": self._folder / "status",
            "Dir::Cache": self._folder / "cache",
            "Dir::Cache::archives": self.archives,
            "APT::Architecture": architecture,
            "APT::Sandbox::User": "root",
            "APT::Install-Recommends": "false",
            "APT::Update::Error-Mode": "any",
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
            "Debug::NoLocking": "1",
        }
        return "\n".join(
            [*kept, f'APT::Architectures {{ "{architecture}"; }};']
            + [f'{option} "{value}";' for option, value in own.items()]
            + [""]
        )

    def update(self) -> None:
        """Fetches the package lists."""
        self._run(
            "update",
            failure="the package lists could not be fetched",
            hint="check the network and the proxy, or name another mirror: BGPSIM_APT_SOURCES=FILE",
        )

    def version_of(self, package: str) -> str | None:
        """The upstream version that the sources have of a package; None where they have none."""
        done = subprocess.run(
            ["apt-cache", "policy", package],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        candidate = re.search(r"^ *Candidate: (\d\S*)$", done.stdout, re.MULTILINE)
        return None if candidate is None else upstream_version(candidate[1])

    def closure(self, image: str, packages: Sequence[str]) -> tuple[Deb, ...]:
        """These packages and all that they depend on, in order of their names."""
        listing = self._run(
            "--print-uris",
            "-o",
            f"Dir::Cache::archives={self._nothing}",
            "install",
            *packages,
            failure=f"image {image}: apt finds no way to have all its packages",
            hint="the distribution's own archives are needed (Ubuntu: universe too); others can be named: "
            "BGPSIM_APT_SOURCES=FILE",
        )
        debs = [self._deb(line) for line in listing.splitlines() if line.startswith("'")]
        return tuple(sorted(debs, key=lambda deb: deb.name))

    def _deb(self, line: str) -> Deb:
        """Reads a line of --print-uris: `'uri' NAME_VERSION_ARCH.deb SIZE HASH`."""
        uri, file_name, size = line.split()[:3]
        name, version, architecture = unquote(file_name.removesuffix(".deb")).split("_")
        parts = urlsplit(uri.strip("'"))
        # apt reads an archive on this machine where it lies and copies nothing.
        file = Path(unquote(parts.path)) if parts.scheme == "file" else self.archives / file_name
        return Deb(name, version, architecture, file, int(size))

    def download(self, image: str, packages: Sequence[str]) -> None:
        """Fetches and verifies the package files of `closure`."""
        self._run(
            "--download-only",
            "install",
            *packages,
            failure=f"image {image}: the packages could not be fetched",
            hint="check the network, the proxy and the free space, then try again",
        )

    def _run(self, *arguments: str, failure: str, hint: str) -> str:
        command = ["apt-get", "--yes", "--quiet=2", "--no-install-recommends", *arguments]
        done = subprocess.run(
            command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise ImageError(f"{failure}: {_reason(done.stderr or done.stdout)}", hint=hint)
        return done.stdout


def _output(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=True)
    except FileNotFoundError:
        raise ImageError(
            f"{command[0]} is not on this machine",
            hint="images are made from Debian packages: use Debian or Ubuntu",
        ) from None
    except subprocess.CalledProcessError as error:
        raise ImageError(f"{command[0]} failed: {_reason(error.stderr)}") from None
    return done.stdout


def _reason(text: str) -> str:
    """apt's reason in one line: the first error, else the first warning, else the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for mark in ("E: ", "W: "):
        for line in lines:
            if line.startswith(mark):
                return line.removeprefix(mark)
    return lines[-1] if lines else "no reason given"

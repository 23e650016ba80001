"""Debian's releases by the series of FRR that they have: a lab can run another one than the host's release has.

The mirror is the one that the host's own apt sources name for Debian, or $BGPSIM_DEBIAN_MIRROR; the keys are those of
the package debian-archive-keyring.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from bgpsim.errors import ImageError, NoSuchRelease
from bgpsim.frr_series import Series, spelled
from bgpsim.lab.apt import Apt
from bgpsim.lab.image_sources import AptSources, archives

SUITES: Mapping[Series, str] = {(7, 5): "bullseye", (8, 4): "bookworm", (10, 3): "trixie", (10, 7): "sid"}
_DEBIAN = frozenset(
    (
        *("bullseye", "bookworm", "trixie", "forky", "duke"),
        *("oldoldstable", "oldstable", "stable", "testing", "unstable", "sid"),
    )
)
_KEYRINGS = tuple(Path("/usr/share/keyrings", f"debian-archive-keyring.{suffix}") for suffix in ("gpg", "pgp"))


def apt_of_suite(
    series: Series, folder: Path, own: AptSources, there: str | None, progress: Callable[[str], None]
) -> Apt:
    """apt for the Debian release that has a series of FRR, its package lists fetched.

    `own`: the host's sources, `there`: the version of FRR that they have. Raises NoSuchRelease.
    """
    suite = SUITES[series]
    what = f"FRR {spelled(series)} is in Debian's release {suite}, and this machine's has {there or 'none'}"
    apt = Apt(folder / f"apt-{suite}", suite_sources(suite, what, own))
    progress(f"fetching the package lists of Debian's {suite}, for FRR {spelled(series)}")
    try:
        apt.update()
    except ImageError as error:
        raise NoSuchRelease(f"{what}: {error.message}", hint=_HINT) from None
    return apt


_HINT = "check the network and the proxy, or name a mirror that has it: BGPSIM_DEBIAN_MIRROR=URI"


def suite_sources(suite: str, what: str, own: AptSources) -> AptSources:
    mirror = os.environ.get("BGPSIM_DEBIAN_MIRROR") or debian_mirror(own)
    if mirror is None:
        raise NoSuchRelease(
            f"{what}: no Debian mirror is known here", hint="name one: BGPSIM_DEBIAN_MIRROR=URI, or use another version"
        )
    keyring = next((path for path in _KEYRINGS if path.is_file()), None)
    if keyring is None:
        raise NoSuchRelease(
            f"{what}: {_KEYRINGS[0]}, which holds Debian's keys, is not there",
            hint="install the package debian-archive-keyring",
        )
    return AptSources(lines=(f"deb [signed-by={keyring}] {mirror} {suite} main",))


def debian_mirror(own: AptSources) -> str | None:
    """The first that has Debian's main archive; None where the sources are another distribution's."""
    return next((uri for uri, suites in archives(own) if not _DEBIAN.isdisjoint(suites)), None)

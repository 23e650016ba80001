"""The release series of FRR that a lab can run, and which one serves for a version that is asked for.

A series is (major, minor). The files' reader and the lab both ask here, so that a prediction without a lab (`plan`) is
of the routers that a lab would run.
"""

from __future__ import annotations

import re
from typing import TypeAlias

Series: TypeAlias = tuple[int, int]

SERIES: tuple[Series, ...] = ((7, 5), (8, 4), (10, 3), (10, 7))
"""Those that Debian has: in its releases 11, 12 and 13, and in sid."""
OBSERVED: tuple[Series, ...] = SERIES[1:]
"""Those whose tables can be read: 7.5 has no JSON of a whole table with all attributes. It serves for no tag."""
DEFAULT: Series = (8, 4)
"""Where an image's tag says no version: `latest`, `master`, a digest, nothing."""

_LAST_MINOR = {7: 5, 8: 5, 9: 1, 10: 7}
"""The last minor release of a major one (of 10: that is known here)."""
_TAG = re.compile(r":v?(?P<major>\d{1,4})(?:[._](?P<minor>\d{1,4}))?[^/:]*$")
_NUMBER = re.compile(r"(?P<major>\d{1,4})(?:\.(?P<minor>\d{1,4}))?")


def spelled(series: Series) -> str:
    """`10.3`."""
    return f"{series[0]}.{series[1]}"


def nearest(version: Series, among: tuple[Series, ...] = SERIES) -> Series:
    """The nearest series of the same major release, or of all where there is none; of two as near, the older one."""
    alike = [series for series in among if series[0] == version[0]] or among
    return min(alike, key=lambda series: abs(_place(series) - _place(version)))


def of_image(image: str) -> Series:
    """What serves for an image name: `frrouting/frr:v8.2.2` -> 8.4, `quay.io/frrouting/frr:10.2.1` -> 10.3.

    A tag without a minor release (`10`, `10.x`) gets the oldest series of that major one.
    """
    return _nearest_of(_TAG.search(image.strip().split("@", 1)[0]), OBSERVED)


def of_version(version: str) -> Series:
    """The same for a version as a package has it: `10.3`, `7.5.1`."""
    return _nearest_of(_NUMBER.match(version), SERIES)


def _nearest_of(match: re.Match[str] | None, among: tuple[Series, ...]) -> Series:
    if match is None:
        return DEFAULT
    major, minor = int(match["major"]), match["minor"]
    return nearest((major, int(minor) if minor is not None else 0), among)


def _place(version: Series) -> int:
    """The number of minor releases before it, from 0.0 on."""
    major, minor = version
    return minor + sum(_LAST_MINOR.get(earlier, 0) + 1 for earlier in range(min(major, 100)))

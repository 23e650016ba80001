"""Which of the host's apt sources serve for images: those of its own distribution, as they are written there.

Third-party sources are left out: their packages could replace the distribution's, and a broken one would stop
everything. Formats: sources.list(5), one line per source and deb822 (.sources).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bgpsim.errors import ImageError

_ARCHIVE_KEYRING = re.compile(r"(debian|ubuntu|raspbian|devuan|linuxmint)-archive[-\w.]*\.(gpg|asc|pgp)$")
_ROLLING = frozenset({"oldoldstable", "oldstable", "stable", "testing", "unstable", "sid", "experimental"})
_POCKET = re.compile(r"(-(updates|security|backports|backports-sloppy|proposed|proposed-updates)|/updates)$")
_ONE_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s*(?P<components>[^#]*)")


@dataclass(frozen=True, slots=True)
class AptSources:
    """Sources in either format, ready to be written into a `sources.list.d` folder."""

    lines: tuple[str, ...] = ()
    paragraphs: tuple[str, ...] = ()

    def write(self, folder: Path) -> None:
        """Writes the files that apt reads from a `Dir::Etc::sourceparts` folder."""
        if self.lines:
            (folder / "images.list").write_text("\n".join(self.lines) + "\n")
        if self.paragraphs:
            (folder / "images.sources").write_text("\n\n".join(self.paragraphs) + "\n")


def named_sources(file: Path) -> AptSources:
    """All sources of a file that the user named, in either format, whoever's they are."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise ImageError(
            f"BGPSIM_APT_SOURCES: {file}: {reason}", hint="name a file in the format of sources.list(5), or unset it"
        ) from None
    if re.search(r"^Types\s*:", text, re.MULTILINE | re.IGNORECASE):
        return AptSources(paragraphs=tuple(_paragraphs(text)))
    lines = tuple(line.strip() for line in text.splitlines() if _ONE_LINE.match(line.strip()))
    if not lines:
        raise ImageError(
            f"BGPSIM_APT_SOURCES: {file}: no source found",
            hint="it has the format of sources.list(5): lines `deb URI SUITE COMPONENT…`, or deb822",
        )
    return AptSources(lines=lines)


def host_sources(etc_apt: Path, os_release: Path) -> AptSources:
    """The distribution's own binary sources among those of the host.

    A source counts as the distribution's if its key is the distribution's archive keyring, or if it names no
    key, and in both cases its suites are of this release and its components include `main` or `universe` (Ubuntu
    may have a line for each).
    """
    codename = _codename(os_release)
    lines: list[str] = []
    paragraphs: list[str] = []
    for file in _source_files(etc_apt):
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # unreadable for this user: credentials of a third party, most likely
        if file.suffix == ".list":
            lines += [line for raw in text.splitlines() if _is_ours_line(line := raw.strip(), codename)]
        else:
            paragraphs += [_binary_only(paragraph) for paragraph in _paragraphs(text) if _is_ours(paragraph, codename)]
    if not lines and not paragraphs:
        raise ImageError(
            f"no apt source of the distribution found in {etc_apt}",
            hint="name a file with sources (sources.list(5)): BGPSIM_APT_SOURCES=FILE",
        )
    return AptSources(tuple(lines), tuple(paragraphs))


def archives(sources: AptSources) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The address of each archive that has a component `main`, and its suites."""
    for line in sources.lines:
        match = _ONE_LINE.match(line)
        if match is not None and "main" in match["components"].split():
            yield match["uri"], (match["suite"],)
    for paragraph in sources.paragraphs:
        fields = _fields(paragraph)
        if "main" in fields.get("components", "").split():
            for uri in fields.get("uris", "").split():
                yield uri, tuple(fields.get("suites", "").split())


def _codename(os_release: Path) -> str:
    try:
        text = os_release.read_text(encoding="utf-8")
    except OSError as error:
        raise ImageError(f"{os_release}: {error.strerror}", hint="images need Debian or Ubuntu") from None
    names = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))
    # Derivatives (Mint, say) have codenames of their own and name their base's here.
    return str(names.get("UBUNTU_CODENAME") or names.get("DEBIAN_CODENAME") or names.get("VERSION_CODENAME", ""))


def _source_files(etc_apt: Path) -> list[Path]:
    parts = etc_apt / "sources.list.d"
    found = [etc_apt / "sources.list"] if (etc_apt / "sources.list").is_file() else []
    with contextlib.suppress(OSError):
        found += sorted(path for path in parts.iterdir() if path.suffix in (".list", ".sources"))
    return found


def _is_ours_line(line: str, codename: str) -> bool:
    match = _ONE_LINE.match(line)
    if match is None:
        return False
    options = dict(option.split("=", 1) for option in (match["options"] or "").split() if "=" in option)
    return _is_distribution(options.get("signed-by", ""), [match["suite"]], match["components"].split(), codename)


def _paragraphs(text: str) -> list[str]:
    """deb822 paragraphs without comment lines."""
    kept = "\n".join(line.rstrip() for line in text.splitlines() if not line.startswith("#"))
    return [paragraph for part in re.split(r"\n\s*\n", kept) if (paragraph := part.strip("\n"))]


def _fields(paragraph: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in paragraph.splitlines():
        if line[:1].isspace():
            fields[name] = f"{fields.get(name, '')} {line.strip()}"
        elif ":" in line:
            name, value = line.split(":", 1)
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields


def _is_ours(paragraph: str, codename: str) -> bool:
    fields = _fields(paragraph)
    return (
        "deb" in fields.get("types", "").split()
        and fields.get("enabled", "yes").lower() in ("yes", "true", "on", "1", "with", "enable")
        and _is_distribution(
            fields.get("signed-by", ""),
            fields.get("suites", "").split(),
            fields.get("components", "").split(),
            codename,
        )
    )


def _is_distribution(signed_by: str, suites: list[str], components: list[str], codename: str) -> bool:
    if signed_by and not any(_ARCHIVE_KEYRING.search(part) for part in signed_by.replace(",", " ").split()):
        return False
    releases = {_POCKET.sub("", suite) for suite in suites}
    return not {"main", "universe"}.isdisjoint(components) and bool(releases) and releases <= _ROLLING | {codename}


def _binary_only(paragraph: str) -> str:
    """The paragraph without source packages, whose lists nobody needs here."""
    return re.sub(r"^Types\s*:.*$", "Types: deb", paragraph, flags=re.MULTILINE | re.IGNORECASE)

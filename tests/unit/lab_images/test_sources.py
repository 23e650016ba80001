"""Which apt sources of the host serve: the distribution's own, as the layouts of Debian and Ubuntu write them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bgpsim.errors import ImageError
from bgpsim.lab.image_sources import AptSources, host_sources, named_sources

REPOSITORY = Path(__file__).parents[3]

DEBIAN_12 = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\n'
UBUNTU_22 = "VERSION_CODENAME=jammy\nID=ubuntu\nUBUNTU_CODENAME=jammy\n"
UBUNTU_24 = 'VERSION_CODENAME="noble"\nID=ubuntu\nUBUNTU_CODENAME=noble\n'
MINT_22 = "VERSION_CODENAME=wilma\nID=linuxmint\nUBUNTU_CODENAME=noble\n"

DEBIAN_DEB822 = """\
# As Debian's container images and installers from 12 on have it.
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main contrib non-free-firmware
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
DEBIAN_LINES = """\
deb http://mirror.example/debian bookworm main non-free-firmware
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/s bookworm-security main
# deb http://mirror.example/debian bookworm-backports main
"""
UBUNTU_DEB822 = """\
Types: deb
URIs: http://mirror.example/ubuntu/
Suites: noble noble-updates noble-backports
Components: main restricted universe multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/ubuntu/
Suites: noble-security
Components: main restricted universe multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg
"""
UBUNTU_LINES = """\
deb http://mirror.example/ubuntu/ jammy main restricted
# deb-src http://mirror.example/ubuntu/ jammy main restricted
deb http://mirror.example/ubuntu/ jammy universe
deb http://mirror.example/ubuntu/ jammy multiverse
deb http://mirror.example/ubuntu/ jammy-security main restricted
deb http://mirror.example/ubuntu/ jammy-security universe
"""
OTHERS_DEB822 = """\
Types: deb
URIs: https://packages.example/vendor
Suites: bookworm
Components: stable
Signed-By: /etc/apt/keyrings/vendor.asc

Types: deb
URIs: https://packages.example/main
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/vendor-archive-keyring.gpg

Types: deb
URIs: https://packages.example/embedded
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF+W9Q8BEADQ3ZqYg
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://mirror.example/debian
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/off
Suites: bookworm
Components: main
Enabled: no
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb-src
URIs: http://mirror.example/source
Suites: bookworm
Components: main
"""
OTHERS_LINES = """\
deb [arch=amd64 signed-by=/etc/apt/keyrings/vendor.gpg] https://packages.example/vendor bookworm stable
deb [signed-by=/etc/apt/keyrings/vendor.gpg] https://packages.example/vendor bookworm main
deb https://packages.example/tool bookworm-tool-18 main
deb https://packages.example/flat ./
"""


def host(folder: Path, release: str, files: dict[str, str]) -> AptSources:
    etc = folder / "apt"
    (etc / "sources.list.d").mkdir(parents=True)
    for name, text in files.items():
        (etc / name).write_text(text)
    (folder / "os-release").write_text(release)
    return host_sources(etc, folder / "os-release")


def test_debian_s_deb822(tmp_path: Path) -> None:
    found = host(tmp_path, DEBIAN_12, {"sources.list.d/debian.sources": DEBIAN_DEB822})
    assert found.lines == ()
    assert len(found.paragraphs) == 2
    # Verbatim, but for source packages.
    assert "\n\n".join(found.paragraphs) + "\n" == DEBIAN_DEB822.split("\n", 1)[1].replace("deb deb-src", "deb")


def test_debian_s_lines(tmp_path: Path) -> None:
    found = host(tmp_path, DEBIAN_12, {"sources.list": DEBIAN_LINES})
    kept = DEBIAN_LINES.splitlines()
    assert found == AptSources(lines=(kept[0], kept[2]))


def test_both_formats_and_all_files_in_order(tmp_path: Path) -> None:
    one, two = "deb http://mirror.example/a bookworm main", "deb http://mirror.example/b bookworm-backports main"
    files = {"sources.list.d/2.list": two, "sources.list": one, "sources.list.d/debian.sources": DEBIAN_DEB822}
    found = host(tmp_path, DEBIAN_12, {**files, "sources.list.d/1.list.disabled": one})
    assert found.lines == (one, two)
    assert len(found.paragraphs) == 2


def test_ubuntu_s_deb822(tmp_path: Path) -> None:
    found = host(
        tmp_path,
        UBUNTU_24,
        {
            "sources.list": "# Ubuntu sources have moved to /etc/apt/sources.list.d/ubuntu.sources\n",
            "sources.list.d/ubuntu.sources": UBUNTU_DEB822,
        },
    )
    assert "\n\n".join(found.paragraphs) + "\n" == UBUNTU_DEB822


def test_ubuntu_s_lines_with_universe_on_lines_of_its_own(tmp_path: Path) -> None:
    """FRR and GoBGP are in universe there."""
    found = host(tmp_path, UBUNTU_22, {"sources.list": UBUNTU_LINES})
    kept = UBUNTU_LINES.splitlines()
    assert found.lines == (kept[0], kept[2], kept[4], kept[5])


def test_a_derivative_names_its_base(tmp_path: Path) -> None:
    assert len(host(tmp_path, MINT_22, {"sources.list.d/ubuntu.sources": UBUNTU_DEB822}).paragraphs) == 2


@pytest.mark.parametrize("suite", ["stable", "stable-security", "sid", "testing", "bookworm/updates"])
def test_rolling_names_and_pockets(tmp_path: Path, suite: str) -> None:
    line = f"deb http://mirror.example/debian {suite} main"
    assert host(tmp_path, DEBIAN_12, {"sources.list": line}).lines == (line,)


def test_sources_of_others_are_left_out(tmp_path: Path) -> None:
    files = {
        "sources.list": DEBIAN_LINES,
        "sources.list.d/vendor.sources": OTHERS_DEB822,
        "sources.list.d/vendor.list": OTHERS_LINES,
    }
    found = host(tmp_path, DEBIAN_12, files)
    assert (len(found.lines), found.paragraphs) == (2, ())


def test_a_host_without_sources_of_its_own_is_told_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as refused:
        host(tmp_path, DEBIAN_12, {"sources.list.d/vendor.sources": OTHERS_DEB822})
    assert str(refused.value) == f"no apt source of the distribution found in {tmp_path / 'apt'}"
    assert refused.value.hint == "name a file with sources (sources.list(5)): BGPSIM_APT_SOURCES=FILE"


def test_a_host_that_is_neither(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as refused:
        host_sources(tmp_path, tmp_path / "os-release")
    assert str(refused.value) == f"{tmp_path / 'os-release'}: No such file or directory"
    assert refused.value.hint == "images need Debian or Ubuntu"


def test_named_sources_are_taken_whoever_s_they_are(tmp_path: Path) -> None:
    file = tmp_path / "own"
    file.write_text("# mine\n\n" + OTHERS_LINES)
    assert named_sources(file).lines == tuple(OTHERS_LINES.splitlines())
    file.write_text(UBUNTU_DEB822)
    assert len(named_sources(file).paragraphs) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file or directory"), (b"\xff\xfe", "not a text file"), (b"nothing\n", "no source found")],
)
def test_named_sources_that_cannot_be_used(tmp_path: Path, content: bytes | None, reason: str) -> None:
    file = tmp_path / "own"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ImageError) as refused:
        named_sources(file)
    assert str(refused.value) == f"BGPSIM_APT_SOURCES: {file}: {reason}"
    assert "sources.list(5)" in (refused.value.hint or "")
    assert "\n" not in (refused.value.hint or "")


def test_what_apt_is_given(tmp_path: Path) -> None:
    AptSources(("deb a b main", "deb c d main"), ("Types: deb\nURIs: x", "Types: deb\nURIs: y")).write(tmp_path)
    assert (tmp_path / "images.list").read_text() == "deb a b main\ndeb c d main\n"
    assert (tmp_path / "images.sources").read_text() == "Types: deb\nURIs: x\n\nTypes: deb\nURIs: y\n"


def test_the_project_names_no_archive() -> None:
    """Where packages come from is the host's to say: a mirror, a proxy, an archive on a disk."""
    listed = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    archives = [host + domain for domain in (".debian.org", ".ubuntu.com") for host in (
        "deb", "ftp", "security", "snapshot", "archive", "ports", "http", "httpredir", "cdn-fastly.deb"
    )]  # fmt: skip
    found = []
    for name in listed.stdout.splitlines():
        file = REPOSITORY / name
        if file.is_file():
            text = file.read_text(errors="replace")
            found += [f"{name}: {archive}" for archive in archives if archive in text]
    assert found == []

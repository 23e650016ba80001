"""Which release of FRR serves for which tag, and where it is fetched from. No network."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgpsim.errors import ImageError, NoSuchRelease
from bgpsim.frr_series import OBSERVED, SERIES, nearest, of_image, of_version
from bgpsim.lab import debian_suites
from bgpsim.lab.debian_suites import SUITES, apt_of_suite, debian_mirror, suite_sources
from bgpsim.lab.image_sources import AptSources
from bgpsim.lab.images import RECIPES, Image, resolve

HOST = AptSources(
    paragraphs=(
        "Types: deb\nURIs: http://mirror.example/debian-security\nSuites: bookworm-security\nComponents: main",
        "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main contrib",
    )
)


@pytest.mark.parametrize(
    ("image", "series"),
    [
        ("frrouting/frr:v8.2.2", (8, 4)),
        ("frrouting/frr:v8.5.4", (8, 4)),
        ("frrouting/frr:9.1.0", (8, 4)),
        ("quay.io/frrouting/frr:10.2.1", (10, 3)),
        ("quay.io/frrouting/frr:10.3.1@sha256:" + "0" * 64, (10, 3)),
        ("quay.io/frrouting/frr:10.5", (10, 3)),
        ("quay.io/frrouting/frr:10.6.1", (10, 7)),
        ("frrouting/frr:v11.0", (10, 7)),
        ("frrouting/frr:10.x", (10, 3)),
        ("frrouting/frr:10", (10, 3)),
        # 7.5 can be run, and not be read: nothing gets it unasked.
        ("frrouting/frr:v7.5.1", (8, 4)),
        ("frrouting/frr:latest", (8, 4)),
        ("frrouting/frr", (8, 4)),
        ("localhost:5000/frr", (8, 4)),
        ("frrouting/frr@sha256:" + "1" * 64, (8, 4)),
    ],
)
def test_a_tag_gets_the_nearest_release(image: str, series: tuple[int, int]) -> None:
    assert of_image(image) == series


@given(st.tuples(st.integers(0, 10**4), st.integers(0, 10**4)))
def test_every_version_has_a_nearest_one_and_that_one_has_itself(version: tuple[int, int]) -> None:
    found = nearest(version)
    assert found in SERIES
    assert nearest(found) == found
    assert of_image(f"frr:v{version[0]}.{version[1]}") in OBSERVED


def test_an_override_stands_over_the_tag() -> None:
    assert resolve("frrouting/frr:v8.2.2").image == "frr"
    use = resolve("frrouting/frr:v8.2.2", frr=(10, 3))
    assert (use.image, use.routes) == ("frr-10.3", True)
    assert use.versioned(Image("frr-10.3", Path("/"), {"frr": "10.3"})).used == "FRR 10.3"
    assert not resolve("alpine", frr=(10, 3)).routes


def test_a_package_s_version_is_of_a_series() -> None:
    assert [of_version(v) for v in ("7.5.1", "8.1", "8.4.4", "10.3", "10.7.1")] == [
        (7, 5),
        (8, 4),
        (8, 4),
        (10, 3),
        (10, 7),
    ]


def test_each_series_has_a_suite_and_an_image_of_its_own() -> None:
    assert set(SUITES) == set(SERIES)
    assert {r.series for r in RECIPES.values() if r.series} == set(SERIES)
    assert len({r.digest for r in RECIPES.values()}) == len(RECIPES)


def test_the_mirror_is_the_host_s_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keyring = tmp_path / "keyring.gpg"
    keyring.write_text("")
    monkeypatch.setattr(debian_suites, "_KEYRINGS", (keyring,))
    monkeypatch.delenv("BGPSIM_DEBIAN_MIRROR", raising=False)
    assert debian_mirror(HOST) == "http://mirror.example/debian"
    line = f"deb [signed-by={keyring}] http://mirror.example/debian trixie main"
    assert suite_sources("trixie", "x", HOST) == AptSources(lines=(line,))
    assert debian_mirror(AptSources(lines=("deb http://mirror.example/debian bookworm main",))) is not None
    monkeypatch.setenv("BGPSIM_DEBIAN_MIRROR", "http://other.example/debian")
    assert "http://other.example/debian sid main" in suite_sources("sid", "x", HOST).lines[0]


def test_another_distribution_s_mirror_is_not_debian_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BGPSIM_DEBIAN_MIRROR", raising=False)
    ubuntu = AptSources(paragraphs=("Types: deb\nURIs: http://mirror.example/ubuntu\nSuites: noble\nComponents: main",))
    with pytest.raises(NoSuchRelease, match=r"^FRR 10\.3 is .*: no Debian mirror is known here$") as refused:
        suite_sources("trixie", "FRR 10.3 is in Debian's release trixie", ubuntu)
    assert "BGPSIM_DEBIAN_MIRROR=URI" in (refused.value.hint or "")
    assert refused.value.exit_code == 3


def test_missing_keys_are_named_with_their_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(debian_suites, "_KEYRINGS", (tmp_path / "none.gpg",))
    with pytest.raises(NoSuchRelease, match=r"none\.gpg") as refused:
        suite_sources("trixie", "x", HOST)
    assert refused.value.hint == "install the package debian-archive-keyring"


def test_a_suite_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Unreachable:
        def __init__(self, *_: object) -> None: ...

        def update(self) -> None:
            raise ImageError("the package lists could not be fetched: Temporary failure resolving")

    monkeypatch.setattr(debian_suites, "Apt", Unreachable)
    monkeypatch.setattr(debian_suites, "_KEYRINGS", (tmp_path,))
    monkeypatch.setattr(debian_suites, "suite_sources", lambda *_: HOST)
    with pytest.raises(NoSuchRelease) as refused:
        apt_of_suite((10, 3), tmp_path, HOST, "8.4.4", lambda _: None)
    said = str(refused.value)
    assert said.startswith("FRR 10.3 is in Debian's release trixie, and this machine's has 8.4.4: the package lists")
    assert refused.value.exit_code == 3

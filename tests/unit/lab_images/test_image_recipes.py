"""Image names, apt's private configuration, and a store that only holds what was finished."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bgpsim.errors import ImageError
from bgpsim.lab import images
from bgpsim.lab.images import default_store, ensure, resolve


@pytest.mark.parametrize(
    ("asked", "image"),
    [
        ("frrouting/frr:v8.2.2", "frr"),
        ("docker.io/frrouting/frr", "frr"),
        ("quay.io/frrouting/frr:10.2.1", "frr"),
        ("nicolaka/netshoot:latest", "node"),
        ("kindest/node@sha256:0123abcd", "node"),
        ("kindest/node:v1.32.0@sha256:0123abcd", "node"),
        ("docker.io/library/alpine:3", "node"),
        ("ghcr.io/srl-labs/network-multitool", "node"),
    ],
)
def test_names_that_topologies_use(asked: str, image: str) -> None:
    assert resolve(asked) == image


@pytest.mark.parametrize("asked", ["ceos:4.32.0F", "evil/frrouting/frr", ""])
def test_an_unknown_name_is_refused_with_what_is_known(asked: str) -> None:
    with pytest.raises(ImageError, match="frrouting/frr") as caught:
        resolve(asked)
    assert repr(asked) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("version", "upstream"),
    [
        ("8.4.4-1.1~deb12u2", "8.4.4"),
        ("1:9.18.49-1~deb12u3", "9.18.49"),
        ("3.134", "3.134"),
        ("1.3.3+ds-1", "1.3.3+ds"),
    ],
)
def test_versions_are_upstreams(version: str, upstream: str) -> None:
    assert images._upstream(version) == upstream


def test_the_distribution_s_sources_alone() -> None:
    assert images._distribution("Types: deb\nSigned-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg")
    assert images._distribution("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://a.test x main")
    assert not images._distribution("Types: deb\nSuites: nodistro\nSigned-By: /usr/share/keyrings/nodesource.gpg")
    assert not images._distribution("deb http://other.test cloud main")
    assert not images._distribution("# deb [signed-by=debian-archive-keyring.gpg] http://a.test x main")


def test_of_the_host_s_apt_only_the_way_to_the_archive_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its hooks delete files of the host, and its directories are the host's."""
    dump = (
        'Acquire::http::Proxy "http://proxy.test:3128";\nAcquire::Retries "3";\nAcquire::Languages:: "de";\n'
        'APT::Update::Post-Invoke:: "rm -f /var/cache/apt/archives/*.deb";\nDPkg::Post-Invoke:: "rm -f x";\n'
        'Dir::State "var/lib/apt";\n'
    )
    monkeypatch.setattr(images, "_run", lambda argv, what, env=None: dump)
    taken = images._acquire_settings()
    assert taken == 'Acquire::http::Proxy "http://proxy.test:3128";\nAcquire::Retries "3";\n'


def test_the_store_s_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("BGPSIM_DATA", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert default_store() == tmp_path / ".local/share/bgpsim"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert default_store() == tmp_path / "xdg/bgpsim"
    monkeypatch.setenv("BGPSIM_DATA", str(tmp_path / "own"))
    assert default_store() == tmp_path / "own"


def _put(store: Path, name: str, manifest: str) -> Path:
    folder = store / "images" / f"{name}-{images.REVISION}"
    (folder / "rootfs").mkdir(parents=True)
    (folder / "manifest.json").write_text(manifest)
    return folder


def test_an_image_that_is_there_is_used_without_apt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    folder = _put(tmp_path, "frr", json.dumps({"versions": {"frr": "8.4.4"}}))
    image = ensure(["frr", "frr"], tmp_path, pytest.fail)["frr"]
    assert (image.rootfs, image.used) == (folder / "rootfs", "FRR 8.4.4")


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"versions": null}'])
def test_a_broken_manifest_is_an_error_with_a_way_out(tmp_path: Path, manifest: str) -> None:
    folder = _put(tmp_path, "frr", manifest)
    with pytest.raises(ImageError, match="cannot be read") as caught:
        ensure(["frr"], tmp_path, pytest.fail)
    assert str(folder) in (caught.value.hint or "")


def test_a_build_that_fails_is_one_line_and_leaves_no_image(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ImageError) as caught:
        ensure(["frr"], tmp_path, lambda line: None)
    assert "\n" not in str(caught.value)
    assert caught.value.hint
    assert os.listdir(tmp_path / "images") == []


def test_equal_files_are_shared_and_etc_is_not(tmp_path: Path) -> None:
    roots = [tmp_path / "images" / f"{name}-{images.REVISION}" / "rootfs" for name in ("one", "two")]
    for root in roots:
        for name, text in {"usr/same": "x", "usr/other": root.parent.name, "etc/same": "x"}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
    images._share_files(roots[1], tmp_path)
    assert [(roots[1] / name).stat().st_nlink for name in ("usr/same", "usr/other", "etc/same")] == [2, 1, 1]
    assert (roots[1] / "usr/other").read_text() == f"two-{images.REVISION}"

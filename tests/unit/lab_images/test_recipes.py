"""Which image serves for which name, where images are kept, and what is said when one cannot be had. No network."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bgpsim.errors import ImageError
from bgpsim.inputs.files.containerlab import load_topology
from bgpsim.inputs.files.lab_files import LabFiles
from bgpsim.lab import images
from bgpsim.lab.embedded.lab import EmbeddedLab
from bgpsim.lab.image_store import Recipe
from bgpsim.lab.images import RECIPES, Image, default_store, ensure, main, repository, resolve

DIGEST = "@sha256:" + "0" * 64
NOTHING: Callable[[str], None] = lambda _: None  # noqa: E731


def one_line_with_a_hint(error: ImageError) -> str:
    assert "\n" not in str(error)
    assert error.hint
    assert "\n" not in error.hint
    return f"{error} ({error.hint})"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("frrouting/frr:v8.2.2", "frrouting/frr"),
        ("docker.io/frrouting/frr:v8.2.2", "frrouting/frr"),
        ("index.docker.io/frrouting/frr", "frrouting/frr"),
        ("registry-1.docker.io/frrouting/frr", "frrouting/frr"),
        ("docker.io/library/alpine:3", "alpine"),
        ("library/alpine", "alpine"),
        ("quay.io/frrouting/frr:8.4.1", "quay.io/frrouting/frr"),
        ("frrouting/frr" + DIGEST, "frrouting/frr"),
        ("frrouting/frr:v8.2.2" + DIGEST, "frrouting/frr"),
        ("localhost:5000/frr", "localhost:5000/frr"),
        ("localhost:5000/frr:latest", "localhost:5000/frr"),
        (" nicolaka/netshoot:latest ", "nicolaka/netshoot"),
    ],
)
def test_a_name_without_tag_digest_and_docker_hub(name: str, expected: str) -> None:
    assert repository(name) == expected


@pytest.mark.parametrize("name", ["frrouting/frr:v8.2.2", "quay.io/frrouting/frr:8.5.1" + DIGEST, "docker.io/frr"])
def test_names_of_frr(name: str) -> None:
    use = resolve(name)
    assert (use.asked, use.image) == (name, "frr")
    there = Image("frr", Path("/"), {"frr": "8.4.4"})
    assert use.versioned(there).used == "FRR 8.4.4"


@pytest.mark.parametrize("name", ["nicolaka/netshoot:latest", "docker.io/library/alpine:3", "debian"])
def test_names_of_hosts(name: str) -> None:
    assert resolve(name).image == "node"


def test_a_kubernetes_node_is_gobgp_whatever_its_image_is() -> None:
    use = resolve("example.org/my/node:v1", "kubernetes-node")
    assert (use.image, use.used) == ("node", "gobgpd {gobgpd}")
    assert use.versioned(Image("node", Path("/"), {"gobgpd": "3.10.0"})).used == "gobgpd 3.10.0"


@pytest.mark.parametrize("name", ["ceos:4.32.0F", "localhost:5000/frrouting/frr", "frrouting/frr-debug", "", ":latest"])
def test_an_unknown_image_names_what_is_known(name: str) -> None:
    with pytest.raises(ImageError) as refused:
        resolve(name)
    said = one_line_with_a_hint(refused.value)
    assert repr(name) in said
    assert "frrouting/frr" in said
    assert "nicolaka/netshoot" in said
    assert refused.value.exit_code == 2


def test_an_unknown_image_of_a_topology_is_told_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "topo.yml"
    path.write_text("name: x\ntopology:\n  nodes:\n    leaf:\n      kind: linux\n      image: ceos:4.32.0F\n")
    topology, _ = load_topology(path, "topo.yml")
    with pytest.raises(ImageError, match=r"^topo.yml:4: image 'ceos:4.32.0F'"):
        EmbeddedLab(LabFiles(topology), tmp_path)


def test_the_store_of_this_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("BGPSIM_DATA", str(tmp_path / "own"))
    assert default_store() == tmp_path / "own"
    monkeypatch.setenv("BGPSIM_DATA", "")
    assert default_store() == tmp_path / "xdg" / "bgpsim"
    monkeypatch.delenv("BGPSIM_DATA")
    assert default_store() == tmp_path / "xdg" / "bgpsim"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert default_store() == tmp_path / "home" / ".local" / "share" / "bgpsim"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert default_store() == tmp_path / "home" / ".local" / "share" / "bgpsim"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BGPSIM_DATA", "here")
    assert default_store() == tmp_path / "here"


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_DATA_HOME", "BGPSIM_DATA"):
        monkeypatch.delenv(name, raising=False)

    def nobody(_: int) -> Any:
        raise KeyError("uid not found")

    monkeypatch.setattr("pwd.getpwuid", nobody)
    with pytest.raises(ImageError) as refused:
        default_store()
    assert "BGPSIM_DATA=DIR" in one_line_with_a_hint(refused.value)


def test_a_recipe_s_digest_follows_everything_in_it() -> None:
    recipe = Recipe("a", "b", ("b", "c"), {"usr/bin/x": "y"}, {"etc/x": "1"}, {"tmp": 0o1777})
    changed = [
        replace(recipe, name="z"),
        replace(recipe, versioned_by="c"),
        replace(recipe, packages=("b", "c", "d")),
        replace(recipe, links={"usr/bin/x": "z"}),
        replace(recipe, files={"etc/x": "2"}),
        replace(recipe, directories={"tmp": 0o755}),
    ]
    assert len({one.digest for one in [recipe, *changed]}) == 1 + len(changed)
    assert recipe.digest == replace(recipe).digest
    assert len(recipe.digest) == 8


def test_the_layout_s_format_is_part_of_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = RECIPES["frr"].digest
    monkeypatch.setattr("bgpsim.lab.image_store.FORMAT", 0)
    assert RECIPES["frr"].digest != before


def put(store: Path, name: str, version: str = "8.4.4", digest: str | None = None) -> Path:
    """An image as the store has it; the newest recipe's unless a digest is given."""
    recipe = RECIPES[name]
    folder = store / "images" / f"{name}-{version}-{digest or recipe.digest}"
    (folder / "rootfs").mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"versions": {recipe.versioned_by: version}}))
    return folder


@pytest.fixture
def making(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Images appear at once instead of being fetched; returns what was asked to be made, call by call."""
    calls: list[tuple[str, ...]] = []

    def make(recipes: Sequence[Recipe], into: Path, folder: Path, *_: object) -> None:
        assert folder.parent == into
        assert folder.name.startswith(".making-")
        calls.append(tuple(recipe.name for recipe in recipes))
        for recipe in recipes:
            put(into.parent, recipe.name)

    monkeypatch.setattr(images, "make", make)
    monkeypatch.setattr("bgpsim.lab.image_sources.host_sources", lambda *_: None)
    monkeypatch.delenv("BGPSIM_APT_SOURCES", raising=False)
    return calls


def test_what_is_there_is_not_made_again(tmp_path: Path, making: list[tuple[str, ...]]) -> None:
    put(tmp_path, "frr")
    found = ensure(["node", "frr", "node"], tmp_path, NOTHING)
    assert making == [("node",)]
    assert list(found) == ["frr", "node"]
    assert found["frr"].rootfs == tmp_path / "images" / f"frr-8.4.4-{RECIPES['frr'].digest}" / "rootfs"
    assert found["frr"].versions["frr"] == "8.4.4"
    assert found["node"].versions["node"] == "8.4.4"
    ensure(["frr", "node"], tmp_path, NOTHING)
    assert len(making) == 1


def test_an_image_of_an_older_recipe_does_not_serve(tmp_path: Path, making: list[tuple[str, ...]]) -> None:
    put(tmp_path, "frr", digest="00000000")
    ensure(["frr"], tmp_path, NOTHING)
    assert making == [("frr",)]


def test_what_a_killed_run_left_is_removed(tmp_path: Path, making: list[tuple[str, ...]]) -> None:
    stale = tmp_path / "images" / ".making-abc"
    (stale / "apt").mkdir(parents=True)
    (stale / "apt" / "half.deb").write_text("x")
    ensure(["frr"], tmp_path, NOTHING)
    assert sorted(p.name for p in (tmp_path / "images").glob(".*")) == [".lock"]


def test_a_failure_leaves_no_folder_behind(tmp_path: Path, making: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ImageError("no network", hint="check it")

    monkeypatch.setattr(images, "make", fail)
    with pytest.raises(ImageError, match="no network"):
        ensure(["frr"], tmp_path, NOTHING)
    assert sorted(p.name for p in (tmp_path / "images").iterdir()) == [".lock"]


def _remove_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def _remove_rootfs(folder: Path) -> None:
    (folder / "rootfs").rmdir()


@pytest.mark.parametrize(
    "damage",
    [
        *(pytest.param(lambda f, t=text: (f / "manifest.json").write_text(t), id=text or "empty") for text in (
            "", "{", "[]", "null", "{}", '{"versions": {}}', '{"versions": 1}'
        )),
        pytest.param(lambda f: (f / "manifest.json").write_bytes(b"\xff"), id="not text"),
        _remove_manifest,
        _remove_rootfs,
    ],
)  # fmt: skip
def test_a_damaged_image_is_to_be_removed(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    folder = put(tmp_path, "frr")
    damage(folder)
    with pytest.raises(ImageError) as refused:
        ensure(["frr"], tmp_path, NOTHING)
    assert str(folder) in str(refused.value)
    assert one_line_with_a_hint(refused.value).endswith(f"(remove {folder})")


def test_an_image_that_there_is_no_recipe_for(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no image 'bird'") as refused:
        ensure(["frr", "bird"], tmp_path, NOTHING)
    assert one_line_with_a_hint(refused.value).endswith("(images: frr-7.5, frr, frr-10.3, frr-10.7, node)")


@pytest.mark.parametrize("below", ["", "store"])
def test_a_store_that_is_no_folder(tmp_path: Path, below: str, making: Any) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(ImageError) as refused:
        ensure(["frr"], file / below, NOTHING)
    said = one_line_with_a_hint(refused.value)
    assert said.startswith(str(file))
    assert "name a folder that can be written: BGPSIM_DATA=DIR" in said


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "free some space, or name another folder: BGPSIM_DATA=DIR"),
        (errno.EDQUOT, "free some space, or name another folder: BGPSIM_DATA=DIR"),
        (errno.EACCES, "name a folder that can be written: BGPSIM_DATA=DIR"),
        (errno.EROFS, "name a folder that can be written: BGPSIM_DATA=DIR"),
    ],
)
def test_a_store_that_cannot_be_written(
    tmp_path: Path, making: Any, monkeypatch: pytest.MonkeyPatch, number: int, hint: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number), str(tmp_path / "images" / "x"))

    monkeypatch.setattr(images, "make", refuse)
    with pytest.raises(ImageError) as refused:
        ensure(["frr"], tmp_path, NOTHING)
    expected = f"{tmp_path / 'images' / 'x'}: {os.strerror(number)} ({hint})"
    assert one_line_with_a_hint(refused.value) == expected


def test_the_program_says_it_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BGPSIM_DATA", str(tmp_path / "file"))
    assert main() == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"images: {tmp_path / 'file'}")
    assert said.err.endswith("(name a folder that can be written: BGPSIM_DATA=DIR)\n")
    assert said.err.count("\n") == 1


def test_the_program_lists_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [put(tmp_path, "frr", "8.4.4"), put(tmp_path, "node", "3.10.0")]
    monkeypatch.setenv("BGPSIM_DATA", str(tmp_path))
    assert main() == 0
    assert capsys.readouterr().out.splitlines() == [
        f"images: frr (frr 8.4.4): {folders[0] / 'rootfs'}",
        f"images: node (gobgpd 3.10.0): {folders[1] / 'rootfs'}",
    ]

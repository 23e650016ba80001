"""`binds:`: what a container sees of this machine, and what it never does."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from bgpsim.errors import InputError
from bgpsim.inputs.files.binds import Bind, bound_text
from bgpsim.inputs.files.containerlab import load_topology
from bgpsim.source import Unmodelled

TOP = "name: t\ntopology:\n  nodes:\n    r1:\n      kind: linux\n      image: frr\n      binds:\n"


def read(folder: Path, *binds: str) -> tuple[tuple[Bind, ...], tuple[Unmodelled, ...]]:
    path = folder / "t.yml"
    path.write_text(TOP + "".join(f'        - "{bind}"\n' for bind in binds))
    topology, unmodelled = load_topology(path, "lab/t.yml")
    return topology.nodes["r1"].binds, unmodelled


def refused(folder: Path, *binds: str) -> InputError:
    with pytest.raises(InputError) as caught:
        read(folder, *binds)
    return caught.value


def test_a_file_is_read_and_named_beside_the_topology(tmp_path: Path) -> None:
    (tmp_path / "r1.conf").write_text("router bgp 65001\n")
    (bind,), _ = read(tmp_path, "r1.conf:/etc/frr/frr.conf:ro")
    assert (bind.target, bind.read_only, bind.shown) == ("/etc/frr/frr.conf", True, "lab/r1.conf")
    assert bind.files[""].content == b"router bgp 65001\n"
    text = bound_text([bind], "/etc/frr/frr.conf")
    assert text is not None
    assert [str(line) for line in text.lines()] == ["lab/r1.conf:1"]


def test_a_folder_comes_with_all_that_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "r1" / "deep").mkdir(parents=True)
    (tmp_path / "r1" / "frr.conf").write_text("a")
    (tmp_path / "r1" / "deep" / "x").write_text("b")
    os.symlink("/etc/passwd", tmp_path / "r1" / "link")
    (bind,), _ = read(tmp_path, "./r1:/etc/frr")
    assert {name: file.content for name, file in bind.files.items()} == {"frr.conf": b"a", "deep/x": b"b", "link": b""}
    # What a link means is the container's affair: nothing of this machine comes along.
    assert bind.files["link"].link == "/etc/passwd"
    assert bind.folders == ("", "deep")
    text = bound_text([bind], "/etc/frr/frr.conf")
    assert text is not None
    assert text.shown == "lab/r1/frr.conf"
    assert bound_text([bind], "/etc/frr/daemons") is None


def test_the_node_name_stands_for_itself(tmp_path: Path) -> None:
    (tmp_path / "r1.conf").write_text("x")
    (bind,), _ = read(tmp_path, "__clabNodeName__.conf:/etc/frr/frr.conf")
    assert bind.shown == "lab/r1.conf"


def test_of_two_with_one_target_the_last_is_meant(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    (bind,), _ = read(tmp_path, "a:/x", "b:/x")
    assert bind.files[""].content == b"b"


def test_the_inner_one_of_two_counts(tmp_path: Path) -> None:
    (tmp_path / "r1").mkdir()
    (tmp_path / "r1" / "frr.conf").write_text("folder")
    (tmp_path / "own").write_text("own")
    binds, _ = read(tmp_path, "own:/etc/frr/frr.conf", "r1:/etc/frr")
    text = bound_text(binds, "/etc/frr/frr.conf")
    assert text is not None
    assert text.text == "own"


@pytest.mark.parametrize(
    ("bind", "message"),
    [
        ("nothing:/etc/x", "cannot read 'nothing': No such file or directory"),
        ("r1.conf", "found 'r1.conf', expected source:target[:ro]"),
        ("r1.conf:etc/x", "expected source:target[:ro] with an absolute target"),
        ("r1.conf:/", "expected source:target[:ro] with an absolute target other than /"),
        ("r1.conf:/x:rx", "no option 'rx'"),
        ("inside:/x", "a symbolic link to"),
        ("round:/x", "cannot read 'round'"),
    ],
)
def test_what_cannot_be_bound_is_told_with_its_line(tmp_path: Path, bind: str, message: str) -> None:
    lab = tmp_path / "lab"
    lab.mkdir()
    (lab / "r1.conf").write_text("x")
    (tmp_path / "outside").write_text("secret")
    os.symlink("../outside", lab / "inside")
    os.symlink("round", lab / "round")
    error = refused(lab, "r1.conf:/ok", bind)
    assert message in error.message
    assert (error.file, error.line) == ("lab/t.yml", 9)


def test_what_is_named_outside_of_the_folder_is_bound(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    lab.mkdir()
    (tmp_path / "shared").write_text("x")
    binds, _ = read(lab, "../shared:/a", f"{tmp_path}/shared:/b")
    assert [bind.files[""].content for bind in binds] == [b"x", b"x"]


def test_the_machines_own_folders_and_sockets_are_listed(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as own:
        own.bind(str(tmp_path / "s"))
        binds, unmodelled = read(tmp_path, "/lib/modules:/lib/modules:ro", "s:/run/s", "/dev/net:/dev/net")
    assert binds == ()
    assert [(note.text, note.effect) for note in unmodelled] == [
        ("/lib/modules:/lib/modules:ro", "none"),
        ("s:/run/s", "possible"),
        ("/dev/net:/dev/net", "none"),
    ]


def test_a_device_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "expected a file or a folder" in refused(tmp_path, "pipe:/x").message

"""Copies of bound files, and where in a node's root they are mounted; which interfaces are on one network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bgpsim.inputs.files.binds import Bind, BoundFile
from bgpsim.lab.embedded.bound_files import as_request, inside, lay_out, left_out
from bgpsim.lab.embedded.segments import pairs, segments
from bgpsim.source import Source

AT = Source("t.yml", 1)


def bind(target: str, **files: BoundFile) -> Bind:
    return Bind(target, AT, files={name.replace("__", "/"): file for name, file in files.items()}, folders=("", "deep"))


def test_a_folder_is_laid_out_as_it_was(tmp_path: Path) -> None:
    whole = bind(
        "/etc/frr", daemons=BoundFile(b"bgpd=yes\n", 0o640), deep__x=BoundFile(b"\0\xff"), l=BoundFile(link="x")
    )
    lay_out(as_request([whole]), tmp_path / "binds")
    copy = tmp_path / "binds" / "0"
    assert (copy / "daemons").read_bytes() == b"bgpd=yes\n"
    assert (copy / "daemons").stat().st_mode & 0o777 == 0o640
    assert (copy / "deep" / "x").read_bytes() == b"\0\xff"
    assert os.readlink(copy / "l") == "x"


def test_a_file_alone_and_the_outer_one_first(tmp_path: Path) -> None:
    alone = Bind("/etc/frr/frr.conf", AT, files={"": BoundFile(b"x")})
    requested = as_request([alone, bind("/etc/frr")])
    assert [one["target"] for one in requested] == ["/etc/frr", "/etc/frr/frr.conf"]
    lay_out(requested, tmp_path / "binds")
    assert (tmp_path / "binds" / "1").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("path", "at"),
    [
        ("/etc/frr/frr.conf", "/etc/frr/frr.conf"),
        ("/var/run/x", "/run/x"),
        ("/absolute/x", "/run/x"),
        ("/up/x", "/x"),
        ("/new/../etc", "/etc"),
    ],
)
def test_no_link_of_an_image_leads_out_of_its_root(tmp_path: Path, path: str, at: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "var").mkdir()
    os.symlink("../run", tmp_path / "var" / "run")
    os.symlink("/run", tmp_path / "absolute")
    os.symlink("../../../..", tmp_path / "up")
    assert inside(str(tmp_path), path) == f"{tmp_path}{at}"


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    os.symlink("round", tmp_path / "round")
    with pytest.raises(OSError, match="too many symbolic links"):
        inside(str(tmp_path), "/round/x")


def test_an_images_own_configuration_makes_way_for_files_of_the_daemons() -> None:
    def one(target: str) -> Bind:
        return Bind(target, AT)

    assert left_out([]) == []
    assert left_out([one("/etc/frr/daemons"), one("/etc/frr/bgpd.conf")]) == ["/etc/frr/frr.conf"]
    assert left_out([one("/etc/frr/daemons"), one("/etc/frr/frr.conf")]) == []
    assert left_out([one("/etc/frr")]) == []


def test_interfaces_on_one_network() -> None:
    links = [
        ("r1", "e", "b1", "p1"),
        ("r1", "x", "r2", "x"),
        ("b2", "p2", "r2", "e"),
        ("b1", "up", "b2", "up"),
        ("r3", "e", "b2", "p"),
        ("b3", "p", "r3", "y"),
    ]
    assert segments(links, ["b1", "b2", "b3"]) == [
        (("r1", "x"), ("r2", "x")),
        (("r1", "e"), ("r2", "e"), ("r3", "e")),
        (("r3", "y"),),
    ]
    assert list(pairs(links, ["b1", "b2", "b3"])) == [
        ("r1", "x", "r2", "x"),
        ("r1", "e", "r2", "e"),
        ("r1", "e", "r3", "e"),
        ("r2", "e", "r3", "e"),
    ]

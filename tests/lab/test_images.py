"""The images run: every tool that topologies call, and FRR's own start script, in a root made of nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sealed import USERS

from bgpsim.lab.images import Image, default_store, ensure

pytestmark = pytest.mark.lab

# An overlay over the image on a private tmpfs, a minimal /dev, then the commands, each with its exit code.
_ENTER = """
set -e
mount -t tmpfs none "$2"; cd "$2"; mkdir upper work root
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work,userxattr" root
mount -t proc proc root/proc
mount -t tmpfs -o mode=755 none root/run
mount -t tmpfs -o mode=755 none root/dev
for device in null zero random urandom; do touch root/dev/$device; mount --bind /dev/$device root/dev/$device; done
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root chroot root /bin/bash -c "$3"
"""
_UNSHARE = ["unshare", "-Urnmpf", "--mount-proc", "--kill-child", "bash", "-c", _ENTER, "enter"]
_NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs"]

Run = Callable[[str, list[str]], dict[str, tuple[int, str]]]


@pytest.fixture(scope="module")
def images() -> dict[str, Image]:
    return dict(ensure(("frr", "node"), default_store(), print))


@pytest.fixture(params=USERS)
def run(request: pytest.FixtureRequest, images: dict[str, Image], open_folder: Path) -> Run:
    """Runs lines in an image, as this user and, where this one is root, as another that owns a copy of the image."""
    ordinary = request.param == "ordinary user"

    def in_image(name: str, lines: list[str]) -> dict[str, tuple[int, str]]:
        rootfs, mountpoint = images[name].rootfs, open_folder / "mountpoint"
        mountpoint.mkdir()
        if ordinary:
            copied = open_folder / "rootfs"
            shutil.copytree(rootfs, copied, symlinks=True)
            subprocess.run(["chown", "-hR", "65534:65534", str(open_folder)], check=True)
            rootfs = copied
        script = "\n".join(f"out=$({line} 2>&1); printf '\\036%d\\037%s' $? \"$out\"" for line in lines)
        done = subprocess.run(
            [*(_NOBODY if ordinary else []), *_UNSHARE, str(rootfs), str(mountpoint), script],
            capture_output=True,
            text=True,
            timeout=60,
            cwd="/",
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answers = [record.split("\x1f") for record in done.stdout.split("\x1e")[1:]]
        assert len(answers) == len(lines), done.stdout
        return {line: (int(code), text.strip()) for line, (code, text) in zip(lines, answers, strict=True)}

    return in_image


def test_frr_starts_and_vtysh_has_no_complaint(run: Run, images: dict[str, Image]) -> None:
    answers = run(
        "frr",
        [
            "sed -i -e 's/bgpd=no/bgpd=yes/g' /etc/frr/daemons",
            "touch /etc/frr/vtysh.conf",
            "/usr/lib/frr/frrinit.sh start",
            "vtysh -c 'show version'",
            "pgrep -x bgpd",
            "ip link set lo up",
            "iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE",
            "iptables -t nat -S POSTROUTING",
        ],
    )
    assert {line: answer for line, answer in answers.items() if answer[0] != 0} == {}
    version = answers["vtysh -c 'show version'"][1]
    assert version.startswith(f"FRRouting {images['frr'].versions['frr']} "), version
    assert "-o eth0 -j MASQUERADE" in answers["iptables -t nat -S POSTROUTING"][1]


@pytest.mark.parametrize("name", ["frr", "node"])
def test_the_tools_answer(run: Run, images: dict[str, Image], name: str) -> None:
    tools = ["ip link", "bridge -V", "ping -V", "traceroute --version", "tcpdump --version", "tini --version"]
    tools += ["iptables -V", "ip6tables -V", "awk 'BEGIN{print 1}'", "sh -c 'ps ax'", "sysctl net.ipv4.ip_forward"]
    if name == "node":
        tools += ["gobgpd --version", "gobgp --version", "dig -v", "curl --version", "nc -h"]
    answers = run(name, tools)
    assert {line: answer for line, answer in answers.items() if answer[0] != 0} == {}
    if name == "node":
        assert images["node"].versions["gobgpd"] in answers["gobgpd --version"][1]


@pytest.mark.parametrize("name", ["frr", "node"])
def test_an_image_holds_nothing_of_where_it_was_made(images: dict[str, Image], name: str) -> None:
    rootfs = images[name].rootfs
    assert not (rootfs.parent / "apt").exists()
    links = [path for path in rootfs.rglob("*") if path.is_symlink()]
    assert [path for path in links if os.readlink(path).startswith(str(default_store()))] == []
    assert os.readlink(rootfs / "var/run") == "../run"
    assert os.readlink(rootfs / "bin") == "usr/bin"
    assert (rootfs / "tmp").stat().st_mode & 0o7777 == 0o1777

"""The virtual machine's parts that can be wrong without a boot telling why."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kernel import machine
from tests.kernel.machine import Job, MachineError, closure, cpio


def test_a_module_comes_with_all_that_it_needs() -> None:
    dependencies = "kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko kernel/fs/netfs/netfs.ko\nkernel/drivers/net/veth.ko:\n"
    assert closure(dependencies, ["9p"]) == {
        "kernel/fs/9p/9p.ko",
        "kernel/net/9p/9pnet.ko",
        "kernel/fs/netfs/netfs.ko",
    }


def test_an_archive_has_folders_before_their_files_and_is_aligned() -> None:
    archive = cpio({"lib/modules/a.ko": b"abc", "init": b"#!"})
    places = [
        archive.index(name) for name in (b"lib\0", b"lib/modules\0", b"lib/modules/a.ko\0", b"init\0", b"TRAILER")
    ]
    assert places == sorted(places)
    assert len(archive) % 4 == 0
    assert all((place - 110) % 4 == 0 for place in places)


@pytest.mark.parametrize(("kvm", "flags"), [("missing", "vmx"), ("there", "fpu hypervisor")])
def test_without_hardware_virtualization_nothing_is_fetched(
    kvm: str, flags: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").touch()
    (tmp_path / "cpuinfo").write_text(f"flags\t\t: {flags}\n")
    monkeypatch.setattr(machine, "KVM", tmp_path / kvm)
    monkeypatch.setattr(machine, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setenv("BGPSIM_DATA", str(tmp_path / "store"))
    with pytest.raises(MachineError) as raised:
        machine.run(Job("true", {}, (), 1))
    assert "\n" not in raised.value.message
    assert "--emulate" in str(raised.value.hint)
    assert not (tmp_path / "store").exists()

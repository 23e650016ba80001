"""What has run out is told from the error that came of it, and nothing else is taken for it."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bgpsim.exhaustion import exhausted
from bgpsim.scenario.playing.verdicts import INCONCLUSIVE, error_part


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "no space left on device"),
        (errno.EMFILE, "too many open files"),
        (errno.ENOMEM, "out of memory"),
    ],
)
def test_by_its_number(number: int, says: str) -> None:
    words = exhausted(OSError(number, os.strerror(number)))
    assert words is not None
    assert words.startswith(says)


def test_what_led_to_it_counts() -> None:
    error = ImportError("no such module")
    error.__cause__ = OSError(errno.EMFILE, "x")
    assert exhausted(error) == "too many open files"


def test_copies_gather_their_errors_as_texts(tmp_path: Path) -> None:
    assert exhausted(shutil.Error([("a", "b", "[Errno 28] No space left on device: 'b'")])) is not None
    assert exhausted(shutil.Error([("a", "b", "[Errno 13] Permission denied: 'b'")])) is None


def test_others_are_no_exhaustion() -> None:
    assert exhausted(OSError(errno.EACCES, "x")) is None
    assert exhausted(RuntimeError("something")) is None
    one, other = socket.socketpair()
    with one, other:
        one.setblocking(False)
        with pytest.raises(BlockingIOError) as nothing_to_read:
            one.recv(1)
    assert exhausted(nothing_to_read.value) is None


def test_a_process_that_cannot_be_forked() -> None:
    """As an ordinary user whose limit is one process; root has none."""
    program = (
        "import os, resource, subprocess, sys\n"
        "from bgpsim.exhaustion import exhausted\n"
        "if os.geteuid() == 0: os.setresuid(65533, 65533, 65533)\n"
        "resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))\n"
        "try: subprocess.run(['true'])\n"
        "except OSError as error: print(exhausted(error))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "no more processes or threads can be started\n", done.stderr


def test_it_is_inconclusive_and_no_bug() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        with pytest.raises(OSError, match="Too many open files") as found:
            os.open("/", os.O_RDONLY)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    part, code = error_part(found.value)
    assert (part.message, code) == ("bgpsim itself: too many open files", INCONCLUSIVE)

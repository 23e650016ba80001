"""What a machine or a limit has run out of, told from the error that came of it."""

from __future__ import annotations

import errno
import re
import shutil
import traceback
from collections.abc import Iterable, Iterator

_WORDS = {
    errno.ENOSPC: "no space left on device: the disk is full",
    errno.EDQUOT: "no space left on device: the disk quota is used up",
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files on the whole machine",
    errno.EAGAIN: "no more processes or threads can be started",
    errno.ENOMEM: "out of memory",
}
_NUMBER = re.compile(r"\[Errno (\d+)\]")


def exhausted(error: BaseException) -> str | None:
    """Words for it where `error`, or one that led to it, means that something has run out; None for any other.

    EAGAIN says so of fork(2) alone; of a socket it means that there is nothing to read yet.
    """
    for one in _chain(error):
        words = _words(one)
        if words is not None:
            return words
    return None


def exhausted_by_log(lines: Iterable[str]) -> str | None:
    """As `exhausted`, from what a process wrote before it ended."""
    for line in lines:
        found = _NUMBER.search(line)
        if found is not None and int(found[1]) in _WORDS and int(found[1]) != errno.EAGAIN:
            return _WORDS[int(found[1])]
    return None


def _words(error: BaseException) -> str | None:
    if isinstance(error, MemoryError):
        return _WORDS[errno.ENOMEM]
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return _WORDS[errno.EAGAIN]
    if isinstance(error, shutil.Error):
        # copytree gathers what went wrong as texts.
        found = _NUMBER.search(str(error))
        return None if found is None else _WORDS.get(int(found[1]))
    if isinstance(error, BlockingIOError) and not _of_fork(error):
        return None
    if isinstance(error, OSError) and error.errno is not None:
        return _WORDS.get(error.errno)
    return None


def _of_fork(error: BaseException) -> bool:
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and (frames[-1].name == "_execute_child" or "fork(" in (frames[-1].line or ""))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__

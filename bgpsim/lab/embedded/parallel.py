"""Several devices at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """The results in the order of the items. The first error, or an interrupt, is raised at once.

    What still runs then is not waited for: the caller ends the lab, and with it every command in it.
    """
    if not items:
        return []
    pool = ThreadPoolExecutor(max_workers=len(items))
    try:
        return list(pool.map(work, items))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)

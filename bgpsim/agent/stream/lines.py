"""One JSON value a line, between the service and the processes of a stream."""

from __future__ import annotations

import json
import sys
from typing import Any


def hear() -> Any:
    """The next value from standard input; None when it has closed. Not more than its line is read, for what comes
    after is waited for by `select`.
    """
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as stream:
        line = stream.readline()
    return json.loads(line) if line else None


def say(value: Any) -> None:
    print(json.dumps(value), flush=True)

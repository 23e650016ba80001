"""What a command and a keeper say to each other: one request, any number of events, one answer.

Request {"op", …}; event {"event", …}; answer {"answer"} or {"error": {…}}; framed as the agent's RPC is.
"""

from __future__ import annotations

from typing import Any

from bgpsim import errors
from bgpsim.errors import BgpsimError, InputError, LabError


def error_message(error: BgpsimError) -> dict[str, Any]:
    """An error of bgpsim, to be raised at the other side as it was here."""
    return {
        "type": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "file": error.file,
        "line": error.line,
        "log": list(error.log) if isinstance(error, LabError) else [],
        "others": [error_message(other) for other in error.others] if isinstance(error, InputError) else [],
    }


def error_of(message: dict[str, Any]) -> BgpsimError:
    kind = getattr(errors, message["type"])
    told = {key: message[key] for key in ("hint", "file", "line")}
    if issubclass(kind, LabError):
        told["log"] = tuple(message["log"])
    if issubclass(kind, InputError):
        told["others"] = tuple(error_of(other) for other in message["others"])
    error = kind(message["message"], **told)
    assert isinstance(error, BgpsimError)
    return error

"""What speakers need that bgpsim has not by itself."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.util import find_spec

from bgpsim.errors import InputError
from bgpsim.inputs.files.speakers import SpeakerFile

_EXTRA = ("grpc", "google.protobuf")


def check_extras(speakers: Iterable[SpeakerFile]) -> None:
    """GoBGP is driven over gRPC, which is an extra. Raises InputError where it is not there; imports nothing of it."""
    for speaker in speakers:
        if speaker.engine == "gobgp" and not all(map(_there, _EXTRA)):
            raise InputError(
                f"speaker {speaker.name}: `engine: gobgp` needs grpcio and protobuf, which are not installed; "
                "expected them, or `engine: exabgp`",
                hint=f"{sys.executable} -m pip install 'bgpsim[gobgp]', or: -m pip install grpcio protobuf",
                file=speaker.source.file,
                line=speaker.source.line,
            )


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package around it
        return False

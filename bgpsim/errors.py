"""Every error that bgpsim raises on purpose.

    BgpsimError
    ├── InputError          bad input: exit 2, with file and line
    ├── LabError            the lab broke or could not start: exit 3
    │   ├── ImageError      an image could not be made: exit 2 (nothing was started)
    │   │   └── NoSuchRelease  another release of FRR than this machine's cannot be had: exit 3
    │   ├── HostError       this machine cannot run the lab: exit 2 (nothing was started)
    │   ├── DeviceDied      a daemon, node or speaker of the lab ended by itself: exit 3
    │   └── ProcessStopped  a process of the lab is stopped (SIGSTOP), and answers nothing: exit 3
    └── ModelError          the model met something it refuses to guess about: exit 2

Anything else that reaches the command line is a bug: exit 4.
"""

from __future__ import annotations


class BgpsimError(Exception):
    """Base of all errors; `message` is one line, `hint` (if any) says what to do about it."""

    exit_code = 3
    kind = "error"

    def __init__(
        self, message: str, *, hint: str | None = None, file: str | None = None, line: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.file = file
        self.line = line

    def __str__(self) -> str:
        where = "" if self.file is None else self.file + (f":{self.line}" if self.line is not None else "") + ": "
        return where + self.message


class InputError(BgpsimError):
    """Bad input. The message says what was found and what was expected.

    Several problems found in one reading are raised together: the first is the error itself, the rest are in `others`.
    """

    exit_code = 2
    kind = "input"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        file: str | None = None,
        line: int | None = None,
        others: tuple[InputError, ...] = (),
    ) -> None:
        super().__init__(message, hint=hint, file=file, line=line)
        self.others = others


class LabError(BgpsimError):
    """The lab broke. `log` holds the last lines of the daemon or command concerned."""

    kind = "lab"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        file: str | None = None,
        line: int | None = None,
        log: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, hint=hint, file=file, line=line)
        self.log = log


class ImageError(LabError):
    """An image could not be fetched, made or recognised; nothing was started."""

    exit_code = 2
    kind = "image"


class NoSuchRelease(ImageError):
    """The release that has a version of FRR cannot be reached, or not be trusted; nothing was started."""

    exit_code = 3


class HostError(LabError):
    """This machine cannot run the lab (user namespaces switched off, say); nothing was started."""

    exit_code = 2
    kind = "host"


class DeviceDied(LabError):
    """A daemon, node or speaker of the lab ended by itself."""

    kind = "died"


class ProcessStopped(LabError):
    """A process of the lab is stopped by a signal: it is there and answers nothing."""

    kind = "stopped"


class ModelError(BgpsimError):
    """The model refuses to guess."""

    exit_code = 2
    kind = "model"

"""The user's terminal, or pipes, attached to a command in a device; the command's exit code comes back."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from bgpsim.keeper.client import KeeperClient

_CHUNK = 1 << 16
_KNOWN_TERMINALS = ("xterm", "xterm-256color", "screen", "screen-256color", "tmux", "tmux-256color", "linux", "vt100")
"""Those of Debian's ncurses-base, which is in every image."""


def on_terminal(client: KeeperClient, device: str, command: Sequence[str]) -> int:
    """Run it on a terminal of the device, shown on this process's own; what is typed goes there, Ctrl-C too."""
    size = shutil.get_terminal_size()
    number, (master, ended) = client.call_for_descriptors(
        "terminal.open",
        device=device,
        command=list(command),
        rows=size.lines,
        columns=size.columns,
        env=_environment(os.environ),
    )
    try:
        with _raw(sys.stdin.fileno()), _resized(master):
            _relay({sys.stdin.fileno(): master, master: sys.stdout.fileno()}, until=master)
        return _exit_code(client, number, ended)
    finally:
        os.close(master)
        os.close(ended)


def with_pipes(client: KeeperClient, device: str, command: Sequence[str]) -> int:
    """Run it with stdin, stdout and stderr of this process, each as it is; Ctrl-C goes to the command."""
    number, (stdin, stdout, stderr, ended) = client.call_for_descriptors(
        "terminal.run", device=device, command=list(command)
    )
    pairs = {sys.stdin.fileno(): stdin, stdout: sys.stdout.fileno(), stderr: sys.stderr.fileno()}
    try:
        while True:
            try:
                _relay(pairs, until=ended, drain=(stdout, stderr))
                return _exit_code(client, number, ended)
            except KeyboardInterrupt:
                client.call("terminal.signal", number=number, signal_number=int(signal.SIGINT))
    finally:
        for descriptor in (stdout, stderr, ended):
            os.close(descriptor)
        with contextlib.suppress(OSError):
            os.close(stdin)


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    term = own.get("TERM", "")
    return {"TERM": term if term in _KNOWN_TERMINALS else "xterm-256color"}


def _exit_code(client: KeeperClient, number: int, ended: int) -> int:
    """Where the terminal is closed and the command is not, it is hung up on."""
    if not select.select([ended], [], [], 1.0)[0]:
        client.call("terminal.end", number=number)
    code = os.read(ended, 1)
    return code[0] if code else 255


def _relay(pairs: dict[int, int], until: int, drain: Sequence[int] = ()) -> None:
    """Copy from each descriptor to its other until `until` has an end to tell, and nothing is left in `drain`."""
    sources = set(pairs)
    while True:
        readable, _, _ = select.select([*sources, *([] if until in sources else [until])], [], [])
        if until not in pairs and until in readable and not set(readable) & set(drain):
            return
        for source in set(readable) & sources:
            try:
                chunk = os.read(source, _CHUNK)
            except OSError:  # EIO: the terminal's other end is closed
                chunk = b""
            if chunk and _write(pairs[source], chunk):
                continue
            sources.discard(source)
            if source == until:
                return
            if source == sys.stdin.fileno() and pairs[source] != until:
                os.close(pairs[source])


def _write(descriptor: int, chunk: bytes) -> bool:
    try:
        while chunk:
            chunk = chunk[os.write(descriptor, chunk) :]
    except OSError:
        return False
    return True


@contextmanager
def _raw(descriptor: int) -> Iterator[None]:
    """Every key goes through as it is; afterwards the terminal is as it was."""
    if not os.isatty(descriptor):
        yield
        return
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextmanager
def _resized(master: int) -> Iterator[None]:
    """The device's terminal has the size of this one, whenever that changes."""

    def resize(*_: object) -> None:
        with contextlib.suppress(OSError):
            size = os.get_terminal_size(sys.stdout.fileno())
            termios.tcsetwinsize(master, (size.lines, size.columns))

    before = signal.signal(signal.SIGWINCH, resize)
    resize()
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)

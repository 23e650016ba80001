"""The process that ExaBGP runs: lines between ExaBGP's pipes and a Unix socket, and nothing else.

`python api_process.py SOCKET` connects to SOCKET. What ExaBGP writes is taken at once, whether the other end of the
socket reads or not: a full pipe would stop ExaBGP, which then sends no keepalives. Standard library only, since it is
started by path, without bgpsim.
"""

from __future__ import annotations

import os
import queue
import socket
import sys
import threading

_CHUNK = 1 << 16


def main() -> int:
    """Returns 0 when either side closes, which ends ExaBGP or is its end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as relay:
        relay.connect(sys.argv[1])
        heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=_drain, args=(heard,), daemon=True).start()
        threading.Thread(target=_command, args=(relay,), daemon=True).start()
        while chunk := heard.get():
            try:
                relay.sendall(chunk)
            except OSError:
                break
    # The threads may sit in a read that never returns; there is nothing left to flush.
    os._exit(0)


def _drain(heard: queue.SimpleQueue[bytes]) -> None:
    """ExaBGP's events and answers; an empty chunk is their end."""
    while True:
        chunk = os.read(0, _CHUNK)
        heard.put(chunk)
        if not chunk:
            return


def _command(relay: socket.socket) -> None:
    """Commands for ExaBGP. Ends the process with the socket: nobody is left to speak for."""
    try:
        while chunk := relay.recv(_CHUNK):
            while chunk:
                chunk = chunk[os.write(1, chunk) :]
    except OSError:
        pass
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())

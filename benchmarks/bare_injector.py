"""An API process of ExaBGP's that does nothing but send: the floor of a table's injection.

`bare_injector.py FOLDER`: when FOLDER/announce is there, the lines of FOLDER/announce.lines go to ExaBGP, and likewise
for `withdraw`; each is taken away once it was seen. What ExaBGP says is thrown away. Standard library only.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path


def main() -> None:
    folder = Path(sys.argv[1])
    threading.Thread(target=lambda: list(iter(lambda: os.read(0, 1 << 16), b"")), daemon=True).start()
    lines = {verb: (folder / f"{verb}.lines").read_text() for verb in ("announce", "withdraw")}
    while True:
        for verb, text in lines.items():
            if (folder / verb).exists():
                (folder / verb).unlink()
                sys.stdout.write(text)
                sys.stdout.flush()
        time.sleep(0.002)


if __name__ == "__main__":
    main()

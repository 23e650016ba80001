"""Put a lab's files into a folder, all of them or none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bgpsim.errors import InputError


def write_new(folder: Path, texts: Mapping[str, str]) -> None:
    """Raises InputError, and has written nothing, where one of the files is there or the folder cannot be used."""
    there = [name for name in texts if (folder / name).exists() or (folder / name).is_symlink()]
    if there:
        raise InputError(
            f"{folder / there[0]} is there already; expected a folder without {', '.join(texts)}",
            hint="nothing was written; name another folder",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            # Never over a file that came meanwhile.
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise InputError(
            f"{error.filename or folder}: {error.strerror}; expected a folder that can be written"
        ) from None

"""What a lab is called that nobody has given a name."""

from __future__ import annotations

import re
from pathlib import Path

from bgpsim.inputs.files.yaml_source import read_yaml


def name_for(path: Path, shown: str) -> str:
    """The file's own `name:`, else the file's name, in letters that a lab's name may have. Raises InputError."""
    value = read_yaml(path, shown).value
    written = value.get("name") if isinstance(value, dict) else None
    words = re.sub(r"[^A-Za-z0-9._-]+", "-", str(written or path.stem)).strip("-._")
    return words[:63] or "lab"

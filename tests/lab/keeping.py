"""The command `bgpsim` with labs that stay, of its own and apart from those of whoever runs the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sealed import COMMAND

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class Bgpsim:
    """The command `bgpsim`, with labs of its own."""

    runtime: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "XDG_RUNTIME_DIR": str(self.runtime), "TERM": "xterm"}

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-c", COMMAND, *words]

    def __call__(self, *words: str, stdin: str = "", code: int | None = 0) -> Done:
        done = subprocess.run(
            self.argv(*words),
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done

    def json(self, *words: str) -> dict:
        return json.loads(self(*words, "--json", code=None).stdout)

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.argv(*words), env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def labs(self) -> list[dict]:
        return json.loads(self("lab", "ls", "--json").stdout)

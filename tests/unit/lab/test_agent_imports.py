"""What the agent imports is memory in every lab."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from bgpsim.agent.namespaces import Namespaces
from bgpsim.lab.embedded import inside
services = list(inside._slow_services(Namespaces()))
assert len(services) == len(inside._SLOW_TO_IMPORT)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_the_agent_imports_neither_scapy_nor_all_of_pyroute2() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"bgpsim", "pyroute2"} <= loaded
    assert not loaded & {"scapy", "sqlite3", "unittest"}

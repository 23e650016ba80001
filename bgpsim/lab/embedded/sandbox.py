"""The command's side of the seal: start the supervisor, hold the life-line, end the lab."""

from __future__ import annotations

import os
import select
import site
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import bgpsim
from bgpsim.agent.client import AgentClient
from bgpsim.errors import HostError
from bgpsim.lab.embedded.seal import Plan


class Sandbox:
    """A sealed process tree with an agent in it. Raises HostError when this machine cannot make one."""

    def __init__(self, store: Path) -> None:
        check_host()
        lifeline_read, self._lifeline = os.pipe()
        status_read, status_write = os.pipe()
        ours, theirs = socket.socketpair()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the lab
        package = Path(bgpsim.__file__).resolve().parent
        base = Path(sys.base_prefix).resolve()
        interpreter = Path(os.path.realpath(sys.executable))
        plan = Plan(
            python="" if base == Path("/usr") else str(base),
            interpreter=str(interpreter.relative_to(base)),
            site=_site_packages(),
            package=str(package),
            speakers=str((package / "speakers").resolve()),
            store=str(store),
            first_id=_first_ordinary_id(),
            lifeline=lifeline_read,
            rpc=theirs.fileno(),
            status=status_write,
        )
        passed = (lifeline_read, theirs.fileno(), status_write)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bgpsim.lab.embedded.seal", plan.to_json()],
            pass_fds=passed,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            # A Ctrl-C in the terminal is the command's business; it ends the lab by the life-line.
            start_new_session=True,
            cwd="/",
        )
        for descriptor in (lifeline_read, status_write):
            os.close(descriptor)
        theirs.close()
        try:
            self._await_ready(status_read)
        except BaseException:
            ours.close()
            self._end()
            raise
        finally:
            os.close(status_read)
        self.agent = AgentClient(ours)

    @property
    def pid(self) -> int:
        """The supervisor's outer process."""
        return self._process.pid

    def log_lines(self, count: int = 15) -> tuple[str, ...]:
        """The last lines that the supervisor and the agent wrote."""
        self._log.flush()
        self._log.seek(0)
        return tuple(self._log.read().decode(errors="replace").splitlines()[-count:])

    def close(self) -> None:
        self.agent.close()
        self._end()
        self._log.close()

    def _end(self) -> None:
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _await_ready(self, status: int) -> None:
        said = b""
        while True:
            readable, _, _ = select.select([status], [], [], 20.0)
            if not readable:
                raise HostError("the lab's supervisor did not start within 20 s", log=self.log_lines())
            part = os.read(status, 4096)
            said += part
            if said == b"ready":
                return
            if not part:
                break
        reason = said.decode(errors="replace") or "its supervisor ended"
        raise HostError(f"the lab could not be sealed off: {reason}", hint=_hint(reason), log=self.log_lines())


def check_host() -> None:
    """One line on what is missing for unprivileged namespaces, before anything starts."""
    if sys.platform != "linux":
        raise HostError("the embedded lab needs Linux", hint="use a Linux virtual machine")
    if os.geteuid() == 0:
        return
    for name, bad, hint in (
        ("kernel/unprivileged_userns_clone", "0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "sudo sysctl -w user.max_user_namespaces=15000"),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
    ):
        try:
            value = Path("/proc/sys", name).read_text().strip()
        except OSError:
            continue
        if value == bad:
            dotted = name.replace("/", ".")
            raise HostError(f"user namespaces are restricted here ({dotted} = {value})", hint=hint)


def _hint(reason: str) -> str | None:
    if "unshare" in reason or "not permitted" in reason:
        return "user namespaces must be allowed for this user (in a container: run it unconfined)"
    return None


def _site_packages() -> str:
    """The folder that has our dependencies: the virtual environment's."""
    return next(path for path in site.getsitepackages() if Path(path).is_dir())


def _first_ordinary_id() -> int:
    """The start of a range of subordinate ids (subuid(5)), else the customary 100000."""
    try:
        for line in Path("/etc/subuid").read_text().splitlines():
            _, first, count = line.split(":")
            if int(count) >= 65536:
                return int(first)
    except (OSError, ValueError):
        pass
    return 100000

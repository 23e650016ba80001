"""The command's side of the seal: start the supervisor, hold the life-line, end the lab."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import select
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import bgpsim
from bgpsim.agent.client import AgentClient
from bgpsim.agent.namespaces import PATH
from bgpsim.errors import HostError
from bgpsim.lab.embedded.seal import Plan
from bgpsim.lab.embedded.supervision import Supervision


class Sandbox:
    """A sealed process tree with an agent in it. Raises HostError when this machine cannot make one."""

    def __init__(self, store: Path) -> None:
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
            [sys.executable, "-m", "bgpsim.lab.embedded.seal"],
            pass_fds=passed,
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            # A Ctrl-C in the terminal is the command's business; it ends the lab by the life-line.
            start_new_session=True,
            cwd="/",
            # The lab's PID 1 is a fork of this process: what it has in its environment could be read inside.
            env=_supervisor_environment(package.parent),
        )
        self._supervision = Supervision(self._process, self.log_lines)
        for descriptor in (lifeline_read, status_write):
            os.close(descriptor)
        theirs.close()
        try:
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError), self._process.stdin as stdin:
                stdin.write(plan.to_json().encode())
            self._await_ready(status_read)
        except BaseException:
            ours.close()
            self._end()
            raise
        finally:
            os.close(status_read)
        self.agent = AgentClient(ours, self._supervision)

    @property
    def pid(self) -> int:
        """The supervisor's outer process."""
        return self._process.pid

    @property
    def ended(self) -> str | None:
        """How it ended by itself; None while it lives."""
        return self._supervision.end() if self.agent.gone else self._supervision.ended()

    @property
    def stopped(self) -> str | None:
        """Which of its own processes a signal has stopped, in words."""
        return self._supervision.stopped()

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
                reason = self._supervision.stopped() or "its supervisor did not start within 20 s"
                raise HostError(f"the lab could not be sealed off: {reason}", log=self.log_lines())
            part = os.read(status, 4096)
            said += part
            if said == b"ready":
                return
            if not part:
                break
        reason = said.decode(errors="replace") or self._supervision.end()
        raise HostError(f"the lab could not be sealed off: {reason}", hint=_hint(reason), log=self.log_lines())


def check_host() -> None:
    """One line on what is missing for unprivileged namespaces, before anything starts."""
    if sys.platform != "linux":
        raise HostError("the embedded lab needs Linux", hint="use a Linux virtual machine")
    if _setting("user/max_user_namespaces") == "0":
        raise _restricted("user.max_user_namespaces", "0", "15000")
    if os.geteuid() == 0:
        return
    if _setting("kernel/unprivileged_userns_clone") == "0":
        raise _restricted("kernel.unprivileged_userns_clone", "0", "1")
    # AppArmor's restriction has exceptions by program: only a try tells.
    if _setting(_APPARMOR) == "1" and not _may_mount():
        raise _restricted(_APPARMOR.replace("/", "."), "1", "0")


_APPARMOR = "kernel/apparmor_restrict_unprivileged_userns"


def _setting(name: str) -> str | None:
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return None


def _restricted(name: str, value: str, better: str) -> HostError:
    return HostError(
        f"user namespaces are switched off here ({name} = {value})", hint=f"run: sudo sysctl -w {name}={better}"
    )


def _may_mount() -> bool:
    """Whether this very Python may enter a user namespace and mount in it."""
    attempt = (
        "from bgpsim.agent import kernel as k; k.unshare(k.CLONE_NEWUSER | k.CLONE_NEWNS); "
        "k.mount('none', '/', None, k.MS_REC | k.MS_PRIVATE)"
    )
    environment = _supervisor_environment(Path(bgpsim.__file__).resolve().parent.parent)
    done = subprocess.run([sys.executable, "-c", attempt], env=environment, capture_output=True, check=False)
    return done.returncode == 0


def _hint(reason: str) -> str | None:
    if "unshare" in reason or "not permitted" in reason:
        return "user namespaces must be allowed for this user (in a container: run it unconfined)"
    return None


def _supervisor_environment(source: Path) -> dict[str, str]:
    """Enough to find Python's own libraries and bgpsim, and nothing of the user's."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PYTHONHOME") if name in os.environ}
    return {**kept, "PATH": PATH, "LANG": "C.UTF-8", "PYTHONPATH": str(source), "PYTHONNOUSERSITE": "1"}


def _site_packages() -> str:
    """The folder that has our dependencies, wherever this Python finds them."""
    found = importlib.util.find_spec("pyroute2")
    if found is None or found.origin is None:
        raise HostError("pyroute2 is not installed beside bgpsim", hint="run `make install`")
    return str(Path(found.origin).parents[1])


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

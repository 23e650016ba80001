"""`make test-kernel`: lab tests on Debian's own kernel, in a virtual machine."""

from __future__ import annotations

import shlex
import sys

import click

from bgpsim.errors import BgpsimError
from tests.kernel import machine

TESTS = ("tests/lab/test_impairments.py", "tests/lab/test_embedded_lab.py")


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--ordinary", is_flag=True, help="As user 65534 of the guest, and not as root.")
@click.option("--without", multiple=True, metavar="MODULE", help="A kernel module that does not load.")
@click.option("--emulate", is_flag=True, help="Without KVM: instruction by instruction, many times slower.")
@click.option("--minutes", type=click.IntRange(1), help="The most that the command may take; 15, emulated 60.")
@click.option("--command", metavar="LINE", help="Instead of pytest: a line for the guest's shell.")
@click.argument("pytest_args", nargs=-1, type=click.UNPROCESSED)
def main(
    ordinary: bool,
    without: tuple[str, ...],
    emulate: bool,
    minutes: int | None,
    command: str | None,
    pytest_args: tuple[str, ...],
) -> None:
    """Exit code: that of the command in the guest; 1 where there is no machine; 124 where it took too long."""
    pytest = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *(pytest_args or TESTS)]
    job = machine.Job(
        command or shlex.join(pytest),
        machine.environment(ordinary),
        machine.folders(),
        60 * (minutes or (60 if emulate else 15)),
        ordinary=ordinary,
        emulated=emulate,
        withheld=without,
    )
    try:
        raise SystemExit(machine.run(job))
    except BgpsimError as error:
        click.echo(f"kernel: {error}" + (f" ({error.hint})" if error.hint else ""), err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()

"""The command `bgpsim`: arguments in, reports out. What a command needs is imported when it runs, not before."""

from __future__ import annotations

import importlib
import os
from typing import Any

import click

COMMANDS = {
    "run": ("bgpsim.cli.run", "Run scenarios on a lab, and compare with the prediction."),
    "plan": ("bgpsim.cli.plan", "Predict a scenario, step by step, without a lab."),
    "init": ("bgpsim.cli.init", "Write a lab to start from: the shipped one, or a generated ring or fat-tree."),
    "diff": ("bgpsim.cli.diff", "Compare two reports, two steps, or two sets of input files."),
    "explain": ("bgpsim.cli.explain", "Say why a path is best and each other lost, and where packets go."),
    "lab": ("bgpsim.cli.lab", "A lab that stays up and outlives the terminal."),
    "announce": ("bgpsim.cli.announce", "Announce routes by a speaker of a running lab."),
    "withdraw": ("bgpsim.cli.withdraw", "Withdraw routes that a speaker of a running lab has announced."),
    "watch": ("bgpsim.cli.watch", "A running lab, live: sessions, routes, a path, beside what is predicted."),
    "fuzz": ("bgpsim.cli.fuzz", "Random networks, predicted and run on real routers, compared."),
    "schema": ("bgpsim.cli.schema", "Print the JSON Schema of the scenario file, or of report.json."),
    "completion": ("bgpsim.cli.completion", "Print the script that completes bgpsim's names in a shell."),
}
"""Name -> the module that holds it as `command`, and its one-line help."""


_INCONCLUSIVE = 3
"""As `bgpsim.scenario.playing.verdicts` has it, for when that cannot be loaded."""


class LazyGroup(click.Group):
    """A group whose commands are imported when one is called: `--help` costs no more than click."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Without importing the commands for their help."""
        from click.shell_completion import CompletionItem

        names = [CompletionItem(n, help=text) for n, (_, text) in COMMANDS.items() if n.startswith(incomplete)]
        return names or super().shell_complete(ctx, incomplete)

    def main(self, *args: Any, **options: Any) -> Any:
        """With our own completion for bash, where a shell asks for one."""
        if any(name.endswith("_COMPLETE") and name.startswith("_BGPSIM") for name in os.environ):
            importlib.import_module("bgpsim.cli.completion")
        try:
            return super().main(*args, **options)
        except (OSError, MemoryError) as error:
            # Not even what says so could be loaded: descriptors, memory or the disk are used up.
            what = (getattr(error, "strerror", None) or "out of memory").lower()
            click.echo(f"error: {what}", err=True)
            raise SystemExit(_INCONCLUSIVE) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"no such command '{args[0]}'; expected one of {', '.join(COMMANDS)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what escapes it is a bug (exit code 4, one line, the trace in a file) or Ctrl-C (130)."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except (Exception, KeyboardInterrupt) as error:
            from bgpsim.scenario.playing.verdicts import error_part

            part, code = error_part(error)
            where = "" if part.file is None else part.file + (f":{part.line}" if part.line else "") + ": "
            click.echo(f"error: {where}{part.message}" + (f"; {part.hint}" if part.hint else ""), err=True)
            for other in part.others:
                click.echo(f"error: {other}", err=True)
            for line in part.volatile.log:
                click.echo(f"  | {line}", err=True)
            ctx.exit(code)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    from importlib.metadata import version

    click.echo(f"bgpsim {version('bgpsim')}")
    ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Print the version."
)
def main(**_: Any) -> None:
    """A BGP-to-Kubernetes lab: predicted by a model, run on real routers without Docker or root, and compared."""

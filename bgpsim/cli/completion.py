"""Names that complete in the shell, and `bgpsim completion`, which prints the script for it.

Completion answers while somebody types: files are read as plain YAML, and nothing is imported that a command needs to
run. It never prints an error: where a file cannot be read, nothing is offered.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    ShellComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

VARIABLE = "_BGPSIM_COMPLETE"
MOST_ENTRIES = 2000
"""Of folders looked through for scenario files."""
_SCENARIO = re.compile(rb"^(steps|lab):", re.MULTILINE)


class ScenarioFile(click.ParamType[str]):
    """A scenario file's name, as it is typed."""

    name = "file"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        # Where there is none, the shell offers the files that it knows.
        return _items(_scenarios(incomplete), incomplete) or [CompletionItem(incomplete, type="file")]


class Comparand(ScenarioFile):
    """A scenario file or a report, which may have `#STEP` behind it."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        file, mark, _ = incomplete.partition("#")
        if mark:
            return _items((f"{file}#{step}" for step in _steps(file)), incomplete)
        return super().shell_complete(ctx, param, incomplete)


def step_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The steps of the files given before."""
    return _items((step for file in _files(ctx) for step in _steps(file)), incomplete)


def at_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Devices, and prefixes by their names."""
    return _items((name for file in _files(ctx) for name in _devices(file)), incomplete)


def endpoint_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """What can send and receive."""
    return _items((name for file in _files(ctx) for name in _endpoints(file)), incomplete)


def _items(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in dict.fromkeys(names) if name.startswith(incomplete)]


def _files(ctx: click.Context) -> list[str]:
    # While an option waits for its value, click has put what stands before it into `args`.
    given = [ctx.params.get("file"), *(ctx.params.get("files") or ()), *ctx.args]
    return [file.partition("#")[0] for file in given if isinstance(file, str)]


def _scenarios(incomplete: str) -> Iterator[str]:
    """Scenario files in and below the folder that is being typed, its own first."""
    folder = Path(incomplete).parent if not incomplete.endswith("/") else Path(incomplete)
    seen = 0
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_", "node_modules")))
        seen += len(files) + len(folders)
        if seen > MOST_ENTRIES:
            return
        for name in sorted(files):
            path = Path(root) / name
            if path.suffix in (".yaml", ".yml") and _is_scenario(path):
                yield path.as_posix()


def _is_scenario(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return len(set(_SCENARIO.findall(file.read(65536)))) == 2
    except OSError:
        return False


def _yaml(file: str) -> Any:
    import yaml

    try:
        return yaml.load(Path(file).read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, ValueError, yaml.YAMLError):
        return None


def _steps(file: str) -> Iterator[str]:
    """Of a scenario file, or of a report."""
    path = Path(file)
    if path.suffix == ".json" or path.is_dir():
        import json

        try:
            report = json.loads((path / "report.json" if path.is_dir() else path).read_bytes())
            yield from (str(step["name"]) for run in report["runs"] for step in run["steps"])
        except (OSError, ValueError, KeyError, TypeError):
            return
        return
    scenario = _yaml(file)
    steps = scenario.get("steps") if isinstance(scenario, dict) else None
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, dict) and isinstance(step.get("name"), str):
            yield step["name"]


def _devices(file: str) -> Iterator[str]:
    """Those with a routing table, then prefixes by name."""
    network = _network(file)
    if network is None:
        return
    shown = [device for device in network.devices.values() if device.kind in ("router", "node", "host")]
    yield from (device.name for device in shown)
    yield from (f"{device.name}.pod-cidr" for device in shown if device.pod_cidrs)
    yield from (f"{device.name}.{i.name}" for device in shown for i in device.interfaces if i.addresses)


def _endpoints(file: str) -> Iterator[str]:
    network = _network(file)
    if network is not None:
        yield from sorted(endpoint.id for endpoint in network.endpoints)


def _network(file: str) -> Any:
    """Of a scenario's last step; None where the file cannot be read."""
    from bgpsim.errors import BgpsimError
    from bgpsim.scenario.reading.loading import load

    try:
        return load(Path(file)).steps[-1].network
    except BgpsimError:
        return None


_WORD_BREAKS = ":@="
"""Of bash's COMP_WORDBREAKS those that our names have: bash replaces what stands behind the last one alone."""
_ESCAPED = re.compile(r"([\s'\"\\|&;<>()$`*?\[\]#~!{}])")
_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' type value response
    response=$(env COMP_LINE="${COMP_LINE:0:COMP_POINT}" %(complete_var)s=bash_complete $1 2>/dev/null)
    COMPREPLY=()
    while IFS=, read -r type value; do
        if [[ $type == file ]]; then compopt -o default
        elif [[ -n $type ]]; then COMPREPLY+=("$value")
        fi
    done <<< "$response"
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class Bash(BashComplete):
    """click's own breaks at names with blanks (steps) and at `:` and `@` (endpoints, revisions)."""

    source_template = _BASH

    def source(self) -> str:
        return ShellComplete.source(self)  # without starting a bash to ask for its version

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ.get("COMP_LINE", "")
        words = split_arg_string(line)[1:]
        if not words or (line[-1:].isspace() and not line.endswith("\\ ")):
            return words, ""
        return words[:-1], words[-1]

    def format_completion(self, item: CompletionItem) -> str:
        """What takes the place of the word that is being typed, as bash sees that word."""
        line = os.environ.get("COMP_LINE", "")
        _, typed = self.get_completion_args()
        quoted = any(line.endswith(quote + typed) for quote in "'\"")
        if quoted:
            return f"{item.type},{item.value}"
        begins = max(typed.rfind(mark) for mark in _WORD_BREAKS) + 1
        return f"{item.type},{_ESCAPED.sub(lambda m: chr(92) + m[1], item.value[begins:])}"


def script(shell: str) -> str:
    """What a shell evaluates once so that bgpsim's names complete in it."""
    from bgpsim.cli.main import main

    found = get_completion_class(shell)
    assert found is not None
    return found(main, {}, "bgpsim", VARIABLE).source()


add_completion_class(Bash)


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that completes bgpsim's names: commands, options, scenario files, steps, devices, endpoints.

    \b
    bash  source <(bgpsim completion bash)           in ~/.bashrc
    zsh   source <(bgpsim completion zsh)            in ~/.zshrc, after compinit
    fish  bgpsim completion fish | source            in ~/.config/fish/config.fish
    """
    click.echo(script(shell))

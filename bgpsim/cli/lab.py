"""`bgpsim lab`: labs that stay up when the command has ended."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Any

import click

from bgpsim.cli.completion import ScenarioFile

LAB = click.option("--lab", "name", metavar="NAME", help="Which lab; not needed where there is only one.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
QUIET = click.option("-q", "--quiet", is_flag=True, help="The verdict alone.")
VERBOSE = click.option("-v", "--verbose", is_flag=True, help="Every path and every changed route.")


@click.group("lab")
def command() -> None:
    """A lab that stays up and outlives the terminal."""


@command.command("up", short_help="Bring up a lab, and leave it running.")
@click.argument("file", type=ScenarioFile())
@click.option("--lab", "name", metavar="NAME", help="What to call it; default: the scenario's name.")
@JSON
@QUIET
@VERBOSE
def up(file: str, name: str | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Bring up the lab of a scenario FILE, or of a containerlab topology, and leave it running.

    Its steps are not played: `bgpsim run FILE --lab NAME` does that. Exit codes as of `bgpsim run`.
    """
    from bgpsim.cli.output import finish, listener, report_of
    from bgpsim.keeper.client import start
    from bgpsim.keeper.naming import name_for

    listening = listener(as_json=as_json, verbosity=verbose - quiet)
    called = name or name_for(Path(file), file)
    outcome = start(called, Path(file), file, listening, first_step=True)
    if not as_json and outcome.run.lab is not None:
        click.echo(f"lab {called} is up; bgpsim lab down {called} ends it")
    finish(report_of(outcome), as_json=as_json, folder=None)


@command.command("ls", short_help="The labs that are up, and those that ended by themselves.")
@JSON
def ls(as_json: bool) -> None:
    """The labs that are up, and those that ended by themselves."""
    from bgpsim.cli.labs_text import labs_json, labs_table
    from bgpsim.cli.output import print_json, print_text
    from bgpsim.keeper.client import labs

    there = labs()
    if as_json:
        print_json(labs_json(there))
    else:
        print_text(labs_table(there))


@command.command("inspect", short_help="One lab: devices, speakers, what was done to it.")
@click.argument("name", required=False)
@JSON
def inspect(name: str | None, as_json: bool) -> None:
    """One lab: its devices, its speakers and what they announce, and what was done to it."""
    from bgpsim.cli.labs_text import inspected
    from bgpsim.cli.output import print_json, print_text
    from bgpsim.keeper.client import connect

    with connect(name) as client:
        status = client.status()
    if as_json:
        print_json({"name": client.name, **status})
    else:
        print_text(*inspected(client.name, status))


@command.command("down", short_help="End labs.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Every lab of this user.")
def down(names: tuple[str, ...], everything: bool) -> None:
    """End labs, and all that is of them."""
    from bgpsim.errors import InputError
    from bgpsim.keeper.client import down as end
    from bgpsim.keeper.client import labs

    there = [lab.name for lab in labs()]
    if not names and not everything and len(there) != 1:
        raise InputError(
            f"{'no lab is up' if not there else 'several labs are up: ' + ', '.join(there)}; expected NAME"
        )
    for name in names or there:
        end(name)
        click.echo(f"lab {name} is down")


@command.command(
    "exec",
    short_help="Run a command in a device.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@LAB
@click.argument("device")
@click.argument("words", nargs=-1, required=True, metavar="CMD...", type=click.UNPROCESSED)
def execute(name: str | None, device: str, words: tuple[str, ...]) -> None:
    """Run CMD in a DEVICE of the lab (`DEVICE -- CMD…` is the same); its exit code is the command's.

    What it changes is outside the prediction: the next check shows it as a difference.
    """
    from bgpsim.keeper.attached import with_pipes
    from bgpsim.keeper.client import connect

    if words[0] == "--":
        words = words[1:]
    if not words:
        raise click.UsageError("a command is missing after --")
    with connect(name) as client:
        sys.exit(with_pipes(client, _device(client.status(), device), words))


@command.command("shell", short_help="A terminal on a device.")
@LAB
@click.option("--bash", "bash", is_flag=True, help="bash, on a router too.")
@click.argument("device")
def shell(name: str | None, device: str, bash: bool) -> None:
    """A terminal on a DEVICE: vtysh on a router, bash elsewhere."""
    from bgpsim.keeper.attached import on_terminal
    from bgpsim.keeper.client import connect

    with connect(name) as client:
        status = client.status()
        device = _device(status, device)
        routers = {d["name"] for d in status["devices"] if d["engine"] == "frr"}
        sys.exit(on_terminal(client, device, ["vtysh"] if device in routers and not bash else ["bash", "-l"]))


@command.command("graph", short_help="Draw the lab.")
@LAB
@click.option(
    "--format",
    "form",
    type=click.Choice(["svg", "mermaid", "dot", "graphml"]),
    help="Default: what -o ends in, or mermaid.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file: .svg, .mmd, .dot, .graphml.")
def graph(name: str | None, form: str | None, output: Path | None) -> None:
    """Draw the lab: its devices, links and sessions, as they were seen last."""
    from bgpsim.errors import InputError
    from bgpsim.keeper.client import connect
    from bgpsim.report.pictures import FORMS

    if form is None and output is not None and output.suffix not in FORMS:
        raise InputError(f"{output}: found '{output.suffix}'; expected one of {', '.join(FORMS)}, or --format")
    with connect(name) as client:
        text = client.picture(form or ("mermaid" if output is None else FORMS[output.suffix]))
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text)
    except OSError as error:
        raise InputError(f"{output}: {error.strerror}; expected a file that can be written") from None


@command.command("capture", short_help="Packets of a link or a device, as pcap.")
@LAB
@click.argument("where", metavar="LINK|DEVICE")
@click.option("-w", "--write", "file", type=click.Path(), help="A pcap file; default: standard output.")
@click.option("--decode", is_flag=True, help="Print BGP messages instead, as scapy shows them.")
@click.option("--count", type=click.IntRange(min=1), help="So many packets.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="So long; default: until Ctrl-C.")
def capture(
    name: str | None, where: str, file: str | None, decode: bool, count: int | None, seconds: float | None
) -> None:
    """Capture at one end of a LINK (tor1:net0), or at all interfaces of a DEVICE, as pcap.

    `bgpsim lab capture tor1:net0 | wireshark -k -i -`
    """
    from bgpsim.cli.captured import print_bgp, write_pcap
    from bgpsim.errors import InputError
    from bgpsim.keeper.capturing import frames, open_capture
    from bgpsim.keeper.client import connect

    if decode and file is not None:
        raise InputError("found --decode and -w; expected one of them: messages are printed, packets are written")
    with connect(name) as client:
        status = client.status()
        names = [d["name"] for d in status["devices"]]
        device, interface = (where, None) if where in names else where.rpartition(":")[::2]
        opened = open_capture(client, _device(status, device or where), interface if device else None)
        captured = itertools.islice(frames(opened, seconds), count)
        if decode:
            print_bgp(captured)
        else:
            write_pcap(captured, file)


@command.command("check", short_help="Is the lab as predicted?")
@LAB
@JSON
@QUIET
@VERBOSE
def check(name: str | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Is the lab as predicted? Everything that was typed in it shows as a difference."""
    play_by_hand(name, {}, "check", as_json=as_json, verbosity=verbose - quiet)


@command.command("do", short_help="Play one step of any kind.")
@LAB
@click.argument("step")
@JSON
@QUIET
@VERBOSE
def do(name: str | None, step: str, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Play one STEP, written as in a scenario file: `bgpsim lab do 'link-down: [tor1:net0]'`."""
    import yaml

    from bgpsim.errors import InputError

    try:
        value = yaml.safe_load(step)
    except yaml.YAMLError as error:
        raise InputError(
            f"this is not YAML: {' '.join(str(error).split())}; expected 'link-down: [tor1:net0]', say"
        ) from None
    if not isinstance(value, dict):
        raise InputError(f"found {step!r}; expected a step's keys and values: 'link-down: [tor1:net0]', say")
    play_by_hand(name, value, " ".join(step.split()), as_json=as_json, verbosity=verbose - quiet)


@command.command("link-down", short_help="Cut a link.")
@LAB
@click.argument("links", nargs=-1, required=True, metavar="DEVICE:INTERFACE...")
@click.option("--silent", is_flag=True, help="Carrier stays, and nothing passes: a black hole.")
@JSON
@QUIET
@VERBOSE
def link_down(
    name: str | None, links: tuple[str, ...], silent: bool, as_json: bool, quiet: bool, verbose: bool
) -> None:
    """Cut a link, at this end of it."""
    entries = [{"link": link, "silent": True} if silent else link for link in links]
    said = f"link-down {' '.join(links)}" + (", silent" if silent else "")
    play_by_hand(name, {"link-down": entries}, said, as_json=as_json, verbosity=verbose - quiet)


@command.command("link-up", short_help="Restore a link.")
@LAB
@click.argument("links", nargs=-1, required=True, metavar="DEVICE:INTERFACE...")
@JSON
@QUIET
@VERBOSE
def link_up(name: str | None, links: tuple[str, ...], as_json: bool, quiet: bool, verbose: bool) -> None:
    """Restore a link that was cut."""
    said = f"link-up {' '.join(links)}"
    play_by_hand(name, {"link-up": list(links)}, said, as_json=as_json, verbosity=verbose - quiet)


@command.command("impair", short_help="Delay, lose or slow down what passes over a link.")
@LAB
@click.argument("link", metavar="DEVICE:INTERFACE")
@click.option("--delay", metavar="20ms")
@click.option("--jitter", metavar="5ms")
@click.option("--loss", metavar="1%")
@click.option("--rate", metavar="10mbit")
@click.option("--direction", type=click.Choice(["both", "out"]), help="Default: both.")
@click.option("--clear", is_flag=True, help="As it was.")
@JSON
@QUIET
@VERBOSE
def impair(name: str | None, link: str, as_json: bool, quiet: bool, verbose: bool, **impairment: Any) -> None:
    """Delay, lose or slow down what passes over a link: `bgpsim lab impair tor1:net0 --delay 20ms --loss 1%`."""
    given = {key: value for key, value in impairment.items() if value not in (None, False)}
    said = " ".join(["impair", link, *(key if value is True else f"{key} {value}" for key, value in given.items())])
    play_by_hand(name, {"impair": [{"link": link, **given}]}, said, as_json=as_json, verbosity=verbose - quiet)


def play_by_hand(name: str | None, step: dict[str, Any], said: str, *, as_json: bool, verbosity: int) -> None:
    """One step on a running lab: predicted, done, waited for, compared; ends with its exit code."""
    from bgpsim.cli.output import finish, listener, report_of
    from bgpsim.keeper.client import connect

    with connect(name) as client:
        outcome = client.play([step], said, listener(as_json=as_json, verbosity=verbosity))
    finish(report_of(outcome), as_json=as_json, folder=None)


def _device(status: dict[str, Any], text: str) -> str:
    """A device by name, or a pod by what comes before its `@`, where that is one. Raises InputError."""
    from bgpsim.errors import InputError
    from bgpsim.scenario.reading.names import hint

    names: list[str] = [*(d["name"] for d in status["devices"]), *status["containers"]]
    if text in names:
        return text
    near = [n for n in names if n.split("/")[-1] == text or n.rsplit("@", 1)[0] in (text, f"pod:default/{text}")]
    if len(near) == 1:
        return near[0]
    raise InputError(f"no device is called '{text}'; there are {', '.join(names)}", hint=hint(text, names, "devices"))

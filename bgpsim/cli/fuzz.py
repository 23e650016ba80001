"""`bgpsim fuzz`."""

from __future__ import annotations

import threading
from pathlib import Path

import click

_KNOWN = Path("tests/fidelity/known_differences.yaml")


@click.command("fuzz")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Which networks.")
@click.option("--networks", type=click.IntRange(min=1), default=20, show_default=True, help="How many of them.")
@click.option("--changes", type=click.IntRange(min=0), default=4, show_default=True, help="Steps after the first one.")
@click.option("--resume", is_flag=True, help="Go on where the campaign of this seed was stopped.")
@click.option("--state", type=click.Path(path_type=Path), help="Its file; default: fuzz-SEED.jsonl.")
@click.option("--image", default="frrouting/frr:v8.4.4", show_default=True, help="The routers' image.")
@click.option("--routers", type=click.IntRange(min=2), help="In one lab, about; default: by memory and cores.")
@click.option("--known", type=click.Path(path_type=Path), default=_KNOWN, show_default=True, help="Known differences.")
@click.option(
    "--keep-failures", "keep", type=click.Path(path_type=Path), help="Write failing networks there, made smaller."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON instead.")
@click.option("-q", "--quiet", is_flag=True, help="The result alone.")
def command(
    seed: int,
    networks: int,
    changes: int,
    resume: bool,
    state: Path | None,
    image: str,
    routers: int | None,
    known: Path,
    keep: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Random networks, predicted and run on real routers, compared in full.

    Exit codes: 0 every difference is explained; 1 one is not; 2 bad input; 3 no network counts.
    """
    from bgpsim.cli.output import print_json
    from bgpsim.fuzz.campaign import Campaign, Progress, Settings, routers_at_once
    from bgpsim.fuzz.known import load_known
    from bgpsim.fuzz.playing import embedded

    settings = Settings(seed, networks, changes, image, routers or routers_at_once())
    entries = load_known(known)
    progress = Progress.begin(state or Path(f"fuzz-{seed}.jsonl"), settings, resume=resume)
    said = threading.Lock()

    def tell(text: str) -> None:
        if not quiet and not as_json:
            with said:
                click.echo(text)

    Campaign(progress, embedded(), entries, tell, keep).run()
    summary = progress.summary()
    if as_json:
        print_json(summary)
    else:
        for name, value in summary.items():
            click.echo(f"{name.replace('_', ' ')}: {value}")
    raise SystemExit(1 if summary["unexplained"] else 0 if summary["counted"] else 3)

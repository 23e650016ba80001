"""`bgpsim init`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bgpsim.generate.fabric import Fabric

_RING = 6
_FAT_TREE = 4


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--generate", type=click.Choice(["ring", "fat-tree"]), help="A fabric of FRR routers with hosts instead.")
@click.option("--routers", type=int, metavar="N", help=f"Of a ring; {_RING} by default.")
@click.option("--k", type=int, metavar="K", help=f"Ports of a switch of a fat-tree; {_FAT_TREE} by default.")
def command(folder: Path, generate: str | None, routers: int | None, k: int | None) -> None:
    """Write a lab to start from into DIR: the shipped one (Cilium nodes and ToR routers), or a generated fabric.

    A file that is there is never overwritten: exit code 2.
    """
    from bgpsim.generate.files import lab_files
    from bgpsim.generate.seed_lab import seed_files
    from bgpsim.generate.writing import write_new

    for option, value, of in (("--routers", routers, "ring"), ("--k", k, "fat-tree")):
        if value is not None and generate != of:
            raise click.UsageError(f"{option} {value}: expected --generate {of} with it")
    if generate == "ring":
        texts = lab_files(_ring(_RING if routers is None else routers))
    elif generate == "fat-tree":
        texts = lab_files(_fat_tree(_FAT_TREE if k is None else k))
    else:
        texts = seed_files()
    write_new(folder, texts)
    for name in texts:
        click.echo(f"wrote {folder / name}")
    click.echo(f"next: bgpsim run {shlex.quote(str(folder / 'scenario.yaml'))}")


def _ring(count: int) -> Fabric:
    from bgpsim.generate.ring import FEWEST, MOST, ring

    if not FEWEST <= count <= MOST:
        raise click.UsageError(f"--routers {count}: expected {FEWEST} to {MOST}")
    return ring(count)


def _fat_tree(k: int) -> Fabric:
    from bgpsim.generate.fat_tree import SIZES, fat_tree

    if k not in SIZES:
        raise click.UsageError(f"--k {k}: expected one of {', '.join(map(str, SIZES))}")
    return fat_tree(k)

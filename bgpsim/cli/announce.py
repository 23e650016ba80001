"""`bgpsim announce`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from bgpsim.cli.lab import JSON, LAB, QUIET, VERBOSE, play_by_hand


@click.command("announce")
@LAB
@click.argument("prefixes", nargs=-1, metavar="[PREFIX]...")
@click.option("--speaker", metavar="NAME", help="Who announces; not needed where there is only one speaker.")
@click.option("--to", multiple=True, metavar="ROUTER", help="To this peer alone; may be repeated. Default: all.")
@click.option("--half", type=click.Choice(["low", "high"]), help="That half of PREFIX, one bit longer.")
@click.option("--as-path", metavar="'ASN {ASN ASN} …'", help="Sent as it stands; braces make an AS_SET.")
@click.option("--origin", type=click.Choice(["igp", "egp", "incomplete"]))
@click.option("--med", type=int)
@click.option("--local-preference", type=int, help="To internal peers.")
@click.option("--community", "communities", multiple=True, metavar="ASN:N|NAME", help="May be repeated.")
@click.option("--large-community", "large_communities", multiple=True, metavar="A:B:C", help="May be repeated.")
@click.option(
    "--extended-community", "extended_communities", multiple=True, metavar="target:A:N", help="May be repeated."
)
@click.option("--originator-id", metavar="A.B.C.D")
@click.option("--cluster-list", metavar="'A.B.C.D …'")
@click.option("--aggregator", metavar="ASN:A.B.C.D")
@click.option("--atomic-aggregate", is_flag=True)
@click.option(
    "--attribute", "raw", multiple=True, metavar="'CODE FLAGS VALUE'", help="As ExaBGP's attribute [ 0x63 0xc0 0x01 ]."
)
@click.option("--path-id", type=int, help="RFC 7911; the speaker has add-path: true.")
@click.option("--next-hop", metavar="ADDRESS", help="Default: the speaker's own address on the link.")
@click.option("--file", type=click.Path(), help="A whole table: a route file, or MRT.")
@click.option(
    "--generate", type=click.IntRange(min=1), metavar="N", help="A whole table: N routes, always the same ones."
)
@click.option("--replace", is_flag=True, help="It must be announced already: these are its new attributes.")
@JSON
@QUIET
@VERBOSE
def command(
    name: str | None, prefixes: tuple[str, ...], speaker: str | None, to: tuple[str, ...], half: str | None,
    file: str | None, generate: int | None, replace: bool, raw: tuple[str, ...], as_json: bool, quiet: bool,
    verbose: bool, **attributes: Any,
) -> None:  # fmt: skip
    """Announce routes by a speaker of a running lab: predicted, acknowledged, and compared when the lab is at rest.

    PREFIX is written, or named: worker3.pod-cidr, tor1.lo. `bgpsim announce 10.1.3.0/25 --to tor1 --med 50`
    """
    from bgpsim.errors import InputError

    tables: list[dict[str, Any]] = [] if file is None else [{"file": str(Path(file).resolve())}]
    tables += [] if generate is None else [{"generate": {"routes": generate}}]
    if bool(prefixes) + len(tables) != 1:
        raise InputError("found " + ("nothing to announce" if not prefixes else "PREFIX and a table")
                         + "; expected PREFIX…, or --file, or --generate")  # fmt: skip
    given = {key.replace("_", "-"): value for key, value in _written(attributes).items()}
    if raw:
        given["attributes"] = [_raw(text) for text in raw]
    what = [{"prefix": prefix_entry(text, half), **given} for text in prefixes] or [
        {**table, **given} for table in tables
    ]
    who = {"speaker": the_speaker(name, speaker), **({"to": list(to)} if to else {})}
    verb = "replace" if replace else "announce"
    said = f"{verb} {' '.join(prefixes) or file or f'{generate} generated routes'}" + (
        f" to {' '.join(to)}" if to else ""
    )
    step = {verb: [{**who, **entry} for entry in what]}
    play_by_hand(name, step, said, as_json=as_json, verbosity=verbose - quiet)


def _written(attributes: dict[str, Any]) -> dict[str, Any]:
    """As a scenario file has them: lists as lists, what was not given left out."""
    found = {key: value for key, value in attributes.items() if value not in (None, (), False)}
    for key in ("communities", "large_communities", "extended_communities"):
        if key in found:
            found[key] = [word for text in found[key] for word in text.split()]
    if "cluster_list" in found:
        found["cluster_list"] = found["cluster_list"].split()
    if "as_path" in found:
        found["as_path"] = _as_path(found["as_path"])
    return found


def _as_path(text: str) -> list[Any]:
    """`65099 {65001 65002}`: numbers, and sets of them."""
    path: list[Any] = []
    for part in re.findall(r"\{[^}]*\}|[^\s{}]+", text.replace(",", " ")):
        numbers = [int(word) if word.isdigit() else word for word in part.strip("{}").split()]
        path += [numbers] if part.startswith("{") else numbers
    return path


def _raw(text: str) -> dict[str, Any]:
    from bgpsim.errors import InputError

    words = text.strip("[] ").split()
    try:
        code, flags = (int(word, 0) for word in words[:2])
        (value,) = words[2:]
    except ValueError:
        raise InputError(
            f"--attribute: found '{text}'; expected CODE FLAGS VALUE, as in '0x63 0xc0 0x00000001'"
        ) from None
    return {"code": code, "flags": flags, "value": value}


def prefix_entry(text: str, half: str | None) -> Any:
    """A prefix as it is written, or by name: `worker3.pod-cidr`."""
    named = "/" not in text and not re.fullmatch(r"[\d.]+|[\da-fA-F:]*:[\da-fA-F:.]*", text)
    return {"of": text, **({"half": half} if half else {})} if named else text


def the_speaker(lab: str | None, given: str | None) -> str:
    """The only one there is, where none is given. Raises InputError."""
    from bgpsim.errors import InputError
    from bgpsim.keeper.client import connect

    if given is not None:
        return given
    with connect(lab) as client:
        names: list[str] = [speaker["name"] for speaker in client.status()["speakers"]]
    if len(names) != 1:
        what = "this lab has no speaker" if not names else f"there are several: {', '.join(names)}"
        raise InputError(f"{what}; expected " + ("`speakers:` in its scenario file" if not names else "--speaker NAME"))
    return names[0]

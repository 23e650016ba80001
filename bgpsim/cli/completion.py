"""placeholder"""

import click


class Comparand(click.ParamType):
    name = "x"


@click.command("completion")
def command() -> None: ...

"""The command line: run a server, manage it, and make videos with any filmgate."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from filmgate.client import ClientError
from filmgate.commands.channels import channels
from filmgate.commands.context import Home, settings_with
from filmgate.commands.keys import keys
from filmgate.commands.models import models
from filmgate.commands.video import video
from filmgate.config import BadSetting, describe_settings
from filmgate.core.errors import FilmgateError

cli = typer.Typer(
    name="filmgate",
    help="A self-hosted gateway for Grok video generation that speaks every relay's API at once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.add_typer(keys, name="key")
cli.add_typer(channels, name="channel")
cli.add_typer(models, name="model")
cli.command()(video)


@cli.command()
def serve(
    home: Home = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Start the gateway. Settings not given here come from the environment: filmgate settings."""
    from filmgate.server import serve as run  # heavy; other commands do without

    run(settings_with(home=home, host=host, port=port))


@cli.command()
def settings() -> None:
    """List every setting with its default and meaning."""
    table = Table("Variable", "Default", "Meaning", box=None, header_style="bold")
    for variable, default, meaning in describe_settings():
        table.add_row(variable, default, meaning)
    Console().print(table)


def main() -> None:
    """Run the command line; what a person can mend ends in one line and a non-zero exit."""
    try:
        cli()
    except (BadSetting, ClientError) as error:
        sys.exit(f"filmgate: {error}")
    except FilmgateError as error:
        sys.exit(f"filmgate: {error.message}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

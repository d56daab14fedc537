"""``filmgate model``: the models on offer, as a table and as a file to edit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from filmgate.commands.context import (
    AsJson,
    Home,
    new_table,
    opened,
    run,
    settings_with,
    show_table,
)
from filmgate.config import Settings
from filmgate.core.catalog import Model
from filmgate.services.catalog_file import read_models, write_models

models = typer.Typer(help="Models on offer and their prices.", no_args_is_help=True)


@models.command("list")
def list_models(home: Home = None, as_json: AsJson = False) -> None:
    """List the models on offer."""
    found = run(_models(settings_with(home=home)))
    if as_json:
        print(msgspec.json.encode(found).decode())
        return
    table = new_table("Name", "Family", "Takes", "Seconds", "$/second")
    for model in found:
        low, high = (model.fixed_seconds,) * 2 if model.fixed_seconds else model.seconds
        prices = (f"{name} {rate / 1e6:g}" for name, rate in model.prices.per_second.items())
        table.add_row(
            model.name,
            model.family,
            " ".join(model.shapes),
            str(low) if low == high else f"{low}-{high}",
            "  ".join(prices),
        )
    show_table(table)


@models.command("export")
def export_models(home: Home = None) -> None:
    """Print the models as a TOML file, to edit and import."""
    sys.stdout.write(write_models(run(_models(settings_with(home=home)))))


@models.command("import")
def import_models(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="TOML file.")],
    home: Home = None,
) -> None:
    """Offer the models of a file, and only those."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{file} is not UTF-8 text") from None
    found = read_models(text)
    notes = run(_replace(settings_with(home=home), found))
    print("\n".join([f"{len(found)} models are on offer now.", *notes]))


async def _models(settings: Settings) -> list[Model]:
    async with opened(settings) as node:
        return await node.operators.models()


async def _replace(settings: Settings, models: list[Model]) -> tuple[str, ...]:
    async with opened(settings) as node:
        return await node.operators.replace_models(models)

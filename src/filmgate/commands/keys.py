"""``filmgate key``: API keys of customers."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from filmgate.commands.context import AsJson, Home, micros, opened, run, settings_with
from filmgate.config import Settings
from filmgate.core.catalog import Catalog

keys = typer.Typer(help="API keys of customers.", no_args_is_help=True)


@keys.command("create")
def create_key(
    customer: Annotated[str, typer.Option(help="Name of the customer; made if new.")],
    balance: Annotated[str, typer.Option(help="Dollars to credit, such as 10.00.")] = "0",
    model: Annotated[
        list[str] | None, typer.Option(help="Allow only this model; repeat for more.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Make a key for a customer and print it; it cannot be shown again."""
    amount = micros(balance)
    key = run(_create_key(settings_with(home=home), customer, amount, tuple(model or ())))
    if as_json:
        print(msgspec.json.encode({"key": key, "customer": customer}).decode())
    else:
        print(key)


async def _create_key(
    settings: Settings, customer: str, amount: int, models: tuple[str, ...]
) -> str:
    async with opened(settings) as node:
        catalog = Catalog(await node.operators.models())
        for model in models:
            catalog[model]  # raises UnknownModel
        customer_id = await node.accounts.open(customer)
        if amount:
            await node.billing.top_up(customer_id, amount)
        return await node.access.create_key(customer_id, models)

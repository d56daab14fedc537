"""The command line: run a server, manage it, and make videos with any filmgate."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from filmgate.client import Client, ClientError, as_media
from filmgate.config import BadSetting, Settings, describe_settings, load_settings
from filmgate.core.errors import FilmgateError

T = TypeVar("T")

cli = typer.Typer(
    name="filmgate",
    help="A self-hosted gateway for Grok video generation that speaks every relay's API at once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(help="API keys of customers.", no_args_is_help=True)
cli.add_typer(keys, name="key")

Home = Annotated[Path | None, typer.Option(help="Folder for the database, files and secrets.")]


@cli.command()
def serve(
    home: Home = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Start the gateway. Settings not given here come from the environment: filmgate settings."""
    from filmgate.server import serve as run  # heavy; other commands do without

    run(_settings(home=home, host=host, port=port))


@cli.command()
def settings() -> None:
    """List every setting with its default and meaning."""
    table = Table("Variable", "Default", "Meaning", box=None, header_style="bold")
    for variable, default, meaning in describe_settings():
        table.add_row(variable, default, meaning)
    Console().print(table)


@keys.command("create")
def create_key(
    customer: Annotated[str, typer.Option(help="Name of the customer; made if new.")],
    balance: Annotated[str, typer.Option(help="Dollars to credit, such as 10.00.")] = "0",
    model: Annotated[
        list[str] | None, typer.Option(help="Allow only this model; repeat for more.")
    ] = None,
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Make a key for a customer and print it; it cannot be shown again."""
    amount = _micros(balance)
    key = _run(_create_key(_settings(home=home), customer, amount, tuple(model or ())))
    if as_json:
        print(msgspec.json.encode({"key": key, "customer": customer}).decode())
    else:
        print(key)


@cli.command()
def video(
    prompt: Annotated[str, typer.Argument(help="What to show.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")] = Path(
        "video.mp4"
    ),
    model: Annotated[str, typer.Option(help="Model; see GET /v1/models.")] = "grok-imagine-video",
    seconds: Annotated[int | None, typer.Option(help="Length in seconds.")] = None,
    ratio: Annotated[str | None, typer.Option(help="Aspect ratio, such as 16:9.")] = None,
    resolution: Annotated[str | None, typer.Option(help="480p, 720p or 1080p.")] = None,
    image: Annotated[
        list[str] | None, typer.Option(help="Image file or URL; repeat for several references.")
    ] = None,
    edit: Annotated[str | None, typer.Option(help="Clip to edit: file or URL.")] = None,
    extend: Annotated[str | None, typer.Option(help="Clip to extend: file or URL.")] = None,
    base_url: Annotated[
        str, typer.Option(envvar="FILMGATE_URL", help="The gateway.")
    ] = "http://127.0.0.1:8080",
    key: Annotated[str, typer.Option(envvar="FILMGATE_KEY", help="Your API key.")] = "",
) -> None:
    """Make a video, watch its progress and save the MP4."""
    if edit and extend:
        raise typer.BadParameter("give either --edit or --extend, not both")
    body: dict[str, Any] = {
        "model": model,
        "prompt": prompt,
        "duration": seconds,
        "aspect_ratio": ratio,
        "resolution": resolution,
    }
    body = {name: value for name, value in body.items() if value is not None}
    _run(_make_video(base_url, key, body, image or [], edit, extend, output))


async def _make_video(
    base_url: str,
    key: str,
    body: dict[str, Any],
    images: list[str],
    edit: str | None,
    extend: str | None,
    output: Path,
) -> None:
    clip = edit or extend
    path = "edits" if edit else "extensions" if extend else "generations"
    if clip:
        body["video"] = as_media(clip)
    if len(images) == 1:
        body["image"] = as_media(images[0])
    elif images:
        body["reference_images"] = [as_media(source) for source in images]
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    async with Client(base_url, key) as client:
        request_id = await client.create(path, body)
        with Progress(*columns, console=console) as bar:
            shown = bar.add_task("rendering", total=100)
            url = await client.follow(request_id, lambda p: bar.update(shown, completed=p))
        size = await client.download(url, output)
    console.print(f"[bold]{output}[/bold]  {size / 1e6:.1f} MB  (task {request_id})")


async def _create_key(
    settings: Settings, customer: str, amount: int, models: tuple[str, ...]
) -> str:
    from filmgate.app import Parts  # heavy; other commands do without

    parts = Parts(settings)
    try:
        await asyncio.to_thread(parts.migrate)
        for model in models:
            parts.catalog[model]
        customer_id = await parts.accounts.open(customer)
        if amount:
            await parts.billing.top_up(customer_id, amount)
        return await parts.access.create_key(customer_id, models)
    finally:
        parts.database.close()


def _settings(**options: object) -> Settings:
    """Settings from the environment, with this command's options over them."""
    for name, value in options.items():
        if value is not None:
            # The server's own processes read the environment again.
            os.environ[f"FILMGATE_{name.upper()}"] = str(value)
    return load_settings()


def _micros(dollars: str) -> int:
    try:
        amount = Decimal(dollars) * 1_000_000
        if amount < 0 or amount != int(amount) or amount > 10**15:
            raise InvalidOperation
    except (InvalidOperation, ValueError, OverflowError):
        raise typer.BadParameter(f"{dollars} is not an amount such as 10 or 9.99") from None
    return int(amount)


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


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

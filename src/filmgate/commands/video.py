"""``filmgate video``: make a video with any filmgate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from filmgate.client import Client, as_media
from filmgate.commands.context import run


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
    run(_make_video(base_url, key, body, image or [], edit, extend, output))


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

"""``filmgate channel``: the upstreams that videos come from."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar

import msgspec
import typer

from filmgate.commands.context import (
    AsJson,
    Home,
    micros,
    new_table,
    opened,
    run,
    settings_with,
    show_json,
    show_table,
)
from filmgate.config import Settings
from filmgate.core.channel import Channel
from filmgate.services.operators import Change, Operators, describe

T = TypeVar("T")

channels = typer.Typer(help="Upstreams that videos come from.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the channel.")]
Dialect = Annotated[
    str | None, typer.Option(help="API that it speaks: xai, newapi, openai, chat or sandbox.")
]
BaseUrl = Annotated[str | None, typer.Option(help="Its address, with or without /v1.")]
ApiKeys = Annotated[
    list[str] | None,
    typer.Option("--api-key", help="Key to use there; repeat to rotate; - reads from stdin."),
]
ModelMap = Annotated[
    list[str] | None,
    typer.Option("--model", help="OURS=THEIRS, a model or family; repeat. None: every family."),
]
Priority = Annotated[int | None, typer.Option(help="Lower is tried first (default 0).")]
Weight = Annotated[int | None, typer.Option(help="Share within a priority (default 1).")]
MaxInFlight = Annotated[int | None, typer.Option(help="Most unfinished videos; 0: no limit.")]
PerSecond = Annotated[float | None, typer.Option(help="Most submissions a second; 0: no limit.")]
PerMinute = Annotated[int | None, typer.Option(help="Most submissions a minute; 0: no limit.")]
PollsPerSecond = Annotated[
    float | None, typer.Option(help="Most status polls a second (default 50).")
]
PollSeconds = Annotated[
    float | None, typer.Option(help="Fixed seconds between polls; 0: learned from its videos.")
]
Deadline = Annotated[
    float | None, typer.Option(help="Seconds until a video is given up (default 3600).")
]
SubmitDeadline = Annotated[
    float | None, typer.Option(help="Seconds for one submission (default 60).")
]
Delivery = Annotated[
    str | None, typer.Option(help="store: copy results; link: pass its URL on (default store).")
]
Inputs = Annotated[
    str | None, typer.Option(help="Customers' files as: auto, inline or link (default auto).")
]
CallSeconds = Annotated[
    int | None, typer.Option(help="Longest clip of one call, in seconds (default 15).")
]
ReferencesCallSeconds = Annotated[
    int | None, typer.Option(help="The same from several images (default 10).")
]
Headers = Annotated[
    list[str] | None, typer.Option("--header", help="NAME=VALUE sent with each request; repeat.")
]
Proxy = Annotated[str | None, typer.Option(help="HTTP proxy to reach it through.")]
ResubmitSafe = Annotated[
    bool | None,
    typer.Option(
        "--resubmit-safe/--no-resubmit-safe", help="It honours Idempotency-Key.", show_default=False
    ),
]
RefundModerated = Annotated[
    bool | None,
    typer.Option(
        "--refund-moderated/--charge-moderated",
        help="Whether customers pay for a result that it withholds (default charge).",
        show_default=False,
    ),
]
PricesPaid = Annotated[
    list[str] | None,
    typer.Option(
        "--price", help="Dollars it takes: FAMILY:480p=0.05, FAMILY:image=…, FAMILY:input-second=…"
    ),
]

_SAME_NAME = {
    "dialect",
    "base_url",
    "priority",
    "weight",
    "polls_per_second",
    "deadline",
    "submit_deadline",
    "delivery",
    "inputs",
    "call_seconds",
    "references_call_seconds",
    "proxy",
    "resubmit_safe",
}
_ZERO_IS_NONE = {"max_in_flight", "per_second", "per_minute", "poll_seconds"}


@channels.command("add")
def add_channel(
    context: typer.Context,
    name: Name,
    dialect: Dialect,
    base_url: BaseUrl = None,
    api_key: ApiKeys = None,
    model: ModelMap = None,
    priority: Priority = None,
    weight: Weight = None,
    max_in_flight: MaxInFlight = None,
    per_second: PerSecond = None,
    per_minute: PerMinute = None,
    polls_per_second: PollsPerSecond = None,
    poll_seconds: PollSeconds = None,
    deadline: Deadline = None,
    submit_deadline: SubmitDeadline = None,
    delivery: Delivery = None,
    inputs: Inputs = None,
    call_seconds: CallSeconds = None,
    references_call_seconds: ReferencesCallSeconds = None,
    header: Headers = None,
    proxy: Proxy = None,
    resubmit_safe: ResubmitSafe = None,
    refund_moderated: RefundModerated = None,
    price: PricesPaid = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Add an upstream. A running server uses it within two seconds."""
    given = _given(context.params)
    change = _with(settings_with(home=home), lambda operators: operators.add(name, given))
    _report(f"Added {name}; now try it: filmgate channel test {name}", change, as_json)


@channels.command("set")
def set_channel(
    context: typer.Context,
    name: Name,
    dialect: Dialect = None,
    base_url: BaseUrl = None,
    api_key: ApiKeys = None,
    model: ModelMap = None,
    priority: Priority = None,
    weight: Weight = None,
    max_in_flight: MaxInFlight = None,
    per_second: PerSecond = None,
    per_minute: PerMinute = None,
    polls_per_second: PollsPerSecond = None,
    poll_seconds: PollSeconds = None,
    deadline: Deadline = None,
    submit_deadline: SubmitDeadline = None,
    delivery: Delivery = None,
    inputs: Inputs = None,
    call_seconds: CallSeconds = None,
    references_call_seconds: ReferencesCallSeconds = None,
    header: Headers = None,
    proxy: Proxy = None,
    resubmit_safe: ResubmitSafe = None,
    refund_moderated: RefundModerated = None,
    price: PricesPaid = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Change an upstream. What may be repeated is replaced as a whole; "" empties it."""
    given = _given(context.params)
    change = _with(settings_with(home=home), lambda operators: operators.change(name, given))
    _report(f"Changed {name}.", change, as_json)


@channels.command("list")
def list_channels(home: Home = None, as_json: AsJson = False) -> None:
    """List the upstreams, in the order they are tried."""
    found = _with(settings_with(home=home), lambda operators: operators.channels())
    if as_json:
        show_json([describe(channel) for channel in found])
        return
    columns = ("Name", "State", "Dialect", "Address", "Priority", "Weight", "Keys", "Models")
    table = new_table(*columns)
    for channel in found:
        table.add_row(*_cells(channel))
    show_table(table)


@channels.command("show")
def show_channel(name: Name, home: Home = None, as_json: AsJson = False) -> None:
    """Show every setting of an upstream; of its secrets only hints."""
    shown = describe(_with(settings_with(home=home), lambda operators: operators.channel(name)))
    if as_json:
        show_json(shown)
        return
    table = new_table("Setting", "Value")
    for setting, value in shown.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        table.add_row(setting, text)
    show_table(table)


@channels.command("enable")
def enable_channel(name: Name, home: Home = None, as_json: AsJson = False) -> None:
    """Send an upstream new videos again, whatever trouble it was in."""
    change = _with(settings_with(home=home), lambda operators: operators.enable(name))
    _report(f"Enabled {name}.", change, as_json)


@channels.command("disable")
def disable_channel(name: Name, home: Home = None, as_json: AsJson = False) -> None:
    """Send an upstream no new videos; those it has are finished."""
    change = _with(settings_with(home=home), lambda operators: operators.disable(name))
    _report(f"Disabled {name}.", change, as_json)


@channels.command("test")
def probe_channel(name: Name, home: Home = None, as_json: AsJson = False) -> None:
    """Ask an upstream for its models, which costs nothing; exits with 1 when that fails."""
    result = _with(settings_with(home=home), lambda operators: operators.test(name))
    if as_json:
        show_json(result)
    else:
        took = f"  ({result.milliseconds} ms)" if result.status else ""
        print(f"{'ok' if result.passed else 'FAILED'}  {name}: {result.message}{took}")
        for theirs in result.listed:
            print(f"    lists {theirs}")
    raise typer.Exit(0 if result.passed else 1)


@channels.command("remove")
def remove_channel(name: Name, home: Home = None) -> None:
    """Delete an upstream and its keys. Refused while it still makes videos."""
    notes = _with(settings_with(home=home), lambda operators: operators.remove(name))
    print("\n".join([f"Removed {name}.", *notes]))


def _with(settings: Settings, work: Callable[[Operators], Awaitable[T]]) -> T:
    """What ``work`` makes of the operators' use cases."""

    async def working() -> T:
        async with opened(settings) as node:
            return await work(node.operators)

    return run(working())


def _report(done: str, change: Change, as_json: bool) -> None:
    if as_json:
        show_json(describe(change.channel) | {"notes": change.notes})
    else:
        print("\n".join([done, *change.notes]))


def _cells(channel: Channel) -> Iterable[str]:
    state = "on" if channel.serving else f"out: {channel.trouble}" if channel.enabled else "off"
    return (
        channel.name,
        state,
        channel.dialect,
        channel.base_url or "this machine",
        str(channel.priority),
        str(channel.weight),
        " ".join(describe(channel)["api_keys"]) or "-",
        " ".join(f"{ours}={theirs}" for ours, theirs in channel.models.items()) or "families",
    )


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The channel settings among a command's options, in the words of ``core.channel``."""
    given = {name: options[name] for name in _SAME_NAME if options[name] is not None}
    for name in _ZERO_IS_NONE:
        if options[name] is not None:
            given[name] = options[name] or None
    if options["refund_moderated"] is not None:
        given["charge_moderated"] = not options["refund_moderated"]
    if options["api_key"]:
        given["api_keys"] = _keys(options["api_key"])
    if options["model"]:
        given["models"] = _pairs("--model", "OURS=THEIRS", options["model"])
    if options["header"]:
        given["headers"] = _pairs("--header", "NAME=VALUE", options["header"])
    if options["price"]:
        given["prices"] = _prices(options["price"])
    return given


def _keys(values: list[str]) -> list[str]:
    """The keys given; ``-`` stands for those on stdin, which stay out of the shell's history."""
    found: list[str] = []
    for value in values:
        if value != "-":
            found += [value] if value else []
        elif sys.stdin.isatty():
            found.append(getpass.getpass("API key: ").strip())
        else:
            found += sys.stdin.read().split()
    return found


def _pairs(option: str, form: str, values: list[str]) -> dict[str, str]:
    pairs = {}
    for value in filter(None, values):
        left, equals, right = value.partition("=")
        if not (left and equals and right):
            # What was given may be half a secret header: it is not repeated.
            raise typer.BadParameter(f"{option} must be {form}")
        pairs[left] = right
    return pairs


def _prices(values: list[str]) -> dict[str, Any]:
    """Rows of ``core.pricing.Prices`` by family, from dollars by what they are for."""
    prices: dict[str, Any] = {}
    for what, dollars in _pairs("--price", "FAMILY:480p=0.05", values).items():
        family, colon, unit = what.rpartition(":")
        if not colon:
            raise typer.BadParameter(f"--price {what} must be FAMILY:480p=0.05")
        row = prices.setdefault(family, {"per_second": {}})
        if unit in {"image", "input-second"}:
            row[f"per_{unit.replace('-', '_')}"] = micros(dollars)
        else:
            row["per_second"][unit] = micros(dollars)
    return prices

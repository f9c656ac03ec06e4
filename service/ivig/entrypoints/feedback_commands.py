"""`ivig feedback report`: what became of the cards. `ivig store`: where it is kept."""

from __future__ import annotations

import asyncio
import csv
import io
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from ivig.entrypoints.shell import settings_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from ivig.settings import Settings
    from ivig.store.report import FeedbackReport, RuleReport

feedback_app = typer.Typer(no_args_is_help=True, help="What became of the cards that were shown.")
store_app = typer.Typer(no_args_is_help=True, help="Where what was shown is kept.")
_T = TypeVar("_T")
_FAILED = 1
_OTHERS = ("shadow", "off", "repeat", "withheld", "capped", "folded")


class ReportFormat(StrEnum):
    TEXT = "text"
    JSON = "json"
    CSV = "csv"


def _day(said: datetime | None) -> datetime | None:
    return said.replace(tzinfo=UTC) if said is not None else None


@feedback_app.command()
def report(
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Calls from this day on.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Calls before this day.")] = None,
    client: Annotated[str, typer.Option(help="Calls of this client alone.")] = "",
    form: Annotated[ReportFormat, typer.Option("--format", help="A table, JSON or CSV.")] = ReportFormat.TEXT,
) -> None:
    """For each rule: shown, accepted, overridden with the reasons, ignored; and what was evaluated without being shown."""
    from ivig.store.report import feedback_report

    async def made(engine: AsyncEngine) -> FeedbackReport:
        return await feedback_report(engine, _day(since), _day(until), client)

    told = _with_store(settings_of(), made)
    if form == ReportFormat.TEXT:
        _print(told)
    elif form == ReportFormat.JSON:
        import msgspec

        rows = [_row(rule) | {"reasons": dict(rule.reasons)} for rule in told.rules]
        whole = {"calls": told.calls, "cards": told.cards, "unknownCards": told.unknown, "rules": rows}
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n")
    else:
        _print_csv(told)


@store_app.command()
def upgrade() -> None:
    """Bring the tables of the store to this release."""
    settings = settings_of()
    from sqlalchemy.exc import SQLAlchemyError

    from ivig.store.database import StoreFault
    from ivig.store.migrate import upgrade as bring

    try:
        bring(settings)
    except (SQLAlchemyError, OSError, StoreFault) as fault:
        _failed(fault)
    typer.echo("The store is up to date.")


@store_app.command()
def prune() -> None:
    """Delete what is older than IVIG_RETENTION_DAYS."""
    settings = settings_of()
    from ivig.store.retention import prune as delete

    async def done(engine: AsyncEngine) -> tuple[int, int]:
        return await delete(engine, settings.retention_days, datetime.now(UTC))

    shown, told = _with_store(settings, done)
    typer.echo(f"Deleted what is older than {settings.retention_days} days: {shown} calls, {told} feedbacks.")


@store_app.command()
def status() -> None:
    """Where the store is, its revision, what it holds, and how much of the journals it has not taken yet."""
    settings = settings_of()
    from ivig.store.database import url_of
    from ivig.store.recorder import FOLDER, behind
    from ivig.store.report import feedback_report
    from ivig.store.tables import REVISION

    async def made(engine: AsyncEngine) -> tuple[FeedbackReport, dict[str, int], int]:
        from ivig.store.drain import positions, unreadable

        return await feedback_report(engine), await positions(engine), await unreadable(engine)

    told, read, torn = _with_store(settings, made)
    folder = Path(settings.data_dir).expanduser() / FOLDER
    typer.echo(f"store:    {url_of(settings).render_as_string(hide_password=True)}")
    typer.echo(f"revision: {REVISION}")
    typer.echo(f"holds:    {told.calls} calls, {told.cards} cards; feedback on {told.unknown} cards it does not know")
    typer.echo(f"journal:  {folder}, {behind(folder, read)} bytes still to come; {torn} lines could not be read")


def _with_store(settings: Settings, work: Callable[[AsyncEngine], Awaitable[_T]]) -> _T:
    """Do something with the store, once what dead processes left in their journals is in it."""
    from sqlalchemy.exc import SQLAlchemyError

    from ivig.store.database import StoreFault, engine_of, prepare
    from ivig.store.drain import drain
    from ivig.store.recorder import FOLDER

    async def done() -> _T:
        engine = engine_of(settings)
        try:
            if not await prepare(engine, settings):
                raise StoreFault("the tables are not those of this release: run ivig store upgrade")
            await drain(engine, Path(settings.data_dir).expanduser() / FOLDER, datetime.now(UTC))
            return await work(engine)
        finally:
            await engine.dispose()

    try:
        return asyncio.run(done())
    except (SQLAlchemyError, OSError, StoreFault) as fault:
        _failed(fault)


def _failed(fault: Exception) -> NoReturn:
    """The store cannot be used: what kind of fault it is, without addresses and passwords that its text may hold."""
    from ivig.store.database import StoreFault

    why = str(fault) if isinstance(fault, StoreFault) else type(fault).__name__
    typer.echo(
        f"The store cannot be used: {why}. Look at IVIG_DATABASE_URL and IVIG_DATA_DIR; ivig doctor tells more.",
        err=True,
    )
    raise typer.Exit(_FAILED)


def _row(rule: RuleReport) -> dict[str, Any]:
    told = {"rule": rule.rule, "shown": rule.shown, "accepted": rule.accepted, "overridden": rule.overridden}
    counted = {"ignored": rule.ignored, "overrideRate": rule.override_rate}
    return told | counted | {name: rule.others[name] for name in _OTHERS}


def _reasons(rule: RuleReport, systems: bool = False) -> str:
    """Codes and how often each was given, the most frequent first; with their systems if need be."""
    told = ((said if systems else said.rpartition("|")[2], count) for said, count in rule.reasons.most_common())
    return ", ".join(f"{code} {count}" for code, count in told)


def _percent(rate: float | None) -> str:
    return f"{rate:.0%}" if rate is not None else ""


def _print(told: FeedbackReport) -> None:
    from rich.table import Table

    from ivig.entrypoints.terminal import screen
    from ivig.entrypoints.wording import clean

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("rule", no_wrap=True)
    for heading in ("shown", "accepted", "overridden", "rate", "ignored"):
        table.add_column(heading, justify="right")
    table.add_column("reasons", overflow="fold")
    table.add_column("not shown", overflow="fold")
    for rule in told.rules:
        quiet = ", ".join(f"{name} {rule.others[name]}" for name in _OTHERS if name != "folded" and rule.others[name])
        if rule.shown or quiet:
            numbers = (str(n) for n in (rule.shown, rule.accepted, rule.overridden))
            rate = _percent(rule.override_rate)
            table.add_row(rule.rule, *numbers, rate, str(rule.ignored), clean(_reasons(rule)), quiet)
    console = screen()
    console.print(f"{told.calls} calls, {told.cards} cards shown")
    if told.unknown:
        console.print(f"Feedback on {told.unknown} cards that are not in the store.", style="yellow")
    if table.row_count:
        console.print()
        console.print(table)


def _print_csv(told: FeedbackReport) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["rule", "shown", "accepted", "overridden", "ignored", "overrideRate", *_OTHERS, "reasons"])
    for rule in told.rules:
        reasons = _reasons(rule, systems=True)
        harmless = f"'{reasons}" if reasons.startswith(("=", "+", "-", "@")) else reasons  # to a spreadsheet
        writer.writerow([*_row(rule).values(), harmless])
    sys.stdout.write(text.getvalue())

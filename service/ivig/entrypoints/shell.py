"""What the commands of a shell share: exit codes, the policy and the day asked for, settings and knowledge."""

from __future__ import annotations

import gc
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from ivig.core.book import Library
    from ivig.settings import Settings

# Beside the exit codes of `check`, which are verdicts: a wrong call must not look like one of them.
WRONG_CALL, CRASHED, NOT_SET_UP = 64, 70, 78


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


PolicyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--policy",
        metavar="ID_OR_PATH",
        help="By this policy: us-default, uk, australia, ontario, or the path of a page of your own"
        " (default: IVIG_POLICY).",
    ),
]
DayOption = Annotated[
    datetime | None,
    typer.Option("--on", formats=["%Y-%m-%d"], help="By what is in force on this day (default: today)."),
]


def wrong_call(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(WRONG_CALL)


def chosen(policy: list[str] | None) -> str:
    """The one policy of a command: the one asked for, else the setting's."""
    if policy and len(policy) > 1:
        wrong_call(f"Two policies at once: {' and '.join(policy)}. Give --policy once.")
    return policy[0] if policy else settings_of().policy


def day_of(on: datetime | None) -> date:
    return on.date() if on is not None else datetime.now(UTC).date()


def settings_of() -> Settings:
    from ivig.settings import SettingsFault, load_settings

    try:
        return load_settings()
    except SettingsFault as fault:
        typer.echo(f"These settings cannot be used:\n{fault}", err=True)
        raise typer.Exit(NOT_SET_UP) from None


def library_by(policy: str, lint: bool = False) -> Library:
    """The knowledge by this policy; a command that finds faults in it ends, with 1 where faults are what it looks for."""
    from ivig import validator
    from ivig.knowledge.pages import KnowledgeFault

    try:
        library = validator.library_of(policy)
    except KnowledgeFault as fault:
        faulty(fault, 1 if lint else NOT_SET_UP)
    gc.freeze()
    gc.enable()
    return library


def faulty(fault: Exception, code: int = NOT_SET_UP) -> NoReturn:
    lines = str(fault).splitlines()
    typer.echo(f"The knowledge has {len(lines)} fault{'s' if len(lines) != 1 else ''}:", err=True)
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(code) from None

"""`ivig knowledge ...`: faults, differences, what is due, and the keys that a policy may set."""

from __future__ import annotations

import re
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ivig.entrypoints.shell import (
    DayOption,
    Format,
    PolicyOption,
    chosen,
    day_of,
    faulty,
    library_by,
    wrong_call,
)

if TYPE_CHECKING:
    from ivig.core.book import Library
    from ivig.entrypoints.differences import Change

knowledge = typer.Typer(
    help="The pages of knowledge and the policies: faults, differences, what is due.", no_args_is_help=True
)

FormatOption = Annotated[Format, typer.Option("--format", help="Text to read, or JSON.")]
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SPAN = re.compile(r"(\d{1,5})\s*([dwm]?)")
_DAYS_OF = {"": 1, "d": 1, "w": 7, "m": 30}
_DIFFERENT = _DUE = 1
_MOST_RULES = 8


@knowledge.command()
def lint(policy: PolicyOption = None) -> None:
    """Check every page of knowledge and every policy; list all faults with file and line.

    Exit code: 0 no fault, 1 faults.
    """
    from ivig.entrypoints.inventory import take

    library = library_by(chosen(policy), lint=True)
    held = take(library)
    pages = ", ".join(f"{count} {kind}" for kind, count in sorted(held.pages.items()))
    values = ", ".join(f"{count} {seen}" for seen, count in held.values.items())
    others = ", ".join(sorted(set(library.policies) - {library.policy_id}))
    stated = len(library.stated_policy.stated)
    typer.echo(f"pages     {sum(held.pages.values())}: {pages}")
    typer.echo(f"policy    {library.policy_id}, {held.policy_keys} keys, {stated} of them its own; beside it {others}")
    typer.echo(f"sources   {held.sources}")
    typer.echo(f"values    {sum(held.values.values())}: {values}")
    typer.echo(f"version   knowledge {library.version}, policy {library.policy_version}")
    typer.echo("no faults")


@knowledge.command()
def keys(
    word: Annotated[str, typer.Argument(help="Only keys that hold this word.")] = "",
    policy: PolicyOption = None,
    on: DayOption = None,
) -> None:
    """List the keys that a policy may set, with the value in force and its source; `*` marks the policy's own.

    Beside them a policy may set `severity.<rule>` and `positions.<indication>`.
    """
    from ivig.entrypoints.differences import told

    library = library_by(chosen(policy))
    book = library.on(day_of(on))
    found = [k for k in library.policy if word in k]
    if not found:
        wrong_call(f"No key holds {word}. `ivig knowledge keys` lists all.")
    for key in found:
        value = book.maybe(key)
        mark = "*" if key in library.stated_policy.stated else " "
        said = f"{told(value)} ({value.source})" if value is not None else "not set"
        typer.echo(f"{mark} {key:44} {said}")


@knowledge.command()
def due(
    on: DayOption = None,
    within: Annotated[
        str, typer.Option(metavar="SPAN", help="Also what falls due within this span: 90d, 12w or 3m.")
    ] = "0d",
    policy: PolicyOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """List the pages and policies past their day of review, the longest first.

    A page is due on its `due:` day and after it. For instance `ivig knowledge due --within 90d`.
    Exit code: 0 nothing is due, 1 something is.
    """
    span = _SPAN.fullmatch(within.strip().lower())
    if span is None:
        wrong_call(f"--within is a span such as 90d, 12w or 3m, not {within}.")
    day = day_of(on)
    last = day + timedelta(days=int(span[1]) * _DAYS_OF[span[2]])
    library = library_by(chosen(policy))
    rows = sorted(row for row in _reviews(library) if row[0] <= last)
    if form == Format.JSON:
        _print_json(
            [
                {
                    "page": page,
                    "title": title,
                    "reviewed": reviewed,
                    "due": str(until),
                    "overdueDays": (day - until).days,
                }
                for until, page, title, reviewed in rows
            ]
        )
    else:
        for until, page, title, reviewed in rows:
            late = (day - until).days
            when = f"{late} days ago" if late > 0 else "today" if late == 0 else f"in {-late} days"
            typer.echo(f"{until}  {when:14} {page}: {title} (reviewed {reviewed})")
        span_said = f" or within {within} of it" if last > day else ""
        typer.echo(f"{len(rows) or 'no'} page{'s' if len(rows) != 1 else ''} due on {day}{span_said}")
    raise typer.Exit(_DUE if rows else 0)


def _reviews(library: Library) -> list[tuple[date, str, str, str]]:
    """Day due, page, title and day of review of every page and policy."""
    found = [
        (date.fromisoformat(page["due"]), f"{kind}/{key}", str(page["title"]), str(page["reviewed"]))
        for kind, pages in library.pages.items()
        for key, page in pages.items()
    ]
    for key, other in library.policies.items():
        policy = other.stated_policy
        if policy.due:
            found.append((date.fromisoformat(policy.due), f"policies/{key}", policy.title, policy.reviewed))
    return found


@knowledge.command()
def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="A day, a policy (id or file), or a folder of knowledge.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Another of the same kind.")],
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only what holds on this day (default: all days)."),
    ] = None,
    policy: PolicyOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Say what is judged differently in B than in A: for whom, from which day, on which source.

    \b
    Two days, by one policy:
      ivig knowledge diff 2017-01-01 2026-11-25
      ivig knowledge diff 2024-01-31 2024-02-01 --policy australia
    Two policies:
      ivig knowledge diff us-default uk
      ivig knowledge diff ontario ./our-policy.yaml --on 2026-11-25
    Two folders of knowledge:
      ivig knowledge diff path/to/old path/to/new

    Policies and folders are compared for all days, each difference with the days it holds; with --on for one day.
    Exit code: 0 no difference, 1 differences, 64 A and B are not of one kind, 78 faulty knowledge.
    """
    from ivig.entrypoints import differences

    kinds = (_kind(a), _kind(b))
    if kinds[0] != kinds[1]:
        wrong_call(f"A is a {kinds[0]}, B is a {kinds[1]}. Give two days, two policies or two folders.")
    if kinds[0] == "day":
        if on is not None:
            wrong_call("--on does not go with two days: these are the days.")
        first, last = _date(a), _date(b)
        if first > last:
            wrong_call(f"Give the earlier day first: ivig knowledge diff {b} {a}")
        found = differences.between_days(library_by(chosen(policy)), first, last)
    else:
        if kinds[0] == "policy" and policy:
            wrong_call("--policy does not go with two policies: these are the policies.")
        one, other = _libraries(kinds[0], a, b, policy)
        found = differences.between_libraries(one, other, on.date() if on is not None else None)
    found = differences.ordered(found)
    if form == Format.JSON:
        _print_json({"a": a, "b": b, "changes": [_row(change) for change in found]})
    else:
        _print_changes(found, a, b)
    raise typer.Exit(_DIFFERENT if found else 0)


def _kind(said: str) -> str:
    """What an argument is: a day, a folder, or a policy by its id or file."""
    if _DAY.fullmatch(said):
        return "day"
    return "folder" if Path(said).is_dir() else "policy"


def _date(said: str) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError:
        wrong_call(f"{said} is no day of the calendar.")


def _libraries(kind: str, a: str, b: str, policy: list[str] | None) -> tuple[Library, Library]:
    if kind == "policy":
        one = library_by(a)
        return one, one.policies.get(b) or library_by(b)
    return _folder(a, policy), _folder(b, policy)


def _folder(path: str, policy: list[str] | None) -> Library:
    from ivig import validator
    from ivig.knowledge.pages import Fault, KnowledgeFault

    root = Path(path)
    if not (root / "policies").is_dir():
        wrong_call(f"{path} is no folder of knowledge: it holds indications/, products/, policies/ and others.")
    try:
        return validator.library_of(chosen(policy), root)
    except KnowledgeFault as fault:
        faulty(KnowledgeFault([Fault(f"{path}/{f.file}", f.line, f.what) for f in fault.faults]))


def _row(change: Change) -> dict[str, Any]:
    named = {
        "subject": change.subject, "what": change.what, "before": change.before, "after": change.after,
        "from": change.since, "until": change.until, "effect": change.effect, "rules": list(change.rules),
        "source": change.source, "at": change.at, "seen": change.seen, "path": change.path,
    }  # fmt: skip
    return {key: value for key, value in named.items() if value not in (None, "", [])}


def _print_changes(found: list[Change], a: str, b: str) -> None:
    from rich.padding import Padding

    from ivig.entrypoints.terminal import screen
    from ivig.entrypoints.wording import clean

    console = screen()
    about = ""
    for change in found:
        if change.subject != about:
            about = change.subject
            console.print(clean(about), style="bold")
        days = f", from {change.since}" if change.since is not None else ""
        days += f" until {change.until - timedelta(days=1)}" if change.until is not None else ""
        console.print(Padding(clean(f"{change.what}: {change.after}, not {change.before}{days}"), (0, 0, 0, 2)))
        for line in (change.effect, _rules(change.rules), _source(change)):
            if line:
                console.print(Padding(clean(line), (0, 0, 0, 4)), style="dim")
    count = f"{len(found) or 'No'} difference{'s' if len(found) != 1 else ''}"
    console.print(f"{count} between {clean(a)} and {clean(b)}")


def _rules(rules: tuple[str, ...]) -> str:
    """Those that ask for a value themselves stand first; those that only rest on it are counted."""
    more = f" and {len(rules) - _MOST_RULES} more (all with --format json)" if len(rules) > _MOST_RULES else ""
    return f"asked for by {', '.join(rules[:_MOST_RULES])}{more}" if rules else ""


def _source(change: Change) -> str:
    return f"{change.source}, {change.at}; {change.seen}" if change.source else ""


def _print_json(held: Any) -> None:
    import msgspec

    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(held), indent=2) + b"\n")
    sys.stdout.buffer.flush()

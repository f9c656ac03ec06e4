"""A report for somebody at a terminal: per order a headline, then what was found, the gravest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ivig.core.book import Library
from ivig.core.finding import Absent, Finding, Judgement, Report, Result, Severity, Verdict, amount, plain
from ivig.core.judge import Case
from ivig.core.order import Order, Part
from ivig.core.order import Result as Reported
from ivig.core.overrides import SILENCED
from ivig.core.remedy import Remedies
from ivig.wire.decode import Broken
from ivig.wire.outcome import cited

if TYPE_CHECKING:
    from ivig.entrypoints.explanation import Page

WIDEST = 100
COLOURS = {Verdict.STOP: "red", Verdict.CANNOT_TELL: "magenta", Verdict.ADVISE: "yellow", Verdict.CLEAR: "green"}
_GROUPS: tuple[tuple[str, str, Callable[[Finding], bool]], ...] = (
    ("Error", "red", lambda f: f.result == Result.FLAGGED and f.severity == Severity.ERROR),
    ("Warning", "yellow", lambda f: f.result == Result.FLAGGED and f.severity == Severity.WARNING),
    ("Cannot tell", "magenta", lambda f: f.result == Result.CANNOT_TELL),
    ("Information", "cyan", lambda f: f.result == Result.FLAGGED and f.severity == Severity.INFORMATION),
    ("Note", "cyan", lambda f: f.result == Result.NOTE),
)
_VERDICT = "order-verdict"
_MOST_NAMES = 6
_ROUTES = {"iv": "intravenous", "sc": "subcutaneous", "im": "intramuscular"}


def screen(**options: Any) -> Console:
    """Standard output: coloured only on a terminal that wants it, never wider than one can read."""
    made = Console(highlight=False, markup=False, emoji=False, **options)
    if "width" not in options:
        made.width = min(made.width, WIDEST) if made.is_terminal else WIDEST
    return made


def render(
    report: Report,
    library: Library,
    console: Console,
    orders: Sequence[Order] = (),
    broken: Sequence[Broken] = (),
    full: bool = False,
) -> None:
    """Print `report`.

    Args:
        orders: the orders it is about; with them a headline says what was ordered for whom.
        broken: elements of the body that could not be read.
        full: with every input, its place in the bundle, and the arithmetic of informations too.
    """
    by_path = {order.path: order for order in orders}
    remedies = {r.path: r for r in report.remedies} if full else {}
    for told in report.notes:
        console.print(Padding(clean(told.text()), (0, 0, 1, 2)))
    for judgement in report.judgements:
        console.print(_headline(judgement, by_path.get(judgement.path), library))
        for words, colour, belongs in _GROUPS:
            found = [f for f in judgement.findings if f.rule != _VERDICT and belongs(f)]
            if found:
                console.print(_group(words, colour, found, library, full))
        if full:
            _would_pass(remedies.get(judgement.path), console)
        _rest(judgement, console, full)
        console.print()
    told_of = {path for judgement in report.judgements for path, _ in judgement.unread}
    _unread(((b.path, b.why) for b in broken if b.path not in told_of), console)


def clean(text: str) -> str:
    """Text from outside without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)


# -- the headline -----------------------------------------------------------------------------------------------------


def _headline(judgement: Judgement, order: Order | None, library: Library) -> RenderableType:
    verdict = Text(
        f" {judgement.verdict.value.upper().replace('-', ' ')} ", f"bold reverse {COLOURS[judgement.verdict]}"
    )
    lines = [Text(clean(judgement.ref), "bold")]
    if order is not None:
        lines = [Text(clean(ordered(order)), "bold"), Text(clean(_for_whom(order, library)))]
    scope = "judged in full" if judgement.judged == "full" else "judged in part"
    by = f"by the knowledge of {judgement.day} and policy {library.policy_id}"
    lines.append(Text(clean(f"{judgement.ref}, {scope} {by}"), "dim"))
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_row(verdict, Group(*lines))
    return Padding(table, (0, 0, 1, 0))


def ordered(order: Order) -> str:
    """What was ordered, as it was ordered."""
    doses = "; then ".join(filter(None, (_dose(part) for part in order.parts))) or "no dose"
    route = _ROUTES.get(order.route, order.route_said or "no route")
    course = f" (one of {len(order.group_parts)} requests of a course)" if len(order.group_parts) > 1 else ""
    return f"{order.medication or 'no medication'}: {doses}, {route}{course}"


def _dose(part: Part) -> str:
    if part.amount is None:
        return _schedule(part)
    each = {"course": " in all", "day": " a day"}.get(part.amount.each, "")
    return " ".join(filter(None, (part.amount.said + each, _schedule(part))))


def _schedule(part: Part) -> str:
    said = [f"{part.doses_a_day} times a day"] if part.doses_a_day > 1 else []
    days = part.days or 0
    if part.interval is not None:
        said.append(f"on {days} days" if days > 1 else "")
        said.append(f"every {_span(part.interval)}")
        said.append(f"({part.cycles} times)" if part.cycles else "")
    elif days > 1:
        step = "a day" if part.step == 1 else f"every {_span(part.step)}"
        said.append(f"{step if not part.doses_a_day > 1 else ''} for {days} {'days' if part.step == 1 else 'times'}")
    elif days == 1:
        said.append("once")
    return " ".join(" ".join(said).split())


def _span(days: Decimal) -> str:
    weeks = days / 7
    count, unit = (weeks, "week") if weeks == weeks.to_integral_value() else (days, "day")
    return unit if count == 1 else f"{plain(count)} {unit}s"


def _for_whom(order: Order, library: Library) -> str:
    """Indication, sex, age and weight, as the judge sees them."""
    case = Case({"order": order, "book": library.on(order.day)})
    page, age, weight = (_fact(case, name) for name in ("indication", "age", "weight"))
    reason = page.title if page is not None else _as_said(order)
    who = [order.chart.sex or "sex unknown"]
    who.append(f"{age.years} years" if age is not None else "age unknown")
    who.append(f"{weight.said}{_of(weight)}" if weight is not None else "no usable weight")
    return f"{reason}; {', '.join(who)}"


def _fact(case: Case, name: str) -> Any:
    try:
        value = case.get(name)
    except Exception:  # noqa: BLE001  (a fault in a fact has been told as a crashed rule; a headline can do without)
        return None
    return None if isinstance(value, Absent) else value


def _as_said(order: Order) -> str:
    concepts = [reason.concept for reason in order.reasons]
    said = [c.text or ", ".join(code for _, code in c.codes) for c in concepts]
    return ", ".join(filter(None, said)) or "no reason given"


def _of(weight: Reported) -> str:
    return f" ({weight.when.day})" if weight.when is not None else ""


# -- what was found ---------------------------------------------------------------------------------------------------


def _group(words: str, colour: str, found: Sequence[Finding], library: Library, full: bool) -> RenderableType:
    rows: list[RenderableType] = []
    quiet = words in ("Information", "Note") and not full
    for f in sorted(found, key=lambda f: -f.severity):
        rows.append(_hanging(Text("•", colour), Text.assemble(clean(f.text()), "  ", (f.rule, "dim"))))
        if not quiet:
            rows.extend(_hanging(Text(" "), Text(line, "dim")) for line in _lines(f, library, full))
    plural = "s" if len(found) > 1 and words != "Cannot tell" and words != "Information" else ""
    return Padding(Group(Text(words + plural, f"bold {colour}"), *rows), (0, 0, 1, 2))


def _lines(f: Finding, library: Library, full: bool) -> Iterable[str]:
    """The arithmetic, the inputs, the limits with their source."""
    lines = list(f.sums)
    for i in f.inputs:
        beside = (i.day, i.path) if full else (i.day[: len("2026-11-20")],)
        said = ", ".join(filter(None, beside))
        lines.append(f"{i.what}: {i.value}" + (f" ({said})" if said else ""))
    lines += [cited(v, library) if full else f"{v.key}: {amount(v)} ({v.source}, {v.at}; {v.seen})" for v in f.cites]
    if f.capped:
        lines.append("An error by the numbers; a warning because a number it rests on is unconfirmed.")
    if full:
        lines += f.at[1:]
    return dict.fromkeys(map(clean, lines))


def _hanging(mark: Text, body: Text) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column()
    table.add_row(mark, body)
    return Padding(table, (0, 0, 0, 2))


def _would_pass(remedies: Remedies | None, console: Console) -> None:
    """For each finding that has one the smallest change that clears it, and all of them together."""
    made = [*remedies.single, *([remedies.combined] if remedies.combined else [])] if remedies is not None else []
    by_text: dict[str, list[str]] = {}
    for remedy in made:
        by_text.setdefault(remedy.text, []).append(remedy.rule or "all of these together")
    rows = [
        _hanging(Text("•", "green"), Text.assemble(clean(text), "  ", (", ".join(dict.fromkeys(rules)), "dim")))
        for text, rules in by_text.items()
    ]
    if rows:
        console.print(Padding(Group(Text("Would make it pass", "bold green"), *rows), (0, 0, 1, 2)))


def _unread(places: Iterable[tuple[str, str]], console: Console) -> None:
    rows = [_hanging(Text("•", "yellow"), Text(clean(f"{path}: {why}"))) for path, why in places]
    if rows:
        console.print(Padding(Group(Text("Left out, for it could not be read", "bold yellow"), *rows), (0, 0, 1, 2)))


def _rest(judgement: Judgement, console: Console, full: bool) -> None:
    """What could not be read, what was not judged, and a closing line."""
    _unread(judgement.unread, console)
    rows: list[RenderableType] = []
    for f in judgement.findings:
        if f.not_judged and f.not_judged != (f.rule,):  # a rule that crashed has said so already
            names = list(f.not_judged if full else f.not_judged[:_MOST_NAMES])
            more = len(f.not_judged) - len(names)
            about = f" ({f.about})" if f.about else ""
            said = f"{f.rule}{about}: {', '.join(names)}" + (f" and {more} more" if more else "")
            rows.append(_hanging(Text("•"), Text(clean(said), "dim")))
    if rows:
        console.print(Padding(Group(Text("Not judged for want of", "bold"), *rows), (0, 0, 1, 2)))
    told = next((f for f in judgement.findings if f.rule == _VERDICT), None)
    if told is not None:
        shown = told.sums if full else [s for i, s in enumerate(told.sums) if i == 0 or s.startswith(SILENCED)]
        sums = " ".join(shown)
        console.print(Padding(Text(clean(f"{told.text().rstrip('.')}. {sums}"), "bold"), (0, 0, 0, 2)))


# -- beside reports ---------------------------------------------------------------------------------------------------


def render_verdicts(done: Sequence[tuple[str, Report | None]], console: Console) -> None:
    """One line per order of several files; None stands for a file that could not be read."""
    table = Table.grid(padding=(0, 2))
    for name, report in done:
        judgements = report.judgements if report is not None else ()
        verdicts = [Text(j.verdict.value, COLOURS[j.verdict]) for j in judgements]
        if not verdicts:
            verdicts = [Text("unreadable", "red") if report is None else Text("no immune globulin order", "dim")]
        for place, verdict in enumerate(verdicts):
            table.add_row(verdict, clean(name) if place == 0 else "")
    console.print(table)


def render_rules(rules: Sequence[tuple[str, Severity, str, str]], console: Console) -> None:
    """All rules, one line each."""
    family = ""
    for name, severity, result, title in rules:
        if family and name.partition("-")[0] != family:
            console.print()
        family = name.partition("-")[0]
        grade = severity.name.lower() if result == Result.FLAGGED else f"{result} ({severity.name.lower()})"
        console.print(f"{name:38} {grade:25} {title}", soft_wrap=True)


def render_page(page: Page, library: Library, console: Console, dated: bool = False) -> None:
    """A rule's page with its numbers; `dated` where another day than today was asked for."""
    day = f"on {page.day}" if dated else "today"
    console.print(page.rule.name, style="bold")
    grade = page.rule.severity.name.lower()
    console.print(grade if page.rule.result == Result.FLAGGED else f"{page.rule.result}, {grade}", style="dim")
    console.print()
    console.print(page.text, soft_wrap=True)
    for heading, values in (
        (f"Numbers in force {day}, policy {library.policy_id}", page.numbers.own),
        ("Numbers behind the facts it is given", page.numbers.of_facts),
    ):
        if values:
            console.print()
            console.print(heading, style="bold")
            for value in values:
                console.print(Padding(cited(value, library), (0, 0, 0, 2)))

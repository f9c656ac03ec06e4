"""A report for somebody at a terminal: per order a headline, then what was found, the gravest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ivig.core.book import Library
from ivig.core.checked import Outcome, RuleChecked
from ivig.core.explanation import CAPPED, Explanation, backgrounds, lines
from ivig.core.finding import Absent, Finding, Judgement, Report, Result, Severity, Verdict, amount
from ivig.core.judge import Case
from ivig.core.order import Order
from ivig.core.order import Result as Reported
from ivig.core.overrides import SILENCED
from ivig.core.remedy import Remedies
from ivig.entrypoints.wording import clean, cut, ordered, reason_said
from ivig.wire.decode import Broken
from ivig.wire.outcome import cited

if TYPE_CHECKING:
    from ivig.entrypoints.explanation import Differs, Page
    from ivig.entrypoints.reference import Reference

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
        full: with every input, its place in the bundle, the arithmetic of informations too, what else could be done and what
            to watch, and every rule with what became of it.
    """
    by_path = {order.path: order for order in orders}
    remedies = {r.path: r for r in report.remedies} if full else {}
    for told in report.notes:
        console.print(Padding(clean(told.text()), (0, 0, 1, 2)))
    for place, judgement in enumerate(report.judgements):
        console.print(_headline(judgement, by_path.get(judgement.path), library))
        reasons = list(report.grounds.explanations(place, judgement))
        explained = list(zip(judgement.findings, reasons, strict=True))
        for words, colour, belongs in _GROUPS:
            found = [(f, reason) for f, reason in explained if f.rule != _VERDICT and belongs(f)]
            if found:
                console.print(_group(words, colour, found, full))
        if full:
            _would_pass(remedies.get(judgement.path), console)
            _background(reasons, console)
            _checked(report.grounds.checked(place, judgement), console)
        _rest(judgement, console, full)
        console.print()
    told_of = {path for judgement in report.judgements for path, _ in judgement.unread}
    _unread(((b.path, b.why) for b in broken if b.path not in told_of), console)


# -- the headline -----------------------------------------------------------------------------------------------------


def _headline(judgement: Judgement, order: Order | None, library: Library) -> RenderableType:
    verdict = Text(
        f" {judgement.verdict.value.upper().replace('-', ' ')} ", f"bold reverse {COLOURS[judgement.verdict]}"
    )
    lines = [Text(clean(judgement.ref), "bold")]
    if order is not None:
        lines = [Text(clean(ordered(order)), "bold"), Text(clean(_for_whom(order, library)))]
    scope = "judged in full" if judgement.judged == "full" else "judged in part"
    by = f"by the knowledge of {judgement.day} and policy {library.policy_id} {library.policy_version}"
    lines.append(Text(clean(f"{judgement.ref}, {scope} {by}"), "dim"))
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_row(verdict, Group(*lines))
    return Padding(table, (0, 0, 1, 0))


def _for_whom(order: Order, library: Library) -> str:
    """Indication, sex, age and weight, as the judge sees them."""
    case = Case({"order": order, "book": library.on(order.day)})
    page, age, weight = (_fact(case, name) for name in ("indication", "age", "weight"))
    reason = page.title if page is not None else cut(reason_said(order))
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


def _of(weight: Reported) -> str:
    return f" ({weight.when.day})" if weight.when is not None else ""


# -- what was found ---------------------------------------------------------------------------------------------------


def _group(words: str, colour: str, found: Sequence[tuple[Finding, Explanation]], full: bool) -> RenderableType:
    rows: list[RenderableType] = []
    quiet = words in ("Information", "Note") and not full
    for f, reason in sorted(found, key=lambda pair: -pair[0].severity):
        rows.append(_hanging(Text("•", colour), Text.assemble(clean(reason.text), "  ", (f.rule, "dim"))))
        if not quiet:
            advice = set(reason.consider)
            for line in dict.fromkeys(map(clean, _lines(f, reason, full))):
                arrow = Text("→" if line in advice else " ", colour)
                rows.append(_hanging(arrow, Text(line, "" if line in advice else "dim")))
    plural = "s" if len(found) > 1 and words != "Cannot tell" and words != "Information" else ""
    return Padding(Group(Text(words + plural, f"bold {colour}"), *rows), (0, 0, 1, 2))


def _lines(f: Finding, told: Explanation, full: bool) -> Iterable[str]:
    """The arithmetic, the inputs, the limits with their source, what was assumed and what could be done."""
    if full:
        return [*lines(told), *f.at[1:]]
    said = [*told.sums]
    said += [f"{i.what}: {i.value}" + (f" ({i.day[: len('2026-11-20')]})" if i.day else "") for i in told.inputs]
    said += [f"{one.key}: {one.amount} ({one.source}, {one.at}; {one.seen})" for one in told.limits]
    said += [CAPPED] if told.capped else []
    said += [f"Assumed: {one}" for one in told.assumed]
    return [*said, *told.consider]


def _background(reasons: Sequence[Explanation], console: Console) -> None:
    """What the indication's page adds, once for all findings."""
    parts = backgrounds(reasons)
    if parts:
        rows = [_hanging(Text("•"), Text(clean(f"{heading}: {prose}"))) for heading, prose in parts]
        console.print(Padding(Group(Text("Also to consider", "bold"), *rows), (0, 0, 1, 2)))


def _checked(checked: Sequence[RuleChecked], console: Console) -> None:
    """Every rule with what became of it; those that do not apply by name only."""
    table = Table.grid(padding=(0, 1))
    for width in (12, 28):
        table.add_column(min_width=width, no_wrap=True)
    table.add_column(overflow="fold")
    for one in checked:
        if one.outcome != Outcome.NOT_CONCERNED:
            table.add_row(one.outcome.value.replace("-", " "), one.rule, Text(clean(one.text), "dim"))
    rest = ", ".join(one.rule for one in checked if one.outcome == Outcome.NOT_CONCERNED)
    parts: list[RenderableType] = [Text("Every rule", "bold"), Padding(table, (0, 0, 0, 2))]
    if rest:
        parts.append(_hanging(Text(" "), Text(f"Not concerned: {rest}", "dim")))
    console.print(Padding(Group(*parts), (0, 0, 1, 2)))


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
        assumed = (f"Assumed: {one}." for one in told.assumed)
        brief = [s for i, s in enumerate(told.sums) if i == 0 or s.startswith(SILENCED)]
        sums = " ".join((*told.sums, *assumed) if full else brief)
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
    if page.rule.consider:
        _listed("To consider", (page.rule.consider,), console)
    _listed(
        f"Numbers in force {day}, policy {library.policy_id}",
        (cited(value, library) for value in page.numbers.own),
        console,
    )
    _listed("Numbers behind the facts it is given", (cited(value, library) for value in page.numbers.of_facts), console)
    _listed("What it needs", (f"{name}: {said}" if said else name for name, said in page.needs), console)
    _listed("Where something of it is missing", (f"{name}: {says}" for name, says in page.roots), console)
    _listed("Statements it carries", (f"{key}: {says}" for key, says in page.statements), console)
    _listed("Indications of these statements", (", ".join(page.indications),) if page.indications else (), console)
    _listed("Other policies", (_differs(one) for one in page.differs), console)


def _differs(one: Differs) -> str:
    there = amount(one.there) if one.there is not None else "not set"
    return f"{one.policy}: {one.key} is {there}, here {amount(one.here) if one.here is not None else 'not set'}"


def render_reference(page: Reference, library: Library, console: Console) -> None:
    """A page of knowledge with its values."""
    console.print(page.title, style="bold")
    console.print(f"{page.kind}, reviewed {page.reviewed}, due {page.due}", style="dim")
    for heading, prose in page.prose:
        _listed(heading, (prose,), console)
    _listed("Values in force today", (cited(value, library) for value in page.values), console)


def _listed(heading: str, said: Iterable[str], console: Console) -> None:
    rows = list(said)
    if rows:
        console.print()
        console.print(heading, style="bold")
        for line in rows:
            console.print(Padding(line, (0, 0, 0, 2)))

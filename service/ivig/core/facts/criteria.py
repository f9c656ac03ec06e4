"""The criteria of an indication's page, held against the chart: what fails, and which datum is not there."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Criterion, Indication
from ivig.core.dated import Value
from ivig.core.facts.chart import UNAVAILABLE
from ivig.core.facts.history import Given, of_indication
from ivig.core.facts.indication import accepted, kin, onset_of
from ivig.core.facts.labs import lab_absent
from ivig.core.facts.weighing import not_had
from ivig.core.finding import INFORMATION, WARNING, Input, Root, Severity, plain
from ivig.core.order import Condition, Moment, Order, Part, Reason, Result
from ivig.core.rule import Seen, fact

UNKNOWN = "indication-criteria-unknown"


class Unmet(Struct, frozen=True):
    """A criterion that fails: the number that decided, the limit it misses, and how gravely."""

    page: Indication
    kind: str
    severity: Severity
    got: Decimal
    limit: Value
    unit: str
    test: str
    said: str
    path: str
    inputs: tuple[Input, ...]
    sums: tuple[str, ...] = ()
    cites: tuple[Value, ...] = ()


class Basis(Struct, frozen=True):
    """What the criteria of one page are held against.

    Args:
        first: the day of the first dose: of this order, or of the first known infusion for the indication.
        new: a first course, or one after a long gap; only then is an absent datum missed.
    """

    first: date
    new: bool
    onset: Moment | None
    onset_path: str
    results: dict[str, tuple[Result, ...]]


@fact
def starts(order: Order, whole_parts: tuple[Part, ...]) -> date:
    """The first day of this order by its timing alone; the day of judgement when none is stated or it lies before."""
    days = [p.start.day for p in whole_parts if p.start is not None]
    days += [d for p in whole_parts if p.events for d in p.events]
    return max(min(days), order.day) if days else order.day


@fact
def criteria(
    order: Order,
    candidates: tuple[Indication, ...],
    reasons: tuple[Reason, ...],
    active: Seen[Condition],
    results: dict[str, tuple[Result, ...]],
    before: Seen[Given],
    starts: date,
    book: Book,
) -> Seen[Unmet]:
    """The unmet criteria of the page that comes nearest; a page without any, or with all met, suffices."""
    answers = []
    for page in accepted(candidates):
        if not page.criteria:
            return Seen(())
        basis = _basis(page, reasons, active, results, before.items, starts, book)
        answers.append(_page(order, page, basis, book))
    if len(answers) == 1:
        return answers[0]
    return min(answers, key=lambda a: (max((u.severity for u in a.items), default=0), len(a.items), len(a.lacking)))


def _basis(
    page: Indication,
    reasons: tuple[Reason, ...],
    active: Seen[Condition],
    results: dict[str, tuple[Result, ...]],
    before: tuple[Given, ...],
    starts: date,
    book: Book,
) -> Basis:
    past = of_indication(before, kin((page,), book))
    gap = book.policy("course.new_start_after_weeks").number * 7
    new = not past or (starts - past[-1].day).days > gap
    first = starts if new else past[0].day
    onset = onset_of(page, reasons, active)
    known = results
    if not new:
        known = {t: tuple(r for r in of if r.when is not None and r.when.day <= first) for t, of in results.items()}
    return Basis(first, new, onset, _onset_path(onset, reasons, active), known)


def _onset_path(onset: Moment | None, reasons: tuple[Reason, ...], active: Seen[Condition]) -> str:
    if onset is None:
        return ""
    held: list[Reason | Condition] = [*reasons, *active.items]
    for thing in held:
        if thing.onset is onset:
            return thing.path
    return ""


def _page(order: Order, page: Indication, basis: Basis, book: Book) -> Seen[Unmet]:
    unmet: list[Unmet] = []
    lacking: list[Root] = []
    for criterion in page.criteria:
        answer = _HELD[criterion.kind](page, criterion, basis, book)
        if isinstance(answer, Unmet):
            unmet.append(answer)
        elif isinstance(answer, str) and basis.new:
            asked = () if answer == "onset" else _not_had(answer, criterion, order)
            lacking.extend(asked or (Root(UNKNOWN, answer),))
    return Seen(tuple(unmet), tuple(dict.fromkeys(lacking)))


def _onset_within(page: Indication, criterion: Criterion, basis: Basis, book: Book) -> Unmet | str | None:
    """Days from onset to the first dose. An onset known by month or year is judged when both its ends agree."""
    onset, strong, weak = basis.onset, criterion.strong, criterion.weak
    if onset is None or strong is None:
        return "onset" if strong is not None else None

    def grave(days: int) -> Severity | None:
        if days <= strong.number:
            return None
        return INFORMATION if weak is not None and days <= weak.number else WARNING

    most, least = (basis.first - onset.day).days, (basis.first - onset.last).days
    severity = grave(least)
    if severity is None:
        return None if grave(most) is None else "onset"
    limit = weak if weak is not None and severity == WARNING else strong
    line = f"Onset {onset.text}, first dose {basis.first}: {least} days"
    seen = Input("onset", onset.text, onset.text, basis.onset_path)
    cites = tuple(v for v in (strong, weak) if v is not None)
    return Unmet(
        page,
        criterion.kind,
        severity,
        Decimal(least),
        limit,
        "d",
        "onset",
        str(least),
        basis.onset_path,
        (seen,),
        (line,),
        cites,
    )


def _scale_at_least(page: Indication, criterion: Criterion, basis: Basis, book: Book) -> Unmet | str | None:
    """The newest score; below the limit it still suffices when the patient got worse early in the disease."""
    limit = criterion.value
    scored = [r for r in basis.results.get(criterion.scale, ()) if r.value is not None]
    if not scored or limit is None:
        return criterion.scale if limit is not None else None
    newest = scored[0]
    enough = at_least(newest, limit.number)
    if enough is not False:
        return None if enough else criterion.scale
    early = criterion.unless_worsening
    if early is not None and (rises := _rises(scored)):
        if basis.onset is None:
            return "onset"
        if any((day - basis.onset.last).days <= early.number for day in rises):
            return None
    cites = (limit,) if early is None else (limit, early)
    return _measured(page, criterion.kind, newest, limit, criterion.scale, book, cites)


def _rises(scored: list[Result]) -> list[date]:
    """Days of scores that are higher than an earlier one."""
    dated = [(r.when, r.value) for r in scored if r.when is not None and r.value is not None]
    return [when.day for when, value in dated if any(w.instant < when.instant and v < value for w, v in dated)]


def _lab_below(page: Indication, criterion: Criterion, basis: Basis, book: Book) -> Unmet | str | None:
    """The newest result; exactly on the limit passes."""
    limit = criterion.value
    found = [r for r in basis.results.get(criterion.test, ()) if r.value is not None]
    if not found or limit is None:
        return criterion.test if limit is not None else None
    over = above(found[0], limit.number)
    if over is not True:
        return None if over is False else criterion.test
    return _measured(page, criterion.kind, found[0], limit, criterion.test, book, (limit,))


def _measured(
    page: Indication, kind: str, result: Result, limit: Value, test: str, book: Book, cites: tuple[Value, ...]
) -> Unmet:
    assert result.value is not None
    title = book.test_title(test)
    seen = Input(title, result.said, result.when.text if result.when else "", result.path)
    unit = "" if result.unit == "{score}" else f" {result.unit}"
    said = f"{result.comparator}{plain(result.value)}{unit}"
    same = result.said.removesuffix(" {score}") == said
    line = f"{title}: {result.said}{'' if same else f' = {said}'}, limit {plain(limit.number)}"
    return Unmet(
        page, kind, WARNING, result.value, limit, result.unit, title, said, result.path, (seen,), (line,), cites
    )


def _not_had(test: str, criterion: Criterion, order: Order) -> tuple[Root, ...]:
    """The root of a query that was asked and not answered: then nothing is known to be missing."""
    told = not_had(order, "scales", UNKNOWN, test) if criterion.scale else lab_absent(order, test)
    return tuple(r for r in told.roots if r == UNAVAILABLE)


_HELD = {"onset-within": _onset_within, "scale-at-least": _scale_at_least, "lab-below": _lab_below}


def at_least(result: Result, limit: Decimal) -> bool | None:
    """Whether a result is at or above `limit`; None when its comparator leaves that open."""
    assert result.value is not None
    if not result.comparator:
        return result.value >= limit
    match result.comparator:
        case ">" | ">=":
            return True if result.value >= limit else None
        case "<":
            return False if result.value <= limit else None
        case "<=":
            return False if result.value < limit else None
    return result.value >= limit


def above(result: Result, limit: Decimal) -> bool | None:
    """Whether a result is above `limit`; None when its comparator leaves that open."""
    assert result.value is not None
    match result.comparator:
        case ">":
            return True if result.value >= limit else None
        case ">=":
            return True if result.value > limit else None
        case "<" | "<=":
            return False if result.value <= limit else None
    return result.value > limit


def held_against(
    candidates: tuple[Indication, ...],
    reasons: tuple[Reason, ...],
    active: Seen[Condition],
    results: dict[str, tuple[Result, ...]],
    before: Seen[Given],
    starts: date,
    book: Book,
) -> str:
    """What each criterion of the pages was held against, and its limit."""
    found = []
    for page in accepted(candidates):
        basis = _basis(page, reasons, active, results, before.items, starts, book)
        for criterion in page.criteria:
            if criterion.kind == "onset-within" and basis.onset is not None and criterion.strong is not None:
                days = (basis.first - basis.onset.day).days
                said = f"{days} days from onset to the first dose, at most {plain(criterion.strong.number)}"
                found.append(said if days >= 0 else f"the onset on record lies {-days} days after the first dose")
            test = criterion.scale or criterion.test
            newest = next((r for r in basis.results.get(test, ()) if r.value is not None), None)
            if newest is not None and criterion.value is not None:
                side = "at least" if criterion.scale else "at most"
                got = newest.said.removesuffix(" {score}")
                said = f"{book.test_title(test)} {got}, {side} {plain(criterion.value.number)}"
                early = criterion.unless_worsening
                more = f", or worse within {plain(early.number)} days of onset" if early is not None else ""
                found.append(said + more)
    if found:
        return "; ".join(dict.fromkeys(found))
    return "no value from before the first known infusion: not judged in maintenance"

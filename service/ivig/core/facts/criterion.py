"""The kinds of criteria: each holds one line of a page against the chart of one patient.

An answer is an `Unmet`, the name of the datum that is not there, or None where the criterion is met.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Criterion, Indication
from ivig.core.dated import Value, later
from ivig.core.facts.bounds import above, at_least, positive
from ivig.core.finding import INFORMATION, WARNING, Input, Severity, plain
from ivig.core.order import Condition, Drug, Moment, Reason, Result

_WEEK = 7


class Unmet(Struct, frozen=True):
    """A criterion that fails: the number that decided, the limit it misses, and how gravely.

    `limit` is None where the criterion has no number. `otherwise` is what would meet it all the same and can't be seen.
    """

    page: Indication
    kind: str
    severity: Severity
    got: Decimal
    limit: Value | None
    unit: str
    test: str
    said: str
    path: str
    inputs: tuple[Input, ...]
    sums: tuple[str, ...] = ()
    cites: tuple[Value, ...] = ()
    otherwise: str = ""


class Basis(Struct, frozen=True):
    """What the criteria of one page are held against.

    Args:
        first: the day of the first dose: of this order, or of the first known infusion for the indication.
        new: a first course, or one after a long gap; only then is an absent datum missed.
        history_sent: whether earlier infusions would be known.
        told: what the patient has by reasons of the order and active conditions.
        drugs: every other medicine of the chart, running or not.
    """

    first: date
    new: bool
    history_sent: bool
    onset: Moment | None
    onset_path: str
    results: dict[str, tuple[Result, ...]]
    told: tuple[Reason | Condition, ...]
    drugs: tuple[Drug, ...]


Answer = Unmet | str | None


def _onset_within(page: Indication, criterion: Criterion, basis: Basis, book: Book) -> Answer:
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


def _scale_at_least(page: Indication, criterion: Criterion, basis: Basis, book: Book) -> Answer:
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
    return _measured(page, criterion, newest, limit, criterion.scale, book, cites)


def _rises(scored: list[Result]) -> list[date]:
    """Days of scores that are higher than an earlier one."""
    dated = [(r.when, r.value) for r in scored if r.when is not None and r.value is not None]
    return [when.day for when, value in dated if any(w.instant < when.instant and v < value for w, v in dated)]


def _lab_below(page: Indication, criterion: Criterion, basis: Basis, book: Book) -> Answer:
    """The newest result; exactly on the limit passes, and up to `weak` it is for information."""
    limit = criterion.value
    found = [r for r in basis.results.get(criterion.test, ()) if r.value is not None]
    if not found or limit is None:
        return criterion.test if limit is not None else None
    over = above(found[0], limit.number)
    if over is not True:
        return None if over is False else criterion.test
    weak = criterion.weak
    lenient = bool(criterion.otherwise) or (weak is not None and above(found[0], weak.number) is False)
    severity = INFORMATION if lenient else WARNING
    shown = weak if weak is not None and not lenient else limit
    cites = (shown, *(v for v in (limit, weak) if v is not None and v is not shown))
    return _measured(page, criterion, found[0], shown, criterion.test, book, cites, severity)


def _lab_positive(page: Indication, criterion: Criterion, basis: Basis, book: Book) -> Answer:
    """The newest result in words or against its reference range: positive meets the criterion, negative does not."""
    found = basis.results.get(criterion.test, ())
    answer = positive(found[0]) if found else None
    if answer is None:
        return criterion.test
    if answer:
        return None
    result, title = found[0], book.test_title(criterion.test)
    said = result.words or result.said
    seen = Input(title, said, result.when.text if result.when else "", result.path)
    cites = (criterion.value,) if criterion.value is not None else ()
    return Unmet(
        page,
        criterion.kind,
        WARNING,
        Decimal(0),
        None,
        "",
        title,
        said,
        result.path,
        (seen,),
        (f"{title}: {said}",),
        cites,
    )


def _condition(page: Indication, criterion: Criterion, basis: Basis, book: Book) -> Answer:
    """A code or words that say what the page's own codes leave open. That they are absent proves nothing."""
    met = any(not thing.concept.sets.isdisjoint(criterion.sets) for thing in basis.told)
    return None if met else criterion.sets[0]


def _drug_tried(page: Indication, criterion: Criterion, basis: Basis, book: Book) -> Answer:
    """A drug that has to come first is on record, now or earlier. Absent, it may have been impossible."""
    met = any(not drug.concept.sets.isdisjoint(criterion.sets) for drug in basis.drugs)
    return None if met else criterion.sets[0]


def _gestation_from(page: Indication, criterion: Criterion, basis: Basis, book: Book) -> Answer:
    """Completed weeks of pregnancy at the first dose, by the expected date of delivery."""
    strong, weak = criterion.strong, criterion.weak
    due = basis.results.get("edd", ())
    if strong is None:
        return None
    try:
        begun = later(date.fromisoformat(due[0].words), -book.policy("pregnancy.days_before_edd").number)
    except (IndexError, ValueError):
        return "edd"
    days = (basis.first - begun).days
    weeks = Decimal(days // _WEEK)
    if weeks >= strong.number:
        return None
    lenient = weak is not None and weeks >= weak.number
    limit = strong if lenient or weak is None else weak
    seen = Input(book.test_title("edd"), due[0].words, due[0].when.text if due[0].when else "", due[0].path)
    line = f"First dose {basis.first}, conception counted from {begun}: {days} days = {plain(weeks)} completed weeks"
    return Unmet(
        page,
        criterion.kind,
        INFORMATION if lenient else WARNING,
        weeks,
        limit,
        "wk",
        book.test_title("edd"),
        plain(weeks),
        due[0].path,
        (seen,),
        (line,),
        (limit,),
        criterion.otherwise if lenient else "",
    )


def _measured(
    page: Indication,
    criterion: Criterion,
    result: Result,
    limit: Value,
    test: str,
    book: Book,
    cites: tuple[Value, ...],
    severity: Severity = WARNING,
) -> Unmet:
    assert result.value is not None
    title = book.test_title(test)
    seen = Input(title, result.said, result.when.text if result.when else "", result.path)
    unit = "" if result.unit == "{score}" else f" {result.unit}"
    said = f"{result.comparator}{plain(result.value)}{unit}"
    least = "at least" if criterion.scale else "at most"
    written = result.said.removesuffix(" {score}")
    line = f"{title}: {written}{'' if written.endswith(unit) else f' = {said}'}, {least} {plain(limit.number)}{unit}"
    return Unmet(
        page,
        criterion.kind,
        severity,
        result.value,
        limit,
        result.unit,
        title,
        said,
        result.path,
        (seen,),
        (line,),
        cites,
        criterion.otherwise,
    )


HELD: dict[str, Callable[[Indication, Criterion, Basis, Book], Answer]] = {
    "onset-within": _onset_within,
    "scale-at-least": _scale_at_least,
    "lab-below": _lab_below,
    "lab-positive": _lab_positive,
    "condition": _condition,
    "drug-tried": _drug_tried,
    "gestation-from": _gestation_from,
}

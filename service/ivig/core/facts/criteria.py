"""The criteria of an indication's page, held against the chart: what fails, and which datum is not there."""

from __future__ import annotations

from datetime import date

from ivig.core.book import Book, Criterion, Indication
from ivig.core.facts.chart import UNAVAILABLE, section
from ivig.core.facts.criterion import HELD, Basis, Unmet
from ivig.core.facts.history import Given, of_indication
from ivig.core.facts.indication import accepted, kin, onset_of, onset_path
from ivig.core.facts.labs import lab_absent
from ivig.core.facts.weighing import not_had
from ivig.core.finding import Root, plain
from ivig.core.order import Condition, Drug, Order, Part, Reason, Result
from ivig.core.rule import SECTION, Seen, fact

__all__ = ["Unmet", "criteria"]

UNKNOWN = "indication-criteria-unknown"


@fact
def starts(order: Order, whole_parts: tuple[Part, ...]) -> date:
    """The first day of this order by its timing alone; the day of judgement when none is stated or it lies before."""
    days = [p.start.day for p in whole_parts if p.start is not None]
    days += [d for p in whole_parts if p.events for d in p.events]
    return max(min(days), order.day) if days else order.day


@fact
def criteria_bases(
    candidates: tuple[Indication, ...],
    reasons: tuple[Reason, ...],
    active: Seen[Condition],
    results: dict[str, tuple[Result, ...]],
    before: Seen[Given],
    history_sent: bool,
    all_drugs: Seen[Drug],
    starts: date,
    book: Book,
) -> tuple[tuple[Indication, Basis], ...]:
    """The pages with what their criteria are held against; none where a page without criteria suffices."""
    pages = accepted(candidates)
    if not all(page.criteria for page in pages):
        return ()
    return tuple(
        [
            (page, _basis(page, reasons, active, results, before.items, history_sent, all_drugs, starts, book))
            for page in pages
        ]
    )


@fact
def criteria(order: Order, criteria_bases: tuple[tuple[Indication, Basis], ...], book: Book) -> Seen[Unmet]:
    """The unmet criteria of the page that comes nearest; a page without any, or with all met, suffices."""
    answers = [_page(order, page, basis, book) for page, basis in criteria_bases]
    if len(answers) < 2:
        return answers[0] if answers else Seen(())
    return min(answers, key=lambda a: (max((u.severity for u in a.items), default=0), len(a.items), len(a.lacking)))


def _basis(
    page: Indication,
    reasons: tuple[Reason, ...],
    active: Seen[Condition],
    results: dict[str, tuple[Result, ...]],
    before: tuple[Given, ...],
    history_sent: bool,
    drugs: Seen[Drug],
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
    told: tuple[Reason | Condition, ...] = (*reasons, *active.items)
    return Basis(first, new, history_sent, onset, onset_path(onset, told), known, told, drugs.items)


def _page(order: Order, page: Indication, basis: Basis, book: Book) -> Seen[Unmet]:
    unmet: list[Unmet] = []
    lacking: list[Root] = []
    for criterion in page.criteria:
        answer = HELD[criterion.kind](page, criterion, basis, book)
        if isinstance(answer, Unmet):
            # What treatment itself raises says nothing where earlier treatment could not be seen.
            if criterion.untreated and not basis.history_sent:
                lacking.append(SECTION)
            else:
                unmet.append(answer)
        elif isinstance(answer, str):
            told = _not_had(answer, criterion, order)
            # In the course of a treatment only values of before it are asked for, and nobody owes them; they may not have come.
            lacking.extend((told or (Root(UNKNOWN, answer),)) if basis.new else told if told == (UNAVAILABLE,) else ())
    return Seen(tuple(unmet), tuple(dict.fromkeys(lacking)))


# Where the datum of a criterion stands, for those that rest on a section of the chart.
_SECTION = {"condition": "conditions", "drug-tried": "medications"}


def _not_had(test: str, criterion: Criterion, order: Order) -> tuple[Root, ...]:
    """The roots of a section not sent, or of a query that was asked and not answered: then nothing is known to be missing."""
    if criterion.kind in _SECTION:
        return section(order, _SECTION[criterion.kind])
    if test == "onset":
        return ()
    told = not_had(order, "scales", UNKNOWN, test) if criterion.scale else lab_absent(order, test)
    return tuple(r for r in told.roots if r == UNAVAILABLE)


def held_against(bases: tuple[tuple[Indication, Basis], ...], book: Book) -> str:
    """What each criterion of the pages was held against, and its limit."""
    found = [said for page, basis in bases for criterion in page.criteria if (said := _held(criterion, basis, book))]
    if found:
        return "; ".join(dict.fromkeys(found))
    new = all(basis.new for _, basis in bases)
    return "met, as far as a chart can show" if new else "judged only on values before the first known infusion: none"


def _held(criterion: Criterion, basis: Basis, book: Book) -> str:
    """One criterion with the datum it was held against; "" where it has no number."""
    if criterion.kind == "onset-within" and basis.onset is not None and criterion.strong is not None:
        days = (basis.first - basis.onset.day).days
        if days < 0:
            return f"the onset on record lies {-days} days after the first dose"
        return f"{days} days from onset to the first dose, at most {plain(criterion.strong.number)}"
    test = criterion.scale or criterion.test
    newest = next((r for r in basis.results.get(test, ()) if r.value is not None), None)
    if newest is None or criterion.value is None or criterion.value.amount is None:
        return ""
    side = "at least" if criterion.scale else "at most"
    got = newest.said.removesuffix(" {score}")
    said = f"{book.test_title(test)} {got}, {side} {plain(criterion.value.number)}"
    early = criterion.unless_worsening
    return said + (f", or worse within {plain(early.number)} days of onset" if early is not None else "")

"""What the order is for: the page that covers its reason, the phase of each course, and the ranges that hold."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from ivig.core.book import Book, Indication
from ivig.core.facts.choice import Told, page_of
from ivig.core.facts.limits import INDUCTION, MAINTENANCE, Limits, at_least, fit, within
from ivig.core.facts.segment import Phased, Weighed, segments_of
from ivig.core.finding import Absent, Root, absent
from ivig.core.order import Concept, Condition, Moment, Order, Reason
from ivig.core.rule import SECTION, Maybe, Seen, fact

__all__ = ["INDUCTION", "MAINTENANCE", "Limits", "Phased", "at_least", "within"]

_STATUS = ("labelled", "guideline", "not_routine", "not_recommended")


@fact
def reasons(order: Order) -> tuple[Reason, ...]:
    """The order's own reasons, without refuted ones."""
    return tuple(r for r in order.reasons if not r.refuted)


@fact
def chart_indications(active: Seen[Condition], order: Order, book: Book) -> dict[str, tuple[Condition, ...]]:
    """Active chart conditions that immune globulin is used for, by family."""
    found: dict[str, list[Condition]] = {}
    used = book.memory("used families", lambda: _used(book))
    for condition in active.items:
        if condition.concept.excluded or not condition.concept.indications:
            continue
        for family in _families(condition.concept, book):
            if family in used:
                found.setdefault(family, []).append(condition)
    return {family: tuple(of) for family, of in found.items()}


def _used(book: Book) -> frozenset[str]:
    """Families with a page that supports immune globulin; rheumatoid arthritis in a chart is no reason for an order."""
    return frozenset(p.family or p.key for p in map(book.indication, book.indications()) if _supports(p))


def _supports(page: Indication) -> bool:
    return page.status is None or page.status.word in ("labelled", "guideline")


def _families(concept: Concept, book: Book) -> tuple[str, ...]:
    if len(concept.indications) == 1:
        (key,) = concept.indications
        return (book.indication(key).family or key,)
    return tuple(dict.fromkeys(book.indication(k).family or k for k in concept.indications))


@fact
def inferred(reasons: tuple[Reason, ...], chart_indications: dict[str, tuple[Condition, ...]]) -> Condition | None:
    """The chart condition taken as the reason: there is none on the order, and exactly one in the chart."""
    if reasons or len(chart_indications) != 1:
        return None
    return next(iter(chart_indications.values()))[0]


@fact
def reason_known(
    reasons: tuple[Reason, ...], inferred: Condition | None, candidates: Maybe[tuple[Indication, ...]]
) -> Maybe[bool]:
    """Whether there is a reason to speak of: on the order, or the one taken from the chart."""
    return candidates if isinstance(candidates, Absent) and not reasons and inferred is None else True


@fact
def candidates(
    order: Order, reasons: tuple[Reason, ...], inferred: Condition | None, told: Told, book: Book
) -> Maybe[tuple[Indication, ...]]:
    """The pages that cover the order's reasons, the best supported first."""
    concepts = [r.concept for r in reasons if not r.concept.excluded]
    if not concepts and inferred is not None:
        concepts = [inferred.concept]
    keys: dict[str, list[str]] = {}
    for concept in concepts:
        for key in concept.indications:
            keys.setdefault(book.indication(key).family or key, []).append(key)
    if not keys:
        if reasons:
            return absent("indication-unrecognised")
        roots = (Root("indication-missing"),) + (() if "conditions" in order.chart.sections else (SECTION,))
        return Absent(roots)
    found: list[Indication] = []
    lacking: list[Root] = []
    for family, of in keys.items():
        pages = [book.indication(k) for k in dict.fromkeys(of)]
        page = page_of(pages, told)
        if page is None and len(pages) == 1:
            whole = [p for p in map(book.indication, book.indications()) if p.family == family]
            page = page_of(whole, told) or pages[0]
        if isinstance(page, Absent):
            lacking.extend(page.roots)
        elif page is not None:
            found.append(page)
    if not found:
        return Absent(tuple(dict.fromkeys(lacking))) if lacking else absent("indication-unrecognised")
    if len(found) == 1:
        return (found[0],)
    found.sort(key=lambda p: _STATUS.index(p.status.word) if p.status is not None else 0)
    return tuple(found)


def kin(pages: Iterable[Indication], book: Book) -> frozenset[str]:
    """The keys of these pages and of all others of their families."""
    families: dict[str, frozenset[str]] = book.memory("families", lambda: _by_family(book))
    if len(pages := tuple(pages)) == 1:
        return families.get(pages[0].family) or frozenset((pages[0].key,))
    return frozenset(k for p in pages for k in families.get(p.family, (p.key,)))


def _by_family(book: Book) -> dict[str, frozenset[str]]:
    pages = [p for p in map(book.indication, book.indications()) if p.family]
    return {family: frozenset(p.key for p in pages if p.family == family) for family in {p.family for p in pages}}


def accepted(candidates: tuple[Indication, ...]) -> tuple[Indication, ...]:
    """Of several pages the ones that support immune globulin, where there are any: one accepted reason suffices."""
    if len(candidates) == 1:
        return candidates
    good = tuple(p for p in candidates if _supports(p))
    return good or candidates


@fact
def indication(candidates: tuple[Indication, ...], weighed: Weighed) -> Indication:
    """The page the order is judged by: of several, the first its courses fit, else the nearest."""
    if len(candidates) == 1 or not weighed.courses:
        return candidates[0]

    def distance(page: Indication) -> Decimal:
        fits = (fit(s.course, s.dose, s.limits, weighed.bases, weighed.book) for s in segments_of(page, weighed).items)
        refused = page.status is not None and page.status.word == "not_recommended"
        return sum((f.distance for f in fits), Decimal(1000 if refused else 0))

    return min(candidates, key=distance)


@fact
def reason_onset(indication: Indication, reasons: tuple[Reason, ...], active: Seen[Condition]) -> Maybe[Moment]:
    """When the condition the order is for began."""
    return onset_of(indication, reasons, active) or absent("indication-criteria-unknown", "onset")


def onset_of(page: Indication, reasons: tuple[Reason, ...], active: Seen[Condition]) -> Moment | None:
    """Onset of the condition the order points to, else the latest of the active chart conditions of the page."""
    for reason in reasons:
        if page.key in reason.concept.indications and reason.onset is not None:
            return reason.onset
    key = page.key
    of_page = [c for c in active.items if key in c.concept.indications and not c.concept.excluded]
    begun = [c.onset for c in of_page if c.onset is not None]
    return max(begun, key=lambda m: m.instant) if begun else None


def onset_path(onset: Moment | None, told: Iterable[Reason | Condition]) -> str:
    """Where that onset stands."""
    return "" if onset is None else next((thing.path for thing in told if thing.onset is onset), "")

"""Tests and measurements to ask for. No result is there yet: judged again with an ordinary one of the test's page."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal

from ivig.core.book import Book, Indication
from ivig.core.change import OrderedTest
from ivig.core.facts.baseline import TITLES
from ivig.core.facts.patient import Age
from ivig.core.facts.segment import Segment
from ivig.core.facts.weighing import band
from ivig.core.finding import Absent, Finding, plain
from ivig.core.order import Order, Result
from ivig.core.remedies.beside import concept_of
from ivig.core.remedy import Candidate, clears
from ivig.core.rule import Maybe, Seen

# What is asked for where an issue is about several tests, and whose result is assumed: an eGFR means the same at every age.
_ASKED = {"liver": "alt", "egfr": "creatinine"}
_SHOWN = {"creatinine": "egfr", "liver": "alt"}
_SEROLOGY = ("hbsag", "anti_hbc", "anti_hcv")
_HALF = Decimal("0.5")


def assumed(test: str, book: Book, number: Decimal | None = None, words: str = "") -> Result | None:
    """An ordinary result of a test, or the one given; None where its page has none."""
    page = book.lexicon.test_pages[test]
    value = book.ordinary(test)
    if number is None and not words and value is not None:
        number, words = value.amount, value.word if value.words else ""
    if number is None and not words:
        return None
    code = next((code for _, code, _ in book.codes("tests", test)), "")
    if number is None:
        return Result(test, None, page.unit, words, None, "", words=words, code=code)
    return Result(test, number, page.unit, f"{plain(number)} {page.unit}", None, "", code=code)


def called(test: str, book: Book) -> str:
    """A test's title within a sentence."""
    title = book.test_title(test)
    return title if title[1:2].isupper() or title[2:3].isupper() else title[:1].lower() + title[1:]


def asked(test: str, title: str, book: Book, *results: Result | None) -> OrderedTest | None:
    concept = concept_of("tests", test, book)
    known = tuple(r for r in results if r is not None)
    return OrderedTest(test, title, concept, None, known) if concept is not None and known else None


@clears("lab-missing", "lab-stale")
def baseline(finding: Finding, candidates: Maybe[tuple[Indication, ...]], book: Book) -> Iterator[Candidate]:
    about = finding.about
    test, shown = _ASKED.get(about, about), _SHOWN.get(_ASKED.get(about, about), _ASKED.get(about, about))
    if test not in book.lexicon.test_pages:
        return
    title = TITLES.get(about, called(test, book))
    for result in (assumed(shown, book), *_by_criteria(test, candidates, book)):
        made = asked(test, title, book, result)
        if made is not None:
            yield Candidate((made,))


def _by_criteria(test: str, candidates: Maybe[tuple[Indication, ...]], book: Book) -> Iterator[Result | None]:
    """Results that meet the criteria of the pages, for patients who are treated for what the test shows."""
    for page in () if isinstance(candidates, Absent) else candidates:
        for criterion in page.criteria:
            if test in (criterion.test, criterion.scale) and criterion.value is not None and criterion.value.amount:
                least = criterion.kind == "scale-at-least"
                yield assumed(test, book, criterion.value.number * (1 if least else _HALF))


@clears("indication-criteria-unknown")
def criterion(finding: Finding, candidates: Maybe[tuple[Indication, ...]], book: Book) -> Iterator[Candidate]:
    if finding.about in book.lexicon.test_pages:
        for result in _by_criteria(finding.about, candidates, book):
            made = asked(finding.about, called(finding.about, book), book, result)
            if made is not None:
                yield Candidate((made,))


@clears("lab-iga-unknown", "lab-blood-group-unknown", "course-igg-trough")
def single(finding: Finding, book: Book) -> Iterator[Candidate]:
    test = {"lab-iga-unknown": "iga", "lab-blood-group-unknown": "abo"}.get(finding.rule, "igg")
    made = asked(test, called(test, book), book, assumed(test, book))
    if made is not None:
        yield Candidate((made,))


@clears("lab-serology-before-first")
def serology(results: dict[str, tuple[Result, ...]], book: Book) -> Iterator[Candidate]:
    made = [asked(t, called(t, book), book, assumed(t, book)) for t in _SEROLOGY if not results.get(t)]
    yield Candidate(tuple(m for m in made if m is not None))


# -- weight and height ------------------------------------------------------------------------------------------------


@clears("weight-missing", "weight-stale", "weight-implausible")
def weighing(
    finding: Finding,
    order: Order,
    segments: Maybe[Seen[Segment]],
    age: Maybe[Age],
    weights: tuple[Result, ...],
    book: Book,
) -> Iterator[Candidate]:
    """A weight as before, or one that fits the dose, or an ordinary one."""
    tried: list[Decimal] = []
    again = "" if finding.rule == "weight-missing" else " again"
    if finding.rule == "weight-stale" and weights and weights[0].value is not None:
        tried.append(weights[0].value)
    tried += [w.value for w in weights[1:] if w.value is not None and finding.rule == "weight-implausible"]
    for held in () if isinstance(segments, Absent) else segments.items:
        tried += _fitting(held)
    ordinary = None if isinstance(age, Absent) else _ordinary_kg(age, book)
    tried += [ordinary] if ordinary is not None else []
    for kg in dict.fromkeys(tried):
        made = asked("weight_measured", "a measured weight", book, assumed("weight_measured", book, kg))
        if made is not None:
            yield Candidate((made,), f"measure the weight{again}")


def _fitting(held: Segment) -> Iterator[Decimal]:
    """Weights at which a course in grams comes to its range."""
    course, limits = held.course, held.limits
    if course.unit != "g":
        return
    upper, lower, day = limits.upper, limits.lower, limits.day_limit(course.days)
    pairs = (
        (course.total_high, upper.upper if upper is not None else None),
        (course.total_high, lower.lower if lower is not None else None),
        (course.day_high, day[0] if day is not None else None),
    )
    for grams, per_kg in pairs:
        if grams and per_kg:
            yield (grams / per_kg).quantize(Decimal("0.1"), ROUND_CEILING)


def _ordinary_kg(age: Age, book: Book) -> Decimal | None:
    """The page's ordinary weight for adults; for children the middle of what is possible at their age."""
    if band(age, book) == "adult":
        value = book.ordinary("weight_measured")
        return value.amount if value is not None else None
    low, high = (book.maybe(f"weight.possible.{band(age, book)}.{end}") for end in ("lower", "upper"))
    return (low.number + high.number) / 2 if low is not None and high is not None else None


@clears("weight-height-missing", "weight-height-implausible")
def height(finding: Finding, weight: Maybe[Result], book: Book) -> Iterator[Candidate]:
    """An ordinary height, or one at which the patient is not obese."""
    again = "" if finding.rule == "weight-height-missing" else " again"
    kg = None if isinstance(weight, Absent) else weight.value
    heights: list[Decimal | None] = [None]
    if kg is not None:
        obese = book.policy("weight.obese_when.bmi").number
        heights.append((kg / obese).sqrt().scaleb(2).to_integral_value(ROUND_CEILING) + 1)
    for cm in heights:
        made = asked("height", "a height", book, assumed("height", book, cm))
        if made is not None:
            yield Candidate((made,), f"measure the height{again}")

"""A verification sheet for each order: one self-contained HTML page that a pharmacist can print, check and sign."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Struct, structs

from ivig import __version__
from ivig.core.book import Library
from ivig.core.checked import Outcome, RuleChecked
from ivig.core.explanation import CAPPED, Explanation, backgrounds, shown
from ivig.core.facts.labs import lab_input
from ivig.core.facts.segment import Segment
from ivig.core.facts.weighing import tenth
from ivig.core.facts.weight import Dosing
from ivig.core.finding import Finding, Judgement, Report, Result, Severity, Verdict, plain
from ivig.core.grounds import Grounds
from ivig.core.order import Order
from ivig.entrypoints.wording import clean, cut, dosage, reason_said
from ivig.wire.decode import Broken

_KEYS = re.compile(r"\b(?:S-[A-Za-z0-9-]+|P\d+|seed-[AB])\b")
_VERDICT = {
    Verdict.STOP: ("Stop", "should not go ahead as written"),
    Verdict.CANNOT_TELL: ("Cannot tell", "something that matters could not be checked"),
    Verdict.ADVISE: ("Advise", "needs a decision"),
    Verdict.CLEAR: ("Clear", "nothing found among the things that are checked; no approval"),
}
_LONGEST = 1500  # characters of one text: more than any of our own has
_SHORT = {"alt": "ALT", "ast": "AST"}
_GRADES = {Severity.ERROR: "Error", Severity.WARNING: "Warning", Severity.INFORMATION: "Information"}
_OUTCOMES = {
    Outcome.FLAGGED: "flagged",
    Outcome.CANNOT_TELL: "data missing",
    Outcome.NOTE: "note",
    Outcome.NOT_JUDGED: "not judged",
    Outcome.SILENCED: "silenced",
    Outcome.CONTENT: "nothing found",
}


class Row(Struct, frozen=True):
    """A labelled line: what it is, what it says, and beside it a day or a limit; `more` are lines below it."""

    what: str
    says: str
    beside: str = ""
    more: tuple[str, ...] = ()


class Found(Struct, frozen=True):
    """A finding with the lines of its explanation."""

    grade: str
    told: Explanation
    inputs: tuple[str, ...]
    limits: tuple[str, ...]


class Sheet(Struct, frozen=True):
    """All that stands on the sheet of one order."""

    ref: str
    day: date
    policy: str
    verdict: str
    meaning: str
    summary: str
    together: str
    judged: str
    order: tuple[Row, ...]
    patient: tuple[Row, ...]
    dose: tuple[Row, ...]
    assumed: tuple[str, ...]
    found: tuple[Found, ...]
    missing: tuple[Explanation, ...]
    notes: tuple[Found, ...]
    unread: tuple[tuple[str, str], ...]
    background: tuple[tuple[str, str], ...]
    checked: tuple[tuple[str, str, str], ...]
    plainly: tuple[str, ...]
    not_concerned: tuple[str, ...]
    sources: tuple[tuple[str, str, str], ...]


def render(
    done: Sequence[tuple[Report, Sequence[Order], Sequence[Broken]]], printed: datetime, library: Library
) -> str:
    """The sheets of all orders of these reports as one HTML page.

    Args:
        done: each report with its orders and with what could not be read of its body.
        printed: the moment that stands on the sheet.
    """
    sheets = [
        _sheet(judgement, order, place, report, broken)
        for report, orders, broken in done
        for place, (judgement, order) in enumerate(zip(report.judgements, orders, strict=True))
    ]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    reports = [report for report, _, _ in done]
    first = reports[0] if reports else None
    return environment.get_template("sheet.html.j2").render(
        sheets=sheets,
        notes=[f.text() for report in reports for f in report.notes],
        service=f"ivig-order-check {__version__}",
        rules=first.rules if first else 0,
        knowledge=first.knowledge if first else library.version,
        policy=first.policy if first else library.policy_id,
        printed=printed.strftime("%Y-%m-%d %H:%M"),
    )


def _printable(value: Any) -> Any:
    """Text from outside without control characters, and of a length that leaves room; markup of the template as it is."""
    return cut(clean(value), _LONGEST) if isinstance(value, str) and not isinstance(value, Markup) else value


def _sheet(judgement: Judgement, order: Order, place: int, report: Report, broken: Sequence[Broken]) -> Sheet:
    grounds, remedies = report.grounds, report.remedies[place]
    reasons = tuple(
        structs.replace(told, remedies=tuple(r.text for r in remedies.single if r.place == n))
        for n, told in enumerate(grounds.explanations(place, judgement))
    )
    explained = list(zip(judgement.findings, reasons, strict=True))
    verdict = next(f for f in judgement.findings if f.rule == grounds.judge.verdict.name)
    flagged = [(f, told) for f, told in explained if f.result == Result.FLAGGED]
    missing = [(f, told) for f, told in explained if f.result == Result.CANNOT_TELL]
    notes = [(f, told) for f, told in explained if f.result == Result.NOTE and f is not verdict]
    checked = grounds.checked(place, judgement)
    known = {path for path, _ in judgement.unread}
    word, meaning = _VERDICT[judgement.verdict]
    return Sheet(
        ref=judgement.ref,
        day=judgement.day,
        policy=report.policy,
        verdict=word,
        meaning=meaning,
        summary=verdict.text(),
        together=remedies.combined.text if remedies.combined is not None else "",
        judged=" ".join(verdict.sums[:1]),
        order=tuple(_ordered(order, place, grounds)),
        patient=tuple(_patient(order, place, grounds)),
        dose=tuple(dict.fromkeys(_dose(place, grounds))),
        assumed=tuple(dict.fromkeys(one for told in reasons for one in told.assumed)),
        found=tuple(_found(f, told) for f, told in sorted(flagged, key=lambda pair: -pair[0].severity)),
        missing=tuple(told for _, told in sorted(missing, key=lambda pair: -pair[0].severity)),
        notes=tuple(_found(f, told) for f, told in notes),
        unread=(*judgement.unread, *((b.path, b.why) for b in broken if b.path not in known)),
        background=backgrounds(reasons),
        checked=tuple(_rule(one) for one in checked if one.text and one.outcome != Outcome.NOT_CONCERNED),
        plainly=tuple(one.rule for one in checked if one.outcome == Outcome.CONTENT and not one.text),
        not_concerned=tuple(one.rule for one in checked if one.outcome == Outcome.NOT_CONCERNED),
        sources=tuple(_sources(reasons, report)),
    )


def _rule(one: RuleChecked) -> tuple[str, str, str]:
    return _OUTCOMES[one.outcome], one.rule, one.text


def _found(f: Finding, told: Explanation) -> Found:
    limits = tuple(f"{one.key}: {one.amount} ({one.source}, {one.at}; {one.seen})" for one in told.limits)
    return Found(
        _GRADES[f.severity], told, tuple(map(shown, told.inputs)), (*limits, *((CAPPED,) if told.capped else ()))
    )


def _ordered(order: Order, place: int, grounds: Grounds) -> Iterator[Row]:
    yield Row("Medication", cut(order.medication) or "none")
    product, page = grounds.fact(place, "product"), grounds.fact(place, "indication")
    yield Row("Product", product.title if product is not None else "brand or strength is open")
    yield Row("Dosage", dosage(order))
    yield Row("Reason", cut(reason_said(order)))
    if page is not None:
        phase = grounds.fact(place, "phase")
        yield Row("Judged as", page.title + (f", {phase}" if phase else ""))
    first = grounds.fact(place, "first_day")
    if first is not None:
        yield Row("First dose", first.isoformat())
    yield Row("Setting", order.setting or "not stated")
    yield Row("Order", order.ref)


def _patient(order: Order, place: int, grounds: Grounds) -> Iterator[Row]:
    """What the judgement used of the patient. No names: the service reads none."""
    age, dosing, egfr = (grounds.fact(place, name) for name in ("age", "dosing", "egfr"))
    years = "age unknown" if age is None else f"{age.years} years" if age.years > 1 else f"{age.days} days"
    yield Row("Age, sex", f"{years}, {order.chart.sex or 'sex unknown'}")
    for datum in grounds.fact(place, "weight_inputs") or ():
        yield Row(datum.what.capitalize(), datum.value, datum.day[:10])
    height = grounds.fact(place, "height")
    if height is not None:
        yield Row("Height", height.said, str(height.when.day) if height.when is not None else "")
    if dosing is not None:
        bmi = f", BMI {plain(tenth(dosing.bmi))} kg/m²" if dosing.bmi is not None else ""
        yield Row("Dosing weight", f"{plain(tenth(dosing.kg))} kg ({dosing.why}{bmi})")
    book, results = grounds.book(place), grounds.fact(place, "results") or {}
    for test in ("haemoglobin", "platelets", "creatinine", "alt", "ast", "iga"):
        for result in results.get(test, ())[:1]:
            datum = lab_input(result, book)
            named = _SHORT.get(test) or datum.what[:1].upper() + datum.what[1:]
            yield Row(named, datum.value, datum.day[:10])
    if egfr is not None:
        yield Row("eGFR", f"{egfr.comparator}{plain(egfr.value)} mL/min/1.73 m² ({egfr.how})", str(egfr.day))
    for result in results.get("abo", ())[:1]:
        yield Row("Blood group", result.said, str(result.when.day) if result.when is not None else "")


def _dose(place: int, grounds: Grounds) -> Iterator[Row]:
    """The dose as sums, each beside the range it was held against."""
    if not grounds.fact(place, "in_scope"):  # then no dose is judged, and no range of ours holds
        courses = grounds.fact(place, "courses")
        yield from (Row("As ordered", course.sum, "not judged") for course in (courses.items if courses else ()))
        return
    segments, dosing = grounds.fact(place, "segments"), grounds.fact(place, "dosing")
    strength = grounds.fact(place, "strength")
    for held in segments.items if segments is not None else ():
        yield from _segment(held, dosing, strength)
    if dosing is not None and dosing.sums:
        first, *rest = dosing.sums
        yield Row("Dosing weight", first, more=tuple(rest))


def _segment(held: Segment, dosing: Dosing | None, strength: Decimal | None) -> Iterator[Row]:
    course, limits, dose = held.course, held.limits, held.dose
    span = "cycle" if course.repeats else "course"
    yield Row("As ordered", course.sum)
    ends = (limits.lower.lower if limits.lower is not None else None, limits.upper.upper if limits.upper else None)
    accepted = " to ".join(dict.fromkeys(plain(end) for end in ends if end is not None))
    if dose is not None and dose.total_high is not None:
        sums = dose.sums[1:] or (f"{plain(dose.total_high)} g/kg",)
        yield Row(f"Per kg, {span}", sums[0], f"{accepted} g/kg for {limits.what}" if accepted else "", sums[1:])
        grams = dose.grams_total
        if dosing is not None and dosing.differs and grams is not None:
            by = f"{plain(grams)} g / {plain(tenth(dosing.kg))} kg = {plain(round(grams / dosing.kg, 2))} g/kg"
            yield Row(f"By dosing weight, {span}", by, f"{accepted} g/kg" if accepted else "")
    if dose is not None and course.day_known:
        day = limits.day_limit(course.days)
        most = f"at most {plain(day[0])} g/kg a day" if day is not None else ""
        yield Row("Per kg, day", f"{plain(dose.day_high)} g/kg", most)
        if strength and dose.grams_day is not None:
            volume = plain(dose.grams_day / strength)
            yield Row("Volume, day", f"{plain(dose.grams_day)} g / {plain(strength)} g/mL = {volume} mL")
    if course.interval is not None and course.repeats:
        low, high = limits.interval_lower, limits.interval_upper
        weeks = (low.lower if low is not None else None, high.upper if high is not None else None)
        accepted = " to ".join(dict.fromkeys(plain(end) for end in weeks if end is not None))
        yield Row("Interval", f"{plain(course.interval)} days", f"{accepted} weeks" if accepted else "")


def _sources(reasons: Sequence[Explanation], report: Report) -> Iterator[tuple[str, str, str]]:
    """Key, title and address of every source that a limit or the prose of the page names."""
    keys = {one.source for told in reasons for one in told.limits}
    prose = " ".join(text for _, text in backgrounds(reasons))
    known = report.grounds.library.sources
    for key in sorted(keys | set(_KEYS.findall(prose))):
        if key in known:
            yield key, known[key].get("title", key), known[key].get("url", "")

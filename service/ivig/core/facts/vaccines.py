"""Live vaccines that immune globulin weakens: given shortly before, or planned inside the time its antibodies last."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book
from ivig.core.dated import Value, later
from ivig.core.facts.chart import section
from ivig.core.facts.dose import PerKg
from ivig.core.facts.running import UNTIMED, Run
from ivig.core.finding import Input, plain
from ivig.core.lexicon import tokens
from ivig.core.order import Drug, Order, Procedure, Vaccine
from ivig.core.rule import Seen, fact

_LIVE = "live_vaccine_interferes"
_STANDS = (
    "draft",
    "active",
    "on-hold",
    "intended",
    "proposed",
    "pending",
    "booked",
    "arrived",
    "waitlist",
    "planned",
    "",
)
_GIVEN = ("completed", "in-progress", "")
_NO_PLAN = ("option",)
_TO_VACCINATE = ("vaccin", "immunization", "immunisation")
_AMBIGUOUS = frozenset({"mmr", "mmrv", "measles", "mumps", "rubella", "varicella"})
_ROOM = 34
_ROWS = (1, 2, 3)


class Live(Struct, frozen=True):
    """A live vaccine: given on, or planned for, some day between `first` and `last`; both None when no day is told."""

    what: str
    path: str
    planned: bool
    first: date | None
    last: date | None
    said: str = ""

    def input(self) -> Input:
        return Input("live vaccine, planned" if self.planned else "live vaccine", self.what, self.said, self.path)


class Wait(Struct, frozen=True):
    """How long such a vaccine is put off: months after the last dose, by the grams per kg where these are known."""

    dose: Decimal | None
    months: Value
    row: Value
    until: date
    possible: date  # as `until`, with the last day on which the order may run when its schedule cannot be told


@fact
def live_vaccines(order: Order, drug_sets: Seen[str]) -> Seen[Live]:
    """Vaccines given, and those that a recommendation, a request or an appointment plans."""
    chart, found = order.chart, list[Live]()
    for vaccine in chart.vaccines:
        if _LIVE in vaccine.concept.sets and (vaccine.planned or vaccine.status in _GIVEN):
            found.append(_live(vaccine, vaccine.planned))
    for asked in chart.procedures:
        if _LIVE in asked.concept.sets and _vaccinates(asked):
            if asked.kind != "procedure" and asked.status in _STANDS:
                found.append(_live(asked, True))
            elif asked.kind == "procedure" and asked.status in _GIVEN:
                found.append(_live(asked, False))
    if _LIVE in drug_sets.items:
        found.extend(_medicines(order))
    if len(found) > 1:
        found.sort(key=lambda v: (v.what.lower(), v.said))  # not as they stand in the chart
    return Seen(tuple(found), section(order, "immunizations", "medications", "procedures"))


def _vaccinates(procedure: Procedure) -> bool:
    """Of a procedure MMR may also mean mismatch repair, tested in tumours, and the diseases a test of immunity."""
    text = procedure.concept.text.lower()
    if any(word in text for word in _TO_VACCINATE) or any(system == "cvx" for system, _ in procedure.concept.codes):
        return True
    return _AMBIGUOUS.isdisjoint(tokens(text))


def _medicines(order: Order) -> Iterator[Live]:
    """Vaccines that are ordered or given as medicines."""
    for drug in order.chart.drugs:
        if _LIVE not in drug.concept.sets or drug.intent in _NO_PLAN:
            continue
        if drug.kind == "request" and drug.status in _STANDS:
            yield _live(drug, True)
        elif drug.kind in ("administration", "statement") and drug.status in _GIVEN:
            yield _live(drug, False)


def _live(thing: Vaccine | Procedure | Drug, planned: bool) -> Live:
    when = thing.start if isinstance(thing, Drug) else thing.when
    if planned and isinstance(thing, Drug):
        timed = next((p.start for p in thing.parts if p.start is not None), None)
        # The day it was written is not the day it is for.
        when = timed or (when if when != thing.asked else None)
    text = thing.concept.called("live vaccine")
    what = text if len(text) <= _ROOM else text[: _ROOM - 3].rstrip() + "..."
    if when is None:
        return Live(what, thing.path, planned, None, None)
    return Live(what, thing.path, planned, when.day, when.last, when.text)


@fact
def vaccine_wait(per_kg: Seen[PerKg], own_run: Run, book: Book) -> Wait:
    """By the row of the table for the dose; between rows the next higher; the last row above it, and for an unknown dose."""
    doses = [d.total_high if d.total_high is not None else d.day_high for d in per_kg.items]
    dose = max(doses) if doses and not per_kg.lacking else None
    rows = [(book.policy(f"interaction.vaccine.row{n}.g_per_kg"), n) for n in _ROWS]
    row, n = next(((row, n) for row, n in rows if dose is not None and dose <= row.number), rows[-1])
    months = book.policy(f"interaction.vaccine.row{n}.months")
    last = months_after(own_run.sure, int(months.number))
    possible = last if own_run.possible <= own_run.sure else months_after(own_run.possible, int(months.number))
    return Wait(dose, months, row, last, possible)


@fact
def weakened_vaccines(live_vaccines: Seen[Live], vaccine_wait: Wait, first_day: date, book: Book) -> Seen[Live]:
    """Those planned, or given, after the order begins and before its antibodies are gone."""
    days = book.policy("interaction.vaccine_before_days").number
    ahead = [v for v in live_vaccines.items if not given_shortly_before(v, first_day, days)]
    found = tuple(v for v in ahead if weakened(v, first_day, vaccine_wait.until))
    unsure = any(weakened(v, first_day, vaccine_wait.possible) for v in ahead if v not in found)
    return Seen(found, (UNTIMED,) if unsure else ())


def months_after(day: date, months: int) -> date:
    """The same day of the month so many months on; the last of a month that is too short."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def given_shortly_before(live: Live, first_day: date, days: Decimal) -> bool:
    """Whether it was, or may have been, given within `days` before the first infusion."""
    if live.planned or live.first is None or live.last is None:
        return False
    return live.first <= first_day and live.last >= later(first_day, -days)


def weakened(live: Live, first_day: date, until: date) -> bool:
    """Whether it is planned, or was given, after the order begins and before its antibodies are gone."""
    if live.first is None or live.last is None:
        return live.planned
    if not live.planned:
        return first_day < live.first < until
    return live.first < until and live.last >= first_day


def dose_said(wait: Wait) -> str:
    return "" if wait.dose is None else f"{plain(wait.dose)} g/kg "

"""Infusion rates as ordered: every step, the average that a duration gives, and what either means in another unit.

Rates are compared by multiplication, as fractions: a rate that is exactly on a limit must not be told off for a rounding.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from msgspec import Struct

from ivig.core.book import Product
from ivig.core.facts.amount import dose_of
from ivig.core.facts.dose import MISSING, Kilos
from ivig.core.finding import Absent, Root, plain
from ivig.core.order import Order, Part, Rate, Result
from ivig.core.rule import Maybe, Seen, fact
from ivig.core.units import UNITS, dimension

NO_RATE = Root("rate-missing")
_MASS = "mass"
_TIME = "time"


class Counted(Struct, frozen=True):
    """What an amount is: `mass` or volume, per kg or not; `factor`: grams, or millilitres, in one of the unit."""

    unit: str
    per_kg: bool
    mass: bool
    factor: Decimal


def counted(unit: str, per_kg: bool = False) -> Counted:
    known = UNITS[unit]
    return Counted(unit, per_kg, known.dimension == _MASS, known.factor)


class Pace(Struct, frozen=True):
    """So much in so many minutes: a rate as ordered, or the average over a stated duration."""

    amount: Decimal
    of: Counted
    minutes: Decimal
    rate: Rate
    part: Part
    average: bool = False

    @property
    def most(self) -> bool:
        return self.rate.role == "most"


class Body(Struct, frozen=True):
    """What turns one kind of rate into another: actual weight in kg, and grams in a mL; either may be unknown."""

    kg: Decimal | None
    strength: Decimal | None


@lru_cache(maxsize=256)
def speed(unit: str) -> tuple[Counted, Decimal]:
    """What a rate unit counts, and in how many minutes: `mg/kg/min` counts mg per kg in 1 minute."""
    amount, *kg, time = unit.split("/")
    return counted(amount, bool(kg)), UNITS[time].factor


_GRAMS = {per_kg: counted("g", per_kg) for per_kg in (False, True)}


def ratio(amount: Decimal, of: Counted, into: Counted, body: Body) -> tuple[Decimal, Decimal] | str:
    """`amount` counted as `into`, as a fraction of two decimals; else what it takes: `weight` or `strength`."""
    top, bottom = amount * of.factor, into.factor
    if of.mass != into.mass:
        if body.strength is None:
            return "strength"
        if into.mass:
            top *= body.strength
        else:
            bottom *= body.strength
    if of.per_kg != into.per_kg:
        if body.kg is None:
            return "weight"
        if into.per_kg:
            bottom *= body.kg
        else:
            top *= body.kg
    return top, bottom


def in_counted(pace: Pace, into: Counted, minutes: Decimal, body: Body) -> tuple[Decimal, Decimal] | str:
    """A pace as amounts of `into` in so many minutes, as a fraction; else what it takes to tell."""
    got = ratio(pace.amount, pace.of, into, body)
    return got if isinstance(got, str) else (got[0] * minutes, got[1] * pace.minutes)


class Once(Struct, frozen=True):
    """The dose of one infusion, as a fraction of `parts` of a day's or course's dose."""

    amount: Decimal
    of: Counted
    parts: int
    said: str


def one_infusion(part: Part, strength: Maybe[Decimal], products: tuple[Product, ...]) -> Once | None:
    """What is given in one infusion of an instruction, at the upper end; None where that cannot be told."""
    made = dose_of(part, strength, products)
    if not isinstance(made, tuple):
        return None
    amount, dose = made
    parts = 1
    if dose.each == "day":
        parts = part.doses_a_day
    elif dose.each == "course":
        if part.days is None:
            return None
        parts = part.days * part.doses_a_day
    return Once(dose.high, _GRAMS[dose.per_kg], parts, amount.said)


def _dosed(part: Part, order: Order) -> Part:
    """The instruction with the dose that a rate step belongs to: itself, else the first that has one."""
    if part.amount is not None:
        return part
    return next((p for p in order.parts if p.amount is not None), part)


@fact
def paces(
    order: Order, strength: Maybe[Decimal], products: tuple[Product, ...], kilos: Kilos, weight: Maybe[Result]
) -> Seen[Pace]:
    """Every rate of the order, in the order of its instructions, then the averages of its durations.

    Lacking: a rate that is not there or cannot be read. A duration does not make up for it: an infusion may run faster
    than its average; nor does a rate that is only said to begin with.
    """
    steps: list[Pace] = []
    averages: list[Pace] = []
    lacking: list[Root] = []
    parts = order.parts if len(order.parts) < 2 else sorted(order.parts, key=lambda p: p.sequence or 0)
    for part in parts:
        for rate in part.rates:
            if not rate.unit:
                lacking.append(NO_RATE)
            elif dimension(rate.unit) != _TIME:
                of, minutes = speed(rate.unit)
                steps.append(Pace(rate.value, of, minutes, rate, part))
            elif part.amount is not None:
                made = _average(part, rate, strength, products, kilos, weight)
                averages.extend((made,) if made is not None else ())
                lacking.extend(() if made is not None else (MISSING,))
    if steps and all(step.rate.role == "start" for step in steps):
        lacking.append(NO_RATE)  # how it begins tells nothing of how fast it may become
    if len(parts) == 1:
        if not steps:
            lacking.append(NO_RATE)
        return Seen((*steps, *averages), tuple(dict.fromkeys(lacking)) if lacking else ())
    rated = {id(s.part) for s in steps}
    stepped = any(s.part.amount is None for s in steps)
    if not steps or (not stepped and any(p.amount is not None and id(p) not in rated for p in parts)):
        lacking.append(NO_RATE)
    return Seen((*steps, *averages), tuple(dict.fromkeys(lacking)) if lacking else ())


def _average(
    part: Part,
    rate: Rate,
    strength: Maybe[Decimal],
    products: tuple[Product, ...],
    kilos: Kilos,
    weight: Maybe[Result],
) -> Pace | None:
    once = one_infusion(part, strength, products)
    if once is None:
        return None
    minutes = rate.value * UNITS[rate.unit].factor * once.parts
    amount, of = once.amount, once.of
    actual = None if isinstance(weight, Absent) else weight.value
    if of.per_kg and not kilos.nominal and kilos.kg is not None and kilos.kg != actual:
        amount, of = amount * kilos.kg, _GRAMS[False]  # per kg of a weight the order names
    return Pace(amount, of, minutes, rate, part, average=True)


@fact
def starting(paces: Seen[Pace]) -> Pace | None:
    """The rate an infusion begins with: the first that is no maximum, of a range its lower end."""
    for pace in paces.items:
        if pace.average or pace.most:
            continue
        return pace if pace.rate.low is None else Pace(pace.rate.low, pace.of, pace.minutes, pace.rate, pace.part)
    return None


def duration_of(once: Once, pace: Pace, body: Body) -> tuple[Decimal, Decimal] | str:
    """The minutes that one infusion takes at a pace, as a fraction; else what it takes to tell."""
    got = ratio(once.amount, once.of, pace.of, body)
    return got if isinstance(got, str) else (got[0] * pace.minutes, got[1] * pace.amount * once.parts)


def hours_line(order: Order, pace: Pace, body: Body, products: tuple[Product, ...]) -> str:
    """How long one infusion takes at the ordered rate, as a sentence; nothing where that cannot be told."""
    strength: Maybe[Decimal] = Absent(()) if body.strength is None else body.strength
    part = _dosed(pace.part, order)
    once = one_infusion(part, strength, products)
    if once is None:
        return ""
    took = duration_of(once, pace, body)
    if isinstance(took, str):
        return ""
    hours = round(took[0] / took[1] / 60, 1)
    said = once.said if once.parts == 1 else f"{once.said} in {once.parts} infusions"
    return f"{said} at {'an average of ' if pace.average else ''}{shown_pace(pace)}: {plain(hours)} h for one infusion"


def shown_pace(pace: Pace) -> str:
    """A pace in the words of the order; of a range the end that it is."""
    if not pace.average:
        return pace.rate.said if pace.rate.low is None else f"{plain(pace.amount)} {pace.rate.unit}"
    per = f"{pace.of.unit}{'/kg' if pace.of.per_kg else ''}/h"
    return f"{plain(round(pace.amount * 60 / pace.minutes, 2))} {per}"

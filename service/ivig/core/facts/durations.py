"""Whether dose, rate and stated duration of an infusion agree."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Product
from ivig.core.facts.dose import MISSING
from ivig.core.facts.patient import share
from ivig.core.facts.rates import NO_RATE, Body, Once, Pace, duration_of, one_infusion
from ivig.core.finding import Absent, Input, Root, plain
from ivig.core.order import Order, Part, Rate, Result
from ivig.core.rule import Maybe, Seen, fact
from ivig.core.units import UNITS, dimension

_HOUR = 60


class Mismatch(Struct, frozen=True):
    """A duration that dose and rate do not make; hours."""

    dose: str
    dose_path: str
    rates: tuple[Rate, ...]
    duration: Rate
    shown: str
    observed: Decimal
    lower: Decimal
    upper: Decimal
    inputs: tuple[Input, ...] = ()


def _durations(part: Part, order: Order) -> list[Rate]:
    """How long one infusion lasts, as an instruction says; beside a dose, that of a mere step is not meant."""
    if not part.rates or (part.amount is None and any(p.amount is not None for p in order.parts)):
        return []
    return [r for r in part.rates if r.unit and dimension(r.unit) == "time"]


@fact
def duration_stated(order: Order) -> bool:
    """Whether an instruction with a dose says how long one infusion lasts."""
    return any(part.rates and _durations(part, order) for part in order.parts)


@fact
def duration_mismatch(
    order: Order,
    paces: Seen[Pace],
    strength: Maybe[Decimal],
    products: tuple[Product, ...],
    weight: Maybe[Result],
    book: Book,
) -> Seen[Mismatch]:
    """Instructions whose duration is not what dose and rates make. Lacking: the dose, a rate, weight or strength."""
    body = Body(
        None if isinstance(weight, Absent) else weight.value, None if isinstance(strength, Absent) else strength
    )
    found: list[Mismatch] = []
    lacking: list[Root] = []
    for part in order.parts:
        for duration in _durations(part, order):
            once = one_infusion(part, strength, products)
            steps = [p for p in paces.items if not p.average and p.part in (part, *_steps_of(order))]
            if once is None:
                lacking.append(MISSING)
            elif not steps:
                lacking.append(NO_RATE)
            else:
                made = _held(once, steps, duration, part, body, weight, book)
                if isinstance(made, Mismatch):
                    found.append(made)
                elif made == "weight":
                    lacking.extend(weight.roots if isinstance(weight, Absent) else ())
                elif made == "strength":
                    lacking.extend(strength.roots if isinstance(strength, Absent) else ())
    return Seen(tuple(found), tuple(dict.fromkeys(lacking)))


def _steps_of(order: Order) -> tuple[Part, ...]:
    """Instructions that only state a rate: steps of the dose beside them."""
    return tuple(p for p in order.parts if p.amount is None)


def _held(
    once: Once, steps: list[Pace], duration: Rate, part: Part, body: Body, weight: Maybe[Result], book: Book
) -> Mismatch | str | None:
    """The mismatch, None where they agree, or what it takes to tell."""
    times = []
    for pace in steps:
        took = duration_of(once, pace, body)
        if isinstance(took, str):
            return took
        slowest = took if pace.rate.low is None else (took[0] * pace.amount, took[1] * pace.rate.low)
        times.append((pace, took, slowest))
    fast = min(times, key=lambda t: t[1][0] / t[1][1])
    slow = max(times, key=lambda t: t[2][0] / t[2][1])
    tolerance = share(book.policy("rate.duration_tolerance").number)
    minutes = UNITS[duration.unit].factor
    shortest = duration.value * minutes * (1 - tolerance)
    longest = (duration.long or duration.value) * minutes * (1 + tolerance)
    # A rate that only begins the infusion gives no shortest time, one that is the most gives no longest.
    rises = all(pace.rate.role == "start" for pace in steps)
    falls = all(pace.rate.role == "most" for pace in steps)
    too_long = not rises and fast[1][0] > longest * fast[1][1]
    too_short = not falls and slow[2][0] < shortest * slow[2][1]
    if not (too_long or too_short) or part.amount is None:
        return None
    top, bottom = fast[1] if too_long else slow[2]
    ends = sorted(round(t[0] / t[1] / _HOUR, 1) for t in (fast[1], slow[2]))
    crossed = any(p.of.per_kg != once.of.per_kg for p in steps)
    inputs = (
        (Input("weight", weight.said, weight.when.text if weight.when else "", weight.path),)
        if crossed and not isinstance(weight, Absent)
        else ()
    )
    return Mismatch(
        once.said,
        part.amount.path,
        tuple(p.rate for p in steps),
        duration,
        plain(ends[0]) if ends[0] == ends[1] else f"{plain(ends[0])} to {plain(ends[1])}",
        round(top / bottom / _HOUR, 2),
        round(shortest / _HOUR, 2),
        round(longest / _HOUR, 2),
        inputs,
    )

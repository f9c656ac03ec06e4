"""Rates in the sums and inputs of findings."""

from __future__ import annotations

from ivig.core.book import Book
from ivig.core.facts.ceilings import Held
from ivig.core.facts.product import called
from ivig.core.facts.rates import shown_pace, speed
from ivig.core.finding import Absent, Input, Measure, plain
from ivig.core.order import Order, Result
from ivig.core.rule import Maybe

_PER_CENT = 100


def whose(held: Held, order: Order) -> str:
    """The product of a ceiling in a sentence; of an order without a brand it is the mildest of all."""
    return called(held.product, order) if order.products else "any product it may be"


def sum_of(held: Held) -> str:
    """How the ordered rate becomes one in the label's unit."""
    into, _ = speed(held.limit.unit)
    of, body = held.pace.of, held.body
    line = shown_pace(held.pace)
    got = f"{plain(held.got)} {held.limit.unit}"
    steps = []
    if of.mass != into.mass and body.strength is not None:
        steps.append(f"{'/' if of.mass else 'x'} {plain(body.strength)} g/mL")
    if of.per_kg != into.per_kg and body.kg is not None:
        steps.append(f"{'/' if into.per_kg else 'x'} {plain(body.kg)} kg")
    return got if line == got else f"{' '.join([line, *steps])} = {got}"


def limit_line(held: Held, at_most: str, book: Book) -> str:
    """The ceiling with its tolerance, and the same as a pump is set: mL/h for this patient."""
    tolerance = book.policy("rate.tolerance")
    line = f"{at_most} {plain(held.limit.number)} {held.limit.unit}, with {plain(tolerance.number)}% tolerance"
    more = held.limit.number * (_PER_CENT + tolerance.number) / _PER_CENT
    return f"{line} {plain(more)}{pump(held)}"


def pump(held: Held) -> str:
    """A ceiling in mL/h for this patient and product, where both are known."""
    of, minutes = speed(held.limit.unit)
    if held.body.kg is None or held.body.strength is None:
        return ""
    per_hour = held.limit.number * of.factor * held.body.kg * 60 / minutes
    per_hour = per_hour / held.body.strength if of.mass else per_hour
    return (
        f" ({plain(round(per_hour, 1))} mL/h of {plain(held.body.strength * _PER_CENT)}% at {plain(held.body.kg)} kg)"
    )


def rate_inputs(held: Held, weight: Maybe[Result], order: Order) -> tuple[Input, ...]:
    """What a comparison rests on: the rate, and the weight where it took one."""
    into, _ = speed(held.limit.unit)
    what = "duration" if held.pace.average else "rate"
    inputs = [Input(what, held.pace.rate.said, "", held.pace.rate.path)]
    if held.pace.average and held.pace.part.amount is not None:
        inputs.append(Input("dose", held.pace.part.amount.said, "", held.pace.part.amount.path))
    if held.pace.of.per_kg != into.per_kg and not isinstance(weight, Absent):
        inputs.append(Input("weight", weight.said, weight.when.text if weight.when else "", weight.path))
    return tuple(inputs)


def measure_of(held: Held) -> Measure:
    return Measure(held.limit.unit, round(held.got, 4), None, held.limit.number, held.limit.source)

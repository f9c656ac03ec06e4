"""Rates the label takes."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from ivig.core.book import Book, Indication, Product
from ivig.core.dosage_change import RateChange
from ivig.core.facts.limits import labels_for
from ivig.core.finding import Finding, plain
from ivig.core.order import Order, Part, Rate
from ivig.core.remedy import Candidate, clears
from ivig.core.units import dimension

_FINE = (Decimal(1), Decimal("0.1"), Decimal("0.01"), Decimal("0.001"))  # from the coarsest that loses little
_LOSS = Decimal("0.03")
_NEAR = Decimal("1.001")  # what a finding tells is rounded: a quotient may end just beside a round number


@clears("rate-above-label", "rate-above-at-risk-ceiling", "rate-above-initial")
def at_the_ceiling(finding: Finding, order: Order) -> Iterator[Candidate]:
    """The rate the finding points at, brought down in its own unit to what it was held against."""
    if finding.measure is not None and finding.measure.upper:
        yield from _down_to(finding.measure.upper, finding, order)


def _down_to(most: Decimal, finding: Finding, order: Order) -> Iterator[Candidate]:
    measure = finding.measure
    if measure is None or not measure.observed:
        return
    said = f"{plain(most)} {measure.unit} at most"
    for part, rate in _rates(finding, order):
        time = dimension(rate.unit) == "time"
        exact = rate.value * measure.observed / most if time else rate.value * most / measure.observed
        value = _round(exact / _NEAR, ROUND_CEILING) if time else _round(exact * _NEAR, ROUND_FLOOR)
        if value:
            yield Candidate((RateChange(part.path, rate, value, rate.unit),), because=said)


def _rates(finding: Finding, order: Order) -> list[tuple[Part, Rate]]:
    """The rates a finding points at; where it points at none, all."""
    every = [(part, rate) for part in order.parts for rate in part.rates if rate.unit]
    return [pair for pair in every if pair[1].path in finding.at] or every


def _round(value: Decimal, way: str) -> Decimal:
    """A number one can write down: the coarsest that loses little."""
    for step in _FINE:
        made = value.quantize(step, way)
        if made and abs(made - value) <= value * _LOSS:
            return made.normalize() if made == made.to_integral_value() and made < 10 else made
    return value.quantize(_FINE[-1], way)


@clears("rate-missing")
def to_begin_with(
    order: Order, product: Product, candidates: tuple[Indication, ...], book: Book
) -> Iterator[Candidate]:
    """The label's starting rate: for the indication, or the lowest of all where the label does not name it."""
    named = [label for page in candidates for label in labels_for(page, product, book)]
    initials = [label.rate_initial for label in named or product.labels.values() if label.rate_initial is not None]
    rates = [(value.amount if value.amount is not None else value.lower, value.unit) for value in initials]
    known = sorted({(number, unit) for number, unit in rates if number is not None})
    dosed = [p for p in order.parts if p.amount is not None and not p.rates]
    if known and len({unit for _, unit in known}) == 1:
        number, unit = known[0]
        said = f"{plain(number)} {unit} to begin with"
        changes = tuple(RateChange(part.path, None, number, unit) for part in dosed)
        yield Candidate(changes, said, f"the lowest starting rate of {product.title}")

"""Courses below the lower limit of their range, on the smallest weight that may count."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book
from ivig.core.dated import Value
from ivig.core.facts.dose import Bases
from ivig.core.facts.limits import at_least, lower_dose
from ivig.core.facts.segment import Phased
from ivig.core.finding import Input, Root, plain
from ivig.core.rule import Maybe, Seen, fact


class Below(Struct, frozen=True):
    """A course below its lower limit: g/kg of the weight named in `basis`."""

    held: Phased
    got: Decimal
    lower: Value
    basis: str
    sums: tuple[str, ...]
    inputs: tuple[Input, ...]
    cites: tuple[Value, ...]


@fact
def below_range(phased: Seen[Phased], bases: Maybe[Bases], book: Book) -> Seen[Below]:
    """Courses below their range on every accepted weight. Lacking: height or sex, where ideal weight may do."""
    found: list[Below] = []
    lacking: list[Root] = list(phased.lacking)
    tolerance, never = book.policy("dose.tolerance"), book.policy("dose.below_not_judged").words
    for held in phased.items:
        lower, dose = held.limits.lower, held.dose
        got = lower_dose(dose, bases)
        if lower is None or lower.lower is None or got is None or held.continues or held.limits.key in never:
            continue
        if at_least(got, lower.lower, tolerance):
            continue
        if not isinstance(bases, Bases) or dose.nominal or dose.grams_total_low is None:
            found.append(Below(held, got, lower, "any", dose.sums, dose.inputs, (lower, tolerance)))
            continue
        if bases.lacking and at_least(dose.grams_total_low / bases.floor, lower.lower, tolerance):
            lacking.extend(bases.lacking)
            continue
        line = f"{plain(dose.grams_total_low)} g / {plain(bases.smallest)} kg {bases.name} = {plain(got)} g/kg"
        plainly = bases.name == "actual" and dose.total_low == dose.total_high
        sums = dose.sums if plainly else (*dose.sums, *bases.sums, line)
        inputs = (*dose.inputs, *bases.inputs)
        found.append(Below(held, got, lower, bases.name, sums, inputs, (lower, tolerance, *bases.cites)))
    # Another part whose dose or days are not known may make up for it.
    if any(root.name in ("dose-missing", "schedule-missing") for root in lacking):
        found = []
    return Seen(tuple(found), tuple(dict.fromkeys(lacking)))

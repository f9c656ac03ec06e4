"""The weights on which a lower limit may rest: the smallest of actual, adjusted and ideal weight."""

from __future__ import annotations

from decimal import Decimal

from msgspec import structs

from ivig.core.book import Book
from ivig.core.facts.dose import Bases
from ivig.core.facts.patient import SEXES
from ivig.core.facts.weight import HeightFault, as_input, ideal_kg, ideal_line
from ivig.core.finding import Absent, absent
from ivig.core.order import Order, Result
from ivig.core.rule import Maybe, fact, lacks


@fact
def bases(
    order: Order,
    weight: Result,
    adult: Maybe[bool],
    height: Maybe[Result],
    height_fault: HeightFault | None,
    sex: Maybe[str],
    weight_before_pregnancy: Result | None,
    book: Book,
) -> Bases:
    """Actual weight; for adults the ideal and adjusted weight too, where height and sex tell them.

    Where the policy doses children like adults, or by the weight before a pregnancy, these count too.
    """
    made = _bases(weight, adult, height, height_fault, sex, book)
    before = weight_before_pregnancy
    if before is None or before.value is None or before.value >= made.smallest:
        return made
    rests = book.policy("weight.in_pregnancy")
    if rests.word != "pre_pregnancy":
        return made
    return structs.replace(
        made,
        smallest=before.value,
        floor=min(made.floor, before.value),
        name="pre-pregnancy",
        inputs=(*made.inputs, as_input(before, "weight before the pregnancy")),
        cites=(*made.cites, rests),
    )


def _bases(
    weight: Result,
    adult: Maybe[bool],
    height: Maybe[Result],
    height_fault: HeightFault | None,
    sex: Maybe[str],
    book: Book,
) -> Bases:
    actual = weight.value
    assert actual is not None
    accepted = book.policy("weight.accepted")
    if adult is False and book.policy("weight.under_age").word == "actual":
        return Bases(actual, actual, "actual", actual, cites=(accepted,))
    start = book.coefficient("devine", "base_height").number
    sexes = SEXES if isinstance(sex, Absent) else (sex,)
    tall: Maybe[Result] = absent("weight-height-missing") if height_fault is not None else height
    if isinstance(adult, Absent) or isinstance(tall, Absent) or isinstance(sex, Absent):
        if not isinstance(tall, Absent):
            assert tall.value is not None
            if tall.value < book.policy("weight.height_minimum_cm").number:
                return Bases(actual, actual, "actual", actual, cites=(accepted,))
        cm = start if isinstance(tall, Absent) or tall.value is None else tall.value
        floor = min(_least(actual, ideal_kg(cm, s, book)[0], accepted.words, book)[0] for s in sexes)
        return Bases(actual, actual, "actual", floor, lacking=lacks(adult, tall, sex).roots, cites=(accepted,))
    assert tall.value is not None
    if tall.value < book.policy("weight.height_minimum_cm").number:
        return Bases(actual, actual, "actual", actual, cites=(accepted,))
    ideal, sources = ideal_kg(tall.value, sex, book)
    least, name = _least(actual, ideal, accepted.words, book)
    inputs = (as_input(tall, "height"),)
    adjusted = _adjusted(actual, ideal, book)
    if name == "actual":
        return Bases(actual, actual, name, actual, ideal, adjusted, inputs=inputs, cites=(accepted,))
    return Bases(
        actual,
        least,
        name,
        least,
        ideal,
        adjusted,
        (),
        (ideal_line(tall.value, sex, book),),
        inputs,
        (accepted, *sources),
    )


def _adjusted(actual: Decimal, ideal: Decimal, book: Book) -> Decimal:
    return ideal + book.policy("weight.adjust_factor").number * (actual - ideal) if actual > ideal else actual


def _least(actual: Decimal, ideal: Decimal, accepted: tuple[str, ...], book: Book) -> tuple[Decimal, str]:
    """The smallest accepted weight, and its name."""
    least, called = actual, "actual"
    for name in accepted:
        kg = ideal if name == "ideal" else _adjusted(actual, ideal, book) if name == "adjusted" else actual
        if kg < least:
            least, called = kg, name
    return least, called

"""Amounts that one order states twice: other views of a dose, and the order's own maxima."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Product
from ivig.core.facts.amount import Dose, Unusable, dose_of, to_grams
from ivig.core.facts.dose import Bases
from ivig.core.facts.patient import share
from ivig.core.finding import Absent, Input, Root, plain
from ivig.core.order import Amount, Order, Part, Result
from ivig.core.rule import Maybe, Seen, fact, lacks
from ivig.core.units import convert, dimension

_UNTIMED = Root("schedule-missing")
_EACH = ("dose", "day", "course")


class Clash(Struct, frozen=True):
    """Two amounts of one order that cannot both hold, in the same `unit`.

    `kind` is `view`, `cap`, or `unread` for a view that could not be compared.
    """

    kind: str
    used: Amount
    other: Amount
    got: Decimal = Decimal(0)
    stated: Decimal = Decimal(0)
    unit: str = ""
    sums: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()


class Kilograms(Struct, frozen=True):
    """The weights that an amount per kg may rest on. Those not known lie between `floor` and the known."""

    known: tuple[Decimal, ...]
    floor: Decimal
    inputs: tuple[Input, ...] = ()
    lacking: tuple[Root, ...] = ()


@fact
def kilograms(order: Order, weight: Maybe[Result], bases: Maybe[Bases]) -> Kilograms:
    """The weight the order names, by number or by basis; else any accepted basis of the chart's weight."""
    stated = order.stated_weight
    if stated is not None and stated.value is not None:
        named = (Input("dosing weight on the order", stated.said, "", stated.path),)
        return Kilograms((stated.value,), stated.value, named)
    if isinstance(weight, Absent) or isinstance(bases, Absent):
        return Kilograms((), Decimal(0), lacking=lacks(weight, bases).roots)
    inputs = (Input("weight", weight.said, weight.when.text if weight.when else "", weight.path), *bases.inputs)
    if order.stated_basis == "actual":
        return Kilograms((bases.actual,), bases.actual, inputs)
    if order.stated_basis:
        kg = bases.ideal if order.stated_basis == "ideal" else bases.adjusted
        if kg is None and bases.lacking:
            return Kilograms((), bases.floor, inputs, bases.lacking)
        return Kilograms((kg or bases.actual,), kg or bases.actual, inputs)
    known = tuple(dict.fromkeys(kg for kg in (bases.actual, bases.adjusted, bases.ideal) if kg is not None))
    return Kilograms(known, bases.floor, inputs, bases.lacking)


@fact
def clashes(
    order: Order, strength: Maybe[Decimal], products: tuple[Product, ...], kilograms: Kilograms, book: Book
) -> Seen[Clash]:
    """Views of a dose that disagree by more than the tolerance, and doses above the order's own maximum."""
    tolerance = share(book.policy("dose.tolerance").number)
    found: list[Clash] = []
    lacking: list[Root] = []
    for part in order.parts:
        if not (part.views or part.caps):
            continue
        used = to_grams(part.amount, strength, products) if part.amount is not None else None
        if part.amount is None or not isinstance(used, Dose):
            stands_in = dose_of(part, strength, products)
            if isinstance(stands_in, tuple) and part.amount is not None:
                clash = _stood_in_for(part, part.amount, *stands_in, products, tolerance)
                found.extend((clash,) if clash is not None else ())
            continue  # else dose-missing and dose-unit-unusable tell of it
        for view in part.views:
            other = to_grams(view, strength, products)
            if isinstance(other, Unusable):
                if isinstance(strength, Absent) and "millilitres" in other.why:
                    lacking.extend(strength.roots)
                else:
                    found.append(Clash("unread", part.amount, view))
                continue
            answer = _compared(part, part.amount, used, view, other, kilograms, tolerance)
            lacking.extend(answer if isinstance(answer, tuple) else ())
            found.extend((answer,) if isinstance(answer, Clash) else ())
        for cap in part.caps:
            most = to_grams(cap, strength, products)
            if isinstance(most, Dose):
                above = _above(part, part.amount, used, cap, most, kilograms)
                lacking.extend(above if isinstance(above, tuple) else ())
                found.extend((above,) if isinstance(above, Clash) else ())
    return Seen(tuple(found), tuple(dict.fromkeys(lacking)))


def _stood_in_for(
    part: Part, amount: Amount, view: Amount, dose: Dose, products: tuple[Product, ...], tolerance: Decimal
) -> Clash | None:
    """Millilitres or vials of unknown size beside the grams used for them: a clash where no strength or size fits."""
    options = _possible(amount, products)
    mine = _scale(part, amount.each)
    theirs = [_scale(part, each) for each in (_EACH if view.from_text and dose.each == "dose" else (dose.each,))]
    if dose.per_kg or not options or mine is None or None in theirs:
        return Clash("unread", view, amount)
    each = [(dose.low * mine / times, dose.high * mine / times) for times in theirs if times]
    for low, high in options:
        if any(least <= high * (1 + tolerance) and most >= low * (1 - tolerance) for least, most in each):
            # Vials of several sizes fit almost anything, a strength does not.
            return Clash("unread", view, amount) if dimension(amount.unit) == "vial" else None
    low, high = min(low for low, _ in options), max(high for _, high in options)
    line = f"{amount.said} may be {plain(low)} to {plain(high)} g; {dose.sum}"
    return Clash("view", view, amount, dose.high, low if dose.high < low else high, "g", (line,))


def _possible(amount: Amount, products: tuple[Product, ...]) -> list[tuple[Decimal, Decimal]]:
    """The grams that millilitres may be by each strength, or vials by the smallest to the largest; none: empty."""
    kind = dimension(amount.unit)
    if kind == "volume":
        low, high = (convert(end, amount.unit, "mL") for end in (amount.low, amount.high))
        strengths = {p.strength.number for p in products if p.strength is not None}
        return [(low * strength, high * strength) for strength in sorted(strengths)]
    sizes = [Decimal(size) for p in products if p.vials is not None for size in p.vials.words]
    return [(amount.low * min(sizes), amount.high * max(sizes))] if kind == "vial" and sizes else []


def _scale(part: Part, each: str) -> int | None:
    """How many single doses an amount for a dose, a day or a course stands for."""
    if each == "dose":
        return 1
    return part.doses_a_day if each == "day" else part.doses_a_day * part.days if part.days is not None else None


def _compared(
    part: Part, amount: Amount, used: Dose, view: Amount, other: Dose, kilograms: Kilograms, tolerance: Decimal
) -> Clash | tuple[Root, ...] | None:
    """The clash of a view with the dose that is used, the roots for want of which it can't be told, or None."""
    mine = _scale(part, used.each)
    # What stands only in words may be meant for a dose, a day or the course, unless the words say which.
    open_ended = view.from_text and other.each == "dose"
    theirs = [_scale(part, each) for each in (_EACH if open_ended else (other.each,))]
    if mine is None or all(t is None for t in theirs):
        return (_UNTIMED,)
    mixed = used.per_kg != other.per_kg
    if mixed and not kilograms.known:
        return kilograms.lacking
    one = Decimal(1)
    nearest: Clash | None = None
    for kg in kilograms.known if mixed else (one,):
        by_used, by_other = (kg if mixed and used.per_kg else one), (kg if mixed and other.per_kg else one)
        low, high = used.low * by_used / mine, used.high * by_used / mine
        for times in theirs:
            if times is None:
                continue
            other_low, other_high = other.low * by_other / times, other.high * by_other / times
            if other_low <= high * (1 + tolerance) and other_high >= low * (1 - tolerance):
                return None
            if nearest is None or abs(other_high - high) < abs(nearest.stated - nearest.got):
                unit = "g/kg" if used.per_kg and other.per_kg else "g"
                weighed = f" at {plain(kg)} kg" if mixed else ""
                line = f"{_same(used.sum, high, unit)}, and {_same(other.sum, other_high, unit)}{weighed}"
                line += f": {plain(round(abs(other_high - high) / high * 100, 1))}% apart" if high else ""
                inputs = kilograms.inputs if mixed else ()
                nearest = Clash("view", amount, view, high, other_high, unit, (line,), inputs)
    assert nearest is not None
    if mixed and kilograms.lacking:
        # A weight below the actual one makes an amount per kg smaller: it may yet agree with a smaller amount in grams.
        share_left = kilograms.floor / max(kilograms.known)
        grams, scaled = (nearest.got, nearest.stated) if other.per_kg else (nearest.stated, nearest.got)
        if scaled > grams and scaled * share_left * (1 - tolerance) <= grams:
            return kilograms.lacking
    return nearest


def _above(
    part: Part, amount: Amount, used: Dose, cap: Amount, most: Dose, kilograms: Kilograms
) -> Clash | tuple[Root, ...] | None:
    """The dose against the order's own maximum. Grams that cap a single dose per kg are meant to, and are no clash."""
    mixed = used.per_kg != most.per_kg
    if mixed and cap.each == "dose":
        return None
    mine, theirs = _scale(part, amount.each), _scale(part, most.each)
    if mine is None or theirs is None:
        return (_UNTIMED,)
    if mixed and not kilograms.known:
        return kilograms.lacking
    one = Decimal(1)
    kg = one if not mixed else min(kilograms.known) if used.per_kg else max(kilograms.known)
    got = used.high * (kg if used.per_kg else one) * theirs / mine
    top = most.high * (kg if most.per_kg else one)
    if got <= top:
        return None
    if mixed and used.per_kg and kilograms.lacking and got * kilograms.floor / kg <= top:
        return kilograms.lacking
    unit = "g/kg" if used.per_kg and most.per_kg else "g"
    line = f"{plain(got)} {unit} a {cap.each} ordered, at most {cap.said} allowed"
    return Clash("cap", amount, cap, got, top, unit, (line,), kilograms.inputs if mixed else ())


def _same(said: str, made: Decimal, unit: str) -> str:
    """A statement of a dose, and what it comes to where that is not what it says."""
    shown = f"{plain(made)} {unit}"
    return said if said == shown else f"{said} (a dose of {shown})"

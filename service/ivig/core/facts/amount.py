"""One dose in grams, or in grams per kg."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Product
from ivig.core.finding import Absent, plain
from ivig.core.order import Amount, Part
from ivig.core.rule import Maybe
from ivig.core.units import convert, dimension

# Dimensions in which an immune globulin may be dosed, and the unit each is turned into.
_PLAIN = {"g": (False, False), "g/kg": (True, False), "g/d": (False, True), "g/kg/d": (True, True)}  # per kg, a day
_MASS = {"mass": "g", "mass per body mass": "g/kg", "mass per day": "g/d", "mass per body mass and day": "g/kg/d"}
_VOLUME = {
    "volume": "mL",
    "volume per body mass": "mL/kg",
    "volume per day": "mL/d",
    "volume per body mass and day": "mL/kg/d",
}


class Unusable(Struct, frozen=True):
    """A dose that cannot become grams: as written, and why."""

    amount: Amount
    why: str


class Dose(Struct, frozen=True):
    """One dose in grams, or per kg (`per_kg`): lower and upper end, and what it is for (`dose`, `day`, `course`)."""

    low: Decimal
    high: Decimal
    per_kg: bool
    sum: str
    each: str = "dose"

    @property
    def unit(self) -> str:
        return "g/kg" if self.per_kg else "g"


def to_grams(amount: Amount, strength: Maybe[Decimal], products: tuple[Product, ...]) -> Dose | Unusable:
    """One dose in grams or grams per kg; volume by strength, vials by their one size."""
    plainly = _PLAIN.get(amount.unit)
    if plainly is not None:
        return Dose(amount.low, amount.high, plainly[0], amount.said, "day" if plainly[1] else amount.each)
    kind = dimension(amount.unit) or ""
    each = "day" if kind.endswith("day") else amount.each
    if kind in _MASS:
        low, high = (convert(end, amount.unit, _MASS[kind]) for end in (amount.low, amount.high))
        per_kg = "body mass" in kind
        return Dose(low, high, per_kg, f"{amount.said} = {_shown(low, high)} {'g/kg' if per_kg else 'g'}", each)
    if kind in _VOLUME:
        if isinstance(strength, Absent):
            return Unusable(amount, "millilitres of a product whose strength is not known")
        low, high = (convert(end, amount.unit, _VOLUME[kind]) * strength for end in (amount.low, amount.high))
        per_kg = "body mass" in kind
        return Dose(
            low,
            high,
            per_kg,
            f"{amount.said} x {strength} g/mL = {_shown(low, high)} {'g/kg' if per_kg else 'g'}",
            each,
        )
    if kind == "vial":
        sizes = {s for p in products for s in (p.vials.words if p.vials is not None else ("",))}
        if len(sizes) != 1 or not (size := next(iter(sizes))):
            return Unusable(amount, "vials of more than one size, and none named")
        low, high = amount.low * Decimal(size), amount.high * Decimal(size)
        return Dose(low, high, False, f"{amount.said} x {size} g = {_shown(low, high)} g", each)
    return Unusable(amount, "not a unit an immune globulin is dosed in")


def dose_of(
    part: Part, strength: Maybe[Decimal], products: tuple[Product, ...]
) -> tuple[Amount, Dose] | Unusable | None:
    """The dose of an instruction: the amount the reader chose, else the first other view that can become grams.

    Another view stands in for millilitres and vials of unknown size. It does not for a unit that is absent or unknown:
    whoever fills the order reads the coded number, and with which unit nobody can tell.
    """
    if part.amount is None:
        return None
    first = to_grams(part.amount, strength, products)
    if isinstance(first, Dose):
        return part.amount, first
    if dimension(part.amount.unit) not in {*_VOLUME, "vial"}:
        return first
    for view in part.views:
        made = to_grams(view, strength, products)
        if isinstance(made, Dose):
            return view, made
    return first


def _shown(low: Decimal, high: Decimal) -> str:
    return plain(high) if low == high else f"{plain(low)} to {plain(high)}"

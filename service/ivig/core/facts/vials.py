"""The vials of each infusion day: what is opened and thrown away, and what rounding to whole vials would save."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

from msgspec import Struct

from ivig.core.book import Book, Product
from ivig.core.dated import Value
from ivig.core.facts.grams import Grams
from ivig.core.facts.patient import share
from ivig.core.finding import plain
from ivig.core.rule import Maybe, Seen, fact
from ivig.core.vials import Mix, best_mix, whole_sums


class Rounded(Struct, frozen=True):
    """A whole-vial dose within the policy's rounding.

    `saved` are grams that need not be opened any more, `spared` those that are given and no longer thrown away.
    """

    mix: Mix
    saved: Decimal
    spared: Decimal

    @property
    def grams(self) -> Decimal:
        return self.mix.dose


class DayVials(Struct, frozen=True):
    """The vials for the dose of one kind of infusion day.

    Args:
        path, dose_path: the dosage instruction, and the element with the dose.
        days: infusion days with this dose in the course or cycle; None when that cannot be told.
        mix: the vials for the exact dose.
        down, up: the nearest whole-vial dose below and above, where the policy's rounding allows it.
    """

    path: str
    dose_path: str
    days: int | None
    mix: Mix
    down: Rounded | None = None
    up: Rounded | None = None
    cites: tuple[Value, ...] = ()

    @property
    def dose(self) -> Decimal:
        return self.mix.dose

    @property
    def wasted(self) -> Decimal:
        """Grams thrown away on each of these days when the dose is given exactly."""
        return self.mix.wasted

    @property
    def rounded(self) -> Rounded | None:
        """The nearer of the two whole-vial doses; of two equally near the smaller."""
        both = [r for r in (self.down, self.up) if r is not None]
        return min(both, key=lambda r: abs(r.grams - self.dose), default=None)

    def lines(self) -> tuple[str, ...]:
        """What a pharmacist would write on the sheet."""
        first = f"{plain(self.dose)} g exactly: {mixed(self.mix)}, {_waste(self.mix)}"
        if self.days is not None and self.days > 1:
            first += f" on each of {self.days} days"
        found = [first]
        for way, rounded in (("down", self.down), ("up", self.up)):
            if rounded is not None:
                gain = f"{plain(rounded.saved)} g not opened" if rounded.saved else ""
                kept = f"{plain(rounded.spared)} g given, not thrown away" if rounded.spared else ""
                said = " and ".join(filter(None, (gain, kept)))
                found.append(f"Rounded {way} to {plain(rounded.grams)} g: {mixed(rounded.mix)}; {said}")
        return tuple(found)


def mixed(mix: Mix) -> str:
    """`20 + 2 x 5 g = 30 g`."""
    said = " + ".join(f"{times} x {plain(size)}" if times > 1 else plain(size) for size, times in mix.vials)
    return f"{said} g" if mix.count == 1 else f"{said} g = {plain(mix.opened)} g"


def _waste(mix: Mix) -> str:
    return f"{plain(mix.wasted)} g thrown away" if mix.wasted else "nothing thrown away"


@lru_cache(maxsize=256)
def sizes_of(words: tuple[str, ...]) -> tuple[Decimal, ...]:
    """The vial sizes of a page in grams."""
    return tuple(Decimal(size) for size in words)


def rounding(adult: Maybe[bool], book: Book) -> tuple[Value, Value]:
    """How far a dose may be rounded: grams, and percent. An unknown age has the smaller number of grams."""
    grown, child = book.policy("rounding.adult_g"), book.policy("rounding.child_g")
    by_age = grown if adult is True else child if adult is False else min(grown, child, key=lambda v: v.number)
    return by_age, book.policy("rounding.never_over")


def farthest(dose: Decimal, limits: tuple[Value, Value]) -> Decimal:
    """The most by which the policy lets a dose be rounded."""
    return min(limits[0].number, dose * share(limits[1].number))


@fact
def vials(day_grams: Seen[Grams], product: Product, adult: Maybe[bool], book: Book) -> Seen[DayVials]:
    """The vials of each different infusion day, in the order of the courses."""
    if product.vials is None or not product.vials.words:
        return Seen((), day_grams.lacking)
    sizes, limits = sizes_of(product.vials.words), rounding(adult, book)
    cites = (product.vials, *limits)
    found = [
        _day(held, dose, days, sizes, farthest(dose, limits), cites)
        for held in day_grams.items
        for dose, days in _doses(held)
        if dose > 0
    ]
    return Seen(tuple(found), day_grams.lacking)


def _doses(held: Grams) -> Iterable[tuple[Decimal, int | None]]:
    """Each different dose of a day (of a range its upper end), and on how many days it is given."""
    course = held.course
    if not course.plan or len(held.days) != len({(d.low, d.high) for d in course.plan}):
        days = course.days if len(held.days) == 1 else None
        return [(high, days) for _, high in held.days]
    counted = Counter((d.low, d.high) for d in course.plan)
    return [(high, counted[key]) for key, (_, high) in zip(sorted(counted), held.days, strict=True)]


def _day(
    held: Grams, dose: Decimal, days: int | None, sizes: tuple[Decimal, ...], most: Decimal, cites: tuple[Value, ...]
) -> DayVials:
    exact = best_mix(sizes, dose)
    down = up = None
    if exact.wasted:
        below, above = whole_sums(sizes, dose, dose)
        if below and dose - below <= most:
            down = Rounded(best_mix(sizes, below), exact.opened - below, Decimal(0))
        if above - dose <= most:
            up = Rounded(best_mix(sizes, above), exact.opened - above, above - dose)
    return DayVials(held.course.path, held.course.dose_path, days, exact, down, up, cites)

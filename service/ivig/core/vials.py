"""The best mix of vial sizes for a dose, and whole-vial doses near it.

Sizes are scaled to whole units (their greatest common measure), so that every sum is an integer and no fraction is
lost. The best mix wastes the fewest grams; of equal ones it opens the fewest vials; of equal ones larger vials.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from math import gcd

from msgspec import Struct


class Mix(Struct, frozen=True):
    """Vials to open for one dose: sizes in grams with how many of each, the largest first."""

    vials: tuple[tuple[Decimal, int], ...]
    opened: Decimal
    dose: Decimal

    @property
    def wasted(self) -> Decimal:
        """Grams opened and not given, when the dose is given exactly."""
        return self.opened - self.dose

    @property
    def count(self) -> int:
        return sum(times for _, times in self.vials)


def best_mix(sizes: tuple[Decimal, ...], dose: Decimal) -> Mix:
    """The vials to open for `dose` grams. `sizes` are positive, and there is at least one."""
    unit, steps = _scaled(sizes)
    total, largest = _smallest_sum(steps, unit.at_least(dose))
    counts = dict.fromkeys(steps, 0)
    counts[steps[0]] = largest
    for step in _fewest(steps, total - largest * steps[0]):
        counts[step] += 1
    return Mix(tuple((unit.grams(step), counts[step]) for step in steps if counts[step]), unit.grams(total), dose)


def whole_sums(sizes: tuple[Decimal, ...], low: Decimal, high: Decimal) -> tuple[Decimal, Decimal]:
    """The largest sum of vials up to `high` (0 when there is none), and the smallest from `low` on."""
    unit, steps = _scaled(sizes)
    below, above = _largest_sum(steps, unit.at_most(high)), _smallest_sum(steps, unit.at_least(low))[0]
    return unit.grams(below), unit.grams(above)


@lru_cache(maxsize=4096)
def nearest_sum(sizes: tuple[Decimal, ...], low: Decimal, high: Decimal) -> Decimal:
    """The sum of vials nearest to the range from `low` to `high`; of two equally near the smaller, and never nothing."""
    below, above = whole_sums(sizes, low, high)
    if below >= low:
        return below
    return below if below and low - below <= above - high else above


class _Unit(Struct, frozen=True):
    """The greatest common measure of the sizes: `parts` of the `whole` that make a gram."""

    parts: int
    whole: int

    def grams(self, units: int) -> Decimal:
        return Decimal(units * self.parts) / self.whole  # exact: the whole is a power of ten

    def at_least(self, grams: Decimal) -> int:
        """The smallest whole number of units that is not below `grams`."""
        above, below = grams.as_integer_ratio()
        return -(-above * self.whole // (below * self.parts))

    def at_most(self, grams: Decimal) -> int:
        above, below = grams.as_integer_ratio()
        return above * self.whole // (below * self.parts)


@lru_cache(maxsize=256)
def _scaled(sizes: tuple[Decimal, ...]) -> tuple[_Unit, tuple[int, ...]]:
    """The unit, and the sizes in it, the largest first."""
    places = max(0, *(-int(size.as_tuple().exponent) for size in sizes))
    counts = [int(size.scaleb(places)) for size in sizes]
    measure = gcd(*counts)
    return _Unit(measure, 10**places), tuple(sorted({count // measure for count in counts}, reverse=True))


def _bulk(steps: tuple[int, ...], units: int) -> int:
    """How many of the largest vials are in every best mix of at least so many units.

    Of as many smaller vials as the largest has units, some add up to a multiple of the largest, which takes fewer
    vials. So all but (largest x second largest) units are in largest vials, and the rest is a small problem.
    """
    largest, second = steps[0], steps[1] if steps[1:] else 0
    return max(0, units // largest - second - 1)


@lru_cache(maxsize=1024)
def _sums(steps: tuple[int, ...], top: int) -> int:
    """Bit n stands for a sum of n units, for n up to `top`."""
    reached, within = 1, (1 << (top + 1)) - 1
    for step in steps:
        reach = step
        while reach <= top:  # doubling: after k rounds up to 2^k - 1 vials of this size
            reached |= (reached << reach) & within
            reach *= 2
    return reached


def _smallest_sum(steps: tuple[int, ...], least: int) -> tuple[int, int]:
    """The smallest sum of at least one vial and `least` units, and the largest vials set aside to find the rest."""
    least = max(least, 1)
    aside = _bulk(steps, least)
    rest = least - aside * steps[0]
    above = _sums(steps, rest + steps[0]) >> rest
    return aside * steps[0] + rest + (above & -above).bit_length() - 1, aside


def _largest_sum(steps: tuple[int, ...], most: int) -> int:
    if most < steps[-1]:
        return 0
    aside = _bulk(steps, most)
    return aside * steps[0] + _sums(steps, most - aside * steps[0]).bit_length() - 1


def _fewest(steps: tuple[int, ...], total: int) -> list[int]:
    """The fewest vials that add up to `total` units exactly, which some do; of equal ones larger vials."""
    fewest = _counts(steps, total)
    taken = []
    while total:
        step = next(s for s in steps if s <= total and fewest[total - s] == fewest[total] - 1)
        taken.append(step)
        total -= step
    return taken


@lru_cache(maxsize=256)
def _counts(steps: tuple[int, ...], total: int) -> tuple[int, ...]:
    """For each number of units the fewest vials that add up to it; more than `total` where none do."""
    never = total + 2
    fewest = [0, *([never] * total)]
    for units in range(1, total + 1):
        fewest[units] = 1 + min((fewest[units - s] for s in steps if s <= units), default=never)
    return tuple(fewest)

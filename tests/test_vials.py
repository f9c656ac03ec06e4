"""Vials: the best mix against a search through all mixes, and what it comes to on an order."""

from __future__ import annotations

import itertools
import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advised import orders_of
from builder import bundle
from ivig.core.facts.vials import DayVials
from ivig.core.vials import Mix, best_mix, nearest_sum, whole_sums
from judged import validator, written
from r4 import Json

SIZES = st.lists(
    st.sampled_from([Decimal(s) for s in ("0.5", "1", "1.65", "2", "2.5", "3", "3.3", "5", "6", "10")]),
    min_size=1,
    max_size=3,
    unique=True,
).map(tuple)
DOSES = st.builds(lambda n, d: Decimal(n) / d, st.integers(1, 1500), st.sampled_from((77, 100, 128)))
PRIVIGEN = tuple(map(Decimal, (5, 10, 20, 40)))


def all_mixes(sizes: tuple[Decimal, ...], dose: Decimal) -> list[Mix]:
    """Every mix that holds the dose and has no vial too many of one size."""
    held = sorted(sizes, reverse=True)
    counts = itertools.product(*(range(int(dose / size) + 2) for size in held))
    vials = (tuple((s, n) for s, n in zip(held, times, strict=True) if n) for times in counts)
    made = (Mix(v, sum((s * n for s, n in v), Decimal(0)), dose) for v in vials if v)
    return [m for m in made if m.opened >= dose]


def all_sums(sizes: tuple[Decimal, ...], most: Decimal) -> set[Decimal]:
    """Every sum of at least one vial, up to `most`."""
    found: set[Decimal] = set()
    edge = {Decimal(0)}
    while edge:
        edge = {s + size for s in edge for size in sizes if s + size <= most} - found
        found |= edge
    return found


def by_size(mix: Mix, sizes: tuple[Decimal, ...]) -> tuple[int, ...]:
    held = dict(mix.vials)
    return tuple(-held.get(size, 0) for size in sorted(sizes, reverse=True))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(SIZES, DOSES)
def test_the_best_mix_is_the_best_of_all(sizes: tuple[Decimal, ...], dose: Decimal) -> None:
    best = min(all_mixes(sizes, dose), key=lambda m: (m.wasted, m.count, by_size(m, sizes)))
    assert best_mix(sizes, dose) == best
    assert best_mix(tuple(reversed(sizes)), dose) == best


@settings(max_examples=300, deadline=None, derandomize=True)
@given(SIZES, DOSES, DOSES)
def test_whole_sums_enclose(sizes: tuple[Decimal, ...], one: Decimal, other: Decimal) -> None:
    low, high = min(one, other), max(one, other)
    sums = all_sums(sizes, high + max(sizes))
    below, above = whole_sums(sizes, low, high)
    assert above == min(s for s in sums if s >= low)
    assert below in sums or below == 0
    assert not [s for s in sums if below < s <= high]
    nearest = nearest_sum(sizes, low, high)
    assert nearest in (below, above)
    assert nearest > 0


@pytest.mark.parametrize(
    ("sizes", "dose"),
    [
        (("0.5",), "300"),
        (("1", "1.65", "2", "3.3", "4", "8"), "300.01"),
        (("0.5", "2.5", "5", "10", "20"), "1234567.3"),
    ],
)
def test_a_large_dose_takes_no_time(sizes: tuple[str, ...], dose: str) -> None:
    start = time.process_time()
    mix = best_mix(tuple(map(Decimal, sizes)), Decimal(dose))
    assert time.process_time() - start < 1
    assert 0 <= mix.wasted < Decimal("0.5")


def vials_of(base: str, change: Json | None = None) -> tuple[DayVials, ...]:
    orders, day, library = orders_of(written(bundle(base, change)), validator())
    return validator().vials(orders[0], day, library)


def test_the_vials_of_an_order_on_which_nothing_is_found() -> None:
    """28 g of Privigen on each of 5 days: 20 + 10 = 30 g. 30 g is 2 g away, within 10% of 28 g; 25 g is 3 g away."""
    (day,) = vials_of("gbs")
    assert day.mix.vials == ((Decimal(20), 1), (Decimal(10), 1))
    assert (day.days, day.dose, day.wasted, day.down) == (5, 28, 2, None)
    assert day.up is not None
    assert (day.up.grams, day.up.saved, day.up.spared) == (30, 0, 2)
    assert day.rounded == day.up
    assert day.lines() == (
        "28 g exactly: 20 + 10 g = 30 g, 2 g thrown away on each of 5 days",
        "Rounded up to 30 g: 20 + 10 g = 30 g; 2 g given, not thrown away",
    )


def test_rounding_down_leaves_a_vial_closed() -> None:
    """52 g: 40 + 10 + 5 = 55 g, 3 g wasted; 50 g is 2 g away (5 g and 5.2 g allowed) and opens 5 g less; 55 g is 3 g away."""
    (day,) = vials_of("cidp_maintenance", {"dose": "52 g"})
    assert day.down is not None
    assert day.up is not None
    assert (day.wasted, day.down.grams, day.down.saved, day.up.spared) == (3, 50, 5, 3)
    assert day.rounded == day.down


def test_a_child_is_rounded_by_less() -> None:
    """28 g at 3 years: 30 g is 2 g away, within 2.5 g. 34 g: 35 g. 26 g of Octagam 10% (2, 5, 10, ...) is whole."""
    (day,) = vials_of("kawasaki", {"product": "Privigen 10%", "hcpcs": "J1459", "dose": "27 g"})
    assert day.rounded is not None
    assert day.rounded.grams == 25  # 2 g away; 30 g is 3 g away, more than 2.5 g
    assert day.up is None


def test_per_kg_by_the_weight() -> None:
    (day,) = vials_of("gbs", {"dose": "0.4 g/kg"})  # 0.4 x 70 = 28 g
    assert (day.dose, day.days) == (28, 5)


def test_days_with_different_doses() -> None:
    steps = [{"sequence": 1, "dose": "40 g", "count": 1}, {"sequence": 2, "dose": "25 g", "count": 4, "every": "1 d"}]
    assert [(d.dose, d.days, d.wasted) for d in vials_of("gbs", {"instructions": steps})] == [(25, 4, 0), (40, 1, 0)]


def test_without_a_product_nothing_is_said() -> None:
    assert vials_of("gbs", {"product": "immune globulin intravenous"}) == ()


def test_equal_waste_takes_fewer_and_larger_vials() -> None:
    assert best_mix(PRIVIGEN, Decimal(60)).vials == ((Decimal(40), 1), (Decimal(20), 1))
    assert best_mix((Decimal(6), Decimal(4), Decimal(5)), Decimal(10)).vials == ((Decimal(6), 1), (Decimal(4), 1))

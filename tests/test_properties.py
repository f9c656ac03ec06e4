"""What holds for every order: properties, tried on drawn examples."""

from __future__ import annotations

import json
import random
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bases import BASES
from builder import bundle
from casefiles import all_cases
from ivig.catalogue import RULES
from ivig.core.judge import Judge
from ivig.validator import Validator
from judged import Row, answer, answered, judged, rows, shown, validator, written
from r4 import Json

POUND = Decimal("0.45359237")  # kg, by definition
ABOVE = {"dose-course-above-range", "dose-daily-above-range", "dose-implausible"}
RANK = {"information": 1, "warning": 2, "error": 3}

bases = st.sampled_from(list(BASES))
few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


def said(found: list[Row]) -> Counter[tuple[object, ...]]:
    """What was found, apart from wording and places."""
    return Counter((r.rule, r.severity, r.result, r.code, tuple(sorted(r.not_judged)), r.verdict) for r in found)


def assert_alike(one: Json, other: Json) -> None:
    first, second = judged(one), judged(other)
    assert said(first) == said(second), f"{shown(first)}\n\nagainst\n\n{shown(second)}"


@few
@given(bases, st.integers(1, 4000))
def test_grams_are_milligrams(base: str, tenths: int) -> None:
    grams = Decimal(tenths) / 10
    assert_alike(bundle(base, {"dose": f"{grams} g"}), bundle(base, {"dose": f"{grams * 1000} mg"}))


@few
@given(bases, st.integers(1, 4000))
def test_millilitres_of_ten_percent_are_grams(base: str, tenths: int) -> None:
    """Every base orders a 10% product: 10 mL hold 1 g."""
    grams = Decimal(tenths) / 10
    assert_alike(bundle(base, {"dose": f"{grams} g"}), bundle(base, {"dose": f"{grams * 10} mL"}))


@few
@given(bases, st.integers(5, 900))
def test_pounds_are_kilograms(base: str, pounds: int) -> None:
    assert_alike(bundle(base, {"weight": f"{pounds} [lb_av]"}), bundle(base, {"weight": f"{pounds * POUND} kg"}))


@few
@given(bases, st.integers(20, 90))
def test_inches_are_centimetres(base: str, inches: int) -> None:
    assert_alike(
        bundle(base, {"height": f"{inches} [in_i]"}), bundle(base, {"height": f"{inches * Decimal('2.54')} cm"})
    )


def gravest(found: list[Row], rules: set[str]) -> int:
    return max((RANK[r.severity] for r in found if r.flagged and r.rule in rules), default=0)


@few
@given(bases, st.integers(200, 3000), st.integers(1, 2000))
def test_a_higher_dose_never_lifts_an_above_range_finding(base: str, tenths: int, more: int) -> None:
    """Nor makes it milder. From 20 g on, so that no dose is implausibly low: 70 kg at most."""
    lower = judged(bundle(base, {"dose": f"{Decimal(tenths) / 10} g"}))
    higher = judged(bundle(base, {"dose": f"{Decimal(tenths + more) / 10} g"}))
    assert gravest(higher, ABOVE) >= gravest(lower, ABOVE), f"{shown(lower)}\n\nagainst\n\n{shown(higher)}"


@few
@given(bases, st.integers(2, 12), st.integers(1, 6))
def test_more_days_never_lift_an_above_range_finding(base: str, count: int, more: int) -> None:
    course = {"dose-course-above-range", "dose-implausible"}
    lower = judged(bundle(base, {"every": "1 d", "count": count}))
    higher = judged(bundle(base, {"every": "1 d", "count": count + more}))
    assert gravest(higher, course) >= gravest(lower, course), f"{shown(lower)}\n\nagainst\n\n{shown(higher)}"


# Every base, and every third case with something flagged.
VARIANTS = [(base, {}) for base in BASES] + [
    (c.base, c.change) for c in all_cases() if c.expect in ("error", "warning", "information")
][::3]


@few
@given(st.sampled_from(VARIANTS), st.randoms(use_true_random=False))
def test_the_order_of_entries_is_irrelevant(variant: tuple[str, Json], rng: random.Random) -> None:
    sent = bundle(*variant)
    inner = sent if "entry" in sent else sent["parameter"][0]["resource"]
    before = judged(sent)
    rng.shuffle(inner["entry"])
    after = judged(sent)
    assert said(before) == said(after), f"{shown(before)}\n\nagainst\n\n{shown(after)}"
    assert Counter(r.text for r in before) == Counter(r.text for r in after)


@few
@given(st.sampled_from(VARIANTS), st.randoms(use_true_random=False))
def test_the_order_of_rules_is_irrelevant(variant: tuple[str, Json], rng: random.Random) -> None:
    sent = bundle(*variant)
    shuffled = list(RULES)
    rng.shuffle(shuffled)
    other = Validator(validator().library)
    straight = other._judge
    other._judge = Judge(shuffled, straight.crashed, straight.verdict)
    before, after = rows_by(validator(), sent), rows_by(other, sent)
    assert said(before) == said(after), f"{shown(before)}\n\nagainst\n\n{shown(after)}"


def rows_by(judge: Validator, sent: Json) -> list[Row]:
    return rows(json.loads(answered(sent, judge)))


@pytest.mark.parametrize("base", BASES)
def test_the_same_order_gets_the_same_report_byte_for_byte(base: str) -> None:
    sent = written(bundle(base, {"weight": "absent", "dose": "60 g"}))
    once = answered(sent)
    assert once == answered(sent)
    assert once == answered(sent, Validator(validator().library))


@few
@given(bases, st.integers(1, 400))
def test_the_unit_of_a_dose_per_kg_is_the_weights(base: str, hundredths: int) -> None:
    """What is ordered per kg is found alike whatever unit the weight is in."""
    dose = f"{Decimal(hundredths) / 100} g/kg"
    assert_alike(
        bundle(base, {"dose": dose, "weight": "154 [lb_av]"}),
        bundle(base, {"dose": dose, "weight": f"{154 * POUND} kg"}),
    )


def test_the_properties_are_asked_of_orders_that_are_judged() -> None:
    for base in BASES:
        assert [r.verdict for r in rows(answer(bundle(base))) if r.verdict], base

"""What would make an order pass: each remedy is held against a second opinion, as changed and as FHIR."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from advised import advised, opinions
from bases import BASES
from builder import bundle
from casefiles import Case, all_cases
from orders import orders
from r4 import Json


def assert_sound(sent: Json) -> None:
    wrong = [w for one in advised(sent) for w in opinions(one)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("base", BASES)
def test_the_remedies_of_a_base_hold(base: str) -> None:
    assert_sound(bundle(base))


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.id)
def test_the_remedies_of_a_case_hold(case: Case) -> None:
    assert_sound(bundle(case.base, case.change))


@settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(orders())
def test_the_remedies_of_a_random_order_hold(order: tuple[str, Json]) -> None:
    assert_sound(bundle(*order))

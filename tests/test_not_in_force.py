"""A value is never used before its first day: what rests on it is not judged, and the answer names the value."""

from __future__ import annotations

import copy
from datetime import date

import pytest
from msgspec import json, structs

from builder import bundle
from ivig.core.dated import Series
from ivig.knowledge.load import load_library
from ivig.validator import Validator
from judged import answered, not_judged, rows

KEY = "dose.tolerance"


def since(first: date) -> Validator:
    """The shipped knowledge, with one policy value known from `first` on."""
    known = load_library()
    value = known.policy[KEY].values[-1]
    assert value is not None
    dated = Series(KEY, (first,), (structs.replace(value, start=first),))
    made = copy.copy(known)
    made.policy, made.changes, made._books = {**known.policy, KEY: dated}, sorted({*known.changes, first}), {}
    return Validator(made)


@pytest.mark.parametrize(("first", "raised"), [(date(2026, 11, 20), False), (date(2026, 11, 21), True)])
def test_a_value_is_not_used_before_its_first_day(first: date, raised: bool) -> None:
    told = json.decode(answered(bundle("gbs", {"text": "60 g daily for 5 days"}), since(first)))
    found = rows(told)
    said = [r for r in found if r.rule == "knowledge-not-in-force" and KEY in r.text]
    assert bool(said) is raised
    if raised:
        assert (said[0].severity, said[0].result) == ("information", "cannot-tell")
        assert "order-text-contradicts" in not_judged(found)
    else:
        assert any(r.rule == "order-text-contradicts" and r.flagged for r in found)

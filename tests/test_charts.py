"""Ordinary patients stay quiet: what a stewardship pharmacist would call noise is a failure here."""

from __future__ import annotations

import pytest

from charts import CHARTS, bundle_of
from judged import answer, rows, shown
from outcome_contract import assert_contract

# The warnings that may stand beside a chart, at most: the first day in intensive care is allowed one.
WARNINGS = {"gbs_on_its_first_day_in_the_icu": 1}
# What may be said for information, by the rules and not by what the service happens to say.
INFORMED = {
    "cidp_for_three_years": {
        "course-taper-due",  # the same 65 g for three years
        "risk-thrombosis",  # two factors: hypertension, and a day of 35 g or more
    },
    "gbs_on_its_first_day_in_the_icu": {
        "lab-iga-unknown",  # taken, and not reported yet
        "lab-serology-before-first",
        "risk-thrombosis",
    },
    "kawasaki_at_three_years": {"indication-off-label"},  # Gamunex-C; labelled is Gammagard S/D
    "itp_at_32_weeks_of_pregnancy": {
        "risk-pregnancy",
        "weight-implausible",  # 11% up on the median of half a year: with child, and still worth a look
    },
}


@pytest.mark.parametrize("name", CHARTS)
def test_an_ordinary_patient_is_quiet(name: str) -> None:
    sent = bundle_of(name)
    told = answer(sent)
    assert_contract(told, sent)
    found = rows(told)
    loud = [r for r in found if r.loud]
    assert len(loud) <= WARNINGS.get(name, 0), shown(found)
    assert not [r for r in found if r.severity == "error"], shown(found)
    informed = {r.rule for r in found if r.result != "note" and not r.loud}
    assert informed <= INFORMED.get(name, set()), shown(found)

"""Charts that others made: nothing falls over, no immune globulin is imagined, and what is there is found.

The immune globulin orders are ours, laid over Synthea patients with their own weights and creatinine (LOINC 38483-4).
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

import pieces
import r4
from corpus import CREATININE, HL7, WEIGHT, by_code, collection, hl7_requests, lines, synthea, with_kidney_function
from judged import Row, answer, flagged, rows, shown
from outcome_contract import assert_contract
from r4 import Json


def assert_no_order(sent: Json) -> None:
    told = answer(sent)
    assert_contract(told, sent)
    found = [r for r in rows(told) if r.code != "structure"]
    assert [r.rule for r in found] == ["order-none"], shown(found)


def test_the_corpora_are_there() -> None:
    assert len(hl7_requests()) == 40
    assert len(synthea()) == 100
    assert len(with_kidney_function()) == 25


@pytest.mark.parametrize("place", range(40))
def test_no_hl7_example_is_an_immune_globulin(place: int) -> None:
    assert_no_order(collection([hl7_requests()[place]]))


def test_all_hl7_examples_at_once() -> None:
    everything = [r for path in sorted(HL7.glob("*.ndjson.gz")) for r in lines(path)]
    assert_no_order(collection(everything))


@pytest.mark.parametrize("who", sorted(synthea()))
def test_no_synthea_patient_gets_an_immune_globulin(who: str) -> None:
    assert_no_order(collection(synthea()[who]))


def laid_over(who: str, day: date, grams: Decimal) -> Json:
    """The patient's whole chart with our order for GBS on `day`: five daily doses of `grams`."""
    made = pieces.order(pieces.PRIVIGEN, "G61.0", "inpatient", dose=f"{grams} g", count=5, every="1 d")
    made |= {"subject": r4.subject(who), "authoredOn": f"{day.isoformat()}T12:00:00-05:00"}
    return collection([*synthea()[who], made])


def weighed_by(who: str, day: date) -> tuple[date, Decimal]:
    """Day and kilograms of the last weight on or before `day`, by our own reading of the chart."""
    seen = [w for w in by_code(synthea()[who])[WEIGHT] if w["effectiveDateTime"][:10] <= day.isoformat()]
    last = seen[-1]
    assert last["valueQuantity"]["code"] == "kg"
    return date.fromisoformat(last["effectiveDateTime"][:10]), Decimal(str(last["valueQuantity"]["value"]))


def day_after(who: str, which: int) -> date:
    """The day after one of the patient's creatinine results."""
    results = by_code(synthea()[who])[CREATININE]
    return date.fromisoformat(results[which]["effectiveDateTime"][:10]) + timedelta(days=1)


def per_kg(who: str, day: date, grams: str) -> Decimal:
    _, kg = weighed_by(who, day)
    return (kg * Decimal(grams)).quantize(Decimal("0.01"))


def judged_in_full_view(sent: Json) -> list[Row]:
    """The rows of a sound outcome about one order in which no rule crashed."""
    told = answer(sent)
    assert_contract(told, sent)
    found = rows(told)
    assert [r.rule for r in found].count("order-verdict") == 1, shown(found)
    assert not [r for r in found if r.code == "exception"], shown(found)
    return found


def about_creatinine(found: list[Row]) -> list[Row]:
    return [
        r for r in found if r.rule == "lab-missing" and ("creatinine" in r.text.lower() or "kidney" in r.text.lower())
    ]


@pytest.mark.parametrize("who", [who for who in with_kidney_function() if day_after(who, 0) != day_after(who, -1)])
def test_later_evidence_is_not_seen_and_that_is_said(who: str) -> None:
    found = judged_in_full_view(laid_over(who, day_after(who, 0), per_kg(who, day_after(who, 0), "0.4")))
    assert "chart-evidence-later" in {r.rule for r in found}, shown(found)


@pytest.mark.parametrize("who", with_kidney_function())
class TestOursOverSynthea:
    def test_weight_and_creatinine_are_found(self, who: str) -> None:
        day = day_after(who, -1)
        found = judged_in_full_view(laid_over(who, day, per_kg(who, day, "0.4")))
        assert "weight-missing" not in {r.rule for r in found}, shown(found)
        assert not about_creatinine(found), shown(found)
        assert not {"dose-course-above-range", "dose-course-below-range", "dose-implausible"} & flagged(found), shown(
            found
        )

    def test_the_dose_is_held_against_the_last_weight_before_the_order(self, who: str) -> None:
        """0.6 g/kg on five days is 3 g/kg: half again above 2 g/kg. The weight in the arithmetic is the chart's."""
        day = day_after(who, len(by_code(synthea()[who])[CREATININE]) // 2)
        weighed, kg = weighed_by(who, day)
        told = answer(laid_over(who, day, per_kg(who, day, "0.6")))
        issues = {r.rule: issue for r, issue in zip(rows(told), told["issue"], strict=True)}
        above = issues["dose-course-above-range"]
        assert above["severity"] == "error"
        assert f"{kg.normalize():f} kg" in above["diagnostics"]
        assert weighed.isoformat() in above["diagnostics"]

    def test_without_creatinine_it_is_missed(self, who: str) -> None:
        """The same chart without its creatinine and eGFR: otherwise the first test could not fail."""
        day = day_after(who, -1)
        sent = laid_over(who, day, per_kg(who, day, "0.4"))
        gone = {CREATININE, "33914-3"}
        sent["entry"] = [
            e for e in sent["entry"] if e["resource"].get("code", {}).get("coding", [{}])[0].get("code") not in gone
        ]
        found = judged_in_full_view(sent)
        assert about_creatinine(found), shown(found)

"""The reader: doses in words, and shapes of timing that a case file would hide. What is expected is worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from msgspec import json

from builder import bundle
from ivig.core.order import Order
from ivig.knowledge.load import load_library
from ivig.wire.decode import decode
from ivig.wire.prose import read_prose
from ivig.wire.read import Asked, read

LIBRARY = load_library()

# text: dose, unit, what it is for, infusion days, interval in days
WORDS = {
    "28 g daily for 5 days": ("28", "g", "dose", 5, None),
    "0.4 g/kg daily x 5": ("0.4", "g/kg", "dose", 5, None),
    "0.4 g/kg/d x5d": ("0.4", "g/kg/d", "day", 5, None),
    "0,4 g/kg/day for 5 days": ("0.4", "g/kg/d", "day", 5, None),
    "400 mg per kilogram daily x 5 days": ("400", "mg/kg", "dose", 5, None),
    "1,000 mg/kg once": ("1000", "mg/kg", "dose", 1, None),
    "2 g/kg divided over 5 days": ("2", "g/kg", "course", 5, None),
    "2 grams/kg over five days": ("2", "g/kg", "course", 5, None),
    "2g/kg given in 5 divided doses": ("2", "g/kg", "course", 5, None),
    "140 g total over 5 days": ("140", "g", "course", 5, None),
    "28 g/day for 5/7": ("28", "g/d", "day", 5, None),
    "5 x 28 g": ("28", "g", "dose", 5, None),
    "5-day course of 0.4 g/kg/day": ("0.4", "g/kg/d", "day", 5, None),
    "70 g every 4 weeks": ("70", "g", "dose", None, "28"),
    "70 g monthly": ("70", "g", "dose", None, "28"),
    "IVIG 2 g/kg over 2-5 days": ("2", "g/kg", "course", None, None),
    "28 g IV. Acetaminophen 650 mg PO before infusion": ("28", "g", "dose", None, None),
}
# Texts that tell no dose of immune globulin.
NO_DOSE = (
    "IVIG per protocol. Premedicate with diphenhydramine 50 mg 30 minutes before.",
    "Give 500 mL normal saline before each infusion.",
    "as directed",
    "28 g = 1 x 20 g vial + 1 x 5 g + 3 x 1 g",
    "35 g daily, then 70 g",
    "CBC every 2 weeks",
    "flush with 50 mL D5W",
)


@pytest.mark.parametrize("text", WORDS)
def test_a_dose_in_words(text: str) -> None:
    dose, unit, each, days, interval = WORDS[text]
    found = read_prose(text, LIBRARY.lexicon)
    assert found.amount is not None
    assert (found.amount.high, found.amount.unit, found.amount.each) == (Decimal(dose), unit, each)
    assert found.days == days
    assert found.interval == (Decimal(interval) if interval else None)


@pytest.mark.parametrize("text", NO_DOSE)
def test_no_dose_of_ours(text: str) -> None:
    assert read_prose(text, LIBRARY.lexicon).amount is None


def orders(base: str, change: dict[str, object]) -> tuple[Order, ...]:
    asked = Asked(now=datetime(2026, 11, 20, tzinfo=UTC))
    return read(decode(json.encode(bundle(base, change))), LIBRARY.lexicon, asked).orders


def repeat(**more: object) -> dict[str, object]:
    return {"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", **more}}}


@pytest.mark.parametrize(
    ("change", "days"),
    [
        (repeat(count=5), 5),
        (repeat(boundsDuration={"value": 5, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}), 5),
        (repeat(boundsPeriod={"start": "2026-11-20", "end": "2026-11-24"}), 5),  # the 20th to the 24th
        (repeat(period=2, count=3), 3),  # every other day
        (repeat(count=5, countMax=10), 10),  # the upper end is judged
        (repeat(periodUnit="wk", dayOfWeek=["mon", "tue", "wed", "thu", "fri"], count=5), 5),
        ({"timing": {"code": {"text": "daily x 5 days"}}}, 5),
        ({"timing": {"repeat": {"count": 5}}}, None),  # no period: nothing tells when
        ({"timing": {"repeat": {"count": 1}}}, 1),
    ],
)
def test_infusion_days(change: dict[str, object], days: int | None) -> None:
    (order,) = orders("gbs", change)
    assert order.parts[0].days == days


def test_days_a_week_apart_repeat_however_they_are_written() -> None:
    weekly = ["2026-11-20T10:00:00Z", "2026-11-27T10:00:00Z", "2026-12-04T10:00:00Z"]
    (listed,) = orders("cidp_maintenance", {"events": weekly})
    (counted,) = orders("cidp_maintenance", {"timing": {"repeat": {"period": 1, "periodUnit": "wk", "count": 3}}})
    assert (listed.parts[0].interval, listed.parts[0].cycles) == (Decimal(7), 3)
    assert (counted.parts[0].interval, counted.parts[0].cycles) == (Decimal(7), 3)


def test_a_dispensed_total_tells_the_doses_before_one_is_assumed() -> None:
    quantity = {"value": 140, "unit": "g", "system": "http://unitsofmeasure.org", "code": "g"}
    (order,) = orders(
        "gbs", {"timing": "absent", "setting": "inpatient", "order": {"dispenseRequest": {"quantity": quantity}}}
    )
    assert order.parts[0].days == 5  # 140 g / 28 g
    assert any("5 doses" in said for said in order.assumptions)


def one_day(day: int, **more: object) -> dict[str, object]:
    return {
        "id": f"day-{day}",
        "dosageInstruction": [
            {
                "route": {"coding": [{"system": "http://snomed.info/sct", "code": "47625008"}]},
                "timing": {"event": [f"2026-11-{day}T10:00:00Z"]},
                "doseAndRate": [
                    {"doseQuantity": {"value": 28, "unit": "g", "system": "http://unitsofmeasure.org", "code": "g"}}
                ],
            }
        ],
        **more,
    }


def test_single_days_that_follow_each_other_are_one_course_without_a_group() -> None:
    found = orders("gbs", {"events": ["2026-11-20T10:00:00Z"], "orders": [one_day(d) for d in (21, 22, 23, 24)]})
    assert len(found) == 5
    assert {len(order.group_parts) for order in found} == {5}


def test_single_days_a_week_and_a_day_apart_are_two() -> None:
    found = orders("gbs", {"events": ["2026-11-20T10:00:00Z"], "orders": [one_day(28)]})  # 28 - 20 = 8 days
    assert {len(order.group_parts) for order in found} == {0}


def test_a_condition_of_another_patient_is_no_reason() -> None:
    stranger = {
        "resourceType": "Condition",
        "id": "x",
        "subject": {"reference": "Patient/x"},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "G61.0"}]},
    }
    change = {"add": [stranger], "order": {"reasonCode": None, "reasonReference": [{"reference": "Condition/x"}]}}
    (order,) = orders("gbs", change)
    assert [reason.concept.indications for reason in order.reasons] == [()]


@pytest.mark.parametrize(
    "text",
    [
        "history of GBS",
        "sequelae of Guillain-Barre syndrome",
        "post-GBS fatigue",
        "GBS sepsis prophylaxis",
        "rule out GBS",
    ],
)
def test_words_that_are_no_reason(text: str) -> None:
    (order,) = orders("gbs", {"reason": {"text": text}})
    assert [reason.concept.indications for reason in order.reasons] == [()]

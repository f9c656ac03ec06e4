"""What holds of interacting medicines whatever the order: their days decide, and they never make an order look better."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from bases import BASES
from builder import bundle
from ivig.core.dated import Series, Value
from ivig.knowledge.load import load_library
from ivig.validator import Validator
from judged import Row, answered, judged, rows, shown
from r4 import Json, empty_search

WORST = ("clear", "advise", "cannot-tell", "stop")
FCRN, C5, MMN = "interaction-fcrn-blocker", "interaction-c5-inhibitor", "interaction-steroid-in-mmn"
DAY = date(2026, 11, 20)
WINDOW = 14
DAILY = [{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}]
ADDED: dict[str, Json] = {
    "efgartigimod": {"drugs": [{"words": "efgartigimod", "authored": "2026-11-01T09:00:00Z"}]},
    "eculizumab": {"drugs": [{"words": "Soliris", "authored": "2026-11-01T09:00:00Z"}]},
    "ravulizumab dose": {"given": [{"day": "2026-11-10", "product": "ravulizumab", "dose": "absent"}]},
    "vaccine": {"immunizations": [{"cvx": "03", "words": "MMR", "day": "2026-11-12"}]},
    "vaccine planned": {"requests": [{"words": "varicella vaccine", "day": "2027-01-12"}]},
}


def verdict(found: list[Row]) -> str:
    return next(r.verdict for r in found if r.verdict)


def severity(found: list[Row], rule: str) -> str:
    return next((r.severity for r in found if r.rule == rule and r.flagged), "")


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("added", ADDED)
def test_an_interacting_medicine_never_lowers_the_verdict(base: str, added: str) -> None:
    before, after = judged(bundle(base)), judged(bundle(base, ADDED[added]))
    assert WORST.index(verdict(after)) >= WORST.index(verdict(before)), shown(after)
    lost = {r.rule for r in before if r.flagged} - {r.rule for r in after if r.flagged}
    assert not lost, shown(after)


@pytest.mark.parametrize("base", ["mmn", "mmn_maintenance"])
def test_a_steroid_never_lowers_the_verdict_in_multifocal_motor_neuropathy(base: str) -> None:
    after = judged(bundle(base, {"drugs": [{"words": "prednisone", "dosageInstruction": DAILY}]}))
    assert verdict(after) == "advise"


def _given(last: date) -> Json:
    return {"given": [{"day": last.isoformat(), "product": "efgartigimod", "dose": "absent", "reason": "absent"}]}


def _bounded(last: date) -> Json:
    bounds = {"start": "2026-01-05", "end": last.isoformat()}
    dosage = [{"timing": {"repeat": {"boundsPeriod": bounds}}}]
    return {"drugs": [{"words": "efgartigimod", "authored": "2026-01-05T09:00:00Z", "dosageInstruction": dosage}]}


def _counted(last: date) -> Json:
    begun = last - timedelta(days=21)  # four weekly doses
    dosage = [{"timing": {"repeat": {"count": 4, "frequency": 1, "period": 1, "periodUnit": "wk"}}}]
    return {"drugs": [{"words": "efgartigimod", "authored": f"{begun}T09:00:00Z", "dosageInstruction": dosage}]}


def _stated(last: date) -> Json:
    statement = {
        "resourceType": "MedicationStatement",
        "id": "statement-1",
        "status": "completed",
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": {"text": "efgartigimod"},
        "effectivePeriod": {"start": "2026-01-05", "end": last.isoformat()},
    }
    return {"add": [statement]}


def _dispensed(last: date) -> Json:
    dispense = {
        "resourceType": "MedicationDispense",
        "id": "dispense-1",
        "status": "completed",
        "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": {"text": "efgartigimod"},
        "whenHandedOver": (last - timedelta(days=27)).isoformat(),
        "daysSupply": {"value": 28, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"},
    }
    return {"add": [dispense]}


@pytest.mark.parametrize("told", [_given, _bounded, _counted, _stated, _dispensed])
@pytest.mark.parametrize("base", ["gbs", "cidp_maintenance"])
def test_the_last_day_decides_and_not_the_record_that_tells_of_it(base: str, told: object) -> None:
    for ago in (0, 1, WINDOW - 1, WINDOW, WINDOW + 1, WINDOW + 2, 60):
        found = judged(bundle(base, told(DAY - timedelta(days=ago))))  # type: ignore[operator]
        assert (severity(found, FCRN) == "warning") == (ago <= WINDOW), f"{ago} days before\n{shown(found)}"


@pytest.mark.parametrize("months", [2, 6, 24, 120])
@pytest.mark.parametrize("words", ["efgartigimod", "ravulizumab", "prednisone"])
def test_what_ended_long_ago_is_silent(months: int, words: str) -> None:
    last = DAY - timedelta(days=30 * months)
    dosage = [{"timing": {"repeat": {"boundsPeriod": {"start": "2010-01-01", "end": last.isoformat()}}}}]
    drug = {"words": words, "authored": "2010-01-01T09:00:00Z", "dosageInstruction": dosage}
    found = judged(bundle("mmn_maintenance", {"drugs": [drug]}))
    assert not {r.rule for r in found if r.flagged} & {FCRN, C5, MMN}, shown(found)


@pytest.fixture(scope="module")
def barring() -> Validator:
    """A validator by a policy that bars FcRn and C5 inhibitors beside maintenance."""
    library = load_library()
    bars = Value(key="interaction.block", words=("error",), source="S-NBA26", at="maintenance", seen="confirmed")
    library.policy = {**library.policy, "interaction.block": Series("interaction.block", (date.min,), (bars,))}
    return Validator(library)


def by(validator: Validator, sent: Json) -> list[Row]:
    return rows(json.loads(answered(sent, validator)))


@pytest.mark.parametrize(
    ("base", "words", "rule", "expected"),
    [
        ("cidp_maintenance", "efgartigimod", FCRN, "error"),
        ("cidp_maintenance", "ravulizumab", C5, "error"),
        ("cidp_maintenance", "zilucoplan", C5, "error"),
        ("mg", "efgartigimod", FCRN, "warning"),
        ("mg", "ravulizumab", C5, "warning"),
        ("mg", "zilucoplan", C5, ""),
        ("cidp", "efgartigimod", FCRN, "warning"),
    ],
)
def test_a_policy_may_bar_them_in_maintenance_only(
    barring: Validator, base: str, words: str, rule: str, expected: str
) -> None:
    sent = bundle(base, {"drugs": [{"words": words}]})
    assert severity(by(barring, sent), rule) == expected
    assert severity(judged(sent), rule) == ("" if words == "zilucoplan" else "warning")


def test_maintenance_stays_barred_without_its_reason(barring: Validator) -> None:
    sent = bundle(
        "cidp_maintenance", {"drugs": [{"words": "efgartigimod"}], "reason": "absent", "without": ["Condition"]}
    )
    assert severity(by(barring, sent), FCRN) == "error"


def test_a_truncated_list_of_medicines_is_no_list_without_aspirin() -> None:
    """A search that has another page tells nothing of what is not on it."""
    change = {"without": ["MedicationRequest"], "drugs": [{"words": "acetaminophen"}]}
    sent = bundle("kawasaki", change)
    page = empty_search("MedicationRequest")
    page["link"].append({"relation": "next", "url": "https://ehr.test/fhir/MedicationRequest?page=2"})
    sent["entry"].append({"resource": page})
    found = judged(sent)
    assert severity(found, "adjunct-aspirin-missing") == "", shown(found)
    assert any("adjunct-aspirin-missing" in r.not_judged for r in found), shown(found)

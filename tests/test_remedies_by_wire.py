"""What would make an order pass, done by a reader who has nothing but the extension of the outcome."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from fhir.resources.R4B.timing import Timing
from hypothesis import HealthCheck, given, settings

from advised import SAID_BY_THE_PRODUCT
from builder import bundle
from ivig.wire.outcome import encode, outcome
from ivig.wire.told import REMEDY, add_remedies
from judged import validator, written
from orders import orders
from r4 import Json

DOSES = ("doseQuantity", "doseRange", "type")
RATES = ("rateQuantity", "rateRatio", "rateRange")
LENGTHS = ("duration", "durationMax", "durationUnit")


def answer(sent: Json, detail: str = "full") -> Json:
    asked = {"name": "detail", "valueCode": detail}
    whole = sent if sent["resourceType"] == "Parameters" else {"resourceType": "Parameters", "parameter": []}
    if whole is not sent:
        whole["parameter"] = [{"name": "bundle", "resource": sent}]
    body = {**whole, "parameter": [*whole["parameter"], asked]}
    report, decoded = validator().validate(written(body))
    told = outcome(report, (), decoded.in_full)
    if decoded.in_full:
        add_remedies(told, report)
    made: Json = json.loads(encode(told))
    return made


def remedies(told: Json) -> Iterator[tuple[Json, Json]]:
    """Each issue with its remedy."""
    for issue in told["issue"]:
        yield from ((issue, e) for e in issue.get("extension", ()) if e["url"] == REMEDY)


def changes(remedy: Json) -> Iterator[tuple[str, str, Any]]:
    """Kind, place and value of each change."""
    for part in remedy["extension"]:
        if part["url"] == "change":
            held = {p["url"]: next(v for k, v in p.items() if k != "url") for p in part["extension"]}
            yield held["kind"], held.get("path", ""), held["value"]


def spoken(told: Json) -> Counter[str]:
    """How often each rule speaks, notes left out."""
    return Counter(
        i["details"]["coding"][0]["code"]
        for i in told["issue"]
        if i.get("details", {}).get("coding") and i["details"]["coding"][1]["code"] != "note"
    )


def done(sent: Json, remedy: Json) -> Json | None:
    """The bundle with a remedy done by what its extension says; None where it asks for a test, or for what is not R4."""
    made = copy.deepcopy(sent)
    inner = made if made["resourceType"] == "Bundle" else made["parameter"][0]["resource"]
    order = next(e["resource"] for e in inner["entry"] if e["resource"].get("id") == "order1")
    every = list(changes(remedy))
    scheduled = {place.removesuffix(".timing") for kind, place, _ in every if kind == "timing"}
    for kind, place, value in every:
        if kind == "test":
            return None
        if kind in ("days", "interval", "start"):
            assert place in scheduled, f"{kind} without the timing"
            continue
        if kind == "drug":
            extra = {k: order[k] for k in ("subject", "authoredOn")} | {"medicationCodeableConcept": value}
            inner["entry"].append({"resource": {"resourceType": "MedicationRequest", "status": "draft", **extra}})
        elif kind == "product":
            order.pop("medicationReference", None)
            order["medicationCodeableConcept"] = value
        elif kind == "dispense":
            order.setdefault("dispenseRequest", {})["quantity"] = value
        elif kind == "dosing-weight" or kind == "route":
            return None  # their place is told, their shape is that of the profile
        else:
            number = int(place.partition("dosageInstruction[")[2].partition("]")[0])
            if not _instructed(order["dosageInstruction"][number], kind, value):
                return None
    return made


def _instructed(dosage: Json, kind: str, value: Any) -> bool:
    entries = dosage.setdefault("doseAndRate", [{}])
    match kind:
        case "text":
            dosage["text"] = value
        case "remove":
            del dosage["text"]
        case "timing":
            Timing.model_validate(value)
            kept = {k: v for k, v in dosage.get("timing", {}).get("repeat", {}).items() if k in LENGTHS}
            dosage["timing"] = value | ({"repeat": value.get("repeat", {}) | kept} if kept else {})
        case "dose":
            for entry in entries:
                for name in DOSES:
                    entry.pop(name, None)
            entries[0]["doseRange" if "high" in value else "doseQuantity"] = value
        case "rate":
            if value["code"] in ("h", "min") or sum(any(n in e for n in RATES) for e in entries) > 1:
                return False
            for name in RATES:
                entries[0].pop(name, None)
            entries[0]["rateQuantity"] = value
    return True


def faults(sent: Json) -> list[str]:
    told = answer(sent)
    before, wrong = spoken(told), []
    for issue, remedy in remedies(told):
        made = done(sent, remedy)
        if made is None:
            continue
        after = spoken(answer(made, "normal"))
        excused = SAID_BY_THE_PRODUCT if any(kind == "product" for kind, _, _ in changes(remedy)) else set()
        said = remedy["extension"][0]["valueString"]
        wrong += [f"{said}: {rule} is new" for rule in after if after[rule] > before[rule] and rule not in excused]
        gone = [p["valueCode"] for p in remedy["extension"] if p["url"] == "clears"]
        wrong += [f"{said}: {rule} is not cleared" for rule in gone if after[rule] >= before[rule]]
        assert issue["severity"] != "fatal"
    return wrong


def test_a_daily_dose_given_in_two_parts_is_not_doubled() -> None:
    """34 g a day in 2 infusions: 170 g / 70 kg = 2.43 g/kg. 2 g/kg x 70 kg / 5 days = 28 g, in whole vials 30 g a day: once a day, 5 times."""
    timing = {"timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d", "count": 10}}}
    sent = bundle("gbs", {"dose": "34 g/d", **timing})
    told = [r for i, r in remedies(answer(sent)) if i["details"]["coding"][0]["code"] == "dose-course-above-range"]
    (remedy,) = told
    made = {kind: value for kind, _, value in changes(remedy)}
    assert (made["dose"]["value"], made["dose"]["code"]) == (30, "g")
    assert made["timing"]["repeat"] == {"frequency": 1, "period": 1, "periodUnit": "d", "count": 5}
    assert not faults(sent)


def test_the_days_that_only_the_text_told_are_told_with_the_dose() -> None:
    """38 g `daily for 5 days` for 70 kg: 30 g a day. The text goes with its number, and so would the five days."""
    sent = bundle("gbs", {"dose": "38 g", "count": "absent", "timing": "absent", "text": "38 g daily for 5 days"})
    (remedy,) = [r for i, r in remedies(answer(sent)) if i["details"]["coding"][0]["code"] == "dose-course-above-range"]
    made = [(kind, value) for kind, _, value in changes(remedy)]
    assert ("remove", True) in made
    (timing,) = [value for kind, value in made if kind == "timing"]
    assert timing["repeat"]["count"] == 5
    assert not faults(sent)


@pytest.mark.parametrize("change", [{"rate": "900 mL/h"}, {"rate": "absent"}])
def test_another_rate_leaves_a_text_on_the_dose_and_what_it_contradicts(change: Json) -> None:
    """28 g are coded, 35 g written: which is meant is not for a slower rate to settle."""
    sent = bundle("gbs", {"text": "35 g IV daily", **change})
    told = answer(sent)
    assert "order-text-contradicts" in spoken(told)
    named = [r for i, r in remedies(told) if i["details"]["coding"][0]["code"].startswith("rate-")]
    assert named
    for remedy in named:
        assert "order-text-contradicts" not in [p.get("valueCode") for p in remedy["extension"]]
        assert "remove" not in [kind for kind, _, _ in changes(remedy)]
    assert not faults(sent)


def test_a_text_on_the_rate_goes_with_the_rate() -> None:
    sent = bundle("cidp_maintenance", {"rate": "absent", "text": "70 g every 3 weeks at 900 mL/h"})
    (remedy,) = [r for i, r in remedies(answer(sent)) if i["details"]["coding"][0]["code"] == "rate-above-label"]
    assert "remove" in [kind for kind, _, _ in changes(remedy)] or "text" in [kind for kind, _, _ in changes(remedy)]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(orders())
def test_the_remedies_of_a_random_order_hold_by_the_wire_alone(order: tuple[str, Json]) -> None:
    wrong = faults(bundle(*order))
    assert not wrong, "\n".join(wrong)

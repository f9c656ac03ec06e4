"""Every rate of every label: at it, on the tolerance, just beyond, and below. The numbers were copied by hand from the facts.

They are held in the unit the label prints. Where it prints two that differ by rounding, the one the page holds stands here,
and the other behind it. Patients weigh 70 kg.
"""

from __future__ import annotations

import json
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from builder import bundle
from ivig.core.finding import Finding
from ivig.core.judge import Case
from ivig.core.rule import needs
from ivig.rules.rate import above_at_risk_ceiling, above_initial, above_label
from ivig.rules.risk import renal, thrombosis
from ivig.wire.decode import decode
from ivig.wire.read import Asked, read
from judged import Row, judged, shown, validator

KG = Decimal(70)
MG, ML_H, ML_MIN = "mg/kg/min", "mL/kg/h", "mL/kg/min"
REASONS = {"pid": "D83.9", "itp": "D69.3", "cidp": "G61.81", "mmn": "G61.82", "dm": "M33.12", "cll": "C91.10"}
REASONS |= {"kawasaki": "M30.3", "gbs": "G61.0"}

# Words of the order, grams per mL, indication, highest rate, its unit, whether somebody saw it in a source.
HIGHEST = (
    ("Privigen 10%", "0.10", "pid", "8", MG, True),
    ("Privigen 10%", "0.10", "itp", "4", MG, True),
    ("Privigen 10%", "0.10", "cidp", "8", MG, True),
    ("Gamunex-C 10%", "0.10", "pid", "8", MG, True),
    ("Gamunex-C 10%", "0.10", "itp", "8", MG, True),
    ("Gamunex-C 10%", "0.10", "cidp", "8", MG, True),
    ("Gammaked 10%", "0.10", "pid", "8", MG, False),
    ("Gammaked 10%", "0.10", "itp", "8", MG, False),
    ("Gammaked 10%", "0.10", "cidp", "8", MG, False),
    ("Gammagard Liquid 10%", "0.10", "pid", "8", MG, True),  # also printed: 5 mL/kg/h
    ("Gammagard Liquid 10%", "0.10", "mmn", "5.4", ML_H, True),  # 9 mg/kg/min
    ("Gammagard Liquid 10%", "0.10", "cidp", "5.4", ML_H, True),  # 9 mg/kg/min
    ("Gammagard Liquid ERC 10%", "0.10", "pid", "8", MG, False),
    ("Gammagard S/D 5%", "0.05", "pid", "4", ML_H, False),  # 3.3 mg/kg/min, for all indications
    ("Gammagard S/D 5%", "0.05", "itp", "4", ML_H, False),
    ("Gammagard S/D 5%", "0.05", "cll", "4", ML_H, False),
    ("Gammagard S/D 5%", "0.05", "kawasaki", "4", ML_H, False),
    ("Gammagard S/D 5%", "0.05", "gbs", "4", ML_H, False),
    ("Gammagard S/D 10%", "0.10", "pid", "8", ML_H, False),  # 13.3 mg/kg/min, for all indications
    ("Gammagard S/D 10%", "0.10", "itp", "8", ML_H, False),
    ("Gammagard S/D 10%", "0.10", "cll", "8", ML_H, False),
    ("Gammagard S/D 10%", "0.10", "kawasaki", "8", ML_H, False),
    ("Gammagard S/D 10%", "0.10", "gbs", "8", ML_H, False),
    ("Octagam 5%", "0.05", "pid", "0.07", ML_MIN, True),  # also printed: 3.33 mg/kg/min
    ("Octagam 10%", "0.10", "itp", "12", MG, True),
    ("Octagam 10%", "0.10", "dm", "4", MG, True),
    ("Flebogamma DIF 5%", "0.05", "pid", "5", MG, True),
    ("Flebogamma DIF 10%", "0.10", "pid", "8", MG, True),
    ("Flebogamma DIF 10%", "0.10", "itp", "8", MG, True),
    ("Gammaplex 5%", "0.05", "pid", "4", MG, True),
    ("Gammaplex 5%", "0.05", "itp", "4", MG, True),
    ("Gammaplex 10%", "0.10", "pid", "8", MG, True),
    ("Gammaplex 10%", "0.10", "itp", "8", MG, True),
    ("Bivigam 10%", "0.10", "pid", "6", MG, True),
    ("Asceniv 10%", "0.10", "pid", "8", MG, True),
    ("Panzyga 10%", "0.10", "pid", "14", MG, True),
    ("Panzyga 10%", "0.10", "itp", "8", MG, True),
    ("Panzyga 10%", "0.10", "cidp", "12", MG, True),
    ("Alyglo 10%", "0.10", "pid", "8", MG, False),
    ("Qivigy 10%", "0.10", "pid", "8", MG, True),
    ("Carimune NF 3%", "0.03", "pid", "3", MG, True),  # for all indications
    ("Carimune NF 6%", "0.06", "pid", "3", MG, True),
    ("Carimune NF 6%", "0.06", "itp", "3", MG, True),
    ("Carimune NF 6%", "0.06", "gbs", "3", MG, True),
    ("Carimune NF 9%", "0.09", "pid", "3", MG, True),
    ("Carimune NF 12%", "0.12", "pid", "3", MG, True),
)
# At risk of thrombosis or kidney injury: the number where the label gives one, else None.
AT_RISK = (
    ("Privigen 10%", "0.10", "cidp", None, MG),
    ("Gamunex-C 10%", "0.10", "cidp", "8", MG),  # "less than"
    ("Gammaked 10%", "0.10", "cidp", "8", MG),  # "less than"
    ("Gammagard Liquid 10%", "0.10", "cidp", "3.2", MG),
    ("Gammagard Liquid ERC 10%", "0.10", "pid", None, MG),
    ("Gammagard S/D 5%", "0.05", "pid", None, ML_H),
    ("Gammagard S/D 10%", "0.10", "pid", None, ML_H),
    ("Octagam 5%", "0.05", "pid", "0.07", ML_MIN),  # "less than"
    ("Octagam 10%", "0.10", "itp", "3.3", MG),
    ("Flebogamma DIF 5%", "0.05", "pid", None, MG),
    ("Flebogamma DIF 10%", "0.10", "pid", None, MG),
    ("Gammaplex 5%", "0.05", "pid", None, MG),
    ("Gammaplex 10%", "0.10", "pid", None, MG),
    ("Bivigam 10%", "0.10", "pid", None, MG),
    ("Asceniv 10%", "0.10", "pid", None, MG),
    ("Panzyga 10%", "0.10", "cidp", "3.3", MG),
    ("Alyglo 10%", "0.10", "pid", None, MG),
    ("Qivigy 10%", "0.10", "pid", None, MG),
    ("Carimune NF 6%", "0.06", "pid", "2", MG),  # "less than"
)
INITIAL = (
    ("Privigen 10%", "0.10", "cidp", "0.5", MG),
    ("Gamunex-C 10%", "0.10", "pid", "1", MG),
    ("Gamunex-C 10%", "0.10", "itp", "1", MG),
    ("Gamunex-C 10%", "0.10", "cidp", "2", MG),
    ("Gammaked 10%", "0.10", "cidp", "2", MG),
    ("Gammagard Liquid 10%", "0.10", "cidp", "0.5", ML_H),
    ("Gammagard Liquid ERC 10%", "0.10", "pid", "0.8", MG),
    ("Gammagard S/D 5%", "0.05", "pid", "0.5", ML_H),
    ("Gammagard S/D 10%", "0.10", "pid", "0.5", ML_H),
    ("Octagam 5%", "0.05", "pid", "0.01", ML_MIN),
    ("Octagam 10%", "0.10", "itp", "1", MG),
    ("Flebogamma DIF 5%", "0.05", "pid", "0.5", MG),
    ("Flebogamma DIF 10%", "0.10", "pid", "1", MG),
    ("Gammaplex 5%", "0.05", "pid", "0.5", MG),
    ("Gammaplex 10%", "0.10", "pid", "0.5", MG),
    ("Bivigam 10%", "0.10", "pid", "0.5", MG),
    ("Asceniv 10%", "0.10", "pid", "0.5", MG),
    ("Panzyga 10%", "0.10", "cidp", "1", MG),
    ("Yimmugo 10%", "0.10", "pid", "0.5", MG),
    ("Alyglo 10%", "0.10", "pid", "1", MG),
    ("Qivigy 10%", "0.10", "pid", "1", MG),
    ("Carimune NF 6%", "0.06", "pid", "0.5", MG),
)
KIDNEYS = {"conditions": [{"icd10cm": "N18.30", "words": "CKD 3", "recorded": "2026-11-01"}]}


def as_pumped(number: Decimal, unit: str, strength: str) -> Decimal:
    """A rate in mL/h at 70 kg, by this file's own sum."""
    if unit == MG:
        return number * KG * 60 / (Decimal(strength) * 1000)
    return number * KG * (60 if unit == ML_MIN else 1)


def said(product: str, indication: str, rate: Decimal, unit: str, **change: Any) -> list[Row]:
    value = {"value": float(rate), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    base = {"product": product, "reason": REASONS[indication], "rate": value}
    return judged(bundle("cidp", base | change))


def severity(found: list[Row], rule: str) -> str:
    """How a rule was flagged; "" when it was not, and was judged."""
    assert not [r for r in found if rule in r.not_judged], shown(found)
    return next((r.severity for r in found if r.rule == rule and r.flagged), "")


@pytest.mark.parametrize(
    ("product", "strength", "indication", "number", "unit", "seen"), HIGHEST, ids=lambda v: str(v).replace(" ", "-")
)
def test_the_highest_rate(product: str, strength: str, indication: str, number: str, unit: str, seen: bool) -> None:
    highest = Decimal(number)
    expected = {"0.9": "", "1": "", "1.05": "", "1.0501": "warning", "1.2": "warning"}
    expected |= {"1.2001": "error" if seen else "warning", "3": "error" if seen else "warning"}
    for times, wanted in expected.items():
        found = said(product, indication, highest * Decimal(times), unit)
        assert severity(found, "rate-above-label") == wanted, f"{times} x {number} {unit}\n{shown(found)}"


@pytest.mark.parametrize(
    ("product", "strength", "indication", "number", "unit", "seen"), HIGHEST, ids=lambda v: str(v).replace(" ", "-")
)
def test_the_same_as_a_pump_is_set(
    product: str, strength: str, indication: str, number: str, unit: str, seen: bool
) -> None:
    pumped = as_pumped(Decimal(number), unit, strength)
    for times, wanted in {"0.9": "", "1": "", "1.06": "warning"}.items():
        found = said(product, indication, pumped * Decimal(times), "mL/h")
        assert severity(found, "rate-above-label") == wanted, f"{times} x {pumped} mL/h\n{shown(found)}"


@pytest.mark.parametrize(("product", "strength", "indication", "number", "unit"), AT_RISK, ids=str)
def test_the_rate_at_risk(product: str, strength: str, indication: str, number: str | None, unit: str) -> None:
    if number is None:
        found = said(product, indication, Decimal(50), unit, **KIDNEYS)
        assert severity(found, "rate-above-at-risk-ceiling") == ""
        return
    for times, wanted in {"0.9": "", "1": "", "1.05": "", "1.0501": "warning", "3": "warning"}.items():
        rate = Decimal(number) * Decimal(times)
        assert severity(said(product, indication, rate, unit, **KIDNEYS), "rate-above-at-risk-ceiling") == wanted
        assert severity(said(product, indication, rate, unit), "rate-above-at-risk-ceiling") == ""


@pytest.mark.parametrize(("product", "strength", "indication", "number", "unit"), INITIAL, ids=str)
def test_the_initial_rate(product: str, strength: str, indication: str, number: str, unit: str) -> None:
    for times, wanted in {"0.9": "", "1": "", "1.05": "", "1.0501": "information", "3": "information"}.items():
        found = said(product, indication, Decimal(number) * Decimal(times), unit)
        assert severity(found, "rate-above-initial") == wanted, f"{times} x {number} {unit}\n{shown(found)}"


def told(rule: str, base: str, change: dict[str, Any]) -> Finding:
    """The finding of a rule, with what no outcome shows in one line."""
    report, _ = validator().validate(json.dumps(bundle(base, change)).encode())
    return next(f for f in report.judgements[0].findings if f.rule == rule)


def test_a_label_without_a_number_at_risk_asks_for_the_slowest_practicable_rate() -> None:
    kidneys = told("risk-renal", "gbs", KIDNEYS)
    assert [words for words in kidneys.consider if "slowest practicable" in words and "Privigen" in words]
    clots = told("risk-thrombosis", "gbs", {"conditions": [{"icd10cm": "Z86.711", "recorded": "2021-01-01"}]})
    assert [words for words in clots.consider if "slowest practicable" in words]
    rate = told("rate-above-label", "itp", KIDNEYS | {"rate": "200 mL/h"})
    assert [words for words in rate.consider if "slowest practicable" in words]


def test_a_label_with_a_number_at_risk_says_it() -> None:
    found = told("risk-renal", "cidp", KIDNEYS | {"product": "Panzyga 10%", "hcpcs": "J1576"})
    assert [words for words in found.consider if "3.3 mg/kg/min" in words]


def test_what_was_assumed_of_a_ceiling_is_said() -> None:
    assert told("rate-above-label", "gbs", {"rate": "200 mL/h"}).assumed
    assert not told("rate-above-label", "itp", {"rate": "200 mL/h"}).assumed


def test_the_hours_at_the_ordered_rate_are_shown() -> None:
    found = told("rate-above-label", "itp", {"rate": "200 mL/h"})  # 70 g = 700 mL, 700 / 200 = 3.5 h
    assert [line for line in found.sums if "3.5 h" in line]
    assert found.consider[0] == "The label's highest is 4 mg/kg/min (168 mL/h of 10% at 70 kg)."


def test_an_unconfirmed_disease_counts_and_is_said() -> None:
    doubtful = {"icd10cm": "N18.30", "words": "CKD 3", "recorded": "2026-11-01", "verification": "unconfirmed"}
    found = told("risk-renal", "gbs", {"conditions": [doubtful]})
    assert found.assumed == ("CKD 3 counts, although recorded as unconfirmed",)


def test_every_factor_of_thrombosis_is_listed_with_its_evidence() -> None:
    conditions = [
        {"icd10cm": "Z74.01", "words": "bedbound", "recorded": "2026-10-01"},
        {"icd10cm": "D68.51", "words": "Factor V Leiden", "recorded": "2026-10-01"},
        {"icd10cm": "I10", "words": "Hypertension", "recorded": "2026-10-01"},
    ]
    found = told("risk-thrombosis", "gbs", {"birth": "1950-05-05", "dose": "35 g", "conditions": conditions})
    assert len(found.sums) == 5
    shown_as = {i.value for i in found.inputs}
    assert {"76 years", "bedbound", "Factor V Leiden", "Hypertension", "35 g"} == shown_as


GOOD = (
    (above_label, "cidp", {}, "2 mg/kg/min at most, label 8 mg/kg/min; 35 g at 84 mL/h: 4.2 h for one infusion"),
    (above_initial, "cidp", {}, "begins at 2 mg/kg/min, label 2"),
    (above_at_risk_ceiling, "cidp", {}, "2 mg/kg/min at most, label at risk 8"),
    (renal, "cidp", {"labs": {"egfr": "75 mL/min/{1.73_m2}"}}, "eGFR 75 (reported), low is below 60; no risk factor"),
    (thrombosis, "gbs", {}, "no factor, no earlier event"),
)


@pytest.mark.parametrize(("module", "base", "change", "line"), GOOD, ids=lambda v: str(v)[:30])
def test_what_was_found_good_is_told_in_one_line(
    module: ModuleType, base: str, change: dict[str, Any], line: str
) -> None:
    library = validator().library
    (order,) = read(decode(json.dumps(bundle(base, change)).encode()), library.lexicon, Asked()).orders
    case = Case({"order": order, "book": library.on(order.day)})
    assert case.ask(needs(module.content)) == line


def test_every_product_with_a_rate_stands_here() -> None:
    """A page that is added, or given a rate, is added here too."""
    pages = validator().library.pages["products"]
    with_rate = {
        key
        for key, page in pages.items()
        if "rate_at_risk" in page or any("rate_max" in label for label in page.get("labels", {}).values())
    }
    named = {
        key
        for key, page in pages.items()
        for product, *_ in HIGHEST
        if page["title"].replace(", reconstituted to", "") == product
    }
    assert with_rate == named, f"{sorted(with_rate ^ named)}; titles {[pages[k]['title'] for k in with_rate - named]}"

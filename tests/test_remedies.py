"""What would make an order pass: each remedy is held against a second opinion, as changed and as FHIR."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest
from hypothesis import HealthCheck, given, settings

from advised import advised, only, opinions, ordered_tests, orders_of
from bases import BASES
from builder import bundle
from casefiles import all_cases
from ivig.catalogue import RULES
from ivig.core.change import Change, ProductChange
from ivig.core.dosage_change import DaysChange, DoseChange, IntervalChange, StartChange
from ivig.core.remedy import MAKERS, Adviser
from ivig.core.units import UNITS
from ivig.entrypoints.files import check as judge_file
from ivig.entrypoints.terminal import render, screen
from ivig.knowledge.load import load_library
from ivig.settings import Settings
from ivig.validator import Validator
from ivig.wire.decode import decode
from ivig.wire.outcome import encode, outcome
from ivig.wire.remedy import SYSTEMS, additions, patched, updated
from ivig.wire.told import LEAD, REMEDY, add_remedies
from judged import NOON, rows, validator, written
from orders import orders
from outcome_contract import assert_contract
from r4 import Json

NAMES = {m.rule.name for m in RULES}
HEAVY = {"weight": "120 kg", "height": "170 cm"}  # Devine 65.94 kg; 65.94 + 0.4 x 54.06 = 87.56 kg


def assert_sound(sent: Json) -> None:
    wrong = [w for one in advised(sent) for w in opinions(one)]
    assert not wrong, "\n".join(wrong)


# -- every remedy, everywhere -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
def test_the_remedies_of_a_base_hold(base: str) -> None:
    assert_sound(bundle(base))


@pytest.mark.parametrize("rule", sorted(NAMES))
def test_the_remedies_of_all_cases_hold(rule: str) -> None:
    for case in all_cases():
        if case.rule == rule:
            assert_sound(bundle(case.base, case.change))


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(orders())
def test_the_remedies_of_a_random_order_hold(order: tuple[str, Json]) -> None:
    assert_sound(bundle(*order))


# -- by the numbers ---------------------------------------------------------------------------------------------------


def first(base: str, change: Json, rule: str) -> tuple[tuple[Change, ...], str]:
    remedies = only(bundle(base, change)).by_rule(rule)
    assert remedies, f"no remedy for {rule}"
    return remedies[0].changes, remedies[0].text


def values(changes: tuple[Change, ...]) -> list[Any]:
    return [getattr(c, "value", getattr(c, "days", None)) for c in changes]


def test_the_dose_by_dosing_weight_in_whole_vials() -> None:
    """2 x 87.56 / 4 = 43.78 g: 44 g of Gamunex-C is nearest (40 + 4 x 1 g)."""
    changes, text = first("cidp", HEAVY | {"dose": "60 g"}, "weight-wrong-basis")
    assert values(changes) == [Decimal(44)]
    assert text.startswith("44 g a day for 4 days (2.01 g/kg by adjusted weight 87.6 kg; vials 40 + 4 x 1 g = 44 g)")


def test_above_the_range_the_days_stay() -> None:
    """2 g/kg x 70 kg / 5 = 28 g; Privigen in whole vials: 30 g, 2 g away, within 10%."""
    changes, _ = first("gbs", {"dose": "40 g"}, "dose-course-above-range")
    assert values(changes) == [Decimal(30)]


def test_the_days_of_the_regimen_with_the_dose_of_the_course() -> None:
    changes, _ = first("gbs", {"dose": "70 g", "count": 2}, "schedule-days-off-regimen")
    assert [type(c) for c in changes] == [DoseChange, DaysChange]
    assert values(changes) == [Decimal(30), 5]


def test_only_the_days_where_the_dose_is_right() -> None:
    changes, _ = first("gbs", {"count": 3}, "schedule-days-off-regimen")
    assert values(changes) == [5]


def test_without_a_weight_another_number_per_kg() -> None:
    changes, text = first("gbs", {"weight": "absent", "dose": "0.6 g/kg"}, "dose-course-above-range")
    assert (values(changes), changes[0].unit) == ([Decimal("0.4")], "g/kg")  # type: ignore[attr-defined]
    assert "0.4 g/kg a day for 5 days" in text


def test_the_interval_of_the_page() -> None:
    changes, text = first("cidp_maintenance", {"every": "1 wk"}, "schedule-interval-too-short")
    assert [type(c) for c in changes][:1] == [IntervalChange]
    assert text.startswith("every 3 weeks")


def test_whole_vials_within_the_step_of_the_policy() -> None:
    """Ontario rounds to 5 g: 32.8 g of Gammagard Liquid (vials from 1 g) become 35 g: 2.2 g away, 30 g are 2.8 g."""
    (remedy,) = only(bundle("mmn", {"dose": "32.8 g", "policy": "ontario"})).by_rule("dose-not-whole-vials")
    assert values(remedy.changes) == [Decimal(35)]


def test_a_later_start_and_never_of_what_is_urgent() -> None:
    given_ = [{"day": "2026-10-30", "dose": "70 g"}, {"day": "2026-11-10", "dose": "70 g"}]
    change = {"without": ["MedicationAdministration"], "given": given_}
    late = [
        r for r in only(bundle("cidp_maintenance", change)).remedies.single if isinstance(r.changes[0], StartChange)
    ]
    assert late
    urgent = only(bundle("gbs", {"given": [{"day": "2026-11-05", "dose": "140 g"}]}))
    assert not [c for r in urgent.all for c in r.changes if isinstance(c, StartChange)]


def test_a_product_without_what_does_harm() -> None:
    proline = {"conditions": [{"icd10cm": "E72.51", "words": "Hyperprolinaemia", "recorded": "2020-01-01"}]}
    changes, text = first("gbs", proline, "product-contraindicated")
    assert isinstance(changes[0], ProductChange)
    page = validator().library.on(NOON.date()).product(changes[0].product)
    assert page.excipients is not None
    assert "proline" not in page.excipients.words
    assert page.strength is not None
    assert page.strength.amount == Decimal("0.10")  # as strong as what was ordered
    assert page.title in text


def _site(folder: Path, keys: str) -> Validator:
    path = folder / "site.yaml"
    said = f'values: [{{from: unknown, is: {keys}, source: house, at: "our committee", seen: house}}]'
    path.write_text(
        f"id: site\ntitle: Our site\nreviewed: 2026-11-20\ndue: 2027-11-20\nkeys:\n  formulary: {{{said}}}\n"
    )
    return Validator(load_library(path))


def test_a_product_of_the_formulary(tmp_path: Path) -> None:
    proline = {"conditions": [{"icd10cm": "E72.51", "words": "Hyperprolinaemia", "recorded": "2020-01-01"}]}
    site = _site(tmp_path, "[panzyga_10, gamunex_c_10]")
    (remedy,) = only(bundle("gbs", proline), site).by_rule("product-contraindicated")
    assert [c.product for c in remedy.changes if isinstance(c, ProductChange)] == ["panzyga_10"]
    assert "on the formulary" in remedy.text
    none = _site(tmp_path, "[privigen_10]")
    assert not only(bundle("gbs", proline), none).by_rule("product-contraindicated")


def test_a_formulary_names_products(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="formulary"):
        _site(tmp_path, "[unheard_of]")


@pytest.mark.parametrize(
    ("base", "change", "rule", "tests"),
    [
        ("gbs", {"labs": {"haemoglobin": "absent"}}, "lab-missing", ["haemoglobin"]),
        ("gbs", {"labs": {"creatinine": "absent"}}, "lab-missing", ["creatinine"]),
        ("itp", {"labs": {"platelets": "absent"}}, "lab-missing", ["platelets"]),
        ("gbs", {"labs": {"iga": "absent"}}, "lab-iga-unknown", ["iga"]),
        ("gbs", {"labs": {"abo": "absent"}}, "lab-blood-group-unknown", ["abo"]),
        ("gbs", {"labs": {"hbsag": "absent"}}, "lab-serology-before-first", ["hbsag"]),
        ("gbs", {"weight": "absent"}, "weight-missing", ["weight_measured"]),
        ("cidp", {"weight": "105 kg", "height": "absent"}, "weight-height-missing", ["height"]),
        ("gbs", {"labs": {"gbs-disability-score": "absent"}}, "indication-criteria-unknown", ["gbs_disability_score"]),
    ],
)
def test_a_test_to_order_clears_the_absence_only(base: str, change: Json, rule: str, tests: list[str]) -> None:
    (remedy, *_) = only(bundle(base, change)).by_rule(rule)
    assert ordered_tests(remedy) == tests
    assert remedy.absence_only
    assert "clears only the absence" in remedy.text


@pytest.mark.parametrize(
    ("base", "change", "rule", "kinds"),
    [
        ("gbs", {"rate": "900 mL/h"}, "rate-above-label", ["rate"]),
        ("gbs", {"rate": "absent"}, "rate-missing", ["rate"]),
        ("kawasaki", {"without": ["MedicationRequest"]}, "adjunct-aspirin-missing", ["drug"]),
        ("gbs", {"without": ["MedicationRequest"]}, "adjunct-premedication-missing", ["drug"]),
        ("gbs", {"labs": {"fvc": "absent"}}, "adjunct-respiratory-monitoring-missing", ["test"]),
        ("gbs", {"labs": {"abo": "A"}}, "adjunct-haemoglobin-check-missing", ["test"]),
        ("cidp", HEAVY | {"dose": "0.5 g/kg"}, "weight-basis-unstated", ["dosing-weight"]),
        ("gbs", {"route": "absent"}, "order-route-missing", ["route"]),
    ],
)
def test_what_could_be_stated_or_added(base: str, change: Json, rule: str, kinds: list[str]) -> None:
    changes, _ = first(base, change, rule)
    assert [c.kind for c in changes] == kinds


def test_a_rate_comes_down_to_the_label() -> None:
    """Privigen in CIDP: 8 mg/kg/min x 70 kg x 60 / 100 mg/mL = 336 mL/h."""
    changes, text = first("cidp_maintenance", {"rate": "900 mL/h"}, "rate-above-label")
    assert values(changes) == [Decimal(336)]
    assert "8 mg/kg/min at most" in text


def test_what_cannot_be_remedied_gets_none() -> None:
    for base, change, rule in (
        ("gbs", {"reason": "M79.7"}, "indication-not-recommended"),
        ("gbs", {"patient": {"deceasedBoolean": True}}, "order-patient-deceased"),
    ):
        assert not only(bundle(base, change)).by_rule(rule)


def test_one_remedy_for_all_of_it() -> None:
    change = {"dose": "40 g", "labs": {"haemoglobin": "absent", "iga": "absent"}}
    combined = only(bundle("gbs", change)).remedies.combined
    assert combined is not None
    assert {"dose-course-above-range", "lab-missing", "lab-iga-unknown"} <= set(combined.clears)
    assert ordered_tests(combined) == ["haemoglobin", "iga"]


def test_every_maker_is_for_a_rule_that_is_there() -> None:
    assert not MAKERS.keys() - NAMES


def test_a_maker_that_crashes_offers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []

    def broken(_: Any) -> Any:
        raise ZeroDivisionError

    makers = MAKERS["dose-course-above-range"]
    wanted = type(makers[0])(broken, (("order", False),), ("order",), frozenset(), frozenset({"order"}), lambda v: (v,))
    monkeypatch.setitem(MAKERS, "dose-course-above-range", [wanted])
    judge = Validator(validator().library, lambda rule, kind: told.append((rule, kind)))
    assert not only(bundle("gbs", {"dose": "40 g"}), judge).by_rule("dose-course-above-range")
    assert ("dose-course-above-range", "ZeroDivisionError") in told


# -- as FHIR ----------------------------------------------------------------------------------------------------------

STANDING = ("id", "status", "intent", "subject", "authoredOn", "reasonCode", "category", "note", "requester")


def test_an_updated_order_keeps_what_does_not_change() -> None:
    extra = {"note": [{"text": "Call before the first dose"}], "requester": {"reference": "Practitioner/1"}}
    kept = {"additionalInstruction": [{"text": "With a filter"}], "site": {"text": "left arm"}, "sequence": 1}
    sent = bundle("gbs", {"dose": "40 g", "order": extra, "text": "40 g IV daily for 5 days"})
    order = next(e["resource"] for e in sent["entry"] if e["resource"].get("id") == "order1")
    order["dosageInstruction"][0] |= kept
    before = json.loads(json.dumps(order))
    one = only(sent)
    (remedy,) = one.by_rule("dose-course-above-range")
    made = updated(order, one.order, remedy.changes)
    assert order == before, "what was sent stays as it was"
    MedicationRequest.model_validate(json.loads(encode(made)))
    assert {k: made.get(k) for k in STANDING} == {k: before.get(k) for k in STANDING}
    dosage = made["dosageInstruction"][0]
    assert {k: dosage[k] for k in kept} == kept
    assert "text" not in dosage, "40 g would contradict"
    assert dosage["doseAndRate"][0]["doseQuantity"]["value"] == 30
    assert dosage["doseAndRate"][0]["rateQuantity"] == before["dosageInstruction"][0]["doseAndRate"][0]["rateQuantity"]


@pytest.mark.parametrize("base", BASES)
def test_additions_are_drafts_of_fhir(base: str) -> None:
    change = {"labs": {"haemoglobin": "absent", "iga": "absent", "abo": "absent"}, "without": ["MedicationRequest"]}
    for one in advised(bundle(base, change)):
        request = json.loads(one.body)["entry"]
        order = next(e["resource"] for e in request if e["resource"].get("id") == "order1")
        for remedy in one.all:
            for draft in additions(order, one.order, remedy.changes):
                model = {"ServiceRequest": ServiceRequest, "MedicationRequest": MedicationRequest}[
                    draft["resourceType"]
                ]
                model.model_validate(json.loads(encode(draft)))
                assert (draft["status"], draft["intent"]) == ("draft", "order")
                assert draft["subject"] == order["subject"]


def test_every_patched_order_is_fhir() -> None:
    for case in all_cases()[::5]:
        for one in advised(bundle(case.base, case.change)):
            for remedy in one.all:
                changed = [c.kind for c in remedy.changes if c.kind in ("dose", "days", "interval", "start", "rate")]
                if not changed or "entry" not in json.loads(one.body):
                    continue
                place = int(one.order.path.split("[")[1].split("]")[0])
                was = json.loads(one.body)["entry"][place]["resource"]
                try:
                    MedicationRequest.model_validate(was)
                except ValueError:
                    continue
                made = json.loads(patched(one.body, one.order, remedy.changes))["entry"][place]["resource"]
                MedicationRequest.model_validate(made)


def test_parameters_are_patched_too() -> None:
    inner = bundle("gbs", {"dose": "40 g", "labs": {"haemoglobin": "absent"}})
    resources = [e["resource"] for e in inner["entry"]]
    order = next(r for r in resources if r.get("id") == "order1")
    patient = next(r for r in resources if r["resourceType"] == "Patient")
    rest = [{"name": "evidence", "resource": r} for r in resources if r is not order and r is not patient]
    sent = {
        "resourceType": "Parameters",
        "parameter": [{"name": "order", "resource": order}, {"name": "patient", "resource": patient}, *rest],
    }
    assert_sound(sent)
    assert only(sent).remedies.combined is not None


def test_the_systems_are_those_the_reader_knows() -> None:
    lexicon = validator().library.lexicon
    assert {name: lexicon.system(url) for name, url in SYSTEMS.items()} == {name: name for name in SYSTEMS}


def test_ordinary_results_are_in_units_of_the_table() -> None:
    book = validator().library.on(NOON.date())
    for test in validator().library.pages["tests"]:
        value = book.ordinary(test)
        assert value is None or value.words or value.unit in UNITS, test
        assert value is None or value.seen == "house", test


# -- told -------------------------------------------------------------------------------------------------------------


def full(sent: Json) -> Json:
    """The sent bundle as Parameters that ask for everything."""
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "bundle", "resource": sent}, {"name": "detail", "valueCode": "full"}],
    }


def told(sent: Json) -> Json:
    judge = validator()
    report, decoded = judge.validate(written(sent))
    resource = outcome(report, (), decoded.in_full)
    if decoded.in_full:
        add_remedies(resource, report)
    answer: Json = json.loads(encode(resource))
    return answer


@pytest.mark.parametrize(
    "change", [{"dose": "40 g"}, {"weight": "absent"}, {"route": "absent"}, HEAVY | {"dose": "0.5 g/kg"}]
)
def test_an_outcome_in_full_tells_them(change: Json) -> None:
    sent = full(bundle("gbs", change | {"labs": {"iga": "absent"}}))
    answer = told(sent)
    assert_contract(answer, sent)
    remedies = [e for i in answer["issue"] for e in i.get("extension", ()) if e["url"] == REMEDY]
    assert remedies
    for remedy in remedies:
        parts = {p["url"] for p in remedy["extension"]}
        assert {"text", "clears", "change"} <= parts <= {"text", "clears", "change", "assumed"}
    for issue, row in zip(answer["issue"], rows(answer), strict=True):
        own = [e for e in issue.get("extension", ()) if e["url"] == REMEDY]
        assert len(own) <= 1
        assert bool(own) == (LEAD in issue.get("diagnostics", ""))
        if own and row.rule != "order-verdict":
            clears = [p["valueCode"] for p in own[0]["extension"] if p["url"] == "clears"]
            assert row.rule in clears


def test_nothing_is_made_until_a_door_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: Any) -> Any:
        raise AssertionError("made though nobody asked")

    monkeypatch.setattr(Adviser, "advise", asked)
    answer = told(bundle("gbs", {"dose": "40 g"}))
    assert not [e for i in answer["issue"] for e in i.get("extension", ()) if e["url"] == REMEDY]


def test_the_terminal_tells_them_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "order.json"
    path.write_bytes(written(bundle("gbs", {"dose": "40 g"})))
    one = judge_file(str(path), validator(), Settings(), None, NOON)
    assert one.report is not None
    for verbose in (False, True):
        render(one.report, validator().library, screen(), one.orders, one.broken, verbose)
        assert ("Would make it pass" in capsys.readouterr().out) == verbose


def test_a_report_makes_them_for_every_order() -> None:
    sent = written(bundle("gbs", {"dose": "40 g"}))
    report, _ = validator().validate(sent)
    (remedies,) = report.remedies
    assert remedies.path == orders_of(sent, validator())[0][0].path
    assert decode(sent).items

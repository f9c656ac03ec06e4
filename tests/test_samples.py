"""The shipped samples get the verdict that their names promise. What is expected is written here by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fhir.resources.R4B.bundle import Bundle

import ivig
from judged import answer, rows, shown
from outcome_contract import assert_contract

SAMPLES = Path(ivig.__file__).parent / "samples"
VERDICTS = ("cannot-tell", "advise", "clear", "stop")

# name: verdict of every order in it, and the rules that have to speak for it
EXPECTED: dict[str, tuple[list[str], set[str]]] = {
    "01-gbs-clear": (["clear"], set()),
    # BMI 120 / 1.70^2 = 41.5; ideal 50 + 0.9055 x (170 - 152.4) = 65.9; adjusted 65.9 + 0.4 x 54.1 = 87.6 kg;
    # 4 x 60 g = 240 g: 2.0 g/kg of actual, 2.74 g/kg of dosing weight, above 2 x 1.1
    "02-cidp-obese-on-actual-weight-advise": (["advise"], {"weight-wrong-basis"}),
    "03-cidp-maintenance-clear": (["clear"], set()),
    "04-subcutaneous-product-ordered-iv-stop": (["stop"], {"product-not-for-route"}),
    # 280 g / 70 kg = 4 g/kg a day, above 2.4; 20 g/kg a course, above 3.6
    "05-gbs-point-slipped-stop": (["stop"], {"dose-implausible"}),
    "06-cidp-no-weight-no-creatinine-cannot-tell": (["cannot-tell"], {"weight-missing", "lab-missing"}),
    "07-sucrose-in-kidney-disease-2017-stop": (["stop"], {"product-sucrose-renal-risk"}),
    # 240 x 10^9/L, above 30
    "08-itp-platelets-normal-advise": (["advise"], {"indication-criteria-unmet"}),
    "09-gbs-five-requests-one-course-clear": (["clear"] * 5, set()),
    "10-anti-d-for-cidp-stop": (["stop"], {"product-not-polyvalent"}),
    "bench": (["clear"], set()),
}

every_sample = pytest.mark.parametrize("name", EXPECTED)


def test_every_sample_is_expected_and_told_of() -> None:
    shipped = {p.stem for p in SAMPLES.glob("*.json")} - {
        "hook-order-sign"
    }  # a call and no Bundle: test_hook_examples.py
    assert shipped == set(EXPECTED)
    told = (SAMPLES / "README.md").read_text(encoding="utf-8")
    assert [name for name in shipped if name not in told] == []


@every_sample
def test_a_sample_gets_its_verdict(name: str) -> None:
    verdicts, speaking = EXPECTED[name]
    if name != "bench":
        assert {next(v for v in VERDICTS if name.endswith("-" + v))} == set(verdicts)
    sent = json.loads((SAMPLES / f"{name}.json").read_bytes())
    told = answer(sent)
    assert_contract(told, sent)
    found = rows(told)
    assert [r.verdict for r in found if r.verdict] == verdicts, shown(found)
    assert speaking <= {r.rule for r in found if r.loud}, shown(found)


@every_sample
def test_a_sample_is_fhir(name: str) -> None:
    Bundle.model_validate(json.loads((SAMPLES / f"{name}.json").read_bytes()))


def test_the_2017_order_is_judged_by_its_day() -> None:
    """Carimune NF was withdrawn in 2018: an order of 2017 is not told of it."""
    found = rows(answer((SAMPLES / "07-sucrose-in-kidney-disease-2017-stop.json").read_bytes()))
    assert "product-discontinued" not in {r.rule for r in found}, shown(found)


def test_the_bench_page_is_one_line_of_27_kilobytes_and_judged_in_full() -> None:
    body = (SAMPLES / "bench.json").read_bytes()
    assert 26_000 <= len(body) <= 28_000
    assert body.count(b"\n") == 1
    assert body.endswith(b"\n")
    found = rows(answer(body))
    assert not [r for r in found if r.not_judged], shown(found)

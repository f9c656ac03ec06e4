"""Every finding is explained in one structure: the numbers it names, what they rest on, and what could be done."""

from __future__ import annotations

import json
import re
from datetime import UTC
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from starlette.testclient import TestClient

from bases import BASES
from builder import bundle
from casefiles import HERE, files, read
from ivig.app import create_app
from ivig.core.explanation import Explanation, Watch, lines, watch
from ivig.core.finding import Finding, Report, Result
from ivig.core.grounds import Grounds
from ivig.entrypoints.operation import asked_for
from ivig.wire.decode import decode
from ivig.wire.outcome import encode, outcome
from ivig.wire.read import read as read_body
from judged import NOON, answer, validator, written
from r4 import Json

_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
_LISTED = re.compile(r"(?:and )?\d+ more\b")  # names that a sentence has no room for
# Findings whose numbers count what was sent: they stand in no datum and in no limit.
COUNTED = {"order-patient-mismatch"}


def reported(sent: Json) -> Report:
    decoded = decode(written(sent))
    judge = validator()
    asked, policy_day, library = asked_for(decoded, UTC, NOON, judge.library)
    return judge.report(read_body(decoded, library.lexicon, asked), policy_day, library)


def explained(report: Report) -> list[tuple[Finding, Explanation]]:
    grounds: Grounds = report.grounds
    return [
        pair
        for place, judgement in enumerate(report.judgements)
        for pair in zip(judgement.findings, grounds.explanations(place, judgement), strict=True)
    ]


def numbers(text: str) -> set[Decimal]:
    """The numbers of a text, but for those in names of products."""
    for brand in _brands():
        text = text.replace(brand, "")
    return {Decimal(n) for n in _NUMBER.findall(_LISTED.sub("", text))}


@lru_cache(maxsize=1)
def _brands() -> tuple[str, ...]:
    book = validator().library.on(NOON.date())
    return tuple(sorted((book.product(k).title for k in book.products()), key=len, reverse=True))


def _shown(number: Decimal, among: set[Decimal]) -> bool:
    """Whether a number stands among others, as it is or rounded."""
    places = -int(number.as_tuple().exponent)
    return any(round(other, places) == number for other in among)


@pytest.mark.parametrize("path", files(), ids=lambda p: p.relative_to(HERE).with_suffix("").as_posix())
def test_every_finding_of_every_case_is_explained_in_full(path: Path) -> None:
    for case in read(path):
        report = reported(bundle(case.base, case.change))
        OperationOutcome.model_validate(json.loads(encode(outcome(report, full=True))))
        pairs = explained(report)
        if case.explains:
            of_rule = ["\n".join(lines(told, full=True)) for found, told in pairs if found.rule == case.rule]
            assert any(case.explains in said for said in of_rule), f"{case.id}: {case.explains}\n{of_rule}"
        for found, told in pairs:
            for fault in _faults(found, told):
                pytest.fail(f"{case.id}\n{found.rule}: {told.text}\n{fault}\n" + "\n".join(lines(told, full=True)))


def _faults(found: Finding, told: Explanation) -> list[str]:
    faults = [f"an input without a value: {i}" for i in told.inputs if not i.value]
    faults += [f"an input without a place: {i}" for i in told.inputs if not i.path]
    library = validator().library
    faults += [f"a limit without its source: {one}" for one in told.limits if one.source not in library.sources]
    faults += [f"a limit without its place: {one}" for one in told.limits if not one.at]
    if found.result != Result.FLAGGED or found.code == "exception":
        return faults
    if not told.consider:
        faults.append("nothing to consider")
    if found.measure is not None and not told.inputs:
        faults.append("a number was compared, and no datum is told")
    if found.measure is not None and found.measure.source and not told.limits:
        faults.append("a number was compared, and no limit is told")
    if found.rule not in COUNTED:
        whole = numbers("\n".join(lines(told, full=True))) | numbers(" ".join(found.at))
        faults += [f"{n} stands nowhere" for n in numbers(told.text) if not _shown(n, whole)]
    return faults


# -- what is said beside the finding ----------------------------------------------------------------------------------


def told_of(rule: str, base: str, change: Json) -> Explanation:
    return next(told for found, told in explained(reported(bundle(base, change))) if found.rule == rule)


def test_a_finding_on_the_use_names_other_treatments() -> None:
    told = told_of("indication-criteria-unmet", "gbs", {"onset": "2026-10-01"})
    assert "Plasma exchange" in told.alternatives
    assert told.review


def test_a_finding_on_the_dose_names_none_and_says_what_to_watch() -> None:
    told = told_of("dose-course-above-range", "gbs", {"dose": "31.5 g"})
    assert told.alternatives == ""
    assert told.watch != Watch()


def test_a_wrong_unit_calls_for_no_other_treatment() -> None:
    told = told_of("dose-unit-unusable", "gbs", {"dose": "4 {tbl}"})
    assert (told.alternatives, told.watch, told.review) == ("", Watch(), "")


def test_the_verdict_says_what_to_watch() -> None:
    told = told_of("order-verdict", "gbs", {})
    assert told.watch != Watch()
    assert told.review


def test_without_an_indication_nothing_is_said_of_treatment() -> None:
    told = told_of("order-verdict", "gbs", {"reason": "absent", "without": ["Condition"]})
    assert (told.alternatives, told.watch) == ("", Watch())


def test_what_was_assumed_stands_with_the_findings_that_rest_on_it() -> None:
    told = told_of("dose-course-above-range", "gbs", {"dose": "absent", "count": "absent", "text": "42 g daily x 5"})
    assert any("text" in one for one in told.assumed)


def test_what_was_missing_stands_with_the_finding() -> None:
    report = reported(bundle("gbs", {"unsent": ["conditions"]}))
    told = {f.rule: t for f, t in explained(report)}
    assert told["chart-section-missing"].not_judged
    assert told["chart-section-missing"].consider


def test_what_to_watch_is_taken_apart() -> None:
    page = "Before: creatinine. During: vital signs;\n a slow rate. After: haemoglobin."
    assert watch(page) == Watch("creatinine.", "vital signs; a slow rate.", "haemoglobin.")
    assert watch("Renal function; haemoglobin.") == Watch(always="Renal function; haemoglobin.")
    assert watch("") == Watch()


@pytest.mark.parametrize("base", BASES)
def test_normal_is_a_part_of_full(base: str) -> None:
    sent = bundle(base, {"weight": "absent"})
    body = {"resourceType": "Parameters", "parameter": [{"name": "bundle", "resource": sent}]}
    normal = answer(body)
    full = answer({**body, "parameter": [*body["parameter"], {"name": "detail", "valueCode": "full"}]})
    OperationOutcome.model_validate(full)
    for short, long in zip(normal["issue"], full["issue"], strict=True):
        assert long.get("diagnostics", "").startswith(short.get("diagnostics", ""))
        assert {k: v for k, v in short.items() if k != "diagnostics"} == {
            k: v for k, v in long.items() if k != "diagnostics"
        }
    assert "checked" not in json.dumps(normal["extension"])
    assert "checked" in json.dumps(full["extension"])


def test_full_detail_is_the_same_over_http() -> None:
    parameters = [{"name": "bundle", "resource": bundle("gbs")}, {"name": "detail", "valueCode": "full"}]
    body = {"resourceType": "Parameters", "parameter": parameters}
    got = TestClient(create_app()).post("/fhir/$validate-ivig-order", json=body)
    assert got.status_code == 200
    assert got.json() == answer(body)

"""Override reasons: HL7's in HL7's words, ours in our own code system, and a few fitting ones for every rule."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ivig import pages
from ivig.catalogue import RULES
from ivig.core.override_reasons import OverrideReasons
from ivig.knowledge.load import HERE, load_library
from ivig.knowledge.override_reasons import LEAST, MOST, PAGE
from ivig.knowledge.pages import KnowledgeFault
from ivig.wire.outcome import BASE
from judged import validator

DAY = date(2026, 11, 20)
HL7 = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
OURS = f"{BASE}/CodeSystem/ivig-override-reason"
# Leaves of HL7's code system (cds-hooks, input/vocabulary/CodeSystem-non-adherence-reason-codes.json), in its own words.
LEAVES = {
    "patient-ineligible": "Patient does not meet eligibility for recommended action",
    "indication-order-exists": "Patient has indication/order for intended action",
    "action-completed": "Recommended action was already completed",
    "action-unsuccessful": "Recommended action was previously unsuccessful",
    "action-performed-no-adverse-effect": "Intended action was performed previously without adverse effect",
    "wrong-time-workflow": "PC CDS delivered at wrong time in workflow or patient lifecycle",
    "need-more-info": "Could not address recommended action due to need for more information/pending results/pending consult",
    "does-not-align-latest-evidence": "Recommended action does not align with the latest evidence",
    "expert-contradicts": "Advice from expert contradicts the recommended action",
    "policy-contradicts": "Institutional policy/guideline contradicts the recommended action",
    "risk-benefit-ratio": "Recipient assessment of risk/benefit ratio",
    "mitigate-risk-negative-outcome": "Action taken to mitigate risk of negative outcome",
    "patient-contraindication": "Patient has contraindication to recommended action",
    "prefers-alternative": "Patient prefers an alternative approach or treatment",
    "patient-refuses": "Patient refuses/declines (no context given)*",
    "service-not-available": "Treatment or service is not practically available",
    "too-costly-uncovered": "Recommended action is too costly or not covered by insurance",
}
# What is replaced, by what, and words of the fault.
WRONG = {
    "an unknown reason": ("is: [will-be-obtained, result-elsewhere", "is: [whatever, result-elsewhere", "unknown override reason `whatever`"),
    "a rule that does not exist": ('"lab-*"', '"lab-left"', "no rule and no family `lab-left`"),
    "a family without reasons": ('  "adjunct-*":', '  "dose-daily-above-range":', "`adjunct-aspirin-missing` has no override reasons"),
    "too few": ("[infusion-protocol, will-be-completed, wrong-time-workflow]", "[infusion-protocol]", "has 1 override reasons"),
    "one twice": ("[infusion-protocol, will-be-completed, wrong", "[infusion-protocol, infusion-protocol, wrong", "stands twice"),
    "a code twice": ("{code: weight-verified,", "{code: cannot-wait,", "`cannot-wait` stands twice"),
    "a reason that fits nothing": (
        "    list:\n      - {code: dose-agreed",
        '    list:\n      - {code: idle, words: "x", means: "y"}\n      - {code: dose-agreed',
        "`idle` fits no rule",
    ),
    "no words": ('words: "Monitoring is arranged", ', "", "`words` is missing"),
    "no meaning of our own": (', means: "What has to be watched will be watched."', "", "`means` is missing"),
    "an unknown key": ("systems:\n", "sistems:\n", "unknown key `sistems`"),
    "a source that is not listed": ("source: HL7-NON-ADHERENCE", "source: nobody", "unknown source `nobody`"),
    "no day": ("due: 2027-11-21", "due: soon", "`due` is a day"),
    "an uncited line": ('at: "our own choice", ', "", "is not cited"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(HERE, tmp_path_factory.mktemp("held") / "knowledge"))


@pytest.fixture
def faults(folder: Path) -> Callable[[str], list[str]]:
    page = folder / PAGE
    held = page.read_text("utf-8")

    def told(text: str) -> list[str]:
        page.write_text(text, "utf-8")
        try:
            load_library(root=folder, rules={m.rule.name: m.rule for m in RULES})
        except KnowledgeFault as fault:
            return [str(f) for f in fault.faults]
        finally:
            page.write_text(held, "utf-8")
        return []

    return told


def known() -> OverrideReasons:
    return validator().library.override_reasons


def test_the_page_is_sound(faults: Callable[[str], list[str]]) -> None:
    assert faults((HERE / PAGE).read_text("utf-8")) == []


@pytest.mark.parametrize("wrong", WRONG)
def test_a_fault_is_told_with_the_file(faults: Callable[[str], list[str]], wrong: str) -> None:
    before, after, words = WRONG[wrong]
    page = (HERE / PAGE).read_text("utf-8")
    assert before in page
    told = faults(page.replace(before, after, 1))
    assert any(f.startswith(f"{PAGE}:") and words in f for f in told), told


def test_every_rule_has_three_to_eight_reasons() -> None:
    for module in RULES:
        reasons = known().of(module.rule.name, DAY)
        assert LEAST <= len(reasons) <= MOST, module.rule.name
        assert all(r.code and r.system and r.display for r in reasons)


def test_the_reasons_of_hl7_stand_in_its_own_words() -> None:
    held = {r.code: r.display for r in known().reasons.values() if r.system == HL7}
    assert held == LEAVES
    assert {r.system for r in known().reasons.values()} == {HL7, OURS}


def test_a_rule_of_which_nothing_is_told_has_none() -> None:
    assert known().of("nobody-knows-it", DAY) == ()


def test_the_reasons_are_those_of_every_policy() -> None:
    library = validator().library
    assert all(other.override_reasons is library.override_reasons for other in library.policies.values())


def test_our_reasons_are_a_code_system() -> None:
    held = json.loads((pages.profiles_dir() / "CodeSystem-ivig-override-reason.json").read_text("utf-8"))
    ours = {r.code: r.display for r in known().reasons.values() if r.system == OURS}
    assert held["url"] == OURS
    assert {c["code"]: c["display"] for c in held["concept"]} == ours
    assert all(c["definition"] for c in held["concept"])
    assert held["count"] == len(ours)

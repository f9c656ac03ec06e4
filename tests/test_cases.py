"""Every case of `tests/cases`: what its rule says of the changed order, and that the outcome keeps the contract."""

from __future__ import annotations

import pytest

from builder import bundle
from casefiles import Case, all_cases
from judged import Row, answer, flagged, rows, shown
from outcome_contract import assert_contract


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.id)
def test_case(case: Case) -> None:
    sent = bundle(case.base, case.change)
    told = answer(sent)
    assert_contract(told, sent)
    found = rows(told)
    wrong = list(faults(case, found))
    assert not wrong, f"{case.id}\n" + "\n".join(f"  - {w}" for w in wrong) + f"\n\n{shown(found)}"


def faults(case: Case, found: list[Row]) -> list[str]:
    """Where the outcome differs from what the case expects."""
    own = [r for r in found if r.rule == case.rule]
    wrong = _of_the_rule(case, own, found)
    if case.text and not any(case.text in r.text for r in own):
        wrong.append(f"no text of {case.rule} holds {case.text!r}")
    if case.count is not None and len(own) != case.count:
        wrong.append(f"{len(own)} issues of {case.rule}, {case.count} expected")
    wrong += [f"{also} is not flagged" for also in case.also if also not in flagged(found)]
    wrong += [f"{never} is flagged" for never in case.never if never in flagged(found)]
    if any(r.code == "exception" for r in found):
        wrong.append("a rule crashed")
    return wrong


def _of_the_rule(case: Case, own: list[Row], found: list[Row]) -> list[str]:
    rule, raised = case.rule, [f"{r.severity} {r.result}" for r in own]
    lacking = [r.rule for r in found if rule in r.not_judged]
    if case.expect in ("error", "warning", "information"):
        return (
            []
            if any(r.flagged and r.severity == case.expect for r in own)
            else [f"{rule}: {raised or 'silent'}, {case.expect} expected"]
        )
    if case.expect in ("cannot-tell", "note"):
        fits = [r for r in own if r.result == case.expect and case.severity in ("", r.severity)]
        return [] if fits else [f"{rule}: {raised or 'silent'}, {case.severity} {case.expect} expected"]
    if case.expect == "not-judged":
        wrong = (
            [f"{rule} stands under {lacking or 'no issue'}, {case.root} expected"] if case.root not in lacking else []
        )
        return wrong + ([f"{rule} is flagged all the same"] if any(r.flagged for r in own) else [])
    wrong = [f"{rule}: {raised}, silence expected"] if own else []
    if case.expect == "passes" and lacking:
        wrong.append(f"{rule} is not judged, for want of {lacking}")
    return wrong

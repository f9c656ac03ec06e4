"""Taking away any datum that a rule needs never lets its finding vanish, unless a root issue then lists the rule.

Asked of every base and of every case in which something is flagged.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import pytest

from bases import BASES
from builder import bundle
from casefiles import all_cases
from judged import Row, flagged, judged, not_judged, shown
from r4 import Json
from takeaways import single_entries, takeaways

FLAGGED = [c for c in all_cases() if c.expect in ("error", "warning", "information")]

# Where a finding may vanish, each with its reason. (rule, words the name of the taking begins with)
ALLOWED: dict[tuple[str, str], str] = {
    ("weight-stale", "bounds"): "no start stated: the first dose is planned for the day of the order",
    ("lab-stale", "bounds"): "no start stated: the first dose is planned for the day of the order",
    # An adult too light to be obese owes no height (rules.md 5), and a height that is not there cannot be wrong.
    ("weight-height-implausible", "heights"): "too light to be obese",
    ("weight-height-implausible", "day of 8302-2"): "too light to be obese",
    ("weight-height-implausible", "value of 8302-2"): "too light to be obese",
    ("weight-height-implausible", "unit of 8302-2"): "too light to be obese",
    ("weight-height-implausible", "entry[1] Observation/height"): "too light to be obese",
}


@lru_cache(maxsize=1)
def _variants() -> dict[str, Callable[[], Json]]:
    made: dict[str, Callable[[], Json]] = {base: lambda base=base: bundle(base) for base in BASES}  # type: ignore[misc]
    return made | {c.id: lambda c=c: bundle(c.base, c.change) for c in FLAGGED}  # type: ignore[misc]


def allowed(rule: str, taken: str) -> bool:
    return any(rule == r and taken.startswith(t) for r, t in ALLOWED)


def vanished(before: list[Row], after: list[Row], taken: str) -> list[str]:
    """The rules that flagged before, and now neither flag nor stand under not-judged."""
    gone = flagged(before) - flagged(after) - not_judged(after)
    return sorted(rule for rule in gone if not allowed(rule, taken))


@pytest.mark.parametrize("variant", _variants())
def test_no_finding_vanishes_with_its_datum(variant: str) -> None:
    sent = _variants()[variant]()
    before = judged(sent)
    wrong: list[str] = []
    for taken, rest in takeaways(sent):
        after = judged(rest)
        wrong.extend(
            f"without {taken}: {rule} vanished\n{_difference(before, after)}" for rule in vanished(before, after, taken)
        )
        wrong.extend(f"without {taken}: {r}" for r in after if r.code == "exception")
    assert not wrong, "\n".join(wrong)


# An entry that is evidence for a finding (a condition, an allergy, an infusion): without it, the finding has no ground.
_EVIDENCE = (
    "Condition",
    "AllergyIntolerance",
    "Procedure",
    "ServiceRequest",
    "Immunization",
    "MedicationAdministration",
    "MedicationRequest",
    "Medication",
)


@pytest.mark.parametrize("variant", _variants())
def test_no_finding_vanishes_with_an_entry(variant: str) -> None:
    """Each entry in turn, where it is the only one of its kind: an older weight may well be sound."""
    sent = _variants()[variant]()
    before = judged(sent)
    wrong: list[str] = []
    for taken, rest in single_entries(sent):
        after = judged(rest)
        wrong.extend(f"without {taken}: {r}" for r in after if r.code == "exception")
        if _replaceable(taken, sent) or any(f" {kind}/" in taken for kind in _EVIDENCE):
            continue
        wrong.extend(
            f"without {taken}: {rule} vanished\n{_difference(before, after)}" for rule in vanished(before, after, taken)
        )
    assert not wrong, "\n".join(wrong)


def _replaceable(taken: str, sent: Json) -> bool:
    """Whether an observation of the same test remains."""
    held = [
        e["resource"]
        for e in (sent if "entry" in sent else sent["parameter"][0]["resource"])["entry"]
        if "resource" in e
    ]
    own = next((r for r in held if taken.endswith(f" Observation/{r.get('id')}")), None)
    return own is not None and sum(r.get("code") == own["code"] for r in held if r["resourceType"] == "Observation") > 1


def _difference(before: list[Row], after: list[Row]) -> str:
    """What the two outcomes do not have in common."""
    old, new = shown(before).splitlines(), shown(after).splitlines()
    lines = [f"    - {line}" for line in old if line not in new] + [f"    + {line}" for line in new if line not in old]
    return "\n".join(lines)

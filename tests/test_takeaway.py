"""Taking away any datum that a rule needs never lets its finding vanish, unless a root issue then lists the rule.

Asked of every base and of every case in which something is flagged.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from functools import lru_cache

import pytest

from bases import BASES
from builder import bundle
from casefiles import all_cases
from judged import Row, flagged, judged, not_judged, shown
from r4 import Json
from takeaways import order_path, single_entries, takeaways

LIGHT = "an adult too light to be obese owes no height, and a height that is not there cannot be wrong"
RENEWAL = "a repeating order without a stated start goes on when the next dose is due: no dose is too soon"
NO_START = "without a stated start the first dose is planned for the day of the order"
# Where a finding may vanish: the rule and what was taken (patterns), words of the variant's name, and why.
ALLOWED: tuple[tuple[str, str, str, str], ...] = (
    ("order-text-contradicts", ".*", "", "a contradiction takes two statements: with one gone the other stands"),
    ("rate-duration-mismatch", "timing|dosages", "", "without its duration nothing is left to disagree"),
    ("order-patient-deceased", "patient", "", "nobody is known to have died of whom no Patient was sent"),
    ("order-patient-mismatch", ".*", "", "the stranger's datum was the one taken"),
    ("indication-unrecognised", "reason.*", "", "it speaks of the reason itself; -missing or -inferred follows"),
    ("product-maltose-glucose-meter", ".*test 41653-7", "", "that test is the evidence of glucose at the bedside"),
    ("risk-pregnancy", ".*test (82810-3|11778-8)", "", "that test is the evidence of the pregnancy"),
    (
        "(risk-hypersensitivity|adjunct-premedication-missing)",
        ".*test (44583-3|immune-globulin-reaction)",
        "",
        "that test is the evidence of the reaction",
    ),
    (
        "risk-volume-overload",
        ".*test 10230-1",
        "",
        "nobody owes an ejection fraction: it is the evidence of the weak heart",
    ),
    (".*", "frequency", "", "FHIR: where no frequency is stated, once in each period is meant"),
    ("dose-total-mismatch", "timing|count|period.*", "", "then the dispensed total tells the number of doses"),
    ("weight-stale", "bounds", "", NO_START),
    ("lab-stale", "bounds", "", NO_START),
    ("course-repeat-too-soon", "bounds", "", RENEWAL),
    ("dose-cumulative-above-limit", "bounds", "it says that it begins at once", RENEWAL),
    ("dose-cumulative-above-limit", "bounds", "a cycle of several days a day too soon", NO_START),
    ("course-first-infusion-at-home", "timing", "", "the setting goes with it, and only home is asked about"),
    ("course-first-infusion-at-home", "bounds", "more than eight weeks after", NO_START),
    ("rate-above-initial", "bounds", "more than eight weeks after", NO_START),
    ("adjunct-.*", "bounds|timing|period unit|dosages", "before", NO_START),
    ("weight-height-implausible", ".*heights", "smaller than possible", LIGHT),
    ("weight-height-implausible", ".*heights", "body mass index", LIGHT),
    ("dose-.*", "dose.*", "more than any dosing weight allows", "the dose in the text takes its place"),
    ("dose-course-.*", "section medications", "one group", "the orders of its group go with the section"),
    ("dose-daily-.*", "bounds", "share their dates", "then one follows the other, by their sequence"),
    (
        "indication-criteria-unmet",
        ".*test 777-3",
        "where that count was too high",
        "in maintenance judged only on values before the first known infusion, else not at all",
    ),
    (
        "indication-criteria-unmet",
        ".*test 2465-3",
        "before the first infusion that was not low",
        "in maintenance judged only on values before the first known infusion, else not at all",
    ),
)
THOROUGH = int(os.environ.get("IVIG_FUZZ", "0")) > 1000
_EACH = 2  # variants of one rule on one base that are asked, unless thorough
_ALSO = ("requests of one group are one course", "twice a day is one day's dose", "five days, three apart")


@lru_cache(maxsize=1)
def variants() -> dict[str, Json]:
    """Every base, and of the cases with something flagged the first few of each rule on each base."""
    made = {base: bundle(base) for base in BASES}
    held: Counter[tuple[str, str, str]] = Counter()
    for case in all_cases():
        place = (case.rule, case.base, case.expect)
        held[place] += 1
        if case.expect in ("error", "warning", "information") and (
            THOROUGH or held[place] <= _EACH or case.name in _ALSO
        ):
            made[case.id] = bundle(case.base, case.change)
    return {name: sent for name, sent in made.items() if _has_order(sent)}


def _has_order(sent: Json) -> bool:
    try:
        return bool(order_path(sent))
    except StopIteration:
        return False


def of_order(sent: Json) -> list[Row]:
    """What is said about the order itself, and not about another one beside it."""
    path = order_path(sent)
    return [r for r in judged(sent) if r.expression[:1] == (path,)]


def vanished(before: list[Row], after: list[Row], taken: str, variant: str) -> list[str]:
    """The rules that flagged before, and now neither flag nor stand under not-judged."""
    gone = flagged(before) - flagged(after) - not_judged(after)
    if taken.startswith("reason") and "indication-inferred" in {r.rule for r in after}:
        return []  # the chart's one condition takes the place of the reason: nothing is missing
    return sorted(rule for rule in gone if not _allowed(rule, taken, variant))


def _allowed(rule: str, taken: str, variant: str) -> bool:
    return any(re.fullmatch(r, rule) and re.fullmatch(t, taken) and words in variant for r, t, words, _ in ALLOWED)


def _difference(before: list[Row], after: list[Row]) -> str:
    """What the two outcomes do not have in common."""
    old, new = shown(before).splitlines(), shown(after).splitlines()
    return "\n".join([f"    - {x}" for x in old if x not in new] + [f"    + {x}" for x in new if x not in old])


@pytest.mark.parametrize(("turn", "name"), list(enumerate(variants())), ids=variants())
def test_no_finding_vanishes_with_its_datum(turn: int, name: str) -> None:
    sent = variants()[name]
    before = of_order(sent)
    wrong: list[str] = []
    for taken, rest in takeaways(sent, turn, relevant(before)):
        after = of_order(rest)
        lost = vanished(before, after, taken, name)
        if lost:
            wrong.append(f"without {taken}: {', '.join(lost)} vanished\n{_difference(before, after)}")
        wrong.extend(f"without {taken}: {r}" for r in after if r.code == "exception")
    assert not wrong, "\n".join(wrong)


def relevant(found: list[Row]) -> str:
    """All that the findings rest on, as text that holds the paths of their evidence."""
    return "\n".join(f"{r.diagnostics} {r.expression}" for r in found if r.flagged)


@pytest.mark.parametrize("name", list(variants())[::5])
def test_any_entry_can_be_missing(name: str) -> None:
    """Nothing falls over for want of an entry. (That no finding vanishes with a datum is asked above.)"""
    for taken, rest in single_entries(variants()[name]):
        crashed = [str(r) for r in judged(rest) if r.code == "exception"]
        assert not crashed, f"without {taken}: {crashed}"


def test_the_takings_take() -> None:
    """Each datum is taken from an order that has it; otherwise the property would ask nothing."""
    sent = bundle("gbs", {"start": "2026-11-20"})
    taken = {name for turn in range(3) for name, _ in takeaways(sent, turn)}
    order = {
        "dose",
        "dose unit",
        "dose value",
        "rate",
        "timing",
        "period",
        "period unit",
        "frequency",
        "count",
        "bounds",
    }
    assert order | {"route", "dosages", "product", "product codes", "product words", "reason"} <= taken
    assert {"birth date", "sex", "patient", "weights", "heights", "onset"} <= taken
    assert {
        f"test {code}" for code in ("718-7", "777-3", "2160-0", "1742-6", "1920-8", "gbs-disability-score")
    } <= taken
    assert {f"section {s}" for s in ("conditions", "medications", "allergies", "procedures", "immunizations")} <= taken


def test_tests_that_findings_rest_on_are_taken_in_every_way() -> None:
    sent = bundle("itp", {"labs": {"platelets": "80 10*3/uL"}})
    taken = {name for name, _ in takeaways(sent, evidence=relevant(of_order(sent)))}
    assert {"test 777-3", "days of test 777-3", "values of test 777-3", "units of test 777-3"} <= taken

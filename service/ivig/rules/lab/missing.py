"""A test that must be there before immune globulin has no result.

What it checks    Haemoglobin, platelets, creatinine (or a reported eGFR) and liver tests (ALT or AST): one issue for
                  each that has no result with a value, a date and a status that stands.
Why it matters    Baseline blood count, kidney and liver tests tell who needs another product, dose or rate, and are
                  what later values are compared with.
Example           A creatinine that is registered and pending is no result.
Does not cover    A result that is too old (lab-stale). Liver tests weigh less outside a first course that is not
                  urgent.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.baseline import BASELINE, TITLES, is_below
from ivig.core.facts.labs import Kidney, lab_absent, lab_input
from ivig.core.finding import INFORMATION, WARNING, Absent, Finding, Input, Root
from ivig.core.order import Order, Result
from ivig.core.rule import Maybe, root

rule = root(
    "lab-missing",
    WARNING,
    says="No usable result of {what}",
    consider="Consider ordering the test before the first dose.",
)

_UNDECIDED = Root("lab-missing", "egfr")


def concerns(
    baseline: dict[str, Result | None],
    first_course: bool,
    results: dict[str, tuple[Result, ...]],
    creatinine: Maybe[Result],
    book: Book,
) -> bool | None:
    if None in baseline.values() or isinstance(creatinine, Absent) or creatinine.comparator:
        return True
    # An eGFR that is computed from a plain creatinine is no bound.
    return "egfr" in results or creatinine.when is None or book.maybe("renal.warn") is None or None


def check(
    order: Order,
    baseline: dict[str, Result | None],
    first_course: bool,
    urgent: bool,
    egfr: Maybe[Kidney],
    book: Book,
) -> Iterator[Finding]:
    for test, result in baseline.items():
        if result is not None or lab_absent(order, test).roots != (Root(rule.name, test),):
            continue
        refused = [r for r in order.chart.results if r.test in BASELINE[test]]
        yield rule.finding(
            at=(order.path, *(r.path for r in refused)),
            severity=INFORMATION if test == "liver" and (urgent or not first_course) else WARNING,
            sums=tuple(f"{r.said}: {r.problem or 'no value or no day'}" for r in refused),
            about=test,
            what=TITLES[test],
        )
    if _UNDECIDED in egfr.roots if isinstance(egfr, Absent) else _open(egfr, book):
        inputs: tuple[Input, ...] = () if isinstance(egfr, Absent) else egfr.inputs
        says = "The kidney function is a bound that does not decide"
        yield rule.finding(at=(order.path,), severity=INFORMATION, says=says, inputs=inputs, about="egfr")


def content(baseline: dict[str, Result | None], book: Book) -> str:
    inputs = [lab_input(result, book) for result in baseline.values() if result is not None]
    return "; ".join(f"{i.what} {i.value} ({i.day[:10]})" for i in inputs)


def _open(egfr: Kidney, book: Book) -> bool:
    return is_below(egfr.value, egfr.comparator, book.policy("renal.warn").number) is None

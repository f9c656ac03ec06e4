"""Kidney injury is likelier: weak kidneys, or several of the label's factors.

What it checks    Known kidney disease or injury, dialysis, an eGFR below the limit: a warning, in stronger words below the
                  second one. In the first year of life a low eGFR is information: the kidneys filter less. Two of the
                  label's factors (age, diabetes, volume depletion, sepsis, paraproteinaemia, nephrotoxic drugs) with an
                  eGFR that is not low: information. An established patient whose facts are all older than the last
                  infusion: information.
Why it matters    Boxed warning of every label: kidney failure, osmotic nephrosis, death.
Example           Creatinine 3 mg/dL at 45 years: eGFR 25.
Does not cover    Sucrose (product-sucrose-renal-risk) and the rate (rate-above-at-risk-ceiling). Low muscle mass hides a
                  low GFR: creatinine, and an eGFR made from it, then look better than the kidneys are. Never an error: no
                  source gives a limit.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book, Product
from ivig.core.facts.established import Habit, habit_line
from ivig.core.facts.labs import Kidney
from ivig.core.facts.renal import INFANT, Renal
from ivig.core.facts.risk import slowly
from ivig.core.facts.signs import Sign, doubts
from ivig.core.finding import INFORMATION, WARNING, Absent, Finding, Names, Severity, plain
from ivig.core.order import Order
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="risk-renal",
    severity=WARNING,
    says="{what}: kidney injury is likelier; low muscle mass hides a low GFR",
    consider="Consider a product without sucrose, good hydration before the infusion, the smallest practicable dose and "
    "the slowest practicable rate; creatinine and urine output before and after.",
)

_STRONG = "{what}; under {strong} kidney injury is much likelier; low muscle mass hides a still lower GFR"
_INFANT = "{what}, in the first year of life, when the kidneys filter less; consider creatinine and urine output"
_FACTORS = "{count} renal risk factors ({what}){egfr}; low muscle mass hides a low GFR"


def concerns(renal_finding: Seen[Renal]) -> bool | None:
    return bool(renal_finding.items) or None


def check(
    order: Order,
    renal_finding: Seen[Renal],
    renal_severity: Severity | None,
    renal_signs: Seen[Sign],
    egfr: Maybe[Kidney],
    product: Maybe[Product],
    established: Habit | None,
) -> Iterator[Finding]:
    for found in renal_finding.items:
        severity = renal_severity or found.severity
        known = () if isinstance(egfr, Absent) else egfr.inputs
        reckoned = () if isinstance(egfr, Absent) or not egfr.sum else (egfr.sum,)
        inputs = (*(s.input for s in found.signs), *(s.input for s in renal_signs.items), *known)
        said = "" if isinstance(egfr, Absent) else f", eGFR {egfr.comparator}{plain(egfr.value)}"
        yield rule.finding(
            at=(order.path, *(i.path for i in inputs if i.path)),
            severity=severity,
            says=_said(found),
            sums=reckoned,
            inputs=inputs,
            cites=(*(v for s in found.signs for v in s.cites), *found.cites),
            assumed=(*doubts(found.signs), *(habit_line(established) if severity != found.severity else ())),
            consider=(slowly(product),),
            what=Names.of(s.what if s.cites or not s.grave else s.input.value for s in found.signs),
            count=len({s.factor for s in found.signs}),
            egfr=said,
            strong=found.cites[0].number if found.strong else "",
        )


def _said(found: Renal) -> str | None:
    if any(s.factor == INFANT for s in found.signs):
        return _INFANT
    return _FACTORS if found.severity == INFORMATION else _STRONG if found.strong else None


def content(egfr: Maybe[Kidney], renal_signs: Seen[Sign], book: Book) -> str:
    """The eGFR beside its limit, and the risk factors there are."""
    factors = ", ".join(dict.fromkeys(s.factor for s in renal_signs.items if s.factor)) or "no risk factor"
    if isinstance(egfr, Absent):
        return factors
    limit = plain(book.policy("renal.warn").number)
    return f"eGFR {egfr.comparator}{plain(egfr.value)} ({egfr.how}), low is below {limit}; {factors}"

"""A drug that harms the kidneys beside immune globulin.

What it checks    Nephrotoxic drugs and systemic NSAIDs that run on the day: information, and a warning where risk-renal
                  speaks at warning.
Why it matters    Both strain the kidneys; labels name nephrotoxic drugs among the renal risk factors.
Example           Ibuprofen as needed; gentamicin in chronic kidney disease.
Does not cover    Aspirin, which is none; topical forms; tenofovir alafenamide; loop diuretics.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.facts.renal import Renal
from ivig.core.facts.signs import Sign, doubts
from ivig.core.finding import INFORMATION, WARNING, Finding, Names, Severity
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="interaction-nephrotoxin",
    severity=INFORMATION,
    says="Nephrotoxic beside immune globulin: {what}{kidneys}",
    consider="Consider whether the drug can wait until after the course or be replaced; hydration, creatinine and urine "
    "output where it cannot.",
)


def concerns(nephrotoxins: Seen[Sign]) -> bool:
    return bool(nephrotoxins.items)


def check(
    order: Order, nephrotoxins: Seen[Sign], renal_finding: Seen[Renal], renal_severity: Severity | None
) -> Iterator[Finding]:
    warned = renal_severity == WARNING
    kidneys = [s for found in renal_finding.items for s in found.signs] if warned else []
    yield rule.finding(
        at=(order.path, *(s.input.path for s in (*nephrotoxins.items, *kidneys) if s.input.path)),
        severity=WARNING if warned else INFORMATION,
        sums=tuple(s.sum for s in kidneys if s.sum),
        inputs=(s.input for s in (*nephrotoxins.items, *kidneys)),
        cites=tuple(v for s in kidneys for v in s.cites),
        assumed=doubts((*nephrotoxins.items, *kidneys)),
        what=Names.of(s.what for s in nephrotoxins.items),
        kidneys=Names.of((s.what for s in kidneys), ", with "),
    )

"""No haemoglobin is planned after a course that may cause haemolysis.

What it checks    Where blood group and dose make haemolysis likelier (risk-haemolysis): whether a haemoglobin or blood count is
                  ordered for after the first dose, or was measured since. An order without a day that still stands counts.
Why it matters    Haemolysis shows days after the infusion, when the patient is often at home.
Example           2 g/kg in blood group A, and the only blood count is the one from before.
Does not cover    Group O and smaller courses. Tests that are ordered elsewhere, of which this chart knows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.haemolysis import SAFE_GROUP
from ivig.core.facts.labs import lab_input
from ivig.core.facts.load import Load
from ivig.core.finding import INFORMATION, Finding, plain
from ivig.core.order import Order, Procedure, Result
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="adjunct-haemoglobin-check-missing",
    severity=INFORMATION,
    says="Blood group {group}, {got} g/kg, and no haemoglobin planned after it; consider one {low} to {high} h after",
    consider="Consider ordering a haemoglobin for after the course, and telling the patient what dark urine, pallor or "
    "jaundice may mean.",
)


def concerns(blood_group: Result | None) -> bool:
    return blood_group is None or blood_group.words != SAFE_GROUP


def check(
    order: Order,
    blood_group: Result | None,
    haemolysis_loads: Seen[Load],
    later_haemoglobin: Seen[Procedure | Result],
    book: Book,
) -> Iterator[Finding]:
    if not haemolysis_loads.items or blood_group is None or later_haemoglobin.items or later_haemoglobin.lacking:
        return
    most = max(haemolysis_loads.items, key=lambda load: load.total)
    low, high = book.policy("haemolysis.check_from_hours"), book.policy("haemolysis.check_to_hours")
    yield rule.finding(
        at=(order.path, blood_group.path),
        sums=most.sums,
        inputs=(lab_input(blood_group, book), *most.inputs),
        cites=(book.policy("haemolysis.g_per_kg"), low, high),
        consider=(f"A haemoglobin about {plain(low.number)} to {plain(high.number)} h after the infusion.",),
        group=blood_group.words,
        got=round(most.total, 2),
        low=low.number,
        high=high.number,
    )


def content(later_haemoglobin: Seen[Procedure | Result]) -> str:
    return "haemoglobin planned or measured after the first dose" if later_haemoglobin.items else ""

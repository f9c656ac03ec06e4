"""A large course in a patient whose red cells immune globulin can destroy.

What it checks    Blood group A, B or AB and a course from the size on at which haemolysis was reported, per kg of actual
                  weight and without tolerance; doses given just before, as part of the course, are added. A warning where
                  a second course within days, a low haemoglobin or an earlier haemolysis comes on top.
Why it matters    Antibodies in the product against groups A and B destroy red cells. Most reports are of 2 g/kg or more,
                  given at once or divided.
Example           2 g/kg over 5 days in blood group A; with a haemoglobin of 9 g/dL a warning.
Does not cover    Group O, and smaller courses. Cycles about four weeks apart, where the page has maintenance of that size,
                  are no second course. Inflammation, whose part is not certain.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.dose import places
from ivig.core.facts.established import Habit, eased
from ivig.core.facts.haemolysis import SAFE_GROUP
from ivig.core.facts.labs import lab_input
from ivig.core.facts.load import Load
from ivig.core.facts.reactions import doubted
from ivig.core.facts.signs import Sign
from ivig.core.finding import INFORMATION, WARNING, Finding, Measure, Names, plain
from ivig.core.order import Condition, Order, Result
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="risk-haemolysis",
    severity=INFORMATION,
    says="Haemolysis is likelier: blood group {group} and a course of {got} g/kg (from {limit} g/kg){why}",
    consider="Consider the lowest dose that works, and haemoglobin before and some days after the course. Spreading the "
    "course over more days does not prevent haemolysis.",
)


def concerns(blood_group: Result | None) -> bool:
    return blood_group is None or blood_group.words != SAFE_GROUP


def check(
    order: Order,
    blood_group: Result | None,
    haemolysis_loads: Seen[Load],
    haemolysis_grounds: tuple[Sign, ...],
    conditions: Seen[Condition],
    established: Habit | None,
    book: Book,
) -> Iterator[Finding]:
    if not haemolysis_loads.items or blood_group is None:
        return
    limit = book.policy("haemolysis.g_per_kg")
    most, signs = max(haemolysis_loads.items, key=lambda load: load.total), haemolysis_grounds
    inputs = (lab_input(blood_group, book), *most.inputs, *(s.input for s in signs))
    unseen = (
        (("no earlier haemolysis: conditions were not sent",) if conditions.lacking else ())
        + (("no course in the days before: earlier infusions were not sent",) if haemolysis_loads.lacking else ())
        if not signs
        else ()
    )
    yield rule.finding(
        at=places(order, inputs),
        severity=eased(WARNING, established, (s.since for s in signs)) if signs else INFORMATION,
        sums=(*most.sums, *(s.sum for s in signs if s.sum)),
        inputs=inputs,
        cites=(limit, *(v for s in signs for v in s.cites)),
        measure=Measure("g/kg", most.total, None, limit.number, limit.source),
        assumed=(*unseen, *doubted(inputs)),
        group=blood_group.words,
        got=most.total,
        limit=limit.number,
        why=Names.of((s.what for s in signs), "; "),
    )


def content(loads: Seen[Load], book: Book) -> str:
    most = max((load.total for load in loads.items), default=None)
    limit = book.policy("haemolysis.g_per_kg").number
    return f"{plain(most)} g/kg, below {plain(limit)} g/kg" if most is not None and most < limit else ""

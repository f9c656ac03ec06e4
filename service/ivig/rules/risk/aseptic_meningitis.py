"""A large course in a patient prone to aseptic meningitis.

What it checks    Migraine, or an earlier aseptic meningitis, and a course of the size from which it is commoner, per kg of
                  actual weight; doses given just before, as part of the course, are added.
Why it matters    Aseptic meningitis follows high doses and fast infusions, within hours to two days, and is commoner in
                  migraine. It is frightening, it is not infectious, and it passes.
Example           2 g/kg over 2 days in a patient with migraine.
Does not cover    The rate (the rate rules). Smaller courses.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.chart import of_set
from ivig.core.facts.dose import places
from ivig.core.facts.load import Load
from ivig.core.facts.reactions import doubted, told
from ivig.core.finding import INFORMATION, Finding, Measure, Names, plain
from ivig.core.order import Allergy, Condition, Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="risk-aseptic-meningitis",
    severity=INFORMATION,
    says="{what} and a course of {got} g/kg: aseptic meningitis is likelier from {limit} g/kg on",
    consider="Consider more days with a smaller dose on each, a slow rate, hydration, and telling the patient what a "
    "headache with a stiff neck in the following days may be.",
)

_EARLIER = "aseptic_meningitis_history"


def concerns(condition_sets: Seen[str], all_allergies: Seen[Allergy]) -> bool:
    sets = condition_sets.items
    return "migraine" in sets or _EARLIER in sets or any(_EARLIER in a.reactions for a in all_allergies.items)


def check(
    order: Order,
    conditions: Seen[Condition],
    active: Seen[Condition],
    all_allergies: Seen[Allergy],
    loads: Seen[Load],
    book: Book,
) -> Iterator[Finding]:
    limit = book.policy("meningitis.g_per_kg")
    evidence: list[Condition | Allergy] = [*of_set(conditions, _EARLIER), *of_set(active, "migraine")]
    evidence += [a for a in all_allergies.items if a.immune_globulin and _EARLIER in a.reactions]
    most = max(loads.items, key=lambda load: load.total, default=None)
    if not evidence or most is None or most.total < limit.number:
        return
    inputs = (*(told(e) for e in evidence), *most.inputs)
    names = ("Earlier aseptic meningitis" if _is_earlier(e) else "Migraine" for e in evidence)
    yield rule.finding(
        at=places(order, inputs),
        sums=most.sums,
        inputs=inputs,
        cites=(limit,),
        measure=Measure("g/kg", most.total, None, limit.number, limit.source),
        assumed=doubted(inputs),
        what=Names.of(names),
        got=most.total,
        limit=limit.number,
    )


def _is_earlier(evidence: Condition | Allergy) -> bool:
    return isinstance(evidence, Allergy) or _EARLIER in evidence.concept.sets


def content(loads: Seen[Load], book: Book) -> str:
    most = max((load.total for load in loads.items), default=None)
    limit = book.policy("meningitis.g_per_kg").number
    return f"{plain(most)} g/kg, below {plain(limit)} g/kg" if most is not None and most < limit else ""

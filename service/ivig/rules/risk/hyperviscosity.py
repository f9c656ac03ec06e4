"""Blood that is thick already.

What it checks    A paraprotein (also a monoclonal gammopathy of undetermined significance), cryoglobulins, polycythaemia or
                  hyperviscosity, active on the day. Information where that disease is what the order is for and the
                  course is small.
Why it matters    Immune globulin raises the viscosity of plasma; thick blood clots, in the brain, the heart and the lungs.
Example           2 g/kg for CIDP in a patient with a monoclonal gammopathy, which is common in neuropathy: a warning. 0.4
                  g/kg every 4 weeks for infections in myeloma: information.
Does not cover    Thrombosis by other factors (risk-thrombosis). A viscosity that was measured is shown and not judged.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.established import Habit, eased
from ivig.core.facts.labs import lab_input, newest
from ivig.core.facts.load import Load
from ivig.core.facts.reactions import doubted
from ivig.core.facts.viscosity import Thick
from ivig.core.finding import INFORMATION, WARNING, Finding, Names, plain
from ivig.core.order import Order, Result
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="risk-hyperviscosity",
    severity=WARNING,
    says="{what}: immune globulin thickens the blood further{dose}; consider plasma viscosity first",
    consider="Consider plasma viscosity and the amount of paraprotein before the first dose, a smaller dose on each day, a slow "
    "rate and hydration.",
)


def concerns(thick_blood: Seen[Thick]) -> bool:
    return bool(thick_blood.items)


def check(
    order: Order,
    thick_blood: Seen[Thick],
    loads: Seen[Load],
    results: dict[str, tuple[Result, ...]],
    established: Habit | None,
    book: Book,
) -> Iterator[Finding]:
    below = book.policy("hyperviscosity.information_below_g_per_kg")
    most = max(loads.items, key=lambda load: load.total, default=None)
    treated = all(t.treated for t in thick_blood.items)
    small = most is not None and most.total < below.number
    measured = newest(results, "viscosity")
    yield rule.finding(
        at=(order.path, *(t.input.path for t in thick_blood.items)),
        severity=INFORMATION
        if treated and small
        else eased(WARNING, established, (t.since for t in thick_blood.items)),
        sums=most.sums if most is not None else (),
        inputs=(
            *(t.input for t in thick_blood.items),
            *(most.inputs if most is not None else ()),
            *((lab_input(measured, book),) if measured is not None else ()),
        ),
        cites=(below,) if treated else (),
        assumed=doubted(t.input for t in thick_blood.items),
        what=Names.of(t.what for t in thick_blood.items),
        dose=f" ({plain(most.total)} g/kg)" if most is not None else "",
    )

"""The patient is pregnant.

What it checks    Whether the patient is pregnant on the day, and which weights there are: the present one, and the last before
                  the pregnancy, counted back from the expected delivery.
Why it matters    Immune globulin is generally safe in pregnancy and often preferred. The weight grows with the child; some
                  guidelines dose by the weight before.
Example           79 kg at 32 weeks and 66 kg before: 2 g/kg are 158 g by the one and 132 g by the other.
Does not cover    Which weight to dose by: the actual one is used, the other is shown. Pregnancies that nobody recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ivig.core.book import Book
from ivig.core.facts.dose import PerKg
from ivig.core.facts.weighing import as_input
from ivig.core.finding import INFORMATION, Absent, Finding, Input, plain
from ivig.core.order import Condition, Order, Result
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="risk-pregnancy",
    severity=INFORMATION,
    says="Pregnant: {now} kg now, {before}; immune globulin is generally considered safe",
    consider="Consider which of the two weights the dose should rest on, and the child when serology is read later.",
)


def concerns(expectant: Seen[Condition | Result]) -> bool:
    return bool(expectant.items)


def check(
    order: Order,
    expectant: Seen[Condition | Result],
    weight: Maybe[Result],
    weight_before_pregnancy: Result | None,
    due_day: date | None,
    per_kg: Seen[PerKg],
    book: Book,
) -> Iterator[Finding]:
    now = None if isinstance(weight, Absent) else weight
    before, days = weight_before_pregnancy, book.policy("pregnancy.days_before_edd")
    if before is not None and before.when is not None and before.value is not None:
        said = f"{plain(round(before.value, 1))} kg before ({before.when.day})"
    else:
        said = "weight before not on record" if due_day is not None else "weight before not known without a due date"
    yield rule.finding(
        at=(order.path, *(e.path for e in expectant.items), *(w.path for w in (now, before) if w is not None)),
        sums=_sums(due_day, before, per_kg, book),
        inputs=(
            *(_shown(e) for e in expectant.items),
            *((as_input(now, "weight"),) if now is not None else ()),
            *((as_input(before, "weight before pregnancy"),) if before is not None else ()),
        ),
        cites=(days,),
        now=round(now.value, 1) if now is not None and now.value is not None else "unknown",
        before=said,
    )


def _shown(evidence: Condition | Result) -> Input:
    if isinstance(evidence, Condition):
        return Input("condition", evidence.concept.text, evidence.onset.text if evidence.onset else "", evidence.path)
    said = evidence.words if evidence.test == "edd" else evidence.said or evidence.words
    what = "expected delivery" if evidence.test == "edd" else "pregnancy status"
    return Input(what, said, evidence.when.text if evidence.when else "", evidence.path)


def _sums(due: date | None, before: Result | None, per_kg: Seen[PerKg], book: Book) -> tuple[str, ...]:
    if due is None:
        return ()
    days = int(book.policy("pregnancy.days_before_edd").number)
    lines = [f"Expected delivery {due} - {days} days = {date.fromordinal(due.toordinal() - days)}"]
    if before is not None and before.value:
        for dose in per_kg.items:
            if dose.grams_total is not None:
                share = plain(round(dose.grams_total / before.value, 2))
                lines.append(f"{plain(dose.grams_total)} g / {plain(before.value)} kg before pregnancy = {share} g/kg")
                lines.extend(dose.sums)
    return tuple(lines)

"""No height for an adult who may be obese.

What it checks    Whether an adult heavy enough to be obese at a small height has a height that can be used, where the
                  dosing weight hangs on it.
Why it matters    Without a height nobody can tell whether the dose should rest on adjusted weight.
Example           105 kg and no height: obese up to 187 cm.
Does not cover    Children, pregnancy and amputation, where the dose rests on actual weight; adults too light to be
                  obese.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.weighing import tells, tenth
from ivig.core.facts.weight import Basis, HeightFault
from ivig.core.finding import INFORMATION, WARNING, Finding, Input
from ivig.core.order import Order, Result
from ivig.core.rule import Maybe, root

rule = root(
    "weight-height-missing",
    INFORMATION,
    says="No usable height: what rests on it is not judged",
    consider="Consider measuring the height.",
)


def concerns(height: Maybe[Result], height_fault: HeightFault | None) -> bool | None:
    return height_fault is not None or tells(rule.name, height) or None


def check(
    order: Order, weight: Result, weight_inputs: tuple[Input, ...], dosing_basis: Basis, book: Book
) -> Iterator[Finding]:
    if dosing_basis.settled or weight.value is None:
        return
    heavy, least = book.policy("weight.height_needed_from_kg"), book.policy("weight.cannot_be_obese_below_kg")
    yield rule.finding(
        at=(order.path, weight.path),
        severity=WARNING if weight.value >= heavy.number else INFORMATION,
        says="No usable height at {kg} kg: obesity and dosing weight cannot be told",
        inputs=weight_inputs,
        cites=(heavy if weight.value >= heavy.number else least,),
        kg=tenth(weight.value),
    )


def content(height: Result) -> str:
    return f"{height.said}{f' ({height.when.day})' if height.when is not None else ''}"

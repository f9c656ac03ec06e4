"""Faster than the label allows for patients at risk.

What it checks    For a patient with risk-renal or risk-thrombosis at warning: the fastest rate, or the average of a
                  duration, against the lower ceiling that the label gives for such patients.
Why it matters    Thrombosis and kidney injury come with fast infusions, above all where the patient is at risk.
Example           Panzyga at 200 mL/h in a patient of 70 kg with chronic kidney disease: 4.76 mg/kg/min, and the label
                  allows 3.3.
Does not cover    Labels that give no number: they ask for the slowest practicable rate, which risk-renal and
                  risk-thrombosis say. "Less than" a number is held as that number with its tolerance.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book, Product
from ivig.core.facts.ceilings import AT_RISK, Held, fastest
from ivig.core.facts.rate_words import limit_line, measure_of, rate_inputs, sum_of, whose
from ivig.core.facts.rates import Pace, hours_line
from ivig.core.facts.signs import Sign, doubts
from ivig.core.finding import WARNING, Absent, Finding, Names, plain
from ivig.core.order import Order, Result
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="rate-above-at-risk-ceiling",
    severity=WARNING,
    says="{got} {unit}{average} is above {limit}, the label's highest at risk ({what}) for {product}",
    consider="Consider a highest rate within the label's ceiling for patients at risk, or the slowest practicable one, "
    "with good hydration and the smallest practicable dose.",
)


def concerns(risk_rate: Seen[Held]) -> bool | None:
    return bool(risk_rate.items or risk_rate.lacking) or None


def check(
    order: Order,
    at_risk_rate: Seen[tuple[Held, tuple[Sign, ...]]],
    weight: Maybe[Result],
    products: tuple[Product, ...],
    book: Book,
) -> Iterator[Finding]:
    for held, signs in at_risk_rate.items:
        inputs = (*rate_inputs(held, weight, order), *(s.input for s in signs))
        hours = hours_line(order, held.pace, held.body, products)
        yield rule.finding(
            at=(order.path, *(i.path for i in inputs if i.path)),
            sums=(
                sum_of(held),
                limit_line(held, "Label at risk: at most", book),
                *((hours,) if hours else ()),
                *(s.sum for s in signs if s.sum),
            ),
            inputs=inputs,
            cites=(held.limit, book.policy("rate.tolerance"), *(v for s in signs for v in s.cites)),
            measure=measure_of(held),
            assumed=doubts(signs),
            got=held.got,
            unit=held.limit.unit,
            average=" on average" if held.pace.average else "",
            limit=held.limit.number,
            what=Names.of(s.what for s in signs),
            product=whose(held, order),
        )


def content(order: Order, paces: Seen[Pace], weight: Maybe[Result], products: tuple[Product, ...], book: Book) -> str:
    """The fastest rate beside the label's number at risk."""
    held = fastest(AT_RISK, order, paces.items, products, Absent(()), weight, book)
    if held is None:
        return "" if any(p.rate_at_risk is not None for p in products) else "the label has no number at risk"
    return f"{plain(held.got)} {held.limit.unit} at most, label at risk {plain(held.limit.number)}"

"""Younger than the label's lower age.

What it checks    The patient's age against the lower age the product's label gives for the indication (or another page
                  of its family).
Why it matters    Below it dose and safety have not been studied with this product; another one may be labelled.
Example           Privigen, labelled from 15 years in immune thrombocytopenia, for a child of 8.
Does not cover    An indication the label does not name at all (indication-off-label).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ivig.core.book import Book, Indication, Product
from ivig.core.dated import Value
from ivig.core.facts.indication import accepted
from ivig.core.facts.limits import labels_for
from ivig.core.facts.patient import Age
from ivig.core.facts.product import called
from ivig.core.finding import INFORMATION, Finding, Input, Measure, Names, plain
from ivig.core.order import Order
from ivig.core.rule import Rule

rule = Rule(
    name="product-age-below-label",
    severity=INFORMATION,
    says="{product} is labelled from {limit} years for {what}; the patient is {got}",
    consider="Consider a product that is labelled for this age, or recording that this one is meant.",
)


def concerns(candidates: tuple[Indication, ...], product: Product, book: Book) -> bool:
    return _lowest(candidates, product, book) is not None


def check(
    order: Order, candidates: tuple[Indication, ...], product: Product, age: Age, age_input: Input, book: Book
) -> Iterator[Finding]:
    lowest = _lowest(candidates, product, book)
    if lowest is None or age.years >= lowest.number:
        return
    yield rule.finding(
        at=(order.path, order.chart.patient_path),
        inputs=(age_input,),
        cites=(lowest,),
        measure=Measure("a", Decimal(age.years), lowest.number, None, lowest.source),
        product=called(product, order),
        limit=lowest.number,
        what=Names.of((accepted(candidates)[0].title,)),
        got=age.years,
    )


def content(candidates: tuple[Indication, ...], product: Product, age: Age, book: Book) -> str:
    lowest = _lowest(candidates, product, book)
    return f"{age.years} years, labelled from {plain(lowest.number)}" if lowest is not None else ""


def _lowest(candidates: tuple[Indication, ...], product: Product, book: Book) -> Value | None:
    """The lowest age of the labels that name one of the indications; None when one gives no age, or none names it."""
    labels = [label for page in accepted(candidates) for label in labels_for(page, product, book)]
    ages = [label.min_age for label in labels if label.min_age is not None]
    return min(ages, key=lambda v: v.number) if ages and len(ages) == len(labels) else None

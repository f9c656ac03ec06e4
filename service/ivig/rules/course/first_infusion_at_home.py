"""A first infusion at home.

What it checks    Orders to be given at home: whether this is the first infusion by vein on record, the first of another
                  brand, or the first after a long gap.
Why it matters    Reactions come most often with a first infusion, a new product or a new start; at home nobody may be
                  there to treat them.
Example           A first course of Privigen, ordered for home.
Does not cover    Orders that do not tell where they are given; an earlier infusion whose product is not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ivig.core.book import Book, Product
from ivig.core.facts.history import Given
from ivig.core.facts.limits import in_days
from ivig.core.finding import WARNING, Finding, Input, Names, plain
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="course-first-infusion-at-home",
    severity=WARNING,
    says="The first infusion on record is to be given at home",
    consider="Consider a first infusion, or the first of another product or after a long gap, where a reaction can be "
    "treated, slowly and watched for longer; further ones at home.",
)

_SWITCH = "The first infusion of {product} is to be given at home; the last one, on {day}, was {last}"
_GAP = "The first infusion after {days} days (over {weeks} weeks) is to be given at home; the last was on {day}"


def concerns(setting: str) -> bool:
    return setting == "home"


def check(order: Order, given: Seen[Given], product: Product, first_dose: Seen[date], book: Book) -> Iterator[Finding]:
    weeks, first_day = book.policy("course.gap_weeks"), first_dose.items[0]
    known = [g for g in given.items if g.day < first_day or (g.day == first_day and g.kind != "request")]
    if not known:
        if not given.lacking:
            yield rule.finding(at=(order.path,), cites=(weeks,))
        return
    last = known[-1]
    days = (first_day - last.day).days
    brands = [book.product(k).brand for k in last.products]
    gap, switch = days > in_days(weeks.number), bool(brands) and product.brand not in brands
    if not (gap or switch):
        return
    yield rule.finding(
        at=(order.path, last.path),
        says=_GAP if gap else _SWITCH,
        sums=(f"{last.day} to {first_day}: {days} days",),
        inputs=(Input("last infusion", ", ".join(brands) or "product not known", last.day.isoformat(), last.path),),
        cites=(weeks,),
        days=days,
        weeks=weeks.number,
        day=last.day,
        product=product.brand if order.products else "another product",
        last=Names.of(brands),
    )


def content(given: Seen[Given], first_dose: Seen[date], book: Book) -> str:
    """How long ago the last infusion was."""
    first_day, weeks = first_dose.items[0], plain(book.policy("course.gap_weeks").number)
    last = max((g.day for g in given.items if g.day <= first_day), default=None)
    if last is None:
        return ""
    return f"{last} to {first_day}: {(first_day - last).days} days since the last infusion, at most {weeks} weeks; same product"

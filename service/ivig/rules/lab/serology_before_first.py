"""Hepatitis serology is not complete before a first course.

What it checks    Whether HBsAg, anti-HBc and anti-HCV each have a result, ever, before a first course.
Why it matters    Immune globulin carries antibodies of its donors: for about 12 weeks after it a positive anti-HBc may
                  not be the patient's own. Only a sample from before tells.
Example           HBsAg and anti-HCV negative, anti-HBc never asked for.
Does not cover    What the results say.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.chart import unanswered
from ivig.core.finding import INFORMATION, Absent, Finding
from ivig.core.order import Order, Result
from ivig.core.rule import Maybe, root

rule = root(
    "lab-serology-before-first",
    INFORMATION,
    says="No hepatitis serology on record",
    consider="Consider drawing the serology before the first dose.",
)

_SEROLOGY = ("hbsag", "anti_hbc", "anti_hcv")


def concerns(order: Order, first_course: bool, results: dict[str, tuple[Result, ...]]) -> Maybe[bool]:
    if not first_course:
        return False
    failed = () if all(map(results.get, _SEROLOGY)) else unanswered(order, *_SEROLOGY)
    return Absent(failed) if failed else True


def check(order: Order, results: dict[str, tuple[Result, ...]], book: Book) -> Iterator[Finding]:
    absent = tuple(book.test_title(t) for t in _SEROLOGY if not results.get(t))
    if absent:
        passive = book.policy("lab.anti_hbc_passive_weeks")
        yield rule.finding(
            at=(order.path,),
            says="Not on record before this first course: {what}",
            sums=(f"For about {passive.number} weeks afterwards anti-HBc may come from the product.",),
            cites=(passive,),
            what=absent,
        )


def content(results: dict[str, tuple[Result, ...]], book: Book) -> str:
    return "; ".join(f"{book.test_title(t)} ({r[0].when.day})" for t in _SEROLOGY if (r := results[t]) and r[0].when)

"""A part of the chart was asked for and not had.

What it checks    What failed, timed out, was refused or came cut off when the chart was gathered; one issue lists
                  all.
Why it matters    Data that exist but did not come are not the same as data that do not exist: the order may be judged
                  again later.
Example           The search for AllergyIntolerance timed out; the conditions came with a next page that was not
                  fetched.
Does not cover    Sections that nobody sent or asked for (chart-section-missing).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.finding import INFORMATION, WARNING, Finding
from ivig.core.order import Order
from ivig.core.rule import root

rule = root(
    "chart-unavailable",
    WARNING,
    says="A part of the chart was asked for and not had",
    code="incomplete",
    consider="Consider asking again once the source answers.",
)

_SHOWN = 3
_WHY = {"incomplete": "incomplete", "timeout": "timed out", "forbidden": "refused"}


def check(order: Order, book: Book) -> Iterator[Finding]:
    failed = tuple(dict.fromkeys(order.chart.unavailable))
    if not failed:
        return
    known = book.policy("chart.sections_unavailable")
    expected = all(what in known.words for what, _ in failed)
    reasons = {why for _, why in failed}
    listed = tuple(f"{what} ({_WHY.get(why, why)})" for what, why in failed)
    shown = listed if len(listed) <= _SHOWN else (*listed[:_SHOWN], f"{len(listed) - _SHOWN} more")
    yield rule.finding(
        at=(order.path,),
        severity=INFORMATION if expected else WARNING,
        says="Asked for and not had: {what}",
        sums=(", ".join(listed),),
        cites=(known,) if expected else (),
        code=next(iter(reasons)) if len(reasons) == 1 and reasons <= set(_WHY) else "incomplete",
        what=shown,
    )

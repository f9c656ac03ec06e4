"""A datum that the indication's criteria ask for is not there.

What it checks    Whether what the page asks for is known, for a first course or one after a gap: onset, score, count,
                  the words or code that narrow a wide code, a drug that has to come first.
Why it matters    Whether this patient should have immune globulin can't be told without them; one issue for each.
Example           Guillain-Barré syndrome without a GBS disability score; kidney rejection (T86.11) that nothing calls
                  antibody-mediated.
Does not cover    A datum that is there and fails (indication-criteria-unmet). In maintenance nothing is missed.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.criteria import Unmet
from ivig.core.finding import INFORMATION, Absent, Finding
from ivig.core.order import Order
from ivig.core.rule import Maybe, Seen, root

rule = root(
    "indication-criteria-unknown",
    INFORMATION,
    says="The criteria of the indication ask for what is not known: {what}",
    consider="Consider recording what the criteria ask for before the first dose.",
)


def check(order: Order, criteria: Maybe[Seen[Unmet]], book: Book) -> Iterator[Finding]:
    if isinstance(criteria, Absent):
        return
    for missing in criteria.lacking:
        if missing.name == rule.name:
            what = "onset" if missing.about == "onset" else book.datum_title(missing.about)
            yield rule.finding(at=(order.path,), about=missing.about, what=what)

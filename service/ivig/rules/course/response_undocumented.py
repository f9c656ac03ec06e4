"""The response to a repeated treatment is not on record.

What it checks    In maintenance, whether one of the indication's scales was measured twice: before treatment (or some
                  weeks ago), and under it within the months of a review, fewer of them in the first year.
Why it matters    Repeating is worth its risks only on objective benefit, and that takes two scores on one scale.
Example           CIDP for two years on 1 g/kg every three weeks, and the last INCAT score is 18 months old.
Does not cover    Single courses; diseases followed by a laboratory value. What the scores say: course-response-absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from ivig.core.book import Book, Indication
from ivig.core.facts.indication import MAINTENANCE
from ivig.core.facts.response import Response, input_of, on_day
from ivig.core.finding import INFORMATION, WARNING, Finding, Names, plain
from ivig.core.order import Order, Result
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="course-response-undocumented",
    severity=INFORMATION,
    # Said as it stands when the scales that were measured cannot tell of a response (course-response-absent).
    says="Whether there is a response can't be told: no scale with a known meaningful change before and under treatment",
    consider="Consider measuring one strength or disability scale now, and the same one at each review; further courses "
    "rest on objective benefit.",
)

_DUE = "A review is due: no {scales} in {months} months, treated since {started}"
_ONE = "{test} has no earlier score to compare it with; two on one scale show a response"
_YET = "{test} {score} on {day}, and no score under treatment yet, which began on {started}"
_NONE = "No score from before treatment, which began on {started}: {scales}"


def concerns(indication: Indication) -> bool:
    return bool(indication.scales) and MAINTENANCE in indication.phases


def check(
    order: Order, response: Seen[Response], indication: Indication, first_day: date, book: Book
) -> Iterator[Finding]:
    for held in response.items:
        latest = [f.latest for f in held.scales if f.latest is not None]
        first = [f.first[0] for f in held.scales if f.first]
        if held.documented:
            continue
        mapped = book.policy("response.scales_mapped")
        inputs = tuple(input_of(r, book) for r in (*first, *latest))
        yield rule.finding(
            at=(order.path, *(i.path for i in inputs)),
            severity=WARNING if held.due or mapped.word == "true" else INFORMATION,
            says=_DUE if held.due else _ONE if latest else _YET if first else _NONE,
            sums=(f"Treated since {held.started}; a score under treatment is looked for from {held.since} on",),
            inputs=inputs,
            cites=(held.window, book.policy("response.baseline_weeks"), mapped),
            assumed=("The first infusion on record is taken for the first of the treatment.",),
            scales=Names.of([book.test_title(s) for s in indication.scales]),
            months=held.window.number,
            started=held.started,
            test=Names.of([book.test_title(r.test) for r in latest or first[:1]]) if latest or first else "",
            score=first[0].value if first else "",
            day=on_day(first[0]) if first else "",
        )


def content(response: Seen[Response], book: Book) -> str:
    return "; ".join(
        f"{book.test_title(f.test)} {_scored(f.first[-1])}, then {_scored(f.latest)}"
        for held in response.items
        for f in held.scales
        if f.documented and f.latest is not None
    )


def _scored(result: Result) -> str:
    return f"{plain(result.value or Decimal(0))} on {result.when.day if result.when else ''}"

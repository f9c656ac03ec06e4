"""A change between IV and SC immune globulin within a short time.

What it checks    Days of immune globulin by the other route, given or planned, shortly before or after the days of
                  this order.
Why it matters    After a change of route doses may overlap or leave a gap; the first subcutaneous dose is timed by
                  the last one by vein.
Example           Last infusion by vein on 2026-11-06, first subcutaneous dose on 2026-11-20: 14 days.
Does not cover    Another order that runs on the same days (order-duplicate); a change that lies further back.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ivig.core.book import Book
from ivig.core.facts.running import Run, Turn, polyvalent
from ivig.core.finding import INFORMATION, Finding, Input, plain
from ivig.core.order import Infusion, Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="order-iv-sc-switch",
    severity=INFORMATION,
    says="Change between IV and SC: {way} immune globulin on {day}, {gap} this order",
    any_product=True,
    consider=(
        "Consider confirming when the new route starts and that the old order ends, so that doses neither "
        "overlap nor leave a gap."
    ),
)


def concerns(order: Order, given_or_planned: Seen[Infusion]) -> bool:
    return bool(given_or_planned.items) and (order.medication_missing or polyvalent(order.kind, order.route))


def check(
    order: Order, class_ordered: str, route: str, near_turns: Seen[Turn], own_run: Run, book: Book
) -> Iterator[Finding]:
    before = [t for t in near_turns.items if t.day < own_run.first]
    after = [t for t in near_turns.items if t.day >= own_run.first]
    # Only the change itself counts: the nearest day before, if it went the other way, else the nearest one to come.
    turn = before[-1] if before and before[-1].route != route else next((t for t in after if t.route != route), None)
    if turn is None:
        return
    gap = _gap(turn.day, own_run)
    window = book.policy("order.iv_sc_switch_days")
    way = turn.route.upper()
    yield rule.finding(
        at=(order.path, turn.path),
        inputs=(Input(f"immune globulin {way}", "given or planned", turn.day.isoformat(), turn.path),),
        cites=(window,),
        sums=(
            f"{way} on {turn.day}; this order, {route.upper()}, {own_run.sum}",
            f"{gap} this order; {plain(window.number)} days either way are looked at",
        ),
        way=way,
        day=turn.day,
        gap=gap,
    )


def content(route: str, near_turns: Seen[Turn], book: Book) -> str:
    window = book.policy("order.iv_sc_switch_days")
    near = _days(len(near_turns.items)) if near_turns.items else "no day"
    return f"{near} of other immune globulin within {window.number} days, no change from {route.upper()}"


def _gap(day: date, run: Run) -> str:
    if day < run.first:
        return f"{_days((run.first - day).days)} before"
    return f"{_days((day - run.last_dose).days)} after the last dose of" if day > run.last_dose else "on the days of"


def _days(number: int) -> str:
    return f"{number} {'day' if number == 1 else 'days'}"

"""A live vaccine that immune globulin weakens, shortly before the order or planned after it.

What it checks    Vaccines against measles, mumps, rubella and varicella: given within days before the first infusion, or
                  planned before the time has passed that the table holds for this dose.
Why it matters    The antibodies infused neutralise the vaccine virus: the vaccine does not take, and nobody notices.
Example           MMR eight days before 2 g/kg for Kawasaki disease; varicella vaccine booked for the spring after it.
Does not cover    Vaccines that immune globulin does not disturb (yellow fever, rotavirus, nasal influenza, oral typhoid, BCG,
                  zoster); vaccines on record without a day; immune globulin that was given before this order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from ivig.core.book import Book
from ivig.core.facts.dose import PerKg
from ivig.core.facts.running import Run
from ivig.core.facts.vaccines import Live, Wait, dose_said, given_shortly_before
from ivig.core.finding import INFORMATION, WARNING, Finding, Names, plain
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="interaction-live-vaccine",
    severity=WARNING,
    says="{vaccine} given {ago} immune globulin, which may undo it; consider repeating it later",
    consider="Consider putting the vaccine off until the antibodies are gone, or testing for immunity then; in an outbreak the "
    "choice may be another one.",
)
_PLANNED = "{vaccine} {when}: {dose}immune globulin weakens it until {until} ({months} months)"


def concerns(live_vaccines: Seen[Live]) -> bool:
    return bool(live_vaccines.items)


def check(
    order: Order,
    live_vaccines: Seen[Live],
    weakened_vaccines: Seen[Live],
    vaccine_wait: Wait,
    per_kg: Seen[PerKg],
    first_day: date,
    own_run: Run,
    book: Book,
) -> Iterator[Finding]:
    window, wait = book.policy("interaction.vaccine_before_days"), vaccine_wait
    undone = [v for v in live_vaccines.items if given_shortly_before(v, first_day, window.number)]
    ahead = weakened_vaccines.items
    months = plain(wait.months.number)
    row = f"{dose_said(wait)}(row of {plain(wait.row.number)} g/kg): " if wait.dose is not None else ""
    after = f"{row}{months} months from the last dose, {own_run.sure}: until {wait.until}"
    unknown = ("the dose per kg is not known: the longest time of the table",) if wait.dose is None else ()
    if undone:
        days = [(first_day - v.last).days for v in undone if v.last is not None]
        yield rule.finding(
            at=(order.path, *(v.path for v in undone)),
            severity=WARNING,
            sums=(
                *(
                    f"{v.what} {v.last} to the first infusion {first_day}: {(first_day - v.last).days} days"
                    for v in undone
                    if v.last is not None
                ),
                f"{plain(window.number)} days before the first infusion are looked at",
                after,
            ),
            inputs=(v.input() for v in undone),
            cites=(window, wait.months),
            assumed=(*unknown, *_partial(undone)),
            consider=(f"Repeating it could be planned from {wait.until} on.",),
            vaccine=Names.of(v.what for v in undone),
            ago=_ago(max(0, min(days))),
        )
    if ahead:
        doses = dict.fromkeys(s for d in per_kg.items for s in d.sums)
        undated = tuple(f"{v.what} has no day: taken as planned for now" for v in ahead if v.first is None)
        first = min((v.first for v in ahead if v.first is not None), default=None)
        given = all(not v.planned for v in ahead)
        yield rule.finding(
            at=(order.path, *(v.path for v in ahead)),
            severity=INFORMATION,
            says=_PLANNED,
            sums=(*doses, after),
            inputs=(*(v.input() for v in ahead), *(i for d in per_kg.items for i in d.inputs)),
            cites=(wait.row, wait.months),
            assumed=(*unknown, *undated, *_partial(ahead)),
            vaccine=Names.of(v.what for v in ahead),
            when=f"given {first}" if given else f"planned for {first}" if first is not None else "planned",
            dose=dose_said(wait),
            months=wait.months.number,
            until=wait.until,
        )


def _ago(days: int) -> str:
    return f"{days} {'day' if days == 1 else 'days'} before" if days else "on the day of"


def _partial(some: Iterable[Live]) -> tuple[str, ...]:
    """Of a month or a year the day that decides is assumed."""
    return tuple(f"{v.what}: of {v.said} any day may be meant" for v in some if v.first != v.last)


def content(live_vaccines: Seen[Live], vaccine_wait: Wait, first_day: date, book: Book) -> str:
    """What was looked at: the days before, and the end of the waiting time."""
    before = plain(book.policy("interaction.vaccine_before_days").number)
    return f"no such vaccine in {before} days before {first_day}, nor planned before {vaccine_wait.until}"

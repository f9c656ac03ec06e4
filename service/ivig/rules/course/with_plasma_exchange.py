"""Plasma exchange close to the course.

What it checks    A plasma exchange done or planned within days after the first dose, or in the days before it; of a series
                  that runs over some time each of its days.
Why it matters    Exchange removes immune globulin that was just given. In Guillain-Barré syndrome either is as good as the
                  other, and both together are not routine.
Example           Five days of immune globulin from Monday, and a plasma exchange planned for Wednesday.
Does not cover    Indications in which exchange and immune globulin belong together (antibody-mediated rejection).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ivig.core.book import Book, Indication
from ivig.core.facts.exchange import AFTER, BEFORE, Exchange
from ivig.core.facts.signs import told_by
from ivig.core.finding import INFORMATION, WARNING, Absent, Finding
from ivig.core.order import Order
from ivig.core.rule import Maybe, Rule, Seen

rule = Rule(
    name="course-with-plasma-exchange",
    severity=WARNING,
    says="Plasma exchange {when} the first dose ({on}); consider one or the other, exchange first when both",
    consider="Consider one or the other: exchange takes away immune globulin that was just given.",
)


def concerns(indication: Maybe[Indication], book: Book) -> bool:
    return isinstance(indication, Absent) or indication.key not in book.policy("plex.intended").words


def check(
    order: Order, exchanges: Seen[Exchange], first_day: date, indication: Maybe[Indication], book: Book
) -> Iterator[Finding]:
    warned = book.policy("plex.before_warned")
    early = not isinstance(indication, Absent) and indication.key in warned.words
    for lies in (AFTER, BEFORE):  # several exchanges of one series are one decision
        found = [e for e in exchanges.items if e.lies == lies]
        if not found:
            continue
        nearest = min(found, key=lambda e: (abs((e.day - first_day).days), e.by.path))
        yield rule.finding(
            at=(order.path, *(e.by.path for e in found)),
            severity=WARNING if lies == AFTER or early else INFORMATION,
            sums=(f"First dose {first_day}, plasma exchange {nearest.day}: {nearest.said(first_day)}",),
            inputs=tuple(told_by(e.by, "plasma exchange") for e in found),
            cites=(book.policy("plex.after_days"),) if lies == AFTER else (book.policy("plex.before_days"), warned),
            when=nearest.said(first_day),
            on=nearest.day,
        )


def content(exchanges: Seen[Exchange], first_day: date, book: Book) -> str:
    days = ", ".join(str(e.day) for e in exchanges.items)
    window = f"{book.policy('plex.before_days').number} days before to {book.policy('plex.after_days').number} after"
    return f"first dose {first_day}; " + (f"plasma exchange {days}" if days else f"no plasma exchange {window}")

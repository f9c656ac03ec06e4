"""Plasma exchange close to the course.

What it checks    A plasma exchange done or planned within days after the first dose, or in the days before it.
Why it matters    Exchange removes immune globulin that was just given. In Guillain-Barré syndrome either is as good as the
                  other, and both together are not routine.
Example           Five days of immune globulin from Monday, and a plasma exchange planned for Wednesday.
Does not cover    Indications in which exchange and immune globulin belong together (antibody-mediated rejection).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ivig.core.book import Book, Indication
from ivig.core.dated import Value
from ivig.core.facts.signs import told_by
from ivig.core.finding import INFORMATION, WARNING, Absent, Finding
from ivig.core.order import Order, Procedure
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
    order: Order, procedures: Seen[Procedure], first_day: date, indication: Maybe[Indication], book: Book
) -> Iterator[Finding]:
    after, before = book.policy("plex.after_days"), book.policy("plex.before_days")
    warned = book.policy("plex.before_warned")
    cites: tuple[Value, ...]
    for exchange in procedures.items:
        if "plasma_exchange" not in exchange.concept.sets:
            continue
        # One without a day that is in progress is done on the day.
        when = exchange.when or exchange.asked or (order.moment if exchange.status == "in-progress" else None)
        if when is None:
            continue
        planned = exchange.when is None  # asked for without a day: it lies ahead
        days = (when.day - first_day).days
        if planned and abs(days) <= after.number:
            said, severity, cites = "planned beside", WARNING, (after,)
        elif 0 <= days <= after.number:
            said, severity, cites = f"{days} days after", WARNING, (after,)
        elif -before.number <= days < 0:
            early = not isinstance(indication, Absent) and indication.key in warned.words
            said, severity, cites = f"{-days} days before", WARNING if early else INFORMATION, (before, warned)
        else:
            continue
        yield rule.finding(
            at=(order.path, exchange.path),
            severity=severity,
            sums=(f"First dose {first_day}, plasma exchange {when.day}: {said}",),
            inputs=(told_by(exchange, "plasma exchange"),),
            cites=cites,
            when=said,
            on=when.day,
        )


def content(procedures: Seen[Procedure], first_day: date, book: Book) -> str:
    done = [p.when or p.asked for p in procedures.items if "plasma_exchange" in p.concept.sets]
    days = ", ".join(str(when.day) for when in done if when is not None)
    window = f"{book.policy('plex.before_days').number} days before to {book.policy('plex.after_days').number} after"
    return f"first dose {first_day}; " + (f"plasma exchange {days}" if days else f"no plasma exchange {window}")

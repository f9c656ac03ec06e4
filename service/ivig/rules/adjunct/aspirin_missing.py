"""Kawasaki disease without aspirin.

What it checks    That aspirin is ordered, drafted or taken with the order, or was given in the days before it.
Why it matters    In Kawasaki disease immune globulin is given together with aspirin, to protect the coronary arteries.
Example           A child of three, 2 g/kg once, and no aspirin among the medicines.
Does not cover    The dose of aspirin. With an allergy to aspirin, influenza, varicella or another antiplatelet drug on
                  record it flags nothing and says why. Multisystem inflammatory syndrome.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book, Indication
from ivig.core.facts.watch import Sign
from ivig.core.finding import WARNING, Finding
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen, note

rule = Rule(
    name="adjunct-aspirin-missing",
    severity=WARNING,
    says="No aspirin beside immune globulin for {disease}",
    consider="Consider aspirin together with immune globulin, or recording what speaks against it.",
)
_excused = note(rule.name, says="No aspirin beside immune globulin for {disease}; not flagged, the chart has {what}")


def concerns(indication: Indication, book: Book) -> bool:
    return indication.key in book.policy("adjunct.aspirin_for").words


def check(order: Order, aspirin: Seen[Sign], indication: Indication, book: Book) -> Iterator[Finding]:
    if any(s.there for s in aspirin.items) or aspirin.lacking:
        return
    cites = (book.policy("adjunct.aspirin_for"),)
    if aspirin.items:
        yield _excused.finding(
            at=(order.path, *(s.input.path for s in aspirin.items)),
            inputs=(s.input for s in aspirin.items),
            cites=cites,
            disease=indication.title,
            what=aspirin.items[0].what,
        )
        return
    yield rule.finding(at=(order.path,), cites=cites, disease=indication.title)


def content(aspirin: Seen[Sign]) -> str:
    """What was found."""
    return "; ".join(f"{s.input.value}, {s.input.day}".rstrip(", ") for s in aspirin.items)

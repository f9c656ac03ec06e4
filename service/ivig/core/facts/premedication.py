"""Medicines against infusion reactions: running, or planned for around the first dose."""

from __future__ import annotations

from datetime import date

from ivig.core.book import Book
from ivig.core.facts.chart import section
from ivig.core.lexicon import tokens
from ivig.core.order import Drug, Order
from ivig.core.rule import Seen, fact

KINDS = ("paracetamol", "antihistamine", "systemic_steroid")
_STANDS = ("active", "draft", "on-hold", "")
# An order set or a text may name no medicine: "premedicate per protocol".
_WIDE = frozenset((*KINDS, "premedication_words"))
_NO = frozenset({"no", "not", "without", "hold", "avoid", "never", "stop", "omit", "declined", "declines"})


@fact
def premedication(order: Order, drugs: Seen[Drug], all_drugs: Seen[Drug], first_day: date) -> Seen[Drug]:
    """Paracetamol, antihistamines and systemic steroids around the first dose. Lacking only where none is seen."""
    found = []
    for drug in all_drugs.items:
        sets = drug.concept.sets
        if not _WIDE.isdisjoint(sets) and "local_steroid" not in sets and _around(drug, drugs.items, order, first_day):
            found.append(drug)
    return Seen(tuple(found), () if found else section(order, "medications"))


def _around(drug: Drug, running: tuple[Drug, ...], order: Order, first_day: date) -> bool:
    """An order or draft that stands and has not ended by the first dose, a running medicine, a dose of that very day."""
    if drug.kind == "administration":
        return drug.start is not None and drug.start.last >= order.day
    if drug.kind == "request" and drug.status in _STANDS:
        return drug.end is None or drug.end.last >= first_day
    return drug in running


def in_words(order: Order, book: Book) -> tuple[str, ...]:
    """The kinds of premedication that the order's own texts ask for."""
    found: dict[str, None] = {}
    for text in (order.text, *order.remarks.split("; ")):
        for sentence in text.replace(";", ".").split("."):
            hits = book.lexicon.set_words.find(sentence) if sentence else ()
            for start, _, keys in hits:
                if _NO.isdisjoint(tokens(sentence)[:start]):
                    found.update(dict.fromkeys(k for k in keys if k in _WIDE))
    return tuple(found)

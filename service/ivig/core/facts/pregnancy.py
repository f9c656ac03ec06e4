"""Pregnancy: whom it concerns, and the weight before it."""

from __future__ import annotations

from datetime import date, timedelta

from ivig.core.book import Book
from ivig.core.order import Condition, Result
from ivig.core.rule import Maybe, Seen, fact


@fact
def expectant(pregnant: Seen[Condition | Result], sex: Maybe[str]) -> Seen[Condition | Result]:
    """What says that the patient is pregnant. Of a man nothing is lacking where nothing does."""
    return Seen(pregnant.items) if sex == "male" else pregnant


@fact
def due_day(results: dict[str, tuple[Result, ...]]) -> date | None:
    """The newest expected date of delivery."""
    due = results.get("edd", ())
    return date.fromisoformat(due[0].words) if due and due[0].words else None


@fact
def weight_before_pregnancy(weights: tuple[Result, ...], due_day: date | None, book: Book) -> Result | None:
    """The last weight before the pregnancy began, counted back from the expected delivery."""
    if due_day is None:
        return None
    began = due_day - timedelta(days=int(book.policy("pregnancy.days_before_edd").number))
    return next((w for w in weights if w.when is not None and w.when.last < began), None)

"""Pregnancy: whom it concerns, and when the child is due."""

from __future__ import annotations

from datetime import date

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

"""How much of a course a patient gets: what is ordered, with what was given just before as part of the same course."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Indication
from ivig.core.dated import later
from ivig.core.facts.dose import PerKg
from ivig.core.facts.history import Given, of_indication
from ivig.core.facts.indication import kin
from ivig.core.finding import Absent, Input, Root, plain
from ivig.core.order import Result
from ivig.core.rule import Maybe, Seen, fact


class Load(Struct, frozen=True):
    """A course in g/kg of actual weight. `joined` was given before the order's first day and belongs to the course."""

    dose: PerKg
    total: Decimal
    begins: date
    joined: tuple[Given, ...] = ()

    @property
    def sums(self) -> tuple[str, ...]:
        if not self.joined or self.dose.total_high is None:
            return self.dose.sums
        before = self.total - self.dose.total_high
        days = ", ".join(g.day.isoformat() for g in self.joined)
        line = f"{plain(self.dose.total_high)} g/kg ordered + {plain(before)} g/kg given before ({days})"
        return (*self.dose.sums, f"{line} = {plain(self.total)} g/kg in one course")

    @property
    def inputs(self) -> tuple[Input, ...]:
        return (*self.dose.inputs, *(given_input(g) for g in self.joined))


def given_input(given: Given) -> Input:
    """A dose that was given, as an input of a finding."""
    grams, per_kg = given.grams, given.per_kg
    said = f"{plain(grams)} g" if grams is not None else f"{plain(per_kg)} g/kg" if per_kg is not None else "unknown"
    return Input("dose given before", said, given.day.isoformat(), given.path)


@fact
def loads(
    per_kg: Seen[PerKg],
    before: Seen[Given],
    first_day: date,
    weight: Maybe[Result],
    candidates: Maybe[tuple[Indication, ...]],
    book: Book,
) -> Seen[Load]:
    """The courses of the order whose size can be told. Lacking: dose, schedule, weight, or what was given before."""
    found: list[Load] = []
    lacking: list[Root] = [*per_kg.lacking, *before.lacking]
    for held in per_kg.items:
        if held.total_high is None:
            continue
        begins = held.course.start or later(first_day, held.course.offset)
        joined = _joined(held, before, begins, candidates, book)
        extra = Decimal(0)
        for given in joined:
            if given.per_kg is not None:
                extra += given.per_kg
            elif given.grams is not None and not isinstance(weight, Absent) and weight.value is not None:
                extra += given.grams / weight.value
            elif isinstance(weight, Absent):
                lacking.extend(weight.roots)
        found.append(Load(held, held.total_high + extra, begins, joined if extra else ()))
    return Seen(tuple(found), tuple(dict.fromkeys(lacking)))


def _joined(
    held: PerKg, before: Seen[Given], begins: date, candidates: Maybe[tuple[Indication, ...]], book: Book
) -> tuple[Given, ...]:
    """Doses before the first day that belong to this course: not further apart than the days that join, for the same disease.

    Cycles stand for themselves. The chain is followed no further than doses are added up at all.
    """
    if not before.items or held.course.repeats:
        return ()
    same = before.items if isinstance(candidates, Absent) else of_indication(before.items, kin(candidates, book))
    join, most = book.policy("course.join_days").number, book.policy("dose.cumulative_days").number
    chain: list[Given] = []
    nearest = begins
    for given in reversed(same):
        if given.day >= begins:
            continue
        if (nearest - given.day).days > join or (begins - given.day).days >= most:
            break
        chain.insert(0, given)
        nearest = given.day
    return tuple(chain)

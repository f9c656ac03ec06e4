"""Other medicines of the chart as stretches of days: what is, was or will be taken close to the order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from ivig.core.book import Book
from ivig.core.dated import later
from ivig.core.facts.chart import section
from ivig.core.facts.running import UNTIMED, Run
from ivig.core.finding import Input
from ivig.core.order import Drug, Order, Part
from ivig.core.rule import Seen, fact

_NO_ORDER = ("proposal", "option")
_OVER = ("stopped", "completed", "ended")
_NOT_YET = ("draft", "intended")
_ROOM = 32


class Use(Struct, frozen=True):
    """The days on which a medicine is taken. `last` is None when no end is in sight, `first` when no start is told.

    `guessed`: it is over, on a day that nobody wrote down; `assumed` says what was taken for it.
    """

    drug: Drug
    first: date | None
    last: date | None
    guessed: bool = False
    assumed: str = ""

    def apart(self, day: date, until: date) -> int:
        """Days between it and the days from `day` to `until`; 0 when they touch."""
        if self.last is not None and self.last < day:
            return (day - self.last).days
        if self.first is not None and self.first > until:
            return (self.first - until).days
        return 0

    def when(self, day: date) -> str:
        """As part of a sentence: how it lies to the first infusion on `day`."""
        if self.first is not None and self.first > day:
            return f"planned from {self.first}"
        if self.drug.status in _NOT_YET or self.drug.intent == "plan":
            return "drafted"
        if self.last is None:
            return "running"
        if self.last < day:
            ago = (day - self.last).days
            return f"last dose {self.last}, {ago} {'day' if ago == 1 else 'days'} before"
        return f"given on {self.last}" if self.first == self.last else f"running to {self.last}"

    def span(self, day: date) -> str:
        """Its days beside the first infusion, in a line."""
        days = f"from {self.first or 'a day not known'}{f' to {self.last}' if self.last else ', no end in sight'}"
        if self.last is not None and self.first == self.last:
            days = self.last.isoformat()
        return f"{called(self.drug)}: {days}; first infusion {day}"


@fact
def drug_sets(order: Order) -> Seen[str]:
    """The names of all sets that a medicine of the chart belongs to: what decides cheaply that a rule is not concerned."""
    held = order.chart.drugs
    names = frozenset[str]().union(*[d.concept.sets for d in held]) if held else ()
    return Seen(tuple(names), section(order, "medications"))


def uses(drugs: Iterable[Drug], sets: Iterable[str], book: Book) -> tuple[Use, ...]:
    """The medicines of these sets with their days. What was given tells better than a guess when a request ended."""
    wanted = frozenset(sets)
    found = [
        use_of(d, int(book.policy("history.unknown_end_days").number))
        for d in drugs
        if not d.concept.sets.isdisjoint(wanted) and d.intent not in _NO_ORDER
    ]
    given = [u.last for u in found if u.drug.kind == "administration" and u.last is not None]
    return tuple(u for u in found if not (u.guessed and u.first is not None and any(day >= u.first for day in given)))


def use_of(drug: Drug, runs_on: int) -> Use:
    """Dates decide: a stated end or supply, else the last dose of its timing, else some days when it is over."""
    first = drug.start.day if drug.start is not None else None
    if drug.end is not None:
        return Use(drug, first, drug.end.last)
    if first is None:
        return Use(drug, None, None, False, f"{called(drug)} has no date: taken as running")
    if drug.kind == "administration":
        return Use(drug, first, first)
    last = _planned_end(drug.parts, first)
    if last is not None:
        return Use(drug, first, last)
    if drug.kind == "dispense" or drug.status in _OVER:
        said = f"{called(drug)} has no end day: taken as running {runs_on} days from {first}"
        return Use(drug, first, later(first, runs_on), True, said)
    return Use(drug, first, None)


def _planned_end(parts: tuple[Part, ...], first: date) -> date | None:
    """The last day that the timing plans; None when it is open. Instructions of different sequence follow each other."""
    last, following, sequence = first, first, None
    for place, part in enumerate(sorted(parts, key=lambda p: p.sequence or 0)):
        if place and part.sequence != sequence:
            following = later(last, 1)
        sequence = part.sequence
        start = part.start.day if part.start is not None else following
        cycle = later(start, ((part.days or 1) - 1) * part.step)
        if part.events:
            end = max(part.events)
        elif part.interval is not None and part.cycles != 1:
            if part.cycles is None:
                return None
            end = later(cycle, part.interval * (part.cycles - 1))
        elif part.days is None:
            return None
        else:
            end = cycle
        last = max(last, end)
    return last if parts else None


def near(found: Iterable[Use], since: date, until: date) -> tuple[Use, ...]:
    """Those that touch the days from `since` to `until`."""
    return tuple(u for u in found if u.apart(since, until) == 0)


def beside(found: Seen[Use], since: date, run: Run, after: int = 0) -> Seen[Use]:
    """Those that touch the days from `since` to `after` days past the order. What its schedule leaves open is lacking."""
    close = near(found.items, since, later(run.sure, after))
    if run.possible <= run.sure or len(near(found.items, since, later(run.possible, after))) == len(close):
        return Seen(close, found.lacking)
    return Seen(close, (*found.lacking, UNTIMED))


def carried(found: tuple[Use, ...], book: Book) -> tuple[Use, ...]:
    """`found`, with doses on record taken as going on: as long as the last two lie apart, and at least some days.

    Not where a request or statement says when the treatment ended.
    """
    doses = sorted((u for u in found if u.drug.kind == "administration" and u.last), key=lambda u: u.last or date.min)
    others = tuple(u for u in found if u.drug.kind != "administration" or u.last is None)
    if not doses:
        return others
    newest = doses[-1]
    assert newest.last is not None
    if any(u.last is not None and not u.guessed and u.last >= newest.last for u in others):
        return others
    days = sorted({u.last for u in doses if u.last is not None})
    gap = (days[-1] - days[-2]).days if len(days) > 1 else 0
    runs_on = max(gap, int(book.policy("history.unknown_end_days").number))
    said = f"{called(newest.drug)} was last given on {newest.last}: taken as going on for {runs_on} days"
    return (*others, Use(newest.drug, newest.first, later(newest.last, runs_on), True, said))


def nearest(found: tuple[Use, ...], day: date, until: date) -> Use:
    """The one that decides: what overlaps before what is over or ahead, an order before a single dose."""
    return min(found, key=lambda u: (u.apart(day, until), u.drug.kind == "administration", u.drug.path))


def called(drug: Drug) -> str:
    """What a medicine is called in a sentence."""
    said = drug.concept.called("medicine")
    return said if len(said) <= _ROOM else said[: _ROOM - 3].rstrip() + "..."


def inputs_of(found: Iterable[Use]) -> tuple[Input, ...]:
    return tuple(
        Input(
            u.drug.kind,
            (u.drug.concept.text or called(u.drug))[:80],
            u.drug.start.text if u.drug.start is not None else "",
            u.drug.path,
        )
        for u in found
    )

"""Changes of how an order is given: which instruction, which value, which unit.

Each makes of an order the order that would have been read had it been written so. A text of an instruction falls away when
it tells of what changes: it would contradict. For a dose and its days that is any text with numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from msgspec import Struct, structs

from ivig.core.dated import later
from ivig.core.finding import plain
from ivig.core.order import Amount, Moment, Order, Part, Rate

_DAY_SECONDS = 86400
_CYCLE_FROM = 14  # days: several infusion days in a shorter period cannot be written as a cycle
_TELLS = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|once|twice|single|every|each|day|days|daily|week|"
    r"weeks|weekly|month|months|monthly|fortnightly|stat)\b",
    re.IGNORECASE,
)
# Words on speed, and on a day: a text without them stays where only the rate, or only the first day, changes.
_PACES = re.compile(
    r"(?:/|per\s|an?\s)\s?(?:h|hr|hour|min|minute)s?\b|\brates?\b|\bover\b.*\b(?:h|hrs?|hours?|mins?|minutes?)\b",
    re.IGNORECASE,
)
_DATES = re.compile(
    r"\d{1,4}[-./]\d{1,2}|\b(?:today|tonight|tomorrow|now|stat|start(?:s|ing)?|begin(?:s|ning)?|from|on|"
    r"jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*\b",
    re.IGNORECASE,
)


class Told(Struct, frozen=True):
    """What every change says of itself.

    `told_by`: information that only tells of this change; it does not speak against one that clears something graver.
    """

    kind: ClassVar[str] = ""
    told_by: ClassVar[frozenset[str]] = frozenset()


class DoseChange(Told, frozen=True):
    """A single dose of one instruction, in grams or grams per kg."""

    kind: ClassVar[str] = "dose"
    path: str
    value: Decimal
    unit: str

    def apply(self, order: Order) -> Order:
        def change(part: Part) -> dict[str, Any]:
            old = part.amount
            place = old.path if old is not None and not old.from_text else f"{part.path}.doseAndRate[0].dose"
            by_day = old is not None and old.each != "dose"
            made = Amount(self.value, self.value, self.unit, f"{plain(self.value)} {self.unit}", place)
            return {"amount": made, "views": (), "doses_a_day": 1 if by_day else part.doses_a_day}

        return _instruction(order, self.path, change)

    def words(self) -> str:
        return f"a dose of {plain(self.value)} {self.unit}"


class DaysChange(Told, frozen=True):
    """The infusion days of one instruction in a course or cycle, one day after the other."""

    kind: ClassVar[str] = "days"
    path: str
    days: int

    def apply(self, order: Order) -> Order:
        def change(part: Part) -> dict[str, Any]:
            made = {"days": self.days, "step": Decimal(1), "events": (), "said_timing": True}
            if part.interval is not None and part.interval < _CYCLE_FROM and self.days > 1:
                made |= {"interval": None, "cycles": None}  # a few days in every week are no cycle, but a run of days
            return made

        return _instruction(order, self.path, change)

    def words(self) -> str:
        return f"{self.days} infusion day{'s' if self.days > 1 else ''}"


class IntervalChange(Told, frozen=True):
    """The days from one cycle of an instruction to the next."""

    kind: ClassVar[str] = "interval"
    path: str
    days: Decimal

    def apply(self, order: Order) -> Order:
        return _instruction(
            order, self.path, lambda part: {"interval": self.days, "events": (), "days": part.days or 1}
        )

    def words(self) -> str:
        weeks = self.days / 7
        whole = weeks == weeks.to_integral_value()
        return f"every {plain(weeks)} weeks" if whole else f"every {plain(self.days)} days"


class StartChange(Told, frozen=True):
    """A later first day; what is dated moves along. `path`: the instruction that begins."""

    kind: ClassVar[str] = "start"
    path: str
    day: date

    def apply(self, order: Order) -> Order:
        firsts = [day for part in order.parts if (day := _first(part)) is not None]
        shift = (self.day - min(firsts)).days if firsts else 0

        def change(part: Part) -> dict[str, Any]:
            first = _first(part)
            if first is None:
                return {} if firsts or part.path != self.path else {"start": on_day(order, self.day)}
            moved = on_day(order, later(first, shift))
            return {"start": moved, "events": tuple(later(day, shift) for day in part.events)}

        made = order
        for part in order.parts:
            if change(part):
                made = _instruction(made, part.path, change, _DATES)
        return made

    def words(self) -> str:
        return f"first dose not before {self.day.isoformat()}"


class RateChange(Told, frozen=True):
    """A rate of an instruction, in place of the one it `was`, or where there is none. A time is how long it takes."""

    kind: ClassVar[str] = "rate"
    path: str
    was: Rate | None
    value: Decimal
    unit: str

    @property
    def rate_path(self) -> str:
        return self.was.path if self.was is not None else ""

    def apply(self, order: Order) -> Order:
        said = f"{plain(self.value)} {self.unit}"

        def change(part: Part) -> dict[str, Any]:
            made = Rate(self.value, self.unit, said, self.rate_path or f"{part.path}.doseAndRate[0].rate")
            rates = list(part.rates)
            place = next((i for i, r in enumerate(rates) if r == self.was), None)
            if place is None:  # changed already: by its place
                place = next((i for i, r in enumerate(rates) if r.path == self.rate_path), None)
            if place is None:
                return {"rates": (*rates, made)}
            rates[place] = structs.replace(made, role=rates[place].role)
            return {"rates": tuple(rates)}

        return _instruction(order, self.path, change, _PACES)

    def words(self) -> str:
        return f"{'over' if self.unit in ('h', 'min', 'd', 's') else 'at'} {plain(self.value)} {self.unit}"


class DispenseChange(Told, frozen=True):
    """The quantity to be dispensed at each fill, in grams."""

    kind: ClassVar[str] = "dispense"
    path: str
    value: Decimal
    unit: str = "g"

    def apply(self, order: Order) -> Order:
        made = Amount(self.value, self.value, self.unit, f"{plain(self.value)} {self.unit}", self.path, "course")
        return structs.replace(order, dispensed=made)

    def words(self) -> str:
        return f"{plain(self.value)} {self.unit} to be dispensed"


def _first(part: Part) -> date | None:
    return min(part.events) if part.events else part.start.day if part.start is not None else None


def on_day(order: Order, day: date) -> Moment:
    """A day without a time, in the order's own offset."""
    return Moment(order.moment.instant + (day - order.day).days * _DAY_SECONDS, day, day, day.isoformat())


def _pace(part: Part) -> str:
    """What a text said of the rate, in few words: it is kept when the rest of the text falls away."""
    said = []
    for rate in part.rates:
        if rate.path == part.path + ".text":
            lead = {"start": "start at ", "most": "max "}.get(rate.role, "" if rate.unit == "h" else "at ")
            over = f"over {plain(rate.value)}{f' to {plain(rate.long)}' if rate.long is not None else ''} hours"
            said.append(over if rate.unit == "h" else f"{lead}{plain(rate.value)} {rate.unit}")
    if any(rate.role == "start" and rate.path != part.path + ".text" for rate in part.rates):
        said.append("as tolerated")
    return ", ".join(said)


def _instruction(
    order: Order, path: str, change: Callable[[Part], dict[str, Any]], of: re.Pattern[str] | None = None
) -> Order:
    """The order with one instruction changed, wherever it stands among the parts of its course.

    Args:
        of: words on what changes; a text without them stays, and so does what it contradicts. None: any text with numbers goes.
    """
    gone = {
        part.path + ".text"
        for part in order.parts
        if part.path == path and _TELLS.search(part.text) and (of is None or of.search(part.text))
    }

    def made(part: Part) -> Part:
        if part.path != path:
            return part
        fields = change(part)
        if "amount" in fields and part.amount is not None:
            gone.add(part.amount.path)
        made = structs.replace(part, **fields)
        if part.path + ".text" in gone:
            made = structs.replace(made, text=_pace(made), views=tuple(v for v in made.views if not v.from_text))
        return made

    parts = tuple(map(made, order.parts))
    return structs.replace(
        order,
        parts=parts,
        group_parts=tuple(map(made, order.group_parts)),
        contradictions=tuple(c for c in order.contradictions if c[2] not in gone),
        broken=tuple(b for b in order.broken if b[0] not in gone),
        text=" ".join(p.text for p in parts if p.text)[:500],
    )

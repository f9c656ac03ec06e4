"""The small closed grammar for doses that stand only in words.

number; mass, volume or either per kg; "over N days", "daily x N", "for N days"; "every N weeks"; words for numbers of doses.
Anything else is not read.
"""

from __future__ import annotations

import re
from decimal import Decimal

from msgspec import Struct

from ivig.core.lexicon import Lexicon
from ivig.core.order import Amount, Rate
from ivig.core.units import dimension


class Prose(Struct, frozen=True):
    """What a text says: a dose, infusion days (`divided`: the dose is for all of them), an interval in days, cycles, rates, a vial size."""

    amount: Amount | None = None
    days: int | None = None
    divided: bool = False
    interval: Decimal | None = None
    cycles: int | None = None
    rates: tuple[Rate, ...] = ()
    vial_grams: Decimal | None = None


_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
    "once": 1, "twice": 2, "single": 1,
}  # fmt: skip
_N = r"(\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|twelve)"
_NUMBER = r"(\d{1,4}(?:,\d{3})*(?:\.\d+)?|\.\d+)"
_DOSE = re.compile(
    _NUMBER
    + r"\s?(grams?|gms?|g|milligrams?|mg|millilit(?:er|re)s?|mls?|cc)\b(\s?(?:/|per)\s?kg\b)?"
    + r"(\s?(?:/|per|a|each)\s?(?:day|d|24\s?h(?:ours?|r)?)\b)?",
    re.IGNORECASE,
)
_OVER_DAYS = re.compile(r"\b(?:over|across|in)\s+" + _N + r"\s*(?:consecutive\s+)?(?:days?|d)\b", re.IGNORECASE)
_FOR_DAYS = re.compile(r"(?:\bfor|\bx|×|\bon)\s*" + _N + r"\s*(?:consecutive\s+)?(?:days?|d\b|doses?)", re.IGNORECASE)
_DAILY_TIMES = re.compile(
    r"\b(?:daily|once daily|every day|q24h|per day|a day|qd)\s*(?:x|×|for)\s*" + _N + r"\b", re.IGNORECASE
)
_DAILY = re.compile(r"\b(?:daily|every day|each day|q24h|qd|per day|a day)\b|/\s?day\b|/\s?d\b", re.IGNORECASE)
_EVERY = re.compile(r"\b(?:every|q)\s?" + _N + r"\s?(weeks?|wks?|w|days?|d|months?|mo)\b", re.IGNORECASE)
_DOSES = re.compile(r"\b" + _N + r"\s+doses?\b", re.IGNORECASE)
_TOTAL = re.compile(r"\b(?:divided|total|in all|altogether)\b", re.IGNORECASE)
_ONCE = re.compile(r"\b(?:once(?!\s+daily)|single dose|one dose|x\s?1\b|one time|stat)", re.IGNORECASE)
_VIAL = re.compile(
    r"(\d+(?:\.\d+)?)\s?(?:g|gm|grams?)[ -]?vials?\b|\bvials?\s+(?:of|x|@)\s+(\d+(?:\.\d+)?)\s?(?:g|gm|grams?)\b",
    re.IGNORECASE,
)
_RATE = re.compile(_NUMBER + r"\s?(m[lL]/kg/(?:h|hr|hour|min)|m[lL]/(?:h|hr|hour|min)|mg/kg/(?:min|h|hr|hour))\b")
_REMEMBERED = 4096
_UNIT_DAYS = {"w": 7, "d": 1, "m": 28}


def _number(word: str) -> int:
    return _WORDS.get(word.lower()) or int(word)


def read_prose(text: str, lexicon: Lexicon) -> Prose:
    """What the grammar finds in `text`; an empty Prose when it finds nothing. The same text is read once."""
    known = lexicon.prose.get(text)
    if known is None:
        if len(lexicon.prose) >= _REMEMBERED:
            lexicon.prose.clear()
        known = lexicon.prose[text] = _read_prose(text[:2000], lexicon)
    return known


def _read_prose(text: str, lexicon: Lexicon) -> Prose:
    rates = tuple(
        Rate(Decimal(value.replace(",", "")), unit, f"{value} {spelling}", "")
        for value, spelling in _RATE.findall(text)
        if (unit := lexicon.unit(spelling)) is not None
    )
    without_rates = _RATE.sub(" ", text)
    vial = _VIAL.search(text)
    size = Decimal(vial.group(1) or vial.group(2)) if vial else None
    over, daily_times, for_days, doses = (
        p.search(without_rates) for p in (_OVER_DAYS, _DAILY_TIMES, _FOR_DAYS, _DOSES)
    )
    every = _EVERY.search(without_rates)
    daily = _DAILY.search(without_rates) is not None
    days = None
    for hit in (daily_times, over, for_days, doses):
        if hit is not None:
            days = _number(hit.group(1))
            break
    interval = None
    if every is not None:
        interval = Decimal(_number(every.group(1)) * _UNIT_DAYS[every.group(2)[0].lower()])
    elif re.search(r"\bmonthly\b|\bevery month\b", without_rates, re.IGNORECASE):
        interval = Decimal(28)
    elif re.search(r"\bweekly\b|\bevery week\b", without_rates, re.IGNORECASE):
        interval = Decimal(7)
    cycles = None
    if interval is not None and interval <= 1:
        interval, daily = None, True
    if interval is not None and days is not None and over is None and daily_times is None:
        cycles, days = days, 1
    if days is None and _ONCE.search(without_rates) and interval is None:
        days = 1
    amount = _dose(_VIAL.sub(" ", without_rates), lexicon)
    per_day = amount is not None and amount.each == "day"
    divided = (over is not None and daily_times is None and not daily and not per_day) or (
        _TOTAL.search(without_rates) is not None and not per_day
    )
    if amount is not None and divided and (days or 0) > 1:
        amount = Amount(amount.low, amount.high, amount.unit, amount.said, "", "course", True)
    return Prose(amount, days, divided and (days or 0) > 1, interval, cycles, rates, size)


def _dose(text: str, lexicon: Lexicon) -> Amount | None:
    """The dose a text states, when it states exactly one."""
    found = []
    for value, unit, per_kg, per_day in _DOSE.findall(text):
        plain = {"g": "g", "m": "mg" if unit.lower().startswith(("mg", "milligram")) else "mL", "c": "mL"}[
            unit[0].lower()
        ]
        spelled = plain + ("/kg" if per_kg else "") + ("/d" if per_day else "")
        canonical = lexicon.unit(spelled) or spelled
        number = Decimal(value.replace(",", ""))
        if dimension(canonical) is not None and number > 0:
            found.append(
                Amount(
                    number,
                    number,
                    canonical,
                    f"{value} {unit}{'/kg' if per_kg else ''}{'/day' if per_day else ''}",
                    "",
                    "day" if per_day else "dose",
                    True,
                )
            )
    per_kg_doses = [a for a in found if "/kg" in a.unit]
    if len(found) == 1:
        return found[0]
    if len(per_kg_doses) == 1:
        return per_kg_doses[0]  # "28 g (0.4 g/kg)": two views; the mass is the coded one, or neither is
    return None

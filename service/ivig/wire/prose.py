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
    """What a text says.

    Args:
        amount: the dose.
        days: infusion days; `divided` when the dose is for all of them together, `counted` when the text counts them itself.
        interval: days from one cycle to the next; `cycles` how many.
        rates, vial_grams: infusion rates; the size of a vial.
        timed: the text speaks of times or days at all, read or not: then nothing may be assumed about them.
        rising: the text says that the rate is stepped up, so that the coded one is where it begins.
        hours: how long one infusion lasts.
    """

    amount: Amount | None = None
    days: int | None = None
    divided: bool = False
    counted: bool = False
    interval: Decimal | None = None
    cycles: int | None = None
    rates: tuple[Rate, ...] = ()
    vial_grams: Decimal | None = None
    timed: bool = False
    rising: bool = False
    hours: Rate | None = None


_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
    "once": 1, "twice": 2, "single": 1,
}  # fmt: skip
_N = r"(\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|twelve)"
# 1,000 is a thousand; 0,4 has a decimal comma.
_NUMBER = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,4}[.,]\d+|\d{1,4}|\.\d+)"
_DOSE = re.compile(
    r"(?<![\d.,/-])"
    + _NUMBER
    + r"\s?(grams?|gms?|g|milligrams?|mg|millilit(?:er|re)s?|mls?|cc)\b(\s?(?:/|per)\s?(?:kg|kilos?|kilograms?)\b)?"
    + r"(\s?(?:/|per|a|each)\s?(?:day|d|24\s?h(?:ours?|r)?)\b)?",
    re.IGNORECASE,
)
_I = re.IGNORECASE
_OVER_DAYS = re.compile(r"\b(?:over|across|in)\s+" + _N + r"\s*(?:consecutive\s+)?(?:days?|d)\b", _I)
_DIVIDED_DOSES = re.compile(
    r"\b(?:in|into|as)\s+" + _N + r"\s+(?:equal(?:ly)?\s+)?(?:divided\s+)?(?:daily\s+)?doses\b", _I
)
_FOR_DAYS = re.compile(r"(?:\bfor|\bx|×|\bon)\s*" + _N + r"\s*(?:consecutive\s+)?(?:days?|d\b|doses?|/\s?7\b)", _I)
_DAILY_TIMES = re.compile(r"\b(?:daily|once daily|every day|q24h|per day|a day|qd)\s*(?:x|×|for)\s*" + _N + r"\b", _I)
_TIMES_DOSE = re.compile(r"\b" + _N + r"\s?(?:x|×)\s?(?=\d)", _I)
_DAY_COURSE = re.compile(r"\b" + _N + r"[\s-]days?\s+(?:course|regimen)\b", _I)
_DAILY = re.compile(r"\b(?:daily|every day|each day|q24h|qd|per day|a day)\b|/\s?day\b|/\s?d\b", _I)
_EVERY = re.compile(r"\b(?:every|q)\s?" + _N + r"\s?(weeks?|wks?|w|days?|d|months?|mo)\b", _I)
_DOSES = re.compile(r"\b" + _N + r"\s+doses?\b", _I)
_TOTAL = re.compile(r"\b(?:divided|total|in all|altogether)\b", _I)
_ONCE = re.compile(r"\b(?:once(?!\s+(?:daily|a day|every))|single dose|one dose|one time|stat)\b", _I)
_RANGE = re.compile(r"\d\s?(?:-|to|or)\s?\d+\s?(?:days?|weeks?|doses?)\b", _I)
_OVER = re.compile(r"\b(?:over|divided|across)\b", _I)
_TIMED = re.compile(
    r"day|daily|dose|divid|course|week|month|\bevery\b|\bq\s?\d|\bq24h|/7\b|\d\s?x|x\s?\d|×|\btimes\b|\brepeat", _I
)
_VIAL = re.compile(
    r"(\d+(?:\.\d+)?)\s?(?:g|gm|grams?)[ -]?vials?\b|\bvials?\s+(?:of|x|@)\s+(\d+(?:\.\d+)?)\s?(?:g|gm|grams?)\b", _I
)
_PER_KG = r"((?:/|per)\s?(?:kg|kilo(?:gram)?s?)\b)?"
# A rate, or a range of rates: "2 mL/kg/h", "21-168 mL/h", "3 ml/h/kg", "200 milliliters per hour".
_RATE = re.compile(
    r"(?:(?<![\d.,])" + _NUMBER + r"\s?(?:-|–|to)\s?)?" + _NUMBER
    + r"\s?(mls?|cc|millilit(?:er|re)s?|mg|milligrams?|g|gms?|grams?)\s?" + _PER_KG
    + r"\s?(?:/|per|an)\s?(h(?:(?:ou)?r)?s?|min(?:ute)?s?)\b\s?" + _PER_KG,
    _I,
)  # fmt: skip
# One infusion in hours: "over 4 hours", "over 4-6 h"; or in minutes.
_OVER_HOURS = re.compile(
    r"\bover\s+(\d+(?:\.\d+)?)(?:\s?(?:-|to)\s?(\d+(?:\.\d+)?))?\s*(hours?|hrs?|h|min(?:ute)?s?)\b", _I
)
_BEGINS = re.compile(r"\b(?:start|initial|begin)", _I)
_RISES = re.compile(r"\b(?:start|initial|begin|titrat|increas|escalat|as tolerated|step)", _I)
_MOST = re.compile(r"\b(?:max|up to|not (?:to )?exceed|no more than|no faster than|increas\w* to|titrat\w* to)", _I)
# What a rate is raised by is no rate: "increase by 21 mL/h".
_STEP = re.compile(r"\b(?:by|(?:increment|step|interval)s? of)\s*$", _I)
# Rates in such parts of a text are those of another fluid.
_FLUID = re.compile(r"\b(?:saline|dextrose|d5w|sodium chloride|premed|pre-med|bolus|hydrat|flush|fluids?\b)", _I)
_RATE_PARTS = re.compile(r"(?<=[.;])\s+|\n+|,\s+|\s+(?:and|then)\s+")
_SEVERAL = re.compile(r"\b(?:then|followed by|thereafter)\b", _I)
# Parts of a text that speak of something else than the immune globulin: their numbers are not its dose.
_OTHER = re.compile(
    r"\b(?:saline|dextrose|d5w|sodium chloride|premed\w*|pre-med\w*|bolus|hydrat\w*|flush\w*|fluids?|"
    r"tablets?|caps(?:ules?)?|po|prn|oral(?:ly)?|before|prior|cbc|labs?|monitor\w*|check\w*|draw\w*|measure\w*|"
    r"vitals?|minutes|vials?|max(?:imum)?|weight|weighs)\b|=",
    _I,
)
_PARTS = re.compile(r"(?<=[.;])\s+|\n+|,\s+|(?<=\))\s+|\s+(?:and|then)\s+")
_REMEMBERED = 4096
_MINUTES = 60
_HOURS_OF_A_DAY = 24  # what lasts longer is a course, not one infusion
_UNIT_DAYS = {"w": 7, "d": 1, "m": 28}


def _number(word: str) -> int:
    return _WORDS.get(word.lower()) or int(word)


def read_prose(text: str, lexicon: Lexicon) -> Prose:
    """What the grammar finds in `text`; an empty Prose when it finds nothing. The same text is read once."""
    known: Prose | None = lexicon.prose.get(text)
    if known is None:
        if len(lexicon.prose) >= _REMEMBERED:
            lexicon.prose.clear()
        known = lexicon.prose[text] = _read_prose(text[:2000], lexicon)
    return known


def _read_prose(text: str, lexicon: Lexicon) -> Prose:
    rates = _rates(text)
    vial = _VIAL.search(text)
    size = Decimal(vial.group(1) or vial.group(2)) if vial else None
    own = " , ".join(p for p in _PARTS.split(text) if p and not _is_other(p, lexicon))
    plain = _OVER_HOURS.sub(" ", _RATE.sub(" ", own))
    timed = _TIMED.search(text) is not None
    days, divided, daily = _days(plain)
    interval, cycles = _interval(plain)
    if _SEVERAL.search(text):  # one schedule after another is beyond this grammar
        days, divided, interval = None, False, None
    if interval is not None and interval <= 1:
        interval, daily = None, True
    if interval is not None and days is not None and not divided and _DAILY_TIMES.search(plain) is None:
        cycles, days = days, 1
    counted = days is not None
    if days is None and interval is None and _ONCE.search(plain):
        days = 1
    amount = _dose(plain, lexicon)
    per_day = daily or (amount is not None and amount.each == "day")
    divided = (days or 0) > 1 and not per_day and (divided or _TOTAL.search(plain) is not None)
    over_a_range = _RANGE.search(plain) is not None and _OVER.search(plain) is not None and not per_day
    if amount is not None and (divided or over_a_range):
        amount = Amount(amount.low, amount.high, amount.unit, amount.said, "", "course", True)
    rising = bool(rates) or _RISES.search(text) is not None
    return Prose(
        amount, days, divided, counted, interval, cycles, rates, size, timed, rising, _hours(text, rising, lexicon)
    )


def _own(text: str) -> list[str]:
    """The parts of a text whose rates and hours are not those of another fluid."""
    return [part for part in _RATE_PARTS.split(text) if part and not _FLUID.search(part)]


def _rates(text: str) -> tuple[Rate, ...]:
    """The rates that a text states, in their order."""
    found = []
    for part in _own(text):
        for hit in _RATE.finditer(part):
            lower, number, amount, per_kg, time, kg_last = hit.groups()
            top = _amount(amount)
            each = "min" if time.lower().startswith("min") else "h"
            unit = f"{top}{'/kg' if per_kg or kg_last else ''}/{each}"
            before = part[: hit.start()]
            if _STEP.search(before):
                continue
            role = "most" if _MOST.search(before) else "start" if _BEGINS.search(before) else ""
            if (value := _decimal(number)) > 0:
                low = _decimal(lower) if lower else None
                low = low if low is not None and 0 < low < value else None
                said = f"{lower} to {number} {unit}" if low is not None else f"{number} {unit}"
                found.append(Rate(value, unit, said, "", low=low, role=role))
    return tuple(found)


def _amount(word: str) -> str:
    """The unit of an amount that may be spelled out."""
    word = word.lower()
    return "mg" if word.startswith(("mg", "milligram")) else "g" if word.startswith("g") else "mL"


def _hours(text: str, rising: bool, lexicon: Lexicon) -> Rate | None:
    """How long one infusion lasts, when the text says it once. Minutes beside a rate may be those of a step."""
    hits = [h for part in _own(text) if not _of_drug(part, lexicon) for h in _OVER_HOURS.finditer(part)]
    if len(hits) != 1:
        return None
    short, long = Decimal(hits[0].group(1)), hits[0].group(2)
    unit = "min" if hits[0].group(3).lower().startswith("min") else "h"
    if not 0 < short <= _HOURS_OF_A_DAY * (_MINUTES if unit == "min" else 1) or (unit == "min" and rising):
        return None
    return Rate(short, unit, hits[0].group(), "", long=max(short, Decimal(long)) if long else None)


def _is_other(part: str, lexicon: Lexicon) -> bool:
    """Whether a part of the text is about another drug, a fluid, or something that is not the dose."""
    return _OTHER.search(part) is not None or _of_drug(part, lexicon)


def _of_drug(part: str, lexicon: Lexicon) -> bool:
    """Whether a part of the text names another drug."""
    for _, _, keys in lexicon.set_words.find(part):
        if any(lexicon.set_kinds.get(key) == "drug" and not key.startswith("unspecific") for key in keys):
            return True
    return False


def _days(text: str) -> tuple[int | None, bool, bool]:
    """Infusion days, whether the dose is for all of them, whether it is said to be daily. A range of days tells none."""
    daily = _DAILY.search(text) is not None
    if _RANGE.search(text):
        return None, False, daily
    for pattern, divided, each_day in (
        (_DAILY_TIMES, False, True),
        (_DIVIDED_DOSES, True, False),
        (_OVER_DAYS, not daily, daily),
        (_FOR_DAYS, False, daily),
        (_TIMES_DOSE, False, daily),
        (_DAY_COURSE, False, daily),
        (_DOSES, False, daily),
    ):
        hit = pattern.search(text)
        if hit is not None:
            return _number(hit.group(1)), divided, each_day
    return None, False, daily


def _interval(text: str) -> tuple[Decimal | None, int | None]:
    every = _EVERY.search(text)
    if every is not None:
        return Decimal(_number(every.group(1)) * _UNIT_DAYS[every.group(2)[0].lower()]), None
    if re.search(r"\bmonthly\b|\bevery month\b", text, _I):
        return Decimal(28), None
    if re.search(r"\b(?:every other week|fortnightly|every second week)\b", text, _I):
        return Decimal(14), None
    if re.search(r"\bweekly\b|\bevery week\b", text, _I):
        return Decimal(7), None
    return None, None


def _decimal(text: str) -> Decimal:
    """A number as written: a comma before three digits parts thousands, else it is a decimal comma."""
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", text) and not text.startswith("0"):
        return Decimal(text.replace(",", ""))
    return Decimal(text.replace(",", "."))


def _dose(text: str, lexicon: Lexicon) -> Amount | None:
    """The dose a text states, when it states exactly one."""
    found = []
    for value, unit, per_kg, per_day in _DOSE.findall(text):
        plain = {"g": "g", "m": "mg" if unit.lower().startswith(("mg", "milligram")) else "mL", "c": "mL"}[
            unit[0].lower()
        ]
        spelled = plain + ("/kg" if per_kg else "") + ("/d" if per_day else "")
        canonical = lexicon.unit(spelled) or spelled
        number = _decimal(value)
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

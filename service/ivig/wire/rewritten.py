"""One dosage instruction of a FHIR order, rewritten from what it was read as to what it is to be.

Whatever the reader had taken from a text that goes is then written in elements; all other elements stay as they were sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from msgspec import structs

from ivig.core.order import Amount, Part, Rate
from ivig.core.units import UNITS

Json = dict[str, Any]
UCUM = "http://unitsofmeasure.org"
TIMES = ("days", "step", "interval", "cycles", "doses_a_day", "start", "events")
_REPEAT = (
    "boundsDuration", "boundsRange", "boundsPeriod", "count", "countMax", "frequency", "frequencyMax", "period", "periodMax",
    "periodUnit", "dayOfWeek",
)  # fmt: skip
_DOSES = ("doseQuantity", "doseRange", "type")
_RATES = ("rateQuantity", "rateRatio", "rateRange")
_WEEK = 7


def rewrite(dosage: Json, old: Part, new: Part) -> None:
    """One dosage instruction brought from `old` to `new`."""
    unworded = old.text != new.text
    if unworded:
        dosage.pop("text", None)
        dosage.pop("_text", None)
        dosage |= {"text": new.text} if new.text else {}
    for rate in new.rates:
        if rate not in old.rates and not rate.path.endswith(".text"):
            _rate(dosage, rate)
    if new.amount is not None and new.amount != old.amount:
        _dose(dosage, new.amount)
    elif unworded and new.amount is not None and new.amount.unit:
        _dose_in_elements(dosage, _writable(new.amount, new.days))
    # The number of doses may have been told by the quantity dispensed, over the dose there was.
    redosed = new.amount != old.amount and not _counted(dosage)
    if any(getattr(old, name) != getattr(new, name) for name in TIMES) or unworded or redosed:
        _timing(dosage, new)


def _counted(dosage: Json) -> bool:
    """Whether the elements themselves tell how many infusion days there are."""
    timing = dosage.get("timing") if isinstance(dosage.get("timing"), dict) else {}
    repeat = (timing or {}).get("repeat", {})
    told = ("count", "countMax", "boundsDuration", "boundsRange")
    ends = "end" in repeat.get("boundsPeriod", {})
    return ends or bool((timing or {}).get("event")) or any(name in repeat for name in told)


def _entries(dosage: Json) -> list[Any]:
    held = dosage.get("doseAndRate")
    return held if isinstance(held, list) else [held] if isinstance(held, dict) else []


def _dose(dosage: Json, amount: Amount) -> None:
    """One dose instead of all the views of it; rates stay where they are. An STU3 shape keeps its shape."""
    entries = _entries(dosage)
    if not entries and any(name in dosage for name in (*_DOSES[:2], *_RATES)):
        entries = [dosage]
    if not entries:
        entries = [{}]
        dosage["doseAndRate"] = entries
    for entry in entries:
        for name in _DOSES:
            entry.pop(name, None)
    entries[0].update(_amount(amount))
    if isinstance(dosage.get("doseAndRate"), list):
        dosage["doseAndRate"] = [entry for entry in entries if entry]


def _writable(amount: Amount, days: int | None) -> Amount:
    """A dose for all days together, as one for each where its unit has no form for the whole."""
    if amount.each != "course" or f"{amount.unit}/{{course}}" in UNITS or not days:
        return amount
    return structs.replace(amount, low=amount.low / days, high=amount.high / days, each="day")


def dose_in_elements(amount: Amount, days: int | None) -> Iterator[Json]:
    """The value of a dose that stays, where a text that goes had told something of it."""
    amount = _writable(amount, days)
    if amount.unit and (amount.from_text or amount.each != "dose" or "vial" in amount.said):
        made = _amount(amount)
        yield {"valueQuantity": made["doseQuantity"]} if "doseQuantity" in made else {"valueRange": made["doseRange"]}


def _dose_in_elements(dosage: Json, amount: Amount) -> None:
    """A dose that stays, of which a text that goes had told something: all of it, its vials, or that it is for all days."""
    if amount.from_text:
        _dose(dosage, amount)
    elif amount.each != "dose" or "vial" in amount.said:
        hit = re.search(r"doseAndRate\[(\d+)\]", amount.path)
        entries = _entries(dosage)
        entry = entries[int(hit.group(1)) if hit else 0] if entries else dosage
        for name in _DOSES[:2]:
            entry.pop(name, None)
        entry.update(_amount(amount))


def _amount(amount: Amount) -> Json:
    if amount.low == amount.high:
        return {"doseQuantity": plain_quantity(amount.high, _unit(amount))}
    ends = {"low": amount.low, "high": amount.high}
    return {"doseRange": {end: plain_quantity(value, _unit(amount)) for end, value in ends.items()}}


def _unit(amount: Amount) -> str:
    """The unit with what the dose is for, where that is no single dose."""
    if amount.each == "course":
        return amount.unit + "/{course}"
    by_day = f"{amount.unit}/d"
    return by_day if amount.each == "day" and by_day in UNITS else amount.unit


def _rate(dosage: Json, rate: Rate) -> None:
    if rate.path.endswith((".duration", ".durationMax")):
        repeat = dosage.setdefault("timing", {}).setdefault("repeat", {})
        repeat.pop("durationMax", None)  # one time for a span of times
        repeat |= {"duration": _plain(rate.value), "durationUnit": rate.unit}
        return
    most = re.search(r"\.maxDosePerPeriod(?:\[(\d+)\])?$", rate.path)
    if most is not None:
        held = dosage["maxDosePerPeriod"]
        top, _, bottom = rate.unit.rpartition("/")
        ratio = {"numerator": plain_quantity(rate.value, top), "denominator": plain_quantity(Decimal(1), bottom)}
        if most.group(1):
            held[int(most.group(1))] = ratio
        else:
            dosage["maxDosePerPeriod"] = ratio
        return
    entries = _entries(dosage)
    hit = re.search(r"doseAndRate\[(\d+)\]", rate.path)
    if not entries and any(name in dosage for name in (*_DOSES[:2], *_RATES)):
        entry = dosage
    elif not entries:
        entry = {}
        dosage["doseAndRate"] = [entry]
    else:
        entry = entries[min(int(hit.group(1)) if hit else 0, len(entries) - 1)]
    for name in _RATES:
        entry.pop(name, None)
    entry["rateQuantity"] = plain_quantity(rate.value, rate.unit)


def _timing(dosage: Json, part: Part) -> None:
    """The schedule in elements. What belongs to no schedule (how long an infusion takes) stays."""
    kept = dosage.get("timing") if isinstance(dosage.get("timing"), dict) else {}
    repeat = {k: v for k, v in (kept or {}).get("repeat", {}).items() if k not in _REPEAT}
    timing = {k: v for k, v in (kept or {}).items() if k not in ("event", "_event", "repeat", "code")}
    made = timing_of(part)
    if repeat or "repeat" in made:
        timing["repeat"] = repeat | made.get("repeat", {})
    if "event" in made:
        timing["event"] = made["event"]
    if timing:
        dosage["timing"] = timing


def timing_of(part: Part) -> Json:
    """The schedule of an instruction as a Timing; empty where there is none."""
    if part.events:
        return {"event": [day.isoformat() for day in part.events for _ in range(part.doses_a_day)]}
    repeat = _repeat(part)
    return {"repeat": repeat} if repeat else {}


def _repeat(part: Part) -> Json:
    made: Json = {}
    if part.interval is not None:
        days, weeks = part.days or 1, part.interval / _WEEK
        whole = weeks == weeks.to_integral_value()
        made |= {
            "frequency": days,
            "period": _plain(weeks if whole else part.interval),
            "periodUnit": "wk" if whole else "d",
        }
        if part.cycles is not None:
            made["count"] = part.cycles * days
    elif part.days is not None:
        made |= {"frequency": part.doses_a_day, "period": _plain(part.step), "periodUnit": "d"}
        made["count"] = part.days * part.doses_a_day
    elif part.said_timing:
        made |= {"frequency": part.doses_a_day, "period": _plain(part.step), "periodUnit": "d"}
    if part.start is not None:
        made["boundsPeriod"] = {"start": part.start.text}
    return made


def plain_quantity(value: Decimal, unit: str) -> Json:
    """A Quantity in UCUM."""
    return {"value": _plain(value), "unit": unit, "system": UCUM, "code": unit}


def _plain(value: Decimal) -> Decimal:
    """A number as JSON has it: without exponent, and without a tail of zeros."""
    text = f"{value:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)

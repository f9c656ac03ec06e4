"""Infusion rates of a dosage instruction in any of their shapes: a quantity, a range, a ratio, a duration, words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import structs

from ivig.core.lexicon import Lexicon
from ivig.core.order import Rate
from ivig.core.units import convert, dimension
from ivig.wire import shapes
from ivig.wire.concepts import Spelled, exact, quantity
from ivig.wire.prose import Prose

_SPEEDS = ("volume rate", "volume rate per body mass", "mass rate", "mass rate per body mass", "time")


def with_words(rates: list[Rate], durations: list[Rate], prose: Prose, path: str) -> list[Rate]:
    """All rates and durations of an instruction: the coded ones, then those in words. What words call rising begins so."""
    if prose.rising:
        rates = [
            structs.replace(r, role="start") if r.low is None and dimension(r.unit) != "time" else r for r in rates
        ]
    rates += [structs.replace(r, path=f"{path}.text") for r in prose.rates]
    if prose.hours is not None and not durations:
        durations = [structs.replace(prose.hours, path=f"{path}.text")]
    return rates + durations


def rates_of(entry: Any, lexicon: Lexicon, path: str, flat: bool) -> list[Rate]:
    """The rates of one entry: a quantity, a range, or so much in so long. One that is not above nothing cannot be read."""

    def place(name: str) -> str:
        return f"{path}.{name}" if flat else f"{path}.rate"

    if entry.rateQuantity is not None:
        spelled = quantity(entry.rateQuantity, lexicon)
        if spelled is not None and spelled.value is not None:
            return [_rate(spelled.value, spelled.unit, spelled.said, place("rateQuantity"))]
    if entry.rateRange is not None:
        low, high = quantity(entry.rateRange.low, lexicon), quantity(entry.rateRange.high, lexicon)
        spelled = high if high is not None and high.value is not None else low
        if spelled is not None and spelled.value is not None:
            read = _rate(spelled.value, spelled.unit, spelled.said, place("rateRange"))
            if spelled is low and read.unit and dimension(read.unit) != "time":
                return [structs.replace(read, role="start")]  # a range without its upper end
            if low is None or low.value is None or spelled is low or not read.unit or low.unit != read.unit:
                return [read]
            ends = sorted((low.value, read.value))
            if dimension(read.unit) == "time":
                return [structs.replace(read, value=ends[0], long=ends[1])]
            return [structs.replace(read, value=ends[1], low=ends[0])]
    if entry.rateRatio is not None:
        top, bottom = quantity(entry.rateRatio.numerator, lexicon), quantity(entry.rateRatio.denominator, lexicon)
        if top is not None and bottom is not None and top.value is not None and bottom.value:
            said = f"{top.said} per {bottom.said}"
            for unit in ("min", "h"):
                each = convert(bottom.value, bottom.unit, unit) if dimension(bottom.unit) == "time" else Decimal(0)
                exactly = each > 0 and (unit == "h" or bottom.unit == "min")
                if exactly and dimension(f"{top.unit}/{unit}") is not None:
                    return [_rate(top.value / each, f"{top.unit}/{unit}", said, place("rateRatio"))]
            return [Rate(top.value, "", said, place("rateRatio"))]
    return []


def _rate(value: Decimal, unit: str, said: str, path: str) -> Rate:
    return Rate(value, unit if value > 0 and dimension(unit) in _SPEEDS else "", said, path)


def durations(timing: shapes.Timing | None, path: str) -> list[Rate]:
    """The stated length of one infusion, as a duration. Days are those of a course, not of one infusion."""
    repeat = timing.repeat if timing is not None else None
    if repeat is None:
        return []
    short, long = exact(repeat.duration), exact(repeat.durationMax)
    value = short or long
    if value is None or value <= 0 or repeat.durationUnit not in ("s", "min", "h"):
        return []
    said = (
        f"{value} {repeat.durationUnit}"
        if long is None or short is None
        else f"{short} to {long} {repeat.durationUnit}"
    )
    place = f"{path}.timing.repeat.duration{'' if short else 'Max'}"
    return [Rate(value, repeat.durationUnit, said, place, long=long if long is not None and long > value else None)]


def is_rate(top: Spelled, bottom: Spelled) -> bool:
    """Whether a maximum in a period is one of speed: so much in an hour or less."""
    if not bottom.value or dimension(bottom.unit) != "time" or dimension(f"{top.unit}/h") not in _SPEEDS:
        return False
    return bottom.value > 0 and convert(bottom.value, bottom.unit, "min") <= convert(Decimal(1), "h", "min")


def most_rates(dosage: shapes.Dosage, lexicon: Lexicon, path: str) -> list[Rate]:
    """Maxima of speed among maxDosePerPeriod: the infusion may run as fast as that."""
    period = dosage.maxDosePerPeriod
    if period is None:
        return []
    found = []
    for i, ratio in enumerate(period if isinstance(period, list) else [period]):
        top, bottom = quantity(ratio.numerator, lexicon), quantity(ratio.denominator, lexicon)
        if top is None or bottom is None or top.value is None or not bottom.value or not is_rate(top, bottom):
            continue
        minutes = convert(bottom.value, bottom.unit, "min")
        unit, value = (
            (f"{top.unit}/h", top.value)
            if minutes == convert(Decimal(1), "h", "min")
            else (f"{top.unit}/min", top.value / minutes)
        )
        place = f"{path}.maxDosePerPeriod" + (f"[{i}]" if isinstance(period, list) else "")
        found.append(Rate(value, unit, f"{top.said} per {bottom.said}", place, role="most"))
    return found

"""Dosage instructions in any of their shapes, turned into parts: a dose and when it is given.

Structured elements decide; the text fills what they leave open, and is kept as another view of the dose where they do not.
Whatever had to be assumed is said.
"""

from __future__ import annotations

from datetime import date, tzinfo
from decimal import ROUND_CEILING, Decimal
from itertools import pairwise
from typing import Any

from msgspec import Raw, Struct, structs

from ivig.core.lexicon import Lexicon
from ivig.core.order import Amount, Moment, Part, Rate
from ivig.core.units import convert, dimension
from ivig.wire import shapes
from ivig.wire.concepts import Spelled, exact, exact_text, quantity, whole
from ivig.wire.dates import moment, span
from ivig.wire.prose import Prose, read_prose
from ivig.wire.rates import durations, is_rate, most_rates, rates_of, with_words

_DAY, _WEEK = Decimal(1), Decimal(7)
_MONTH = Decimal(28)  # a month of a schedule is four weeks (contract 4)
_PERIODS = {
    "s": Decimal(1) / 86400,
    "min": Decimal(1) / 1440,
    "h": Decimal(1) / 24,
    "d": _DAY,
    "wk": _WEEK,
    "mo": _MONTH,
    "a": _MONTH * 13,
}
_CODES = {
    "QD": (1, _DAY),
    "BID": (2, _DAY),
    "TID": (3, _DAY),
    "QOD": (1, _DAY * 2),
    "WK": (1, _WEEK),
    "MO": (1, _MONTH),
    "Q4W": (1, _MONTH),
}
_CYCLE_FROM = _WEEK * 2
ONE_OFF = "no timing on an inpatient order: one dose"


class Read(Struct):
    """What came out of a list of instructions, beside the parts."""

    parts: list[Part]
    repaired: list[str]
    assumptions: list[str]
    contradictions: list[tuple[str, str, str]]
    broken: list[tuple[str, str]]
    route: shapes.CodeableConcept | None = None
    route_path: str = ""


class When(Struct, frozen=True):
    doses_a_day: int = 1
    days: int | None = None
    step: Decimal = _DAY
    interval: Decimal | None = None
    cycles: int | None = None
    start: Moment | None = None
    events: tuple[date, ...] = ()
    said: bool = False
    unreadable: bool = False


def read_dosages(given: Any, lexicon: Lexicon, path: str, zone: tzinfo, one_off: bool) -> Read:
    """All instructions of an order.

    Args:
        given: a list of `Dosage`, a single one (not FHIR, but sent), or None.
        path: FHIRPath of the order.
        one_off: an inpatient order, for which no timing means one dose.
    """
    out = Read([], [], [], [], [])
    if given is None:
        return out
    single = isinstance(given, shapes.Dosage)
    if single:
        out.repaired.append("dosageInstruction is an object, not a list")
    for i, dosage in enumerate([given] if single else given):
        place = f"{path}.dosageInstruction[{i}]"
        if dosage.route is not None and out.route is None:
            out.route, out.route_path = dosage.route, f"{place}.route"
        out.parts.append(_part(dosage, lexicon, place, zone, one_off, out))
    return out


def _part(dosage: shapes.Dosage, lexicon: Lexicon, path: str, zone: tzinfo, one_off: bool, out: Read) -> Part:
    words = dosage.text
    if dosage.timing is not None and dosage.timing.code is not None and dosage.timing.code.text:
        words = f"{words}; {dosage.timing.code.text}" if words else dosage.timing.code.text
    prose = read_prose(words, lexicon) if words else Prose()
    amount, views, rates = _doses(dosage, lexicon, path, out)
    when = read_timing(dosage.timing, zone, out, f"{path}.timing")
    rates += most_rates(dosage, lexicon, path)
    rates = with_words(rates, durations(dosage.timing, path), prose, path)
    caps = _caps(dosage, lexicon, path)
    if amount is None and prose.amount is not None:
        amount = structs.replace(prose.amount, path=f"{path}.text")
        out.assumptions.append(f"the dose is read from the text: {prose.amount.said}")
    elif prose.amount is not None:
        views.append(structs.replace(prose.amount, path=f"{path}.text"))
    if amount is not None and amount.unit == "{vial}" and prose.vial_grams is not None:
        amount = structs.replace(
            amount, low=amount.low * prose.vial_grams, high=amount.high * prose.vial_grams, unit="g"
        )
    if amount is not None and dimension(amount.unit) in (
        "mass per day",
        "mass per body mass and day",
        "volume per day",
        "volume per body mass and day",
    ):
        amount = structs.replace(amount, each="day")
    if amount is not None and amount.unit.endswith("/{course}"):
        amount = structs.replace(amount, unit=amount.unit.removesuffix("/{course}"), each="course")
    when, amount = _with_prose(when, amount, prose, path, out)
    untimed = dosage.timing is None and when.days is None and when.interval is None
    if untimed and one_off and not prose.timed:
        when = structs.replace(when, days=1)
        out.assumptions.append(ONE_OFF)
    sequence = whole(dosage.sequence)
    return Part(
        path=path,
        sequence=sequence,
        amount=amount,
        views=tuple(views),
        caps=caps,
        doses_a_day=when.doses_a_day,
        days=when.days,
        step=when.step,
        interval=when.interval,
        cycles=when.cycles,
        start=when.start,
        events=when.events,
        rates=tuple(rates),
        text=dosage.text,
        timing_path=f"{path}.timing" if dosage.timing is not None else path,
        said_timing=when.said,
        as_needed=dosage.asNeededBoolean or dosage.asNeeded or dosage.asNeededCodeableConcept is not None,
    )


def _with_prose(when: When, amount: Amount | None, prose: Prose, path: str, out: Read) -> tuple[When, Amount | None]:
    """Fill what the structure leaves open from the text; note where the two disagree."""
    if when.unreadable:
        return when, amount
    if prose.days is not None:
        if when.days is None and when.interval is None:
            when = structs.replace(when, days=prose.days, said=True)
            out.assumptions.append(f"the number of days is read from the text: {prose.days}")
            if amount is not None and prose.divided and amount.each == "dose":
                amount = structs.replace(amount, each="course")
                out.assumptions.append(f"{amount.said} is divided over {prose.days} days")
        elif (
            when.days is not None
            and when.interval is None
            and when.days != prose.days
            and not (when.days == 1 and prose.divided)
        ):
            out.contradictions.append(("days", f"{prose.days} days", f"{path}.text"))
        elif when.days == 1 and prose.divided and prose.days > 1 and amount is not None and amount.each == "dose":
            when = structs.replace(when, days=prose.days)
            amount = structs.replace(amount, each="course")
            out.assumptions.append(f"{amount.said} once is divided over {prose.days} days")
    if prose.interval is not None:
        if when.interval is None and not when.events and (when.days in (None, 1) or prose.days is not None):
            when = structs.replace(
                when,
                interval=prose.interval,
                days=when.days or prose.days or 1,
                cycles=when.cycles or prose.cycles,
                said=True,
            )
            out.assumptions.append(f"the interval is read from the text: every {prose.interval} days")
        elif when.interval is not None and when.interval != prose.interval:
            out.contradictions.append(("interval", f"every {prose.interval} days", f"{path}.text"))
    return when, amount


def _doses(
    dosage: shapes.Dosage, lexicon: Lexicon, path: str, out: Read
) -> tuple[Amount | None, list[Amount], list[Rate]]:
    """The dose to use, the other views of it, and the rates."""
    entries = dosage.doseAndRate
    places: list[tuple[str, Any]] = []
    if isinstance(entries, shapes.DoseAndRate):
        out.repaired.append("doseAndRate is an object, not a list")
        places.append((f"{path}.doseAndRate", entries))
    elif entries:
        places.extend((f"{path}.doseAndRate[{i}]", e) for i, e in enumerate(entries))
    flat = dosage.doseQuantity or dosage.doseRange or dosage.rateQuantity or dosage.rateRatio or dosage.rateRange
    if flat is not None and not places:
        out.repaired.append("the dose lies directly on the instruction (STU3)")
        places.append((path, dosage))
    rated: list[tuple[int, Amount]] = []
    rates: list[Rate] = []
    for place, entry in places:
        calculated = getattr(entry, "type", None) is not None and any(c.code == "calculated" for c in entry.type.coding)
        name = "dose" if place != path else ("doseQuantity" if dosage.doseQuantity else "doseRange")
        amount = _amount(entry.doseQuantity, entry.doseRange, lexicon, f"{place}.{name}", out)
        if amount is not None:
            rated.append((_rank(amount, calculated), amount))
        rates.extend(rates_of(entry, lexicon, place, place == path))
    rated.sort(key=lambda pair: pair[0])
    return (rated[0][1] if rated else None), [a for _, a in rated[1:]], rates


def _rank(amount: Amount, calculated: bool) -> int:
    """Views of one dose, the one to use first: calculated, an absolute mass, a volume, per kg; what cannot be read last."""
    if not amount.unit:
        return 9
    if calculated:
        return 0
    kind = dimension(amount.unit) or ""
    return 3 if "body mass" in kind else {"mass": 1, "mass per day": 1, "vial": 2, "volume": 2}.get(kind, 2)


def _amount(q: shapes.Quantity | None, r: shapes.Range | None, lexicon: Lexicon, path: str, out: Read) -> Amount | None:
    if q is not None:
        spelled = quantity(q, lexicon)
        return _from_spelled(spelled, spelled, path, out) if spelled is not None else None
    if r is not None:
        low, high = quantity(r.low, lexicon), quantity(r.high, lexicon)
        if low is None and high is None:
            return None
        return _from_spelled(low or high, high or low, path, out)
    return None


def _from_spelled(low: Spelled | None, high: Spelled | None, path: str, out: Read) -> Amount:
    assert low is not None
    assert high is not None
    said = high.said if low is high else f"{low.said} to {high.said}"
    for end in {low, high} if low is not high else {high}:
        if end.disagrees:
            out.contradictions.append(("unit", end.disagrees, path))
    if low.value is None or high.value is None or high.value <= 0 or low.value < 0:
        out.broken.append((path, "no positive number"))
        return Amount(Decimal(0), Decimal(0), "", said, path)
    if low.unit != high.unit:
        if dimension(low.unit) is None or dimension(low.unit) != dimension(high.unit):
            return Amount(low.value, high.value, "", said, path)
        return Amount(convert(low.value, low.unit, high.unit), high.value, high.unit, said, path)
    return Amount(min(low.value, high.value), high.value, high.unit, said, path)


def _caps(dosage: shapes.Dosage, lexicon: Lexicon, path: str) -> tuple[Amount, ...]:
    """maxDosePerAdministration and maxDosePerPeriod as amounts a dose, a day or a course."""
    if dosage.maxDosePerAdministration is None and dosage.maxDosePerPeriod is None:
        return ()
    found = []
    once = quantity(dosage.maxDosePerAdministration, lexicon)
    if once is not None and once.value is not None and once.unit:
        found.append(Amount(once.value, once.value, once.unit, once.said, f"{path}.maxDosePerAdministration", "dose"))
    period = dosage.maxDosePerPeriod
    ratios = period if isinstance(period, list) else [period] if period is not None else []
    for i, ratio in enumerate(ratios):
        top, bottom = quantity(ratio.numerator, lexicon), quantity(ratio.denominator, lexicon)
        if (
            top is None
            or bottom is None
            or top.value is None
            or not bottom.value
            or not top.unit
            or dimension(bottom.unit) != "time"
        ):
            continue
        if is_rate(top, bottom):
            continue
        days = convert(bottom.value, bottom.unit, "d")
        place = f"{path}.maxDosePerPeriod" + (f"[{i}]" if isinstance(period, list) else "")
        found.append(
            Amount(
                top.value, top.value, top.unit, f"{top.said} per {bottom.said}", place, "day" if days <= 1 else "course"
            )
        )
    return tuple(found)


_SHORT = 6
_COUNTS = ("count", "countMax", "frequency", "frequencyMax", "period", "periodMax")


def _usable(name: str, raw: bytes) -> bool:
    """A positive number, and a whole one where doses or times are counted."""
    if raw.isdigit() and len(raw) < _SHORT:
        return raw.strip(b"0") != b""
    value = exact_text(raw)
    return value is not None and value > 0 and (name.startswith("period") or whole(Raw(raw)) is not None)


def read_timing(timing: shapes.Timing | None, zone: tzinfo, out: Read, path: str) -> When:
    """Infusion days, how they repeat, and where they start."""
    if timing is None:
        return When()
    if timing.event:
        return _events(timing.event, zone)
    repeat = timing.repeat
    frequency, period = 1, None
    if timing.code is not None:
        for coding in timing.code.coding:
            if coding.code.upper() in _CODES:
                frequency, period = _CODES[coding.code.upper()]
    if repeat is None:
        return _repeating(frequency, period, None, None, None) if period is not None else When()
    faulty = [name for name in _COUNTS if (raw := bytes(getattr(repeat, name))) and not _usable(name, raw)]
    if faulty:  # what the rest says of the days cannot be trusted, nor may words fill the gap
        out.broken.extend((f"{path}.repeat.{name}", "not a number that can be used here") for name in faulty)
        return When(unreadable=True)
    if bytes(repeat.period) or repeat.periodUnit:
        size = exact(repeat.period) if bytes(repeat.period) else _DAY
        unit = _PERIODS.get(repeat.periodUnit)
        if size is None or size <= 0 or unit is None:
            out.broken.append((f"{path}.repeat", "period or periodUnit cannot be read"))
            return When(unreadable=True)
        period = size * unit
        frequency = whole(repeat.frequency) or 1
    elif bytes(repeat.frequency):
        frequency = whole(repeat.frequency) or 1
    length = _length(repeat, zone, out)
    start = (
        moment(repeat.boundsPeriod.start, zone)
        if repeat.boundsPeriod is not None and repeat.boundsPeriod.start
        else None
    )
    count, most = whole(repeat.count), whole(repeat.countMax)
    if most is not None and most > (count or 0):
        out.assumptions.append(f"{count or 1} to {most} doses: judged as {most}")
        count = most
    often = whole(repeat.frequencyMax)
    if often is not None and often > frequency:
        out.assumptions.append(f"{frequency} to {often} times in each period: judged as {often}")
        frequency = often
    if period == _WEEK and len(repeat.dayOfWeek) > frequency:
        frequency = len(set(repeat.dayOfWeek))
    return _repeating(frequency, period, count, length, start)


def _length(repeat: shapes.Repeat, zone: tzinfo, out: Read) -> Decimal | None:
    """The bounds in days."""
    for bound in (repeat.boundsDuration, repeat.boundsRange.high if repeat.boundsRange is not None else None):
        if bound is not None:
            value = exact(bound.value)
            unit = _PERIODS.get(bound.code or bound.unit) or _PERIODS.get(
                {"days": "d", "day": "d", "weeks": "wk", "week": "wk"}.get(bound.unit, "")
            )
            if value is not None and value > 0 and unit is not None:
                return value * unit
    if repeat.boundsPeriod is not None:
        start, end = span(repeat.boundsPeriod.start, repeat.boundsPeriod.end, zone)
        if start is not None and end is not None and end.last >= start.day:
            days = (end.last - start.day).days + 1
            if (
                end.timed
                and start.timed
                and (end.instant - start.instant) % 86400 == 0
                and end.instant > start.instant
                and _midnight(end, zone)
            ):
                days -= 1
            return Decimal(days)
    return None


def _midnight(at: Moment, zone: tzinfo) -> bool:
    before = moment(at.day.isoformat(), zone)
    return before is not None and before.instant == at.instant


def _repeating(
    frequency: int, period: Decimal | None, count: int | None, length: Decimal | None, start: Moment | None
) -> When:
    if period is None:  # a number of doses alone does not tell when they are given, unless it is one
        once = count == 1
        return When(days=1 if once else None, start=start, said=once)
    if period >= _WEEK:
        cycles = None
        if count is not None:
            cycles = -(-count // frequency)
        elif length is not None:
            cycles = max(1, int((length / period).to_integral_value(ROUND_CEILING)))
        if cycles == 1:
            return When(days=min(frequency, count or frequency), cycles=1, start=start, said=True)
        if period < _CYCLE_FROM and frequency > 1:
            step = Decimal(int(period / frequency)) or _DAY
            return When(days=frequency, step=step, interval=period, cycles=cycles, start=start, said=True)
        return When(days=frequency, interval=period, cycles=cycles, start=start, said=True)
    a_day = max(1, int(Decimal(frequency) / period)) if Decimal(frequency) > period else 1
    step = max(_DAY, period / frequency)
    infusion_days: int | None = None
    if count is not None:
        infusion_days = -(-count // a_day)
    elif length is not None:
        infusion_days = max(1, int((length / step).to_integral_value(ROUND_CEILING)))
    if count is not None and count < a_day:
        a_day = count
    return When(a_day, infusion_days, step, None, None, start, (), True)


def _events(events: list[str], zone: tzinfo) -> When:
    """Single planned days: one run of them, or cycles when they lie weeks apart."""
    moments = sorted((m for m in (moment(e, zone) for e in events) if m is not None), key=lambda m: m.instant)
    if not moments:
        return When()
    days = sorted({m.day for m in moments})
    a_day = max(1, len(moments) // len(days))
    runs: list[list[date]] = [[days[0]]]
    for day in days[1:]:
        if (day - runs[-1][-1]).days >= _WEEK:
            runs.append([day])
        else:
            runs[-1].append(day)
    if len(runs) > 1:
        gap = Decimal(min((b[0] - a[0]).days for a, b in pairwise(runs)))
        return When(a_day, max(len(r) for r in runs), _DAY, gap, len(runs), moments[0], (), True)
    return When(a_day, len(days), _DAY, None, 1, moments[0], tuple(days), True)

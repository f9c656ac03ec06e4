"""Which weight is used, whether it can be right, and how old it is on the first planned day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from statistics import median

from msgspec import Struct

from ivig.core.book import Book
from ivig.core.dated import Value, later
from ivig.core.facts.course import Course
from ivig.core.facts.patient import Age, age_on, share
from ivig.core.finding import Absent, Input, Root, absent
from ivig.core.order import Order, Part, Result
from ivig.core.rule import Maybe, Seen, fact

# Same day: measured first, then unspecified, then estimated and stated alike.
_TRUST = {"weight_measured": 0, "weight": 1, "weight_estimated": 2, "weight_stated": 2}
_CALLED = {
    "weight_estimated": "estimated weight",
    "weight_stated": "stated weight",
    "dry_weight": "dry weight (not used for dosing)",
}
_UNTIMED = Root("schedule-missing")


class WeightFault(Struct, frozen=True):
    """Why a weight cannot be right: outside what is possible, or pounds recorded as kilograms."""

    kind: str  # impossible | pounds
    weight: Result
    lower: Decimal | None = None
    upper: Decimal | None = None
    usual: Decimal | None = None
    cites: tuple[Value, ...] = ()


class WeightChange(Struct, frozen=True):
    """How the newest weight differs from the median of the earlier ones: as a pound from a kilogram, or by much."""

    kind: str  # kilograms | change
    weight: Result
    usual: Decimal
    percent: Decimal
    days: Decimal
    cites: tuple[Value, ...] = ()


def tenth(number: Decimal) -> Decimal:
    """A number as the texts show it: one decimal."""
    return round(number, 1)


def not_had(order: Order, key: str, name: str, about: str = "") -> Absent:
    """The absence of what the query `key` looks for; asked and not had, nothing is known to be missing."""
    asked = bool(order.chart.unavailable) and any(section == key for section, _ in order.chart.unavailable)
    return absent("chart-unavailable") if asked else absent(name, about)


def tells(name: str, value: object) -> bool:
    """Whether a fact is absent for want of what the root `name` tells of."""
    return isinstance(value, Absent) and any(root.name == name for root in value.roots)


def as_input(result: Result, what: str) -> Input:
    """A result as an input of a finding; an estimated or stated weight says that it is one."""
    return Input(_CALLED.get(result.test, what), result.said, result.when.text if result.when else "", result.path)


@fact
def weights(results: dict[str, tuple[Result, ...]]) -> tuple[Result, ...]:
    """Dated, readable weights in kg, the one to use first.

    Newest day, then the more trusted kind, then the later time, then the later issue.
    """
    found = [
        r for kind in _TRUST for r in results.get(kind, ()) if r.value is not None and r.value > 0 and not r.comparator
    ]
    if not found[1:]:
        return tuple(found)
    found.sort(key=lambda r: (-r.when.day.toordinal(), _TRUST[r.test], -r.when.instant, -r.issued))  # type: ignore[union-attr]
    return tuple(found)


@fact
def weight_inputs(weights: tuple[Result, ...], results: dict[str, tuple[Result, ...]]) -> tuple[Input, ...]:
    """The weight in use, other weights of its day, and the dry weight, which is shown and not used."""
    if not weights:
        return ()
    if not weights[1:] and "dry_weight" not in results:
        return (as_input(weights[0], "weight"),)
    day = weights[0].when
    others = [w for w in weights[1:] if w.when and day and w.when.day == day.day and w.value != weights[0].value]
    return (
        as_input(weights[0], "weight"),
        *(as_input(w, "another weight of that day (not used)") for w in others),
        *(as_input(r, "") for r in results.get("dry_weight", ())[:1]),
    )


def band(age: Age, book: Book) -> str:
    """The age band of the plausibility bounds."""
    if age.days < book.policy("age.neonate_below_days").number:
        return "neonate"
    if age.years < book.policy("age.infant_below").number:
        return "infant"
    if age.years >= book.policy("age.adult_from").number:
        return "adult"
    for name in ("child_1_4", "child_5_11"):
        if age.years <= int(name.rsplit("_", 1)[1]):
            return name
    return "child_12_17"


def bounds_of(weight: Result, age: Age | None, order: Order, book: Book) -> tuple[Value, Value]:
    """What is possible at the age the patient had when weighed; without an age the widest bounds."""
    low, high = "neonate", "adult"
    if age is not None and weight.when is not None:
        low = high = band(age_on(weight.when.day, later(order.day, -age.days)), book)
    return book.policy(f"weight.possible.{low}.lower"), book.policy(f"weight.possible.{high}.upper")


def _small(age: Age | None, book: Book) -> bool:
    return age is None or age.years < book.policy("weight.jump.from_age").number


def _usual(weights: tuple[Result, ...], age: Age | None, days: Decimal, order: Order, book: Book) -> Decimal | None:
    """The median of the other weights of the last `days`, without those that cannot be right."""
    newest = weights[0].when
    if not weights[1:]:
        return None
    found = []
    for other in weights[1:]:
        if newest is None or other.when is None or other.value is None or (newest.day - other.when.day).days > days:
            continue
        lower, upper = bounds_of(other, age, order, book)
        if lower.number <= other.value <= upper.number:
            found.append(other.value)
    return median(found) if found else None


def _is_ratio(more: Decimal, less: Decimal, book: Book) -> tuple[Value, ...]:
    """The policy values by which `more` over `less` is the ratio of a kilogram to a pound, or nothing."""
    ratio, tolerance = book.policy("weight.lb_ratio"), book.policy("weight.lb_ratio_tolerance")
    off = abs(more - ratio.number * less)
    return (ratio, tolerance) if off <= ratio.number * less * share(tolerance.number) else ()


def _window(age: Age | None, book: Book) -> Value:
    return book.policy("weight.median_days.small_child" if _small(age, book) else "weight.median_days")


def _fault(weights: tuple[Result, ...], age: Age | None, order: Order, book: Book) -> WeightFault | None:
    newest = weights[0]
    kg = newest.value
    assert kg is not None
    lower, upper = bounds_of(newest, age, order, book)
    if not lower.number <= kg <= upper.number:
        return WeightFault("impossible", newest, lower.number, upper.number, cites=(lower, upper))
    usual = _usual(weights, age, _window(age, book).number, order, book)
    if usual is not None and (cites := _is_ratio(kg, usual, book)):
        return WeightFault("pounds", newest, usual=usual, cites=cites)
    return None


def _ages(age: Maybe[Age], birth: tuple[date, date] | None, day: date) -> tuple[Age | None, ...]:
    """Every age that the patient may have: the known one, both ends of a partial birth date, or None."""
    if not isinstance(age, Absent):
        return (age,)
    if birth is None or birth[0] > day:
        return (None,)
    return (age_on(day, birth[0]), age_on(day, min(birth[1], day)))


@fact
def weight_fault(weights: tuple[Result, ...], age: Maybe[Age], order: Order, book: Book) -> WeightFault | None:
    """Why the newest weight cannot be used at any age that the patient may have, or None."""
    if not weights:
        return None
    faults = [_fault(weights, possible, order, book) for possible in _ages(age, order.chart.birth, order.day)]
    return None if None in faults else faults[0]


@fact
def weight_change(
    weights: tuple[Result, ...], weight_fault: WeightFault | None, age: Maybe[Age], order: Order, book: Book
) -> Seen[WeightChange]:
    """How a usable weight differs from the earlier ones. Lacking: a weight, or the age that its bounds hang on."""
    if not weights:
        return Seen((), not_had(order, "weights", "weight-missing").roots)
    if isinstance(age, Absent):
        return Seen((), age.roots)
    newest, kg = weights[0], weights[0].value
    assert kg is not None
    window = _window(age, book)
    usual = _usual(weights, age, window.number, order, book)
    if usual is not None and (cites := _is_ratio(usual, kg, book)):
        return Seen((WeightChange("kilograms", newest, usual, (kg - usual) * 100 / usual, window.number, cites),))
    if _small(age, book):
        return Seen(())
    least, days = book.policy("weight.jump"), book.policy("weight.jump.days")
    usual = _usual(weights, age, days.number, order, book)
    if usual is None or abs(kg - usual) * 100 < least.number * usual:
        return Seen(())
    return Seen((WeightChange("change", newest, usual, (kg - usual) * 100 / usual, days.number, (least, days)),))


@fact
def weight(order: Order, weights: tuple[Result, ...], weight_fault: WeightFault | None) -> Maybe[Result]:
    """The weight to judge by, in kg. Only one that cannot be right is unusable; a stale or estimated one is used."""
    if not weights:
        return not_had(order, "weights", "weight-missing")
    return weights[0] if weight_fault is None else absent("weight-missing")


@fact
def first_dose(first_day: date, courses: Seen[Course], whole_parts: tuple[Part, ...]) -> Seen[date]:
    """The first planned day, to which the age of weights and tests is counted. Lacking: the schedule, if unknown."""
    if not courses.lacking or any(p.events or p.start is not None for p in whole_parts):
        return Seen((first_day,))
    return Seen((first_day,), tuple(r for r in courses.lacking if r == _UNTIMED or not whole_parts))


@fact
def weight_window(age: Age, setting: str, book: Book) -> Value:
    """How old a weight may be. A neonate has one window everywhere; else the hospital's, or by age outside it."""
    name = band(age, book)
    if name == "neonate":
        return book.policy("weight.days.neonate")
    if setting == "inpatient":
        return book.policy("weight.days.inpatient")
    return book.policy(f"weight.days.outpatient_{name if name in ('adult', 'infant') else 'child'}")

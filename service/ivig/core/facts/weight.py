"""The weight a dose should rest on: height, body mass index, ideal and adjusted weight; that before a pregnancy."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Indication
from ivig.core.dated import Value, later
from ivig.core.facts.chart import of_set
from ivig.core.facts.weighing import WeightFault, as_input, not_had, tenth
from ivig.core.finding import Absent, Input, absent, plain
from ivig.core.order import Condition, Order, Part, Result
from ivig.core.rule import Maybe, Seen, fact, lacks

__all__ = ["Basis", "Dosing", "HeightFault", "WeightFault", "as_input", "body_mass_index", "ideal_kg"]


class HeightFault(Struct, frozen=True):
    what: str  # height | bmi
    got: Decimal
    lower: Value
    upper: Value


class Basis(Struct, frozen=True):
    """What the page or the policy asks for. `settled` says why it comes to actual weight; "" when height decides.

    `firm`: on actual weight whatever a page asks for. `before`: the weight before a pregnancy, where it is used instead.
    """

    wanted: str
    rests: Value
    settled: str = ""
    cites: tuple[Value, ...] = ()
    firm: bool = False
    before: Result | None = None


class Dosing(Struct, frozen=True):
    """The dosing weight in kg, its basis (`actual`, `adjusted`, `ideal`) and how it came about."""

    kg: Decimal
    basis: str
    actual: Decimal
    why: str
    sums: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    cites: tuple[Value, ...] = ()
    ideal: Decimal | None = None
    bmi: Decimal | None = None

    @property
    def differs(self) -> bool:
        return self.kg != self.actual


@fact
def height(order: Order, results: dict[str, tuple[Result, ...]]) -> Maybe[Result]:
    """The newest usable height in cm."""
    for result in results.get("height", ()):
        if result.value is not None and result.value > 0 and not result.comparator:
            return result
    return not_had(order, "heights", "weight-height-missing")


def body_mass_index(kg: Decimal, cm: Decimal) -> Decimal:
    metres = cm / 100
    return kg / (metres * metres)


@fact
def weight_before_pregnancy(
    order: Order,
    pregnant: Seen[Condition | Result],
    weights: tuple[Result, ...],
    results: dict[str, tuple[Result, ...]],
    book: Book,
) -> Result | None:
    """The last weight before the pregnancy began, counted back from the expected day of delivery; None if not known."""
    if not pregnant.items:
        return None
    due = results.get("edd", ())
    if not due or not due[0].words:  # the reader gives an ISO day, or nothing
        return None
    expected = date.fromisoformat(due[0].words)
    if (order.day - expected).days > book.policy("history.unknown_end_days").number:
        return None  # that of an earlier pregnancy
    begun = later(expected, -book.policy("pregnancy.days_before_edd").number)
    return next((w for w in weights if w.when is not None and w.when.last < begun), None)


@fact
def dosing_basis(
    weight: Result,
    adult: Maybe[bool],
    pregnant: Seen[Condition | Result],
    conditions: Seen[Condition],
    indication: Maybe[Indication],
    weight_before_pregnancy: Result | None,
    book: Book,
) -> Maybe[Basis]:
    """Whether the dosing weight is the actual one whatever the height. Absent when that hangs on an unknown age."""
    page = None if isinstance(indication, Absent) else indication.weight_basis
    rests = page if page is not None else book.policy("weight.method")
    wanted, kg = rests.word, weight.value
    assert kg is not None
    children = book.policy("weight.under_age")
    if adult is False and children.word == "actual":
        return Basis(wanted, rests, "under age: actual weight", (book.policy("age.adult_from"),), firm=True)
    before = None
    if pregnant.items:
        if not _by_weight_before(indication, book):
            return Basis(wanted, rests, "pregnancy: actual weight", firm=True)
        if weight_before_pregnancy is None:
            why = "pregnancy, and no weight of before it: actual weight"
            return Basis(wanted, rests, why, (book.policy("weight.in_pregnancy"),), firm=True)
        before, kg = weight_before_pregnancy, weight_before_pregnancy.value or kg
    if of_set(conditions, "amputation"):
        return Basis(wanted, rests, "amputation: actual weight", firm=True)
    if wanted == "actual":
        return Basis(wanted, rests, "dosed on actual weight by the page or policy", (rests,), before=before)
    never = book.policy("weight.cannot_be_obese_below_kg")
    by_bmi_alone = wanted == "adjusted_if_obese" and book.maybe("weight.also_when_over_ibw") is None
    if by_bmi_alone and kg < never.number:
        return Basis(wanted, rests, "too light to be obese: actual weight", (never,), before=before)
    if isinstance(adult, Absent) and children.word == "actual":
        return lacks(adult)
    return Basis(wanted, rests, before=before)


def _by_weight_before(indication: Maybe[Indication], book: Book) -> bool:
    """Whether a pregnant patient is dosed by the weight of before, for this indication."""
    if book.policy("weight.in_pregnancy").word != "pre_pregnancy":
        return False
    actual_for = book.policy("weight.in_pregnancy.actual_for").words
    return isinstance(indication, Absent) or indication.key not in actual_for


def _outside(height: Result, weight: Maybe[Result], book: Book) -> HeightFault | None:
    """The height of an adult outside what is possible, or the body mass index it gives where there is a weight."""
    assert height.value is not None
    low, high = book.policy("weight.height_possible.lower"), book.policy("weight.height_possible.upper")
    if not low.number <= height.value <= high.number:
        return HeightFault("height", height.value, low, high)
    if isinstance(weight, Absent) or weight.value is None:
        return None
    got = body_mass_index(weight.value, height.value)
    low, high = book.policy("weight.bmi_possible.lower"), book.policy("weight.bmi_possible.upper")
    return None if low.number <= got <= high.number else HeightFault("bmi", got, low, high)


@fact
def height_fault(height: Maybe[Result], weight: Maybe[Result], adult: Maybe[bool], book: Book) -> HeightFault | None:
    """Why an adult's height, or the BMI it gives, cannot be right; None when it can, or cannot be told."""
    return None if isinstance(height, Absent) or adult is not True else _outside(height, weight, book)


@fact
def height_outside(
    height: Maybe[Result],
    height_fault: HeightFault | None,
    weight: Maybe[Result],
    adult: Maybe[bool],
    dosing_basis: Maybe[Basis],
    book: Book,
) -> Seen[HeightFault]:
    """The fault of an adult's height. Lacking: what it takes to tell; the height only where dosing needs it."""
    if adult is False:
        return Seen(())
    if isinstance(height, Absent):
        if isinstance(dosing_basis, Absent):
            return Seen((), dosing_basis.roots)
        return Seen(()) if dosing_basis.settled else Seen((), height.roots)
    if height_fault is not None:
        return Seen((height_fault,))
    if isinstance(adult, Absent) and _outside(height, weight, book) is not None:
        return Seen((), adult.roots)
    return Seen((), weight.roots) if isinstance(weight, Absent) else Seen(())


def _devine(sex: str, book: Book) -> tuple[Value, Value, Value, Value]:
    """The coefficients of the formula: base and step for a sex, height it starts from, and an inch."""
    made: tuple[Value, Value, Value, Value] = book.memory(
        ("devine", sex),
        lambda: tuple(book.coefficient("devine", n) for n in (f"base_{sex}", "per_inch", "base_height", "inch")),
    )
    return made


def ideal_kg(cm: Decimal, sex: str, book: Book) -> tuple[Decimal, tuple[Value, ...]]:
    """Ideal weight by Devine, and its sources. Only for heights the formula covers."""
    base, step, start, inch = _devine(sex, book)
    return base.number + step.number * ((cm - start.number) / inch.number), (base, step)


def ideal_line(cm: Decimal, sex: str, book: Book) -> str:
    """The sum of an ideal weight."""
    base, step, start, inch = _devine(sex, book)
    line = (
        f"Ideal weight (Devine, {sex}) = {base.number} + {step.number} x ({plain(cm)} - {start.number}) / {inch.number}"
    )
    return f"{line} = {plain(round(ideal_kg(cm, sex, book)[0], 2))} kg"


@fact
def dosing(
    order: Order,
    weight: Result,
    weight_inputs: tuple[Input, ...],
    dosing_basis: Basis,
    height: Maybe[Result],
    height_fault: HeightFault | None,
    sex: Maybe[str],
    book: Book,
) -> Maybe[Dosing]:
    """The weight the dose should rest on. Absent when the patient may be obese and height or sex is not known."""
    now, before = weight.value, dosing_basis.before
    assert now is not None
    kg, inputs = now, weight_inputs
    told: tuple[Value, ...] = ()
    if before is not None and before.value is not None:
        kg, told = before.value, (book.policy("weight.in_pregnancy"),)
        inputs += (as_input(before, "weight before the pregnancy"),)

    def actual(
        why: str, cites: Iterable[Value] = (), bmi: Decimal | None = None, ideal: Decimal | None = None
    ) -> Dosing:
        named = "actual" if before is None else "pre-pregnancy"
        return Dosing(kg, named, now, why, inputs=inputs, cites=(*told, *cites), bmi=bmi, ideal=ideal)

    if dosing_basis.settled:
        return actual(dosing_basis.settled, dosing_basis.cites)
    if isinstance(height, Absent):
        return height
    if height_fault is not None:
        return absent("weight-height-missing")
    cm = height.value
    assert cm is not None
    inputs += (as_input(height, "height"),)
    bmi = body_mass_index(kg, cm)
    minimum, obese = book.policy("weight.height_minimum_cm"), book.policy("weight.obese_when.bmi")
    over = book.maybe("weight.also_when_over_ibw")
    if cm < minimum.number:
        return actual("height below the range of the formula: actual weight", (minimum,), bmi)
    if_obese = dosing_basis.wanted == "adjusted_if_obese"
    if if_obese and bmi < obese.number and over is None:
        return actual("not obese: actual weight", (obese,), bmi)
    if isinstance(sex, Absent):
        return sex
    inputs += (Input("sex", sex, "", order.chart.patient_path),)
    least = book.maybe("weight.minimum_kg.male" if sex == "male" else "weight.minimum_kg.female")
    if least is not None and kg <= least.number:
        return actual("at or below the least weight of the calculator: actual weight", (least,), bmi)
    ideal, sources = ideal_kg(cm, sex, book)
    if kg <= ideal:
        return actual("not above ideal weight: actual weight", sources, bmi, ideal)
    if if_obese and bmi < obese.number and (over is None or kg < ideal * over.number):
        return actual("not obese: actual weight", (obese,), bmi, ideal)
    sums: tuple[str, ...] = (
        f"BMI = {plain(kg)} kg / ({plain(cm)} cm)^2 = {plain(tenth(bmi))} kg/m2",
        ideal_line(cm, sex, book),
    )
    rests = (dosing_basis.rests,)
    if dosing_basis.wanted == "ideal":
        why = "ideal weight by the page or policy"
        return Dosing(ideal, "ideal", now, why, sums, inputs, (*told, *rests, *sources), ideal, bmi)
    factor = book.policy("weight.adjust_factor")
    adjusted = ideal + factor.number * (kg - ideal)
    shown = plain(round(ideal, 2))
    sums += (f"Adjusted weight = {shown} + {factor.number} x ({plain(kg)} - {shown}) = {plain(round(adjusted, 2))} kg",)
    why = "obese" if if_obese else "adjusted weight by the page or policy"
    cites = (*told, *rests, *((obese,) if if_obese else ()), factor, *sources)
    return Dosing(adjusted, "adjusted", now, why, sums, inputs, cites, ideal, bmi)


@fact
def dosing_differs(dosing: Dosing, dosing_basis: Basis, indication: Maybe[Indication]) -> Maybe[bool]:
    """Whether the dose should rest on another weight than the actual one; an unknown page may ask for ideal weight."""
    if isinstance(indication, Absent) and not dosing.differs and not dosing_basis.firm:
        return indication
    return dosing.differs


@fact
def basis_stated(order: Order) -> bool:
    """Whether the order says on which weight its dose rests."""
    return bool(order.stated_basis) or order.stated_weight is not None


@fact
def ordered_per_kg(whole_parts: tuple[Part, ...]) -> tuple[bool | None, ...]:
    """For each dosage instruction whether it is ordered per kilogram; None without a dose, or without its unit."""
    amounts = (part.amount for part in whole_parts)
    return tuple("/kg" in amount.unit if amount is not None and amount.unit else None for amount in amounts)

"""Results of tests as rules take them, and kidney function."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Indication
from ivig.core.dated import Value
from ivig.core.facts.chart import asked_by, of_set, on_dialysis
from ivig.core.facts.indication import MAINTENANCE
from ivig.core.facts.patient import Age
from ivig.core.facts.weighing import not_had
from ivig.core.finding import Absent, Input, absent
from ivig.core.order import Condition, Order, Procedure, Result
from ivig.core.rule import Maybe, Seen, fact, lacks


class Kidney(Struct, frozen=True):
    """Estimated GFR in mL/min/1.73 m2: reported, or computed. `tell` makes its inputs and its sum, when someone asks."""

    value: Decimal
    how: str
    comparator: str
    day: date
    tell: Callable[[], tuple[tuple[Input, ...], str]]
    cites: tuple[Value, ...] = ()

    @property
    def inputs(self) -> tuple[Input, ...]:
        return self.tell()[0]

    @property
    def sum(self) -> str:
        return self.tell()[1]


_INVERSE = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}  # the more creatinine, the lower the eGFR


def lab_input(result: Result, book: Book) -> Input:
    """A result as an input of a finding; a preliminary one says so."""
    said = f"{result.said} (preliminary)" if result.status == "preliminary" else result.said
    title = book.test_title(result.test)
    what = title if title[1:2].isupper() or title[2:3].isupper() else title.lower()
    return Input(what, said, result.when.text if result.when else "", result.path)


def lab_absent(order: Order, test: str, name: str = "lab-missing") -> Absent:
    """The absence of a test's result: `name` tells of it, unless the query for it was asked and not answered."""
    return not_had(order, asked_by(test), name, test if name == "lab-missing" else "")


def newest(results: dict[str, tuple[Result, ...]], *tests: str) -> Result | None:
    """The newest result with a value of any of these tests."""
    best: Result | None = None
    for test in tests:
        for result in results.get(test, ()):
            if result.value is None or result.when is None:
                continue
            if (
                best is None
                or best.when is None
                or (result.when.instant, result.issued) > (best.when.instant, best.issued)
            ):
                best = result
            break  # of one test the newest stands first
    return best


@fact
def creatinine(order: Order, results: dict[str, tuple[Result, ...]]) -> Maybe[Result]:
    """The newest creatinine in mg/dL."""
    for result in results.get("creatinine", ()):
        if result.value is not None and result.value > 0:
            return result
    return lab_absent(order, "creatinine")


@fact
def egfr(
    order: Order,
    results: dict[str, tuple[Result, ...]],
    creatinine: Maybe[Result],
    age: Maybe[Age],
    adult: Maybe[bool],
    sex: Maybe[str],
    height: Maybe[Result],
    pregnant: Seen[Condition | Result],
    active: Seen[Condition],
    procedures: Seen[Procedure],
    book: Book,
) -> Maybe[Kidney]:
    """The newer of a reported eGFR and one computed from creatinine; on the same day the reported one.

    Adults: CKD-EPI 2021. Children: bedside Schwartz. A creatinine that is a bound makes one.
    Not computed in pregnancy or on dialysis: absent, without a root.
    A newer creatinine that lacks a sex, an age or a height leaves it open: an older report does not take its place.
    """
    reported = None
    if "egfr" in results:
        reported = next((r for r in results["egfr"] if r.value is not None and r.value > 0), None)
    if reported is not None and reported.when is not None:
        newer = None if isinstance(creatinine, Absent) or creatinine.when is None else creatinine.when.day
        if newer is None or reported.when.day >= newer:
            return _reported(reported, book)
    if any(on_dialysis(p, order, book) for p in procedures.items):
        computed: Maybe[Kidney] = Absent(())
    else:
        computed = _computed(order, creatinine, age, adult, sex, height, pregnant, active, book)
    if reported is None or not isinstance(computed, Absent):
        return computed
    return computed if computed.roots and not isinstance(creatinine, Absent) else _reported(reported, book)


def _reported(result: Result, book: Book) -> Kidney:
    assert result.value is not None
    assert result.when is not None
    return Kidney(
        result.value, "reported", result.comparator, result.when.day, lambda: ((lab_input(result, book),), "")
    )


def _computed(
    order: Order,
    creatinine: Maybe[Result],
    age: Maybe[Age],
    adult: Maybe[bool],
    sex: Maybe[str],
    height: Maybe[Result],
    pregnant: Seen[Condition | Result],
    active: Seen[Condition],
    book: Book,
) -> Maybe[Kidney]:
    if isinstance(creatinine, Absent):
        return creatinine
    if pregnant.items or of_set(active, "dialysis"):
        return Absent(())  # the formulas do not hold, and nobody owes an eGFR
    if creatinine.when is None or creatinine.value is None:
        return absent("lab-missing", "egfr")
    if isinstance(age, Absent) or isinstance(adult, Absent):
        return lacks(age, adult)
    day, mg_dl, chart, years = creatinine.when.day, creatinine.value, order.chart, age.years
    test, bound = creatinine, _INVERSE.get(creatinine.comparator, "")

    def given(*more: Input) -> tuple[Input, ...]:
        return (lab_input(test, book), Input("age", f"{years} years", chart.birth_said, chart.patient_path), *more)

    if not adult:
        if isinstance(height, Absent) or height.value is None:
            return lacks(height)
        k, tall = book.coefficient("bedside_schwartz", "factor"), height
        cm = height.value
        child = (k.number * cm / mg_dl).quantize(Decimal("0.1"))

        def schwartz() -> tuple[tuple[Input, ...], str]:
            measured = Input("height", tall.said, tall.when.text if tall.when else "", tall.path)
            return given(measured), f"{k.number} x {cm} / {test.comparator}{mg_dl} = {bound}{child}"

        return Kidney(child, "bedside Schwartz", bound, day, schwartz, (k,))
    if isinstance(sex, Absent):
        return sex
    value, sources = ckd_epi(mg_dl, years, sex, book)

    def equation() -> tuple[tuple[Input, ...], str]:
        line = f"CKD-EPI 2021, creatinine {test.comparator}{mg_dl} mg/dL, {years} years, {sex}: {bound}{value} mL/min/1.73 m2"
        return given(Input("sex", sex, "", chart.patient_path)), line

    return Kidney(value, "CKD-EPI 2021", bound, day, equation, sources)


def ckd_epi(mg_dl: Decimal, years: int, sex: str, book: Book) -> tuple[Decimal, tuple[Value, ...]]:
    """eGFR by CKD-EPI 2021, rounded to one decimal before it is compared (powers need binary floating point)."""
    kappa, alpha, factor, beta, age_base, female, source = book.memory(
        ("ckd_epi", sex), lambda: _ckd_numbers(sex, book)
    )
    part = float(mg_dl) / kappa
    value = factor * min(part, 1.0) ** alpha * max(part, 1.0) ** beta * age_base**years * female
    return Decimal(str(round(value, 1))), (source,)


def _ckd_numbers(sex: str, book: Book) -> tuple[float, float, float, float, float, float, Value]:
    def number(name: str) -> float:
        return float(book.coefficient("ckd_epi_2021", name).number)

    return (
        number(f"kappa_{sex}"),
        number(f"alpha_{sex}"),
        number("factor"),
        number("beta"),
        number("age_base"),
        number("female_factor") if sex == "female" else 1.0,
        book.coefficient("ckd_epi_2021", "factor"),
    )


@fact
def first_course(new_start: bool, phase: Maybe[str], history_sent: bool) -> bool:
    """Whether the windows of a first course hold: a first course, or one after a long gap, as far as can be told."""
    if isinstance(phase, Absent) or phase != MAINTENANCE:
        return new_start
    return new_start and history_sent


@fact
def urgent(indication: Maybe[Indication]) -> bool:
    return not isinstance(indication, Absent) and indication.urgent

"""Results of tests as rules take them, and kidney function."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Indication
from ivig.core.dated import Value
from ivig.core.facts.chart import of_set
from ivig.core.facts.indication import MAINTENANCE
from ivig.core.facts.patient import Age
from ivig.core.facts.weighing import not_had
from ivig.core.finding import Absent, Input, absent
from ivig.core.order import Condition, Order, Result
from ivig.core.rule import Maybe, Seen, fact, lacks


class Kidney(Struct, frozen=True):
    """Estimated GFR in mL/min/1.73 m2: reported, or computed, with its sum."""

    value: Decimal
    how: str
    comparator: str
    day: date
    inputs: tuple[Input, ...]
    cites: tuple[Value, ...] = ()
    sum: str = ""


# The query that asks for a test: when it was asked and not answered, the test is not known to be missing.
_QUERY = {
    "haemoglobin": "lab-cbc",
    "platelets": "lab-cbc",
    "creatinine": "lab-renal",
    "egfr": "lab-renal",
    "liver": "lab-liver",
    "iga": "lab-iga",
    "abo": "lab-abo",
}


def lab_input(result: Result, book: Book) -> Input:
    """A result as an input of a finding; a preliminary one says so."""
    said = f"{result.said} (preliminary)" if result.status == "preliminary" else result.said
    title = book.test_title(result.test)
    what = title if title[1:2].isupper() or title[2:3].isupper() else title.lower()
    return Input(what, said, result.when.text if result.when else "", result.path)


def lab_absent(order: Order, test: str, name: str = "lab-missing") -> Absent:
    """The absence of a test's result: `name` tells of it, unless the query for it was asked and not answered."""
    return not_had(order, _QUERY.get(test, ""), name, test if name == "lab-missing" else "")


def newest(results: dict[str, tuple[Result, ...]], *tests: str) -> Result | None:
    """The newest result with a value of any of these tests."""
    found = [r for t in tests for r in results.get(t, ()) if r.value is not None and r.when is not None]
    return max(found, key=lambda r: (r.when.instant if r.when else 0.0, r.issued)) if found else None


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
    book: Book,
) -> Maybe[Kidney]:
    """The newer of a reported eGFR and one computed from creatinine; on the same day the reported one.

    Adults: CKD-EPI 2021. Children: bedside Schwartz. Not computed in pregnancy or on dialysis: absent, without a root.
    """
    reported = next((r for r in results.get("egfr", ()) if r.value is not None), None)
    if reported is not None and reported.when is not None and reported.value is not None:
        newer = None if isinstance(creatinine, Absent) or creatinine.when is None else creatinine.when.day
        if newer is None or reported.when.day >= newer:
            return Kidney(
                reported.value, "reported", reported.comparator, reported.when.day, (lab_input(reported, book),)
            )
    computed = _computed(order, creatinine, age, adult, sex, height, pregnant, active, book)
    if (
        isinstance(computed, Absent)
        and reported is not None
        and reported.value is not None
        and reported.when is not None
    ):
        return Kidney(reported.value, "reported", reported.comparator, reported.when.day, (lab_input(reported, book),))
    return computed


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
    if creatinine.comparator or creatinine.when is None or creatinine.value is None:
        return absent("lab-missing", "egfr")
    if isinstance(age, Absent) or isinstance(adult, Absent):
        return lacks(age, adult)
    mg_dl = creatinine.value
    given = (
        lab_input(creatinine, book),
        Input("age", f"{age.years} years", order.chart.birth_said, order.chart.patient_path),
    )
    if not adult:
        if isinstance(height, Absent) or height.value is None:
            return lacks(height)
        k = book.coefficient("bedside_schwartz", "factor")
        value = (k.number * height.value / mg_dl).quantize(Decimal("0.1"))
        tall = Input("height", height.said, height.when.text if height.when else "", height.path)
        return Kidney(
            value,
            "bedside Schwartz",
            "",
            creatinine.when.day,
            (*given, tall),
            (k,),
            f"{k.number} x {height.value} / {mg_dl} = {value}",
        )
    if isinstance(sex, Absent):
        return sex
    value, sources = ckd_epi(mg_dl, age.years, sex, book)
    line = f"CKD-EPI 2021, creatinine {mg_dl} mg/dL, {age.years} years, {sex}: {value} mL/min/1.73 m2"
    return Kidney(
        value,
        "CKD-EPI 2021",
        "",
        creatinine.when.day,
        (*given, Input("sex", sex, "", order.chart.patient_path)),
        sources,
        line,
    )


def ckd_epi(mg_dl: Decimal, years: int, sex: str, book: Book) -> tuple[Decimal, tuple[Value, ...]]:
    """eGFR by CKD-EPI 2021, rounded to one decimal before it is compared (powers need binary floating point)."""

    def number(name: str) -> float:
        return float(book.coefficient("ckd_epi_2021", name).number)

    share = float(mg_dl) / number(f"kappa_{sex}")
    value = (
        number("factor")
        * min(share, 1.0) ** number(f"alpha_{sex}")
        * max(share, 1.0) ** number("beta")
        * number("age_base") ** years
    )
    if sex == "female":
        value *= number("female_factor")
    return Decimal(str(round(value, 1))), (book.coefficient("ckd_epi_2021", "factor"),)


@fact
def first_course(new_start: bool, phase: Maybe[str], history_sent: bool) -> bool:
    """Whether the windows of a first course hold: a first course, or one after a long gap, as far as can be told."""
    if isinstance(phase, Absent) or phase != MAINTENANCE:
        return new_start
    return new_start and history_sent


@fact
def urgent(indication: Maybe[Indication]) -> bool:
    return not isinstance(indication, Absent) and indication.urgent

"""Who the patient is on the day: age, sex, pregnancy, setting."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book
from ivig.core.facts.chart import section, unanswered
from ivig.core.finding import Absent, Input, absent
from ivig.core.order import Condition, Moment, Order, Result
from ivig.core.rule import Maybe, Seen, alternatives, fact

SEXES = ("male", "female")


class Age(Struct, frozen=True, order=True):
    """Completed years, and days since birth."""

    years: int
    days: int


def age_on(day: date, birth: date) -> Age:
    years = day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
    return Age(years, (day - birth).days)


@fact
def day(order: Order) -> date:
    """The day of judgement."""
    return order.day


@fact
def sex(order: Order) -> Maybe[str]:
    """`male` or `female`: the sex the ideal-weight and eGFR formulas ask for."""
    return order.chart.sex if order.chart.sex in SEXES else absent("chart-sex-unknown")


@alternatives("sex", roots=("chart-sex-unknown",))
def _sexes(order: Order) -> tuple[str, ...]:
    return SEXES


@fact
def age(order: Order) -> Maybe[Age]:
    """Age on the day of judgement. A partial birth date leaves it open; the judge then asks at both ends."""
    birth = order.chart.birth
    if birth is None or birth[0] > order.day:
        return absent("chart-age-unknown")
    oldest = age_on(order.day, birth[0])
    if birth[0] == birth[1]:
        return oldest
    youngest = age_on(order.day, min(birth[1], order.day))
    return absent("chart-age-unknown") if youngest.days != oldest.days else oldest


@alternatives("age", roots=("chart-age-unknown",))
def _ages(order: Order) -> tuple[Age, ...]:
    birth = order.chart.birth
    if birth is None or birth[0] > order.day:
        return ()
    return (age_on(order.day, birth[0]), age_on(order.day, min(birth[1], order.day)))


@fact
def adult(age: Age, book: Book) -> bool:
    return age.years >= book.policy("age.adult_from").number


@fact
def age_input(order: Order, age: Age) -> Input:
    """The birth date as an input of a finding, as age in years."""
    return Input("age", f"{age.years} years", order.chart.birth_said, order.chart.patient_path)


@fact
def setting(order: Order) -> str:
    """`inpatient`, `outpatient`, `home`, or '' when neither order nor encounter tells."""
    return order.setting


@fact
def pregnant(
    order: Order, active: Seen[Condition], results: dict[str, tuple[Result, ...]], book: Book
) -> Seen[Condition | Result]:
    """What says that the patient is pregnant on the day. What nobody ended ends by itself: no pregnancy lasts for years."""
    due = results.get("edd", ())
    said: list[Condition | Result] = [
        c
        for c in active.items
        if "pregnancy" in c.concept.sets and not _delivered(c.onset or c.recorded, due, order.day, book)
    ]
    status = results.get("pregnancy_status", ())
    if status and status[0].words == "pregnant" and not _delivered(status[0].when, due, order.day, book):
        said.append(status[0])
    if due and due[0].words >= order.day.isoformat():  # the reader gives an ISO day, or nothing
        said.append(due[0])
    lacking = section(order, "conditions")
    if not status and not due:
        lacking = tuple(dict.fromkeys((*lacking, *unanswered(order, "pregnancy_status", "edd"))))
    return Seen(tuple(said), lacking)


def _delivered(begun: Moment | None, due: tuple[Result, ...], day: date, book: Book) -> bool:
    """Whether a pregnancy on record must be over: its delivery was due long ago, or it began longer ago than any lasts."""
    if begun is None:
        return False
    expected = date.fromisoformat(due[0].words) if due and due[0].words else None
    if expected is not None and begun.day < expected:
        return (day - expected).days > book.policy("history.unknown_end_days").number
    return (day - begun.day).days > book.policy("pregnancy.days_at_most").number


def is_absent(value: object) -> bool:
    return isinstance(value, Absent)


def share(percent: Decimal) -> Decimal:
    """A percentage as a fraction."""
    return percent / 100

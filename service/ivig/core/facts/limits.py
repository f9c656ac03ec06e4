"""Which range holds for a course: phase, doses, days and intervals of page and labels; and how a course lies in it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct, structs

from ivig.core.book import Book, Indication, Label, Product
from ivig.core.book import Phase as Doses
from ivig.core.dated import Pair, Value, later
from ivig.core.facts.course import Course
from ivig.core.facts.dose import Bases, PerKg
from ivig.core.facts.history import Given, keys_of, of_indication
from ivig.core.facts.patient import share
from ivig.core.finding import Absent, Root
from ivig.core.rule import Maybe

INDUCTION, MAINTENANCE = "induction", "maintenance"


class Limits(Struct, frozen=True):
    """The range one course is held against: the union of the page's and the labels', or the default ceiling.

    `lacking` holds the roots for want of which only the default holds; lower limits are then not judged. `what` is the
    indication's title, `key` its page.
    """

    phases: tuple[str, ...]
    lower: Value | None
    upper: Value | None
    day: Value | None
    day_upper: Decimal | None
    pairs: tuple[Pair, ...]
    pairs_from: Value | None
    highest: Value | None
    highest_day: Decimal | None
    interval_lower: Value | None
    interval_upper: Value | None
    lacking: tuple[Root, ...] = ()
    assumed: str = ""
    what: str = ""
    key: str = ""
    pair_values: tuple[Value, ...] = ()
    highest_day_from: Value | None = None

    @property
    def induction(self) -> bool:
        return self.phases == (INDUCTION,)

    def day_limit(self, days: int | None) -> tuple[Decimal, Value] | None:
        """The most on one day, and its source: of the pairs with this number of days, else of the phase."""
        if not self.pairs:
            return (self.day.number, self.day) if self.day is not None and self.day.amount is not None else None
        if len(self.pairs) == 1:
            return self.pairs[0].day, self.pair_values[0]
        both = list(zip(self.pairs, self.pair_values, strict=True))
        fitting = [b for b in both if days is not None and b[0].least <= days <= b[0].most] or both
        pair, value = max(fitting, key=lambda b: b[0].day)
        return pair.day, value

    def takes(self, days: int) -> bool:
        """Whether some pair has this number of infusion days."""
        return not self.pairs or any(p.least <= days <= p.most for p in self.pairs)

    def numbers(self) -> tuple[object, ...]:
        """What decides, to tell whether two products are held against the same."""
        return (
            self.lower and self.lower.lower,
            self.upper and self.upper.upper,
            frozenset((p.least, p.most, p.day) for p in self.pairs),
            self.interval_lower and self.interval_lower.lower,
            self.interval_upper and self.interval_upper.upper,
        )


def phases_of(
    page: Indication, course: Course, before: tuple[Given, ...], history_sent: bool, book: Book, earlier: bool = False
) -> tuple[str, ...]:
    """The phase of a course, or both where the history was not sent and it could be either.

    Args:
        earlier: a course of the same order came before this one.
    """
    known = tuple([p for p in (INDUCTION, MAINTENANCE) if p in page.phases])
    if len(known) < 2:
        return known
    if course.repeats and course.interval is not None:
        # A week or more is meant as maintenance; schedule-interval-too-short tells where the page wants it longer.
        weekly = book.policy("phase.maintenance_repeat_from_days").number / 2
        return (MAINTENANCE,) if course.interval >= weekly else (INDUCTION,)
    if earlier:
        return (MAINTENANCE,)
    start = course.start or book.day
    lookback = timedelta(weeks=int(book.policy("course.maintenance_lookback_weeks").number))
    join = timedelta(days=int(book.policy("course.join_days").number))
    for past in of_indication(before, keys_of(page, book)):
        if join < start - past.day <= lookback:
            return (MAINTENANCE,)
    return (INDUCTION,) if history_sent or before else known


def default_limits(book: Book, adult: Maybe[bool], course: Course, roots: tuple[Root, ...], what: str) -> Limits:
    """The ceiling where no page tells more."""
    top, day = book.policy("default.course_g_per_kg"), book.policy("default.day_g_per_kg")
    if adult is False and course.days == 1 and not course.repeats:
        day = book.policy("default.day_g_per_kg.child_once")
    upper = Value(
        key=top.key, unit=top.unit, start=top.start, upper=top.amount, source=top.source, at=top.at, seen=top.seen
    )
    return Limits((), None, upper, day, day.number, (), None, upper, None, None, None, roots, what=what)


def limits_for(book: Book, page: Indication, phases: tuple[str, ...], products: tuple[Product, ...]) -> Limits:
    """The limits of a page and these products, made once a day."""
    keys = tuple([p.key for p in products])
    made: Limits = book.memory(("limits", page.key, phases, keys), lambda: _union(book, page, phases, products))
    return made


def limits_of_each(
    book: Book, page: Indication, phases: tuple[str, ...], products: tuple[Product, ...]
) -> tuple[Limits, ...]:
    """The different limits that hold for one or other of these products."""

    def each() -> tuple[Limits, ...]:
        every = (limits_for(book, page, phases, (p,)) for p in products)
        return tuple({made.numbers(): made for made in every}.values())

    found: tuple[Limits, ...] = book.memory(("each", page.key, phases, tuple(p.key for p in products)), each)
    return found


def labels_for(page: Indication, product: Product, book: Book) -> tuple[Label, ...]:
    """What a product's label says for a page, or for another page of its family."""
    own = product.labels.get(page.key)
    if own is not None:
        return (own,)
    if not page.family:
        return ()
    return tuple(label for key, label in product.labels.items() if key in keys_of(page, book))


def _union(book: Book, page: Indication, phases: tuple[str, ...], products: tuple[Product, ...]) -> Limits:
    held: list[Doses] = [page.phases[p] for p in phases if p in page.phases]
    for product in products:
        held += [
            _unchosen(label.phases[p], p, page)
            for label in labels_for(page, product, book)
            for p in phases
            if p in label.phases
        ]
    everything = [*page.phases.values(), *page.displaced]
    for key in book.products():
        everything += [phase for label in labels_for(page, book.product(key), book) for phase in label.phases.values()]
    ranges = [h.course for h in held if h.course is not None]
    pairs = [(pair, h.regimens) for h in held if h.regimens is not None for pair in h.regimens.pairs]
    intervals = [h.interval for h in held if h.interval is not None]
    uppers = [e.course for e in everything if e.course is not None] + [
        v for _, _, what, v in page.positions if what == "course"
    ]
    days = [(pair.day, e.regimens) for e in everything if e.regimens is not None for pair in e.regimens.pairs]
    most = max(pairs, key=lambda p: (p[0].day, not p[1].unconfirmed), default=None)
    highest_day = max(days, key=lambda d: (d[0], not d[1].unconfirmed), default=None)
    return Limits(
        phases=phases,
        lower=_lowest(ranges),
        upper=_highest(ranges),
        day=most[1] if most else None,
        day_upper=most[0].day if most else None,
        pairs=tuple(pair for pair, _ in pairs),
        pairs_from=pairs[0][1] if pairs else None,
        highest=_highest(uppers),
        highest_day=highest_day[0] if highest_day else None,
        interval_lower=_lowest(intervals),
        interval_upper=_highest(intervals),
        what=page.title,
        key=page.key,
        pair_values=tuple(value for _, value in pairs),
        highest_day_from=highest_day[1] if highest_day else None,
    )


def _unchosen(label: Doses, phase: str, page: Indication) -> Doses:
    """What a label says of a phase, without what the policy decided by choosing a position: that holds for all products."""
    if not page.chosen:
        return label
    return structs.replace(label, **{what: None for chosen, what in page.chosen if chosen == phase})


def _highest(values: list[Value]) -> Value | None:
    """The value with the highest upper end; of equal ones a confirmed one."""
    bounded = [(v.upper, not v.unconfirmed, v) for v in values if v.upper is not None]
    return max(bounded, key=lambda b: b[:2])[2] if bounded else None


def _lowest(values: list[Value]) -> Value | None:
    bounded = [(v.lower, v.unconfirmed, v) for v in values if v.lower is not None]
    return min(bounded, key=lambda b: b[:2])[2] if bounded else None


def within(got: Decimal, upper: Decimal, tolerance: Value) -> bool:
    """Whether `got` is at most `upper` plus the tolerance; exactly on it passes."""
    return got <= upper * (1 + share(tolerance.number))


def at_least(got: Decimal, lower: Decimal, tolerance: Value) -> bool:
    return got >= lower * (1 - share(tolerance.number))


def in_days(weeks: Decimal) -> Decimal:
    return weeks * 7


def lower_dose(dose: PerKg, bases: Maybe[Bases]) -> Decimal | None:
    """The course per kg of the smallest accepted weight; ordered per kg of a weight not named, as it stands."""
    if dose.nominal or isinstance(bases, Absent) or dose.grams_total_low is None:
        return dose.total_low
    return dose.grams_total_low / bases.smallest


class Fit(Struct, frozen=True):
    """How a course lies in its limits: g/kg above, below, and above on a day; whether days or interval are off."""

    above: Decimal
    below: Decimal
    daily: Decimal
    days: bool
    interval: bool

    @property
    def good(self) -> bool:
        return not (self.above or self.below or self.daily or self.days or self.interval)

    @property
    def flags(self) -> tuple[bool, ...]:
        return bool(self.above), bool(self.below), bool(self.daily), self.days, self.interval

    @property
    def distance(self) -> Decimal:
        """Dose counts; days and interval only decide between equals."""
        return self.above + self.below + self.daily + Decimal("0.001") * (self.days + self.interval)


def fit(course: Course, dose: PerKg | None, limits: Limits, bases: Maybe[Bases], book: Book) -> Fit:
    """How a course lies in `limits`, as far as its dose and days are known."""
    tolerance = book.policy("dose.tolerance")
    above = below = daily = Decimal(0)
    if dose is not None:
        upper = limits.upper.upper if limits.upper is not None else None
        if dose.total_high is not None and upper is not None and not within(dose.total_high, upper, tolerance):
            above = dose.total_high - upper
        lower = limits.lower.lower if limits.lower is not None else None
        low = lower_dose(dose, bases)
        if low is not None and lower is not None and not at_least(low, lower, tolerance):
            below = lower - low
        most = limits.day_limit(course.days)
        if course.day_known and most is not None and not within(dose.day_high, most[0], tolerance):
            daily = dose.day_high - most[0]
    off = interval_off(course, limits, book)
    return Fit(above, below, daily, days_off(course, limits, book) is not None, off is not None)


def days_off(course: Course, limits: Limits, book: Book) -> str | None:
    """Why the days of an induction course are off the regimen, or None."""
    if not limits.induction or course.days is None or not limits.pairs:
        return None
    if not limits.takes(course.days):
        return "days"
    return "gap" if course.gap > book.policy("schedule.max_gap_days").number else None


def interval_off(course: Course, limits: Limits, book: Book) -> str | None:
    """Whether the order's own repeat is `short` or `long` for the page."""
    if not course.repeats or course.interval is None:
        return None
    tolerance = book.policy("schedule.interval_tolerance_days").number
    low, high = limits.interval_lower, limits.interval_upper
    if low is not None and low.lower is not None and course.interval < in_days(low.lower) - tolerance:
        return "short"
    if high is not None and high.upper is not None and course.interval > in_days(high.upper) + tolerance:
        return "long"
    return None


def tops_up(course: Course, first_day: date, before: tuple[Given, ...], keys: frozenset[str], book: Book) -> bool:
    """Whether a course goes on with one of the same indication: an earlier dose lies within the days that join."""
    join = int(book.policy("course.join_days").number)
    if not before:
        return False
    start = course.start or later(first_day, course.offset)
    return any(0 <= (start - g.day).days <= join for g in of_indication(before, keys))

"""When orders run: the judged one and the others of the chart, day by day, with what was assumed of an open end."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book
from ivig.core.dated import Value, later
from ivig.core.facts.chart import section
from ivig.core.facts.history import days_of, same_order
from ivig.core.finding import Root, plain
from ivig.core.order import Infusion, Moment, Order, Part
from ivig.core.rule import Seen, fact

_RUNS = ("active", "on-hold", "draft", "")
_GIVEN = ("completed", "in-progress", "stopped", "active", "recorded")
_CHILD = ("instance-order", "filler-order")
_NEVER_INTENT = ("proposal", "plan", "option")
UNTIMED = Root("schedule-missing")


class Run(Struct, frozen=True):
    """The days of one order.

    Args:
        last_dose: the last infusion day that is planned or known.
        last: the day up to which it runs; later than `last_dose` when its end is open.
        sure: as `last`, but no further than `last_dose` when nothing tells its interval.
        possible: the day up to which it may run when its schedule cannot be told; else `last`.
        intervals: the intervals at which it repeats.
    """

    first: date
    last_dose: date
    last: date
    sure: date
    possible: date
    intervals: frozenset[Decimal]
    sum: str
    cites: tuple[Value, ...] = ()


class Other(Struct, frozen=True):
    """Another order of polyvalent immune globulin for the same patient, and when it runs."""

    infusion: Infusion
    run: Run


class Turn(Struct, frozen=True):
    """A day on which immune globulin was given or is planned, by vein or under the skin."""

    day: date
    route: str
    path: str


def polyvalent(kind: str, route: str) -> bool:
    """Whether a product counts as polyvalent immune globulin IV or SC; an unnamed immune globulin does."""
    return kind in ("", "polyvalent-iv", "polyvalent-sc") and route != "im"


def run_of(parts: tuple[Part, ...], begin: date, end: Moment | None, given: tuple[date, ...], book: Book) -> Run:
    """The days of an order with these dosage instructions; `given` are the days on which doses of it are known.

    Instructions of different sequence follow each other, equal ones run together.
    """
    stretches: list[Run] = []
    following, sequence = begin, None
    for part in sorted(parts, key=lambda p: p.sequence or 0) or [Part("")]:
        if stretches and part.sequence != sequence:
            following = later(max(s.last_dose for s in stretches), 1)
        sequence = part.sequence
        start = part.start.day if part.start is not None else min(part.events) if part.events else following
        stretches.append(_stretch(part, start, end, given, book))
    first, last = min(s.first for s in stretches), max(s.last for s in stretches)
    opened = next((s for s in stretches if s.cites), None)
    return Run(
        first,
        max(s.last_dose for s in stretches),
        last,
        max(s.sure for s in stretches),
        max(s.possible for s in stretches),
        frozenset(p.interval for p in parts if p.interval is not None and p.cycles != 1),
        f"{first} to {last}{opened.sum if opened else ''}",
        opened.cites if opened else (),
    )


def _stretch(part: Part, start: date, end: Moment | None, given: tuple[date, ...], book: Book) -> Run:
    """The days of one instruction. One without an end runs on for some intervals after its last known dose."""
    dose, gap = _last_planned(part, start)
    told = part.days is not None or part.interval is not None or bool(part.events)
    if told and gap is None:
        dose = min(dose, end.last) if end is not None and end.last >= start else dose
        return Run(start, dose, dose, dose, dose, frozenset(), "")
    if end is not None and end.last >= start:
        return Run(start, end.last, end.last, end.last, end.last, frozenset(), "")
    longest, intervals = book.policy("order.open_end_days"), book.policy("order.open_end_intervals")
    cap = int(longest.number)
    dose = max((dose, *given))
    last = later(dose, cap if gap is None else min(gap * intervals.number, longest.number))
    why = f"plus {plain(intervals.number)} intervals, at most" if gap is not None else "plus"
    said = f" (no end stated: last known dose {dose} {why} {cap} days)"
    sure, possible = (dose if gap is None else last), (last if told else later(dose, cap))
    return Run(start, dose, last, sure, possible, frozenset(), said, (longest, intervals))


def _last_planned(part: Part, start: date) -> tuple[date, Decimal | None]:
    """The last infusion day that is sure, and the days between doses where there is no end."""
    if part.events:
        return max(part.events), None
    cycle = later(start, ((part.days or 1) - 1) * part.step)
    if part.interval is not None and part.cycles != 1:
        if part.cycles is None:
            return cycle, part.interval
        return later(cycle, part.interval * (part.cycles - 1)), None
    if part.days is None and part.said_timing:
        return start, part.step
    return cycle, None


@fact
def own_run(order: Order, book: Book) -> Run:
    """When the judged order runs; of a group, this order's own share."""
    begin = order.authored.day if order.authored is not None else order.day
    return run_of(order.parts, begin, None, _given_days(order, order.products, order.route, begin), book)


def _given_days(order: Order, products: tuple[str, ...], route: str, since: date) -> tuple[date, ...]:
    """Days since then on which such immune globulin is recorded as given."""
    return tuple(
        i.start.day
        for i in order.chart.infusions
        if i.kind != "request"
        and i.status in _GIVEN
        and i.start is not None
        and since <= i.start.day <= order.day
        and polyvalent(i.kind_of_product, i.route)
        and (not route or not i.route or route == i.route)
        and (not products or not i.products or not set(products).isdisjoint(i.products))
    )


def renews(infusion: Infusion, order: Order) -> bool:
    """Whether one of the two says that it takes the other's place."""
    return order.prior in infusion.names or infusion.prior in order.ref_ids


@fact
def other_orders(order: Order, book: Book) -> Seen[Other]:
    """Other polyvalent orders that stand: not its parent, child, group or predecessor."""
    found = []
    for infusion in order.chart.infusions:
        if infusion.kind != "request" or infusion.status not in _RUNS or infusion.intent in (*_CHILD, *_NEVER_INTENT):
            continue
        if same_order(infusion, order) or renews(infusion, order):
            continue
        if not polyvalent(infusion.kind_of_product, infusion.route):
            continue
        written = infusion.asked or infusion.start
        begin = written.day if written is not None else order.day  # undated: taken as running on the day
        given = _given_days(order, infusion.products, infusion.route, begin)
        if not given and _way(infusion) == "sc" and infusion.status == "active":
            # The patient gives it at home, and nobody records it: what was planned up to now counts as given.
            longest = int(book.policy("order.open_end_days").number)
            given = tuple(days_of(infusion, min(order.day, later(begin, longest))))
        found.append(Other(infusion, run_of(infusion.parts, begin, infusion.end, given, book)))
    return Seen(tuple(found), section(order, "medications"))


@fact
def overlapping(own_run: Run, other_orders: Seen[Other]) -> Seen[Other]:
    """Those that run on days of the judged order. What the judged order's own schedule leaves open is lacking."""
    found, lacking = [], list(other_orders.lacking)
    for other in other_orders.items:
        if other.run.last < own_run.first:
            continue
        if other.run.first <= own_run.sure:
            found.append(other)
        elif other.run.first <= own_run.possible:
            lacking.append(UNTIMED)
    return Seen(tuple(found), tuple(dict.fromkeys(lacking)))


def _way(infusion: Infusion) -> str:
    return infusion.route or {"polyvalent-iv": "iv", "polyvalent-sc": "sc"}.get(infusion.kind_of_product, "")


def _endless(infusion: Infusion) -> bool:
    return infusion.end is None and any(p.interval is not None and p.cycles is None for p in infusion.parts)


@fact
def given_or_planned(order: Order) -> Seen[Infusion]:
    """All other immune globulin of the chart, given or ordered."""
    return Seen(tuple([i for i in order.chart.infusions if i.path != order.path]), section(order, "medications"))


@fact
def near_turns(order: Order, own_run: Run, book: Book) -> Seen[Turn]:
    """Days of immune globulin IV or SC around the judged order, outside of it, near enough to be a change of route."""
    window = book.policy("order.iv_sc_switch_days").number
    since, until = later(own_run.first, -window), later(own_run.last_dose, window)
    horizon = later(own_run.possible, window)
    found: list[Turn] = []
    lacking = list(section(order, "medications"))
    for infusion in order.chart.infusions:
        way = _way(infusion)
        if way not in ("iv", "sc") or not polyvalent(infusion.kind_of_product, way) or same_order(infusion, order):
            continue
        if infusion.status not in (*_GIVEN, *_RUNS) or infusion.intent in _NEVER_INTENT:
            continue
        days = days_of(infusion, horizon)
        if infusion.kind == "request" and infusion.status in ("stopped", "completed") and _endless(infusion):
            days = days[:1]  # when it stopped is not known; what was given later is on record or not counted
        found.extend(Turn(day, way, infusion.path) for day in days if since <= day <= until)
        if way != order.route and any(day > until for day in days):
            lacking.append(UNTIMED)  # only with a schedule that leaves the last dose open
    return Seen(tuple(sorted(found, key=lambda t: (t.day, t.path))), tuple(dict.fromkeys(lacking)))

"""Rates held against the labels: by product, strength and indication, in the unit that the label prints.

An indication that the label does not name has no ceiling of its own: a rate between the lowest and the highest of the
product's ceilings is told for information; a warning or an error takes the highest of them. Of a product that is open every
one it may be has to agree.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import Struct, structs

from ivig.core.book import Book, Indication, Product
from ivig.core.dated import NotInForce, Value
from ivig.core.facts.limits import labels_for
from ivig.core.facts.rates import NO_RATE, Body, Counted, Pace, in_counted, speed
from ivig.core.finding import Absent, Root
from ivig.core.order import Order, Result
from ivig.core.rule import Maybe, Seen, fact

MOST, INITIAL, AT_RISK = "rate_max", "rate_initial", "rate_at_risk"
_STRENGTH = Root("product-unspecified")
_PER_CENT = 100
NOTHING: Seen[Any] = Seen(())


class Ceiling(Struct, frozen=True):
    """The lowest and the highest rate of a label that may hold; `named`: the label names the indication.

    `least_edge` and `most_edge` are the same with the tolerance, in amounts of `into` in `minutes`.
    """

    product: Product
    least: Value
    most: Value
    named: bool
    into: Counted
    minutes: Decimal
    least_edge: Decimal
    most_edge: Decimal


class Held(Struct, frozen=True):
    """A rate above a ceiling: in the label's unit it is `top` / `bottom`.

    `grave`: above it by more than the error factor, whatever the indication; `mild`: no higher than another indication of
    the same label allows. `assumed`: what was taken for granted. `named`: the label names the indication; `highest`: of
    several ceilings that are all exceeded the highest.
    """

    pace: Pace
    top: Decimal
    bottom: Decimal
    limit: Value
    product: Product
    body: Body
    grave: bool = False
    assumed: tuple[str, ...] = ()
    named: bool = True
    highest: Value | None = None
    mild: bool = False

    @property
    def got(self) -> Decimal:
        return self.top / self.bottom

    @property
    def share(self) -> Decimal:
        return self.top / (self.bottom * self.limit.number)


def ceiling(kind: str, product: Product, page: Indication | None, book: Book) -> Ceiling | None:
    """The ceiling of a product for a page; None when its label has no number. Made once a day."""
    key = ("ceiling", kind, product.key, page.key if page is not None else "")
    found: Ceiling | None = book.memory(key, lambda: _ceiling(kind, product, page, book))
    return found


def _ceiling(kind: str, product: Product, page: Indication | None, book: Book) -> Ceiling | None:
    if kind == AT_RISK:
        value = product.rate_at_risk
        return None if value is None else _edged(product, [value], True, book)
    named = labels_for(page, product, book) if page is not None else ()
    values = [v for label in named if (v := getattr(label, kind)) is not None]
    if values:  # of several pages of one family the lowest
        return _edged(product, [min(values, key=lambda v: _per_minute(v, product))], True, book)
    every = [v for label in product.labels.values() if (v := getattr(label, kind)) is not None]
    return _edged(product, sorted(every, key=lambda v: _per_minute(v, product)), False, book) if every else None


def _edged(product: Product, values: list[Value], named: bool, book: Book) -> Ceiling:
    """The ends of a label's rates. Where they are printed in two units, the highest is told in that of the lowest."""
    least, most = values[0], values[-1]
    more = (_PER_CENT + book.policy("rate.tolerance").number) / _PER_CENT
    into, minutes = speed(least.unit)
    if most.unit != least.unit:
        again = _per_minute(most, product) / _per_minute(least, product) * least.number
        most = structs.replace(most, unit=least.unit, amount=again)
    return Ceiling(product, least, most, named, into, minutes, least.number * more, most.number * more)


def _per_minute(value: Value, product: Product) -> Decimal:
    """A rate in grams per kg and minute, to put rates of one label in order."""
    of, minutes = speed(value.unit)
    strength = product.strength.number if product.strength is not None and product.strength.amount else Decimal(1)
    return value.number * of.factor * (1 if of.mass else strength) / minutes


def held_against(
    kind: str,
    order: Order,
    paces: tuple[Pace, ...],
    products: tuple[Product, ...],
    indication: Maybe[Indication],
    weight: Maybe[Result],
    book: Book,
) -> Seen[Held]:
    """Some paces against the ceilings of every product the order may mean: the mildest where all are exceeded.

    Lacking: what it takes to compare, or to choose the ceiling.

    Raises:
        NotInForce: no label has a number.
    """
    page = None if isinstance(indication, Absent) else indication
    unsure = indication.roots if isinstance(indication, Absent) and kind != AT_RISK else ()
    kg = None if isinstance(weight, Absent) else weight.value
    over: list[Held] = []
    lacking: list[Root] = []
    numbered = 0
    for product in products:
        top = ceiling(kind, product, page, book)
        if top is None:
            continue
        numbered += 1
        body = Body(kg, _strength(product, order))
        edge, exceeded = top.most_edge if unsure else top.least_edge, False
        open_for: list[Root] = []
        for pace in paces:
            got = in_counted(pace, top.into, top.minutes, body)
            if isinstance(got, str):
                roots = weight.roots if isinstance(weight, Absent) else ()
                open_for.extend(roots if got == "weight" else (_STRENGTH,))
            elif got[0] > edge * got[1]:
                exceeded = True
            elif unsure and got[0] > top.least_edge * got[1]:
                open_for.extend(unsure)
        if exceeded:
            over.append(_fastest(kind, paces, top, body, unsure, book))
        else:
            lacking.extend(open_for)
    if not numbered and kind != AT_RISK:
        raise NotInForce(f"{products[0].key}.{kind}")
    if not over:
        return Seen((), tuple(dict.fromkeys(lacking))) if lacking else NOTHING
    # Where a label has no number at risk none is exceeded; a product whose other rates nobody has seen has no say.
    if len(over) == (len(products) if kind == AT_RISK else numbered):
        return Seen((min(over, key=lambda h: (h.grave, not h.mild, h.share)),))
    return Seen((), tuple(dict.fromkeys((*lacking, _STRENGTH))))


def _strength(product: Product, order: Order) -> Decimal | None:
    if len(order.strengths) == 1:
        return order.strengths[0]
    return product.strength.amount if product.strength is not None else None


def _fastest(
    kind: str, paces: tuple[Pace, ...], top: Ceiling, body: Body, unsure: tuple[Root, ...], book: Book
) -> Held:
    """The fastest of the paces that can be compared with a ceiling."""
    made = ((pace, in_counted(pace, top.into, top.minutes, body)) for pace in paces)
    pace, got = max(((p, g) for p, g in made if not isinstance(g, str)), key=lambda m: m[1][0] / m[1][1])
    # What the label does not name may be given as fast as what it names: then only the lowest of its ceilings is exceeded.
    mild = not unsure and not top.named and got[0] <= top.most_edge * got[1]
    # No error rests on a ceiling that was only assumed: it takes the highest that may hold.
    grave = kind == MOST and got[0] > top.most.number * got[1] * book.policy("rate.error_factor").number
    limit = top.most if unsure else top.least
    highest = top.most if not mild and top.most.number != limit.number else None
    assumed = () if top.named else (_assumption(top, unsure, highest is not None),)
    return Held(pace, *got, limit, top.product, body, grave, assumed, top.named, highest, mild)


def fastest(
    kind: str,
    order: Order,
    paces: tuple[Pace, ...],
    products: tuple[Product, ...],
    indication: Maybe[Indication],
    weight: Maybe[Result],
    book: Book,
) -> Held | None:
    """For a line about what was found good: the fastest pace beside the ceiling it is the largest share of."""
    page = None if isinstance(indication, Absent) else indication
    kg = None if isinstance(weight, Absent) else weight.value
    made: list[Held] = []
    for product in products:
        top, body = ceiling(kind, product, page, book), Body(kg, _strength(product, order))
        if top is not None and paces and not isinstance(in_counted(paces[0], top.into, top.minutes, body), str):
            made.append(_fastest(kind, paces, top, body, (), book))
    return max(made, key=lambda h: h.share, default=None)


def _assumption(top: Ceiling, unsure: tuple[Root, ...], every: bool) -> str:
    if unsure:
        return f"the indication is not known: the highest rate of the label of {top.product.brand} is taken"
    more = ", and the highest for the severity" if every else ""
    return f"the label of {top.product.brand} does not name the indication: the lowest of its rates is taken{more}"


def _with_rate(found: Seen[Held], paces: Seen[Pace]) -> Seen[Held]:
    """The same, with what the order's rates leave open."""
    if not paces.lacking or found.items:
        return found
    return Seen((), tuple(dict.fromkeys((*found.lacking, *paces.lacking))))


@fact
def label_rate(
    order: Order,
    paces: Seen[Pace],
    products: tuple[Product, ...],
    indication: Maybe[Indication],
    weight: Maybe[Result],
    book: Book,
) -> Seen[Held]:
    """The fastest rate of the order against the label's ceiling for the indication."""
    if not paces.items:
        return Seen((), paces.lacking)
    return _with_rate(held_against(MOST, order, paces.items, products, indication, weight, book), paces)


@fact
def risk_rate(
    order: Order, paces: Seen[Pace], products: tuple[Product, ...], weight: Maybe[Result], book: Book
) -> Seen[Held]:
    """The fastest rate against the label's number for patients at risk; nothing where the label has none."""
    if all(p.rate_at_risk is None for p in products):
        return NOTHING
    if not paces.items:
        return Seen((), paces.lacking)
    return _with_rate(held_against(AT_RISK, order, paces.items, products, Absent(()), weight, book), paces)


@fact
def initial_rate(
    order: Order,
    paces: Seen[Pace],
    starting: Pace | None,
    products: tuple[Product, ...],
    indication: Maybe[Indication],
    weight: Maybe[Result],
    book: Book,
) -> Seen[Held]:
    """The rate to begin with against the label's initial rate."""
    if starting is None:
        return Seen((), paces.lacking or (NO_RATE,))
    return held_against(INITIAL, order, (starting,), products, indication, weight, book)

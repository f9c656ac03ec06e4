"""Rates held against the labels: by product, strength and indication, in the unit that the label prints.

An indication that the label does not name has no ceiling of its own: the lowest of the product's ceilings is taken, and
said. No error rests on that: it takes the highest of them. Of a product that is open every one it may be has to agree.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Indication, Product
from ivig.core.dated import NotInForce, Value
from ivig.core.facts.limits import labels_for
from ivig.core.facts.rates import NO_RATE, Body, Pace, in_unit, shown_pace, speed
from ivig.core.finding import Absent, Input, Measure, Root, plain
from ivig.core.order import Order, Result
from ivig.core.rule import Maybe, Seen, fact

MOST, INITIAL, AT_RISK = "rate_max", "rate_initial", "rate_at_risk"
_STRENGTH = Root("product-unspecified")
_PER_CENT = 100


class Ceiling(Struct, frozen=True):
    """The lowest and the highest rate of a label that may hold; `named`: the label names the indication."""

    product: Product
    least: Value
    most: Value
    named: bool


class Held(Struct, frozen=True):
    """A rate against a ceiling: in the label's unit it is `top` / `bottom`.

    `grave`: above it by more than the error factor, whatever the indication. `assumed`: what was taken for granted.
    """

    pace: Pace
    top: Decimal
    bottom: Decimal
    limit: Value
    product: Product
    body: Body
    over: bool
    grave: bool = False
    assumed: tuple[str, ...] = ()

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
        return None if value is None else Ceiling(product, value, value, named=True)
    named = labels_for(page, product, book) if page is not None else ()
    values = [v for label in named if (v := getattr(label, kind)) is not None]
    every = values or [v for label in product.labels.values() if (v := getattr(label, kind)) is not None]
    if not every:
        return None
    # A label prints one unit for all its rates, or says the same in two: they are ordered in g per kg and minute.
    ordered = sorted(every, key=lambda v: _per_minute(v, product))
    if values:  # of several pages of one family the lowest
        return Ceiling(product, ordered[0], ordered[0], named=True)
    return Ceiling(product, ordered[0], ordered[-1], named=False)


def _per_minute(value: Value, product: Product) -> Decimal:
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
    """The fastest of some paces against the ceilings of every product the order may mean.

    One item where all of them are exceeded: the mildest. Lacking: what it takes to compare, or to choose the ceiling.
    The highest share of a ceiling that is kept is an item too, not `over`.

    Raises:
        NotInForce: no label has a number.
    """
    page = None if isinstance(indication, Absent) else indication
    unsure = indication.roots if isinstance(indication, Absent) and kind != AT_RISK else ()
    kg = None if isinstance(weight, Absent) else weight.value
    found: list[Held] = []
    lacking: list[Root] = []
    numbered = 0
    for product in products:
        top = ceiling(kind, product, page, book)
        if top is None:
            continue
        numbered += 1
        held, lacks = _fastest(kind, paces, top, Body(kg, _strength(product, order)), unsure, book)
        if held is not None:
            found.append(held)
        if "weight" in lacks and isinstance(weight, Absent):
            lacking.extend(weight.roots)
        if "strength" in lacks:
            lacking.append(_STRENGTH)
        if "indication" in lacks:
            lacking.extend(unsure)
    if not numbered and kind != AT_RISK:
        raise NotInForce(f"{products[0].key}.{kind}")
    over = [h for h in found if h.over]
    # Where a label has no number at risk none is exceeded; a product whose other rates nobody has seen has no say.
    if over and len(over) == (len(products) if kind == AT_RISK else numbered):
        return Seen((min(over, key=lambda h: (h.grave, h.share)),))
    if over:
        lacking.append(_STRENGTH)
    if lacking or not found:
        return Seen((), tuple(dict.fromkeys(lacking)))
    return Seen((max(found, key=lambda h: h.share),))


def _strength(product: Product, order: Order) -> Decimal | None:
    if len(order.strengths) == 1:
        return order.strengths[0]
    return product.strength.amount if product.strength is not None else None


def _fastest(
    kind: str, paces: tuple[Pace, ...], top: Ceiling, body: Body, unsure: tuple[Root, ...], book: Book
) -> tuple[Held | None, set[str]]:
    """The pace that is the largest share of a ceiling, and what it would take to tell of the others."""
    best: Held | None = None
    lacks: set[str] = set()
    limit = top.most if unsure else top.least
    for pace in paces:
        got = in_unit(pace, limit.unit, body)
        if isinstance(got, str):
            lacks.add(got)
            continue
        over = _above(got, limit, book)
        if unsure and not over and _above(got, top.least, book):
            lacks.add("indication")
        held = Held(pace, *got, limit, top.product, body, over)
        if best is None or held.share > best.share:
            best = held
    if best is None or not best.over:
        return best, lacks
    lacks.discard("indication")
    grave = kind == MOST and _beyond((best.top, best.bottom), limit, top, best, book)
    assumed = () if top.named else (_assumption(top, unsure),)
    return Held(best.pace, best.top, best.bottom, limit, top.product, body, True, grave, assumed), lacks


def _above(got: tuple[Decimal, Decimal], limit: Value, book: Book) -> bool:
    """Whether a rate is above a ceiling and its tolerance; exactly on it passes."""
    percent = _PER_CENT + book.policy("rate.tolerance").number
    return got[0] * _PER_CENT > limit.number * got[1] * percent


def _beyond(got: tuple[Decimal, Decimal], limit: Value, top: Ceiling, held: Held, book: Book) -> bool:
    """Whether a rate is above the highest ceiling that may hold by more than the error factor."""
    most = top.most
    if most.unit != limit.unit:
        again = in_unit(held.pace, most.unit, held.body)
        if isinstance(again, str):
            return False
        got = again
    return got[0] > most.number * got[1] * book.policy("rate.error_factor").number


def _assumption(top: Ceiling, unsure: tuple[Root, ...]) -> str:
    if unsure:
        return f"the indication is not known: the highest rate of the label of {top.product.brand} is taken"
    return f"the label of {top.product.brand} does not name the indication: the lowest of its rates is taken"


def _with_rate(found: Seen[Held], paces: Seen[Pace]) -> Seen[Held]:
    """The same, with what the order's rates leave open."""
    if not paces.lacking or (found.items and found.items[0].over):
        return found
    return Seen(found.items, tuple(dict.fromkeys((*found.lacking, *paces.lacking))))


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
        return Seen(())
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


def sum_of(held: Held) -> str:
    """How the ordered rate becomes one in the label's unit."""
    into, _ = speed(held.limit.unit)
    of, body = held.pace.of, held.body
    line = shown_pace(held.pace)
    got = f"{plain(round(held.got, 3))} {held.limit.unit}"
    steps = []
    if of.mass != into.mass and body.strength is not None:
        steps.append(f"{'/' if of.mass else 'x'} {plain(body.strength)} g/mL")
    if of.per_kg != into.per_kg and body.kg is not None:
        steps.append(f"{'/' if into.per_kg else 'x'} {plain(body.kg)} kg")
    return got if line == got else f"{' '.join([line, *steps])} = {got}"


def limit_line(held: Held, at_most: str, book: Book) -> str:
    """The ceiling with its tolerance, and the same as a pump is set: mL/h for this patient."""
    tolerance = book.policy("rate.tolerance")
    line = f"{at_most} {plain(held.limit.number)} {held.limit.unit}, with {plain(tolerance.number)}% tolerance"
    more = held.limit.number * (_PER_CENT + tolerance.number) / _PER_CENT
    return f"{line} {plain(more)}{pump(held)}"


def pump(held: Held) -> str:
    """A ceiling in mL/h for this patient and product, where both are known."""
    of, minutes = speed(held.limit.unit)
    if held.body.kg is None or held.body.strength is None:
        return ""
    per_hour = held.limit.number * of.factor * held.body.kg * 60 / minutes
    per_hour = per_hour / held.body.strength if of.mass else per_hour
    return (
        f" ({plain(round(per_hour, 1))} mL/h of {plain(held.body.strength * _PER_CENT)}% at {plain(held.body.kg)} kg)"
    )


def rate_inputs(held: Held, weight: Maybe[Result], order: Order) -> tuple[Input, ...]:
    """What a comparison rests on: the rate, and the weight where it took one."""
    into, _ = speed(held.limit.unit)
    what = "duration" if held.pace.average else "rate"
    inputs = [Input(what, held.pace.rate.said, "", held.pace.rate.path)]
    if held.pace.average and held.pace.part.amount is not None:
        inputs.append(Input("dose", held.pace.part.amount.said, "", held.pace.part.amount.path))
    if held.pace.of.per_kg != into.per_kg and not isinstance(weight, Absent):
        inputs.append(Input("weight", weight.said, weight.when.text if weight.when else "", weight.path))
    return tuple(inputs)


def measure_of(held: Held) -> Measure:
    return Measure(held.limit.unit, round(held.got, 3), None, held.limit.number, held.limit.source)

"""What could be changed on an order, and asked for beside it, so precisely that it can be done.

Each change makes of an order the order that would have been read had it been written so.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from msgspec import structs

from ivig.core.dosage_change import (
    DaysChange,
    DispenseChange,
    DoseChange,
    IntervalChange,
    RateChange,
    StartChange,
    Told,
    on_day,
)
from ivig.core.finding import plain
from ivig.core.order import Chart, Concept, Drug, Order, Procedure, Result

# -- the order --------------------------------------------------------------------------------------------------------


class ProductChange(Told, frozen=True):
    """Another product: a page's key and title, its class and its strength in g/mL. `concept`: its codes and words."""

    kind: ClassVar[str] = "product"
    told_by: ClassVar[frozenset[str]] = frozenset({"product-switch", "indication-off-label"})
    path: str
    product: str
    title: str
    product_class: str
    strength: Decimal | None
    concept: Concept

    def apply(self, order: Order) -> Order:
        return structs.replace(
            order,
            medication=self.title,
            medication_missing=False,
            products=(self.product,),
            kind=self.product_class,
            from_words=not self.concept.codes,
            generic=False,
            strengths=(self.strength,) if self.strength is not None else (),
            clash=(),
            contradictions=tuple(c for c in order.contradictions if c[0] != "brand"),
        )

    def words(self) -> str:
        return self.title


class BasisChange(Told, frozen=True):
    """The order says which weight its dose per kg rests on."""

    kind: ClassVar[str] = "dosing-weight"
    path: str
    basis: str  # actual | adjusted | ideal
    kg: Decimal

    def apply(self, order: Order) -> Order:
        weight = Result("weight", self.kg, "kg", f"{plain(self.kg)} kg", None, self.path)
        return structs.replace(order, stated_basis=self.basis, stated_weight=weight)

    def words(self) -> str:
        return f"state the dosing weight: {self.basis}, {plain(self.kg)} kg"


class RouteChange(Told, frozen=True):
    """The route: iv, sc or im."""

    kind: ClassVar[str] = "route"
    path: str
    route: str

    def apply(self, order: Order) -> Order:
        return structs.replace(order, route=self.route, route_said=self.route.upper(), route_path=self.path)

    def words(self) -> str:
        return f"state the route: {self.route.upper()}"


# -- beside the order -------------------------------------------------------------------------------------------------


class OrderedTest(Told, frozen=True):
    """A test, measurement or monitoring to ask for.

    While it is only on order, nothing is known of its result: `assumed` is an ordinary one, taken for judging again.
    """

    kind: ClassVar[str] = "test"
    test: str
    title: str
    concept: Concept
    day: date | None = None
    assumed: tuple[Result, ...] = ()

    def apply(self, order: Order) -> Order:
        when = on_day(order, self.day) if self.day is not None else None
        asked = Procedure(self.concept, "", "request", "draft", when, order.moment, self.concept.tests)
        results = tuple(structs.replace(r, when=order.moment) for r in self.assumed)
        chart = order.chart
        return _charted(order, procedures=(*chart.procedures, asked), results=(*chart.results, *results))

    def words(self) -> str:
        return f"order {self.title}" + (f" on {self.day.isoformat()}" if self.day is not None else "")


class OrderedDrug(Told, frozen=True):
    """A medicine to give beside: a page of `sets`, with a code and words for one of it. Its dose is the prescriber's."""

    kind: ClassVar[str] = "drug"
    set: str
    title: str
    concept: Concept

    def apply(self, order: Order) -> Order:
        drug = Drug(self.concept, "", "request", "draft", order.moment, None, "order", order.moment)
        return _charted(order, drugs=(*order.chart.drugs, drug))

    def words(self) -> str:
        return f"add {self.title}"


# There are no others.
Change = (
    DoseChange
    | DaysChange
    | IntervalChange
    | StartChange
    | RateChange
    | DispenseChange
    | ProductChange
    | BasisChange
    | RouteChange
    | OrderedTest
    | OrderedDrug
)


def applied(order: Order, changes: tuple[Change, ...]) -> Order:
    """The order with all changes, one after the other."""
    for change in changes:
        order = change.apply(order)
    return order


def _charted(order: Order, **fields: Any) -> Order:
    chart: Chart = structs.replace(order.chart, **fields)
    return structs.replace(order, chart=chart)

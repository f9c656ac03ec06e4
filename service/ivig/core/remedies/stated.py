"""What the order could say: the dosing weight, the route."""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Product
from ivig.core.change import BasisChange, RouteChange
from ivig.core.facts.weighing import tenth
from ivig.core.facts.weight import Dosing
from ivig.core.finding import Finding
from ivig.core.order import Order
from ivig.core.remedy import Candidate, clears


@clears("weight-basis-unstated")
def basis(order: Order, dosing: Dosing) -> Iterator[Candidate]:
    yield Candidate((BasisChange(f"{order.path}.extension", dosing.basis, tenth(dosing.kg)),))


@clears("order-route-missing")
def route(finding: Finding, order: Order, product: Product) -> Iterator[Candidate]:
    """The only route the product is made for."""
    if product.routes is not None and len(product.routes.words) == 1 and order.parts:
        place = order.route_path or f"{order.parts[0].path}.route"
        yield Candidate((RouteChange(place, product.routes.words[0]),), because=f"the only one of {product.title}")


@clears("product-not-for-route")
def by_its_route(finding: Finding, order: Order, product: Product) -> Iterator[Candidate]:
    """Where no other product will do: the route this one is made for."""
    if product.routes is not None and order.parts:
        for made_for in product.routes.words:
            place = order.route_path or f"{order.parts[0].path}.route"
            yield Candidate((RouteChange(place, made_for),), f"{product.title} {made_for.upper()}")

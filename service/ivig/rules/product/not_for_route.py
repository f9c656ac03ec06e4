"""A product by a route it is not made for.

What it checks    The ordered route against the routes the product is licensed for; and for routes licensed in some
                  indications only, the reason.
Why it matters    Subcutaneous products into a vein, or intramuscular ones, have caused severe reactions and thrombosis.
Example           Hizentra 20% IV: an error. Gamunex-C SC for CIDP, licensed SC in primary immunodeficiency only: a
                  warning.
Does not cover    A missing route (order-route-missing).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Product
from ivig.core.facts.product import Licence, called
from ivig.core.finding import ERROR, WARNING, Finding, Input, Names
from ivig.core.order import Order
from ivig.core.rule import Rule

rule = Rule(
    name="product-not-for-route",
    severity=ERROR,
    says="{product} is for {routes}, and is ordered {route}",
    any_product=True,
    consider="Consider a product made for the ordered route, or the route this product is made for.",
)

_ELSE = "{product} {route} is licensed in some indications only, not for {what}"


def check(order: Order, product: Product, route: str, licence: Licence) -> Iterator[Finding]:
    at = (order.path, order.medication_path, *((order.route_path,) if order.route_path else ()))
    inputs = (Input("route", order.route_said or route.upper(), "", order.route_path),)
    if licence.outside is not None:
        value, what = licence.outside
        yield rule.finding(
            at=at,
            severity=WARNING,
            says=_ELSE,
            inputs=inputs,
            cites=(value,),
            product=called(product, order),
            route=route.upper(),
            what=Names.of((what,)),
        )
    elif not licence.allowed and product.routes is not None:
        made_for = " or ".join(r.upper() for r in product.routes.words)
        yield rule.finding(
            at=at,
            inputs=inputs,
            cites=(product.routes,),
            product=called(product, order),
            routes=made_for,
            route=route.upper(),
        )


def content(product: Product, route: str) -> str:
    made_for = (
        " or ".join(r.upper() for r in product.routes.words) if product.routes is not None else "an unknown route"
    )
    return f"ordered {route.upper()}; {product.title} is for {made_for}"

"""No route on the order.

What it checks    Whether the order says how the immune globulin is given.
Why it matters    The route decides which products and which rules apply; without one the order is judged as one by
                  vein.
Example           Gamunex-C 10% without a route: it may be given IV or SC.
Does not cover    A route that the product is not made for (product-not-for-route).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.finding import INFORMATION, Finding, Input
from ivig.core.order import Order
from ivig.core.rule import root

rule = root(
    "order-route-missing",
    INFORMATION,
    says="The order states no route: judged as given by vein where the product allows it",
    code="required",
    any_product=True,
    consider="Consider adding the route to the order.",
)


def check(order: Order) -> Iterator[Finding]:
    if order.route or order.medication_missing:
        return
    if order.route_said:
        path = order.route_path or order.path
        says = "The route is not understood: {said}"
        inputs = (Input("route", order.route_said, "", path),)
        yield rule.finding(at=(order.path, path), says=says, inputs=inputs, said=order.route_said[:60])
    else:
        yield rule.finding(at=(order.path,))


def content(order: Order) -> str:
    return order.route.upper()

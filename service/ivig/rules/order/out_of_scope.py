"""An immune globulin that the full set of rules does not judge.

What it checks    Whether the order is one of a polyvalent product by vein, or with the route unstated.
Why it matters    Doses, rates and risks of subcutaneous, intramuscular and hyperimmune products follow other rules:
                  silence about them is no approval.
Example           Hizentra 20% under the skin: only the order itself, its route and its product are checked.
Does not cover    A product ordered by a route it is not made for (product-not-for-route).
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.finding import Finding
from ivig.core.order import Order
from ivig.core.rule import note

rule = note("order-out-of-scope", says="{what}: only order, route and product are checked, not dose, rate or risk")

_KINDS = {
    "hyperimmune": "A hyperimmune globulin",
    "polyvalent-sc": "A subcutaneous product",
    "polyvalent-im": "An intramuscular product",
}
_ROUTES = {"sc": "Immune globulin ordered subcutaneously", "im": "Immune globulin ordered intramuscularly"}


def check(order: Order, in_scope: bool) -> Iterator[Finding]:
    if in_scope or order.medication_missing:
        return
    what = _KINDS["hyperimmune"] if order.kind == "hyperimmune" else _ROUTES.get(order.route) or _KINDS.get(order.kind)
    yield rule.finding(at=(order.path, order.medication_path), what=what or "An immune globulin not given by vein")

"""Which product was ordered, by which route, at which strength."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Product
from ivig.core.dated import Value
from ivig.core.finding import Absent, absent
from ivig.core.order import Order, Reason
from ivig.core.rule import Maybe, alternatives, fact

POLYVALENT_IV = "polyvalent-iv"
_SHORT = 27  # letters; a sentence has room for that


@fact
def route(order: Order) -> Maybe[str]:
    """`iv`, `sc` or `im`."""
    return order.route or absent("order-route-missing")


class Licence(Struct, frozen=True):
    """Whether a product is licensed by the ordered route; `outside` when only in other indications than the ordered."""

    allowed: bool
    outside: tuple[Value, str] | None = None


# An order judged for route and product only has no issue of a missing reason: its note holds the rules that want one.
_NO_REASON = "order-out-of-scope"


@fact
def stated_reasons(order: Order, in_scope: bool) -> Maybe[tuple[Reason, ...]]:
    """The order's own reasons that are not refuted and say something; absent when there is none."""
    found = tuple(r for r in order.reasons if not r.refuted and (r.concept.text or r.concept.codes))
    return found or absent("indication-missing" if in_scope else _NO_REASON)


@fact
def licence(
    product: Product, route: str, stated_reasons: Maybe[tuple[Reason, ...]], in_scope: bool, book: Book
) -> Maybe[Licence]:
    """How the ordered route stands to the product's licence."""
    if product.routes is None or route not in product.routes.words:
        return Licence(product.routes is None)
    for limited, only_for, value in product.route_limits:
        if limited != route:
            continue
        if isinstance(stated_reasons, Absent):
            return stated_reasons
        pages = [k for r in stated_reasons if not r.concept.excluded for k in r.concept.indications]
        if not pages:  # a reason that no page covers may be one the licence names
            return absent("indication-unrecognised" if in_scope else _NO_REASON)
        if set(only_for).isdisjoint(pages):
            return Licence(True, (value, book.indication(pages[0]).title))
    return Licence(True)


@fact
def products(order: Order, book: Book) -> tuple[Product, ...]:
    """Every product page the order may mean: one when it is named in full, several when brand or strength is open."""
    open_to = tuple(book.product(k) for k in order.products or _of_class(order, book))
    if order.strengths and len(open_to) > 1:
        fitting = tuple(p for p in open_to if p.strength is not None and p.strength.amount in order.strengths)
        return fitting or open_to
    return open_to


def _of_class(order: Order, book: Book) -> tuple[str, ...]:
    """What an order without a brand may mean: products of its class; of none, those given IV and those of its route."""
    if order.kind == POLYVALENT_IV or (not order.kind and order.route in ("", "iv")):
        return book.polyvalent_iv()
    kinds = (order.kind,) if order.kind else (POLYVALENT_IV, f"polyvalent-{order.route}")
    keys: tuple[str, ...] = book.memory(
        ("of class", kinds),
        lambda: tuple(k for k in book.products() if (p := book.product(k)).kind in kinds and not withdrawn(p)),
    )
    return keys


def withdrawn(product: Product) -> bool:
    """Whether the product is off the market on the day."""
    return product.market is not None and bool(product.market.words) and product.market.word == "withdrawn"


def called(product: Product, order: Order) -> str:
    """The name of a product in a sentence: with its strength where the order names one, else its brand."""
    if len(order.products) == 1 and len(product.title) <= _SHORT:
        return product.title
    return product.brand if order.products else "The product"


@fact
def class_ordered(order: Order) -> Maybe[str]:
    """The class of product, `""` where only "immune globulin" is known."""
    return absent("order-medication-missing") if order.medication_missing else order.kind


@fact
def brand_named(order: Order) -> bool:
    """Whether the order names a brand at all."""
    return bool(order.products)


@fact
def product(order: Order, products: tuple[Product, ...]) -> Maybe[Product]:
    """The one product ordered."""
    if order.medication_missing:
        return absent("order-medication-missing")
    if len(products) == 1 and order.products:
        return products[0]
    return absent("product-unspecified")


@alternatives("product", roots=("product-unspecified",))
def _candidates(products: tuple[Product, ...]) -> tuple[Product, ...]:
    return products


@fact
def in_scope(order: Order, book: Book) -> bool:
    """Whether the full set of rules judges the order: a polyvalent product into a vein, or the route unstated."""
    if order.medication_missing:
        return False
    if order.kind not in ("", POLYVALENT_IV):
        return False
    return order.route in ("", "iv")


@fact
def strength(order: Order, products: tuple[Product, ...]) -> Maybe[Decimal]:
    """Grams per mL: as the order states it, or as every product it may mean has it."""
    if len(order.strengths) == 1:
        return order.strengths[0]
    known = {p.strength.amount if p.strength is not None else None for p in products}
    if len(known) == 1 and (only := next(iter(known))) is not None:
        return only
    return absent("product-unspecified")

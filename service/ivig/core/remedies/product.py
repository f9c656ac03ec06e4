"""Another product: one the site stocks where it says which, of the same strength and labelled for the indication first."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ivig.core.book import Book, Indication, Product
from ivig.core.change import Change, ProductChange
from ivig.core.facts.history import Given
from ivig.core.facts.limits import labels_for
from ivig.core.facts.product import POLYVALENT_IV, withdrawn
from ivig.core.finding import Absent, Finding
from ivig.core.order import NONE, Concept, Order
from ivig.core.remedies.dosage import volumes_in_grams
from ivig.core.remedy import Candidate, clears
from ivig.core.rule import Maybe, Seen


def formulary(book: Book) -> tuple[str, ...]:
    """The products a site stocks; empty where its policy names none."""
    value = book.maybe("formulary")
    return value.words if value is not None else ()


def changed_to(product: Product, order: Order, book: Book) -> ProductChange:
    codes = book.codes("products", product.key)
    concept = Concept(product.title, tuple((system, code) for system, code, _ in codes))
    strength = product.strength.amount if product.strength is not None else None
    return ProductChange(order.medication_path, product.key, product.title, product.kind, strength, concept)


def _alternatives(
    order: Order, pages: tuple[Indication, ...], current: tuple[Product, ...], book: Book
) -> list[Product]:
    """What could be given instead by the same route, the nearest to what is ordered first."""
    stocked = formulary(book)
    keys = stocked or book.products()
    now = {p.key for p in current} if len(current) == 1 else set()
    strengths = {p.strength.amount for p in current if p.strength is not None}
    found = []
    for key in keys:
        page = book.product(key)
        if page.key in now or withdrawn(page) or not _by_route(page, order.route):
            continue
        named = any(labels_for(p, page, book) for p in pages)
        other = page.strength is None or page.strength.amount not in strengths
        brand = all(page.brand != p.brand for p in current)
        place = stocked.index(key) if stocked else 0
        found.append(((other, bool(pages) and not named, place, brand, page.title), page))
    return [page for _, page in sorted(found, key=lambda f: f[0])]


def _by_route(page: Product, route: str) -> bool:
    if page.kind == "hyperimmune" or page.routes is None:
        return False
    return (
        (page.kind == POLYVALENT_IV and "iv" in page.routes.words)
        if route in ("", "iv")
        else route in page.routes.words
    )


def _because(page: Product, pages: tuple[Indication, ...], book: Book) -> str:
    named = [p.title for p in pages if labels_for(p, page, book)]
    stocked = "on the formulary" if formulary(book) else ""
    return ", ".join(filter(None, (stocked, f"labelled for {named[0]}" if named else "")))


@clears(
    "product-contraindicated",
    "product-sucrose-renal-risk",
    "product-iga-content",
    "product-maltose-glucose-meter",
    "product-not-for-route",
    "product-not-polyvalent",
    "product-age-below-label",
    "product-discontinued",
    "dose-not-whole-vials",
    "indication-off-label",
)
def instead(
    order: Order,
    products: tuple[Product, ...],
    strength: Maybe[Decimal],
    candidates: Maybe[tuple[Indication, ...]],
    book: Book,
) -> Iterator[Candidate]:
    pages = () if isinstance(candidates, Absent) else candidates
    grams = volumes_in_grams(order, strength, products)
    for page in _alternatives(order, pages, products, book):
        same = not isinstance(strength, Absent) and page.strength is not None and page.strength.amount == strength
        kept: tuple[Change, ...] = () if same or grams is None else tuple(grams)
        if not same and grams is None:
            continue
        yield Candidate((changed_to(page, order, book), *kept), because=_because(page, pages, book))


@clears("product-unspecified")
def named(
    order: Order, products: tuple[Product, ...], candidates: Maybe[tuple[Indication, ...]], book: Book
) -> Iterator[Candidate]:
    """The strength that is open, or a product the site stocks. Without either nothing is chosen for the prescriber."""
    pages = () if isinstance(candidates, Absent) else candidates
    stocked = formulary(book)
    open_to = [p for p in products if (p.key in stocked if stocked else order.products != NONE) and not withdrawn(p)]
    for page in sorted(open_to, key=lambda p: stocked.index(p.key) if stocked else 0):
        if _by_route(page, order.route):
            yield Candidate(
                (changed_to(page, order, book),), f"name the product: {page.title}", _because(page, pages, book)
            )


@clears("product-switch")
def as_before(finding: Finding, order: Order, before: Seen[Given], book: Book) -> Iterator[Candidate]:
    """The product of the last infusion."""
    for key in before.items[-1].products if before.items else ():
        page = book.product(key)
        if not withdrawn(page) and _by_route(page, order.route):
            yield Candidate((changed_to(page, order, book),), because="as the last time")

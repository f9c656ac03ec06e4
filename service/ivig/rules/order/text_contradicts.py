"""The order says two things at once.

What it checks    Words against codes (dose, days, interval, brand, unit); two codes that name different products;
                  views of one dose that differ by more than the tolerance for doses; a dose above the order's own
                  maximum for a period.
Why it matters    Whoever prepares the dose may read the other half. The code is used here, and of a maximum the lower
                  value.
Example           Coded 28 g, the text says "60 g daily": a warning.
Does not cover    Words that only repeat a dose per kilogram, a total or a rounded amount.
"""

from __future__ import annotations

from collections.abc import Iterator

from ivig.core.book import Book
from ivig.core.facts.views import Clash
from ivig.core.finding import INFORMATION, WARNING, Finding, Input, Measure, plain
from ivig.core.order import Order
from ivig.core.rule import Rule, Seen

rule = Rule(
    name="order-text-contradicts",
    severity=WARNING,
    says="The text says {said}, the code another {what}; the code is used",
    any_product=True,
    consider="Consider asking the prescriber which of the two is meant, and correcting the order.",
)

_WHAT = {"days": "number of days"}
_UNIT = "The unit reads {said}, its code says otherwise; the code is used"
_NAMES = "The codes name different products: {names}"
_VIEW = "The dose stands twice: {used} is used, {other} differs by more than {tolerance}%"
_CAP = "The dose of {got} {unit} a {each} is above the order's own maximum of {limit} {unit}"
_UNREAD = "The order also states {other}, which cannot be compared with {used}"


def check(order: Order, class_ordered: str, clashes: Seen[Clash], book: Book) -> Iterator[Finding]:
    for what, found, path in order.contradictions:
        said = ", ".join(_title(key, book) for key in found.split(", ")) if what == "brand" else found
        yield rule.finding(
            at=(order.path, path),
            says=_UNIT if what == "unit" else None,
            inputs=(Input(f"{what} in words", said, "", path),),
            said=said[:60],
            what=_WHAT.get(what, what),
        )
    if order.clash:
        names = tuple(_title(key, book) for key in order.clash)
        shown = (*names[:2], f"{len(names) - 2} more") if names[2:] else names
        yield rule.finding(at=(order.path, order.medication_path), says=_NAMES, sums=(", ".join(names),), names=shown)
    for clash in clashes.items:
        yield _of(clash, order, book)


def content(order: Order, book: Book) -> str:
    views = sum(len(part.views) + len(part.caps) for part in order.parts)
    tolerance = book.policy("dose.tolerance")
    return f"{views} other statement(s) of the dose, none off by more than {plain(tolerance.number)}%" if views else ""


def _title(key: str, book: Book) -> str:
    return book.product(key).title if key in book.products() else key


def _of(clash: Clash, order: Order, book: Book) -> Finding:
    at = (order.path, clash.other.path, clash.used.path)
    used, other = clash.used.said[:40], clash.other.said[:40]
    beside = "maximum" if clash.kind == "cap" else "other statement"
    inputs = (
        Input("dose used", clash.used.said, "", clash.used.path),
        Input(beside, clash.other.said, "", clash.other.path),
        *clash.inputs,
    )
    if clash.kind == "unread":
        return rule.finding(at=at, severity=INFORMATION, says=_UNREAD, inputs=inputs, other=other, used=used)
    if clash.kind == "cap":
        return rule.finding(
            at=at,
            says=_CAP,
            sums=clash.sums,
            inputs=inputs,
            measure=Measure(clash.unit, clash.got, None, clash.stated),
            got=clash.got,
            limit=clash.stated,
            unit=clash.unit,
            each=clash.other.each,
        )
    tolerance = book.policy("dose.tolerance")
    return rule.finding(
        at=at,
        says=_VIEW,
        sums=clash.sums,
        inputs=inputs,
        cites=(tolerance,),
        measure=Measure(clash.unit, clash.stated, clash.got, clash.got, tolerance.source),
        used=used,
        other=other,
        tolerance=tolerance.number,
    )

"""What would make an order pass, told in an outcome: an extension on the issue, and a line of its diagnostics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ivig.core.change import BasisChange, Change, OrderedDrug, OrderedTest, ProductChange, RouteChange, applied
from ivig.core.dosage_change import DaysChange, DispenseChange, DoseChange, IntervalChange, RateChange, StartChange
from ivig.core.finding import Finding, Report
from ivig.core.order import Order
from ivig.core.remedy import Remedy
from ivig.wire.outcome import BASE
from ivig.wire.remedy import coded
from ivig.wire.rewritten import TIMES, dose_in_elements, plain_quantity, timing_of

Json = dict[str, Any]
REMEDY = f"{BASE}/StructureDefinition/ivig-remedy"
LEAD = "Would make it pass: "
_RULE = f"{BASE}/CodeSystem/ivig-rule"


def add_remedies(outcome: Json, report: Report) -> None:
    """Put the remedies of a report into its outcome; the combined one stands on the order's verdict.

    The issues follow the findings in order; an issue that is no finding's is passed by.
    """
    told = _told(report)
    orders = {order.path: order for order in report.grounds.orders}
    finding, remedy = next(told, (None, None))
    for issue in outcome["issue"]:
        if finding is None or not _of(issue, finding):
            continue
        if remedy is not None:
            issue.setdefault("extension", []).append(extension(remedy, orders[finding.at[0]]))
            issue["diagnostics"] = "\n".join(filter(None, (issue.get("diagnostics", ""), f"{LEAD}{remedy.text}.")))
        finding, remedy = next(told, (None, None))


def _told(report: Report) -> Iterator[tuple[Finding, Remedy | None]]:
    yield from ((note, None) for note in report.notes)
    for judgement, remedies in zip(report.judgements, report.remedies, strict=True):
        for place, finding in enumerate(judgement.findings):
            yield finding, remedies.of(place) or (remedies.combined if place == 0 else None)


def _of(issue: Json, finding: Finding) -> bool:
    codes = [c["code"] for c in issue.get("details", {}).get("coding", ()) if c["system"] == _RULE]
    return codes == [finding.rule] and issue.get("expression", [])[:1] == [*finding.at[:1]]


def extension(remedy: Remedy, order: Order) -> Json:
    """A remedy as an extension: its words, what it clears, what was assumed, and each change by kind, place and value.

    After the changes stands what goes with them, so that nothing is left for the reader to work out (`_along`).
    """
    parts: list[Json] = [{"url": "text", "valueString": remedy.text}]
    parts += ({"url": "clears", "valueCode": rule} for rule in remedy.clears)
    parts += ({"url": "assumed", "valueString": said} for said in remedy.assumed)
    parts += ({"url": "change", "extension": _change(change)} for change in remedy.changes)
    parts += ({"url": "change", "extension": along} for along in _along(order, remedy.changes))
    return {"url": REMEDY, "extension": parts}


def _change(change: Change) -> list[Json]:
    parts: list[Json] = [{"url": "kind", "valueCode": change.kind}]
    path = getattr(change, "path", "")
    if path:
        parts.append({"url": "path", "valueString": path})
    return [*parts, {"url": "value", **_value(change)}]


def _along(order: Order, changes: tuple[Change, ...]) -> Iterator[list[Json]]:
    """What changes with the changes: a text that would contradict, what only that text had told, and the times."""
    dosed = {change.path for change in changes if isinstance(change, DoseChange)}
    for old, new in zip(order.parts, applied(order, changes).parts, strict=True):
        unworded = old.text != new.text
        if unworded and new.text:
            yield _as_change("text", f"{new.path}.text", {"valueString": new.text})
        elif unworded:
            yield _as_change("remove", f"{new.path}.text", {"valueBoolean": True})
        if unworded and new.amount is not None and new.path not in dosed:
            yield from (_as_change("dose", new.path, dose) for dose in dose_in_elements(new.amount, new.days))
        redosed = new.amount != old.amount and order.dispensed is not None  # the number of doses may come from there
        if unworded or redosed or any(getattr(old, name) != getattr(new, name) for name in TIMES):
            timing = timing_of(new)
            if timing:
                yield _as_change("timing", f"{new.path}.timing", {"valueTiming": timing})


def _as_change(kind: str, path: str, value: Json) -> list[Json]:
    return [{"url": "kind", "valueCode": kind}, {"url": "path", "valueString": path}, {"url": "value", **value}]


def _value(change: Change) -> Json:
    match change:
        case DoseChange() | DispenseChange() | RateChange():
            return {"valueQuantity": plain_quantity(change.value, change.unit)}
        case DaysChange():
            return {"valueInteger": change.days}
        case IntervalChange():
            return {"valueQuantity": plain_quantity(change.days, "d")}
        case StartChange():
            return {"valueDate": change.day.isoformat()}
        case BasisChange():
            return {"valueQuantity": plain_quantity(change.kg, "kg")}
        case RouteChange():
            return {"valueCode": change.route}
        case ProductChange() | OrderedTest() | OrderedDrug():
            return {"valueCodeableConcept": coded(change.concept)}
        case _:
            raise TypeError(change.kind)

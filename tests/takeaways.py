"""Every way to take one datum out of a bundle: the order's elements, the patient's, each test, each section."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import r4
from builder import SECTIONS
from r4 import Json

Remover = Callable[[Json], bool]  # takes the datum out of the bundle in place; False where it was not there


def held(sent: Json) -> Json:
    """The Bundle of what was sent, also inside Parameters."""
    if sent["resourceType"] == "Bundle":
        return sent
    found: Json = next(
        p["resource"] for p in sent["parameter"] if p.get("resource", {}).get("resourceType") == "Bundle"
    )
    return found


def resources(bundle: Json) -> list[Json]:
    return [e["resource"] for e in bundle["entry"] if "resource" in e]


def takeaways(sent: Json) -> Iterator[tuple[str, Json]]:
    """What was taken, and what then remains: once for every datum that is there."""
    text = json.dumps(sent)
    for name, remove in _removers(held(sent)):
        rest = json.loads(text)
        if remove(held(rest)):
            yield name, rest


def single_entries(sent: Json) -> Iterator[tuple[str, Json]]:
    """What remains when one entry is removed, for each entry."""
    text = json.dumps(sent)
    for place, entry in enumerate(held(sent)["entry"]):
        rest = json.loads(text)
        del held(rest)["entry"][place]
        resource = entry.get("resource", {})
        yield f"entry[{place}] {resource.get('resourceType')}/{resource.get('id', '')}", rest


def _removers(bundle: Json) -> Iterator[tuple[str, Remover]]:
    yield from _ORDER.items()
    yield "birth date", _from_patient("birthDate")
    yield "sex", _from_patient("gender")
    yield "patient", _all(lambda r: r["resourceType"] == "Patient")
    yield "weights", _all(_coded(r4.WEIGHTS))
    yield "heights", _all(_coded(r4.HEIGHTS))
    body = {*r4.WEIGHTS, *r4.HEIGHTS}
    tests = dict.fromkeys(
        o["code"]["coding"][0]["code"]
        for o in resources(bundle)
        if o["resourceType"] == "Observation" and o["code"].get("coding")
    )
    for code in tests:
        if code not in body:
            yield f"test {code}", _all(_coded((code,)))
        yield f"day of {code}", _elements(code, "effectiveDateTime", "effectivePeriod", "issued")
        yield (
            f"value of {code}",
            _elements(code, "valueQuantity", "valueCodeableConcept", "valueString", "valueBoolean", "valueDateTime"),
        )
        yield f"unit of {code}", _unit_of(code)
    for section in SECTIONS:
        yield f"section {section}", _section(section)
    yield "onset", _from_conditions("onsetDateTime", "onsetPeriod")


def _some(changes: list[bool]) -> bool:
    """Whether any of the changes, all of which were made, changed something."""
    return any(changes)


def _all(unwanted: Callable[[Json], bool]) -> Remover:
    def remove(bundle: Json) -> bool:
        kept = [e for e in bundle["entry"] if not unwanted(e.get("resource", {"resourceType": ""}))]
        changed = len(kept) < len(bundle["entry"])
        bundle["entry"] = kept
        return changed

    return remove


def _coded(codes: tuple[str, ...]) -> Callable[[Json], bool]:
    def is_one(resource: Json) -> bool:
        return resource["resourceType"] == "Observation" and any(
            c.get("code") in codes for c in resource["code"].get("coding", [])
        )

    return is_one


def _pop(target: Json, *keys: str) -> bool:
    return _some([target.pop(k, None) is not None for k in keys])


def _elements(code: str, *keys: str) -> Remover:
    return lambda bundle: _some([_pop(o, *keys) for o in resources(bundle) if _coded((code,))(o)])


def _unit_of(code: str) -> Remover:
    return lambda bundle: _some(
        [
            _pop(o["valueQuantity"], "unit", "code", "system")
            for o in resources(bundle)
            if _coded((code,))(o) and "valueQuantity" in o
        ]
    )


def _from_patient(key: str) -> Remover:
    return lambda bundle: _some([_pop(r, key) for r in resources(bundle) if r["resourceType"] == "Patient"])


def _from_conditions(*keys: str) -> Remover:
    return lambda bundle: _some([_pop(r, *keys) for r in resources(bundle) if r["resourceType"] == "Condition"])


def _section(name: str) -> Remover:
    """A section not sent at all: neither a resource of it nor a search for it."""
    kinds = SECTIONS[name]

    def unwanted(resource: Json) -> bool:
        if resource["resourceType"] == "Bundle":
            return any(f"/{kind}?" in link["url"] for kind in kinds for link in resource.get("link", []))
        return resource["resourceType"] in kinds and resource.get("id") != r4.ORDER

    return _all(unwanted)


def _order(bundle: Json) -> Json | None:
    return next(
        (r for r in resources(bundle) if r.get("id") == r4.ORDER and r["resourceType"] == "MedicationRequest"), None
    )


def _of_order(change: Callable[[Json], bool]) -> Remover:
    def remove(bundle: Json) -> bool:
        order = _order(bundle)
        return order is not None and change(order)

    return remove


def _dosages(order: Json) -> list[Json]:
    said = order.get("dosageInstruction", [])
    return said if isinstance(said, list) else [said]


def _of_dosages(*keys: str) -> Remover:
    return _of_order(lambda order: _some([_pop(d, *keys) for d in _dosages(order)]))


def _given(order: Json) -> list[Json]:
    """The places of doses and rates: `doseAndRate`, or the dosage itself in the STU3 shape."""
    found: list[Json] = []
    for dosage in _dosages(order):
        said = dosage.get("doseAndRate", [])
        found.extend(said if isinstance(said, list) else [said])
        found.append(dosage)
    return found


def _of_given(*keys: str) -> Remover:
    return _of_order(lambda order: _some([_pop(g, *keys) for g in _given(order)]))


def _dose_unit(order: Json) -> bool:
    doses = [g["doseQuantity"] for g in _given(order) if "doseQuantity" in g]
    return _some([_pop(d, "unit", "code", "system") for d in doses])


def _dose_value(order: Json) -> bool:
    doses = [g["doseQuantity"] for g in _given(order) if "doseQuantity" in g]
    return _some([_pop(d, "value") for d in doses])


def _in_repeat(*keys: str) -> Remover:
    def change(order: Json) -> bool:
        repeats = [d["timing"]["repeat"] for d in _dosages(order) if "repeat" in d.get("timing", {})]
        return _some([_pop(r, *keys) for r in repeats])

    return _of_order(change)


def _codings(order: Json) -> bool:
    """The product's codes, where words remain to tell what was ordered."""
    said: Any = order.get("medicationCodeableConcept", {})
    return bool(said.get("text")) and _pop(said, "coding")


def _words(order: Json) -> bool:
    """The product's words, where codes remain."""
    said: Any = order.get("medicationCodeableConcept", {})
    if not said.get("coding"):
        return False
    changed = _pop(said, "text")
    for coding in said["coding"]:
        changed |= _pop(coding, "display")
    return changed


_ORDER: dict[str, Remover] = {
    "dose": _of_given("doseQuantity", "doseRange"),
    "dose unit": _of_order(_dose_unit),
    "dose value": _of_order(_dose_value),
    "rate": _of_given("rateQuantity", "rateRange", "rateRatio"),
    "timing": _of_dosages("timing"),
    "period": _in_repeat("period", "periodUnit"),
    "period unit": _in_repeat("periodUnit"),
    "frequency": _in_repeat("frequency"),
    "count": _in_repeat("count"),
    "bounds": _in_repeat("boundsPeriod", "boundsDuration", "boundsRange"),
    "route": _of_dosages("route"),
    "dosages": _of_order(lambda order: _pop(order, "dosageInstruction")),
    "product codes": _of_order(_codings),
    "product words": _of_order(_words),
    "product": _of_order(lambda order: _pop(order, "medicationCodeableConcept", "medicationReference", "contained")),
    "reason": _of_order(lambda order: _pop(order, "reasonCode", "reasonReference")),
    "reason codes": _of_order(lambda order: _some([_pop(r, "coding") for r in order.get("reasonCode", [])])),
}

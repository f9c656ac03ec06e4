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


def takeaways(sent: Json, turn: int = 0, evidence: str = "") -> Iterator[tuple[str, Json]]:
    """What was taken, and what then remains: once for every datum that is there.

    Tests whose place (`entry[4]`) stands in `evidence` are taken in every way: absent, without day, value, unit. Of the
    other tests `turn` chooses every third.
    """
    text = json.dumps(sent)
    for name, remove in _removers(held(sent), turn, evidence):
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


def order_path(sent: Json) -> str:
    """The place of the order in what was sent."""
    inner = held(sent)
    place = next(i for i, e in enumerate(inner["entry"]) if e.get("resource", {}).get("id") == r4.ORDER)
    if inner is sent:
        return f"Bundle.entry[{place}].resource"
    parameter = next(i for i, p in enumerate(sent["parameter"]) if p.get("resource") is inner)
    return f"Parameters.parameter[{parameter}].resource.entry[{place}].resource"


def _removers(bundle: Json, turn: int, evidence: str) -> Iterator[tuple[str, Remover]]:
    yield from _ORDER.items()
    yield "birth date", _from_patient("birthDate")
    yield "sex", _from_patient("gender")
    yield "patient", _all(lambda r: r["resourceType"] == "Patient")
    tests = {"weights": r4.WEIGHTS, "heights": r4.HEIGHTS} | {f"test {c}": (c,) for c in _tests(bundle)}
    for place, (name, codes) in enumerate(tests.items()):
        weighty = _stands_in(bundle, codes, evidence)
        if weighty or name in ("weights", "heights") or (place + turn) % 3 == 0:
            yield name, _all(_coded(codes))
        if weighty:
            yield f"days of {name}", _elements(codes, *_DAY)
            yield f"values of {name}", _elements(codes, *_VALUE)
            yield f"units of {name}", _units(codes)
    for section in SECTIONS:
        yield f"section {section}", _section(section)
    yield "onset", _from_conditions("onsetDateTime", "onsetPeriod")


def _stands_in(bundle: Json, codes: tuple[str, ...], evidence: str) -> bool:
    """Whether one of the observations is what the evidence points at."""
    is_one = _coded(codes)
    return any(
        f"entry[{i}].resource" in evidence for i, e in enumerate(bundle["entry"]) if is_one(e.get("resource", _NONE))
    )


_NONE: Json = {"resourceType": ""}
_DAY = ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued")
_VALUE = ("valueQuantity", "valueCodeableConcept", "valueString", "valueBoolean", "valueDateTime", "valueInteger")


def _tests(bundle: Json) -> list[str]:
    """Codes of the observations, apart from weights and heights."""
    codes = [
        c.get("code", "") for o in resources(bundle) if o["resourceType"] == "Observation" for c in _codings_of(o)[:1]
    ]
    return [c for c in dict.fromkeys(codes) if c not in r4.WEIGHTS and c not in r4.HEIGHTS]


def _codings_of(observation: Json) -> list[Json]:
    found: list[Json] = observation.get("code", {}).get("coding", [])
    return found


def _some(changes: list[bool]) -> bool:
    """Whether any of the changes, all of which were made, changed something."""
    return any(changes)


def _all(unwanted: Callable[[Json], bool]) -> Remover:
    def remove(bundle: Json) -> bool:
        kept = [e for e in bundle["entry"] if not unwanted(e.get("resource", _NONE))]
        changed = len(kept) < len(bundle["entry"])
        bundle["entry"] = kept
        return changed

    return remove


def _coded(codes: tuple[str, ...]) -> Callable[[Json], bool]:
    def is_one(resource: Json) -> bool:
        return resource["resourceType"] == "Observation" and any(c.get("code") in codes for c in _codings_of(resource))

    return is_one


def _pop(target: Json, *keys: str) -> bool:
    return _some([target.pop(k, None) is not None for k in keys])


def _elements(codes: tuple[str, ...], *keys: str) -> Remover:
    return lambda bundle: _some([_pop(o, *keys) for o in resources(bundle) if _coded(codes)(o)])


def _units(codes: tuple[str, ...]) -> Remover:
    def remove(bundle: Json) -> bool:
        values = [o["valueQuantity"] for o in resources(bundle) if _coded(codes)(o) and "valueQuantity" in o]
        return _some([_pop(v, "unit", "code", "system") for v in values])

    return remove


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


def _timing(order: Json) -> bool:
    """The timing, and that the patient is in hospital: there an order without timing is one dose."""
    changed = _some([_pop(d, "timing") for d in _dosages(order)])
    order.pop("category", None)
    return changed


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
    "timing": _of_order(_timing),
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

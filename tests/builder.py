"""A bundle of a base and a change, in the words of the case files.

Keys of a change, applied in this order:
`order`, `patient` (merge patches; null removes), `instructions`, `dose`, `count`, `every`, `frequency`, `start`,
`timing`, `events`, `text`, `rate`, `route`, `product` (with `hcpcs`, `ndc`, `rxnorm`, `snomed`, `atc`), `reason`,
`onset`, `authored`, `status`, `setting`, `birth`, `sex`, `weight`, `height`, `labs`, `without` (types to remove, for
instance `[Condition]`: sent, and empty), `conditions`, `allergies`, `drugs`, `given`, `procedures`, `requests`,
`immunizations`, `orders`, `add`, `sections` (the ones sent: all others are removed), `unsent`, `evaluation`, `policy`,
`policyDate`.
The word `absent` removes what its key names.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import bases
import pieces
import r4
from r4 import Json

ABSENT = "absent"
SECTIONS: dict[str, tuple[str, ...]] = {
    "conditions": ("Condition",),
    "medications": ("MedicationRequest", "MedicationAdministration", "MedicationDispense", "MedicationStatement"),
    "allergies": ("AllergyIntolerance",),
    "procedures": ("Procedure",),
    "immunizations": ("Immunization",),
}
# What a change asks of the operation: the parameter, and the element of its value.
_ASKED = {
    "evaluation": ("evaluationDate", "valueDate"),
    "policy": ("policy", "valueString"),
    "policyDate": ("policyDate", "valueDate"),
}
_CODES = ("hcpcs", "ndc", "rxnorm", "snomed", "atc")


class Chart:
    """The resources of one bundle while it is being changed."""

    def __init__(self, resources: list[Json]) -> None:
        self.resources = resources
        self.order: Json = next(r for r in resources if r.get("id") == r4.ORDER)

    def of(self, kind: str) -> list[Json]:
        return [r for r in self.resources if r["resourceType"] == kind]

    def drop(self, unwanted: Callable[[Json], bool]) -> None:
        self.resources = [r for r in self.resources if r is self.order or not unwanted(r)]

    def add(self, resource: Json) -> None:
        self.resources.append(resource)

    def dosage(self) -> Json:
        """The first dosage instruction."""
        found: Json = self.order.setdefault("dosageInstruction", [{}])[0]
        return found

    def observations(self, codes: tuple[str, ...]) -> list[Json]:
        return [o for o in self.of("Observation") if o["code"]["coding"][0]["code"] in codes]


def bundle(base: str, change: Json | None = None) -> Json:
    """The Bundle (or, with `evaluation`, `policy` or `policyDate`, the Parameters) of `base` after `change`."""
    change = copy.deepcopy(change or {})
    unknown = change.keys() - _CHANGES.keys() - {*_CODES, "frequency", "sections", "unsent", *_ASKED}
    if unknown:
        raise KeyError(f"no such change: {', '.join(sorted(unknown))}")
    chart = Chart(bases.resources(base))
    for key, apply in _CHANGES.items():
        if key in change:
            apply(chart, change[key], change)
        elif key == "product" and any(c in change for c in _CODES):
            apply(chart, {}, change)
        elif key == "every" and "frequency" in change:
            _repeat(chart)["frequency"] = change["frequency"]
    _sections(chart, change)
    made = {"resourceType": "Bundle", "type": "collection", "entry": [r4.entry(r) for r in chart.resources]}
    asked = [{"name": name, value: str(change[key])} for key, (name, value) in _ASKED.items() if key in change]
    if not asked:
        return made
    return {"resourceType": "Parameters", "parameter": [{"name": "bundle", "resource": made}, *asked]}


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396: objects are merged, null removes, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    made = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = merged(made.get(key), value)
    return made


def _sections(chart: Chart, change: Json) -> None:
    """Remove what was not sent; say of what was sent and is empty that it is."""
    sent = set(change.get("sections", SECTIONS)) - set(change.get("unsent", ()))
    if sent - SECTIONS.keys() or set(change.get("unsent", ())) - SECTIONS.keys():
        raise KeyError(f"no such section in {change}")
    for name, kinds in SECTIONS.items():
        if name not in sent:
            chart.drop(lambda r, kinds=kinds: r["resourceType"] in kinds and r["id"] != r4.ORDER)  # type: ignore[misc]
        elif not any(r["resourceType"] in kinds and r is not chart.order for r in chart.resources):
            chart.add(r4.empty_search(kinds[0]))


def _patched(target: Json, patch: Json) -> None:
    made = merged(target, patch)
    target.clear()
    target.update(made)


def _order(chart: Chart, patch: Json, _: Json) -> None:
    _patched(chart.order, patch)


def _patient(chart: Chart, patch: Json | str, _: Json) -> None:
    if patch == ABSENT:
        chart.drop(lambda r: r["resourceType"] == "Patient")
    else:
        _patched(chart.of("Patient")[0], patch)  # type: ignore[arg-type]


def _instructions(chart: Chart, said: list[Json] | str, _: Json) -> None:
    if said == ABSENT:
        chart.order.pop("dosageInstruction", None)
        return
    chart.order["dosageInstruction"] = [r4.instruction({"route": "iv"} | i) for i in said]  # type: ignore[operator]


def _rated(element: str) -> Callable[[Chart, Any, Json], None]:
    def apply(chart: Chart, said: Any, _: Json) -> None:
        held = chart.dosage().setdefault("doseAndRate", [{}])[0]
        stem = element.removesuffix("Quantity")
        for other in [k for k in held if k.startswith(stem)]:
            del held[other]
        if said != ABSENT:
            held[element] = r4.quantity(said)
        if not held:
            del chart.dosage()["doseAndRate"]

    return apply


def _repeat(chart: Chart) -> Json:
    found: Json = chart.dosage().setdefault("timing", {}).setdefault("repeat", {})
    return found


def _count(chart: Chart, said: Any, _: Json) -> None:
    _repeat(chart).pop("count", None)
    if said != ABSENT:
        _repeat(chart)["count"] = said


def _every(chart: Chart, said: str, change: Json) -> None:
    for key in ("period", "periodUnit", "frequency"):
        _repeat(chart).pop(key, None)
    if said != ABSENT:
        period, _, unit = said.partition(" ")
        _repeat(chart).update(period=r4.number(period), periodUnit=unit, frequency=change.get("frequency", 1))


def _start(chart: Chart, said: Any, _: Json) -> None:
    _repeat(chart)["boundsPeriod"] = {"start": str(said)}


def _timing(chart: Chart, said: Any, _: Json) -> None:
    chart.dosage().pop("timing", None)
    if said != ABSENT:
        chart.dosage()["timing"] = said


def _events(chart: Chart, said: list[Any], _: Json) -> None:
    chart.dosage()["timing"] = {"event": [str(day) for day in said]}


def _text(chart: Chart, said: str, _: Json) -> None:
    chart.dosage()["text"] = said


def _route(chart: Chart, said: Any, _: Json) -> None:
    chart.dosage().pop("route", None)
    if said != ABSENT:
        chart.dosage()["route"] = said if isinstance(said, dict) else {"coding": [r4.coding("snomed", r4.ROUTES[said])]}


def _product(chart: Chart, said: Any, change: Json) -> None:
    for key in ("medicationReference", "medicationCodeableConcept"):
        chart.order.pop(key, None)
    if said == ABSENT:
        return
    made = dict(said) if isinstance(said, dict) else {"text": said}
    codings = [r4.coding(system, change[system]) for system in _CODES if system in change]
    if codings:
        made["coding"] = made.get("coding", []) + codings
    chart.order["medicationCodeableConcept"] = made


def _reason(chart: Chart, said: Any, _: Json) -> None:
    for key in ("reasonCode", "reasonReference"):
        chart.order.pop(key, None)
    if said != ABSENT:
        several = said if isinstance(said, list) else [said]
        chart.order["reasonCode"] = [r4.concept(s, "text", "icd10cm") for s in several]


def _onset(chart: Chart, said: Any, _: Json) -> None:
    """Of the chart condition with the order's reason; where there is none, of the first one."""
    codes = {c["code"] for reason in chart.order.get("reasonCode", []) for c in reason.get("coding", [])}
    conditions = chart.of("Condition")
    same = [c for c in conditions if codes & {k["code"] for k in c["code"].get("coding", [])}]
    for condition in same or conditions[:1]:
        condition.pop("onsetDateTime", None)
        if said != ABSENT:
            condition["onsetDateTime"] = str(said)


def _element(kind: str, element: str) -> Callable[[Chart, Any, Json], None]:
    def apply(chart: Chart, said: Any, _: Json) -> None:
        resource = chart.order if kind == "order" else chart.of(kind)[0]
        resource.pop(element, None)
        if said != ABSENT:
            resource[element] = str(said)

    return apply


def _setting(chart: Chart, said: str, _: Json) -> None:
    chart.order.pop("category", None)
    if said != ABSENT:
        chart.order["category"] = [r4.setting(said)]


def _body(name: str, codes: tuple[str, ...]) -> Callable[[Chart, Any, Json], None]:
    def apply(chart: Chart, said: Any, _: Json) -> None:
        old = chart.observations(codes)
        chart.drop(lambda r: r in old)
        _results(chart, name, said, pieces.MEASURED)

    return apply


def _results(chart: Chart, name: str, said: Any, day: str) -> None:
    if said == ABSENT:
        return
    for place, one in enumerate(said if isinstance(said, list) else [said], 1):
        fields = {"value": one} if not isinstance(one, dict) or "unit" in one else dict(one)
        value = fields.pop("value", "")
        chart.add(r4.observation(name, value, str(fields.pop("day", day)), f"{name}-c{place}", **fields))


def _labs(chart: Chart, said: Json, _: Json) -> None:
    for key, values in said.items():
        name = key.replace("_", "-")
        _, code = r4.code_of(name)
        old = chart.observations((code,))
        day = max((o["effectiveDateTime"] for o in old), default=f"{pieces.RECENT}T08:00:00Z")
        chart.drop(lambda r, old=old: r in old)  # type: ignore[misc]
        _results(chart, name, values, day)


def _without(chart: Chart, kinds: list[str], _: Json) -> None:
    chart.drop(lambda r: r["resourceType"] in kinds)


def _adds(make: Callable[[Json, str], Json], stem: str) -> Callable[[Chart, Any, Json], None]:
    def apply(chart: Chart, said: list[Json], _: Json) -> None:
        for place, one in enumerate(said, 1):
            chart.add(make(one, one.get("id", f"{stem}-c{place}")))

    return apply


def _given(chart: Chart, said: list[Json], _: Json) -> None:
    """Administrations; product and reason are those of the order unless said otherwise."""
    for place, one in enumerate(said, 1):
        known = {"day", "dose", "product", "reason", "id", *_CODES}
        medication = copy.deepcopy(chart.order.get("medicationCodeableConcept", {}))
        if "product" in one or any(c in one for c in _CODES):
            medication = r4.concept({c: one[c] for c in _CODES if c in one} | {"text": one.get("product")})
        reason = copy.deepcopy(chart.order.get("reasonCode", [None])[0])
        if "reason" in one:
            reason = None if one["reason"] == ABSENT else r4.concept(one["reason"], "text", "icd10cm")
        rest = {k: v for k, v in one.items() if k not in known}
        ident = one.get("id", f"given-c{place}")
        chart.add(r4.administration(str(one["day"]), medication, one.get("dose", ABSENT), ident, reason, **rest))


def _orders(chart: Chart, said: list[Json], _: Json) -> None:
    for place, patch in enumerate(said, 2):
        chart.add(merged(copy.deepcopy(chart.order), {"id": f"order{place}"} | patch))


def _add(chart: Chart, said: list[Json], _: Json) -> None:
    for resource in said:
        chart.add(resource)


_CHANGES: dict[str, Callable[[Chart, Any, Json], None]] = {
    "order": _order,
    "patient": _patient,
    "instructions": _instructions,
    "dose": _rated("doseQuantity"),
    "count": _count,
    "every": _every,
    "start": _start,
    "timing": _timing,
    "events": _events,
    "text": _text,
    "rate": _rated("rateQuantity"),
    "route": _route,
    "product": _product,
    "reason": _reason,
    "onset": _onset,
    "authored": _element("order", "authoredOn"),
    "status": _element("order", "status"),
    "setting": _setting,
    "birth": _element("Patient", "birthDate"),
    "sex": _element("Patient", "gender"),
    "weight": _body("weight", r4.WEIGHTS),
    "height": _body("height", r4.HEIGHTS),
    "labs": _labs,
    "without": _without,
    "conditions": _adds(r4.condition, "condition"),
    "allergies": _adds(r4.allergy, "allergy"),
    "drugs": _adds(r4.drug, "drug"),
    "given": _given,
    "procedures": _adds(r4.procedure, "procedure"),
    "requests": _adds(r4.service_request, "request"),
    "immunizations": _adds(r4.vaccination, "immunization"),
    "orders": _orders,
    "add": _add,
}

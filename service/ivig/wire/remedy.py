"""A change done to the FHIR of an order: the same order with what changes written anew, and drafts of what is added.

All other elements stay as they were sent. A text that tells of amounts or times goes with what it told of; whatever the
reader had taken from it is then written in elements.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from ivig.core.change import BasisChange, Change, OrderedDrug, OrderedTest, ProductChange, RouteChange, applied
from ivig.core.dosage_change import DispenseChange
from ivig.core.order import Concept, Order, Result
from ivig.wire.outcome import BASE, encode
from ivig.wire.rewritten import plain_quantity, rewrite

Json = dict[str, Any]
DOSING_WEIGHT = f"{BASE}/StructureDefinition/ivig-dosing-weight"
# The canonical FHIR address of each code system that additions and products are written in.
SYSTEMS = {
    "loinc": "http://loinc.org",
    "snomed": "http://snomed.info/sct",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ndc": "http://hl7.org/fhir/sid/ndc",
    "hcpcs": "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "cpt": "http://www.ama-assn.org/go/cpt",
    "atc": "http://www.whocc.no/atc",
    "cvx": "http://hl7.org/fhir/sid/cvx",
    "ivig": f"{BASE}/CodeSystem/ivig-observation",
}
_ROUTES = {
    "iv": ("47625008", "Intravenous route"),
    "sc": ("34206005", "Subcutaneous route"),
    "im": ("78421000", "Intramuscular route"),
}
_STEP = re.compile(r"([^.\[\]]+)(?:\[(\d+)\])?")


def patched(body: bytes, order: Order, changes: Sequence[Change], assumed: bool = False) -> bytes:
    """The body an order came in, with the changes done: the order rewritten, additions beside it.

    `assumed`: with the results that are taken as ordinary while their tests are on order; only to judge again.
    """
    tree = json.loads(body, parse_float=Decimal)
    request = _resolve(tree, order.path)
    made = updated(request, order, changes)
    request.clear()
    request.update(made)
    more = additions(made, order, changes) + (assumptions(made, order, changes) if assumed else [])
    if tree["resourceType"] == "Parameters":
        tree["parameter"].extend({"name": "evidence", "resource": resource} for resource in more)
    else:
        tree["entry"].extend({"resource": resource} for resource in more)
    return encode(tree)


def _resolve(tree: Json, path: str) -> Json:
    """The resource at a FHIRPath of the reader."""
    node: Any = tree
    for name, place in _STEP.findall(path.partition(".")[2]):
        node = node[name][int(place)] if place else node[name]
    found: Json = node
    return found


def updated(request: Json, order: Order, changes: Sequence[Change]) -> Json:
    """The whole MedicationRequest with the changes; `request` is the one that `order` was read from, and stays as it is."""
    made = copy.deepcopy(request)
    after = applied(order, tuple(changes))
    held = made.get("dosageInstruction")
    dosages: list[Json] = held if isinstance(held, list) else [held] if held else []
    for place, (old, new) in enumerate(zip(order.parts, after.parts, strict=True)):
        if old != new:
            rewrite(dosages[place], old, new)
    for change in changes:
        match change:
            case ProductChange():
                _product(made, change)
            case BasisChange():
                kept = [
                    e for e in made.get("extension", ()) if not str(e.get("url", "")).endswith("/ivig-dosing-weight")
                ]
                made["extension"] = [*kept, _dosing_weight(change)]
            case RouteChange():
                code, words = _ROUTES[change.route]
                coding = {"system": SYSTEMS["snomed"], "code": code, "display": words}
                _dosage_at(dosages, change.path)["route"] = {"coding": [coding]}
            case DispenseChange():
                made.setdefault("dispenseRequest", {})["quantity"] = plain_quantity(change.value, change.unit)
            case _:
                pass
    return made


def additions(request: Json, order: Order, changes: Iterable[Change]) -> list[Json]:
    """Drafts of what is to be ordered beside: ServiceRequests of tests, MedicationRequests of medicines."""
    found: list[Json] = []
    for change in changes:
        if isinstance(change, OrderedTest):
            made = _draft("ServiceRequest", request, order) | {"code": coded(change.concept)}
            found.append(made | ({"occurrenceDateTime": change.day.isoformat()} if change.day is not None else {}))
        elif isinstance(change, OrderedDrug):
            found.append(
                _draft("MedicationRequest", request, order) | {"medicationCodeableConcept": coded(change.concept)}
            )
    return found


def assumptions(request: Json, order: Order, changes: Iterable[Change]) -> list[Json]:
    """The results that are taken as ordinary while the tests are on order, as Observations: only to judge again."""
    return [
        _observation(result, request, order)
        for change in changes
        if isinstance(change, OrderedTest)
        for result in change.assumed
    ]


# -- the order --------------------------------------------------------------------------------------------------------


def _dosage_at(dosages: list[Json], path: str) -> Json:
    hit = re.search(r"dosageInstruction\[(\d+)\]", path)
    return dosages[int(hit.group(1)) if hit else 0]


def _product(request: Json, change: ProductChange) -> None:
    concept = coded(change.concept)
    before = request.pop("medicationReference", None)
    request.pop("medicationCodeableConcept", None)
    _without_contained(request, before)
    if "medication" in request:  # R5
        request["medication"] = {"concept": concept}
    else:
        request["medicationCodeableConcept"] = concept


def _without_contained(request: Json, reference: Any) -> None:
    """Take out the contained resource that nothing points to any more: FHIR allows none (dom-3)."""
    local = str(reference.get("reference", "")) if isinstance(reference, dict) else ""
    held = request.get("contained")
    if not local.startswith("#") or not isinstance(held, list) or _refers(request, local):
        return
    kept = [one for one in held if not isinstance(one, dict) or f"#{one.get('id')}" != local]
    request |= {"contained": kept}
    if not kept:
        del request["contained"]


def _refers(tree: Any, local: str) -> bool:
    if isinstance(tree, dict):
        return tree.get("reference") == local or any(_refers(below, local) for below in tree.values())
    return isinstance(tree, list) and any(_refers(below, local) for below in tree)


def _dosing_weight(change: BasisChange) -> Json:
    parts = [
        {"url": "weight", "valueQuantity": plain_quantity(change.kg, "kg")},
        {"url": "basis", "valueCode": change.basis},
    ]
    return {"url": DOSING_WEIGHT, "extension": parts}


# -- beside the order -------------------------------------------------------------------------------------------------


def _draft(kind: str, request: Json, order: Order) -> Json:
    made: Json = {"resourceType": kind, "status": "draft", "intent": "order"}
    made |= {name: request[name] for name in ("subject", "encounter") if name in request}
    return made | {"authoredOn": order.moment.text}


def _observation(result: Result, request: Json, order: Order) -> Json:
    system = "ivig" if not result.code[:1].isdigit() else "loinc"
    made: Json = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": SYSTEMS[system], "code": result.code}]},
        "effectiveDateTime": order.moment.text,
    }
    made |= {"subject": request["subject"]} if "subject" in request else {}
    if result.value is not None:
        return made | {"valueQuantity": plain_quantity(result.value, result.unit)}
    return made | {"valueString": result.words}


def coded(concept: Concept) -> Json:
    """A concept as a CodeableConcept, in the systems that an order is written in."""
    codings = [{"system": SYSTEMS[system], "code": code} for system, code in concept.codes if system in SYSTEMS]
    return ({"coding": codings} if codings else {}) | {"text": concept.text}

"""A bundle as a client of CDS Hooks would send it: the orders as drafts, the chart as prefetch. And the findings of an answer as rows."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from ivig.chart.queries import queries
from ivig.core.order import Order
from ivig.wire.decode import decode
from ivig.wire.prefetch import Query
from ivig.wire.read import Asked, read
from judged import NOON, validator
from r4 import Json

HOOK_INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
FINDINGS = "org.ivig-order-check.findings"
# Types that no query asks for come as what they are included with.
_BESIDE = {
    "MedicationDispense": "administrations", "MedicationStatement": "medications", "Medication": "medications",
    "ImmunizationRecommendation": "immunizations", "Appointment": "plans",
}  # fmt: skip
_CODE = re.compile(r"\|([A-Za-z0-9-]+)")


@lru_cache(maxsize=1)
def asked() -> tuple[Query, ...]:
    return queries(validator().library)


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    """Observation code -> key of the query that asks for it."""
    return {code: q.key for q in asked() if q.kind == "Observation" for code in _CODE.findall(q.template)}


def _key(kind: str) -> str:
    """The key that resources of a type come with, '' for none."""
    return _BESIDE.get(kind) or next((q.key for q in asked() if q.kind == kind), "")


def searchset(resources: Iterable[Json]) -> Json:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": r} for r in resources]}


def call(drafts: Iterable[Json], prefetch: Json, patient: str, hook: str = "order-sign", **context: Any) -> Json:
    """The body of a call."""
    entries = [{"resource": r} for r in drafts]
    told: Json = {"userId": "Practitioner/example", "patientId": patient}
    told["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    if hook == "order-select":
        told["selections"] = [f"{e['resource']['resourceType']}/{e['resource'].get('id')}" for e in entries]
    return {"hook": hook, "hookInstance": HOOK_INSTANCE, "context": told | context, "prefetch": prefetch}


def as_call(bundle: Json, hook: str = "order-sign") -> Json | None:
    """The call that holds what the bundle holds; None where a hook has no words for it.

    A hook counts a section as sent by its key, the operation by the patient's own resources: bundles with a stranger's are left out.
    A key is `null` where the bundle says that there is none, and left out where it says nothing.
    """
    if bundle["resourceType"] != "Bundle":
        return None
    resources = [e["resource"] for e in copy.deepcopy(bundle.get("entry", []))]
    patients = [r for r in resources if r["resourceType"] == "Patient"]
    if len(patients) != 1 or not patients[0].get("id") or '"urn:' in json.dumps(bundle):
        return None
    drafts, held = [], {q.key: list[Json]() for q in asked()}
    none: set[str] = set()
    judged = {order.path for order in _orders(bundle)}
    for place, resource in enumerate(resources):
        kind = resource["resourceType"]
        if f"Bundle.entry[{place}].resource" in judged:
            drafts.append(resource)
        elif kind == "Bundle":
            if resource.get("entry") or len(resource["link"]) > 1:
                return None
            none.add(_key(resource["link"][0]["url"].partition("?")[0].rpartition("/")[2]))
        elif kind == "Observation":
            codes = [c.get("code", "") for c in resource.get("code", {}).get("coding", [])]
            codes += [c.get("code", "") for p in resource.get("component", []) for c in p["code"].get("coding", [])]
            held[next((_codes()[c] for c in codes if c in _codes()), "scales")].append(resource)
        elif key := _key(kind):
            held[key].append(resource)
            of = (resource.get("subject") or resource.get("patient") or {}).get("reference", "")
            if of and of != f"Patient/{patients[0]['id']}":
                return None
        else:
            return None
    prefetch = _prefetch(held, none)
    return call(drafts, prefetch, patients[0]["id"], hook) if prefetch is not None else None


def _prefetch(held: dict[str, list[Json]], none: set[str]) -> Json | None:
    """What came for each key; None where a query would not have brought it so."""
    prefetch: Json = {}
    for query in asked():
        found = held[query.key]
        if found and not any(r["resourceType"] == query.kind for r in found):
            return None
        if query.reads and found:
            if len(found) > 1:
                return None
            prefetch[query.key] = found[0]
        elif found:
            prefetch[query.key] = searchset(found)
        elif query.key in none or (query.kind == "Observation"):
            prefetch[query.key] = None
    return prefetch


def time_of(bundle: Json) -> datetime | None:
    """The one time that all orders were written at, as the time of the call; None where there are several."""
    times = {order.moment.text for order in _orders(bundle)}
    if len(times) != 1:
        return None
    at = datetime.fromisoformat(times.pop())
    return at if at.tzinfo is not None else at.replace(tzinfo=NOON.tzinfo)


def _orders(bundle: Json) -> tuple[Order, ...]:
    """The orders that the FHIR operation judges."""
    asked = Asked(zone=UTC, now=NOON)
    return read(decode(json.dumps(bundle).encode()), validator().library.lexicon, asked).orders


def findings(answer: Json) -> Counter[tuple[str, str, str, str]]:
    """(rule, severity, result, order) of all that was found, on cards and beside them."""
    told = [card["extension"] for card in answer["cards"]] + [answer.get("extension", {})]
    rows = [f for extension in told for f in extension.get(FINDINGS, [])]
    return Counter((f["rule"], f["severity"], f["result"], f["order"]) for f in rows)

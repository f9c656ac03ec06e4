"""A bundle as a client of CDS Hooks would send it: the orders as drafts, the chart as prefetch. And the findings of an answer as rows."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from ivig.chart.queries import queries
from ivig.wire.prefetch import Query
from judged import NOON, validator
from r4 import Json

HOOK_INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
FINDINGS = "org.ivig-order-check.findings"
_JUDGED = frozenset({"draft", "active", "on-hold", None})
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

    A key is `null` where the bundle says that there is none, and left out where it says nothing.
    """
    entries = copy.deepcopy(bundle.get("entry", []))
    resources = [e["resource"] for e in entries]
    if any("fullUrl" in e for e in entries) or any(r["resourceType"] in ("Bundle", "Parameters") for r in resources):
        return None
    patients = [r for r in resources if r["resourceType"] == "Patient"]
    if len(patients) != 1 or not patients[0].get("id"):
        return None
    drafts, held = [], {q.key: list[Json]() for q in asked()}
    none: set[str] = set()
    for resource in resources:
        kind = resource["resourceType"]
        if kind == "MedicationRequest" and resource.get("status") in _JUDGED:
            drafts.append(resource)
        elif kind == "Observation":
            codes = [c.get("code", "") for c in resource.get("code", {}).get("coding", [])]
            codes += [c.get("code", "") for p in resource.get("component", []) for c in p["code"].get("coding", [])]
            held[next((_codes()[c] for c in codes if c in _codes()), "scales")].append(resource)
        elif kind == "List":
            return None
        else:
            key = _BESIDE.get(kind) or next((q.key for q in asked() if q.kind == kind), "")
            if not key:
                return None
            held[key].append(resource)
    prefetch: Json = {}
    for query in asked():
        found = held[query.key]
        if query.reads and found:
            if len(found) > 1:
                return None
            prefetch[query.key] = found[0]
        elif found:
            prefetch[query.key] = searchset(found)
        elif query.key in none or (query.kind == "Observation"):
            prefetch[query.key] = None
    return call(drafts, prefetch, patients[0]["id"], hook)


def time_of(bundle: Json) -> datetime | None:
    """The one day that all orders were written on, as the time of the call; None where there are several."""
    written = {
        e["resource"].get("authoredOn")
        for e in bundle.get("entry", [])
        if e["resource"]["resourceType"] == "MedicationRequest" and e["resource"].get("status") in _JUDGED
    }
    if len(written) != 1:
        return None
    (text,) = written
    if text is None:
        return NOON
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=NOON.tzinfo)


def findings(answer: Json) -> Counter[tuple[str, str, str, str]]:
    """(rule, severity, result, order) of all that was found, on cards and beside them."""
    told = [card["extension"] for card in answer["cards"]] + [answer.get("extension", {})]
    rows = [f for extension in told for f in extension.get(FINDINGS, [])]
    return Counter((f["rule"], f["severity"], f["result"], f["order"]) for f in rows)

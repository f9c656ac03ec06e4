"""The checks of a discovery document, and of what a client sends: calls and feedback."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from ivig.chart.templates import lint, unrestricted
from ivig.entrypoints.conformance.answers import is_text, is_uuid
from ivig.entrypoints.conformance.checks import Ledger

# What the published definitions require of a context, as (field, type); and their versions.
REQUIRED: dict[str, dict[str, type]] = {
    "patient-view": {"userId": str, "patientId": str},
    "order-select": {"userId": str, "patientId": str, "selections": list, "draftOrders": dict},
    "order-sign": {"userId": str, "patientId": str, "draftOrders": dict},
    "order-dispatch": {"patientId": str, "dispatchedOrders": list, "performer": str},
    "encounter-start": {"userId": str, "patientId": str, "encounterId": str},
    "encounter-discharge": {"userId": str, "patientId": str, "encounterId": str},
    "appointment-book": {"userId": str, "patientId": str, "appointments": dict},
}
_VERSIONS = {"patient-view": "1.0", "order-select": "1.0", "order-sign": "1.0", "order-dispatch": "1.1"}
_SEMANTIC = re.compile(r"\d+\.\d+(\.\d+)?(-[0-9A-Za-z.-]+)?")
_OTHER_KEY = re.compile(r"%([A-Za-z0-9_-]+)")
_TOKEN = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_AUTHORIZATION = {"access_token": str, "token_type": str, "expires_in": int, "scope": str, "subject": str}
_BEARER = "Bearer"
_PATIENT_SCOPE = re.compile(r"(^|\s)patient/")


def services_of(tree: Any) -> list[dict[str, Any]]:
    """The services of a discovery document that are objects; none where it is no such document."""
    listed = tree.get("services") if isinstance(tree, dict) else None
    return [service for service in listed if isinstance(service, dict)] if isinstance(listed, list) else []


def discovery(tree: Any, ledger: Ledger, version: str = "2.0") -> None:
    """Enters every check of a discovery document in the ledger.

    Args:
        version: what the client that is played speaks, `2.0` or `3.0`: which tokens it can fill.
    """
    services = services_of(tree)
    listed = tree.get("services") if isinstance(tree, dict) else None
    if not ledger.holds("S-DSC-1", isinstance(listed, list) and len(services) == len(listed), "services", listed):
        return
    seen: set[tuple[str, str]] = set()
    for n, service in enumerate(services):
        _service(service, f"services[{n}]", ledger, version)
        pair = (str(service.get("hook")), str(service.get("id")))
        ledger.holds("S-DSC-7", pair not in seen, f"services[{n}].id", " ".join(pair))
        seen.add(pair)


def _service(service: dict[str, Any], place: str, ledger: Ledger, version: str) -> None:
    lacking = [name for name in ("hook", "id", "description") if not is_text(service.get(name))]
    ledger.holds("S-DSC-2", not lacking, place, f"lacks {', '.join(lacking)}")
    ledger.holds("S-DSC-3", is_text(service.get("title")), f"{place}.title", service.get("title"))
    if "version" in service or version.startswith("3"):
        told = service.get("version")
        semantic = isinstance(told, str) and bool(_SEMANTIC.fullmatch(told))
        ledger.holds("S-DSC-5", semantic, f"{place}.version", told)
    hook = str(service.get("hook", ""))
    if "hookVersion" in service:
        told = service["hookVersion"]
        published = _VERSIONS.get(hook, told)
        right = isinstance(told, str) and (told == published or told.startswith(f"{published}."))
        ledger.holds("S-DSC-6", right, f"{place}.hookVersion", told)
    if "extension" in service:
        ledger.holds("S-EXT-1", isinstance(service["extension"], dict), f"{place}.extension", service["extension"])
    prefetch = service.get("prefetch", {})
    texts = isinstance(prefetch, dict) and all(isinstance(query, str) for query in prefetch.values())
    needs = service.get("usageRequirements", "")
    ledger.holds("S-DSC-4", texts and isinstance(needs, str), f"{place}.prefetch", needs if texts else prefetch)
    if texts:
        _templates(prefetch, hook, f"{place}.prefetch", ledger, version)


def _templates(prefetch: dict[str, str], hook: str, place: str, ledger: Ledger, version: str) -> None:
    before: set[str] = set()
    for key, template in prefetch.items():
        at = f"{place}.{key}"
        faults = lint(template, hook, version)
        ledger.holds("S-PRE-1", not faults, at, "; ".join(faults))
        wide = unrestricted(template, version)
        ledger.holds("S-PRE-2", not wide, at, "; ".join(wide))
        if version.startswith("3"):
            taken = {other for token in _TOKEN.findall(template) for other in _OTHER_KEY.findall(token)}
            ledger.holds("S-PRE-3", taken <= before, at, f"takes from {', '.join(sorted(taken - before))}")
        before.add(key)


def request(tree: Any, ledger: Ledger) -> None:
    """Enters every check of a call in the ledger."""
    held = tree if isinstance(tree, dict) else {}
    context, hook = held.get("context"), held.get("hook")
    right = is_text(hook) and is_uuid(held.get("hookInstance")) and isinstance(context, dict)
    ledger.holds("S-REQ-1", right, "", (hook, held.get("hookInstance"), type(context).__name__))
    if isinstance(context, dict):
        required = REQUIRED.get(str(hook), {"patientId": str})
        lacking = [name for name, kind in required.items() if not isinstance(context.get(name), kind)]
        ledger.holds("S-REQ-2", not lacking, "context", f"lacks {', '.join(lacking)}")
    if "fhirAuthorization" in held:
        _authorization(held["fhirAuthorization"], ledger)
        ledger.holds("cds-r-1", is_text(held.get("fhirServer")), "fhirServer", "missing")


def _authorization(told: Any, ledger: Ledger) -> None:
    held = told if isinstance(told, dict) else {}
    lacking = [name for name, kind in _AUTHORIZATION.items() if not isinstance(held.get(name), kind)]
    right = not lacking and held["token_type"] == _BEARER
    # By names alone: the values are secrets.
    ledger.holds("S-REQ-3", right, "fhirAuthorization", f"lacks {', '.join(lacking)}" if lacking else "not Bearer")
    scope = held.get("scope")
    if isinstance(scope, str) and _PATIENT_SCOPE.search(scope):
        ledger.holds("cds-r-2", is_text(held.get("patient")), "fhirAuthorization.patient", "missing")


def feedback(tree: Any, ledger: Ledger) -> None:
    """Enters every check of a feedback body in the ledger."""
    listed = tree.get("feedback") if isinstance(tree, dict) else None
    items = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    right = isinstance(listed, list) and len(items) == len(listed)
    if not ledger.holds("S-FB-1", right, "feedback", type(listed).__name__):
        return
    for n, item in enumerate(items):
        place = f"feedback[{n}]"
        right = is_text(item.get("card")) and _is_utc(item.get("outcomeTimestamp"))
        ledger.holds("S-FB-1", right, place, (item.get("card"), item.get("outcomeTimestamp")))
        outcome = item.get("outcome")
        ledger.holds("cds-fb-1", outcome in ("accepted", "overridden"), f"{place}.outcome", outcome)
        if outcome == "accepted":
            chosen = item.get("acceptedSuggestions")
            told = isinstance(chosen, list) and bool(chosen)
            told = told and all(isinstance(one, dict) and is_text(one.get("id")) for one in chosen or ())
            ledger.holds("cds-fb-2", told, f"{place}.acceptedSuggestions", type(chosen).__name__)
        if "overrideReason" in item:
            why = item["overrideReason"]
            said = isinstance(why, dict) and (isinstance(why.get("reason"), dict) or is_text(why.get("userComment")))
            ledger.holds("cds-fb-3", said, f"{place}.overrideReason", "neither reason nor userComment")


def _is_utc(text: object) -> bool:
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return False
    if at is None or at.tzinfo is None or "T" not in str(text).upper():
        return False
    return not at.utcoffset()

"""The bodies that a service is called with: one patient, one order of immune globulin, all made up."""

from __future__ import annotations

import re
import uuid
from typing import Any

Json = dict[str, Any]

PATIENT, ENCOUNTER, USER, ORDER = "conform-patient", "conform-encounter", "Practitioner/conform-user", "conform-order"
HOOKS = ("order-select", "order-sign", "order-dispatch", "patient-view", "encounter-start", "appointment-book")
_UCUM = "http://unitsofmeasure.org"
_PARTICIPANT = [{"actor": {"reference": f"Patient/{PATIENT}"}, "status": "needs-action"}]
_TIME = {"start": "2026-12-01T09:00:00Z", "end": "2026-12-01T10:00:00Z"}
_MADE: dict[str, Json] = {
    "Patient": {
        "resourceType": "Patient", "id": PATIENT, "gender": "female", "birthDate": "1961-04-12", "name": [{"family": "Conform"}],
    },
    "Encounter": {
        "resourceType": "Encounter", "id": ENCOUNTER, "status": "in-progress", "subject": {"reference": f"Patient/{PATIENT}"},
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
    },
    "Practitioner": {"resourceType": "Practitioner", "id": "conform-user", "name": [{"family": "Conform"}]},
    "MedicationRequest": {
        "resourceType": "MedicationRequest", "id": ORDER, "status": "draft", "intent": "order",
        "medicationCodeableConcept": {
            "coding": [{"system": "http://hl7.org/fhir/sid/ndc", "code": "44206-438-40", "display": "Privigen 10% 40 g"}],
            "text": "Privigen 10% (immune globulin, human)",
        },
        "subject": {"reference": f"Patient/{PATIENT}"}, "authoredOn": "2026-11-25T09:00:00Z",
        "dosageInstruction": [{
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "count": 2}},
            "doseAndRate": [{"doseQuantity": {"value": 40, "unit": "g", "system": _UCUM, "code": "g"}}],
        }],
    },
    "Appointment": {
        "resourceType": "Appointment", "id": "conform-appointment", "status": "proposed", "participant": _PARTICIPANT, **_TIME,
    },
}  # fmt: skip
_READ = re.compile(r"([A-Z][A-Za-z]+)/\{\{")
_USER_READ = re.compile(r"\{\{\s*context\.userId\s*\}\}|Practitioner/\{\{\s*userPractitionerId\s*\}\}")


def bundle(*kinds: str) -> Json:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": _MADE[kind]} for kind in kinds]}


def searchset(*kinds: str) -> Json:
    """What a search found. Without an entry the list is left out, as FHIR has it."""
    found: Json = {"resourceType": "Bundle", "type": "searchset", "total": len(kinds)}
    return found | ({"entry": [{"resource": _MADE[kind]} for kind in kinds]} if kinds else {})


def failed() -> Json:
    """What a client sends that could not run a query."""
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}


def partly() -> Json:
    """A search of which a part failed."""
    told = {"resource": failed(), "search": {"mode": "outcome"}}
    return {"resourceType": "Bundle", "type": "searchset", "entry": [told]}


def context_of(hook: str, full: bool) -> Json:
    """The context of a hook, with the optional fields or without; of a hook that is not published, the usual three fields."""
    context: Json = {"userId": USER, "patientId": PATIENT, "encounterId": ENCOUNTER}
    match hook:
        case "order-select":
            context |= {"selections": [f"MedicationRequest/{ORDER}"], "draftOrders": bundle("MedicationRequest")}
        case "order-sign":
            context |= {"draftOrders": bundle("MedicationRequest")}
        case "order-dispatch":
            context = {"patientId": PATIENT, "performer": "Organization/conform-pharmacy"}
            context["dispatchedOrders"] = [f"MedicationRequest/{ORDER}"]
            task = {"resourceType": "Task", "status": "draft", "intent": "order"}
            if full:
                context["fulfillmentTasks"] = [task | {"focus": {"reference": f"MedicationRequest/{ORDER}"}}]
        case "appointment-book":
            context |= {"appointments": bundle("Appointment")}
    if not full and not hook.startswith("encounter-"):
        context.pop("encounterId", None)
    return context


def call(hook: str, full: bool = True, **more: Any) -> Json:
    """A call; `more` goes beside its context, and replaces what is there."""
    return {"hook": hook, "hookInstance": str(uuid.uuid4()), "context": context_of(hook, full)} | more


def prefetched(service: Json) -> Json:
    """What a client would send for every key of a service: the resource of a read, an empty search; null for what is not made up.

    At order-dispatch a search for medication requests finds the order: the context has but its reference.
    """
    return {key: _answer(str(template), str(service.get("hook"))) for key, template in _templates(service).items()}


def _answer(template: str, hook: str) -> Json | None:
    if _USER_READ.match(template):
        return _MADE["Practitioner"]
    read = _READ.match(template)
    if read is not None:
        return _MADE.get(read[1])
    if hook == "order-dispatch" and template.startswith("MedicationRequest?"):
        return searchset("MedicationRequest")
    return searchset() if "?" in template else None


def nothing_found(service: Json) -> Json:
    """As `prefetched`, with null for each empty search: it ran, and the record holds nothing."""
    answers = prefetched(service)
    return {key: answer if answer is not None and _holds(answer) else None for key, answer in answers.items()}


def _holds(answer: Json) -> bool:
    return answer["resourceType"] != "Bundle" or "entry" in answer


def every(service: Json, value: Any) -> Json:
    """The same for every key."""
    return dict.fromkeys(_templates(service), value)


def _templates(service: Json) -> Json:
    held = service.get("prefetch")
    return held if isinstance(held, dict) else {}


def accepted(card: str, suggestions: list[str], at: str) -> Json:
    chosen = [{"id": one} for one in suggestions]
    return {"card": card, "outcome": "accepted", "acceptedSuggestions": chosen, "outcomeTimestamp": at}


def overridden(card: str, at: str) -> Json:
    reason = {
        "system": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes",
        "code": "risk-benefit-ratio",
        "display": "Risk outweighs benefit",
    }
    return {"card": card, "outcome": "overridden", "overrideReason": {"reason": reason}, "outcomeTimestamp": at}

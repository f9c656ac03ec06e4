"""FHIR R4 resources in few words: what the bases and the changes of a case are made of."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

PATIENT, ORDER = "p1", "order1"
ORDER_DAY = "2026-11-20"
ORDERED = f"{ORDER_DAY}T09:00:00Z"

SYSTEMS = {
    "icd10cm": "http://hl7.org/fhir/sid/icd-10-cm",
    "icd10pcs": "http://www.cms.gov/Medicare/Coding/ICD10",
    "snomed": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ndc": "http://hl7.org/fhir/sid/ndc",
    "hcpcs": "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "cpt": "http://www.ama-assn.org/go/cpt",
    "cvx": "http://hl7.org/fhir/sid/cvx",
    "atc": "http://www.whocc.no/atc",
    "ivig": "https://ivig.example.org/fhir/CodeSystem/ivig-observation",
}
UCUM = "http://unitsofmeasure.org"
ROUTES = {"iv": "47625008", "sc": "34206005", "im": "78421000"}
WEIGHTS = ("29463-7", "3141-9", "8335-2", "3142-7", "8341-0")
HEIGHTS = ("8302-2", "3137-7", "8306-3", "8308-9")

# Our names of tests and the code that a base uses for each. A name with a hyphen that is not here is a code of ours.
TESTS = {
    "haemoglobin": "718-7",
    "platelets": "777-3",
    "white-cells": "6690-2",
    "creatinine": "2160-0",
    "alt": "1742-6",
    "ast": "1920-8",
    "bilirubin": "1975-2",
    "iga": "2458-8",
    "igg": "2465-3",
    "igm": "2472-9",
    "anti-iga": "44583-3",
    "dat": "1007-4",
    "egfr": "98979-8",
    "bun": "3094-0",
    "abo": "883-9",
    "hbsag": "5196-1",
    "anti-hbc": "13952-7",
    "anti-hcv": "16128-1",
    "fvc": "19868-9",
    "edd": "11778-8",
    "pregnancy-status": "82810-3",
    "ejection-fraction": "10230-1",
    "weight": "29463-7",
    "height": "8302-2",
    "dry-weight": "8341-0",
}
OURS = [
    "gbs-disability-score",
    "incat",
    "i-rods",
    "grip-strength",
    "mrc-sum",
    "mg-adl",
    "qmg",
    "mgfa-class",
    "nif",
    "mip",
    "mep",
    "vital-capacity",
    "treatment-related-fluctuation",
    "immune-globulin-reaction",
    "fever-day",
]
_WORDS = {"O": "58460004", "negative": "260385009", "positive": "10828004"}


def number(text: str) -> int | float:
    """A number as JSON writes it: no point where the text has none."""
    return float(text) if any(c in text for c in ".eE") else int(text)


def quantity(said: str | Json) -> Json:
    """`30.8 g` as a Quantity in UCUM. A dict is taken as it stands."""
    if isinstance(said, dict):
        return said
    value, _, unit = said.partition(" ")
    made: Json = {"value": number(value)}
    if unit:
        made |= {"unit": unit, "system": UCUM, "code": unit}
    return made


def coding(system: str, code: str, words: str = "") -> Json:
    return {"system": SYSTEMS[system], "code": str(code)} | ({"display": words} if words else {})


def concept(said: str | Json, text_key: str = "words", system: str = "") -> Json:
    """A CodeableConcept of `{icd10cm: .., snomed: .., words: ..}`, or of a bare code of `system`."""
    if isinstance(said, str):
        return {"coding": [coding(system, said)]}
    made: Json = {}
    codings = [coding(s, said[s]) for s in SYSTEMS if s in said] + list(said.get("coding", []))
    if codings:
        made["coding"] = codings
    text = said.get(text_key) or said.get("text")
    return made | ({"text": text} if text else {})


def subject(patient: str = PATIENT) -> Json:
    return {"reference": f"Patient/{patient}"}


def code_of(name: str) -> tuple[str, str]:
    """System and code of a test by our name of it."""
    name = name.replace("_", "-")
    if name in OURS:
        return "ivig", name
    return "loinc", TESTS[name]


def observation(name: str, value: Any, day: str, ident: str, **rest: Any) -> Json:
    """A final result: a quantity, a word (`negative`, `O`), or true and false. `code` overrides the test's own."""
    system, code = code_of(name)
    code = rest.pop("code", code)
    made: Json = {
        "resourceType": "Observation",
        "id": ident,
        "status": rest.pop("status", "final"),
        "code": {"coding": [coding(system, code)]},
        "subject": subject(),
    }
    if day and day != "absent":
        made["effectiveDateTime"] = day if "T" in day else f"{day}T08:00:00Z"
    comparator = rest.pop("comparator", "")
    if isinstance(value, str) and value[:1] in "<>" and value:
        bare = value.lstrip("<>=")
        comparator, value = value[: -len(bare)], bare
    if isinstance(value, bool):
        made["valueBoolean"] = value
    elif isinstance(value, dict):
        made["valueQuantity"] = value
    elif isinstance(value, (int, float)):
        made["valueQuantity"] = {"value": value}
    elif value and (value[0].isdigit() or value[0] == "-"):
        if name == "edd":
            made["valueDateTime"] = value
        else:
            made["valueQuantity"] = quantity(value) | ({"comparator": comparator} if comparator else {})
    elif value:
        coded = {"coding": [coding("snomed", _WORDS[value])]} if value in _WORDS else {}
        made["valueCodeableConcept"] = coded | {"text": value}
    return made | rest


def condition(said: Json, ident: str) -> Json:
    """`{icd10cm: D80.2, words: .., recorded: .., onset: .., abated: .., clinical: active, verification: confirmed}`."""
    made: Json = {
        "resourceType": "Condition",
        "id": ident,
        "clinicalStatus": _status("condition-clinical", said.get("clinical", "active")),
        "verificationStatus": _status("condition-ver-status", said.get("verification", "confirmed")),
        "code": concept(said),
        "subject": subject(),
    }
    if "category" in said:
        made["category"] = [_status("condition-category", said["category"])]
    for key, element in (("onset", "onsetDateTime"), ("abated", "abatementDateTime"), ("recorded", "recordedDate")):
        if key in said:
            made[element] = str(said[key])
    return made


def allergy(said: Json, ident: str) -> Json:
    """`{snomed: .., words: .., recorded: .., criticality: high, reactions: [{words: .., severity: ..}]}`."""
    made: Json = {
        "resourceType": "AllergyIntolerance",
        "id": ident,
        "clinicalStatus": _status("allergyintolerance-clinical", said.get("clinical", "active")),
        "verificationStatus": _status("allergyintolerance-verification", said.get("verification", "confirmed")),
        "code": concept(said),
        "patient": subject(),
    }
    for key, element in (("onset", "onsetDateTime"), ("recorded", "recordedDate"), ("criticality", "criticality")):
        if key in said:
            made[element] = str(said[key])
    if "reactions" in said:
        made["reaction"] = [
            {"manifestation": [concept(r)]} | ({"severity": r["severity"]} if "severity" in r else {})
            for r in said["reactions"]
        ]
    return made


def _status(system: str, code: str) -> Json:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


def setting(name: str) -> Json:
    code = {"home": "community"}.get(name, name)
    return _status("medicationrequest-category", code) | {"text": name}


def instruction(said: Json) -> Json:
    """A Dosage: `{dose, count, every, frequency, start, events, text, rate, route}`; other keys as FHIR has them."""
    said = dict(said)
    made: Json = {}
    if "text" in said:
        made["text"] = said.pop("text")
    route = said.pop("route", "absent")
    if isinstance(route, dict) or route != "absent":
        made["route"] = route if isinstance(route, dict) else {"coding": [coding("snomed", ROUTES[route])]}
    timing = said.pop("timing", None)
    repeat: Json = {}
    if "every" in said:
        period, _, unit = str(said.pop("every")).partition(" ")
        repeat |= {"frequency": said.pop("frequency", 1), "period": number(period), "periodUnit": unit}
    if "count" in said:
        repeat["count"] = said.pop("count")
    if "start" in said:
        repeat["boundsPeriod"] = {"start": str(said.pop("start"))}
    events = [str(e) for e in said.pop("events", [])]
    if timing is None and (repeat or events):
        timing = ({"event": events} if events else {}) | ({"repeat": repeat} if repeat else {})
    if timing is not None:
        made["timing"] = timing
    given: Json = {}
    if "dose" in said:
        given["doseQuantity"] = quantity(said.pop("dose"))
    if "rate" in said:
        given["rateQuantity"] = quantity(said.pop("rate"))
    if given:
        made["doseAndRate"] = [given]
    return made | said


def request(medication: Json, ident: str, authored: str, **rest: Any) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "id": ident,
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": medication,
        "subject": subject(),
        "authoredOn": authored,
    } | rest


def drug(said: Json, ident: str) -> Json:
    """A medicine: `{rxnorm: "8640", words: prednisone, authored: .., status: ..}`; more keys as FHIR has them."""
    rest = {
        k: v for k, v in said.items() if k not in SYSTEMS and k not in ("words", "text", "authored", "status", "coding")
    }
    authored = str(said.get("authored", "2026-11-19T09:00:00Z"))
    return request(concept(said), ident, authored, status=said.get("status", "active")) | rest


def administration(day: str, medication: Json, dose: Any, ident: str, reason: Json | None, **rest: Any) -> Json:
    made: Json = {
        "resourceType": "MedicationAdministration",
        "id": ident,
        "status": "completed",
        "medicationCodeableConcept": medication,
        "subject": subject(),
        "effectiveDateTime": day if "T" in day else f"{day}T10:00:00Z",
    }
    if dose != "absent":
        made["dosage"] = {"route": {"coding": [coding("snomed", ROUTES["iv"])]}, "dose": quantity(dose)}
    return made | ({"reasonCode": [reason]} if reason else {}) | rest


def procedure(said: Json, ident: str) -> Json:
    """Done or being done: `{snomed: .., words: plasma exchange, day: 2026-11-10, status: completed}`."""
    made = {
        "resourceType": "Procedure",
        "id": ident,
        "status": said.get("status", "completed"),
        "code": concept(said),
        "subject": subject(),
    }
    return made | ({"performedDateTime": str(said["day"])} if "day" in said else {})


def service_request(said: Json, ident: str) -> Json:
    """Asked for: `{snomed: .., words: thymectomy, category: surgical, day: 2026-12-01, authored: ..}`."""
    made: Json = {
        "resourceType": "ServiceRequest",
        "id": ident,
        "status": said.get("status", "active"),
        "intent": said.get("intent", "order"),
        "code": concept(said),
        "subject": subject(),
        "authoredOn": str(said.get("authored", "2026-11-19T09:00:00Z")),
    }
    category = said.get("category")
    if category:
        codes = [coding("snomed", "387713003", "Surgical procedure")] if category == "surgical" else []
        made["category"] = [{"coding": codes, "text": category} if codes else {"text": category}]
    return made | ({"occurrenceDateTime": str(said["day"])} if "day" in said else {})


def vaccination(said: Json, ident: str) -> Json:
    """`{cvx: "03", words: MMR, day: 2026-11-12}`."""
    made: Json = {
        "resourceType": "Immunization",
        "id": ident,
        "status": said.get("status", "completed"),
        "vaccineCode": concept(said),
        "patient": subject(),
    }
    return made | ({"occurrenceDateTime": str(said["day"])} if "day" in said else {})


def empty_search(kind: str) -> Json:
    """A search that found nothing: it states that the section is empty."""
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 0,
        "link": [{"relation": "self", "url": f"https://ehr.test/fhir/{kind}?patient={PATIENT}"}],
    }


def entry(resource: Json) -> Json:
    if "id" not in resource:
        return {"resource": resource}
    return {"fullUrl": f"https://ehr.test/fhir/{resource['resourceType']}/{resource['id']}", "resource": resource}

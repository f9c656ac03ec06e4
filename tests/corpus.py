"""The corpora of `tests/data`, as bundles."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from functools import lru_cache
from pathlib import Path

import r4
from r4 import Json

DATA = Path(__file__).parent / "data"
HL7, SYNTHEA = DATA / "hl7-r4-examples", DATA / "synthea-r4-100"
WEIGHT, HEIGHT, CREATININE = "29463-7", "8302-2", "38483-4"


def lines(path: Path) -> list[Json]:
    with gzip.open(path, "rt", encoding="utf-8") as held:
        return [json.loads(line) for line in held if line.strip()]


def collection(resources: list[Json]) -> Json:
    return {"resourceType": "Bundle", "type": "collection", "entry": [r4.entry(r) for r in resources]}


@lru_cache(maxsize=1)
def hl7_requests() -> tuple[Json, ...]:
    return tuple(lines(HL7 / "MedicationRequest.ndjson.gz"))


@lru_cache(maxsize=1)
def synthea() -> dict[str, list[Json]]:
    """Every resource of every patient, the patient first; by the patient's id."""
    held: dict[str, list[Json]] = {p["id"]: [p] for p in lines(SYNTHEA / "Patient.ndjson.gz")}
    for path in sorted(SYNTHEA.glob("*.ndjson.gz")):
        if path.name.startswith("Patient."):
            continue
        for resource in lines(path):
            whose = resource.get("subject", resource.get("patient"))["reference"]
            held[whose.removeprefix("Patient/")].append(resource)
    return held


def by_code(resources: list[Json]) -> dict[str, list[Json]]:
    """Observations by LOINC code, oldest first."""
    found: dict[str, list[Json]] = defaultdict(list)
    for resource in resources:
        if resource["resourceType"] == "Observation":
            found[resource["code"]["coding"][0]["code"]].append(resource)
    for of in found.values():
        of.sort(key=lambda o: o["effectiveDateTime"])
    return found


@lru_cache(maxsize=1)
def with_kidney_function(how_many: int = 25) -> tuple[str, ...]:
    """The first patients (by id) with weights, heights and creatinine, weighed before the first creatinine."""
    return tuple(sorted(who for who, held in synthea().items() if _weighed_first(by_code(held))))[:how_many]


def _weighed_first(results: dict[str, list[Json]]) -> bool:
    if not {WEIGHT, HEIGHT, CREATININE} <= results.keys():
        return False
    return bool(results[WEIGHT][0]["effectiveDateTime"] <= results[CREATININE][0]["effectiveDateTime"])

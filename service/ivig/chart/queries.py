"""What the chart is asked for: the queries of the discovery document, which a client runs or we run ourselves.

They keep to what every CDS Hooks 2.0 client can fill, and to the searches that the specification asks services to keep to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import structs

from ivig.chart.templates import fill, lint
from ivig.core.book import Library
from ivig.core.facts.chart import asked_by
from ivig.wire.prefetch import Query
from ivig.wire.remedy import SYSTEMS

__all__ = ["fill", "filled", "for_hook", "lint", "queries", "variant_3"]

_PATIENT = "patient={{context.patientId}}"
# The results, and how many of each at once: a chart of years should fit, and the newest come first.
_RESULTS = {
    "weights": 100,
    "heights": 100,
    "lab-cbc": 200,
    "lab-renal": 200,
    "lab-liver": 200,
    "lab-iga": 100,
    "lab-abo": 50,
    "scales": 200,
}
# A section of the chart counts as sent by the query that asks for its own resources; administrations and plans only add to one.
_SEARCHES = (
    Query("conditions", f"Condition?{_PATIENT}&_count=300", "Condition", 300, "conditions"),
    Query("allergies", f"AllergyIntolerance?{_PATIENT}&_count=200", "AllergyIntolerance", 200, "allergies"),
    Query(
        "medications",
        f"MedicationRequest?{_PATIENT}&_sort=-authoredon&_count=300",
        "MedicationRequest",
        300,
        "medications",
    ),
    Query(  # on a ward dozens are given in a day
        "administrations",
        f"MedicationAdministration?{_PATIENT}&_sort=-effective-time&_count=500",
        "MedicationAdministration",
        500,
    ),
    Query("immunizations", f"Immunization?{_PATIENT}&_sort=-date&_count=200", "Immunization", 200, "immunizations"),
    Query("procedures", f"Procedure?{_PATIENT}&_sort=-date&_count=300", "Procedure", 300, "procedures"),
)
# What is asked for and not yet done: of what was done tell the procedures and results.
_PLANS = Query(
    "plans",
    f"ServiceRequest?{_PATIENT}&status=draft,active,on-hold&_sort=-authored&_count=200",
    "ServiceRequest",
    200,
)
# With what only a client of CDS Hooks 3.0 can fill. Vaccines of earlier years weaken nothing and are weakened by nothing.
DRUGS_OF_DRAFTS = Query(
    "meds",
    "Medication?_id={{context.draftOrders.entry.resource.ofType(MedicationRequest).medication.resolve().id}}",
    "Medication",
)
_SINCE = {"immunizations": "&date=ge{{today() - 1095 days}}"}
_DRAFTED = ("order-select", "order-sign")


def queries(library: Library) -> tuple[Query, ...]:
    """The queries of the contract in its order; between them they ask for every test that has a page."""
    codes: dict[str, list[str]] = {key: [] for key in _RESULTS}
    for test, page in library.pages["tests"].items():
        for system, listed in page["codes"].items():
            codes[asked_by(test)].extend(f"{SYSTEMS[system]}|{row['code']}" for row in listed["list"])
    of = {key: _result(key, codes[key], count) for key, count in _RESULTS.items()}
    return (
        Query("patient", "Patient/{{context.patientId}}", "Patient"),
        Query("encounter", "Encounter/{{context.encounterId}}", "Encounter"),
        of["weights"],
        of["heights"],
        *_SEARCHES,
        *(of[key] for key in ("lab-cbc", "lab-renal", "lab-liver", "lab-iga", "lab-abo", "scales")),
        _PLANS,
    )


def _result(key: str, codes: Sequence[str], count: int) -> Query:
    listed = ",".join(dict.fromkeys(codes))
    return Query(key, f"Observation?{_PATIENT}&code={listed}&_sort=-date&_count={count}", "Observation", count)


def for_hook(asked: Sequence[Query], hook: str) -> tuple[Query, ...]:
    """Those of the queries that a call of this hook can fill."""
    return tuple(q for q in asked if not lint(q.template, hook))


def variant_3(asked: Sequence[Query], hook: str) -> tuple[Query, ...]:
    """The queries as a client of CDS Hooks 3.0 is told them, for this hook. For clients alone that are set to 3.0.

    The drugs that the drafts name by reference come with the call, and nothing that is years too old.
    """
    made = [structs.replace(q, template=q.template + _SINCE.get(q.key, "")) for q in for_hook(asked, hook)]
    return (*made, DRUGS_OF_DRAFTS) if hook in _DRAFTED else tuple(made)


def filled(asked: Sequence[Query], context: Mapping[str, str]) -> tuple[tuple[Query, str], ...]:
    """The queries with their addresses below a FHIR server's base; those that the context cannot fill are left out."""
    found = ((query, fill(query, context)) for query in asked)
    return tuple((query, address) for query, address in found if address is not None)

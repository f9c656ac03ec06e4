"""Charts fetched from a FHIR server that nobody here wrote: the answers hold what the data hold, and nothing else.

Two Synthea patients, with what their set lacks laid over them by us: a stay, drugs given, requests, a score.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import pytest
from msgspec import structs

from corpus import SYNTHEA, lines
from ehr import run
from ivig import outbound
from ivig.chart.fetch import Fetcher, Limits
from ivig.chart.queries import filled, queries
from ivig.wire.decode import Item
from ivig.wire.prefetch import Answer, Query, State
from judged import validator
from medplum import TOKEN, medplum
from r4 import Json

ONE, OTHER = PATIENTS = ("7ba8d35f-3f70-48b9-b711-104374136ac7", "d33efe23-cef9-40e5-a7c0-6d68c1349e51")
QUERIES = queries(validator().library)
OURS = "https://ivig.example.org/fhir/CodeSystem/ivig-observation"


def _about(resource: Json) -> str:
    if resource["resourceType"] == "Patient":
        return str(resource["id"])
    reference: str = (resource.get("subject") or resource.get("patient") or {}).get("reference", "")
    return reference.removeprefix("Patient/")


def _laid_over(patient: str) -> list[Json]:
    """What the Synthea set lacks. Ours."""
    subject = {"reference": f"Patient/{patient}"}
    plan = {
        "resourceType": "ServiceRequest",
        "intent": "order",
        "code": {"text": "plasma exchange"},
        "subject": subject,
    }
    coding = {"system": OURS, "code": "gbs-disability-score"}
    made: list[Json] = [
        {"resourceType": "Encounter", "status": "in-progress", "class": {"code": "IMP"}, "subject": subject},
        {
            "resourceType": "MedicationAdministration",
            "status": "completed",
            "medicationReference": {"reference": "Medication/drug"},
            "subject": subject,
            "effectiveDateTime": "2020-02-01",
        },
        plan | {"status": "active"},
        plan | {"status": "completed"},
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [coding]},
            "subject": subject,
            "effectiveDateTime": "2020-02-01",
            "valueQuantity": {"value": 3, "unit": "{score}"},
        },
    ]
    return [r | {"id": f"ours-{i}-{patient[:8]}"} for i, r in enumerate(made)]


@pytest.fixture(scope="module")
def data() -> list[Json]:
    held = [r for path in sorted(SYNTHEA.glob("*.ndjson.gz")) for r in lines(path) if _about(r) in PATIENTS]
    drug = {"resourceType": "Medication", "id": "drug", "code": {"text": "immune globulin 10%"}}
    return [*held, *(r for p in PATIENTS for r in _laid_over(p)), drug]


@pytest.fixture(scope="module")
def base(data: list[Json]) -> Iterator[str]:
    with medplum(data) as running:
        yield running


def fetched(
    base: str,
    patient: str,
    wanted: Sequence[Query] = QUERIES,
    references: Sequence[str] = (),
    token: str = TOKEN,
    limits: Limits | None = None,
) -> tuple[dict[str, Answer], dict[str, Item]]:
    found: list[tuple[dict[str, Answer], dict[str, Item]]] = []

    async def fetch() -> None:
        at = Fetcher(lambda: outbound.client(private=True, timeout_s=20, most_bytes=50_000_000), 15, limits)
        context = {"patientId": patient, "encounterId": f"ours-0-{patient[:8]}"}
        found.append(await at.gather(filled(wanted, context), base, token, patient, references))
        await at.aclose()

    run(fetch)
    return found[0]


def _codes(query: Query) -> set[str]:
    listed = query.template.partition("code=")[2].partition("&")[0]
    return set(listed.split(",")) if listed else set()


def expected(query: Query, data: list[Json], patient: str) -> set[str]:
    """The ids that the data hold for a query."""
    found = [r for r in data if r["resourceType"] == query.kind and _about(r) == patient]
    if codes := _codes(query):
        found = [r for r in found if codes & {f"{c.get('system')}|{c['code']}" for c in r["code"]["coding"]}]
    if query.key == "plans":
        found = [r for r in found if r["status"] in ("draft", "active", "on-hold")]
    return {r["id"] for r in found}


@pytest.mark.parametrize("patient", PATIENTS)
def test_the_answers_hold_what_the_data_hold(base: str, data: list[Json], patient: str) -> None:
    answers, _ = fetched(base, patient)
    assert list(answers) == [q.key for q in QUERIES]
    for query in QUERIES:
        got = answers[query.key]
        ids = [item.resource.id for item in got.items]
        assert len(ids) == len(set(ids))
        assert set(ids) == expected(query, data, patient), query.key
        assert got.state is (State.HELD if ids else State.EMPTY), (query.key, got.why)
        assert not got.broken
    assert {"patient", "encounter", "weights", "administrations", "scales", "plans"} <= {
        key for key, a in answers.items() if a.state is State.HELD
    }


def test_the_newest_come_first(base: str) -> None:
    answers, _ = fetched(base, ONE)
    days = [item.resource.effectiveDateTime for item in answers["weights"].items]  # type: ignore[attr-defined]
    assert len(days) > 3
    assert days == sorted(days, reverse=True)


def test_pages_are_followed(base: str, data: list[Json]) -> None:
    (query,) = (q for q in QUERIES if q.key == "procedures")
    paged = structs.replace(query, template=query.template.replace(f"_count={query.count}", "_count=30"), count=30)
    got = fetched(base, ONE, (paged,))[0]["procedures"]
    assert (got.state, len(got.items)) == (State.HELD, 70)
    assert {i.resource.id for i in got.items} == expected(query, data, ONE)
    got = fetched(base, ONE, (paged,), limits=Limits(pages=2))[0]["procedures"]
    assert (got.state, got.why, len(got.items)) == (State.PARTIAL, "incomplete", 60)


def test_references_are_read(base: str, data: list[Json]) -> None:
    mine, theirs = (next(iter(expected(q, data, p))) for p in PATIENTS[:2] for q in QUERIES if q.key == "medications")
    asked = [f"MedicationRequest/{mine}", f"{base}/MedicationRequest/{theirs}", "Medication/drug", "Medication/none"]
    answers, items = fetched(base, ONE, (), asked)
    assert set(items) == {f"MedicationRequest/{mine}", "Medication/drug"}
    assert (answers["references"].state, answers["references"].why) == (State.PARTIAL, "another patient")


def test_a_patient_that_is_not_there_has_no_chart(base: str) -> None:
    answers, _ = fetched(base, "nobody")
    assert {a.state for a in answers.values()} == {State.EMPTY}


@pytest.mark.parametrize("patient", [f"{ONE},{OTHER}", f"{ONE}&_count=1", "../Patient/" + ONE])
def test_no_patient_is_read_by_a_trick(base: str, patient: str) -> None:
    answers, _ = fetched(base, patient)
    assert not [item for a in answers.values() for item in a.items]


def test_without_the_token_all_is_refused(base: str) -> None:
    for token in ("", "another"):
        answers, _ = fetched(base, ONE, token=token)
        assert {(a.state, a.why) for a in answers.values()} == {(State.FAILED, "forbidden")}


def test_a_server_that_is_slow_is_cut_off(base: str, data: list[Json]) -> None:
    """What came by the deadline is right, what did not is told as timed out; nothing is in between."""

    async def fetch() -> None:
        at = Fetcher(lambda: outbound.client(private=True, timeout_s=20, most_bytes=50_000_000), 0.15)
        at.open()
        begun = asyncio.get_running_loop().time()
        answers, _ = await at.gather(filled(QUERIES, context), base, TOKEN, ONE)
        assert asyncio.get_running_loop().time() - begun < 0.15 + 0.05
        for query in QUERIES:
            got = answers[query.key]
            if got.state is State.FAILED:
                assert got.why == "timeout"
            else:
                assert {i.resource.id for i in got.items} == expected(query, data, ONE)
        await at.aclose()

    context = {"patientId": ONE, "encounterId": f"ours-0-{ONE[:8]}"}
    run(fetch)

"""Whose data a server sent: what is not proven to be the patient's is left out, in searches and in reads by reference."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ehr import Asked, Ehr, Reply, ehr, run
from fetching import (
    CONTEXT,
    NOTHING,
    QUERIES,
    SLACK_S,
    TOKEN,
    P,
    bundle,
    but,
    chart,
    fetcher,
    gathered,
    names,
    of,
    told,
)
from ivig.chart.fetch import medicines_named
from ivig.chart.queries import filled
from ivig.wire.prefetch import State


@pytest.mark.parametrize(
    "whose",
    [
        None,
        "Patient/p2",
        "Patient/p11",
        "Patient/p1/x",
        "Group/p1",
        "p1",
        "urn:uuid:p1",
        "#p1",
        "https://elsewhere.test/fhir/Patient/p1",
        "xPatient/p1",
        "patient/p1",
        "",
    ],
)
def test_what_is_not_proven_to_be_the_patients_is_left_out(whose: str | None) -> None:
    got = told(
        lambda a: Reply(bundle(of("Observation", "theirs", whose), of("Observation", "mine"))), QUERIES["weights"]
    )
    assert (got.state, got.why, names(got)) == (State.PARTIAL, "another patient", ["mine"])


def test_the_patient_is_meant_by_every_proper_reference() -> None:
    async def fetch() -> None:
        async with ehr(lambda a: Reply(body)) as server:
            said = [
                "Patient/p1",
                f"{server.base}/Patient/p1",
                "Patient/p1/_history/3",
                f"{server.base}/Patient/p1/_history/3",
            ]
            body.update(bundle(*(of("Observation", f"x{i}", s) for i, s in enumerate(said))))
            at = fetcher()
            answers, _ = await at.gather(filled((QUERIES["weights"],), CONTEXT), server.base, TOKEN, P)
            assert (answers["weights"].state, len(answers["weights"].items)) == (State.HELD, 4)
            await at.aclose()

    body: dict[str, Any] = {}
    run(fetch)


def test_a_server_that_ignores_the_patient_mixes_nobody() -> None:
    """Every kind, by whichever element names its patient."""

    def everyones(asked: Asked) -> Reply:
        kind, _, name = asked.path.partition("/")
        if kind == "Patient":
            return Reply({"resourceType": "Patient", "id": "p2"})
        if name:
            return Reply(of(kind, name, "Patient/p2"))
        return Reply(bundle(of(kind, "x1", "Patient/p2"), of(kind, "x2", "Patient/p3")))

    answers, _ = gathered(everyones)
    assert not [i for a in answers.values() for i in a.items]
    assert {a.why for a in answers.values()} == {"another patient"}
    assert {answers["patient"].state, answers["encounter"].state} == {State.FAILED}
    assert {a.state for k, a in answers.items() if k not in ("patient", "encounter")} == {State.PARTIAL}


def test_included_resources_come_along_and_are_nobodys() -> None:
    drug = {"resourceType": "Medication", "id": "d1"}
    author = {"resourceType": "Practitioner", "id": "a1"}
    got = told(lambda a: Reply(bundle(of("MedicationRequest", "m1"), drug, author)), QUERIES["medications"])
    assert (got.state, names(got)) == (State.HELD, ["m1", "d1"])


def test_an_included_stranger_is_left_out() -> None:
    other = {"resourceType": "Patient", "id": "p2"}
    got = told(lambda a: Reply(bundle(of("Condition", "c1"), other)), QUERIES["conditions"])
    assert (got.state, names(got)) == (State.PARTIAL, ["c1"])


def test_a_read_that_gives_another_resource_is_none() -> None:
    got = told(lambda a: Reply(of("Encounter", "e2")), QUERIES["encounter"])
    assert (got.state, got.why, got.items) == (State.FAILED, "another patient", ())


def test_resources_are_read_by_reference() -> None:
    drug, order, stay = "Medication/d1", "BASE/MedicationRequest/m1", "Encounter/e1"

    def reads(asked: Asked) -> Reply:
        kind, _, name = asked.path.partition("/")
        return Reply(of(kind, name, None if kind == "Medication" else f"Patient/{P}"))

    answers, items = gathered(reads, (), (drug, order, stay, drug))
    assert sorted(i.resource.id for i in items.values()) == ["d1", "e1", "m1"]
    assert set(items) >= {drug, stay}
    assert len({i.path for i in items.values()}) == 3
    assert answers["references"].state is State.HELD


def test_another_patients_order_is_not_had() -> None:
    answers, items = gathered(
        lambda a: Reply(of("MedicationRequest", "m1", "Patient/p2")), (), ("MedicationRequest/m1",)
    )
    assert not items
    assert (answers["references"].state, answers["references"].why) == (State.FAILED, "another patient")


def test_another_order_than_the_one_asked_for_is_not_had() -> None:
    _, items = gathered(lambda a: Reply(of("MedicationRequest", "m2")), (), ("MedicationRequest/m1",))
    assert not items


@pytest.mark.parametrize(
    "reference",
    [
        "Practitioner/a1",
        "Patient/p1",
        "MedicationRequest",
        "MedicationRequest/",
        "MedicationRequest/..",
        "MedicationRequest/../Patient/p2",
        "MedicationRequest/m1/$apply",
        "https://elsewhere.test/fhir/MedicationRequest/m1",
        "urn:uuid:1",
        "#m1",
        "",
    ],
)
def test_a_reference_to_anything_else_is_not_asked_for(reference: str) -> None:
    def look(server: Ehr, took: float) -> None:
        assert not server.asked

    answers, items = gathered(chart, (), (reference,), look=look)
    assert not items
    assert answers["references"].state is State.FAILED


def test_one_slow_reference_does_not_hold_the_others_up() -> None:
    slow = but(lambda a: a.path.endswith("m2"), Reply(NOTHING, after=5))
    answers, items = gathered(slow, ("patient",), ("MedicationRequest/m1", "MedicationRequest/m2"))
    assert list(items) == ["MedicationRequest/m1"]
    assert answers["patient"].state is State.HELD
    assert (answers["references"].state, answers["references"].why) == (State.PARTIAL, "timeout")


def test_a_reference_that_is_gone_is_gone() -> None:
    answers, items = gathered(lambda a: Reply(b"", 410), (), ("MedicationRequest/m1",))
    assert (items, answers["references"].state) == ({}, State.EMPTY)


def test_medicines_that_are_named_are_read_in_the_time_that_is_left() -> None:
    """A second round, for what the first one names: what it holds already and what is contained is not asked for again."""

    def drugs(asked: Asked) -> Reply:
        kind, _, name = asked.path.partition("/")
        if kind == "Medication":
            return Reply({"resourceType": kind, "id": name}, after=5 if name == "slow" else 0)
        named = [
            {"medicationReference": {"reference": r}}
            for r in ("Medication/d1", "Medication/d2", "#c", "Medication/slow")
        ]
        newer = [
            {"medication": {"reference": {"reference": "Medication/d1"}}},
            {"medicationCodeableConcept": {"text": "x"}},
        ]
        made = [of("MedicationRequest", f"m{i}", **more) for i, more in enumerate((*named, *newer))]
        return Reply(bundle(*made, {"resourceType": "Medication", "id": "d2"}))

    async def fetch() -> None:
        async with ehr(drugs) as server:
            at, clock = fetcher(5), asyncio.get_running_loop()
            begun = clock.time()
            answers, _ = await at.gather(filled((QUERIES["medications"],), CONTEXT), server.base, TOKEN, P)
            named = medicines_named(answers["medications"].items)
            assert named == ("Medication/d1", "Medication/slow")
            answers, items = await at.gather((), server.base, TOKEN, P, named, until=begun + 0.3)
            assert list(items) == ["Medication/d1"]
            assert answers["references"].why == "timeout"
            answers, items = await at.gather((), server.base, TOKEN, P, named, until=begun)
            assert (items, answers["references"].why) == ({}, "timeout")
            assert clock.time() - begun < 0.3 + SLACK_S
            await at.aclose()

    run(fetch)

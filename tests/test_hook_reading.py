"""The body of a call, read: what is required, what is tolerated, and what becomes of each key of its prefetch."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hooked import asked, call, searchset
from ivig.wire import shapes
from ivig.wire.hook import read_call
from ivig.wire.hook_evidence import evidence, requests_of
from ivig.wire.hook_orders import orders_to_judge
from ivig.wire.prefetch import State
from ivig.wire.tolerant import Unreadable
from judged import NOON, validator
from r4 import Json

PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01", "gender": "female"}


def draft(**more: Any) -> Json:
    order: Json = {
        "resourceType": "MedicationRequest",
        "id": "o",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"text": "Privigen 10%"},
    }
    return {k: v for k, v in (order | more).items() if v is not None}


def reading(body: Json | bytes) -> Any:
    return read_call(body if isinstance(body, bytes) else json.dumps(body).encode(), asked())


def ordered(body: Json) -> list[str]:
    found = reading(body)
    return [o.item.path for o in orders_to_judge(found, (), validator().library.lexicon)]


@pytest.mark.parametrize("lacking", ["hook", "hookInstance", "context"])
def test_what_every_call_needs_is_asked_for_by_name(lacking: str) -> None:
    body = call([draft()], {"patient": PATIENT}, "p")
    del body[lacking]
    with pytest.raises(Unreadable) as fault:
        reading(body)
    assert fault.value.place == lacking


@pytest.mark.parametrize(
    ("hook", "lacking"),
    [
        ("order-sign", "userId"),
        ("order-sign", "patientId"),
        ("order-sign", "draftOrders"),
        ("order-select", "selections"),
        ("order-dispatch", "dispatchedOrders"),
        ("order-dispatch", "performer"),
    ],
)
@pytest.mark.parametrize("how", ["absent", "null"])
def test_what_a_hook_needs_is_asked_for_by_name(hook: str, lacking: str, how: str) -> None:
    body = call([draft()], {}, "p", hook, dispatchedOrders=["MedicationRequest/o"], performer="Organization/x")
    if how == "null":
        body["context"][lacking] = None
    else:
        body["context"].pop(lacking)
    with pytest.raises(Unreadable) as fault:
        reading(body)
    assert fault.value.place == f"context.{lacking}"


def test_authorization_needs_the_server_it_is_for() -> None:
    body = call([draft()], {}, "p") | {"fhirAuthorization": {"access_token": "t", "token_type": "Bearer"}}
    with pytest.raises(Unreadable, match="fhirServer"):
        reading(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b'"order-sign"',
        b"\xff\xfe",
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"hook": 7}',
        b'{"hook": "order-sign", "hookInstance": "x", "context": []}',
        b'{"hook": "order-sign", "hookInstance": "x", "context": {"patientId": 7}}',
        b'{"hook": "order-sign", "hookInstance": "x", "context": {"patientId": "p", "draftOrders": {"resourceType": "Patient"}}}',
        b'{"hook": "order-sign", "hookInstance": "x", "context": {"patientId": "p", "draftOrders": {"entry": 7}}}',
        b'{"hook": "order-sign", "hookInstance": "x", "prefetch": [], "context": {"patientId": "p"}}',
    ],
)
def test_what_is_no_call_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable):
        reading(body)


def test_a_later_version_s_elements_and_a_bundle_without_type_are_no_fault() -> None:
    body = call([draft()], {"patient": PATIENT}, "p")
    body |= {"extension": {"org.example": {"a": [1]}}, "somethingNew": {"deep": [[{}]]}}
    del body["context"]["draftOrders"]["type"]
    assert ordered(body) == ["context.draftOrders.entry[0].resource"]


STATES = {
    "absent": (..., State.ABSENT, ""),
    "null": (None, State.EMPTY, ""),
    "no entries": (searchset([]), State.EMPTY, ""),
    "held": (searchset([{"resourceType": "Condition", "id": "c"}]), State.HELD, ""),
    "an outcome": (
        {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]},
        State.FAILED,
        "timeout",
    ),
    "paged": (
        searchset([{"resourceType": "Condition"}]) | {"link": [{"relation": "next", "url": "https://x.example/n"}]},
        State.PARTIAL,
        "incomplete",
    ),
    "another type": ({"resourceType": "Patient", "id": "p"}, State.FAILED, "wrong type"),
    "a page of HTML": ("<html>busy</html>", State.FAILED, "wrong type"),
    "a number": (7, State.FAILED, "wrong type"),
    "a list": ([searchset([])], State.FAILED, "wrong type"),
    "no resource": ({"error": "busy"}, State.FAILED, "wrong type"),
}


@pytest.mark.parametrize("name", STATES)
def test_each_state_of_a_prefetch_key_is_kept_apart(name: str) -> None:
    value, state, why = STATES[name]
    prefetch = {"patient": PATIENT} | ({} if value is ... else {"conditions": value})
    found = reading(call([draft()], prefetch, "p"))
    answer = found.prefetch.get("conditions")
    assert (answer.state if answer else State.ABSENT) == state
    assert (answer.why if answer else "") == why
    _, told = evidence(found, found.prefetch, asked(), (), frozenset(), frozenset(), NOON, NOON.tzinfo)
    assert ("conditions" in told.sections) == (state in (State.EMPTY, State.HELD, State.PARTIAL))
    assert [key for key, _ in told.unavailable] == (["conditions"] if state in (State.FAILED, State.PARTIAL) else [])


def test_a_broken_key_does_not_take_the_others_with_it() -> None:
    found = reading(call([draft(dosageInstruction="slowly")], {"patient": PATIENT, "weights": 7, "heights": None}, "p"))
    assert found.prefetch["weights"].state == State.FAILED
    assert found.prefetch["heights"].state == State.EMPTY
    assert found.prefetch["patient"].state == State.HELD
    assert [o.item.path for o in orders_to_judge(found, (), validator().library.lexicon)]


def test_a_key_that_nobody_asked_for_is_not_read() -> None:
    found = reading(call([draft()], {"patient": PATIENT, "observations": searchset([PATIENT]), "x": "<html>"}, "p"))
    assert set(found.prefetch) == {"patient"}
    assert found.broken == ()


@pytest.mark.parametrize("status", ["draft", "active", "on-hold", "unknown", None, "nonsense"])
def test_every_order_of_a_hook_is_judged(status: str | None) -> None:
    assert len(ordered(call([draft(status=status)], {}, "p"))) == 1


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "stopped", "completed"])
def test_but_not_what_is_over_or_never_was(status: str) -> None:
    assert ordered(call([draft(status=status)], {}, "p")) == []


def test_an_order_without_intent_is_judged() -> None:
    assert len(ordered(call([draft(intent=None)], {}, "p"))) == 1


def test_other_medicines_are_not_our_business() -> None:
    assert ordered(call([draft(medicationCodeableConcept={"text": "Aspirin 81 mg"})], {}, "p")) == []


def test_at_order_select_only_what_is_selected() -> None:
    body = call([draft(), draft(id="other")], {}, "p", "order-select")
    body["context"]["selections"] = ["MedicationRequest/other"]
    assert ordered(body) == ["context.draftOrders.entry[1].resource"]


def test_at_order_dispatch_what_is_named_wherever_it_came_from() -> None:
    prefetch = {"patient": PATIENT, "medications": searchset([draft(id="a", status="active"), draft(id="b")])}
    body = call(
        [], prefetch, "p", "order-dispatch", dispatchedOrders=["MedicationRequest/a"], performer="Organization/x"
    )
    del body["context"]["draftOrders"]
    assert ordered(body) == ["prefetch.medications.entry[0].resource"]


def test_ids_longer_than_fhir_allows_are_taken() -> None:
    name = "e" * 90
    body = call([draft(id=name)], {}, "p", "order-select")
    assert len(ordered(body)) == 1


def test_what_is_on_record_of_an_edited_order_gives_way_to_the_draft() -> None:
    prefetch = {
        "patient": PATIENT,
        "medications": searchset([draft(status="active"), draft(id="older", status="completed")]),
    }
    found = reading(call([draft()], prefetch, "p"))
    decoded, _ = evidence(found, found.prefetch, asked(), (), frozenset(), frozenset(), NOON, NOON.tzinfo)
    held = [i.path for i in decoded.items if isinstance(i.resource, shapes.MedicationRequest)]
    assert held == ["context.draftOrders.entry[0].resource", "prefetch.medications.entry[1].resource"]


@pytest.mark.parametrize("given", [None, {"resourceType": "Patient", "id": "q", "birthDate": "1990-01-01"}])
def test_another_patient_s_record_is_never_used(given: Json | None) -> None:
    found = reading(call([draft()], {"patient": given}, "p"))
    decoded, told = evidence(found, found.prefetch, asked(), (), frozenset(), frozenset(), NOON, NOON.tzinfo)
    (patient,) = (i.resource for i in decoded.items if isinstance(i.resource, shapes.Patient))
    assert (patient.id, patient.birthDate) == ("p", "")
    assert told.unavailable == ((("patient", "another patient"),) if given else ())


def test_a_call_never_shows_its_token_or_patient() -> None:
    body = call([draft()], {"patient": PATIENT}, "secret-patient") | {
        "fhirServer": "https://fhir.example",
        "fhirAuthorization": {"access_token": "secret-token", "token_type": "Bearer"},
    }
    found = reading(body)
    assert found.token == "secret-token"
    assert "secret" not in f"{found!r} {found}"


def test_the_order_comes_back_as_it_was_written() -> None:
    body = b'{"context": {"draftOrders": {"entry": [{"resource": {"a": 0.10}}]}}}'
    found = requests_of(body)("context.draftOrders.entry[0].resource")
    assert str(found["a"]) == "0.10"
    assert requests_of(body)("context.draftOrders.entry[1].resource") == {}
    assert requests_of(body)("MedicationRequest/elsewhere") == {}

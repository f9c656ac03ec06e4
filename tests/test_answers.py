"""What came for a query, in every shape a client or a server may give it: how much of it is relied on."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from ivig.wire import shapes
from ivig.wire.answers import answer, answer_of
from ivig.wire.prefetch import Answer, Query, State

WEIGHTS = Query("weights", "Observation?patient={{context.patientId}}&_count=3", "Observation", 3)
DRUGS = Query("medications", "MedicationRequest?patient={{context.patientId}}&_count=3", "MedicationRequest", 3)
PATIENT = Query("patient", "Patient/{{context.patientId}}", "Patient")
NEXT = {"relation": "next", "url": "https://ehr.test/fhir?page=2"}
WEIGHT = {"resourceType": "Observation", "id": "w1", "valueQuantity": {"value": 70.10, "unit": "kg"}}
ADA = {"resourceType": "Patient", "id": "p1", "birthDate": "1980-01-01"}


def issue(severity: str, code: str = "processing") -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code, "diagnostics": "Ada"}]}


def bundle(*resources: Any, **more: Any) -> dict[str, Any]:
    entries = [{"fullUrl": f"https://ehr.test/fhir/X/{i}", "resource": r} for i, r in enumerate(resources)]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **more}


def told(query: Query, value: Any, **how: Any) -> Answer:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return answer(query, body, f"prefetch.{query.key}", **how)


SEARCHES = {
    "null": (None, State.EMPTY, ""),
    "an empty bundle": ({"resourceType": "Bundle", "type": "searchset"}, State.EMPTY, ""),
    "an empty bundle with total 0": (bundle(total=0), State.EMPTY, ""),
    "an empty bundle of a server that remarks on it": (bundle(issue("information")), State.EMPTY, ""),
    "an empty bundle that has a further page": (bundle(link=[NEXT]), State.PARTIAL, "incomplete"),
    "an empty bundle that says how many there are": (bundle(total=7), State.PARTIAL, "incomplete"),
    "one weight": (bundle(WEIGHT), State.HELD, ""),
    "one weight of one": (bundle(WEIGHT, total=1), State.HELD, ""),
    "one weight of five": (bundle(WEIGHT, total=5), State.PARTIAL, "incomplete"),
    "a remark beside it": (bundle(WEIGHT, issue("information")), State.HELD, ""),
    "a warning beside it": (bundle(WEIGHT, issue("warning")), State.PARTIAL, "incomplete"),
    "an error beside it": (bundle(WEIGHT, issue("error")), State.PARTIAL, "incomplete"),
    "an issue of no known severity beside it": (bundle(WEIGHT, issue("grave")), State.PARTIAL, "incomplete"),
    "an outcome without issues beside it": (
        bundle(WEIGHT, {"resourceType": "OperationOutcome"}),
        State.PARTIAL,
        "incomplete",
    ),
    "a timeout beside it": (bundle(WEIGHT, issue("error", "timeout")), State.PARTIAL, "timeout"),
    "a further page": (bundle(WEIGHT, link=[NEXT]), State.PARTIAL, "incomplete"),
    "a further page without an address": (bundle(WEIGHT, link=[{"relation": "next"}]), State.PARTIAL, "incomplete"),
    "as many as asked for at once": (bundle(WEIGHT, WEIGHT, WEIGHT), State.PARTIAL, "incomplete"),
    "as many as the client asked for at once": (
        bundle(WEIGHT, link=[{"relation": "self", "url": "Observation?patient=p1&_count=1&_sort=-date"}]),
        State.PARTIAL,
        "incomplete",
    ),
    "an entry without a resource": (bundle(WEIGHT, None), State.PARTIAL, "incomplete"),
    "an entry that is no resource": (bundle(WEIGHT, {"id": "?"}), State.PARTIAL, "incomplete"),
    "only entries without a resource": (bundle(None), State.FAILED, "incomplete"),
    "only an error": (bundle(issue("error")), State.FAILED, "error"),
    "only a refusal": (bundle(issue("error", "forbidden")), State.FAILED, "forbidden"),
    "entries of another type": (bundle(ADA, {"resourceType": "Condition"}), State.FAILED, "wrong type"),
    "an outcome": (issue("error", "exception"), State.FAILED, "error"),
    "an outcome of refusal": (issue("error", "security"), State.FAILED, "forbidden"),
    "an outcome of a slow server": (issue("fatal", "timeout"), State.FAILED, "timeout"),
    "an outcome of a busy server": (issue("error", "throttled"), State.FAILED, "too many requests"),
    "an outcome that only remarks": (issue("information"), State.FAILED, "incomplete"),
    "one resource in the place of a bundle": (WEIGHT, State.PARTIAL, "incomplete"),
    "a resource of another type": (ADA, State.FAILED, "wrong type"),
    "a type FHIR does not have": ({"resourceType": "Weight"}, State.FAILED, "wrong type"),
    "an object": ({}, State.FAILED, "wrong type"),
    "a string": ("Observation", State.FAILED, "wrong type"),
    "a number": (7, State.FAILED, "wrong type"),
    "false": (False, State.FAILED, "wrong type"),
    "an array": ([WEIGHT], State.FAILED, "wrong type"),
    "a page of HTML": (b"<!doctype html><p>Sign in", State.FAILED, "not readable"),
    "nothing": (b"", State.FAILED, "not readable"),
    "cut off": (json.dumps(bundle(WEIGHT)).encode()[:-9], State.FAILED, "not readable"),
    "no UTF-8": (b'{"resourceType": "Bundle", "id": "\xff"}', State.FAILED, "not readable"),
    "nested without end": (b'{"resourceType":"Bundle","x":' + b"[" * 100_000, State.FAILED, "not readable"),
    "nested deep": (
        b'{"resourceType":"Bundle","entry":7,"x":' + b"[" * 300 + b"]" * 300 + b"}",
        State.FAILED,
        "not readable",
    ),
}
READS = {
    "null": (None, State.EMPTY, ""),
    "the patient": (ADA, State.HELD, ""),
    "a searchset with the patient": (bundle(ADA), State.HELD, ""),
    "a searchset with the patient and a remark": (bundle(ADA, issue("information"), total=1), State.HELD, ""),
    "an empty searchset": (bundle(), State.EMPTY, ""),
    "a searchset with two": (bundle(ADA, {**ADA, "id": "p2"}), State.FAILED, "wrong type"),
    "a searchset with another type": (bundle(WEIGHT), State.FAILED, "wrong type"),
    "a searchset that failed": (bundle(issue("error", "login")), State.FAILED, "forbidden"),
    "another type": (WEIGHT, State.FAILED, "wrong type"),
    "an outcome": (issue("error", "not-found"), State.FAILED, "not found"),
    "a string": ("Patient/p1", State.FAILED, "wrong type"),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_is_relied_on_as_far_as_it_goes(name: str) -> None:
    value, state, why = SEARCHES[name]
    got = told(WEIGHTS, value)
    assert (got.state, got.why) == (state, why)
    assert (got.key, got.fetched) == ("weights", False)


@pytest.mark.parametrize("name", READS)
def test_a_read_is_relied_on_as_far_as_it_goes(name: str) -> None:
    value, state, why = READS[name]
    got = told(PATIENT, value)
    assert (got.state, got.why) == (state, why)
    assert bool(got.items) == (state is State.HELD)


@pytest.mark.parametrize("name", [n for n, (value, _, _) in SEARCHES.items() if not isinstance(value, bytes)])
def test_a_decoded_shape_gives_the_answer_of_its_bytes(name: str) -> None:
    value = SEARCHES[name][0]
    try:
        shape = msgspec.convert(value, shapes.AnyOrBundle | None, strict=True)
    except msgspec.ValidationError:
        return  # only the tolerant reading takes it, and that starts from bytes
    by_bytes, by_shape = told(WEIGHTS, value), answer_of(WEIGHTS, shape, "prefetch.weights")
    assert (by_shape.state, by_shape.why, by_shape.more) == (by_bytes.state, by_bytes.why, by_bytes.more)
    assert [(i.path, i.url) for i in by_shape.items] == [(i.path, i.url) for i in by_bytes.items]


def test_resources_keep_their_place_their_address_and_their_decimals() -> None:
    got = told(
        WEIGHTS,
        b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"OperationOutcome","issue":'
        b'[{"severity":"information"}]}},{"fullUrl":"https://ehr.test/fhir/Observation/w1","resource":'
        b'{"resourceType":"Observation","valueQuantity":{"value":70.10}}}]}',
    )
    (item,) = got.items
    assert (item.path, item.url) == ("prefetch.weights.entry[1].resource", "https://ehr.test/fhir/Observation/w1")
    assert isinstance(item.resource, shapes.Observation)
    assert item.resource.valueQuantity is not None
    assert bytes(item.resource.valueQuantity.value) == b"70.10"
    assert told(PATIENT, ADA).items[0].path == "prefetch.patient"


def test_included_resources_are_kept_and_not_counted() -> None:
    drug = {"resourceType": "MedicationRequest", "id": "m1"}
    got = told(DRUGS, bundle(drug, drug, {"resourceType": "Medication", "id": "d"}, {"resourceType": "Medication"}))
    assert (got.state, len(got.items)) == (State.HELD, 4)


def test_an_element_that_does_not_fit_is_dropped_and_told() -> None:
    odd = {"resourceType": "Observation", "id": "w2", "status": 7, "valueQuantity": {"value": "70", "unit": "kg"}}
    got = told(WEIGHTS, bundle(WEIGHT, odd))
    assert (got.state, len(got.items)) == (State.HELD, 2)
    assert {b.path for b in got.broken} == {
        "prefetch.weights.entry[1].resource.status",
        "prefetch.weights.entry[1].resource.valueQuantity.value",
    }
    assert not told(WEIGHTS, bundle(WEIGHT)).broken


def test_no_word_of_an_outcome_goes_into_the_reason() -> None:
    assert "Ada" not in told(WEIGHTS, issue("error", "Ada Example")).why


def test_who_follows_the_pages_is_told_of_each_by_itself() -> None:
    """With the pages before it counted, a full page is complete when the total says so, and a page with a next one is in order."""
    first = told(WEIGHTS, bundle(WEIGHT, WEIGHT, WEIGHT, link=[NEXT], total=6), fetched=True, before=0)
    assert (first.state, first.more, first.fetched) == (State.HELD, NEXT["url"], True)
    assert told(WEIGHTS, bundle(WEIGHT, WEIGHT, WEIGHT, total=6), before=3).state is State.HELD
    assert told(WEIGHTS, bundle(WEIGHT, WEIGHT, WEIGHT), before=3).state is State.PARTIAL
    assert told(WEIGHTS, bundle(WEIGHT, total=6), before=3).state is State.PARTIAL
    assert told(WEIGHTS, bundle(WEIGHT, issue("error"), link=[NEXT]), before=0).state is State.PARTIAL

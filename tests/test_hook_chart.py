"""What a call needs, gathered: what is fetched and what is not, in which order, and when the call is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from hooked import asked, call, searchset
from ivig.entrypoints.hook_chart import ChartGatherer, Gathered
from ivig.entrypoints.operation import Refused
from ivig.outbound import AllowList
from ivig.wire import shapes
from ivig.wire.decode import Item
from ivig.wire.hook import read_call
from ivig.wire.prefetch import REFERENCES, Answer, Query, State
from judged import validator
from r4 import Json

SERVER = "https://ehr.test/fhir"
PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01", "gender": "female"}
PRIVIGEN = shapes.Medication(id="m", code=shapes.CodeableConcept(text="Privigen 10%"))
ASPIRIN = shapes.Medication(id="m", code=shapes.CodeableConcept(text="Aspirin 81 mg"))


def draft(**more: Any) -> Json:
    order: Json = {"resourceType": "MedicationRequest", "id": "o", "status": "draft", "intent": "order"}
    order |= {"subject": {"reference": "Patient/p"}, "medicationCodeableConcept": {"text": "Privigen 10%"}}
    return {k: v for k, v in (order | more).items() if v is not None}


def named(display: str | None = None) -> Json:
    return draft(
        medicationCodeableConcept=None,
        medicationReference={"reference": "Medication/m"} | ({"display": display} if display else {}),
    )


class Server:
    """Stands for the fetching: what it has, and what it was asked for."""

    def __init__(self, **has: Any) -> None:
        self.has, self.asked = has, list[list[str]]()

    async def gather(
        self,
        wanted: Sequence[tuple[Query, str]],
        base: str,
        token: str,
        patient: str,
        references: Sequence[str] = (),
        within_s: float | None = None,
    ) -> tuple[dict[str, Answer], dict[str, Item]]:
        self.asked.append([q.key for q, _ in wanted] + list(references))
        told = {q.key: self.has.get(q.key, Answer(q.key, State.EMPTY, fetched=True)) for q, _ in wanted}
        found = {r: Item(f"fetched.{r}", "", self.has[r]) for r in references if r in self.has}
        if references and len(found) < len(references):
            told[REFERENCES] = Answer(REFERENCES, State.FAILED, "timeout", fetched=True)
        return told, found


def gathered(body: Json, server: Server | None = None, allowed: Sequence[str] = (SERVER,)) -> Gathered:
    if server is not None:
        body = body | {"fhirServer": SERVER}
    gatherer = ChartGatherer(asked(), validator().library.lexicon, server, 0.4)  # type: ignore[arg-type]
    found = read_call(json.dumps(body).encode(), asked())
    return asyncio.run(gatherer.gather(found, AllowList(allowed)))


def test_all_that_was_not_sent_is_fetched_at_once() -> None:
    patient = Answer("patient", State.HELD, items=(Item("fetched.patient", "", shapes.Patient(id="p")),))
    server = Server(patient=patient)
    found = gathered(call([draft()], {"weights": None, "allergies": searchset([])}, "p", encounterId="e"), server)
    (keys,) = server.asked
    assert set(keys) == {q.key for q in asked()} - {"weights", "allergies"}
    assert found.answers["weights"].state == State.EMPTY


def test_what_no_context_fills_is_not_fetched() -> None:
    server = Server(patient=Answer("patient", State.EMPTY))
    gathered(call([draft()], {}, "p"), server)
    assert "encounter" not in server.asked[0]


def test_what_the_client_tried_in_vain_is_not_tried_again() -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    server = Server()
    found = gathered(call([draft()], {"patient": PATIENT, "allergies": outcome}, "p"), server)
    assert "allergies" not in server.asked[0]
    assert found.answers["allergies"].state == State.FAILED


@pytest.mark.parametrize("state", [State.HELD, State.FAILED, State.EMPTY, State.PARTIAL])
def test_a_page_alone_is_asked_for_again_and_never_lost(state: State) -> None:
    page = searchset([{"resourceType": "Condition", "id": "one"}]) | {"link": [{"relation": "next", "url": "x"}]}
    whole = tuple(Item(f"fetched.{n}", "", shapes.Condition(id=n)) for n in ("one", "two"))
    items = whole if state in (State.HELD, State.PARTIAL) else ()
    server = Server(conditions=Answer("conditions", state, "timeout", items))
    found = gathered(call([draft()], {"patient": PATIENT, "conditions": page}, "p"), server)
    assert "conditions" in server.asked[0]
    expected = (state, 2) if items else (State.PARTIAL, 1)
    assert (found.answers["conditions"].state, len(found.answers["conditions"].items)) == expected


@pytest.mark.parametrize("allowed", [(), ("https://elsewhere.test/fhir",), ("https://ehr.test/fhi",)])
def test_a_server_that_is_on_no_list_is_not_asked(allowed: Sequence[str]) -> None:
    server = Server()
    gathered(call([draft()], {"patient": PATIENT}, "p"), server, allowed)
    assert server.asked == []
    with pytest.raises(Refused) as refused:
        gathered(call([draft()], {}, "p"), server, allowed)
    assert refused.value.status == 412


def test_nobody_gave_the_patient() -> None:
    with pytest.raises(Refused) as refused:
        gathered(call([draft()], {"weights": None}, "p"))
    assert (refused.value.status, refused.value.place) == (412, "prefetch.patient")


@pytest.mark.parametrize("given", [None, {"resourceType": "OperationOutcome", "issue": []}, PATIENT])
def test_a_patient_who_was_looked_for_is_never_412(given: Json | None) -> None:
    assert gathered(call([draft()], {"patient": given}, "p")).orders


def test_a_patient_who_does_not_come_in_time_is_not_known_and_never_412() -> None:
    found = gathered(call([draft()], {}, "p"), Server(patient=Answer("patient", State.FAILED, "timeout")))
    assert found.answers["patient"].why == "timeout"


@pytest.mark.parametrize("order", [draft(medicationCodeableConcept={"text": "Aspirin"}), named("Aspirin 81 mg")])
def test_for_other_orders_nothing_is_fetched_and_no_patient_needed(order: Json) -> None:
    server = Server()
    assert gathered(call([order], {}, "p"), server).orders == ()
    assert server.asked == []


def test_a_drug_that_only_its_reference_names_is_looked_up_first() -> None:
    server = Server(**{"Medication/m": ASPIRIN})
    assert gathered(call([named()], {}, "p"), server).orders == ()
    assert server.asked == [["Medication/m"]]
    server = Server(**{"Medication/m": PRIVIGEN})
    found = gathered(call([named()], {"patient": PATIENT}, "p"), server)
    assert [o.immune_globulin for o in found.orders] == [True]
    assert len(server.asked) == 2
    assert [i.resource for i in found.more] == [PRIVIGEN]


def test_a_drug_that_could_not_be_looked_up_is_not_passed_over() -> None:
    found = gathered(call([named()], {"patient": PATIENT}, "p"), Server())
    assert [o.immune_globulin for o in found.orders] == [None]
    assert found.answers[REFERENCES].why == "timeout"


def test_without_a_server_to_ask_it_is_passed_over_with_a_note() -> None:
    found = gathered(call([named(), draft(id="x", medicationCodeableConcept=None, intent=None)], {}, "p"))
    assert found.orders == ()
    assert len(found.nameless) == 2


def test_a_drug_whose_name_says_immune_globulin_is_fetched_beside_the_chart() -> None:
    server = Server(**{"Medication/m": PRIVIGEN})
    found = gathered(call([named("Privigen 10 % solution")], {"patient": PATIENT}, "p"), server)
    assert len(server.asked) == 1
    assert "Medication/m" in server.asked[0]
    assert [i.resource for i in found.more] == [PRIVIGEN]


def dispatch(prefetch: Json, *references: str) -> Json:
    body = call([], prefetch, "p", "order-dispatch", dispatchedOrders=list(references), performer="Organization/x")
    del body["context"]["draftOrders"], body["context"]["userId"]
    return body


def test_dispatched_orders_are_fetched_where_they_did_not_come() -> None:
    order = shapes.MedicationRequest(
        id="a",
        status="active",
        subject=shapes.Reference(reference="Patient/p"),
        medicationCodeableConcept=shapes.CodeableConcept(text="Privigen 10%"),
    )
    server = Server(**{"MedicationRequest/a": order})
    found = gathered(dispatch({"patient": PATIENT}, "MedicationRequest/a"), server)
    assert server.asked[0] == ["MedicationRequest/a"]
    assert [o.item.path for o in found.orders] == ["fetched.MedicationRequest/a"]


@pytest.mark.parametrize("server", [None, Server()])
def test_dispatched_orders_that_cannot_be_had_are_412(server: Server | None) -> None:
    with pytest.raises(Refused) as refused:
        gathered(dispatch({"patient": PATIENT}, "MedicationRequest/a"), server)
    assert (refused.value.status, refused.value.place) == (412, "context.dispatchedOrders")


def test_what_else_is_dispatched_is_not_our_business() -> None:
    assert gathered(dispatch({}, "ServiceRequest/a"), Server()).orders == ()

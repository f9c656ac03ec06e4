"""What others send and answer: every call of theirs has an answer from ours, and the checks see what is wrong with each document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ivig
from doors import SERVICE, TestClient, posted, served
from ivig.entrypoints.conformance import answers, documents
from ivig.entrypoints.conformance.checks import Ledger
from ivig.entrypoints.conformance.demands import DOCUMENTS
from r4 import Json

FOLDER = Path(__file__).parent / "data/cds-hooks"
BODIES: dict[str, Any] = {
    path.relative_to(FOLDER).as_posix(): json.loads(path.read_bytes()) for path in sorted(FOLDER.rglob("*.json"))
}
CALLS = {name: body for name, body in BODIES.items() if isinstance(body, dict) and "hookInstance" in body}
ORDER_HOOKS = ("order-select", "order-sign")
CAPTURED = [name for name in CALLS if name.startswith("captured-from-sandbox/")]
# An earlier order-dispatch had `order` where the published one has `dispatchedOrders`.
NO_DISPATCHED = "davinci-crd-test-kit/order_dispatch_hook_request.json"
# What is wrong with the documents of others, as far as anything is.
FAULTS: dict[str, list[str]] = {
    "davinci-crd-ig/CRDServiceResponse.json": ["S-SUG-4"],
    "davinci-crd-ig/CRDServiceResponse2.json": ["S-SUG-4"],
    "davinci-crd-ig/CRDServices.json": ["S-DSC-5", "S-PRE-1"],
    "davinci-crd-test-kit/cds-services.json": ["S-DSC-5", "S-PRE-1"],
    "davinci-crd-test-kit/valid_cards.json": ["S-CARD-1", "S-SUG-4"],
    NO_DISPATCHED: ["S-REQ-2"],
}
NO_DOCUMENTS = {"davinci-crd-test-kit/order_select_context.json"}  # the context of a call alone


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with served(tmp_path_factory.mktemp("hooks")) as client:
        yield client


def test_there_are_calls_of_each_kind() -> None:
    assert len(CALLS) >= 15
    assert len(CAPTURED) == 2
    assert {call["hook"] for call in CALLS.values()} >= {
        *ORDER_HOOKS,
        "order-dispatch",
        "patient-view",
        "appointment-book",
    }


@pytest.mark.parametrize("name", BODIES)
def test_every_body_has_an_answer(ours: TestClient, name: str) -> None:
    for path in (SERVICE, f"{SERVICE}/feedback"):
        answer = posted(ours, BODIES[name], path)
        # While the store starts, feedback is told to come back.
        assert answer.status_code < 500 or (answer.status_code == 503 and "retry-after" in answer.headers), answer.text
        if answer.status_code != 200:
            assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_answered_as_its_hook_is(ours: TestClient, name: str) -> None:
    answer = posted(ours, CALLS[name])
    hook = CALLS[name]["hook"]
    if hook in ORDER_HOOKS:  # none of them orders an immune globulin
        assert (answer.status_code, answer.json().get("cards")) == (200, []), answer.text
    elif name == NO_DISPATCHED:
        assert answer.status_code == 400
        assert answer.json()["issue"][0]["expression"] == ["context.dispatchedOrders"]
    elif hook == "order-dispatch":  # whose orders cannot be fetched from here
        assert answer.status_code == 412
    else:
        assert answer.status_code == 400
        assert answer.json()["issue"][0]["expression"] == ["hook"]


@pytest.mark.parametrize("name", CAPTURED)
def test_what_the_sandbox_sends_gives_no_card(ours: TestClient, name: str) -> None:
    answer = posted(ours, CALLS[name])
    assert (answer.status_code, answer.json()["cards"]) == (200, [])


def entered(body: Any) -> list[str]:
    ledger = Ledger(DOCUMENTS)
    if isinstance(body, list):
        body = {"cards": body}
    told: Json = body
    if "cards" in told:
        answers.answer(told, ledger, "order-sign" if "systemActions" in told else "", "2.0", True)
    elif "services" in told:
        documents.discovery(told, ledger, "3.0")
    elif "feedback" in told:
        documents.feedback(told, ledger)
    else:
        documents.request(told, ledger)
    assert any(outcome.looked for outcome in ledger.outcomes)
    return ledger.broken()


@pytest.mark.parametrize("name", [name for name in BODIES if name not in NO_DOCUMENTS])
def test_the_documents_of_others(name: str) -> None:
    assert entered(BODIES[name]) == FAULTS.get(name, [])


def test_our_own_sample_is_judged_whatever_its_age(ours: TestClient) -> None:
    """The call of the README. Its results grow old, so that after some months it makes a card; it always judges one order."""
    answer = posted(ours, json.loads((Path(ivig.__file__).parent / "samples" / "hook-order-sign.json").read_bytes()))
    assert answer.status_code == 200
    told = [c["extension"] for c in answer.json()["cards"]] or [answer.json()["extension"]]
    assert "order-verdict" in {f["rule"] for f in told[0]["org.ivig-order-check.findings"]}

"""What the FHIR operation refuses, and how: by HTTP, with nothing else mocked."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import ivig
from ivig.app import create_app

SAMPLE = json.loads((Path(ivig.__file__).parent / "samples" / "01-gbs-clear.json").read_text(encoding="utf-8"))
PATH = "/fhir/$validate-ivig-order"


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=False)


def post(client: TestClient, body: object, **headers: str):
    sent = body if isinstance(body, (bytes, str)) else json.dumps(body)
    return client.post(PATH, content=sent, headers={"content-type": "application/fhir+json", **headers})


def with_repeat(**more: object) -> dict[str, object]:
    made = copy.deepcopy(SAMPLE)
    for entry in made["entry"]:
        if "dosageInstruction" in entry["resource"]:
            entry["resource"]["dosageInstruction"][0]["timing"]["repeat"].update(more)
    return made


def verdict(answer) -> str:
    for issue in answer.json()["issue"]:
        for coding in issue.get("details", {}).get("coding", []):
            if coding["system"].endswith("/ivig-verdict"):
                return coding["code"]
    return ""


@pytest.mark.parametrize(
    "faulty", [{"frequency": 1_000_000_000}, {"frequency": 1.5}, {"count": 1_000_000}, {"count": 1.5}]
)
def test_a_count_that_cannot_be_is_told_and_never_clear(client: TestClient, faulty: dict[str, object]) -> None:
    answer = post(client, with_repeat(**faulty))
    assert answer.status_code == 200
    assert verdict(answer) == "cannot-tell"
    (name,) = faulty
    assert any(i["code"] == "structure" and i["expression"][-1].endswith(name) for i in answer.json()["issue"])


@pytest.mark.parametrize("status", ["bogus", "Active"])
def test_a_status_that_fhir_does_not_have_is_told_and_the_order_judged(client: TestClient, status: str) -> None:
    made = copy.deepcopy(SAMPLE)
    for entry in made["entry"]:
        if "dosageInstruction" in entry["resource"]:
            entry["resource"]["status"] = status
    answer = post(client, made)
    assert verdict(answer) == "advise"
    assert any(i["code"] == "structure" for i in answer.json()["issue"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"resourceType": "Patient"}', 400),
        (b'{"resourceType": "Bundle", "a": NaN}', 400),
        (b'{"resourceType": "Bundle", "a": "\xc3\x28"', 400),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400),
    ],
)
def test_what_cannot_be_processed(client: TestClient, body: bytes, status: int) -> None:
    answer = post(client, body)
    assert answer.status_code == status
    (issue,) = answer.json()["issue"]
    assert issue["severity"] == "fatal"
    assert issue["details"]["text"]


@pytest.mark.parametrize(
    "parameter",
    [
        {"name": "evaluationDate", "valueDate": "2026-11"},
        {"name": "evaluationDate", "valueDate": "soon"},
        {"name": "sections", "valueString": "everything"},
        {"name": "policy", "valueString": "another"},
        {"name": "detail", "valueCode": "more"},
        {"name": "order", "resource": {"resourceType": "Patient"}},
        {"name": "bundle", "valueString": "x"},
    ],
)
def test_a_parameter_that_cannot_be_used_is_refused(client: TestClient, parameter: dict[str, object]) -> None:
    body = {"resourceType": "Parameters", "parameter": [{"name": "bundle", "resource": SAMPLE}, parameter]}
    if parameter["name"] == "bundle":
        body["parameter"] = [parameter]
    assert post(client, body).status_code == 400


@pytest.mark.parametrize("count", ["²", "9" * 5000])
def test_a_search_link_of_any_kind_is_survived(client: TestClient, count: str) -> None:
    made = {
        **copy.deepcopy(SAMPLE),
        "type": "searchset",
        "link": [{"relation": "self", "url": f"Condition?_count={count}"}],
    }
    assert post(client, made).status_code == 200


def test_integers_beyond_all_measure_are_survived(client: TestClient) -> None:
    body = json.dumps(SAMPLE)[:-1] + ', "zz": ' + "1" * 5000 + "}"
    assert post(client, body, prefer="handling=strict").status_code in (200, 400)


def test_more_orders_of_one_patient_than_can_be_meant_are_refused(client: TestClient) -> None:
    made = copy.deepcopy(SAMPLE)
    order = next(e for e in made["entry"] if "dosageInstruction" in e["resource"])
    for i in range(60):
        more = copy.deepcopy(order)
        more["resource"]["id"] = more["fullUrl"] = f"copy-{i}"
        made["entry"].append(more)
    assert post(client, made).status_code == 413


def test_other_media_types_methods_and_addresses(client: TestClient) -> None:
    assert post(client, SAMPLE, **{"content-type": "text/xml"}).status_code == 415
    assert post(client, SAMPLE, **{"content-encoding": "gzip"}).status_code == 415
    taken = client.get(PATH)
    assert (taken.status_code, taken.headers["allow"]) == (405, "POST")
    for path in ("/fhir/nothing", PATH + "/"):
        away = client.get(path, follow_redirects=False)
        assert away.status_code == 404
        assert away.json()["resourceType"] == "OperationOutcome"


def test_the_artefacts_are_served_as_they_lie_there(client: TestClient) -> None:
    held = client.get("/fhir/CodeSystem/ivig-rule")
    assert held.json()["url"] == "https://ivig.example.org/fhir/CodeSystem/ivig-rule"
    found = client.get("/fhir/CodeSystem", params={"url": held.json()["url"]}).json()
    assert found["entry"][0]["resource"] == held.json()
    assert client.get("/fhir/metadata").json()["resourceType"] == "CapabilityStatement"


def test_a_fault_of_ours_tells_its_kind_and_nothing_of_the_patient(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("Jane Doe, born 1981-05-05")

    monkeypatch.setattr("ivig.entrypoints.operation.read", broken)
    answer = post(client, SAMPLE)
    assert answer.status_code == 500
    assert "Jane" not in answer.text
    said = capfd.readouterr()
    assert "Jane" not in said.out + said.err

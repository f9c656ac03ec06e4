"""The conformance suite: a service that keeps the rules passes; for every check there is one that breaks it, and that check says so."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from typer.testing import CliRunner

from builder import bundle
from hooked import as_call
from ivig.app import create_app
from ivig.cli import app as cli
from ivig.entrypoints.conformance import documents
from ivig.entrypoints.conformance.catalogue import CHECKS, checks
from ivig.entrypoints.conformance.checks import Ledger, Level
from ivig.settings import Settings
from r4 import Json
from serving import running
from signing import ISSUER, jwk, jwks, rsa_key

DATA = Path(__file__).parent / "data" / "cds-hooks"
runner = CliRunner()
DISCOVERY: Json = {
    "services": [
        {
            "hook": "order-sign",
            "id": "good",
            "title": "Good",
            "description": "A service that keeps the rules",
            "prefetch": {"patient": "Patient/{{context.patientId}}"},
        }
    ]
}
RESOURCE = {"resourceType": "ServiceRequest", "status": "draft", "note": []}
CARD: Json = {
    "uuid": "u1",
    "summary": "A sentence",
    "detail": "**Markdown**, `a < b`",
    "indicator": "warning",
    "source": {"label": "us", "url": "https://us.example", "topic": {"system": "https://us.example/s", "code": "c"}},
    "suggestions": [
        {
            "label": "do",
            "uuid": "s1",
            "isRecommended": True,
            "actions": [{"type": "create", "description": "d", "resource": RESOURCE}],
        },
        {
            "label": "undo",
            "uuid": "s2",
            "actions": [{"type": "delete", "description": "d", "resourceId": "ServiceRequest/1"}],
        },
    ],
    "selectionBehavior": "at-most-one",
    "overrideReasons": [{"code": "c", "system": "https://us.example/o", "display": "d"}],
    "links": [
        {"label": "l", "url": "https://us.example/l", "type": "absolute"},
        {"label": "m", "url": "https://us.example/m", "type": "smart", "appContext": "{}"},
    ],
}
ANSWER: Json = {"cards": [CARD], "systemActions": [{"type": "create", "resource": RESOURCE}]}


def changed(tree: Any, path: str, value: Any = ...) -> Any:
    """A copy with the element at a path replaced, or taken away."""
    made = copy.deepcopy(tree)
    node = made
    *steps, last = [int(s) if s.isdigit() else s for s in path.split(".")]
    for step in steps:
        node = node[step]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return made


def of_answer(document: Any, **more: Any) -> list[str]:
    ledger = Ledger(checks(crd=True))
    documents.response(document, ledger, "order-sign", **more)
    return ledger.broken()


def of_discovery(document: Any) -> list[str]:
    ledger = Ledger(checks())
    documents.discovery(document, ledger)
    return ledger.broken()


ANSWERS: list[tuple[str, str, Any]] = [
    ("S-JSON-2", "cards.0.detail", ""),
    ("S-JSON-2", "cards.0.links", []),
    ("S-JSON-2", "cards.0.more", None),
    ("S-RSP-1", "cards", ...),
    ("S-RSP-1", "cards", {"a": 1}),
    ("S-RSP-1", "cards.0", "card"),
    ("S-RSP-2", "systemActions", {"a": 1}),
    ("S-CARD-1", "cards.0.uuid", ...),
    ("S-CARD-2", "cards.0.summary", ...),
    ("S-CARD-2", "cards.0.summary", "x" * 140),
    ("S-CARD-3", "cards.0.detail", "<b>bold</b>"),
    ("S-CARD-3", "cards.0.detail", 7),
    ("S-CARD-4", "cards.0.indicator", "hard-stop"),
    ("S-SRC-1", "cards.0.source.label", ...),
    ("S-SRC-1", "cards.0.source.url", "/relative"),
    ("S-SRC-1", "cards.0.source.topic.system", ...),
    ("crd-topic", "cards.0.source.topic", ...),
    ("crd-system-actions", "systemActions", ...),
    ("cds-resp-6", "cards.0.selectionBehavior", ...),
    ("cds-resp-6", "cards.0.selectionBehavior", "all"),
    ("cds-resp-1", "cards.0.suggestions.1.isRecommended", True),
    ("S-SUG-3", "cards.0.suggestions.0.label", ...),
    ("S-ACT-0", "cards.0.suggestions.0.actions", "none"),
    ("S-ACT-0", "cards.0.suggestions.0.actions.0.type", "CREATE"),
    ("S-ACT-1", "cards.0.suggestions.0.actionSelectionBehavior", "all"),
    ("S-ACT-2", "cards.0.suggestions.0.actions.0.resource", "text"),
    ("cds-resp-5", "cards.0.suggestions.0.actions.0.description", ...),
    ("cds-resp-2", "cards.0.suggestions.1.actions.0.resourceId", ...),
    ("cds-resp-4", "cards.0.overrideReasons.0.display", ...),
    ("S-LNK-1", "cards.0.links.0.type", "relative"),
    ("S-LNK-1", "cards.0.links.0.url", "rules/x"),
    ("cds-resp-3", "cards.0.links.0.appContext", "{}"),
]
DISCOVERIES: list[tuple[str, str, Any]] = [
    ("S-DISC-1", "services", {"a": 1}),
    ("S-DISC-2", "services.0.hook", ...),
    ("S-DISC-2", "services.0.description", 7),
    ("S-DISC-2", "services.0.id", "a/b"),
    ("S-DISC-3", "services.0.prefetch.patient", "Patient/{{context.draftOrders.MedicationRequest.id}}"),
    ("S-DISC-3", "services.0.prefetch.patient", "Patient/{{context.performer}}"),
    ("S-DISC-3", "services.0.prefetch.patient", 7),
    ("S-DISC-4", "services.0.title", ...),
    ("S-DISC-5", "services.0.prefetch.patient", "Patient?name:exact={{context.patientId}}"),
]


def test_what_keeps_the_rules_breaks_none() -> None:
    assert of_answer(ANSWER) == []
    assert of_answer({"cards": []}) == ["crd-system-actions"]
    assert of_discovery(DISCOVERY) == []


@pytest.mark.parametrize(("check", "path", "value"), ANSWERS)
def test_an_answer_that_breaks_one_rule_breaks_that_one(check: str, path: str, value: Any) -> None:
    broken = of_answer(changed(ANSWER, path, value))
    assert check in broken
    assert set(broken) - {check} <= {"crd-topic"} | ({"S-CARD-3"} if value == "" else set())


@pytest.mark.parametrize(("check", "path", "value"), DISCOVERIES)
def test_a_discovery_that_breaks_one_rule_breaks_that_one(check: str, path: str, value: Any) -> None:
    assert of_discovery(changed(DISCOVERY, path, value)) == [check]


@pytest.mark.parametrize("document", [[], "x", None, 7])
def test_an_answer_that_is_no_object(document: Any) -> None:
    assert of_answer(document) == ["S-JSON-1"]


def test_a_3_0_client_may_be_given_its_extras() -> None:
    assert of_answer(changed(ANSWER, "cards.0.suggestions.0.actionSelectionBehavior", "all"), version="3.0") == []


def test_the_invariants_on_what_a_client_sends() -> None:
    good = {"fhirServer": "https://x", "fhirAuthorization": {"scope": "patient/*.rs", "patient": "p"}}
    assert documents.request(good) == []
    assert documents.request(changed(good, "fhirServer")) == ["cds-r-1"]
    assert documents.request(changed(good, "fhirAuthorization.patient")) == ["cds-r-2"]
    item = {"card": "c", "outcome": "accepted", "acceptedSuggestions": [{"id": "s"}]}
    assert documents.feedback({"feedback": [item]}) == []
    assert documents.feedback({"feedback": [item | {"outcome": "seen"}]}) == ["cds-fb-1"]
    assert documents.feedback({"feedback": [item | {"acceptedSuggestions": []}]}) == ["cds-fb-2"]
    assert documents.feedback({"feedback": [{"outcome": "overridden", "overrideReason": {}}]}) == ["cds-fb-3"]


# -- public examples --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(DATA.rglob("CRDServiceResponse*.json")), ids=lambda p: p.stem)
def test_the_answers_of_public_examples_are_read(path: Path) -> None:
    ledger = Ledger(checks())
    uuids = documents.response(json.loads(path.read_bytes()), ledger, version="3.0")
    assert any(o.looked for o in ledger.outcomes)
    assert "S-RSP-1" not in ledger.broken()
    assert all(isinstance(u, str) for u in uuids)


def test_the_cards_of_the_public_test_kit_keep_the_rules() -> None:
    cards = json.loads((DATA / "davinci-crd-test-kit" / "valid_cards.json").read_bytes())
    ledger = Ledger(checks())
    documents.response({"cards": cards}, ledger, version="3.0")
    assert not {"S-CARD-2", "S-CARD-4", "S-LNK-1", "cds-resp-6"} & set(ledger.broken())


# -- a running service ------------------------------------------------------------------------------------------------

Handler = Callable[[Json], Response]


def service(answer: Json | None = None, **odd: Any) -> Starlette:
    """A conformant service, or one that is odd in one way."""

    async def discover(_: Request) -> Response:
        return odd.get("discovery") or JSONResponse(DISCOVERY)

    async def call(request: Request) -> Response:
        if request.path_params["id"] != "good":
            return _refused(odd.get("unknown", 404))
        if "slow" in odd:
            time.sleep(odd["slow"])
        try:
            body = json.loads(await request.body())
            hook = body["hook"]
            assert isinstance(body["context"], dict)
        except (ValueError, KeyError, TypeError, AssertionError):
            return _refused(odd.get("malformed", 400), odd.get("plain", False))
        if hook != "order-sign" and not odd.get("any_hook"):
            return _refused(400)
        if odd.get("strict") and "aLaterElement" in body:
            return _refused(400)
        held = (body.get("prefetch") or {}).get("patient", ...)
        if odd.get("falls_over") and isinstance(held, dict) and held["resourceType"] == "OperationOutcome":
            return _refused(500)
        if held is ... and odd.get("wants") != "nothing":
            return _refused(odd.get("wanting", 412))
        return JSONResponse(answer or {"cards": []})

    async def feedback(request: Request) -> Response:
        body = json.loads(await request.body())
        return JSONResponse({}, odd.get("feedback", 200)) if body["feedback"] else _refused(400)

    routes = [
        Route("/cds-services", discover),
        Route("/cds-services/{id}", call, methods=["POST", "GET"] if odd.get("get") else ["POST"]),
        Route("/cds-services/{id}/feedback", feedback, methods=["POST"]),
    ]
    made = Starlette(routes=routes)

    async def wrong_method(_: Request, error: Any) -> Response:
        return _refused(error.status_code)

    made.add_exception_handler(405, wrong_method)
    return made


def _refused(status: int, plain: bool = False) -> Response:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "invalid"}]}
    return Response("no", status) if plain else JSONResponse(outcome, status)


def conformed(url: str, *options: str) -> tuple[int, dict[str, Json]]:
    result = runner.invoke(cli, ["conform", url, "--format", "json", *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    rows = json.loads(result.output)["checks"]
    return result.exit_code, {row["id"]: row for row in rows}


def broken(rows: dict[str, Json]) -> set[str]:
    return {name for name, row in rows.items() if row["state"] == "broken"}


def test_a_service_that_keeps_the_rules_passes() -> None:
    with running(service({"cards": [CARD]})) as url:
        code, rows = conformed(url)
    assert (code, broken(rows)) == (0, set())


ODD: list[tuple[str, Json]] = [
    ("S-DISC-1", {"discovery": Response("<html>", 200)}),
    ("S-REQ-1", {"wanting": 403}),
    ("S-REQ-2", {"wanting": 500}),
    ("S-REQ-3", {"any_hook": True, "wants": "nothing"}),
    ("S-REQ-4", {"malformed": 422}),
    ("S-REQ-5", {"unknown": 400}),
    ("S-REQ-6", {"plain": True}),
    ("S-TOL-1", {"strict": True}),
    ("S-PRE-1", {"falls_over": True}),
    ("S-PERF-1", {"slow": 0.6}),
    ("S-FB-1", {"feedback": 422}),
]


@pytest.mark.parametrize(("check", "odd"), ODD, ids=[c for c, _ in ODD])
def test_a_service_that_is_odd_is_caught_at_it(check: str, odd: Json) -> None:
    with running(service(**odd)) as url:
        code, rows = conformed(url)
    assert check in broken(rows)
    assert code == (1 if any(rows[name]["level"] == Level.SHALL for name in broken(rows)) else 0)


def test_no_service_at_all_is_2() -> None:
    assert runner.invoke(cli, ["conform", "http://127.0.0.1:1"]).exit_code == 2
    assert runner.invoke(cli, ["conform", "no address"]).exit_code == 2


@pytest.mark.parametrize(("form", "holds"), [("text", "S-DISC-1"), ("junit", "<testsuite")])
def test_the_other_forms(form: str, holds: str) -> None:
    with running(service()) as url:
        result = runner.invoke(cli, ["conform", url, "--format", form])
    assert holds in result.output


def test_every_check_can_fail() -> None:
    """What no test above breaks: S-PERF-2 would take five seconds a call; S-AUTH-1 is below."""
    covered = {c for c, *_ in (*ANSWERS, *DISCOVERIES, *ODD)} | {"S-JSON-1", "S-PERF-2", "S-AUTH-1"}
    assert {check.id for check in CHECKS} == covered


# -- ours -------------------------------------------------------------------------------------------------------------


def ready(url: str) -> None:
    """Wait until the store of our service has its tables."""
    deadline = time.monotonic() + 20
    while httpx.get(f"{url}/health/ready").json()["store"] != "up" and time.monotonic() < deadline:
        time.sleep(0.1)


@pytest.fixture
def own_call(tmp_path: Path) -> Path:
    body = as_call(bundle("cidp", {"dose": "45 g"}))
    path = tmp_path / "call.json"
    path.write_text(json.dumps(body))
    return path


def test_ours_keeps_every_rule(tmp_path: Path, own_call: Path) -> None:
    with running(create_app(Settings(auth="off", data_dir=str(tmp_path)))) as url:
        ready(url)
        code, rows = conformed(url, "--request", str(own_call))
        _, with_crd = conformed(url, "--request", str(own_call), "--crd")
    assert (code, broken(rows) - {"S-PERF-1"}) == (0, set())
    assert {r for r, row in rows.items() if row["state"] == "not seen"} <= {
        "S-AUTH-1",
        "S-RSP-2",
        "S-ACT-1",
        "cds-resp-2",
    }
    assert broken(with_crd) - {"S-PERF-1"} == {"crd-system-actions"}, "a plain service fails it by design"


@pytest.fixture
def keyed(tmp_path: Path) -> tuple[Settings, list[str]]:
    key = rsa_key()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "keys.json").write_bytes(jwks(jwk(key, "one")))
    (tmp_path / "clients.yaml").write_text(
        f"clients:\n  - {{id: ehr, issuer: '{ISSUER}', jwks_file: keys.json, crd: true}}\n"
    )
    settings = Settings(data_dir=str(tmp_path), clients=str(tmp_path / "clients.yaml"))
    return settings, ["--token-key", str(tmp_path / "key.pem"), "--issuer", ISSUER, "--kid", "one"]


def test_ours_keeps_every_rule_with_tokens(keyed: tuple[Settings, list[str]], own_call: Path) -> None:
    settings, options = keyed
    with running(create_app(settings)) as url:
        ready(url)
        code, rows = conformed(url, "--request", str(own_call), "--crd", *options)
        refused, _ = conformed(url)
    assert (code, broken(rows) - {"S-PERF-1"}) == (0, {"S-JSON-2"} & broken(rows))
    assert rows["S-AUTH-1"]["state"] == "held"
    assert refused == 1


def test_a_service_that_takes_any_token_is_caught(tmp_path: Path, keyed: tuple[Settings, list[str]]) -> None:
    with running(create_app(Settings(auth="off", data_dir=str(tmp_path)))) as url:
        code, rows = conformed(url, *keyed[1])
    assert (code, "S-AUTH-1" in broken(rows)) == (1, True)

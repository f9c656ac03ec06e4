"""The conformance suite finds what it says: a service that keeps all passes, and one broken in one place breaks one check."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ivig.entrypoints.conformance.caller import Caller, Signer
from ivig.entrypoints.conformance.checks import Ledger, State
from ivig.entrypoints.conformance.demands import CHECKS
from ivig.entrypoints.conformance.run import Look, checks_of, look_at
from r4 import Json
from reference_service import Reference, running
from signing import ISSUER, rsa_key

AUTHORIZATION = {
    "access_token": "t", "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.read", "subject": "s", "patient": "given",
}  # fmt: skip
CALL: Json = {
    "hook": "order-sign",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "fhirServer": "https://ehr.example/fhir",
    "fhirAuthorization": AUTHORIZATION,
    "context": {"userId": "Practitioner/a", "patientId": "given", "draftOrders": {"resourceType": "Bundle"}},
}
_ITEM = {"card": "3f2504e0-4f89-41d3-9a0c-0305e82c3309", "outcomeTimestamp": "2026-11-25T10:00:00Z"}
FEEDBACK: Json = {
    "feedback": [
        _ITEM | {"outcome": "accepted", "acceptedSuggestions": [{"id": "3f2504e0-4f89-41d3-9a0c-0305e82c3302"}]},
        _ITEM | {"outcome": "overridden", "overrideReason": {"userComment": "no"}},
    ]
}


class Setting:
    """What a run is made of, for a mutant to break in one place."""

    def __init__(self) -> None:
        self.service = Reference()
        self.call, self.feedback = copy.deepcopy(CALL), copy.deepcopy(FEEDBACK)
        self.version = "2.0"
        self.scheme_and_host = ""
        self.took: list[tuple[str, float]] = []

    def run(self) -> Ledger:
        ledger = Ledger(checks_of(crd=True))
        with running(self.service) as base:
            address = self.scheme_and_host or base
            self.service.base = address
            transport = _Through(base) if self.scheme_and_host else None
            with Caller(address, Signer(rsa_key(), ISSUER, "one"), 5.0, transport) as caller:
                look = Look(caller, ledger, self.version, True, took=self.took)
                look_at(look, [("call.json", self.call), ("feedback.json", self.feedback)])
                assert caller.calls < 60
        return ledger


class _Through(httpx.HTTPTransport):
    """Calls any address at the service of the test."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.at = httpx.URL(base)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme=self.at.scheme, host=self.at.host, port=self.at.port)
        return super().handle_request(request)


Mutation = Callable[[Setting], Any]


def _changed(tree: Json, changes: Json) -> None:
    for key, value in changes.items():
        if value is ...:
            del tree[key]
        else:
            tree[key] = value


def service(**changes: Any) -> Mutation:
    return lambda setting: _changed(setting.service.service, changes)


def prefetch(**templates: Any) -> Mutation:
    return lambda setting: setting.service.service["prefetch"].update(templates)


def answer(**changes: Any) -> Mutation:
    return lambda setting: _changed(setting.service.answer, changes)


def card(**changes: Any) -> Mutation:
    return lambda setting: _changed(setting.service.card, changes)


def source(**changes: Any) -> Mutation:
    return lambda setting: _changed(setting.service.card["source"], changes)


def suggestion(n: int, **changes: Any) -> Mutation:
    return lambda setting: _changed(setting.service.card["suggestions"][n], changes)


def action(n: int, **changes: Any) -> Mutation:
    return lambda setting: _changed(setting.service.card["suggestions"][0]["actions"][n], changes)


def reason(**changes: Any) -> Mutation:
    return lambda setting: _changed(setting.service.card["overrideReasons"][0], changes)


def link(n: int, **changes: Any) -> Mutation:
    return lambda setting: _changed(setting.service.card["links"][n], changes)


def called(**changes: Any) -> Mutation:
    return lambda setting: _changed(setting.call, changes)


def authorized(**changes: Any) -> Mutation:
    return lambda setting: _changed(setting.call["fhirAuthorization"], changes)


def fed_back(n: int, **changes: Any) -> Mutation:
    return lambda setting: _changed(setting.feedback["feedback"][n], changes)


def status(situation: str, code: int) -> Mutation:
    return lambda setting: setting.service.statuses.update({situation: code})


def lax(*reasons: str) -> Mutation:
    return lambda setting: setting.service.lax.update(reasons)


def at_3(mutation: Mutation) -> Mutation:
    def both(setting: Setting) -> None:
        setting.version = "3.0"
        mutation(setting)

    return both


def has(**values: Any) -> Mutation:
    """Of the run itself."""
    return lambda setting: [setattr(setting, name, value) for name, value in values.items()]


def behaves(**values: Any) -> Mutation:
    return lambda setting: [setattr(setting.service, name, value) for name, value in values.items()]


_NO_ID = {"resourceType": "MedicationRequest", "status": "draft"}
_CONTEXT = CALL["context"]
MUTANTS: list[tuple[str, Mutation]] = [
    ("S-DSC-0", status("discovery", 404)),
    ("S-DSC-1", lambda s: s.service.document.update(services={"a": 1})),
    ("S-DSC-1", lambda s: s.service.document["services"].append("x")),
    ("S-DSC-2", service(description=...)),
    ("S-DSC-2", service(id=7)),
    ("S-DSC-3", service(title=...)),
    ("S-DSC-4", service(usageRequirements=["x"])),
    ("S-DSC-4", prefetch(more={"query": "Patient?_id=1"})),
    ("S-DSC-5", service(version="three")),
    ("S-DSC-5", at_3(service(version=...))),
    ("S-DSC-6", service(hookVersion="2.0")),
    ("S-DSC-7", lambda s: s.service.document["services"].append(copy.deepcopy(s.service.service))),
    ("S-PRE-1", prefetch(more="Observation?encounter={{context.draftOrders.MedicationRequest.id}}")),
    ("S-PRE-1", prefetch(more="Observation?patient={{context.performer}}")),
    ("S-PRE-1", prefetch(more="Nonsense?patient={{context.patientId}}")),
    ("S-PRE-2", prefetch(more="Observation?patient={{context.patientId}}&_include=Observation:subject")),
    ("S-PRE-3", at_3(prefetch(more="Encounter?patient={{%later.id}}", later="Patient/{{context.patientId}}"))),
    ("S-EXT-1", service(extension=["x"])),
    ("S-EXT-1", card(extension=["x"])),
    ("S-EXT-1", suggestion(0, extension="x")),
    ("S-JSON-1", lambda s: s.service.media.update(call="text/html")),
    ("S-JSON-2", source(more=None)),
    ("S-JSON-2", link(1, appContext="")),
    ("S-JSON-2", card(links=[])),
    ("S-JSON-2", answer(extension={})),
    ("S-JSON-2", action(0, resource={"resourceType": "MedicationRequest", "id": "a", "note": [{"text": ""}]})),
    ("S-RSP-1", answer(cards=...)),
    ("S-RSP-1", answer(cards=["x"])),
    ("S-RSP-2", answer(systemActions={"type": "create"})),
    ("S-CARD-1", card(uuid=...)),
    ("S-CARD-1", card(uuid="card-1")),
    ("S-CARD-1", lambda s: s.service.answer["cards"].append(s.service.card | {"suggestions": ["x"]}) or _alone(s)),
    ("S-CARD-2", card(summary="A" * 140)),
    ("S-CARD-2", card(summary=...)),
    ("S-CARD-3", card(detail=7)),
    ("S-CARD-4", card(indicator="hard-stop")),
    ("S-CARD-4", card(indicator="Warning")),
    ("S-CARD-5", card(detail="<script>alert(1)</script>")),
    ("S-SRC-1", source(label=...)),
    ("S-SRC-2", source(url="/relative")),
    ("S-SRC-2", source(topic={"code": "dose"})),
    ("S-SUG-1", card(suggestions={"label": "x"})),
    ("S-SUG-2", card(selectionBehavior="all")),
    ("S-SUG-3", suggestion(1, label=...)),
    ("S-SUG-3", suggestion(1, isRecommended="false")),
    ("S-SUG-4", suggestion(0, uuid=...)),
    ("S-SUG-4", suggestion(1, uuid="3f2504e0-4f89-41d3-9a0c-0305e82c3302")),
    ("S-ACT-0", action(0, type="Update")),
    ("S-ACT-0", suggestion(0, actions={"type": "create"})),
    ("S-ACT-1", suggestion(0, actionSelectionBehavior="all")),
    ("S-ACT-2", action(0, resource=_NO_ID)),
    ("S-ACT-2", action(0, resource="MedicationRequest/1")),
    ("S-ACT-2", lambda s: s.service.answer["systemActions"][0].pop("resource")),
    ("S-OVR-1", reason(system=...)),
    ("S-OVR-1", card(overrideReasons={"code": "x"})),
    ("S-LNK-1", link(0, type="relative")),
    ("S-LNK-1", link(0, url="/more")),
    ("S-LNK-1", link(1, label=...)),
    ("cds-resp-1", suggestion(1, isRecommended=True)),
    ("cds-resp-2", action(1, resourceId=...)),
    ("cds-resp-2", action(1, resourceId="https://ehr.example/fhir/ServiceRequest/1")),
    ("cds-resp-3", link(0, appContext="x")),
    ("cds-resp-4", reason(display=...)),
    ("cds-resp-5", action(1, description=...)),
    ("cds-resp-6", card(selectionBehavior=...)),
    ("cds-resp-7", at_3(suggestion(0, actionSelectionBehavior="one"))),
    ("S-CRD-1", answer(systemActions=...)),
    ("S-CRD-2", source(topic=...)),
    ("S-REQ-1", called(hookInstance="1")),
    ("S-REQ-2", called(context={k: v for k, v in _CONTEXT.items() if k != "draftOrders"})),
    ("S-REQ-3", authorized(subject=...)),
    ("S-REQ-3", authorized(token_type="bearer")),
    ("cds-r-1", called(fhirServer=...)),
    ("cds-r-2", authorized(patient=...)),
    ("S-FB-1", fed_back(0, card=...)),
    ("S-FB-1", fed_back(1, outcomeTimestamp="2026-11-25")),
    ("S-FB-1", fed_back(1, outcomeTimestamp="2026-11-25T10:00:00+02:00")),
    ("cds-fb-1", fed_back(1, outcome="ignored")),
    ("cds-fb-2", fed_back(0, acceptedSuggestions=...)),
    ("cds-fb-2", fed_back(0, acceptedSuggestions=[{"uuid": "x"}])),
    ("cds-fb-3", fed_back(1, overrideReason={"because": "x"})),
    ("S-TLS-1", has(scheme_and_host="http://service.example")),
    ("S-STS-1", status("call", 412)),
    ("S-STS-2", status("no prefetch", 400)),
    ("S-STS-3", status("given", 422)),
    ("S-TOL-1", status("unknown fields", 400)),
    ("S-PRF-1", status("failed", 400)),
    ("S-PRF-2", status("null searches", 412)),
    *(("S-5XX-1", status(situation, 500)) for situation in ("call", "no prefetch", "failed", "not JSON", "wrong hook", "empty")),
    ("S-5XX-1", status("unknown service", 503)),
    ("S-ERR-1", status("not JSON", 422)),
    ("S-ERR-2", status("no context", 200)),
    ("S-ERR-3", status("wrong hook", 200)),
    ("S-ERR-4", status("unknown service", 400)),
    ("S-ERR-5", status("get", 200)),
    ("S-ERR-6", status("media", 200)),
    ("S-ERR-7", status("empty", 200)),
    ("S-ERR-8", behaves(plain_errors=True)),
    ("S-ERR-9", status("no instance", 200)),
    ("S-PERF-1", has(took=[("patient-view", 0.6)] * 100)),
    ("S-PERF-2", has(took=[("patient-view", 5.1)] * 3)),
    ("S-FB-2", status("overridden", 400)),
    ("S-FB-3", status("accepted", 400)),
    ("S-FB-4", status("unknown card", 422)),
    ("S-FB-5", status("again", 409)),
    ("S-FB-6", status("no feedback", 200)),
    ("S-JWT-1", lax("missing at call")),
    ("S-JWT-1", lax("missing at discovery")),
    ("S-JWT-1", lax("missing at feedback")),
    ("S-JWT-2", lax("none")),
    ("S-JWT-3", lax("ExpiredSignatureError")),
    ("S-JWT-4", lax("InvalidAudienceError")),
    ("S-JWT-5", lax("InvalidSignatureError")),
    ("S-JWT-6", lax("again")),
    ("S-JWT-7", behaves(talks=True)),
]  # fmt: skip


def _alone(setting: Setting) -> None:
    """A second card of the same uuid, with nothing else the same."""
    for name in ("suggestions", "selectionBehavior"):
        del setting.service.answer["cards"][1][name]


@pytest.mark.parametrize(("check", "mutation"), MUTANTS, ids=[f"{n}-{check}" for n, (check, _) in enumerate(MUTANTS)])
def test_a_service_broken_in_one_place_breaks_one_check(check: str, mutation: Mutation) -> None:
    setting = Setting()
    mutation(setting)
    assert setting.run().broken() == [check]


def test_every_check_has_its_mutant() -> None:
    assert {check.id for check in CHECKS} == {check for check, _ in MUTANTS}
    assert len({check.id for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("version", ["2.0", "3.0"])
def test_a_service_that_keeps_all_breaks_none(version: str) -> None:
    setting = Setting()
    setting.version = version
    if version == "3.0":
        setting.scheme_and_host = "https://service.example"
        suggestion(0, actionSelectionBehavior="any")(setting)
    ledger = setting.run()
    assert ledger.broken() == []
    unseen = {outcome.check.id for outcome in ledger.outcomes if outcome.state == State.UNSEEN}
    assert unseen == ({"S-TLS-1", "S-PRE-3", "cds-resp-7"} if version == "2.0" else {"S-ACT-1"})


def test_what_a_service_does_not_offer_is_not_held_against_it() -> None:
    setting = Setting()
    behaves(asks=False, offers_feedback=False)(setting)
    service(prefetch=...)(setting)
    ledger = setting.run()
    assert ledger.broken() == []
    status("no prefetch", 200)(setting)
    ledger = setting.run()
    assert ledger.broken() == []
    unseen = {outcome.check.id for outcome in ledger.outcomes if outcome.state == State.UNSEEN}
    assert {check for check in unseen if check.startswith("S-JWT")} == {f"S-JWT-{n}" for n in range(1, 8)}
    assert {"S-FB-2", "S-FB-3", "S-FB-4", "S-FB-5", "S-FB-6", "S-PRF-1", "S-PRF-2"} <= unseen

"""A running service, called as clients call it: rightly, oddly and wrongly. A fixed, small number of calls."""

from __future__ import annotations

import base64
import copy
import json
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ivig.entrypoints.conformance import documents
from ivig.entrypoints.conformance.checks import Ledger

if TYPE_CHECKING:
    import httpx

Json = dict[str, Any]
Signer = Callable[[str], str]  # the address called -> a fresh token
_SOON_S, _LATE_S = 0.5, 5.0
_WANTING = 412
_PATIENT = {"resourceType": "Patient", "id": "conformance", "birthDate": "1980-01-01", "gender": "female"}
_DRAFT = {
    "resourceType": "MedicationRequest",
    "id": "draft1",
    "status": "draft",
    "intent": "order",
    "subject": {"reference": "Patient/conformance"},
    "medicationCodeableConcept": {"text": "paracetamol 500 mg"},
}
_ORDERS = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": _DRAFT}]}
_USER = {"userId": "Practitioner/conformance", "patientId": "conformance"}
_CONTEXTS: dict[str, Json] = {
    "order-select": {**_USER, "selections": ["MedicationRequest/draft1"], "draftOrders": _ORDERS},
    "order-sign": {**_USER, "draftOrders": _ORDERS},
    "order-dispatch": {
        "patientId": "conformance",
        "dispatchedOrders": ["ServiceRequest/s1"],
        "performer": "Organization/o1",
    },
    "patient-view": _USER,
    "encounter-start": {**_USER, "encounterId": "e1"},
    "encounter-discharge": {**_USER, "encounterId": "e1"},
    "appointment-book": {**_USER, "appointments": {"resourceType": "Bundle", "entry": []}},
}
_FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
_EMPTY_BUNDLE = {"resourceType": "Bundle", "type": "searchset", "entry": []}


class Prober:
    """Probes one service address and enters what it sees.

    Args:
        base: the address that `/cds-services` lies below.
        signer: gives a token for an address, None to call without one.
        version: of CDS Hooks that is spoken.
    """

    def __init__(
        self,
        client: httpx.Client,
        base: str,
        ledger: Ledger,
        signer: Signer | None = None,
        version: str = "2.0",
        fhir_server: str = "",
    ) -> None:
        self.client, self.base, self.ledger = client, base.rstrip("/").removesuffix("/cds-services"), ledger
        self.signer, self.version, self.fhir_server = signer, version, fhir_server
        self.calls = 0

    def run(self, requests: Iterable[tuple[str, Json]] = ()) -> None:
        """Every probe; `requests` are calls of the user's own, by name.

        Raises:
            httpx.HTTPError: the service cannot be reached.
        """
        answer = self._send("GET", "/cds-services")
        self.ledger.place = "discovery"
        right = answer.status_code == 200 and _json(answer) is not None
        self.ledger.holds("S-DISC-1", right, "", f"{answer.status_code} {answer.headers.get('content-type', '')}")
        services = documents.discovery(_json(answer), self.ledger, self.version)
        for service in services:
            self._service(service)
        for name, body in requests:
            hook = str(body.get("hook", ""))
            for service in [s for s in services if s["hook"] == hook]:
                self.ledger.place = name
                self._called(service["id"], body, hook)
        if services:
            self._wrong(services)
            self._feedback(services[0]["id"])
        self.ledger.place = "tokens"
        if self.signer is not None:
            self._tokens()

    def _service(self, service: Mapping[str, Any]) -> None:
        hook, path = service["hook"], service["id"]
        if hook not in _CONTEXTS:
            return
        keys = list(service.get("prefetch") or {})
        full = {key: _PATIENT if key.lower() == "patient" else None for key in keys}
        self.ledger.place = hook
        self._called(path, self._call(hook, full), hook)
        self._called(path, self._call(hook, None), hook)
        odd = self._call(hook, full) | {"extension": {"org.example.more": {"a": [1]}}, "aLaterElement": {"b": [{}]}}
        odd["context"] |= {"aLaterField": 7}
        answer = self._called(path, odd, hook)
        self.ledger.holds("S-TOL-1", answer.status_code == 200, "", answer.status_code)
        for name, value in (("null", None), ("an empty Bundle", _EMPTY_BUNDLE), ("an OperationOutcome", _FAILED)):
            held = dict.fromkeys(keys, value)
            answer = self._called(path, self._call(hook, held), hook)
            self.ledger.holds("S-PRE-1", answer.status_code < 500, name, answer.status_code)

    def _call(self, hook: str, prefetch: Json | None) -> Json:
        body: Json = {"hook": hook, "hookInstance": str(uuid.uuid4()), "context": copy.deepcopy(_CONTEXTS[hook])}
        if self.fhir_server:
            body["fhirServer"] = self.fhir_server
        return body | ({"prefetch": prefetch} if prefetch is not None else {})

    def _called(self, service: str, body: Json, hook: str) -> httpx.Response:
        """One valid call, with all that is to be said of its answer."""
        started = time.perf_counter()
        answer = self._send("POST", f"/cds-services/{service}", body)
        took = time.perf_counter() - started
        self.ledger.holds("S-REQ-2", answer.status_code < 500, "", answer.status_code)
        self.ledger.holds("S-REQ-1", answer.status_code in (200, _WANTING), "", answer.status_code)
        self.ledger.holds("S-PERF-1", took < _SOON_S, "", f"{took * 1e3:.0f} ms")
        self.ledger.holds("S-PERF-2", took < _LATE_S, "", f"{took * 1e3:.0f} ms")
        if answer.status_code == 200:
            documents.response(_json(answer), self.ledger, hook, self.version)
        return answer

    def _wrong(self, services: list[Mapping[str, Any]]) -> None:
        """Calls that are to be refused, each with its status where convention has one."""
        first = services[0]
        path, hook = f"/cds-services/{first['id']}", first["hook"]
        good = self._call(hook, {}) if hook in _CONTEXTS else {"hook": hook, "hookInstance": "x", "context": {}}
        own = {s["hook"] for s in services if s["id"] == first["id"]}
        another = next(h for h in _CONTEXTS if h not in own)
        nameless = {k: v for k, v in good.items() if k != "context"}
        self.ledger.place = "wrong calls"
        refused = self._refusal("another hook", self._send("POST", path, self._call(another, {})))
        self.ledger.holds("S-REQ-3", 400 <= refused < 500, "", refused)
        for name, body in (("not JSON", b"{"), ("empty", b""), ("no context", nameless), ("an array", b"[]")):
            self.ledger.holds("S-REQ-4", self._refusal(name, self._send("POST", path, body)) == 400, name)
        unknown = self._refusal("an unknown service", self._send("POST", "/cds-services/no-such-service", good))
        self.ledger.holds("S-REQ-5", unknown == 404, "an unknown service", unknown)
        method = self._refusal("GET", self._send("GET", path))
        self.ledger.holds("S-REQ-5", method == 405, "GET of a service", method)

    def _refusal(self, name: str, answer: httpx.Response) -> int:
        self.ledger.holds("S-REQ-2", answer.status_code < 500, name, answer.status_code)
        told = _json(answer)
        outcome = isinstance(told, dict) and told.get("resourceType") == "OperationOutcome"
        self.ledger.holds("S-REQ-6", outcome, name, answer.headers.get("content-type", ""))
        return answer.status_code

    def _feedback(self, service: str) -> None:
        self.ledger.place = "feedback"
        path = f"/cds-services/{service}/feedback"
        item = {"card": str(uuid.uuid4()), "outcome": "overridden", "outcomeTimestamp": "2026-01-01T00:00:00Z"}
        chosen = item | {"outcome": "accepted", "acceptedSuggestions": [{"id": str(uuid.uuid4())}]}
        first = self._send("POST", path, {"feedback": [item, chosen]})
        if first.status_code in (404, 405):
            return  # not offered, which it may be
        again = self._send("POST", path, {"feedback": [item]})
        for name, answer in (("unknown cards", first), ("the same twice", again)):
            self.ledger.holds("S-FB-1", answer.is_success, name, answer.status_code)

    def _tokens(self) -> None:
        assert self.signer is not None
        url = f"{self.base}/cds-services"
        head, claims, _ = self.signer(url).split(".")
        none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT","kid":"x"}').decode().rstrip("=")
        for name, token in (("alg none", f"{none}.{claims}."), ("no signature", f"{head}.{claims}."), ("no token", "")):
            answer = self._send("GET", "/cds-services", token=token)
            self.ledger.holds("S-AUTH-1", answer.status_code in (401, 403), name, answer.status_code)

    def _send(
        self, method: str, path: str, body: Json | bytes | None = None, token: str | None = None
    ) -> httpx.Response:
        self.calls += 1
        url = f"{self.base}{path}"
        headers = {"Accept": "application/json"}
        if token is None and self.signer is not None:
            token = self.signer(url)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        return self.client.request(method, url, content=content, headers=headers)


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None

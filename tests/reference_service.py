"""A CDS Hooks service that keeps every demand, small enough to be broken in one place at a time."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt

from r4 import Json
from signing import ISSUER, rsa_key

ID = "reference"
DOCUMENT: Json = {
    "services": [
        {
            "hook": "order-sign", "id": ID, "title": "Reference", "description": "Keeps every demand.",
            "usageRequirements": "Needs the patient.", "version": "3.0.0", "hookVersion": "1.0",
            "extension": {"org.example.of": "x"},
            "prefetch": {
                "patient": "Patient/{{context.patientId}}",
                "weights": "Observation?patient={{context.patientId}}&code=http://loinc.org|29463-7&_sort=-date&_count=5",
            },
        }
    ]
}  # fmt: skip
_ORDER = {"resourceType": "MedicationRequest", "id": "draft-1", "status": "draft", "intent": "order"}
ANSWER: Json = {
    "cards": [
        {
            "uuid": "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "summary": "A" * 139, "indicator": "warning", "detail": "**5 < 6** kg",
            "source": {
                "label": "Reference", "url": "https://reference.example", "icon": "https://reference.example/i.png",
                "topic": {"system": "https://reference.example/topics", "code": "dose"},
            },
            "suggestions": [
                {
                    "uuid": "3f2504e0-4f89-41d3-9a0c-0305e82c3302", "label": "Change it", "isRecommended": True,
                    "actions": [
                        {"type": "update", "description": "Change it", "resource": _ORDER},
                        {"type": "delete", "description": "Take it away", "resourceId": "ServiceRequest/1"},
                    ],
                },
                {"uuid": "3f2504e0-4f89-41d3-9a0c-0305e82c3303", "label": "Leave it"},
            ],
            "selectionBehavior": "at-most-one",
            "overrideReasons": [{"system": "https://reference.example/reasons", "code": "known", "display": "Known"}],
            "links": [
                {"label": "More", "url": "https://reference.example/more", "type": "absolute"},
                {"label": "App", "url": "https://reference.example/launch", "type": "smart", "appContext": "x"},
            ],
            "extension": {"org.example.of": "x"},
        }
    ],
    "systemActions": [{"type": "create", "resource": {"resourceType": "Task", "status": "draft", "intent": "order"}}],
}  # fmt: skip
# What is answered in each situation that is not a right call.
_STATUSES = {
    "discovery": 200, "call": 200, "given": 200, "unknown fields": 200, "no prefetch": 412, "null searches": 200, "failed": 412,
    "unknown service": 404, "get": 405, "media": 415, "empty": 400, "not JSON": 400, "no context": 400, "no instance": 400,
    "wrong hook": 400, "unknown card": 200, "overridden": 200, "accepted": 200, "again": 200, "no feedback": 400,
}  # fmt: skip


class Reference:
    """The service.

    Args:
        lax: reasons to refuse a token that are let pass, as `reason` or `reason at place`.
        asks: whether it asks for tokens.
    """

    def __init__(self) -> None:
        self.document, self.answer = copy.deepcopy(DOCUMENT), copy.deepcopy(ANSWER)
        self.statuses = dict(_STATUSES)
        self.media = {"error": "application/fhir+json"}
        self.lax: set[str] = set()
        self.asks, self.talks, self.plain_errors, self.offers_feedback = True, False, False, True
        self.base = ""
        self._tokens: set[str] = set()
        self._told: set[bytes] = set()

    @property
    def service(self) -> Json:
        found: Json = self.document["services"][0]
        return found

    @property
    def card(self) -> Json:
        found: Json = self.answer["cards"][0]
        return found

    def respond(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, str, bytes]:
        reason = self._untrusted(path, headers.get("Authorization") or "") if self.asks else ""
        if reason:
            return self._error(401, reason if self.talks else "no")
        situation = self._situation(method, path, headers, body)
        status = self.statuses[situation]
        if status != 200:
            return self._error(status, situation)
        told = self.document if situation == "discovery" else self.answer
        if path.endswith("/feedback"):
            told = {"received": 1}
        return 200, self.media.get(situation, "application/json; charset=utf-8"), json.dumps(told).encode()

    def _error(self, status: int, why: str) -> tuple[int, str, bytes]:
        if self.plain_errors:
            return status, "text/plain", b"no"
        issue = {"severity": "error", "code": "processing", "diagnostics": why}
        return status, self.media["error"], json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()

    def _untrusted(self, path: str, authorization: str) -> str:
        """Why a token is not taken; '' when it is."""
        place = "discovery" if path == "/cds-services" else "feedback" if path.endswith("/feedback") else "call"
        token = authorization.removeprefix("Bearer ")
        try:
            if not token:
                reason = "missing"
            elif jwt.get_unverified_header(token)["alg"] == "none":
                reason = "none"
            else:
                jwt.decode(token, rsa_key().public_key(), ["RS384"], audience=f"{self.base}{path}", issuer=ISSUER)
                reason = "again" if token in self._tokens else ""
                self._tokens.add(token)
        except jwt.PyJWTError as fault:
            reason = type(fault).__name__
        return "" if {reason, f"{reason} at {place}"} & self.lax else reason

    def _situation(self, method: str, path: str, headers: Any, body: bytes) -> str:
        if path == "/cds-services":
            return "discovery"
        if not path.startswith(f"/cds-services/{ID}") or (path.endswith("/feedback") and not self.offers_feedback):
            return "unknown service"
        if method == "GET":
            return "get"
        if not headers.get("Content-Type", "").startswith("application/json"):
            return "media"
        if path.endswith("/feedback"):
            return self._of_feedback(body)
        return self._of_call(body)

    def _of_call(self, body: bytes) -> str:
        if not body:
            return "empty"
        try:
            call = json.loads(body)
        except ValueError:
            return "not JSON"
        if not isinstance(call, dict):
            return "not JSON"
        if not call.get("hookInstance"):
            return "no instance"
        if not call.get("context"):
            return "no context"
        if call.get("hook") != "order-sign":
            return "wrong hook"
        if call["context"]["patientId"] == "given":
            return "given"
        prefetch = call.get("prefetch")
        if not prefetch:
            return "no prefetch"
        if "unknownField" in call:
            return "unknown fields"
        if (prefetch.get("patient") or {}).get("resourceType") != "Patient":
            return "failed"
        return "null searches" if prefetch.get("weights") is None else "call"

    def _of_feedback(self, body: bytes) -> str:
        try:
            items = json.loads(body)["feedback"]
            outcome = items[0]["outcome"]
        except (ValueError, LookupError):
            return "no feedback"
        if body in self._told:
            return "again"
        self._told.add(body)
        known = items[0].get("card") == ANSWER["cards"][0]["uuid"]
        return str(outcome) if known else "unknown card"


@contextmanager
def running(reference: Reference) -> Iterator[str]:
    """The service on a free port; its base address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, media, told = reference.respond(self.command, self.path, self.headers, body)
            self.send_response(status)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_GET = do_POST = _handle  # noqa: N815  (the names that http.server calls)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    reference.base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield reference.base
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)

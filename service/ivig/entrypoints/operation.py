"""The FHIR operation `$validate-ivig-order`, and what a FHIR client asks of a server beside it.

200 with an OperationOutcome, also when it holds errors about the order; 4xx only when the request itself cannot be processed.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ivig.core.book import Library, UnknownPolicy
from ivig.core.order import Moment
from ivig.validator import Validator
from ivig.wire import shapes
from ivig.wire.dates import moment, offset_of
from ivig.wire.decode import Broken, Decoded, Unreadable, decode
from ivig.wire.gate import explain
from ivig.wire.outcome import encode, outcome, refusal
from ivig.wire.read import Asked, read
from ivig.wire.told import add_remedies

FHIR_JSON = "application/fhir+json"
METHOD_NOT_ALLOWED = 405
_ACCEPTED = frozenset({"", FHIR_JSON, "application/json", "application/json+fhir", "text/json"})
_FEW = 20  # medication requests; more are judged on a thread
_MOST_ORDERS = 2_000
_MOST_OF_ONE = 50  # immune globulin orders of one patient: each is held against all others
_ON_THE_LOOP = 200_000  # a larger body is judged on a thread, so that nobody waits behind it
_SECTIONS = frozenset({"conditions", "medications", "allergies", "procedures", "immunizations"})
_ONCE = frozenset({"bundle", "patient", "evaluationDate", "policyDate", "policy", "detail"})
_ASKED = frozenset({"evaluationDate", "policyDate", "policy", "detail", "sections"})
_NAMES = {"InnerBundle": "Bundle", "NoneType": "no resource"}
_HOLDS = {"bundle": "Bundle", "order": "MedicationRequest", "patient": "Patient"}
_POLICY_ID = re.compile(r"[A-Za-z0-9.,_-]{1,64}")
_DETAILS = frozenset({"", "normal", "full"})


class Refused(Exception):
    """A request that cannot be processed: its status and the OperationOutcome that says why."""

    def __init__(self, status: int, code: str, text: str, place: str = "") -> None:
        super().__init__(text)
        self.status, self.code, self.text, self.place = status, code, text, place

    def response(self) -> Response:
        return fhir_response(refusal(self.code, self.text, expression=self.place), self.status)


def fhir_response(resource: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(encode(resource), status, headers, f"{FHIR_JSON}; fhirVersion=4.0; charset=utf-8")


async def body_of(request: Request, most: int) -> bytes:
    """The whole body, never holding more than `most` bytes of it.

    Raises:
        Refused: 413, too large.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise Refused(
            413,
            "too-long",
            f"The body has {int(declared)} bytes; at most {most} are taken. Send fewer resources at a time.",
        )
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise Refused(413, "too-long", f"The body has more than {most} bytes. Send fewer resources at a time.")
        chunks.append(chunk)
    return b"".join(chunks)


def check_media(request: Request) -> None:
    """A missing content type is read as FHIR JSON.

    Raises:
        Refused: 415, another media type or an encoding.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _ACCEPTED:
        raise Refused(415, "not-supported", f"Send {FHIR_JSON}; this service does not read other media types.")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise Refused(415, "not-supported", "Send the body without a content encoding.")


def _strict(request: Request) -> bool:
    """Whether the client prefers strict handling."""
    wishes = request.headers.get("prefer", "").replace(";", ",").split(",")
    return any(w.strip().lower().replace('"', "").replace(" ", "") == "handling=strict" for w in wishes)


def faulted(path: str, fault: Exception) -> Response:
    """Our own fault: a log line with its kind, and an answer that says that nothing was judged."""
    import structlog  # noqa: PLC0415  (slow to import, for what should never happen)

    structlog.get_logger("ivig").error("fault", path=path, kind=type(fault).__name__)
    return fhir_response(refusal("exception", "The service has a fault; the order was not judged."), 500)


def _check_address(request: Request) -> None:
    """That nothing is asked for in the address that would then be passed over in silence.

    Raises:
        Refused: 400, a parameter of the operation stands in the address.
    """
    if not request.url.query:
        return
    stray = sorted(_ASKED.intersection(request.query_params))
    if stray:
        raise Refused(400, "value", f"{', '.join(stray)}: give it in a Parameters resource, not in the address.")


class Operation:
    """The endpoint. One for both paths.

    Args:
        validator: judges.
        zone: the offset for orders that state none.
        most: largest body in bytes.
    """

    def __init__(self, validator: Validator, zone: tzinfo = UTC, most: int = 16 * 1024 * 1024) -> None:
        self.validator, self.zone, self.most = validator, zone, most

    async def __call__(self, request: Request) -> Response:
        try:
            check_media(request)
            _check_address(request)
            body = await body_of(request, self.most)
            strict = _strict(request)
            if len(body) > _ON_THE_LOOP or strict:
                return await to_thread.run_sync(self._answer, body, strict)
            decoded = _decoded(body)
            if decoded.repaired or _orders(decoded) > _FEW:
                return await to_thread.run_sync(self._answer, body, strict)
            return self._judged(decoded, ())
        except Refused as refused:
            return refused.response()
        except ClientDisconnect:
            return Response(status_code=499)
        except Exception as fault:  # noqa: BLE001  (told by its kind alone: its text may hold a patient's data)
            return faulted(request.url.path, fault)

    def _answer(self, body: bytes, strict: bool) -> Response:
        try:
            decoded = _decoded(body)
            told = explain(body, strict) if strict or decoded.repaired else ()
            if strict and (told or decoded.broken):
                return fhir_response(_strictly((*decoded.broken, *told)), 400)
            return self._judged(decoded, told)
        except Refused as refused:
            return refused.response()

    def _judged(self, decoded: Decoded, told: tuple[Broken, ...]) -> Response:
        if _orders(decoded) > _MOST_ORDERS:
            raise Refused(
                413,
                "too-costly",
                f"The body holds more than {_MOST_ORDERS} medication requests. Send fewer orders at a time.",
            )
        asked, policy_day, library = asked_for(decoded, self.zone, datetime.now(UTC), self.validator.library)
        reading = read(decoded, library.lexicon, asked)
        crowd = Counter(order.subject for order in reading.orders).most_common(1)
        if crowd and crowd[0][1] > _MOST_OF_ONE:
            raise Refused(
                413,
                "too-costly",
                f"More than {_MOST_OF_ONE} immune globulin orders of one patient: send fewer at a time.",
            )
        report = self.validator.report(reading, policy_day, library)
        known = {b.path for b in reading.broken}
        more = tuple(b for b in told if not any(b.path.startswith(k) or k.startswith(b.path) for k in known))
        resource = outcome(report, (*reading.broken, *more), decoded.in_full)
        if decoded.in_full:
            add_remedies(resource, report)
        return fhir_response(resource)


def _orders(decoded: Decoded) -> int:
    return sum(1 for item in decoded.items if type(item.resource) is shapes.MedicationRequest)


def _decoded(body: bytes) -> Decoded:
    try:
        return decode(body)
    except Unreadable as fault:
        raise Refused(400, fault.code, fault.why, fault.place) from None


def _strictly(faults: tuple[Broken, ...]) -> dict[str, Any]:
    issues = [
        {
            "severity": "error",
            "code": "structure",
            "details": {"text": f"{b.path[-80:]}: {b.why}"[:139]},
            "expression": [b.path],
        }
        for b in faults
    ]
    return {"resourceType": "OperationOutcome", "issue": issues}


def _check_resource(parameter: shapes.Parameter, place: str) -> None:
    """That a parameter holds the resource its name promises.

    Raises:
        Refused: 400, it holds another one or none.
    """
    wanted = _HOLDS.get(parameter.name)
    if wanted is None:
        return
    name = type(parameter.resource).__name__
    kind = _NAMES.get(name, name)
    if kind != wanted:
        raise Refused(400, "structure", f"The parameter {parameter.name} holds a {wanted}, not {kind}.", f"{place}")


def asked_for(decoded: Decoded, zone: tzinfo, now: datetime, library: Library) -> tuple[Asked, date | None, Library]:
    """What the Parameters ask for beside the resources: how to read, the policy's day, and the library of the policy.

    Args:
        library: that of the deployment's policy, used unless another is asked for.

    Raises:
        Refused: 400, a parameter that cannot be read; 422 is never used.
    """
    day: Moment | None = None
    policy_day: date | None = None
    sections: set[str] = set()
    seen: set[str] = set()
    for i, parameter in enumerate(decoded.parameters):
        place = f"Parameters.parameter[{i}]"
        if parameter.name in seen & _ONCE:
            more = " An order is judged by one policy: send a request for each." if parameter.name == "policy" else ""
            raise Refused(400, "value", f"{parameter.name} is given more than once.{more}", place)
        seen.add(parameter.name)
        _check_resource(parameter, place)
        values = (
            parameter.valueDateTime, parameter.valueDate, parameter.valueInstant, parameter.valueString, parameter.valueCode,
            parameter.valueUri, parameter.valueCanonical,
        )  # fmt: skip
        text = next(filter(None, values), "")
        if parameter.name in _ONCE and len({v for v in values if v}) > 1:
            raise Refused(400, "value", f"{parameter.name} has several values; give one.", place)
        match parameter.name:
            case "evaluationDate" | "policyDate":
                found = moment(text, offset_of(text) or zone)
                if found is None or found.day != found.last:
                    raise Refused(
                        400, "value", f"{parameter.name} is a whole date or a dateTime, such as 2026-11-21.", place
                    )
                if parameter.name == "evaluationDate":
                    day = found
                else:
                    policy_day = found.day
            case "sections":
                named = {s.strip() for s in text.split(",") if s.strip()}
                if not named or not named <= _SECTIONS:
                    raise Refused(400, "value", f"sections are of {', '.join(sorted(_SECTIONS))}.", place)
                sections |= named
            case "policy":
                library = _library(library, text, place)
            case "detail":
                if text not in _DETAILS:
                    raise Refused(400, "value", "detail is normal or full.", place)
            case _:
                pass
    return Asked(moment=day, sections=frozenset(sections), zone=zone, now=now), policy_day, library


def _library(library: Library, policy: str, place: str) -> Library:
    """The library of the policy that a request names.

    Raises:
        Refused: 400, there is none of this name; says which there are.
    """
    if not policy:
        raise Refused(400, "value", "policy is the id of a policy as a string, such as us-default.", place)
    if not _POLICY_ID.fullmatch(policy):  # what is no id is not repeated: it may be anything
        raise Refused(
            400, "value", f"There is no policy of this name; there are {', '.join(sorted(library.policies))}.", place
        )
    try:
        return library.under(policy)
    except UnknownPolicy as unknown:
        raise Refused(400, "value", str(unknown), place) from None


def refused(text: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """An OperationOutcome for an address or method that is not there."""
    code = "not-supported" if status == METHOD_NOT_ALLOWED else "not-found"
    return fhir_response(refusal(code, text, "error"), status, headers)

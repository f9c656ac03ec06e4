"""The demands on a CDS Hooks service, in reading order. Those on cards are also what public test kits assert."""

from __future__ import annotations

from ivig.entrypoints.conformance.checks import Check, Level

_SHALL, _SHOULD = Level.SHALL, Level.SHOULD
_SPEC = "CDS Hooks"
_KIT = "Da Vinci CRD test kit"
_DISCOVERY = (
    Check("S-DISC-1", _SHALL, "Discovery answers 200 with JSON and an array `services`", f"{_SPEC}, Discovery"),
    Check(
        "S-DISC-2",
        _SHALL,
        "Each service has hook, description and id as text; the id fits an address",
        f"{_SPEC}, Discovery",
    ),
    Check(
        "S-DISC-3",
        _SHALL,
        "Every prefetch template can be filled by a client of the version, for its hook",
        f"{_SPEC}, Prefetch Template",
    ),
    Check("S-DISC-4", _SHOULD, "Each service has a title", f"{_SPEC}, Discovery"),
    Check("S-DISC-5", _SHOULD, "Prefetch keeps to the recommended searches", f"{_SPEC}, Prefetch query restrictions"),
)
_CALLS = (
    Check("S-REQ-1", _SHALL, "A valid call is answered 200, or 412 where data are wanting", f"{_SPEC}, HTTP Response"),
    Check("S-REQ-2", _SHALL, "No call is answered 5xx", f"{_SPEC}, HTTP Status Codes"),
    Check("S-TOL-1", _SHALL, "Elements that are not known are ignored", "CRD, found-33"),
    Check("S-REQ-3", _SHALL, "A call of another hook than the service's is refused", f"{_SPEC}, HTTP Request"),
    Check("S-REQ-4", _SHOULD, "What is no call (not JSON, no context) is answered 400", "CRD, hooks"),
    Check("S-REQ-5", _SHOULD, "An unknown service is answered 404, another method 405", "convention"),
    Check("S-REQ-6", _SHOULD, "A refusal is an OperationOutcome", f"{_SPEC} 3.0, HTTP Status Codes"),
    Check("S-PRE-1", _SHALL, "null, empty Bundles and OperationOutcomes as prefetch do no harm", f"{_SPEC}, Prefetch"),
    Check("S-PERF-1", _SHOULD, "A call is answered within 500 ms", f"{_SPEC}, Providing FHIR Resources"),
    Check("S-PERF-2", _SHALL, "A call is answered within 5 s", "CRD, found-2"),
    Check(
        "S-AUTH-1",
        _SHALL,
        "Where tokens are asked for, one with alg none or without a signature is refused",
        f"{_SPEC}, Trusting CDS Clients",
    ),
)
_ANSWERS = (
    Check("S-JSON-1", _SHALL, "The answer is a JSON object", f"{_SPEC}, Use of JSON"),
    Check(
        "S-JSON-2",
        _SHALL,
        "No null, empty text, list or object outside FHIR resources, but for `cards`",
        f"{_SPEC}, Use of JSON",
    ),
    Check("S-RSP-1", _SHALL, "`cards` is there, an array", f"{_SPEC}, HTTP Response"),
    Check("S-RSP-2", _SHALL, "`systemActions`, where it is there, is an array of actions", f"{_SPEC}, System Action"),
    Check("S-CARD-1", _SHOULD, "Each card has a uuid, so that feedback can name it", f"{_SPEC}, Card Attributes"),
    Check("S-CARD-2", _SHALL, "summary is text of less than 140 characters", f"{_SPEC}, Card Attributes; {_KIT}"),
    Check("S-CARD-3", _SHALL, "detail is text; no HTML in its Markdown", f"{_SPEC}, Card Attributes"),
    Check("S-CARD-4", _SHALL, "indicator is info, warning or critical", f"{_SPEC}, Card Attributes"),
    Check("S-SRC-1", _SHALL, "source has a label; url is absolute; a topic has system and code", f"{_SPEC}, Source"),
    Check("crd-topic", _SHALL, "source.topic is there", _KIT, crd=True),
    Check("crd-system-actions", _SHALL, "`systemActions` is there at order-sign", _KIT, crd=True),
    Check(
        "cds-resp-6",
        _SHALL,
        "Suggestions come with a selectionBehavior, at-most-one or any",
        f"{_SPEC}, Card Attributes",
    ),
    Check("cds-resp-1", _SHALL, "Of at-most-one suggestions at most one is recommended", f"{_SPEC}, Suggestion"),
    Check("S-SUG-3", _SHALL, "A suggestion has a label; a uuid, where it is there, is text", f"{_SPEC}, Suggestion"),
    Check(
        "S-ACT-0", _SHALL, "actions is an array that is not empty; each is create, update or delete", f"{_SPEC}, Action"
    ),
    Check("S-ACT-1", _SHALL, "actionSelectionBehavior is for clients of 3.0", f"{_SPEC} 3.0, Suggestion"),
    Check("S-ACT-2", _SHALL, "create and update carry a FHIR resource", f"{_SPEC}, Action"),
    Check("cds-resp-5", _SHALL, "An action of a suggestion has a description", f"{_SPEC}, Action"),
    Check("cds-resp-2", _SHALL, "delete names a resourceId, and carries no resource", f"{_SPEC}, Action"),
    Check("cds-resp-4", _SHALL, "An override reason has code, system and display", f"{_SPEC}, OverrideReason"),
    Check("S-LNK-1", _SHALL, "A link has label and url, and the type absolute or smart", f"{_SPEC}, Link"),
    Check("cds-resp-3", _SHALL, "appContext goes with smart links alone", f"{_SPEC}, Link"),
)
_FEEDBACK = (
    Check(
        "S-FB-1",
        _SHALL,
        "Feedback, where it is taken, is taken for accepted, overridden and unknown cards, also twice",
        f"{_SPEC}, Feedback",
    ),
)
CHECKS = (*_DISCOVERY, *_CALLS, *_ANSWERS, *_FEEDBACK)


def checks(crd: bool = False) -> tuple[Check, ...]:
    """The checks that are asked for; those of CRD on demand."""
    return tuple(check for check in CHECKS if crd or not check.crd)

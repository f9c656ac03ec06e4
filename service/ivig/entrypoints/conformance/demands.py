"""What a CDS Hooks service is asked for, each demand with its source. The only place where they are listed."""

from __future__ import annotations

from ivig.entrypoints.conformance.checks import Check, Level

SHALL, SHOULD = Level.SHALL, Level.SHOULD
_SPEC = "CDS Hooks"
_CRD = "Da Vinci CRD"
_ANSWER, _CALL = f"{_SPEC}, CDS Service Response", f"{_SPEC}, Calling a CDS Service"
_DISCOVERY, _PREFETCH, _FEEDBACK = f"{_SPEC}, Discovery", f"{_SPEC}, Prefetch Template", f"{_SPEC}, Feedback"
_ACTION, _SUGGESTION = f"{_SPEC}, Action", f"{_SPEC}, Suggestion"
_TRUST = f"{_SPEC}, Trusting CDS Clients"


def _of(invariant: str) -> str:
    return f"{_SPEC} 3.0, invariant {invariant}"


DISCOVERY = (
    Check("S-DSC-1", SHALL, "`services` is an array of objects; an empty one where there are none.", _DISCOVERY),
    Check("S-DSC-2", SHALL, "A service has hook, id and description.", _DISCOVERY),
    Check("S-DSC-3", SHOULD, "A service has a title.", _DISCOVERY),
    Check("S-DSC-4", SHALL, "`prefetch` is an object of strings, `usageRequirements` a string.", _DISCOVERY),
    Check("S-DSC-5", SHOULD, "`version` is a semantic version; at 3.0 it is told.", f"{_SPEC} 3.0, Discovery"),
    Check("S-DSC-6", SHALL, "`hookVersion` is that of the published hook.", f"{_SPEC} 3.0, Discovery"),
    Check("S-DSC-7", SHALL, "No id occurs twice under one hook: it would be one address.", _DISCOVERY),
    Check("S-PRE-1", SHALL, "A prefetch template is a read or a search, of tokens a client can fill.", _PREFETCH),
    Check("S-PRE-2", SHOULD, "A prefetch template keeps to the restricted searches.", _PREFETCH),
    Check("S-PRE-3", SHALL, "A template follows those that it takes a value from.", f"{_SPEC} 3.0, Prefetch Template"),
)

ANSWER = (
    Check("S-JSON-2", SHALL, "No null, empty string, array or object, `cards: []` apart.", f"{_SPEC}, Use of JSON"),
    Check("S-EXT-1", SHALL, "`extension` is an object.", f"{_SPEC}, Extensions"),
    Check("S-RSP-1", SHALL, "`cards` is there, an array of objects.", _ANSWER),
    Check("S-RSP-2", SHALL, "`systemActions` is an array of objects.", _ANSWER),
    Check("S-CARD-1", SHOULD, "A card has a uuid of its own: without it there is no feedback.", _ANSWER),
    Check("S-CARD-2", SHALL, "A card has a summary of less than 140 characters.", _ANSWER),
    Check("S-CARD-3", SHALL, "`detail` is a string, of Markdown.", _ANSWER),
    Check("S-CARD-4", SHALL, "`indicator` is info, warning or critical.", _ANSWER),
    Check("S-CARD-5", SHOULD, "`detail` has no HTML: clients show it as text, or refuse it.", _ANSWER),
    Check("S-SRC-1", SHALL, "A card has a source with a label.", f"{_SPEC}, Source"),
    Check("S-SRC-2", SHALL, "`url` and `icon` of the source are absolute, its topic has system and code.", _ANSWER),
    Check("S-SUG-1", SHALL, "`suggestions` is an array of objects.", _SUGGESTION),
    Check("S-SUG-2", SHALL, "`selectionBehavior` is at-most-one or any.", _ANSWER),
    Check("S-SUG-3", SHALL, "A suggestion has a label; isRecommended is true or false.", _SUGGESTION),
    Check("S-SUG-4", SHOULD, "A suggestion has a uuid of its own: without it none is known as accepted.", _SUGGESTION),
    Check("S-ACT-0", SHALL, "`actions` are objects, each with type create, update or delete.", _ACTION),
    Check("S-ACT-1", SHALL, "No actionSelectionBehavior for a client of 2.0.", f"{_SPEC} 3.0, Suggestion"),
    Check("S-ACT-2", SHALL, "Create and update hold a whole FHIR resource, update with its id.", _ACTION),
    Check("S-OVR-1", SHALL, "`overrideReasons` are Codings with system and code.", f"{_SPEC}, Override Reasons"),
    Check("S-LNK-1", SHALL, "A link has label, url and type, absolute or smart.", f"{_SPEC}, Link"),
    Check("cds-resp-1", SHALL, "With at-most-one, at most one suggestion is recommended.", _of("cds-resp-1")),
    Check("cds-resp-2", SHOULD, "Delete has a relative resourceId and no resource.", _of("cds-resp-2")),
    Check("cds-resp-3", SHALL, "`appContext` goes with a link of type smart alone.", _of("cds-resp-3")),
    Check("cds-resp-4", SHALL, "An override reason has a display.", _of("cds-resp-4")),
    Check("cds-resp-5", SHALL, "An action of a suggestion has a description.", _of("cds-resp-5")),
    Check("cds-resp-6", SHALL, "A card with suggestions has a selectionBehavior.", _of("cds-resp-6")),
    Check("cds-resp-7", SHALL, "`actionSelectionBehavior` is all, any or at-most-one.", _of("cds-resp-7")),
    Check("S-CRD-1", SHALL, "The answer to order-sign has systemActions.", f"{_CRD}, Coverage Information", True),
    Check("S-CRD-2", SHALL, "The source of a card has a topic.", f"{_CRD}, card profiles", True),
)

# Asked of what clients send: of the files given with --request. They are told and never held against the service.
REQUEST = (
    Check("S-REQ-1", SHALL, "A call has hook, hookInstance (a UUID) and context.", _CALL),
    Check("S-REQ-2", SHALL, "The context has what the hook requires.", "CDS Hooks Library"),
    Check("S-REQ-3", SHALL, "`fhirAuthorization` has all its fields, and is of type Bearer.", _CALL),
    Check("cds-r-1", SHALL, "With fhirAuthorization there is a fhirServer.", _of("cds-r-1")),
    Check("cds-r-2", SHOULD, "With patient scopes, fhirAuthorization tells the patient.", _of("cds-r-2")),
    Check("S-FB-1", SHALL, "Feedback is an array of objects with card and outcomeTimestamp (UTC).", _FEEDBACK),
    Check("cds-fb-1", SHALL, "`outcome` is accepted or overridden.", _of("cds-fb-1")),
    Check("cds-fb-2", SHALL, "Accepted feedback has acceptedSuggestions, each with its id.", _of("cds-fb-2")),
    Check("cds-fb-3", SHALL, "An overrideReason has a reason, a comment, or both.", _of("cds-fb-3")),
)

LIVE = (
    Check(
        "S-TLS-1", SHALL, "The service is called by https (a loopback address apart).", f"{_SPEC}, Security and Safety"
    ),
    Check("S-DSC-0", SHALL, "GET /cds-services answers 200.", _DISCOVERY),
    Check("S-JSON-1", SHALL, "What is answered 200 is JSON, as application/json.", f"{_SPEC}, Use of JSON"),
    Check("S-STS-1", SHALL, "A right call with its prefetch is answered 200.", _ANSWER),
    Check("S-STS-2", SHALL, "Without prefetch and FHIR access: 200, or 412.", f"{_SPEC}, HTTP Status Codes"),
    Check("S-STS-3", SHALL, "A right call given with --request: 200, or 412.", f"{_SPEC}, HTTP Status Codes"),
    Check("S-TOL-1", SHALL, "Unknown fields of a call change nothing.", f"{_CRD}, foundation found-33"),
    Check("S-PRF-1", SHALL, "Prefetch of null, empty searches, OperationOutcomes: 200, or 412.", _PREFETCH),
    Check("S-PRF-2", SHOULD, "No 412 for what was looked for and is not there.", f"{_CRD}, foundation found-32"),
    Check(
        "S-5XX-1",
        SHALL,
        "No request is answered with a fault of the service, or not at all.",
        f"{_SPEC}, HTTP Status Codes",
    ),
    Check("S-ERR-1", SHOULD, "A body that is not JSON: 400.", f"{_CRD}, hooks"),
    Check("S-ERR-2", SHOULD, "A call without context: 400.", f"{_CRD}, hooks"),
    Check("S-ERR-3", SHOULD, "A hook that the service does not list: 4xx.", _CALL),
    Check("S-ERR-4", SHOULD, "An unknown service: 404.", _CALL),
    Check("S-ERR-5", SHOULD, "GET on a service: 405, or 404.", _CALL),
    Check("S-ERR-6", SHOULD, "A body that is said to be XML: 415, or 400.", _CALL),
    Check("S-ERR-7", SHOULD, "An empty body: 400.", f"{_CRD}, hooks"),
    Check("S-ERR-8", SHOULD, "An answer that is not 2xx holds an OperationOutcome.", f"{_SPEC} 3.0, HTTP Status Codes"),
    Check("S-ERR-9", SHOULD, "A call without hookInstance: 400.", f"{_CRD}, hooks"),
    Check("S-PERF-1", SHOULD, "Half of all answers come within 500 ms.", f"{_SPEC}, Providing FHIR Resources"),
    Check(
        "S-PERF-2", SHALL, "90 % of answers come in 5 s (10 s where CRD has it).", f"{_CRD}, foundation found-2", True
    ),
)

# Feedback is optional: where a service answers 404, 405 or 501 to it, nothing is said of these.
FEEDBACK = (
    Check("S-FB-2", SHOULD, "Feedback of an overridden card is taken.", _FEEDBACK),
    Check("S-FB-3", SHOULD, "Feedback of an accepted card is taken.", _FEEDBACK),
    Check("S-FB-4", SHOULD, "Feedback of a card that the service does not know is taken.", _FEEDBACK),
    Check("S-FB-5", SHOULD, "The same feedback is taken twice.", _FEEDBACK),
    Check("S-FB-6", SHOULD, "A body that is no feedback: 400.", _FEEDBACK),
)

# Only where a service asks for tokens.
TOKENS = (
    Check("S-JWT-1", SHALL, "Discovery, calls and feedback all ask for a token.", _TRUST),
    Check("S-JWT-2", SHALL, "A token with the algorithm none is not taken.", _TRUST),
    Check("S-JWT-3", SHALL, "A token that has expired is not taken.", _TRUST),
    Check("S-JWT-4", SHALL, "A token for another address is not taken.", _TRUST),
    Check("S-JWT-5", SHALL, "A token with a changed signature is not taken.", _TRUST),
    Check("S-JWT-6", SHOULD, "A token is taken once.", _TRUST),
    Check("S-JWT-7", SHOULD, "A refusal does not tell which of the reasons it was.", f"{_SPEC}, Best Practices"),
)

PROBES = (*LIVE, *FEEDBACK, *TOKENS)
DOCUMENTS = (*DISCOVERY, *ANSWER, *REQUEST)
CHECKS = (*DOCUMENTS, *PROBES)

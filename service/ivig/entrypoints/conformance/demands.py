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

DOCUMENTS = (*DISCOVERY, *ANSWER, *REQUEST)

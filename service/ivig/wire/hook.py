"""The body of a CDS Hooks call, read like every body: fast when all fits, tolerant and telling when something does not.

Elements that a later version adds are ignored, and so are prefetch keys that nobody asked for. What the specification requires and the
call lacks is refused with its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from ivig.wire import shapes
from ivig.wire.answers import WRONG_TYPE, answer_of, failed
from ivig.wire.decode import Item
from ivig.wire.prefetch import Answer, Query
from ivig.wire.references import tail
from ivig.wire.tolerant import MISFIT, Broken, Unreadable, fit, plain_json

SELECT, SIGN, DISPATCH = "order-select", "order-sign", "order-dispatch"
HOOKS = (SELECT, SIGN, DISPATCH)
_DRAFTS = "context.draftOrders"
_REQUIRED = {
    SELECT: ("userId", "patientId", "draftOrders", "selections"),
    SIGN: ("userId", "patientId", "draftOrders"),
    DISPATCH: ("patientId", "dispatchedOrders", "performer"),
}


class Authorization(shapes.Shape):
    access_token: str = ""
    token_type: str = ""


class Context(shapes.Shape):
    userId: str = ""
    patientId: str = ""
    encounterId: str = ""
    performer: str = ""
    draftOrders: shapes.InnerBundle | None = None
    selections: list[str] | None = None
    dispatchedOrders: list[str] | None = None


class Body(shapes.Shape):
    """The elements of a call that matter. A key of `prefetch` that is `null` says more than one that is not there."""

    hook: str = ""
    hookInstance: str = ""
    fhirServer: str = ""
    fhirAuthorization: Authorization | None = None
    context: Context | None = None
    prefetch: dict[str, shapes.AnyOrBundle | None] | None = None  # type: ignore[valid-type]


class Call(Struct, frozen=True):
    """One call of a hook.

    Args:
        patient, encounter, user: of the context; the patient as a bare id.
        drafts: every resource of `draftOrders`.
        named: what `selections` or `dispatchedOrders` name, as `Type/id`; None when the hook names none.
        prefetch: what came for each key that was sent and asked for.
        server, token: of the FHIR server that may be asked for more; the token is never shown, kept or logged.
    """

    hook: str
    instance: str
    patient: str
    encounter: str
    user: str
    drafts: tuple[Item, ...]
    named: tuple[str, ...] | None
    prefetch: Mapping[str, Answer]
    server: str
    token: str
    broken: tuple[Broken, ...] = ()

    def __repr__(self) -> str:
        return f"<Call of {self.hook}>"  # whatever prints it: no patient, no token


_decoder = msgspec.json.Decoder(Body)


def read_call(body: bytes, queries: Iterable[Query]) -> Call:
    """A call with what its prefetch held.

    Raises:
        Unreadable: not JSON, too deep, or without what the specification requires of this hook; `place` names the element.
    """
    broken: list[Broken] = []
    misfits: set[str] = set()
    queries = tuple(queries)
    if not body.strip():
        raise Unreadable("The body is empty; send a CDS Hooks call.")
    try:
        call = _decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, ValueError):
        call = _tolerant(body, broken, misfits, frozenset(query.key for query in queries))
    context = call.context
    _check(call, context)
    assert context is not None
    answers = {}
    sent = call.prefetch or {}
    for query in queries:
        key = query.key
        if key in misfits:
            answers[key] = failed(query, WRONG_TYPE)
        elif key in sent:
            answers[key] = answer_of(query, sent[key], f"prefetch.{key}")
    return Call(
        call.hook,
        call.hookInstance,
        _bare(context.patientId, "Patient"),
        _bare(context.encounterId, "Encounter"),
        context.userId,
        _drafts(context),
        _named(call.hook, context),
        answers,
        call.fhirServer,
        call.fhirAuthorization.access_token if call.fhirAuthorization is not None else "",
        tuple(broken),
    )


def _bare(given: str, kind: str) -> str:
    """An id as the specification has it; some clients send a reference in its place."""
    return tail(given).removeprefix(f"{kind}/")


def _check(call: Body, context: Context | None) -> None:
    """That the call has what the specification requires.

    Raises:
        Unreadable: it lacks an element.
    """
    for name in ("hook", "hookInstance"):
        if not getattr(call, name):
            raise Unreadable(f"{name} is missing; CDS Hooks requires it.", name, "required")
    if context is None:
        raise Unreadable("context is missing; CDS Hooks requires it.", "context", "required")
    for name in _REQUIRED.get(call.hook, ()):
        value = getattr(context, name)
        if value is None or value == "":
            raise Unreadable(f"context.{name} is missing; {call.hook} requires it.", f"context.{name}", "required")
    if call.fhirAuthorization is not None:
        if not call.fhirServer:
            raise Unreadable("fhirAuthorization needs fhirServer beside it.", "fhirServer", "required")
        if not call.fhirAuthorization.access_token:
            raise Unreadable("fhirAuthorization lacks access_token.", "fhirAuthorization.access_token", "required")


def _drafts(context: Context) -> tuple[Item, ...]:
    entries = enumerate(context.draftOrders.entry if context.draftOrders is not None else ())
    found: list[Item] = []
    for i, entry in entries:
        resource: Any = entry.resource
        if resource is not None and type(resource) is not shapes.InnermostBundle:
            found.append(Item(f"{_DRAFTS}.entry[{i}].resource", entry.fullUrl, resource))
    return tuple(found)


def _named(hook: str, context: Context) -> tuple[str, ...] | None:
    if hook == SELECT:
        return tuple(map(tail, context.selections or ()))
    return tuple(map(tail, context.dispatchedOrders or ())) if hook == DISPATCH else None


# -- the tolerant way -------------------------------------------------------------------------------------------------


def _tolerant(body: bytes, broken: list[Broken], misfits: set[str], asked: frozenset[str]) -> Body:
    """The call from plain JSON: each part by itself, so that one that is broken does not take the others with it."""
    tree = plain_json(body)
    if not isinstance(tree, dict):
        raise Unreadable("A CDS Hooks call is a JSON object.")
    for name, kind in (("hook", str), ("hookInstance", str), ("context", dict)):
        if name in tree and not isinstance(tree[name], kind):
            raise Unreadable(f"{name} is not {'an object' if kind is dict else 'a string'}.", name)
    held = tree.get("prefetch")
    if held is not None and not isinstance(held, dict):
        raise Unreadable("prefetch is not an object.", "prefetch")
    context = tree.get("context", {})
    _old_names(context)
    for name in ("patientId", "userId", "encounterId"):
        if name in context and not isinstance(context[name], (str, type(None))):
            raise Unreadable(f"context.{name} is not a string.", f"context.{name}")
    drafts = context.get("draftOrders")
    if drafts is not None and not (isinstance(drafts, dict) and drafts.get("resourceType", "Bundle") == "Bundle"):
        raise Unreadable("context.draftOrders is not a Bundle.", _DRAFTS)
    if drafts is not None and not isinstance(drafts.get("entry") or [], list):
        raise Unreadable("context.draftOrders.entry is not a list.", f"{_DRAFTS}.entry")
    made = Body(
        hook=_string(tree, "hook"), hookInstance=_string(tree, "hookInstance"), fhirServer=_string(tree, "fhirServer")
    )
    given = tree.get("fhirAuthorization")
    if given is not None:
        fitted = fit(Authorization, given, "fhirAuthorization", [])
        made.fhirAuthorization = Authorization() if fitted is MISFIT else fitted
    if "context" in tree:
        made.context = _context(context, drafts, broken)
    made.prefetch = {}
    for key, value in (held or {}).items():
        if key not in asked:
            continue
        resource = _prefetched(value, f"prefetch.{key}", broken)
        if resource is MISFIT:
            misfits.add(key)
        else:
            made.prefetch[key] = resource
    return made


def _context(context: dict[str, Any], drafts: dict[str, Any] | None, broken: list[Broken]) -> Context:
    made = Context(
        userId=_string(context, "userId"),
        patientId=_string(context, "patientId"),
        encounterId=_string(context, "encounterId"),
        performer=_string(context, "performer"),
    )
    for name in ("selections", "dispatchedOrders"):
        value = context.get(name)
        if isinstance(value, list):
            setattr(made, name, [v for v in value if isinstance(v, str)])
    if drafts is not None:
        fitted = fit(shapes.InnerBundle, drafts, _DRAFTS, broken)
        made.draftOrders = shapes.InnerBundle() if fitted is MISFIT else fitted
    return made


def _prefetched(value: Any, path: str, broken: list[Broken]) -> Any:
    """What a key holds, or MISFIT when it is no resource."""
    if value is None:
        return None
    said: list[Broken] = []
    resource = fit(shapes.AnyOrBundle | None, value, path, said)
    if resource is not MISFIT:
        broken.extend(said)
    return resource


def _string(tree: dict[str, Any], name: str) -> str:
    value = tree.get(name)
    return value if isinstance(value, str) else ""


def _old_names(context: dict[str, Any]) -> None:
    """The names that order-dispatch had before its version 1.1."""
    if "dispatchedOrders" not in context and isinstance(context.get("order"), str):
        context["dispatchedOrders"] = [context["order"]]

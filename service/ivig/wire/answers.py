"""What came for a query, as bytes or as a decoded shape, into an answer that says how much of it can be relied on.

One table for a client's prefetch and for what we fetch ourselves: nothing there, all there, a part there, or no answer. What is not plainly
all of it is never taken as all of it.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ivig.wire import shapes
from ivig.wire.decode import Item
from ivig.wire.prefetch import Answer, Query, State
from ivig.wire.tolerant import Broken, Unreadable, fitted, plain_json

INCOMPLETE, TIMEOUT, FORBIDDEN = "incomplete", "timeout", "forbidden"
WRONG_TYPE, UNREADABLE, NOT_FOUND, BUSY, FAULT = "wrong type", "not readable", "not found", "too many requests", "error"
# What an OperationOutcome says by its issue codes, the most telling first.
_REASONS = (
    (FORBIDDEN, ("forbidden", "security", "login", "unknown", "expired", "suppressed")),
    (TIMEOUT, ("timeout",)),
    (BUSY, ("throttled",)),
    (NOT_FOUND, ("not-found", "deleted")),
    (INCOMPLETE, ("incomplete",)),
)
_NOTES = ("information", "success")
_LONGEST_COUNT = 9

_decoder = msgspec.json.Decoder(shapes.AnyOrBundle | None)


def answer(query: Query, body: bytes, path: str, fetched: bool = False, before: int | None = None) -> Answer:
    """The answer in the bytes of one JSON value: a FHIR server's response, or a value of a prefetch.

    Args:
        path: what the value goes by in findings, such as `prefetch.weights`.
        fetched: it came from the FHIR server, not with the call.
        before: how many matches earlier pages held, for one who follows the pages: then a page with another one after it is in
            order by itself, and `more` says where that is.
    """
    broken: list[Broken] = []
    try:
        value = _decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, ValueError):
        try:
            plain = plain_json(body)
        except Unreadable:
            return failed(query, UNREADABLE, fetched)
        if not isinstance(plain, dict):
            return (
                failed(query, WRONG_TYPE, fetched)
                if plain is not None
                else Answer(query.key, State.EMPTY, fetched=fetched)
            )
        try:
            value = fitted(shapes.AnyOrBundle, plain, path, broken)
        except RecursionError:
            return failed(query, UNREADABLE, fetched)
        if value is None:
            return failed(query, WRONG_TYPE, fetched)
    return answer_of(query, value, path, fetched, tuple(broken), before)


def failed(query: Query, why: str, fetched: bool = False) -> Answer:
    """The answer of a query that gave none."""
    return Answer(query.key, State.FAILED, why, fetched=fetched)


def answer_of(
    query: Query,
    value: Any,
    path: str,
    fetched: bool = False,
    broken: tuple[Broken, ...] = (),
    before: int | None = None,
) -> Answer:
    """The answer in a decoded shape: a resource, a Bundle of `ivig.wire.shapes`, or None for `null`.

    Args:
        broken: elements that were dropped when it was decoded, with their whole paths.
        before: see `answer`.
    """
    if value is None:
        return Answer(query.key, State.EMPTY, fetched=fetched)
    kind = _name(value)
    if kind == "OperationOutcome":
        return failed(query, _reason(value) or INCOMPLETE, fetched)
    if kind != "Bundle":
        if kind != query.kind:
            return failed(query, WRONG_TYPE, fetched)
        state, why = (State.HELD, "") if query.reads else (State.PARTIAL, INCOMPLETE)  # one of how many?
        return Answer(query.key, state, why, (Item(path, "", value),), fetched=fetched, broken=broken)
    found = _searchset(query, value, path, fetched, broken, before)
    return _as_read(query, found) if query.reads else found


def _searchset(
    query: Query, bundle: Any, path: str, fetched: bool, broken: tuple[Broken, ...], before: int | None
) -> Answer:
    items: list[Item] = []
    matches, lost, gap, kind = 0, 0, "", shapes.BY_TYPE.get(query.kind)
    for i, entry in enumerate(bundle.entry):
        resource = entry.resource
        if resource is None:
            lost += 1
        elif type(resource) is shapes.OperationOutcome:
            gap = gap or _reason(resource)
        else:
            items.append(Item(f"{path}.entry[{i}].resource", entry.fullUrl, resource))
            matches += type(resource) is kind
    more, goes_on, most = _links(bundle, query.count)
    if gap and not items and not goes_on:
        return failed(query, gap, fetched)
    if not matches and (items or lost):
        return failed(query, WRONG_TYPE if items else INCOMPLETE, fetched)
    known, total = (before or 0) + matches, _whole(bundle.total)
    full = 0 < most <= matches and not (before is not None and total == known)
    followed = before is not None and more != ""
    if gap or lost or (not followed and (goes_on or full or total > known)):
        why = gap if gap in (TIMEOUT, FORBIDDEN) else INCOMPLETE
        return Answer(query.key, State.PARTIAL, why, tuple(items), more, fetched, broken)
    state = State.HELD if items else State.EMPTY
    return Answer(query.key, state, "", tuple(items), more, fetched, broken)


def _as_read(query: Query, found: Answer) -> Answer:
    """A searchset in the place of a read: some clients search by id. One resource of the kind is the answer."""
    own = tuple(item for item in found.items if _name(item.resource) == query.kind)
    if found.state is State.EMPTY or found.state is State.FAILED:
        return found
    if len(own) != 1:
        return failed(query, WRONG_TYPE if own else INCOMPLETE, found.fetched)
    return Answer(query.key, State.HELD, "", own, "", found.fetched, found.broken)


def _name(resource: Any) -> str:
    return str(resource.__struct_config__.tag)


def _links(bundle: Any, count: int) -> tuple[str, bool, int]:
    """The address of the next page, whether there is one, and how many matches a page holds at most; 0 when nothing says."""
    more, goes_on = "", False
    for link in bundle.link:
        if link.relation == "next":
            more, goes_on = link.url, True
        elif link.relation == "self" and "_count=" in link.url:
            said = link.url.partition("_count=")[2].partition("&")[0]
            if said.isascii() and said.isdigit() and len(said) < _LONGEST_COUNT:
                count = min(int(said), count or int(said))
    return more, goes_on, count


def _whole(raw: msgspec.Raw) -> int:
    said = bytes(raw)
    return int(said) if said.isdigit() and len(said) < _LONGEST_COUNT else 0


def _reason(outcome: shapes.OperationOutcome) -> str:
    """Why an OperationOutcome says that something is wanting; '' when it only remarks on something."""
    grave = [issue.code for issue in outcome.issue if issue.severity not in _NOTES]
    if not grave:
        return "" if outcome.issue else FAULT
    return next((why for why, codes in _REASONS if not set(codes).isdisjoint(grave)), FAULT)

"""What became of the cards: `POST /cds-services/{id}/feedback`, kept before it is answered, and the same word twice kept once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from anyio import to_thread

from ivig.entrypoints.operation import Refused
from ivig.store.items import FeedbackItem
from ivig.store.service import StoreDown, StoreService
from ivig.wire.outcome import refusal

Json = dict[str, Any]
_ACCEPTED, _OVERRIDDEN = "accepted", "overridden"
_MOST_ITEMS, _MOST_SUGGESTIONS = 1_000, 50
_ON_THE_LOOP = 200_000  # bytes; a larger body is read on a thread, so that nobody waits behind it
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)  # RFC 3339
_LONGEST = {"card": 64, "id": 64, "system": 256, "code": 128, "userComment": 4_000}


async def feedback(body: bytes, client: str, store: StoreService) -> tuple[int, Json]:
    """Status and body of the answer.

    All items of a call are kept, or none is.

    Raises:
        Refused: 400, the body is no feedback, with the place; 413, too many items.
    """
    read = partial(_read, body, store.settings.keep_free_text)
    items = await to_thread.run_sync(read) if len(body) > _ON_THE_LOOP else read()
    try:
        result = await store.feedback(client, items)
    except StoreDown:
        text = "The store cannot be reached; nothing of this was kept. Send it again later."
        return 503, refusal("transient", text)
    told: Json = {"received": result.kept}
    return 200, told | ({"unknownCards": result.unknown} if result.unknown else {})


def _read(body: bytes, keeps_comments: bool) -> list[FeedbackItem]:
    try:
        tree = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "structure", "The body is not JSON.") from None
    listed = tree.get("feedback") if isinstance(tree, dict) else None
    if not isinstance(listed, list):
        raise Refused(400, "required", "feedback is missing: a list of what became of cards.", "feedback")
    if len(listed) > _MOST_ITEMS:
        raise Refused(413, "too-costly", f"More than {_MOST_ITEMS} items in one call: send fewer at a time.")
    items = [_item(one, f"feedback[{n}]", keeps_comments) for n, one in enumerate(listed)]
    if sum(len(item.suggestions) for item in items) > _MOST_ITEMS:
        raise Refused(413, "too-costly", f"More than {_MOST_ITEMS} suggestions in one call: send fewer at a time.")
    return items


def _item(one: Any, place: str, keeps_comments: bool) -> FeedbackItem:
    if not isinstance(one, dict):
        raise Refused(400, "structure", f"{place} is not an object.", place)
    outcome = _text(one, "outcome", place)
    if outcome not in (_ACCEPTED, _OVERRIDDEN):
        raise Refused(400, "value", f"{place}.outcome is accepted or overridden.", f"{place}.outcome")
    chosen = tuple(_suggestions(one, place)) if outcome == _ACCEPTED else ()
    system, code, comment = _override(one, place) if outcome == _OVERRIDDEN else ("", "", "")
    return FeedbackItem(
        card=_text(one, "card", place),
        outcome=outcome,
        at=_time(_text(one, "outcomeTimestamp", place), f"{place}.outcomeTimestamp"),
        suggestions=tuple(dict.fromkeys(chosen)),
        reason_system=system,
        reason_code=code,
        comment=comment if keeps_comments else "",
    )


def _text(tree: Json, name: str, place: str) -> str:
    value = tree.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(400, "required", f"{place}.{name} is missing; CDS Hooks requires it.", f"{place}.{name}")
    longest = _LONGEST.get(name, 64)
    if len(value) > longest or not value.isprintable():
        raise Refused(400, "value", f"{place}.{name} has at most {longest} printable characters.", f"{place}.{name}")
    return value


def _time(text: str, place: str) -> datetime:
    try:
        if _TIME.fullmatch(text.upper()):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # no day of the calendar, or of no year there is
    raise Refused(400, "value", f"{place} is a time with its offset, such as 2026-11-25T10:04:00Z.", place)


def _suggestions(one: Json, place: str) -> Iterator[str]:
    listed = one.get("acceptedSuggestions")
    place = f"{place}.acceptedSuggestions"
    if not isinstance(listed, list) or not listed:
        raise Refused(400, "required", f"{place} is missing; an accepted card has it.", place)
    if len(listed) > _MOST_SUGGESTIONS:
        raise Refused(413, "too-costly", f"{place} has more than {_MOST_SUGGESTIONS} entries.", place)
    for n, suggestion in enumerate(listed):
        if not isinstance(suggestion, dict):
            raise Refused(400, "structure", f"{place}[{n}] is not an object.", f"{place}[{n}]")
        yield _text(suggestion, "id", f"{place}[{n}]")


def _override(one: Json, place: str) -> tuple[str, str, str]:
    """System and code of the reason, and the user's comment; each '' where it is not told."""
    told = one.get("overrideReason")
    if told is None:
        return "", "", ""
    place = f"{place}.overrideReason"
    if not isinstance(told, dict):
        raise Refused(400, "structure", f"{place} is not an object.", place)
    comment = told.get("userComment")
    comment = _plain(comment[: _LONGEST["userComment"]]) if isinstance(comment, str) else ""
    reason = told.get("reason")
    if reason is None:
        return "", "", comment
    if not isinstance(reason, dict):
        raise Refused(400, "structure", f"{place}.reason is not a Coding.", f"{place}.reason")
    return _text(reason, "system", f"{place}.reason"), _text(reason, "code", f"{place}.reason"), comment


def _plain(text: str) -> str:
    """A text that any database takes: no NUL, no half of a surrogate pair."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")

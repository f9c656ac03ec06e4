"""The checks of one answer of a service: its cards, suggestions, actions, links and override reasons."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

from ivig.entrypoints.conformance.checks import Ledger
from ivig.wire import shapes

_LONGEST_SUMMARY = 140
_INDICATORS = ("info", "warning", "critical")
_BEHAVIORS = ("at-most-one", "any")
_ACTION_BEHAVIORS = ("all", *_BEHAVIORS)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s]+")
_RELATIVE = re.compile(r"[A-Z][A-Za-z]+/[^/\s]+")
# Tags that browsers act on. `<140 mg` and `<b` in a formula are text.
_HTML = re.compile(
    r"</?(?:a|b|br|div|em|hr|i|iframe|img|li|ol|p|script|span|strong|style|table|td|tr|ul)\b[^<>]*>", re.IGNORECASE
)


def is_uuid(value: object) -> bool:
    """With or without `urn:uuid:`."""
    if not isinstance(value, str):
        return False
    try:
        return str(uuid.UUID(value.removeprefix("urn:uuid:"))) == value.removeprefix("urn:uuid:").lower()
    except ValueError:
        return False


def is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def answer(tree: Any, ledger: Ledger, hook: str = "", version: str = "2.0", crd: bool = False) -> None:
    """Enters every check of an answer in the ledger.

    Args:
        tree: the body, parsed.
        hook: which was called; `S-CRD-1` speaks of order-sign.
        version: what the client that is played speaks, `2.0` or `3.0`.
    """
    cards = tree.get("cards") if isinstance(tree, dict) else None
    right = isinstance(cards, list) and all(isinstance(card, dict) for card in cards)
    if not ledger.holds("S-RSP-1", right, "cards", cards if isinstance(tree, dict) else "the body is no object"):
        return
    empty = list(_empty(tree, "", False, ("cards", "systemActions") if crd else ("cards",)))
    ledger.holds("S-JSON-2", not empty, ", ".join(empty[:3]), "empty")
    seen: set[str] = set()
    for n, card in enumerate(cards or ()):
        _card(card, f"cards[{n}]", ledger, seen, version)
    _extension(tree, "", ledger)
    if "systemActions" in tree:
        _actions(tree["systemActions"], "systemActions", ledger, "S-RSP-2")
    if hook == "order-sign":
        ledger.holds("S-CRD-1", "systemActions" in tree, "systemActions", "missing")


def _empty(value: Any, place: str, in_resource: bool, excepted: tuple[str, ...] = ()) -> Iterator[str]:
    """Places of what is empty. Inside of a FHIR resource null may stand in a list of primitives, beside its `_list`."""
    if value is None or value == "" or (isinstance(value, list | dict) and not value):
        if place not in excepted:
            yield place or "the body"
    elif isinstance(value, dict):
        inside = in_resource or "resourceType" in value
        for key, child in value.items():
            yield from _empty(child, f"{place}.{key}" if place else key, inside, excepted)
    elif isinstance(value, list):
        for n, child in enumerate(value):
            if not (in_resource and child is None):
                yield from _empty(child, f"{place}[{n}]", in_resource)


def _extension(tree: dict[str, Any], place: str, ledger: Ledger) -> None:
    if "extension" in tree:
        right = isinstance(tree["extension"], dict)
        ledger.holds("S-EXT-1", right, f"{place}.extension".lstrip("."), tree["extension"])


def _card(card: dict[str, Any], place: str, ledger: Ledger, seen: set[str], version: str) -> None:
    own = card.get("uuid")
    ledger.holds("S-CARD-1", is_uuid(own) and own not in seen, f"{place}.uuid", own)
    seen.add(str(own))
    summary = card.get("summary")
    short = isinstance(summary, str) and bool(summary.strip()) and len(summary) < _LONGEST_SUMMARY
    told = f"{len(summary)} characters" if isinstance(summary, str) else summary
    ledger.holds("S-CARD-2", short, f"{place}.summary", told)
    if "detail" in card:
        detail = card["detail"]
        if ledger.holds("S-CARD-3", isinstance(detail, str), f"{place}.detail", type(detail).__name__):
            tag = _HTML.search(detail)
            ledger.holds("S-CARD-5", tag is None, f"{place}.detail", tag[0] if tag else "")
    ledger.holds("S-CARD-4", card.get("indicator") in _INDICATORS, f"{place}.indicator", card.get("indicator"))
    _source(card.get("source"), f"{place}.source", ledger)
    _suggestions(card, place, ledger, seen, version)
    _reasons(card.get("overrideReasons", ()), f"{place}.overrideReasons", ledger)
    _links(card.get("links", ()), f"{place}.links", ledger)
    _extension(card, place, ledger)


def _source(source: Any, place: str, ledger: Ledger) -> None:
    held = source if isinstance(source, dict) else {}
    ledger.holds("S-SRC-1", is_text(held.get("label")), f"{place}.label", held.get("label", source))
    for name in ("url", "icon"):
        if name in held:
            right = isinstance(held[name], str) and bool(_ABSOLUTE.fullmatch(held[name]))
            ledger.holds("S-SRC-2", right, f"{place}.{name}", held[name])
    if "topic" in held:
        ledger.holds("S-SRC-2", _is_coding(held["topic"]), f"{place}.topic", held["topic"])
    ledger.holds("S-CRD-2", "topic" in held, f"{place}.topic", "missing")


def _is_coding(value: Any) -> bool:
    return isinstance(value, dict) and is_text(value.get("system")) and is_text(value.get("code"))


def _suggestions(card: dict[str, Any], place: str, ledger: Ledger, seen: set[str], version: str) -> None:
    behavior = card.get("selectionBehavior")
    if "selectionBehavior" in card:
        ledger.holds("S-SUG-2", behavior in _BEHAVIORS, f"{place}.selectionBehavior", behavior)
    if "suggestions" not in card:
        return
    listed = card["suggestions"]
    right = isinstance(listed, list) and all(isinstance(s, dict) for s in listed)
    if not ledger.holds("S-SUG-1", right, f"{place}.suggestions", listed):
        return
    ledger.holds("cds-resp-6", not listed or "selectionBehavior" in card, f"{place}.selectionBehavior", "missing")
    if behavior == "at-most-one":
        recommended = sum(s.get("isRecommended") is True for s in listed)
        ledger.holds("cds-resp-1", recommended <= 1, f"{place}.suggestions", f"{recommended} recommended")
    for n, suggestion in enumerate(listed):
        _suggestion(suggestion, f"{place}.suggestions[{n}]", ledger, seen, version)


def _suggestion(told: dict[str, Any], place: str, ledger: Ledger, seen: set[str], version: str) -> None:
    right = is_text(told.get("label")) and isinstance(told.get("isRecommended", False), bool)
    ledger.holds("S-SUG-3", right, f"{place}.label", (told.get("label"), told.get("isRecommended")))
    own = told.get("uuid")
    ledger.holds("S-SUG-4", is_uuid(own) and own not in seen, f"{place}.uuid", own)
    seen.add(str(own))
    behavior = told.get("actionSelectionBehavior")
    if not version.startswith("3"):
        ledger.holds("S-ACT-1", "actionSelectionBehavior" not in told, f"{place}.actionSelectionBehavior", behavior)
    elif "actionSelectionBehavior" in told:
        known = behavior in _ACTION_BEHAVIORS
        ledger.holds("cds-resp-7", known, f"{place}.actionSelectionBehavior", behavior)
    for n, action in enumerate(_actions(told.get("actions", []), f"{place}.actions", ledger, "S-ACT-0")):
        said = action.get("description")
        ledger.holds("cds-resp-5", is_text(said), f"{place}.actions[{n}].description", said)
    _extension(told, place, ledger)


def _actions(listed: Any, place: str, ledger: Ledger, check: str) -> list[dict[str, Any]]:
    """The actions that can be looked at any further; `check` is the one that a list of no actions breaks."""
    right = isinstance(listed, list) and all(isinstance(action, dict) for action in listed)
    if not ledger.holds(check, right, place, listed):
        return []
    for n, action in enumerate(listed):
        _action(action, f"{place}[{n}]", ledger)
    return list(listed)


def _action(action: dict[str, Any], place: str, ledger: Ledger) -> None:
    kind, resource, target = action.get("type"), action.get("resource"), action.get("resourceId")
    ledger.holds("S-ACT-0", kind in ("create", "update", "delete"), f"{place}.type", kind)
    if kind in ("create", "update"):
        held = resource if isinstance(resource, dict) else {}
        right = held.get("resourceType") in shapes.TYPES and (kind == "create" or is_text(held.get("id")))
        ledger.holds("S-ACT-2", right, f"{place}.resource", "missing" if resource is None else _named(resource))
    elif kind == "delete":
        relative = isinstance(target, str) and bool(_RELATIVE.fullmatch(target))
        ledger.holds("cds-resp-2", relative and resource is None, f"{place}.resourceId", target)


def _named(resource: Any) -> str:
    """A resource by its type and id alone: it holds a patient's data."""
    if not isinstance(resource, dict):
        return type(resource).__name__
    return f"{resource.get('resourceType', 'no resourceType')}/{'...' if resource.get('id') else '(no id)'}"


def _reasons(reasons: Any, place: str, ledger: Ledger) -> None:
    if not isinstance(reasons, list | tuple):
        ledger.holds("S-OVR-1", False, place, reasons)
        return
    for n, reason in enumerate(reasons):
        ledger.holds("S-OVR-1", _is_coding(reason), f"{place}[{n}]", reason)
        display = reason.get("display") if isinstance(reason, dict) else None
        ledger.holds("cds-resp-4", is_text(display), f"{place}[{n}].display", display)


def _links(links: Any, place: str, ledger: Ledger) -> None:
    if not isinstance(links, list | tuple):
        ledger.holds("S-LNK-1", False, place, links)
        return
    for n, link in enumerate(links):
        held = link if isinstance(link, dict) else {}
        right = is_text(held.get("label")) and is_text(held.get("url")) and held.get("type") in ("absolute", "smart")
        if right and held["type"] == "absolute":
            right = bool(_ABSOLUTE.fullmatch(held["url"]))
        ledger.holds("S-LNK-1", right, f"{place}[{n}]", held)
        if "appContext" in held:
            ledger.holds("cds-resp-3", held.get("type") == "smart", f"{place}[{n}].appContext", held.get("type"))

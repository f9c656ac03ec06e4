"""What a service writes, held against the specification: its discovery document and its answers. Works on any document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ivig.chart.templates import lint, unrestricted
from ivig.entrypoints.conformance.checks import Ledger

_LONGEST_SUMMARY = 140
_HTML = re.compile(r"<[a-zA-Z/!][^>]*>")
_CODE_SPANS = re.compile(r"`[^`]*`")
_EMPTY: tuple[Any, ...] = (None, "", [], {})
_INDICATORS = ("info", "warning", "critical")
_BEHAVIOURS = ("at-most-one", "any")
_REFERENCE = re.compile(r"([A-Z][A-Za-z]+/)?[A-Za-z0-9.-]{1,128}")


def text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _objects(value: Any) -> list[tuple[int, Any]]:
    return list(enumerate(value)) if isinstance(value, list) else []


def absolute(value: Any) -> bool:
    parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def discovery(document: Any, ledger: Ledger, version: str = "2.0") -> list[Mapping[str, Any]]:
    """Enters what is right and wrong with a discovery document; returns its services."""
    services = document.get("services") if isinstance(document, dict) else None
    if not ledger.holds("S-DISC-1", isinstance(services, list), "services", type(services).__name__):
        return []
    good: list[Mapping[str, Any]] = []
    for n, service in _objects(services):
        place = f"services[{n}]"
        whole = isinstance(service, dict) and all(text(service.get(name)) for name in ("hook", "description", "id"))
        fits = whole and not set(service["id"]) & set("/?# ")
        if not ledger.holds("S-DISC-2", fits, place, service):
            continue
        good.append(service)
        ledger.holds("S-DISC-4", text(service.get("title")), f"{place}.title")
        templates = service.get("prefetch", {})
        if not isinstance(templates, dict):
            ledger.holds("S-DISC-3", False, f"{place}.prefetch", templates)
            continue
        for key, template in templates.items():
            faults = lint(template, service["hook"], version) if isinstance(template, str) else ["no text"]
            ledger.holds("S-DISC-3", not faults, f"{place}.prefetch.{key}", "; ".join(faults))
            beyond = unrestricted(template, version) if isinstance(template, str) else []
            ledger.holds("S-DISC-5", not beyond, f"{place}.prefetch.{key}", "; ".join(beyond))
    return good


def response(document: Any, ledger: Ledger, hook: str = "", version: str = "2.0") -> list[str]:
    """Enters what is right and wrong with an answer; returns the uuids of its cards."""
    if not ledger.holds("S-JSON-1", isinstance(document, dict), "", type(document).__name__):
        return []
    _no_empty(document, "", ledger)
    cards = document.get("cards")
    ledger.holds("S-RSP-1", isinstance(cards, list), "cards", type(cards).__name__)
    if "systemActions" in document:
        actions = document["systemActions"]
        ledger.holds("S-RSP-2", isinstance(actions, list), "systemActions", type(actions).__name__)
        for n, action in _objects(actions):
            _action(action, f"systemActions[{n}]", ledger, suggested=False)
    if hook == "order-sign":
        ledger.holds("crd-system-actions", "systemActions" in document, "systemActions")
    uuids = []
    for n, card in _objects(cards):
        if ledger.holds("S-RSP-1", isinstance(card, dict), f"cards[{n}]", type(card).__name__):
            _card(card, f"cards[{n}]", ledger, version)
            if text(card.get("uuid")):
                uuids.append(card["uuid"])
    return uuids


def _no_empty(tree: Any, place: str, ledger: Ledger) -> None:
    """Nothing empty but `cards` (and, for CRD, `systemActions`); what lies in FHIR resources and extensions is their own matter."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name in ("resource", "extension", "appContext"):
                continue
            here = f"{place}.{name}" if place else name
            if here not in ("cards", "systemActions"):
                ledger.holds("S-JSON-2", value not in _EMPTY, here, value)
            _no_empty(value, here, ledger)
    elif isinstance(tree, list):
        for n, value in enumerate(tree):
            ledger.holds("S-JSON-2", value not in _EMPTY, f"{place}[{n}]", value)
            _no_empty(value, f"{place}[{n}]", ledger)


def _card(card: dict[str, Any], place: str, ledger: Ledger, version: str) -> None:
    ledger.holds("S-CARD-1", text(card.get("uuid")), f"{place}.uuid", card.get("uuid"))
    summary = card.get("summary")
    short = text(summary) and len(str(summary)) < _LONGEST_SUMMARY
    ledger.holds("S-CARD-2", short, f"{place}.summary", f"{len(str(summary))} characters")
    if "detail" in card:
        detail = card["detail"]
        plain = text(detail) and not _HTML.search(_CODE_SPANS.sub("", detail))
        ledger.holds("S-CARD-3", plain, f"{place}.detail", detail)
    ledger.holds("S-CARD-4", card.get("indicator") in _INDICATORS, f"{place}.indicator", card.get("indicator"))
    _source(card.get("source"), f"{place}.source", ledger)
    if "suggestions" in card:
        _suggestions(card, place, ledger, version)
    for n, reason in _objects(card.get("overrideReasons")):
        whole = isinstance(reason, dict) and all(text(reason.get(name)) for name in ("code", "system", "display"))
        ledger.holds("cds-resp-4", whole, f"{place}.overrideReasons[{n}]", reason)
    for n, link in _objects(card.get("links")):
        whole = isinstance(link, dict) and text(link.get("label")) and absolute(link.get("url"))
        right = whole and link.get("type") in ("absolute", "smart")
        ledger.holds("S-LNK-1", right, f"{place}.links[{n}]", link)
        if isinstance(link, dict):
            ledger.holds(
                "cds-resp-3", "appContext" not in link or link.get("type") == "smart", f"{place}.links[{n}]", link
            )


def _source(source: Any, place: str, ledger: Ledger) -> None:
    if not ledger.holds("S-SRC-1", isinstance(source, dict) and text(source.get("label")), place, source):
        return
    if "url" in source:
        ledger.holds("S-SRC-1", absolute(source["url"]), f"{place}.url", source["url"])
    topic = source.get("topic")
    coded = isinstance(topic, dict) and text(topic.get("system")) and text(topic.get("code"))
    if topic is not None:
        ledger.holds("S-SRC-1", coded, f"{place}.topic", topic)
    ledger.holds("crd-topic", coded, f"{place}.topic", topic)


def _suggestions(card: dict[str, Any], place: str, ledger: Ledger, version: str) -> None:
    behaviour = card.get("selectionBehavior")
    ledger.holds("cds-resp-6", behaviour in _BEHAVIOURS, f"{place}.selectionBehavior", behaviour)
    listed = [s for _, s in _objects(card["suggestions"]) if isinstance(s, dict)]
    if behaviour == "at-most-one":
        best = sum(1 for s in listed if s.get("isRecommended") is True)
        ledger.holds("cds-resp-1", best <= 1, f"{place}.suggestions", f"{best} recommended")
    for n, suggestion in _objects(card["suggestions"]):
        here = f"{place}.suggestions[{n}]"
        named = isinstance(suggestion, dict) and text(suggestion.get("label"))
        if not ledger.holds("S-SUG-3", named and text(suggestion.get("uuid", "x")), here, suggestion):
            continue
        if "actionSelectionBehavior" in suggestion:
            ledger.holds("S-ACT-1", version.startswith("3"), here, suggestion["actionSelectionBehavior"])
        if "actions" in suggestion:
            actions = suggestion["actions"]
            ledger.holds("S-ACT-0", isinstance(actions, list) and bool(actions), f"{here}.actions", actions)
            for m, action in _objects(actions):
                _action(action, f"{here}.actions[{m}]", ledger, suggested=True)


def _action(action: Any, place: str, ledger: Ledger, suggested: bool) -> None:
    kind = action.get("type") if isinstance(action, dict) else None
    if not ledger.holds("S-ACT-0", kind in ("create", "update", "delete"), f"{place}.type", kind):
        return
    if suggested:
        ledger.holds("cds-resp-5", text(action.get("description")), f"{place}.description")
    if kind == "delete":
        named = isinstance(action.get("resourceId"), str) and bool(_REFERENCE.fullmatch(action["resourceId"]))
        ledger.holds("cds-resp-2", named and "resource" not in action, place, action.get("resourceId"))
    else:
        resource = action.get("resource")
        ledger.holds("S-ACT-2", isinstance(resource, dict) and text(resource.get("resourceType")), f"{place}.resource")


def request(document: Any) -> list[str]:
    """What is wrong with a call that a client sends, by the names of the published invariants; empty when it is right."""
    found = []
    body = document if isinstance(document, dict) else {}
    authorization = body.get("fhirAuthorization")
    if authorization is not None and not text(body.get("fhirServer")):
        found.append("cds-r-1")
    scope = str(authorization.get("scope", "")) if isinstance(authorization, dict) else ""
    if "patient/" in scope and not text(authorization.get("patient")):  # type: ignore[union-attr]
        found.append("cds-r-2")
    return found


def feedback(document: Any) -> list[str]:
    """What is wrong with a feedback that a client sends, likewise."""
    found: dict[str, None] = {}
    listed = document.get("feedback") if isinstance(document, dict) else None
    for _, item in _objects(listed):
        outcome = item.get("outcome") if isinstance(item, dict) else None
        if outcome not in ("accepted", "overridden"):
            found["cds-fb-1"] = None
        chosen = item.get("acceptedSuggestions") if isinstance(item, dict) else None
        if outcome == "accepted" and not (chosen and all(text(s.get("id")) for s in chosen)):
            found["cds-fb-2"] = None
        told = item.get("overrideReason") if isinstance(item, dict) else None
        if told is not None and not (isinstance(told, dict) and (told.get("reason") or told.get("userComment"))):
            found["cds-fb-3"] = None
    return list(found)

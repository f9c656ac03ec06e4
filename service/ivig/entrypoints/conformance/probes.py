"""The calls of a live service: discovery, right calls of every hook, the states of prefetch, files given."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct, field

from ivig.entrypoints.conformance import answers, bodies, documents
from ivig.entrypoints.conformance.caller import JSON, Answered, Caller, Unreachable
from ivig.entrypoints.conformance.checks import Ledger, Level
from ivig.entrypoints.conformance.demands import REQUEST

Json = dict[str, Any]
UNTRUSTED = (401, 403)
_MOST_SERVICES = 20  # of one discovery document, each of which costs some ten calls
_QUICK_S, _SLOW_S, _SLOWER_S = 0.5, 5.0, 10.0
_SLOWER = ("appointment-book", "order-sign", "order-dispatch")  # that may have to gather first
_MOST_SLOW = 0.1
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_UNKNOWN: Json = {"org.example.unknown": {"of": ["a", 1]}, "unknownField": {"nested": True}}


class Look(Struct):
    """What a run has found so far.

    Args:
        version: what the client that is played speaks, `2.0` or `3.0`.
        server: a FHIR server that calls tell of; '' for none.
        cards: the uuids of cards got, each with those of its suggestions, by the id of the service.
        took: the hook and the seconds of each right call.
    """

    caller: Caller
    ledger: Ledger
    version: str = "2.0"
    crd: bool = False
    server: str = ""
    cards: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    took: list[tuple[str, float]] = field(default_factory=list)
    services: list[Json] = field(default_factory=list)

    def sent(self, check: str, answered: Answered, right: tuple[int, ...], place: str) -> Answered:
        """Enters what a request was answered with: a fault of the service's under `S-5XX-1`, else under `check`."""
        if self.ledger.holds("S-5XX-1", not answered.broke, place, answered.told):
            self.ledger.holds(check, answered.status in right, place, answered.told)
        self.well_told(answered, place)
        return answered

    def well_told(self, answered: Answered, place: str) -> None:
        """Of an answer that is not 2xx: that it holds an OperationOutcome."""
        if answered.status and not 200 <= answered.status < 300:
            tree = answered.tree
            kind = tree.get("resourceType") if isinstance(tree, dict) else None
            self.ledger.holds("S-ERR-8", kind == "OperationOutcome", place, f"{answered.told} {answered.media}")

    def parsed(self, answered: Answered, place: str) -> Any:
        """The body of an answer; entered is whether it is JSON and says so. None where it is not."""
        tree = answered.tree
        right = tree is not None and answered.media == JSON
        self.ledger.holds("S-JSON-1", right, place, answered.media or "no media type")
        return tree


def discover(look: Look) -> None:
    """Gets and checks the discovery document.

    Raises:
        Unreachable: nobody answers, or not without a token that we lack.
    """
    caller, ledger = look.caller, look.ledger
    where = urlsplit(caller.base)
    if where.hostname not in _LOOPBACK:
        ledger.holds("S-TLS-1", where.scheme == "https", "", f"{where.scheme}://")
    answered = caller.get(caller.url())
    if not answered.status:
        raise Unreachable(f"Nobody answers at {caller.url()} ({answered.fault}).")
    if answered.status in UNTRUSTED:
        taken = (
            "takes none of ours"
            if caller.signer is not None
            else "asks for tokens: give --token-key, --issuer and --kid"
        )
        raise Unreachable(f"The service at {caller.url()} {taken} ({answered.status}).")
    if not ledger.holds("S-DSC-0", answered.status == 200, "GET /cds-services", answered.told):
        return
    tree = look.parsed(answered, "GET /cds-services")
    if tree is not None:
        ledger.place = "GET /cds-services"
        documents.discovery(tree, ledger, look.version)
        ledger.place = ""
        usable = [
            s for s in documents.services_of(tree) if answers.is_text(s.get("id")) and answers.is_text(s.get("hook"))
        ]
        look.services = usable[:_MOST_SERVICES]


def call_services(look: Look) -> None:
    """Right calls of every service, of its hook."""
    for service in look.services:
        hook, url = service["hook"], look.caller.url(service["id"])
        name = f"{hook} {service['id']}"
        right = bodies.prefetched(service)
        # Of a service that asks for no prefetch nobody knows what it would need.
        sent = (200,) if right else (200, 412)
        full = _answered(look, service, bodies.call(hook, prefetch=right), "S-STS-1", sent, f"{name}, full")
        odd = bodies.call(hook, prefetch=right | {"org-example-unknown": None}, **_UNKNOWN)
        odd["context"] |= _UNKNOWN
        if full.status == 200:
            _answered(look, service, odd, "S-TOL-1", (200,), f"{name}, unknown fields")
        least = bodies.call(hook, full=False)
        _answered(look, service, least, "S-STS-2", (200, 412), f"{name}, no prefetch")
        if look.server:
            reaching = bodies.call(hook, fhirServer=look.server)
            _answered(look, service, reaching, "S-STS-2", (200, 412), f"{name}, FHIR server")
        if right:
            _states(look, service, url, name)


def _states(look: Look, service: Json, url: str, name: str) -> None:
    """What a client sends for a key that it found nothing for, or could not ask for."""
    hook = service["hook"]
    absent = _answered(
        look,
        service,
        bodies.call(hook, prefetch=bodies.nothing_found(service)),
        "S-PRF-1",
        (200, 412),
        f"{name}, null searches",
    )
    if absent.status in (200, 412):
        look.ledger.holds("S-PRF-2", absent.status == 200, f"{name}, null searches", absent.told)
    states = {
        "all null": None,
        "empty searches": bodies.searchset(),
        "OperationOutcomes": bodies.failed(),
        "OperationOutcomes in searches": bodies.partly(),
    }
    for state, value in states.items():
        body = bodies.call(hook, prefetch=bodies.every(service, value))
        _answered(look, service, body, "S-PRF-1", (200, 412), f"{name}, {state}")


def _answered(look: Look, service: Json, body: Any, check: str, right: tuple[int, ...], place: str) -> Answered:
    answered = look.caller.post(look.caller.url(service["id"]), body)
    look.sent(check, answered, right, place)
    look.took.append((service["hook"], answered.took_s))
    if answered.status == 200:
        tree = look.parsed(answered, place)
        if tree is not None:
            look.ledger.place = place
            answers.answer(tree, look.ledger, service["hook"], look.version, look.crd)
            look.ledger.place = ""
            look.cards.setdefault(service["id"], {}).update(_uuids(tree))
    return answered


def _uuids(tree: Any) -> dict[str, list[str]]:
    """The uuid of each card with those of its suggestions."""
    listed = tree.get("cards") if isinstance(tree, dict) else None
    found: dict[str, list[str]] = {}
    for card in listed if isinstance(listed, list) else ():
        if isinstance(card, dict) and answers.is_text(card.get("uuid")):
            told = card.get("suggestions")
            suggestions = told if isinstance(told, list) else []
            found[card["uuid"]] = [
                s["uuid"] for s in suggestions if isinstance(s, dict) and answers.is_text(s.get("uuid"))
            ]
    return found


def given(look: Look, files: Sequence[tuple[str, Any]]) -> None:
    """Calls and feedback of files: each is checked itself, then sent to the services that it is for.

    Args:
        files: (name, parsed body).
    """
    for name, tree in files:
        of_feedback = isinstance(tree, dict) and "feedback" in tree
        ledger = Ledger(REQUEST)
        for entered in (ledger, look.ledger):
            entered.place = name
            documents.feedback(tree, entered) if of_feedback else documents.request(tree, entered)
            entered.place = ""
        if of_feedback:
            for service in look.services[:1]:
                _only_no_fault(look, look.caller.post(look.caller.url(service["id"], "feedback"), tree), name)
            continue
        hook = tree.get("hook") if isinstance(tree, dict) else None
        for service in (s for s in look.services if s["hook"] == hook):
            if ledger.broken(Level.SHALL):
                _only_no_fault(look, look.caller.post(look.caller.url(service["id"]), tree), name)
            else:
                _answered(look, service, tree, "S-STS-3", (200, 412), f"{name}, {service['id']}")


def _only_no_fault(look: Look, answered: Answered, place: str) -> None:
    look.ledger.holds("S-5XX-1", not answered.broke, place, answered.told)
    look.well_told(answered, place)


def timed(took: Sequence[tuple[str, float]], ledger: Ledger) -> None:
    """Enters how long right calls took: hook and seconds."""
    if took:
        middle = statistics.median(seconds for _, seconds in took)
        ledger.holds("S-PERF-1", middle <= _QUICK_S, f"of {len(took)} calls", f"{middle * 1e3:.0f} ms")
        slow = sum(seconds > (_SLOWER_S if hook in _SLOWER else _SLOW_S) for hook, seconds in took)
        ledger.holds("S-PERF-2", slow <= len(took) * _MOST_SLOW, f"of {len(took)} calls", f"{slow} took longer")

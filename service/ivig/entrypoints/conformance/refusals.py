"""Calls that are wrong on purpose, feedback, and tokens that must not be taken."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from ivig.entrypoints.conformance import bodies
from ivig.entrypoints.conformance.caller import Answered
from ivig.entrypoints.conformance.probes import UNTRUSTED, Look

Json = dict[str, Any]
_NOT_OFFERED = (404, 405, 501)
_TAKEN = tuple(range(200, 300))
_REFUSED = tuple(range(400, 500))
_UNKNOWN_CARD = "00000000-0000-4000-8000-000000000000"
_LONG_AGO_S = 7_200
_ELSEWHERE = "https://elsewhere.example.org/cds-services"


def wrong_calls(look: Look) -> None:
    """What is no call, of each address once: services may share one."""
    caller = look.caller
    unknown = caller.url("no-such-service-conform")
    if look.services:
        body = bodies.call(look.services[0]["hook"], prefetch=bodies.prefetched(look.services[0]))
        look.sent("S-ERR-4", caller.post(unknown, body), (404,), "an unknown service")
    for name, service in {service["id"]: service for service in look.services}.items():
        url, hook = caller.url(name), service["hook"]
        right = bodies.call(hook, prefetch=bodies.prefetched(service))
        listed = {s["hook"] for s in look.services if s["id"] == name}
        wrong = next(h for h in (*bodies.HOOKS, "no-such-hook") if h not in listed)
        other = bodies.call(wrong, prefetch=bodies.prefetched(service))
        bare = {key: value for key, value in right.items() if key != "context"}
        nameless = {key: value for key, value in right.items() if key != "hookInstance"}
        look.sent("S-ERR-1", caller.post(url, b'{"hook": '), (400,), f"{name}, half of a JSON")
        look.sent("S-ERR-1", caller.post(url, b"\xff\xfe not JSON"), (400,), f"{name}, bytes")
        look.sent("S-ERR-1", caller.post(url, []), (400, 422), f"{name}, a list")
        look.sent("S-ERR-2", caller.post(url, bare), (400, 422), f"{name}, no context")
        look.sent("S-ERR-9", caller.post(url, nameless), (400, 422), f"{name}, no hookInstance")
        look.sent("S-ERR-3", caller.post(url, other), _REFUSED, f"{name}, hook {wrong}")
        look.sent("S-ERR-5", caller.get(url), (404, 405), f"GET {name}")
        xml = caller.post(url, b"<call/>", "application/xml")
        look.sent("S-ERR-6", xml, (400, 415), f"{name}, application/xml")
        look.sent("S-ERR-7", caller.post(url, b""), (400,), f"{name}, empty")


def feedback(look: Look) -> None:
    """Feedback of cards that came, or where none did of one that nobody made; nothing where the service takes none.

    Cards of ours are taken as accepted and as overridden: the service's records of this run are not real ones.
    """
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for name in dict.fromkeys(service["id"] for service in look.services):
        url = look.caller.url(name, "feedback")
        stranger = {"feedback": [bodies.overridden(_UNKNOWN_CARD, now)]}
        first = look.caller.post(url, stranger)
        if first.status in _NOT_OFFERED:
            continue
        look.sent("S-FB-4", first, _TAKEN, f"{name}, unknown card")
        cards = look.cards.get(name) or {_UNKNOWN_CARD: []}
        card, suggestions = max(cards.items(), key=lambda held: len(held[1]))
        over = {"feedback": [bodies.overridden(one, now) for one in list(cards)[:5]]}
        look.sent("S-FB-2", look.caller.post(url, over), _TAKEN, f"{name}, overridden")
        chosen = {"feedback": [bodies.accepted(card, suggestions[:1] or [_UNKNOWN_CARD], now)]}
        took = look.sent("S-FB-3", look.caller.post(url, chosen), _TAKEN, f"{name}, accepted")
        if took.status in _TAKEN:
            look.sent("S-FB-5", look.caller.post(url, chosen), _TAKEN, f"{name}, the same again")
        for place, body in (
            ("no feedback in it", {"cards": []}),
            ("not JSON", b"{"),
            ("no outcome", {"feedback": [{}]}),
        ):
            look.sent("S-FB-6", look.caller.post(url, body), (400, 422), f"{name}, {place}")


def tokens(look: Look) -> None:
    """Tokens that must not be taken, and what is said to them; nothing where calls need none."""
    caller, signer = look.caller, look.caller.signer
    discovery = caller.url()
    asked = caller.get(discovery, token="")
    if signer is None or asked.status not in UNTRUSTED:
        _asked_elsewhere(look, asked)
        return
    said = [_refused(look, "S-JWT-1", asked, "discovery without a token")]
    for service in look.services[:1]:
        url = caller.url(service["id"])
        body = bodies.call(service["hook"], prefetch=bodies.prefetched(service))
        _refused(look, "S-JWT-1", caller.post(url, body, token=""), "a call without a token")
        back = caller.post(f"{url}/feedback", {"feedback": []}, token="")
        if back.status not in _NOT_OFFERED:
            _refused(look, "S-JWT-1", back, "feedback without a token")
        for check, place, token in (
            ("S-JWT-2", "alg none", signer.token(url, "none")),
            ("S-JWT-3", "expired", signer.token(url, iat=_ago(2 * _LONG_AGO_S), exp=_ago(_LONG_AGO_S))),
            ("S-JWT-4", "for another address", signer.token(_ELSEWHERE)),
            ("S-JWT-5", "changed signature", _changed(signer.token(url))),
        ):
            said.append(_refused(look, check, caller.post(url, body, token=token), f"a call, {place}"))
        once = signer.token(url)
        if caller.post(url, body, token=once).status == 200:
            _refused(look, "S-JWT-6", caller.post(url, body, token=once), "a call, the same token again")
    told = {(one.status, one.body) for one in said if one.status in UNTRUSTED}
    look.ledger.holds("S-JWT-7", len(told) <= 1, "refusals", f"{len(told)} different ones")


def _asked_elsewhere(look: Look, asked: Answered) -> None:
    """That a service which tells everybody what it has asks for tokens nowhere else either."""
    if look.caller.signer is None or asked.status != 200 or not look.services:
        return
    service = look.services[0]
    body = bodies.call(service["hook"], prefetch=bodies.prefetched(service))
    answered = look.caller.post(look.caller.url(service["id"]), body, token="")
    if answered.status in UNTRUSTED:
        look.ledger.holds("S-JWT-1", False, "discovery without a token", asked.told)


def _refused(look: Look, check: str, answered: Answered, place: str) -> Answered:
    return look.sent(check, answered, UNTRUSTED, place)


def _ago(seconds: int) -> int:
    return int(datetime.now(UTC).timestamp()) - seconds


def _changed(token: str) -> str:
    """The same token with one bit of its signature turned."""
    head, claims, signature = token.split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))
    raw[len(raw) // 2] ^= 1
    return ".".join((head, claims, base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode()))

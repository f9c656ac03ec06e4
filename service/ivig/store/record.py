"""What is kept of a call: codes, times and keyed hashes. No name, no date of birth, no free text."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class ShownFinding(Struct, frozen=True):
    """A finding, and what became of it: shown, shadow, off, repeat, folded, capped or withheld."""

    rule: str
    severity: str
    result: str
    shown: str


class ShownCard(Struct, frozen=True):
    """What was made of one order.

    Args:
        uuid: of the card; '' where there was none.
        order: fingerprint of the order, a keyed hash.
        suggestions: their uuids.
    """

    uuid: str
    order: str
    verdict: str
    judged: str
    indicator: str
    findings: tuple[ShownFinding, ...]
    suggestions: tuple[str, ...] = ()


class Shown(Struct, frozen=True):
    """One call.

    Args:
        at: RFC 3339, UTC.
        instance: its `hookInstance`.
        patient, user, encounter: keyed hashes, '' for none.
        prefetch: what became of each query.
    """

    at: str
    client: str
    hook: str
    instance: str
    patient: str
    user: str
    encounter: str = ""
    knowledge: str = ""
    policy: str = ""
    service: str = ""
    cards: tuple[ShownCard, ...] = ()
    prefetch: Mapping[str, str] = {}
    took_ms: float = 0.0

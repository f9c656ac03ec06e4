"""The positions of a page that a policy chooses in place of the page's own values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct, structs

from ivig.core.dated import Value
from ivig.core.finding import amount

PHASED = ("course", "regimens", "interval")
STATUS, BASIS = "status", "weight_basis"


class Phase(Struct, frozen=True):
    """Doses of one phase: grams per kg of a course or cycle, accepted days with the highest day, interval of the cycles."""

    course: Value | None = None
    regimens: Value | None = None
    interval: Value | None = None


class Position(NamedTuple):
    """What one view holds, beside the page's own value: of a phase, of the page's status or of its weight."""

    view: str
    phase: str
    what: str
    value: Value


class Choice(Struct, frozen=True):
    """A page's status, weight and phases after the choice, what was chosen, and the page's own doses that gave way."""

    status: Value | None
    weight_basis: Value | None
    phases: Mapping[str, Phase]
    chosen: frozenset[tuple[str, str]] = frozenset()
    displaced: tuple[Phase, ...] = ()


def choose(
    key: str,
    status: Value | None,
    weight_basis: Value | None,
    phases: Mapping[str, Phase],
    positions: Iterable[Position],
    views: tuple[str, ...],
    policy: str,
) -> Choice:
    """For each phase and thing the position of the first of `views` that holds one, else the page's own."""
    best: dict[tuple[str, str], Position] = {}
    held = list(positions)
    for view in views:
        for position in held:
            if position.view == view:
                best.setdefault((position.phase, position.what), position)
    made = dict(phases)
    displaced = []
    for (phase, what), position in best.items():
        if what == STATUS:
            status = _said(position, status, f"{key}.status", policy)
        elif what == BASIS:
            weight_basis = _said(position, weight_basis, f"{key}.weight_basis", policy)
        elif phase in made:
            own: Value | None = getattr(made[phase], what)
            if own is not None:
                displaced.append(Phase(**{what: own}))
            value = _said(position, own, f"{key}.phases.{phase}.{what}", policy)
            made[phase] = structs.replace(made[phase], **{what: value})
    return Choice(status, weight_basis, made, frozenset(best), tuple(displaced))


def _said(position: Position, own: Value | None, key: str, policy: str) -> Value:
    """The position's value under the page's key, telling the choice wherever it is cited."""
    instead = f"; the page's own: {amount(own)} ({own.source})" if own is not None else ""
    at = f"{position.value.at}; position of {position.view}, chosen by policy {policy}{instead}"
    return structs.replace(position.value, key=key, at=at)

"""What a check is, what became of it, and the ledger that every look at a service is entered in."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct, field

_MOST_FAULTS = 20  # kept of one check: more of the same tell nothing new
_LONGEST = 200  # characters of what was seen


class Level(StrEnum):
    """How strongly a specification asks for something."""

    SHALL = "SHALL"
    SHOULD = "SHOULD"


class State(StrEnum):
    """What became of a check. `UNSEEN`: nothing it speaks of came up, so that it says neither yes nor no."""

    HELD = "held"
    BROKEN = "broken"
    UNSEEN = "not seen"


class Check(Struct, frozen=True):
    """One demand on a service.

    Args:
        id: `S-...` is ours; `cds-...` is the name of the published invariant.
        source: the document and section that asks for it.
        crd: asked for by Da Vinci CRD alone, so only looked at on demand.
    """

    id: str
    level: Level
    statement: str
    source: str
    crd: bool = False


class Fault(Struct, frozen=True):
    """Where a check was broken, and by what."""

    place: str
    seen: str


class Outcome(Struct):
    """What became of one check. `looked`: how often the thing it speaks of came up."""

    check: Check
    looked: int = 0
    broken: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def state(self) -> State:
        if self.broken:
            return State.BROKEN
        return State.HELD if self.looked else State.UNSEEN


class Ledger:
    """The outcomes of checks, in the order in which they are listed.

    `place` goes before every place that is entered: the call that is being looked at.
    """

    def __init__(self, checks: Iterable[Check]) -> None:
        self._outcomes = {check.id: Outcome(check) for check in checks}
        self.place = ""

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return tuple(self._outcomes.values())

    def holds(self, check: str, right: bool, place: str, seen: object = "") -> bool:
        """Enters one look; a check that is not asked for (CRD) is passed over. Returns whether it was right."""
        outcome = self._outcomes.get(check)
        if outcome is not None:
            outcome.looked += 1
            if not right:
                outcome.broken += 1
                if len(outcome.faults) < _MOST_FAULTS:
                    whole = ": ".join(part for part in (self.place, place) if part)
                    outcome.faults.append(Fault(whole, _short(seen)))
        return right

    def broken(self, level: Level | None = None) -> list[str]:
        """The ids of broken checks, of one level or of all."""
        found = (o.check for o in self.outcomes if o.state == State.BROKEN)
        return [check.id for check in found if level in (None, check.level)]


def _short(seen: object) -> str:
    text = seen if isinstance(seen, str) else repr(seen)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

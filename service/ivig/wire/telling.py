"""How a client wants to be told, and what of a report is shown for it: per finding, and per card where there is a cap.

Nothing here makes a text: an order of which nothing is shown costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from ivig.core.finding import ERROR, WARNING, Finding, Judgement, Result
from ivig.core.override_reasons import OverrideReasons

# What became of a finding.
SHOWN, SHADOW, OFF, REPEAT, FOLDED, CAPPED, WITHHELD = (
    "shown", "shadow", "off", "repeat", "folded", "capped", "withheld",
)  # fmt: skip
_QUIETED = frozenset({SHADOW, OFF})
ORDER_SELECT = "order-select"  # the hook at which an order is still being written


class Telling(Struct, frozen=True):
    """How the client wants to be told.

    Args:
        hook: the hook that was called.
        base_url: of this service, for links to its pages; '' for none.
        modes: by rule `shadow` or `off`; every other rule is on.
        withheld: rules that are not shown at `order-select`, by their full names: of what is simply not filled in yet.
        repeated: whether a finding was shown before and nothing has changed since. Never asked for an error.
        most_cards: how many cards are shown at most; 0 for no limit. A card with an error is always shown.
        most_suggested: of how many cards the suggestions are made, the first ones; they cost several judgements each.
        cds_hooks: the version the client speaks; from 3.0 on its extras are given.
        patient: reference of the patient, `Patient/123`, for new requests beside an order that names none.
        overrides: the reasons to choose from; None for those of the report's knowledge.
        log: called with a rule's name and the kind of fault when suggestions cannot be made; never with patient data.
    """

    hook: str
    base_url: str = ""
    modes: Mapping[str, str] = {}
    withheld: frozenset[str] = frozenset()
    repeated: Callable[[Judgement, Finding], bool] | None = None
    most_cards: int = 0
    most_suggested: int = 20
    cds_hooks: str = "2.0"
    patient: str = ""
    overrides: OverrideReasons | None = None
    log: Callable[[str, str], None] | None = None


class Sorted(Struct, frozen=True):
    """A judgement with what becomes of its findings. `shown`: places of those that make the card, the gravest first."""

    place: int
    judgement: Judgement
    became: tuple[str, ...]
    shown: tuple[int, ...]

    @property
    def worst(self) -> Finding:
        return self.judgement.findings[self.shown[0]]

    def only(self, what: str) -> list[Finding]:
        return [f for f, became in zip(self.judgement.findings, self.became, strict=True) if became == what]


def sorted_out(place: int, judgement: Judgement, telling: Telling, verdict: str) -> Sorted:
    became = tuple(_became(f, judgement, telling, verdict) for f in judgement.findings)
    shown = [n for n, what in enumerate(became) if what == SHOWN]
    # What is known to be wrong goes before what could not be checked; the rest in reading order.
    shown.sort(key=lambda n: _rank(judgement.findings[n]))
    return Sorted(place, judgement, became, tuple(shown))


def _rank(f: Finding) -> tuple[int, bool, bool]:
    return -f.severity, f.result == Result.CANNOT_TELL, f.result == Result.NOTE


def _became(f: Finding, judgement: Judgement, telling: Telling, verdict: str) -> str:
    mode = telling.modes.get(f.rule)
    if mode in _QUIETED:
        return str(mode)
    if telling.hook == ORDER_SELECT and f.rule in telling.withheld:
        return WITHHELD
    # An element that could not be read is no finding of a rule: the verdict speaks for it, or it would pass in silence.
    speaks = f.rule == verdict and bool(judgement.unread)
    if not speaks and (f.severity < WARNING or f.result == Result.NOTE):
        return FOLDED
    if f.severity < ERROR and telling.repeated is not None and telling.repeated(judgement, f):
        return REPEAT
    return SHOWN


def kept_of(carded: Sequence[Sorted], most: int) -> list[Sorted]:
    """The cards that are shown, in the order of the report: the gravest, and all with an error."""
    if not most or len(carded) <= most:
        return list(carded)
    ranked = sorted(carded, key=lambda one: (_rank(one.worst), -len(one.shown), one.place))
    kept = {one.place for n, one in enumerate(ranked) if n < most or one.worst.severity >= ERROR}
    return [one for one in carded if one.place in kept]

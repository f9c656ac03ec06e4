"""Why somebody may go ahead in spite of a finding: the reasons that a card offers, fitting to its rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from ivig.core.dated import Series


class OverrideReason(Struct, frozen=True):
    """A reason by its code, the code system and its words."""

    code: str
    system: str
    display: str


class OverrideReasons(Struct, frozen=True):
    """All reasons there are, and which fit a rule.

    Args:
        reasons: each by its code.
        fits: by a rule's name, or a family's as `dose-*`, the codes that fit, the likeliest first, and since when.
    """

    reasons: Mapping[str, OverrideReason] = {}
    fits: Mapping[str, Series] = {}

    def of(self, rule: str, day: date) -> tuple[OverrideReason, ...]:
        """The reasons that fit a rule on a day; what is told of the rule itself goes before what is told of its family."""
        series = self.fits.get(rule) or self.fits.get(family(rule))
        value = series.on(day) if series is not None else None
        return tuple(self.reasons[code] for code in value.words) if value is not None else ()


def family(rule: str) -> str:
    """The name under which the whole family of a rule is told of."""
    return f"{rule.partition('-')[0]}-*"

"""One look at a live service, from discovery to tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ivig.entrypoints.conformance import probes, refusals
from ivig.entrypoints.conformance.checks import Check
from ivig.entrypoints.conformance.demands import CHECKS
from ivig.entrypoints.conformance.probes import Look

__all__ = ["Look", "checks_of", "look_at"]


def checks_of(crd: bool) -> tuple[Check, ...]:
    """The checks of a run."""
    return tuple(check for check in CHECKS if crd or not check.crd)


def look_at(look: Look, files: Sequence[tuple[str, Any]] = ()) -> None:
    """Every probe, in an order in which each finds what it needs; the outcomes stand in the ledger.

    Args:
        files: calls or feedback to send as well: (name, parsed body).

    Raises:
        Unreachable: nobody answers, or not without a token that we lack.
    """
    probes.discover(look)
    probes.call_services(look)
    probes.given(look, files)
    refusals.wrong_calls(look)
    refusals.feedback(look)
    refusals.tokens(look)
    probes.timed(look.took, look.ledger)

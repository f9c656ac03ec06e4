"""Signs: what of the patient speaks for a risk, with the evidence of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from ivig.core.dated import Value
from ivig.core.finding import Input
from ivig.core.order import UNCONFIRMED, Allergy, Condition, Drug, Moment, Procedure, Reason


class Sign(Struct, frozen=True):
    """Something of the patient that speaks against a product or for a risk: what it is, since when, where it stands.

    `factor`: the risk factor it is one of; signs of one factor count once. `doubt`: how the chart qualifies it.
    """

    what: str
    input: Input
    since: Moment | date | None
    grave: bool = False
    cites: tuple[Value, ...] = ()
    sum: str = ""
    factor: str = ""
    doubt: str = ""


def told_by(evidence: Condition | Allergy | Drug | Procedure | Reason, what: str = "") -> Input:
    """Chart evidence as an input of a finding, in its own words."""
    concept = evidence.concept
    said = concept.said or what
    when = since(evidence)
    return Input(what or "chart", said[:80], when.text if when is not None else "", evidence.path)


def since(evidence: Condition | Allergy | Drug | Procedure | Reason) -> Moment | None:
    match evidence:
        case Condition():
            return evidence.recorded or evidence.onset
        case Allergy():
            return evidence.recorded
        case Drug():
            return evidence.start
        case Procedure():
            return evidence.when or evidence.asked
        case _:
            return evidence.onset


def sign_of(
    evidence: Condition | Drug | Procedure | Reason, kind: str, what: str = "", *, grave: bool = False, factor: str = ""
) -> Sign:
    """A sign in the chart's own words, unless `what` names it."""
    told = told_by(evidence, kind)
    doubt = ""
    if isinstance(evidence, Condition) and evidence.verification in UNCONFIRMED:
        doubt = f"{told.value} counts, although recorded as {evidence.verification}"
    return Sign(what or told.value, told, since(evidence), grave, factor=factor, doubt=doubt)


def doubts(signs: Iterable[Sign]) -> tuple[str, ...]:
    """What was taken for granted about signs."""
    return tuple(dict.fromkeys(s.doubt for s in signs if s.doubt))


def in_order(signs: list[Sign]) -> list[Sign]:
    """Signs in an order that does not hang on where they stand in the chart."""
    return sorted(signs, key=lambda s: (s.input.value, s.input.day, s.what)) if len(signs) > 1 else signs

"""The noise test: nobody should be stopped, asked or warned over an ordinary order with a complete chart."""

from __future__ import annotations

import pytest

from bases import BASES
from builder import bundle
from judged import answer, rows, shown
from outcome_contract import assert_contract

# What may be said of them all the same, for information. By the rules, not by what the service happens to say.
OFF_LABEL = "indication-off-label"  # a labelled indication, and another product than the labelled one
EXPECTED: dict[str, set[str]] = {
    "kawasaki": {OFF_LABEL},  # Gamunex-C; labelled is Gammagard S/D
    "itp_pregnancy": {"risk-pregnancy"},  # both weights are shown whenever a patient is pregnant
    "fnait": {"risk-pregnancy"},
    "fnait_newborn": {"risk-renal"},  # a newborn's eGFR is low, and is told
    "hdn": {"risk-renal"},
    "cll": {OFF_LABEL},  # Privigen; labelled is Gammagard S/D
}


@pytest.mark.parametrize("base", BASES)
def test_an_ordinary_order_is_quiet(base: str) -> None:
    sent = bundle(base)
    told = answer(sent)
    assert_contract(told, sent)
    found = rows(told)
    loud = [r for r in found if r.loud]
    assert not loud, shown(found)
    verdicts = [r.verdict for r in found if r.rule == "order-verdict"]
    assert verdicts == ["clear"], shown(found)


@pytest.mark.parametrize("base", BASES)
def test_an_ordinary_order_gets_few_informations(base: str) -> None:
    found = rows(answer(bundle(base)))
    informed = {r.rule for r in found if r.result != "note"}
    assert informed <= EXPECTED.get(base, set()), shown(found)


@pytest.mark.parametrize("base", BASES)
def test_an_ordinary_order_is_judged_in_full(base: str) -> None:
    """The charts are complete: no rule may want for anything."""
    found = rows(answer(bundle(base)))
    assert not [r for r in found if r.not_judged], shown(found)

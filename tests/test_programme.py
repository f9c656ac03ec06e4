"""The judge's programme says what the judge says step by step: on every base and case, whatever is absent, and when something crashes."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from msgspec import structs

from bases import BASES
from builder import bundle
from casefiles import all_cases
from charts import CHARTS, bundle_of
from ivig.core.dated import NotInForce
from ivig.core.finding import Result
from ivig.core.judge import Case
from ivig.core.order import Order
from ivig.core.programme import Programme
from ivig.wire.decode import decode
from ivig.wire.read import Asked, read
from judged import NOON, validator, written
from r4 import Json
from takeaways import takeaways

JUDGE = validator()._judge


def orders(sent: Json) -> tuple[Order, ...]:
    return read(decode(written(sent)), validator().library.lexicon, Asked(now=NOON)).orders


def assert_same(order: Order) -> bool:
    """Holds both against each other; False where the programme leaves the order to the judge, for a value that is not in force."""
    book = validator().library.on(order.day)
    by_steps = JUDGE._step_by_step(Case({"order": order, "book": book}), order, full=True)
    try:
        straight = JUDGE._straight(order, book)
    except NotInForce:
        return False
    assert straight == by_steps
    values = JUDGE.programme.facts(order, book)
    case = Case({"order": order, "book": book})
    case.fill(JUDGE.plan)
    assert (values.pop("_absent"), values.pop("_lacking")) == (case.absent, case.lacking)
    assert values.keys() == case.values.keys()
    return True


def in_scope(order: Order) -> bool:
    return bool(Case({"order": order, "book": validator().library.on(order.day)}).get("in_scope"))


@pytest.mark.parametrize("base", BASES)
def test_bases_and_what_is_taken_away(base: str) -> None:
    sent = bundle(base)
    for body in (sent, *(rest for _, rest in takeaways(sent))):
        for order in filter(in_scope, orders(body)):
            assert assert_same(order)


@pytest.mark.parametrize("chart", CHARTS)
def test_charts(chart: str) -> None:
    for order in orders(bundle_of(chart)):
        assert assert_same(order)


def test_cases() -> None:
    sent = [bundle(case.base, case.change) for case in all_cases()[::3]]
    held = [assert_same(order) for body in sent for order in filter(in_scope, orders(body))]
    assert sum(held) > 0.98 * len(held), f"{len(held) - sum(held)} of {len(held)} are left to the judge"


def test_what_crashes_is_told_step_by_step() -> None:
    (order,) = orders(bundle("gbs"))
    book = validator().library.on(order.day)
    broken = structs.replace(order, parts=(None,))  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        JUDGE._straight(broken, book)
    told = JUDGE.judge(broken, book)
    assert any(f.code == "exception" for f in told.findings), json.dumps([f.rule for f in told.findings])


def test_the_programme_can_be_read() -> None:
    source = JUDGE.programme.source
    assert isinstance(JUDGE.programme, Programme)
    assert "    weight = make_weight(order, weights, weight_fault)\n" in source
    assert "    said += check_weight_amputation(order, conditions)\n" in source


def test_a_rule_alone_finds_what_it_finds_among_all() -> None:
    for case in all_cases()[::5]:
        for order in orders(bundle(case.base, case.change)):
            book = validator().library.on(order.day)
            told = Counter((f.rule, f.about) for f in JUDGE.judge(order, book).findings if f.result == Result.FLAGGED)
            alone = Counter(
                (f.rule, f.about)
                for name in JUDGE.rules
                for f in JUDGE.alone(name, order, book)
                if f.result == Result.FLAGGED
            )
            assert alone == told

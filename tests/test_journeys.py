"""One order, every door: the same findings through the FHIR operation and through the hooks."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

import ivig
from bases import BASES
from builder import bundle
from casefiles import Case, all_cases
from charts import CHARTS, bundle_of
from hooked import as_call, asked, findings, time_of
from ivig.chart.queries import for_hook
from ivig.entrypoints.hook_answer import Answerer
from ivig.entrypoints.hook_chart import ChartGatherer
from ivig.outbound import AllowList
from ivig.store.pseudonyms import Pseudonyms
from ivig.trust.clients import DEVELOPMENT
from ivig.wire.hook import read_call
from judged import NOON, Row, judged, shown, validator
from r4 import Json

_NAMELESS = "order-medication-missing"
SAMPLES = sorted(p for p in (Path(ivig.__file__).parent / "samples").glob("*.json") if not p.name.startswith("hook-"))


def by_hook(body: Json, at: object) -> Json:
    """The answer of the hook to a call, at a time."""
    gatherer = ChartGatherer(asked(), validator().library.lexicon, None, 0)
    answerer = Answerer(validator(), asked(), Pseudonyms(b"journeys"), NOON.tzinfo, clock=lambda: at)  # type: ignore[arg-type, return-value]
    written = json.dumps(body).encode()
    call = read_call(written, asked())
    gathered = asyncio.run(gatherer.gather(call, AllowList(())))
    return answerer.answer(call, gathered, written, DEVELOPMENT, "").body


def by_operation(body: Json) -> Counter[tuple[str, str, str]]:
    return Counter((r.rule, r.severity, r.result) for r in judged(body) if _of_an_order(r))


def _passed_over(call: Json, at: object) -> bool:
    """A draft without a medication is a finding of the operation, and a note of a hook."""
    told = {row[:3] for row in findings(by_hook(call, at))}
    assert (_NAMELESS, "information", "note") in told
    return False


def _of_an_order(row: Row) -> bool:
    """Not what is said of the request as a whole, nor of elements that could not be read."""
    return bool(row.rule) and row.rule != "order-none"


def compared(body: Json) -> bool:
    """Hold both doors against each other; False where a hook has no words for the bundle."""
    at, call = time_of(body), as_call(body)
    if at is None or call is None:
        return False
    operation = by_operation(body)
    if any(rule == _NAMELESS for rule, *_ in operation):
        return _passed_over(call, at)
    hook = Counter(
        (rule, severity, result)
        for (rule, severity, result, _), n in findings(by_hook(call, at)).items()
        for _ in range(n)
    )
    assert hook == operation, (
        f"hook only: {hook - operation}; operation only: {operation - hook}\n{shown(judged(body))}"
    )
    return True


def _by_rule() -> Iterator[tuple[str, list[Case]]]:
    for rule, cases in groupby(all_cases(), key=lambda c: c.rule):
        yield rule, list(cases)


@pytest.mark.parametrize(("rule", "cases"), list(_by_rule()), ids=lambda v: v if isinstance(v, str) else "")
def test_every_case_gives_the_same_through_both_doors(rule: str, cases: list[Case]) -> None:
    for case in cases:
        compared(bundle(case.base, case.change))


def test_most_cases_have_words_in_a_hook() -> None:
    cases = all_cases()
    told = sum(
        1 for c in cases if (b := bundle(c.base, c.change)) and time_of(b) is not None and as_call(b) is not None
    )
    assert told > 0.8 * len(cases)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_every_sample_gives_the_same_through_both_doors(path: Path) -> None:
    compared(json.loads(path.read_bytes()))


@pytest.mark.parametrize("name", CHARTS)
def test_a_full_ordinary_chart_makes_no_card(name: str) -> None:
    body = bundle_of(name)
    assert compared(body)
    call = as_call(body)
    assert call is not None
    assert by_hook(call, time_of(body))["cards"] == []


@pytest.mark.parametrize("base", BASES)
def test_a_base_gives_the_same_through_both_doors(base: str) -> None:
    assert compared(bundle(base))


def test_a_key_left_out_is_a_section_not_sent() -> None:
    body = bundle("cidp_maintenance")
    call = as_call(body)
    assert call is not None
    for key in list(call["prefetch"]):
        if key != "patient":
            del call["prefetch"][key]
    told = {rule for rule, *_ in findings(by_hook(call, time_of(body)))}
    assert {"chart-section-missing", "weight-missing", "lab-missing"} <= told


def test_the_discovery_asks_only_what_each_hook_can_fill() -> None:
    for hook in ("order-select", "order-sign", "order-dispatch"):
        keys = {q.key for q in for_hook(asked(), hook)}
        assert keys >= {q.key for q in asked()} - {"encounter"}
        assert ("encounter" in keys) == (hook != "order-dispatch")

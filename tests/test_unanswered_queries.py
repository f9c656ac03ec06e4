"""A query for tests that was asked and not answered: nothing is then known to be missing, and no finding vanishes unsaid.

Asked of every base and of every case in which something is flagged, for each query of tests.
"""

from __future__ import annotations

import copy
import json
from datetime import UTC
from functools import lru_cache

import pytest
from msgspec import structs

from ivig.chart.queries import queries
from ivig.entrypoints.operation import asked_for
from ivig.wire.decode import decode
from ivig.wire.outcome import encode, outcome
from ivig.wire.read import read
from judged import NOON, Row, flagged, not_judged, rows, shown, validator, written
from r4 import Json
from takeaways import held, order_path, resources
from test_takeaway import of_order, variants

# Findings that tell of a datum that is not there.
ABSENCES = {
    "lab-missing",
    "lab-iga-unknown",
    "lab-blood-group-unknown",
    "lab-serology-before-first",
    "weight-missing",
    "weight-height-missing",
    "course-response-undocumented",
}
STRANGER = {"order-patient-mismatch"}  # it spoke of the result that was taken


@lru_cache(maxsize=1)
def codes() -> dict[str, frozenset[str]]:
    """The codes that each query for results asks for."""
    return {
        q.key: frozenset(c.rpartition("|")[2] for c in q.template.partition("code=")[2].partition("&")[0].split(","))
        for q in queries(validator().library)
        if q.kind == "Observation"
    }


def _asked_by(resource: Json, key: str) -> bool:
    codings = resource.get("code", {}).get("coding", []) if resource["resourceType"] == "Observation" else []
    return any(c.get("code") in codes()[key] for c in codings)


def without(sent: Json, key: str) -> Json | None:
    """What was sent without the results of a query; None where there were none."""
    rest = copy.deepcopy(sent)
    inner = held(rest)
    inner["entry"] = [e for e in inner["entry"] if "resource" not in e or not _asked_by(e["resource"], key)]
    return rest if len(resources(inner)) < len(resources(held(sent))) else None


def judged_unanswered(sent: Json, key: str) -> list[Row]:
    """The outcome of the order where this query timed out."""
    judge = validator()
    decoded = decode(written(sent))
    asked, day, library = asked_for(decoded, UTC, NOON, judge.library)
    reading = read(decoded, library.lexicon, structs.replace(asked, unavailable=((key, "timeout"),)))
    told = rows(json.loads(encode(outcome(judge.report(reading, day, library), reading.broken))))
    return [r for r in told if r.expression[:1] == (order_path(sent),)]


@pytest.mark.parametrize("name", list(variants()))
def test_nothing_is_called_missing_that_was_not_had(name: str) -> None:
    sent = variants()[name]
    before = of_order(sent)
    wrong = []
    for key in codes():
        rest = without(sent, key)
        if rest is None:
            continue
        after = judged_unanswered(rest, key)
        lost = flagged(before) - flagged(after) - not_judged(after) - STRANGER
        made = {(r.rule, r.text) for r in after if r.rule in ABSENCES} - {(r.rule, r.text) for r in before}
        if lost or made:
            wrong.append(f"{key}: {sorted(lost)} vanished, {sorted(made)} told as missing\n{shown(after)}")
    assert not wrong, "\n".join(wrong)

"""No body, however broken, makes the service fall over: it is judged as far as it goes, or refused with a reason.

`IVIG_FUZZ=20000 pytest -m fuzz` is the long mode. A failure names its seed; `body_of(seed)` is the body.
"""

from __future__ import annotations

import json
import os
from functools import lru_cache

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from starlette.testclient import TestClient

from bases import BASES
from builder import bundle
from ivig.app import create_app
from ivig.entrypoints.operation import Refused
from ivig.wire.decode import Unreadable
from judged import answer, rows
from mutations import mutated
from r4 import Json

MUTATIONS = int(os.environ.get("IVIG_FUZZ", "1000"))
_CHUNK = 50
CHUNKS = [range(start, min(start + _CHUNK, MUTATIONS)) for start in range(0, MUTATIONS, _CHUNK)]
OPERATION = "/fhir/$validate-ivig-order"
ANSWERED = {200, 400, 413, 415, 422}

pytestmark = pytest.mark.fuzz

# Orders of many shapes: the bases, and a few that go down the less trodden paths of the reader.
SHAPES: list[Json] = [
    {"evaluation": "2026-11-21"},
    {
        "events": ["2026-11-20", "2026-11-21"],
        "text": "28 g daily x 5",
        "weight": ["154 [lb_av]", {"value": "70 kg", "day": "2026-10-01"}],
    },
    {
        "dose": "0.4 g/kg",
        "product": "immune globulin",
        "labs": {"creatinine": "80 umol/L", "iga": "<7 mg/dL"},
        "birth": "1981",
    },
    {"instructions": [{"text": "0.4 g/kg daily for 5 days"}], "reason": {"text": "CIDP"}, "sex": "absent"},
    {
        "orders": [{"groupIdentifier": {"value": "g1"}}, {"status": "completed"}],
        "order": {"groupIdentifier": {"value": "g1"}},
    },
    {
        "given": [{"day": "2026-10-20", "dose": "70 g"}],
        "allergies": [{"words": "corn"}],
        "immunizations": [{"cvx": "03", "day": "2026-11-12"}],
    },
]
START: list[Json] = [bundle(base) for base in BASES] + [bundle("gbs", change) for change in SHAPES]


def body_of(seed: int) -> bytes:
    return mutated(START[seed % len(START)], seed)


def told_by_core(body: bytes) -> Json | None:
    """The outcome, or None where the body is refused."""
    try:
        return answer(body)
    except (Unreadable, Refused):
        return None


@pytest.mark.parametrize("chunk", CHUNKS, ids=lambda c: f"{c.start}-{c.stop - 1}")
def test_the_core_never_falls_over(chunk: range) -> None:
    for seed in chunk:
        body = body_of(seed)
        try:
            told = told_by_core(body)
            if told is not None:
                assert_sound(told)
        except BaseException as fault:
            fault.add_note(f"seed {seed}: {body[:3000]!r}")
            raise


def assert_sound(told: Json) -> None:
    """A valid outcome that can be sent, in which no rule has crashed."""
    json.dumps(told, allow_nan=False).encode()
    OperationOutcome.model_validate(told)
    crashed = [str(r) for r in rows(told) if r.code == "exception"]
    assert not crashed, crashed


@lru_cache(maxsize=1)
def client() -> TestClient:
    return TestClient(create_app(), raise_server_exceptions=True)


@pytest.mark.parametrize("chunk", CHUNKS, ids=lambda c: f"{c.start}-{c.stop - 1}")
def test_the_operation_never_falls_over(chunk: range) -> None:
    for seed in chunk:
        body = body_of(seed)
        try:
            assert_answered(body)
        except BaseException as fault:
            fault.add_note(f"seed {seed}: {body[:3000]!r}")
            raise


def assert_answered(body: bytes) -> None:
    got = client().post(OPERATION, content=body, headers={"Content-Type": "application/fhir+json"})
    assert got.status_code in ANSWERED, got.status_code
    told = got.json()
    OperationOutcome.model_validate(told)
    if got.status_code == 200:
        assert not [r for r in rows(told) if r.code == "exception"]


@pytest.mark.parametrize("day", ["0001-01-01", "0001-02-01", "9999-12-01", "9999-12-31"])
def test_the_ends_of_the_calendar_are_days_like_others(day: str) -> None:
    """Years that stand for "never" or "for ever": as day of judgement, as start and as expected delivery."""
    asked = {"evaluation": day, "weight": "absent", "labs": {"edd": day}}
    for base in BASES:
        for change in (asked, {"evaluation": day, "authored": day, "start": day, "birth": "0001-01-01"}):
            assert_answered(json.dumps(bundle(base, change)).encode())
            told = told_by_core(json.dumps(bundle(base, change)).encode())
            assert told is not None
            assert_sound(told)


def test_the_same_seed_makes_the_same_body() -> None:
    assert [body_of(seed) for seed in range(50)] == [body_of(seed) for seed in range(50)]

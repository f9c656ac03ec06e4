"""Fetching a chart from a server that does everything a server may do wrong: what comes in time, and what is told of the rest."""

from __future__ import annotations

import asyncio
import logging

import pytest

from ehr import Ehr, Reply, ehr, run
from fetching import (
    CONTEXT,
    FEW,
    NOTHING,
    QUERIES,
    TOKEN,
    P,
    bundle,
    but,
    chart,
    fetcher,
    gathered,
    is_weights,
    of,
    same,
    told,
)
from ivig.chart.queries import filled, for_hook
from ivig.wire.prefetch import State


def test_the_whole_chart_comes_at_once() -> None:
    def look(server: Ehr, took: float) -> None:
        assert len(server.asked) == len(QUERIES)
        assert {a.headers["authorization"] for a in server.asked} == {f"Bearer {TOKEN}"}
        assert {a.headers["accept"] for a in server.asked} == {"application/fhir+json"}

    answers, _ = gathered(chart, look=look)
    assert list(answers) == list(QUERIES)
    assert {a.state for a in answers.values()} == {State.HELD}
    assert all(a.fetched and a.key == key for key, a in answers.items())
    assert answers["weights"].items[1].path == "fetched.weights.entry[1].resource"
    assert answers["patient"].items[0].path == "fetched.patient"


def test_all_are_asked_at_the_same_time() -> None:
    """Each takes 150 ms; one after the other would take seconds."""
    answers, _ = gathered(
        lambda a: Reply(chart(a).body, after=0.15), look=lambda s, took: same(s.most_open, len(QUERIES))
    )
    assert {a.state for a in answers.values()} == {State.HELD}


def test_an_empty_chart_is_known_to_be_empty() -> None:
    answers, _ = gathered(lambda a: chart(a) if "/" in a.path else Reply(NOTHING))
    assert {k for k, a in answers.items() if a.state is not State.EMPTY} == {"patient", "encounter"}


def test_without_a_token_none_is_sent() -> None:
    def look(server: Ehr, took: float) -> None:
        assert "authorization" not in server.asked[0].headers

    assert told(chart, QUERIES["weights"], token="", look=look).state is State.HELD


@pytest.mark.parametrize("token", ["a b", "a\r\nX: y", "ü", "\x00"])
def test_a_token_that_is_none_is_sent_nowhere(token: str) -> None:
    def look(server: Ehr, took: float) -> None:
        assert not server.asked

    got = told(chart, token=token, look=look)
    assert (got.state, got.why) == (State.FAILED, "forbidden")


def test_a_read_that_finds_nothing_is_empty_and_a_search_is_not() -> None:
    answers, _ = gathered(lambda a: Reply(b"", 404), ("patient", "encounter", "weights"))
    assert [a.state for a in answers.values()] == [State.EMPTY, State.EMPTY, State.FAILED]


FAULTS: dict[str, tuple[Reply, str]] = {
    "401": (Reply(b"", 401), "forbidden"),
    "403 with a FHIR body": (Reply(bundle(of("Observation", "x1")), 403), "forbidden"),
    "404": (Reply(b"", 404), "not found"),
    "429": (Reply(b"", 429, headers={"Retry-After": "1"}), "too many requests"),
    "500 with HTML": (Reply(b"<h1>Oops", 500, headers={"Content-Type": "text/html"}), "error"),
    "504": (Reply(b"", 504), "timeout"),
    "204": (Reply(b"", 204), "error"),
    "HTML with 200": (Reply(b"<!doctype html><p>Sign in", headers={"Content-Type": "text/html"}), "not readable"),
    "no body": (Reply(b""), "not readable"),
    "cut off": (Reply(bundle(of("Observation", "x1")), cut=40), "not reachable"),
    "half a JSON": (Reply(b'{"resourceType":"Bundle","entry":['), "not readable"),
    "nested without end": (Reply(b'{"resourceType":"Bundle","x":' + b"[" * 200_000), "not readable"),
    "an OperationOutcome": (
        Reply({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]}),
        "error",
    ),
    "another type": (Reply(bundle(of("Condition", "c1"))), "wrong type"),
    "a list": (Reply([of("Observation", "x1")]), "wrong type"),
    "redirected elsewhere": (Reply(b"", 302, headers={"Location": "http://127.0.0.1:1/fhir"}), "redirected"),
    "redirected to itself": (Reply(b"", 307, headers={"Location": "/fhir/Observation?patient=p1"}), "redirected"),
    "too slow": (Reply(bundle(of("Observation", "x1")), after=5), "timeout"),
    "byte by byte": (Reply(bundle(of("Observation", "x1")), drip=0.05), "timeout"),
    "a null": (Reply(b"null"), ""),
}


@pytest.mark.parametrize("name", [n for n in FAULTS if n != "a null"])
def test_a_fault_is_told_and_the_rest_of_the_chart_comes(name: str) -> None:
    reply, why = FAULTS[name]
    answers, _ = gathered(but(is_weights, reply))
    assert {k for k, a in answers.items() if a.state is not State.HELD} == {"weights"}
    assert (answers["weights"].state, answers["weights"].why) == (State.FAILED, why)
    assert not answers["weights"].items


@pytest.mark.parametrize("name", ["401", "500 with HTML", "cut off", "too slow", "nested without end", "another type"])
def test_when_all_fail_all_are_told(name: str) -> None:
    reply, why = FAULTS[name]
    answers, _ = gathered(lambda _: reply, [k for k in QUERIES if k != "conditions"])
    assert {(a.state, a.why) for a in answers.values()} == {(State.FAILED, why)}


def test_a_server_that_is_not_there_is_told() -> None:
    async def fetch() -> None:
        async with ehr(chart) as server:
            gone = server.base
        at = fetcher()
        answers, _ = await at.gather(filled((FEW,), CONTEXT), gone, TOKEN, P)
        assert (answers["weights"].state, answers["weights"].why) == (State.FAILED, "not reachable")
        await at.aclose()

    run(fetch)


def test_who_hangs_up_leaves_nothing_running() -> None:
    """The EHR gives up on our answer: what was being fetched for it ends."""

    async def fetch() -> None:
        async with ehr(lambda a: Reply(NOTHING, after=10)) as server:
            at = fetcher(deadline_s=5)
            call = asyncio.ensure_future(at.gather(filled(tuple(QUERIES.values()), CONTEXT), server.base, TOKEN, P))
            await asyncio.sleep(0.1)
            assert server.open == len(QUERIES)
            call.cancel()
            await asyncio.wait([call])
            await asyncio.sleep(0.1)
            assert call.cancelled()
            assert server.open == 0
            await at.aclose()

    run(fetch)


def test_a_late_call_leaves_its_connections_closed() -> None:
    def look(server: Ehr, took: float) -> None:
        assert took >= 0.2

    async def fetch() -> None:
        async with ehr(but(is_weights, Reply(NOTHING, after=10))) as server:
            at = fetcher(deadline_s=0.2)
            for _ in range(3):
                await at.gather(filled(tuple(QUERIES.values()), CONTEXT), server.base, TOKEN, P)
            await asyncio.sleep(0.05)
            assert server.open <= len(QUERIES) - 1  # kept for the next call; the one that was cut off is closed
            await at.aclose()

    run(fetch)
    gathered(but(is_weights, Reply(NOTHING, after=10)), deadline_s=0.2, look=look)


def test_many_calls_at_once_all_return_in_time() -> None:
    async def fetch() -> None:
        async with ehr(lambda a: Reply(chart(a).body, after=0.05)) as server:
            at = fetcher(deadline_s=1.0)
            wanted = filled(tuple(QUERIES.values()), CONTEXT)
            found = await asyncio.gather(*(at.gather(wanted, server.base, TOKEN, P) for _ in range(8)))
            assert {a.state for answers, _ in found for a in answers.values()} == {State.HELD}
            await at.aclose()

    run(fetch)


@pytest.mark.parametrize("name", FAULTS)
def test_no_token_and_no_datum_is_logged_or_told(
    name: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        answers, _ = gathered(lambda a: FAULTS[name][0], for_hook_keys(), ("Medication/d1",))
    out = caplog.text + "".join(capfd.readouterr()) + " ".join(a.why for a in answers.values())
    assert TOKEN not in out
    assert "patient=" not in out
    assert f"Patient/{P}" not in out
    assert all(len(a.why) < 25 for a in answers.values())


def for_hook_keys() -> tuple[str, ...]:
    return tuple(q.key for q in for_hook(tuple(QUERIES.values()), "order-sign"))

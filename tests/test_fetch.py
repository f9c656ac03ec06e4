"""Fetching a chart from a server that does everything a server may do wrong: what comes back in time, and what is told of the rest."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ehr import Answers, Asked, Ehr, Reply, ehr, run
from ivig import outbound
from ivig.chart.fetch import Fetcher, Limits
from ivig.chart.queries import filled, for_hook, queries
from ivig.wire.decode import Item
from ivig.wire.prefetch import Answer, Query, State
from judged import validator

P, TOKEN = "p1", "token-that-nobody-may-see"
QUERIES = {q.key: q for q in queries(validator().library)}
CONTEXT = {"patientId": P, "encounterId": "e1"}
FEW = Query("weights", "Observation?patient={{context.patientId}}&_sort=-date&_count=2", "Observation", 2)
NOTHING = {"resourceType": "Bundle", "type": "searchset"}
SLACK_S = 0.05
_ABOUT = {"AllergyIntolerance": "patient", "Immunization": "patient"}


def of(kind: str, name: str, patient: str | None = f"Patient/{P}", **more: Any) -> dict[str, Any]:
    """A resource of a kind, about a patient."""
    about = {_ABOUT.get(kind, "subject"): {"reference": patient}} if patient else {}
    return {"resourceType": kind, "id": name, **about, **more}


def bundle(*resources: Any, following: str = "", **more: Any) -> dict[str, Any]:
    link = {"link": [{"relation": "next", "url": following}]} if following else {}
    return {**NOTHING, "entry": [{"resource": r} for r in resources], **link, **more}


def chart(asked: Asked) -> Reply:
    """One resource for each query, as a server does that works."""
    kind, _, name = asked.path.partition("/")
    if kind == "Patient":
        return Reply({"resourceType": "Patient", "id": name})
    if name:
        return Reply(of(kind, name))
    return Reply(bundle(of(kind, "x1"), of(kind, "x2")))


def but(wanted: Callable[[Asked], bool], reply: Reply) -> Answers:
    return lambda asked: reply if wanted(asked) else chart(asked)


def is_weights(asked: Asked) -> bool:
    return "29463-7" in asked.query.get("code", [""])[0]


def fetcher(deadline_s: float = 0.4, limits: Limits | None = None) -> Fetcher:
    return Fetcher(lambda: outbound.client(private=True, timeout_s=5, most_bytes=50_000_000), deadline_s, limits)


def gathered(
    answers: Answers,
    wanted: Sequence[str] | Query = tuple(QUERIES),
    references: Sequence[str] = (),
    deadline_s: float = 0.4,
    limits: Limits | None = None,
    look: Callable[[Ehr, float], None] = lambda server, took: None,
    token: str = TOKEN,
) -> tuple[dict[str, Answer], dict[str, Item]]:
    """What comes of the queries on such a server. It always returns in time, and leaves nothing running."""
    asked = (wanted,) if isinstance(wanted, Query) else tuple(QUERIES[key] for key in wanted)
    found: list[tuple[dict[str, Answer], dict[str, Item]]] = []

    async def fetch() -> None:
        async with ehr(answers) as server:
            at = fetcher(deadline_s, limits)
            named = [r.replace("BASE", server.base) for r in references]
            begun = time.perf_counter()
            found.append(await at.gather(filled(asked, CONTEXT), server.base + "/", token, P, named))
            took = time.perf_counter() - begun
            others = [t for t in asyncio.all_tasks() if "Fetched" in repr(t.get_coro())]
            assert not others
            await at.aclose()
            assert took < deadline_s + SLACK_S
            look(server, took)

    run(fetch)
    return found[0]


def told(answers: Answers, query: Query = FEW, **how: Any) -> Answer:
    return gathered(answers, query, **how)[0][query.key]


def names(answer: Answer) -> list[str]:
    return [item.resource.id for item in answer.items]


# -- what works -------------------------------------------------------------------------------------------------------


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
        lambda a: Reply(chart(a).body, after=0.15), look=lambda s, took: _same(s.most_open, len(QUERIES))
    )
    assert {a.state for a in answers.values()} == {State.HELD}


def _same(got: int, wanted: int) -> None:
    assert got == wanted


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


# -- what goes wrong --------------------------------------------------------------------------------------------------

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


# -- whose data -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "whose",
    [
        None,
        "Patient/p2",
        "Patient/p11",
        "Patient/p1/x",
        "Group/p1",
        "p1",
        "urn:uuid:p1",
        "#p1",
        "https://elsewhere.test/fhir/Patient/p1",
        "xPatient/p1",
        "patient/p1",
        "",
    ],
)
def test_what_is_not_proven_to_be_the_patients_is_left_out(whose: str | None) -> None:
    got = told(
        lambda a: Reply(bundle(of("Observation", "theirs", whose), of("Observation", "mine"))), QUERIES["weights"]
    )
    assert (got.state, got.why, names(got)) == (State.PARTIAL, "another patient", ["mine"])


def test_the_patient_is_meant_by_every_proper_reference() -> None:
    async def fetch() -> None:
        async with ehr(lambda a: Reply(body)) as server:
            said = [
                "Patient/p1",
                f"{server.base}/Patient/p1",
                "Patient/p1/_history/3",
                f"{server.base}/Patient/p1/_history/3",
            ]
            body.update(bundle(*(of("Observation", f"x{i}", s) for i, s in enumerate(said))))
            at = fetcher()
            answers, _ = await at.gather(filled((QUERIES["weights"],), CONTEXT), server.base, TOKEN, P)
            assert (answers["weights"].state, len(answers["weights"].items)) == (State.HELD, 4)
            await at.aclose()

    body: dict[str, Any] = {}
    run(fetch)


def test_a_server_that_ignores_the_patient_mixes_nobody() -> None:
    """Every kind, by whichever element names its patient."""

    def everyones(asked: Asked) -> Reply:
        kind, _, name = asked.path.partition("/")
        if kind == "Patient":
            return Reply({"resourceType": "Patient", "id": "p2"})
        if name:
            return Reply(of(kind, name, "Patient/p2"))
        return Reply(bundle(of(kind, "x1", "Patient/p2"), of(kind, "x2", "Patient/p3")))

    answers, _ = gathered(everyones)
    assert not [i for a in answers.values() for i in a.items]
    assert {a.why for a in answers.values()} == {"another patient"}
    assert {answers["patient"].state, answers["encounter"].state} == {State.FAILED}
    assert {a.state for k, a in answers.items() if k not in ("patient", "encounter")} == {State.PARTIAL}


def test_included_resources_come_along_and_are_nobodys() -> None:
    drug = {"resourceType": "Medication", "id": "d1"}
    author = {"resourceType": "Practitioner", "id": "a1"}
    got = told(lambda a: Reply(bundle(of("MedicationRequest", "m1"), drug, author)), QUERIES["medications"])
    assert (got.state, names(got)) == (State.HELD, ["m1", "d1"])


def test_an_included_stranger_is_left_out() -> None:
    other = {"resourceType": "Patient", "id": "p2"}
    got = told(lambda a: Reply(bundle(of("Condition", "c1"), other)), QUERIES["conditions"])
    assert (got.state, names(got)) == (State.PARTIAL, ["c1"])


def test_a_read_that_gives_another_resource_is_none() -> None:
    got = told(lambda a: Reply(of("Encounter", "e2")), QUERIES["encounter"])
    assert (got.state, got.why, got.items) == (State.FAILED, "another patient", ())


# -- pages ------------------------------------------------------------------------------------------------------------


def paged(pages: int, more: Callable[[int, Asked], str], after: float = 0, total: int | None = None) -> Answers:
    def page(asked: Asked) -> Reply:
        place = int(asked.query.get("page", ["1"])[0])
        said = {} if total is None else {"total": total}
        resources = [of("Observation", f"x{place}.{i}") for i in range(2 if place < pages else 1)]
        return Reply(bundle(*resources, following=more(place, asked) if place < pages else "", **said), after=after)

    return page


def absolute(place: int, asked: Asked) -> str:
    return f"http://{asked.headers['host']}/fhir?page={place + 1}"


def test_pages_are_followed_to_the_last() -> None:
    got = told(paged(4, absolute))
    assert (got.state, len(got.items), got.more) == (State.HELD, 7, "")
    assert got.items[2].path == "fetched.weights.page[1].entry[0].resource"
    assert len({item.path for item in got.items}) == 7


def test_relative_addresses_of_pages_are_below_the_base() -> None:
    got = told(paged(3, lambda place, _: f"Observation?page={place + 1}"))
    assert (got.state, len(got.items)) == (State.HELD, 5)


def test_a_full_last_page_is_complete_when_the_total_says_so() -> None:
    def page(asked: Asked) -> Reply:
        second = "page" in asked.query
        name = "b" if second else "a"
        following = "" if second else absolute(1, asked)
        return Reply(bundle(of("Observation", f"{name}1"), of("Observation", f"{name}2"), following=following, **total))

    total: dict[str, Any] = {"total": 4}
    assert told(page).state is State.HELD
    total = {}
    assert told(page).state is State.PARTIAL
    total = {"total": 5}
    assert told(page).state is State.PARTIAL


def test_pages_without_end_end() -> None:
    got = told(paged(10**9, absolute), limits=Limits(pages=5), deadline_s=2)
    assert (got.state, got.why, len(got.items)) == (State.PARTIAL, "incomplete", 10)
    got = told(paged(10**9, absolute), limits=Limits(pages=50, resources=7), deadline_s=2)
    assert (got.state, len(got.items)) == (State.PARTIAL, 8)


def test_a_page_that_is_its_own_next_one_is_asked_for_once() -> None:
    def same(asked: Asked) -> Reply:
        return Reply(bundle(of("Observation", "x1"), following=f"http://{asked.headers['host']}/fhir?page=1"))

    got = told(same, look=lambda server, took: _same(len(server.asked), 2))
    assert (got.state, got.why, names(got)) == (State.PARTIAL, "incomplete", ["x1"])


def test_what_comes_on_two_pages_is_one() -> None:
    def overlapping(asked: Asked) -> Reply:
        if "page" in asked.query:
            return Reply(bundle(of("Observation", "x2")))
        return Reply(bundle(of("Observation", "x1"), of("Observation", "x2"), following=absolute(1, asked)))

    assert names(told(overlapping)) == ["x1", "x2"]


def test_pages_that_came_before_the_deadline_are_kept() -> None:
    got = told(paged(9, absolute, after=0.15))
    assert (got.state, got.why, len(got.items)) == (State.PARTIAL, "timeout", 4)


@pytest.mark.parametrize("status", [401, 500, 302])
def test_a_page_that_fails_leaves_those_before_it(status: int) -> None:
    def failing(asked: Asked) -> Reply:
        return Reply(b"", status) if asked.query.get("page") == ["3"] else paged(9, absolute)(asked)

    got = told(failing)
    assert (got.state, len(got.items)) == (State.PARTIAL, 4)
    assert got.why == {401: "forbidden", 500: "error", 302: "redirected"}[status]


ELSEWHERE = (
    "http://{other}/fhir?page=2",
    "http://{host}/other?page=2",
    "http://{host}/fhirx?page=2",
    "http://{host}/fhir/../other?page=2",
    "http://{host}/fhir/%2e%2e/other?page=2",
    "https://{host}/fhir?page=2",
    "http://user@{host}/fhir?page=2",
    "//{other}/fhir?page=2",
    "/other?page=2",
    "../other?page=2",
    "http://[::1/fhir",
    "file:///etc/passwd",
    "javascript:alert(1)",
)


@pytest.mark.parametrize("address", ELSEWHERE)
def test_a_page_elsewhere_is_not_followed_and_the_token_stays(address: str) -> None:
    """Nobody else is called; at the server itself only the first page was."""

    async def fetch() -> None:
        async with ehr(lambda a: Reply(NOTHING)) as other, ehr(lambda a: Reply(body)) as server:
            to = address.format(other=f"127.0.0.1:{other.port}", host=f"127.0.0.1:{server.port}")
            body.update(bundle(of("Observation", "x1"), following=to))
            at = fetcher()
            answers, _ = await at.gather(filled((FEW,), CONTEXT), server.base, TOKEN, P)
            got = answers["weights"]
            assert (got.state, got.why, names(got)) == (State.PARTIAL, "not allowed", ["x1"])
            assert (len(server.asked), len(other.asked)) == (1, 0)
            await at.aclose()

    body: dict[str, Any] = {}
    run(fetch)


# -- too much ---------------------------------------------------------------------------------------------------------


def test_a_body_that_is_too_large_is_not_taken() -> None:
    huge = json.dumps(bundle(*(of("Observation", f"x{i}") for i in range(20_000)))).encode()
    got = told(lambda a: Reply(huge), limits=Limits(response_bytes=200_000))
    assert (got.state, got.why) == (State.FAILED, "too large")


def test_a_gzip_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b'{"resourceType":"Bundle","x":"' + b" " * 60_000_000 + b'"}', 9)
    assert len(bomb) < 100_000
    got = told(lambda a: Reply(bomb, headers={"Content-Encoding": "gzip"}), deadline_s=1)
    assert got.state is State.FAILED
    assert got.why in ("too large", "not readable", "not reachable")


def test_a_call_takes_only_so_much_in_all() -> None:
    page = json.dumps(bundle(*(of("Observation", f"x{i}", note=[{"text": "x" * 1000}]) for i in range(100)))).encode()

    def endless(asked: Asked) -> Reply:
        made = json.loads(page)
        place = int(asked.query.get("page", ["1"])[0])
        made["link"] = [{"relation": "next", "url": absolute(place, asked)}]
        for entry in made["entry"]:
            entry["resource"]["id"] += f".{place}"
        return Reply(made)

    got = told(endless, limits=Limits(pages=1000, resources=10**6, bytes=500_000), deadline_s=2)
    assert (got.state, got.why) == (State.PARTIAL, "incomplete")
    assert 400 <= len(got.items) <= 700


def test_a_large_answer_holds_nobody_up() -> None:
    """It is decoded beside the event loop, element by element where something in it does not fit."""
    large = json.dumps(bundle(*(of("Observation", f"x{i}", status=7) for i in range(8_000)))).encode()

    async def fetch() -> None:
        async with ehr(lambda a: Reply(large)) as server:
            at = fetcher(deadline_s=0.1)
            begun = time.perf_counter()
            await at.gather(filled((FEW,), CONTEXT), server.base, TOKEN, P)
            assert time.perf_counter() - begun < 0.1 + 2 * SLACK_S
            await at.aclose()

    run(fetch)


# -- by reference -----------------------------------------------------------------------------------------------------


def test_resources_are_read_by_reference() -> None:
    drug, order, stay = "Medication/d1", "BASE/MedicationRequest/m1", "Encounter/e1"

    def reads(asked: Asked) -> Reply:
        kind, _, name = asked.path.partition("/")
        return Reply(of(kind, name, None if kind == "Medication" else f"Patient/{P}"))

    answers, items = gathered(reads, (), (drug, order, stay, drug))
    assert sorted(i.resource.id for i in items.values()) == ["d1", "e1", "m1"]
    assert set(items) >= {drug, stay}
    assert len({i.path for i in items.values()}) == 3
    assert answers["references"].state is State.HELD


def test_another_patients_order_is_not_had() -> None:
    answers, items = gathered(
        lambda a: Reply(of("MedicationRequest", "m1", "Patient/p2")), (), ("MedicationRequest/m1",)
    )
    assert not items
    assert (answers["references"].state, answers["references"].why) == (State.FAILED, "another patient")


def test_another_order_than_the_one_asked_for_is_not_had() -> None:
    _, items = gathered(lambda a: Reply(of("MedicationRequest", "m2")), (), ("MedicationRequest/m1",))
    assert not items


@pytest.mark.parametrize(
    "reference",
    [
        "Practitioner/a1",
        "Patient/p1",
        "MedicationRequest",
        "MedicationRequest/",
        "MedicationRequest/..",
        "MedicationRequest/../Patient/p2",
        "MedicationRequest/m1/$apply",
        "https://elsewhere.test/fhir/MedicationRequest/m1",
        "urn:uuid:1",
        "#m1",
        "",
    ],
)
def test_a_reference_to_anything_else_is_not_asked_for(reference: str) -> None:
    def look(server: Ehr, took: float) -> None:
        assert not server.asked

    answers, items = gathered(chart, (), (reference,), look=look)
    assert not items
    assert answers["references"].state is State.FAILED


def test_one_slow_reference_does_not_hold_the_others_up() -> None:
    slow = but(lambda a: a.path.endswith("m2"), Reply(NOTHING, after=5))
    answers, items = gathered(slow, ("patient",), ("MedicationRequest/m1", "MedicationRequest/m2"))
    assert list(items) == ["MedicationRequest/m1"]
    assert answers["patient"].state is State.HELD
    assert (answers["references"].state, answers["references"].why) == (State.PARTIAL, "timeout")


def test_a_reference_that_is_gone_is_gone() -> None:
    answers, items = gathered(lambda a: Reply(b"", 410), (), ("MedicationRequest/m1",))
    assert (items, answers["references"].state) == ({}, State.EMPTY)


# -- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAULTS)
def test_no_token_and_no_datum_is_logged_or_told(
    name: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO):
        answers, _ = gathered(lambda a: FAULTS[name][0], for_hook_keys(), ("Medication/d1",))
    out = caplog.text + "".join(capfd.readouterr()) + " ".join(a.why for a in answers.values())
    assert TOKEN not in out
    assert all(len(a.why) < 25 for a in answers.values())


def for_hook_keys() -> tuple[str, ...]:
    return tuple(q.key for q in for_hook(tuple(QUERIES.values()), "order-sign"))

"""Pages of a search: followed to the last, never elsewhere, never without end; and what is too much of anything."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from ehr import Answers, Asked, Reply, ehr, run
from fetching import (
    CONTEXT,
    FEW,
    NOTHING,
    SLACK_S,
    TOKEN,
    P,
    bundle,
    fetcher,
    names,
    of,
    same,
    told,
)
from ivig.chart.fetch import Limits
from ivig.chart.queries import filled
from ivig.wire.prefetch import State


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
    def itself(asked: Asked) -> Reply:
        return Reply(bundle(of("Observation", "x1"), following=f"http://{asked.headers['host']}/fhir?page=1"))

    got = told(itself, look=lambda server, took: same(len(server.asked), 2))
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

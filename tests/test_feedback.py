"""What became of the cards, reported over HTTP: kept before it is answered, refused with its place, asked for again when it cannot be kept."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from doors import SERVICE, posted, served
from hooked import FINDINGS
from ivig.settings import Settings
from ivig.store.database import engine_of
from ivig.store.report import feedback_report
from r4 import Json
from test_hooks import TOO_MUCH, ordered

AT = "2026-11-25T10:04:00Z"
DATA = Path(__file__).parent / "data" / "cds-hooks"
REASON = {
    "reason": {"code": "need-more-info", "system": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"}
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Any]:
    with served(folder) as client:
        deadline = time.monotonic() + 20
        while client.get("/health/ready").json()["store"] != "up" and time.monotonic() < deadline:
            time.sleep(0.05)
        yield client


def item(**changed: Any) -> Json:
    made = {"card": "c0", "outcome": "overridden", "outcomeTimestamp": AT} | changed
    return {k: v for k, v in made.items() if v is not ...}


def told(client: Any, *items: Any) -> Any:
    return posted(client, {"feedback": list(items)}, f"{SERVICE}/feedback")


def test_a_card_shown_and_what_became_of_it_meet_in_the_report(site: Any, folder: Path) -> None:
    answer = posted(site, ordered(TOO_MUCH)).json()
    (card,) = answer["cards"]
    suggestion = card["suggestions"][0]["uuid"]
    accepted = item(card=card["uuid"], outcome="accepted", acceptedSuggestions=[{"id": suggestion}])
    assert told(site, accepted).json()["received"] == 1
    rules = {f["rule"] for f in card["extension"][FINDINGS] if f["severity"] in ("error", "warning")}

    async def asked() -> dict[str, tuple[int, int]]:
        engine = engine_of(Settings(data_dir=str(folder)))
        try:
            report = await feedback_report(engine)
        finally:
            await engine.dispose()
        return {r.rule: (r.shown, r.accepted) for r in report.rules if r.shown}

    deadline = time.monotonic() + 20
    while not (found := asyncio.run(asked())) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found == dict.fromkeys(rules, (1, 1))


def test_the_body_of_a_public_example(site: Any) -> None:
    body = json.loads((DATA / "ahrq-cql-services" / "feedback.json").read_bytes())
    answer = posted(site, body, f"{SERVICE}/feedback")
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert answer.json()["issue"][0]["expression"][0].startswith("feedback[")


def test_several_cards_the_same_card_twice_and_unknown_ones(site: Any) -> None:
    answer = told(
        site,
        item(),
        item(),
        item(card="c1", overrideReason=REASON),
        item(card="c2", overrideReason={"userComment": "x"}),
    )
    assert (answer.status_code, answer.json()) == (200, {"received": 4, "unknownCards": 4})


def test_what_a_later_version_adds_is_no_fault(site: Any) -> None:
    assert told(site, item(more={"a": 1}, extension={"org.example": [1]})).status_code == 200
    assert told(site, item(overrideReason=REASON | {"more": 1})).status_code == 200


def test_nothing_to_report_is_no_fault(site: Any) -> None:
    assert told(site).json() == {"received": 0}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "feedback"),
        ({"feedback": {}}, "feedback"),
        ([], "feedback"),
        ({"feedback": [7]}, "feedback[0]"),
        ({"feedback": [item(), item(card=...)]}, "feedback[1].card"),
        ({"feedback": [item(card=7)]}, "feedback[0].card"),
        ({"feedback": [item(card="x" * 100)]}, "feedback[0].card"),
        ({"feedback": [item(card="a\x00b")]}, "feedback[0].card"),
        ({"feedback": [item(outcome=...)]}, "feedback[0].outcome"),
        ({"feedback": [item(outcome="ignored")]}, "feedback[0].outcome"),
        ({"feedback": [item(outcomeTimestamp=...)]}, "feedback[0].outcomeTimestamp"),
        ({"feedback": [item(outcomeTimestamp="2026-11-25")]}, "feedback[0].outcomeTimestamp"),
        ({"feedback": [item(outcomeTimestamp="2026-11-25T10:04:00")]}, "feedback[0].outcomeTimestamp"),
        ({"feedback": [item(outcomeTimestamp="yesterday")]}, "feedback[0].outcomeTimestamp"),
        ({"feedback": [item(outcome="accepted")]}, "feedback[0].acceptedSuggestions"),
        ({"feedback": [item(outcome="accepted", acceptedSuggestions=[])]}, "feedback[0].acceptedSuggestions"),
        ({"feedback": [item(outcome="accepted", acceptedSuggestions=[{}])]}, "feedback[0].acceptedSuggestions[0].id"),
        ({"feedback": [item(overrideReason="no")]}, "feedback[0].overrideReason"),
        ({"feedback": [item(overrideReason={"reason": "no"})]}, "feedback[0].overrideReason.reason"),
        ({"feedback": [item(overrideReason={"reason": {"code": "x"}})]}, "feedback[0].overrideReason.reason.system"),
    ],
)
def test_what_is_no_feedback_is_400_with_its_place_and_keeps_nothing(site: Any, body: Any, place: str) -> None:
    answer = posted(site, body, f"{SERVICE}/feedback")
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == [place]


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff"])
def test_what_is_no_json_is_400(site: Any, body: bytes) -> None:
    assert posted(site, body, f"{SERVICE}/feedback").status_code == 400


def test_too_many_at_once_are_413(site: Any) -> None:
    assert told(site, *[item()] * 1_001).status_code == 413


@pytest.mark.parametrize("keeps", [False, True])
def test_comments_are_kept_only_where_a_site_wants_them(tmp_path: Path, keeps: bool) -> None:
    with served(tmp_path, keep_free_text=keeps) as client:
        deadline = time.monotonic() + 20
        while told(client, item(overrideReason={"userComment": "MARKER said so"})).status_code == 503:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    held = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert (b"MARKER" in held) == keeps


def test_while_the_store_is_down_the_client_is_asked_to_repeat(tmp_path: Path) -> None:
    with served(tmp_path, database_url="postgresql://nobody@127.0.0.1:1/none") as client:
        answer = told(client, item())
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["issue"][0]["code"] == "transient"
        assert posted(client, ordered(TOO_MUCH)).status_code == 200, "the hook answers all the same"

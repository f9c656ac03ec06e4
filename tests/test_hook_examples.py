"""Bodies that other people's clients sent: none makes the service fall over, and each is answered as the contract says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ivig
from doors import posted, served
from hooked import FINDINGS
from ivig.wire.hook import HOOKS

DATA = Path(__file__).parent / "data" / "cds-hooks"
BODIES = [p for p in sorted(DATA.rglob("*.json")) if "hook" in json.loads(p.read_bytes())]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with served(tmp_path_factory.mktemp("data")) as made:
        yield made


def test_there_are_such_bodies() -> None:
    assert len(BODIES) > 12


@pytest.mark.parametrize("path", BODIES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_an_example_is_answered(client: Any, path: Path) -> None:
    body = json.loads(path.read_bytes())
    answer = posted(client, path.read_bytes())
    if body["hook"] in HOOKS:
        # None is about immune globulin: no card, nothing fetched, no patient needed. Old contexts may lack what is required today.
        assert answer.status_code in (200, 400, 412), answer.text
        if answer.status_code == 200:
            assert answer.json()["cards"] == []
    else:
        assert answer.status_code == 400


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_what_was_captured_from_a_client_lacks_a_medication_and_is_noted(client: Any, hook: str) -> None:
    answer = posted(client, (DATA / "captured-from-sandbox" / f"{hook}.json").read_bytes())
    assert answer.status_code == 200
    assert answer.json()["cards"] == []
    told = answer.json().get("extension", {}).get(FINDINGS, [])
    assert {f["rule"] for f in told} <= {"order-medication-missing"}


def test_our_own_sample_makes_no_card_on_its_day_and_shows_its_order(client: Any) -> None:
    """The call of the README. Its results grow old, so that after some months it makes a card; it is always an answer, and of one order."""
    answer = posted(client, (Path(ivig.__file__).parent / "samples" / "hook-order-sign.json").read_bytes())
    assert answer.status_code == 200
    told = [c["extension"] for c in answer.json()["cards"]] or [answer.json()["extension"]]
    assert {f["rule"] for f in told[0][FINDINGS]} >= {"order-verdict"}

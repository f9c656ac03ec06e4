"""The store when it starts, ends, is upgraded and told of cards by several at once, and when something is in its way."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Table, func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from ivig.entrypoints.feedback import feedback as door
from ivig.entrypoints.operation import Refused
from ivig.settings import Settings
from ivig.store import service
from ivig.store.database import FILE, prepare
from ivig.store.drain import drain
from ivig.store.feedback import keep
from ivig.store.items import FeedbackItem
from ivig.store.migrate import config, upgrade
from ivig.store.recorder import FOLDER, SUFFIX, Recorder
from ivig.store.report import feedback_report
from ivig.store.service import StoreService
from ivig.store.tables import REVISION, calls, cards, feedback, findings, metadata
from stores import NOW, database_of, record, with_engine

_PATHS = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
AT = "2026-11-25T10:04:00Z"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drain that looks fifty times a second."""
    monkeypatch.setattr(service, "_EVERY_S", 0.02)
    monkeypatch.setattr(service, "_LONGEST_PAUSE_S", 0.1)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A store without tables."""
    url = database_of(request.getfixturevalue("postgres")) if request.param == "postgresql" else ""
    return Settings(data_dir=str(tmp_path / "data"), database_url=url)


def running(
    settings: Settings,
    work: Callable[[StoreService], Awaitable[Any]],
    clock: Callable[[], datetime] = lambda: NOW,
    log: Callable[[str, str], None] | None = None,
) -> None:
    """Do something with a service that is started, and stopped afterwards."""

    async def done() -> None:
        store = StoreService(settings, clock, log)
        await store.start()
        try:
            await work(store)
        finally:
            await store.stop()

    asyncio.run(done())


async def until(store: StoreService, state: str = "up") -> None:
    """Wait for the store to be in a state, and where that is up, for all of the journal to be in it."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        health = store.health()
        if health["store"] == state and (state != "up" or not health["journal_lag_bytes"]):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"the store is not {state}: {store.health()}")


async def counted(engine: AsyncEngine, table: Table) -> int:
    async with engine.connect() as connection:
        return await connection.scalar(select(func.count()).select_from(table)) or 0


def count(settings: Settings, table: Table) -> int:
    return with_engine(settings, lambda engine: counted(engine, table))


# -- start and end ----------------------------------------------------------------------------------------------------


def test_a_service_that_was_never_started_records(tmp_path: Path) -> None:
    store = StoreService(Settings(data_dir=str(tmp_path / "data")), lambda: NOW)
    assert not (tmp_path / "data").exists()
    assert store.recorder.record(record())
    assert store.health()["store"] == "starting"
    assert store.health()["journal_lag_bytes"] > 0
    asyncio.run(store.stop())


@pytest.mark.usefixtures("quick")
def test_a_start_waits_for_nothing_and_what_it_makes_is_its_owner_s(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path / "data"))

    async def work(_: StoreService) -> None:
        store = StoreService(settings, lambda: NOW)
        began = time.monotonic()
        await store.start()
        assert time.monotonic() - began < 0.5
        await until(store)
        await store.stop()

    running(settings, work)
    assert stat.S_IMODE((tmp_path / "data" / FILE).stat().st_mode) == 0o600


@pytest.mark.usefixtures("quick")
def test_two_workers_that_start_at_once_make_one_store(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path / "data"))
    told: list[str] = []

    async def work(one: StoreService) -> None:
        other = StoreService(settings, lambda: NOW, lambda *words: told.extend(words))
        await other.start()
        one.recorder.record(record(uuid="one"))
        other.recorder.record(record(uuid="other"))
        await until(one)
        await until(other)
        await other.stop()

    running(settings, work, log=lambda *words: told.extend(words))
    assert count(settings, calls) == 2
    assert told == []


@pytest.mark.parametrize("seconds", [0.0, 0.3, 0.9])
def test_a_service_that_ends_while_it_starts_harms_nothing(tmp_path: Path, seconds: float) -> None:
    settings = Settings(data_dir=str(tmp_path / "data"))
    running(settings, lambda _: asyncio.sleep(seconds))
    upgrade(settings)
    assert with_engine(settings, lambda engine: prepare(engine, settings))


@pytest.mark.usefixtures("quick")
def test_tables_that_are_brought_up_to_date_meanwhile_are_taken(postgres: Any, tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path), database_url=database_of(postgres))
    told: list[tuple[str, str]] = []

    async def work(store: StoreService) -> None:
        await until(store, "out-of-date")
        assert store.recorder.record(record())
        await asyncio.to_thread(upgrade, settings)
        await until(store)

    running(settings, work, log=lambda *words: told.append(words))
    assert told == [("store out-of-date", "run: ivig store upgrade"), ("store up", "")]
    assert count(settings, calls) == 1


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "url", ["postgresql://user:secret@127.0.0.1:1/none", "mysql://u:secret@host/none", "no address"]
)
def test_a_database_that_is_not_there_costs_no_record_and_tells_no_password(tmp_path: Path, url: str) -> None:
    told: list[str] = []

    async def work(store: StoreService) -> None:
        await until(store, "down")
        assert store.recorder.record(record())

    running(Settings(data_dir=str(tmp_path), database_url=url), work, log=lambda *words: told.extend(words))
    assert len(list((tmp_path / FOLDER).glob(f"*{SUFFIX}"))) == 1
    assert told[0] == "store down"
    assert "secret" not in " ".join(told)


@pytest.mark.usefixtures("quick")
def test_what_is_in_the_way_of_the_embedded_store_is_waited_out(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()

    async def work(store: StoreService) -> None:
        store.recorder.record(record())
        await until(store, "down")
        (tmp_path / FILE).rmdir()
        await until(store)

    running(Settings(data_dir=str(tmp_path)), work)
    assert count(Settings(data_dir=str(tmp_path)), calls) == 1


@pytest.mark.usefixtures("quick")
def test_once_a_day_what_is_old_goes_and_another_journal_is_begun(settings: Settings) -> None:
    now = [NOW]

    async def work(store: StoreService) -> None:
        store.recorder.record(record(uuid="old"))
        store.recorder.record(record(uuid="new", at=NOW + timedelta(days=20)))
        await until(store)
        first = store.recorder.path
        now[0] += timedelta(days=31)
        deadline = time.monotonic() + 20
        assert store._engine is not None
        while await counted(store._engine, calls) > 1 and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        store.recorder.record(record(uuid="last", at=now[0]))
        assert store.recorder.path != first
        await until(store)

    running(settings.model_copy(update={"retention_days": 30}), work, lambda: now[0])
    assert (count(settings, calls), count(settings, cards), count(settings, findings)) == (2, 2, 2)


# -- migrations -------------------------------------------------------------------------------------------------------


def test_migrations_up_from_nothing_make_the_tables_of_the_code(empty: Settings) -> None:
    upgrade(empty)
    upgrade(empty)  # which is nothing

    def difference(connection: Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)

    async def compared(engine: AsyncEngine) -> object:
        async with engine.connect() as connection:
            return await connection.run_sync(difference)

    assert with_engine(empty, compared) == []


def test_the_revision_of_the_code_is_the_newest_migration(tmp_path: Path) -> None:
    assert ScriptDirectory.from_config(config(Settings(data_dir=str(tmp_path)))).get_heads() == [REVISION]


def test_an_upgrade_that_fails_leaves_nothing_behind(empty: Settings) -> None:
    async def run(engine: AsyncEngine, statement: str) -> None:
        async with engine.begin() as connection:
            await connection.execute(text(statement))

    with_engine(empty, lambda engine: run(engine, "CREATE TABLE findings (id INTEGER)"))  # in the way of the last table
    with pytest.raises(Exception, match="findings"):
        upgrade(empty)
    with_engine(empty, lambda engine: run(engine, "DROP TABLE findings"))
    upgrade(empty)
    assert with_engine(empty, lambda engine: prepare(engine, empty))


def test_upgrades_at_once_are_one(empty: Settings) -> None:
    environment = _PATHS | {"IVIG_DATA_DIR": empty.data_dir, "IVIG_DATABASE_URL": empty.database_url}
    command = [sys.executable, "-m", "ivig.store.migrate"]
    children = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) for _ in range(3)]
    told = [(child.communicate(timeout=120)[1], child.returncode) for child in children]
    assert [code for _, code in told] == [0, 0, 0], told


# -- feedback ---------------------------------------------------------------------------------------------------------


def said(card: str = "c", outcome: str = "overridden", at: datetime = NOW, *suggestions: str) -> FeedbackItem:
    return FeedbackItem(card, outcome, at, suggestions)


def test_clients_that_report_the_same_cards_at_once_do_not_wait_in_a_ring(settings: Settings) -> None:
    items = [said(f"c{n}") for n in range(100)]

    async def crossed(engine: AsyncEngine) -> None:
        both = (items, items[::-1])
        await asyncio.gather(*(keep(engine, "ehr", both[n % 2], NOW) for n in range(8)))

    with_engine(settings, crossed)
    assert count(settings, feedback) == 100


def test_of_two_words_of_one_time_one_counts(settings: Settings) -> None:
    recorder = Recorder(Path(settings.data_dir) / FOLDER)
    recorder.record(record())
    recorder.close()

    async def work(engine: AsyncEngine) -> tuple[int, int, int]:
        await drain(engine, recorder.folder, NOW)
        await keep(engine, "ehr", [said("card-1"), said("card-1", "accepted", NOW, "s1", "s2")], NOW)
        (rule,) = (await feedback_report(engine)).rules
        return rule.shown, rule.accepted + rule.overridden, rule.ignored

    assert with_engine(settings, work) == (1, 1, 0)


def reported(settings: Settings, body: bytes) -> tuple[int, Any]:
    """What the door answers while the store is up."""
    answers: list[tuple[int, Any]] = []

    async def work(store: StoreService) -> None:
        await until(store)
        answers.append(await door(body, "ehr", store))

    running(settings, work)
    return answers[0]


def body(**changed: Any) -> bytes:
    item = {"card": "c", "outcome": "overridden", "outcomeTimestamp": AT} | changed
    return json.dumps({"feedback": [item]}).encode()


@pytest.mark.parametrize(
    "at",
    [
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59-23:00",
        "20261125T100400Z",
        "2026-W48-3T10:04:00Z",
        "2026-02-30T10:04:00Z",
    ],
)
def test_a_time_that_no_database_holds_is_refused_and_the_store_stays_up(tmp_path: Path, at: str) -> None:
    store = StoreService(Settings(data_dir=str(tmp_path)), lambda: NOW)
    with pytest.raises(Refused) as refused:
        asyncio.run(door(body(outcomeTimestamp=at), "ehr", store))
    assert (refused.value.status, refused.value.place) == (400, "feedback[0].outcomeTimestamp")


@pytest.mark.parametrize("at", ["2026-11-25t10:04:00z", "2026-11-25T12:04:00.123456789+02:00"])
def test_any_time_of_rfc_3339_is_taken(settings: Settings, at: str) -> None:
    assert reported(settings, body(outcomeTimestamp=at))[0] == 200


def test_comments_of_any_characters_are_kept_where_a_site_wants_them(settings: Settings) -> None:
    settings = settings.model_copy(update={"keep_free_text": True})
    comment = {"userComment": "half \ud800 of a pair, NUL \x00, and \N{FACE WITH TEARS OF JOY}" + "x" * 10_000}
    assert reported(settings, body(overrideReason=comment))[0] == 200


def test_many_suggestions_at_once_are_413_and_a_large_body_is_read(settings: Settings) -> None:
    def accepted(items: int, suggestions: int) -> bytes:
        chosen = [{"id": f"suggestion-{n}"} for n in range(suggestions)]
        one = {"outcome": "accepted", "outcomeTimestamp": AT, "acceptedSuggestions": chosen, "more": "x" * 1_000}
        return json.dumps({"feedback": [one | {"card": f"c{n}"} for n in range(items)]}).encode()

    store = StoreService(settings, lambda: datetime.now(UTC))
    with pytest.raises(Refused) as refused:
        asyncio.run(door(accepted(50, 50), "ehr", store))
    assert refused.value.status == 413
    assert len(accepted(500, 2)) > 500_000
    assert reported(settings, accepted(500, 2)) == (200, {"received": 500, "unknownCards": 500})
    assert count(settings, feedback) == 1_000

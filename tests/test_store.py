"""The store, on SQLite and on PostgreSQL: every record once, whatever is killed, torn, full or down."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, delete, text
from sqlalchemy.ext.asyncio import AsyncEngine

from ivig.settings import Settings
from ivig.store import drain as draining
from ivig.store.database import FILE, StoreFault, prepare, url_of
from ivig.store.drain import batch, drain
from ivig.store.migrate import config, upgrade
from ivig.store.recorder import FOLDER, SUFFIX, Recorder
from ivig.store.service import StoreService
from ivig.store.tables import REVISION, calls, cards, drained, findings, metadata
from recorded import DAY, call, card, finding
from stores import Clock, Postgres, count, rows, until, with_engine, with_store

_ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}


def journal(settings: Settings) -> Path:
    return Path(settings.data_dir) / FOLDER


def recorder(settings: Settings, most: int = 1 << 20) -> Recorder:
    return Recorder(journal(settings), lambda: DAY, most)


def written(settings: Settings, numbers: range) -> Path:
    """A journal that a dead process left."""
    made = recorder(settings)
    assert all(made.record(call(card(n), number=n)) for n in numbers)
    made.close()
    assert made.path is not None
    return made.path


def drained_now(settings: Settings) -> int:
    return with_engine(settings, lambda engine: drain(engine, journal(settings), DAY))


def instances(settings: Settings) -> set[str]:
    return {row["instance"] for row in rows(settings, calls)}


def expected(numbers: range) -> set[str]:
    return {call(number=n).instance for n in numbers}


# -- what comes into the tables ---------------------------------------------------------------------------------------


def test_a_record_becomes_rows(settings: Settings) -> None:
    made = recorder(settings)
    made.record(call(card(1, finding("dose-high"), finding("renal-risk", "shadow")), card(2), number=3))
    made.close()
    assert drained_now(settings) == 1
    (one,) = rows(settings, calls)
    at = one["at"] if one["at"].tzinfo else one["at"].replace(tzinfo=DAY.tzinfo)
    assert at == DAY + timedelta(seconds=3)
    kept = {"client": "ehr", "hook": "order-sign", "patient": "a" * 32, "user_hash": "b" * 32, "took_ms": 4.2}
    assert {name: one[name] for name in kept} == kept
    assert json.loads(one["prefetch"]) == {"patient": "found", "weight": "none"}
    assert [c["uuid"] for c in rows(settings, cards)] == [card(1).uuid, card(2).uuid]
    assert [(f["rule"], f["shown"]) for f in rows(settings, findings)] == [
        ("dose-high", "shown"),
        ("renal-risk", "shadow"),
        ("dose-high", "shown"),
    ]


def test_a_finding_stays_with_its_card_and_a_card_with_its_call(settings: Settings) -> None:
    made = recorder(settings)
    for n in range(300):
        made.record(call(*(card(10 * n + k, finding(f"rule-{n}-{k}")) for k in range(n % 4)), number=n))
    made.close()
    assert drained_now(settings) == 300
    of_call = {row["id"]: row["instance"] for row in rows(settings, calls)}
    of_card = {row["id"]: (of_call[row["call_id"]], row["uuid"]) for row in rows(settings, cards)}
    found = {(*of_card[row["card_id"]], row["rule"]) for row in rows(settings, findings)}
    assert found == {
        (call(number=n).instance, card(10 * n + k).uuid, f"rule-{n}-{k}") for n in range(300) for k in range(n % 4)
    }


def test_a_drained_journal_is_deleted_and_the_one_in_use_is_not(settings: Settings) -> None:
    dead, living = written(settings, range(3)), recorder(settings)
    living.record(call(number=3))
    assert living.path is not None
    count_ = with_engine(settings, lambda engine: drain(engine, journal(settings), DAY, living.path))
    assert count_ == 4
    assert not dead.exists()
    assert living.path.exists()
    living.record(call(number=4))
    assert with_engine(settings, lambda engine: drain(engine, journal(settings), DAY, living.path)) == 1
    assert instances(settings) == expected(range(5))


def test_a_long_journal_comes_in_batches(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "_BATCH_BYTES", 2_000)
    written(settings, range(50))
    made = recorder(settings)
    made.record(call(*map(card, range(30)), number=50))  # alone longer than a batch
    made.close()
    assert drained_now(settings) == 51
    assert instances(settings) == expected(range(51))


# -- once, and never lost ---------------------------------------------------------------------------------------------


def test_a_record_drained_twice_is_one_row(settings: Settings) -> None:
    path = written(settings, range(5))
    text_ = path.read_bytes()
    assert drained_now(settings) == 5
    path.write_bytes(text_)  # the process was killed between commit and deletion
    assert drained_now(settings) == 0
    assert count(settings, calls) == 5
    assert not path.exists()


def test_a_record_is_one_row_even_when_its_position_is_forgotten(settings: Settings) -> None:
    path = written(settings, range(5))
    text_ = path.read_bytes()
    drained_now(settings)
    path.write_bytes(text_ + msgspec.json.encode(call(card(9), number=9)) + b"\n")

    async def forget(engine: AsyncEngine) -> None:
        async with engine.begin() as connection:
            await connection.execute(delete(drained))

    with_engine(settings, forget)
    assert drained_now(settings) == 1
    assert instances(settings) == expected(range(5)) | expected(range(9, 10))
    assert count(settings, cards) == 6


def test_a_batch_that_fails_leaves_nothing_and_is_repeated(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    written(settings, range(5))
    with monkeypatch.context() as patch:
        patch.setattr(draining, "finding_row", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            drained_now(settings)
    assert count(settings, calls) == 0
    assert drained_now(settings) == 5
    assert count(settings, findings) == 5


@pytest.mark.parametrize("cut", [1, 7, 200])
def test_a_torn_last_line_is_passed_over_and_counted(settings: Settings, cut: int) -> None:
    path = written(settings, range(3))
    path.write_bytes(path.read_bytes()[:-cut])
    assert drained_now(settings) == 2
    assert instances(settings) == expected(range(2))
    assert rows(settings, drained)[0]["torn"] == 1


def test_a_line_still_being_written_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / f"j{SUFFIX}"
    one, two = (msgspec.json.encode(call(number=n)) + b"\n" for n in (1, 2))
    path.write_bytes(one + two[:50])
    first = batch(path, 0, whole=False)
    assert (len(first.records), first.torn, first.end) == (1, 0, len(one))
    path.write_bytes(one + two)
    assert [s.instance for _, s in batch(path, first.end, whole=False).records] == [call(number=2).instance]


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"{}",
        b'{"at":"yesterday"}',
        b"\xff\xfe",
        msgspec.json.encode(msgspec.structs.replace(call(), at="2026-11-25T09:00:00")),
        msgspec.json.encode(msgspec.structs.replace(call(), at="0001-01-01T00:00:00+23:00")),
    ],
    ids=["no json", "empty", "no call", "no utf-8", "no offset", "no year"],
)
def test_a_line_that_cannot_be_read_holds_up_nothing(settings: Settings, line: bytes) -> None:
    path = written(settings, range(2))
    path.write_bytes(line + b"\n\n" + path.read_bytes())
    assert drained_now(settings) == 2
    assert rows(settings, drained)[0]["torn"] == 1


def test_a_record_that_is_too_long_for_its_columns_is_cut(settings: Settings) -> None:
    made = recorder(settings)
    long = msgspec.structs.replace(card(1), verdict="v" * 99, judged="nul\x00", uuid="u" * 99)
    made.record(msgspec.structs.replace(call(long), policy="/p\x00" * 200, client="c" * 99, patient="p" * 99))
    made.record(call(number=1))
    made.close()
    assert drained_now(settings) == 2
    assert count(settings, calls) == 2


def test_a_journal_that_cannot_be_read_holds_up_no_other(settings: Settings) -> None:
    (journal(settings) / f"0-folder{SUFFIX}").mkdir(parents=True)
    written(settings, range(2))
    assert drained_now(settings) == 2


# -- several processes ------------------------------------------------------------------------------------------------

_WORKER = """
import sys
from pathlib import Path
from ivig.store.recorder import Recorder
from recorded import DAY, call, card
made, number = Recorder(Path(sys.argv[1]), lambda: DAY, 100_000), int(sys.argv[2])
while True:
    if made.record(call(card(number), number=number)):
        sys.stdout.write(f"{number}\\n"); sys.stdout.flush()
    number += 1
"""


def worker(settings: Settings, first: int) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-c", _WORKER, str(journal(settings)), str(first)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, env=_ENVIRONMENT)


def test_what_two_killed_workers_acknowledged_is_drained(settings: Settings) -> None:
    """The drains run while the workers write and die: what the living write is theirs until they are dead."""
    workers = [worker(settings, first) for first in (0, 1_000_000)]
    heard: set[int] = set()
    for one in workers:
        assert one.stdout is not None
        heard |= {int(one.stdout.readline()) for _ in range(300)}
    early = drained_now(settings)
    for one in workers:
        assert one.stdout is not None
        one.send_signal(signal.SIGKILL)
        heard |= {int(line) for line in one.stdout.read().split(b"\n")[:-1]}
        one.wait()
    late = drained_now(settings)
    assert {call(number=n).instance for n in heard} <= instances(settings)
    assert count(settings, calls) == early + late
    assert not list(journal(settings).iterdir())


def test_two_drains_at_once_bring_each_record_once(settings: Settings) -> None:
    for n in range(10):
        written(settings, range(20 * n, 20 * n + 20))

    async def twice(engine: AsyncEngine) -> list[int]:
        return await asyncio.gather(*(drain(engine, journal(settings), DAY) for _ in range(3)))

    assert sum(with_engine(settings, twice)) == 200
    assert instances(settings) == expected(range(200))
    assert count(settings, cards) == 200


# -- the service ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quick")
def test_the_service_follows_the_journal(settings: Settings) -> None:
    async def work(store: StoreService) -> None:
        for n in range(10):
            assert store.recorder.record(call(card(n), number=n))
        assert store.health()["journal_lag_bytes"] > 0
        await until(store, "up", lag=0)
        assert store.health() == {"store": "up", "journal_lag_bytes": 0, "records_lost": 0}
        store.recorder.record(call(number=10))  # left to the end

    with_store(settings, work)
    assert instances(settings) == expected(range(11))
    assert not list(journal(settings).iterdir())


def test_a_service_that_was_never_started_records(tmp_path: Path) -> None:
    store = StoreService(Settings(data_dir=str(tmp_path / "data")), Clock())
    assert not (tmp_path / "data").exists()
    assert store.recorder.record(call())
    health = store.health()
    assert health["store"] == "starting"
    assert health["journal_lag_bytes"] > 0
    asyncio.run(store.stop())


def test_what_a_lost_disk_costs_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = StoreService(Settings(data_dir=str(tmp_path / "file")), Clock())
    assert not store.recorder.record(call())
    assert store.health()["records_lost"] == 1


@pytest.mark.usefixtures("quick")
def test_the_embedded_store_is_made_at_start(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path / "data"))

    async def work(store: StoreService) -> float:
        store.recorder.record(call())
        began = time.monotonic()
        await store.start()
        took = time.monotonic() - began
        await until(store, "up", lag=0)
        return took

    assert with_store(settings, work) < 0.5
    assert count(settings, calls) == 1
    assert stat.S_IMODE((tmp_path / "data" / FILE).stat().st_mode) == 0o600


@pytest.mark.usefixtures("quick")
def test_two_workers_that_start_at_once_make_one_store(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path / "data"))

    async def work(one: StoreService) -> None:
        other = StoreService(settings, Clock())
        await other.start()
        one.recorder.record(call(number=1))
        other.recorder.record(call(number=2))
        await until(one, "up")
        await until(other, "up", lag=0)
        await other.stop()

    with_store(settings, work)
    assert instances(settings) == expected(range(1, 3))


def test_a_service_that_ends_while_it_starts_ends(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path / "data"))

    async def soon(_: StoreService) -> None:
        await asyncio.sleep(0.3)

    with_store(settings, soon)
    upgrade(settings)
    assert with_engine(settings, lambda engine: prepare(engine, settings))


@pytest.mark.usefixtures("quick")
def test_postgresql_without_tables_is_for_its_keeper(postgres: Postgres, tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path), database_url=postgres.url(postgres.database()))
    told: list[tuple[str, str]] = []

    async def work() -> None:
        store = StoreService(settings, Clock(), lambda event, why: told.append((event, why)))
        await store.start()
        await until(store, "out-of-date")
        assert store.recorder.record(call(card(1)))
        await asyncio.to_thread(upgrade, settings)
        await until(store, "up", lag=0)
        await store.stop()

    asyncio.run(work())
    assert told == [("store out-of-date", "run: ivig store upgrade"), ("store up", "")]
    assert count(settings, calls) == 1


@pytest.mark.usefixtures("quick")
def test_a_database_that_goes_and_comes_back_loses_nothing(postgres: Postgres, tmp_path: Path) -> None:
    name = postgres.database("upgraded")
    settings = Settings(data_dir=str(tmp_path), database_url=postgres.url(name))
    told: list[tuple[str, str]] = []

    async def work() -> None:
        store = StoreService(settings, Clock(), lambda event, why: told.append((event, why)))
        await store.start()
        store.recorder.record(call(number=1))
        await until(store, "up", lag=0)
        await asyncio.to_thread(
            postgres.run,
            f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
        )
        await until(store, "down")
        for n in range(2, 50):
            assert store.recorder.record(call(card(n), number=n))
        assert store.health()["journal_lag_bytes"] > 0
        await asyncio.to_thread(postgres.run, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        await until(store, "up", lag=0)
        await store.stop()

    asyncio.run(work())
    assert instances(settings) == expected(range(1, 50))
    assert [event for event, _ in told] == ["store up", "store down", "store up"]
    assert not any("/" in why or name in why for _, why in told)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:secret@127.0.0.1:1/none",
        "mysql://user:secret@host/none",
        "no address",
        "sqlite:////dev/null/x",
    ],
)
def test_a_database_that_is_not_there_costs_no_record_and_tells_no_password(tmp_path: Path, url: str) -> None:
    told: list[str] = []

    async def work() -> None:
        store = StoreService(
            Settings(data_dir=str(tmp_path), database_url=url), Clock(), lambda *words: told.extend(words)
        )
        await store.start()
        await until(store, "down")
        assert store.recorder.record(call())
        await store.stop()

    asyncio.run(work())
    assert len(list(journal(Settings(data_dir=str(tmp_path))).iterdir())) == 1
    assert "secret" not in " ".join(told)


@pytest.mark.usefixtures("quick")
def test_an_embedded_store_that_is_in_the_way_is_tried_again(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path))
    (tmp_path / FILE).mkdir()

    async def work(store: StoreService) -> None:
        store.recorder.record(call())
        await until(store, "down")
        (tmp_path / FILE).rmdir()
        await until(store, "up", lag=0)

    with_store(settings, work)
    assert count(settings, calls) == 1


# -- retention --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("quick")
def test_what_is_older_than_the_site_keeps_goes_once_a_day(settings: Settings) -> None:
    settings = settings.model_copy(update={"retention_days": 30})
    clock = Clock()

    async def work(store: StoreService) -> tuple[int, int]:
        store.recorder.record(call(card(1), number=1))
        store.recorder.record(call(card(2), at=DAY + timedelta(days=20), number=2))
        await until(store, "up", lag=0)
        path = store.recorder.path
        kept = await asyncio.to_thread(count, settings, calls)
        clock.on(31)
        for _ in range(500):
            if await asyncio.to_thread(count, settings, calls) < 2:
                break
            await asyncio.sleep(0.02)
        store.recorder.record(call(card(3), at=clock.now, number=3))
        assert store.recorder.path != path  # no journal grows older than a day
        await until(store, "up", lag=0)
        return kept, await asyncio.to_thread(count, settings, calls)

    assert with_store(settings, work, clock) == (2, 2)
    assert instances(settings) == expected(range(2, 4))
    assert count(settings, cards) == count(settings, findings) == 2


# -- migrations -------------------------------------------------------------------------------------------------------


def test_the_migrations_make_the_tables_that_the_code_knows(empty: Settings) -> None:
    upgrade(empty)
    upgrade(empty)  # which is nothing

    def difference(connection: Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)

    async def compared(engine: AsyncEngine) -> object:
        async with engine.connect() as connection:
            return await connection.run_sync(difference)

    assert with_engine(empty, compared) == []
    assert with_engine(empty, lambda engine: prepare(engine, empty))


def test_the_revision_of_the_code_is_the_newest_migration(tmp_path: Path) -> None:
    scripts = ScriptDirectory.from_config(config(Settings(data_dir=str(tmp_path))))
    assert scripts.get_current_head() == REVISION
    assert len(scripts.get_heads()) == 1


def test_an_upgrade_that_fails_leaves_nothing_behind(empty: Settings) -> None:
    async def in_the_way(engine: AsyncEngine, statement: str) -> None:
        async with engine.begin() as connection:
            await connection.execute(text(statement))

    with_engine(empty, lambda engine: in_the_way(engine, "CREATE TABLE findings (id INTEGER)"))  # the last that is made
    with pytest.raises(Exception, match="findings"):
        upgrade(empty)
    with_engine(empty, lambda engine: in_the_way(engine, "DROP TABLE findings"))
    upgrade(empty)
    assert with_engine(empty, lambda engine: prepare(engine, empty))


def test_upgrades_at_once_are_one(empty: Settings) -> None:
    environment = _ENVIRONMENT | {"IVIG_DATA_DIR": empty.data_dir, "IVIG_DATABASE_URL": empty.database_url}
    command = [sys.executable, "-m", "ivig.store.migrate"]
    children = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) for _ in range(3)]
    told = [(child.communicate(timeout=60)[1], child.returncode) for child in children]
    assert [code for _, code in told] == [0, 0, 0], told
    assert with_engine(empty, lambda engine: prepare(engine, empty))


def test_an_address_that_is_none_is_told_without_its_password() -> None:
    for url in ("nothing", "mysql://user:secret@host/name"):
        with pytest.raises(StoreFault) as fault:
            url_of(Settings(database_url=url))
        assert "secret" not in str(fault.value)
    assert url_of(Settings(database_url="postgres://u@h/n")).drivername == "postgresql+asyncpg"
    assert url_of(Settings(database_url="postgresql://u@h/n")).drivername == "postgresql+asyncpg"


# -- what is loaded, what is kept -------------------------------------------------------------------------------------


def test_the_service_is_made_without_a_database_library(tmp_path: Path) -> None:
    program = """
import sys
from ivig.app import create_app
from ivig.settings import Settings
create_app(Settings())
print([name for name in ("sqlalchemy", "alembic", "aiosqlite", "asyncpg") if name in sys.modules])
"""
    environment = _ENVIRONMENT | {"IVIG_DATA_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"
    assert not list(tmp_path.rglob("*.sqlite3"))


@pytest.mark.usefixtures("quick")
def test_a_running_service_never_loads_what_migrates(tmp_path: Path) -> None:
    program = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from datetime import UTC, datetime
from ivig.settings import Settings
from ivig.store.service import StoreService
from recorded import call
async def main():
    store = StoreService(Settings(), lambda: datetime.now(UTC))
    store.recorder.record(call())
    await store.start()
    while store.health()["store"] != "up" or store.health()["journal_lag_bytes"]:
        await asyncio.sleep(0.02)
    await store.stop()
asyncio.run(main())
print("sqlalchemy" in sys.modules, "alembic" in sys.modules)
"""
    environment = _ENVIRONMENT | {"IVIG_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", program, str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=60)
    assert done.stdout.strip() == "True False"
    with sqlite3.connect(tmp_path / FILE) as connection:
        assert connection.execute("SELECT count(*) FROM calls").fetchone() == (1,)

"""The journal: every record that was acknowledged is there, whatever becomes of the process, the disk and the database."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from doors import posted, served
from ivig.settings import Settings
from ivig.store.drain import _insert, batch, drain
from ivig.store.migrate import upgrade
from ivig.store.recorder import FOLDER, SUFFIX, Recorder, behind
from ivig.store.service import StoreDown, StoreService
from ivig.store.tables import calls, cards, drained, findings
from stores import NOW, database_of, finding, record, with_engine
from test_hooks import TOO_MUCH, ordered

WRITES_UNTIL_KILLED = """
import sys
from pathlib import Path
from ivig.store.recorder import Recorder
sys.path.insert(0, {tests!r})
from stores import record
journal = Recorder(Path({folder!r}))
n = 0
while True:
    assert journal.record(record(uuid=f"card-{{n}}"))
    n += 1
    print(n, flush=True)
"""


def journal_of(settings: Settings) -> Path:
    return Path(settings.data_dir) / FOLDER


def drained_now(settings: Settings, own: Path | None = None) -> int:
    return with_engine(settings, lambda engine: drain(engine, journal_of(settings), NOW, own))


def count(settings: Settings, table: object) -> int:
    async def asked(engine: object) -> int:
        async with engine.connect() as connection:  # type: ignore[attr-defined]
            return int(await connection.scalar(select(func.count()).select_from(table)))  # type: ignore[arg-type]

    return with_engine(settings, asked)


def test_a_record_comes_into_the_database_once(settings: Settings) -> None:
    recorder = Recorder(journal_of(settings))
    assert recorder.record(record(finding(), finding("risk-renal", "shadow")))
    assert recorder.path is not None
    assert drained_now(settings, recorder.path) == 1
    assert drained_now(settings, recorder.path) == 0
    assert (count(settings, calls), count(settings, cards), count(settings, findings)) == (1, 1, 2)
    assert recorder.record(record(uuid="card-2"))
    assert drained_now(settings, recorder.path) == 1
    assert count(settings, calls) == 2


def test_a_batch_that_is_drained_again_after_a_crash_gives_no_second_row(settings: Settings) -> None:
    """The position is committed with the records, or neither is: a process killed before the commit has done nothing."""
    recorder = Recorder(journal_of(settings))
    for n in range(50):
        recorder.record(record(uuid=f"card-{n}"))

    async def killed_halfway(engine: object) -> None:
        read = batch(recorder.path, 0, whole=False)  # type: ignore[arg-type]
        async with engine.connect() as connection:  # type: ignore[attr-defined]
            await _insert(connection, recorder.path.name, read)  # type: ignore[union-attr]
            # no commit

    with_engine(settings, killed_halfway)
    assert count(settings, calls) == 0
    drained_now(settings, recorder.path)
    assert count(settings, calls) == 50


def test_the_journal_of_the_living_is_left_to_them_and_that_of_the_dead_is_taken(settings: Settings) -> None:
    living, dead = Recorder(journal_of(settings)), Recorder(journal_of(settings))
    living.record(record(uuid="living"))
    dead.record(record(uuid="dead"))
    dead.close()
    assert drained_now(settings) == 1
    assert list(journal_of(settings).glob(f"*{SUFFIX}")) == [living.path]
    living.close()
    assert drained_now(settings) == 1
    assert count(settings, calls) == 2


def test_kill_9_in_the_midst_loses_nothing_that_was_acknowledged(settings: Settings) -> None:
    tests = str(Path(__file__).parent)
    script = WRITES_UNTIL_KILLED.format(tests=tests, folder=str(journal_of(settings)))
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    acknowledged = 0
    deadline = time.monotonic() + 30
    while acknowledged < 200 and time.monotonic() < deadline:
        acknowledged = int(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    acknowledged = max([acknowledged, *(int(line) for line in child.stdout.read().split())])
    child.wait(10)
    drained_now(settings)
    assert count(settings, calls) >= acknowledged >= 200
    assert list(journal_of(settings).glob(f"*{SUFFIX}")) == []


def test_a_torn_line_costs_itself_alone(settings: Settings) -> None:
    recorder = Recorder(journal_of(settings))
    recorder.record(record(uuid="one"))
    path = recorder.path
    assert path is not None
    recorder.close()
    with path.open("ab") as file:
        file.write(b'{"at": 7}\n\xff\xfe\n{"half": "a li')
    assert drained_now(settings) == 1
    assert (count(settings, calls), path.exists()) == (1, False)

    async def torn(engine: object) -> int:
        async with engine.connect() as connection:  # type: ignore[attr-defined]
            return int(await connection.scalar(select(drained.c.torn)))

    assert with_engine(settings, torn) == 3


def test_a_half_written_line_of_the_living_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / f"x{SUFFIX}"
    path.write_bytes(b'{"a')
    assert batch(path, 0, whole=False).end == 0
    assert batch(path, 0, whole=True).torn == 1


def test_a_full_disk_loses_the_record_counts_it_and_raises_nothing(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    recorder = Recorder(folder)
    assert recorder.record(record())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        assert [recorder.record(record()) for _ in range(3)] == [False] * 3
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)
    assert recorder.lost == 3
    assert recorder.record(record())


def test_a_folder_that_cannot_be_made_loses_the_record_alone(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("")
    recorder = Recorder(tmp_path / "blocked" / FOLDER)
    assert not recorder.record(record())
    assert recorder.lost == 1


def test_a_forked_process_writes_a_file_of_its_own(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.record(record(uuid="parent"))
    child = os.fork()
    if child == 0:
        os._exit(0 if recorder.record(record(uuid="child")) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(list(tmp_path.glob(f"*{SUFFIX}"))) == 2


def test_a_large_journal_is_continued_in_another_file(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, most_bytes=2_000)
    for _ in range(10):
        recorder.record(record())
    files = list(tmp_path.glob(f"*{SUFFIX}"))
    assert len(files) > 1
    assert behind(tmp_path, {}) == sum(f.stat().st_size for f in files)


def test_no_word_of_a_patient_is_in_the_journal(tmp_path: Path) -> None:
    """The hook's own record, of a call whose every word of the patient is marked."""
    body = ordered(TOO_MUCH)
    patient = body["prefetch"]["patient"]
    patient |= {
        "name": [{"family": "MARKER1", "given": ["MARKER2"]}],
        "birthDate": "1971-07-17",
        "telecom": [{"value": "MARKER3"}],
    }
    body["context"]["userId"] = "Practitioner/MARKER4"
    body["hookInstance"] = "MARKER5 of a patient"
    body["context"]["draftOrders"]["entry"][0]["resource"] |= {"note": [{"text": "MARKER6"}]}
    with served(tmp_path) as client:
        assert posted(client, body).status_code == 200
        time.sleep(0.1)
    held = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
    assert b"dose-course-above-range" in held
    for word in (b"MARKER", b"1971-07-17", b"p1", patient["id"].encode()):
        assert b"MARKER" not in held if word == b"MARKER" else b'"' + word + b'"' not in held, word


# -- the service ------------------------------------------------------------------------------------------------------


def _service(settings: Settings) -> StoreService:
    return StoreService(settings, lambda: NOW)


async def _until(holds: object, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:  # type: ignore[operator]
        await asyncio.sleep(0.05)
    assert holds()  # type: ignore[operator]


def test_the_service_follows_the_journal_and_ends_with_nothing_left(settings: Settings) -> None:
    async def run() -> None:
        store = _service(settings)
        store.recorder.record(record(uuid="before it starts"))
        await store.start()
        await _until(lambda: store.state == "up" and store.health()["journal_lag_bytes"] == 0)
        store.recorder.record(record(uuid="while it runs"))
        assert store.health()["journal_lag_bytes"] > 0
        await store.stop()

    asyncio.run(run())
    assert count(settings, calls) == 2


def test_an_empty_embedded_store_is_made_by_itself_and_without_alembic_in_the_service(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path), auth="off")

    async def run() -> None:
        store = _service(settings)
        await store.start()
        await _until(lambda: store.state == "up")
        store.recorder.record(record())
        await store.stop()

    asyncio.run(run())
    assert count(settings, calls) == 1
    code = (
        "import sys, asyncio; from ivig.settings import Settings; from ivig.app import create_app;"
        f"app = create_app(Settings(data_dir={str(tmp_path)!r}, auth='off'));"
        "print(sorted({'alembic', 'sqlalchemy', 'duckdb', 'pyarrow'} & set(sys.modules)))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_tables_of_another_release_are_told_and_the_journal_waits(postgres: object, tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path), database_url=database_of(postgres), auth="off")

    async def run() -> None:
        store = _service(settings)
        await store.start()
        await _until(lambda: store.state == "out-of-date")
        assert store.recorder.record(record())
        await store.stop()

    asyncio.run(run())
    assert behind(tmp_path / FOLDER, {}) > 0


def test_while_the_database_is_down_records_wait_and_come_in_when_it_is_back(tmp_path: Path) -> None:
    pgserver = pytest.importorskip("pgserver", reason="no PostgreSQL here: pgserver has no wheel for this Python")
    server = pgserver.get_server(tmp_path / "pg", cleanup_mode="stop")
    try:
        settings = Settings(data_dir=str(tmp_path / "data"), database_url=server.get_uri("postgres"), auth="off")
        upgrade(settings)

        async def run() -> None:
            store = _service(settings)
            await store.start()
            await _until(lambda: store.state == "up")
            await asyncio.to_thread(_end, tmp_path / "pg")
            assert store.recorder.record(record(uuid="while it is down"))
            await _until(lambda: store.state == "down")
            with pytest.raises(StoreDown):
                await store.feedback("ehr", [])
            await asyncio.to_thread(server.ensure_postgres_running)
            await _until(lambda: store.state == "up" and store.health()["journal_lag_bytes"] == 0, 40)
            await store.stop()

        asyncio.run(run())
        assert count(settings, calls) == 1
    finally:
        server.cleanup()


def _end(folder: Path) -> None:
    """End a PostgreSQL server as a crash does."""
    held = folder / "postmaster.pid"
    os.kill(int(held.read_text().splitlines()[0]), signal.SIGQUIT)
    deadline = time.monotonic() + 20
    while held.exists() and time.monotonic() < deadline:
        time.sleep(0.05)

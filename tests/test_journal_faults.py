"""What the journal does when all goes wrong at once: throngs of threads, full and hanging disks, lines that nobody can read."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Table, delete, select
from sqlalchemy.ext.asyncio import AsyncEngine

from ivig.settings import Settings
from ivig.store import drain as draining
from ivig.store.drain import drain
from ivig.store.pseudonyms import FILE, key_from
from ivig.store.record import Shown
from ivig.store.recorder import FOLDER, SUFFIX, Recorder
from ivig.store.tables import calls, cards, drained, findings
from stores import NOW, finding, record, with_engine

_PATHS = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
_MICROSECONDS = 1_000_000


def journal(settings: Settings) -> Path:
    return Path(settings.data_dir) / FOLDER


def left(folder: Path) -> list[Shown]:
    """The records of all journals."""
    lines = [line for path in sorted(folder.glob(f"*{SUFFIX}")) for line in path.read_bytes().splitlines()]
    return [msgspec.json.decode(line, type=Shown) for line in lines]


def uuids(records: list[Shown]) -> set[str]:
    return {card.uuid for one in records for card in one.cards}


def written(settings: Settings, *records: Shown) -> Path:
    """A journal that a dead process left."""
    recorder = Recorder(journal(settings))
    assert all(map(recorder.record, records))
    recorder.close()
    assert recorder.path is not None
    return recorder.path


def drained_now(settings: Settings) -> int:
    return with_engine(settings, lambda engine: drain(engine, journal(settings), NOW))


def rows(settings: Settings, table: Table) -> list[dict[str, Any]]:
    async def read(engine: AsyncEngine) -> list[dict[str, Any]]:
        async with engine.connect() as connection:
            return [dict(row._mapping) for row in await connection.execute(select(table))]

    return with_engine(settings, read)


# -- writing ----------------------------------------------------------------------------------------------------------


def test_a_throng_of_threads_tears_no_line(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, most_bytes=20_000)
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda n: recorder.record(record(uuid=f"card-{n}")), range(2_000)))
    assert uuids(left(tmp_path)) == {f"card-{n}" for n in range(2_000)}


def test_a_journal_is_for_its_owner_alone_and_named_by_when_it_was_begun(tmp_path: Path) -> None:
    folder = tmp_path / "data" / FOLDER
    recorder = Recorder(folder, clock=lambda: NOW)
    assert not folder.parent.exists(), "nothing is made before the first record"
    recorder.record(record())
    (path,) = folder.iterdir()
    assert path.name.startswith(f"20261125T120000-{os.getpid()}-")
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(folder.stat().st_mode)) == (0o600, 0o700)


def test_a_full_device_leaves_no_file_for_every_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    recorder, real = Recorder(tmp_path), os.open
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", lambda path, flags, mode: _full(real, path, flags, mode))
        assert [recorder.record(record()) for _ in range(5)] == [False] * 5
    assert recorder.lost == 5
    assert not list(tmp_path.iterdir())
    assert recorder.record(record(uuid="after"))
    assert uuids(left(tmp_path)) == {"after"}


def _full(real: Callable[..., int], path: Path, flags: int, mode: int) -> int:
    """The file is made, but what is written to it goes to a full device."""
    os.close(real(path, flags, mode))
    return real("/dev/full", os.O_WRONLY)


def test_a_line_that_the_disk_takes_in_part_is_lost_alone(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, real = Recorder(journal(settings)), os.write
    assert recorder.record(record(uuid="before"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, line: real(file, line[: len(line) // 2]))
        assert not recorder.record(record(uuid="torn"))
    assert recorder.record(record(uuid="after"))
    assert recorder.lost == 1
    recorder.close()
    assert drained_now(settings) == 2
    assert {row["uuid"] for row in rows(settings, cards)} == {"before", "after"}
    assert sum(row["torn"] for row in rows(settings, drained)) == 1


def test_what_cannot_be_written_out_is_lost_alone(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    nonsense: Any = object()
    assert not recorder.record(msgspec.structs.replace(record(), client="\ud800"))
    assert not recorder.record(msgspec.structs.replace(record(), prefetch={"patient": nonsense}))
    assert recorder.record(record())
    assert (recorder.lost, len(left(tmp_path))) == (2, 1)


def test_a_clock_that_fails_loses_the_record_alone(tmp_path: Path) -> None:
    def broken() -> datetime:
        raise OSError

    recorder = Recorder(tmp_path, clock=broken)
    assert not recorder.record(record())


def test_a_folder_that_is_deleted_below_it_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    recorder = Recorder(folder, most_bytes=100)
    recorder.record(record())
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert recorder.record(record(uuid="after"))
    assert uuids(left(folder)) == {"after"}


def test_a_write_that_hangs_holds_up_no_other_thread_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, real, going = Recorder(tmp_path), os.write, threading.Event()
    recorder.record(record())
    monkeypatch.setattr("ivig.store.recorder._PATIENCE_S", 0.05)
    monkeypatch.setattr(os, "write", lambda file, line: (going.wait(20), real(file, line))[1])
    slow = threading.Thread(target=recorder.record, args=(record(),))
    slow.start()
    began = time.monotonic()
    assert not recorder.record(record())
    assert time.monotonic() - began < 10
    going.set()
    slow.join()
    assert (recorder.lost, len(left(tmp_path))) == (1, 2)


def test_a_record_costs_microseconds(tmp_path: Path) -> None:
    recorder, one, rounds = Recorder(tmp_path), record(*[finding(f"rule-{n}") for n in range(6)]), []
    recorder.record(one)
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(200):
            recorder.record(one)
        rounds.append((time.perf_counter() - began) / 200 * _MICROSECONDS)
    assert min(rounds) < 200  # some ten; but the tests share their machine


def test_workers_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    for n in range(20):
        settings = Settings(data_dir=str(tmp_path / str(n)))
        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(key_from, [settings] * 8))) == 1
        assert [path.name for path in (tmp_path / str(n)).iterdir()] == [FILE]


# -- reading ----------------------------------------------------------------------------------------------------------


def test_a_finding_stays_with_its_card_and_a_card_with_its_call(settings: Settings) -> None:
    def many(n: int) -> Shown:
        one = record(finding(f"rule-{n}"), uuid=f"card-{n}")
        instance = f"instance-{n}"
        return msgspec.structs.replace(one, instance=instance, cards=one.cards * (n % 4))

    written(settings, *map(many, range(300)))
    assert drained_now(settings) == 300
    of_call = {row["id"]: row["instance"].partition("-")[2] for row in rows(settings, calls)}
    of_card = {row["id"]: row["uuid"].partition("-")[2] for row in rows(settings, cards)}
    assert len(of_card) == sum(n % 4 for n in range(300))
    assert all(of_call[row["call_id"]] == of_card[row["id"]] for row in rows(settings, cards))
    assert all(row["rule"] == f"rule-{of_card[row['card_id']]}" for row in rows(settings, findings))


def test_a_long_journal_comes_in_batches(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "_BATCH_BYTES", 2_000)
    long = record(*[finding(f"rule-{n}") for n in range(100)], uuid="long")  # alone longer than a batch
    written(settings, *(record(uuid=f"card-{n}") for n in range(30)), long, record(uuid="last"))
    assert drained_now(settings) == 32
    assert {"card-0", "card-29", "long", "last"} <= {row["uuid"] for row in rows(settings, cards)}


def test_a_record_is_one_row_even_when_its_place_is_forgotten(settings: Settings) -> None:
    path = written(settings, *(record(uuid=f"card-{n}") for n in range(5)))
    held = path.read_bytes()
    assert drained_now(settings) == 5
    path.write_bytes(held)  # killed between commit and deletion
    assert drained_now(settings) == 0
    path.write_bytes(held + msgspec.json.encode(record(uuid="new")) + b"\n")

    async def forget(engine: AsyncEngine) -> None:
        async with engine.begin() as connection:
            await connection.execute(delete(drained))

    with_engine(settings, forget)
    assert drained_now(settings) == 1
    assert sorted(row["uuid"] for row in rows(settings, cards)) == [*(f"card-{n}" for n in range(5)), "new"]


def test_a_batch_that_fails_at_its_end_leaves_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    written(settings, record())
    with monkeypatch.context() as patch:
        patch.setattr(draining, "finding_row", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            drained_now(settings)
    assert rows(settings, calls) == rows(settings, drained) == []
    assert drained_now(settings) == 1
    assert len(rows(settings, findings)) == 1


_UNREADABLE = {
    "no JSON": b"not json",
    "no call": b"{}",
    "no UTF-8": b"\xff\xfe",
    "no time": msgspec.json.encode(msgspec.structs.replace(record(), at="yesterday")),
    "no offset": msgspec.json.encode(msgspec.structs.replace(record(), at="2026-11-25T09:00:00")),
    "no year": msgspec.json.encode(msgspec.structs.replace(record(), at="0001-01-01T00:00:00+23:00")),
}


@pytest.mark.parametrize("line", _UNREADABLE.values(), ids=_UNREADABLE)
def test_a_line_that_cannot_be_read_holds_up_nothing(settings: Settings, line: bytes) -> None:
    path = written(settings, record())
    path.write_bytes(line + b"\n\n" + path.read_bytes())
    assert drained_now(settings) == 1
    assert [row["torn"] for row in rows(settings, drained)] == [1]


def test_a_record_that_its_columns_cannot_hold_is_cut(settings: Settings) -> None:
    one = record(finding("r\x00" * 99), uuid="u" * 99)
    one = msgspec.structs.replace(one, policy="/p\x00" * 200, client="c" * 99, patient="p" * 99)
    written(settings, one, record(uuid="after"))
    assert drained_now(settings) == 2
    assert {row["uuid"] for row in rows(settings, cards)} == {"u" * 36, "after"}


def test_a_journal_that_cannot_be_read_holds_up_no_other(settings: Settings) -> None:
    (journal(settings) / f"0{SUFFIX}").mkdir(parents=True)
    written(settings, record())
    assert drained_now(settings) == 1


# -- several processes ------------------------------------------------------------------------------------------------

_WORKER = """
import sys
from pathlib import Path
from ivig.store.recorder import Recorder
from stores import record
recorder, n = Recorder(Path(sys.argv[1]), 50_000), 0
while True:
    if recorder.record(record(uuid=f"{sys.argv[2]}-{n}")):
        print(f"{sys.argv[2]}-{n}", flush=True)
    n += 1
"""


def test_what_two_killed_workers_acknowledged_is_drained_once(settings: Settings) -> None:
    """A drain runs while they write: what the living write is theirs until they are dead."""
    command = [sys.executable, "-c", _WORKER, str(journal(settings))]
    workers = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, env=_PATHS) for name in ("a", "b")]
    heard: set[str] = set()
    try:
        for worker in workers:
            assert worker.stdout is not None
            heard |= {worker.stdout.readline().decode().strip() for _ in range(200)}
        early = drained_now(settings)
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGKILL)
    for worker in workers:
        assert worker.stdout is not None
        heard |= {line.decode() for line in worker.stdout.read().split(b"\n")[:-1]}
        worker.wait()
    late = drained_now(settings)
    kept = [row["uuid"] for row in rows(settings, cards)]
    assert heard <= set(kept)
    assert len(kept) == len(set(kept)) == early + late
    assert not list(journal(settings).glob(f"*{SUFFIX}"))


def test_several_drains_at_once_bring_each_record_once(settings: Settings) -> None:
    for name in range(10):
        written(settings, *(record(uuid=f"{name}-{n}") for n in range(20)))

    async def thrice(engine: AsyncEngine) -> list[int]:
        return await asyncio.gather(*(drain(engine, journal(settings), NOW) for _ in range(3)))

    assert sum(with_engine(settings, thrice)) == 200
    assert len({row["uuid"] for row in rows(settings, cards)}) == len(rows(settings, cards)) == 200

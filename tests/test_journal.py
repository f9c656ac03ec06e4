"""The journal: it takes what the disk takes, never raises, and what it acknowledged outlives the process."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ivig.settings import Settings
from ivig.store.pseudonyms import FILE, Pseudonyms, key_from
from ivig.store.record import Shown
from ivig.store.recorder import SUFFIX, Recorder, behind
from recorded import DAY, call, card

_MICROSECONDS = 1_000_000


def recorder(folder: Path, most: int = 1 << 20) -> Recorder:
    return Recorder(folder, lambda: DAY, most)


def journals(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"))


def records(folder: Path) -> list[Shown]:
    lines = [line for path in journals(folder) for line in path.read_bytes().splitlines()]
    return [msgspec.json.decode(line, type=Shown) for line in lines]


# -- what is written --------------------------------------------------------------------------------------------------


def test_a_record_is_a_line(tmp_path: Path) -> None:
    kept = [call(card(n), number=n) for n in range(3)]
    made = recorder(tmp_path)
    assert all(made.record(one) for one in kept)
    assert records(tmp_path) == kept
    assert made.lost == 0


def test_nothing_is_made_before_the_first_record(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "journal"
    made = recorder(folder)
    assert not folder.parent.exists()
    made.record(call())
    assert len(journals(folder)) == 1


def test_a_journal_is_for_its_owner_alone_and_named_by_process_and_time(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    recorder(folder).record(call())
    (path,) = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert path.name.startswith(f"20261125T090000-{os.getpid()}-")


def test_a_full_file_is_followed_by_another(tmp_path: Path) -> None:
    made = recorder(tmp_path, most=1_000)
    for number in range(20):
        made.record(call(card(number), number=number))
    assert 1 < len(journals(tmp_path)) <= 20
    assert {r.instance for r in records(tmp_path)} == {call(number=n).instance for n in range(20)}


def test_threads_of_a_process_tear_no_line(tmp_path: Path) -> None:
    made = recorder(tmp_path, most=20_000)
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda n: made.record(call(card(n), number=n)), range(2_000)))
    assert all(kept)
    assert len(records(tmp_path)) == 2_000


def test_each_process_has_a_file_of_its_own(tmp_path: Path) -> None:
    made = recorder(tmp_path)
    made.record(call(number=1))
    child = os.fork()
    if not child:
        os._exit(0 if made.record(call(number=2)) else 1)
    assert os.waitpid(child, 0)[1] == 0
    made.record(call(number=3))
    assert len(journals(tmp_path)) == 2
    assert len(records(tmp_path)) == 3


def test_how_much_lies_behind(tmp_path: Path) -> None:
    made = recorder(tmp_path)
    made.record(call())
    assert made.path is not None
    size = made.path.stat().st_size
    assert behind(tmp_path, {}) == size
    assert behind(tmp_path, {made.path.name: size - 5}) == 5
    assert behind(tmp_path / "none", {}) == 0


# -- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_folder_that_cannot_be_made_loses_the_record_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    made = recorder(tmp_path / "file" / "journal")
    assert [made.record(call()) for _ in range(3)] == [False] * 3
    assert made.lost == 3


def test_a_full_device_loses_the_record_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    made = recorder(tmp_path)
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, flags, mode: _full(real, path, flags, mode))
    assert [made.record(call()) for _ in range(5)] == [False] * 5
    assert made.lost == 5
    assert not list(tmp_path.iterdir())
    monkeypatch.undo()
    assert made.record(call(number=7))
    assert [r.instance for r in records(tmp_path)] == [call(number=7).instance]


def _full(real: Callable[..., int], path: Path, flags: int, mode: int) -> int:
    """The file is made, but all that is written to it goes to a full device."""
    os.close(real(path, flags, mode))
    return real("/dev/full", os.O_WRONLY)


_SMALL = """
import resource, sys
from pathlib import Path
from ivig.store.recorder import Recorder
from recorded import DAY, call, card
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, resource.RLIM_INFINITY))
made = Recorder(Path(sys.argv[1]), lambda: DAY)
kept = [made.record(call(card(n), number=n)) for n in range(10)]
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
kept.append(made.record(call(card(10), number=10)))
print(sum(kept), made.lost, kept[-1])
"""


def test_a_file_that_takes_only_part_of_a_line_has_one_torn_line(tmp_path: Path) -> None:
    assert resource.RLIMIT_FSIZE
    done = subprocess.run(
        [sys.executable, "-c", _SMALL, str(tmp_path)], capture_output=True, text=True, check=True, env=_env()
    )
    kept, lost, last = done.stdout.split()
    assert int(kept) + int(lost) == 11
    assert int(lost) > 0
    assert last == "True"
    whole = 0
    for path in journals(tmp_path):
        *lines, rest = path.read_bytes().split(b"\n")
        whole += len([msgspec.json.decode(line, type=Shown) for line in lines])
        assert not rest or path.stat().st_size == 1_000
    assert whole == int(kept)


def test_what_cannot_be_encoded_is_lost_and_harms_nothing(tmp_path: Path) -> None:
    made = recorder(tmp_path)
    bad: Any = call()
    assert not made.record(msgspec.structs.replace(bad, client="\ud800"))
    assert not made.record(msgspec.structs.replace(bad, prefetch={"patient": object()}))
    assert made.record(call())
    assert (made.lost, len(records(tmp_path))) == (2, 1)


def test_a_folder_that_is_deleted_below_it_is_survived(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    made = recorder(folder, most=100)
    made.record(call())
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert made.record(call(number=2))
    assert len(records(folder)) == 1


def test_a_write_that_hangs_holds_up_no_other_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = recorder(tmp_path)
    made.record(call())
    going, real = threading.Event(), os.write
    monkeypatch.setattr(os, "write", lambda file, line: (going.wait(10), real(file, line))[1])
    slow = threading.Thread(target=made.record, args=(call(),))
    slow.start()
    began = time.monotonic()
    assert not made.record(call())
    assert time.monotonic() - began < 8
    going.set()
    slow.join()
    assert len(records(tmp_path)) == 2


# -- kill -9 ----------------------------------------------------------------------------------------------------------

_WRITER = """
import sys
from pathlib import Path
from ivig.store.recorder import Recorder
from recorded import DAY, call, card
made = Recorder(Path(sys.argv[1]), lambda: DAY, 200_000)
number = 0
while True:
    if made.record(call(card(number), number=number)):
        sys.stdout.write(f"{number}\\n"); sys.stdout.flush()
    number += 1
"""


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, env=_env())
    assert writer.stdout is not None
    heard = [int(writer.stdout.readline()) for _ in range(500)]
    writer.send_signal(signal.SIGKILL)
    heard += [int(line) for line in writer.stdout.read().split(b"\n")[:-1]]
    writer.wait()
    found = {r.instance for r in records(tmp_path)}
    assert {call(number=n).instance for n in heard} <= found


def _env() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}


# -- hashes -----------------------------------------------------------------------------------------------------------


def test_a_hash_needs_the_key_and_knows_its_kind() -> None:
    one, other = Pseudonyms(b"key"), Pseudonyms(b"another key")
    assert one.of("patient", "p1") == Pseudonyms(b"key").of("patient", "p1")
    assert len({one.of("patient", "p1"), one.of("user", "p1"), other.of("patient", "p1"), one.of("patient", "p2")}) == 4
    assert one.of("patient", "") == ""
    assert len(one.of("patient", "p1")) == 32
    assert Pseudonyms(b"k" * 200).of("user", "\ud800") != Pseudonyms(b"k" * 201).of("user", "\ud800")


def test_a_key_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path / "data"))
    key = key_from(settings)
    assert len(key) == 64
    assert key_from(settings) == key
    assert [p.name for p in (tmp_path / "data").iterdir()] == [FILE]
    assert stat.S_IMODE((tmp_path / "data" / FILE).stat().st_mode) == 0o600


def test_workers_that_start_at_once_have_one_key(tmp_path: Path) -> None:
    for round_ in range(20):
        settings = Settings(data_dir=str(tmp_path / str(round_)))
        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(key_from, [settings] * 8))) == 1


def test_a_key_of_the_settings_goes_first_and_one_that_cannot_be_kept_is_random(tmp_path: Path) -> None:
    assert key_from(Settings(data_dir=str(tmp_path), hash_key="told")) == b"told"  # type: ignore[arg-type]
    (tmp_path / "file").write_text("in the way")
    settings = Settings(data_dir=str(tmp_path / "file"))
    assert len({key_from(settings), key_from(settings)}) == 2


# -- what it costs ----------------------------------------------------------------------------------------------------


def test_a_record_costs_microseconds(tmp_path: Path) -> None:
    made, one = recorder(tmp_path), call(card(), card(2))
    made.record(one)
    rounds = []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(200):
            made.record(one)
        rounds.append((time.perf_counter() - began) / 200 * _MICROSECONDS)
    assert min(rounds) < 200  # some five on a quiet machine; the tests share theirs

"""The journal: each call is one line, appended with one write, to a file of this process alone.

It asks nobody and waits for nobody. What the disk does not take is lost, and counted. A process that is killed leaves a file with at most
one torn line at its end; whoever drains it later skips and counts that line.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from ivig.store.record import Shown

FOLDER = "journal"
SUFFIX = ".ndjson"
_UNBORN = ".new"
_MOST_BYTES = 32 * 1024 * 1024  # of a file; then another is begun, and this one can go once it is drained
_PATIENCE_S = 2.0  # for other threads' writes: microseconds, a quarter of a second in a throng, or the disk hangs
_encoder = msgspec.json.Encoder()


class Recorder:
    """Writes the journal of one process.

    Args:
        folder: where the journals lie; made when first needed.
        most_bytes: of one file.
        clock: names the files by when they were begun, so that they are drained in that order.
    """

    def __init__(
        self, folder: Path, most_bytes: int = _MOST_BYTES, clock: Callable[[], datetime] | None = None
    ) -> None:
        self.folder, self._clock, self._most = folder, clock, most_bytes
        self.lost = 0
        self.path: Path | None = None
        self._file, self._written, self._pid = -1, 0, 0
        self._lock = threading.Lock()

    def record(self, shown: Shown) -> bool:
        """Append a record. False when it is lost; nothing is raised, whatever the disk does."""
        try:
            line = _encoder.encode(shown) + b"\n"
        except Exception:  # noqa: BLE001  (a record must never cost an answer)
            line = b""
        if not line or not self._lock.acquire(timeout=_PATIENCE_S):
            self.lost += 1
            return False
        try:
            return self._append(line)
        finally:
            self._lock.release()

    def _append(self, line: bytes) -> bool:
        try:
            if self._file < 0 or self._written >= self._most or self._pid != os.getpid():
                self._begin()
            wrote = os.write(self._file, line)
            self._written += wrote
            whole = wrote == len(line)
        except Exception:  # noqa: BLE001  (see above)
            whole = False
        if whole:
            return True
        self.lost += 1
        self._end()  # nobody knows how the file ends: the next record begins another
        return False

    def _begin(self) -> None:
        """A new file, which has its name only once it is locked: a file without a lock is a dead process's, and may be deleted."""
        self._end()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        began = f"{self._clock():%Y%m%dT%H%M%S}-" if self._clock is not None else ""
        name = f"{began}{os.getpid()}-{secrets.token_hex(8)}"
        unborn, path = self.folder / (name + _UNBORN), self.folder / (name + SUFFIX)
        file = os.open(unborn, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # as long as this process lives
            unborn.rename(path)
        except OSError:
            os.close(file)
            unborn.unlink(missing_ok=True)
            raise
        self._file, self.path, self._written, self._pid = file, path, 0, os.getpid()

    @property
    def open(self) -> bool:
        """Whether the file at `path` is still being written."""
        return self._file >= 0

    def close(self) -> None:
        """End the file; it is then a dead one's, to be drained and deleted by anybody. The next record begins another."""
        if self._lock.acquire(timeout=_PATIENCE_S):
            try:
                self._end()
            finally:
                self._lock.release()

    def _end(self) -> None:
        file, self._file = self._file, -1
        if file < 0:
            return
        with contextlib.suppress(OSError):
            os.close(file)
            if not self._written and self.path is not None and self._pid == os.getpid():
                self.path.unlink(missing_ok=True)  # a full disk would leave one such for every call


def behind(folder: Path, positions: Mapping[str, int]) -> int:
    """Bytes of the journals that lie behind how far each was read."""
    left = 0
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            left += max(0, path.stat().st_size - positions.get(path.name, 0))
        except OSError:
            continue
    return left

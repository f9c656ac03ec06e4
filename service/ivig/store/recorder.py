"""The journal: each call is one line, appended with one write, to a file of this process alone.

It asks nobody and waits for nobody. What the disk does not take is lost, and counted. A process that is killed leaves a file with at most
one torn line at its end; whoever drains it later skips and counts that line.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ivig.store.record import Shown

FOLDER = "journal"
SUFFIX = ".ndjson"
_MOST_BYTES = 32 * 1024 * 1024  # of a file; then another is begun, and this one can go once it is drained
_encoder = msgspec.json.Encoder()


class Recorder:
    """Writes the journal of one process.

    Args:
        folder: where the journals lie; made when first needed.
        most_bytes: of one file.
    """

    def __init__(self, folder: Path, most_bytes: int = _MOST_BYTES) -> None:
        self.folder, self._most = folder, most_bytes
        self.lost = 0
        self.path: Path | None = None
        self._file, self._written, self._pid = -1, 0, 0
        self._lock = threading.Lock()

    def record(self, shown: Shown) -> bool:
        """Append a record. False when it is lost; nothing is raised, whatever the disk does."""
        try:
            line = _encoder.encode(shown) + b"\n"
            with self._lock:
                if self._file < 0 or self._written >= self._most or self._pid != os.getpid():
                    self._begin()
                wrote = os.write(self._file, line)
                self._written += wrote
                if wrote == len(line):
                    return True
                os.write(self._file, b"\n")  # a torn line ends here, and not in the next one
        except Exception:  # noqa: BLE001  (a record must never cost an answer)
            self._broken()
        self.lost += 1
        return False

    def _begin(self) -> None:
        self.close()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = self.folder / f"{os.getpid()}-{secrets.token_hex(8)}{SUFFIX}"
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_SH)  # as long as this process lives: a file without a lock is a dead one's
        self._written, self._pid = 0, os.getpid()

    def _broken(self) -> None:
        """After a fault a new file is begun, for nobody knows how the old one ends."""
        with self._lock:
            self.close()

    @property
    def open(self) -> bool:
        """Whether the file at `path` is still being written."""
        return self._file >= 0

    def close(self) -> None:
        """End the file; it is then a dead one's, to be drained and deleted by anybody."""
        if self._file >= 0:
            file, self._file = self._file, -1
            try:
                os.close(file)
            except OSError:
                return


def behind(folder: Path, positions: Mapping[str, int]) -> int:
    """Bytes of the journals that lie behind how far each was read."""
    left = 0
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            left += max(0, path.stat().st_size - positions.get(path.name, 0))
        except OSError:
            continue
    return left

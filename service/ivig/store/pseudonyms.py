"""Names that nobody can turn back: keyed hashes of what is told of patients, users and orders."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

from ivig.settings import Settings

FILE = "hash.key"
_BYTES = 32
_DIGEST = 16


class Pseudonyms:
    """Keyed BLAKE2b. Who has the key can find out whether somebody is in the store, and no one else.

    Args:
        key: of any length; one of more than 64 bytes counts by its hash.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key if len(key) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.blake2b(key).digest()

    def of(self, kind: str, text: str) -> str:
        """The hash of a text in hex, '' for ''. The same text of another kind has another."""
        if not text:
            return ""
        hashed = hashlib.blake2b(
            text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=_DIGEST, person=kind.encode()[:16]
        )
        return hashed.hexdigest()


def key_from(settings: Settings) -> bytes:
    """The key of the settings, else that in the data directory, made on first use and readable by its owner alone.

    Where nothing can be written the key lives as long as the process: the hashes of two runs then do not meet, and `ivig doctor` says so.
    """
    given = settings.hash_key.get_secret_value()
    if given:
        return given.encode()
    path = Path(settings.data_dir).expanduser() / FILE
    with contextlib.suppress(OSError):
        if not path.exists():
            _make(path)
        held = path.read_bytes().strip()
        if held:
            return held
    return secrets.token_bytes(_BYTES)


def _make(path: Path) -> None:
    """A new key, there as a whole or not at all; of several processes that make one at a time the first is right."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unborn = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(unborn, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_hex(_BYTES).encode())
            file.flush()
            os.fsync(file.fileno())  # with the key the hashes of all that is kept would be lost
        with contextlib.suppress(FileExistsError):
            os.link(unborn, path)
    finally:
        unborn.unlink(missing_ok=True)

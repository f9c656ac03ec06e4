"""Names that nobody can turn back: keyed hashes of what is told of patients, users and orders."""

from __future__ import annotations

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
        key: at most 64 bytes count.
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
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = secrets.token_hex(_BYTES).encode()
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(made)
    except FileExistsError:
        pass
    except OSError:
        return secrets.token_bytes(_BYTES)
    else:
        return made
    try:
        held = path.read_bytes().strip()
    except OSError:
        held = b""
    return held or secrets.token_bytes(_BYTES)

"""What `ivig doctor` looks at on disk and in the database. It makes nothing.

What it made would be its own user's, not the service's.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ivig.entrypoints.doctor import Line, State
from ivig.store.database import StoreFault, engine_of, revision, url_of
from ivig.store.pseudonyms import FILE
from ivig.store.recorder import FOLDER
from ivig.store.tables import REVISION

if TYPE_CHECKING:
    from ivig.settings import Settings

_TIMEOUT_S = 10.0
_FIRST_START = "made at the first start"


def folder(settings: Settings) -> Line:
    """The data directory."""
    return _writable("data directory", Path(settings.data_dir).expanduser())


def journal(settings: Settings) -> Line:
    """The folder of the journals."""
    return _writable("journal", Path(settings.data_dir).expanduser() / FOLDER)


def _writable(what: str, path: Path) -> Line:
    """Whether files can be made in a folder; where it is not there yet, whether it can be."""
    there = path
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    probe = there / f".doctor-{os.getpid()}"
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as fault:
        why = fault.strerror or type(fault).__name__
        advice = "Name a directory that the service's user can write in IVIG_DATA_DIR."
        return Line(what, State.FAULT, f"{there}: {why}", advice)
    return Line(what, State.OK, str(path) if there == path else f"{path}, {_FIRST_START}")


def hash_key(settings: Settings) -> Line:
    """The key of the hashes of patients and users."""
    if settings.hash_key.get_secret_value():
        return Line("hash key", State.OK, "set by IVIG_HASH_KEY")
    path = Path(settings.data_dir).expanduser() / FILE
    try:
        empty, mode = not path.read_bytes().strip(), path.stat().st_mode
    except FileNotFoundError:
        return Line("hash key", State.OK, f"{path}, {_FIRST_START}")
    except OSError as fault:
        advice = "Set IVIG_HASH_KEY, or let the service's user read it: else patients' hashes change with every start."
        return Line("hash key", State.WARNING, f"{path}: {fault.strerror or type(fault).__name__}", advice)
    if empty:
        advice = "Remove it, or set IVIG_HASH_KEY: else patients' hashes change with every start."
        return Line("hash key", State.WARNING, f"{path} is empty", advice)
    if mode & 0o077:
        return Line("hash key", State.WARNING, f"{path} can be read by others", f"chmod 600 {path}")
    return Line("hash key", State.OK, str(path))


async def store(settings: Settings) -> Line:
    """The database of what was shown."""
    try:
        url = url_of(settings)
        where = url.render_as_string(hide_password=True)
        if not settings.database_url and not Path(url.database or "").is_file():
            return Line("store", State.OK, f"{where}, {_FIRST_START}")
        engine = engine_of(settings)
    except StoreFault as fault:
        return Line("store", State.FAULT, str(fault), "Look at IVIG_DATABASE_URL.")
    try:
        async with asyncio.timeout(_TIMEOUT_S), engine.connect() as connection:
            held = await revision(connection)
    except Exception as fault:  # noqa: BLE001  (drivers have their own: a wrong password, no such database)
        advice = "It cannot be reached; the hooks answer, and records wait in the journal."
        return Line("store", State.FAULT, f"{where}: {type(fault).__name__}", advice)
    finally:
        await engine.dispose()
    if held == REVISION:
        return Line("store", State.OK, where)
    if settings.database_url:
        lacking = "tables of another release" if held else "no tables"
        return Line("store", State.FAULT, f"{where}: {lacking}", "ivig store upgrade")
    advice = "The service brings it up to date when it starts."
    return Line("store", State.WARNING, f"{where}: tables of another release", advice)

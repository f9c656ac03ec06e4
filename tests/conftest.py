"""What every test stands on: a data directory of its own, so that no test touches the user's."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ivig.settings import Settings

_FOLDER = tempfile.TemporaryDirectory(prefix="ivig-tests-", ignore_cleanup_errors=True)
os.environ["IVIG_DATA_DIR"] = _FOLDER.name  # before any module reads its settings


@pytest.fixture(scope="session", autouse=True)
def _data_dir() -> Iterator[None]:
    yield
    _FOLDER.cleanup()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A PostgreSQL server with a folder of its own, ended with the session."""
    pgserver = pytest.importorskip("pgserver", reason="no PostgreSQL here: pgserver has no wheel for this Python")
    with tempfile.TemporaryDirectory(prefix="ivig-postgres-", ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(folder, cleanup_mode="stop")
        try:
            yield server
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
def migrated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path], str]:
    """Gives the address of a new store of a kind, its tables made; the migrations run once for each kind, and are copied."""
    from ivig.settings import Settings  # noqa: PLC0415  (after the data directory is set, and for these tests alone)
    from ivig.store.database import FILE  # noqa: PLC0415
    from ivig.store.migrate import upgrade  # noqa: PLC0415
    from stores import database_of  # noqa: PLC0415

    made: dict[str, str] = {}

    def new(kind: str, folder: Path) -> str:
        if kind == "sqlite":
            if kind not in made:
                made[kind] = str(tmp_path_factory.mktemp("migrated"))
                upgrade(Settings(data_dir=made[kind]))
            shutil.copy(Path(made[kind]) / FILE, folder / FILE)
            return ""
        server = request.getfixturevalue("postgres")
        if kind not in made:
            made[kind] = database_of(server)
            upgrade(Settings(database_url=made[kind]))
        return database_of(server, made[kind])

    return new


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, migrated: Callable[[str, Path], str], tmp_path: Path) -> Settings:
    """Settings of an empty store, its tables made, of each kind."""
    from ivig.settings import Settings  # noqa: PLC0415  (see above)

    return Settings(data_dir=str(tmp_path), database_url=migrated(request.param, tmp_path), auth="off")

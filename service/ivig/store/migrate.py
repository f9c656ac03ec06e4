"""Brings the tables of the store to this release: `ivig store upgrade`, or `python -m ivig.store.migrate` for the embedded one."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from ivig.settings import Settings, load_settings
from ivig.store.database import make_file, url_of


def config(settings: Settings) -> Config:
    """alembic's configuration: the migrations beside this file, and the database of the settings."""
    made = Config()
    folder = str(Path(__file__).parent / "migrations")
    made.set_main_option("script_location", folder.replace("%", "%%"))
    made.attributes["url"] = url_of(settings)
    return made


def upgrade(settings: Settings) -> None:
    """Bring the tables to the newest revision.

    Raises:
        StoreFault: the address of the database cannot be used.
        OSError, sqlalchemy.exc.SQLAlchemyError: the database cannot be reached, or refuses.
    """
    make_file(url_of(settings))
    command.upgrade(config(settings), "head")


if __name__ == "__main__":
    upgrade(load_settings())

"""What every test stands on: a data directory of its own, so that no test touches the user's."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest

_FOLDER = tempfile.TemporaryDirectory(prefix="ivig-tests-", ignore_cleanup_errors=True)
os.environ["IVIG_DATA_DIR"] = _FOLDER.name  # before any module reads its settings

pytest_plugins = ["stores"]


@pytest.fixture(scope="session", autouse=True)
def _data_dir() -> Iterator[None]:
    yield
    _FOLDER.cleanup()

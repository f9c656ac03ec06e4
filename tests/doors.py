"""Our whole service in a test: the application with a data directory of its own, and calls to its doors."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

from ivig.app import create_app
from ivig.settings import Settings
from r4 import Json

SERVICE = "/cds-services/ivig-order-check"


@contextmanager
def served(folder: Path, **settings: Any) -> Iterator[TestClient]:
    """The service, started and ended, with tokens not asked for unless the settings say so."""
    given = {"auth": "off", "data_dir": str(folder)} | settings
    with TestClient(create_app(Settings(**given)), raise_server_exceptions=True) as client:
        yield client


def posted(client: TestClient, body: Json | bytes, path: str = SERVICE, **headers: str) -> Any:
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(path, content=written, headers={"Content-Type": "application/json"} | headers)

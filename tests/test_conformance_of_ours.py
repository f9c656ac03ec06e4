"""Our own service keeps what the conformance suite asks of any; and the command that looks at it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest
import uvicorn
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner

from ivig import cli
from ivig.app import create_app
from ivig.entrypoints.conformance import bodies
from ivig.entrypoints.conformance.caller import Caller, Signer
from ivig.entrypoints.conformance.checks import Ledger, State
from ivig.entrypoints.conformance.demands import FEEDBACK, TOKENS
from ivig.entrypoints.conformance.report import failed
from ivig.entrypoints.conformance.run import Look, checks_of, look_at
from ivig.settings import Settings
from r4 import Json
from signing import ISSUER, jwk, jwks, private_jwk, rsa_key

EXAMPLES = Path(__file__).parent / "data/cds-hooks"
FILES = [
    (name, json.loads((EXAMPLES / name).read_bytes()))
    for name in (
        "bench-payloads/order-sign.json",
        "captured-from-sandbox/order-select.json",
        "davinci-crd-test-kit/order_sign_hook_request.json",
        "davinci-crd-test-kit/order_dispatch_hook_request.json",
        "ahrq-cql-services/feedback.json",
    )
]
_SLOW = {"S-PERF-1"}  # says more of the machine that the tests run on than of the service
_STARTS_S = 60.0


@contextmanager
def serving(folder: Path, client: Json | None = None) -> Iterator[str]:
    """Our service on a free port, its store up; with tokens when a client's page is given. Its base address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = Settings(auth="off", data_dir=str(folder / "data"), public_base_url=base)
        if client is not None:
            (folder / "keys.json").write_bytes(jwks(jwk(rsa_key(), "one")))
            page = folder / "clients.yaml"
            entry = {"id": "ehr", "issuer": ISSUER, "jwks_file": "keys.json"} | client
            page.write_text(yaml.safe_dump({"clients": [entry]}))
            settings = settings.model_copy(update={"auth": "on", "clients": str(page)})
        server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="error", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            _await(server, base)
            yield base
        finally:
            server.should_exit = True
            thread.join(20)


def _await(server: uvicorn.Server, base: str) -> None:
    """Until feedback is taken: the store starts after the door."""
    until = time.monotonic() + _STARTS_S
    told = {"feedback": [bodies.overridden("00000000-0000-4000-8000-000000000001", "2026-11-25T10:00:00Z")]}
    with Caller(base, signer(), 5.0) as caller:
        while time.monotonic() < until:
            if server.started and caller.post(caller.url("ivig-order-check", "feedback"), told).status == 200:
                return
            time.sleep(0.1)
    raise AssertionError("the service did not start")


def signer() -> Signer:
    return Signer(rsa_key(), ISSUER, "one")


def looked(base: str, version: str = "2.0", crd: bool = False, by: Signer | None = None) -> Ledger:
    ledger = Ledger(checks_of(crd))
    with Caller(base, by, 20.0) as caller:
        look_at(Look(caller, ledger, version, crd, "https://ehr.example/fhir"), FILES)
    return ledger


def _faults(ledger: Ledger) -> list[tuple[str, str, str]]:
    return [(o.check.id, f.place, f.seen) for o in ledger.outcomes for f in o.faults]


def _of_service(ledger: Ledger) -> set[str]:
    """What the service itself breaks, SHOULDs too; one of the files is of an older version of its hook."""
    return set(ledger.broken()) - {"S-REQ-2"} - _SLOW


def test_ours_keeps_all_without_tokens(tmp_path: Path) -> None:
    with serving(tmp_path) as base:
        ledger = looked(base)
    assert failed(ledger.outcomes) == [], _faults(ledger)
    assert _of_service(ledger) == set(), _faults(ledger)
    states = {outcome.check.id: outcome.state for outcome in ledger.outcomes}
    assert {states[check.id] for check in FEEDBACK} == {State.HELD}
    assert {states[check.id] for check in TOKENS} == {State.UNSEEN}
    # Cards came, so that what is asked of them was looked at.
    assert {states[check] for check in ("S-CARD-2", "S-SRC-1", "S-SUG-3", "S-ACT-2", "S-OVR-1")} == {State.HELD}


@pytest.mark.parametrize(
    ("client", "version", "crd"),
    [({}, "2.0", False), ({"cds_hooks": "3.0", "crd": True}, "3.0", True)],
    ids=["2.0", "3.0"],
)
def test_ours_keeps_all_with_tokens(tmp_path: Path, client: Json, version: str, crd: bool) -> None:
    with serving(tmp_path, client) as base:
        ledger = looked(base, version, crd, signer())
    assert failed(ledger.outcomes) == [], _faults(ledger)
    assert _of_service(ledger) == set(), _faults(ledger)
    states = {outcome.check.id: outcome.state for outcome in ledger.outcomes}
    assert {states[check.id] for check in TOKENS} == {State.HELD}
    if crd:
        assert {states[check] for check in ("S-CRD-1", "S-CRD-2", "S-DSC-5", "S-DSC-6", "S-PRE-3")} == {State.HELD}


# -- the command ------------------------------------------------------------------------------------------------------

runner = CliRunner()


def told(*words: str) -> tuple[int, str]:
    result = runner.invoke(cli.app, ["conform", *words], env={"COLUMNS": "160"})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_the_command(tmp_path: Path) -> None:
    given = EXAMPLES / "bench-payloads/order-sign.json"
    with serving(tmp_path) as base:
        code, text = told(base, "--request", str(given))
        assert code == 0, text
        assert "every SHALL that came up holds" in text
        code, text = told(base, "--crd")  # which nobody here has asked the service for
        assert code == 1
        assert "The answer to order-sign has systemActions." in text
        code, text = told(f"{base}/cds-services/", "--format", "json")
        assert code == 0
        report = json.loads(text)
        assert report["conformant"] is True
        assert {row["state"] for row in report["checks"]} <= {"held", "not seen", "broken"}
        code, text = told(base, "--crd", "--format", "junit")
        assert code == 1
        suite = ElementTree.fromstring(text)
        assert [case.get("name") for case in suite if case.find("failure") is not None] == ["S-CRD-1"]
        assert suite.get("failures") == "1"


def test_the_command_signs(tmp_path: Path) -> None:
    pem = rsa_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "key.json").write_text(json.dumps(private_jwk(rsa_key(), "one")))
    with serving(tmp_path, {}) as base:
        for name in ("key.pem", "key.json"):
            code, text = told(base, "--token-key", str(tmp_path / name), "--issuer", ISSUER, "--kid", "one")
            assert code == 0, text
        code, text = told(base)
        assert (code, "asks for tokens" in text) == (2, True)
        code, text = told(
            base, "--token-key", str(tmp_path / "key.pem"), "--issuer", "https://else.example", "--kid", "one"
        )
        assert (code, "takes none of ours" in text) == (2, True)


def test_what_cannot_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "keys.json").write_bytes(jwks(jwk(rsa_key(), "one")))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        code, text = told(f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert (code, "Nobody answers" in text) == (2, True)
    for words in (
        ["localhost:8000"],
        ["http://127.0.0.1:9", "--request", str(tmp_path / "broken.json")],
        ["http://127.0.0.1:9", "--request", str(tmp_path / "missing.json")],
        ["http://127.0.0.1:9", "--token-key", str(tmp_path / "keys.json")],
        ["http://127.0.0.1:9", "--token-key", str(tmp_path / "keys.json"), "--issuer", ISSUER, "--kid", "one"],
        ["http://127.0.0.1:9", "--token-key", str(tmp_path / "missing.pem"), "--issuer", ISSUER, "--kid", "one"],
    ):
        code, text = told(*words)
        assert code == 64, (words, text)

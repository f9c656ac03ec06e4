"""`ivig doctor` and `ivig doctor token`: each thing in order and out of order, by the real command."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ivig.cli import app
from ivig.store.database import FILE
from serving import answering
from signing import ISSUER, URL, curve_key, jwk, jwks, rsa_key, token

runner = CliRunner()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site with one client, whose keys lie in a file."""
    (tmp_path / "keys.json").write_bytes(jwks(jwk(rsa_key(), "one")))
    (tmp_path / "clients.yaml").write_text(f"clients:\n  - {{id: ehr, issuer: '{ISSUER}', jwks_file: keys.json}}\n")
    monkeypatch.setenv("IVIG_CLIENTS", str(tmp_path / "clients.yaml"))
    monkeypatch.setenv("IVIG_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("IVIG_PUBLIC_BASE_URL", "https://ivig.example")
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def looked(*arguments: str, stdin: str | None = None) -> tuple[int, str]:
    result = runner.invoke(app, ["doctor", *arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, " ".join(result.output.split())


def test_a_site_in_order(site: Path) -> None:
    code, told = looked()
    assert code == 0, told
    assert " fault " not in told
    for what in (
        "knowledge",
        "clients ehr",
        "data directory",
        "journal",
        "hash key",
        "store sqlite",
        "keys of ehr 1 of 1 keys",
    ):
        assert what in told


def test_a_faulty_page_of_clients(site: Path) -> None:
    (site / "clients.yaml").write_text("clients:\n  - {id: ehr, isuer: x}\n")
    code, told = looked()
    assert code == 1
    assert "clients.yaml:2: unknown key `isuer`" in told


def test_keys_that_are_none(site: Path) -> None:
    (site / "keys.json").write_text("{}")
    code, told = looked()
    assert code == 1
    assert "not a JWK set" in told


def test_keys_of_another_algorithm(site: Path) -> None:
    (site / "keys.json").write_bytes(jwks(jwk(curve_key("P-256"), "one")))
    code, told = looked()
    assert code == 1
    assert "none for RS384, ES384" in told


def test_a_data_directory_that_cannot_be_written(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site / "blocked").write_text("")
    monkeypatch.setenv("IVIG_DATA_DIR", str(site / "blocked"))
    code, told = looked()
    assert code == 1
    assert "IVIG_DATA_DIR" in told


def test_a_database_that_is_not_there(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVIG_DATABASE_URL", "postgresql://user:hunter2@127.0.0.1:1/none")
    code, told = looked()
    assert code == 1
    assert "cannot be reached" in told
    assert "hunter2" not in told


def test_it_looks_and_makes_nothing(site: Path) -> None:
    before = sorted(site.rglob("*"))
    code, told = looked()
    assert (code, sorted(site.rglob("*"))) == (0, before)
    assert told.count("made at the first start") == 4


def test_a_store_of_another_release(site: Path) -> None:
    (site / "data").mkdir()
    (site / "data" / FILE).touch()
    code, told = looked()
    assert (code, "tables of another release" in told) == (0, True)


def test_a_hash_key_that_is_empty(site: Path) -> None:
    (site / "data").mkdir()
    (site / "data" / "hash.key").touch(0o600)
    code, told = looked()
    assert (code, "hash.key is empty" in told) == (0, True)


def test_a_hash_key_that_others_can_read(site: Path) -> None:
    (site / "data").mkdir()
    (site / "data" / "hash.key").write_text("0" * 64)
    (site / "data" / "hash.key").chmod(0o644)
    code, told = looked()
    assert (code, "can be read by others" in told) == (0, True)


def test_without_tokens_it_says_that_it_is_for_development(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVIG_AUTH", "off")
    assert "For development only" in looked()[1]


@pytest.mark.parametrize(
    ("status", "body", "code", "seen"),
    [
        (200, json.dumps({"fhirVersion": "4.0.1"}).encode(), 0, "ok FHIR server"),
        (200, json.dumps({"fhirVersion": "3.0.2"}).encode(), 0, "R4 is expected"),
        (200, b"<html>", 0, "no JSON"),
        (401, b"{}", 0, "answers 401"),
    ],
)
def test_fhir_servers(
    site: Path, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, code: int, seen: str
) -> None:
    with answering(body, status) as address:
        base = f"{address}/fhir"
        monkeypatch.setenv("IVIG_FHIR_SERVERS", base)
        refused, told = looked()
        assert (refused, "not https" in told) == (1, True)
        monkeypatch.setenv("IVIG_PRIVATE_ADDRESSES", "allowed")
        exit_code, told = looked()
    assert exit_code == code
    assert seen in told


# -- tokens -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lead", ["", "Bearer ", "bearer  "])
def test_a_token_that_holds(site: Path, lead: str) -> None:
    said = token(now=time.time())
    code, told = looked("token", "-", stdin=f"{lead}{said}\n")
    assert code == 0
    assert "would be taken, once, as a call of ehr" in told
    assert said[:30] not in told
    assert said[-30:] not in told


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"now": time.time() - 7_200}, "expired"),
        ({"now": time.time(), "aud": "https://elsewhere.example"}, "aud is the address called"),
        ({"now": time.time(), "iss": "https://elsewhere.example"}, "exactly this issuer"),
        ({"now": time.time(), "kid": "two"}, "no key of this id"),
        ({"now": time.time(), "algorithm": "RS256"}, "RS256; the client signs with RS384, ES384"),
        ({"now": time.time(), "key": rsa_key(2048, "theirs")}, "signed by another key"),
        ({"now": time.time(), "jti": ...}, "need jti"),
        ({"now": time.time(), "header": {"jku": "https://elsewhere.example"}}, "not on the client's list"),
    ],
)
def test_why_a_token_is_refused(site: Path, changed: dict[str, Any], says: str) -> None:
    (site / "token").write_text(token(**changed))
    code, told = looked("token", str(site / "token"))
    assert code == 1
    assert says in told
    assert "It would be refused" in told


def test_another_address_and_files_that_are_not_there(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site / "token").write_text(token(now=time.time(), aud=f"{URL}/feedback"))
    assert looked("token", str(site / "token"))[0] == 1
    assert looked("token", str(site / "token"), "--url", f"{URL}/feedback")[0] == 0
    assert looked("token", str(site / "none"))[0] not in (0, 1)
    monkeypatch.setenv("IVIG_CLIENTS", "")
    assert "No client is known" in looked("token", str(site / "token"))[1]


def test_offline_no_key_set_is_fetched(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(jwks(jwk(rsa_key(), "one"))) as base:
        entry = f"{{id: ehr, issuer: '{ISSUER}', jwks_file: keys.json, jwks_urls: ['{base}']}}"
        (site / "clients.yaml").write_text(f"clients:\n  - {entry}\n")
        monkeypatch.setenv("IVIG_PRIVATE_ADDRESSES", "allowed")
        (site / "token").write_text(token(now=time.time(), header={"jku": base}))
        assert looked("token", str(site / "token"))[0] == 0
        code, told = looked("token", str(site / "token"), "--offline")
        assert (code, "for this is offline" in told) == (1, True)
        (site / "token").write_text(token(now=time.time()))
        assert looked("token", str(site / "token"), "--offline")[0] == 0


def test_a_token_that_was_wrapped_on_its_way(site: Path) -> None:
    said = token(now=time.time())
    wrapped = "\n  ".join(said[i : i + 60] for i in range(0, len(said), 60))
    assert looked("token", "-", stdin=f"Bearer {wrapped}\n")[0] == 0
    code, told = looked("token", "-", stdin="\n")
    assert (code, "fault there is a token" in told) == (1, True)

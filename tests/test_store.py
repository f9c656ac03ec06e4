"""The store: its tables and migrations, its retention, and the report of what became of what was shown."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, select
from typer.testing import CliRunner

from ivig.cli import app
from ivig.settings import Settings
from ivig.store.database import StoreFault, engine_of, prepare, revision, url_of
from ivig.store.drain import drain
from ivig.store.feedback import keep
from ivig.store.items import FeedbackItem
from ivig.store.pseudonyms import Pseudonyms, key_from
from ivig.store.recorder import FOLDER, Recorder
from ivig.store.report import FeedbackReport, feedback_report
from ivig.store.retention import prune
from ivig.store.tables import REVISION, calls, cards, feedback, findings, metadata
from stores import NOW, database_of, finding, record, with_engine

runner = CliRunner()
HL7 = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"


def kept(settings: Settings, *records: object) -> None:
    """Bring records into the store by the way that all take: journal, drain."""
    recorder = Recorder(Path(settings.data_dir) / FOLDER)
    for one in records:
        assert recorder.record(one)  # type: ignore[arg-type]
    recorder.close()
    with_engine(settings, lambda engine: drain(engine, recorder.folder, NOW))


def reported(settings: Settings, *items: FeedbackItem, client: str = "ehr") -> None:
    with_engine(settings, lambda engine: keep(engine, client, items, NOW))


def report(settings: Settings, **asked: object) -> FeedbackReport:
    return with_engine(settings, lambda engine: feedback_report(engine, **asked))  # type: ignore[arg-type]


def accepted(card: str, *suggestions: str, minutes: int = 0) -> FeedbackItem:
    return FeedbackItem(card, "accepted", NOW + timedelta(minutes=minutes), suggestions or ("s",))


def overridden(card: str, code: str = "", minutes: int = 0) -> FeedbackItem:
    return FeedbackItem(card, "overridden", NOW + timedelta(minutes=minutes), (), HL7 if code else "", code)


# -- tables -----------------------------------------------------------------------------------------------------------


def test_the_migrations_make_the_tables_that_the_code_has(settings: Settings) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async def looked(engine: object) -> tuple[list[object], str]:
        async with engine.connect() as connection:  # type: ignore[attr-defined]
            return await connection.run_sync(differences), await revision(connection)

    assert with_engine(settings, looked) == ([], REVISION)


def test_a_store_that_is_up_to_date_is_left_alone(settings: Settings) -> None:
    assert with_engine(settings, lambda engine: prepare(engine, settings))


def test_a_database_without_tables_is_for_its_keeper(postgres: object) -> None:
    settings = Settings(database_url=database_of(postgres))
    assert not with_engine(settings, lambda engine: prepare(engine, settings))


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "oracle://x", "http://x"])
def test_an_address_that_is_none_is_told_without_it(url: str) -> None:
    with pytest.raises(StoreFault, match="IVIG_DATABASE_URL"):
        url_of(Settings(database_url=url))


@pytest.mark.parametrize("url", ["postgresql://u:p@h/n", "postgres://u:p@h/n", "postgresql+asyncpg://u:p@h/n"])
def test_postgresql_by_any_of_its_addresses(url: str) -> None:
    assert url_of(Settings(database_url=url)).drivername == "postgresql+asyncpg"


# -- pseudonyms -------------------------------------------------------------------------------------------------------


def test_hashes_need_the_key_and_tell_kinds_apart() -> None:
    ours, theirs = Pseudonyms(b"ours"), Pseudonyms(b"theirs")
    assert ours.of("patient", "1") == Pseudonyms(b"ours").of("patient", "1")
    assert len({ours.of("patient", "1"), ours.of("user", "1"), ours.of("patient", "2"), theirs.of("patient", "1")}) == 4
    assert ours.of("patient", "") == ""
    assert Pseudonyms(b"k" * 100).of("patient", "1") != Pseudonyms(b"k" * 64).of("patient", "1")
    assert ours.of("patient", "\ud800")


def test_the_key_is_made_once_and_is_its_owner_s(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path / "new"))
    key = key_from(settings)
    assert key == key_from(settings)
    assert (tmp_path / "new" / "hash.key").stat().st_mode & 0o777 == 0o600
    assert key_from(Settings(data_dir=str(tmp_path), hash_key="given")) == b"given"  # type: ignore[arg-type]


def test_where_nothing_can_be_written_the_key_lives_as_long_as_the_process(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("")
    settings = Settings(data_dir=str(tmp_path / "blocked" / "below"))
    assert key_from(settings) != key_from(settings)


# -- what became of it ------------------------------------------------------------------------------------------------


def test_shown_accepted_overridden_ignored(settings: Settings) -> None:
    """Four cards show lab-missing: one accepted, two overridden (one with a reason), one never heard of."""
    kept(settings, *(record(finding(), finding("risk-renal"), uuid=f"c{n}") for n in range(4)))
    reported(settings, accepted("c0"), overridden("c1", "need-more-info"), overridden("c2"))
    told = report(settings)
    assert (told.calls, told.cards, told.unknown) == (4, 4, 0)
    for rule in told.rules:
        assert (rule.shown, rule.accepted, rule.overridden, rule.ignored) == (4, 1, 2, 1)
        assert dict(rule.reasons) == {f"{HL7}|need-more-info": 1}


def test_what_was_not_shown_is_counted_beside(settings: Settings) -> None:
    findings_ = [finding(shown=how) for how in ("shadow", "off", "repeat", "folded")]
    kept(settings, *(record(f, uuid=f"c{n}") for n, f in enumerate(findings_)))
    reported(settings, overridden("c0"))
    (rule,) = report(settings).rules
    assert (rule.shown, rule.overridden, rule.ignored) == (0, 0, 0)
    assert dict(rule.others) == {"shadow": 1, "off": 1, "repeat": 1, "folded": 1}


def test_the_same_word_twice_is_kept_once(settings: Settings) -> None:
    kept(settings, record(uuid="c0"))
    for _ in range(3):
        reported(settings, accepted("c0", "s1", "s2"))
    (rule,) = report(settings).rules
    assert rule.accepted == 1

    async def rows(engine: object) -> int:
        async with engine.connect() as connection:  # type: ignore[attr-defined]
            return int(await connection.scalar(select(func.count()).select_from(feedback)))

    assert with_engine(settings, rows) == 2


def test_the_last_word_counts(settings: Settings) -> None:
    kept(settings, record(uuid="c0"))
    reported(settings, overridden("c0", "need-more-info"))
    reported(settings, accepted("c0", minutes=5))
    (rule,) = report(settings).rules
    assert (rule.accepted, rule.overridden, dict(rule.reasons)) == (1, 0, {})


def test_feedback_that_comes_before_its_card_is_joined_to_it(settings: Settings) -> None:
    result = with_engine(settings, lambda engine: keep(engine, "ehr", [accepted("early")], NOW))
    assert (result.kept, result.unknown) == (1, 1)
    assert report(settings).unknown == 1
    kept(settings, record(uuid="early"))
    told = report(settings)
    assert (told.unknown, told.rules[0].accepted) == (0, 1)


def test_another_client_s_word_does_not_count(settings: Settings) -> None:
    kept(settings, record(uuid="c0"))
    reported(settings, accepted("c0"), client="somebody")
    assert report(settings).rules[0].accepted == 0


def test_a_period_and_a_client(settings: Settings) -> None:
    kept(
        settings,
        record(uuid="c0", at=NOW - timedelta(days=10)),
        record(uuid="c1"),
        record(uuid="c2", client="other"),
    )
    assert report(settings, since=NOW - timedelta(days=1)).calls == 2
    assert report(settings, until=NOW).calls == 1
    assert report(settings, client="other").calls == 1


def test_what_is_old_is_deleted_with_all_that_hangs_on_it(settings: Settings) -> None:
    kept(settings, record(uuid="old", at=NOW - timedelta(days=401)), record(uuid="new", at=NOW - timedelta(days=399)))
    assert with_engine(settings, lambda engine: prune(engine, 400, NOW)) == (1, 0)

    async def left(engine: object) -> list[int]:
        async with engine.connect() as connection:  # type: ignore[attr-defined]
            return [int(await connection.scalar(select(func.count()).select_from(t))) for t in (calls, cards, findings)]

    assert with_engine(settings, left) == [1, 1, 1]


# -- commands ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def site(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("IVIG_DATA_DIR", settings.data_dir)
    monkeypatch.setenv("IVIG_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("COLUMNS", "160")
    return settings


def run(*arguments: str) -> tuple[int, str]:
    result = runner.invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_the_report_in_each_form(site: Settings) -> None:
    recorder = Recorder(Path(site.data_dir) / FOLDER)
    recorder.record(record(finding(), uuid="c0"))
    recorder.record(record(finding("risk-renal", "shadow"), uuid="c1"))
    recorder.close()  # left by a process that has ended: the report takes it in
    reported(site, overridden("c0", "need-more-info"))
    code, told = run("feedback", "report")
    assert code == 0
    assert "need-more-info 1" in told
    assert "shadow 1" in told
    _, told = run("feedback", "report", "--format", "json")
    first = next(r for r in json.loads(told)["rules"] if r["rule"] == "lab-missing")
    assert (first["shown"], first["overridden"], first["reasons"]) == (1, 1, {f"{HL7}|need-more-info": 1})
    _, told = run("feedback", "report", "--format", "csv")
    assert {row["rule"]: row["shown"] for row in csv.DictReader(io.StringIO(told))} == {
        "lab-missing": "1",
        "risk-renal": "0",
    }
    assert run("feedback", "report", "--since", "2026-11-26")[1].startswith("0 calls")


def test_the_store_s_own_commands(site: Settings) -> None:
    kept(site, record(at=NOW - timedelta(days=2_000)))
    code, told = run("store", "status")
    assert code == 0
    assert "1 calls" in told
    assert "revision: 0001" in told
    assert run("store", "upgrade") == (0, "The store is up to date.\n")
    assert "1 calls, 0 feedbacks" in run("store", "prune")[1]


def test_a_store_that_is_not_there_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IVIG_DATABASE_URL", "postgresql://user:hunter2@127.0.0.1:1/none")
    for command in (("feedback", "report"), ("store", "status"), ("store", "upgrade"), ("store", "prune")):
        code, told = run(*command)
        assert code == 1, command
        assert "The store cannot be used" in told
        assert "hunter2" not in told


def test_the_engine_of_the_embedded_store_makes_its_folder(tmp_path: Path) -> None:
    engine = engine_of(Settings(data_dir=str(tmp_path / "a" / "b")))
    asyncio.run(engine.dispose())
    assert (tmp_path / "a" / "b").is_dir()

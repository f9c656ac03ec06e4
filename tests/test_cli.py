"""The command line: exit codes, what goes to standard output, and what a terminal shows."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from msgspec import Struct

import ivig
from ivig import cli
from ivig import validator as validator_module
from ivig.catalogue import RULES
from ivig.entrypoints import files
from ivig.entrypoints.terminal import render, screen
from ivig.settings import Settings, listed
from judged import answer, validator
from r4 import Json

SAMPLES = Path(ivig.__file__).parent / "samples"
CLEAR = SAMPLES / "01-gbs-clear.json"
ADVISE = SAMPLES / "08-itp-platelets-normal-advise.json"
STOP = SAMPLES / "04-subcutaneous-product-ordered-iv-stop.json"
CANNOT_TELL = SAMPLES / "06-cidp-no-weight-no-creatinine-cannot-tell.json"


class Ran(Struct, frozen=True):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def ivig_(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command `ivig` in this process. Nothing of the environment's settings; the knowledge is loaded once."""
    for name in [n for n in os.environ if n.startswith("IVIG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(validator_module, "library_of", _library)

    def run(*words: object, stdin: bytes = b"", **env: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["ivig", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Ran(code, said.out, said.err)

    return run


_library = cache(validator_module.library_of)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.json"
    path.write_bytes(CLEAR.read_bytes()[:-200])
    return path


@pytest.fixture
def no_order(tmp_path: Path) -> Path:
    sent = json.loads(CLEAR.read_bytes())
    sent["entry"] = [e for e in sent["entry"] if e["resource"]["resourceType"] != "MedicationRequest"]
    path = tmp_path / "no-order.json"
    path.write_text(json.dumps(sent))
    return path


# -- check ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "code"), [(CLEAR, 0), (ADVISE, 0), (STOP, 1), (CANNOT_TELL, 2)], ids=lambda v: getattr(v, "stem", "")
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_the_exit_code_is_the_verdict(ivig_: Run, file: Path, code: int, form: str) -> None:
    assert ivig_("check", file, "--format", form).code == code


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_cannot_be_read_is_3_and_no_order_is_4(ivig_: Run, broken: Path, no_order: Path, form: str) -> None:
    assert ivig_("check", broken, "--format", form).code == 3
    assert ivig_("check", no_order, "--format", form).code == 4
    assert ivig_("check", "no/such/file.json", "--format", form).code == 3
    assert ivig_("check", broken.parent, "--format", form).code == 3


def test_of_several_files_the_gravest_counts(ivig_: Run, broken: Path, no_order: Path) -> None:
    in_order = [(broken, 3), (STOP, 1), (CANNOT_TELL, 2), (no_order, 4), (CLEAR, 0)]
    for place, (file, code) in enumerate(in_order):
        milder = [f for f, _ in in_order[place + 1 :]]
        assert ivig_("check", *milder, file).code == code
        assert ivig_("check", file, *milder).code == code


def test_json_is_the_outcome_and_nothing_else(ivig_: Run) -> None:
    ran = ivig_("check", STOP, "--format", "json")
    told = json.loads(ran.out)
    OperationOutcome.model_validate(told)
    assert told["resourceType"] == "OperationOutcome"
    assert "product-not-for-route" in ran.out
    assert ran.err == ""


def test_json_of_several_files_is_a_list_in_their_order(ivig_: Run, broken: Path, no_order: Path) -> None:
    told: list[Json] = json.loads(ivig_("check", CLEAR, broken, no_order, "--format", "json").out)
    for one in told:
        OperationOutcome.model_validate(one)
    assert [one["issue"][0]["severity"] for one in told] == ["information", "fatal", "information"]
    assert "order-none" in json.dumps(told[2])


def test_an_unreadable_file_says_what_and_where(ivig_: Run, broken: Path) -> None:
    (issue,) = json.loads(ivig_("check", broken, "--format", "json").out)["issue"]
    assert (issue["severity"], issue["code"]) == ("fatal", "structure")
    assert "broken.json" in issue["diagnostics"]
    assert "line" in issue["diagnostics"]
    said = " ".join(ivig_("check", broken).out.split())
    assert "Unreadable" in said
    assert "not JSON" in said
    assert "No such file" in ivig_("check", "no/such/file.json").out


@pytest.mark.parametrize("body", [b"", b" \n", b"[]", b"7", b'{"resourceType": "Patient"}', b"\xff\xfe", b"{}"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_odd_bodies_are_unreadable(ivig_: Run, body: bytes, form: str) -> None:
    ran = ivig_("check", "-", "--format", form, stdin=body)
    assert ran.code == 3
    assert "standard input" in ran.out


def test_stdin_is_a_file_like_others(ivig_: Run) -> None:
    assert ivig_("check", "-", stdin=STOP.read_bytes()).code == 1
    one = ivig_("check", "-", "--format", "json", stdin=CLEAR.read_bytes()).out
    assert one == ivig_("check", CLEAR, "--format", "json").out


def test_an_outcome_has_the_same_issues_as_by_the_validator(ivig_: Run) -> None:
    for file in (CLEAR, STOP, CANNOT_TELL):
        assert json.loads(ivig_("check", file, "--format", "json").out) == answer(file.read_bytes())


def test_the_day_can_be_set(ivig_: Run) -> None:
    told = json.loads(ivig_("check", CLEAR, "--day", "2027-06-01", "--format", "json").out)
    (run,) = told["extension"]
    (order,) = [e for e in run["extension"] if e["url"] == "order"]
    assert {"url": "day", "valueDate": "2027-06-01"} in order["extension"]
    assert ivig_("check", CLEAR, "--day", "yesterday").code == cli.WRONG_CALL


def test_parameters_are_read_with_what_they_ask_for(ivig_: Run) -> None:
    def asking(**parameter: object) -> bytes:
        bundle = {"name": "bundle", "resource": json.loads(CLEAR.read_bytes())}
        return json.dumps({"resourceType": "Parameters", "parameter": [bundle, parameter]}).encode()

    ran = ivig_("check", "-", "--format", "json", stdin=asking(name="evaluationDate", valueDate="2026-11-21"))
    assert '"2026-11-21"' in ran.out
    ran = ivig_(
        "check",
        "-",
        "--day",
        "2026-11-22",
        "--format",
        "json",
        stdin=asking(name="evaluationDate", valueDate="2026-11-21"),
    )
    assert '"2026-11-22"' in ran.out
    assert ivig_("check", "-", stdin=asking(name="evaluationDate", valueDate="soon")).code == 3


def test_a_wrong_call_does_not_look_like_a_verdict(ivig_: Run) -> None:
    for words in (["check"], ["check", CLEAR, "--format", "yaml"], ["check", CLEAR, "--no-such"], ["nothing"]):
        ran = ivig_(*words)
        assert ran.code == cli.WRONG_CALL
        assert ran.err


def test_a_policy_that_is_not_there_is_told(ivig_: Run) -> None:
    ran = ivig_("check", CLEAR, "--policy", "no_such_policy")
    assert ran.code == cli.NOT_SET_UP
    assert "us-default" in ran.err
    assert ran.out == ""


def test_a_fault_of_ours_shows_its_place_and_no_data(ivig_: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("Marlow")

    monkeypatch.setattr(files, "decode", crash)
    ran = ivig_("check", CLEAR)
    assert ran.code == cli.CRASHED
    assert "RuntimeError" in ran.err
    assert "Marlow" not in ran.out + ran.err


# -- what a terminal shows --------------------------------------------------------------------------------------------


def test_text_says_what_was_ordered_for_whom_and_why_not(ivig_: Run) -> None:
    said = ivig_("check", STOP).out
    for words in ("STOP", "Hizentra 20%", "30 g every 4 weeks", "62 kg", "36 years", "product-not-for-route", "P104"):
        assert words in said, words
    said = ivig_("check", CANNOT_TELL).out
    for words in (
        "CANNOT TELL",
        "30 g a day for 4 days",
        "no usable weight",
        "Not judged for want of",
        "weight-missing: weight-stale",
    ):
        assert words in said, words


def test_what_could_not_be_read_is_told(ivig_: Run) -> None:
    sent = json.loads(CLEAR.read_bytes())
    sent["entry"][1]["resource"]["authoredOn"] = 20261120  # of the order
    sent["entry"][2]["resource"]["status"] = 7  # of a weight
    ran = ivig_("check", "-", stdin=json.dumps(sent).encode())
    assert ran.code == 0
    assert ran.out.count("Left out, for it could not be read") == 2
    assert "Bundle.entry[1].resource.authoredOn: a string is expected" in ran.out
    assert "Bundle.entry[2].resource.status: a string is expected" in ran.out


def test_several_files_end_with_a_list_of_verdicts(ivig_: Run, broken: Path, no_order: Path) -> None:
    last = ivig_("check", CLEAR, STOP, broken, no_order).out.rstrip().splitlines()[-4:]
    assert [line.split("  ")[0] for line in last] == ["clear", "stop", "unreadable", "no immune globulin order"]


def test_text_fits_the_width_and_has_no_colours_in_a_pipe(ivig_: Run) -> None:
    said = ivig_("check", *sorted(SAMPLES.glob("[0-9b]*.json")), "-v").out
    assert "\x1b" not in said
    assert max(map(len, said.splitlines())) <= 100


@pytest.mark.parametrize("width", [80, 100])
def test_colours_only_where_they_are_wanted(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def shown(**options: object) -> str:
        paper = io.StringIO()
        report, _ = validator().validate(STOP.read_bytes())
        render(report, validator().library, screen(file=paper, width=width, **options))
        return paper.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[" in shown(force_terminal=True)
    assert "\x1b" not in shown()
    assert max(map(len, shown().splitlines())) <= width
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in shown(force_terminal=True)


def test_an_order_cannot_speak_to_the_terminal(ivig_: Run) -> None:
    """Words of the order are shown, commands to the terminal and markup in them are not obeyed."""
    sent = json.loads(CLEAR.read_bytes())
    order = sent["entry"][1]["resource"]
    order["medicationCodeableConcept"]["text"] = "Privigen 10% \x1b[2J\x9b31m [red]x[/red]"
    order["id"] = "a\x1b]0;b\x07"
    said = ivig_("check", "-", stdin=json.dumps(sent).encode()).out
    assert "[red]x[/red]" in said
    assert not {"\x1b", "\x9b", "\x07"} & set(said)


def test_verbose_shows_every_rule_and_what_became_of_it(ivig_: Run) -> None:
    said = " ".join(ivig_("check", ADVISE, "-v").out.split())
    for words in (
        "Every rule",
        "flagged indication-criteria-unmet",
        "content dose-course-above-range 2 g/kg a course, at most 2 (+10%)",
        "Not concerned: order-duplicate",
        "Alternatives to consider: Steroids",
        "→ Consider whether this patient",
    ):
        assert words in said, words
    assert "Every rule" not in ivig_("check", ADVISE).out
    assert '"checked"' in ivig_("check", ADVISE, "-v", "--format", "json").out


def test_a_file_that_asks_for_full_detail_gets_it(ivig_: Run) -> None:
    bundle = {"name": "bundle", "resource": json.loads(CLEAR.read_bytes())}
    body = {"resourceType": "Parameters", "parameter": [bundle, {"name": "detail", "valueCode": "full"}]}
    assert '"checked"' in ivig_("check", "-", "--format", "json", stdin=json.dumps(body).encode()).out


# -- the other commands -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [[], ["check"], ["sheet"], ["serve"], ["explain"], ["settings"], ["knowledge"], ["knowledge", "lint"]]
)
def test_every_command_has_help(ivig_: Run, words: list[str]) -> None:
    ran = ivig_(*words, "--help")
    assert ran.code == 0
    assert "Usage" in ran.out
    assert ran.out == ivig_(*words, "-h").out


def test_the_help_of_check_tells_the_exit_codes(ivig_: Run) -> None:
    said = " ".join(ivig_("check", "--help").out.split())
    assert "0 clear or advise, 1 stop, 2 cannot-tell, 3 unreadable, 4 no immune globulin order" in said


def test_version(ivig_: Run) -> None:
    assert ivig_("--version").out == f"ivig-order-check {ivig.__version__}\n"


def test_explain_prints_every_rule_page(ivig_: Run) -> None:
    for module in RULES:
        ran = ivig_("explain", module.rule.name)
        assert ran.code == 0, module.rule.name
        assert module.rule.name in ran.out
        assert (module.__doc__ or "?").splitlines()[0] in ran.out


def test_explain_gives_the_numbers_in_force_with_source_place_and_mark(ivig_: Run) -> None:
    said = " ".join(ivig_("explain", "weight-stale").out.split())
    of_file, _, of_facts = said.partition("Numbers in force today")[2].partition("Numbers behind the facts")
    for words in ("weight.days.outer_limit", "180 d", "S-GH", "weight at least every 6 months (page 2)", "confirmed"):
        assert words in of_file, words
    assert "weight.days.inpatient: 7 d" in of_facts
    assert "house" in of_facts
    assert "weight.days.outpatient_adult: 90 d" in of_facts  # a key made from parts


def test_explain_tells_what_a_rule_needs_and_carries(ivig_: Run) -> None:
    said = " ".join(ivig_("explain", "dose-course-above-range").out.split())
    for words in (
        "To consider Consider a smaller dose",
        "phased: Every course per kg with its limits",
        "weight-missing: No usable weight",
        "schedule-missing: The days",
        "A14: Kawasaki disease: 2 g/kg once, with aspirin",
        "Guillain-Barre syndrome",
    ):
        assert words in said, words


def test_explain_tells_what_other_policies_set(ivig_: Run, tmp_path: Path) -> None:
    page = tmp_path / "ours.yaml"
    page.write_text(
        "id: ours\ntitle: Ours\nreviewed: 2026-11-20\ndue: 2027-11-20\nkeys:\n"
        '  dose.cumulative_days: {unit: d, values: [{from: unknown, amount: 35, source: house, at: "ours", seen: house}]}\n',
        "utf-8",
    )
    said = " ".join(ivig_("explain", "dose-cumulative-above-limit", "--policy", page).out.split())
    assert "us-default: dose.cumulative_days is 28 days, here 35 days" in said


def test_explain_shows_pages_of_indications_and_products(ivig_: Run) -> None:
    said = " ".join(ivig_("explain", "gbs").out.split())
    for words in ("Guillain-Barre syndrome indication, reviewed", "Alternatives Plasma exchange", "S-EFNS08"):
        assert words in said, words
    assert "privigen_10.strength: 0.1 g/mL" in " ".join(ivig_("explain", "privigen-10").out.split())
    ran = ivig_("explain", "privigen")
    assert ran.code == 2
    assert "privigen_10" in ran.err


def test_explain_without_a_rule_lists_all(ivig_: Run) -> None:
    listed = [line.split()[0] for line in ivig_("explain").out.splitlines() if line.strip()]
    assert listed == [module.rule.name for module in RULES]


def test_explain_knows_no_such_rule_but_its_neighbours(ivig_: Run) -> None:
    ran = ivig_("explain", "order-duplicat")
    assert ran.code == 2
    assert "order-duplicate" in ran.err
    assert ran.out == ""
    assert ivig_("explain", "").code == 2


def test_lint_counts_what_is_there(ivig_: Run) -> None:
    ran = ivig_("knowledge", "lint")
    assert ran.code == 0
    for words in ("pages", "values", "confirmed", "unconfirmed", "house", "no faults"):
        assert words in ran.out


def test_lint_tells_all_faults_of_a_policy_with_file_and_line(ivig_: Run, tmp_path: Path) -> None:
    page = tmp_path / "ours.yaml"
    tolerance = "{unit: '%', values: [{from: never, amount: x, source: S-GH, at: p, seen: house}]}"
    page.write_text(f"id: ours\ntitle: ours\nkeys:\n  dose.tolerance: {tolerance}\n")
    ran = ivig_("knowledge", "lint", "--policy", page)
    assert ran.code == 1
    assert "2 faults" in ran.err
    assert ran.err.count("ours.yaml:4:") == 2


def test_settings_lists_name_value_default_and_meaning(ivig_: Run) -> None:
    said = ivig_("settings", IVIG_TIMEZONE="America/New_York").out
    for words in ("IVIG_POLICY", "us-default", "IVIG_TIMEZONE", "America/New_York", "UTC", "IVIG_MAX_BODY_MB", "16"):
        assert words in said, words


def test_a_setting_that_cannot_be_used_is_told_in_a_line(ivig_: Run) -> None:
    ran = ivig_("settings", IVIG_TIMEZONE="Mars/Olympus", IVIG_MAX_BODY_MB="much")
    assert ran.code == cli.NOT_SET_UP
    assert "IVIG_TIMEZONE=Mars/Olympus: no known time zone" in ran.err
    assert "IVIG_MAX_BODY_MB=much" in ran.err


def test_the_installed_command_starts_without_the_web_framework() -> None:
    code = "import sys, ivig.cli; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"fastapi", "uvicorn", "fhir.resources", "pydantic", "yaml"} & set(ran.stdout.split())


def test_a_sheet_that_cannot_be_written_says_so(ivig_: Run, tmp_path: Path) -> None:
    ran = ivig_("sheet", CLEAR, "--out", tmp_path / "none" / "sheet.html")
    assert ran.code == 64
    assert "Cannot write" in ran.err
    assert "--out" in ran.err


def test_explain_takes_a_name_in_capitals(ivig_: Run) -> None:
    assert ivig_("explain", "CIDP").out == ivig_("explain", "cidp").out


def test_keys_says_when_there_is_none(ivig_: Run) -> None:
    ran = ivig_("knowledge", "keys", "nosuchkey")
    assert (ran.code, ran.out) == (64, "")
    assert "No key holds nosuchkey" in ran.err
    assert "none (house)" in ivig_("knowledge", "keys", "formulary").out


@pytest.mark.parametrize("password", ["hunter2", "hun:ter2", "hun@ter2", "hun/ter2"])
def test_no_password_is_listed_with_the_settings(password: str) -> None:
    settings = Settings(database_url=f"postgresql://user:{password}@host/name", hash_key="hunter2")
    rows = {name: value for name, value, _, _ in listed(settings)}
    assert rows["IVIG_DATABASE_URL"] == "postgresql://user:***@host/name"
    assert "hunter2" not in str(rows)

"""`ivig knowledge` and `--policy`: differences, what is due, the keys of a policy, and what is refused."""
# ruff: noqa: F811  (a fixture is asked for by the name it is imported under)

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from builder import bundle
from ivig import cli
from ivig.knowledge.load import HERE
from test_cli import CLEAR, Run, ivig_  # noqa: F401

HOUSE = 'source: house, at: "our committee", seen: house'


def words(said: str) -> str:
    return " ".join(said.split())


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    path = tmp_path / "ours.yaml"
    path.write_text(
        "id: ours\ntitle: Our hospital\nreviewed: 2026-11-01\ndue: 2026-12-01\nkeys:\n"
        f'  dose.tolerance: {{unit: "%", values: [{{from: 2026-11-01, amount: 5, {HOUSE}}}]}}\n'
        f"  severity.lab-stale: {{values: [{{from: 2026-11-01, is: off, {HOUSE}, reason: the lab is late}}]}}\n",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def order(tmp_path: Path) -> Path:
    """Twice 1 g/kg in immune thrombocytopenia, asked to be judged by the UK's policy."""
    path = tmp_path / "order.json"
    path.write_text(json.dumps(bundle("itp", {"dose": "70 g", "count": 2, "policy": "uk"})))
    return path


# -- diff -------------------------------------------------------------------------------------------------------------


def test_two_policies_differ_in_words_a_pharmacist_uses(ivig_: Run) -> None:
    ran = ivig_("knowledge", "diff", "us-default", "uk")
    said = words(ran.out)
    assert ran.code == 1
    assert "Orders for Immune thrombocytopenia in adults" in said
    assert "grams per kg of a course or cycle: 1 g/kg, not 1-2 g/kg, from 2017-10-01" in said
    assert "more than 1 g/kg is flagged" in said
    assert "S-NHSITP, NHS England, October 2017" in said
    assert "weight-height-missing, weight-wrong-basis, weight-basis-unstated" in said


def test_a_policy_does_not_differ_from_itself(ivig_: Run) -> None:
    ran = ivig_("knowledge", "diff", "uk", "uk")
    assert (ran.code, ran.out) == (0, "No differences between uk and uk\n")
    assert ivig_("knowledge", "diff", "us-default", "us_default").code == 0


def test_on_one_day_only_what_holds_that_day_differs(ivig_: Run) -> None:
    told = json.loads(ivig_("knowledge", "diff", "us-default", "uk", "--on", "2021-11-30", "--format", "json").out)
    assert not [c for c in told["changes"] if c["path"] == "policy.weight.also_when_over_ibw"]
    told = json.loads(ivig_("knowledge", "diff", "us-default", "uk", "--on", "2021-12-01", "--format", "json").out)
    (change,) = [c for c in told["changes"] if c["path"] == "policy.weight.also_when_over_ibw"]
    assert (change["before"], change["after"], change["from"]) == ("nothing", "1.2", "2021-12-01")
    assert (change["source"], change["seen"]) == ("S-UKCALC", "unconfirmed")


def test_a_policy_of_ones_own_is_held_against_a_shipped_one(ivig_: Run, ours: Path) -> None:
    said = words(ivig_("knowledge", "diff", "us-default", ours).out)
    assert "dose, tolerance: 5 %, not 10 %, from 2026-11-01" in said
    assert (
        "Findings of lab-stale severity: off, not the rule's own (warning), from 2026-11-01 silenced: the lab is late"
        in said
    )


def test_two_days_differ_by_what_began_between_them(ivig_: Run) -> None:
    told = json.loads(ivig_("knowledge", "diff", "2018-01-01", "2024-01-01", "--format", "json").out)
    days = {change["from"] for change in told["changes"]}
    assert {"2018-10-01", "2023-12-01", "2024-01-01"} <= days
    assert all("2018-01-01" < day <= "2024-01-01" for day in days)
    (alyglo,) = [c for c in told["changes"] if c["path"] == "products.alyglo_10.market"]
    assert alyglo["subject"] == "Orders of Alyglo 10%"
    assert ivig_("knowledge", "diff", "2018-10-01", "2018-10-01").code == 0
    eve = ivig_("knowledge", "diff", "2017-09-30", "2017-10-01", "--policy", "uk")
    assert "more than 1 g/kg is flagged" in words(eve.out)
    assert ivig_("knowledge", "diff", "2017-09-30", "2017-10-01").code == 0


def test_two_folders_differ_in_values_codes_and_pages(ivig_: Run, tmp_path: Path) -> None:
    new = Path(shutil.copytree(HERE, tmp_path / "new"))
    page = new / "indications" / "gbs.yaml"
    text = page.read_text("utf-8")
    assert "lower: 2, upper: 2, source: S-EFNS08" in text
    page.write_text(
        text.replace("lower: 2, upper: 2, source: S-EFNS08", "lower: 1.6, upper: 1.8, source: S-EFNS08").replace(
            '      - {code: G65.0, words: "Sequelae of Guillain-Barré syndrome"}\n',
            '      - {code: G65.0, words: "Sequelae of Guillain-Barré syndrome"}\n      - {code: X00.1, words: "made up"}\n',
        ),
        "utf-8",
    )
    made = (new / "indications" / "als.yaml").read_text("utf-8")
    (new / "indications" / "als.yaml").unlink()
    assert made
    ran = ivig_("knowledge", "diff", HERE, new)
    said = words(ran.out)
    assert ran.code == 1
    assert "first course, grams per kg of a course or cycle: 1.6-1.8 g/kg, not 2 g/kg" in said
    assert "more than 1.8 g/kg is flagged; down to 1.6 g/kg passes" in said
    assert "codes that never count, icd10cm: X00.1 (made up), not nothing" in said
    assert "page: nothing, not a page of its own" in said
    assert ivig_("knowledge", "diff", HERE, HERE).code == 0


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["2018-01-01", "uk"], "A is a day, B is a policy"),
        (["2026-01-01", "2018-01-01"], "Give the earlier day first: ivig knowledge diff 2018-01-01 2026-01-01"),
        (["2026-02-30", "2026-03-01"], "2026-02-30 is no day of the calendar"),
        (["2018-01-01", "2026-01-01", "--on", "2020-01-01"], "--on does not go with two days"),
        (["uk", "ontario", "--policy", "uk"], "--policy does not go with two policies"),
        ([str(HERE / "products"), str(HERE)], "is no folder of knowledge"),
        (["uk"], "Missing argument"),
    ],
)
def test_what_cannot_be_compared_is_told(ivig_: Run, asked: list[str], told: str) -> None:
    ran = ivig_("knowledge", "diff", *asked)
    assert ran.code == cli.WRONG_CALL
    assert told in words(ran.err)
    assert ran.out == ""


def test_a_policy_that_does_not_exist_is_told_with_those_that_do(ivig_: Run) -> None:
    ran = ivig_("knowledge", "diff", "uk", "france")
    assert ran.code == cli.NOT_SET_UP
    assert "there are australia, ontario, uk, us-default" in ran.err


# -- due, keys --------------------------------------------------------------------------------------------------------


def test_due_lists_pages_past_their_day(ivig_: Run, ours: Path) -> None:
    assert ivig_("knowledge", "due", "--on", "2026-11-25").code == 0
    assert ivig_("knowledge", "due", "--on", "2026-11-25", "--within", "90d").code == 0
    ran = ivig_("knowledge", "due", "--on", "2026-12-02", "--policy", ours)
    assert ran.code == 1
    assert "2026-12-01 1 days ago policies/ours: Our hospital (reviewed 2026-11-01) 1 page due on 2026-12-02" in words(
        ran.out
    )
    soon = ivig_("knowledge", "due", "--on", "2026-11-25", "--within", "1w", "--policy", ours, "--format", "json")
    assert [row["page"] for row in json.loads(soon.out)] == ["policies/ours"]
    assert ivig_("knowledge", "due", "--on", "2026-11-30", "--policy", ours).code == 0
    all_of_them = ivig_("knowledge", "due", "--on", "2030-01-01", "--format", "json")
    assert all_of_them.code == 1
    assert {"indications/gbs", "products/privigen_10", "policies/uk"} <= {
        r["page"] for r in json.loads(all_of_them.out)
    }
    assert ivig_("knowledge", "due", "--within", "soon").code == cli.WRONG_CALL


def test_keys_lists_what_a_policy_may_set(ivig_: Run) -> None:
    said = words(ivig_("knowledge", "keys", "weight.m", "--policy", "ontario").out)
    assert "* weight.method always_adjusted (S-ON-DOSE)" in said
    assert "weight.also_when_over_ibw not set" in words(ivig_("knowledge", "keys", "over_ibw").out)


# -- a policy asked for -----------------------------------------------------------------------------------------------


def test_check_judges_by_the_policy_asked_for_and_names_it(ivig_: Run, order: Path, ours: Path) -> None:
    ran = ivig_("check", order)
    assert "policy uk" in words(ran.out)
    assert "dose-course-above-range" in ran.out
    quiet = ivig_("check", CLEAR, "--policy", ours)
    assert "policy ours" in words(quiet.out)
    assert (
        "Silenced by policy ours from 2026-11-01: lab-stale (it had nothing to say). Reason: the lab is late"
        in words(quiet.out)
    )
    assert "dose-course-above-range" not in ivig_("check", CLEAR, IVIG_POLICY="ontario").out


def test_two_policies_at_once_are_refused(ivig_: Run, order: Path) -> None:
    ran = ivig_("check", CLEAR, "--policy", "uk", "--policy", "ontario")
    assert ran.code == cli.WRONG_CALL
    assert "Two policies at once: uk and ontario" in ran.err
    other = ivig_("check", order, "--policy", "ontario")
    assert other.code == 3
    assert "Two policies: ontario was asked for, the file asks for uk" in words(other.out)
    assert ivig_("check", order, "--policy", "uk").code != 3
    assert ivig_("check", CLEAR, IVIG_POLICY="uk,ontario").code == cli.NOT_SET_UP


def test_explain_gives_the_numbers_of_a_policy_on_a_day(ivig_: Run, ours: Path) -> None:
    today = words(ivig_("explain", "dose-course-above-range", "--policy", ours).out)
    assert "dose.tolerance: 5 %, from 2026-11-01" in today
    before = words(ivig_("explain", "dose-course-above-range", "--policy", ours, "--on", "2026-10-31").out)
    assert "Numbers in force on 2026-10-31, policy ours" in before
    assert "dose.tolerance: 10 %" in before
    silenced = words(ivig_("explain", "lab-stale", "--policy", ours).out)
    assert "severity.lab-stale: off, from 2026-11-01" in silenced


def test_every_command_explains_itself(ivig_: Run) -> None:
    for command in ("lint", "keys", "due", "diff"):
        ran = ivig_("knowledge", command, "--help")
        assert ran.code == 0
        assert len(ran.out) > 200, command


def test_the_service_does_not_start_with_a_faulty_policy(ivig_: Run, ours: Path) -> None:
    ours.write_text(ours.read_text("utf-8").replace(", reason: the lab is late", "").replace('"%"', "g"), "utf-8")
    ran = ivig_("serve", "--port", "0", IVIG_POLICY=os.fspath(ours))
    assert ran.code == cli.NOT_SET_UP
    assert "The knowledge has 2 faults" in ran.err
    assert "the unit is %, not `g`" in ran.err
    assert "only with `reason: ...`" in ran.err

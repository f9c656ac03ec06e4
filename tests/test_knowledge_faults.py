"""Faulty knowledge never loads: every fault is told at once, with file and line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ivig.knowledge.load import HERE, load_library
from ivig.knowledge.pages import KnowledgeFault

PAGE = """\
id: made_up
title: A disease made up for this test
reviewed: 2026-11-20
due: 2027-11-20
status: {values: [{from: unknown, is: guideline, source: house, at: "made up", seen: house}]}
codes:
  icd10cm:
    source: house
    list:
      - {code: X00.0, words: "made up"}
phases:
  induction:
    course: {unit: g/kg, values: [{from: unknown, upper: 2, source: house, at: "made up", seen: house}]}
"""
POSITIONS = """\
positions:
  - {key: uk, phase: induction, what: course, unit: g/kg, values: [{from: unknown, upper: 1, source: house, at: "made up", seen: house}]}
  - {key: uk, what: status, values: [{from: unknown, is: guideline, source: house, at: "made up", seen: house}]}
  - {key: uk, what: weight_basis, values: [{from: unknown, is: adjusted, source: house, at: "made up", seen: house}]}
"""
FILE = "indications/made_up.yaml"
Faults = Callable[[str], list[str]]

# What is replaced, by what, the line of the fault, and words of it.
WRONG = {
    "an unknown key": ("codes:", "kodes:", 6, "unknown key `kodes`"),
    "a doubled key": ("due: 2027-11-20", "title: again", 4, "`title` stands twice"),
    "a value without a place": ('at: "made up", ', "", 5, "not cited"),
    "a value without a source": ("source: house, ", "", 5, "not cited"),
    "a source that is not listed": (
        "is: guideline, source: house",
        "is: guideline, source: nobody",
        5,
        "unknown source",
    ),
    "a mark that does not exist": (
        "seen: house}]}\ncodes",
        "seen: once}]}\ncodes",
        5,
        "confirmed, unconfirmed or house",
    ),
    "a day that is no day": ("from: unknown, upper", "from: 2026, upper", 13, "is a day"),
    "two payloads": ("upper: 2", "upper: 2, amount: 2", 13, "exactly one of"),
    "a number that is none": ("upper: 2", "upper: 2x", 13, "is a number"),
    "no finite number": ("upper: 2", "upper: NaN", 13, "is a number"),
    "a range upside down": ("upper: 2", "lower: 3, upper: 2", 13, "lower is above upper"),
    "a word outside its list": ("is: guideline", "is: splendid", 5, "not one of"),
    "a scale that is none": (
        "phases:",
        'scales: {values: [{from: unknown, is: [creatinine], source: house, at: "made up", seen: house}]}\nphases:',
        1,
        "no test page of a scale `creatinine`",
    ),
    "a taper that is neither": (
        "phases:",
        'taper: {values: [{from: unknown, is: perhaps, source: house, at: "made up", seen: house}]}\nphases:',
        11,
        "taper: `perhaps` is not one of yes, no",
    ),
    "a code system that is not known": ("icd10cm:", "icd99:", 7, "unknown code system"),
    "a code without words": (', words: "made up"', "", 10, "`words` is missing"),
    "a code of another page": ("X00.0", "G61.0", 10, "claimed by"),
    "another name than the file's": ("id: made_up", "id: other", 1, "the file is made_up.yaml"),
    "no YAML": ("phases:", "phases: ]", 11, "not YAML"),
}


# Of the positions: what is replaced, by what, the line below `positions:`, and words of the fault.
WRONG_POSITION = {
    "a view that is not listed": ("key: uk, phase", "key: mars, phase", 1, "unknown view `mars`"),
    "a thing that is none": ("what: course", "what: rate", 1, "`rate` is not one of course"),
    "a phase the page has not": ("phase: induction", "phase: maintenance", 1, "the page has no phase `maintenance`"),
    "no phase": ("phase: induction, ", "", 1, "the page has no phase"),
    "a unit of something else": ("unit: g/kg", "unit: wk", 1, "the unit of course is g/kg"),
    "an unknown key": ("what: course", "what: course, seen: house", 1, "unknown key `seen`"),
    "a status with a phase": ("key: uk, what: status", "key: uk, phase: induction, what: status", 2, "has no phase"),
    "a status that is none": ("is: guideline", "is: splendid", 2, "status is one of labelled"),
    "a weight that is none": ("is: adjusted", "is: heavy", 3, "weight_basis is one of actual"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped pages, to be spoilt."""
    return Path(shutil.copytree(HERE, tmp_path_factory.mktemp("held") / "knowledge"))


@pytest.fixture
def faults(folder: Path) -> Faults:
    """The faults that are told when one more page has this text."""

    def told(page: str) -> list[str]:
        made = folder / FILE
        made.write_text(page, "utf-8")
        try:
            load_library(root=folder)
        except KnowledgeFault as fault:
            return [str(f) for f in fault.faults]
        finally:
            made.unlink()
        return []

    return told


def test_a_sound_page_loads(faults: Faults) -> None:
    assert faults(PAGE) == []


@pytest.mark.parametrize("wrong", WRONG)
def test_a_fault_is_told_with_file_and_line(faults: Faults, wrong: str) -> None:
    before, after, line, words = WRONG[wrong]
    assert before in PAGE
    told = faults(PAGE.replace(before, after, 1))
    assert any(f.startswith(f"{FILE}:{line}: ") and words in f for f in told), told


def test_sound_positions_load(faults: Faults) -> None:
    assert faults(PAGE + POSITIONS) == []


@pytest.mark.parametrize("wrong", WRONG_POSITION)
def test_a_fault_of_a_position_is_told(faults: Faults, wrong: str) -> None:
    before, after, line, words = WRONG_POSITION[wrong]
    assert before in POSITIONS
    told = faults(PAGE + POSITIONS.replace(before, after, 1))
    place = PAGE.count("\n") + 1 + line
    assert any(f.startswith(f"{FILE}:{place}: ") and words in f for f in told), told


def test_all_faults_are_told_at_once(faults: Faults) -> None:
    page = PAGE.replace("is: guideline", "is: splendid").replace("upper: 2", "upper: 2x").replace("X00.0", "G61.0")
    assert {f.split(":")[1] for f in faults(page)} >= {"5", "10", "13"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("serves: [danger]", "`danger` is not one of risk, interaction, adjunct"),
        ("serves: risk", "`serves` is a list"),
        ("timed: sometimes", "`sometimes` is not one of yes, no"),
    ],
)
def test_a_set_serves_only_what_is_known(folder: Path, line: str, words: str) -> None:
    made = folder / "sets" / "made_up.yaml"
    made.write_text(f"id: made_up\ntitle: Made up\nreviewed: 2026-11-20\ndue: 2027-11-20\nof: drug\n{line}\n", "utf-8")
    try:
        with pytest.raises(KnowledgeFault) as told:
            load_library(root=folder)
    finally:
        made.unlink()
    assert [str(f) for f in told.value.faults if f.line == 6 and words in str(f)], told.value

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


def test_all_faults_are_told_at_once(faults: Faults) -> None:
    page = PAGE.replace("is: guideline", "is: splendid").replace("upper: 2", "upper: 2x").replace("X00.0", "G61.0")
    assert {f.split(":")[1] for f in faults(page)} >= {"5", "10", "13"}

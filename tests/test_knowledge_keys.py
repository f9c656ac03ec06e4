"""Every key that code asks the knowledge for is on a page: a misspelt one would end as `knowledge-not-in-force`."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

import ivig
from ivig.knowledge.load import load_library

CODE = Path(ivig.__file__).parent
SOURCES = [p for part in ("core", "rules") for p in sorted((CODE / part).rglob("*.py"))]
# Keys that a policy may leave out: read with `maybe`, off when absent.
POLICY = re.compile(r'\.policy\(\s*"([a-z_0-9.]+)"')
COEFFICIENT = re.compile(r'\.coefficient\(\s*"([a-z_0-9]+)",\s*"([a-z_0-9]+)"')


@pytest.fixture(scope="module")
def book():
    return load_library().on(date(2026, 11, 20))


def test_every_policy_key_in_code_is_on_the_default_page(book):
    asked = {key for path in SOURCES for key in POLICY.findall(path.read_text(encoding="utf-8"))}
    assert len(asked) > 30
    assert not {key for key in asked if book.maybe(key) is None}


def test_every_formula_coefficient_in_code_is_on_its_page(book):
    asked = {pair for path in SOURCES for pair in COEFFICIENT.findall(path.read_text(encoding="utf-8"))}
    asked |= {("devine", f"base_{sex}") for sex in ("male", "female")}
    asked |= {("ckd_epi_2021", f"{name}_{sex}") for name in ("kappa", "alpha") for sex in ("male", "female")}
    assert len(asked) > 7
    for formula, name in asked:
        assert book.coefficient(formula, name).amount is not None, (formula, name)

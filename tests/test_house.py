"""The house rules of rules and cases: one name, one case file each, no clinical number, every statement carried."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml

import ivig
from casefiles import HERE, Case, all_cases, files, read

RULES = Path(ivig.__file__).parent / "rules"
HEADINGS = ("What it checks", "Why it matters", "Example", "Does not cover")
PLAIN_NUMBERS = {0, 1, 2, 100}
STATEMENTS = (*(f"A{n}" for n in range(1, 31)), *(f"B{n}" for n in range(1, 7)))
# The verdict stands in every answer about an order: there is no order on which it is silent.
ALWAYS_SAID = {"order-verdict"}
# While every value of the knowledge holds since an unknown day, no order falls before it: the test makes one.
SPOKEN_IN = {"knowledge-not-in-force": "test_not_in_force.py"}


def rule_files() -> list[Path]:
    return sorted(p for p in RULES.rglob("*.py") if p.name != "__init__.py")


def name_of(path: Path, below: Path) -> str:
    """The rule that a file's path names."""
    return "-".join(path.relative_to(below).with_suffix("").parts).replace("_", "-")


def module_of(path: Path) -> ModuleType:
    return importlib.import_module("ivig.rules." + ".".join(path.relative_to(RULES).with_suffix("").parts))


def by_rule(path: Path) -> str:
    return name_of(path, RULES)


def cases_of(rule: str) -> list[Case]:
    return [c for c in all_cases() if c.rule == rule]


every_rule = pytest.mark.parametrize("path", rule_files(), ids=by_rule)


def test_there_are_rules_and_cases() -> None:
    assert rule_files()
    assert all_cases()


def test_every_rule_has_a_case_file_and_every_case_file_a_rule() -> None:
    rules = {p.relative_to(RULES).with_suffix("") for p in rule_files()}
    cases = {p.relative_to(HERE).with_suffix("") for p in files()}
    assert not rules - cases, f"rules without cases: {sorted(map(str, rules - cases))}"
    assert not cases - rules, f"cases without a rule: {sorted(map(str, cases - rules))}"


@pytest.mark.parametrize("path", files(), ids=lambda p: name_of(p, HERE))
def test_a_case_file_speaks_of_the_rule_of_its_path(path: Path) -> None:
    assert {c.rule for c in read(path)} == {name_of(path, HERE)}


@every_rule
def test_the_name_is_the_path(path: Path) -> None:
    assert module_of(path).rule.name == name_of(path, RULES)


@every_rule
def test_the_page_has_its_headings(path: Path) -> None:
    page = module_of(path).__doc__ or ""
    lines = page.splitlines()
    assert lines, "no docstring"
    assert lines[0].rstrip().endswith("."), "the first line is a sentence"
    for heading in HEADINGS:
        said = [line for line in lines if line.startswith(heading)]
        assert len(said) == 1, f"{heading!r} stands {len(said)} times"
        assert said[0].removeprefix(heading).strip(), f"{heading!r} says nothing"


def test_the_catalogue_lists_every_rule_once() -> None:
    catalogue = importlib.import_module("ivig.catalogue")
    listed = [
        m.__name__
        for value in vars(catalogue).values()
        if isinstance(value, (tuple, list))
        for m in value
        if isinstance(m, ModuleType)
    ]
    assert sorted(listed) == sorted(module_of(p).__name__ for p in rule_files())


@every_rule
def test_a_rule_is_seen_to_speak_and_to_be_silent(path: Path) -> None:
    rule = module_of(path).rule
    expected = [c.expect for c in cases_of(rule.name)]
    speaks = {"flagged": {"error", "warning", "information"}, "cannot-tell": {"cannot-tell"}, "note": {"note"}}[
        rule.result.value
    ]
    silent = {"passes"} if rule.result.value == "flagged" else {"passes", "absent"}
    elsewhere = SPOKEN_IN.get(rule.name)
    if elsewhere:
        assert rule.name in (HERE.parent / elsewhere).read_text(encoding="utf-8")
    else:
        assert speaks & set(expected), f"no case in which {rule.name} speaks"
    if rule.name not in ALWAYS_SAID:
        assert silent & set(expected), f"no case in which {rule.name} is silent"


@every_rule
def test_no_clinical_number_in_a_rule(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if _compares(node) and _numbers(node) - PLAIN_NUMBERS
    ]
    assert not found, "\n".join(found)


@every_rule
def test_a_rule_that_flags_says_what_could_be_done(path: Path) -> None:
    rule = module_of(path).rule
    if rule.result.value == "flagged":
        assert rule.consider.startswith("Consider"), f"{rule.name} has nothing to consider"
    assert not re.search(r"\d", rule.consider), "advice that holds numbers belongs to the finding, from the book"
    assert not rule.consider or rule.consider.endswith((".", "?"))


@every_rule
def test_a_rule_that_compares_a_number_shows_its_arithmetic_where_it_is_content(path: Path) -> None:
    compares = any(
        isinstance(node, ast.keyword) and node.arg == "measure" for node in ast.walk(ast.parse(path.read_text("utf-8")))
    )
    assert not compares or hasattr(module_of(path), "content"), "no `content`"


def _compares(node: ast.AST) -> bool:
    """A comparison, or a call that compares: `min(...)`, `max(...)`."""
    return isinstance(node, ast.Compare) or (
        isinstance(node, ast.Call) and ast.unparse(node.func) in ("min", "max", "within")
    )


def _numbers(node: ast.AST) -> set[float]:
    """Every number written below `node`, also as `Decimal("2.4")`."""
    found: set[float] = set()
    for below in ast.walk(node):
        if (
            isinstance(below, ast.Constant)
            and isinstance(below.value, (int, float))
            and not isinstance(below.value, bool)
        ):
            found.add(below.value)
        elif isinstance(below, ast.Call) and ast.unparse(below.func) == "Decimal":
            found |= {float(a.value) for a in below.args if isinstance(a, ast.Constant)}
    return found


def test_every_statement_is_told_with_the_rules_that_carry_it() -> None:
    page = yaml.safe_load((Path(ivig.__file__).parent / "knowledge/statements.yaml").read_text("utf-8"))["statements"]
    assert list(page) == [*(f"A{n}" for n in range(1, 31)), *(f"B{n}" for n in range(1, 7))]
    families = {path.parent.name for path in rule_files()} | {"rate", "risk", "adjunct", "interaction"}
    for key, row in page.items():
        assert row["says"], key
        assert row["rules"], key
        assert {rule.partition("-")[0] for rule in row["rules"]} <= families, key


_FLAGGED = ("error", "warning", "information")
_UNKNOWN = ("cannot-tell", "not-judged")


@pytest.mark.parametrize("statement", STATEMENTS)
def test_every_statement_of_the_mission_is_shown_broken_kept_and_unknown(statement: str) -> None:
    expected = {c.expect for c in all_cases() if statement in c.mission}
    # That CIDP is treated first line is a position: no order can break it.
    assert statement == "A10" or expected & set(_FLAGGED), "no case breaks it"
    assert expected - {*_FLAGGED, *_UNKNOWN}, "no case keeps it"
    assert expected & set(_UNKNOWN), "no case lacks its datum"

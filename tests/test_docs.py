"""What the documents name exists, and what they show is true."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from starlette.testclient import TestClient

from builder import bundle
from casefiles import read
from ivig import cli
from ivig.app import create_app
from ivig.catalogue import RULES
from ivig.settings import PREFIX, Settings
from judged import answer, rows
from outcome_contract import assert_contract
from r4 import Json
from test_cases import faults

ROOT = Path(__file__).parent.parent
DOCUMENTS = [
    ROOT / name
    for name in (
        "README.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "service/ARCHITECTURE.md",
        "service/CONTRIBUTING.md",
        "service/ivig/knowledge/README.md",
        "service/ivig/samples/README.md",
        "profiles/README.md",
        "tests/data/README.md",
    )
]
# A path is written from the root, from where the document lies, or from one of these.
BASES = (ROOT, ROOT / "service/ivig", ROOT / "service/ivig/knowledge")
MADE = {"build/bench.json"}  # by `make bench`
NAMES = {m.rule.name for m in RULES}
FAMILIES = "|".join(sorted({m.__name__.split(".")[2] for m in RULES}))
NO_RULES = {"lab-below", "lab-positive", "order-select", "order-sign", "order-dispatch"}  # kinds of criteria, hooks

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_RULE = re.compile(rf"(?<![\w/.-])(?:{FAMILIES})(?:-[a-z]+)+(?![\w/.])")
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*(?:/|\.(?:py|yaml|yml|json|md|toml))")

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.relative_to(ROOT).as_posix())


def blocks(document: Path, language: str = "") -> list[str]:
    """The fenced blocks of one language, or of all."""
    return [body for named, body in _FENCE.findall(document.read_text("utf-8")) if language in ("", named)]


def spans(document: Path) -> list[str]:
    """What stands between backticks outside the fences."""
    return _SPAN.findall(_FENCE.sub("", document.read_text("utf-8")))


def code(document: Path) -> str:
    return "\n".join([*spans(document), *blocks(document)])


def exists(path: str, document: Path) -> bool:
    return path in MADE or any((base / path).exists() for base in (*BASES, document.parent))


def paths(document: Path) -> Iterator[str]:
    for said in spans(document):
        path = said.partition("::")[0]
        if _PATH.fullmatch(path):
            yield path
    for command in blocks(document, "sh"):
        yield from (m for m in re.findall(r"[\w.-]+(?:/[\w.-]+)+", command) if m.startswith(("service/", "tests/")))


@every_document
def test_every_path_exists(document: Path) -> None:
    missing = [p for p in paths(document) if not exists(p, document)]
    assert not missing


@every_document
def test_every_link_leads_somewhere(document: Path) -> None:
    text = document.read_text("utf-8")
    for target in _LINK.findall(text):
        if target.startswith(("http:", "https:")):
            continue
        file, _, heading = target.partition("#")
        held = (document.parent / file) if file else document
        assert held.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.+)$", held.read_text("utf-8"), re.MULTILINE)
            assert heading in map(_anchor, headings), target


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@every_document
def test_every_test_named_is_there(document: Path) -> None:
    for file, name in re.findall(r"`(tests/\w+\.py)::(\w+)`", document.read_text("utf-8")):
        tree = ast.parse((ROOT / file).read_text("utf-8"))
        assert name in [n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)], f"{file}::{name}"


@every_document
def test_every_rule_named_is_in_the_catalogue(document: Path) -> None:
    named = set(_RULE.findall(code(document))) - NO_RULES
    assert not named - NAMES


@every_document
def test_every_make_target_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:^|\s)make ([a-z]+)", code(document), re.MULTILINE)) <= targets


@every_document
def test_every_command_and_option_exists(document: Path) -> None:
    for line in code(document).splitlines():
        said = re.match(r"(?:\.venv/bin/)?ivig ([a-z].*)", line)
        if said:
            words = said[1].partition("#")[0].split()
            known = _command(words)
            for option in (w for w in words if w.startswith("--")):
                assert option in known, line


def _command(words: list[str]) -> set[str]:
    """The options of the command that these words call.

    Raises:
        KeyError: there is no such command.
    """
    command: Any = typer.main.get_command(cli.app)
    for word in words:
        if not hasattr(command, "commands"):
            break
        command = command.commands[word]
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


@every_document
def test_every_setting_named_exists(document: Path) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    assert set(re.findall(r"\bIVIG_[A-Z_]+\b", code(document))) <= known


@pytest.mark.parametrize("folder", ["service/ivig/knowledge", "profiles"])
def test_knowledge_cites_nothing_that_only_its_authors_can_read(folder: str) -> None:
    """A place in a source must not be a place in somebody's notes."""
    pages = [p for p in (ROOT / folder).rglob("*") if p.suffix in (".yaml", ".json")]
    assert pages
    lines = [(p.name, n, line) for p in pages for n, line in enumerate(p.read_text("utf-8").splitlines(), 1)]
    notes = re.compile(
        r"\b(rules|products|indications|confirmations|codes|mission|contract)\.(md|csv)|\bfacts/|fact sheet"
    )
    assert not [f"{name}:{n}" for name, n, line in lines if notes.search(line)]


# -- what is shown ----------------------------------------------------------------------------------------------------


def _sample(kind: str) -> Json:
    found = [held for held in map(json.loads, blocks(ROOT / "README.md", "json")) if held["resourceType"] == kind]
    assert len(found) == 1, f"README.md shows {len(found)} times a {kind}"
    shown: Json = found[0]
    return shown


def _missing(shown: Any, true: Any, at: str = "") -> list[str]:
    """Where `true` does not hold what is shown. Of objects and lists a part may be shown; an ellipsis ends a text."""
    if isinstance(shown, dict) and isinstance(true, dict):
        return [m for key, below in shown.items() for m in _missing(below, true.get(key), f"{at}.{key}")]
    if isinstance(shown, list) and isinstance(true, list):
        return [f"{at}[{i}]" for i, one in enumerate(shown) if not any(not _missing(one, other) for other in true)]
    if isinstance(shown, str) and shown.endswith("…") and isinstance(true, str) and true.startswith(shown[:-1]):
        return []
    return [] if shown == true else [f"{at}: {shown!r}, in truth {true!r}"]


def test_the_order_of_the_readme_gets_the_outcome_of_the_readme() -> None:
    sent, shown = _sample("Bundle"), _sample("OperationOutcome")
    told = answer(sent)
    assert_contract(told, sent)
    assert shown["issue"]
    assert not _missing(shown, told), json.dumps(told, indent=2)


@pytest.mark.parametrize("path", ["/fhir/$validate-ivig-order", "/fhir/MedicationRequest/$validate-ivig-order"])
def test_the_order_of_the_readme_gets_the_same_outcome_over_http(path: str) -> None:
    assert path in (ROOT / "README.md").read_text("utf-8")
    sent = _sample("Bundle")
    got = TestClient(create_app()).post(path, json=sent, headers={"Content-Type": "application/fhir+json"})
    assert got.status_code == 200
    assert got.json() == answer(sent)


def test_the_metadata_over_http_is_the_file() -> None:
    got = TestClient(create_app()).get("/fhir/metadata")
    assert got.content == (ROOT / "profiles/CapabilityStatement-ivig-order-check.json").read_bytes()


def test_the_case_of_the_guide_holds(tmp_path: Path) -> None:
    (example,) = [b for b in blocks(ROOT / "service/CONTRIBUTING.md", "yaml") if b.startswith("rule:")]
    page = tmp_path / "course_above_range.yaml"
    page.write_text(example, "utf-8")
    for case in read(page):
        assert not list(faults(case, rows(answer(bundle(case.base, case.change))))), case.name


def test_the_change_log_has_a_paragraph_for_this_release() -> None:
    assert re.search(r"^## (Unreleased|\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)

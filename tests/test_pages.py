"""The FHIR artefacts: printed pages are current, all are FHIR, and what the service emits is what they describe."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

import ivig
from builder import bundle
from ivig import pages
from ivig.catalogue import RULES
from ivig.wire.outcome import BASE
from judged import answer
from r4 import Json

FOLDER = pages.profiles_dir()
FILES = sorted(FOLDER.glob("*.json"))


def read(path: Path) -> Json:
    held: Json = json.loads(path.read_text("utf-8"))
    return held


def concepts(name: str) -> dict[str, Json]:
    return {c["code"]: c for c in read(FOLDER / f"CodeSystem-ivig-{name}.json")["concept"]}


def test_the_printed_pages_are_current() -> None:
    assert pages.stale(FOLDER) == [], "run: make pages"
    assert pages.main(["--check"]) == 0


def test_a_stale_page_is_named_and_written_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in FILES:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "CodeSystem-ivig-rule.json").unlink()
    operation = tmp_path / "OperationDefinition-validate-ivig-order.json"
    operation.write_text(json.dumps(read(operation)), "utf-8")
    monkeypatch.setattr(pages, "profiles_dir", lambda: tmp_path)
    assert pages.main(["--check"]) == 1
    told = capsys.readouterr().out
    assert "CodeSystem-ivig-rule.json" in told
    assert operation.name in told
    assert pages.main([]) == 0
    assert pages.main(["--check"]) == 0


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_an_artefact_is_fhir(path: Path) -> None:
    held = read(path)
    kind = held["resourceType"]
    model = getattr(importlib.import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
    model.model_validate(held)
    assert path.name == f"{kind}-{held['id']}.json"
    assert held["url"] == f"{BASE}/{kind}/{held['id']}"
    assert held["version"] == ivig.__version__


def test_every_rule_has_its_code() -> None:
    listed = concepts("rule")
    assert list(listed) == [m.rule.name for m in RULES]
    for module in RULES:
        assert listed[module.rule.name]["definition"] == (module.__doc__ or "").splitlines()[0]


def test_the_results_and_verdicts_are_those_of_the_service() -> None:
    assert set(concepts("result")) == {"flagged", "cannot-tell", "note"}
    assert set(concepts("verdict")) == {"stop", "cannot-tell", "advise", "clear"}


def test_every_observation_has_words() -> None:
    listed = concepts("observation")
    assert {"gbs-disability-score", "incat", "mgfa-class", "fever-day", "treatment-related-fluctuation"} <= set(listed)
    assert all(c["display"] for c in listed.values())


def test_the_metadata_names_the_operation() -> None:
    url = f"{BASE}/OperationDefinition/validate-ivig-order"
    (rest,) = read(FOLDER / "CapabilityStatement-ivig-order-check.json")["rest"]
    assert url in [o["definition"] for o in rest["operation"]]
    assert read(FOLDER / "OperationDefinition-validate-ivig-order.json")["url"] == url


def _extensions(held: object) -> list[Json]:
    """Every extension anywhere below, the outermost only."""
    if isinstance(held, list):
        return [e for below in held for e in _extensions(below)]
    if not isinstance(held, dict):
        return []
    return [
        *held.get("extension", ()),
        *(e for key, below in held.items() if key != "extension" for e in _extensions(below)),
    ]


def _described(url: str) -> set[str]:
    """The parts that the extension's definition knows, with a path for nested ones."""
    elements = read(FOLDER / f"StructureDefinition-{url.rsplit('/', 1)[-1]}.json")["differential"]["element"]
    return {e["id"].removeprefix("Extension.").replace("extension:", "") for e in elements if "sliceName" in e}


def _emitted(extension: Json, above: str = "") -> set[str]:
    found: set[str] = set()
    for part in extension.get("extension", ()):
        name = f"{above}{part['url']}"
        found |= {name, *_emitted(part, f"{name}.")}
    return found


def test_what_is_emitted_is_described() -> None:
    full = {"resourceType": "Parameters", "parameter": [{"name": "detail", "valueCode": "full"}]}
    full["parameter"].append({"name": "bundle", "resource": bundle("gbs")})
    told = [answer(bundle("gbs", change)) for change in ({"dose": "63 g"}, {"weight": "absent"}, {})]
    told.append(answer(full))
    seen = _extensions(told)
    assert {e["url"].rsplit("/", 1)[-1] for e in seen} >= {"ivig-run", "ivig-not-judged"}
    assert any("order.checked.text" in _emitted(e) for e in seen)
    for extension in seen:
        assert _emitted(extension) <= _described(extension["url"]), extension

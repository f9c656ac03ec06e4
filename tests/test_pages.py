"""The FHIR artefacts: printed pages are current, all are FHIR, and what the service emits is what they describe."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import ivig
from builder import bundle
from ivig import pages
from ivig.app import create_app
from ivig.catalogue import RULES
from ivig.knowledge.load import HERE as KNOWLEDGE
from ivig.knowledge.pages import PageReader
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


def value_set(name: str) -> Json:
    return read(FOLDER / f"ValueSet-ivig-{name}.json")


def test_every_set_that_serves_a_risk_interaction_or_adjunct_is_a_value_set() -> None:
    reader = PageReader(KNOWLEDGE)
    read_pages = {p.stem: reader.read(p) for p in (KNOWLEDGE / "sets").glob("*.yaml")}
    serving = {f"ivig-{key.replace('_', '-')}" for key, page in read_pages.items() if page.get("serves")}
    printed = {read(p)["id"] for p in FILES if p.name.startswith("ValueSet-")}
    assert serving == printed
    assert {"ivig-fcrn-blocker", "ivig-aspirin", "ivig-kidney-disease", "ivig-live-vaccine-interferes"} <= printed


def test_a_value_set_holds_the_codes_of_its_page_by_system() -> None:
    by_system = {i["system"]: i for i in value_set("fcrn-blocker")["compose"]["include"]}
    assert by_system["http://www.nlm.nih.gov/research/umls/rxnorm"]["concept"][0]["code"] == "2639951"
    hcpcs = by_system["http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"]["concept"]
    assert [c["code"] for c in hcpcs] == ["J9332", "J9333", "J9334", "J9256"]
    assert all(c["display"] for c in hcpcs)


def test_a_code_with_all_below_it_is_a_filter() -> None:
    (held,) = [i for i in value_set("volume-depletion")["compose"]["include"] if "filter" in i]
    (line,) = held["filter"]
    assert (line["property"], line["op"], line["value"]) == ("concept", "is-a", "E86")
    assert "concept" not in held  # FHIR: a part of a composition has codes or a filter, never both


def test_a_code_says_whether_it_was_seen() -> None:
    seen = {}
    for include in value_set("fcrn-blocker")["compose"]["include"]:
        for concept in include["concept"]:
            (mark,) = concept["extension"]
            assert mark["url"] == f"{BASE}/StructureDefinition/ivig-seen"
            seen[concept["code"]] = mark["valueCode"]
    assert seen["J9332"] == "confirmed"
    assert seen["L04AA58"] == "unconfirmed"


def test_a_set_of_words_alone_says_its_words() -> None:
    held = value_set("antiplatelet")
    assert "compose" not in held
    assert "clopidogrel" in held["description"]


def test_a_value_set_whose_page_no_longer_serves_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in FILES:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    left = tmp_path / "ValueSet-ivig-of-old.json"
    left.write_text(json.dumps(value_set("aspirin") | {"id": "ivig-of-old"}), "utf-8")
    monkeypatch.setattr(pages, "profiles_dir", lambda: tmp_path)
    assert pages.stale(tmp_path) == [left.name]
    assert pages.main([]) == 0
    assert not left.exists()


def test_a_value_set_is_served_by_id_and_by_url() -> None:
    held = value_set("c5-inhibitor")
    with TestClient(create_app()) as client:
        assert client.get("/fhir/ValueSet/ivig-c5-inhibitor").json() == held
        found = client.get("/fhir/ValueSet", params={"url": held["url"]}).json()
        assert client.get("/fhir/ValueSet/ivig-nothing").status_code == 404
    assert [e["resource"] for e in found["entry"]] == [held]


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

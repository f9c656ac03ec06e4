"""FHIR ValueSets of the sets that serve risks, interactions and adjuncts: their codes, and how each was seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ivig
from ivig.core.dated import CONFIRMED
from ivig.knowledge.load import HERE as KNOWLEDGE
from ivig.knowledge.load import SERVES
from ivig.knowledge.pages import PageReader
from ivig.wire.outcome import BASE

Json = dict[str, Any]
SEEN = f"{BASE}/StructureDefinition/ivig-seen"
_SERVES = {"risk": "risks", "interaction": "interactions", "adjunct": "what belongs beside a course"}


def value_sets(day: str, publisher: str) -> Iterator[Json]:
    """One for each page of `sets/` that says what it serves, in the order of the pages."""
    reader = PageReader(KNOWLEDGE)
    systems = {name: urls[0] for name, urls in reader.read(KNOWLEDGE / "systems.yaml")["systems"].items()}
    for path in sorted((KNOWLEDGE / "sets").glob("*.yaml")):
        page = reader.read(path)
        if page.get("serves"):
            yield _value_set(path, page, systems, day, publisher)


def _value_set(path: Path, page: Mapping[str, Any], systems: Mapping[str, str], day: str, publisher: str) -> Json:
    key = path.stem.replace("_", "-")
    serves = [_SERVES[word] for word in SERVES if word in page["serves"]]
    made: Json = {
        "resourceType": "ValueSet",
        "id": f"ivig-{key}",
        "url": f"{BASE}/ValueSet/ivig-{key}",
        "version": ivig.__version__,
        "name": "Ivig" + "".join(word.capitalize() for word in path.stem.split("_")),
        "title": page["title"],
        "status": "draft",
        "experimental": False,
        "date": day,
        "publisher": publisher,
        "description": " ".join(_described(page)),
        "purpose": f"Asked for by the rules about {' and '.join(serves)}.",
    }
    include = list(_includes(page, systems))
    if include:  # a set of words alone has no composition
        made["copyright"] = "Codes and their words belong to the owners of their code systems; see NOTICE."
        made["compose"] = {"include": include}
    return made


def _described(page: Mapping[str, Any]) -> Iterator[str]:
    yield f"{page['title']}."
    if page.get("note"):
        yield page["note"]
    if "wide_codes" in page:
        yield "Codes that are wider than what is meant, and count only with the right words, are left out."
    names = page.get("names") or ()
    if names:
        yield f"Also recognised by words: {', '.join(names)}."


def _includes(page: Mapping[str, Any], systems: Mapping[str, str]) -> Iterator[Json]:
    """By system: the codes that stand for themselves, then one part for each that stands for all below it."""
    for system, block in (page.get("codes") or {}).items():
        if system not in systems:
            continue
        exact = [row for row in block["list"] if not _below(row)]
        if exact:
            yield {"system": systems[system], "concept": [_concept(row) for row in exact]}
        for row in block["list"]:
            if _below(row):
                held = {"property": "concept", "op": "is-a", "value": row["code"]}
                yield {"system": systems[system], "filter": [{"extension": [_seen(row)]} | held]}


def _below(row: Mapping[str, str]) -> bool:
    return row.get("below") in ("true", "yes")


def _concept(row: Mapping[str, str]) -> Json:
    return {"extension": [_seen(row)], "code": row["code"], "display": row["words"]}


def _seen(row: Mapping[str, str]) -> Json:
    return {"url": SEEN, "valueCode": row.get("seen", CONFIRMED)}

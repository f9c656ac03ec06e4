"""Cards of a body, as a client gets them over the wire; and what a client does when somebody takes a suggestion."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from msgspec import Struct

from builder import bundle
from casefiles import Case, all_cases
from ivig.core.finding import Report
from ivig.wire.cards import CardMade, Telling, cards
from ivig.wire.outcome import encode
from ivig.wire.remedy import _resolve
from judged import written
from r4 import Json
from test_explanation import reported

BASE_URL = "https://ivig.test"
SIGN = Telling("order-sign", base_url=BASE_URL, patient="Patient/pat1")


class Carded(Struct, frozen=True):
    """A body with its report and what was made of it."""

    sent: Json
    report: Report
    made: tuple[CardMade, ...]
    asked: list[str]  # the paths of the orders whose JSON was asked for

    @property
    def cards(self) -> list[Json]:
        """The cards as they go over the wire."""
        return [json.loads(encode(one.card)) for one in self.made if one.card is not None]


def carded(sent: Json | bytes, telling: Telling = SIGN) -> Carded:
    body = written(sent)
    tree = json.loads(body, parse_float=Decimal)
    asked: list[str] = []

    def request(path: str) -> dict[str, Any]:
        asked.append(path)
        return _resolve(tree, path)

    report = reported(json.loads(body))
    return Carded(json.loads(body), report, cards(report, request, telling), asked)


def only_card(sent: Json | bytes, telling: Telling = SIGN) -> Json:
    (card,) = carded(sent, telling).cards
    return card


def corpus() -> Iterator[tuple[Case, Json]]:
    """Every case with its body."""
    for case in all_cases():
        yield case, bundle(case.base, case.change)


def taken(sent: Json, suggestions: list[Json]) -> Json:
    """The body after a client took these suggestions: orders replaced by their id, drafts put beside them."""
    made = copy.deepcopy(sent)
    inner = made if made["resourceType"] == "Bundle" else _bundle_in(made)
    for action in (a for s in suggestions for a in s["actions"]):
        resource = action["resource"]
        if action["type"] == "create":
            assert "id" not in resource
            inner["entry"].append({"resource": resource})
            continue
        same = [e for e in inner["entry"] if _key(e["resource"]) == _key(resource)]
        assert len(same) == 1, "the order to update cannot be found by its id"
        same[0]["resource"] = resource
    return made


def _bundle_in(parameters: Json) -> Json:
    return next(p["resource"] for p in parameters["parameter"] if p.get("resource", {}).get("resourceType") == "Bundle")


def _key(resource: Json) -> tuple[str, str]:
    return resource["resourceType"], resource.get("id", "")


def empties(tree: Any, place: str = "") -> Iterator[str]:
    """Where a card holds `null`, an empty text, list or object; embedded FHIR is left to FHIR."""
    if tree is None or tree in ("", [], {}):
        yield place
    elif isinstance(tree, dict):
        for key, below in tree.items():
            if key != "resource":
                yield from empties(below, f"{place}.{key}")
    elif isinstance(tree, list):
        for n, below in enumerate(tree):
            yield from empties(below, f"{place}[{n}]")

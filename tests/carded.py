"""Cards of a body, as a client gets them over the wire; and what a client does when somebody takes a suggestion."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from msgspec import Struct

import ivig
from builder import bundle
from casefiles import all_cases
from ivig.core.finding import Report
from ivig.wire.cards import CardMade, Telling, cards
from ivig.wire.outcome import encode
from ivig.wire.remedy import _resolve
from judged import written
from r4 import Json
from test_explanation import reported

BASE_URL = "https://ivig.test"
SAMPLES = sorted((Path(ivig.__file__).parent / "samples").glob("[0-9b]*.json"))  # the bundles


def _never(rule: str, fault: str) -> None:
    raise AssertionError(f"{rule}: {fault}")


SIGN = Telling("order-sign", base_url=BASE_URL, patient="Patient/pat1", log=_never)


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


@lru_cache(maxsize=1)
def every() -> tuple[tuple[str, Carded], ...]:
    """Every order of the cases and the samples."""
    cases = [(case.id, carded(bundle(case.base, case.change))) for case in all_cases()]
    return (*cases, *((path.stem, carded(path.read_bytes())) for path in SAMPLES))


@lru_cache(maxsize=1)
def every_card() -> tuple[tuple[str, Json], ...]:
    return tuple((name, card) for name, one in every() for card in one.cards)


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

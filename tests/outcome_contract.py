"""What every outcome has to keep, whatever was asked: sections 3 and 5 of the contract, on the finished resource."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

import fhirpathpy
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhirpathpy.models import models

from judged import rows
from r4 import Json

SEVERITIES = {"error", "warning", "information"}
RESULTS = {"flagged", "cannot-tell", "note"}
CODES = {
    "business-rule",
    "required",
    "not-found",
    "incomplete",
    "timeout",
    "forbidden",
    "value",
    "code-invalid",
    "informational",
    "exception",
    "structure",
}
VERDICTS = {"stop", "cannot-tell", "advise", "clear"}
LONGEST = 140
_HOLE = re.compile(r"\{[a-z_]+\}")


@lru_cache(maxsize=4096)
def _compiled(expression: str) -> Any:
    return fhirpathpy.compile(expression, model=models["r4"])


def resolves(expression: str, sent: Json) -> bool:
    return bool(_compiled(expression)(sent))


def assert_contract(told: Json, sent: Json | None) -> None:
    """Fails where `told` is no valid OperationOutcome, or says something the contract has no place for."""
    OperationOutcome.model_validate(told)
    found = rows(told)
    assert found, "an outcome without an issue"
    for issue, row in zip(told["issue"], found, strict=True):
        said = f"{row}\n{issue}"
        assert row.severity in SEVERITIES, said
        assert row.text, said
        assert len(row.text) < LONGEST, f"{len(row.text)} characters: {said}"
        assert not row.text.endswith("…"), f"cut off: {said}"
        if sent is not None:
            for expression in row.expression:
                assert resolves(expression, sent), f"{expression} is not in what was sent: {said}"
        if row.code == "structure":  # tells of an element that could not be read: no rule's finding
            continue
        assert row.rule, said
        assert row.result in RESULTS, said
        assert row.code in CODES, said
        unfilled = [hole for hole in _HOLE.findall(row.text) if hole not in json.dumps(sent)]  # a unit may read {tbl}
        assert not unfilled, said
        assert row.rule == "order-verdict" or not row.verdict, said
        assert not row.verdict or row.verdict in VERDICTS, said
        codings = [c["system"].rsplit("/", 1)[-1] for c in issue["details"]["coding"]]
        assert codings[:2] == ["ivig-rule", "ivig-result"], said
        assert (codings[2:] == ["ivig-verdict"]) == (row.rule == "order-verdict"), said
        if row.result == "note":
            assert row.severity == "information", said

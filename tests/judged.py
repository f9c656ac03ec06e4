"""An order through the real floors: bytes, reader, rules, outcome. And the outcome as rows that tests can look at."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache

from msgspec import Struct

from ivig.entrypoints.operation import asked_for
from ivig.validator import Validator, library_of
from ivig.wire.decode import decode
from ivig.wire.outcome import encode, outcome
from ivig.wire.read import read
from r4 import Json

CODE_SYSTEMS = "https://ivig.example.org/fhir/CodeSystem/"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)  # the time of the call, for orders without a date
NOT_JUDGED = "https://ivig.example.org/fhir/StructureDefinition/ivig-not-judged"


class Row(Struct, frozen=True):
    """One issue of the outcome."""

    rule: str
    severity: str
    result: str
    code: str
    text: str
    expression: tuple[str, ...]
    not_judged: tuple[str, ...] = ()
    verdict: str = ""
    diagnostics: str = ""

    @property
    def flagged(self) -> bool:
        return self.result == "flagged"

    @property
    def loud(self) -> bool:
        """An error or a warning, flagged or for want of data."""
        return self.severity in ("error", "warning", "fatal")

    def __str__(self) -> str:
        lacking = f" (not judged: {', '.join(self.not_judged)})" if self.not_judged else ""
        return f"{self.severity:11} {self.result:11} {self.rule}: {self.text}{lacking}"


@lru_cache(maxsize=1)
def validator() -> Validator:
    return Validator(library_of("us-default"))


def written(body: Json | bytes) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()


def answered(body: Json | bytes, by: Validator | None = None) -> bytes:
    """The OperationOutcome for a Bundle or Parameters, as it goes over the wire: what the operation does with a body.

    Raises:
        Unreadable, Refused: the body cannot be processed.
    """
    judge = by or validator()
    decoded = decode(written(body))
    asked, policy_day, library = asked_for(decoded, UTC, NOON, judge.library)
    reading = read(decoded, library.lexicon, asked)
    return encode(outcome(judge.report(reading, policy_day, library), reading.broken, decoded.in_full))


def answer(body: Json | bytes) -> Json:
    """The OperationOutcome for a Bundle or Parameters."""
    told: Json = json.loads(answered(body))
    return told


def rows(told: Json) -> list[Row]:
    return [_row(issue) for issue in told["issue"]]


def judged(body: Json | bytes) -> list[Row]:
    return rows(answer(body))


def _row(issue: Json) -> Row:
    codes = {c["system"].removeprefix(CODE_SYSTEMS): c["code"] for c in issue.get("details", {}).get("coding", [])}
    return Row(
        rule=codes.get("ivig-rule", ""),
        severity=issue["severity"],
        result=codes.get("ivig-result", ""),
        code=issue["code"],
        text=issue.get("details", {}).get("text", ""),
        expression=tuple(issue.get("expression", ())),
        not_judged=tuple(e["valueCode"] for e in issue.get("extension", ()) if e["url"] == NOT_JUDGED),
        verdict=codes.get("ivig-verdict", ""),
        diagnostics=issue.get("diagnostics", ""),
    )


def flagged(found: list[Row]) -> set[str]:
    return {r.rule for r in found if r.flagged}


def not_judged(found: list[Row]) -> set[str]:
    return {rule for r in found for rule in r.not_judged}


def shown(found: list[Row]) -> str:
    return "\n".join(str(r) for r in found)

"""A report as an OperationOutcome a pharmacist can check line by line. Text is made here, and only here."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from ivig import __version__
from ivig.core.book import Library
from ivig.core.checked import RuleChecked
from ivig.core.dated import Value
from ivig.core.explanation import Explanation, limit, lines
from ivig.core.finding import LONGEST, Finding, Judgement, Measure, Report, Result, Severity
from ivig.wire.decode import Broken

# A constant of the release, not a setting: names of codes must not change with the place that serves them.
BASE = "https://ivig.example.org/fhir"
RULE, RESULT, VERDICT = (f"{BASE}/CodeSystem/ivig-{name}" for name in ("rule", "result", "verdict"))
NOT_JUDGED, MEASURE, RUN = (f"{BASE}/StructureDefinition/ivig-{name}" for name in ("not-judged", "measure", "run"))
SEVERITIES = {Severity.INFORMATION: "information", Severity.WARNING: "warning", Severity.ERROR: "error"}
_encoder = msgspec.json.Encoder(decimal_format="number")


def outcome(report: Report, broken: Sequence[Broken] = (), full: bool = False) -> dict[str, Any]:
    """The report as a FHIR R4 OperationOutcome. Orders follow each other in the order of the body, each led by its verdict.

    Args:
        full: every reason in full, and every rule with what became of it.
    """
    grounds = report.grounds
    issues = [_issue(f, grounds.explanation(f), full) for f in report.notes]
    told = {b.path for b in broken}
    for place, judgement in enumerate(report.judgements):
        reasons = (
            grounds.explanations(place, judgement)
            if full
            else (grounds.explanation(f, place) for f in judgement.findings)
        )
        issues.extend(_issue(f, reason, full) for f, reason in zip(judgement.findings, reasons, strict=True))
        issues.extend(_unread(path, why, judgement.path) for path, why in judgement.unread if path not in told)
    issues.extend(_unread(b.path, b.why, "") for b in broken)
    return {"resourceType": "OperationOutcome", "extension": [_run(report, full)], "issue": issues}


def encode(resource: dict[str, Any]) -> bytes:
    """JSON with decimals as they are. Half a surrogate pair, which JSON can carry in and UTF-8 cannot carry out, becomes `?`."""
    try:
        return _encoder.encode(resource)
    except UnicodeEncodeError:
        return _encoder.encode(_whole(resource))


def _whole(tree: Any) -> Any:
    if isinstance(tree, str):
        return tree.encode("utf-8", "replace").decode("utf-8")
    if isinstance(tree, dict):
        return {key: _whole(value) for key, value in tree.items()}
    return [_whole(value) for value in tree] if isinstance(tree, list) else tree


def refusal(code: str, text: str, severity: str = "fatal", expression: str = "") -> dict[str, Any]:
    """The OperationOutcome of a request that could not be processed."""
    issue: dict[str, Any] = {"severity": severity, "code": code, "details": {"text": _cut(text)}, "diagnostics": text}
    if expression:
        issue["expression"] = [expression]
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _issue(f: Finding, told: Explanation, full: bool) -> dict[str, Any]:
    coding = [
        {"system": RULE, "version": __version__, "code": f.rule},
        {"system": RESULT, "code": f.result.value},
    ]
    if f.rule == "order-verdict":
        coding.append({"system": VERDICT, "code": f.about})
    issue: dict[str, Any] = {}
    extensions = [{"url": NOT_JUDGED, "valueCode": name} for name in f.not_judged]
    if f.measure is not None:
        extensions.append(_measure(f.measure))
    if extensions:
        issue["extension"] = extensions
    issue |= {
        "severity": SEVERITIES[f.severity],
        "code": f.code,
        "details": {"coding": coding, "text": _cut(told.text)},
    }
    said = diagnostics(told, full)
    if said:
        issue["diagnostics"] = said
    if f.at:
        issue["expression"] = list(dict.fromkeys(f.at))
    return issue


def diagnostics(told: Explanation, full: bool = False) -> str:
    """The arithmetic, the inputs with value, day and place, the limits with their source, and what could be done."""
    return "\n".join(lines(told, full))


def cited(value: Value, library: Library) -> str:
    """A limit in words: what it is, its source, the place in the source, since when, and whether anyone saw it there."""
    return limit(value, library).words()


def _measure(m: Measure) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"url": "observed", "valueQuantity": _quantity(m.observed, m.unit)}]
    if m.lower is not None:
        parts.append({"url": "lower", "valueQuantity": _quantity(m.lower, m.unit)})
    if m.upper is not None:
        parts.append({"url": "upper", "valueQuantity": _quantity(m.upper, m.unit)})
    if m.source:
        parts.append({"url": "source", "valueString": m.source})
    return {"url": MEASURE, "extension": parts}


def _quantity(value: Decimal, unit: str) -> dict[str, Any]:
    short = value.quantize(Decimal("0.000001")) if -10 < value.adjusted() < 15 else value
    text = f"{short:f}"
    exact = Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
    return {"value": exact, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def _unread(path: str, why: str, order: str) -> dict[str, Any]:
    return {
        "severity": "warning",
        "code": "structure",
        "details": {
            "coding": [{"system": RESULT, "code": Result.NOTE.value}],
            "text": _cut(f"Left out, for it could not be read: {_last(path)}: {why}"),
        },
        "diagnostics": f"{path}: {why}. The element was left out; the rest was judged as far as it goes.",
        "expression": list(dict.fromkeys(p for p in (order, path) if p)),
    }


def _last(path: str) -> str:
    return ".".join(path.split(".")[-2:])[:60]


def _run(report: Report, full: bool) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"url": "service", "valueString": f"ivig-order-check {__version__}"},
        {"url": "rules", "valueString": f"{report.rules} rules, release {__version__}"},
        {"url": "knowledge", "valueString": report.knowledge},
        {"url": "policy", "valueString": policy_told(report)},
    ]
    orders = [_order(j) for j in report.judgements]
    if full:
        for order, checked in zip(orders, report.checked, strict=True):
            order["extension"].extend(map(_checked, checked))
    parts.extend(orders)
    return {"url": RUN, "extension": parts}


def policy_told(report: Report) -> str:
    """The policy with its version, and its day where that was asked for."""
    asked = report.grounds.policy_day
    return report.policy if asked is None else f"{report.policy}, as of {asked.isoformat()}"


def _order(j: Judgement) -> dict[str, Any]:
    return {
        "url": "order",
        "extension": [
            {"url": "ref", "valueString": j.ref},
            {"url": "path", "valueString": j.path},
            {"url": "day", "valueDate": j.day.isoformat()},
            {"url": "verdict", "valueCode": j.verdict.value},
            {"url": "judged", "valueCode": j.judged},
            {"url": "errors", "valueInteger": j.count(Severity.ERROR)},
            {"url": "warnings", "valueInteger": j.count(Severity.WARNING)},
            {"url": "cannotTells", "valueInteger": j.cannot_tells},
        ],
    }


def _checked(one: RuleChecked) -> dict[str, Any]:
    """A rule with what became of it, and its arithmetic or what it lacked."""
    parts = [{"url": "rule", "valueCode": one.rule}, {"url": "outcome", "valueCode": one.outcome.value}]
    if one.text:
        parts.append({"url": "text", "valueString": one.text})
    return {"url": "checked", "extension": parts}


def _cut(text: str) -> str:
    """Under 140 characters."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"

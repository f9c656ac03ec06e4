"""Severities that a policy gives to rules. Nothing softens without a reason, and what is silenced is still named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import structs

from ivig.core.dated import Value
from ivig.core.finding import ERROR, INFORMATION, WARNING, Finding, Result, Root, Severity

if TYPE_CHECKING:
    from ivig.core.book import Book

OFF = "off"
PREFIX = "severity."
SILENCED = "Silenced by policy"


def by_policy(findings: Iterable[Finding], book: Book) -> tuple[list[Finding], tuple[str, ...]]:
    """The findings with the severities the policy gives them, and a line for every rule that it silences."""
    if not book.severities:
        return list(findings), ()
    left, dropped = [], set()
    for f in findings:
        value = book.severities.get(f.rule)
        if value is None or f.code == "exception":  # a crash is no finding of the rule
            left.append(f)
        elif value.word != OFF:
            left.append(_graded(f, Severity[value.word.upper()], value, book))
        elif f.result == Result.FLAGGED and not f.not_judged:
            dropped.add(f.rule)
        else:  # other rules stand under it as not judged
            left.append(_graded(f, INFORMATION, value, book) if f.result == Result.FLAGGED else f)
    return left, tuple(_silenced(rule, rule in dropped, book) for rule in sorted(book.silenced))


def heard(lacking: dict[Root, list[str]], silenced: frozenset[str]) -> dict[Root, list[str]]:
    """What was not judged for want of what, without the rules that the policy silences: these count as judged."""
    kept = {root: [name for name in names if name not in silenced] for root, names in lacking.items()}
    return {root: names for root, names in kept.items() if names}


def _graded(f: Finding, wanted: Severity, value: Value, book: Book) -> Finding:
    """`f` with another severity; says so, and by whose decision."""
    capped = wanted == ERROR and f.severity < ERROR and any(v.unconfirmed for v in f.cites)
    if capped:
        wanted = WARNING
    if wanted == f.severity or (wanted < f.severity and not value.reason):
        return f
    line = f"{_named(wanted)} by policy {book.policy_id}{_since(value)}; {_named(f.severity).lower()} by the rule."
    why = f" Reason: {value.reason}" if value.reason else ""
    return structs.replace(
        f, severity=wanted, capped=f.capped or capped, sums=(*f.sums, line + why), cites=(*f.cites, value)
    )


def _silenced(rule: str, spoke: bool, book: Book) -> str:
    value = book.severities[rule]
    found = "it had something to say" if spoke else "it had nothing to say"
    return f"{SILENCED} {book.policy_id}{_since(value)}: {rule} ({found}). Reason: {value.reason}"


def _since(value: Value) -> str:
    return f" from {value.start}" if value.start is not None else ""


def _named(severity: Severity) -> str:
    return severity.name.capitalize()

"""Every rule with what became of it for one order. Asked for by a door that shows it; judging does without."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from enum import StrEnum

from msgspec import Struct

from ivig.core.explanation import named
from ivig.core.finding import Absent, Finding, Judgement, Result, Root
from ivig.core.judge import Case, Judge
from ivig.core.programme import Entry
from ivig.core.rule import FACTS

_MOST_TEXTS = 3


class Outcome(StrEnum):
    """What became of a rule. The first three are the results of its findings."""

    FLAGGED = Result.FLAGGED.value
    CANNOT_TELL = Result.CANNOT_TELL.value
    NOTE = Result.NOTE.value
    NOT_JUDGED = "not-judged"
    SILENCED = "silenced"
    CONTENT = "content"
    NOT_CONCERNED = "not-concerned"


class RuleChecked(Struct, frozen=True):
    """One rule and one order.

    Args:
        text: what it found; where it was content, its arithmetic in one line; where it was not judged, what was lacking.
        lacking: the issues of the data it lacked. A rule may flag something and lack something else.
        findings: what it found.
    """

    rule: str
    outcome: Outcome
    text: str = ""
    lacking: tuple[Root, ...] = ()
    findings: tuple[Finding, ...] = ()


def check_all(judge: Judge, case: Case, judgement: Judgement) -> tuple[RuleChecked, ...]:
    """Every rule of `judge` on the order of `judgement`, in reading order.

    Args:
        case: the facts of the order by the book it was judged by.
    """
    said: dict[str, list[Finding]] = {}
    lacking: dict[str, dict[Root, None]] = {}
    for found in judgement.findings:
        crashed = found.code == "exception"
        if not crashed:
            said.setdefault(found.rule, []).append(found)
        for name in found.not_judged:
            lacking.setdefault(name, {})[Root("rule-crashed" if crashed else found.rule, found.about)] = None
    full = bool(case.get("in_scope"))
    return tuple(
        _one(judge, case, entry, tuple(said.get(entry.rule.name, ())), tuple(lacking.get(entry.rule.name, ())), full)
        for entry in judge.entries
    )


def _one(
    judge: Judge, case: Case, entry: Entry, findings: tuple[Finding, ...], lacking: tuple[Root, ...], full: bool
) -> RuleChecked:
    name = entry.rule.name
    if findings:
        worst = max(findings, key=lambda f: (f.result == Result.FLAGGED, f.severity))
        text = "; ".join(dict.fromkeys(f.text() for f in findings))
        return RuleChecked(name, Outcome(worst.result.value), text, lacking, findings)
    if lacking:
        return RuleChecked(name, Outcome.NOT_JUDGED, f"for want of: {', '.join(map(named, lacking))}", lacking)
    if not (full or entry.rule.any_product) and entry.check is not None:
        return RuleChecked(name, Outcome.NOT_CONCERNED, "asked only of immune globulin given into a vein")
    try:
        return _silent(judge, case, entry)
    except Exception:  # noqa: BLE001  (what it said stands in the judgement; only its arithmetic cannot be shown)
        return RuleChecked(name, Outcome.CONTENT)


def _silent(judge: Judge, case: Case, entry: Entry) -> RuleChecked:
    """What became of a rule that the judgement holds nothing of: asked again, for it does not say why."""
    name = entry.rule.name
    if entry.check is None:  # told by the judge itself, where there is something to tell
        return RuleChecked(name, Outcome.CONTENT)
    cases = [c for c in _variants(judge, case, _roots(case, entry)) if _concerned(c, entry)]
    if not cases:
        return RuleChecked(name, Outcome.NOT_CONCERNED)
    if any(_found(c, entry) for c in cases):
        return RuleChecked(name, Outcome.SILENCED, "found, and silenced by the policy")
    return RuleChecked(name, Outcome.CONTENT, _content(cases, entry))


def _concerned(case: Case, entry: Entry) -> bool:
    if entry.concerns is None:
        return True
    answer = case.ask(entry.concerns)
    return answer is None or (not isinstance(answer, Absent) and bool(answer))


def _found(case: Case, entry: Entry) -> bool:
    if entry.check is None or (entry.concerns is not None and case.ask(entry.concerns) is None):
        return False
    found = case.ask(entry.check)
    return not isinstance(found, Absent) and bool(tuple(found))


def _content(cases: Iterable[Case], entry: Entry) -> str:
    """The arithmetic of a content rule; one line for each different value that an open fact may have."""
    if entry.content is None:
        return ""
    texts: dict[str, None] = {}
    for case in cases:
        try:
            said = case.ask(entry.content)
        except Exception:  # noqa: BLE001, S112  (a line that cannot be shown is no fault of the report)
            continue
        if isinstance(said, str) and said:
            texts[" ".join(said.split())] = None
    told = list(texts)
    more = f"; and {len(told) - _MOST_TEXTS} more" if len(told) > _MOST_TEXTS else ""
    return "; or ".join(told[:_MOST_TEXTS]) + more


def _roots(case: Case, entry: Entry) -> frozenset[str]:
    """The issues of what the rule would have liked to see: for want of some of it the judge asks it several times."""
    found: set[str] = set()
    for wanted in (entry.concerns, entry.check):
        if wanted is not None:
            case.make(wanted.names)
            found.update(r.name for n in wanted.strict if n in case.absent for r in case.absent[n].roots)
            found.update(r.name for n in wanted.names for r in case.lacking.get(n, ()))
    return frozenset(found)


def _variants(judge: Judge, case: Case, roots: frozenset[str]) -> Iterator[Case]:
    """The facts with each value that those may have which are absent for want of one of `roots`, as the judge asks."""
    choices = []
    for fact in FACTS.values() if roots else ():
        if fact.alternatives is None or roots.isdisjoint(fact.roots) or not isinstance(case.get(fact.name), Absent):
            continue
        could_be = case.ask(fact.alternatives)
        if not isinstance(could_be, Absent) and could_be:
            choices.append([(fact.name, value) for value in could_be])
    for chosen in itertools.product(*choices):  # not many, or the judge would have called it not judged
        varied = case
        for name, value in chosen:
            varied = varied.varied(name, value, judge.dependents[name])
        yield varied

"""A report as CDS Hooks cards: one for each order that has something to be shown, by how the client wants to be told.

What is quieted, folded, capped or shown before is left out of cards alone: every finding stands in the card's extension, and what
became of it is handed back for the record. An order without a card costs no text and no remedy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, zip_longest
from typing import Any
from uuid import uuid4

from msgspec import Struct, structs

from ivig import __version__
from ivig.core.explanation import Explanation
from ivig.core.finding import ERROR, Finding, Judgement, Report, Result
from ivig.core.override_reasons import OverrideReasons
from ivig.core.remedy import Remedies
from ivig.core.rule import titled
from ivig.wire.card_markdown import Told, detail
from ivig.wire.card_suggestions import suggestions
from ivig.wire.card_summary import summary
from ivig.wire.outcome import RULE, SEVERITIES, policy_told
from ivig.wire.telling import CAPPED, FOLDED, REPEAT, SHOWN, WITHHELD, Sorted, Telling, kept_of, sorted_out

__all__ = ["FINDINGS", "RUN", "CardMade", "Telling", "cards"]

Json = dict[str, Any]
FINDINGS, RUN = "org.ivig-order-check.findings", "org.ivig-order-check.run"
LABEL = "Immune globulin order check"
_MOST_LINKS, _MOST_REASONS = 5, 10
_ABSENT = "the result may still speak against the order"
_UNREAD = "A part of the order could not be read: {}"


class CardMade(Struct, frozen=True):
    """What was made of one judgement.

    Args:
        card: None where there is nothing to be shown.
        shown: every finding with what became of it: `shown`, `shadow`, `off`, `repeat`, `folded` (information), `capped` or `withheld`.
        findings, run: what stands in the extension of a card, all findings whatever became of them.
    """

    card: Json | None
    shown: tuple[tuple[Finding, str], ...]
    findings: list[Json]
    run: Json


def cards(report: Report, request: Callable[[str], Json], telling: Telling) -> tuple[CardMade, ...]:
    """What is made of each judgement of the report, in their order.

    Args:
        request: an order's MedicationRequest as plain JSON with decimals, by its path; called only where suggestions are made.
    """
    verdict = report.grounds.judge.verdict.name
    every = [sorted_out(place, judgement, telling, verdict) for place, judgement in enumerate(report.judgements)]
    carded = [one for one in every if one.shown]
    kept = kept_of(carded, telling.most_cards)
    left, last = len(carded) - len(kept), kept[-1].place if kept else -1
    number = {one.place: n for n, one in enumerate(kept)}
    made = []
    for one in every:
        findings, run = _findings(one.judgement), _run(report, one)
        became, card = one.became, None
        if one.place in number:
            suggested = number[one.place] < telling.most_suggested
            card = _card(one, report, request if suggested else None, telling, left if one.place == last else 0)
            card["extension"] = {FINDINGS: findings, RUN: run}
        elif one.shown:
            became = tuple(CAPPED if what == SHOWN else what for what in became)
        made.append(CardMade(card, tuple(zip(one.judgement.findings, became, strict=True)), findings, run))
    return tuple(made)


# -- a card -----------------------------------------------------------------------------------------------------------


def _card(one: Sorted, report: Report, request: Callable[[str], Json] | None, telling: Telling, left: int) -> Json:
    findings = [one.judgement.findings[n] for n in one.shown]
    remedies = _remedies(one, report, telling) if request is not None else None
    sentences = [_sentence(f, one.judgement) for f in findings]
    card: Json = {
        "uuid": str(uuid4()),
        "summary": summary(sentences[0], len(findings) - 1, one.place, report.grounds),
        "detail": detail(_told(one, findings, report, remedies, left)),
        "indicator": "critical" if one.worst.severity >= ERROR else "warning",
        "source": _source(one.worst.rule, telling.base_url),
    }
    if remedies is not None and request is not None:
        made, behavior = _suggested(one, remedies, report, request, telling)
        if made:
            card |= {"suggestions": made, "selectionBehavior": behavior}
    rules = list(dict.fromkeys(f.rule for f in findings))
    reasons = _reasons(rules, one.judgement, telling.overrides or report.grounds.library.override_reasons)
    if reasons:
        card["overrideReasons"] = reasons
    if telling.base_url:
        card["links"] = [_link(rule, telling.base_url) for rule in rules[:_MOST_LINKS]]
    return card


def _told(one: Sorted, findings: list[Finding], report: Report, remedies: Remedies | None, left: int) -> Told:
    judgement, verdict = one.judgement, report.grounds.judge.verdict.name
    explained = report.grounds.explanations(one.place, judgement, findings)
    pairs = [(f, _with_remedy(told, remedies, n)) for n, f, told in zip(one.shown, findings, explained, strict=True)]
    spoken = any(f.rule == verdict for f in findings)
    return Told(
        shown=[pair for pair in pairs if pair[0].rule != verdict],
        unread=judgement.unread if spoken else (),
        again=[_sentence(f, judgement) for f in one.only(REPEAT)],
        folded=[f.text() for f in one.only(FOLDED) if f.rule != verdict],
        partial=judgement.judged != "full",
        left=left,
        basis=f"ivig-order-check {__version__}, knowledge {report.knowledge}, policy {policy_told(report)}, judged for {judgement.day}",
    )


def _with_remedy(told: Explanation, remedies: Remedies | None, place: int) -> Explanation:
    remedy = remedies.of(place) if remedies is not None else None
    if remedy is None:
        return told
    said = remedy.says + (f" ({remedy.because})" if remedy.because else "")
    return structs.replace(told, remedies=(f"{said}; {_ABSENT}" if remedy.absence_only else said,))


def _sentence(f: Finding, judgement: Judgement) -> str:
    if f.result == Result.NOTE and judgement.unread:
        return _UNREAD.format(
            ", ".join(path.partition(f"{judgement.path}.")[2] or path for path, _ in judgement.unread)
        )
    return f.text()


def _remedies(one: Sorted, report: Report, telling: Telling) -> Remedies | None:
    """What would clear the findings that are shown. Advice must never take down the answer."""
    try:
        made: Remedies | None = report.remedies_for(one.place, frozenset(one.shown))
    except Exception as fault:  # noqa: BLE001  (see above)
        _faulted(one, fault, telling)
        return None
    return made


def _suggested(
    one: Sorted, remedies: Remedies, report: Report, request: Callable[[str], Json], telling: Telling
) -> tuple[list[Json], str]:
    grouped = telling.cds_hooks[:1] >= "3"
    try:
        return suggestions(remedies, report.grounds.orders[one.place], request, telling.patient, grouped)
    except Exception as fault:  # noqa: BLE001  (a shape that cannot be rewritten: the findings stand all the same)
        _faulted(one, fault, telling)
        return [], ""


def _faulted(one: Sorted, fault: Exception, telling: Telling) -> None:
    if telling.log is not None:
        telling.log(one.worst.rule, type(fault).__name__)


def _source(rule: str, base_url: str) -> Json:
    """Who says so. The address is the service's own, where it is known; never a page of one rule."""
    source: Json = {"label": LABEL}
    if base_url:
        source["url"] = f"{base_url.rstrip('/')}/"
    return source | {"topic": {"system": RULE, "code": rule, "display": titled(rule)}}


def _link(rule: str, base_url: str) -> Json:
    return {"label": f"Rule {rule}", "url": f"{base_url.rstrip('/')}/rules/{rule}", "type": "absolute"}


def _reasons(rules: Sequence[str], judgement: Judgement, known: OverrideReasons) -> list[Json]:
    """The reasons that fit: of each rule the likeliest, then of each the next, so that none of them goes without."""
    by_rule = [known.of(rule, judgement.day) for rule in rules]
    fitting = dict.fromkeys(r for r in chain.from_iterable(zip_longest(*by_rule)) if r is not None)
    return [{"code": r.code, "system": r.system, "display": r.display} for r in list(fitting)[:_MOST_REASONS]]


# -- what machines read -----------------------------------------------------------------------------------------------


def _findings(judgement: Judgement) -> list[Json]:
    return [
        {"rule": f.rule, "severity": SEVERITIES[f.severity], "result": f.result.value, "order": judgement.ref}
        for f in judgement.findings
    ]


def _run(report: Report, one: Sorted) -> Json:
    judgement = one.judgement
    withheld = list(dict.fromkeys(f.rule for f in one.only(WITHHELD)))
    run = {
        "service": f"ivig-order-check {__version__}",
        "rules": f"{report.rules} rules, release {__version__}",
        "knowledge": report.knowledge,
        "policy": policy_told(report),
        "day": judgement.day.isoformat(),
        "verdict": judgement.verdict.value,
        "judged": judgement.judged,
    }
    return run | ({"withheld": withheld} if withheld else {})

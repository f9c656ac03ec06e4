"""What would make an order pass, as the tests look at it: remedies of a body, and a second opinion on each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date

from msgspec import Struct

from ivig.core.book import Library
from ivig.core.change import Change, OrderedTest
from ivig.core.finding import Finding, Judgement, Result, Severity
from ivig.core.order import Order
from ivig.core.remedy import Remedies, Remedy
from ivig.entrypoints.operation import asked_for
from ivig.validator import Validator
from ivig.wire.decode import decode
from ivig.wire.read import read
from ivig.wire.remedy import patched
from judged import NOON, validator, written
from r4 import Json

# What a change of the product says of itself, for information.
SAID_BY_THE_PRODUCT = {"product-switch", "indication-off-label"}


class Advised(Struct, frozen=True):
    """One order of a body, what was found, and what would make it pass."""

    body: bytes
    order: Order
    judgement: Judgement
    remedies: Remedies
    library: Library
    policy_day: date | None = None

    @property
    def all(self) -> tuple[Remedy, ...]:
        return (*self.remedies.single, *([self.remedies.combined] if self.remedies.combined else []))

    def by_rule(self, rule: str) -> list[Remedy]:
        return [r for r in self.remedies.single if r.rule == rule]

    def finding(self, remedy: Remedy) -> Finding | None:
        return self.judgement.findings[remedy.place] if remedy.place >= 0 else None


def orders_of(body: bytes, by: Validator) -> tuple[tuple[Order, ...], date | None, Library]:
    decoded = decode(body)
    asked, policy_day, library = asked_for(decoded, UTC, NOON, by.library)
    return read(decoded, library.lexicon, asked).orders, policy_day, library


def advised(sent: Json | bytes, by: Validator | None = None) -> Iterator[Advised]:
    judge, body = by or validator(), written(sent)
    orders, day, library = orders_of(body, judge)
    for order in orders:
        judgement = judge.judge(order, day, library)
        yield Advised(body, order, judgement, judge.remedies(order, judgement, day, library), library, day)


def only(sent: Json | bytes, by: Validator | None = None) -> Advised:
    (one,) = advised(sent, by)
    return one


def spoken(judgement: Judgement) -> Counter[tuple[str, str]]:
    return Counter((f.rule, f.about) for f in judgement.findings if f.result != Result.NOTE)


def gravest(judgement: Judgement) -> dict[tuple[str, str], Severity]:
    found: dict[tuple[str, str], Severity] = {}
    for f in judgement.findings:
        if f.result != Result.NOTE:
            found[f.rule, f.about] = max(f.severity, found.get((f.rule, f.about), f.severity))
    return found


def unjudged(judgement: Judgement) -> set[str]:
    return {name for f in judgement.findings for name in f.not_judged}


def faults(finding: Finding | None, before: Judgement, after: Judgement, changes: tuple[Change, ...]) -> list[str]:
    """Why a remedy should not have been offered, looked at without the code that offered it."""
    wrong = []
    then, now = spoken(before), spoken(after)
    if finding is not None and now[finding.rule, finding.about] >= then[finding.rule, finding.about]:
        wrong.append(f"{finding.rule} is not cleared")
    graver = finding is None or finding.severity > Severity.INFORMATION
    excused = SAID_BY_THE_PRODUCT if graver and any(c.kind == "product" for c in changes) else set()
    was, worst = gravest(before), gravest(after)
    for key, severity in worst.items():
        if key[0] in excused and severity == Severity.INFORMATION:
            continue
        if now[key] > then[key]:
            wrong.append(f"{key} is new")
        elif severity > was[key]:
            wrong.append(f"{key} is graver")
    spoke = {rule for rule, _ in then}
    wrong += [f"{name} is judged no more" for name in sorted(unjudged(after) - unjudged(before) - spoke)]
    if any(f.rule == "order-out-of-scope" for f in after.findings) and not any(
        f.rule == "order-out-of-scope" for f in before.findings
    ):
        wrong.append("the order is out of scope")
    return wrong


def opinions(one: Advised, by: Validator | None = None) -> list[str]:
    """All that is wrong with the remedies of an order: judged again as changed, and read again from patched FHIR."""
    judge = by or validator()
    wrong = []
    for remedy in one.all:
        finding = one.finding(remedy)
        again = judge.judge(remedy.apply(one.order), one.policy_day, one.library)
        sent = patched(one.body, one.order, remedy.changes, assumed=True)
        orders, day, library = orders_of(sent, judge)
        read_again = next((o for o in orders if o.path == one.order.path), None)
        wrong += [f"{remedy.text}: {w}" for w in faults(finding, one.judgement, again, remedy.changes)]
        if read_again is None:
            wrong.append(f"{remedy.text}: the patched order is not read")
            continue
        through_fhir = judge.judge(read_again, day, library)
        wrong += [f"{remedy.text}, as FHIR: {w}" for w in faults(finding, one.judgement, through_fhir, remedy.changes)]
        if spoken(again) != spoken(through_fhir):
            wrong.append(
                f"{remedy.text}: {spoken(again) - spoken(through_fhir)} not as FHIR, {spoken(through_fhir) - spoken(again)} only as FHIR"
            )
    return wrong


def ordered_tests(remedy: Remedy) -> list[str]:
    return [c.test for c in remedy.changes if isinstance(c, OrderedTest)]

"""The one face of the judgement: orders in, a report out. Every door goes through here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date
from functools import partial
from pathlib import Path

from ivig.catalogue import RULES
from ivig.core import facts, remedies  # noqa: F401  (declares the facts, and the makers of remedies)
from ivig.core.book import Library
from ivig.core.checked import RuleChecked
from ivig.core.facts.vials import DayVials
from ivig.core.finding import Absent, Finding, Judgement, Report, Result, Severity
from ivig.core.grounds import Grounds
from ivig.core.judge import Case, Judge
from ivig.core.order import Order
from ivig.core.remedy import Adviser, Remedies
from ivig.core.rule import Rule
from ivig.knowledge import load
from ivig.rules.order import none as order_none
from ivig.rules.order import verdict as order_verdict
from ivig.wire.decode import Decoded, decode
from ivig.wire.read import Asked, Reading, read

# A rule that could not run says so under its own name; what it would have said is not known.
CRASHED = Rule(
    name="rule-crashed",
    severity=Severity.WARNING,
    result=Result.CANNOT_TELL,
    code="exception",
    says="The rule {rule} could not run because of a fault in the service",
)


def library_of(policy: str | Path, root: Path = load.HERE) -> Library:
    """The knowledge by a policy, held against the rules: what every door loads.

    Raises:
        ivig.knowledge.pages.KnowledgeFault: a page is faulty, or the policy; lists every fault.
    """
    return load.load_library(policy, root, {module.rule.name: module.rule for module in RULES})


class Validator:
    """Judges orders by one library, or by another policy of the same knowledge where a request asks for it.

    Args:
        library: the knowledge, with the deployment's policy.
        log: called with the rule's name and the kind of fault when a rule crashes; never with patient data.
    """

    def __init__(self, library: Library, log: Callable[[str, str], None] | None = None) -> None:
        self.library = library
        self._judge = Judge(RULES, CRASHED, order_verdict.rule, log)
        self._adviser = Adviser(self._judge, log)

    @property
    def rules(self) -> int:
        return len(RULES)

    @property
    def rule_names(self) -> tuple[str, ...]:
        """The names of all rules, in reading order."""
        return tuple(module.rule.name for module in RULES)

    def judge(self, order: Order, policy_day: date | None = None, library: Library | None = None) -> Judgement:
        """One order by the knowledge of its day, or of `policy_day`."""
        return self._judge.judge(order, (library or self.library).on(policy_day or order.day))

    def report(self, reading: Reading, policy_day: date | None = None, library: Library | None = None) -> Report:
        """All orders of a reading; when there is none, the report says so.

        Args:
            library: that of another policy (`Library.under`).
        """
        by = library or self.library
        judgements = tuple(self.judge(order, policy_day, by) for order in reading.orders)
        notes = () if judgements else (_none(reading),)
        advise = partial(self._advised, reading.orders, judgements, policy_day, by)
        grounds = Grounds(self._judge, by, reading.orders, policy_day)
        policy = f"{by.policy_id} {by.policy_version}"
        return Report(judgements, notes, by.version, policy, self.rules, grounds, advise)

    def remedies(
        self,
        order: Order,
        judgement: Judgement,
        policy_day: date | None = None,
        library: Library | None = None,
        findings: Collection[int] | None = None,
    ) -> Remedies:
        """What would make an order pass, judged again. Made on demand: it costs several judgements.

        Args:
            findings: the places of those that are to be cleared; None for all.
        """
        book = (library or self.library).on(policy_day or order.day)
        return self._adviser.advise(order, judgement, book, findings)

    def _advised(
        self,
        orders: tuple[Order, ...],
        judgements: tuple[Judgement, ...],
        policy_day: date | None,
        library: Library,
        place: int,
        findings: Collection[int] | None,
    ) -> Remedies:
        return self.remedies(orders[place], judgements[place], policy_day, library, findings)

    def vials(
        self, order: Order, policy_day: date | None = None, library: Library | None = None
    ) -> tuple[DayVials, ...]:
        """The vials of each different infusion day, grams wasted and saved by rounding; empty where it cannot be told."""
        book = (library or self.library).on(policy_day or order.day)
        found = Case({"order": order, "book": book}).get("vials")
        return () if isinstance(found, Absent) else tuple(found.items)

    def checked(self, order: Order, policy_day: date | None = None) -> tuple[RuleChecked, ...]:
        """Every rule with what became of it for one order."""
        grounds = Grounds(self._judge, self.library, (order,), policy_day)
        return grounds.checked(0, self.judge(order, policy_day))

    def validate(
        self, body: bytes, asked: Asked | None = None, policy_day: date | None = None, policy: str = ""
    ) -> tuple[Report, Decoded]:
        """Bytes of a Bundle or Parameters to a finished report.

        Args:
            policy: another one than the deployment's.

        Raises:
            ivig.wire.decode.Unreadable: the body cannot be processed at all.
            ivig.core.book.UnknownPolicy: there is no such policy.
        """
        by, decoded = self.library.under(policy), decode(body)
        return self.report(read(decoded, by.lexicon, asked or Asked()), policy_day, by), decoded


def _none(reading: Reading) -> Finding:
    """That there is no order to judge; with those that were there, and left out for their status or intent."""
    left = len(reading.passed_over)
    says = f"No immune globulin order to judge; left out for status or intent: {left}" if left else None
    return order_none.rule.finding(says=says, at=reading.passed_over[:10])

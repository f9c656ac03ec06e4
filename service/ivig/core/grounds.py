"""What a report rests on: the orders as they were read and the knowledge they were judged by. Doors that say more ask here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from ivig.core.checked import RuleChecked, check_all
from ivig.core.explanation import Explanation, explain, named
from ivig.core.finding import Absent, Finding, Judgement, Result, Root
from ivig.core.judge import Case, Judge
from ivig.core.order import UNCONFIRMED, Allergy, Condition, Order

if TYPE_CHECKING:
    from ivig.core.book import Book, Indication, Library


class Grounds:
    """Reasons and rule lists of one report, each made when first asked for.

    Args:
        orders: the orders of the report's judgements, in their order.
        policy_day: the day whose knowledge they were judged by, where it was not their own.
    """

    __slots__ = ("_cases", "_checked", "_doubts", "judge", "library", "orders", "policy_day")

    def __init__(self, judge: Judge, library: Library, orders: Sequence[Order], policy_day: date | None = None) -> None:
        self.judge, self.library, self.orders, self.policy_day = judge, library, orders, policy_day
        self._cases: dict[int, Case] | None = None
        self._checked: dict[int, tuple[RuleChecked, ...]] | None = None
        self._doubts: dict[int, tuple[Condition | Allergy, ...]] = {}

    def book(self, place: int) -> Book:
        return self.library.on(self.policy_day or self.orders[place].day)

    def case(self, place: int) -> Case:
        """The facts of the order at this place, as far as anybody asks for them."""
        if self._cases is None:
            self._cases = {}
        if place not in self._cases:
            self._cases[place] = Case({"order": self.orders[place], "book": self.book(place)})
        return self._cases[place]

    def fact(self, place: int, name: str) -> Any:
        """A fact of the order, None where it is absent or cannot be made."""
        try:
            value = self.case(place).get(name)
        except Exception:  # noqa: BLE001  (a fault in a fact has been told as a crashed rule)
            return None
        return None if isinstance(value, Absent) else value

    def checked(self, place: int, judgement: Judgement) -> tuple[RuleChecked, ...]:
        """Every rule with what became of it for the order at this place."""
        if self._checked is None:
            self._checked = {}
        if place not in self._checked:
            self._checked[place] = check_all(self.judge, self.case(place), judgement)
        return self._checked[place]

    def explanation(self, found: Finding, place: int | None = None) -> Explanation:
        """What a finding itself rests on; of the order at this place also what nobody has confirmed."""
        doubts = () if place is None else _doubted(found, self._doubtful(place))
        return explain(found, self.judge.rules.get(found.rule), self.library, assumed=doubts)

    def _doubtful(self, place: int) -> Sequence[Condition | Allergy]:
        """What the chart of the order tells and nobody has confirmed."""
        if place not in self._doubts:
            chart = self.orders[place].chart
            told: tuple[Condition | Allergy, ...] = (*chart.conditions, *chart.allergies)
            self._doubts[place] = tuple(e for e in told if e.verification in UNCONFIRMED)
        return self._doubts[place]

    def explanations(
        self, place: int, judgement: Judgement, findings: Iterable[Finding] | None = None
    ) -> Iterator[Explanation]:
        """The findings of a judgement, or these of them, with all there is to say about each."""
        page: Indication | None = self.fact(place, "indication")
        order = self.orders[place]
        dosage, doubtful = f"{order.path}.dosageInstruction", self._doubtful(place)
        for found in judgement.findings if findings is None else findings:
            whole = found.rule == self.judge.verdict.name
            of_dosage = any(i.path.startswith(dosage) for i in found.inputs)
            yield explain(
                found,
                self.judge.rules.get(found.rule),
                self.library,
                page,
                (
                    *(order.assumptions if of_dosage and found.result == Result.FLAGGED else ()),
                    *_doubted(found, doubtful),
                ),
                _lacked(found, judgement),
                whole,
                self._vials(place) if whole else (),
            )

    def _vials(self, place: int) -> Iterator[str]:
        """What is opened for the doses of the order at this place, thrown away, and saved by rounding."""
        vials = self.fact(place, "vials") if self.fact(place, "in_scope") else None
        for day in vials.items if vials is not None else ():
            yield from day.lines()


def _doubted(found: Finding, doubtful: Sequence[Condition | Allergy]) -> Iterator[str]:
    """What a finding rests on although nobody has confirmed it, where it does not say so itself."""
    if not doubtful or found.result != Result.FLAGGED:
        return
    rests = {datum.path: datum.value for datum in found.inputs}
    for evidence in doubtful:
        word = evidence.verification
        if evidence.path in rests and not any(word in said for said in found.assumed):
            yield f"{rests[evidence.path].removesuffix(f' ({word})')} counts, although recorded as {word}"


def _lacked(found: Finding, judgement: Judgement) -> Iterator[str]:
    """What a finding's rule would have liked to see as well."""
    if found.result != Result.FLAGGED:
        return
    for other in judgement.findings:
        if other is not found and found.rule in other.not_judged:
            yield f"{named(Root(other.rule, other.about))}: {other.text()}"

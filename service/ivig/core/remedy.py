"""What would make an order pass: for each finding the smallest change that clears it, judged again before it is offered.

Makers propose (`core/remedies/`), the judge decides. A change is offered when, with it, its finding is gone, nothing
new is found, nothing graver, and no rule is judged less than before. A course that cannot be held against its upper limit, for want of
a weight, is never made another one. Nothing here is made until a door asks.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from msgspec import Struct

from ivig.core.book import Book
from ivig.core.change import Change, OrderedTest, applied
from ivig.core.finding import Absent, Finding, Judgement, Result, Severity
from ivig.core.judge import Case, Judge
from ivig.core.order import Order
from ivig.core.programme import GIVEN
from ivig.core.rule import FACTS, Needs, needs

_MOST_TRIED = 48  # of one finding; makers propose the smallest change first
_OUT_OF_SCOPE = "order-out-of-scope"
_LIMIT = "dose-course-above-range"  # what holds a course against its upper limit
_MOST_REPAIRED = 8


class Candidate(Struct, frozen=True):
    """Changes that may clear a finding. `says`: in words, where those of the changes would not do; `because`: the sum."""

    changes: tuple[Change, ...]
    says: str = ""
    because: str = ""


class Remedy(Struct, frozen=True):
    """Changes that clear findings, as judged again.

    Args:
        rule, about, place: the finding it is for, and its place in the judgement; of the combined remedy "", "" and -1.
        clears: the rules whose findings it clears, in the order of the judgement.
        absence_only: a test that is only on order: the result may speak against the order all the same.
    """

    rule: str
    about: str
    place: int
    changes: tuple[Change, ...]
    says: str
    because: str
    clears: tuple[str, ...]

    @property
    def absence_only(self) -> bool:
        return any(isinstance(c, OrderedTest) and c.assumed for c in self.changes)

    @property
    def assumed(self) -> tuple[str, ...]:
        """The results taken as ordinary while the tests are on order."""
        results = [r for c in self.changes if isinstance(c, OrderedTest) for r in c.assumed]
        return tuple(f"{r.test.replace('_', ' ')} {r.said}" for r in results)

    @property
    def text(self) -> str:
        """What would make it pass, in one line."""
        said = self.says + (f" ({self.because})" if self.because else "")
        if not self.absence_only:
            return said
        assumed = ", ".join(self.assumed)
        return f"{said}; clears only the absence of a usable result, whatever it will be (judged again with {assumed})"

    def apply(self, order: Order) -> Order:
        return applied(order, self.changes)


class Remedies(Struct, frozen=True):
    """What would make one order pass: a remedy for each finding that has one, and all of them together.

    `combined` is None where a single remedy does as much.
    """

    path: str
    single: tuple[Remedy, ...] = ()
    combined: Remedy | None = None

    def of(self, place: int) -> Remedy | None:
        """The remedy for the finding at this place of the judgement."""
        return next((r for r in self.single if r.place == place), None)


class Standing(Struct, frozen=True):
    """What a judgement comes to, to hold another one against it."""

    count: Counter[tuple[str, str]]
    worst: dict[tuple[str, str], Severity]
    not_judged: frozenset[str]
    scope: bool


def standing(judgement: Judgement) -> Standing:
    count: Counter[tuple[str, str]] = Counter()
    worst: dict[tuple[str, str], Severity] = {}
    names: set[str] = set()
    scope = True
    for f in judgement.findings:
        names.update(f.not_judged)
        if f.result == Result.NOTE:
            scope = scope and f.rule != _OUT_OF_SCOPE
            continue
        key = (f.rule, f.about)
        count[key] += 1
        worst[key] = max(f.severity, worst.get(key, f.severity))
    return Standing(count, worst, frozenset(names), scope)


def raised(before: Standing, after: Standing, changes: Iterable[Change] = ()) -> tuple[str, ...]:
    """The rules that speak anew, more often or more gravely after a change, or are judged less than before.

    With `changes`: not the information that only tells of them. Give them where something graver is cleared.
    """
    told = frozenset(name for c in changes for name in c.told_by)
    found = [
        rule
        for (rule, about), times in after.count.items()
        if not (rule in told and after.worst[rule, about] == Severity.INFORMATION)
        and (
            times > before.count[rule, about]
            or after.worst[rule, about] > before.worst.get((rule, about), Severity.INFORMATION)
        )
    ]
    spoke = {rule for rule, _ in before.count}  # what spoke before and is silent now may lack what it lacked before
    found += sorted(after.not_judged - before.not_judged - spoke)
    if before.scope and not after.scope:
        found.append(_OUT_OF_SCOPE)
    return tuple(dict.fromkeys(found))


def cleared(finding: Finding, before: Standing, after: Standing) -> bool:
    return after.count[finding.rule, finding.about] < before.count[finding.rule, finding.about]


# -- makers -----------------------------------------------------------------------------------------------------------

Maker = Callable[..., Iterator[Candidate]]
MAKERS: dict[str, list[Needs]] = {}


def clears(*rules: str) -> Callable[[Maker], Maker]:
    """Declare a function that proposes changes for findings of these rules, the smallest first.

    Its parameters name facts, like those of a rule's `check`, and `finding`, the finding in question. A rule that is
    not in the catalogue has no findings: a maker may be there before it.
    """

    def mark(function: Maker) -> Maker:
        wanted = needs(function)
        for rule in rules:
            MAKERS.setdefault(rule, []).append(wanted)
        return function

    return mark


class Trials:
    """One order as it would be judged with changes. Makers of several findings often propose the same change: it is judged once."""

    def __init__(self, judge: Judge, order: Order, book: Book) -> None:
        self.judge, self.order, self.book = judge, order, book
        self._made: dict[tuple[Change, ...], tuple[Order, Judgement, Standing]] = {}

    def of(self, changes: tuple[Change, ...]) -> tuple[Order, Judgement, Standing]:
        """The order with these changes, its judgement, and what that comes to."""
        made = self._made.get(changes)
        if made is None:
            changed = applied(self.order, changes)
            again = self.judge.judge(changed, self.book)
            made = self._made[changes] = (changed, again, standing(again))
        return made

    def leaves(self, finding: Finding, times: int, changes: tuple[Change, ...]) -> bool:
        """Whether the finding's own rule, asked alone, speaks as often as before: then nothing else need be asked."""
        if changes in self._made or finding.result != Result.FLAGGED:
            return False
        found = self.judge.alone(finding.rule, applied(self.order, changes), self.book)
        return sum(1 for f in found if f.about == finding.about and f.result != Result.NOTE) >= times


class Adviser:
    """Finds remedies with the judge that found the faults.

    Args:
        judge: judges again.
        log: called with a rule's name and the kind of fault when a maker crashes; never with patient data.
    """

    def __init__(self, judge: Judge, log: Callable[[str, str], None] | None = None) -> None:
        self.judge, self.log = judge, log
        known = {*FACTS, *GIVEN, "finding"}
        unknown = {f"{rule}: {n}" for rule, of in MAKERS.items() for m in of for n in m.names if n not in known}
        if unknown:
            raise LookupError("no such fact: " + "; ".join(sorted(unknown)))

    def advise(
        self, order: Order, judgement: Judgement, book: Book, findings: Collection[int] | None = None
    ) -> Remedies:
        """The remedies of an order that was judged so; with `findings`, only for those at these places."""
        before = standing(judgement)
        case = Case({"order": order, "book": book})
        trials = Trials(self.judge, order, book)
        single = []
        for place, finding in enumerate(judgement.findings):
            if findings is not None and place not in findings:
                continue
            made = self._remedy(finding, place, judgement, before, case, trials)
            if made is not None:
                single.append(made)
        return Remedies(judgement.path, tuple(single), self._combined(trials, judgement, before, single))

    def _remedy(
        self,
        finding: Finding,
        place: int,
        judgement: Judgement,
        before: Standing,
        case: Case,
        trials: Trials,
    ) -> Remedy | None:
        """The first change proposed that clears the finding and raises nothing; with a second one where that has to be."""
        tried: list[tuple[Candidate, Order, Judgement]] = []
        times = before.count[finding.rule, finding.about]
        for candidate in itertools.islice(self._proposed(finding, case), _MOST_TRIED):
            if trials.leaves(finding, times, candidate.changes):
                continue
            changed, again, after = trials.of(candidate.changes)
            if cleared(finding, before, after) and not _blind(candidate, after):
                if not raised(before, after, _tells(finding, candidate)):
                    return _remedy(finding, place, candidate, judgement, after)
                tried.append((candidate, changed, again))
        for candidate, changed, again in tried[:_MOST_REPAIRED]:
            more = self._repaired(finding, candidate, changed, again, before, trials.book)
            if more is not None:
                _, _, after = trials.of(more.changes)
                raises = raised(before, after, _tells(finding, more)) or _blind(more, after)
                if cleared(finding, before, after) and not raises:
                    return _remedy(finding, place, more, judgement, after)
        return None

    def _repaired(
        self, finding: Finding, candidate: Candidate, changed: Order, again: Judgement, before: Standing, book: Book
    ) -> Candidate | None:
        """A candidate that raises one thing, with the change that clears that."""
        fresh = raised(before, standing(again), _tells(finding, candidate))
        news = [f for f in again.findings if f.rule in fresh and f.result != Result.NOTE]
        if len(fresh) != 1 or not news:
            return None
        resting = any(isinstance(c, OrderedTest) and c.assumed for c in candidate.changes)
        case = Case({"order": changed, "book": book})
        for second in itertools.islice(self._proposed(news[0], case), _MOST_REPAIRED):
            after = standing(self.judge.judge(applied(changed, second.changes), book))
            if resting and not all(isinstance(c, OrderedTest) for c in second.changes):
                continue  # no dose may rest on a result that is only assumed
            both = _joined((candidate, second))
            if not raised(before, after, _tells(finding, both)):
                return both
        return None

    def _proposed(self, finding: Finding, case: Case) -> Iterator[Candidate]:
        """What the makers of its rule propose for a finding. A maker that crashes proposes nothing."""
        seen: set[Any] = set()
        case.values["finding"] = finding
        for maker in MAKERS.get(finding.rule, ()):
            try:
                proposed = case.ask(maker)
                for candidate in () if isinstance(proposed, Absent) else proposed:
                    if candidate.changes and candidate.changes not in seen:
                        seen.add(candidate.changes)
                        yield candidate
            except Exception as fault:  # noqa: BLE001  (advice must never take down the answer)
                if self.log:
                    self.log(finding.rule, type(fault).__name__)

    def _combined(self, trials: Trials, judgement: Judgement, before: Standing, single: list[Remedy]) -> Remedy | None:
        """One remedy for all that can be cleared, built up step by step on the order as changed so far.

        Tests come last: no dose may rest on a result that is only assumed.
        """
        if len(single) < 2:
            return None
        steps: list[Candidate] = []
        now = judgement
        wanted = sorted(single, key=lambda r: (r.absence_only, -judgement.findings[r.place].severity, r.place))
        for remedy in wanted:
            held = standing(now)
            finding = next((f for f in now.findings if (f.rule, f.about) == (remedy.rule, remedy.about)), None)
            if finding is None or finding.result == Result.NOTE:
                continue  # an earlier step has cleared it
            case = Case({"order": trials.order, "book": trials.book})
            own = Candidate(remedy.changes, remedy.says, remedy.because)
            for candidate in (own, *self._proposed(finding, case)):
                made, again, after = trials.of(candidate.changes)
                raises = raised(held, after, _tells(finding, candidate)) or _blind(candidate, after)
                if not cleared(finding, held, after) or raises:
                    continue
                steps.append(candidate)
                now, trials = again, Trials(self.judge, made, trials.book)
                break
        if len(steps) < 2 or raised(before, standing(now), (c for s in steps for c in s.changes)):
            return None
        whole = _joined(steps)
        return Remedy("", "", -1, whole.changes, whole.says, whole.because, _gone(judgement, before, standing(now)))


def _remedy(finding: Finding, place: int, candidate: Candidate, judgement: Judgement, after: Standing) -> Remedy:
    says = candidate.says or _words(candidate)
    gone = _gone(judgement, standing(judgement), after)
    return Remedy(finding.rule, finding.about, place, candidate.changes, says, candidate.because, gone)


def _tells(finding: Finding, candidate: Candidate) -> tuple[Change, ...]:
    """The changes that may tell of themselves: those of a remedy for more than information."""
    return candidate.changes if finding.severity > Severity.INFORMATION else ()


def _blind(candidate: Candidate, after: Standing) -> bool:
    """Whether a change makes another course of it while nobody can tell whether that is too much."""
    return _LIMIT in after.not_judged and any(c.kind in ("dose", "days", "interval") for c in candidate.changes)


def _joined(candidates: Iterable[Candidate]) -> Candidate:
    """Several as one; what a later one changes again falls away from the earlier, and is told once."""
    changes: dict[tuple[str, ...], Change] = {}
    said: dict[str, frozenset[str]] = {}
    for candidate in candidates:
        own = {_target(change) for change in candidate.changes}
        said = {line: places for line, places in said.items() if not _retold(places, candidate)}
        for change in candidate.changes:
            changes.pop(_target(change), None)
            changes[_target(change)] = change
        line = candidate.says or _words(candidate)
        said[line + (f" ({candidate.because})" if candidate.because else "")] = frozenset(t[1] for t in own)
    return Candidate(tuple(changes.values()), "; ".join(said))


def _target(change: Change) -> tuple[str, ...]:
    """What a change changes: two with the same target follow each other."""
    fields = ("path", "rate_path", "test", "set")
    return (change.kind, *(str(getattr(change, name, "")) for name in fields))


def _retold(places: frozenset[str], later: Candidate) -> bool:
    """Whether a later dose of the same instruction tells all that was said of it before."""
    doses = {_target(c)[1] for c in later.changes if c.kind == "dose"}
    return bool(doses) and places <= doses


def _words(candidate: Candidate) -> str:
    return ", ".join(c.words() for c in candidate.changes)


def _gone(judgement: Judgement, before: Standing, after: Standing) -> tuple[str, ...]:
    """The rules with fewer findings than before, in the order of the judgement."""
    rules = (f.rule for f in judgement.findings if after.count[f.rule, f.about] < before.count[f.rule, f.about])
    return tuple(dict.fromkeys(rules))

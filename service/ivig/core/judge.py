"""Asks every rule about one order and gathers the answers.

For each rule there are four outcomes: flagged, content, not concerned, or not judged for want of a datum. A rule that crashes is a
finding. The judge knows no rule by name except the ones that tell of what it does itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any

from msgspec import Struct, structs

from ivig.core.book import Book
from ivig.core.dated import NotInForce
from ivig.core.finding import Absent, Finding, Judgement, Result, Root, Severity, Verdict
from ivig.core.order import Order
from ivig.core.overrides import by_policy, heard
from ivig.core.programme import GIVEN, Entry, Programme
from ivig.core.rule import FACTS, Needs, Rule, Seen, needs, without

_MOST_VARIANTS = 64
_NO_MEDICATION = Root("order-medication-missing")


class Case:
    """The facts of one order, each made when first asked for.

    `absent` and `lacking` hold those that are not there, and those that were seen in part: what nearly every call has to know, by name.
    """

    __slots__ = ("absent", "lacking", "values", "variants")

    def __init__(
        self,
        values: dict[str, Any],
        absent: dict[str, Absent] | None = None,
        lacking: dict[str, tuple[Root, ...]] | None = None,
    ) -> None:
        self.values = values
        self.variants: dict[tuple[tuple[str, int], ...], Case] = {}
        self.absent: dict[str, Absent] = {} if absent is None else absent
        self.lacking: dict[str, tuple[Root, ...]] = {} if lacking is None else lacking
        if absent is None:
            for name, value in values.items():
                self._keep(name, value)

    def get(self, name: str) -> Any:
        if name not in self.values:
            self._keep(name, self.ask(FACTS[name].make))
        return self.values[name]

    def _keep(self, name: str, value: Any) -> None:
        self.values[name] = value
        if value.__class__ is Absent:
            self.absent[name] = value
        elif value.__class__ is Seen and value.lacking:
            self.lacking[name] = value.lacking

    def fill(self, plan: Sequence[tuple[str, Needs]]) -> None:
        """Make these facts, each after those it needs. One that crashes is left out: the rules that ask for it will tell."""
        values, absent, lacking = self.values, self.absent, self.lacking
        for name, wanted in plan:
            try:
                lacks = absent and not wanted.strict.isdisjoint(absent)
                value = self.ask(wanted) if lacks else wanted.call(*wanted.fetch(values))
            except NotInForce as gap:
                value = Absent((Root("knowledge-not-in-force", gap.key),))
            except Exception:  # noqa: BLE001, S112  (see above: it is asked for again, and told, rule by rule)
                continue
            values[name] = value
            kind = value.__class__
            if kind is Absent:
                absent[name] = value
            elif kind is Seen and value.lacking:
                lacking[name] = value.lacking

    def make(self, names: tuple[str, ...]) -> None:
        """Make those of these facts that are not there yet."""
        for name in names:
            if name not in self.values:
                self._keep(name, self.ask(FACTS[name].make))

    def ask(self, wanted: Needs) -> Any:
        """Call `wanted` with its facts; what it lacks comes back as Absent."""
        values = self.values
        try:
            arguments = wanted.fetch(values)
        except KeyError:
            self.make(wanted.names)
            arguments = wanted.fetch(values)
        if self.absent and not wanted.strict.isdisjoint(self.absent):
            return without(wanted, self.absent)
        try:
            return wanted.call(*arguments)
        except NotInForce as gap:
            return Absent((Root("knowledge-not-in-force", gap.key),))

    def gaps(self, wanted: Needs) -> tuple[Root, ...]:
        """The roots of what a call to `wanted` would have liked to see and did not."""
        if not self.lacking:
            return ()
        return tuple(dict.fromkeys(r for name in wanted.names if name in self.lacking for r in self.lacking[name]))

    def varied(self, name: str, value: Any, dependents: frozenset[str]) -> Case:
        kept = {k: v for k, v in self.values.items() if k not in dependents}
        kept[name] = value
        return Case(kept)


class Answer(Struct, frozen=True):
    """What one rule said: its findings, and the roots for want of which it was not (fully) judged."""

    findings: tuple[Finding, ...] = ()
    roots: tuple[Root, ...] = ()


_SILENT = Answer()


class Judge:
    """Judges one order after another with the rules of `modules`, in their order."""

    def __init__(
        self, modules: Sequence[ModuleType], crashed: Rule, verdict: Rule, log: Callable[[str, str], None] | None = None
    ) -> None:
        self.entries = tuple(
            Entry(
                m.rule,
                needs(m.concerns) if hasattr(m, "concerns") else None,
                needs(m.check) if hasattr(m, "check") else None,
                needs(m.content) if hasattr(m, "content") else None,
            )
            for m in modules
        )
        self.rules = {e.rule.name: e.rule for e in self.entries}
        self._entry = {e.rule.name: e for e in self.entries}
        self._alone: dict[str, Programme] = {}  # written when first asked for
        self.crashed, self.verdict, self.log = crashed, verdict, log
        self.dependents = _dependents()
        _all_named(self.entries)
        self.plan = _planned(self.entries)
        self.programme = Programme(self.entries, self.plan)
        flagging = [e for e in self.entries if e.check is not None and e.rule.result == Result.FLAGGED]
        self.checked = {True: len(flagging), False: sum(1 for e in flagging if e.rule.any_product)}

    def judge(self, order: Order, book: Book) -> Judgement:
        """All findings about `order` by the knowledge of `book`."""
        case = Case({"order": order, "book": book})
        full = bool(case.get("in_scope"))
        said, lacking = self._gathered(case, order, full)
        if book.silenced:
            lacking = heard(lacking, book.silenced)
        findings, silenced = by_policy(self._with_roots(said, lacking, order), book)
        verdict = _worst(findings)
        if order.broken and verdict == Verdict.CLEAR:
            verdict = Verdict.ADVISE  # a part of the order could not be read: it is told beside the findings
        judged = "partial" if any(f.not_judged for f in findings) else "full"
        names = tuple(dict.fromkeys(name for f in findings for name in f.not_judged))
        findings.insert(0, self._told(verdict, judged, findings, names, self.checked[full], order, silenced))
        return Judgement(order.ref, order.path, order.day, verdict, judged, tuple(findings), order.broken)

    def alone(self, name: str, order: Order, book: Book) -> tuple[Finding, ...]:
        """What one rule finds by itself, which is among what `judge` finds; () where the policy has a say in whether it is told."""
        entry = self._entry.get(name)
        if entry is None or entry.check is None or name in book.silenced:
            return ()
        case = Case({"order": order, "book": book})
        if not case.get("in_scope"):
            return self._asked(entry, case).findings if entry.rule.any_product else ()
        programme = self._alone.get(name)
        if programme is None:
            programme = self._alone[name] = Programme((entry,), _planned((entry,)))
        try:
            return tuple(self._said(programme, order, book)[0])
        except Exception:  # noqa: BLE001  (see `_gathered`)
            return self._asked(entry, case).findings

    def _gathered(self, case: Case, order: Order, full: bool) -> tuple[list[Finding], dict[Root, list[str]]]:
        """What every rule says, and the names of those that were not judged, by what they lacked."""
        if full:
            try:
                return self._straight(order, case.values["book"])
            except Exception:  # noqa: BLE001, S110  (a fact or a rule crashed, or a value is not in force: step by step it is told)
                pass
        return self._step_by_step(case, order, full)

    def _straight(self, order: Order, book: Book) -> tuple[list[Finding], dict[Root, list[str]]]:
        """The same as `_step_by_step` for an order in scope, by the programme: what raises an exception is not for it."""
        return self._said(self.programme, order, book)

    def _said(self, programme: Programme, order: Order, book: Book) -> tuple[list[Finding], dict[Root, list[str]]]:
        said: list[Finding] = []
        lacking: dict[Root, list[str]] = {}
        values = programme.facts(order, book)
        case = Case(values, values.pop("_absent"), values.pop("_lacking"))
        programme.rules(case, said, lambda entry: self._ask(entry, case, said, lacking))
        return said, lacking

    def _step_by_step(self, case: Case, order: Order, full: bool) -> tuple[list[Finding], dict[Root, list[str]]]:
        said: list[Finding] = []
        lacking: dict[Root, list[str]] = {}
        if full:
            case.fill(self.plan)
        for entry in self.entries:
            if entry.check is None:
                continue
            if full or entry.rule.any_product:
                self._ask(entry, case, said, lacking)
            elif order.medication_missing:  # what is ordered is not known, so nothing of it was judged
                lacking.setdefault(_NO_MEDICATION, []).append(entry.rule.name)
        return said, lacking

    def _ask(self, entry: Entry, case: Case, said: list[Finding], lacking: dict[Root, list[str]]) -> None:
        found = _ordinary(entry, case)
        if found is None:
            answer = self._asked(entry, case)
            found = answer.findings
            for missing in answer.roots:
                lacking.setdefault(missing, []).append(entry.rule.name)
        said.extend(found)

    def _asked(self, entry: Entry, case: Case) -> Answer:
        try:
            answer = _answer(entry, case)
            return self._agreed(entry, case, answer) if answer.roots else answer
        except Exception as fault:  # noqa: BLE001  (a rule must never take the request down; the finding says so)
            if self.log:
                self.log(entry.rule.name, type(fault).__name__)
            told = self.crashed.finding(at=(case.values["order"].path,), rule=entry.rule.name, about=entry.rule.name)
            return Answer((_not_judged(structs.replace(told, rule=entry.rule.name), (entry.rule.name,)),))

    def _agreed(self, entry: Entry, case: Case, answer: Answer) -> Answer:
        """Ask again with every value an unknown fact could have; where all agree, the rule is judged after all."""
        names = {r.name for r in answer.roots}
        open_facts = [f for f in FACTS.values() if f.alternatives and names.intersection(f.roots)]
        choices = []
        for unknown in open_facts:
            assert unknown.alternatives is not None
            could_be = case.ask(unknown.alternatives)
            if isinstance(could_be, Absent) or not could_be:
                continue
            choices.append([(unknown.name, place, value) for place, value in enumerate(could_be)])
        if not choices or not _small(choices):
            return answer
        answers = []
        for chosen in itertools.product(*choices):
            key = tuple((name, place) for name, place, _ in chosen)
            varied = case.variants.get(key)
            if varied is None:  # the same for every rule that asks
                varied = case
                for name, _, value in chosen:
                    varied = varied.varied(name, value, self.dependents[name])
                case.variants[key] = varied
            answers.append(_answer(entry, varied))
        rest = tuple(dict.fromkeys(r for a in answers for r in a.roots))
        shapes = {tuple(f.severity for f in a.findings) for a in answers}
        if all(a.findings for a in answers):
            mildest = min(answers, key=lambda a: max(f.severity for f in a.findings))
            return Answer(mildest.findings, rest if len(shapes) == 1 else answer.roots)
        if not any(a.findings for a in answers):
            return Answer((), rest)
        return answer

    def _with_roots(self, said: list[Finding], lacking: dict[Root, list[str]], order: Order) -> list[Finding]:
        """Hang what was not judged under the issue of the datum it lacked; raise that issue where no rule has."""
        findings = []
        for f in said:
            names = lacking.pop(Root(f.rule, f.about), None)
            findings.append(_not_judged(f, tuple(dict.fromkeys(names))) if names else f)
        for missing, names in lacking.items():
            # The datum's own issue may have spoken about something else of it (a flagged rule can be a root): hang it there.
            place = next((i for i, f in enumerate(findings) if f.rule == missing.name and not missing.about), None)
            if place is not None:
                findings[place] = _not_judged(
                    findings[place], tuple(dict.fromkeys((*findings[place].not_judged, *names)))
                )
                continue
            told = self.rules.get(missing.name, self.crashed)
            raised = told.finding(at=(order.path,), about=missing.about, what=missing.about, rule=missing.name)
            raised = structs.replace(raised, rule=missing.name, result=Result.CANNOT_TELL)
            findings.append(_not_judged(raised, tuple(dict.fromkeys(names))))
        return findings

    def _told(
        self,
        verdict: Verdict,
        judged: str,
        findings: list[Finding],
        names: tuple[str, ...],
        checked: int,
        order: Order,
        silenced: tuple[str, ...],
    ) -> Finding:
        flagged = [f for f in findings if f.result == Result.FLAGGED and f.severity > Severity.INFORMATION]
        if verdict == Verdict.CLEAR:
            says = "Nothing found by {checked} rules" if judged == "full" else "Nothing found; not checked: {unchecked}"
        else:
            says = {
                Verdict.STOP: "Should not go ahead as written: {errors} error(s), {warnings} warning(s)",
                Verdict.ADVISE: "Needs a decision: {warnings} warning(s)",
                Verdict.CANNOT_TELL: "Cannot tell: data are missing; {warnings} warning(s)",
            }[verdict]
        if verdict == Verdict.ADVISE and not flagged:
            says = "Needs a decision: a part of the order could not be read"
        whole = f"Checked: {checked} rules." if not names else f"Checked: {checked - len(names)} of {checked} rules."
        shown = ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
        return self.verdict.finding(
            at=(order.path,),
            says=says,
            sums=(whole,) + ((f"Not checked for want of data: {', '.join(names)}.",) if names else ()) + silenced,
            assumed=order.assumptions,
            checked=checked,
            unchecked=shown,
            errors=sum(1 for f in flagged if f.severity == Severity.ERROR),
            warnings=sum(1 for f in flagged if f.severity == Severity.WARNING),
            about=verdict.value,
        )


def _ordinary(entry: Entry, case: Case) -> tuple[Finding, ...] | None:
    """The short way, for a rule that lacks nothing: its findings. None for whatever is out of the ordinary."""
    concerns, check = entry.concerns, entry.check
    absent, values = case.absent, case.values
    assert check is not None
    try:
        if concerns is not None:
            if not (concerns.strict.isdisjoint(absent) and concerns.all.isdisjoint(case.lacking)):
                return None
            concerned = concerns.call(*concerns.fetch(values))
            if concerned.__class__ is Absent:
                return None
            if not concerned:
                return ()
            case.make(check.names)
        if not check.strict.isdisjoint(absent):
            return None
        found = tuple(check.call(*check.fetch(values)))
    except Exception:  # noqa: BLE001  (asked again, and told, on the long way)
        return None
    return found if found or check.all.isdisjoint(case.lacking) else None


def _answer(entry: Entry, case: Case) -> Answer:
    if entry.concerns is not None:
        concerned = case.ask(entry.concerns)
        if concerned.__class__ is Absent:
            return Answer((), concerned.roots)
        if not concerned:
            gaps = case.gaps(entry.concerns)
            return Answer((), gaps) if gaps else _SILENT
    assert entry.check is not None
    found = case.ask(entry.check)
    if found.__class__ is Absent:
        return Answer((), found.roots)
    try:
        findings = tuple(found)
    except NotInForce as gap:
        return Answer((), (Root("knowledge-not-in-force", gap.key),))
    if findings:
        return Answer(findings)
    gaps = case.gaps(entry.check)
    return Answer((), gaps) if gaps else _SILENT


def _small(choices: Iterable[Sequence[Any]]) -> bool:
    product = 1
    for some in choices:
        product *= len(some)
    return product <= _MOST_VARIANTS


def _not_judged(f: Finding, names: tuple[str, ...]) -> Finding:
    return structs.replace(f, not_judged=names)


def _worst(findings: Iterable[Finding]) -> Verdict:
    worst = Verdict.CLEAR
    for f in findings:
        if f.result == Result.FLAGGED and f.severity == Severity.ERROR:
            return Verdict.STOP
        if f.severity == Severity.WARNING:
            if f.result == Result.CANNOT_TELL:
                worst = Verdict.CANNOT_TELL
            elif f.result == Result.FLAGGED and worst == Verdict.CLEAR:
                worst = Verdict.ADVISE
    return worst


def _all_named(entries: Iterable[Entry]) -> None:
    """Every parameter of every rule and fact names a fact, and no fact needs itself; otherwise the service does not start."""
    asked = [(e.rule.name, n) for e in entries for n in (e.concerns, e.check, e.content) if n is not None]
    asked += [(f.name, n) for f in FACTS.values() for n in (f.make, f.alternatives) if n is not None]
    unknown = sorted(
        {f"{who} asks for {name}" for who, n in asked for name, _ in n.facts if name not in FACTS and name not in GIVEN}
    )
    if unknown:
        raise LookupError("no such fact: " + "; ".join(unknown))
    done: set[str] = set(GIVEN)

    def walk(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise LookupError("facts that need each other: " + " > ".join((*above[above.index(name) :], name)))
        if name not in done:
            for below, _ in FACTS[name].make.facts:
                walk(below, (*above, name))
            done.add(name)

    for name in FACTS:
        walk(name, ())


def _planned(entries: Iterable[Entry]) -> tuple[tuple[str, Needs], ...]:
    """The facts that every order is asked for, each after those it needs.

    What only the check of a rule with `concerns` needs is made when an order concerns it.
    """
    order: list[tuple[str, Needs]] = []
    seen: set[str] = set(GIVEN)

    def walk(name: str) -> None:
        if name not in seen:
            seen.add(name)
            for below in FACTS[name].make.names:
                walk(below)
            order.append((name, FACTS[name].make))

    for entry in entries:
        wanted = entry.concerns or entry.check
        for name in wanted.names if wanted is not None else ():
            walk(name)
    return tuple(order)


def _dependents() -> dict[str, frozenset[str]]:
    """For each fact with alternatives: itself and every fact made from it."""
    users: dict[str, set[str]] = {}
    for f in FACTS.values():
        for name, _ in f.make.facts:
            users.setdefault(name, set()).add(f.name)
    closed: dict[str, frozenset[str]] = {}
    for start, declared in FACTS.items():
        if declared.alternatives:
            reached, queue = {start}, [start]
            while queue:
                for user in users.get(queue.pop(), ()):
                    if user not in reached:
                        reached.add(user)
                        queue.append(user)
            closed[start] = frozenset(reached)
    return closed

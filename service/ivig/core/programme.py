"""The judge's work on an order of which nothing is out of the ordinary, written out as two plain functions when the service starts.

Going round a table of facts and rules, looking up what each asks for and calling it, costs as much as the facts and rules themselves.
So it is written out: one line for each fact (`age = make_age(order)`), one for each rule, the facts as local variables. What the lines
say is what `Case.fill` and the judge say step by step, for the same order with the same answer; `source` shows them. Whatever raises an
exception is left to the judge, who starts again step by step and tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ivig.core.book import Book
from ivig.core.finding import Absent, Finding
from ivig.core.order import Order
from ivig.core.rule import FACTS, Needs, Rule, without

if TYPE_CHECKING:
    from ivig.core.judge import Case

# The facts that are given, not made.
GIVEN = ("order", "book")


class Entry(Struct, frozen=True):
    """A rule as the judge calls it."""

    rule: Rule
    concerns: Needs | None
    check: Needs | None
    content: Needs | None = None  # only for `core/checked.py`: no part of judging


class Programme:
    """The facts of `plan` and the rules of `entries`, written out.

    `facts(order, book)` gives all facts by name, and beside them `_absent` and `_lacking` as a `Case` keeps them.
    `rules(case, said, ask)` adds to `said` what the rules flag. For a rule that may lack something it calls `ask`.
    """

    def __init__(self, entries: Sequence[Entry], plan: Sequence[tuple[str, Needs]]) -> None:
        writer = _Writer(plan)
        self.source = "\n".join([*writer.facts(), "", "", *writer.rules(entries), ""])
        names = writer.names
        exec(compile(self.source, "<the judge's programme>", "exec"), names)  # noqa: S102  (of names of our own code)
        self.facts: Callable[[Order, Book], dict[str, Any]] = names["facts"]
        self.rules: Callable[[Case, list[Finding], Callable[[Entry], None]], None] = names["rules"]


class _Writer:
    """Writes the lines. What cannot be absent or seen in part, by what it is declared to be, is not looked at."""

    def __init__(self, plan: Sequence[tuple[str, Needs]]) -> None:
        self.plan = plan
        self.names: dict[str, Any] = {"Absent": Absent, "without": without}
        self.seen = {name for name, fact in FACTS.items() if _can_be(fact.make, "Seen")}
        # The facts that can be absent: so declared, or made of one that has to be there and can be absent itself.
        self.absent = {name for name, fact in FACTS.items() if _can_be(fact.make, "Absent")}
        while more := {
            n for n, f in FACTS.items() if n not in self.absent and not f.make.strict.isdisjoint(self.absent)
        }:
            self.absent |= more

    def facts(self) -> Iterator[str]:
        """Each fact after those it needs."""
        yield from ("def facts(order, book):", "    _absent = {}", "    _lacking = {}")
        for name, wanted in self.plan:
            self.names |= {f"make_{name}": wanted.call, f"needs_{name}": wanted, f"strict_{name}": wanted.strict}
            made = [f"{name} = make_{name}({', '.join(wanted.names)})"]
            if _can_be(wanted, "Absent"):
                made += [f"if {name}.__class__ is Absent:", f"    _absent['{name}'] = {name}"]
            if name in self.seen:
                sure = "if" if len(made) == 1 else "elif"
                made += [f"{sure} {name}.lacking:", f"    _lacking['{name}'] = {name}.lacking"]
            if not wanted.strict.isdisjoint(self.absent):
                gone = f"    {name} = _absent['{name}'] = without(needs_{name}, _absent)"
                made = [f"if _absent and not strict_{name}.isdisjoint(_absent):", gone, "else:", *_indented(made)]
            yield from _indented(made)
        yield "    return locals()"

    def rules(self, entries: Sequence[Entry]) -> Iterator[str]:
        """Each rule in reading order: whether it is concerned, and what it flags. What only its check asks for is made there."""
        made = {*GIVEN, *(name for name, _ in self.plan)}
        judging = [(entry, entry.check) for entry in entries if entry.check is not None]
        asked = {
            n for entry, check in judging for n in (*(entry.concerns.names if entry.concerns else ()), *check.names)
        }
        yield from (
            "def rules(case, said, ask):",
            "    values, absent, lacking = case.values, case.absent, case.lacking",
        )
        yield from (f"    {name} = values['{name}']" for name in sorted(asked & made))
        for entry, check in judging:
            key = entry.rule.name.replace("-", "_")
            self.names |= {f"ask_{key}": entry, f"check_{key}": check.call}
            late = tuple(name for name in check.names if name not in made)
            lines = [f"said += check_{key}({', '.join(check.names)})"]
            lines = self._if_sure(check, f"check_{key}", f"ask(ask_{key})", lines, late)
            if entry.concerns is not None:
                self.names[f"concerns_{key}"] = entry.concerns.call
                first = [f"case.make({late})", *(f"{name} = values['{name}']" for name in late)] if late else []
                concerned = f"concerns_{key}({', '.join(entry.concerns.names)})"
                if _can_be(entry.concerns, "Absent"):
                    unknown = [f"concerned = {concerned}", "if concerned.__class__ is Absent:", f"    ask(ask_{key})"]
                    lines = [*unknown, "elif concerned:", *_indented([*first, *lines])]
                else:
                    lines = [f"if {concerned}:", *_indented([*first, *lines])]
                lines = self._if_sure(entry.concerns, f"concerns_{key}", f"ask(ask_{key})", lines)
            yield from _indented(lines)

    def _if_sure(
        self, wanted: Needs, called: str, otherwise: str, lines: list[str], late: tuple[str, ...] = ()
    ) -> list[str]:
        """`lines` where nothing that `wanted` asks for is absent or seen in part. `late`: those of which anything can be."""
        unsure = []
        if not wanted.strict.isdisjoint((*self.absent, *late)):
            self.names[f"strict_{called}"] = wanted.strict
            unsure.append(f"absent and not strict_{called}.isdisjoint(absent)")
        if not wanted.all.isdisjoint((*self.seen, *late)):
            self.names[f"all_{called}"] = wanted.all
            unsure.append(f"lacking and not all_{called}.isdisjoint(lacking)")
        return [f"if {' or '.join(unsure)}:", f"    {otherwise}", "else:", *_indented(lines)] if unsure else lines


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _can_be(wanted: Needs, what: str) -> bool:
    """Whether a fact can be `Absent`, or `Seen` in part, by what it is declared to be; undeclared, it can be either."""
    declared = str(wanted.call.__annotations__.get("return", what))
    return what in declared or (what == "Absent" and "Maybe[" in declared)

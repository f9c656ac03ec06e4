"""The judge's work on an order of which nothing is out of the ordinary, written out as two plain functions when the service starts.

Going round a table of facts and rules, looking up what each asks for and calling it, costs as much as the facts and rules themselves.
So it is written out: one line for each fact (`age = make_age(order)`), one for each rule, the facts as local variables. What the lines
say is what `Case.fill` and the judge say step by step, for the same order with the same answer; `source` shows them. Whatever raises an
exception is left to the judge, who starts again step by step and tells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    `rules(case, said, ask)` adds to `said` what the rules flag. A rule that is concerned and one that may lack something
    it calls `ask` for.
    """

    def __init__(self, entries: Sequence[Entry], plan: Sequence[tuple[str, Needs]]) -> None:
        names: dict[str, Any] = {"Absent": Absent, "without": without}
        self.source = _facts(plan, names) + _rules(entries, names)
        exec(compile(self.source, "<the judge's programme>", "exec"), names)  # noqa: S102  (made of names of our own code)
        self.facts: Callable[[Order, Book], dict[str, Any]] = names["facts"]
        self.rules: Callable[[Case, list[Finding], Callable[[Entry], None]], None] = names["rules"]


def _facts(plan: Sequence[tuple[str, Needs]], names: dict[str, Any]) -> str:
    """Each fact after those it needs. What cannot be absent or seen in part, by what it is declared to be, is not looked at."""
    maybe_absent = _maybe_absent()
    lines = ["def facts(order, book):", "    _absent = {}", "    _lacking = {}"]
    for name, wanted in plan:
        names[f"make_{name}"], names[f"needs_{name}"], names[f"strict_{name}"] = wanted.call, wanted, wanted.strict
        indent = "    "
        if not wanted.strict.isdisjoint(maybe_absent):
            lines += [
                f"    if _absent and not strict_{name}.isdisjoint(_absent):",
                f"        {name} = _absent['{name}'] = without(needs_{name}, _absent)",
                "    else:",
            ]
            indent = "        "
        lines.append(f"{indent}{name} = make_{name}({', '.join(wanted.names)})")
        told, of_class = _returns(wanted), ""
        if "Absent" in told:
            lines += [f"{indent}if {name}.__class__ is Absent:", f"{indent}    _absent['{name}'] = {name}"]
            of_class = "el"
        if "Seen" in told:
            lines += [f"{indent}{of_class}if {name}.lacking:", f"{indent}    _lacking['{name}'] = {name}.lacking"]
    return "\n".join([*lines, "    return locals()", "", ""])


def _rules(entries: Sequence[Entry], names: dict[str, Any]) -> str:
    maybe_absent = _maybe_absent()
    maybe_lacking = {name for name, fact in FACTS.items() if "Seen" in _returns(fact.make)}
    first = [e.concerns or e.check for e in entries if e.check is not None]
    judging = [(entry, entry.concerns or entry.check) for entry in entries if entry.check is not None]
    asked = sorted({name for _, wanted in judging for name in wanted.names})
    lines = ["def rules(case, said, ask):", "    values, absent, lacking = case.values, case.absent, case.lacking"]
    lines += [f"    {name} = values['{name}']" for name in asked]
    for entry, wanted in judging:
        key = entry.rule.name.replace("-", "_")
        names[f"call_{key}"], names[f"entry_{key}"] = wanted.call, entry
        names[f"strict_{key}"], names[f"all_{key}"] = wanted.strict, wanted.all
        unsure = []
        if not wanted.strict.isdisjoint(maybe_absent):
            unsure.append(f"absent and not strict_{key}.isdisjoint(absent)")
        if not wanted.all.isdisjoint(maybe_lacking):
            unsure.append(f"lacking and not all_{key}.isdisjoint(lacking)")
        call = f"call_{key}({', '.join(wanted.names)})"
        does = f"said += {call}" if entry.concerns is None else f"if {call}: ask(entry_{key})"
        if unsure:
            lines += [f"    if {' or '.join(unsure)}:", f"        ask(entry_{key})", "    else:", f"        {does}"]
        else:
            lines.append(f"    {does}")
    return "\n".join([*lines, ""])


def _returns(wanted: Needs) -> str:
    """What a fact is declared to be, as far as it matters: whether it can be absent, or seen in part."""
    told = str(wanted.call.__annotations__.get("return", "Absent Seen"))
    return ("Absent " if "Maybe[" in told or "Absent" in told else "") + ("Seen" if "Seen" in told else "")


def _maybe_absent() -> set[str]:
    """The facts that can be absent: so declared, or made of one that has to be there and can be absent itself."""
    found = {name for name, fact in FACTS.items() if "Absent" in _returns(fact.make)}
    while more := {n for n, f in FACTS.items() if n not in found and not f.make.strict.isdisjoint(found)}:
        found |= more
    return found

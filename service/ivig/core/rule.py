"""What a rule is, what a fact is, and how both say which facts they need: by the names of their parameters.

A rule's module has `rule = Rule(...)`, optionally `concerns(...)`, `check(...)`, and optionally `content(...)`: the arithmetic in one
line where there was nothing to flag, asked for only by a door that shows it. A fact is a function marked `@fact`.
Where `concerns` is False the rule
does not apply; None says that it does, and that there is plainly nothing to flag, so that `check` need not be called.
Parameters name facts. A parameter annotated `Maybe[...]` also takes an absent one; any other parameter that is absent keeps the
function from being called, and what it lacks is passed on.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any, Generic, TypeVar, Union

from msgspec import Struct

from ivig.core.dated import Value
from ivig.core.finding import ERROR, WARNING, Absent, Finding, Input, Measure, Result, Root, Severity

T = TypeVar("T")
Maybe = Union[T, Absent]  # noqa: UP007  (an alias with a parameter; `|` cannot make one at run time)


SECTION = Root("chart-section-missing")


class Seen(Struct, Generic[T], frozen=True):
    """What was seen, beside what would have told more: `lacking` holds the roots of it.

    A rule flags on what was seen. When it stays silent and something is lacking, it counts as not judged under those roots.
    """

    items: tuple[T, ...]
    lacking: tuple[Root, ...] = ()


class Rule(Struct, frozen=True, kw_only=True):
    """The name, severity and wording of one kind of finding.

    Args:
        name: the code on the wire; also the file's path below `rules/`.
        severity: the default severity.
        says: one sentence under 140 characters with `{names}` for the numbers that decided.
        result: `flagged`, `cannot-tell` (a root: a datum that is absent) or `note`.
        code: the FHIR issue type.
        any_product: also asked of subcutaneous, intramuscular and hyperimmune orders.
        contraindication: keeps its severity on an unconfirmed source, and says so.
        consider: what could be done about it, worded as something to consider; without numbers.
        alternatives: another treatment is a sensible answer to it, so its explanation names those of the indication's page
            (findings of some families have them anyway, see `core/explanation.py`).
    """

    name: str
    severity: Severity
    says: str
    result: Result = Result.FLAGGED
    code: str = "business-rule"
    any_product: bool = False
    contraindication: bool = False
    consider: str = ""
    alternatives: bool = False

    def finding(
        self,
        *,
        at: Iterable[str] = (),
        severity: Severity | None = None,
        says: str | None = None,
        sums: tuple[str, ...] = (),
        inputs: Iterable[Input] = (),
        cites: tuple[Value, ...] = (),
        measure: Measure | None = None,
        about: str = "",
        code: str | None = None,
        assumed: tuple[str, ...] = (),
        consider: tuple[str, ...] = (),
        **words: Any,
    ) -> Finding:
        """A finding of this rule. An error on an unconfirmed number becomes a warning, unless it is a contraindication.

        `assumed` says what was taken for granted; `consider` what could be done, beside what the rule itself says of it.
        """
        grave = self.severity if severity is None else severity
        capped = False
        if grave == ERROR and not self.contraindication and any(v.unconfirmed for v in cites):
            grave, capped = WARNING, True
        return Finding(
            rule=self.name,
            severity=grave,
            result=self.result,
            code=code or self.code,
            says=says or self.says,
            words=words,
            sums=sums,
            at=tuple(at),
            inputs=tuple(inputs),
            cites=cites,
            measure=measure,
            about=about,
            capped=capped,
            assumed=assumed,
            consider=consider,
        )


def titled(name: str) -> str:
    """A rule's name in words, as its code is displayed: `Dose: course above range`."""
    family, _, words = name.partition("-")
    return f"{family.capitalize()}: {words.replace('-', ' ')}"


def root(
    name: str, severity: Severity, says: str, code: str = "not-found", any_product: bool = False, consider: str = ""
) -> Rule:
    """A rule that tells of an absent datum; the judge hangs the rules that lacked it under its issue."""
    return Rule(
        name=name,
        severity=severity,
        says=says,
        result=Result.CANNOT_TELL,
        code=code,
        any_product=any_product,
        consider=consider,
    )


def note(name: str, says: str, severity: Severity = Severity.INFORMATION, any_product: bool = True) -> Rule:
    """A rule that tells what the service did."""
    return Rule(
        name=name, severity=severity, says=says, result=Result.NOTE, code="informational", any_product=any_product
    )


class Needs(Struct, frozen=True):
    """A function with the facts it asks for: each name, and whether an absent one is taken.

    `names`, `strict` (those that must be there) and `fetch` (all of them out of a dict at once) are what the judge works with.
    """

    call: Callable[..., Any]
    facts: tuple[tuple[str, bool], ...]
    names: tuple[str, ...]
    strict: frozenset[str]
    all: frozenset[str]
    fetch: Callable[[dict[str, Any]], tuple[Any, ...]]


def needs(function: Callable[..., Any]) -> Needs:
    facts = []
    for name, parameter in inspect.signature(function).parameters.items():
        said = str(parameter.annotation)
        facts.append((name, "Maybe[" in said or "Absent" in said))
    names = tuple(name for name, _ in facts)
    return Needs(
        function,
        tuple(facts),
        names,
        frozenset(n for n, takes_absent in facts if not takes_absent),
        frozenset(names),
        _fetcher(names),
    )


def _fetcher(names: tuple[str, ...]) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    if not names:
        return lambda values: ()
    (only,) = names
    return lambda values: (values[only],)


class Fact(Struct, frozen=True):
    """A derived fact: how it is made, and what it could be when it is not known."""

    name: str
    make: Needs
    alternatives: Needs | None = None
    roots: tuple[str, ...] = ()


FACTS: dict[str, Fact] = {}


def fact(function: Callable[..., T]) -> Callable[..., T]:
    """Declare `function` as the fact of its name."""
    name = function.__name__
    assert name not in FACTS, name
    FACTS[name] = Fact(name, needs(function))
    return function


def alternatives(of: str, roots: tuple[str, ...]) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Declare what the fact `of` could be when it is absent for want of one of `roots`.

    The judge then asks a rule once for each; where all answers agree, the rule counts as judged.
    """

    def mark(function: Callable[..., T]) -> Callable[..., T]:
        known = FACTS[of]
        FACTS[of] = Fact(known.name, known.make, needs(function), roots)
        return function

    return mark


def without(wanted: Needs, absent: Mapping[str, Absent]) -> Absent:
    """What a call to `wanted` comes to while facts that it must have are among the `absent`: their roots."""
    gone = [absent[name] for name in wanted.names if name in wanted.strict and name in absent]
    return Absent(tuple(dict.fromkeys(r for a in gone for r in a.roots)))


def lacks(*maybe: Any) -> Absent:
    """The roots of all absent values among `maybe`, as one absence."""
    roots: list[Root] = []
    for value in maybe:
        if isinstance(value, Absent):
            roots.extend(r for r in value.roots if r not in roots)
    return Absent(tuple(roots))

"""A rule's page: its own words, the numbers it goes by on a day, what it needs, and what is said where that is missing."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from fnmatch import fnmatchcase
from types import CodeType, FunctionType, ModuleType
from typing import Any

from msgspec import Struct

from ivig.catalogue import RULES
from ivig.core import facts  # noqa: F401  (declares the facts)
from ivig.core.book import Library
from ivig.core.dated import Value
from ivig.core.finding import Root, Severity, amount
from ivig.core.overrides import PREFIX
from ivig.core.rule import FACTS, Rule
from ivig.knowledge.load import HERE as KNOWLEDGE
from ivig.knowledge.pages import PageReader

_ASKS_POLICY = re.compile(r"""book\.(?:policy|maybe)\(\s*f?(["'])(.+?)\1""")
_HOLE = re.compile(r"\\\{[^{}]*\\\}")


class Numbers(Struct, frozen=True):
    """Policy values in force: those the rule's own file asks for, and those behind the facts it is given."""

    own: tuple[Value, ...]
    of_facts: tuple[Value, ...]


class Differs(Struct, frozen=True):
    """A number that another policy sets otherwise; `there` is None where it sets none."""

    policy: str
    key: str
    here: Value | None
    there: Value | None


class Page(Struct, frozen=True):
    """All there is to say of a rule.

    Args:
        needs: the facts it asks for, each with what it is.
        roots: the issues that tell of a missing datum and then list the rule, each with what it says.
        statements: the statements of the founding documents it carries.
        indications: titles of the pages that carry them too.
        differs: what other policies set otherwise.
    """

    rule: Rule
    title: str
    text: str
    numbers: Numbers
    day: date
    needs: tuple[tuple[str, str], ...] = ()
    roots: tuple[tuple[str, str], ...] = ()
    statements: tuple[tuple[str, str], ...] = ()
    indications: tuple[str, ...] = ()
    differs: tuple[Differs, ...] = ()


def names() -> list[str]:
    return [module.rule.name for module in RULES]


def listed() -> list[tuple[str, Severity, str, str]]:
    """Name, severity, result and title of every rule in reading order."""
    return [(m.rule.name, m.rule.severity, m.rule.result.value, _title(m)) for m in RULES]


def closest(name: str, more: Iterable[str] = ()) -> list[str]:
    """Names like `name`, of a rule or of `more`, best first."""
    known = [*names(), *more]
    within = [n for n in known if name and name in n]
    return list(dict.fromkeys([*within, *difflib.get_close_matches(name, known, 5, 0.5)]))[:5]


def page(name: str, library: Library, day: date) -> Page:
    """The page of a rule with the numbers in force on `day`.

    Raises:
        LookupError: there is no rule of this name.
    """
    module = next((m for m in RULES if m.rule.name == name), None)
    if module is None:
        raise LookupError(name)
    text = inspect.getdoc(module) or ""
    own = [*_severity(name, library), *_keys([inspect.getsource(module)], library)]
    behind = [k for k in _keys(_sources_of_facts(module), library) if k not in own]
    statements = _statements(name)
    return Page(
        module.rule,
        _title(module),
        text,
        Numbers(_in_force(own, library, day), _in_force(behind, library, day)),
        day,
        tuple(_needs(module)),
        tuple(_roots(module)),
        statements,
        _related({key for key, _ in statements}, library, day),
        tuple(_differences((*own, *behind), library, day)),
    )


def _severity(name: str, library: Library) -> list[str]:
    """The key by which the policy gives the rule another severity, where it does."""
    return [key] if (key := f"{PREFIX}{name}") in library.policy else []


def _title(module: ModuleType) -> str:
    return (inspect.getdoc(module) or "").partition("\n")[0]


def _sources_of_facts(module: ModuleType) -> list[str]:
    """The source of the facts that the rule names, with the functions they call; not of the facts behind them."""
    asked: list[Callable[..., Any]] = [getattr(module, f) for f in ("concerns", "check") if hasattr(module, f)]
    reached: dict[Callable[..., Any], None] = {}
    queue = [
        FACTS[name].make.call for function in asked for name in inspect.signature(function).parameters if name in FACTS
    ]
    queue += [called for function in asked for called in calls_of(function)]
    while queue:
        function = queue.pop()
        if function not in reached:
            reached[function] = None
            queue += calls_of(function)
    return [inspect.getsource(function) for function in reached]


def calls_of(function: Callable[..., Any]) -> list[Callable[..., Any]]:
    """Functions of our own core that `function` names."""
    codes, named = [inspect.unwrap(function).__code__], list[str]()
    while codes:
        code = codes.pop()
        named += code.co_names
        codes += [below for below in code.co_consts if isinstance(below, CodeType)]
    known = (function.__globals__.get(name) for name in named)
    return [f for f in known if isinstance(f, FunctionType) and f.__module__.startswith("ivig.core.facts")]


def _keys(sources: Iterable[str], library: Library) -> list[str]:
    """Policy keys asked for in `sources`; a key made from parts stands for every key it can make."""
    found: dict[str, None] = {}
    for source in sources:
        for _, asked in _ASKS_POLICY.findall(source):
            if "{" not in asked:
                found.setdefault(asked)
                continue
            pattern = re.compile(_HOLE.sub(r"[^.]+", re.escape(asked)))
            found.update(dict.fromkeys(key for key in library.policy if pattern.fullmatch(key)))
    return [key for key in found if key in library.policy]


def _in_force(keys: Iterable[str], library: Library, day: date) -> tuple[Value, ...]:
    book = library.on(day)
    return tuple(value for value in map(book.maybe, keys) if value is not None)


def _asked(module: ModuleType) -> list[str]:
    """The names of the facts that the rule asks for."""
    functions = [getattr(module, f) for f in ("concerns", "check") if hasattr(module, f)]
    return list(dict.fromkeys(name for f in functions for name in inspect.signature(f).parameters))


def _needs(module: ModuleType) -> Iterator[tuple[str, str]]:
    for name in _asked(module):
        if name in FACTS:
            said = (inspect.getdoc(FACTS[name].make.call) or "").partition("\n")[0].rstrip(".")
            yield name.replace("_", " "), said


def _roots(module: ModuleType) -> Iterator[tuple[str, str]]:
    """The issues of missing data that the facts of a rule, and the facts behind those, can lack."""
    queue, reached = _asked(module), set[str]()
    while queue:
        name = queue.pop()
        if name in FACTS and name not in reached:
            reached.add(name)
            queue += FACTS[name].make.names
    named: set[str] = set()
    for name in reached:
        called: dict[Callable[..., Any], None] = {}
        functions: list[Callable[..., Any]] = [FACTS[name].make.call]
        while functions:
            function = functions.pop()
            if function not in called:
                called[function] = None
                functions += calls_of(function)
                named |= _named(function)
    for other in RULES:
        rule = other.rule
        if rule.name in named and rule.name != module.rule.name:
            yield rule.name, rule.says if "{" not in rule.says else _title(other)


def _named(function: Callable[..., Any]) -> set[str]:
    """The names of issues that a function writes itself or takes from a constant of its module."""
    codes, found = [inspect.unwrap(function).__code__], set[str]()
    while codes:
        code = codes.pop()
        codes += [below for below in code.co_consts if isinstance(below, CodeType)]
        found |= {c for c in code.co_consts if isinstance(c, str)}
        for name in code.co_names:
            held = function.__globals__.get(name)
            found |= {held} if isinstance(held, str) else {held.name} if isinstance(held, Root) else set()
    return found


def _statements(rule: str) -> tuple[tuple[str, str], ...]:
    tree = PageReader(KNOWLEDGE).read(KNOWLEDGE / "statements.yaml")
    return tuple(
        (str(key), str(row["says"]))
        for key, row in tree["statements"].items()
        if any(fnmatchcase(rule, str(pattern)) for pattern in row["rules"])
    )


def _related(statements: set[str], library: Library, day: date) -> tuple[str, ...]:
    book = library.on(day)
    pages = map(book.indication, book.indications())
    return tuple(page.title for page in pages if not statements.isdisjoint(page.statements))


def _differences(keys: Iterable[str], library: Library, day: date) -> Iterator[Differs]:
    """What the other policies set otherwise for a rule."""
    book = library.on(day)
    for name, of in sorted(library.policies.items()):
        if of is library:
            continue
        other = of.on(day)
        for key in keys:
            here, there = book.maybe(key), other.maybe(key)
            if (here and amount(here)) != (there and amount(there)):
                yield Differs(name, key, here, there)

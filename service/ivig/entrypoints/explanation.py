"""A rule's page: its own words, and the numbers it goes by on a day."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Iterable
from datetime import date
from types import CodeType, FunctionType, ModuleType
from typing import Any

from msgspec import Struct

from ivig.catalogue import RULES
from ivig.core import facts  # noqa: F401  (declares the facts)
from ivig.core.book import Library
from ivig.core.dated import Value
from ivig.core.finding import Severity
from ivig.core.overrides import PREFIX
from ivig.core.rule import FACTS, Rule

_ASKS_POLICY = re.compile(r"""book\.(?:policy|maybe)\(\s*f?(["'])(.+?)\1""")
_HOLE = re.compile(r"\\\{[^{}]*\\\}")


class Numbers(Struct, frozen=True):
    """Policy values in force: those the rule's own file asks for, and those behind the facts it is given."""

    own: tuple[Value, ...]
    of_facts: tuple[Value, ...]


class Page(Struct, frozen=True):
    rule: Rule
    title: str
    text: str
    numbers: Numbers
    day: date


def names() -> list[str]:
    return [module.rule.name for module in RULES]


def listed() -> list[tuple[str, Severity, str, str]]:
    """Name, severity, result and title of every rule in reading order."""
    return [(m.rule.name, m.rule.severity, m.rule.result.value, _title(m)) for m in RULES]


def closest(name: str) -> list[str]:
    """Names like `name`, best first."""
    known = names()
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
    return Page(
        module.rule, _title(module), text, Numbers(_in_force(own, library, day), _in_force(behind, library, day)), day
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

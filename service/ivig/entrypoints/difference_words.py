"""Words for a place in the knowledge: whom it concerns, what it is, what a change of it does, which rules ask for it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from types import CodeType

from ivig.catalogue import RULES
from ivig.core.book import Library
from ivig.core.dated import Value
from ivig.core.finding import plain
from ivig.core.overrides import OFF, PREFIX
from ivig.core.rule import FACTS
from ivig.entrypoints.explanation import calls_of

_PHASES = {"induction": "first course", "maintenance": "maintenance"}
_THINGS = {
    "course": "grams per kg of a course or cycle",
    "regimens": "days, and the most on a day",
    "interval": "interval",
    "status": "standing of the indication",
    "market": "on the market",
    "min_age": "lowest age on the label",
    "rate_initial": "rate to begin with",
    "rate_max": "highest rate",
    "rate_at_risk": "highest rate at risk",
    "weight_basis": "weight the dose rests on",
    "iga": "content of IgA",
    "vials": "vial sizes",
    "codes": "codes",
    "not_codes": "codes that never count",
    "wide_codes": "codes that count only with the right words",
    "names": "names in texts",
    "page": "page",
}
_STANDING = {
    "not_recommended": "an order for it is an error (indication-not-recommended)",
    "not_routine": "an order for it is a warning (indication-not-routine)",
    "guideline": "an order for it is not questioned",
    "labelled": "an order for it is not questioned",
}
_RANGES = ("course", "regimens", "interval")


def subject(path: tuple[str, ...], library: Library, older: Library) -> str:
    """Whom a change concerns."""
    kind, key = path[0], path[1]
    if kind == "policy":
        if key.startswith(PREFIX):
            return f"Findings of {key.removeprefix(PREFIX)}"
        page = key.removeprefix("positions.")
        if page in library.pages["indications"]:
            return f"Orders for {_title(library, older, 'indications', page)}"
        return "All orders"
    title = _title(library, older, kind, key)
    match kind:
        case "indications":
            return f"Orders for {title}"
        case "products":
            return f"Orders of {title}"
        case "sets":
            return f"Everyone with: {title}"
        case "tests":
            return f"Results of {title}"
    return title


def _title(library: Library, older: Library, kind: str, key: str) -> str:
    page = library.pages.get(kind, {}).get(key) or older.pages.get(kind, {}).get(key) or {}
    return str(page.get("title", key))


def thing(path: tuple[str, ...]) -> str:
    """What differs, in words."""
    kind, rest = path[0], path[2:]
    if kind == "policy":
        key = path[1]
        return "severity" if key.startswith(PREFIX) else key.replace("_", " ").replace(".", ", ")
    said = []
    for part in rest:
        if part in ("phases", "labels", "value"):
            continue
        said.append(_PHASES.get(part) or _THINGS.get(part) or part.replace("_", " "))
    if "labels" in rest:
        said.insert(0, "label")
    return ", ".join(said)


def without(path: tuple[str, ...]) -> str:
    """What holds where a policy gives a rule no severity: the rule's own."""
    if path[0] != "policy" or not path[1].startswith(PREFIX):
        return ""
    rules = {module.rule.name: module.rule for module in RULES}
    rule = rules.get(path[1].removeprefix(PREFIX))
    return f"the rule's own ({rule.severity.name.lower()})" if rule is not None else ""


def effect(path: tuple[str, ...], before: Value | None, after: Value | None) -> str:
    """What comes of it, where that can be said in general."""
    last = path[-1]
    if after is None:
        return "no longer in force" if before is not None else ""
    if path[0] == "policy" and path[1].startswith(PREFIX):
        reason = f": {after.reason}" if after.reason else ""
        return f"silenced{reason}" if after.word == OFF else f"told as {after.word}{reason}"
    if last == "status" and after.words:
        return _STANDING.get(after.word, "")
    if last == "market" and after.words:
        if after.word == "withdrawn":
            return "an order of it is flagged (product-discontinued)"
        return "before this day it was not to be had and its orders were not judged for it" if before is None else ""
    if before is None:
        return "before, nothing was in force"
    if last not in _RANGES:
        return ""
    return "; ".join(_ends(before, after))


def _ends(before: Value, after: Value) -> Iterator[str]:
    unit = f" {after.unit}"
    old_top, new_top = _top(before), _top(after)
    if old_top is not None and new_top is not None and old_top != new_top:
        yield (
            f"more than {plain(new_top)}{unit} is flagged"
            if new_top < old_top
            else f"up to {plain(new_top)}{unit} passes"
        )
    if before.lower is not None and after.lower is not None and before.lower != after.lower:
        yield (
            f"less than {plain(after.lower)}{unit} is flagged"
            if after.lower > before.lower
            else f"down to {plain(after.lower)}{unit} passes"
        )


def _top(value: Value) -> Decimal | None:
    return max(p.day for p in value.pairs) if value.pairs else value.upper


# -- rules ------------------------------------------------------------------------------------------------------------


def rules_of(path: tuple[str, ...]) -> tuple[str, ...]:
    """The rules that ask for a policy key: first those that do so themselves, then those whose facts do."""
    if path[0] != "policy" or path[1].startswith(PREFIX):
        return ()
    found = dict.fromkeys(
        rule for depth in range(3) for rule, constants in _asked(depth).items() if _names(path[1], constants)
    )
    return tuple(found)


def _names(key: str, constants: frozenset[str]) -> bool:
    return key in constants or any(key.startswith(c) for c in constants if c.count(".") and c[-1] in "._")


@cache
def _asked(depth: int) -> dict[str, frozenset[str]]:
    """Strings in the code of each rule, of the facts it names, of those that these name, and of what all of them call.

    Args:
        depth: 0 for the rule itself, 1 with its facts, 2 with those behind them.
    """
    found: dict[str, frozenset[str]] = {}
    for module in RULES:
        functions = [getattr(module, f) for f in ("concerns", "check") if hasattr(module, f)]
        named = [n for f in functions for n in inspect.signature(f).parameters if n in FACTS] if depth else []
        behind = [n for name in named for n in FACTS[name].make.names if n in FACTS] if depth > 1 else []
        queue = [*functions, *(FACTS[n].make.call for n in dict.fromkeys((*named, *behind)))]
        reached = set()
        while queue:
            function = queue.pop()
            if function not in reached:
                reached.add(function)
                queue += calls_of(function)
        codes = [function.__code__ for function in reached]
        found[module.rule.name] = frozenset(c for code in codes for c in _constants(code))
    return found


def _constants(code: CodeType) -> Iterator[str]:
    for constant in code.co_consts:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, CodeType):
            yield from _constants(constant)

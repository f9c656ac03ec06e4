"""What is judged differently: between two days, two policies or two folders of knowledge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from msgspec import Struct

from ivig.core.book import Book, Library
from ivig.core.dated import Series, Value
from ivig.core.finding import amount
from ivig.core.positions import Position
from ivig.entrypoints.difference_words import effect, rules_of, subject, thing, without

Path_ = tuple[str, ...]
NOTHING = "nothing"
# Fields of a page in the book that repeat others, or hold no value of their own.
_PASSED = frozenset({"positions", "chosen", "displaced", "own_indications", "sets"})
# Of a page's undated parts: what nobody is judged by.
_UNJUDGED = frozenset(
    {"reviewed", "due", "note", "statements", "why", "review", "alternatives", "monitoring", "manufacturer", "cautions",
     "composition", "at", "source", "seen", "own_indications_keys", "positions", "lines"}
)  # fmt: skip


class Change(Struct, frozen=True):
    """One thing that is judged differently: for whom, before and after, on which days, on which source."""

    subject: str
    what: str
    before: str
    after: str
    path: str
    since: date | None = None
    until: date | None = None
    effect: str = ""
    rules: tuple[str, ...] = ()
    source: str = ""
    at: str = ""
    seen: str = ""


def between_days(library: Library, first: date, last: date) -> list[Change]:
    """What changes from one day to a later one, by one policy; each with the day it does."""
    found: list[Change] = []
    before = values(library.on(first), library)
    for day in (d for d in library.changes if first < d <= last):
        after = values(library.on(day), library)
        found += [
            _change(path, before.get(path), after.get(path), day, None, library) for path in _differing(before, after)
        ]
        before = after
    return found


def between_libraries(one: Library, other: Library, day: date | None = None) -> list[Change]:
    """What two libraries judge differently: on a day, or with the days on which they do; undated parts of pages too.

    Each change is told for the second: what it holds, and not what the first does.
    """
    found = _undated(one, other)
    if day is not None:
        mine, theirs = values(one.on(day), one), values(other.on(day), other)
        for path in _differing(mine, theirs):
            value = theirs.get(path) or mine[path]
            found.append(_change(path, mine.get(path), theirs.get(path), value.start, None, other, one))
        return found
    days = [date.min, *sorted({*one.changes, *other.changes})]
    runs: dict[Path_, tuple[date, Value | None, Value | None]] = {}
    for day_ in days:
        mine, theirs = values(one.on(day_), one), values(other.on(day_), other)
        differing = set(_differing(mine, theirs))
        for path in [p for p, (_, a, b) in runs.items() if p not in differing or not _as(a, mine, b, theirs, p)]:
            since, a, b = runs.pop(path)
            found.append(_change(path, a, b, _known(since), day_, other, one))
        for path in differing - runs.keys():
            runs[path] = (day_, mine.get(path), theirs.get(path))
    found += [_change(path, a, b, _known(since), None, other, one) for path, (since, a, b) in runs.items()]
    return found


def ordered(changes: list[Change]) -> list[Change]:
    """By whom they concern, then by what, then by day."""
    return sorted(changes, key=lambda c: (c.subject, c.path, c.since or date.min))


def _known(day: date) -> date | None:
    return None if day == date.min else day


def _as(
    a: Value | None, mine: Mapping[Path_, Value], b: Value | None, theirs: Mapping[Path_, Value], path: Path_
) -> bool:
    return _same(a, mine.get(path)) and _same(b, theirs.get(path))


def _change(
    path: Path_,
    before: Value | None,
    after: Value | None,
    since: date | None,
    until: date | None,
    library: Library,
    older: Library | None = None,
) -> Change:
    value = after or before
    assert value is not None
    old, new = (told(v) if v is not None else without(path) or NOTHING for v in (before, after))
    if (
        old == new and before is not None and after is not None
    ):  # as much, and seen otherwise: an error needs a seen one
        old, new = f"{old} ({before.seen})", f"{new} ({after.seen})"
    return Change(
        subject(path, library, older or library),
        thing(path),
        old,
        new,
        ".".join(path),
        since,
        until,
        effect(path, before, after),
        rules_of(path),
        value.source,
        value.at,
        value.seen,
    )


def told(value: Value | None) -> str:
    if value is None:
        return NOTHING
    said = amount(value)
    return "none" if said == "stated" and not value.words and value.amount is None else said


def _differing(mine: Mapping[Path_, Value], theirs: Mapping[Path_, Value]) -> list[Path_]:
    return [path for path in dict.fromkeys((*mine, *theirs)) if not _same(mine.get(path), theirs.get(path))]


def _same(one: Value | None, other: Value | None) -> bool:
    if one is None or other is None:
        return one is other
    mine, theirs = ((v.amount, v.lower, v.upper, v.words, v.pairs, v.unit, v.seen, v.reason) for v in (one, other))
    return mine == theirs


# -- everything an order is judged by, on a day -----------------------------------------------------------------------


def values(book: Book, library: Library) -> dict[Path_, Value]:
    """Every value in force, by its path: the policy's, those of pages with the positions it chose, of formulas and tests."""
    found: dict[Path_, Value] = {}
    for key in library.policy:
        value = book.maybe(key)
        if value is not None:
            found[("policy", key)] = value
    for key in book.indications():
        found.update(_walk(book.indication(key), ("indications", key)))
    for key in book.products():
        found.update(_walk(book.product(key), ("products", key)))
    for kind in ("tests", "sets", "formulas"):
        for key, page in library.pages[kind].items():
            found.update(_walk(_on(page, book.day), (kind, key)))
    return found


def _on(tree: Any, day: date) -> Any:
    if isinstance(tree, Series):
        return tree.on(day)
    if isinstance(tree, Mapping):
        return {k: _on(v, day) for k, v in tree.items() if k not in ("codes", "wide_codes", "not_codes", "names")}
    return tree


def _walk(held: Any, path: Path_) -> Iterator[tuple[Path_, Value]]:
    if isinstance(held, Value):
        yield path, held
    elif isinstance(held, Mapping):
        for key, below in held.items():
            yield from _walk(below, (*path, str(key)))
    elif isinstance(held, Struct):
        for field in held.__struct_fields__:
            if field not in _PASSED:
                yield from _walk(getattr(held, field), (*path, field))
    elif isinstance(held, (tuple, list)) and not isinstance(held, Position):
        seen: dict[str, int] = {}
        for below in held:
            name = _name(below)
            seen[name] = seen.get(name, 0) + 1
            yield from _walk(below, (*path, name if seen[name] == 1 else f"{name} {seen[name]}"))


def _name(held: Any) -> str:
    """What tells one line of a list from the others: its words."""
    if isinstance(held, Struct):
        said = [getattr(held, f, "") for f in ("kind", "says", "set", "sets", "scale", "test")]
        return " ".join(", ".join(s) if isinstance(s, tuple) else str(s) for s in said if s)
    if isinstance(held, tuple):
        return " ".join(str(part) for part in held if isinstance(part, str))
    return ""


# -- parts of pages that have no days ---------------------------------------------------------------------------------


def _undated(one: Library, other: Library) -> list[Change]:
    """Pages, codes, names and words that only one of two folders has."""
    if one.pages is other.pages:
        return []
    found = []
    for kind, pages in other.pages.items():
        old = one.pages.get(kind, {})
        for key in [k for k in dict.fromkeys((*old, *pages)) if k not in old or k not in pages]:
            path, added = (kind, key), key in pages
            before, after = (NOTHING, "a page of its own") if added else ("a page of its own", NOTHING)
            found.append(Change(subject(path, other, one), "page", before, after, ".".join(path)))
        for key in [k for k in pages if k in old]:
            mine, theirs = dict(_plain(old[key], ())), dict(_plain(pages[key], ()))
            for part in dict.fromkeys((*mine, *theirs)):
                if mine.get(part) != theirs.get(part):
                    place = (kind, key, *part)
                    before, after = _apart(mine.get(part), theirs.get(part))
                    found.append(Change(subject(place, other, one), thing(place), before, after, ".".join(place)))
    return found


def _apart(mine: frozenset[str] | None, theirs: frozenset[str] | None) -> tuple[str, str]:
    """What only the one and only the other holds."""
    old, new = mine or frozenset(), theirs or frozenset()
    return "; ".join(sorted(old - new)) or NOTHING, "; ".join(sorted(new - old)) or NOTHING


def _plain(tree: Any, path: Path_) -> Iterator[tuple[Path_, frozenset[str]]]:
    """The undated leaves of a page: codes with their words by system, names, single words."""
    if isinstance(tree, (Series, Value)):
        return
    if isinstance(tree, Mapping):
        if "list" in tree:
            yield path, frozenset(_row(row) for row in tree["list"] if isinstance(row, Mapping))
            return
        for key, below in tree.items():
            if key not in _UNJUDGED and not str(key).startswith("__"):
                yield from _plain(below, (*path, str(key)))
    elif isinstance(tree, (list, tuple)):
        plain = frozenset(str(row) for row in tree if isinstance(row, str))
        if plain:
            yield path, plain
        for place, below in enumerate(row for row in tree if not isinstance(row, str)):
            yield from _plain(below, (*path, str(place + 1)))
    elif isinstance(tree, str):
        yield path, frozenset((tree,))


def _row(row: Mapping[str, Any]) -> str:
    below = " and all below" if row.get("below") in ("true", "yes") else ""
    return f"{row.get('code')}{below} ({row.get('words')})"

"""YAML into page trees with a line number behind every fault.

Scalars stay strings (a base loader), so `0.10` and `on` mean what they say. A mapping with `values` is a dated series.
"""

from __future__ import annotations

import contextlib
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

from ivig.core.dated import CONFIRMED, HOUSE, UNCONFIRMED, Pair, Series, Value

_MOST_BYTES = 1_000_000  # of a page
_LARGEST, _PLACES = 9, 20  # a number on a page: the power of ten it stays below, and how many digits it has


class _NoResolver:
    """Every scalar stays what it says: nothing is resolved to a number, a date or a truth value, and no time is spent on it."""

    def descend_resolver(self, current: Any, index: Any) -> None: ...

    def ascend_resolver(self) -> None: ...

    def resolve(self, kind: Any, value: Any, implicit: Any) -> None: ...


_parser: Any = yaml.BaseLoader
with contextlib.suppress(ImportError):  # an installation without libyaml has the same in Python, slower
    from yaml import cyaml

    _parser = cyaml.CParser  # type: ignore[attr-defined]


class _Loader(_NoResolver, _parser):  # type: ignore[misc]
    """A loader that makes nodes with their lines, and nothing more."""


class Fault(Struct, frozen=True, order=True):
    """A mistake on a page, with file and line."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return " ".join(f"{self.file}:{self.line}: {self.what}".splitlines())


class KnowledgeFault(Exception):
    """The knowledge must not be used; all faults at once."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(map(str, self.faults)))


class Lined(dict[str, Any]):
    """A mapping that remembers the line of each key."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class PageReader:
    """Reads the pages of one folder and gathers faults instead of stopping at the first."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.faults: list[Fault] = []
        self.sources_used: list[tuple[str, str, int]] = []
        self.changes: set[date] = set()

    def fault(self, file: str, line: int, what: str) -> None:
        self.faults.append(Fault(file, line, what))

    def read(self, path: Path) -> Lined:
        """The tree of one file; empty when it is no mapping."""
        file = path.relative_to(self.root).as_posix()
        try:
            if path.stat().st_size > _MOST_BYTES:
                self.fault(file, 1, f"cannot be read: the file has more than {_MOST_BYTES} bytes")
                return Lined(1)
            node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
        except (OSError, UnicodeDecodeError) as broken:
            why = broken.strerror if isinstance(broken, OSError) else "it is not UTF-8 text"
            self.fault(file, 1, f"cannot be read: {why or type(broken).__name__}")
            return Lined(1)
        except yaml.YAMLError as broken:
            mark = getattr(broken, "problem_mark", None)
            self.fault(file, mark.line + 1 if mark else 1, f"not YAML: {getattr(broken, 'problem', broken)}")
            return Lined(1)
        plain = self._plain(node, file, set())
        if not isinstance(plain, Lined):
            self.fault(file, 1, "a page is a mapping")
            return Lined(1)
        return plain

    def _plain(self, node: Any, file: str, seen: set[int]) -> Any:
        """A node as plain data. One that stands in two places (an alias) is refused: it may hold itself, or grow without end."""
        if isinstance(node, yaml.ScalarNode):
            return node.value
        if id(node) in seen and node is not None:
            self.fault(file, node.start_mark.line + 1, "anchors and aliases are not read; write the value out")
            return Lined(node.start_mark.line + 1)
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(n, file, seen) for n in node.value]
        made = Lined(node.start_mark.line + 1 if node is not None else 1)
        if node is None:
            return made
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                self.fault(file, line, "a key is a word")
                continue
            if key.value in made:
                self.fault(file, line, f"`{key.value}` stands twice")
            made[key.value] = self._plain(value, file, seen)
            made.lines[key.value] = line
        return made

    # -- dated values ---------------------------------------------------------------------------------------------------------------

    def series(self, tree: Lined, file: str, key: str) -> Series:
        """A mapping with `values` (and `unit`) as a series."""
        rows = tree.get("values")
        if not isinstance(rows, list) or not rows:
            self.fault(file, tree.line, f"`{key}` has no values")
            return Series(key, (), ())
        unit = str(tree.get("unit", ""))
        dated = []
        for row in rows:
            if not isinstance(row, Lined):
                self.fault(file, tree.line, f"`{key}`: a value is a mapping")
                continue
            value = self._value(row, file, key, unit)
            if value is not None:
                dated.append(value)
        dated.sort(key=lambda pair: pair[0])
        self.changes.update(start for start, _ in dated if start != date.min)
        if len({start for start, _ in dated}) != len(dated):
            self.fault(file, tree.line, f"`{key}` has two values from the same day")
        return Series(key, tuple(s for s, _ in dated), tuple(v for _, v in dated))

    def _value(self, row: Lined, file: str, key: str, unit: str) -> tuple[date, Value | None] | None:
        self.allow(
            row,
            file,
            key,
            {"from", "amount", "lower", "upper", "is", "pairs", "null", "source", "at", "seen", "note", "reason"},
        )
        start = self._start(row, file, key)
        if "null" in row:
            self._cited(row, file, key)
            return start, None
        payloads = [p for p in ("amount", "is", "pairs") if p in row] + (
            ["lower/upper"] if "lower" in row or "upper" in row else []
        )
        if len(payloads) != 1:
            self.fault(file, row.line, f"`{key}`: exactly one of amount, lower/upper, is, pairs")
            return None
        said: Any = row.get("is", ())
        if not isinstance(said, (str, list, tuple)) or any(not isinstance(word, str) for word in said):
            self.fault(file, row.line, f"`{key}`: `is` holds a word, or a list of words")
            return None
        value = Value(
            key=key,
            unit=unit,
            start=None if start == date.min else start,
            amount=self._number(row, "amount", file, key),
            lower=self._number(row, "lower", file, key),
            upper=self._number(row, "upper", file, key),
            words=(said,) if isinstance(said, str) else tuple(said),
            pairs=tuple(p for p in (self._pair(p, file, key) for p in row.get("pairs", ())) if p is not None),
            note=str(row.get("note", "")),
            reason=str(row.get("reason", "")).strip(),
            **self._cited(row, file, key),
        )
        if value.lower is not None and value.upper is not None and value.lower > value.upper:
            self.fault(file, row.line, f"`{key}`: lower is above upper")
        return start, value

    def cited(self, row: Lined, file: str, key: str) -> Value:
        """A mapping with source, at, seen and no payload of its own, as a value to cite."""
        return Value(
            key=key, unit=str(row.get("unit", "")), note=str(row.get("note", "")), **self._cited(row, file, key)
        )

    def _cited(self, row: Lined, file: str, key: str) -> dict[str, Any]:
        source, at, seen = str(row.get("source", "")), str(row.get("at", "")), str(row.get("seen", ""))
        if not source or not at:
            self.fault(file, row.line, f"`{key}` is not cited: source and at are needed")
        elif source:
            self.sources_used.append((source, file, row.line))
        if seen not in (CONFIRMED, UNCONFIRMED, HOUSE):
            self.fault(file, row.line, f"`{key}`: seen is confirmed, unconfirmed or house, not `{seen}`")
        return {"source": source, "at": at, "seen": seen}

    def _start(self, row: Lined, file: str, key: str) -> date:
        text = row.get("from")
        if text == "unknown":
            return date.min
        try:
            return date.fromisoformat(str(text))
        except ValueError:
            self.fault(file, row.line, f"`{key}`: from is a day (2018-10-01) or unknown, not `{text}`")
            return date.min

    def _number(self, row: Lined, name: str, file: str, key: str) -> Decimal | None:
        if name not in row:
            return None
        try:
            number = Decimal(str(row[name]))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            self.fault(file, row.line, f"`{key}`: {name} is a number, not `{row[name]}`")
            return None
        if number and (number.adjusted() >= _LARGEST or len(str(row[name])) > _PLACES):
            self.fault(file, row.line, f"`{key}`: {name} is no plausible number: `{str(row[name])[:_PLACES]}`")
            return None
        return number

    def _pair(self, pair: Any, file: str, key: str) -> Pair | None:
        try:
            least, _, most = str(pair["days"]).partition("-")
            return Pair(int(least), int(most or least), Decimal(str(pair["day"])))
        except (KeyError, TypeError, ValueError, InvalidOperation):
            self.fault(file, getattr(pair, "line", 1), f"`{key}`: a pair has days (5 or 2-5) and day (g/kg)")
            return None

    # -- shapes ---------------------------------------------------------------------------------------------------------------------

    def allow(self, tree: Lined, file: str, where: str, keys: set[str], needed: set[str] | None = None) -> None:
        for key in tree:
            if key not in keys:
                self.fault(file, tree.lines.get(key, tree.line), f"`{where}`: unknown key `{key}`")
        for key in sorted((needed or set()) - set(tree)):
            self.fault(file, tree.line, f"`{where}`: `{key}` is missing")

    def dated(self, tree: Any, file: str, where: str) -> Any:
        """A tree with every mapping that has `values` turned into a series, every cited mapping given its `value`."""
        if isinstance(tree, Lined):
            if "values" in tree and set(tree) <= {"values", "unit"}:
                return self.series(tree, file, where)
            made: dict[str, Any] = {}
            for key, below in tree.items():
                if key == "values":
                    made["value"] = self.series(tree, file, where)
                else:
                    made[key] = self.dated(below, file, f"{where}.{key}")
            if {"source", "at"} <= set(tree):
                made["value"] = self.cited(tree, file, where)
            return made
        if isinstance(tree, list):
            return [self.dated(t, file, f"{where}[{i}]") for i, t in enumerate(tree)]
        return tree

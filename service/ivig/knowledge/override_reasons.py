"""The page of override reasons: its codes, and which rules each fits. Its faults are listed with those of all other pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from ivig.core.dated import Series
from ivig.core.override_reasons import OverrideReason, OverrideReasons, family
from ivig.core.rule import Rule
from ivig.knowledge.pages import Lined, PageReader

PAGE = "override_reasons.yaml"
LEAST, MOST = 3, 8  # reasons of a rule: fewer fit nobody, more are not read
_KEYS = {"title", "reviewed", "due", "note", "systems", "fits"}
_OF_SYSTEM = {"url", "source", "at", "seen", "list"}
_OF_CODE = {"code", "words", "means"}
_OWN = "ivig"  # the system whose codes we print: each with what it means


def read_override_reasons(reader: PageReader, root: Path, rules: Mapping[str, Rule] | None) -> OverrideReasons:
    """The page as the cards use it.

    Args:
        rules: the rules by name, so that each is held to have its reasons; None for knowledge without rules.
    """
    tree = reader.read(root / PAGE)
    reader.allow(tree, PAGE, "override reasons", _KEYS, _KEYS - {"note"})
    for key in ("reviewed", "due"):
        try:
            date.fromisoformat(str(tree.get(key)))
        except ValueError:
            reader.fault(PAGE, tree.lines.get(key, 1), f"`{key}` is a day")
    reasons = {reason.code: reason for reason in _reasons(reader, tree)}
    fits = dict(_fits(reader, tree, reasons))
    used = {code for series in fits.values() for value in series.values if value is not None for code in value.words}
    for code in sorted(set(reasons) - used):
        reader.fault(PAGE, tree.lines.get("systems", 1), f"override reason `{code}` fits no rule")
    if rules is not None:
        _held_against(reader, tree, fits, rules)
    return OverrideReasons(reasons, fits)


def own_reasons(tree: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """The codes of our own as the page has them, for a page that was read without faults."""
    held: list[Mapping[str, str]] = tree["systems"][_OWN]["list"]
    return held


def _reasons(reader: PageReader, tree: Lined) -> Iterator[OverrideReason]:
    seen: set[str] = set()
    for name, block in _mapping(reader, tree, "systems"):
        if not isinstance(block, Lined) or not isinstance(block.get("list"), list):
            reader.fault(PAGE, tree["systems"].lines[name], f"`{name}` has url, source and list")
            continue
        reader.allow(block, PAGE, name, _OF_SYSTEM, _OF_SYSTEM)
        reader.cited(block, PAGE, f"override_reasons.{name}")
        for row in block["list"]:
            if not isinstance(row, Lined):
                reader.fault(PAGE, block.lines["list"], f"`{name}`: a reason is a mapping")
                continue
            reader.allow(row, PAGE, name, _OF_CODE, _OF_CODE if name == _OWN else _OF_CODE - {"means"})
            code, words = str(row.get("code", "")), str(row.get("words", ""))
            if code in seen:
                reader.fault(PAGE, row.line, f"override reason `{code}` stands twice")
            if not words.strip():
                reader.fault(PAGE, row.line, f"override reason `{code}` has no words")
            seen.add(code)
            yield OverrideReason(code, str(block.get("url", "")), words)


def _fits(reader: PageReader, tree: Lined, reasons: Mapping[str, OverrideReason]) -> Iterator[tuple[str, Series]]:
    for pattern, below in _mapping(reader, tree, "fits"):
        line = tree["fits"].lines[pattern]
        series = reader.dated(below, PAGE, f"override_reasons.fits.{pattern}")
        if not isinstance(series, Series):
            reader.fault(PAGE, line, f"`{pattern}` has values")
            continue
        for value in series.values:
            codes = value.words if value is not None else ()
            for code in codes:
                if code not in reasons:
                    reader.fault(PAGE, line, f"`{pattern}`: unknown override reason `{code}`")
            if len(set(codes)) != len(codes):
                reader.fault(PAGE, line, f"`{pattern}`: an override reason stands twice")
            if value is not None and not LEAST <= len(codes) <= MOST:
                reader.fault(PAGE, line, f"`{pattern}` has {len(codes)} override reasons; {LEAST} to {MOST} are read")
        yield pattern, series


def _held_against(reader: PageReader, tree: Lined, fits: Mapping[str, Series], rules: Mapping[str, Rule]) -> None:
    """Every rule has its reasons (a policy may make a warning of any), and every name is one of a rule or a family."""
    known = {*rules, *map(family, rules)}
    for pattern in fits:
        if pattern not in known:
            reader.fault(PAGE, tree["fits"].lines[pattern], f"fits: there is no rule and no family `{pattern}`")
    for rule in rules:
        series = fits.get(rule) or fits.get(family(rule))
        if series is None or not any(series.values):
            reader.fault(PAGE, tree.lines.get("fits", 1), f"fits: `{rule}` has no override reasons")


def _mapping(reader: PageReader, tree: Lined, key: str) -> Iterator[tuple[str, Any]]:
    held = tree.get(key)
    if isinstance(held, Lined):
        yield from held.items()
    elif key in tree:
        reader.fault(PAGE, tree.lines[key], f"`{key}` is a mapping")

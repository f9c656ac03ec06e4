"""Policies: one page of defaults holds every key; each policy states what it decides otherwise, and refers to no other."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path

from msgspec import Struct, structs

from ivig.core.book import ALIASES, Policy
from ivig.core.dated import Series, Value
from ivig.core.finding import ERROR, Result, Severity, amount
from ivig.core.overrides import OFF, PREFIX
from ivig.core.rule import Rule
from ivig.knowledge.pages import Fault, KnowledgeFault, Lined, PageReader

DEFAULT = "us-default"
_DEFAULTS = "defaults"
_PAGE = {"id", "title", "reviewed", "due", "note", "statements", "keys"}
_VERDICT = "order-verdict"
_POSITIONS = "positions"
_GRADES = tuple(s.name.lower() for s in Severity)
_SECTIONS = ("conditions", "medications", "allergies", "procedures", "immunizations")
# The words that Python implements, for the keys whose values are words. Truth values are seen by their default.
_WORDS: dict[str, tuple[str, ...]] = {
    "weight.method": ("actual", "adjusted_if_obese", "always_adjusted", "ideal"),
    "weight.accepted": ("actual", "adjusted", "ideal"),
    "weight.under_age": ("actual", "method"),
    "weight.in_pregnancy": ("actual", "pre_pregnancy"),
    "chart.required_sections": _SECTIONS,
    "chart.sections_unavailable": _SECTIONS,
    "hypersensitivity.anti_iga_alone": _GRADES,
    "interaction.block": ("none", "warning", "error"),
}
_TRUTH = ("true", "false")
_LISTS = frozenset({"weight.accepted", "chart.required_sections", "chart.sections_unavailable"})
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONGEST_PATH = 300
_OF_INDICATIONS = frozenset(
    {"adjunct.aspirin_for", "adjunct.respiratory_for", "course.igg_followed", "dose.below_not_judged", "gbs.second_course",
     "hyperviscosity.deficiencies", "interaction.steroid_avoided_in", "plex.before_warned", "plex.intended",
     "weight.in_pregnancy.actual_for"}
)  # fmt: skip
_OF_PRODUCTS = frozenset({"formulary"})
_OF_SETS = frozenset({"interaction.lowered", "interaction.barred_class", "interaction.supplementary_dose"})
_DIRECTION, _DIRECTIONS = "response.better.", ("lower", "higher")


class Known(Struct, frozen=True):
    """What a policy may name: pages of indications, products and sets, views of positions, and rules where these are known."""

    indications: frozenset[str]
    products: frozenset[str]
    sets: frozenset[str]
    views: frozenset[str]
    rules: Mapping[str, Rule] | None = None


def read_policies(reader: PageReader, policy: str | Path, root: Path, known: Known) -> list[Policy]:
    """The policy asked for, then every other shipped one.

    Raises:
        KnowledgeFault: there is no such policy; with all faults found before.
    """
    folder = root / "policies"
    shipped = {path.stem: path for path in sorted(folder.glob("*.yaml")) if path.stem != _DEFAULTS}
    name = ALIASES.get(str(policy), str(policy))
    path = shipped.get(name) or Path(policy)
    if not os.path.isfile(path):  # noqa: PTH113  (false, not an exception, also for a folder that may not be entered)
        there = ", ".join(sorted(shipped))
        held = "no such policy, for this is a folder" if os.path.isdir(path) else "no such policy"  # noqa: PTH112
        what = f"{held}; there are {there}, or give the path of a page of your own"
        raise KnowledgeFault([*reader.faults, Fault(str(policy)[:_LONGEST_PATH], 1, what)])
    page = folder / f"{_DEFAULTS}.yaml"
    house, file = reader.read(page), page.relative_to(root).as_posix()
    reader.allow(house, file, "policy", _PAGE, {"id", "title", "reviewed", "due", "keys"})
    defaults = _keys(reader, file, house)
    pages = [path, *(other for other in shipped.values() if other != path)]
    return [
        _policy(reader, one, defaults, page, known, own=one not in shipped.values(), shipped=shipped) for one in pages
    ]


def _policy(
    reader: PageReader,
    path: Path,
    defaults: Mapping[str, Series],
    base: Path,
    known: Known,
    own: bool,
    shipped: Iterable[str],
) -> Policy:
    root = reader.root
    if own:
        reader.root = path.parent
    file = path.relative_to(reader.root).as_posix()
    before = len(reader.faults)
    tree = reader.read(path)
    reader.root = root
    if len(reader.faults) > before and not tree:  # it could not be read: what it lacks is no further fault
        return Policy(path.stem, path.stem, defaults, frozenset(), "")
    reader.allow(tree, file, "policy", _PAGE, {"id", "title", "keys"})
    key = str(tree.get("id", path.stem))
    if not _ID.fullmatch(key):
        reader.fault(
            file, tree.lines.get("id", 1), "the id is one word of letters, digits, dots, hyphens and underscores"
        )
    if not str(tree.get("title", "-")).strip():
        reader.fault(file, tree.lines.get("title", 1), "the title is empty")
    if own and (key in shipped or key in ALIASES or key == _DEFAULTS):
        reader.fault(file, tree.lines.get("id", 1), f"`{key}` is the id of a shipped policy; give yours another")
    if not own and key != path.stem:
        reader.fault(file, tree.lines.get("id", 1), f"id is `{key}`, the file is {path.name}")
    for name in ("reviewed", "due"):
        if name in tree or not own:
            _day(reader, file, tree, name)
    stated = _keys(reader, file, tree)
    held = tree.get("keys") or Lined(1)
    for name, series in stated.items():
        _check(reader, file, held[name], name, series, defaults, known)
    keys = dict(defaults)
    for name, series in stated.items():
        keys[name] = _said(series, defaults.get(name), key)
    digest = hashlib.sha256(path.read_bytes() + base.read_bytes()).hexdigest()[:12]
    title, reviewed, due = (str(tree.get(name, "")) for name in ("title", "reviewed", "due"))
    return Policy(key, title, keys, frozenset(stated), digest, reviewed, due)


def _day(reader: PageReader, file: str, tree: Lined, name: str) -> None:
    try:
        date.fromisoformat(str(tree.get(name)))
    except ValueError:
        reader.fault(file, tree.lines.get(name, 1), f"`{name}` is a day")


def _keys(reader: PageReader, file: str, tree: Lined) -> dict[str, Series]:
    found: dict[str, Series] = {}
    keys = tree.get("keys") or {}
    if not isinstance(keys, Mapping):
        reader.fault(file, tree.lines.get("keys", 1), "`keys` holds a mapping of keys, each with its values")
        return found
    for key, below in keys.items():
        if not isinstance(below, Lined) or "values" not in below:
            reader.fault(file, getattr(keys, "lines", {}).get(key, tree.line), f"`{key}` has no values")
            continue
        reader.allow(below, file, key, {"unit", "values"})
        found[key] = reader.series(below, file, key)
    return found


def _said(series: Series, default: Series | None, policy: str) -> Series:
    """What the policy states, before the default; a value that differs from it says so where it is cited."""
    if default is None:
        return series

    def told(value: Value | None, day: date) -> Value | None:
        usual = default.on(day)
        if value is None or usual is None or _same(value, usual):
            return value
        house = amount(usual) if usual.words or not value.words else "none"
        return structs.replace(value, at=f"{value.at}; policy {policy}, default {house}")

    mine = Series(
        series.key, series.starts, tuple(told(v, d) for d, v in zip(series.starts, series.values, strict=True))
    )
    return mine.before(default)


def _same(one: Value, other: Value) -> bool:
    return (one.amount, one.lower, one.upper, one.words, one.pairs) == (
        other.amount, other.lower, other.upper, other.words, other.pairs,
    )  # fmt: skip


# -- what a policy may say --------------------------------------------------------------------------------------------


def _check(
    reader: PageReader,
    file: str,
    tree: Lined,
    key: str,
    series: Series,
    defaults: Mapping[str, Series],
    known: Known,
) -> None:
    """That a key exists, in its unit, with a value of its kind and of its words."""

    def fault(what: str) -> None:
        reader.fault(file, tree.line, f"`{key}`: {what}")

    values = [v for v in series.values if v is not None]
    if key.startswith(PREFIX):
        _severity(fault, key.removeprefix(PREFIX), values, known)
        return
    default, words = defaults.get(key), words_of(key, defaults, known)
    if key.startswith(f"{_POSITIONS}."):
        if key.removeprefix(f"{_POSITIONS}.") not in known.indications:
            fault("no indication page of this name")
        default = defaults.get(_POSITIONS)
    if default is None:
        fault("unknown key; `ivig knowledge keys` lists those there are")
        return
    usual = next((v for v in default.values if v is not None), None)
    unit = str(tree.get("unit", ""))
    wanted = usual.unit if usual is not None else unit
    if unit != wanted:
        fault(f"the unit is {wanted or 'none'}, not `{unit}`")
    for value in values:
        numbers = [n for n in (value.amount, value.lower, value.upper) if n is not None]
        if any(n < 0 for n in numbers):
            fault("a number below zero")
        if usual is not None and usual.amount is not None and (value.words or value.pairs or numbers[1:]):
            fault("a number is wanted (amount: ...)")
        elif usual is not None and usual.amount is None and (numbers or value.pairs):
            fault("a word is wanted (is: ...)")
        elif len(value.words) != 1 and _is_one_word(key, words):
            fault(f"one word is wanted, not {len(value.words)}")
        elif words is not None and (stray := [w for w in value.words if w not in words]):
            fault(f"`{', '.join(stray)}` is not one of {', '.join(sorted(words))}")


def _is_one_word(key: str, words: Iterable[str] | None) -> bool:
    """Whether a key holds a single word: one of those that Python implements, a direction, true or false."""
    return (key in _WORDS and key not in _LISTS) or words is _TRUTH or words is _DIRECTIONS


def words_of(key: str, defaults: Mapping[str, Series], known: Known) -> Iterable[str] | None:
    """The words that a key may hold, or None where any may stand."""
    if key == _POSITIONS or key.startswith(f"{_POSITIONS}."):
        return known.views
    if key in _WORDS:
        return _WORDS[key]
    series = defaults.get(key)
    said = {w for v in (series.values if series is not None else ()) if v is not None for w in v.words}
    if key in _OF_INDICATIONS:
        return known.indications | said
    if key in _OF_PRODUCTS:
        return known.products | said
    if key in _OF_SETS:
        return known.sets | said
    if key.startswith(_DIRECTION):
        return _DIRECTIONS
    return _TRUTH if said and said <= set(_TRUTH) else None


def _severity(fault: Callable[[str], None], rule: str, values: list[Value], known: Known) -> None:
    """A rule's severity: raised freely; kept, softened or silenced only with a reason and a day."""
    own = known.rules.get(rule) if known.rules is not None else None
    if known.rules is not None and own is None:
        fault(f"there is no rule {rule}; `ivig explain` lists all")
        return
    if rule == _VERDICT:
        fault("the verdict follows from the findings and has no severity of its own")
        return
    for value in values:
        word = value.words[0] if len(value.words) == 1 else ""
        if word not in (*_GRADES, OFF):
            fault(f"a severity is one of {', '.join(reversed(_GRADES))}, or off; not `{', '.join(value.words)}`")
            continue
        if word == OFF and own is not None and own.result != Result.FLAGGED:
            fault("it tells what was not judged, or what the service did: it can be made information, never off")
        grade = 0 if word == OFF else Severity[word.upper()]
        raised = grade == ERROR or (own is not None and grade > own.severity)
        if not raised and own is not None and grade == own.severity and value.words:
            continue  # what it is anyway; a graver finding of the rule keeps its severity
        if not raised and not value.reason:
            fault("a rule is softened or silenced only with `reason: ...`")
        if not raised and value.start is None:
            fault("a rule is softened or silenced from a day on (`from: 2026-12-01`), not from unknown")

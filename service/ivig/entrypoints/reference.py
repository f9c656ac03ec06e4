"""A page of knowledge, of an indication or a product, as somebody at a terminal reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from msgspec import Struct

from ivig.core.book import Library, resolved
from ivig.core.dated import Value
from ivig.core.explanation import one_line, watch

_KINDS = ("indications", "products")
_PROSE = ("why", "note", "alternatives", "review")


class Reference(Struct, frozen=True):
    """A page of knowledge on a day: its prose, part by part, and every value that is in force."""

    title: str
    kind: str
    reviewed: str
    due: str
    prose: tuple[tuple[str, str], ...]
    values: tuple[Value, ...]


def keys(library: Library) -> tuple[str, ...]:
    """The names of all pages there are of indications and products."""
    return tuple(key for kind in _KINDS for key in library.keys[kind])


def reference(name: str, library: Library, day: date) -> Reference:
    """The page of this key; hyphens may stand for underscores.

    Raises:
        LookupError: there is no such page.
    """
    key = name.replace("-", "_")
    for kind in _KINDS:
        tree = library.pages[kind].get(key)
        if tree is not None:
            return Reference(
                str(tree["title"]),
                kind.removesuffix("s"),
                str(tree.get("reviewed", "")),
                str(tree.get("due", "")),
                tuple(_prose(tree)),
                tuple(dict.fromkeys(_values(resolved(tree, day)))),
            )
    raise LookupError(name)


def _prose(tree: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for part in _PROSE:
        if tree.get(part):
            yield part.capitalize(), one_line(str(tree[part]))
    for when, what in watch(str(tree.get("monitoring", ""))).lines():
        yield when if when == "Watch" else f"Watch {when.lower()}", what


def _values(tree: Any) -> Iterator[Value]:
    if isinstance(tree, Value):
        yield tree
    elif isinstance(tree, Mapping):
        for below in tree.values():
            yield from _values(below)
    elif isinstance(tree, (list, tuple)):
        for below in tree:
            yield from _values(below)

"""How much knowledge there is, and how well it is founded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from ivig.core.book import Library
from ivig.core.dated import CONFIRMED, HOUSE, UNCONFIRMED, Series, Value


class Inventory(Struct, frozen=True):
    """Pages by kind, sources, and values by how they were seen."""

    pages: dict[str, int]
    sources: int
    policy_keys: int
    values: dict[str, int]


def take(library: Library) -> Inventory:
    seen = dict.fromkeys((CONFIRMED, UNCONFIRMED, HOUSE), 0)
    for value in _values([library.pages, library.policy]):
        seen[value.seen] += 1
    pages = {kind: len(of_kind) for kind, of_kind in library.pages.items()}
    return Inventory(pages, len(library.sources), len(library.policy), seen)


def _values(tree: Any) -> Iterator[Value]:
    if isinstance(tree, Value):
        yield tree
    elif isinstance(tree, Series):
        yield from (value for value in tree.values if value is not None)
    elif isinstance(tree, Mapping):
        for below in tree.values():
            yield from _values(below)
    elif isinstance(tree, (list, tuple)):
        for below in tree:
            yield from _values(below)

"""Bytes into shapes: fast when everything fits, tolerant and telling when something does not.

The first attempt decodes the whole body with msgspec. What it rejects is read again as plain JSON with numbers kept as text; elements that
do not fit are dropped and reported by path, the rest is kept. Nothing is guessed.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from ivig.wire import shapes
from ivig.wire.tolerant import Broken, Unreadable, fit, plain_json

__all__ = ["Broken", "Decoded", "Item", "Unreadable", "decode"]


class Item(Struct, frozen=True, gc=False):
    """One resource of the body: where it stands, its full URL, and its shape."""

    path: str
    url: str
    resource: shapes.Resource


class Decoded(Struct, frozen=True):
    """A body taken apart: the resources with their paths, the elements that did not fit, the sections that inner searchsets speak of."""

    items: tuple[Item, ...]
    broken: tuple[Broken, ...] = ()
    searched: tuple[str, ...] = ()
    cut: tuple[tuple[str, str], ...] = ()  # type searched for, and why not all of it is here
    parameters: tuple[shapes.Parameter, ...] = ()
    orders: tuple[str, ...] | None = None  # paths of the orders named as such by Parameters
    repaired: bool = False

    @property
    def in_full(self) -> bool:
        """Whether Parameters ask for the whole of every reason: `detail` is `full`."""
        return any(p.name == "detail" and "full" in (p.valueCode, p.valueString) for p in self.parameters)


_BUNDLES = frozenset({shapes.InnerBundle, shapes.InnermostBundle})
_decoder = msgspec.json.Decoder(shapes.Body)


def decode(body: bytes) -> Decoded:
    """Take a Bundle or Parameters apart.

    Raises:
        Unreadable: not JSON, too deep, or no Bundle or Parameters.
    """
    broken: list[Broken] = []
    if not body.strip():
        raise Unreadable("The body is empty; send a FHIR Bundle or Parameters.")
    try:
        whole = _decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, ValueError):
        whole = _tolerant(body, broken)
    try:
        return _apart(whole, broken)
    except RecursionError:
        raise Unreadable("The JSON is nested too deep.") from None


_LONGEST_COUNT = 9


def _tolerant(body: bytes, broken: list[Broken]) -> shapes.Bundle | shapes.Parameters:
    tree = plain_json(body)
    if not isinstance(tree, dict):
        raise Unreadable(
            "A FHIR Bundle or Parameters resource is expected, not a JSON "
            + ("array." if isinstance(tree, list) else "value.")
        )
    kind = tree.get("resourceType")
    if kind not in ("Bundle", "Parameters"):
        if kind is None:
            raise Unreadable("The body has no resourceType; send a FHIR Bundle or Parameters.")
        known = isinstance(kind, str) and kind in shapes.TYPES
        said = f"a {kind}" if known else "a resource type that FHIR R4 does not have"
        raise Unreadable(f"A FHIR Bundle or Parameters resource is expected, not {said}.", str(kind) if known else "")
    held = tree.get("entry" if kind == "Bundle" else "parameter", [])
    if not isinstance(held, list):
        raise Unreadable(f"{kind}.{'entry' if kind == 'Bundle' else 'parameter'} is not a list.", kind)
    fitted = fit(shapes.Bundle if kind == "Bundle" else shapes.Parameters, tree, kind, broken)
    assert isinstance(fitted, (shapes.Bundle, shapes.Parameters))
    return fitted


class _Held(Struct):
    """What is gathered while a body is taken apart."""

    items: list[Item]
    searched: list[str]
    cut: list[tuple[str, str]]


def _apart(whole: shapes.Bundle | shapes.Parameters, broken: list[Broken]) -> Decoded:
    held = _Held([], [], [])
    if isinstance(whole, shapes.Bundle):
        if whole.link:
            _note_search(whole, held)
        _entries(whole.entry, "Bundle", held, 1)
        return Decoded(tuple(held.items), tuple(broken), tuple(held.searched), tuple(held.cut), repaired=bool(broken))
    orders: list[str] = []
    named = any(p.name == "order" for p in whole.parameter)
    for i, parameter in enumerate(whole.parameter):
        if parameter.resource is None:
            continue
        path = f"Parameters.parameter[{i}].resource"
        if isinstance(parameter.resource, shapes.InnerBundle):
            if parameter.name == "evidence":
                _note_search(parameter.resource, held)
            _entries(parameter.resource.entry, path, held, 1)
        else:
            held.items.append(Item(path, "", parameter.resource))
            if parameter.name == "order":
                orders.append(path)
    return Decoded(
        tuple(held.items),
        tuple(broken),
        tuple(held.searched),
        tuple(held.cut),
        tuple(whole.parameter),
        tuple(orders) if named else None,
        bool(broken),
    )


def _entries(entries: list[Any], path: str, held: _Held, deeper: int) -> None:
    """The resources of a bundle, and of bundles in it one level deep."""
    add = held.items.append
    for i, entry in enumerate(entries):
        resource = entry.resource
        if resource is None:
            continue
        place = f"{path}.entry[{i}].resource"
        if type(resource) not in _BUNDLES:
            add(Item(place, entry.fullUrl, resource))
            continue
        _note_search(resource, held)
        if deeper:
            _entries(resource.entry, place, held, deeper - 1)


def _note_search(bundle: Any, held: _Held) -> None:
    """A searchset speaks of the type its self link names, also when it is empty; with a next page or a full `_count` it is cut."""
    kind, count, more = "", "", False
    for link in bundle.link:
        if link.relation == "self":
            address, _, query = link.url.partition("?")
            kind = address.rstrip("/").rsplit("/", 1)[-1]
            count = next((v for k, _, v in (pair.partition("=") for pair in query.split("&")) if k == "_count"), "")
        elif link.relation == "next":
            more = True
    if kind not in shapes.TYPES:
        return
    held.searched.append(kind)
    found = sum(1 for e in bundle.entry if e.resource is not None and type(e.resource).__name__ != "OperationOutcome")
    full = count.isascii() and count.isdigit() and len(count) < _LONGEST_COUNT and 0 < int(count) <= found
    if more or full or found != len(bundle.entry):
        held.cut.append((kind, "incomplete"))

"""Bytes into shapes: fast when everything fits, tolerant and telling when something does not.

The first attempt decodes the whole body with msgspec. What it rejects is read again as plain JSON with numbers kept as text; elements that
do not fit are dropped and reported by path, the rest is kept. Nothing is guessed.
"""

from __future__ import annotations

import json
import types
import typing
from typing import Any, NoReturn, Union

import msgspec
from msgspec import Raw, Struct

from ivig.wire import shapes


class Unreadable(Exception):
    """The body cannot be processed at all. `place` is a FHIRPath or '' when there is none."""

    def __init__(self, why: str, place: str = "", code: str = "structure") -> None:
        super().__init__(why)
        self.why, self.place, self.code = why, place, code


class Broken(Struct, frozen=True):
    """An element that was dropped: its path and why."""

    path: str
    why: str


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


def _number(text: str) -> Raw:
    return Raw(text.encode())


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


_DEEPEST = 200
_LONGEST_COUNT = 9


def plain_json(body: bytes) -> Any:
    """A body as plain JSON, with its numbers kept as text.

    Raises:
        Unreadable: it is none, or nested too deep.
    """
    try:
        plain = json.loads(body, parse_float=_number, parse_int=_number, parse_constant=_refuse)
    except RecursionError:
        raise Unreadable("The JSON is nested too deep.") from None
    except UnicodeDecodeError:
        raise Unreadable("The body is not UTF-8.") from None
    except ValueError as fault:
        line = getattr(fault, "lineno", None)
        where = f" (line {line}, column {getattr(fault, 'colno', 0)})" if line else ""
        raise Unreadable(f"The body is not JSON{where}.") from None
    if _depth(plain) > _DEEPEST:
        raise Unreadable("The JSON is nested too deep.")
    return plain


def fitted(kind: Any, plain: Any, path: str, broken: list[Broken]) -> Any:
    """Plain JSON as a shape, or None; what does not fit is dropped and told in `broken`."""
    made = _fit(kind, plain, path, broken)
    return None if made is _MISFIT else made


def _tolerant(body: bytes, broken: list[Broken]) -> shapes.Bundle | shapes.Parameters:
    plain = plain_json(body)
    if not isinstance(plain, dict):
        raise Unreadable(
            "A FHIR Bundle or Parameters resource is expected, not a JSON "
            + ("array." if isinstance(plain, list) else "value.")
        )
    kind = plain.get("resourceType")
    if kind not in ("Bundle", "Parameters"):
        if kind is None:
            raise Unreadable("The body has no resourceType; send a FHIR Bundle or Parameters.")
        known = isinstance(kind, str) and kind in shapes.TYPES
        said = f"a {kind}" if known else "a resource type that FHIR R4 does not have"
        raise Unreadable(f"A FHIR Bundle or Parameters resource is expected, not {said}.", str(kind) if known else "")
    held = plain.get("entry" if kind == "Bundle" else "parameter", [])
    if not isinstance(held, list):
        raise Unreadable(f"{kind}.{'entry' if kind == 'Bundle' else 'parameter'} is not a list.", kind)
    fitted = _fit(shapes.Bundle if kind == "Bundle" else shapes.Parameters, plain, kind, broken)
    assert isinstance(fitted, (shapes.Bundle, shapes.Parameters))
    return fitted


def _depth(tree: Any) -> int:
    deepest, level = 0, [tree]
    while level:
        deepest += 1
        if deepest > _DEEPEST:
            break
        level = [
            below
            for node in level
            if isinstance(node, (dict, list))
            for below in (node.values() if isinstance(node, dict) else node)
            if isinstance(below, (dict, list))
        ]
    return deepest


_MISFIT = object()
_hints: dict[type, dict[str, tuple[str, Any]]] = {}


def _fields(kind: type[Struct]) -> dict[str, tuple[str, Any]]:
    """JSON name -> (attribute, type) of a shape."""
    known = _hints.get(kind)
    if known is None:
        known = _hints[kind] = {f.encode_name: (f.name, f.type) for f in msgspec.structs.fields(kind)}
    return known


def _fit(kind: Any, plain: Any, path: str, broken: list[Broken]) -> Any:
    """`plain` as `kind`, or _MISFIT; what does not fit below is dropped and reported."""
    origin = typing.get_origin(kind)
    if origin is Union or origin is types.UnionType:
        return _fit_one_of(typing.get_args(kind), plain, path, broken)
    if origin is list:
        if not isinstance(plain, list):
            return _say(broken, path, "a list is expected")
        (inner,) = typing.get_args(kind)
        # A place in the list must keep its index, or paths would point beside it: a misfit becomes an empty shape.
        fitted = [_fit(inner, p, f"{path}[{i}]", broken) for i, p in enumerate(plain)]
        return [_empty(inner) if f is _MISFIT else f for f in fitted if f is not _MISFIT or _empty(inner) is not None]
    if kind is Raw:
        if isinstance(plain, Raw):
            return plain
        return _say(broken, path, "a number is expected")
    if kind is str:
        return plain if isinstance(plain, str) else _say(broken, path, "a string is expected")
    if kind is bool:
        return plain if isinstance(plain, bool) else _say(broken, path, "true or false is expected")
    if kind is type(None):
        return None if plain is None else _MISFIT
    if isinstance(kind, type) and issubclass(kind, Struct):
        if not isinstance(plain, dict):
            return _say(broken, path, "an object is expected")
        made = {}
        for name, (attribute, below) in _fields(kind).items():
            if name in plain and plain[name] is not None:
                fitted = _fit(below, plain[name], f"{path}.{name}", broken)
                if fitted is not _MISFIT:
                    made[attribute] = fitted
        return kind(**made)
    return _MISFIT


def _fit_one_of(kinds: tuple[Any, ...], plain: Any, path: str, broken: list[Broken]) -> Any:
    resources = [k for k in kinds if isinstance(k, type) and issubclass(k, shapes.Resource)]
    if resources:
        if plain is None:
            return None
        if not isinstance(plain, dict):
            return _say(broken, path, "a resource is expected")
        name = plain.get("resourceType")
        for kind in resources:
            if kind.__struct_config__.tag == name:
                return _fit(kind, plain, path, broken)
        if not isinstance(name, str) or not name:
            return _say(broken, path, "resourceType is missing")
        return _say(broken, path, "no resource type of FHIR R4")
    tried: list[list[Broken]] = []
    for kind in kinds:
        if kind is type(None):
            continue
        said: list[Broken] = []
        fitted = _fit(kind, plain, path, said)
        if fitted is not _MISFIT and (not said or kind is kinds[-1] or len(kinds) == 2):
            broken.extend(said)
            return fitted
        tried.append(said)
    for kind in kinds:  # nothing fits without loss: take the first that fits at all
        said = []
        if kind is not type(None) and (fitted := _fit(kind, plain, path, said)) is not _MISFIT:
            broken.extend(said)
            return fitted
    if tried:
        broken.extend(tried[0])
    return _MISFIT


def _say(broken: list[Broken], path: str, why: str) -> Any:
    broken.append(Broken(path, why))
    return _MISFIT


def _empty(kind: Any) -> Any:
    """A stand-in for a list's member that did not fit, or None where there can be none."""
    if kind is str:
        return ""
    if isinstance(kind, type) and issubclass(kind, Struct) and not issubclass(kind, shapes.Resource):
        return kind()
    return None


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

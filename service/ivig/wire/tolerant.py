"""Reading what the fast way rejects: plain JSON with numbers kept as text; what does not fit is dropped and told by its path."""

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


def _number(text: str) -> Raw:
    return Raw(text.encode())


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


_DEEPEST = 200


def plain_json(body: bytes) -> Any:
    """The body as plain JSON, its numbers as they were written.

    Raises:
        Unreadable: not UTF-8, not JSON, or nested too deep.
    """
    try:
        tree = json.loads(body, parse_float=_number, parse_int=_number, parse_constant=_refuse)
    except RecursionError:
        raise Unreadable("The JSON is nested too deep.") from None
    except UnicodeDecodeError:
        raise Unreadable("The body is not UTF-8.") from None
    except ValueError as fault:
        line = getattr(fault, "lineno", None)
        where = f" (line {line}, column {getattr(fault, 'colno', 0)})" if line else ""
        raise Unreadable(f"The body is not JSON{where}.") from None
    if _depth(tree) > _DEEPEST:
        raise Unreadable("The JSON is nested too deep.")
    return tree


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


def fitted(kind: Any, plain: Any, path: str, broken: list[Broken]) -> Any:
    """Plain JSON as a shape, or None; what does not fit is dropped and told in `broken`."""
    made = fit(kind, plain, path, broken)
    return None if made is MISFIT else made


MISFIT = object()
_hints: dict[type, dict[str, tuple[str, Any]]] = {}


def _fields(kind: type[Struct]) -> dict[str, tuple[str, Any]]:
    """JSON name -> (attribute, type) of a shape."""
    known = _hints.get(kind)
    if known is None:
        known = _hints[kind] = {f.encode_name: (f.name, f.type) for f in msgspec.structs.fields(kind)}
    return known


def fit(kind: Any, plain: Any, path: str, broken: list[Broken]) -> Any:
    """`plain` as `kind`, or MISFIT; what does not fit below is dropped and reported."""
    origin = typing.get_origin(kind)
    if origin is Union or origin is types.UnionType:
        return _fit_one_of(typing.get_args(kind), plain, path, broken)
    if origin is list:
        if not isinstance(plain, list):
            return _say(broken, path, "a list is expected")
        (inner,) = typing.get_args(kind)
        # A place in the list must keep its index, or paths would point beside it: a misfit becomes an empty shape.
        fitted = [fit(inner, p, f"{path}[{i}]", broken) for i, p in enumerate(plain)]
        return [_empty(inner) if f is MISFIT else f for f in fitted if f is not MISFIT or _empty(inner) is not None]
    if kind is Raw:
        if isinstance(plain, Raw):
            return plain
        return _say(broken, path, "a number is expected")
    if kind is str:
        return plain if isinstance(plain, str) else _say(broken, path, "a string is expected")
    if kind is bool:
        return plain if isinstance(plain, bool) else _say(broken, path, "true or false is expected")
    if kind is type(None):
        return None if plain is None else MISFIT
    if isinstance(kind, type) and issubclass(kind, Struct):
        if not isinstance(plain, dict):
            return _say(broken, path, "an object is expected")
        made = {}
        for name, (attribute, below) in _fields(kind).items():
            if name in plain and plain[name] is not None:
                fitted = fit(below, plain[name], f"{path}.{name}", broken)
                if fitted is not MISFIT:
                    made[attribute] = fitted
        return kind(**made)
    return MISFIT


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
                return fit(kind, plain, path, broken)
        if not isinstance(name, str) or not name:
            return _say(broken, path, "resourceType is missing")
        return _say(broken, path, "no resource type of FHIR R4")
    tried: list[list[Broken]] = []
    for kind in kinds:
        if kind is type(None):
            continue
        said: list[Broken] = []
        fitted = fit(kind, plain, path, said)
        if fitted is not MISFIT and (not said or kind is kinds[-1] or len(kinds) == 2):
            broken.extend(said)
            return fitted
        tried.append(said)
    for kind in kinds:  # nothing fits without loss: take the first that fits at all
        said = []
        if kind is not type(None) and (fitted := fit(kind, plain, path, said)) is not MISFIT:
            broken.extend(said)
            return fitted
    if tried:
        broken.extend(tried[0])
    return MISFIT


def _say(broken: list[Broken], path: str, why: str) -> Any:
    broken.append(Broken(path, why))
    return MISFIT


def _empty(kind: Any) -> Any:
    """A stand-in for a list's member that did not fit, or None where there can be none."""
    if kind is str:
        return ""
    if isinstance(kind, type) and issubclass(kind, Struct) and not issubclass(kind, shapes.Resource):
        return kind()
    return None

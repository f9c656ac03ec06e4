"""Broken bundles, made reproducibly: one seed, one body."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

_RAW = "@raw:"  # a value that JSON's own writer would not write: put into the text afterwards

NUMBERS: tuple[Any, ...] = (
    0,
    -1,
    -0.0,
    0.1 + 0.2,
    1e308,
    -1e-320,
    2**63,
    10**40,
    *(
        f"{_RAW}{said}"
        for said in (
            "1e400",
            "-1E+999999999",
            "1e-999999999",
            "NaN",
            "Infinity",
            "-Infinity",
            "00",
            "1.",
            "+1",
            "0x10",
            "9" * 5000,
            "[" * 50_000 + "]" * 50_000,
        )
    ),
)
STRINGS: tuple[Any, ...] = (
    "",
    " ",
    "NaN",
    "null",
    "1e5",
    "-",
    "{0}{name}%s",
    "a" * 20_000,
    "\x00\x01",
    "\u202egro\u202c",
    "😀" * 50,
    "٣٠ g",
    "\ufb01ve \uff47\uff52",
    "\ud800",
    "<script>alert(1)</script>",
    "'; DROP TABLE orders; --",
    "../../etc/passwd",
    "Bundle.entry[0]",
    "#",
    "#order1",
    "Patient/",
    "Patient/p1/_history/999999",
    "urn:uuid:x",
)
DATES: tuple[Any, ...] = (
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "9999-12-31T23:59:59+14:00",
    "0001-01-01T00:00:00-14:00",
    "2026-02-30",
    "2026-11",
    "2026",
    "26-11-20",
    "2026-11-20T25:61:61Z",
    "2026-11-20T09:00:00+99:99",
    "2026-11-20T09:00:00.123456789123Z",
    "20261120",
    "yesterday",
    "-2026-11-20",
    "2026-11-20T09:00",
)
UNITS: tuple[Any, ...] = (
    "gm",
    "G",
    "kg/kg",
    "g/",
    "/g",
    "mL/h/kg",
    "10*",
    "{",
    "}",
    "%",
    "mg/dL{x",
    "vials",
    "tablet",
    "µg",
    "g/kg/d/d",
)
KINDS: tuple[Any, ...] = (
    "Patient",
    "MedicationRequest",
    "Observation",
    "Bundle",
    "Parameters",
    "Medication",
    "OperationOutcome",
    "Encounter",
    "List",
    "Nonsense",
    "",
    None,
    7,
)
OTHERS: tuple[Any, ...] = (
    None,
    True,
    False,
    [],
    {},
    [[]],
    [None],
    [{}],
    {"": ""},
    {"resourceType": "Patient"},
    {"value": {}},
    {"coding": [{}]},
)


def places(tree: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place below `tree`, as the keys that lead there."""
    found = []
    below = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in below:
        found.append((*at, key))
        found.extend(places(value, (*at, key)))
    return found


def _in_order(tree: Any, place: tuple[Any, ...]) -> bool:
    for key in place[:-1]:
        tree = tree[key]
        if isinstance(tree, dict) and tree.get("resourceType") == "MedicationRequest":
            return True
    return False


def _parent(tree: Any, place: tuple[Any, ...]) -> Any:
    for key in place[:-1]:
        tree = tree[key]
    return tree


def _delete(tree: Any, place: tuple[Any, ...], _: random.Random) -> None:
    del _parent(tree, place)[place[-1]]


def _duplicate(tree: Any, place: tuple[Any, ...], rng: random.Random) -> None:
    """An item twice in its list; a key's value as a list of two."""
    parent, key = _parent(tree, place), place[-1]
    twin = copy.deepcopy(parent[key])
    if isinstance(parent, list):
        parent.insert(rng.randrange(len(parent) + 1), twin)
    else:
        parent[key] = [parent[key], twin]


def _retype(tree: Any, place: tuple[Any, ...], rng: random.Random) -> None:
    parent, key = _parent(tree, place), place[-1]
    value = parent[key]
    forms: list[Any] = [str(value), [value], {"value": value}, None, 1, True]
    if isinstance(value, list):
        forms.append(value[0] if value else None)
    if isinstance(value, dict):
        forms.append(list(value.values()))
    parent[key] = rng.choice(forms)


def _replace(tree: Any, place: tuple[Any, ...], rng: random.Random) -> None:
    """By something hostile of the same kind, mostly; by anything, sometimes."""
    parent, key = _parent(tree, place), place[-1]
    value = parent[key]
    everything = (NUMBERS, STRINGS, DATES, UNITS, OTHERS)
    if rng.random() < 0.25:
        parent[key] = copy.deepcopy(rng.choice(rng.choice(everything)))
    elif key == "resourceType":
        parent[key] = rng.choice(KINDS)
    elif key in ("unit", "code"):
        parent[key] = rng.choice(UNITS + STRINGS)
    elif isinstance(value, str) and value[:2] in ("19", "20"):
        parent[key] = rng.choice(DATES)
    elif isinstance(value, (int, float)):
        parent[key] = rng.choice(NUMBERS)
    elif isinstance(value, str):
        parent[key] = rng.choice(STRINGS)
    else:
        parent[key] = copy.deepcopy(rng.choice(OTHERS))


def _nest(tree: Any, place: tuple[Any, ...], rng: random.Random) -> None:
    parent, key = _parent(tree, place), place[-1]
    deep = parent[key]
    for _ in range(rng.choice((2, 30, 190, 600))):
        deep = [deep] if rng.random() < 0.5 else {"extension": deep}
    parent[key] = deep


def _swap(tree: Any, place: tuple[Any, ...], rng: random.Random) -> None:
    """Something from elsewhere in the bundle."""
    other = rng.choice(places(tree))
    taken = copy.deepcopy(_parent(tree, other)[other[-1]])
    _parent(tree, place)[place[-1]] = taken


def _rename(tree: Any, place: tuple[Any, ...], rng: random.Random) -> None:
    parent, key = _parent(tree, place), place[-1]
    if isinstance(parent, dict):
        parent[
            rng.choice(
                (
                    f"_{key}",
                    str(key).upper(),
                    "valueQuantity",
                    "extension",
                    "modifierExtension",
                    "contained",
                    "resource",
                )
            )
        ] = parent.pop(key)


_CHANGES: tuple[Callable[[Any, tuple[Any, ...], random.Random], None], ...] = (
    _delete,
    _duplicate,
    _retype,
    _replace,
    _replace,
    _replace,
    _nest,
    _swap,
    _rename,
)


def _of_bytes(body: bytes, rng: random.Random) -> bytes:
    """The text itself cut, bent or dressed up."""
    at = rng.randrange(len(body))
    match rng.randrange(9):
        case 0:
            return body[:at]
        case 1:
            return body[:at] + bytes([rng.randrange(256)]) + body[at + 1 :]
        case 2:
            return body[:at] + b"\xff\xfe\xc0\x80" + body[at:]
        case 3:
            return b"\xef\xbb\xbf" + body
        case 4:
            return body + body
        case 5:
            return body.decode("utf-8", "replace").encode("utf-16")
        case 6:
            return body.replace(b'"resourceType"', b'"resourceType":"Patient","resourceType"', 1)
        case 7:
            return b"[" * rng.choice((10, 5000, 200_000)) + body
        case _:
            return rng.choice(
                (
                    b"",
                    b" ",
                    b"null",
                    b"[]",
                    b"{}",
                    b'""',
                    b"0",
                    b"{",
                    b'{"resourceType":"Bundle"}',
                    b'{"resourceType":"Bundle","entry":{}}',
                )
            )


def mutated(whole: Any, seed: int) -> bytes:
    """The body that `seed` makes of a bundle."""
    rng = random.Random(seed)
    tree = copy.deepcopy(whole)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        found = places(tree)
        if not found:
            break
        if rng.random() < 0.5:  # the order is small among its evidence, and read most closely
            found = [p for p in found if _in_order(tree, p)] or found
        change = rng.choice(_CHANGES)
        change(tree, rng.choice(found), rng)
        if change is _nest:  # too deep now for Python to walk: the last change
            break
    body = written(tree)
    return _of_bytes(body, rng) if rng.random() < 0.1 and body else body


def written(tree: Any) -> bytes:
    text = json.dumps(tree)  # lone surrogates and all, as escapes
    for raw in [n for n in NUMBERS if isinstance(n, str)]:
        text = text.replace(f'"{raw}"', raw.removeprefix(_RAW))
    return text.encode()

"""The strict reader: what `fhir.resources` says about a resource. Slow, so it is asked only when something was rejected or strictness wanted.

It does not check value sets, invariants or references. Elements it does not know are not faults here: vendors send them.
"""

from __future__ import annotations

import json
from typing import Any

from ivig.wire.decode import Broken

_MOST = 50
_LONGEST = 400


def explain(body: bytes, strict: bool = False) -> tuple[Broken, ...]:
    """Every fault of every resource in a Bundle or Parameters, with its path.

    Args:
        body: JSON that was read before, so it is known to be an object.
        strict: also report elements that FHIR R4 does not have.
    """
    plain = json.loads(body, parse_int=_whole)
    kind = plain.get("resourceType")
    found: list[Broken] = []
    if kind == "Bundle":
        held = [
            (f"Bundle.entry[{i}].resource", e.get("resource"))
            for i, e in enumerate(plain.get("entry") or [])
            if isinstance(e, dict)
        ]
    else:
        held = [
            (f"Parameters.parameter[{i}].resource", p.get("resource"))
            for i, p in enumerate(plain.get("parameter") or [])
            if isinstance(p, dict)
        ]
    for path, resource in held:
        if resource is not None:
            found.extend(_faults(resource, path, strict))
        if len(found) >= _MOST:
            break
    return tuple(found[:_MOST])


def _whole(text: str) -> int | float:
    """An integer; one of thousands of digits as a float, for Python refuses to convert it."""
    return int(text) if len(text) < _LONGEST else float("inf")


def _faults(resource: Any, path: str, strict: bool) -> list[Broken]:
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415  (slow to import, and seldom needed)
    from pydantic import ValidationError  # noqa: PLC0415

    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        return [Broken(path, "a resource with a resourceType is expected")]
    if resource["resourceType"] == "Bundle":
        return []
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    except KeyError:  # its bare answer to a type it does not know, here or in `contained`
        return [Broken(path, "no resource type of FHIR R4")]
    except ValidationError as faults:
        return [
            Broken(_place(path, fault["loc"]), _why(fault["type"]))
            for fault in faults.errors(include_url=False, include_context=False, include_input=False)
            if strict or fault["type"] != "extra_forbidden"
        ]
    except Exception:  # noqa: BLE001  (an explanation must never be the fault)
        return [Broken(path, "not a resource of FHIR R4")]
    return []


def _place(path: str, loc: tuple[int | str, ...]) -> str:
    for step in loc:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path


def _why(kind: str) -> str:
    """A fault by its kind alone: the validator's own sentences repeat the value, which may be a patient's."""
    return {"extra_forbidden": "not an element of FHIR R4", "missing": "a required element is missing"}.get(
        kind, f"not valid ({kind.replace('_', ' ')})"
    )

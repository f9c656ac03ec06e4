"""The templates of prefetch queries: what a hook's context can fill, how they are filled, and what is wrong with one.

Works on any service's templates, not only on ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from msgspec import Struct

from ivig.wire import shapes
from ivig.wire.prefetch import Query


class Context(Struct, frozen=True):
    """The fields of a hook's context: those that are one plain value, and those that are resources or lists."""

    plain: frozenset[str]
    held: frozenset[str] = frozenset()

    @property
    def has_user(self) -> bool:
        return "userId" in self.plain


def _context(plain: str, held: str = "") -> Context:
    return Context(frozenset(plain.split()), frozenset(held.split()))


# The contexts of the published hooks (order-dispatch 1.1 has no user and no encounter).
CONTEXTS = {
    "patient-view": _context("userId patientId encounterId"),
    "order-select": _context("userId patientId encounterId", "selections draftOrders"),
    "order-sign": _context("userId patientId encounterId", "draftOrders"),
    "order-dispatch": _context("patientId performer", "dispatchedOrders fulfillmentTasks"),
    "appointment-book": _context("userId patientId encounterId", "appointments"),
    "encounter-start": _context("userId patientId encounterId"),
    "encounter-discharge": _context("userId patientId encounterId"),
    "medication-refill": _context("userId patientId encounterId", "medications"),
    "allergyintolerance-create": _context("userId patientId encounterId", "allergyIntolerance"),
    "problem-list-item-create": _context("userId patientId encounterId", "conditions"),
}
_USERS = frozenset({"userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId"})
_REFERENCES = ("context.userId", "context.performer")  # these hold Type/id, and are a whole read by themselves
_TOKEN = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_FIELD = re.compile(r"context\.([A-Za-z][A-Za-z0-9]*)")
_TODAY = re.compile(r"today\(\)(\s*[+-]\s*[0-9]+\s+days?)?")
_STEP = re.compile(r"[A-Za-z][A-Za-z0-9]*|ofType\((?P<type>[A-Za-z]+)\)|resolve\(\)")
_ROOT = re.compile(r"context|%(?P<key>[A-Za-z0-9_-]+)")
_READ = re.compile(r"[A-Z][A-Za-z]+/[^/?&#]+")
_SEARCH = re.compile(r"[A-Z][A-Za-z]+\?[^?#]+")
_PARAMETER = re.compile(r"(?P<name>_?[a-z][a-zA-Z0-9-]*)(?P<modifier>:[a-z-]+)?=(?P<value>.*)", re.DOTALL)
_NAMED = frozenset({"_id", "_count", "_sort", "_lastUpdated", "_maxresults"})
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_RESERVED = re.compile(r"([\\,|$])")  # what FHIR gives a meaning in the value of a search


def fill(query: Query, context: Mapping[str, str]) -> str | None:
    """The address of a query below the server's base, its values escaped; None when the context lacks one of them.

    A value stands where its token stood and nowhere else: it adds no parameter, no second value and no step of a path.
    """
    missing = False

    def value(hit: re.Match[str]) -> str:
        nonlocal missing
        field = _FIELD.fullmatch(hit[1].strip())
        said = context.get(field[1], "") if field is not None else ""
        if not said or _CONTROLS.search(said) or not said.strip("."):
            missing = True
            return ""
        return quote(said if query.reads else _RESERVED.sub(r"\\\1", said), safe="", errors="replace")

    made = _TOKEN.sub(value, query.template)
    return None if missing else made.replace("|", "%7C").replace(" ", "%20")


def lint(template: str, hook: str, version: str = "2.0") -> list[str]:
    """What a client of this version cannot fill or run in a template of this hook; empty when it is right.

    Args:
        hook: of one that is not published every context field is taken as it is.
        version: `2.0`, with its plain context fields, or `3.0`, with its part of FHIRPath.
    """
    bare = _TOKEN.sub(lambda hit: "Practitioner/x" if hit[1].strip() in _REFERENCES else "x", template)
    found = ["a {{ or }} without its other half"] if "{{" in bare or "}}" in bare else []
    if not (_READ.fullmatch(bare) or _SEARCH.fullmatch(bare)):
        found.append("neither a read, Type/id, nor a search of one type, Type?parameters")
    elif (kind := re.split(r"[/?]", bare, maxsplit=1)[0]) not in shapes.TYPES:
        found.append(f"{kind} is no resource type of FHIR")
    for said in _TOKEN.findall(template):
        token = said.strip()
        fault = _plain_fault(token, hook)
        if fault and version.startswith("3"):
            fault = _path_fault(token, hook)
        if fault:
            found.append(f"{{{{{token}}}}}: {fault}")
    return found


def unrestricted(template: str, version: str = "2.0") -> list[str]:
    """What goes beyond the searches that services are asked to keep to, so that every client can run them; a recommendation."""
    found = []
    for said in _TOKEN.sub("x", template).partition("?")[2].split("&"):
        hit = _PARAMETER.fullmatch(said) if said else None
        if hit is None:
            if said:
                found.append(f"{said}: not name=value")
            continue
        name, modifier = hit["name"], hit["modifier"] or ""
        if modifier not in ("", ":in"):
            found.append(f"{name}{modifier}: of the modifiers only :in")
        if name.startswith("_") and (name not in _NAMED or (name == "_maxresults" and not version.startswith("3"))):
            found.append(f"{name}: of these only _id, _lastUpdated, _count, _sort, and in 3.0 _maxresults")
    return found


def _plain_fault(token: str, hook: str) -> str:
    """Why a token is none of CDS Hooks 2.0; '' when it is one."""
    context = CONTEXTS.get(hook)
    if token in _USERS:
        return "" if context is None or context.has_user else f"{hook} tells no user"
    field = _FIELD.fullmatch(token)
    if field is None:
        return "not context.field with a field of the context itself, and none of the user tokens"
    if context is None or field[1] in context.plain:
        return ""
    return "no plain value" if field[1] in context.held else f"{hook} has no such field"


def _path_fault(token: str, hook: str) -> str:
    """Why a token is none of CDS Hooks 3.0; '' when it is one."""
    context = CONTEXTS.get(hook)
    for path in (p.strip() for p in token.split("|")):
        if path in _USERS and (fault := _plain_fault(path, hook)):
            return fault
        if path in _USERS or _TODAY.fullmatch(path):
            continue
        first, *steps = re.split(r"\.(?![^(]*\))", path)
        root = _ROOT.fullmatch(first)
        if root is None or not steps:
            return "not a path from context, %key or today()"
        for step in steps:
            hit = _STEP.fullmatch(step)
            if hit is None:
                return f"{step} is no step of its FHIRPath"
            if hit["type"] and hit["type"] not in shapes.TYPES:
                return f"{hit['type']} is no resource type of FHIR"
        if root["key"] is None and context is not None and steps[0] not in context.plain | context.held:
            return f"{hook} has no such field"
    return ""

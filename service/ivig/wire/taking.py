"""When another medicine is taken, by which route, and what vaccines are planned: read where it matters for the judgement."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from msgspec import structs

from ivig.core.dated import later
from ivig.core.lexicon import Lexicon, tokens
from ivig.core.order import Drug, Moment, Part, Vaccine
from ivig.core.units import convert, dimension
from ivig.wire import shapes
from ivig.wire.concepts import named, quantity, read_concept, words_of
from ivig.wire.dates import moment
from ivig.wire.dosage import read_dosages
from ivig.wire.medication import read_route

_LOCAL, _BEFORE, _REACTION = "local_form", "before_infusion", "infusion_reaction_words"
_BY_MOUTH = frozenset({"oral", "orally", "mouth", "po"})
_NOT_DUE = frozenset({"immune", "contraindicated", "complete", "completed"})
_LONGEST_SUPPLY = 3660


def taken(drug: Drug, d: Any, lexicon: Lexicon, zone: tzinfo) -> Drug:
    """`drug` with its dosage: when it is given, by which route, and whether it is said to go before an infusion."""
    if isinstance(d, shapes.MedicationDispense):
        return drug
    texts = [t for c in d.reasonCode for t in words_of(c)]
    parts: tuple[Part, ...] = ()
    route: shapes.CodeableConcept | None = None
    if isinstance(d, shapes.MedicationAdministration):
        if d.dosage is not None:
            texts.append(d.dosage.text)
            route = d.dosage.route
    else:
        said = d.dosageInstruction if isinstance(d, shapes.MedicationRequest) else d.dosage
        read = read_dosages(said, lexicon, drug.path, zone, False)
        parts, route = tuple(read.parts), read.route
        texts.extend(p.text for p in parts)
        texts.extend(
            t for one in _each(said) if one.asNeededCodeableConcept for t in words_of(one.asNeededCodeableConcept)
        )
    words = named(lexicon.set_words, (t for t in texts if t))
    before = _BEFORE in drug.concept.sets or _BEFORE in words
    ready = bool(parts) and all(p.as_needed for p in parts) and _REACTION in words
    return structs.replace(drug, parts=parts, route=_way(route, lexicon), before_infusion=before or ready)


def _each(said: Any) -> list[shapes.Dosage]:
    """Dosage instructions as a list, also a single one that was sent as an object."""
    return [said] if isinstance(said, shapes.Dosage) else said or []


def _way(route: shapes.CodeableConcept | None, lexicon: Lexicon) -> str:
    """`iv`, `sc`, `im`, `oral` or `local`; "" for a route that is not told, or whose words are not known."""
    if route is None:
        return ""
    way, said = read_route(route)
    if way:
        return way
    if _LOCAL in read_concept(route, lexicon).sets:
        return "local"
    return "oral" if not _BY_MOUTH.isdisjoint(tokens(said)) else ""


def supplied(start: Moment | None, supply: shapes.Quantity | None, lexicon: Lexicon, zone: tzinfo) -> Moment | None:
    """The last day that a dispensed supply covers. FHIR counts it in days where no unit stands."""
    spelled = quantity(supply, lexicon) if start is not None else None
    if start is None or spelled is None or spelled.value is None or spelled.value <= 0:
        return None
    days = spelled.value
    if spelled.unit and dimension(spelled.unit) == "time":
        days = convert(days, spelled.unit, "d")
    elif spelled.said.strip() != str(spelled.value):
        return None
    if days > _LONGEST_SUPPLY:
        return None
    return moment(later(start.day, max(0, int(days) - 1)).isoformat(), zone)


def recommended(r: shapes.ImmunizationRecommendation, lexicon: Lexicon, path: str, zone: tzinfo) -> list[Vaccine]:
    """The vaccines that a recommendation names as still to be given, each from the day it is due on."""
    found = []
    for i, one in enumerate(r.recommendation):
        status = one.forecastStatus
        if status is not None:
            said = (*words_of(status), *(c.code for c in status.coding))
            if not _NOT_DUE.isdisjoint(w for text in said for w in tokens(text)):
                continue
        codes = one.vaccineCode if isinstance(one.vaccineCode, list) else [one.vaccineCode]
        concept = next((c for c in (read_concept(code, lexicon) for code in codes if code is not None) if c.sets), None)
        if concept is not None:
            place = f"{path}.recommendation[{i}]"
            found.append(Vaccine(concept, place, "planned", _due(one, zone), True, moment(r.date, zone)))
    return found


def _due(one: shapes.Recommended, zone: tzinfo) -> Moment | None:
    """The day it is due where one is called so, else the first that is named."""
    days = [(criterion, at) for criterion in one.dateCriterion if (at := moment(criterion.value, zone)) is not None]
    due = [at for criterion, at in days if any("due" in tokens(text) for text in words_of(criterion.code))]
    return min(due or [at for _, at in days], key=lambda at: at.instant, default=None)

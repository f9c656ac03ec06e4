"""What a request, administration or dispense is of, and by which route."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import structs

from ivig.core.lexicon import Lexicon
from ivig.core.units import UnknownUnit, convert
from ivig.wire import shapes
from ivig.wire.concepts import Ident, identify, quantity
from ivig.wire.references import References

_ROUTES = {
    "47625008": "iv", "255560000": "iv", "418114005": "iv", "419243002": "iv", "34206005": "sc", "78421000": "im", "IV": "iv", "IVINF": "iv",
    "IVPB": "iv", "SC": "sc", "SQ": "sc", "SUBCUT": "sc", "IM": "im", "C38276": "iv", "C38279": "iv", "C38299": "sc", "C28161": "im",
}  # fmt: skip
_ROUTE_WORDS = (("intravenous", "iv"), ("iv ", "iv"), ("subcut", "sc"), ("intramuscular", "im"))


def medication_concepts(
    request: Any, references: References
) -> tuple[list[shapes.CodeableConcept | None], tuple[str, ...], tuple[tuple[shapes.Ratio, str], ...], bool, str]:
    """Concepts, texts, ingredient strengths of what is ordered; whether it is missing; the element that names it."""
    if request.medicationCodeableConcept is not None:
        return [request.medicationCodeableConcept], (), (), not _says(request.medicationCodeableConcept), "medication"
    reference = request.medicationReference
    if reference is None and request.medication is not None:
        if request.medication.concept is not None:
            return [request.medication.concept], (), (), not _says(request.medication.concept), ""
        reference = request.medication.reference
    if reference is None:
        return [], (), (), True, ""
    held = references.contained_or_sent(reference, request.contained)
    texts = (reference.display,) if reference.display else ()
    if held is None:
        return [], texts, (), not texts, "medication"
    concepts: list[shapes.CodeableConcept | None] = [held.code]
    strengths = []
    for ingredient in held.ingredient:
        item = ingredient.itemCodeableConcept or (ingredient.item.concept if ingredient.item is not None else None)
        concepts.append(item)
        ratio = ingredient.strength or ingredient.strengthRatio
        if ratio is not None:
            strengths.append((ratio, ""))
    missing = not texts and not any(c is not None and _says(c) for c in concepts)
    return concepts, texts, tuple(strengths), missing, "medication"


def _says(concept: shapes.CodeableConcept) -> bool:
    return bool(concept.text) or any(c.code or c.display for c in concept.coding)


def medication(request: Any, references: References, lexicon: Lexicon) -> tuple[Ident | None, bool]:
    """The immune globulin a request names, and whether it names no medication at all."""
    concepts, texts, ratios, missing, _ = medication_concepts(request, references)
    ident = identify(concepts, lexicon, texts)
    if ident is not None and ratios and not ident.strengths:
        found = tuple(s for r, _ in ratios if (s := _ratio_strength(r, lexicon)) is not None)
        if found:
            ident = structs.replace(ident, strengths=found)
    return ident, missing


def _ratio_strength(ratio: shapes.Ratio, lexicon: Lexicon) -> Decimal | None:
    top, bottom = quantity(ratio.numerator, lexicon), quantity(ratio.denominator, lexicon)
    if top is None or bottom is None or top.value is None or not bottom.value:
        return None
    try:
        return convert(top.value, top.unit, "g") / convert(bottom.value, bottom.unit, "mL")
    except UnknownUnit:
        return None


def read_route(given: shapes.CodeableConcept | None) -> tuple[str, str]:
    """`iv`, `sc`, `im`, or the route as said when it is another one."""
    if given is None:
        return "", ""
    said = given.text or next((c.display or c.code for c in given.coding), "")
    for coding in given.coding:
        known = _ROUTES.get(coding.code) or _ROUTES.get(coding.code.upper())
        if known:
            return known, said
    for text in (given.text, *(c.display for c in given.coding)):
        low = f"{text.lower()} "
        for word, route in _ROUTE_WORDS:
            if low.startswith(word) or (len(word) > 3 and word in low):
                return route, said
    return "", said


def setting_of(request: shapes.MedicationRequest, references: References) -> str:
    """inpatient, outpatient or home: the order's category, else its encounter's class."""
    categories = (
        request.category if isinstance(request.category, list) else [request.category] if request.category else []
    )
    for category in categories:
        for code in (*(c.code.lower() for c in category.coding), category.text.lower()):
            if code in ("inpatient", "outpatient"):
                return code
            if code == "community" or "home" in code:
                return "home" if "home" in code or code == "community" else ""
    encounter = references.encounter_of(request.encounter)
    if encounter is not None and encounter.class_ is not None:
        first = encounter.class_[0] if isinstance(encounter.class_, list) and encounter.class_ else encounter.class_
        if isinstance(first, shapes.EncounterClass):
            code = (first.code or (first.coding[0].code if first.coding else "")).upper()
            known = {
                "IMP": "inpatient",
                "ACUTE": "inpatient",
                "NONAC": "inpatient",
                "EMER": "inpatient",
                "OBSENC": "inpatient",
                "AMB": "outpatient",
                "HH": "home",
            }
            return known.get(code, "")
    return ""

"""Chart resources as plain evidence: results, conditions, allergies, drugs, procedures, vaccines."""

from __future__ import annotations

import re
from datetime import UTC, tzinfo
from decimal import Decimal
from itertools import pairwise
from typing import Any

from msgspec import structs

from ivig.core.lexicon import Lexicon, TestKnown, tokens
from ivig.core.order import Allergy, Concept, Condition, Drug, Moment, Procedure, Result, Vaccine
from ivig.core.units import convert, dimension
from ivig.wire import shapes
from ivig.wire.concepts import concept_key, exact, exact_text, identify, quantity, read_concept, words_of
from ivig.wire.dates import moment

_STANDS = frozenset({"final", "amended", "corrected", "preliminary", "appended", ""})
_WEIGHT_FALLS = frozenset({"entered-in-error", "cancelled"})
_BLOOD_GROUP = re.compile(r"^\s*(?:group\s+|type\s+)?(A[12]?B|A[12]?|B|O)(?:$|[\s+-]|Rh|pos|neg)", re.IGNORECASE)
_SUBGROUPS = str.maketrans("", "", "12")  # A1 and A2 are A
_DUE_DATE = "edd"
_REMEMBERED = 16384
# What makes a reaction severe, and what an ordinary reaction to an infusion is (or an effect that other rules speak of).
SEVERE = frozenset({"severe_reaction", "anaphylaxis"})
REACTION_WORDS = SEVERE | {"reaction_words"}
_ORDINARY = frozenset({"mild_reaction", "aseptic_meningitis_history", "haemolysis"})
_GRADES = ("severe", "unstated", "moderate", "mild")
_REACTION = "immune_globulin_reaction"
_IG_WORDS, _OTHER_CLASSES = frozenset({"immunoglobulin", "immunoglobulins", "ig"}), frozenset("adem")
_NO_REACTION = frozenset({"no", "none", "nil", "without", "absent", "never"})
# Words that say of a condition that it is none of the patient's: how they begin, or end.
_NONE_SAID = frozenset(("no", word) for word in ("known", "current", "history", "evidence", "prior", "previous"))
_FAMILY = frozenset({"family", "fam", "fhx", "famhx"})
_FAMILY_HISTORY = frozenset((who, what) for who in ("family", "fam") for what in ("history", "hx"))
_PENDING = frozenset({"pending", "not done", "see comment", "cancelled", "canceled"})


def status_of(given: shapes.CodeableConcept | str | None) -> str:
    """A status as a plain code; STU3 sends it as a string."""
    if given is None:
        return ""
    if isinstance(given, str):
        return given
    return given.coding[0].code if given.coding else given.text


def read_results(o: shapes.Observation, lexicon: Lexicon, path: str, zone: tzinfo) -> list[Result]:
    """The results of one Observation and its components that the knowledge has a page for."""
    found: list[tuple[str, str, Any, str]] = []
    if o.code is not None:
        _tests_of(o.code, lexicon, o, path, found)
    for i, component in enumerate(o.component):
        if component.code is not None:
            _tests_of(component.code, lexicon, component, f"{path}.component[{i}]", found)
    if not found:
        return []
    when = _when(o, zone)
    issued = moment(o.issued, zone) if o.issued else None
    read = []
    for test, code, holder, place in found:
        known = lexicon.test_pages[test]
        if code in known.unused or holder.dataAbsentReason is not None:
            continue
        if not _stands(known, o.status):
            continue
        result = _result(known, holder, when, issued.instant if issued else 0.0, o.status, code, place, lexicon)
        if result is not None:
            read.append(result)
    return read


def _tests_of(
    concept: shapes.CodeableConcept, lexicon: Lexicon, holder: Any, path: str, found: list[tuple[str, str, Any, str]]
) -> None:
    for coding in concept.coding:
        test = lexicon.test_of(coding.system, coding.code)
        if test:
            found.append((test, coding.code, holder, path))
            return


NO_TEST, NOT_PLAIN = object(), object()


def plain_test(system: str, code: str, unit: str, said_unit: str, status: str, lexicon: Lexicon) -> Any:
    """The test of a code whose results are a plain number in the test's own unit; else NOT_PLAIN, or NO_TEST."""
    test = lexicon.test_of(system, code)
    if not test:
        return NO_TEST
    known = lexicon.test_pages[test]
    own = lexicon.units.get(unit) == known.unit and said_unit in ("", unit)
    stands = known.kind != "serology" and code not in known.unused and _stands(known, status)
    return known if own and stands else NOT_PLAIN


def _stands(known: TestKnown, status: str) -> bool:
    return status not in _WEIGHT_FALLS if known.kind == "vital" else status in _STANDS


def _when(o: shapes.Observation, zone: tzinfo) -> Moment | None:
    period = o.effectivePeriod
    text = (
        o.effectiveDateTime
        or o.effectiveInstant
        or ((period.end or period.start) if period is not None else "")
        or o.issued
    )
    return moment(text, zone) if text else None


def _result(
    known: TestKnown,
    holder: Any,
    when: Moment | None,
    issued: float,
    status: str,
    code: str,
    path: str,
    lexicon: Lexicon,
) -> Result | None:
    q = holder.valueQuantity
    words = "" if q is not None else _words(known, holder, lexicon)
    if q is None:
        integer = getattr(holder, "valueInteger", shapes.EMPTY)
        if bytes(integer):
            value = exact(integer)
            return (
                Result(known.key, value, known.unit, str(value), when, path, status, issued=issued, code=code)
                if value is not None
                else None
            )
        if not words:
            return None
        return Result(
            known.key,
            _score(words, known),
            known.unit,
            words,
            when,
            path,
            status,
            words=words,
            issued=issued,
            code=code,
        )
    if q.code and not q.comparator and lexicon.units.get(q.code) == known.unit and q.unit in ("", q.code):
        raw = bytes(q.value)
        value = exact_text(raw)
        if value is not None:  # the ordinary case: a plain number in the test's own unit
            high = _upper(holder, known, lexicon) if known.kind == "serology" else None
            return Result(
                known.key,
                value,
                known.unit,
                f"{raw.decode()} {q.code}",
                when,
                path,
                status,
                "",
                "",
                "",
                issued,
                code,
                high,
            )
    spelled = quantity(q, lexicon)
    if spelled is None:
        return None
    if spelled.value is None:
        return Result(
            known.key, None, "", spelled.said, when, path, status, problem=spelled.problem, issued=issued, code=code
        )
    value = _in_unit(spelled.value, spelled.unit, known)
    problem = "" if value is not None else spelled.problem or f"unit {spelled.unit!r} is not one of this test"
    return Result(
        known.key,
        value,
        known.unit,
        spelled.said,
        when,
        path,
        status,
        q.comparator,
        words,
        problem,
        issued,
        code,
        _upper(holder, known, lexicon) if known.kind == "serology" else None,
    )


def _in_unit(value: Decimal, unit: str, known: TestKnown) -> Decimal | None:
    """`value` in the test's own unit; molar units by the test's factor; None when the unit is not one of the test's."""
    if unit == known.unit:
        return value
    if not unit:
        return value if known.kind == "scale" else None
    if unit in known.units and dimension(unit) == dimension(known.unit):
        return convert(value, unit, known.unit)
    if known.molar is not None and dimension(unit) == dimension(known.molar[0]) and unit in known.units:
        return convert(value, unit, known.molar[0]) / Decimal(known.molar[1])
    return None


def _score(words: str, known: TestKnown) -> Decimal | None:
    """A scale's value that came as words (`4`, `Grade 4`, `Class IVb`)."""
    if known.kind != "scale":
        return None
    digits = re.search(r"\d+(?:\.\d+)?", words)
    if digits:
        return Decimal(digits.group())
    roman = re.search(r"\b(IV|V|III|II|I)[ab]?\b", words)
    return Decimal({"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5}[roman.group(1)]) if roman else None


def _words(known: TestKnown, holder: Any, lexicon: Lexicon) -> str:
    """What a coded or worded result says, in the few words rules compare. The same codes and words are looked up once."""
    concept = holder.valueCodeableConcept
    if concept is None or known.key == _DUE_DATE or str(getattr(holder, "valueDateTime", "") or ""):
        return _read_words(known, holder, lexicon)
    key = (known.key, getattr(holder, "valueBoolean", None), *concept_key(concept))
    said = lexicon.result_words.get(key)
    if said is None:
        said = _read_words(known, holder, lexicon)
        if len(lexicon.result_words) < _REMEMBERED:
            lexicon.result_words[key] = said
    return str(said)


def _read_words(known: TestKnown, holder: Any, lexicon: Lexicon) -> str:
    concept = holder.valueCodeableConcept
    texts = words_of(concept) or ((holder.valueString,) if holder.valueString else ())
    boolean = getattr(holder, "valueBoolean", None)
    if boolean is not None:
        return "true" if boolean else "false"
    dated = str(getattr(holder, "valueDateTime", "") or "")
    if dated or known.key == _DUE_DATE:
        at = moment(dated or holder.valueString, UTC)
        return at.last.isoformat() if at is not None else ""
    if not texts and concept is None:
        return ""
    if texts and texts[0].strip().lower() in _PENDING:
        return ""
    read = read_concept(concept, lexicon, () if concept is not None else texts)
    if known.kind == "blood_group":
        for group in ("AB", "A", "B", "O"):
            if f"blood_group_{group.lower()}" in read.sets:
                return group
        hit = next((m for t in texts if (m := _BLOOD_GROUP.match(t))), None)
        return hit.group(1).upper().translate(_SUBGROUPS) if hit else ""
    if known.key == _REACTION:
        return _reaction(texts, read)
    if "not_pregnant" in read.sets:
        return "not pregnant"
    if "pregnancy" in read.sets:
        return "pregnant"
    if "result_negative" in read.sets:
        return "negative"
    if "result_positive" in read.sets:
        return "positive"
    if known.kind == "lab":
        return ""
    return texts[0] if texts else ""


def _reaction(texts: tuple[str, ...], read: Concept) -> str:
    """A recorded reaction to immune globulin: `false`, or its grade with its words behind it."""
    words = {w for text in texts for w in tokens(text)}
    if "result_negative" in read.sets or not words.isdisjoint(_NO_REACTION):
        return "false"
    grade = "severe" if not SEVERE.isdisjoint(read.sets) else _stated_grade(texts)
    grade = grade or ("unstated" if _ORDINARY.isdisjoint(read.sets) else "mild")
    return f"{grade}: {texts[0]}" if texts else grade


def _upper(holder: Any, known: TestKnown, lexicon: Lexicon) -> Decimal | None:
    """The upper end of the report's own reference range."""
    for reference in getattr(holder, "referenceRange", ()):
        spelled = quantity(reference.high, lexicon)
        if spelled is not None and spelled.value is not None:
            return _in_unit(spelled.value, spelled.unit, known) if spelled.unit else None
    return None


_CARE = {("prophylaxis",), ("screening",), ("education",), ("counselling",), ("counseling",)}


def read_condition(c: shapes.Condition, lexicon: Lexicon, path: str, zone: tzinfo) -> Condition | None:
    """A condition that stands: not refuted, not entered in error, not a family history, not a statement of none."""
    verification = status_of(c.verificationStatus)
    if verification in ("refuted", "entered-in-error"):
        return None
    concept = read_concept(c.code, lexicon)
    if (concept.sets or concept.indications) and _not_the_patients(tokens(concept.text)):
        return None
    if concept.sets and not concept.codes and _not_a_disease(tokens(concept.text)):
        return None
    onset = moment(c.onsetDateTime or (c.onsetPeriod.start if c.onsetPeriod else ""), zone)
    recorded = moment(c.recordedDate or c.assertedDate, zone)
    abated = moment(
        c.abatementDateTime
        or (c.abatementPeriod.end if c.abatementPeriod else "")
        or (c.onsetPeriod.end if c.onsetPeriod else ""),
        zone,
    )
    clinical = status_of(c.clinicalStatus)
    if c.abatementBoolean and abated is None:
        clinical = "resolved"
    severity = _stated_grade(words_of(c.severity)) if c.severity is not None else ""
    return Condition(concept, path, onset, recorded, abated, clinical, verification, severity)


def _not_the_patients(words: tuple[str, ...]) -> bool:
    """Whether the words of a condition tell of the family, or that there is none."""
    if words[:1] == ("fh",) and "hypercholesterolemia" not in words and "hypercholesterolaemia" not in words:
        return True  # the familial kind bears the same letters
    return words[:2] in _NONE_SAID or not _FAMILY.isdisjoint(words[:3]) or words[-2:] in _FAMILY_HISTORY


def _not_a_disease(words: tuple[str, ...]) -> bool:
    """Whether words alone tell of what is to be prevented, looked for, taught or excluded: nobody says that it is there."""
    return words[-1:] in _CARE or words[:2] == ("rule", "out")


def speaks_of_immune_globulin(concept: shapes.CodeableConcept | None, lexicon: Lexicon) -> bool:
    """Whether the words of a concept name an immune globulin. The same codes and words are looked up once."""
    key = concept_key(concept)
    known = lexicon.spoken_of.get(key)
    if known is None:
        known = _speaks_of_immune_globulin(concept, lexicon)
        if len(lexicon.spoken_of) < _REMEMBERED:
            lexicon.spoken_of[key] = known
    return bool(known)


def _speaks_of_immune_globulin(concept: shapes.CodeableConcept | None, lexicon: Lexicon) -> bool:
    """Immunoglobulin A, D, E or M is none."""
    texts = words_of(concept)
    for text in texts:
        if any(first in _IG_WORDS and then in _OTHER_CLASSES for first, then in pairwise(tokens(text))):
            return False
    return bool(texts) and identify([concept], lexicon) is not None


def _stated_grade(texts: tuple[str, ...]) -> str:
    """The severity that words state: `mild`, `moderate`, `severe`, or ""."""
    said = {w for text in texts for w in tokens(text)}
    return next((grade for grade in ("severe", "moderate", "mild") if grade in said), "")


def _grade(a: shapes.AllergyIntolerance, concept: Concept, lexicon: Lexicon) -> tuple[str, set[str]]:
    """The worst reaction on record, and the value sets of all manifestations.

    A reaction without severity is mild where all that is told of it are ordinary infusion reactions (headache, fever).
    High criticality decides where no reaction says more.
    """
    grades: list[str] = []
    every: set[str] = set()
    for reaction in a.reaction:
        told = [read_concept(m.concept or m, lexicon).sets for m in reaction.manifestation]
        sets = {name for some in told for name in some}
        every |= sets
        if not SEVERE.isdisjoint(sets):
            grades.append("severe")
        elif reaction.severity in _GRADES:
            grades.append(reaction.severity)
        else:
            grades.append("mild" if told and all(not _ORDINARY.isdisjoint(some) for some in told) else "unstated")
    worst = next((grade for grade in _GRADES if grade in grades), "unstated")
    if not a.reaction and not _ORDINARY.isdisjoint(concept.sets):
        worst = "mild"  # "IVIG - headache"
    if not SEVERE.isdisjoint(concept.sets):
        worst = "severe"
    elif a.criticality == "high" and worst != "severe":
        worst = "severe" if worst == "unstated" else "unstated"  # it contradicts a reaction that was mild
    return worst, every


def read_allergy(
    a: shapes.AllergyIntolerance, lexicon: Lexicon, path: str, zone: tzinfo, immune_globulin: bool
) -> Allergy | None:
    verification = status_of(a.verificationStatus)
    if verification in ("refuted", "entered-in-error"):
        return None
    concept = read_concept(a.code, lexicon, tuple(t for r in a.reaction for t in words_of(r.substance)))
    if tokens(concept.text)[:2] == ("no", "known"):
        return None
    grade, reactions = _grade(a, concept, lexicon)
    manifested = (t for r in a.reaction for m in r.manifestation for t in words_of(m.concept or m)[:1])
    recorded = moment(a.recordedDate or a.assertedDate or a.onsetDateTime, zone)
    return Allergy(
        concept,
        path,
        recorded,
        grade,
        frozenset(reactions),
        immune_globulin,
        status_of(a.clinicalStatus),
        verification,
        ", ".join(dict.fromkeys(manifested)),
    )


def read_procedure(p: Any, lexicon: Lexicon, path: str, zone: tzinfo) -> Procedure | None:
    """A Procedure, ServiceRequest or Appointment that the knowledge has a word for."""
    status, end, standing = p.status, None, False
    if status in ("entered-in-error", "cancelled", "not-done", "revoked", "noshow"):
        return None
    if isinstance(p, shapes.Procedure):
        period = p.performedPeriod or p.occurrencePeriod
        when = moment(p.performedDateTime or p.occurrenceDateTime or (period.start if period else ""), zone)
        end = moment(period.end, zone) if period is not None and period.end else None
        category = p.category if isinstance(p.category, list) else [p.category] if p.category else []
        texts: tuple[str, ...] = ()
        kind, code, asked = "procedure", p.code, None
    elif isinstance(p, shapes.ServiceRequest):
        if p.doNotPerform or p.intent in NO_ORDER:
            return None
        period, repeated = p.occurrencePeriod, p.occurrenceTiming
        if period is None and repeated is not None and repeated.repeat is not None:
            period = repeated.repeat.boundsPeriod
        when = moment(p.occurrenceDateTime or (period.start if period else ""), zone)
        end = moment(period.end, zone) if period is not None and period.end else None
        events = [at for text in repeated.event if (at := moment(text, zone))] if repeated is not None else []
        if events and when is None:
            when, end = min(events, key=lambda at: at.instant), max(events, key=lambda at: at.instant)
        standing = end is None and (repeated is not None or period is not None) and status in ("active", "")
        code = p.code.concept if p.code is not None and p.code.concept is not None else p.code
        texts = ()
        kind, category, asked = "request", p.category, moment(p.authoredOn, zone)
    else:
        when, asked = moment(p.start, zone), moment(p.created, zone)
        kind, category, code = (
            "appointment",
            [*p.serviceCategory, *p.reasonCode],
            p.serviceType[0] if p.serviceType else None,
        )
        texts = (p.description,) if p.description else ()
    concept = read_concept(code, lexicon, texts)
    sets = set(concept.sets)
    for c in category:
        sets |= read_concept(c, lexicon).sets
    tests = concept.tests
    if not sets and not tests:
        return None
    if sets != concept.sets:
        concept = structs.replace(concept, sets=frozenset(sets))
    return Procedure(concept, path, kind, status, when, asked, tests, end, standing)


def read_vaccine(v: shapes.Immunization, lexicon: Lexicon, path: str, zone: tzinfo) -> Vaccine | None:
    if v.status in ("entered-in-error", "not-done"):
        return None
    concept = read_concept(v.vaccineCode, lexicon)
    return Vaccine(concept, path, v.status, moment(v.occurrenceDateTime, zone)) if concept.sets else None


NO_ORDER = frozenset({"proposal", "option"})  # nobody has asked for it; a plan may be what is taken at home
DRUG_FALLS = frozenset({"entered-in-error", "cancelled", "not-done", "not-taken", "declined"})


def read_drug(
    d: Any, concept: shapes.CodeableConcept | None, texts: tuple[str, ...], lexicon: Lexicon, path: str, zone: tzinfo
) -> Drug | None:
    """Another medicine that the knowledge has a set for."""
    if d.status in DRUG_FALLS or getattr(d, "doNotPerform", False) or getattr(d, "intent", "") in NO_ORDER:
        return None
    read = read_concept(concept, lexicon, texts)
    if not read.sets:
        return None
    if isinstance(d, shapes.MedicationRequest):
        bounds = bounds_of(d.dosageInstruction)
        start = moment(bounds.start if bounds and bounds.start else d.authoredOn, zone)
        end = moment(bounds.end, zone) if bounds and bounds.end else None
        return Drug(read, path, "request", d.status, start, end, d.intent, moment(d.authoredOn, zone))
    if isinstance(d, shapes.MedicationDispense):
        start = moment(d.whenHandedOver or d.whenPrepared, zone)
        return Drug(read, path, "dispense", d.status, start, None)
    if isinstance(d, shapes.MedicationAdministration):
        period = d.effectivePeriod
        start = moment(d.effectiveDateTime or d.occurenceDateTime or (period.start if period else ""), zone)
        return Drug(read, path, "administration", d.status, start, None)
    period = d.effectivePeriod
    start = moment(d.effectiveDateTime or (period.start if period else "") or d.dateAsserted, zone)
    return Drug(read, path, "statement", d.status, start, moment(period.end, zone) if period and period.end else None)


def bounds_of(dosages: Any) -> shapes.Period | None:
    first = (
        dosages[0] if isinstance(dosages, list) and dosages else dosages if isinstance(dosages, shapes.Dosage) else None
    )
    timing = first.timing if first is not None else None
    return timing.repeat.boundsPeriod if timing is not None and timing.repeat is not None else None

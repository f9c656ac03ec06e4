"""Codes, words and quantities, read with the lexicon."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from msgspec import Raw, Struct

from ivig.core.lexicon import Lexicon, Words, ndc_forms, plain_code, tokens
from ivig.core.order import Concept
from ivig.wire import shapes

# A name behind one of these words in the same text is not a statement that the patient has it.
_DENIED = frozenset(
    {"no", "not", "denies", "denied", "without", "negative", "family", "mother", "father", "exclude", "excluded", "r/o"}
)
# Nor one that an indication is present: a reason has to be what is treated now.
_PAST = frozenset({"history", "hx", "sequela", "sequelae", "post", "prior", "previous", "former", "past", "rule"})
_OTHERWISE = frozenset({"prophylaxis", "carrier", "colonization", "colonisation"})
# These only behind an abbreviation ("GBS sepsis"): toxic shock of streptococci is what it says.
_GERMS = frozenset({"strep", "streptococcus", "streptococcal", "sepsis"})
_LARGEST_EXPONENT = 12
_LONGEST_NUMBER = 40
_REMEMBERED = 16384
_LONGEST_COUNT, _MOST = 6, 100000  # no count of doses or days has six digits


class Spelled(Struct, frozen=True):
    """A quantity as read: exact value, canonical unit ("" when not in the table), as written, and what is wrong with it."""

    value: Decimal | None
    unit: str
    said: str
    problem: str = ""
    disagrees: str = ""


def exact(raw: Raw) -> Decimal | None:
    """A JSON number as the decimal it was written as; None when it is absent, no number, or beyond reason."""
    return exact_text(bytes(raw))


@lru_cache(maxsize=_REMEMBERED)
def exact_text(text: bytes) -> Decimal | None:
    """The same, of the bytes of a JSON value. Numbers recur, and a decimal never changes."""
    if not text or text[0] not in b"-0123456789" or len(text) > _LONGEST_NUMBER:
        return None
    try:
        value = Decimal(text.decode())
    except (InvalidOperation, UnicodeDecodeError):  # an exponent beyond what a decimal can hold
        return None
    if b"e" in text or b"E" in text:
        return value if value.is_finite() and abs(value.adjusted()) <= _LARGEST_EXPONENT else None
    return value if abs(value.adjusted()) <= _LARGEST_EXPONENT or not value else None


def whole(raw: Raw) -> int | None:
    """A positive JSON integer."""
    text = bytes(raw)
    if text.isdigit():
        return int(text) or None if len(text) < _LONGEST_COUNT else None
    value = exact_text(text)
    return int(value) if value is not None and value == value.to_integral_value() and 0 < value < _MOST else None


def quantity(q: shapes.Quantity | None, lexicon: Lexicon) -> Spelled | None:
    """A quantity with its unit by the alias table. The code decides over the unit; a local code gives way to a known unit."""
    if q is None:
        return None
    raw = bytes(q.value)
    code, words = q.code, q.unit
    if not raw and not words and not code:
        return None
    value = exact_text(raw)
    said = (
        f"{q.comparator}{raw.decode(errors='replace')} {words or code}"
        if len(raw) + len(words) + len(code) < 100
        else "a long value"
    )
    unit = lexicon.units.get(code) if code else None
    if unit is not None and (words == code or not words) and value is not None:
        return Spelled(value, unit, said)
    by_unit = lexicon.units.get(words) if words else None
    ucum = not q.system or "unitsofmeasure" in q.system
    disagrees = by_unit if unit is not None and by_unit is not None and unit != by_unit else ""
    if unit is None and by_unit is not None and not (code and ucum):
        unit = by_unit
    spelling = (words or code)[:40]
    problem = ""
    if value is None:
        problem = "no number"
    elif unit is None:
        problem = f"unit {spelling!r} is not known" if spelling else "no unit"
    return Spelled(value, unit or "", said.strip(), problem, disagrees or "")


def coded(concept: shapes.CodeableConcept | None, lexicon: Lexicon) -> tuple[tuple[str, str], ...]:
    """System and code pairs of the systems that are known."""
    if concept is None:
        return ()
    found = []
    for coding in concept.coding:
        if coding.code and coding.system:
            system = lexicon.system(coding.system)
            if system:
                found.append((system, plain_code(system, coding.code)))
    return tuple(found)


def words_of(concept: shapes.CodeableConcept | None) -> tuple[str, ...]:
    """The texts of a concept: its own, and its codings' displays."""
    if concept is None:
        return ()
    return tuple(dict.fromkeys(t for t in (concept.text, *(c.display for c in concept.coding)) if t))


def named(
    words: Words, texts: Iterable[str], denied: frozenset[str] = _DENIED, after: frozenset[str] = frozenset()
) -> set[str]:
    """Keys whose names stand in the texts, unless a word before them denies it, or one behind them means something else."""
    found: set[str] = set()
    for text in texts:
        hits = words.find(text)
        if hits:
            split = tokens(text)
            for start, length, keys in hits:
                behind = after | _GERMS if after and length == 1 else after
                if denied.isdisjoint(split[:start]) and behind.isdisjoint(split[start:]):
                    found.update(keys)
    return found


def read_concept(concept: shapes.CodeableConcept | None, lexicon: Lexicon, extra: tuple[str, ...] = ()) -> Concept:
    """What a coded or worded thing is by the knowledge's names. The same codes and words are looked up once."""
    key = concept_key(concept, extra)
    known = lexicon.read.get(key)
    if known is None:
        known = _read_concept(concept, lexicon, extra)
        if len(lexicon.read) >= _REMEMBERED:
            lexicon.read.clear()
        lexicon.read[key] = known
    return known


def concept_key(concept: shapes.CodeableConcept | None, extra: tuple[str, ...] = ()) -> tuple[object, ...]:
    """What decides the reading of a concept: its words and codes."""
    if concept is None:
        return (extra,)
    coding = concept.coding
    if len(coding) == 1:
        only = coding[0]
        return (concept.text, only.system, only.code, only.display, extra)
    return (concept.text, *[(c.system, c.code, c.display) for c in coding], extra)


def _read_concept(concept: shapes.CodeableConcept | None, lexicon: Lexicon, extra: tuple[str, ...]) -> Concept:
    codes = coded(concept, lexicon)
    texts = (*words_of(concept), *extra)
    sets: set[str] = set()
    pages: dict[str, None] = {}
    excluded = False
    wide: set[str] = set()
    tests: dict[str, None] = {}
    for system, code in codes:
        sets.update(lexicon.sets.all(system, code))
        wide.update(lexicon.wide.all(system, code))
        pages.update(dict.fromkeys(lexicon.indications.find(system, code)))
        excluded = excluded or bool(lexicon.excluded.all(system, code))
        tests.update(dict.fromkeys(lexicon.tests.all(system, code)))
    sets |= named(lexicon.set_words, texts)
    sets.update(f"{s}_wide" for s in wide if s not in sets)
    by_words = False
    if not pages and not excluded:
        pages.update(dict.fromkeys(sorted(named(lexicon.indication_words, texts, _DENIED | _PAST, _OTHERWISE))))
        by_words = bool(pages)
    return Concept(texts[0] if texts else "", codes, frozenset(sets), tuple(pages), by_words, excluded, tuple(tests))


class Ident(Struct, frozen=True):
    """What immune globulin a medication is. `kind` as in `core.order.Order`; `generic` when no brand is known."""

    kind: str
    products: tuple[str, ...] = ()
    generic: bool = True
    from_words: bool = False
    strengths: tuple[Decimal, ...] = ()
    clash: tuple[str, ...] = ()
    brand_in_text: tuple[str, ...] = ()


_PERCENT = re.compile(r"(\d{1,2}(?:\.\d)?)\s?%")
_PER_ML = re.compile(r"(\d+(?:\.\d+)?)\s?(mg|g|gm|gram|grams)\s?(?:/|per)\s?(\d+(?:\.\d+)?)?\s?ml\b", re.IGNORECASE)
_EITHER_WAY = re.compile(
    r"\b(?:ivig|igiv|iv)\s?(?:/|or|and)\s?(?:scig|igsc|sc)\b|\b(?:scig|igsc|sc)\s?(?:/|or|and)\s?(?:ivig|igiv|iv)\b",
    re.IGNORECASE,
)
_UNSPECIFIC = {
    "unspecific_immune_globulin": "",
    "unspecific_subcutaneous": "polyvalent-sc",
    "unspecific_intramuscular": "polyvalent-im",
    "hyperimmune_atc": "hyperimmune",
}


def stated_strengths(texts: Iterable[str]) -> tuple[Decimal, ...]:
    """Strengths in g/mL that a text states: `10%`, `100 mg/mL`, `5 g/50 mL`."""
    found: dict[Decimal, None] = {}
    for text in texts:
        for percent in _PERCENT.findall(text):
            found[Decimal(percent) / 100] = None
        for amount, unit, per in _PER_ML.findall(text):
            grams = Decimal(amount) / (1000 if unit.lower() == "mg" else 1)
            volume = Decimal(per) if per else Decimal(1)
            if volume and 0 < grams / volume <= Decimal("0.5"):
                found[grams / volume] = None
    return tuple(found)


def identify(
    concepts: Iterable[shapes.CodeableConcept | None], lexicon: Lexicon, texts: tuple[str, ...] = ()
) -> Ident | None:
    """The immune globulin that a medication names, or None when it names none. Codes decide over words."""
    held = tuple(c for c in concepts if c is not None)
    key = concept_key(held[0], texts) if len(held) == 1 else (*[concept_key(c) for c in held], texts)
    if key in lexicon.medicines:
        known: Ident | None = lexicon.medicines[key]
        return known
    found = _identify(held, lexicon, texts)
    if len(lexicon.medicines) >= _REMEMBERED:
        lexicon.medicines.clear()
    lexicon.medicines[key] = found
    return found


def _identify(concepts: tuple[shapes.CodeableConcept, ...], lexicon: Lexicon, texts: tuple[str, ...]) -> Ident | None:
    all_texts: dict[str, None] = dict.fromkeys(t for t in texts if t)
    by_code: list[frozenset[str]] = []
    sets: set[str] = set()
    for concept in concepts:
        all_texts.update(dict.fromkeys(words_of(concept)))
        for system, code in coded(concept, lexicon):
            forms = ndc_forms(code) if system == "ndc" else (code,)
            pages = frozenset(p for form in forms for p in lexicon.products.all(system, form))
            if pages:
                by_code.append(pages)
            else:
                sets.update(lexicon.sets.all(system, code))
    said = tuple(all_texts)
    if not by_code and not (sets & _UNSPECIFIC.keys()) and not _may_be_immune_globulin(said, lexicon):
        return None
    if not by_code and ("never_immune_globulin" in sets or "never_immune_globulin" in named(lexicon.set_words, said)):
        return None
    in_text = _in_text(said, lexicon)
    strengths = stated_strengths(said)
    if by_code:
        together = frozenset.intersection(*by_code)
        if not together:
            every = sorted(frozenset.union(*by_code))
            return Ident(lexicon.product_pages[every[0]].kind, tuple(every), False, False, strengths, tuple(every))
        pages = together & in_text or together
        narrowed = _by_strength(sorted(pages), strengths, lexicon)
        kinds = {lexicon.product_pages[p].kind for p in narrowed}
        contrary = tuple(sorted(in_text)) if in_text and not (together & in_text) else ()
        return Ident(
            kinds.pop() if len(kinds) == 1 else "", narrowed, False, False, () if contrary else strengths, (), contrary
        )
    if in_text:
        narrowed = _by_strength(sorted(_choices(said, in_text, lexicon)), strengths, lexicon)
        kinds = {lexicon.product_pages[p].kind for p in narrowed}
        return Ident(kinds.pop() if len(kinds) == 1 else "", narrowed, False, True, strengths)
    coded_kind = next((kind for name, kind in _UNSPECIFIC.items() if name in sets), None)
    if coded_kind is None:
        worded = named(lexicon.set_words, said)
        coded_kind = next((kind for name, kind in reversed(_UNSPECIFIC.items()) if name in worded), None)
        if coded_kind is None:
            return None
        if any(_EITHER_WAY.search(text) for text in said):
            coded_kind = ""  # which of the two is told by the order's route
        return Ident(coded_kind, (), True, True, strengths)
    return Ident(coded_kind, (), True, False, strengths)


def _may_be_immune_globulin(texts: tuple[str, ...], lexicon: Lexicon) -> bool:
    return any(lexicon.product_words.find(t) for t in texts) or any(
        not _UNSPECIFIC.keys().isdisjoint(keys) for t in texts for _, _, keys in lexicon.set_words.find(t)
    )


def _in_text(texts: tuple[str, ...], lexicon: Lexicon) -> frozenset[str]:
    """Products whose names stand in the texts; where several texts name some, what they have in common."""
    found: list[frozenset[str]] = []
    for text in texts:
        for _, _, keys in lexicon.product_words.find(text):
            found.append(frozenset(keys))
    if not found:
        return frozenset()
    return frozenset.intersection(*found) or found[0]


def _choices(texts: tuple[str, ...], in_text: frozenset[str], lexicon: Lexicon) -> frozenset[str]:
    """All brands of a text that names several ("Privigen or Octagam"): without a code any of them may be meant."""
    for text in texts:
        named_here = [frozenset(keys) for _, _, keys in lexicon.product_words.find(text)]
        if named_here:
            return frozenset.intersection(*named_here) & in_text or frozenset.union(*named_here)
    return in_text


def _by_strength(pages: list[str], strengths: tuple[Decimal, ...], lexicon: Lexicon) -> tuple[str, ...]:
    if len(pages) > 1 and strengths:
        fitting = [p for p in pages if any(Decimal(s) in strengths for s in lexicon.product_pages[p].strengths)]
        return tuple(fitting or pages)
    return tuple(pages)

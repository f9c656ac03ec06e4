"""One immune globulin order and the chart it is judged by, as plain facts. Nothing here knows FHIR.

Paths are FHIRPaths into what was submitted, so that a finding can point at what it rests on.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import Struct

NONE: tuple[str, ...] = ()
# Verification statuses of what nobody has confirmed: it counts, and is said.
UNCONFIRMED = ("unconfirmed", "provisional", "differential", "presumed")


class Moment(Struct, frozen=True, gc=False, order=True):
    """A point or span of time: its start as seconds since 1970, its first and last day in the order's own offset, and as written."""

    instant: float
    day: date
    last: date
    text: str
    timed: bool = False


class Concept(Struct, frozen=True):
    """What a coded or worded thing is, by the knowledge's own names: value sets, indication pages, tests."""

    text: str
    codes: tuple[tuple[str, str], ...] = ()
    sets: frozenset[str] = frozenset()
    indications: tuple[str, ...] = ()
    by_words: bool = False
    excluded: bool = False
    tests: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """Its words, else its first code as people write it; "" where there is neither."""
        if self.text or not self.codes:
            return self.text
        system, code = self.codes[0]
        stem, rest = code[:3], code[3:]  # ICD-10-CM is held without its dot
        return f"{stem}.{rest}" if system == "icd10cm" and rest and not rest.startswith(".") else code

    def called(self, kind: str) -> str:
        """Its words; without any, what kind of thing it is and its code."""
        return self.text or (f"{kind} ({self.codes[0][0]} {self.said})" if self.codes else kind)


class Amount(Struct, frozen=True):
    """A dose as ordered. `unit` is a canonical unit, `{vial}`, or "" when it could not be read (then `said` tells what stood there).

    `low` and `high` differ for a range. `each` says what it is a dose for: `dose`, `day` or `course`.
    """

    low: Decimal
    high: Decimal
    unit: str
    said: str
    path: str
    each: str = "dose"
    from_text: bool = False


class Rate(Struct, frozen=True):
    """An infusion rate as ordered, in a canonical unit; `unit` is a time for a stated duration, "" when it could not be read.

    Args:
        value: the rate, of a range its upper end; of a range of durations the shortest.
        low: the lower end of a range of rates.
        long: the longest of a range of durations.
        role: `start` or `most`, where words say that it is the rate to begin with, or the one not to exceed.
    """

    value: Decimal
    unit: str
    said: str
    path: str
    low: Decimal | None = None
    long: Decimal | None = None
    role: str = ""


class Part(Struct, frozen=True):
    """One dosage instruction: what is given, and when.

    Args:
        amount: the dose, None when there is none.
        views: other readings of the same dose that the order states beside it.
        doses_a_day: how many times the dose is given on an infusion day.
        days: infusion days in one cycle, or in the whole course when it does not repeat; None when it cannot be told.
        step: days from one infusion day to the next within a cycle (1 = daily).
        interval: days from one cycle to the next; None when it does not repeat.
        cycles: how many cycles; None when open-ended.
        start: the first planned day.
        events: the planned days one by one, when the order lists them.
    """

    path: str
    sequence: int | None = None
    amount: Amount | None = None
    views: tuple[Amount, ...] = ()
    caps: tuple[Amount, ...] = ()
    doses_a_day: int = 1
    days: int | None = None
    step: Decimal = Decimal(1)
    interval: Decimal | None = None
    cycles: int | None = None
    start: Moment | None = None
    events: tuple[date, ...] = ()
    rates: tuple[Rate, ...] = ()
    text: str = ""
    timing_path: str = ""
    said_timing: bool = False
    as_needed: bool = False


class Reason(Struct, frozen=True):
    """A reason given on the order, with the chart condition it points to where it does."""

    concept: Concept
    path: str
    onset: Moment | None = None
    refuted: bool = False


class Result(Struct, frozen=True):
    """A weight, height, test or scale as reported. `value` is in the test's own unit, None when it could not be read (see `problem`)."""

    test: str
    value: Decimal | None
    unit: str
    said: str
    when: Moment | None
    path: str
    status: str = "final"
    comparator: str = ""
    words: str = ""
    problem: str = ""
    issued: float = 0.0
    code: str = ""
    high: Decimal | None = None


class Condition(Struct, frozen=True):
    concept: Concept
    path: str
    onset: Moment | None = None
    recorded: Moment | None = None
    abated: Moment | None = None
    clinical: str = ""
    verification: str = ""
    severity: str = ""  # mild, moderate, severe
    immune_globulin: bool = False  # its words speak of a reaction, and name an immune globulin


class Allergy(Struct, frozen=True):
    """What the patient does not tolerate.

    Args:
        grade: the worst reaction on record: `severe`, `unstated`, `moderate` or `mild`.
        reactions: the value sets of all manifestations; `said` is their words.
    """

    concept: Concept
    path: str
    recorded: Moment | None = None
    grade: str = "unstated"
    reactions: frozenset[str] = frozenset()
    immune_globulin: bool = False
    clinical: str = ""
    verification: str = ""
    said: str = ""


class Drug(Struct, frozen=True):
    """Another medicine: ordered, given, dispensed or stated.

    Args:
        end: its last day as stated; of a dispense, the last day its supply covers.
        parts: its dosage instructions, where it matters when it is given.
        route: where it matters, `iv`, `sc`, `im`, `oral`, `local`, or "" when it is not told.
        before_infusion: words say that it is given before an infusion, or kept ready for a reaction to one.
    """

    concept: Concept
    path: str
    kind: str
    status: str
    start: Moment | None = None
    end: Moment | None = None
    intent: str = "order"
    asked: Moment | None = None
    parts: tuple[Part, ...] = ()
    route: str = ""
    before_infusion: bool = False


class Infusion(Struct, frozen=True):
    """Immune globulin in the chart: another order of it, or a record that some was given."""

    path: str
    kind: str  # administration, dispense, immunization, statement, request
    status: str
    products: tuple[str, ...]
    kind_of_product: str
    route: str
    start: Moment | None
    end: Moment | None = None
    amount: Amount | None = None
    parts: tuple[Part, ...] = ()
    indications: tuple[str, ...] = ()
    ref: str = ""
    identifiers: tuple[str, ...] = ()
    group: str = ""
    based_on: tuple[str, ...] = ()
    prior: str = ""
    intent: str = ""
    asked: Moment | None = None
    names: tuple[str, ...] = ()  # every name it goes by: Type/id, full URL


class Procedure(Struct, frozen=True):
    """A procedure done or planned: operations, plasma exchange, a test that was ordered.

    `standing`: asked for again and again, or over a time of which no end is told.
    """

    concept: Concept
    path: str
    kind: str  # procedure, request, appointment
    status: str
    when: Moment | None = None
    asked: Moment | None = None
    tests: tuple[str, ...] = ()
    end: Moment | None = None
    standing: bool = False


class Vaccine(Struct, frozen=True):
    """A vaccine given; or, with `planned`, one that a recommendation names: due from `when` on, known since `asked`."""

    concept: Concept
    path: str
    status: str
    when: Moment | None = None
    planned: bool = False
    asked: Moment | None = None


class Chart(Struct, frozen=True):
    """What is known of the patient on the day of judgement.

    `sections` holds the names of the sections that were sent; `later` counts evidence left out because it is later than that day;
    `unavailable` what was asked for and not had.
    """

    sections: frozenset[str]
    birth: tuple[date, date] | None = None
    birth_said: str = ""
    sex: str = ""
    deceased: Moment | bool | None = None
    patient_path: str = ""
    results: tuple[Result, ...] = ()
    conditions: tuple[Condition, ...] = ()
    allergies: tuple[Allergy, ...] = ()
    drugs: tuple[Drug, ...] = ()
    infusions: tuple[Infusion, ...] = ()
    procedures: tuple[Procedure, ...] = ()
    vaccines: tuple[Vaccine, ...] = ()
    later: int = 0
    later_path: str = ""
    strangers: int = 0
    stranger_path: str = ""
    not_understood: tuple[str, ...] = ()
    unavailable: tuple[tuple[str, str], ...] = ()  # section or key, reason (incomplete, timeout, forbidden)


class Order(Struct, frozen=True):
    """One order to be judged.

    Args:
        products: keys of the product pages it may be; empty when nothing more than "immune globulin" is known.
        kind: polyvalent-iv, polyvalent-sc, polyvalent-im, hyperimmune, or "" when only "immune globulin" is known.
        strengths: strengths in g/mL that the order itself states.
        clash: the codes name different products.
        day, moment: the day of judgement; the moment when the order states a time.
    """

    ref: str
    path: str
    day: date
    moment: Moment
    chart: Chart
    status: str = ""
    intent: str = ""
    subject: str = ""
    subject_matches: bool | None = None
    medication: str = ""
    medication_missing: bool = False
    medication_path: str = ""
    products: tuple[str, ...] = ()
    kind: str = ""
    from_words: bool = False
    generic: bool = False
    strengths: tuple[Decimal, ...] = ()
    clash: tuple[str, ...] = ()
    route: str = ""
    route_said: str = ""
    route_path: str = ""
    parts: tuple[Part, ...] = ()
    group_parts: tuple[Part, ...] = ()
    reasons: tuple[Reason, ...] = ()
    dispensed: Amount | None = None
    repeats: int = 0
    setting: str = ""
    authored: Moment | None = None
    ref_ids: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    group: str = ""
    together: frozenset[str] = frozenset()  # paths of the orders that are one course with this one
    based_on: tuple[str, ...] = ()
    prior: str = ""
    stated_basis: str = ""
    stated_weight: Result | None = None
    repaired: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    contradictions: tuple[tuple[str, str, str], ...] = ()  # what, said in text, path
    modifiers: tuple[tuple[str, str], ...] = ()  # url, path
    broken: tuple[tuple[str, str], ...] = ()  # path, why
    text: str = ""
    remarks: str = ""  # notes and instructions beside the dosage texts

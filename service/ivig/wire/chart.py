"""The chart of one patient, as it stood on a day."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping, Sequence
from datetime import date, tzinfo
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from msgspec import structs

from ivig.core.lexicon import Lexicon
from ivig.core.order import Amount, Chart, Infusion, Moment, Part, Result
from ivig.wire import evidence, shapes
from ivig.wire.concepts import Ident, exact_text, identify, quantity, read_concept
from ivig.wire.dates import moment
from ivig.wire.decode import Broken, Decoded, Item
from ivig.wire.dosage import read_dosages
from ivig.wire.medication import medication_concepts, read_route, setting_of
from ivig.wire.references import References, tail
from ivig.wire.taking import recommended, supplied, taken

if TYPE_CHECKING:
    from ivig.wire.read import Asked

SECTIONS = {
    "Condition": "conditions",
    "MedicationRequest": "medications",
    "MedicationAdministration": "medications",
    "MedicationDispense": "medications",
    "MedicationStatement": "medications",
    "AllergyIntolerance": "allergies",
    "Procedure": "procedures",
    "Immunization": "immunizations",
}
# List.code of FHIR's own list use codes (LOINC): what a list with emptyReason `nilknown` states to be empty.
_LISTS = {
    "48765-2": "allergies",
    "10160-0": "medications",
    "11450-4": "conditions",
    "47519-4": "procedures",
    "11369-6": "immunizations",
}
# What else a type fills, by the names of the contract's prefetch keys.
_FILLED = {
    "Observation": ("weights", "heights", "lab-cbc", "lab-renal", "lab-liver", "lab-iga", "lab-abo", "scales"),
    "Encounter": ("encounter",),
}
_CVX_IMMUNE_GLOBULIN = "ig_record"
_REMEMBERED = 65536
_INFUSION_FALLS = frozenset({"entered-in-error", "cancelled", "not-done", "not-taken", "declined", "unknown"})


def shared_out(items: Sequence[Item], patients: frozenset[str], references: References) -> dict[str, Sequence[Item]]:
    """What each of several patients' charts has to look at: their own resources, and those of nobody who has an order here.

    A resource of a patient who has orders of his own in the body is his, and a stranger to nobody.
    """
    if len(patients) < 2:
        return dict.fromkeys(patients, items)
    own: dict[str, list[tuple[int, Item]]] = {who: [] for who in patients}
    common: list[tuple[int, Item]] = []
    for place, item in enumerate(items):
        known = _READERS.get(type(item.resource))
        about = references.patient_of(getattr(item.resource, known[2])) if known is not None else ""
        own.get(about, common).append((place, item))
    return {who: [item for _, item in sorted(mine + common, key=lambda pair: pair[0])] for who, mine in own.items()}


class ChartReader:
    """Reads the evidence of one patient once, and shows it as of any day.

    Args:
        judged: paths of all orders to be judged.
        medicines: the immune globulin of each request, by its path.
        own_day: the orders say when they were written.
    """

    def __init__(
        self,
        decoded: Decoded,
        items: Sequence[Item],
        references: References,
        lexicon: Lexicon,
        zone: tzinfo,
        patient: str,
        judged: frozenset[str],
        medicines: Mapping[str, Ident | None],
        asked: Asked,
        own_day: bool = False,
    ) -> None:
        self.references, self.lexicon, self.zone, self.who = references, lexicon, zone, patient
        self.judged, self.medicines = judged, medicines
        # The one order judged, on its own day: to itself it is no evidence. (On another day it may be later evidence, and is counted.)
        self.alone = len(judged) == 1 and own_day and asked.day is None and asked.moment is None
        self._subjects: dict[str, bool] = {}
        # What was sent was sent of the patient who was sent: it tells nothing of another one, whose order lies among the orders.
        sent = asked.sections if references.patient(patient) is not None or not references.patients_sent else ()
        self.sections = set(sent) | {SECTIONS[k] for k in decoded.searched if k in SECTIONS}
        self.strangers, self.stranger_path = 0, ""
        self.not_understood: list[str] = []
        self.held: dict[str, list[Any]] = {
            n: [] for n in ("results", "conditions", "allergies", "drugs", "infusions", "procedures", "vaccines")
        }
        self.failed: list[Broken] = []
        for item in items:
            try:
                self._take(item)
            except Exception as fault:  # noqa: BLE001  (one resource must never take the others down)
                self.failed.append(Broken(item.path, f"could not be read ({type(fault).__name__})"))
        self._doubt(decoded)
        self.person = self._person()
        cut = [
            (name, why)
            for kind, why in decoded.cut
            for name in ((SECTIONS[kind],) if kind in SECTIONS else _FILLED.get(kind, ()))
        ]
        self.unavailable = (*asked.unavailable, *cut)
        self._on: dict[date, Chart] = {}

    def on(self, day: date) -> Chart:
        """The chart as of `day`: what is dated later is left out and counted."""
        known = self._on.get(day)
        if known is None:
            known = self._on[day] = self._as_of(day)
        return known

    def _as_of(self, day: date) -> Chart:
        later, later_path = 0, ""
        kept: dict[str, Any] = {}
        for name, of in self.held.items():
            known_on = _DATED[name]
            seen = []
            for thing in of:
                dated = known_on(thing)
                if dated is not None and dated.day > day:
                    later, later_path = later + 1, later_path or thing.path
                else:
                    seen.append(thing)
            kept[name] = tuple(seen)
        return Chart(
            sections=frozenset(self.sections),
            later=later,
            later_path=later_path,
            strangers=self.strangers,
            stranger_path=self.stranger_path,
            not_understood=tuple(self.not_understood),
            unavailable=self.unavailable,
            **self.person,
            **kept,
        )

    def _person(self) -> dict[str, Any]:
        item = self.references.patient(self.who)
        if item is None or not isinstance(item.resource, shapes.Patient):
            return {}
        patient = item.resource
        if patient.modifierExtension or patient.implicitRules:
            self.not_understood.append(item.path)
            return {}
        dead: Moment | bool | None = moment(patient.deceasedDateTime, self.zone) if patient.deceasedDateTime else None
        return {
            "birth": _birth(patient.birthDate),
            "birth_said": patient.birthDate if _birth(patient.birthDate) else "",
            "sex": patient.gender,
            "deceased": dead if dead is not None else patient.deceasedBoolean or None,
            "patient_path": item.path,
        }

    def _take(self, item: Item) -> None:
        resource = item.resource
        kind = type(resource)
        known = _READERS.get(kind)
        if known is None:
            if kind is shapes.List:
                self._nil_known(resource)
            elif kind is shapes.Appointment:
                self._appointment(item, resource)
            return
        if item.path in self.judged:
            ident = self.medicines.get(item.path)
            if ident is not None and not self.alone:  # a judged order is evidence for the others
                self._infusion(item, resource, ident)
            return
        reader, section, about = known
        subject = resource.patient if about == "patient" else resource.subject  # type: ignore[attr-defined]
        if not self._mine(subject):
            self.strangers += 1
            self.stranger_path = self.stranger_path or item.path
            return
        if resource.modifierExtension or resource.implicitRules:
            self.not_understood.append(item.path)
            return
        if section:
            self.sections.add(section)
        reader(self, item, resource)

    def _mine(self, subject: shapes.Reference | None) -> bool:
        """Whether a subject is this chart's patient; each reference is resolved once."""
        if subject is None:
            return self.references.patient_of(None) == self.who
        known = self._subjects.get(subject.reference)
        if known is None:
            known = self._subjects[subject.reference] = self.references.patient_of(subject) == self.who
        return known

    def _appointment(self, item: Item, resource: Any) -> None:
        actors = [p.actor for p in resource.participant if p.actor is not None and p.actor.reference]
        if actors and not any(self._mine(a) for a in actors):
            return
        read = evidence.read_procedure(resource, self.lexicon, item.path, self.zone)
        if read is not None:
            self.held["procedures"].append(read)

    def _doubt(self, decoded: Decoded) -> None:
        """A section with an element that could not be read is not wholly known: it does not count as sent."""
        for broken in (*decoded.broken, *self.failed):
            for item in decoded.items:
                if broken.path.startswith(item.path + ".") or broken.path == item.path:
                    self.sections.discard(
                        SECTIONS.get(type(item.resource).__name__, "") if item.path not in self.judged else ""
                    )

    def _nil_known(self, held: Any) -> None:
        if held.emptyReason is None or not any(c.code == "nilknown" for c in held.emptyReason.coding):
            return
        if self.references.patient_of(held.subject) != self.who:
            return
        for coding in held.code.coding if held.code is not None else ():
            if coding.code in _LISTS:
                self.sections.add(_LISTS[coding.code])

    def _results(self, item: Item, o: Any) -> None:
        """The results of an Observation. The ordinary one, a plain number in the test's own unit, is read on the spot."""
        code, q = o.code, o.valueQuantity
        text = o.effectiveDateTime
        if q is None or code is None or not text or o.component or o.dataAbsentReason is not None or q.comparator:
            self.held["results"].extend(evidence.read_results(o, self.lexicon, item.path, self.zone))
            return
        remembered = self.lexicon.plain_tests
        for coding in code.coding:
            key = (coding.system, coding.code, q.code, q.unit, o.status)
            known = remembered.get(key)
            if known is None:
                known = evidence.plain_test(*key, self.lexicon)
                if len(remembered) < _REMEMBERED:
                    remembered[key] = known
            if known is evidence.NO_TEST:
                continue
            raw = bytes(q.value)
            value = exact_text(raw)
            if value is None or known is evidence.NOT_PLAIN:
                break
            when = moment(text, self.zone)
            at = 0.0
            if o.issued:
                issued = moment(o.issued, self.zone)
                at = issued.instant if issued is not None else 0.0
            said = f"{raw.decode()} {q.code}"
            self.held["results"].append(
                Result(known.key, value, known.unit, said, when, item.path, o.status, "", "", "", at, coding.code)
            )
            return
        else:
            return
        self.held["results"].extend(evidence.read_results(o, self.lexicon, item.path, self.zone))

    def _condition(self, item: Item, c: Any) -> None:
        read = evidence.read_condition(c, self.lexicon, item.path, self.zone)
        if read is not None:
            sets = read.concept.sets
            if sets and not sets.isdisjoint(evidence.REACTION_WORDS):
                named = evidence.speaks_of_immune_globulin(c.code, self.lexicon)
                read = structs.replace(read, immune_globulin=named)
            self.held["conditions"].append(read)

    def _allergy(self, item: Item, a: Any) -> None:
        ident = identify([a.code, *(r.substance for r in a.reaction)], self.lexicon)
        read = evidence.read_allergy(a, self.lexicon, item.path, self.zone, ident is not None)
        if read is not None:
            self.held["allergies"].append(read)

    def _procedure(self, item: Item, p: Any) -> None:
        read = evidence.read_procedure(p, self.lexicon, item.path, self.zone)
        if read is not None:
            self.held["procedures"].append(read)

    def _vaccine(self, item: Item, v: Any) -> None:
        read = evidence.read_vaccine(v, self.lexicon, item.path, self.zone)
        if read is not None and _CVX_IMMUNE_GLOBULIN in read.concept.sets:
            amount = self._amount(v.doseQuantity, f"{item.path}.doseQuantity")
            kind = "polyvalent-im" if ("cvx", "86") in read.concept.codes else ""
            self.held["infusions"].append(
                Infusion(item.path, "immunization", v.status, (), kind, "", read.when, None, amount)
            )
        elif read is not None:
            self.held["vaccines"].append(read)

    def _recommended(self, item: Item, r: Any) -> None:
        self.held["vaccines"].extend(recommended(r, self.lexicon, item.path, self.zone))

    def _medicine(self, item: Item, d: Any) -> None:
        seen = item.path in self.medicines
        ident = self.medicines[item.path] if seen else None
        if seen and ident is None and d.status in evidence.DRUG_FALLS:
            return
        concepts, texts, _, _, _ = medication_concepts(d, self.references)
        if not seen:
            ident = identify(concepts, self.lexicon, texts)
        if ident is not None:
            self._infusion(item, d, ident)
            return
        if d.status in evidence.DRUG_FALLS:
            return
        first = concepts[0] if concepts else None
        if len(concepts) > 1:
            texts += tuple(
                t for c in concepts[1:] if c is not None for t in (c.text, *(x.display for x in c.coding)) if t
            )
        read = evidence.read_drug(d, first, texts, self.lexicon, item.path, self.zone)
        if read is None:
            return
        if isinstance(d, shapes.MedicationDispense):
            read = structs.replace(read, end=supplied(read.start, d.daysSupply, self.lexicon, self.zone))
        if not self.lexicon.timed.isdisjoint(read.concept.sets):
            read = taken(read, d, self.lexicon, self.zone)
        self.held["drugs"].append(read)

    def _infusion(self, item: Item, d: Any, ident: Ident) -> None:
        """Keep immune globulin as evidence of it: given, ordered, or to be judged."""
        if not self._mine(d.subject) or d.status in _INFUSION_FALLS or getattr(d, "doNotPerform", False):
            return
        self.held["infusions"].append(self._read_infusion(item, d, ident))

    def _read_infusion(self, item: Item, d: Any, ident: Ident) -> Infusion:
        path, zone = item.path, self.zone
        end: Moment | None = None
        amount: Amount | None = None
        parts: tuple[Part, ...] = ()
        route = ""
        if isinstance(d, shapes.MedicationRequest):
            dosages = self.references.dosages.get(path)
            if dosages is None:
                dosages = read_dosages(
                    d.dosageInstruction, self.lexicon, path, zone, setting_of(d, self.references) == "inpatient"
                )
            parts, (route, _) = tuple(dosages.parts), read_route(dosages.route)
            starts = [p.start for p in parts if p.start is not None]
            start = min(starts, key=lambda m: m.instant) if starts else moment(d.authoredOn, zone)
            bounds = evidence.bounds_of(d.dosageInstruction)
            end = moment(bounds.end, zone) if bounds is not None and bounds.end else None
            kind = "request"
        elif isinstance(d, shapes.MedicationDispense):
            kind, start = "dispense", moment(d.whenHandedOver or d.whenPrepared, zone)
            amount = self._amount(d.quantity, f"{path}.quantity")
        elif isinstance(d, shapes.MedicationAdministration):
            kind, period = "administration", d.effectivePeriod
            start = moment(d.effectiveDateTime or d.occurenceDateTime or (period.start if period else ""), zone)
            if d.dosage is not None:
                route, _ = read_route(d.dosage.route)
                amount = self._amount(d.dosage.dose, f"{path}.dosage.dose")
        else:
            kind, period = "statement", d.effectivePeriod
            dosages = read_dosages(d.dosage, self.lexicon, path, zone, False)
            parts, (route, _) = tuple(dosages.parts), read_route(dosages.route)
            amount = parts[0].amount if len(parts) == 1 else None
            start = moment(d.effectiveDateTime or (period.start if period else ""), zone)
            end = moment(period.end, zone) if period and period.end else None
        reasons = [read_concept(c, self.lexicon) for c in getattr(d, "reasonCode", ())]
        reasons += [
            self.references.reason(r, getattr(d, "contained", ()), self.lexicon, path, zone).concept
            for r in getattr(d, "reasonReference", ())
        ]
        request = getattr(d, "request", None)
        based = [*getattr(d, "basedOn", ()), *([request] if request is not None else [])]
        group = getattr(d, "groupIdentifier", None)
        prior = getattr(d, "priorPrescription", None)
        return Infusion(
            path=path,
            kind=kind,
            status=d.status,
            products=ident.products,
            kind_of_product=ident.kind,
            route=route,
            start=start,
            end=end,
            amount=amount,
            parts=parts,
            indications=tuple(dict.fromkeys(k for c in reasons if not c.excluded for k in c.indications)),
            ref=f"MedicationRequest/{d.id}" if kind == "request" and d.id else "",
            identifiers=tuple(f"{i.system}|{i.value}" for i in getattr(d, "identifier", ()) if i.value),
            group=f"{group.system}|{group.value}" if group is not None and group.value else "",
            based_on=tuple(tail(r.reference) for r in based if r.reference),
            asked=moment(d.authoredOn, zone) if kind == "request" else None,
            prior=tail(prior.reference) if prior is not None else "",
            intent=getattr(d, "intent", ""),
            names=tuple(n for n in (f"{type(d).__name__}/{d.id}" if d.id else "", item.url, tail(item.url)) if n),
        )

    def _amount(self, q: shapes.Quantity | None, path: str) -> Amount | None:
        spelled = quantity(q, self.lexicon)
        if spelled is None or spelled.value is None or spelled.value <= 0:
            return None
        return Amount(spelled.value, spelled.value, spelled.unit, spelled.said, path)


# How a resource is read, the section it belongs to, and the element that says whom it is about.
_READERS: dict[type, tuple[Any, str, str]] = {
    shapes.Observation: (ChartReader._results, "", "subject"),
    shapes.Condition: (ChartReader._condition, "conditions", "subject"),
    shapes.AllergyIntolerance: (ChartReader._allergy, "allergies", "patient"),
    shapes.Procedure: (ChartReader._procedure, "procedures", "subject"),
    shapes.ServiceRequest: (ChartReader._procedure, "", "subject"),
    shapes.Immunization: (ChartReader._vaccine, "immunizations", "patient"),
    shapes.ImmunizationRecommendation: (ChartReader._recommended, "", "patient"),
    shapes.MedicationRequest: (ChartReader._medicine, "medications", "subject"),
    shapes.MedicationAdministration: (ChartReader._medicine, "medications", "subject"),
    shapes.MedicationDispense: (ChartReader._medicine, "medications", "subject"),
    shapes.MedicationStatement: (ChartReader._medicine, "medications", "subject"),
}


# The day by which evidence of each kind is known (a planned procedure from the day it was asked for; a request from the day it was
# written, though what it plans lies ahead). None: seen whatever the day.
_DATED: dict[str, Callable[[Any], Moment | None]] = {
    "results": attrgetter("when"),
    "conditions": lambda t: t.recorded or t.onset,
    "allergies": attrgetter("recorded"),
    "procedures": lambda t: t.when if t.kind == "procedure" else t.asked,
    "vaccines": lambda t: t.asked if t.planned else t.when,
    "drugs": lambda t: t.asked if t.kind == "request" else t.start,
    "infusions": lambda t: t.asked if t.kind == "request" else t.start,
}


def _birth(text: str) -> tuple[date, date] | None:
    """The first and last day a birth date can mean."""
    try:
        if len(text) == 10:
            return date.fromisoformat(text), date.fromisoformat(text)
        if len(text) == 7:
            year, month = int(text[:4]), int(text[5:])
            return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
        if len(text) == 4:
            return date(int(text), 1, 1), date(int(text), 12, 31)
    except ValueError:
        return None
    return None

"""A decoded body into orders with their charts. The last place that knows FHIR on the way in.

Every shape of the contract's section 4 goes through here, for every door. What is left out is counted and said; evidence of another patient
is never used; evidence later than the day of judgement is not seen.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from typing import Any

from msgspec import Struct, structs

from ivig.core.dated import later
from ivig.core.lexicon import Lexicon
from ivig.core.order import Amount, Moment, Order, Part, Reason, Result
from ivig.core.units import UnknownUnit, convert
from ivig.wire import shapes
from ivig.wire.chart import ChartReader, shared_out
from ivig.wire.concepts import Ident, quantity, read_concept, whole, words_of
from ivig.wire.dates import moment, offset_of
from ivig.wire.decode import Broken, Decoded, Item
from ivig.wire.dosage import ONE_OFF, read_dosages
from ivig.wire.medication import medication, medication_concepts, read_route, setting_of
from ivig.wire.references import References, tail

JUDGED = frozenset({"draft", "active", "on-hold", ""})
_STATUSES = JUDGED | {"cancelled", "completed", "entered-in-error", "stopped", "unknown"}
_CHILD = frozenset({"instance-order", "filler-order"})
_BASIS = ("actual", "adjusted", "ideal")
_LONGEST_REMARKS = 1000


class Reading(Struct, frozen=True):
    """What a body holds: the orders to judge, how many others were seen, and the elements that could not be read."""

    orders: tuple[Order, ...]
    broken: tuple[Broken, ...]
    requests: int
    passed_over: tuple[str, ...] = ()


class Asked(Struct, frozen=True):
    """What the caller asked for beside the resources."""

    day: date | None = None
    moment: Moment | None = None
    sections: frozenset[str] = frozenset()
    statuses: frozenset[str] = JUDGED
    only: frozenset[str] | None = None
    zone: tzinfo = UTC
    now: datetime | None = None
    unavailable: tuple[tuple[str, str], ...] = ()
    nameless: frozenset[str] | None = None  # paths of the orders without any medication that are judged; None: all


def read(decoded: Decoded, lexicon: Lexicon, asked: Asked) -> Reading:
    """Every immune globulin order of the body, each with the chart of its day.

    Args:
        decoded: the body taken apart.
        lexicon: codes, words and units of the knowledge.
        asked: day of judgement, sections said to be sent, which orders.
    """
    references = References(decoded.items)
    medicines: dict[str, Ident | None] = {}
    orders: list[tuple[Item, Ident | None]] = []
    requests = 0
    passed_over: list[str] = []
    for item in decoded.items:
        request = item.resource
        if not isinstance(request, shapes.MedicationRequest):
            continue
        requests += 1
        ident, missing = medication(request, references, lexicon)
        medicines[item.path] = ident
        wanted = decoded.orders is None or item.path in decoded.orders
        if not wanted or (asked.only is not None and item.path not in asked.only):
            continue
        judged_nameless = missing and (asked.nameless is None or item.path in asked.nameless)
        if (ident is not None or judged_nameless) and to_judge(request, asked.statuses):
            orders.append((item, ident))
        elif ident is not None:
            passed_over.append(item.path)
    judged = frozenset(item.path for item, _ in orders)
    patients = frozenset(references.patient_of(item.resource.subject) for item, _ in orders)  # type: ignore[attr-defined]
    shares = shared_out(decoded.items, patients, references)
    readers: dict[Any, ChartReader] = {}
    made: list[Order] = []
    failed: list[Broken] = []
    for item, ident in orders:
        request = item.resource
        assert isinstance(request, shapes.MedicationRequest)
        try:
            zone = offset_of(request.authoredOn) or asked.zone
            setting = setting_of(request, references)
            references.dosages[item.path] = read_dosages(
                request.dosageInstruction, lexicon, item.path, zone, setting == "inpatient"
            )
            patient = references.patient_of(request.subject)
            own_day = bool(request.authoredOn) and moment(request.authoredOn, zone) is not None
            reader = readers.get((zone, patient))
            if reader is None:
                reader = readers[(zone, patient)] = ChartReader(
                    decoded, shares[patient], references, lexicon, zone, patient, judged, medicines, asked, own_day
                )
                failed.extend(reader.failed)
            made.append(_order(item, request, ident, references, lexicon, zone, reader, decoded.broken, asked, setting))
        except Exception as fault:  # noqa: BLE001  (one order must never take the others down; it is told as unread)
            failed.append(Broken(item.path, f"the order could not be read ({type(fault).__name__}); it was not judged"))
    return Reading(tuple(_grouped(made, lexicon.join_days)), (*decoded.broken, *failed), requests, tuple(passed_over))


def to_judge(request: shapes.MedicationRequest, statuses: frozenset[str]) -> bool:
    """By status and intent. A status that FHIR does not have is told, and the order judged as one without a status."""
    status = request.status if request.status in _STATUSES else ""
    return status in statuses and not request.doNotPerform and request.intent not in _CHILD


def _order(
    item: Item,
    request: shapes.MedicationRequest,
    ident: Ident | None,
    references: References,
    lexicon: Lexicon,
    zone: tzinfo,
    reader: ChartReader,
    broken: tuple[Broken, ...],
    asked: Asked,
    setting: str,
) -> Order:
    path = item.path
    authored = moment(request.authoredOn, zone) if request.authoredOn else None
    at = asked.moment or (_day_moment(asked.day, zone) if asked.day else None) or authored or _now(asked, zone)
    dosages = references.dosages[path]
    route, said_route = read_route(dosages.route)
    parts = tuple(dosages.parts)
    assumptions = list(dosages.assumptions)
    contradictions = list(dosages.contradictions)
    dispensed, repeats = _dispensed(request, lexicon, path)
    parts = _by_dispensed(parts, dispensed, assumptions)
    if ident is not None and ident.brand_in_text:
        contradictions.append(("brand", ", ".join(ident.brand_in_text), f"{path}.medication"))
    basis, weight = _stated_basis(request, lexicon, path)
    concepts, texts, _, missing, named_at = medication_concepts(request, references)
    sent = references.patients_sent
    matches = None
    if request.subject is not None and (request.subject.reference or sent):
        matches = references.knows_patient(request.subject) if sent else None
    r5 = request.medication is not None or bool(request.reason)
    repaired = tuple(dosages.repaired) + (("medication or reason as CodeableReference (R5)",) if r5 else ())
    said = next((t for c in concepts if c is not None for t in (c.text, *(x.display for x in c.coding)) if t), "") or (
        texts[0] if texts else ""
    )
    return Order(
        ref=f"MedicationRequest/{request.id}" if request.id else item.url or path,
        path=path,
        day=at.day,
        moment=at,
        chart=reader.on(at.day),
        status=request.status,
        intent=request.intent,
        subject=tail(request.subject.reference) if request.subject else "",
        subject_matches=matches,
        medication=said,
        medication_missing=ident is None and missing,
        medication_path=f"{path}.{named_at}" if named_at else path,
        products=ident.products if ident else (),
        kind=ident.kind if ident else "",
        from_words=ident.from_words if ident else False,
        generic=ident.generic if ident else True,
        strengths=ident.strengths if ident else (),
        clash=ident.clash if ident else (),
        route=route,
        route_said=said_route,
        route_path=dosages.route_path,
        parts=parts,
        reasons=_reasons(request, references, lexicon, path, zone),
        dispensed=dispensed,
        repeats=repeats,
        setting=setting,
        authored=authored,
        ref_ids=tuple(
            r for r in (f"MedicationRequest/{request.id}" if request.id else "", item.url, tail(item.url)) if r
        ),
        identifiers=tuple(f"{i.system}|{i.value}" for i in request.identifier if i.value),
        group=f"{request.groupIdentifier.system}|{request.groupIdentifier.value}"
        if request.groupIdentifier and request.groupIdentifier.value
        else "",
        based_on=tuple(tail(r.reference) for r in request.basedOn if r.reference),
        prior=tail(request.priorPrescription.reference) if request.priorPrescription else "",
        stated_basis=basis or _basis_in_words(request),
        stated_weight=weight,
        repaired=repaired,
        assumptions=tuple(assumptions),
        contradictions=tuple(contradictions),
        modifiers=_modifiers(request, path),
        broken=tuple((b.path, b.why) for b in broken if b.path.startswith(path + "."))
        + tuple(dosages.broken)
        + (() if request.status in _STATUSES else ((f"{path}.status", "not a status of a FHIR R4 MedicationRequest"),)),
        text=" ".join(p.text for p in parts if p.text)[:500],
        remarks=_remarks(request),
    )


def _day_moment(day: date, zone: tzinfo) -> Moment | None:
    return moment(day.isoformat(), zone)


def _now(asked: Asked, zone: tzinfo) -> Moment:
    if asked.now is None:
        raise ValueError("the order has no date: the entrance has to say what time it is")
    at = moment(asked.now.isoformat(), zone)
    assert at is not None
    return at


def _reasons(
    request: shapes.MedicationRequest, references: References, lexicon: Lexicon, path: str, zone: tzinfo
) -> tuple[Reason, ...]:
    found = [Reason(read_concept(c, lexicon), f"{path}.reasonCode[{i}]") for i, c in enumerate(request.reasonCode)]
    pointed = [(f"{path}.reasonReference[{i}]", r) for i, r in enumerate(request.reasonReference)]
    for i, reason in enumerate(request.reason):
        if reason.concept is not None:
            found.append(Reason(read_concept(reason.concept, lexicon), f"{path}.reason[{i}].concept"))
        if reason.reference is not None:
            pointed.append((f"{path}.reason[{i}].reference", reason.reference))
    for place, reference in pointed:
        who = references.patient_of(request.subject)
        found.append(references.reason(reference, request.contained, lexicon, place, zone, who))
    return tuple(found)


def _dispensed(request: shapes.MedicationRequest, lexicon: Lexicon, path: str) -> tuple[Amount | None, int]:
    if request.dispenseRequest is None:
        return None, 0
    spelled = quantity(request.dispenseRequest.quantity, lexicon)
    repeats = whole(request.dispenseRequest.numberOfRepeatsAllowed) or 0
    if spelled is None or spelled.value is None or spelled.value <= 0:
        return None, repeats
    return Amount(
        spelled.value, spelled.value, spelled.unit, spelled.said, f"{path}.dispenseRequest.quantity", "course"
    ), repeats


def _by_dispensed(parts: tuple[Part, ...], dispensed: Amount | None, assumptions: list[str]) -> tuple[Part, ...]:
    """The dispensed total over the dose gives the number of doses when nothing else does."""
    if dispensed is None or len(parts) != 1:
        return parts
    part = parts[0]
    if ONE_OFF in assumptions and part.days == 1:
        part = structs.replace(part, days=None)
    if (
        part.days is not None
        or part.interval is not None
        or part.amount is None
        or part.amount.unit != dispensed.unit
        or not part.amount.high
    ):
        return parts
    doses = dispensed.high / part.amount.high
    if doses != doses.to_integral_value() or doses > 31:
        return parts
    if ONE_OFF in assumptions:
        assumptions.remove(ONE_OFF)
    assumptions.append(f"{dispensed.said} dispensed / {part.amount.said} = {int(doses)} doses")
    return (structs.replace(part, days=max(1, int(doses) // part.doses_a_day)),)


def _stated_basis(request: shapes.MedicationRequest, lexicon: Lexicon, path: str) -> tuple[str, Result | None]:
    """The order's own dosing weight, from the extension `ivig-dosing-weight`."""
    for i, extension in enumerate(request.extension):
        if not extension.url.endswith("/ivig-dosing-weight"):
            continue
        basis, weight = "", None
        for below in [extension, *extension.extension]:
            said = (
                below.valueCode
                or below.valueString
                or (
                    below.valueCodeableConcept.coding[0].code
                    if below.valueCodeableConcept and below.valueCodeableConcept.coding
                    else ""
                )
            )
            if said in _BASIS:
                basis = said
            spelled = quantity(below.valueQuantity, lexicon)
            if spelled is not None and spelled.value is not None and spelled.value > 0:
                try:
                    kg = convert(spelled.value, spelled.unit, "kg")
                except UnknownUnit:
                    continue
                weight = Result("weight", kg, "kg", spelled.said, None, f"{path}.extension[{i}]")
        return basis, weight
    return "", None


def _dosages(request: shapes.MedicationRequest) -> list[shapes.Dosage]:
    said = request.dosageInstruction
    return said if isinstance(said, list) else [said] if said else []


def _remarks(request: shapes.MedicationRequest) -> str:
    """What the order says beside its dosage texts: notes, and instructions to patient and nurse."""
    said = [n.text for n in request.note]
    for dosage in _dosages(request):
        if dosage.patientInstruction or dosage.additionalInstruction:
            said.append(dosage.patientInstruction)
            said.extend(t for c in dosage.additionalInstruction for t in words_of(c))
    return "; ".join(t for t in said if t)[:_LONGEST_REMARKS] if said else ""


def _basis_in_words(request: shapes.MedicationRequest) -> str:
    """The words actual, ideal, adjusted (body) weight or dosing weight in the order's text count like the extension."""
    dosages = _dosages(request)
    text = " ".join([*(d.text for d in dosages), *(n.text for n in request.note)]).lower()
    for basis in _BASIS:
        for tail_ in (" body weight", " weight", " bw"):
            if basis + tail_ in text:
                return basis
    if "dosing weight" in text:
        return "adjusted"
    return ""


def _modifiers(request: shapes.MedicationRequest, path: str) -> tuple[tuple[str, str], ...]:
    found = [(e.url or "no url", f"{path}.modifierExtension[{i}]") for i, e in enumerate(request.modifierExtension)]
    if request.implicitRules:
        found.append((request.implicitRules, f"{path}.implicitRules"))
    dosages = _dosages(request)
    for j, dosage in enumerate(dosages):
        found.extend(
            (e.url or "no url", f"{path}.dosageInstruction[{j}].modifierExtension[{i}]")
            for i, e in enumerate(dosage.modifierExtension)
        )
    return tuple(found)


def _grouped(orders: list[Order], join_days: int) -> list[Order]:
    """Orders of one group and one patient are one course, and so are single runs of one product that follow each other within days.

    Each is judged with the parts of all.
    """
    groups: dict[tuple[str, ...], list[Order]] = {}
    for order in orders:
        if order.group:
            groups.setdefault((order.subject, order.group), []).append(order)
    for chain in _chains([o for o in orders if not o.group], join_days):
        groups[("chain", chain[0].path)] = chain
    made = {o.path: o for o in orders}
    for of in groups.values():
        if len(of) > 1:
            parts = tuple(p for o in of for p in _parts_or_gap(o))
            together = frozenset(o.path for o in of)
            made.update({o.path: structs.replace(o, group_parts=parts, together=together) for o in of})
    return [made[o.path] for o in orders]


def _parts_or_gap(order: Order) -> tuple[Part, ...]:
    """The parts of one order of a group; where it has none, a part without a dose, so that it is missed."""
    return order.parts or (Part(path=order.path, said_timing=True),)


def _chains(orders: list[Order], join_days: int) -> list[list[Order]]:
    """Dated single runs of one product for one patient and reason, the one beginning within days after the other ends."""
    dated: dict[object, list[tuple[date, date, Order]]] = {}
    for order in orders:
        span = _single_run(order)
        if span is not None:
            reasons = frozenset(k for r in order.reasons for k in r.concept.indications)
            dated.setdefault((order.subject, order.products, order.kind, order.route, reasons), []).append(
                (*span, order)
            )
    chains: list[list[Order]] = []
    for of in dated.values():
        last: date | None = None
        for first, end, order in sorted(of, key=lambda run: (run[0], run[2].path)):
            if last is not None and 0 < (first - last).days <= join_days:
                chains[-1].append(order)
            else:
                chains.append([order])
            last = end
    return [chain for chain in chains if len(chain) > 1]


def _single_run(order: Order) -> tuple[date, date] | None:
    """First and last day of an order whose every part has dated days and does not repeat."""
    days: list[date] = []
    for part in order.parts:
        if part.interval is not None or part.days is None:
            return None
        if part.events:
            days.extend(part.events)
        elif part.start is not None:
            days.extend((part.start.day, later(part.start.day, (part.days - 1) * part.step)))
        else:
            return None
    return (min(days), max(days)) if days else None

"""What of the patient speaks against what else is in the bottle: contraindications, sucrose, IgA, maltose."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Contraindication, Product
from ivig.core.dated import Value, later
from ivig.core.facts.baseline import is_below
from ivig.core.facts.chart import of_set, unanswered
from ivig.core.facts.labs import lab_absent
from ivig.core.facts.patient import Age, age_on
from ivig.core.facts.signs import Sign, since, told_by
from ivig.core.finding import Absent, Input, Root
from ivig.core.order import Allergy, Condition, Drug, Moment, Order, Procedure, Reason, Result
from ivig.core.rule import Maybe, Seen, fact

# Every label has these two; they are judged by risk-hypersensitivity, with the reactions on record.
STANDARD = ("immune_globulin_reaction", "iga_deficiency_with_anti_iga")
_METER = "point-of-care glucose"


class Held(Struct, frozen=True):
    """A contraindication of the label that the patient meets; `wide` when only a code wider than it says so."""

    line: Contraindication
    what: str
    input: Input
    since: Moment | date | None
    wide: bool = False


@fact
def contraindicated(
    order: Order, product: Product, active: Seen[Condition], allergies: Seen[Allergy], age: Maybe[Age], book: Book
) -> Seen[Held]:
    """Lines of the product's own contraindications that the patient meets."""
    found: list[Held] = []
    lacking: list[Root] = []
    every: list[Condition | Allergy] = [*allergies.items, *active.items]
    shown = {name for e in every if e.concept.sets for name in e.concept.sets}
    for line in product.contraindications:
        if line.set in STANDARD:
            continue
        if line.age_under is not None:
            if isinstance(age, Absent):
                lacking.extend(age.roots)
            elif age.years < line.age_under and not any(h.line.set == line.unless_excluded for h in found):
                what = f"age under {line.age_under}, {book.set_title(line.unless_excluded).lower()} not excluded"
                said = Input("age", f"{age.years} years", order.chart.birth_said, order.chart.patient_path)
                found.append(Held(line, what, said, date.min))
            continue
        is_allergy = book.lexicon.set_kinds.get(line.set) == "allergy"
        lacking.extend((*active.lacking, *allergies.lacking) if is_allergy else active.lacking)
        if line.set not in shown and f"{line.set}_wide" not in shown:
            continue
        some: list[Condition | Allergy] = [*allergies.items]
        # A corn on the foot is no allergy: in a condition the words have to speak of one.
        some += [c for c in active.items if not is_allergy or "allerg" in c.concept.text.lower()]
        sure = [e for e in some if line.set in e.concept.sets]
        wide = [e for e in some if f"{line.set}_wide" in e.concept.sets]
        if sure or wide:
            evidence = (sure or wide)[0]
            found.append(Held(line, book.set_title(line.set), told_by(evidence), since(evidence), not sure))
    return Seen(tuple(found), tuple(dict.fromkeys(lacking)))


@fact
def iga_deficient(
    order: Order,
    active: Seen[Condition],
    reasons: tuple[Reason, ...],
    results: dict[str, tuple[Result, ...]],
    age: Maybe[Age],
    book: Book,
) -> Seen[Sign]:
    """What says that the patient lacks IgA: a diagnosis, or a serum IgA that nothing else explains."""
    known: list[Condition | Reason] = [
        *of_set(active, "iga_deficiency"),
        *(r for r in reasons if "iga_deficiency" in r.concept.sets),
    ]
    if known:
        return Seen(tuple(Sign("IgA deficiency", told_by(k, "diagnosis"), since(k)) for k in known[:1]))
    other = [
        *of_set(active, "antibody_deficiency_other"),
        *(r for r in reasons if "antibody_deficiency_other" in r.concept.sets),
    ]
    if other:
        return Seen(())
    limit, from_age = book.policy("iga.deficient_mg_dl"), book.policy("iga.deficient_from_age")
    if not isinstance(age, Absent) and age.years < from_age.number:
        return Seen((), active.lacking)  # a low IgA is normal at that age
    unknown: Seen[Sign] = Seen((), (*active.lacking, *lab_absent(order, "iga", "lab-iga-unknown").roots))
    measured = next((r for r in results.get("iga", ()) if r.value is not None), None)
    if measured is None or measured.value is None or measured.when is None:
        return unknown
    low = is_below(measured.value, measured.comparator, limit.number)
    if not low:
        return unknown if low is None else Seen((), active.lacking)
    if isinstance(age, Absent):
        return Seen((), (*active.lacking, *age.roots))
    if age_on(measured.when.day, later(order.day, -age.days)).years < from_age.number:
        return unknown
    said = Input("serum IgA", measured.said, measured.when.text, measured.path)
    return Seen((Sign(f"serum IgA {measured.said}", said, measured.when, False, (limit, from_age)),))


@fact
def glucose_users(
    order: Order, active: Seen[Condition], drugs: Seen[Drug], procedures: Seen[Procedure], book: Book
) -> Seen[Sign]:
    """Who may be dosed by a glucose meter: insulin or point-of-care glucose are grave, diabetes by itself is not."""
    signs = [Sign("insulin", told_by(d, "drug"), since(d), True) for d in drugs.items if "insulin" in d.concept.sets]
    signs += [Sign("insulin", told_by(c, "condition"), since(c), True) for c in of_set(active, "insulin")]
    everything: list[Drug | Procedure | Condition] = [*procedures.items, *drugs.items, *active.items]
    for thing in everything:
        if "point_of_care_glucose" in thing.concept.sets:
            signs.append(Sign(_METER, told_by(thing, "test"), since(thing), True))
    recent = later(order.day, -book.policy("history.unknown_end_days").number)
    for result in order.chart.results:
        if result.test == "point_of_care_glucose" and result.when is not None and result.when.last >= recent:
            said = Input("point-of-care glucose", result.said, result.when.text, result.path)
            signs.append(Sign(_METER, said, result.when, True))
            break
    signs += [Sign("diabetes", told_by(c, "condition"), since(c)) for c in of_set(active, "diabetes")]
    failed = () if any(s.what == _METER for s in signs) else unanswered(order, "point_of_care_glucose")
    return Seen(tuple(signs), tuple(dict.fromkeys((*drugs.lacking, *active.lacking, *procedures.lacking, *failed))))


def iga_content(product: Product) -> Decimal | None:
    """IgA of a product in ug/mL: the limit where the label has one, else the average."""
    if product.iga is None:
        return None
    return product.iga.upper if product.iga.upper is not None else product.iga.amount


def too_much(product: Product, low: Value) -> bool:
    """Whether a product's IgA is above what counts as low, or not known."""
    content = iga_content(product)
    return content is None or content > low.number

"""What speaks for weak kidneys: known disease, a low eGFR, and the renal risk factors of the labels."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from ivig.core.book import Book
from ivig.core.dated import Value
from ivig.core.facts.baseline import is_below
from ivig.core.facts.chart import on_dialysis
from ivig.core.facts.established import Habit, eased
from ivig.core.facts.labs import Kidney
from ivig.core.facts.patient import Age
from ivig.core.facts.signs import Sign, in_order, sign_of
from ivig.core.finding import INFORMATION, WARNING, Absent, Input, Root, Severity, plain
from ivig.core.order import Condition, Drug, Order, Procedure
from ivig.core.rule import Maybe, Seen, fact

_KIDNEY = frozenset(("kidney_disease", "dialysis"))
_RENAL_CONDITIONS = ("diabetes", "volume_depletion", "sepsis", "paraproteinaemia")
_TOXIC = frozenset(("nephrotoxin", "nsaid"))
# Forms of which next to nothing reaches the kidneys, or a kinder relative of the drug: by their longer names.
_LOCAL = frozenset(
    ("local_form", "local_steroid")
)  # the second holds names that end in a form: "dexamethasone eye drops"
_NOT_TOXIC = frozenset(("topical_nsaid", "tenofovir_alafenamide"))
_OF_CONDITIONS = _KIDNEY.union(_RENAL_CONDITIONS, _TOXIC)
TOXIC_FACTOR = "nephrotoxic drugs"
INFANT = "eGFR of an infant"
_EGFR_OPEN = Root("lab-missing", "egfr")


class Renal(Struct, frozen=True):
    """What risk-renal says: its severity, the signs that decided, and whether the eGFR is below the stronger limit."""

    severity: Severity
    signs: tuple[Sign, ...]
    strong: bool = False
    cites: tuple[Value, ...] = ()


def is_toxic(evidence: Drug | Condition) -> bool:
    sets = evidence.concept.sets
    if not sets.isdisjoint(_LOCAL) and "nsaid" not in sets:
        return False  # drops and ointments; an NSAID is taken up from the gut and the nose
    return not sets.isdisjoint(_TOXIC) and sets.isdisjoint(_NOT_TOXIC)


@fact
def nephrotoxins(drugs: Seen[Drug], active: Seen[Condition]) -> Seen[Sign]:
    """Drugs that harm the kidneys and run on the day. Aspirin is none."""
    found: list[Drug | Condition] = [d for d in drugs.items if d.concept.sets and is_toxic(d)]
    found += [c for c in active.items if c.concept.sets and is_toxic(c)]
    if not found:
        return Seen((), drugs.lacking)
    signs = [sign_of(e, "drug" if isinstance(e, Drug) else "condition", factor=TOXIC_FACTOR) for e in found]
    return Seen(tuple(in_order(signs)), drugs.lacking)


@fact
def renal_signs(
    order: Order,
    active: Seen[Condition],
    nephrotoxins: Seen[Sign],
    procedures: Seen[Procedure],
    age: Maybe[Age],
    egfr: Maybe[Kidney],
    book: Book,
) -> Seen[Sign]:
    """Renal signs: known disease and a low eGFR are grave, risk factors are not."""
    known = [c for c in active.items if not c.concept.sets.isdisjoint(_OF_CONDITIONS)]
    signs = [
        sign_of(c, "condition", "kidney disease", grave=True) for c in known if not c.concept.sets.isdisjoint(_KIDNEY)
    ]
    signs += [sign_of(p, "procedure", "dialysis", grave=True) for p in procedures.items if on_dialysis(p, order, book)]
    for c in known:
        factor = next((name for name in _RENAL_CONDITIONS if name in c.concept.sets), "")
        if factor:
            signs.append(sign_of(c, "condition", factor=factor))
    signs = [*in_order(signs), *nephrotoxins.items]
    lacking = [*active.lacking, *nephrotoxins.lacking, *procedures.lacking]
    limit, over = book.policy("renal.warn"), book.policy("renal.age_over")
    if isinstance(egfr, Absent):
        lacking.extend(egfr.roots)
    elif (low := is_below(egfr.value, egfr.comparator, limit.number)) is None:
        lacking.append(_EGFR_OPEN)
    elif low:
        what = f"eGFR {egfr.comparator}{plain(egfr.value)}, below {plain(limit.number)}"
        young, cites = _young(age, book), (limit, *egfr.cites)
        factor = INFANT if young else ""
        if young:
            cites = (*cites, book.policy("renal.limit_from_age"))
        signs.append(Sign(what, egfr.inputs[0], egfr.day, not young, cites, egfr.sum, factor))
    if isinstance(age, Absent):
        lacking.extend(age.roots)
    elif age.years > over.number:
        said = Input("age", f"{age.years} years", order.chart.birth_said, order.chart.patient_path)
        signs.append(Sign(f"age {age.years}", said, date.min, False, (over,), factor="age"))
    return Seen(tuple(signs), tuple(dict.fromkeys(lacking)) if lacking else ())


def _young(age: Maybe[Age], book: Book) -> bool:
    """Younger than the limit of the eGFR is meant for: the kidneys of an infant filter less."""
    return not isinstance(age, Absent) and age.years < book.policy("renal.limit_from_age").number


@fact
def renal_finding(
    renal_signs: Seen[Sign],
    active: Seen[Condition],
    nephrotoxins: Seen[Sign],
    procedures: Seen[Procedure],
    age: Maybe[Age],
    egfr: Maybe[Kidney],
    book: Book,
) -> Seen[Renal]:
    """Known kidney disease, dialysis or an eGFR below the limit; else two factors and an eGFR that is not low.

    An infant's low eGFR is told, and warns of nothing by itself. Lacking: what might show either. One more factor
    cannot make two where there is none.
    """
    if not renal_signs.items and not renal_signs.lacking:
        return _NOTHING
    grave = tuple(s for s in renal_signs.items if s.grave)
    if grave:
        strong = book.policy("renal.strong")
        low = not isinstance(egfr, Absent) and is_below(egfr.value, egfr.comparator, strong.number) is True
        return Seen((Renal(WARNING, grave, low, (strong,) if low else ()),))
    infant = tuple(s for s in renal_signs.items if s.factor == INFANT)
    if infant:
        return Seen((Renal(INFORMATION, infant),))
    least = book.policy("renal.information_factors")
    factors = {s.factor for s in renal_signs.items}
    lacking = [*active.lacking, *procedures.lacking]
    if isinstance(egfr, Absent):
        lacking.extend(egfr.roots)
    elif is_below(egfr.value, egfr.comparator, book.policy("renal.warn").number) is None:
        lacking.append(_EGFR_OPEN)
    if len(factors) >= least.number and not lacking:
        return Seen((Renal(INFORMATION, renal_signs.items, cites=(least,)),))
    open_factors = (*nephrotoxins.lacking, *(age.roots if isinstance(age, Absent) else ()))
    unknown = bool(nephrotoxins.lacking) + isinstance(age, Absent)
    if len(factors) + unknown >= least.number and unknown:
        lacking.extend(open_factors)
    return Seen((), tuple(dict.fromkeys(lacking)) if lacking else ())


_NOTHING: Seen[Renal] = Seen(())


@fact
def renal_severity(renal_finding: Seen[Renal], established: Habit | None) -> Severity | None:
    """The severity of the renal finding, eased by habit; None where there is none."""
    if not renal_finding.items:
        return None
    (found,) = renal_finding.items
    return eased(found.severity, established, (s.since for s in found.signs))

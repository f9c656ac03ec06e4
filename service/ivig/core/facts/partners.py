"""Medicines that immune globulin does not go with, as they lie to the order; and what kind of treatment the order is."""

from __future__ import annotations

from datetime import date

from ivig.core.book import Book, Indication
from ivig.core.dated import Value, later
from ivig.core.facts.chart import of_set
from ivig.core.facts.history import Given
from ivig.core.facts.limits import MAINTENANCE
from ivig.core.facts.medicines import Use, beside, carried, uses
from ivig.core.facts.running import Run
from ivig.core.finding import ERROR, WARNING, Absent, Severity
from ivig.core.lexicon import tokens
from ivig.core.order import Condition, Drug, Part
from ivig.core.rule import Maybe, Seen, fact

_SYSTEMIC = ("iv", "sc", "im", "oral")
_REPEATS = frozenset({"daily", "day", "every", "each", "week", "weekly"})
_STEROID, _LOCAL = "systemic_steroid", frozenset({"local_form", "local_steroid"})


@fact
def fcrn_uses(all_drugs: Seen[Drug], book: Book) -> Seen[Use]:
    """FcRn blockers of the chart, whenever they are or were taken."""
    return Seen(uses(all_drugs.items, ("fcrn_blocker",), book), all_drugs.lacking)


@fact
def fcrn_close(fcrn_uses: Seen[Use], first_day: date, own_run: Run, book: Book) -> Seen[Use]:
    """Those within days before the first infusion or after the last, or together with the order."""
    days = int(book.policy("interaction.fcrn_days").number)
    return beside(fcrn_uses, later(first_day, -days), own_run, days)


@fact
def c5_uses(all_drugs: Seen[Drug], first_day: date, own_run: Run, upkeep: bool, book: Book) -> Seen[Use]:
    """C5 inhibitors that run with the order: those that immune globulin lowers, and all that the policy bars beside it."""
    sets = book.policy("interaction.lowered").words
    if bars(book) and upkeep:
        sets += book.policy("interaction.barred_class").words
    found = carried(uses(all_drugs.items, sets, book), book)
    return beside(Seen(found, all_drugs.lacking), first_day, own_run)


def bars(book: Book) -> bool:
    """Whether the policy bars FcRn and C5 inhibitors beside maintenance."""
    return book.policy("interaction.block").word not in ("none", "warning")


def barred(upkeep: bool, book: Book) -> tuple[Severity, tuple[Value, ...]]:
    """The severity of the combination, with the policy's value where it decided."""
    return (ERROR, (book.policy("interaction.block"),)) if upkeep and bars(book) else (WARNING, ())


@fact
def upkeep(phase: Maybe[str], repeating: Maybe[bool]) -> bool:
    """Whether the order is maintenance, as far as its timing or the history tells."""
    return phase == MAINTENANCE or repeating is True


@fact
def rescue(upkeep: bool, indication: Maybe[Indication]) -> bool:
    """Whether the order is for something that cannot wait."""
    return not upkeep and not isinstance(indication, Absent) and indication.urgent


@fact
def steroid_uses(
    all_drugs: Seen[Drug],
    active: Seen[Condition],
    given: Seen[Given],
    first_day: date,
    own_run: Run,
    book: Book,
) -> Seen[Use | Condition]:
    """Systemic steroids beside the order, apart from single doses before an infusion."""
    steroids = [d for d in all_drugs.items if _STEROID in d.concept.sets and not is_local(d)]
    lasting = [d for d in steroids if d.kind != "administration" and not single(d)]
    close = beside(Seen(uses(lasting, (_STEROID,), book), all_drugs.lacking), first_day, own_run)
    found: list[Use | Condition] = [*close.items]
    since = later(first_day, -book.policy("history.unknown_end_days").number)
    infused = frozenset((first_day, *(g.day for g in given.items)))
    given_by = [d for d in steroids if d.kind == "administration" and not d.before_infusion]
    doses = [d for d in given_by if d.start is not None and d.start.day >= since]
    if more_than_single(doses, infused):
        found.extend(uses(doses, (_STEROID,), book)[-1:])
    found.extend(c for c in of_set(active, _STEROID) if not _denies(c))
    return Seen(tuple(found), tuple(dict.fromkeys((*close.lacking, *active.lacking))))


def more_than_single(doses: list[Drug], infused: frozenset[date]) -> bool:
    """Whether doses on record are more than one before an infusion: on other days too, or several on one day."""
    times = {d.start.instant if d.start.timed else d.start.day: d.start.day for d in doses if d.start is not None}
    days = set(times.values())
    return len(days - infused) > 1 or len(days) < len(times)


def _denies(condition: Condition) -> bool:
    """Words of a condition that name the steroid as its cause: no sign that it is taken."""
    text = condition.concept.text.lower()
    return bool(text) and not any(word in text.split() for word in ("use", "therapy", "treatment"))


def is_local(drug: Drug) -> bool:
    """Whether it acts only where it is put. A stated route decides, then the words of its form."""
    if drug.route:
        return drug.route not in _SYSTEMIC
    return not _LOCAL.isdisjoint(drug.concept.sets)


def single(drug: Drug) -> bool:
    """A single dose, or single doses that words call premedication."""
    if any(p.doses_a_day > 1 for p in drug.parts):
        return False
    return drug.before_infusion or (len(drug.parts) == 1 and _once(drug.parts[0]))


def _once(part: Part) -> bool:
    if part.days is None and part.interval is None and part.as_needed:
        said = tokens(part.text)  # "once PRN" is more than the grammar of the dosage reads
        return "once" in said and _REPEATS.isdisjoint(said)
    return part.days == 1 and (part.interval is None or part.cycles == 1)

"""Earlier reactions to human immune globulin, with how severe they were, and antibodies against IgA."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct

from ivig.core.facts.chart import of_set, unanswered
from ivig.core.facts.signs import Sign, told_by
from ivig.core.finding import Input
from ivig.core.order import UNCONFIRMED, Allergy, Condition, Moment, Order, Reason, Result
from ivig.core.rule import Seen, fact

SEVERE, UNSTATED, MILD = "severe", "unstated", "mild"
IMMUNE_GLOBULIN, BLOOD, SERUM = "immune globulin", "blood products or serum", "serum or vaccine"
_DOUBTS = tuple(f" ({word})" for word in UNCONFIRMED)

_REACTION, _ANTI_IGA = "immune_globulin_reaction", "anti_iga"
_CONDITIONS = frozenset(
    {
        _REACTION,
        "reaction_words",
        "severe_reaction",
        "anaphylaxis",
        "blood_product_anaphylaxis",
        "serum_allergy_status",
    }
)
_GRAVE = frozenset({"severe_reaction", "anaphylaxis"})
# What a reaction was where the chart says no more than this.
_ORDINARY = frozenset({"mild_reaction", "aseptic_meningitis_history", "haemolysis"})


class Reaction(Struct, frozen=True):
    """A reaction on record. `to` is what it was to; only immune globulin is sure, the others are wider than it.

    `over`: an allergy that the chart calls resolved or inactive, on a day nobody wrote down. What happened has happened.
    """

    what: str
    grade: str
    input: Input
    since: Moment | None
    to: str = IMMUNE_GLOBULIN
    over: bool = False

    @property
    def sure(self) -> bool:
        return self.to == IMMUNE_GLOBULIN

    @property
    def on(self) -> str:
        return f", {self.since.day}" if self.since is not None else ""


@fact
def condition_sets(conditions: Seen[Condition]) -> Seen[str]:
    """The value sets of all conditions, active or over: what tells cheaply that a rule is not concerned."""
    found = {name for c in conditions.items if c.concept.sets for name in c.concept.sets}
    return Seen(tuple(found), conditions.lacking)


@fact
def reactions(
    order: Order,
    condition_sets: Seen[str],
    conditions: Seen[Condition],
    all_allergies: Seen[Allergy],
    allergies: Seen[Allergy],
    results: dict[str, tuple[Result, ...]],
) -> Seen[Reaction]:
    """Earlier reactions, whatever has become of them."""
    found: list[Reaction] = []
    lacking = all_allergies.lacking or conditions.lacking
    if all_allergies.lacking and conditions.lacking:
        lacking = tuple(dict.fromkeys((*all_allergies.lacking, *conditions.lacking)))
    if _REACTION not in results and (failed := unanswered(order, _REACTION)):
        lacking = tuple(dict.fromkeys((*lacking, *failed)))
    for allergy in all_allergies.items:
        made = _of_allergy(allergy, allergy in allergies.items)
        if made is not None:
            found.append(made)
    if not _CONDITIONS.isdisjoint(condition_sets.items):
        found.extend(made for c in conditions.items if (made := _of_condition(c)) is not None)
    if _REACTION in results:
        found.extend(_of_result(r) for r in results[_REACTION] if r.words and r.words != "false")
    return Seen(tuple(found), lacking)


def _of_allergy(a: Allergy, active: bool) -> Reaction | None:
    """The reaction of an allergy; of one that is over only a severe one to immune globulin."""
    sets = a.concept.sets
    if a.immune_globulin or _REACTION in sets:
        to = IMMUNE_GLOBULIN
    elif "serum_allergy_status" in sets and not _of_vaccine(a.concept.text):
        to = SERUM
    else:
        return None
    if not active and (to != IMMUNE_GLOBULIN or a.grade != SEVERE):
        return None
    grade = MILD if a.grade in (MILD, "moderate") else a.grade
    what = a.said or ("allergy" if to == IMMUNE_GLOBULIN else a.concept.text)
    shown = told_by(a, "allergy")
    said = f"{shown.value}: {a.said}" if a.said else shown.value
    shown = Input("allergy", f"{said}{_doubt(a.verification)}", shown.day, shown.path)
    return Reaction(what, grade, shown, a.recorded, to, not active)


def _of_condition(c: Condition) -> Reaction | None:
    sets = c.concept.sets
    if not sets or _CONDITIONS.isdisjoint(sets):
        return None
    if c.immune_globulin or _REACTION in sets:
        to = IMMUNE_GLOBULIN
    elif "blood_product_anaphylaxis" in sets:
        to = BLOOD
    elif "serum_allergy_status" in sets and not _of_vaccine(c.concept.text):
        to = SERUM
    else:
        return None
    grade = UNSTATED
    if to == BLOOD or c.severity == SEVERE or not _GRAVE.isdisjoint(sets):
        grade = SEVERE
    elif c.severity or not _ORDINARY.isdisjoint(sets):
        grade = MILD
    shown = told(c, "condition")
    return Reaction(told_by(c).value, grade, shown, c.onset or c.recorded, to)


def _of_result(r: Result) -> Reaction:
    grade, _, words = r.words.partition(": ")
    graded = grade in (SEVERE, UNSTATED, MILD, "moderate")
    what = words or ("reaction" if graded or r.words == "true" else r.words)
    shown = Input("reaction to immune globulin", words or r.said, r.when.text if r.when is not None else "", r.path)
    return Reaction(what, (MILD if grade == "moderate" else grade) if graded else UNSTATED, shown, r.when)


def told(evidence: Condition | Allergy | Reason, what: str = "") -> Input:
    """Chart evidence as an input of a finding; what nobody has confirmed says so."""
    shown = told_by(evidence, what)
    doubt = "" if isinstance(evidence, Reason) else _doubt(evidence.verification)
    return Input(shown.what, f"{shown.value}{doubt}", shown.day, shown.path) if doubt else shown


def doubted(inputs: Iterable[Input]) -> tuple[str, ...]:
    """What was counted although nobody has confirmed it."""
    return tuple(f"{i.value} counts" for i in inputs if i.value.endswith(_DOUBTS))


def _doubt(verification: str) -> str:
    return f" ({verification})" if verification in UNCONFIRMED else ""


def _of_vaccine(text: str) -> bool:
    """An allergy to a vaccine alone: the words name one, and no serum or globulin beside it."""
    said = text.lower()
    return "vaccin" in said and not any(word in said for word in ("serum", "globulin"))


@fact
def anti_iga(
    order: Order, condition_sets: Seen[str], conditions: Seen[Condition], results: dict[str, tuple[Result, ...]]
) -> Seen[Sign]:
    """Antibodies against IgA: a condition, or the newest result when it is positive or above its reference range."""
    found: list[Sign] = []
    tested = results.get(_ANTI_IGA, ())
    if tested:
        newest = tested[0]
        shown = Input("antibody against IgA", newest.said, newest.when.text if newest.when else "", newest.path)
        if _positive(newest):
            found.append(Sign(f"anti-IgA {newest.said}", shown, newest.when))
    if "anti_iga_antibody" in condition_sets.items:
        found.extend(
            Sign(told_by(c).value, told(c, "condition"), c.recorded or c.onset)
            for c in of_set(conditions, "anti_iga_antibody")
            if "negative" not in c.concept.text.lower()
        )
    lacking = conditions.lacking
    if not tested and (failed := unanswered(order, _ANTI_IGA)):
        lacking = tuple(dict.fromkeys((*lacking, *failed)))
    return Seen(tuple(found), lacking)


def _positive(result: Result) -> bool:
    """A number without a reference range counts as positive: nothing says that it is not."""
    if result.value is None:
        titre = result.words.lstrip(">= ").startswith("1:")  # one that is told at all; "<1:10" is none
        return titre or result.words == "positive"
    if result.high is None:
        return result.value > Decimal(0) and not result.comparator.startswith("<")
    if result.comparator.startswith("<"):
        return False
    return result.value > result.high or (result.value == result.high and result.comparator == ">")

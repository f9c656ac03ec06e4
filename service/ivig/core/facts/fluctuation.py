"""Second courses in Guillain-Barré syndrome, and the fluctuations after treatment that are a reason for one."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from ivig.core.book import Book, Indication
from ivig.core.dated import Value, later
from ivig.core.facts.chart import unanswered
from ivig.core.facts.history import Given, of_indication
from ivig.core.facts.indication import kin, onset_path
from ivig.core.facts.treatment import UNTIMED, Cycle, begins, cycles_of, outline
from ivig.core.finding import Absent, Input, Root
from ivig.core.lexicon import tokens
from ivig.core.order import Condition, Moment, Order, Part, Reason, Result
from ivig.core.rule import Maybe, Seen, fact

FLUCTUATION, SCORE = "treatment_related_fluctuation", "gbs_disability_score"
_YES = ("true", "yes", "positive")  # a boolean, or an answer in words or codes
_NAMED = ("treatment", "related", "fluctuation")


class Second(Struct, frozen=True):
    """A second course: after an earlier one, or `planned` on a later day by the order itself."""

    earlier: Cycle | None
    planned: date | None
    days: int
    inputs: tuple[Input, ...]
    assumed: tuple[str, ...]
    cites: tuple[Value, ...]
    scored: int | None = None  # how often, where a fluctuation is on record and the policy wants more assessments


class Seek(Struct, frozen=True):
    """Where a fluctuation may be documented, and by what it is told from a score."""

    since: Cycle
    onset: Maybe[Moment]
    scores: tuple[Result, ...]
    points: Value
    weeks: Value


@fact
def second_course(
    order: Order,
    indication: Indication,
    before: Seen[Given],
    whole_parts: tuple[Part, ...],
    repeating: Maybe[bool],
    reason_onset: Maybe[Moment],
    reasons: tuple[Reason, ...],
    active: Seen[Condition],
    results: dict[str, tuple[Result, ...]],
    conditions: Seen[Condition],
    stated_start: date | None,
    book: Book,
) -> Seen[Second]:
    """A course of this illness after another one, without a fluctuation on record since; or one that is planned now.

    Lacking: the history; the timing, where the order may hold a second course itself; the onset, where it decides.
    """
    cites = (book.policy("gbs.second_course"),)
    first_day = begins(order, stated_start)
    planned = _planned(order, whole_parts, first_day, book)
    if planned is not None:
        days = (planned - first_day).days
        return Seen((Second(None, planned, days, (), (), cites),), before.lacking)
    lacking = list(before.lacking)
    if isinstance(repeating, Absent):
        lacking.append(UNTIMED)
    earlier = _earlier(before.items, indication, first_day, book)
    if earlier is None:
        return Seen((), tuple(lacking))
    weeks = book.policy("gbs.fluctuation.weeks")
    days = (first_day - earlier.last).days
    onset = reason_onset
    if isinstance(onset, Absent):
        if days > book.policy("course.new_start_after_weeks").number * 7:
            return Seen((), (*lacking, *onset.roots))  # this illness, or another one years after
    elif (onset.day - earlier.last).days > weeks.number * 7:
        return Seen((), tuple(lacking))  # a new episode: its first course
    if SCORE not in results and (failed := unanswered(order, SCORE, FLUCTUATION)):
        return Seen((), (*lacking, *failed))
    scores = tuple(r for r in results.get(SCORE, ()) if r.value is not None and not r.comparator)
    seek = Seek(earlier, onset, scores, book.policy("gbs.fluctuation.points"), weeks)
    wanted = book.policy("gbs.second_course.assessments")
    recorded = _recorded(seek, results, conditions)
    scored = _scored(seek)
    if recorded and scored >= wanted.number:
        return Seen((), tuple(lacking))
    shown = _shown(seek)
    if shown is not False:
        return Seen((), tuple(lacking) if shown else (*lacking, *_roots(onset)))
    assumed = []
    if isinstance(onset, Absent):
        assumed.append("The onset is not known: the earlier course is taken as one of this illness.")
    if conditions.lacking:
        assumed.append("The conditions were not sent: a fluctuation recorded as one would not be seen.")
    began = (
        None
        if isinstance(onset, Absent)
        else Input("onset", onset.text, "", onset_path(onset, (*reasons, *active.items)))
    )
    rests = (wanted,) if recorded else (seek.points, weeks)
    found = scored if recorded else None
    told = Second(earlier, None, days, _inputs(seek, began), tuple(assumed), (*cites, *rests), found)
    return Seen((told,), tuple(lacking))


def _roots(onset: Maybe[Moment]) -> tuple[Root, ...]:
    return onset.roots if isinstance(onset, Absent) else (Root("indication-criteria-unknown", "onset"),)


def _planned(order: Order, parts: tuple[Part, ...], first_day: date, book: Book) -> date | None:
    """The day on which the order itself begins a second course."""
    courses = outline(order, parts, book)
    join = book.policy("course.join_days").number
    for course in courses:
        if course.repeats and course.interval is not None and course.interval > join:
            return later(first_day, course.offset + int(course.interval))
    return later(first_day, courses[1].offset) if len(courses) > 1 and courses[1].offset > join else None


def _earlier(before: tuple[Given, ...], page: Indication, first_day: date, book: Book) -> Cycle | None:
    """The last course for the indication that the order does not go on with."""
    join = int(book.policy("course.join_days").number)
    past = [g for g in of_indication(before, kin((page,), book)) if g.day < first_day]
    courses = cycles_of(past, join)
    if courses and (first_day - courses[-1].last).days <= join:
        courses = courses[:-1]
    return courses[-1] if courses else None


def _recorded(seek: Seek, results: dict[str, tuple[Result, ...]], conditions: Seen[Condition]) -> bool:
    """A fluctuation recorded since the earlier course began: as a result that says yes, or as a condition."""
    begun = seek.since.first
    said = (r for r in results.get(FLUCTUATION, ()) if r.words.lower() in _YES)
    if any(r.when is not None and r.when.last >= begun for r in said):
        return True
    noted = [c.onset or c.recorded for c in conditions.items if _is_fluctuation(c)]
    return any(when is None or when.last >= begun for when in noted)


def _is_fluctuation(condition: Condition) -> bool:
    """Whether a condition is one by its code, or by its very name."""
    return FLUCTUATION in condition.concept.tests or tokens(condition.concept.text)[:3] == _NAMED


def _scored(seek: Seek) -> int:
    """How often disability was scored in this illness; without an onset, ever."""
    begun = date.min if isinstance(seek.onset, Absent) else seek.onset.day
    return sum(1 for r in seek.scores if r.when is not None and r.when.last >= begun)


def _shown(seek: Seek) -> bool | None:
    """A score that fell after the earlier course began and rose again soon enough after onset; None without an onset."""
    dated = [(r.when, r.value) for r in reversed(seek.scores) if r.when is not None and r.value is not None]
    points, answer = seek.points.number, False
    lows = [
        (when, low)
        for when, low in dated
        if when.day > seek.since.first and any(w.instant < when.instant and v - low >= points for w, v in dated)
    ]
    for when, low in lows:
        for risen, high in dated:
            if risen.instant <= when.instant or high - low < points:
                continue
            if isinstance(seek.onset, Absent):
                return None
            if (risen.day - seek.onset.day).days <= seek.weeks.number * 7:
                return True
            answer = answer or (risen.day - seek.onset.last).days <= seek.weeks.number * 7
    return None if answer else False


def _inputs(seek: Seek, began: Input | None) -> tuple[Input, ...]:
    since = seek.since
    said = f"{since.first} to {since.last}" if since.first < since.last else f"{since.first}"
    made = [Input("earlier course", said, since.last.isoformat(), since.path)]
    if began is not None:
        made.append(began)
    made += [Input("disability score", r.said, r.when.text if r.when else "", r.path) for r in reversed(seek.scores)]
    return tuple(made)

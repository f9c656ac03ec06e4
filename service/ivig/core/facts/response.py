"""How a treatment that repeats is followed: scores before it and under it, and whether they got better or worse."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct

from ivig.core.book import Book, Indication
from ivig.core.dated import Value, later
from ivig.core.facts.chart import unanswered
from ivig.core.facts.limits import MAINTENANCE
from ivig.core.facts.treatment import Cycle, months_back
from ivig.core.finding import Input, Root
from ivig.core.order import Condition, Order, Result
from ivig.core.rule import Seen, fact

UNDOCUMENTED = Root("course-response-undocumented")

_WEEK = 7


class Followed(Struct, frozen=True):
    """One scale of the page.

    Args:
        first: the scores that may stand for the patient before treatment: taken before it, or at least some weeks ago.
        near: those of them from before treatment, or from its first weeks.
        latest: the newest score under treatment within the window of review.
        change: what counts as a change on this scale, where a source tells.
        higher: whether a higher score is the better one.
    """

    test: str
    first: tuple[Result, ...]
    near: tuple[Result, ...]
    latest: Result | None
    change: Value | None
    higher: bool

    @property
    def documented(self) -> bool:
        """Whether a score under treatment follows an earlier one."""
        late = self.latest
        return late is not None and any(_before(r, late) for r in self.first)

    @property
    def gain(self) -> Decimal | None:
        """The largest gain from a score of before treatment to the latest; None where there are no two."""
        late = self.latest
        gains = [better_by(r, late, self.higher) for r in self.near if late is not None and _before(r, late)]
        return max((g for g in gains if g is not None), default=None)


class Response(Struct, frozen=True):
    """What is on record of the response to a treatment that repeats.

    Args:
        due: a review is due: nothing was measured in the window, and treatment is older than that.
        window: the months in which a score under treatment has to lie.
        since: the first day of that window.
    """

    started: date
    scales: tuple[Followed, ...]
    due: bool
    window: Value
    since: date

    @property
    def documented(self) -> bool:
        return any(f.documented for f in self.scales)


def better_by(old: Result, new: Result | None, higher: bool) -> Decimal | None:
    """By how much the newer score is better; below nothing when worse. Bounds tell no difference."""
    if new is None or old.value is None or new.value is None or old.comparator or new.comparator:
        return None
    return new.value - old.value if higher else old.value - new.value


def _before(one: Result, other: Result) -> bool:
    return one.when is not None and other.when is not None and one.when.instant < other.when.instant


def on_day(result: Result) -> date:
    assert result.when is not None  # results without a day are not usable
    return result.when.day


def scored(test: str, results: dict[str, tuple[Result, ...]]) -> tuple[Result, ...]:
    """The readable scores of a scale, newest first."""
    return tuple([r for r in results.get(test, ()) if r.value is not None])


def is_higher_better(test: str, book: Book) -> bool:
    way = book.maybe(f"response.better.{test}")
    return way is not None and way.word == "higher"


@fact
def response(
    order: Order,
    indication: Indication,
    phase: str,
    treatment: Seen[Cycle],
    results: dict[str, tuple[Result, ...]],
    first_day: date,
    book: Book,
) -> Seen[Response]:
    """What is on record, where the order goes on with a treatment of a page that has scales. Lacking: the history."""
    if phase not in (MAINTENANCE, "") or not treatment.items:
        return Seen((), treatment.lacking if phase in (MAINTENANCE, "") else ())
    started = treatment.items[0].first
    young = started > months_back(first_day, book.policy("response.review_months.later").number)
    window = book.policy(f"response.review_months.{'first_year' if young else 'later'}")
    since = months_back(first_day, window.number)
    weeks = timedelta(weeks=int(book.policy("response.baseline_weeks").number))
    scales = tuple(
        [
            _followed(test, results, started, since, later(first_day, -weeks.days), weeks, book)
            for test in indication.scales
        ]
    )
    due = started <= since and not any(f.latest is not None for f in scales)
    made = Response(started, scales, due, window, since)
    if not made.documented and (failed := unanswered(order, *indication.scales)):
        return Seen((), tuple(dict.fromkeys((*treatment.lacking, *failed))))
    return Seen((made,), treatment.lacking)


def _followed(
    test: str,
    results: dict[str, tuple[Result, ...]],
    started: date,
    since: date,
    old: date,
    weeks: timedelta,
    book: Book,
) -> Followed:
    change, higher = book.maybe(f"response.change.{test}"), is_higher_better(test, book)
    scores = scored(test, results)
    if not scores:
        return Followed(test, (), (), None, change, higher)
    first = tuple([r for r in scores if on_day(r) <= started or on_day(r) <= old])
    near = tuple([r for r in first if on_day(r) <= started + weeks])
    latest = next((r for r in scores if on_day(r) > started and on_day(r) >= since), None)
    return Followed(test, first, near, latest, change, higher)


class Judged(Struct, frozen=True):
    """A scale that shows no improvement: its scores before and under treatment, and what would be one.

    `early`: the later score is of the first weeks. `cut`: the disease was on record long before the first infusion on
    record, so that earlier ones, and the response to them, may be missing.
    """

    scale: Followed
    before: Result
    latest: Result
    gain: Decimal
    change: Value
    early: bool
    cut: bool
    trial: Value


@fact
def no_response(response: Seen[Response], indication: Indication, active: Seen[Condition], book: Book) -> Seen[Judged]:
    """Scales with a known meaningful change that show none, unless another scale got better.

    Lacking: a response on record; or one on a scale with a known change, where the others do not show any.
    """
    if not response.items:
        return Seen((), response.lacking)
    held = response.items[0]
    if not any(f.change is not None for f in held.scales):
        return Seen(())
    trial = book.policy("response.trial_weeks")
    new_start = book.policy("course.new_start_after_weeks").number
    cut = _known(indication, active) < later(held.started, -new_start * _WEEK)
    found: list[Judged] = []
    compared = False
    for scale in held.scales:
        gain = scale.gain
        if gain is None:
            continue
        compared = True
        if gain >= scale.change.number if scale.change is not None else gain > 0:
            return Seen((), response.lacking)
        if scale.change is not None and scale.latest is not None:
            newest = next(r for r in scale.near if _before(r, scale.latest))
            early = on_day(scale.latest) < later(held.started, trial.number * _WEEK)
            found.append(Judged(scale, newest, scale.latest, gain, scale.change, early, cut, trial))
    missed = not found and (compared or not held.documented)
    return Seen(tuple(found), (*response.lacking, UNDOCUMENTED) if missed else response.lacking)


def _known(page: Indication, active: Seen[Condition]) -> date:
    """The day since when the disease is on record; the last of the calendar where it is not."""
    of = [c for c in active.items if page.key in c.concept.indications]
    return min((when.day for c in of if (when := c.recorded or c.onset) is not None), default=date.max)


def input_of(result: Result, book: Book) -> Input:
    title = book.test_title(result.test)
    return Input(title, result.said, result.when.text if result.when else "", result.path)

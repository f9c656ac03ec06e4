"""Why something was found: one structure that every door renders. Made when a door asks, never while an order is judged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

from msgspec import Struct

from ivig.core.book import Indication, Library
from ivig.core.dated import Value
from ivig.core.finding import ERROR, WARNING, Finding, Input, Result, Root, amount
from ivig.core.overrides import PREFIX
from ivig.core.rule import Rule

# Families of rules whose findings another treatment may answer; beside them a rule may say so of itself (`alternatives`).
# Of indication and risk only what needs a decision: a remark on the label, or one more factor, calls for no other treatment.
_ELSEWHERE = {"course": True, "interaction": True, "indication": False, "risk": False}
# Families whose findings say what to look for while the infusion goes ahead.
_WATCHED = frozenset({"dose", "rate", "product", "lab", "risk", "course", "adjunct", "interaction"})
_UNREADABLE = "value"  # the issue code of a datum that cannot be read: nothing can be said about treatment
_WHEN = re.compile(r"\b(Before|During|After):\s*")
_ORDER = ("Vials", "Alternatives to consider", "Watch before", "Watch during", "Watch after", "Watch", "Response")
CAPPED = "An error by the numbers; a warning because a number it rests on is unconfirmed."


class Limit(Struct, frozen=True):
    """A number of the knowledge, in words: what it is, since when, who says so and where, and whether anyone saw it there."""

    key: str
    amount: str
    seen: str
    source: str
    title: str
    at: str
    since: date | None = None
    url: str = ""
    note: str = ""
    reason: str = ""  # why a site's policy decides otherwise

    def words(self) -> str:
        since = f", from {self.since.isoformat()}" if self.since is not None else ""
        why = f" Reason: {self.reason}" if self.reason else ""
        return f"{self.key}: {self.amount}{since}; {self.seen}; source {self.source}: {self.title}; {self.at}.{why}"


class Watch(Struct, frozen=True):
    """What to watch before, during and after the infusion; `always` what a page does not tie to a time."""

    before: str = ""
    during: str = ""
    after: str = ""
    always: str = ""

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Each time with what to watch then, as far as the page tells."""
        named = (("Before", self.before), ("During", self.during), ("After", self.after), ("Watch", self.always))
        return tuple((when, what) for when, what in named if what)


class Explanation(Struct, frozen=True):
    """One finding with all that it rests on.

    Args:
        sums: the arithmetic, line by line.
        inputs: each datum with its value as written (unit and all), its day, and the path of its resource.
        limits: what the inputs were held against, with source and place.
        capped: an error by the numbers, a warning because one of them is unconfirmed.
        assumed: what was taken for granted.
        missing: what was not there and would have told more.
        not_judged: the rules that could not run for want of what the finding is about.
        consider: what could be done about it.
        alternatives: which other treatments there are, of the indication's page.
        watch, review: what to watch, and how and when response is judged, of the same page.
        remedies, vials: the smallest changes that clear the finding, and the vials of a dose, where they were asked for.
    """

    rule: str
    text: str
    sums: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    limits: tuple[Limit, ...] = ()
    capped: bool = False
    assumed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    not_judged: tuple[str, ...] = ()
    consider: tuple[str, ...] = ()
    alternatives: str = ""
    watch: Watch = Watch()
    review: str = ""
    remedies: tuple[str, ...] = ()
    vials: tuple[str, ...] = ()


def explain(
    found: Finding,
    rule: Rule | None,
    library: Library,
    page: Indication | None = None,
    assumed: Iterable[str] = (),
    missing: Iterable[str] = (),
    whole: bool = False,
    vials: Iterable[str] = (),
) -> Explanation:
    """All that `found` rests on.

    Args:
        rule: its rule, None for one that is not in the catalogue.
        page: the indication the order is judged by; without it nothing is said of other treatments and of what to watch.
        assumed, missing: what is known of the order beside the finding itself.
        whole: it tells of the order as a whole: what to watch, and when response is judged, belong to it.
        vials: those of the order's doses.
    """
    advice = (*found.consider, *((rule.consider,) if rule is not None and rule.consider else ()))
    elsewhere = page is not None and has_alternatives(found, rule)
    watched = page is not None and (whole or is_watched(found))
    return Explanation(
        rule=found.rule,
        text=found.text(),
        sums=found.sums,
        inputs=tuple(dict.fromkeys(found.inputs)),
        limits=tuple(limit(value, library) for value in dict.fromkeys(found.cites)),
        capped=found.capped,
        assumed=tuple(dict.fromkeys((*found.assumed, *assumed))),
        missing=tuple(dict.fromkeys(missing)),
        not_judged=found.not_judged,
        consider=tuple(dict.fromkeys(advice)),
        alternatives=one_line(page.alternatives) if page is not None and elsewhere else "",
        watch=watch(page.monitoring) if page is not None and watched else Watch(),
        review=one_line(page.review) if page is not None and (whole or elsewhere) else "",
        vials=tuple(vials),
    )


def has_alternatives(found: Finding, rule: Rule | None) -> bool:
    """Whether another treatment is a sensible answer to a finding."""
    if found.result != Result.FLAGGED or found.code == _UNREADABLE:
        return False
    if rule is not None and rule.alternatives:
        return True
    always = _ELSEWHERE.get(found.rule.partition("-")[0])
    return always is True or (always is False and found.severity >= WARNING)


def is_watched(found: Finding) -> bool:
    """Whether a finding leaves the infusion to go ahead with an eye on something."""
    if found.result != Result.FLAGGED or found.code == _UNREADABLE or found.severity >= ERROR:
        return False
    return found.rule.partition("-")[0] in _WATCHED


def watch(monitoring: str) -> Watch:
    """The words of a page, `Before: ... During: ... After: ...`, taken apart."""
    first, *rest = _WHEN.split(one_line(monitoring))
    told: dict[str, str] = {}
    for when, what in zip(rest[::2], rest[1::2], strict=True):
        told[when] = f"{told[when]} {what.strip()}" if when in told else what.strip()
    return Watch(told.get("Before", ""), told.get("During", ""), told.get("After", ""), first.strip())


def limit(value: Value, library: Library) -> Limit:
    source = library.sources.get(value.source, {})
    return Limit(
        value.key,
        amount(value),
        value.seen,
        value.source,
        source.get("title", value.source),
        value.at,
        value.start,
        source.get("url", ""),
        value.note,
        "" if value.key.startswith(PREFIX) else value.reason,
    )


def named(root: Root) -> str:
    """An absent datum by the issue that tells of it, and which one where that covers several."""
    return f"{root.name} ({root.about})" if root.about else root.name


def one_line(prose: str) -> str:
    return " ".join(prose.split())


def lines(told: Explanation, full: bool = False) -> Sequence[str]:
    """An explanation line by line: the arithmetic, the inputs, the limits, what was assumed, missing and could be done.

    Args:
        full: with other treatments, what to watch, and when response is judged.
    """
    said = [*told.sums, *map(shown, told.inputs), *(one.words() for one in told.limits)]
    if told.capped:
        said.append(CAPPED)
    said.extend(f"Assumed: {_sentence(one)}" for one in told.assumed)
    said.extend(f"Not known: {one}" for one in told.missing)
    if told.not_judged:
        said.append(f"Not judged for want of this: {', '.join(told.not_judged)}.")
    said.extend(told.consider)
    said.extend(f"Would clear it: {_sentence(one)}" for one in told.remedies)
    if full:
        said.extend(f"{heading}: {prose}" for heading, prose in background(told))
    return said


def background(told: Explanation) -> tuple[tuple[str, str], ...]:
    """The vials of a dose and what the indication's page adds, each part under its heading."""
    parts = [(_ORDER[0], " ".join(map(_sentence, told.vials))), (_ORDER[1], told.alternatives)]
    parts += [(when if when == "Watch" else f"Watch {when.lower()}", what) for when, what in told.watch.lines()]
    parts.append((_ORDER[-1], told.review))
    return tuple((heading, prose) for heading, prose in parts if prose)


def backgrounds(every: Iterable[Explanation]) -> tuple[tuple[str, str], ...]:
    """What the pages add to all of them, each part once: other treatments, what to watch in its order, the response."""
    parts = dict.fromkeys(part for told in every for part in background(told))
    return tuple(sorted(parts, key=lambda part: _ORDER.index(part[0])))


def shown(datum: Input) -> str:
    """A datum in a line: what it is, its value, its day and where it stands."""
    beside = ", ".join(filter(None, (datum.day, datum.path)))
    return f"{datum.what}: {datum.value}" + (f" ({beside})" if beside else "")


def _sentence(said: str) -> str:
    return said if said.endswith((".", "!", "?")) else f"{said}."

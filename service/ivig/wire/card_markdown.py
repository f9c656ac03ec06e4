"""What stands on a card below its summary, in GitHub-flavoured Markdown without HTML: for somebody who has seconds.

The verdict, then per finding its sentence, its arithmetic, what it was held against and what to consider. Whatever came with the
order or the chart is escaped: it shows as the text it is, and makes no link, picture, heading or table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from msgspec import Struct

from ivig.core.dated import UNCONFIRMED
from ivig.core.explanation import CAPPED, Explanation, Limit
from ivig.core.finding import Finding, Result, Severity

LONGEST = 4000  # characters of a whole detail
_LONGEST_TEXT = 300  # of one text in it
_MOST_LINES = 6  # of one kind in a finding
_MOST_SUMS, _MOST_DATA, _MOST_LIMITS, _MOST_NAMES = 6, 10, 3, 5
_MOST_FOLDED = 6
_USE = "For prescribers and pharmacists, to be weighed with the whole patient; not for emergencies."
_UNSEEN = "rests on an unconfirmed number"
_SHORTENED = "Shortened: more in the service."
_GRADES = {Severity.ERROR: "Error", Severity.WARNING: "Warning", Severity.INFORMATION: "Information"}
_SEEN = {"confirmed": "", UNCONFIRMED: "; **unconfirmed**", "house": "; house value"}
_ALWAYS = re.compile(r"[\\`*_\[\]|~$]")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_ENTITY = re.compile(r"&(?=[A-Za-z#])")
_BLOCK = re.compile(r"^(?:([#>+=-])|(\d{1,9})([.)])(?=\s|$))")  # what would begin a heading, a quote or a list
_SCHEME = re.compile(r"(?<=\w):(?=//)")
_WWW = re.compile(r"\bwww\.", re.IGNORECASE)
_AT = re.compile(r"(?<=\S)@(?=\S)")
_RISKY = re.compile(r"[\\`*_\[\]|~$<&@]|://|\bwww\.", re.IGNORECASE)  # any of the above; most texts hold none


class Line(Struct, frozen=True):
    """A line, and how soon it goes when there is no room: 0 never, then the largest first."""

    text: str
    weight: int = 0


class Told(Struct, frozen=True):
    """All that the detail of one card tells.

    Args:
        shown: the findings that it is for, the gravest first, each with its explanation and what would clear it.
        unread: the elements of the order that could not be read.
        again: the sentences of findings that were shown before.
        folded: the sentences of informations.
        partial: some rules could not be judged.
        left: how many orders more have findings, and no card.
        basis: by which knowledge, policy and day it was judged.
    """

    shown: Sequence[tuple[Finding, Explanation]]
    unread: Sequence[tuple[str, str]]
    again: Sequence[str]
    folded: Sequence[str]
    partial: bool
    left: int
    basis: str


def escaped(text: str, most: int = _LONGEST_TEXT, leads: bool = False) -> str:
    """Text from outside as Markdown that shows it, in one line. Addresses are taken apart: renderers make links of bare ones.

    Args:
        most: characters of the text that are kept.
        leads: it stands at the beginning of a line or an item, where a sign may begin a heading, a quote or a list.
    """
    line = one_line(text)
    if len(line) > most:
        line = line[: most - 1].rstrip() + "…"
    if not leads and not _RISKY.search(line):
        return line
    line = _WWW.sub("www .", _SCHEME.sub(": ", line))
    line = _AT.sub(" (at) ", line)
    line = _ALWAYS.sub(r"\\\g<0>", line)
    line = _ENTITY.sub(r"\\&", _TAG.sub(r"\\<", line))
    if not leads:
        return line
    return _BLOCK.sub(lambda hit: f"\\{hit[1]}" if hit[1] else f"{hit[2]}\\{hit[3]}", line)


def one_line(text: str) -> str:
    """Text without line breaks and without what does not show: control characters, and those that turn the direction of writing."""
    whole = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    return " ".join(whole.split())


def detail(told: Told) -> str:
    """The detail of a card, at most `LONGEST` characters."""
    blocks = [list(_head(told))]
    blocks += (list(_finding(n, *pair)) for n, pair in enumerate(told.shown))
    blocks += (list(block) for block in (_unread(told), _rest(told), _folded(told)))
    return _fitted([block for block in blocks if block], f"_{_USE} {escaped(told.basis)}._")


# -- the parts --------------------------------------------------------------------------------------------------------


def _head(told: Told) -> Iterator[Line]:
    flagged = [f for f, _ in told.shown if f.result == Result.FLAGGED]
    errors = sum(1 for f in flagged if f.severity == Severity.ERROR)
    unknown = sum(1 for f, _ in told.shown if f.result == Result.CANNOT_TELL)
    counts = ((errors, "error"), (len(flagged) - errors, "warning"), (unknown, "thing that could not be checked"))
    said = ", ".join(_counted(count, what) for count, what in counts if count)
    partial = " Judged in part: data are missing." if told.partial else ""
    yield Line(f"**{_verdict(errors, bool(flagged) or bool(told.unread))}**{f': {said}.' if said else '.'}{partial}")
    if told.left:
        have = "order has" if told.left == 1 else "orders have"
        yield Line(f"{told.left} more {have} findings that are not shown here.")


def _verdict(errors: int, flagged: bool) -> str:
    return "Should not go ahead as written" if errors else "Needs a decision" if flagged else "Cannot tell"


def _counted(count: int, what: str) -> str:
    first, _, rest = what.partition(" ")
    return f"{count} {first}{'s' if count > 1 else ''}{f' {rest}' if rest else ''}"


def _finding(place: int, f: Finding, told: Explanation) -> Iterator[Line]:
    """A finding: its sentence, then line by line what it rests on and what could be done."""
    grade = "Cannot tell" if f.result == Result.CANNOT_TELL else _GRADES[f.severity]
    mark = f" ({_UNSEEN})" if any(one.seen == UNCONFIRMED for one in told.limits) else ""
    yield Line(f"**{grade}: {escaped(told.text)}**{mark}", min(place, 1))
    at_once = 1 if place == 0 else 2
    yield from (Line(f"- Consider: {escaped(_considered(one))}", at_once) for one in told.consider[:_MOST_LINES])
    yield from (Line(f"- Would clear it: {escaped(one)}", at_once) for one in told.remedies)
    if told.sums:
        yield Line(f"- Arithmetic: {'; '.join(escaped(one).rstrip('.') for one in told.sums[:_MOST_SUMS])}", 2)
    data = [escaped(f"{d.what}: {d.value}" + (f" ({d.day[:10]})" if d.day else "")) for d in told.inputs]
    if data:
        yield Line(f"- Data: {_listed(data, _MOST_DATA)}", 2)
    yield from (Line(f"- {_limit(one)}", 2) for one in _limits(told.limits))
    if told.capped:
        yield Line(f"- {CAPPED}", 2)
    yield from (Line(f"- Assumed: {escaped(one)}", 3) for one in told.assumed[:_MOST_LINES])
    yield from (Line(f"- Not known: {escaped(one)}", 3) for one in told.missing[:_MOST_LINES])
    if told.not_judged:
        yield Line(f"- Not judged for want of this: {_listed(list(map(escaped, told.not_judged)), _MOST_NAMES)}", 3)


def _limits(limits: Sequence[Limit]) -> Iterator[Limit]:
    """The first limits, which are those that decided; of the others those that nobody has seen in their source."""
    yield from (one for place, one in enumerate(limits) if place < _MOST_LIMITS or one.seen == UNCONFIRMED)


@lru_cache(maxsize=4096)  # knowledge, the same on every card
def _limit(one: Limit) -> str:
    """A limit by the last two words of its key."""
    what = " ".join(one.key.split(".")[-2:]).replace("_", " ")
    since = f" since {one.since.isoformat()}" if one.since is not None else ""
    why = f"; reason: {escaped(one.reason)}" if one.reason else ""
    return f"Limit, {escaped(what)}: {escaped(one.amount)}{since} ({escaped(one.title, 90)}; {escaped(one.at, 120)}{_SEEN[one.seen]}{why})"


def _considered(advice: str) -> str:
    """Advice behind the word `Consider`, which most of it begins with."""
    return advice.removeprefix("Consider ").removeprefix("consider ")


def _unread(told: Told) -> Iterator[Line]:
    for path, why in told.unread[:_MOST_LINES]:
        yield Line(f"- Left out, for it could not be read: {escaped(path)}: {escaped(why)}", 1)


def _rest(told: Told) -> Iterator[Line]:
    """What is told of the order and not of one finding: other treatments, and what was shown before."""
    for prose in dict.fromkeys(one.alternatives for _, one in told.shown if one.alternatives):
        yield Line(f"- Alternatives to consider: {escaped(prose, 500)}", 3)
    for sentence in told.again[:_MOST_LINES]:
        yield Line(f"- Already shown: {escaped(sentence)}", 4)


def _folded(told: Told) -> Iterator[Line]:
    if told.folded:
        yield Line("Also noted:", 5)
        yield from (Line(f"- {escaped(sentence, leads=True)}", 6) for sentence in told.folded[:_MOST_FOLDED])
        if len(told.folded) > _MOST_FOLDED:
            yield Line(f"- and {len(told.folded) - _MOST_FOLDED} more", 6)


def _listed(items: Sequence[str], most: int) -> str:
    more = len(items) - most
    return ", ".join(items[:most]) + (f" and {more} more" if more > 0 else "")


# -- room -------------------------------------------------------------------------------------------------------------


def _fitted(blocks: list[list[Line]], foot: str) -> str:
    """All blocks, or as much as there is room for: the heaviest lines go first, the last of them before the others."""
    whole = _joined(blocks, foot)
    if len(whole) <= LONGEST:
        return whole
    foot = f"{_SHORTENED}\n\n{foot}"
    lines = [(line.weight, n, m) for n, block in enumerate(blocks) for m, line in enumerate(block) if line.weight]
    room = len(_joined(blocks, foot)) - LONGEST
    gone: set[tuple[int, int]] = set()
    for _, n, m in sorted(lines, reverse=True):
        if room <= 0:
            break
        gone.add((n, m))
        room -= len(blocks[n][m].text) + 1
    kept = [[line for m, line in enumerate(block) if (n, m) not in gone] for n, block in enumerate(blocks)]
    return _joined(kept, foot)


def _joined(blocks: Iterable[Sequence[Line]], foot: str) -> str:
    return "\n\n".join((*("\n".join(line.text for line in block) for block in blocks if block), foot))

"""What the judge says: findings, what could not be judged, the verdict, the report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ivig.core.dated import Value

if TYPE_CHECKING:
    from ivig.core.checked import RuleChecked
    from ivig.core.grounds import Grounds


class Severity(IntEnum):
    """Larger is graver."""

    INFORMATION = 1
    WARNING = 2
    ERROR = 3


_DECIMALS = 3
LONGEST = 139  # characters of a sentence
_SHORTEST = 20  # of a name in it
# Units as a pharmacist writes them, where UCUM has its own way.
_WORDS = {
    "a": "years",
    "mo": "months",
    "wk": "weeks",
    "d": "days",
    "mL/min/{1.73_m2}": "mL/min/1.73 m2",
    "{score}": "points",
}

INFORMATION, WARNING, ERROR = Severity.INFORMATION, Severity.WARNING, Severity.ERROR


class Result(StrEnum):
    FLAGGED = "flagged"
    CANNOT_TELL = "cannot-tell"
    NOTE = "note"


class Verdict(StrEnum):
    STOP = "stop"
    CANNOT_TELL = "cannot-tell"
    ADVISE = "advise"
    CLEAR = "clear"


class Root(Struct, frozen=True, gc=False):
    """An absent datum: the name of the issue that tells of it, and which one it is where the name covers several."""

    name: str
    about: str = ""


class Absent(Struct, frozen=True):
    """The value of a fact that is not there, with the roots it lacks. Absent facts make absent facts."""

    roots: tuple[Root, ...]


def absent(name: str, about: str = "") -> Absent:
    return Absent((Root(name, about),))


class Input(Struct, frozen=True, gc=False):
    """A datum that a finding rests on: what it is, its value as written, its day and where it stands."""

    what: str
    value: str
    day: str = ""
    path: str = ""


class Measure(Struct, frozen=True, gc=False):
    """The number that decided and the range it was held against, all in `unit`."""

    unit: str
    observed: Decimal
    lower: Decimal | None = None
    upper: Decimal | None = None
    source: str = ""


class Finding(Struct, frozen=True):
    """One thing said about one order. Text is made only when a door asks for it."""

    rule: str
    severity: Severity
    result: Result
    code: str
    says: str
    words: dict[str, Any]
    sums: tuple[str, ...] = ()
    at: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    cites: tuple[Value, ...] = ()
    measure: Measure | None = None
    about: str = ""
    not_judged: tuple[str, ...] = ()
    capped: bool = False
    assumed: tuple[str, ...] = ()
    consider: tuple[str, ...] = ()

    def text(self) -> str:
        """One sentence with the numbers that decided."""
        return fill(self.says, self.words)


class Judgement(Struct, frozen=True):
    """All that was found about one order."""

    ref: str
    path: str
    day: date
    verdict: Verdict
    judged: str
    findings: tuple[Finding, ...]
    unread: tuple[tuple[str, str], ...] = ()  # path and why, of elements of the order that could not be read

    def count(self, severity: Severity, result: Result = Result.FLAGGED) -> int:
        return sum(1 for f in self.findings if f.severity == severity and f.result == result)

    @property
    def cannot_tells(self) -> int:
        return sum(1 for f in self.findings if f.result == Result.CANNOT_TELL)


class Report(Struct, frozen=True):
    """The answer to one request: a judgement per order, and what has to be said about the request itself.

    `grounds` tells more about it to a door that asks: reasons, and what became of every rule.
    `advise` makes what would let an order pass, when a door asks for it (`remedies`); nothing is made before. It takes the
    place of the judgement, and the places of the findings that are to be cleared, None for all.
    """

    judgements: tuple[Judgement, ...]
    notes: tuple[Finding, ...]
    knowledge: str
    policy: str
    rules: int
    grounds: Grounds
    advise: Callable[[int, Collection[int] | None], Any] | None = None

    @property
    def checked(self) -> tuple[tuple[RuleChecked, ...], ...]:
        """For each judgement every rule with its outcome; reckoned when first asked for."""
        return tuple(self.grounds.checked(place, judgement) for place, judgement in enumerate(self.judgements))

    @property
    def remedies(self) -> tuple[Any, ...]:
        """What would make each order pass (`core.remedy.Remedies`), in the order of the judgements."""
        return tuple(self.advise(n, None) for n in range(len(self.judgements))) if self.advise is not None else ()

    def remedies_for(self, place: int, findings: Collection[int]) -> Any:
        """What would clear these findings of one judgement, by their places in it; None where nobody can tell."""
        return self.advise(place, findings) if self.advise is not None else None


def plain(number: Decimal) -> str:
    """A number as a pharmacist writes it: at most three decimals (four digits below one), no trailing zeros, no exponent."""
    text = str(number)
    if "E" in text:
        text = f"{number:f}"
    if "." not in text:
        return text
    if len(text) - text.index(".") > _DECIMALS + 1:
        text = f"{number:.3f}" if abs(number) >= 1 else f"{float(number):.4g}"
        if "e" in text:
            text = f"{number:.9f}"
        if "." not in text:
            return text
    text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def amount(value: Value) -> str:
    """What a value of the knowledge says, in words."""
    unit = f" {_WORDS.get(value.unit, value.unit)}" if value.unit and value.unit != "1" else ""
    if value.amount == 1 and value.unit in _WORDS:
        return f"1{unit.removesuffix('s')}"
    if value.amount is not None:
        return f"{plain(value.amount)}{unit}"
    if value.pairs:
        return " or ".join(
            f"{p.least}{'-' + str(p.most) if p.most != p.least else ''} days of at most {plain(p.day)}{unit}"
            for p in value.pairs
        )
    if value.lower is not None and value.upper is not None:
        return (
            f"{plain(value.lower)}{unit}"
            if value.lower == value.upper
            else f"{plain(value.lower)}-{plain(value.upper)}{unit}"
        )
    if value.upper is not None:
        return f"at most {plain(value.upper)}{unit}"
    if value.lower is not None:
        return f"at least {plain(value.lower)}{unit}"
    return ", ".join(value.words) or "stated"


def shown(value: Any) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (tuple, list, frozenset, set)):
        return ", ".join(shown(v) for v in value)
    return str(value)


class Names(Struct, frozen=True):
    """Names in a sentence: as many as it has room for, the others counted. `lead` stands before the first."""

    items: tuple[str, ...]
    lead: str = ""

    @classmethod
    def of(cls, items: Iterable[str], lead: str = "") -> Names:
        return cls(tuple(dict.fromkeys(items)), lead)

    def __str__(self) -> str:
        return self.lead + ", ".join(self.items) if self.items else ""

    def within(self, room: int) -> str:
        """The names in at most `room` letters, as far as that can be."""
        whole = str(self)
        if len(whole) <= room:
            return whole
        counted = len(f" and {len(self.items)} more") if len(self.items) > 1 else 0
        return self.lead + listed(self.items, max(room - len(self.lead) - counted, _SHORTEST))


def listed(names: Iterable[str], room: int = 70) -> str:
    """Names as part of a sentence of limited length: what does not fit is counted, a first that is too long is cut."""
    first, *rest = dict.fromkeys(names)
    said = first if len(first) <= room else first[: room - 3].rstrip() + "..."
    for place, name in enumerate(rest):
        if len(said) + len(name) + 2 > room:
            return f"{said} and {len(rest) - place} more"
        said += f", {name}"
    return said


def fill(template: str, words: dict[str, Any]) -> str:
    """`template` with its `{names}` filled in. `Names` share what room the others leave of a sentence."""
    if "{" not in template:
        return template
    plain_words = {name: value if isinstance(value, Names) else shown(value) for name, value in words.items()}
    wide = sorted(
        (n for n, v in words.items() if isinstance(v, Names) and f"{{{n}}}" in template),
        key=lambda n: len(str(words[n])),
    )
    if wide:
        room = LONGEST - len(template.format_map(plain_words | dict.fromkeys(wide, "")))
        for place, name in enumerate(wide):
            said = words[name].within(min(len(str(words[name])), room // (len(wide) - place)))
            plain_words[name] = said
            room -= len(said)
    return template.format_map(plain_words)

"""Bundles from files: read, judged, and what a shell is told about it."""

from __future__ import annotations

import sys
from datetime import date, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from ivig.core.book import Library
from ivig.core.finding import Report, Verdict
from ivig.core.order import Order
from ivig.settings import Settings
from ivig.validator import Validator
from ivig.wire.decode import Broken, Decoded, Unreadable, decode
from ivig.wire.outcome import outcome, refusal
from ivig.wire.read import Asked, read
from ivig.wire.told import add_remedies

STDIN = "-"


class Exit(IntEnum):
    """Exit codes of `ivig check`."""

    FINE = 0
    STOP = 1
    CANNOT_TELL = 2
    UNREADABLE = 3
    NO_ORDER = 4


_GRAVEST_FIRST = (Exit.UNREADABLE, Exit.STOP, Exit.CANNOT_TELL, Exit.NO_ORDER, Exit.FINE)
_OF_VERDICT = {Verdict.STOP: Exit.STOP, Verdict.CANNOT_TELL: Exit.CANNOT_TELL}


class Checked(Struct, frozen=True):
    """One file judged; `fault` says why it could not be."""

    name: str
    outcome: dict[str, Any]
    exit: Exit
    report: Report | None = None
    orders: tuple[Order, ...] = ()
    broken: tuple[Broken, ...] = ()
    fault: str = ""
    library: Library | None = None


def gravest(exits: list[Exit]) -> Exit:
    return next(e for e in _GRAVEST_FIRST if e in exits)


def check(
    name: str,
    validator: Validator,
    settings: Settings,
    day: date | None,
    now: datetime,
    policy_said: bool = False,
    full: bool = False,
) -> Checked:
    """Judge the bundle in the file of this name.

    Args:
        name: a path, or `-` for standard input.
        day: judge by this day, whatever the body says.
        policy_said: the validator's policy was asked for, so that a body that asks for another is refused.
        full: an outcome with every reason in full, whatever the body says.
    """
    try:
        body = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    except OSError as fault:
        return _unreadable(name, f"{fault.strerror or type(fault).__name__}.")
    try:
        decoded = decode(body)
        asked, policy_day, library = _asked(decoded, validator, settings, now)
    except Unreadable as fault:
        return _unreadable(name, fault.why if body.strip() else "The file is empty.", fault.code, fault.place)
    if policy_said and library is not validator.library:
        chosen = validator.library.policy_id
        return _unreadable(
            name, f"Two policies: {chosen} was asked for, the file asks for {library.policy_id}.", "value"
        )
    if day is not None:
        asked = structs.replace(asked, day=day, moment=None)
    reading = read(decoded, library.lexicon, asked)
    report = validator.report(reading, policy_day, library)
    broken = (*reading.broken, *_explained(body, decoded))
    in_full = full or decoded.in_full
    told = outcome(report, broken, in_full)
    if in_full:
        add_remedies(told, report)
    return Checked(name, told, _exit(report), report, reading.orders, broken, library=library)


def _asked(
    decoded: Decoded, validator: Validator, settings: Settings, now: datetime
) -> tuple[Asked, date | None, Library]:
    if not decoded.parameters:
        return Asked(zone=settings.zone, now=now), None, validator.library
    from ivig.entrypoints.operation import Refused, asked_for  # only Parameters need the web framework's time to import

    try:
        return asked_for(decoded, settings.zone, now, validator.library)
    except Refused as fault:
        raise Unreadable(fault.text, fault.place, fault.code) from None


def _explained(body: bytes, decoded: Decoded) -> tuple[Broken, ...]:
    """What the FHIR models find in a body that did not fit, beside what the reader told of, as over HTTP."""
    if not decoded.repaired:
        return ()
    from ivig.wire.gate import explain  # slow to import, seldom needed

    known = [b.path for b in decoded.broken]
    return tuple(b for b in explain(body) if not any(b.path.startswith(k) or k.startswith(b.path) for k in known))


def _unreadable(name: str, why: str, code: str = "structure", place: str = "") -> Checked:
    said = f"{'standard input' if name == STDIN else name}: {why}"
    return Checked(name, refusal(code, said, expression=place), Exit.UNREADABLE, fault=said)


def _exit(report: Report) -> Exit:
    if not report.judgements:
        return Exit.NO_ORDER
    return gravest([_OF_VERDICT.get(j.verdict, Exit.FINE) for j in report.judgements])

"""An order in plain words, for terminals and paper."""

from __future__ import annotations

from decimal import Decimal

from ivig.core.finding import plain
from ivig.core.order import Order, Part

_LONGEST = 400  # characters
_ROUTES = {"iv": "intravenous", "sc": "subcutaneous", "im": "intramuscular"}


def clean(text: str) -> str:
    """Text from outside without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)


def cut(text: str, most: int = _LONGEST) -> str:
    """A text of an order without the end of it, where it has hardly one."""
    left = len(text) - most
    return text if left <= 0 else f"{text[:most]}… ({left} more characters stand in the order)"


def ordered(order: Order) -> str:
    """What was ordered, as it was ordered."""
    return f"{cut(order.medication) or 'no medication'}: {dosage(order)}"


def dosage(order: Order) -> str:
    """Doses, days and route as ordered."""
    doses = "; then ".join(filter(None, (_dose(part) for part in order.parts))) or "no dose"
    route = _ROUTES.get(order.route, order.route_said or "no route")
    course = f" (one of {len(order.group_parts)} requests of a course)" if len(order.group_parts) > 1 else ""
    return f"{doses}, {route}{course}"


def _dose(part: Part) -> str:
    if part.amount is None:
        return _schedule(part)
    each = {"course": " in all", "day": " a day"}.get(part.amount.each, "")
    return " ".join(filter(None, (part.amount.said + each, _schedule(part))))


def _schedule(part: Part) -> str:
    said = [f"{part.doses_a_day} times a day"] if part.doses_a_day > 1 else []
    days = part.days or 0
    if part.interval is not None:
        said.append(f"on {days} days" if days > 1 else "")
        said.append(f"every {_span(part.interval)}")
        said.append(f"({part.cycles} times)" if part.cycles else "")
    elif days > 1:
        step = "a day" if part.step == 1 else f"every {_span(part.step)}"
        said.append(f"{step if not part.doses_a_day > 1 else ''} for {days} {'days' if part.step == 1 else 'times'}")
    elif days == 1:
        said.append("once")
    return " ".join(" ".join(said).split())


def _span(days: Decimal) -> str:
    weeks = days / 7
    count, unit = (weeks, "week") if weeks == weeks.to_integral_value() else (days, "day")
    return unit if count == 1 else f"{plain(count)} {unit}s"


def reason_said(order: Order) -> str:
    """The reasons in the order's own words."""
    concepts = [reason.concept for reason in order.reasons]
    said = [c.text or ", ".join(_code(*one) for one in c.codes) for c in concepts]
    return ", ".join(filter(None, said)) or "no reason given"


def _code(system: str, code: str) -> str:
    """A code as people write it: ICD-10-CM with its dot."""
    return f"{code[:3]}.{code[3:]}" if system == "icd10cm" and len(code) > 3 and "." not in code else code

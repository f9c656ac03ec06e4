"""Faults of positions: what other views hold beside a page's own values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ivig.core.dated import Series
from ivig.core.positions import BASIS, PHASED, STATUS
from ivig.knowledge.pages import Lined, PageReader

_BASES = ("actual", "adjusted", "ideal")
_UNITS = {"course": "g/kg", "regimens": "g/kg", "interval": "wk"}


def check_positions(
    reader: PageReader, file: str, tree: Lined, page: Mapping[str, Any], statuses: tuple[str, ...]
) -> None:
    """Each position is about a phase that the page has, in its unit, or about the page's status or weight."""
    phases = tree.get("phases") or {}
    of_page = {STATUS: statuses, BASIS: _BASES}
    for row, dated in zip(tree.get("positions") or (), page.get("positions") or (), strict=True):
        if not isinstance(row, Lined):
            reader.fault(file, tree.lines["positions"], "positions: each is a mapping")
            continue
        reader.allow(row, file, "positions", {"key", "phase", "what", "unit", "values"}, {"key", "what", "values"})
        phase, what = row.get("phase"), row.get("what")
        if what in of_page:
            if phase is not None:
                reader.fault(file, row.line, f"positions: {what} is the page's and has no phase")
            series = dated.get("value")
            for value in series.values if isinstance(series, Series) else ():
                if value is not None and (not value.words or value.word not in of_page[what]):
                    reader.fault(file, row.line, f"positions: {what} is one of {', '.join(of_page[what])}")
        elif what not in PHASED:
            allowed = ", ".join((*PHASED, *of_page))
            reader.fault(file, row.line, f"positions: what: `{what}` is not one of {allowed}")
        elif phase not in phases:
            reader.fault(file, row.line, f"positions: the page has no phase `{phase}`")
        elif str(row.get("unit", "")) != _UNITS[what]:
            reader.fault(file, row.line, f"positions: the unit of {what} is {_UNITS[what]}, not `{row.get('unit')}`")


def check_views(reader: PageReader, page: Mapping[str, Any], views: frozenset[str]) -> None:
    """That every position of a page is held by a view of the list."""
    for line, row in page["__positions__"]:
        if row.get("key") not in views:
            reader.fault(page["__file__"], line, f"positions: unknown view `{row.get('key')}`; see views.yaml")

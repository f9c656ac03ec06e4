"""In force on the day: every dated value is used from its first day on, and not on the day before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec import Struct, json, structs

from builder import bundle
from ivig.core.book import Library, Policy
from ivig.core.dated import Series
from ivig.entrypoints.differences import values
from judged import Row, answered, judged, validator

ONE_DAY = timedelta(days=1)


class Dated(Struct, frozen=True):
    """A value with a first day: where it stands, and the view and policy under which an order is judged by it."""

    place: str
    series: Series
    day: date
    policy: str = ""
    view: str = ""


def _series(tree: Any, place: str, view: str = "") -> Iterator[tuple[str, Series, str]]:
    if isinstance(tree, Series):
        yield place, tree, view
    elif isinstance(tree, Mapping):
        view = str(tree.get("key", "")) if "what" in tree else view
        for key, below in tree.items():
            if not str(key).startswith("__"):
                yield from _series(below, f"{place}.{key}", view)
    elif isinstance(tree, (list, tuple)):
        for i, below in enumerate(tree):
            yield from _series(below, f"{place}[{i}]", view)


def every() -> list[Dated]:
    library = validator().library
    found = [
        Dated(place, series, day, view=view)
        for place, series, view in _series(library.pages, "pages")
        for day in series.starts
        if day != date.min
    ]
    for name, other in library.policies.items():
        found += [
            Dated(f"policies.{name}.{key}", series, day, policy=name)
            for key, series in other.policy.items()
            for day in series.starts
            if day != date.min
        ]
    return found


def _choosing(view: str) -> Library:
    """The knowledge by a policy that chooses the positions of one view."""
    library = validator().library
    usual = library.stated_policy
    chosen = library.under("uk").policy["positions"].values[0]
    assert chosen is not None
    value = structs.replace(chosen, words=(view,))
    keys = {**usual.keys, "positions": Series("positions", (date.min,), (value,))}
    policy = Policy("choosing", view, keys, frozenset(), "-")
    return Library(library.pages, policy, library.sources, library.lexicon, "-", library.changes)


@pytest.mark.parametrize("dated", every(), ids=lambda d: f"{d.place} {d.day}")
def test_the_book_differs_between_the_eve_and_the_day(dated: Dated) -> None:
    eve, day = dated.day - ONE_DAY, dated.day
    old, new = dated.series.on(eve), dated.series.on(day)
    assert old != new
    assert new is None or new.start == day
    library = _choosing(dated.view) if dated.view else validator().library.under(dated.policy)
    assert dated.view or library.on(eve) is not library.on(day)
    before, after = values(library.on(eve), library), values(library.on(day), library)
    changed = [path for path in {*before, *after} if before.get(path) != after.get(path)]
    assert changed, dated.place
    assert any(v.start == day for path in changed if (v := after.get(path)) is not None) or new is None


def test_there_are_dated_values() -> None:
    assert len(every()) > 10


# -- orders that are judged differently on the eve and on the day -----------------------------------------------------


def on(day: str, base: str, change: dict[str, Any], policy: str = "us-default") -> list[Row]:
    return judged(bundle(base, {**change, "policy": policy, "policyDate": day}))


def spoken(found: list[Row], rule: str) -> str:
    """The severity of a rule where it is flagged, else the issue under which it stands as not judged, else ''."""
    for row in found:
        if row.rule == rule and row.flagged:
            return row.severity
    return next((row.rule for row in found if rule in row.not_judged), "")


GONE, NEW = "product-discontinued", "knowledge-not-in-force"
# The rule, what it says on the eve and on the day, the day, the order, the policy.
SHOWN: dict[str, tuple[str, str, str, str, str, dict[str, Any], str]] = {
    "Carimune NF leaves the market": (GONE, "", "warning", "2018-10-01", "gbs", {"product": "Carimune NF"}, ""),
    "Alyglo comes on the market": (GONE, NEW, "", "2023-12-01", "pid", {"product": "Alyglo 10%"}, ""),
    "Yimmugo comes on the market": (GONE, NEW, "", "2025-07-01", "pid", {"product": "Yimmugo 10%"}, ""),
    "Gammagard Liquid ERC comes on the market": (
        GONE, NEW, "", "2025-07-14", "pid", {"product": "Gammagard Liquid ERC 10%"}, "",
    ),
    "Qivigy comes on the market": (GONE, NEW, "", "2025-09-01", "pid", {"product": "Qivigy 10%"}, ""),
    "the label of Gammagard Liquid names CIDP": (
        "indication-off-label", "information", "", "2024-01-01", "cidp_maintenance", {"product": "Gammagard Liquid 10%"}, "",
    ),
    "NHS England gives 1 g/kg in immune thrombocytopenia": (  # 70 g on 2 days / 70 kg = 2 g/kg
        "dose-course-above-range", "", "warning", "2017-10-01", "itp", {"dose": "70 g", "count": 2}, "uk",
    ),
    "NHS England gives it on one day": (
        "schedule-days-off-regimen", "", "warning", "2017-10-01", "itp", {"dose": "35 g", "count": 2}, "uk",
    ),
    "the UK adjusts from a fifth over ideal weight": (  # 86 kg is 1.22 times 70.46 kg; 180 g / 76.68 kg = 2.35 g/kg
        "weight-wrong-basis", "", "warning", "2021-12-01", "cidp",
        {"weight": "86 kg", "height": "175 cm", "dose": "36 g", "count": 5}, "uk",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", SHOWN)
def test_an_order_is_judged_by_the_pages_of_its_day(change: str) -> None:
    rule, eve, day, first, base, order, policy = SHOWN[change]
    before = (date.fromisoformat(first) - ONE_DAY).isoformat()
    for asked, expected in ((before, eve), (first, day)):
        assert spoken(on(asked, base, order, policy or "us-default"), rule) == expected, asked


def test_the_day_is_the_order_s_own_unless_another_is_asked_for() -> None:
    def told(change: dict[str, Any]) -> str:
        return spoken(judged(bundle("gbs", {"product": "Carimune NF", **change})), GONE)

    assert told({"authored": "2018-09-30"}) == ""
    assert told({"authored": "2018-10-01"}) == "warning"
    assert told({"authored": "2018-09-30", "policyDate": "2018-10-01"}) == "warning"
    assert told({"authored": "2018-10-01", "policyDate": "2018-09-30"}) == ""
    assert told({"authored": "2018-10-01", "evaluation": "2018-09-30"}) == ""


def test_a_product_that_is_not_there_yet_is_no_candidate() -> None:
    library = validator().library
    assert "qivigy_10" in library.on(date(2025, 9, 1)).polyvalent_iv()
    assert "qivigy_10" not in library.on(date(2025, 8, 31)).polyvalent_iv()


def test_the_day_is_told_with_the_policy() -> None:
    told = json.decode(answered(bundle("gbs", {"policyDate": "2018-09-30"})))
    run = next(e for e in told["extension"] if e["url"].endswith("ivig-run"))
    assert any(e["url"] == "policy" for e in run["extension"])

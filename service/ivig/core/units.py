"""A closed table of units with exact factors.

Units are UCUM codes. A unit that is not in the table has no meaning here: it is reported, never guessed.
Spellings that are not UCUM (`gm`, `ml/hr`) are turned into these codes by `knowledge/units.yaml` before they get here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple


class Unit(NamedTuple):
    """What a unit measures, and how many base units one of it is."""

    dimension: str
    factor: Decimal


def _table(dimension: str, **factors: str) -> dict[str, Unit]:
    return {code: Unit(dimension, Decimal(factor)) for code, factor in factors.items()}


_MASS = {"g": "1", "mg": "0.001", "ug": "0.000001", "kg": "1000"}
# International avoirdupois pound, 1959: 0.45359237 kg exactly.
_BODY = {**_MASS, "[lb_av]": "453.59237", "[oz_av]": "28.349523125", "[stone_av]": "6350.29318"}
_VOLUME = {"mL": "1", "L": "1000", "dL": "100", "uL": "0.001"}
_TIME = {"min": "1", "h": "60", "d": "1440", "wk": "10080", "s": "0.01666666666666666666666666667"}
_LENGTH = {"cm": "1", "m": "100", "mm": "0.1", "[in_i]": "2.54", "[ft_i]": "30.48"}


def _ratios(dimension: str, tops: dict[str, str], bottoms: dict[str, str], joint: str = "/") -> dict[str, Unit]:
    return {
        f"{top}{joint}{bottom}": Unit(dimension, Decimal(a) / Decimal(b))
        for top, a in tops.items()
        for bottom, b in bottoms.items()
    }


_DOSE = {"g": "1", "mg": "0.001", "ug": "0.000001"}
_ML = {"mL": "1", "L": "1000"}
_RATE_TIME = {"min": "1", "h": "60", "d": "1440"}

UNITS: dict[str, Unit] = {
    **_table("mass", **_BODY),
    **_table("volume", **_VOLUME),
    **_table("time", **_TIME),
    **_table("length", **_LENGTH),
    **_ratios("mass per body mass", _DOSE, {"kg": "1"}),
    **_ratios("volume per body mass", _ML, {"kg": "1"}),
    **_ratios("mass per day", _DOSE, {"d": "1"}),
    **_ratios("mass per body mass and day", {f"{u}/kg": f for u, f in _DOSE.items()}, {"d": "1"}),
    **_ratios("volume per day", _ML, {"d": "1"}),
    **_ratios("volume per body mass and day", {f"{u}/kg": f for u, f in _ML.items()}, {"d": "1"}),
    **_ratios("volume rate", _ML, {"min": "1", "h": "60"}),
    **_ratios("volume rate per body mass", {f"{u}/kg": f for u, f in _ML.items()}, {"min": "1", "h": "60"}),
    **_ratios("mass rate", _DOSE, {"min": "1", "h": "60"}),
    **_ratios("mass rate per body mass", {f"{u}/kg": f for u, f in _DOSE.items()}, {"min": "1", "h": "60"}),
    **_ratios("mass concentration", {"g": "1", "mg": "0.001", "ug": "0.000001"}, {"mL": "1", "dL": "100", "L": "1000"}),
    **_ratios(
        "substance concentration", {"mol": "1", "mmol": "0.001", "umol": "0.000001", "nmol": "0.000000001"}, {"L": "1"}
    ),
    **_table(
        "number concentration",
        **{"10*9/L": "1", "10*3/uL": "1", "10*6/L": "0.001", "/uL": "0.001", "10*3/mL": "0.001", "/L": "0.000000001"},
    ),
    **_table("enzyme concentration", **{"U/L": "1", "[IU]/L": "1", "ukat/L": "60", "nkat/L": "0.06"}),
    **_table("filtration", **{"mL/min/{1.73_m2}": "1", "mL/s/{1.73_m2}": "60"}),
    **_table("fraction", **{"%": "0.01", "1": "1", "L/L": "1"}),
    **_table("score", **{"{score}": "1"}),
    **_table("pressure", **{"cm[H2O]": "98.0665", "kPa": "1000"}),
    **_table("viscosity", **{"cP": "1", "mPa.s": "1"}),
    **_table("arbitrary concentration", **{"U/mL": "1", "[IU]/mL": "1"}),
    **_table("arbitrary", **{"[IU]": "1"}),
    **_table("index", **{"{ratio}": "1", "{s_co_ratio}": "1", "{index}": "1"}),
    **_table("body mass index", **{"kg/m2": "1"}),
    **_table("volume per mass", **{"mL/g": "1"}),
    **_table("vial", **{"{vial}": "1"}),
    **_table("age", a="12", mo="1"),
    **_ratios("mass per course", _DOSE, {"{course}": "1"}),
    **_ratios("mass per body mass and course", {f"{u}/kg": f for u, f in _DOSE.items()}, {"{course}": "1"}),
}
# `mL/min` is both a pump rate and, on old reports, a filtration: it is a rate here, and no test accepts it.


class UnknownUnit(ValueError):
    """The unit has no place in the table, or measures something else."""


def dimension(unit: str) -> str | None:
    """What `unit` measures, or None when it is not in the table."""
    known = UNITS.get(unit)
    return known.dimension if known else None


def convert(value: Decimal, unit: str, into: str) -> Decimal:
    """`value` in `unit`, expressed in `into`.

    Raises:
        UnknownUnit: one of the two is not in the table, or they measure different things.
    """
    if unit == into:
        return value
    here, there = UNITS.get(unit), UNITS.get(into)
    if here is None or there is None or here.dimension != there.dimension:
        raise UnknownUnit(f"{unit!r} cannot be read as {into!r}")
    return value * here.factor / there.factor

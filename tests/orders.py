"""Random orders: a base with several things about it changed at once, as the case files change one."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bases import BASES
from r4 import Json, quantity

_NUMBERS = st.sampled_from(
    ("0.4", "0.5", "1", "2", "5", "12", "14", "18", "28", "30", "35", "60", "70", "84", "140", "2800")
)
_DOSES = st.builds(
    lambda n, u: f"{n} {u}", _NUMBERS, st.sampled_from(("g", "g", "g", "mg", "mL", "g/kg", "mg/kg", "{vial}", "g/d"))
)
_TEXTS = st.sampled_from(
    (
        "28 g IV daily x 5 days",
        "2 g/kg divided over 5 days",
        "0.4 g/kg/day for five days, adjusted body weight",
        "140 g over 4 days, start at 30 mL/h",
        "3 vials of 10 g every 4 weeks",
        "Infuse slowly; see the protocol of the unit",
        "35 g once",
    )
)
_PRODUCTS = (
    {"product": "Privigen 10%", "hcpcs": "J1459"},
    {"product": "Gamunex-C 10%", "hcpcs": "J1561"},
    {"product": "Octagam 5%", "hcpcs": "J1568"},
    {"product": "Octagam", "hcpcs": "J1568"},
    {"product": "Flebogamma DIF 5%", "hcpcs": "J1572"},
    {"product": "Carimune NF"},
    {"product": "Hizentra 20%"},
    {"product": "immune globulin intravenous (human)"},
    {"product": "WinRho SDF liquid"},
)
_CONDITIONS = (
    {"icd10cm": "E72.51", "words": "Hyperprolinaemia", "recorded": "2020-01-01"},
    {"icd10cm": "D80.2", "words": "Selective IgA deficiency", "recorded": "2020-01-01"},
    {"icd10cm": "E11.9", "words": "Type 2 diabetes", "recorded": "2020-01-01"},
    {"icd10cm": "N18.4", "words": "Chronic kidney disease, stage 4", "recorded": "2020-01-01"},
    {"icd10cm": "E74.12", "words": "Hereditary fructose intolerance", "recorded": "2020-01-01"},
    {"icd10cm": "I50.9", "words": "Heart failure", "recorded": "2020-01-01"},
)
_LABS = ("haemoglobin", "platelets", "creatinine", "alt", "ast", "iga", "abo", "hbsag", "anti_hbc")


def _dispensed(grams: str) -> Json:
    return {"dispenseRequest": {"quantity": quantity(f"{grams} g")}}


def _two_views(first: str, second: str) -> Json:
    views = [{"doseQuantity": quantity(first)}, {"doseQuantity": quantity(second), "rateQuantity": quantity("84 mL/h")}]
    return {
        "dosageInstruction": [
            {
                "timing": {"repeat": {"count": 5, "frequency": 1, "period": 1, "periodUnit": "d"}},
                "doseAndRate": views,
                "text": "daily",
            }
        ]
    }


_CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "dose": st.one_of(_DOSES, st.just("absent")),
    "count": st.one_of(st.integers(1, 8), st.just("absent")),
    "every": st.sampled_from(("1 d", "2 d", "1 wk", "2 wk", "3 wk", "4 wk", "8 wk", "absent")),
    "text": _TEXTS,
    "rate": st.sampled_from(("84 mL/h", "900 mL/h", "12 mg/kg/min", "absent")),
    "route": st.sampled_from(("iv", "sc", "absent")),
    "weight": st.sampled_from(("70 kg", "120 kg", "154 [lb_av]", "8 kg", "40 kg", "absent", "400 kg")),
    "height": st.sampled_from(("175 cm", "150 cm", "17.5 cm", "absent")),
    "birth": st.sampled_from(("1981-05-05", "2018-05-05", "2025-06-01", "absent")),
    "sex": st.sampled_from(("female", "absent")),
    "reason": st.sampled_from(("G61.0", "G61.81", "D69.3", "D83.9", "M30.3", "G35", "absent")),
    "start": st.sampled_from(("2026-11-20", "2026-12-24")),
    "events": st.just(["2026-11-20", "2026-11-21", "2026-11-24"]),
    "labs": st.dictionaries(st.sampled_from(_LABS), st.just("absent"), min_size=1, max_size=4),
    "conditions": st.lists(st.sampled_from(_CONDITIONS), min_size=1, max_size=2),
    "drugs": st.just([{"words": "insulin glargine", "authored": "2026-11-01T09:00:00Z"}]),
    "given": st.lists(
        st.builds(lambda d, g: {"day": f"2026-11-{d:02}", "dose": f"{g} g"}, st.integers(1, 19), st.sampled_from((28, 70, 140))),
        min_size=1, max_size=2,
    ),
    "order": st.one_of(
        st.sampled_from(("70", "140", "280")).map(_dispensed),
        st.tuples(_DOSES, _DOSES).map(lambda d: _two_views(*d)),
    ),
    "unsent": st.lists(st.sampled_from(("conditions", "medications", "allergies")), min_size=1, max_size=2, unique=True),
    "evaluation": st.just("2026-11-21"),
}  # fmt: skip


@st.composite
def orders(draw: st.DrawFn) -> tuple[str, Json]:
    """A base and a change of up to five things about it."""
    keys = draw(st.lists(st.sampled_from([*_CHANGES, "product"]), min_size=1, max_size=5, unique=True))
    if {"events", "start", "every", "count"} & set(keys) and "events" in keys:
        keys = [k for k in keys if k not in ("start", "every", "count")]
    change: Json = {}
    for key in keys:
        change |= draw(st.sampled_from(_PRODUCTS)) if key == "product" else {key: draw(_CHANGES[key])}
    return draw(st.sampled_from(list(BASES))), change

"""Ordinary orders, one per indication and phase, each with its complete chart: nobody should have anything to say.

The order's day is 2026-11-20. Unless the disease asks for another patient it is a man of 45, 70 kg, 175 cm, group O.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

from bases_rare import RARE
from pieces import (
    ADULT,
    ASKED,
    CHILD_LABS,
    DRAWN,
    EVERY_3_WEEKS,
    EVERY_4_WEEKS,
    FVC,
    GAMMAGARD,
    GAMMAGARD_START,
    GAMUNEX,
    LABS,
    MEASURED,
    OCTAGAM,
    ONE_MG,
    PRIVIGEN,
    PRIVIGEN_START,
    RECENT,
    TWO_MG,
    body,
    disease,
    given,
    labs,
    measured,
    order,
    premedication,
    run,
)
from r4 import Json, condition, drug, service_request


def gbs() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "G61.0", "inpatient", dose="28 g", count=5, every="1 d", rate=PRIVIGEN_START),
        *labs(),
        disease("G61.0", "Guillain-Barre syndrome", "2026-11-14"),
        *measured("gbs-disability-score", (RECENT, "4 {score}")),
        *measured("fvc", FVC),
        *premedication(),
    ]


def cidp() -> list[Json]:
    return [
        *body(*ADULT),
        order(GAMUNEX, "G61.81", "outpatient", dose="35 g", count=4, every="1 d", rate=TWO_MG),
        *labs(),
        disease("G61.81", "Chronic inflammatory demyelinating polyneuritis", "2026-08-01"),
        *measured("incat", (DRAWN, "5 {score}")),
        *premedication(),
    ]


def cidp_maintenance() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "G61.81", "outpatient", dose="70 g", every="3 wk", rate=TWO_MG),
        *labs(),
        disease("G61.81", "Chronic inflammatory demyelinating polyneuritis", "2026-06-01"),
        *measured("incat", ("2026-06-20", "5 {score}"), ("2026-10-30", "3 {score}")),
        *given(PRIVIGEN, "70 g", "G61.81", *EVERY_3_WEEKS),
        *premedication(),
    ]


def mmn() -> list[Json]:
    return [
        *body(*ADULT),
        order(GAMMAGARD, "G61.82", "outpatient", dose="35 g", count=4, every="1 d", rate=GAMMAGARD_START),
        *labs(),
        disease("G61.82", "Multifocal motor neuropathy", "2026-06-01"),
        *measured("grip-strength", (DRAWN, "40 kPa")),
        *premedication(),
    ]


def mmn_maintenance() -> list[Json]:
    return [
        *body(*ADULT),
        order(GAMMAGARD, "G61.82", "outpatient", dose="70 g", every="4 wk", rate=TWO_MG),
        *labs(),
        disease("G61.82", "Multifocal motor neuropathy", "2026-05-01"),
        *measured("grip-strength", ("2026-06-20", "40 kPa"), ("2026-10-23", "55 kPa")),
        *given(GAMMAGARD, "70 g", "G61.82", *EVERY_4_WEEKS),
        *premedication(),
    ]


def mg() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "G70.01", "inpatient", dose="28 g", count=5, every="1 d", rate=PRIVIGEN_START),
        *labs(),
        disease("G70.01", "Myasthenia gravis with (acute) exacerbation", "2026-11-17"),
        *measured("mgfa-class", (RECENT, "4 {score}")),
        *measured("mg-adl", (RECENT, "12 {score}")),
        *measured("fvc", FVC),
        *premedication(),
    ]


def mg_preop() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "G70.00", "inpatient", dose="28 g", count=5, every="1 d", rate=PRIVIGEN_START),
        *labs(),
        disease("G70.00", "Myasthenia gravis without (acute) exacerbation", "2025-03-01"),
        *measured("mg-adl", (RECENT, "7 {score}")),
        *measured("fvc", FVC),
        service_request({"words": "thymectomy", "category": "surgical", "day": "2026-12-01"}, "request-thymectomy"),
        *premedication(),
    ]


def mg_bridge() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "G70.00", "outpatient", dose="28 g", count=5, every="1 d", rate=PRIVIGEN_START),
        *labs(),
        disease("G70.00", "Myasthenia gravis without (acute) exacerbation", "2026-09-01"),
        *measured("mg-adl", (RECENT, "8 {score}")),
        *measured("fvc", FVC),
        drug(
            {"rxnorm": "8640", "words": "prednisone 20 mg oral", "authored": "2026-11-12T09:00:00Z"}, "drug-prednisone"
        ),
        *premedication(),
    ]


def kawasaki() -> list[Json]:
    return [
        *body("14 kg", "95 cm", born="2023-05-05"),
        order(GAMUNEX, "M30.3", "inpatient", dose="28 g", count=1, every="1 d", rate="8.4 mL/h"),
        *labs(CHILD_LABS | {"creatinine": "0.3 mg/dL"}, MEASURED),
        disease("M30.3", "Mucocutaneous lymph node syndrome [Kawasaki]", "2026-11-14"),
        *measured("fever-day", (ASKED + "T07:00:00Z", "6 d")),
        drug({"rxnorm": "1191", "words": "aspirin 280 mg oral every 6 hours"}, "drug-aspirin"),
        *premedication(),
    ]


def mis_c() -> list[Json]:
    return [
        *body("25 kg", "128 cm", born="2018-05-05"),
        order(GAMUNEX, "M35.81", "inpatient", dose="50 g", count=1, every="1 d", rate="15 mL/h"),
        *labs(CHILD_LABS | {"creatinine": "0.4 mg/dL"}, MEASURED),
        disease("M35.81", "Multisystem inflammatory syndrome", "2026-11-16"),
        *measured("fever-day", (ASKED + "T07:00:00Z", "4 d")),
        drug({"rxnorm": "1191", "words": "aspirin 81 mg oral"}, "drug-aspirin"),
        *premedication(),
    ]


def itp() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "D69.3", "inpatient", dose="70 g", count=2, every="1 d", rate=PRIVIGEN_START),
        *labs(LABS | {"platelets": "12 10*3/uL"}, RECENT),
        disease("D69.3", "Immune thrombocytopenic purpura", "2026-11-18"),
        *premedication(),
    ]


def itp_child() -> list[Json]:
    return [
        *body("25 kg", "128 cm", born="2018-05-05"),
        order(GAMUNEX, "D69.3", "inpatient", dose="25 g", count=1, every="1 d", rate="15 mL/h"),
        *labs(CHILD_LABS | {"platelets": "8 10*3/uL", "creatinine": "0.4 mg/dL"}, RECENT),
        disease("D69.3", "Immune thrombocytopenic purpura", "2026-11-18"),
        *premedication(),
    ]


def itp_pregnancy() -> list[Json]:
    return [
        *body("70 kg", "165 cm", born="1994-05-05", sex="female"),
        order(PRIVIGEN, "D69.3", "inpatient", dose="70 g", count=2, every="1 d", rate=PRIVIGEN_START),
        *labs(LABS | {"platelets": "12 10*3/uL", "haemoglobin": "11.8 g/dL", "creatinine": "0.6 mg/dL"}, RECENT),
        disease("D69.3", "Immune thrombocytopenic purpura", "2026-11-18"),
        condition(
            {
                "icd10cm": "Z34.02",
                "snomed": "77386006",
                "words": "Pregnant",
                "onset": "2026-06-08",
                "recorded": "2026-07-20",
            },
            "condition-pregnancy",
        ),
        *measured("edd", ("2026-07-20", "2027-03-15")),
        *premedication(),
    ]


def dermatomyositis() -> list[Json]:
    return [
        *body(*ADULT),
        order(OCTAGAM, "M33.12", "outpatient", dose="35 g", count=4, every="1 d", rate=ONE_MG),
        *labs(),
        disease("M33.12", "Other dermatomyositis with myopathy", "2026-04-01"),
        *measured("mrc-sum", (DRAWN, "48 {score}")),
        *premedication(),
    ]


def dermatomyositis_maintenance() -> list[Json]:
    days = [f"2026-{day}" for start in ("08-28", "09-25", "10-23") for day in run(start, 4)]
    return [
        *body(*ADULT),
        order(OCTAGAM, "M33.12", "outpatient", dose="35 g", every="4 wk", frequency=4, rate=ONE_MG),
        *labs(),
        disease("M33.12", "Other dermatomyositis with myopathy", "2026-04-01"),
        *measured("mrc-sum", ("2026-08-20", "48 {score}"), ("2026-11-12", "56 {score}")),
        *given(OCTAGAM, "35 g", "M33.12", *days),
        *premedication(),
    ]


def pid() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "D83.9", "outpatient", dose="35 g", every="4 wk", rate=TWO_MG),
        *labs(LABS | {"igg": "850 mg/dL", "iga": "40 mg/dL"}),
        disease("D83.9", "Common variable immunodeficiency, unspecified", "2020-01-01"),
        *given(PRIVIGEN, "35 g", "D83.9", *EVERY_4_WEEKS),
        *premedication(),
    ]


def sid() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "D80.1", "outpatient", dose="28 g", every="4 wk", rate=TWO_MG),
        *labs(LABS | {"igg": "720 mg/dL", "iga": "60 mg/dL"}),
        disease("D80.1", "Nonfamilial hypogammaglobulinemia", "2026-01-10"),
        *given(PRIVIGEN, "28 g", "D80.1", *EVERY_4_WEEKS),
        *premedication(),
    ]


def cll() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "C91.10", "outpatient", dose="28 g", every="4 wk", rate=TWO_MG),
        *labs(LABS | {"igg": "720 mg/dL", "iga": "60 mg/dL"}),
        disease("C91.10", "Chronic lymphocytic leukemia of B-cell type not having achieved remission", "2024-02-01"),
        *given(PRIVIGEN, "28 g", "C91.10", *EVERY_4_WEEKS),
        *premedication(),
    ]


_ALL: tuple[Callable[[], list[Json]], ...] = (
    gbs,
    cidp,
    cidp_maintenance,
    mmn,
    mmn_maintenance,
    mg,
    mg_preop,
    mg_bridge,
    kawasaki,
    mis_c,
    itp,
    itp_child,
    itp_pregnancy,
    dermatomyositis,
    dermatomyositis_maintenance,
    pid,
    sid,
    cll,
    *RARE,
)
BASES: dict[str, Callable[[], list[Json]]] = {make.__name__: make for make in _ALL}


def resources(base: str) -> list[Json]:
    """Fresh copies of the base's resources; the order is the one with the id `order1`."""
    return copy.deepcopy(BASES[base]())

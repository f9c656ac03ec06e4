"""Ordinary orders for the indications that are met less often, made like those of `bases`."""

from __future__ import annotations

from collections.abc import Callable

from pieces import (
    ADULT,
    ASKED,
    CHILD_LABS,
    DRAWN,
    EVERY_4_WEEKS,
    FVC,
    GAMUNEX,
    LABS,
    MEASURED,
    NEWBORN_LABS,
    NEWBORN_START,
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
from r4 import Json, condition, drug, observation, service_request


def lems() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "G70.80", "outpatient", dose="28 g", count=5, every="1 d", rate=PRIVIGEN_START),
        *labs(),
        disease("G70.80", "Lambert-Eaton syndrome, unspecified", "2026-03-01"),
        *measured("qmg", (DRAWN, "14 {score}")),
        *measured("fvc", FVC),
        *premedication(),
    ]


def lems_maintenance() -> list[Json]:
    days = [f"2026-{day}" for start in ("07-03", "08-28") for day in run(start, 4)]
    return [
        *body(*ADULT),
        order(PRIVIGEN, "G70.80", "outpatient", dose="35 g", every="8 wk", frequency=4, rate=PRIVIGEN_START),
        *labs(),
        disease("G70.80", "Lambert-Eaton syndrome, unspecified", "2026-03-01"),
        *measured("qmg", ("2026-06-20", "14 {score}"), ("2026-10-30", "8 {score}")),
        *measured("fvc", FVC),
        *given(PRIVIGEN, "35 g", "G70.80", *days),
        *premedication(),
    ]


def stiff_person() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "G25.82", "outpatient", dose="28 g", count=5, every="1 d", rate=PRIVIGEN_START),
        *labs(),
        disease("G25.82", "Stiff-man syndrome", "2026-03-01"),
        *measured("mrc-sum", (DRAWN, "54 {score}")),
        *premedication(),
    ]


def stiff_person_maintenance() -> list[Json]:
    days = [f"2026-{day}" for start in ("08-28", "09-25", "10-23") for day in run(start, 2)]
    return [
        *body(*ADULT),
        order(PRIVIGEN, "G25.82", "outpatient", dose="35 g", every="4 wk", frequency=2, rate=TWO_MG),
        *labs(),
        disease("G25.82", "Stiff-man syndrome", "2026-03-01"),
        *measured("mrc-sum", ("2026-08-20", "50 {score}"), ("2026-11-12", "56 {score}")),
        *given(PRIVIGEN, "35 g", "G25.82", *days),
        *premedication(),
    ]


def autoimmune_encephalitis() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "G04.81", "inpatient", dose="28 g", count=5, every="1 d", rate=PRIVIGEN_START),
        *labs(),
        disease("G04.81", "Anti-NMDA receptor encephalitis", "2026-11-02"),
        *_steroid(),
        *premedication(),
    ]


def adem() -> list[Json]:
    return [
        *body("25 kg", "128 cm", born="2018-05-05"),
        order(GAMUNEX, "G04.00", "inpatient", dose="10 g", count=5, every="1 d", rate="15 mL/h"),
        *labs(CHILD_LABS | {"creatinine": "0.4 mg/dL"}, MEASURED),
        disease("G04.00", "Acute disseminated encephalitis and encephalomyelitis, unspecified", "2026-11-06"),
        *_steroid(),
        *premedication(),
    ]


def _steroid() -> list[Json]:
    return [
        drug(
            {"rxnorm": "6902", "words": "methylprednisolone 1 g intravenous", "authored": "2026-11-10T09:00:00Z"},
            "drug-methylprednisolone",
        )
    ]


def fnait() -> list[Json]:
    """The mother, in her 25th week."""
    return [
        *body("70 kg", "165 cm", born="1994-05-05", sex="female"),
        order(PRIVIGEN, "O36.8220", "outpatient", dose="70 g", every="1 wk", rate=PRIVIGEN_START),
        *labs(LABS | {"haemoglobin": "11.8 g/dL", "creatinine": "0.6 mg/dL"}, RECENT),
        disease("O36.8220", "Fetal and neonatal alloimmune thrombocytopenia, second trimester", "2026-08-10"),
        condition(
            {
                "icd10cm": "Z34.02",
                "snomed": "77386006",
                "words": "Pregnant",
                "onset": "2026-06-05",
                "recorded": "2026-07-20",
            },
            "condition-pregnancy",
        ),
        *measured("edd", ("2026-07-20", "2027-03-12")),
        *premedication(),
    ]


def fnait_newborn() -> list[Json]:
    """One day old, 3 kg."""
    return [
        *body("3 kg", "50 cm", born="2026-11-19", sex="female", day=ASKED),
        order(GAMUNEX, "P61.0", "inpatient", dose="3 g", count=1, every="1 d", rate=NEWBORN_START),
        *labs(NEWBORN_LABS | {"platelets": "18 10*3/uL"}, RECENT),
        disease("P61.0", "Neonatal alloimmune thrombocytopenia", "2026-11-19"),
        *premedication(),
    ]


def hdn() -> list[Json]:
    """One day old, 3 kg."""
    return [
        *body("3 kg", "50 cm", born="2026-11-19", day=ASKED),
        order(GAMUNEX, "P55.1", "inpatient", dose="3 g", count=1, every="1 d", rate=NEWBORN_START),
        *labs(NEWBORN_LABS | {"bilirubin": "18 mg/dL", "dat": "positive"}, RECENT),
        disease("P55.1", "ABO isoimmunization of newborn", "2026-11-19"),
        *premedication(),
    ]


def ptp() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "D69.51", "inpatient", dose="70 g", count=2, every="1 d", rate=PRIVIGEN_START),
        *labs(LABS | {"platelets": "8 10*3/uL"}, RECENT),
        disease("D69.51", "Posttransfusion purpura", "2026-11-18"),
        *premedication(),
    ]


def sid_first() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "D80.1", "outpatient", dose="28 g", every="4 wk", rate=PRIVIGEN_START),
        *labs(LABS | {"igg": "320 mg/dL", "iga": "60 mg/dL"}),
        disease("D80.1", "Nonfamilial hypogammaglobulinemia", "2026-01-10"),
        *premedication(),
    ]


def hsct() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "Z94.84", "outpatient", dose="28 g", every="4 wk", rate=TWO_MG),
        *labs(LABS | {"igg": "620 mg/dL", "iga": "60 mg/dL"}),
        observation("igg", "310 mg/dL", "2026-06-28", "igg-before"),
        disease("Z94.84", "Stem cells transplant status", "2026-03-10"),
        *given(PRIVIGEN, "28 g", "Z94.84", *EVERY_4_WEEKS),
        *premedication(),
    ]


def toxic_shock() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "A48.3", "inpatient", dose="140 g", count=1, every="1 d", rate=PRIVIGEN_START),
        *labs(LABS, RECENT),
        disease("A48.3", "Toxic shock syndrome", "2026-11-19"),
        *premedication(),
    ]


def nec_fasciitis() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "M72.6", "inpatient", dose="140 g", count=1, every="1 d", rate=PRIVIGEN_START),
        *labs(LABS, RECENT),
        disease("M72.6", "Necrotizing fasciitis, group A streptococcus", "2026-11-18"),
        *premedication(),
    ]


def pemphigus() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "L10.0", "outpatient", dose="28 g", count=5, every="1 d", rate=PRIVIGEN_START),
        *labs(),
        disease("L10.0", "Pemphigus vulgaris", "2025-04-01"),
        *_failed_in_pemphigus(),
        *premedication(),
    ]


def pemphigus_maintenance() -> list[Json]:
    days = [f"2026-{day}" for start in ("08-28", "09-25", "10-23") for day in run(start, 4)]
    return [
        *body(*ADULT),
        order(PRIVIGEN, "L10.0", "outpatient", dose="35 g", every="4 wk", frequency=4, rate=TWO_MG),
        *labs(),
        disease("L10.0", "Pemphigus vulgaris", "2025-04-01"),
        *given(PRIVIGEN, "35 g", "L10.0", *days),
        *_failed_in_pemphigus(),
        *premedication(),
    ]


def _failed_in_pemphigus() -> list[Json]:
    return [
        drug(
            {"rxnorm": "8640", "words": "prednisone 20 mg oral", "authored": "2025-05-02T09:00:00Z"}, "drug-prednisone"
        ),
        drug(
            {
                "rxnorm": "121191",
                "words": "rituximab 1000 mg",
                "authored": "2025-09-01T09:00:00Z",
                "status": "completed",
            },
            "drug-rituximab",
        ),
    ]


def prca_b19() -> list[Json]:
    return [
        *body(*ADULT),
        order(PRIVIGEN, "D60.9", "outpatient", dose="28 g", count=5, every="1 d", rate=PRIVIGEN_START),
        *labs(LABS | {"haemoglobin": "10.4 g/dL"}),
        disease("D60.9", "Acquired pure red cell aplasia, unspecified", "2026-09-01"),
        disease("B34.3", "Parvovirus infection, unspecified", "2026-09-15"),
        *premedication(),
    ]


def amr() -> list[Json]:
    """0.1 g/kg after each of five plasma exchanges."""
    exchanges = ("2026-11-20", "2026-11-22", "2026-11-24", "2026-11-26", "2026-11-28")
    return [
        *body(*ADULT),
        order(GAMUNEX, "T86.11", "inpatient", dose="7 g", count=5, every="2 d", rate=ONE_MG),
        *labs(LABS | {"creatinine": "1.1 mg/dL"}, RECENT),
        disease("T86.11", "Kidney transplant rejection, antibody-mediated", "2026-11-14"),
        *[
            service_request({"snomed": "20720000", "words": "plasma exchange", "day": day}, f"request-exchange-{i}")
            for i, day in enumerate(exchanges, 1)
        ],
        *premedication(),
    ]


RARE: tuple[Callable[[], list[Json]], ...] = (
    lems,
    lems_maintenance,
    stiff_person,
    stiff_person_maintenance,
    autoimmune_encephalitis,
    adem,
    fnait,
    fnait_newborn,
    hdn,
    ptp,
    sid_first,
    hsct,
    toxic_shock,
    nec_fasciitis,
    pemphigus,
    pemphigus_maintenance,
    prca_b19,
    amr,
)

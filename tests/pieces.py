"""The pieces that ordinary orders are made of: a patient, an order, results, a disease, what was given before."""

from __future__ import annotations

from typing import Any

from r4 import (
    ORDER,
    ORDERED,
    PATIENT,
    Json,
    administration,
    coding,
    concept,
    condition,
    drug,
    instruction,
    observation,
    request,
    setting,
)

ASKED, MEASURED, DRAWN, RECENT = "2026-11-20", "2026-11-18", "2026-11-15", "2026-11-19"

PRIVIGEN = ("Privigen 10%", "J1459")
GAMUNEX = ("Gamunex-C 10%", "J1561")
GAMMAGARD = ("Gammagard Liquid 10%", "J1569")
OCTAGAM = ("Octagam 10%", "J1568")

# Starting rates of the labels for a first infusion; in maintenance a rate well inside the ceiling (2 mg/kg/min).
PRIVIGEN_START = "21 mL/h"  # 0.5 mg/kg/min x 70 kg x 60 / 100 mg/mL
GAMMAGARD_START = "35 mL/h"  # 0.5 mL/kg/h x 70 kg
ONE_MG = "42 mL/h"  # 1 mg/kg/min x 70 kg x 60 / 100 mg/mL: Gamunex-C, Octagam
NEWBORN_START = "1.8 mL/h"  # 1 mg/kg/min x 3 kg x 60 / 100 mg/mL: Gamunex-C
TWO_MG = "84 mL/h"  # 2 mg/kg/min x 70 kg x 60 / 100 mg/mL: Gamunex-C in CIDP, and maintenance

LABS: dict[str, str] = {
    "haemoglobin": "14.0 g/dL",
    "platelets": "250 10*3/uL",
    "white-cells": "7.0 10*3/uL",
    "creatinine": "0.9 mg/dL",
    "alt": "22 U/L",
    "ast": "20 U/L",
    "iga": "180 mg/dL",
    "igg": "1000 mg/dL",
    "abo": "O",
    "hbsag": "negative",
    "anti-hbc": "negative",
    "anti-hcv": "negative",
}
CHILD_LABS = LABS | {
    "haemoglobin": "12.0 g/dL",
    "platelets": "380 10*3/uL",
    "white-cells": "9.0 10*3/uL",
    "iga": "90 mg/dL",
    "igg": "800 mg/dL",
}
NEWBORN_LABS = LABS | {
    "haemoglobin": "16.0 g/dL",
    "platelets": "220 10*3/uL",
    "white-cells": "15.0 10*3/uL",
    "creatinine": "0.7 mg/dL",
    "iga": "10 mg/dL",
    "igg": "900 mg/dL",
}


def patient(birth: str, sex: str) -> Json:
    return {"resourceType": "Patient", "id": PATIENT, "birthDate": birth, "gender": sex}


def medication(named: tuple[str, str]) -> Json:
    text, hcpcs = named
    return {"coding": [coding("hcpcs", hcpcs, text)], "text": text}


def order(product: tuple[str, str], reason: str, where: str, **dosage: Any) -> Json:
    return request(
        medication(product),
        ORDER,
        ORDERED,
        category=[setting(where)],
        reasonCode=[{"coding": [coding("icd10cm", reason)]}],
        dosageInstruction=[instruction({"sequence": 1, "route": "iv"} | dosage)],
    )


def body(weight: str, height: str, born: str = "1981-05-05", sex: str = "male", day: str = MEASURED) -> list[Json]:
    return [
        patient(born, sex),
        observation("weight", weight, day, "weight-1"),
        observation("height", height, day, "height-1"),
    ]


def labs(values: dict[str, str] = LABS, day: str = DRAWN) -> list[Json]:
    return [observation(name, value, day, f"lab-{name}") for name, value in values.items()]


def measured(name: str, *values: tuple[str, str]) -> list[Json]:
    return [observation(name, value, day, f"{name}-{i}") for i, (day, value) in enumerate(values, 1)]


def disease(code: str, words: str, onset: str) -> Json:
    return condition(
        {"icd10cm": code, "words": words, "onset": onset, "recorded": onset}, f"condition-{code.replace('.', '-')}"
    )


def premedication() -> list[Json]:
    return [
        drug({"rxnorm": "161", "words": "acetaminophen 650 mg oral"}, "drug-acetaminophen"),
        drug({"rxnorm": "3498", "words": "diphenhydramine 25 mg oral"}, "drug-diphenhydramine"),
    ]


def given(product: tuple[str, str], dose: str, reason: str, *days: str) -> list[Json]:
    why = concept(reason, system="icd10cm")
    return [administration(day, medication(product), dose, f"given-{day}", why) for day in days]


def run(start: str, days: int) -> list[str]:
    """So many days in a row of one month, from `08-28` on."""
    month, _, day = start.partition("-")
    return [f"{month}-{int(day) + i:02}" for i in range(days)]


ADULT = ("70 kg", "175 cm")
FVC = ("2026-11-20T06:00:00Z", "3.8 L")
EVERY_3_WEEKS = ("2026-07-17", "2026-08-07", "2026-08-28", "2026-09-18", "2026-10-09", "2026-10-30")
EVERY_4_WEEKS = ("2026-07-03", "2026-07-31", "2026-08-28", "2026-09-25", "2026-10-23")

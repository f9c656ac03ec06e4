"""Full charts of ordinary patients, as a hospital's system would send them: years of infusions, results and other diseases.

Each is an order nobody should be stopped or warned over; what may be said of it stands beside it in `test_charts.py`.
"""

from __future__ import annotations

from datetime import date, timedelta

from pieces import GAMUNEX, PRIVIGEN, medication, order, patient
from r4 import (
    ORDERED,
    Json,
    administration,
    allergy,
    concept,
    condition,
    drug,
    empty_search,
    entry,
    observation,
    service_request,
    vaccination,
)
from r4 import procedure as done

TODAY = date(2026, 11, 20)


def days(first: date, step: int, before: date = TODAY) -> list[str]:
    """Every `step` days from `first` up to the day before."""
    found = []
    while first < before:
        found.append(first.isoformat())
        first += timedelta(days=step)
    return found


def panel(day: str, **values: str) -> list[Json]:
    """Results of one blood draw."""
    return [observation(name.replace("_", "-"), value, day, f"{name}-{day}") for name, value in values.items()]


def weighed(kg: str, *on: str) -> list[Json]:
    return [observation("weight", kg, day, f"weight-{day}") for day in on]


def infused(product: tuple[str, str], grams: str, code: str, on: list[str]) -> list[Json]:
    why = concept(code, system="icd10cm")
    return [administration(day, medication(product), grams, f"infusion-{day}", why) for day in on]


def known(code: str, words: str, onset: str, **rest: str) -> Json:
    said = {"icd10cm": code, "words": words, "onset": onset, "recorded": onset} | rest
    return condition(said, f"condition-{code.replace('.', '-').lower()}-{onset}")


def takes(rxnorm: str, words: str, since: str, **rest: object) -> Json:
    said = {"rxnorm": rxnorm, "words": words, "authored": f"{since}T09:00:00Z"} | rest
    return drug(said, f"drug-{rxnorm}-{since}")


def premedication(since: str) -> list[Json]:
    return [
        takes("161", "acetaminophen 650 mg oral before infusion", since),
        takes("3498", "diphenhydramine 25 mg oral before infusion", since),
    ]


def no_known_allergy() -> Json:
    return allergy({"snomed": "716186003", "words": "No known allergy", "recorded": "2016-03-02"}, "allergy-none")


def influenza(*on: str) -> list[Json]:
    return [vaccination({"cvx": "150", "words": "Influenza, quadrivalent", "day": d}, f"flu-{d}") for d in on]


def cidp_for_three_years() -> list[Json]:
    """A woman of 58 with CIDP since 2023: 65 g every three weeks, which is 0.96 g/kg, scored twice a year."""
    given = days(date(2023, 12, 1), 21)
    scores = [
        ("2023-11-10", 5),
        ("2024-03-15", 3),
        ("2024-09-20", 2),
        ("2025-03-21", 2),
        ("2025-09-19", 2),
        ("2026-05-08", 2),
    ]
    drawn = [*days(date(2023, 11, 20), 91), "2026-11-06"]
    return [
        patient("1968-02-11", "female"),
        order(GAMUNEX, "G61.81", "outpatient", dose="65 g", every="3 wk", rate="272 mL/h", start="2026-11-23"),
        *weighed("68 kg", *given[::2], "2026-11-17"),
        observation("height", "166 cm", "2023-11-10", "height-1"),
        *(
            r
            for day in drawn
            for r in panel(day, haemoglobin="13.2 g/dL", platelets="241 10*3/uL", creatinine="0.8 mg/dL")
        ),
        *(r for day in drawn for r in panel(day, alt="19 U/L", ast="21 U/L", white_cells="6.1 10*3/uL")),
        *panel("2023-11-20", iga="210 mg/dL", abo="A", hbsag="negative", anti_hbc="negative", anti_hcv="negative"),
        *(
            observation("incat", f"{score} {{score}}", day, f"incat-{day}")
            for day, score in [*scores, ("2026-10-30", 2)]
        ),
        known("G61.81", "Chronic inflammatory demyelinating polyneuritis", "2023-08-20"),
        known("I10", "Essential (primary) hypertension", "2019-04-02"),
        known("E03.9", "Hypothyroidism, unspecified", "2015-06-30"),
        known("M17.0", "Bilateral primary osteoarthritis of knee", "2020-10-12"),
        takes("17767", "amlodipine 5 mg oral daily", "2019-04-02"),
        takes("10582", "levothyroxine 75 ug oral daily", "2015-06-30"),
        *premedication("2023-12-01"),
        *infused(GAMUNEX, "65 g", "G61.81", given),
        no_known_allergy(),
        done({"words": "Nerve conduction study", "day": "2023-11-02"}, "procedure-ncs"),
        *influenza("2024-10-10", "2025-10-09", "2026-10-08"),
    ]


def gbs_on_its_first_day_in_the_icu() -> list[Json]:
    """A man of 47, four days into Guillain-Barré syndrome and chairbound, just arrived; some results are still out."""
    early, noon = "2026-11-20T06:10:00Z", "2026-11-20T12:00:00Z"
    return [
        patient("1979-09-30", "male"),
        order(PRIVIGEN, "G61.0", "inpatient", dose="35 g", count=5, every="1 d", rate="24 mL/h")
        | {"authoredOn": "2026-11-20T14:20:00Z"},
        *weighed("82 kg", "2026-11-20T05:40:00Z"),
        observation("height", "180 cm", "2026-11-20T05:40:00Z", "height-1"),
        *panel(
            early, haemoglobin="14.6 g/dL", platelets="288 10*3/uL", white_cells="9.8 10*3/uL", creatinine="0.9 mg/dL"
        ),
        *panel(early, alt="34 U/L", ast="30 U/L", abo="O"),
        observation("iga", "", early, "iga-pending", status="registered"),
        observation("hbsag", "", early, "hbsag-pending", status="registered"),
        observation("gbs-disability-score", "4 {score}", noon, "score-1"),
        observation("fvc", "2.4 L", noon, "fvc-1"),
        observation("nif", "-48 cm[H2O]", noon, "nif-1"),
        known("G61.0", "Guillain-Barre syndrome", "2026-11-16", recorded="2026-11-20"),
        known("A04.5", "Campylobacter enteritis", "2026-10-30", clinical="resolved", abated="2026-11-06"),
        takes("67108", "enoxaparin 40 mg subcutaneous daily", "2026-11-20"),
        takes("25480", "gabapentin 300 mg oral three times daily", "2026-11-20"),
        *premedication("2026-11-20"),
        no_known_allergy(),
        done({"words": "Lumbar puncture", "day": "2026-11-19"}, "procedure-lp"),
        service_request({"words": "Vital capacity every 4 hours", "authored": noon}, "request-fvc"),
        empty_search("Immunization"),
    ]


def kawasaki_at_three_years() -> list[Json]:
    """A boy of three on the sixth day of fever: 28 g once, which is 2 g/kg, with high-dose aspirin."""
    drawn = "2026-11-20T05:00:00Z"
    return [
        patient("2023-08-14", "male"),
        order(GAMUNEX, "M30.3", "inpatient", dose="28 g", count=1, every="1 d", rate="8.4 mL/h"),
        *weighed("14 kg", "2026-11-20T04:30:00Z"),
        observation("height", "96 cm", "2026-11-20T04:30:00Z", "height-1"),
        *panel(
            drawn, haemoglobin="10.9 g/dL", platelets="512 10*3/uL", white_cells="17.2 10*3/uL", creatinine="0.3 mg/dL"
        ),
        *panel(drawn, alt="61 U/L", ast="48 U/L", abo="O", iga="84 mg/dL"),
        *panel(drawn, hbsag="negative", anti_hbc="negative", anti_hcv="negative"),
        observation("fever-day", "6 d", drawn, "fever-1"),
        known("M30.3", "Mucocutaneous lymph node syndrome [Kawasaki]", "2026-11-15", recorded="2026-11-20"),
        takes("1191", "aspirin 280 mg oral every 6 hours", "2026-11-20"),
        takes("161", "acetaminophen 200 mg oral", "2026-11-20"),
        takes("3498", "diphenhydramine 12.5 mg oral", "2026-11-20"),
        no_known_allergy(),
        done({"words": "Transthoracic echocardiography", "day": "2026-11-20"}, "procedure-echo"),
        vaccination({"cvx": "03", "words": "MMR", "day": "2024-09-02"}, "mmr"),
        vaccination({"cvx": "21", "words": "Varicella", "day": "2024-09-02"}, "varicella"),
        *influenza("2025-10-20"),
    ]


def common_variable_immunodeficiency_for_ten_years() -> list[Json]:
    """A man of 44 with infusions every four weeks since 2016: 35 g, which is 0.47 g/kg; troughs well above 500 mg/dL."""
    given = days(date(2016, 11, 8), 28)
    drawn = [*days(date(2016, 10, 20), 182), "2026-10-27"]
    return [
        patient("1982-01-19", "male"),
        order(PRIVIGEN, "D83.9", "outpatient", dose="35 g", every="4 wk", rate="220 mL/h"),
        *weighed("75 kg", *given[::13], "2026-10-27"),
        observation("height", "178 cm", "2016-10-20", "height-1"),
        *(r for day in drawn for r in panel(day, igg="880 mg/dL", haemoglobin="14.4 g/dL", platelets="210 10*3/uL")),
        *(r for day in drawn for r in panel(day, creatinine="0.9 mg/dL", alt="27 U/L", ast="24 U/L")),
        *panel("2016-10-20", iga="12 mg/dL", abo="B", hbsag="negative", anti_hbc="negative", anti_hcv="negative"),
        known("D83.9", "Common variable immunodeficiency, unspecified", "2016-09-01"),
        known("J47.9", "Bronchiectasis, uncomplicated", "2017-02-14"),
        known("J45.909", "Unspecified asthma, uncomplicated", "1994-05-01"),
        known("J18.9", "Pneumonia, unspecified organism", "2018-01-10", clinical="resolved", abated="2018-02-01"),
        takes("19831", "budesonide 200 ug inhaled twice daily", "2012-03-01"),
        takes("18631", "azithromycin 250 mg oral three times a week", "2017-03-01"),
        *premedication("2016-11-08"),
        *infused(PRIVIGEN, "35 g", "D83.9", given),
        no_known_allergy(),
        done({"words": "High resolution CT of chest", "day": "2025-06-11"}, "procedure-ct"),
        *influenza("2025-10-01", "2026-10-02"),
    ]


def itp_at_32_weeks_of_pregnancy() -> list[Json]:
    """A woman of 31, 32 weeks pregnant, with 14 platelets in spite of prednisone: 80 g on each of two days, 2 g/kg."""
    drawn = "2026-11-20T05:30:00Z"
    return [
        patient("1995-06-21", "female"),
        order(PRIVIGEN, "D69.3", "inpatient", dose="80 g", count=2, every="1 d", rate="24 mL/h"),
        *weighed("66 kg", "2026-03-11"),
        *weighed("71 kg", "2026-07-22"),
        *weighed("79 kg", "2026-11-19"),
        observation("height", "168 cm", "2026-03-11", "height-1"),
        *panel("2026-04-29", haemoglobin="12.6 g/dL", platelets="96 10*3/uL", creatinine="0.6 mg/dL"),
        *panel(
            drawn, haemoglobin="11.4 g/dL", platelets="14 10*3/uL", white_cells="10.8 10*3/uL", creatinine="0.5 mg/dL"
        ),
        *panel(drawn, alt="17 U/L", ast="19 U/L", abo="O", iga="160 mg/dL"),
        *panel("2026-05-06", hbsag="negative", anti_hbc="negative", anti_hcv="negative"),
        observation("edd", "2027-01-15", "2026-05-06", "edd-1"),
        known("D69.3", "Immune thrombocytopenic purpura", "2023-02-01"),
        known(
            "Z34.83",
            "Encounter for supervision of other normal pregnancy, third trimester",
            "2026-04-10",
            snomed="77386006",
        ),
        takes("8640", "prednisone 20 mg oral daily", "2026-10-28"),
        takes("4511", "folic acid 1 mg oral daily", "2026-04-29"),
        *premedication("2026-11-20"),
        no_known_allergy(),
        done({"words": "Fetal ultrasonography", "day": "2026-11-04"}, "procedure-us"),
        *influenza("2026-10-06"),
    ]


CHARTS = {
    make.__name__: make
    for make in (
        cidp_for_three_years,
        gbs_on_its_first_day_in_the_icu,
        kawasaki_at_three_years,
        common_variable_immunodeficiency_for_ten_years,
        itp_at_32_weeks_of_pregnancy,
    )
}
assert ORDERED.startswith(TODAY.isoformat())


def bundle_of(name: str) -> Json:
    """The chart as the Bundle that is sent."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [entry(r) for r in CHARTS[name]()]}

"""Every indication of the fact sheet has its page, with the status and the doses that stand there.

The tables below were copied by hand from the fact sheet, not from the pages: a wrong page fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from ivig.core.book import Book, Indication, Phase
from ivig.core.dated import Value
from ivig.knowledge.load import HERE, load_library

LIBRARY = load_library()
BOOK: Book = LIBRARY.on(date(2026, 11, 20))
IND, MAINT = "induction", "maintenance"

# key, status, phase, g/kg of a course or cycle (lower, upper), accepted days with the highest g/kg on a day, interval in weeks.
# "-" where the fact sheet has none.
DOSES = """
gbs              guideline    induction    2    2    5:0.4                  -
cidp             labelled     induction    2    2    2-5:1                  -
cidp             labelled     maintenance  0.4  1    1-4:1                  3-4
mmn              labelled     induction    2    2    2-5:1                  -
mmn              labelled     maintenance  1    2    1-5:1                  2-8
mg_exacerbation  guideline    induction    2    2    2-5:1                  -
mg_preop         guideline    induction    2    2    2-5:1                  -
mg_bridge        guideline    induction    2    2    2-5:1                  -
mg_maintenance   not_routine  maintenance  0.4  1    1-5:1                  3-4
lems             guideline    induction    2    2    2-5:1                  -
lems             guideline    maintenance  2    2    2-5:1                  4-12
stiff_person     guideline    induction    2    2    2-5:1                  -
stiff_person     guideline    maintenance  1    2    1-5:1                  4-4
dermatomyositis  labelled     induction    2    2    2-5:1                  -
dermatomyositis  labelled     maintenance  2    2    2-5:1                  4-4
autoimmune_encephalitis guideline induction 2   2    5:0.4,2-5:1            -
autoimmune_encephalitis guideline maintenance - 2    1-5:1                  -
adem             guideline    induction    2    2    2-5:1                  -
adem             guideline    maintenance  0.4  2    1-5:1                  4-6
ms               not_routine  induction    2    2    5:0.4                  -
ms               not_routine  maintenance  0.4  0.4  1:0.4                  4-4
kawasaki         labelled     induction    2    2    1:2                    -
mis_c            guideline    induction    2    2    1:2,2:1                -
itp_adult        labelled     induction    1    2    1-2:1,5:0.4            -
itp_child        labelled     induction    0.8  2    1:1,2-5:1              -
itp_pregnancy    guideline    induction    1    2    1-2:1                  -
fnait            guideline    maintenance  -    2    1-2:1                  1-1
fnait_newborn    guideline    induction    1    1    1:1                    -
ptp              guideline    induction    1    2    1-2:1,2-5:1            -
pid              labelled     maintenance  0.3  0.6  1:0.8                  3-4
sid              guideline    maintenance  0.4  0.4  1:0.4                  3-4
cll              labelled     maintenance  0.4  0.4  1:0.4                  3-4
hsct             guideline    maintenance  0.4  0.5  1:0.5                  1-4
toxic_shock      guideline    induction    2    2    1:2,2-5:1              -
nec_fasciitis    guideline    induction    2    2    1:2,2-5:1              -
sjs_ten          not_routine  induction    2    3    3:1,2-5:1              -
pemphigus        guideline    induction    2    2    2-5:1                  -
pemphigus        guideline    maintenance  2    2    2-5:1                  4-4
hdn              guideline    induction    0.5  1    1:1                    -
prca_b19         guideline    induction    2    2    2-5:1                  -
amr              guideline    induction    0.1  2    1-20:0.1,2-5:1         -
amr              guideline    maintenance  0.1  2    2-5:1,1:0.1            4-4
acquired_haemophilia not_routine induction -    2    2-5:1                  -
recurrent_pregnancy_loss not_routine induction 0.4 0.6 1:0.6                -
anti_hmgcr_myopathy guideline induction    -    2    1-5:1                  -
"""
# Section 1.3: "do not use" and "not recommended" are refused, insufficient and contested evidence asks for a reason.
REFUSED = "inclusion_body_myositis post_polio igm_paraprotein_neuropathy small_fibre_neuropathy antiphospholipid_syndrome behcet"
NOT_ROUTINE = """miller_fisher igg_iga_paraprotein_neuropathy autonomic_neuropathy polymyositis brachial_plexopathy diabetic_radiculoplexus
als autism chronic_fatigue alzheimer rheumatoid_arthritis pots crps fibromyalgia recurrent_pregnancy_loss acquired_haemophilia
antiphospholipid_catastrophic"""

# Codes by which each new page is found: ICD-10-CM as the classification prints it, SNOMED CT.
CODES = {
    "lems": ("G70.80 G70.81 G73.1", "56989000 230688006"),
    "stiff_person": ("G25.82", "5217008"),
    "autoimmune_encephalitis": ("G04.81 G04.90", ""),
    "adem": ("G04.00 G04.01", "83942000"),
    "fnait": ("O36.82 O36.8210", "128093000"),
    "fnait_newborn": ("P61.0", "128093000"),
    "ptp": ("D69.51", "73162004"),
    "sid": ("D80.1 D84.81 D84.82 D84.821", "119250001 16318001000119107"),
    "cll": ("C91.1 C91.10", "92814006 277473004"),
    "hsct": ("Z94.81 Z94.84", "737300001"),
    "toxic_shock": ("A48.3", "18504008"),
    "nec_fasciitis": ("M72.6", "52486002"),
    "sjs_ten": ("L51.1 L51.2 L51.3", "73442001 768946000 124911000119100 23067006"),
    "pemphigus": ("L10 L10.0 L10.2", "49420001"),
    "hdn": ("P55 P55.0 P55.1", "387705004 86986002 32858009"),
    "prca_b19": ("D60 D60.9", "50715003 234376007"),
    "amr": ("T86.11 T86.21 T86.31 T86.41 T86.810", ""),
    "pid": ("D80.0 D80.3 D80.5 D80.6 D80.7 D81.9 D82.0 D83.9", "23238000 65880007 31323000 36070007 119249001"),
}
UNCONFIRMED_CODES = {("lems", "230688006"), ("sjs_ten", "23067006"), ("pid", "191005003"), ("mmn", "95663000")}
# What is written on orders, British and American, long and short.
WORDS = {
    "lems": ("Lambert-Eaton myasthenic syndrome", "LEMS", "Eaton-Lambert syndrome"),
    "stiff_person": ("stiff person syndrome", "Stiff-man syndrome", "Moersch-Woltman syndrome"),
    "autoimmune_encephalitis": (
        "anti-NMDA receptor encephalitis",
        "autoimmune limbic encephalitis",
        "LGI1 encephalitis",
    ),
    "adem": ("acute disseminated encephalomyelitis", "ADEM"),
    "fnait": ("FNAIT", "foetal and neonatal alloimmune thrombocytopaenia", "neonatal alloimmune thrombocytopenia"),
    "ptp": ("post-transfusion purpura", "Posttransfusion purpura"),
    "hsct": (
        "haematopoietic stem cell transplant",
        "hematopoietic stem cell transplantation",
        "bone marrow transplant",
    ),
    "toxic_shock": ("streptococcal toxic shock syndrome", "toxic shock syndrome due to group A streptococcus"),
    "nec_fasciitis": ("necrotising fasciitis", "Necrotizing fasciitis, group A strep"),
    "sjs_ten": ("Stevens-Johnson syndrome", "toxic epidermal necrolysis", "SJS/TEN", "Lyell's syndrome"),
    "pemphigus": ("pemphigus vulgaris", "Pemphigus foliaceus"),
    "hdn": ("haemolytic disease of the newborn", "hemolytic disease of newborn", "HDFN"),
    "prca_b19": ("pure red cell aplasia", "parvovirus B19 red cell aplasia", "PRCA"),
    "amr": ("antibody-mediated rejection of kidney transplant", "ABMR", "HLA desensitization"),
    "sid": ("secondary hypogammaglobulinemia", "hypogammaglobulinaemia", "secondary immune deficiency"),
    "cll": ("CLL", "chronic lymphocytic leukaemia", "B-cell chronic lymphocytic leukemia"),
}
# Where sources disagree about the use itself, each with its view.
CONTESTED = {
    "mg_maintenance": {
        "seed_a": "not_routine",
        "seed_b": "guideline",
        "aanem": "not_routine",
        "australia": "guideline",
    },
    "ms": {"seed_a": "not_routine", "efns": "guideline", "australia": "guideline"},
    "igg_iga_paraprotein_neuropathy": {"aanem": "not_routine", "australia": "guideline"},
    "recurrent_pregnancy_loss": {"ontario": "not_routine", "ontario_before": "not_recommended"},
    "sjs_ten": {"dermatology_guideline": "not_routine", "case_series": "guideline"},
    "nec_fasciitis": {"cohort": "not_routine"},
    "toxic_shock": {"cohort": "not_routine"},
    "igm_paraprotein_neuropathy": {"aan": "not_routine"},
    "post_polio": {"aan": "not_routine"},
}
# Products whose US label names a use beyond primary immunodeficiency and immune thrombocytopenia.
LABELS = {
    "cidp": {"privigen_10", "gamunex_c_10", "gammaked_10", "gammagard_liquid_10", "panzyga_10"},
    "mmn": {"gammagard_liquid_10"},
    "dermatomyositis": {"octagam_10"},
    "kawasaki": {"gammagard_sd_5", "gammagard_sd_10"},
    "cll": {"gammagard_sd_5", "gammagard_sd_10"},
}  # fmt: skip
LABELLED_ITP = {
    "privigen_10", "gamunex_c_10", "gammaked_10", "gammagard_sd_5", "gammagard_sd_10", "octagam_10", "flebogamma_dif_10", "gammaplex_5",
    "gammaplex_10", "panzyga_10",
}  # fmt: skip
SUPPORTED = ("labelled", "guideline")

LINES = [line.split() for line in DOSES.strip().splitlines()]


def number(said: str) -> Decimal | None:
    return None if said == "-" else Decimal(said)


def status(page: Indication) -> str:
    assert page.status is not None
    return page.status.word


def held(key: str, phase: str) -> Phase:
    return BOOK.indication(key).phases[phase]


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line[0]} {line[2]}")
def test_a_page_holds_what_the_fact_sheet_says(line: list[str]) -> None:
    key, said, phase, lower, upper, days, interval = line
    assert status(BOOK.indication(key)) == said
    doses = held(key, phase)
    assert doses.course is not None
    assert doses.regimens is not None
    assert (doses.course.lower, doses.course.upper) == (number(lower), number(upper))
    pairs = ",".join(f"{p.least}{'' if p.least == p.most else f'-{p.most}'}:{p.day}" for p in doses.regimens.pairs)
    assert pairs == days
    if interval == "-":
        assert doses.interval is None
    else:
        low, high = interval.split("-")
        assert doses.interval is not None
        assert (doses.interval.lower, doses.interval.upper) == (Decimal(low), Decimal(high))


@pytest.mark.parametrize("key", REFUSED.split())
def test_what_is_advised_against_is_refused(key: str) -> None:
    assert status(BOOK.indication(key)) == "not_recommended"


@pytest.mark.parametrize("key", NOT_ROUTINE.split())
def test_what_is_insufficient_or_contested_asks_for_a_reason(key: str) -> None:
    assert status(BOOK.indication(key)) == "not_routine"


def test_no_page_is_left_out_of_the_tables() -> None:
    named = {line[0] for line in LINES} | {*REFUSED.split(), *NOT_ROUTINE.split()}
    assert set(BOOK.indications()) == named


@pytest.mark.parametrize("key", CODES)
def test_the_codes_lead_to_the_page(key: str) -> None:
    icd, snomed = CODES[key]
    for code in icd.split():
        assert key in BOOK.lexicon.indications.find("icd10cm", code.replace(".", "")), code
    for code in snomed.split():
        assert key in BOOK.lexicon.indications.find("snomed", code), code


def test_codes_that_were_not_confirmed_are_marked() -> None:
    marked = set()
    for path in sorted((HERE / "indications").glob("*.yaml")):
        for code in re.findall(r'\{code: "?([^",]+)"?, words: [^}]*seen: unconfirmed', path.read_text("utf-8")):
            marked.add((path.stem, code))
    assert marked == UNCONFIRMED_CODES


@pytest.mark.parametrize(("key", "text"), [(k, t) for k, texts in WORDS.items() for t in texts])
def test_the_words_lead_to_the_page(key: str, text: str) -> None:
    found = {k for _, _, keys in BOOK.lexicon.indication_words.find(text) for k in keys}
    assert key in found


@pytest.mark.parametrize("key", CONTESTED)
def test_contested_uses_hold_each_position(key: str) -> None:
    held = {view: value.word for view, phase, what, value in BOOK.indication(key).positions if what == "status"}
    assert held == CONTESTED[key]


def test_doses_that_sources_disagree_about_stand_side_by_side() -> None:
    said = {
        (key, view, phase, what): (value.lower, value.upper)
        for key in BOOK.indications()
        for view, phase, what, value in BOOK.indication(key).positions
        if what in ("course", "interval")
    }
    for place, low, high in (
        (("kawasaki", "label", IND, "course"), "1", "1.6"),
        (("kawasaki", "harriet_lane", IND, "course"), "2", "2"),
        (("itp_adult", "uk", IND, "course"), "1", "1"),
        (("itp_adult", "ash", IND, "course"), "1", "2"),
        (("itp_child", "ash", IND, "course"), "0.8", "1"),
        (("itp_pregnancy", "nova_scotia", IND, "course"), "2", "2"),
        (("mmn", "label", MAINT, "course"), "0.5", "2.4"),
        (("cidp", "label", MAINT, "course"), "1", "1"),
        (("cidp", "australia", MAINT, "interval"), "2", "6"),
        (("mg_maintenance", "australia", MAINT, "interval"), "4", "6"),
        (("pid", "label", MAINT, "course"), "0.2", "0.8"),
        (("hdn", "older_use", IND, "course"), "0.5", "2"),
    ):
        assert said[place] == (Decimal(low), Decimal(high)), place
    assert said["fnait", "ontario_without_haemorrhage", MAINT, "course"] == (None, Decimal(1))


def test_positions_are_about_what_a_policy_can_choose() -> None:
    for key in BOOK.indications():
        for view, phase, what, _ in BOOK.indication(key).positions:
            assert re.fullmatch("[a-z_]+", view), (key, view)
            assert what in ("course", "regimens", "interval", "status", "weight_basis"), (key, what)
            assert (phase == "") == (what in ("status", "weight_basis")), (key, view, what)
            assert not phase or phase in BOOK.indication(key).phases or key in REFUSED, (key, view, phase)


@pytest.mark.parametrize("key", LABELS)
def test_labels_that_name_the_use(key: str) -> None:
    assert {
        k for k in BOOK.products() if key in BOOK.product(k).labels and BOOK.product(k).kind == "polyvalent-iv"
    } == LABELS[key]


def test_labels_that_name_immune_thrombocytopenia() -> None:
    some = {k for k in BOOK.polyvalent_iv() if any(page.startswith("itp") for page in BOOK.product(k).labels)}
    assert some == LABELLED_ITP


def test_all_polyvalent_products_but_one_are_labelled_for_primary_immunodeficiency() -> None:
    assert {k for k in BOOK.polyvalent_iv() if "pid" not in BOOK.product(k).labels} == {"octagam_10"}


@pytest.mark.parametrize("key", [k for k in BOOK.indications() if BOOK.indication(k).phases])
def test_a_page_says_when_to_review_what_else_there_is_and_what_to_watch(key: str) -> None:
    page = LIBRARY.pages["indications"][key]
    for part in ("why", "alternatives"):
        assert page.get(part), part
    if status(BOOK.indication(key)) in SUPPORTED:
        assert page.get("review")
    watched = page["monitoring"]
    places = [watched.find(word) for word in ("Before: ", "During: ", "After: ")]
    assert places[0] == 0, watched
    assert -1 < places[1] < places[2], watched


def _values() -> Iterator[tuple[str, Value]]:
    """Every course and regimen of all pages, labels and positions."""
    phases = [p for k in BOOK.indications() for p in BOOK.indication(k).phases.values()]
    phases += [
        p
        for k in BOOK.products()
        if BOOK.product(k).kind == "polyvalent-iv"
        for label in BOOK.product(k).labels.values()
        for p in label.phases.values()
    ]
    for phase in phases:
        for what, value in (("course", phase.course), ("regimens", phase.regimens)):
            if value is not None:
                yield what, value
    for key in BOOK.indications():
        yield from ((what, value) for _, _, what, value in BOOK.indication(key).positions)


def test_implausible_doses_are_those_that_no_page_comes_near() -> None:
    days = [pair.day for what, value in _values() if what == "regimens" for pair in value.pairs]
    courses = [value.upper for what, value in _values() if what == "course" and value.upper is not None]
    high, low = BOOK.policy("dose.implausible.high_factor").number, BOOK.policy("dose.implausible.low_factor").number
    assert BOOK.policy("dose.implausible.day_g_per_kg").number == max(days) * high
    assert BOOK.policy("dose.implausible.course_g_per_kg").number == max(courses) * high
    assert BOOK.policy("dose.implausible.low_g_per_kg").number == min(days) * low

"""The queries of the discovery document: what each client can fill and run, and that between them they ask for everything."""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivig.chart.queries import fill, filled, for_hook, lint, queries, variant_3
from ivig.chart.templates import CONTEXTS, unrestricted
from ivig.core.facts.chart import asked_by
from ivig.wire.prefetch import Query
from ivig.wire.remedy import SYSTEMS
from judged import validator

KEYS = [
    "patient",
    "encounter",
    "weights",
    "heights",
    "conditions",
    "allergies",
    "medications",
    "administrations",
    "immunizations",
    "procedures",
    "lab-cbc",
    "lab-renal",
    "lab-liver",
    "lab-iga",
    "lab-abo",
    "scales",
    "plans",
]
HOOKS = ("order-select", "order-sign", "order-dispatch")
LIBRARY = validator().library
QUERIES = {q.key: q for q in queries(LIBRARY)}
LONGEST = 2000
PATIENT = Query("patient", "Patient/{{context.patientId}}", "Patient")
CONDITIONS = QUERIES["conditions"]


def codes(query: Query) -> list[str]:
    """The codes of a query for results, with their systems."""
    return query.template.partition("code=")[2].partition("&")[0].split(",")


def test_the_keys_are_those_of_the_contract_in_its_order() -> None:
    assert list(QUERIES) == KEYS


@pytest.mark.parametrize("hook", HOOKS)
def test_every_client_can_fill_and_run_what_discovery_offers(hook: str) -> None:
    """S-DISC: no token that a 2.0 client cannot fill for this hook, and no search beyond those that clients have to know."""
    offered = for_hook(tuple(QUERIES.values()), hook)
    for query in offered:
        assert lint(query.template, hook) == []
        assert unrestricted(query.template) == []
        assert len(query.template) < LONGEST
    assert [q.key for q in offered] == [k for k in KEYS if hook != "order-dispatch" or k != "encounter"]


@pytest.mark.parametrize("hook", HOOKS)
def test_what_only_a_client_of_3_0_can_fill_is_for_it_alone(hook: str) -> None:
    offered = variant_3(tuple(QUERIES.values()), hook)
    assert all(lint(q.template, hook, "3.0") == [] for q in offered)
    newer = [q.key for q in offered if lint(q.template, hook)]
    assert newer == (["immunizations"] if hook == "order-dispatch" else ["immunizations", "meds"])
    assert {q.key for q in offered} - set(KEYS) <= {"meds"}


def test_a_query_says_what_its_template_says() -> None:
    sections = ("conditions", "medications", "allergies", "procedures", "immunizations")
    for query in QUERIES.values():
        address, _, said = query.template.partition("?")
        told = parse_qs(said)
        assert address.partition("/")[0] == query.kind
        assert query.reads == (said == "")
        assert told.get("_count", ["0"]) == [str(query.count)]
        assert query.reads or told["patient"] == ["{{context.patientId}}"]
        assert query.section == (
            query.key if query.key in sections else ""
        )  # what only adds to a section does not speak for it
        assert ("-date" in told.get("_sort", ())) == (query.kind in ("Observation", "Immunization", "Procedure"))


def test_every_test_is_asked_for_by_one_query() -> None:
    """Each code of each test page, once, and by the query that the rules take for it."""
    asked = Counter(code for q in QUERIES.values() if q.kind == "Observation" for code in codes(q))
    assert set(asked.values()) == {1}
    wanted = set[str]()
    for test, page in LIBRARY.pages["tests"].items():
        for system, listed in page["codes"].items():
            of = {f"{SYSTEMS[system]}|{row['code']}" for row in listed["list"]}
            assert of <= set(codes(QUERIES[asked_by(test)])), test
            wanted |= of
    assert set(asked) == wanted


def test_tests_that_belong_together_are_asked_for_together() -> None:
    """The groups of the knowledge: a group that is cut in two would be half unavailable."""
    keys: dict[str, set[str]] = {}
    for test, page in LIBRARY.pages["tests"].items():
        keys.setdefault(page["group"], set()).add(asked_by(test))
    assert {group: k for group, k in keys.items() if len(k) > 1} == {}
    assert keys["respiratory"] == keys["scale"] == {"scales"}


@pytest.mark.parametrize(
    "patient",
    [
        "p1",
        "e63wRTbPfr1p8UW81d8Seiw3",
        "a b",
        "a&_count=1",
        "1?x=1",
        "1/../../Group/2",
        "1#x",
        "100%",
        "ä|ö",
        "1\\2",
        "7;8",
    ],
)
def test_a_value_stays_where_its_token_stood(patient: str) -> None:
    context = {"patientId": patient, "encounterId": patient}
    for query, address in filled(tuple(QUERIES.values()), context):
        found = urlsplit(f"https://ehr.test/fhir/{address}")
        if query.reads:
            steps = found.path.split("/")
            assert (steps[:3], unquote(steps[3]), len(steps), found.query) == (["", "fhir", query.kind], patient, 4, "")
        else:
            said, meant = parse_qs(found.query, strict_parsing=True), parse_qs(query.template.partition("?")[2])
            assert said.keys() == meant.keys()
            assert said.pop("patient") == [re.sub(r"([\\,|$])", r"\\\1", patient)]
            del meant["patient"]
            assert said == meant
        assert found.fragment == ""
        assert len(address) < LONGEST


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=80))
def test_no_value_changes_the_query(patient: str) -> None:
    address = fill(CONDITIONS, {"patientId": patient})
    if address is None:
        assert not patient.strip(".")
        return
    said = parse_qs(urlsplit(f"https://ehr.test/fhir/{address}").query, strict_parsing=True)
    assert said == {"patient": [re.sub(r"([\\,|$])", r"\\\1", patient)], "_count": [str(CONDITIONS.count)]}


def test_two_patients_cannot_be_asked_for_at_once() -> None:
    address = fill(CONDITIONS, {"patientId": "p1,p2"})
    assert address is not None
    assert parse_qs(address.partition("?")[2])["patient"] == [r"p1\,p2"]  # FHIR: one value with a comma in it


@pytest.mark.parametrize("patient", ["", ".", "..", "p1\n", "p\x00", "p\x7f"])
def test_a_value_that_can_be_no_id_fills_nothing(patient: str) -> None:
    assert fill(PATIENT, {"patientId": patient}) is None
    assert fill(CONDITIONS, {"patientId": patient}) is None


def test_what_the_context_lacks_is_not_asked_for() -> None:
    found = filled(tuple(QUERIES.values()), {"patientId": "p1"})
    assert [q.key for q, _ in found] == [k for k in KEYS if k != "encounter"]
    assert filled(tuple(QUERIES.values()), {}) == ()
    (newer,) = (q for q in variant_3(tuple(QUERIES.values()), "order-sign") if q.key == "meds")
    assert fill(newer, {"patientId": "p1", "draftOrders": "x"}) is None


@pytest.mark.parametrize(
    ("template", "hook", "version"),
    [
        ("Patient/{{context.patientId}}", "order-sign", "2.0"),
        ("Patient/{{ context.patientId }}", "order-sign", "2.0"),
        ("Practitioner/{{userPractitionerId}}", "order-select", "2.0"),
        ("{{context.userId}}", "order-sign", "2.0"),
        ("{{context.performer}}", "order-dispatch", "2.0"),
        (
            "Appointment?patient={{context.patientId}}&date=gt{{today()}}&date=lt{{today() + 365 days}}",
            "order-sign",
            "3.0",
        ),
        (
            "Practitioner?_id={{%roles.entry.resource.practitioner.resolve().id|%c.entry.resource.asserter.resolve().id}}",
            "order-sign",
            "3.0",
        ),
        ("Observation?patient={{context.patientId}}&code=a|b,c|d", "order-dispatch", "2.0"),
        ("Patient/{{context.anything}}", "a-hook-of-theirs", "2.0"),
        ("Medication?_id={{context.draftOrders.entry.resource.ofType(MedicationRequest).id}}", "order-sign", "3.0"),
        ("Condition?encounter={{%encounter.id}}", "order-sign", "3.0"),
        ("Observation?date=ge{{today() - 90 days}}", "order-sign", "3.0"),
        ("Coverage?patient={{context.patientId | %patient.id}}", "order-sign", "3.0"),
    ],
)
def test_a_right_template_has_nothing_to_say(template: str, hook: str, version: str) -> None:
    assert lint(template, hook, version) == []


@pytest.mark.parametrize(
    ("template", "hook", "version"),
    [
        ("Encounter/{{context.encounterId}}", "order-dispatch", "2.0"),
        ("Practitioner/{{userPractitionerId}}", "order-dispatch", "2.0"),
        ("Patient/{{context.subject}}", "order-sign", "2.0"),
        ("Patient/{{patientId}}", "order-sign", "2.0"),
        ("Patient/{{Patient.id}}", "order-sign", "2.0"),
        ("Medication?_id={{context.draftOrders.MedicationRequest.id}}", "order-sign", "2.0"),
        ("Task?_id={{context.selections}}", "order-select", "2.0"),
        ("Observation?date=ge{{today() - 90 days}}", "order-sign", "2.0"),
        ("Observation?date=ge{{today() - 3 months}}", "order-sign", "3.0"),
        ("Medication?_id={{context.draftOrders.entry.resource.ofType(Drug).id}}", "order-sign", "3.0"),
        ("Medication?_id={{context.draftOrders.entry.where(true).id}}", "order-sign", "3.0"),
        ("Encounter/{{context.encounterId}}", "order-dispatch", "3.0"),
        ("Practitioner/{{userPractitionerId}}", "order-dispatch", "3.0"),
        ("Patient/{{context.patientId}", "order-sign", "2.0"),
        ("Patient/{{}}", "order-sign", "2.0"),
        ("Practitioner/{{context.userId}}", "order-sign", "2.0"),
        ("{{context.userId}}", "order-dispatch", "2.0"),
        ("{{context.patientId}}", "order-sign", "2.0"),
        ("Human/{{context.patientId}}", "order-sign", "2.0"),
        ("https://ehr.test/fhir/Patient/{{context.patientId}}", "order-sign", "2.0"),
        ("/Patient/{{context.patientId}}", "order-sign", "2.0"),
        ("Patient/{{context.patientId}}/$everything", "order-sign", "2.0"),
        ("Patient", "order-sign", "2.0"),
        ("", "order-sign", "2.0"),
    ],
)
def test_a_wrong_template_is_told(template: str, hook: str, version: str) -> None:
    assert lint(template, hook, version) != []


@pytest.mark.parametrize(
    "template",
    [
        "MedicationRequest?patient=1&_include=MedicationRequest:medication",
        "Observation?patient.name=x",
        "Observation?code:text=x",
        "Observation?_has:x:y=1",
        "Patient?_maxresults=1",
        "Patient?name",
    ],
)
def test_searches_that_not_every_client_can_run_are_told(template: str) -> None:
    assert unrestricted(template) != []


def test_the_contexts_are_those_of_the_published_hooks() -> None:
    assert CONTEXTS["order-dispatch"].plain == {"patientId", "performer"}
    assert not CONTEXTS["order-dispatch"].has_user
    for hook in ("patient-view", "order-select", "order-sign"):
        assert CONTEXTS[hook].plain == {"userId", "patientId", "encounterId"}
    assert CONTEXTS["order-select"].held == {"selections", "draftOrders"}

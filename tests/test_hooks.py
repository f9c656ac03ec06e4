"""The CDS Hooks door over HTTP: discovery, calls, every refusal, quieting, modes, the record. Names begin with the ids of the requirements."""

from __future__ import annotations

import copy
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from builder import bundle
from doors import SERVICE, posted, served
from hooked import FINDINGS, as_call, asked, call, searchset
from ivig.chart.queries import lint
from ivig.wire.outcome import encode
from r4 import Json

PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01", "gender": "female"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with served(tmp_path_factory.mktemp("data")) as made:
        yield made


def ordered(change: Json | None = None, hook: str = "order-sign", base: str = "cidp") -> Json:
    """A call with one order of today's chart. The dates of the base lie in the past, as they do when it is called."""
    made = as_call(bundle(base, change), hook)
    assert made is not None
    return made


TOO_MUCH = {"dose": "45 g"}


def shown(answer: Json) -> set[str]:
    """The rules that a prescriber sees."""
    return {link["label"].removeprefix("Rule ") for card in answer["cards"] for link in card.get("links", [])}


def found(answer: Json) -> set[str]:
    told = [card["extension"] for card in answer["cards"]] + [answer.get("extension", {})]
    return {f["rule"] for extension in told for f in extension.get(FINDINGS, [])}


# -- discovery --------------------------------------------------------------------------------------------------------


def test_discovery_offers_three_hooks_under_one_id(client: Any) -> None:
    answer = client.get("/cds-services")
    assert answer.status_code == 200
    services = answer.json()["services"]
    assert [s["hook"] for s in services] == ["order-select", "order-sign", "order-dispatch"]
    assert {s["id"] for s in services} == {"ivig-order-check"}
    for service in services:
        assert all(
            isinstance(service[name], str) and service[name] for name in ("title", "description", "usageRequirements")
        )
        assert "version" not in service


def test_discovery_holds_no_token_that_a_2_0_client_cannot_fill(client: Any) -> None:
    for service in client.get("/cds-services").json()["services"]:
        for key, template in service["prefetch"].items():
            assert lint(template, service["hook"]) == [], key
    keys = {s["hook"]: set(s["prefetch"]) for s in client.get("/cds-services").json()["services"]}
    assert keys["order-sign"] == {q.key for q in asked()}
    assert keys["order-dispatch"] == keys["order-sign"] - {"encounter"}


def test_a_3_0_client_is_told_its_extras(tmp_path: Path) -> None:
    page = tmp_path / "clients.yaml"
    page.write_text(yaml.safe_dump({"clients": [{"id": "development", "cds_hooks": "3.0", "crd": "true"}]}))
    with served(tmp_path, clients=str(page)) as newer:
        service = newer.get("/cds-services").json()["services"][1]
        assert (service["version"], service["hookVersion"]) == ("3.0.0", "1.0")
        assert "meds" in service["prefetch"]
        assert all(lint(t, "order-sign", "3.0") == [] for t in service["prefetch"].values())
        answer = posted(newer, ordered(TOO_MUCH)).json()
        assert answer["systemActions"] == []
        assert {s["actionSelectionBehavior"] for c in answer["cards"] for s in c["suggestions"]} == {"all"}


# -- cards ------------------------------------------------------------------------------------------------------------


def test_S_RSP_1_a_clear_order_makes_no_card_and_says_that_it_was_judged(client: Any) -> None:  # noqa: N802
    answer = posted(client, call([], {"patient": PATIENT}, "p"))
    assert (answer.status_code, answer.json()) == (200, {"cards": []})


def test_an_order_with_an_error_makes_one_critical_card(client: Any) -> None:
    answer = posted(client, ordered(TOO_MUCH)).json()
    (card,) = answer["cards"]
    assert card["indicator"] == "critical"
    assert "dose-course-above-range" in found(answer)
    assert card["source"]["url"] == "http://testserver/"
    assert {link["url"] for link in card["links"]} <= {f"http://testserver/rules/{rule}" for rule in found(answer)}


def test_the_links_of_a_card_lead_somewhere(client: Any) -> None:
    (card,) = posted(client, ordered(TOO_MUCH)).json()["cards"]
    for link in card["links"]:
        page = client.get(link["url"].removeprefix("http://testserver"))
        assert page.status_code == 200
        assert link["label"].removeprefix("Rule ") in page.text


def test_an_unknown_rule_has_a_page_that_says_so(client: Any) -> None:
    for name in ("no-such-rule", "<script>", "A" * 300):
        page = client.get(f"/rules/{name}")
        assert page.status_code == 404
        assert "<script>" not in page.text


def test_S_RSP_2_no_system_actions_unless_a_client_asks(client: Any) -> None:  # noqa: N802
    assert "systemActions" not in posted(client, ordered(TOO_MUCH)).json()


def test_a_suggestion_taken_over_is_judged_better(client: Any) -> None:
    body = ordered(TOO_MUCH)
    (card,) = posted(client, body).json()["cards"]
    best = next(s for s in card["suggestions"] if any(a["type"] == "update" for a in s["actions"]))
    update = next(a["resource"] for a in best["actions"] if a["type"] == "update")
    body["context"]["draftOrders"]["entry"][0]["resource"] = update
    assert "dose-course-above-range" not in found(posted(client, body).json())


# -- order-select -----------------------------------------------------------------------------------------------------


def test_order_select_says_nothing_of_what_is_not_filled_in_yet(client: Any) -> None:
    body = ordered({"dose": "absent", "route": "absent"}, "order-select")
    answer = posted(client, body).json()
    assert "dose-missing" in found(answer)
    assert "dose-missing" not in json.dumps([{k: v for k, v in c.items() if k != "extension"} for c in answer["cards"]])
    runs = [c["extension"]["org.ivig-order-check.run"] for c in answer["cards"]]
    runs += answer.get("extension", {}).get("org.ivig-order-check.run", [])
    assert "dose-missing" in runs[0]["withheld"]
    body["hook"] = "order-sign"
    assert "dose-missing" in shown(posted(client, body).json())


def test_order_select_judges_what_is_selected_alone(client: Any) -> None:
    body = ordered(TOO_MUCH, "order-select")
    body["context"]["selections"] = ["MedicationRequest/another"]
    assert posted(client, body).json() == {"cards": []}


# -- quieting ---------------------------------------------------------------------------------------------------------

STALE = {"labs": {"creatinine": "absent"}}


def quiet_patient(client: Any, change: Json, patient: str) -> tuple[Json, Json]:
    """The answers at order-select and then at order-sign, of a patient whom no other test knows."""
    body = json.loads(
        json.dumps(ordered(change, "order-select"))
        .replace('"p1"', f'"{patient}"')
        .replace("Patient/p1", f"Patient/{patient}")
    )
    first = posted(client, body).json()
    body = copy.deepcopy(body) | {"hook": "order-sign"}
    return first, body


def test_a_warning_shown_at_select_is_not_shown_again_at_sign(client: Any) -> None:
    first, body = quiet_patient(client, STALE, "quiet1")
    assert "lab-missing" in shown(first)
    again = posted(client, body).json()
    assert "lab-missing" not in shown(again)
    assert "lab-missing" in found(again)


def test_but_when_the_order_has_changed_it_is(client: Any) -> None:
    _, body = quiet_patient(client, STALE, "quiet2")
    body["context"]["draftOrders"]["entry"][0]["resource"]["note"] = [{"text": "after a talk with the pharmacy"}]
    assert "lab-missing" in shown(posted(client, body).json())


def test_a_new_id_and_status_make_no_other_order(client: Any) -> None:
    _, body = quiet_patient(client, STALE, "quiet3")
    body["context"]["draftOrders"]["entry"][0]["resource"] |= {"id": "temporary-7", "status": "active"}
    assert "lab-missing" not in shown(posted(client, body).json())


def test_an_error_is_always_shown_again(client: Any) -> None:
    first, body = quiet_patient(client, TOO_MUCH, "quiet4")
    assert "dose-course-above-range" in shown(first)
    assert "dose-course-above-range" in shown(posted(client, body).json())


def test_another_patient_is_another_matter(client: Any) -> None:
    quiet_patient(client, STALE, "quiet5")
    _, body = quiet_patient(client, STALE, "quiet6")
    body = json.loads(json.dumps(body).replace("quiet6", "quiet7"))
    assert "lab-missing" in shown(posted(client, body).json())


def test_who_signs_twice_sees_it_twice(client: Any) -> None:
    body = json.loads(json.dumps(ordered(STALE)).replace("Patient/p1", "Patient/quiet8").replace('"p1"', '"quiet8"'))
    for _ in range(2):
        assert "lab-missing" in shown(posted(client, body).json())


# -- modes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["shadow", "off"])
def test_a_quieted_rule_is_found_and_recorded_and_not_shown(tmp_path: Path, mode: str) -> None:
    rules = {"lab-missing": {"mode": mode, "reason": "the unit draws blood on arrival"}}
    page = tmp_path / "clients.yaml"
    page.write_text(yaml.safe_dump({"clients": [{"id": "development", "rules": rules}]}))
    with served(tmp_path, clients=str(page)) as client:
        answer = posted(client, ordered(STALE)).json()
    assert "lab-missing" in found(answer)
    assert "lab-missing" not in shown(answer)
    (journal,) = [p.read_text() for p in (tmp_path / "journal").glob("*")] or [""]
    told = journal or _stored(tmp_path)
    assert '"rule":"lab-missing"' in told or "lab-missing" in told
    assert mode in told


def _stored(folder: Path) -> str:
    """The findings of the embedded store as text."""
    with sqlite3.connect(folder / "store.sqlite3") as connection:
        return repr(connection.execute("SELECT rule, shown FROM findings").fetchall())


def test_a_cap_leaves_out_cards_and_says_so(tmp_path: Path) -> None:
    page = tmp_path / "clients.yaml"
    page.write_text(yaml.safe_dump({"clients": [{"id": "development", "most_cards": "1"}]}))
    body = ordered(STALE)
    entries = body["context"]["draftOrders"]["entry"]
    for n in range(2):
        entries.append(copy.deepcopy(entries[0]))
        entries[-1]["resource"] |= {"id": f"more{n}"}
    with served(tmp_path, clients=str(page)) as client:
        answer = posted(client, body).json()
    assert len(answer["cards"]) == 1
    assert {f["order"] for c in answer["cards"] for f in c["extension"][FINDINGS]} == {"MedicationRequest/order1"}
    assert {f["order"] for f in answer["extension"][FINDINGS]} == {"MedicationRequest/more0", "MedicationRequest/more1"}


# -- notes ------------------------------------------------------------------------------------------------------------


def test_a_draft_without_medication_and_intent_is_passed_over_with_a_note(client: Any) -> None:
    draft = {"resourceType": "MedicationRequest", "id": "x", "status": "draft", "subject": {"reference": "Patient/p"}}
    answer = posted(client, call([draft], {}, "p")).json()
    assert answer["cards"] == []
    (note,) = answer["extension"][FINDINGS]
    assert note == {
        "rule": "order-medication-missing",
        "severity": "information",
        "result": "note",
        "order": "MedicationRequest/x",
    }


# -- refusals ---------------------------------------------------------------------------------------------------------


def refused(answer: Any, status: int) -> str:
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/fhir+json")
    told = answer.json()
    assert told["resourceType"] == "OperationOutcome"
    (issue,) = told["issue"]
    return str(issue["diagnostics"])


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b"\xff", b"<html/>", b"null"],
)
def test_what_is_no_call_is_400(client: Any, body: bytes) -> None:
    refused(posted(client, body), 400)


@pytest.mark.parametrize("hook", ["patient-view", "order-review", "", 7])
def test_another_hook_is_400(client: Any, hook: Any) -> None:
    refused(posted(client, call([], {}, "p") | {"hook": hook}), 400)


def test_an_unknown_service_is_404(client: Any) -> None:
    refused(posted(client, call([], {}, "p"), "/cds-services/another"), 404)
    refused(posted(client, {"feedback": []}, "/cds-services/another/feedback"), 404)
    refused(client.get("/cds-services/another/more/still"), 404)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_405(client: Any, method: str) -> None:
    assert client.request(method, SERVICE).status_code == 405
    assert client.request(method, f"{SERVICE}/feedback").status_code == 405


def test_nobody_gave_the_patient_is_412(client: Any) -> None:
    body = ordered()
    del body["prefetch"]["patient"]
    assert "patient" in refused(posted(client, body), 412)


def test_no_weight_on_file_is_200_and_a_card(client: Any) -> None:
    answer = posted(client, ordered({"weight": "absent"}))
    assert answer.status_code == 200
    assert "weight-missing" in shown(answer.json())


def test_ten_thousand_drafts_are_413(client: Any) -> None:
    body = call([{"resourceType": "MedicationRequest", "id": str(n)} for n in range(10_000)], {}, "p")
    refused(posted(client, body), 413)


def test_a_body_of_50_megabytes_is_413(client: Any) -> None:
    refused(posted(client, b" " * 50_000_000), 413)


def test_another_media_type_is_415(client: Any) -> None:
    refused(posted(client, b"<x/>", **{"Content-Type": "application/xml"}), 415)


def test_a_prefetch_of_another_patient_is_never_used(client: Any) -> None:
    body = ordered()
    body["prefetch"]["patient"]["id"] = "somebody-else"
    told = found(posted(client, body).json())
    assert {"chart-unavailable", "chart-age-unknown"} <= told


def test_a_failed_query_is_unavailable_and_never_missing(client: Any) -> None:
    body = ordered()
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    body["prefetch"] |= {"weights": outcome, "lab-renal": outcome, "allergies": outcome}
    told = found(posted(client, body).json())
    assert "chart-unavailable" in told
    assert not told & {"weight-missing", "lab-missing", "chart-section-missing"}


@pytest.mark.parametrize("value", [None, searchset([]), 7, "x", [], {}, {"resourceType": "Nonsense"}, True])
def test_no_prefetch_value_makes_it_fall_over(client: Any, value: Any) -> None:
    for query in asked():
        body = ordered()
        body["prefetch"][query.key] = value
        assert posted(client, body).status_code == 200, query.key


def test_half_a_surrogate_pair_goes_through(client: Any) -> None:
    body = json.dumps(ordered(TOO_MUCH)).replace("Privigen", "Privigen \\ud800")
    answer = posted(client, body.encode())
    assert answer.status_code == 200
    encode(answer.json())


# -- health -----------------------------------------------------------------------------------------------------------


def test_the_store_is_told_of(client: Any) -> None:
    told = client.get("/health/ready").json()
    assert told["status"] == "ready"
    assert told["store"] in ("up", "starting")
    assert told["records_lost"] == 0


def test_a_store_that_cannot_be_written_costs_no_answer(tmp_path: Path) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("")
    with served(blocked) as client:
        assert posted(client, ordered(TOO_MUCH)).status_code == 200
        assert client.get("/health/ready").json()["records_lost"] == 1


def test_browsers_of_listed_origins_may_call(tmp_path: Path) -> None:
    with served(tmp_path, cors_origins="https://ehr.example") as client:
        asks = {"Origin": "https://ehr.example", "Access-Control-Request-Method": "POST"}
        assert client.options(SERVICE, headers=asks).headers["access-control-allow-origin"] == "https://ehr.example"
        other = client.options(SERVICE, headers=asks | {"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers

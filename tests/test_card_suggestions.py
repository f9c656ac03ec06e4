"""Suggestions: whole FHIR resources, which a client takes over and after which nothing new is found."""

from __future__ import annotations

import copy
import json
import uuid
from collections import Counter
from datetime import UTC, datetime

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest

from advised import SAID_BY_THE_PRODUCT
from builder import bundle
from carded import BASE_URL, SIGN, carded, every, every_card, only_card, taken
from ivig.core.finding import Result
from ivig.wire.card_suggestions import LONGEST_LABEL, label
from ivig.wire.cards import FINDINGS, Telling
from judged import answer
from r4 import Json
from test_explanation import reported

MODELS = {"MedicationRequest": MedicationRequest, "ServiceRequest": ServiceRequest}


def suggested() -> list[tuple[str, Json, Json]]:
    return [(name, card, s) for name, card in every_card() for s in card.get("suggestions", ())]


def spoken(sent: Json, order: str) -> Counter[str]:
    """How often each rule speaks of an order, notes left out."""
    (judgement,) = [j for j in reported(sent).judgements if j.ref == order]
    return Counter(f.rule for f in judgement.findings if f.result != Result.NOTE)


def test_there_are_suggestions_enough_to_tell() -> None:
    found = suggested()
    assert len(found) > 300
    assert {a["type"] for _, _, s in found for a in s["actions"]} == {"update", "create"}


def test_S_SUG_1_suggestions_come_with_a_selection_behavior() -> None:  # noqa: N802
    for name, card in every_card():
        assert ("suggestions" in card) == ("selectionBehavior" in card), name
        assert card.get("selectionBehavior", "any") in ("at-most-one", "any"), name


def test_S_SUG_2_ways_to_rewrite_one_order_exclude_each_other_and_additions_do_not() -> None:  # noqa: N802
    for name, card in every_card():
        made = card.get("suggestions", ())
        rewriting = any(a["type"] == "update" for s in made for a in s["actions"])
        assert not made or card["selectionBehavior"] == ("at-most-one" if rewriting else "any"), name
        assert sum(s.get("isRecommended", False) for s in made) <= 1, name
        assert len(made) <= 6, name


def test_S_SUG_3_every_suggestion_has_a_label_and_a_uuid() -> None:  # noqa: N802
    found = suggested()
    for name, _, suggestion in found:
        assert 5 < len(suggestion["label"]) < LONGEST_LABEL, f"{name}: {suggestion['label']}"
        assert suggestion["label"][0].isupper(), suggestion["label"]
        assert uuid.UUID(suggestion["uuid"]).version == 4
    assert len({s["uuid"] for _, _, s in found}) == len(found)
    for name, card in every_card():
        labels = [s["label"] for s in card.get("suggestions", ())]
        assert len(set(labels)) == len(labels), f"{name}: {labels}"


def test_S_ACT_0_every_action_says_what_it_does_and_an_order_is_updated_once() -> None:  # noqa: N802
    for name, _, suggestion in suggested():
        types = [a["type"] for a in suggestion["actions"]]
        assert types == sorted(types, reverse=True), "updates before creations"
        assert types.count("update") <= 1, name
        for action in suggestion["actions"]:
            assert set(action) == {"type", "description", "resource"}, name
            assert action["description"].strip(), name


def test_S_ACT_1_the_extras_of_version_3_are_for_clients_of_version_3() -> None:  # noqa: N802
    sent = bundle("gbs", {"dose": "36 g"})
    for version, wanted in (("2.0", set()), ("2.0.1", set()), ("", set()), ("3.0", {"all"}), ("3.0.0-ballot", {"all"})):
        made = only_card(sent, Telling("order-sign", cds_hooks=version))["suggestions"]
        assert {s["actionSelectionBehavior"] for s in made if "actionSelectionBehavior" in s} == wanted, version
    assert all("actionSelectionBehavior" not in s for _, _, s in suggested())


def test_S_ACT_2_every_resource_is_whole_and_fhir() -> None:  # noqa: N802
    for name, one in every():
        for card in one.cards:
            for action in (a for s in card.get("suggestions", ()) for a in s["actions"]):
                resource = action["resource"]
                if action["type"] == "update":
                    _whole(one.sent, resource, name)
                elif resource["resourceType"] in MODELS:
                    assert (resource["status"], resource["intent"]) == ("draft", "order"), name
                    assert resource["subject"], name
                    MODELS[resource["resourceType"]].model_validate(resource)


def _whole(sent: Json, after: Json, name: str) -> None:
    """All that the order held and that does not change is there still."""
    inner = sent if sent["resourceType"] == "Bundle" else sent["parameter"][0]["resource"]
    (before,) = [e["resource"] for e in inner["entry"] if e["resource"].get("id") == after["id"]]
    for key in ("resourceType", "id", "status", "intent", "subject", "authoredOn", "reasonCode", "reasonReference"):
        assert after.get(key) == before.get(key), f"{name}: {key}"
    assert after != before, name
    try:
        MedicationRequest.model_validate(before)
    except ValueError:
        return  # it was sent in another shape, and keeps it
    MedicationRequest.model_validate(after)


def _excused(suggestion: Json) -> set[str]:
    """A product says of itself that it was switched and what it is labelled for; a test on order has no result yet."""
    found = SAID_BY_THE_PRODUCT if any(a["type"] == "update" for a in suggestion["actions"]) else set()
    asked = any(a["resource"]["resourceType"] == "ServiceRequest" for a in suggestion["actions"])
    return found | ({"lab-missing", "lab-blood-group-unknown"} if asked else set())


def test_after_a_suggestion_was_taken_nothing_new_is_found() -> None:
    wrong = []
    for name, one in every():
        for card in one.cards:
            made, order = card.get("suggestions", ()), card["extension"][FINDINGS][0]["order"]
            choices = [[s] for s in made] + ([list(made)] if card.get("selectionBehavior") == "any" else [])
            before = spoken(one.sent, order) if choices else Counter()
            for chosen in choices:
                after = spoken(taken(one.sent, chosen), order)
                excused = set().union(*map(_excused, chosen))
                said = "; ".join(s["label"] for s in chosen)
                wrong += [f"{name}: {said}: {r}" for r in after if after[r] > before[r] and r not in excused]
    assert not wrong, "\n".join(wrong)


def test_no_course_is_made_another_one_while_the_weight_is_unknown() -> None:
    """One day instead of five, and nobody knows what 28 g are for this patient."""
    sent = bundle("gbs", {"count": 1, "weight": "absent"})
    assert "schedule-days-off-regimen" in spoken(sent, "MedicationRequest/order1")
    actions = [a for card in carded(sent).cards for s in card.get("suggestions", ()) for a in s["actions"]]
    assert not [a for a in actions if a["type"] == "update"]


def test_a_dose_above_the_range_is_brought_down_on_a_whole_order() -> None:
    """2 g/kg x 70 kg / 5 days = 28 g, in whole vials 30 g a day; afterwards the order is clear."""
    sent = bundle("gbs", {"dose": "36 g"})
    card = only_card(sent)
    chosen = card["suggestions"][0]
    assert chosen["label"] == "Change to 30 g a day for 5 days"
    (action,) = chosen["actions"]
    dose = action["resource"]["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]
    assert (dose["value"], dose["code"]) == (30, "g")
    assert all(m.card is None for m in carded(taken(sent, [chosen])).made)
    assert answer(taken(sent, [chosen]))["issue"][0]["details"]["coding"][2]["code"] == "clear"


def test_missing_tests_can_each_be_ordered_and_all_together_ask_for_nothing_twice() -> None:
    sent = bundle("gbs", {"labs": {"creatinine": "absent", "haemoglobin": "absent"}})
    card = only_card(sent)
    assert card["selectionBehavior"] == "any"
    asked = [json.dumps(a["resource"]["code"]) for s in card["suggestions"] for a in s["actions"]]
    assert len(asked) >= 2
    assert len(set(asked)) == len(asked)


def test_the_one_that_clears_all_is_recommended_among_several() -> None:
    sent = bundle("gbs", {"dose": "36 g", "labs": {"creatinine": "absent"}})
    card = only_card(sent)
    assert card["selectionBehavior"] == "at-most-one"
    (best,) = [s for s in card["suggestions"] if s.get("isRecommended")]
    assert best["label"].startswith("All of it: ")
    assert {a["type"] for a in best["actions"]} == {"update", "create"}
    single = only_card(bundle("gbs", {"dose": "36 g"}))["suggestions"]
    assert len(single) > 1 or "isRecommended" not in single[0], "there was nothing to choose from"


# -- what a client can do with it -------------------------------------------------------------------------------------


def order_of(sent: Json) -> Json:
    return next(e["resource"] for e in sent["entry"] if e["resource"].get("id") == "order1")


def test_a_draft_without_an_id_is_told_its_change_in_words_and_never_doubled() -> None:
    sent = bundle("gbs", {"dose": "36 g", "labs": {"creatinine": "absent"}})
    entry = next(e for e in sent["entry"] if e["resource"].get("id") == "order1")
    entry.pop("fullUrl", None)
    del entry["resource"]["id"]
    card = only_card(sent)
    actions = [a for s in card["suggestions"] for a in s["actions"]]
    assert {(a["type"], a["resource"]["resourceType"]) for a in actions} == {("create", "ServiceRequest")}
    assert card["selectionBehavior"] == "any"
    assert "Would clear it: 30 g a day for 5 days" in card["detail"]


def test_an_order_that_could_not_be_read_whole_is_not_rewritten() -> None:
    sent = bundle("gbs", {"dose": "36 g"})
    order_of(sent)["dosageInstruction"].insert(0, "broken")
    for card in carded(sent).cards:
        assert not [a for s in card.get("suggestions", ()) for a in s["actions"] if a["type"] == "update"]


def test_an_addition_is_for_the_patient_of_the_order_or_of_the_call() -> None:
    sent = bundle("gbs", {"labs": {"creatinine": "absent"}})
    subject = order_of(sent)["subject"]
    assert _subjects(only_card(sent)) == [subject]
    del order_of(sent)["subject"]
    named = [c for c in carded(sent, Telling("order-sign", patient="Patient/of-the-call")).cards if "suggestions" in c]
    assert all(_subjects(c) == [{"reference": "Patient/of-the-call"}] for c in named)
    assert not [c for c in carded(sent, Telling("order-sign")).cards if "suggestions" in c]


def _subjects(card: Json) -> list[Json]:
    return [a["resource"]["subject"] for s in card["suggestions"] for a in s["actions"] if a["type"] == "create"]


def test_the_order_sent_stays_as_it_is() -> None:
    sent = bundle("gbs", {"dose": "36 g"})
    held = copy.deepcopy(sent)
    carded(sent)
    assert sent == held


def test_a_contained_product_goes_with_the_reference_to_it() -> None:
    """Chronic kidney disease and sucrose: another product. A contained resource that nothing points to is no FHIR."""
    found = 0
    for name, one in every():
        for card in one.cards:
            for action in (a for s in card.get("suggestions", ()) for a in s["actions"] if a["type"] == "update"):
                resource = action["resource"]
                pointed = json.dumps(resource)
                for held in resource.get("contained", ()):
                    assert f'"#{held["id"]}"' in pointed, name
                found += "medicationCodeableConcept" in resource
    assert found


def test_a_request_that_cannot_be_rewritten_costs_the_suggestions_and_nothing_else() -> None:
    from ivig.wire.cards import cards  # noqa: PLC0415

    told: list[tuple[str, str]] = []
    report = reported(bundle("gbs", {"dose": "36 g"}))

    def request(path: str) -> Json:
        raise KeyError(path)

    telling = Telling("order-sign", base_url=BASE_URL, log=lambda rule, fault: told.append((rule, fault)))
    (made,) = cards(report, request, telling)
    assert made.card is not None
    assert "suggestions" not in made.card
    assert [fault for _, fault in told] == ["KeyError"]


def test_requests_are_asked_for_only_where_there_is_something_to_suggest() -> None:
    assert carded(bundle("gbs")).asked == []
    assert len(carded(bundle("gbs", {"dose": "36 g"})).asked) == 1


@pytest.mark.parametrize(
    ("says", "wanted"),
    [
        ("30 g a day for 5 days (2.14 g/kg by actual weight 70 kg)", "Change to 30 g a day for 5 days"),
        ("order creatinine or eGFR", "Order creatinine or eGFR"),
        ("at 21 mL/h (0.5 mg/kg/min at most)", "Change the rate to 21 mL/h"),
        ("over 2.53 h", "Change the time of an infusion to 2.53 h"),
        ("first dose not before 2026-11-27", "Change to a first dose not before 2026-11-27"),
        ("every 4 weeks (the longest (by far))", "Change to every 4 weeks"),
        ("Gamunex-C 10% (labelled for X); at 21 mL/h", "Change to Gamunex-C 10%; at 21 mL/h"),
        ("; ".join(f"order test {n}" for n in range(20)), None),
        ("x" * 200, None),
    ],
)
def test_a_label_begins_with_a_verb_and_is_short(says: str, wanted: str | None) -> None:
    made = label(says)
    assert len(made) < LONGEST_LABEL
    assert len(label(says, whole=True)) < LONGEST_LABEL
    assert wanted is None or made == wanted


def test_additions_are_dated_by_the_call() -> None:
    day = datetime(2026, 11, 20, 12, tzinfo=UTC).date().isoformat()
    card = only_card(bundle("gbs", {"labs": {"creatinine": "absent"}}), SIGN)
    drafts = [a["resource"] for s in card["suggestions"] for a in s["actions"] if a["type"] == "create"]
    assert drafts
    assert all(d["authoredOn"].startswith(day) for d in drafts)

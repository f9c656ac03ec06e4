"""Cards hold what CDS Hooks asks for, on every order of the cases: the invariants of the specification by their names."""

from __future__ import annotations

import json
import re
import time
import uuid
from types import ModuleType

from hypothesis import HealthCheck, given, settings

import ivig
from bases import BASES
from builder import bundle
from carded import BASE_URL, SIGN, carded, empties, every, every_card, only_card
from ivig.catalogue import RULES
from ivig.core.finding import Report, Result, Severity
from ivig.core.grounds import Grounds
from ivig.core.judge import Judge
from ivig.pages import printed
from ivig.rules.dose import implausible as dose_implausible
from ivig.rules.order import verdict as order_verdict
from ivig.validator import CRASHED
from ivig.wire.cards import FINDINGS, RUN, Telling, cards
from ivig.wire.outcome import RULE
from judged import validator
from orders import orders
from r4 import Json

KNOWN = {m.rule.name for m in RULES}


def test_there_are_cards_enough_to_tell() -> None:
    assert len(every_card()) > 300
    assert {card["indicator"] for _, card in every_card()} == {"critical", "warning"}


def test_an_ordinary_order_makes_no_card() -> None:
    for base in BASES:
        one = carded(bundle(base))
        assert [m.card for m in one.made] == [None] * len(one.made), base
        assert one.asked == []


def test_S_CARD_1_every_card_has_a_uuid_of_its_own() -> None:  # noqa: N802
    found = [uuid.UUID(card["uuid"]) for _, card in every_card()]
    assert {u.version for u in found} == {4}
    assert len(set(found)) == len(found)


def test_S_CARD_2_the_summary_is_one_line_under_140_characters() -> None:  # noqa: N802
    for name, card in every_card():
        assert 10 < len(card["summary"]) < 140, f"{name}: {card['summary']}"
        assert card["summary"].isprintable(), name
        assert "  " not in card["summary"], card["summary"]


def test_S_CARD_4_the_indicator_is_that_of_the_worst_finding() -> None:  # noqa: N802
    for name, one in every():
        for made, judgement in zip(one.made, one.report.judgements, strict=True):
            loud = [f for f in judgement.findings if f.severity > Severity.INFORMATION and f.result != Result.NOTE]
            assert (made.card is None) == (not loud and not judgement.unread), name
            if made.card is not None:
                worst = max((f.severity for f in loud), default=Severity.WARNING)
                assert made.card["indicator"] == ("critical" if worst == Severity.ERROR else "warning"), name


def test_the_summary_is_that_of_the_worst_finding_and_counts_the_others() -> None:
    for name, one in every():
        for made in one.made:
            shown = [f for f, became in made.shown if became == "shown"]
            if made.card is None or all(f.rule == "order-verdict" for f in shown):
                continue
            summary, topic = made.card["summary"], made.card["source"]["topic"]["code"]
            worst = max((f for f in shown if f.rule == topic), key=lambda f: f.severity)
            assert worst.severity == max(f.severity for f in shown), name
            more = re.search(r" \(\+(\d+) more\)$", summary)
            assert (int(more[1]) if more else 0) == len(shown) - 1, f"{name}: {summary}"
            start = " ".join(worst.text().split())[:60]
            assert start in summary, f"{name}: {summary}"


def test_S_SRC_1_the_source_has_a_label_an_address_and_a_topic() -> None:  # noqa: N802
    displays = {c["code"]: c["display"] for c in printed()["CodeSystem-ivig-rule.json"]["concept"]}
    for name, card in every_card():
        source = card["source"]
        assert source["label"], name
        assert source["url"] == f"{BASE_URL}/", "the service, not a page of it"
        assert source["topic"]["system"] == RULE
        assert source["topic"]["display"] == displays[source["topic"]["code"]], name


def test_S_OVR_1_every_override_reason_has_code_system_and_display() -> None:  # noqa: N802
    for name, card in every_card():
        reasons = card["overrideReasons"]
        assert 3 <= len(reasons) <= 10, name
        assert all(set(r) == {"code", "system", "display"} and all(r.values()) for r in reasons), name
        assert len({r["code"] for r in reasons}) == len(reasons), name


def test_S_OVR_1_every_rule_of_a_card_has_its_likeliest_reason_on_it() -> None:  # noqa: N802
    known = validator().library.override_reasons
    for name, one in every():
        for made, judgement in zip(one.made, one.report.judgements, strict=True):
            shown = list(dict.fromkeys(f.rule for f, became in made.shown if became == "shown"))
            if made.card is not None:
                offered = {r["code"] for r in made.card["overrideReasons"]}
                first = [known.of(rule, judgement.day)[0].code for rule in shown[:10]]
                assert set(first[:3]) & offered, name
                assert len(shown) > 10 or set(first) <= offered, name


def test_S_LNK_1_links_lead_to_the_rules_of_the_card() -> None:  # noqa: N802
    for name, card in every_card():
        assert 1 <= len(card["links"]) <= 5, name
        for link in card["links"]:
            assert set(link) == {"label", "url", "type"}, name
            assert link["type"] == "absolute"
            assert link["url"].removeprefix(f"{BASE_URL}/rules/") in KNOWN, link


def test_S_LNK_1_without_an_address_there_is_no_link() -> None:  # noqa: N802
    card = only_card(bundle("gbs", {"dose": "63 g"}), Telling("order-sign"))
    assert "links" not in card
    assert "url" not in card["source"]


def test_a_slash_at_the_end_of_the_address_is_not_doubled() -> None:
    card = only_card(bundle("gbs", {"dose": "63 g"}), Telling("order-sign", base_url=f"{BASE_URL}/"))
    assert "//" not in (card["source"]["url"] + card["links"][0]["url"]).replace("https://", "")


def test_S_JSON_2_nothing_is_empty() -> None:  # noqa: N802
    for name, card in every_card():
        assert list(empties(card)) == [], name
    for change in ({"dose": "63 g"}, {"weight": "absent"}, {"weight": "absent", "dose": "absent"}):
        for telling in (SIGN, Telling("order-sign"), Telling("order-sign", cds_hooks="3.0")):
            assert list(empties(only_card(bundle("gbs", change), telling))) == []


def test_every_finding_stands_in_the_extension() -> None:
    for name, one in every():
        for made, judgement in zip(one.made, one.report.judgements, strict=True):
            told = [(f["rule"], f["severity"], f["result"], f["order"]) for f in made.findings]
            held = [(f.rule, f.severity.name.lower(), f.result.value, judgement.ref) for f in judgement.findings]
            assert told == held, name
            assert [f for f, _ in made.shown] == list(judgement.findings), name
            if made.card is not None:
                assert made.card["extension"] == {FINDINGS: made.findings, RUN: made.run}, name


def test_the_extension_tells_the_run() -> None:
    (one,) = carded(bundle("gbs", {"weight": "absent"})).made
    run = one.run
    assert run["service"] == f"ivig-order-check {ivig.__version__}"
    assert (run["verdict"], run["judged"]) == ("cannot-tell", "partial")
    assert run["knowledge"] == validator().library.version
    assert run["policy"].startswith("us-default ")


def test_every_order_has_its_own_card() -> None:
    sent = bundle("gbs", {"dose": "63 g"})
    other = json.loads(json.dumps(bundle("gbs", {"weight": "absent"})).replace("order1", "order2"))
    order = next(e for e in other["entry"] if e["resource"].get("id") == "order2")
    sent["entry"].append(order)
    one = carded(sent)
    assert len(one.cards) == len(one.report.judgements) == 2
    refs = [card["extension"][FINDINGS][0]["order"] for card in one.cards]
    assert refs == ["MedicationRequest/order1", "MedicationRequest/order2"]


def test_a_part_of_the_order_that_cannot_be_read_makes_a_card() -> None:
    """Nothing is flagged, and yet it must not pass in silence."""
    sent = bundle("gbs")
    order = next(e["resource"] for e in sent["entry"] if e["resource"].get("id") == "order1")
    order["note"] = "not a list of annotations"
    order["reasonReference"] = "neither"
    one = carded(sent)
    (judgement,) = one.report.judgements
    assert judgement.unread
    (card,) = one.cards
    assert card["indicator"] == "warning"
    assert "could not be read" in card["summary"]
    assert judgement.unread[0][0].rpartition(".")[2] in card["detail"]
    assert card["source"]["topic"]["code"] == "order-verdict"


def test_a_rule_that_crashed_is_shown() -> None:
    def crash() -> tuple[()]:
        raise RuntimeError

    module = ModuleType("dose-implausible")
    module.rule, module.check = dose_implausible.rule, crash  # type: ignore[attr-defined]
    order = carded(bundle("gbs")).report.grounds.orders[0]
    judge, library = Judge((module,), CRASHED, order_verdict.rule), validator().library
    judgement = judge.judge(order, library.on(order.day))
    report = Report((judgement,), (), "k", "p", 1, Grounds(judge, library, (order,)))
    (made,) = cards(report, never, SIGN)
    assert judgement.verdict == "cannot-tell"
    assert made.card is not None
    assert made.card["indicator"] == "warning"
    assert "could not run" in made.card["summary"]
    assert list(empties(made.card)) == []


def test_an_order_without_a_card_costs_next_to_nothing() -> None:
    """Held against the judgement itself: no text is made, no fact, no remedy."""
    report = carded(bundle("gbs")).report
    best = min(_timed(lambda: cards(report, never, SIGN)) for _ in range(50))
    assert best < 0.0005, f"{best * 1e6:.0f} us"
    assert report.grounds._cases is None, "facts were made"


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(orders())
def test_any_order_makes_sound_cards(order: tuple[str, Json]) -> None:
    one = carded(bundle(*order))
    for made in one.made:
        shown = [f for f, became in made.shown if became == "shown"]
        assert (made.card is not None) == bool(shown)
    for card in one.cards:
        assert len(card["summary"]) < 140
        assert list(empties(card)) == []
        assert card["overrideReasons"]
        assert card["source"]["topic"]["code"] in KNOWN


def never(path: str) -> Json:
    raise AssertionError(path)


def _timed(call: object) -> float:
    begun = time.perf_counter()
    call()  # type: ignore[operator]
    return time.perf_counter() - begun

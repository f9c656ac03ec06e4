"""What quiets a card quiets the card alone: shadow, off, withheld, shown before, and a cap. The extension keeps every finding."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder import bundle
from carded import SIGN, Carded, carded
from ivig.core.finding import ERROR, Finding, Judgement
from ivig.wire.cards import Telling
from r4 import Json

# 36 g a day x 5 = 180 g / 70 kg = 2.57 g/kg: the course and the day are above range; creatinine is missing.
LOUD = {"dose": "36 g", "labs": {"creatinine": "absent"}}
WITHHELD = frozenset({"dose-missing", "schedule-missing", "indication-missing"})


def told(**rest: Any) -> Telling:
    return Telling("order-sign", **rest)


def became(one: Carded, place: int = 0) -> dict[str, str]:
    return {f.rule: what for f, what in one.made[place].shown}


def actions(one: Carded) -> list[Json]:
    return [a for card in one.cards for s in card.get("suggestions", ()) for a in s["actions"]]


def several(*changes: Json) -> Json:
    """One body with an order for each change, all of one patient; only what stands on the order may change."""
    sent = bundle("gbs", changes[0])
    for n, change in enumerate(changes[1:], 2):
        more = json.loads(json.dumps(bundle("gbs", change)).replace("order1", f"order{n}"))
        sent["entry"] += [e for e in more["entry"] if e["resource"].get("id") == f"order{n}"]
    return sent


def test_what_is_loud_is_loud() -> None:
    shown = {r for r, what in became(carded(bundle("gbs", LOUD))).items() if what == "shown"}
    assert shown == {"dose-course-above-range", "dose-daily-above-range", "lab-missing"}


@pytest.mark.parametrize("mode", ["shadow", "off"])
def test_a_rule_in_shadow_or_off_is_not_shown_and_does_not_count(mode: str) -> None:
    sent = bundle("gbs", {"dose": "280 g"})  # 280 x 5 / 70 = 20 g/kg: an error
    (card,) = carded(sent, told()).cards
    assert card["indicator"] == "critical"
    one = carded(sent, told(modes={"dose-implausible": mode}))
    assert became(one)["dose-implausible"] == mode
    for held in one.cards:
        assert held["indicator"] == "warning"
        assert "cannot be right" not in held["summary"] + held["detail"]
        assert "dose-implausible" not in [link["url"] for link in held.get("links", ())]


def test_when_nothing_is_left_there_is_no_card() -> None:
    sent = bundle("gbs", {"weight": "absent"})
    loud = [r for r, what in became(carded(sent)).items() if what == "shown"]
    one = carded(sent, told(modes=dict.fromkeys(loud, "shadow")))
    assert one.made[0].card is None
    assert one.asked == []
    assert one.made[0].run["verdict"] == "cannot-tell", "the record is of what was found"


def test_a_mode_of_on_or_one_that_nobody_knows_shows() -> None:
    sent = bundle("gbs", {"weight": "absent"})
    for mode in ("on", "mute"):
        assert became(carded(sent, told(modes={"weight-missing": mode})))["weight-missing"] == "shown"


def test_what_is_not_filled_in_yet_is_withheld_at_order_select() -> None:
    sent = bundle("gbs", {"dose": "absent"})
    assert became(carded(sent, told()))["dose-missing"] == "shown"
    one = carded(sent, Telling("order-select", withheld=WITHHELD))
    assert became(one)["dose-missing"] == "withheld"
    assert "dose-missing" in [f["rule"] for f in one.made[0].findings]
    assert became(carded(sent, told(withheld=WITHHELD)))["dose-missing"] == "shown", "at order-sign it is missing"
    assert one.made[0].card is None or "no dose" not in one.made[0].card["detail"]


def test_a_suggestion_does_not_change_what_a_quieted_rule_found() -> None:
    """Remedies are made for what is shown: nobody is offered a change for a rule that the site has switched off."""
    sent = bundle("gbs", LOUD)
    assert {a["type"] for a in actions(carded(sent, told()))} == {"update", "create"}
    one = carded(sent, told(modes={"dose-course-above-range": "off", "dose-daily-above-range": "shadow"}))
    assert {a["type"] for a in actions(one)} == {"create"}


# -- shown before -----------------------------------------------------------------------------------------------------


def always(judgement: Judgement, finding: Finding) -> bool:
    assert finding.severity < ERROR, "never asked for an error"
    assert finding in judgement.findings
    return True


def test_what_was_shown_before_is_not_shown_again_unless_it_is_an_error() -> None:
    quiet = carded(bundle("gbs", {"weight": "absent"}), told(repeated=always))
    assert quiet.made[0].card is None
    assert became(quiet)["weight-missing"] == "repeat"
    grave = carded(bundle("gbs", {"dose": "280 g"}), told(repeated=always))
    (card,) = grave.cards
    assert became(grave)["dose-implausible"] == "shown"
    assert card["indicator"] == "critical"


def test_what_was_shown_before_stands_in_one_line_of_a_card_that_is_shown_all_the_same() -> None:
    sent = bundle("gbs", {"dose": "280 g", "labs": {"creatinine": "absent"}})
    one = carded(sent, told(repeated=always))
    repeats = [f for f, what in one.made[0].shown if what == "repeat"]
    assert repeats
    (card,) = one.cards
    assert all(f"Already shown: {f.text()[:40]}" in card["detail"] for f in repeats[:1])
    assert "more)" not in card["summary"]


# -- the cap ----------------------------------------------------------------------------------------------------------


def test_the_gravest_cards_stay_and_the_last_one_tells_of_the_others() -> None:
    sent = several({}, {"dose": "280 g"}, {})
    whole = carded(sent)
    assert [card["indicator"] for card in whole.cards] == ["warning", "critical", "warning"]
    one = carded(sent, told(most_cards=1))
    assert [m.card is not None for m in one.made] == [False, True, False]
    (card,) = one.cards
    assert card["indicator"] == "critical"
    assert "2 more orders have findings that are not shown here." in card["detail"]
    assert "capped" in became(one, 0).values()
    assert "shown" not in became(one, 0).values()


def test_an_error_is_never_capped_away() -> None:
    sent = several({"dose": "280 g"}, {"dose": "280 g"}, {"dose": "280 g"})
    one = carded(sent, told(most_cards=1))
    assert len(one.cards) == 3
    assert "not shown here" not in "".join(card["detail"] for card in one.cards)


def test_only_the_last_card_tells_of_those_left_out() -> None:
    sent = several({"dose": "280 g"}, {}, {"dose": "280 g"}, {})
    one = carded(sent, told(most_cards=2))
    said = ["2 more orders have findings" in card["detail"] for card in one.cards]
    assert said == [False, True]


def test_suggestions_are_made_for_the_first_cards_alone() -> None:
    sent = several({"dose": "280 g"}, {"dose": "280 g"}, {"dose": "280 g"})
    one = carded(sent, told(most_suggested=1))
    assert len(one.asked) <= 1
    assert [("suggestions" in card) for card in one.cards][1:] == [False, False]


# -- for every way of telling -----------------------------------------------------------------------------------------

BODIES = (
    bundle("gbs", LOUD),
    bundle("gbs", {"dose": "280 g"}),
    several({"dose": "36 g"}, {"dose": "280 g"}, {}),
    bundle("cidp_maintenance", {"weight": "absent", "rate": "absent"}),
)
PLAIN = tuple(carded(sent, Telling("order-sign", most_suggested=0)) for sent in BODIES)
RULES = sorted({f.rule for one in PLAIN for made in one.made for f, _ in made.shown})


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.integers(0, len(BODIES) - 1),
    st.dictionaries(st.sampled_from(RULES), st.sampled_from(["on", "shadow", "off"])),
    st.frozensets(st.sampled_from(RULES)),
    st.frozensets(st.sampled_from(RULES)),
    st.integers(0, 3),
)
def test_no_way_of_telling_changes_the_extension(
    body: int, modes: dict[str, str], withheld: frozenset[str], seen: frozenset[str], most: int
) -> None:
    seen_before = {"repeated": lambda _, f: f.rule in seen, "most_cards": most, "most_suggested": 0}
    telling = Telling("order-select", modes=modes, withheld=withheld, **seen_before)  # type: ignore[arg-type]
    one, plain = carded(BODIES[body], telling), PLAIN[body]
    carded_errors = 0
    for made, before in zip(one.made, plain.made, strict=True):
        listed = dict.fromkeys(f.rule for f, what in made.shown if what == "withheld")
        assert made.run == before.run | ({"withheld": list(listed)} if listed else {}), (
            "listed as withheld, and else the same"
        )
        assert made.findings == before.findings
        assert len(made.shown) == len(made.findings)
        shown = [f for f, what in made.shown if what == "shown"]
        assert (made.card is not None) == bool(shown)
        for finding, what in made.shown:
            hushed = modes.get(finding.rule) in ("shadow", "off") or finding.rule in withheld
            assert finding.severity < ERROR or hushed or what == "shown", "an error is shown unless its rule is quieted"
            assert not hushed or what in ("shadow", "off", "withheld")
        if made.card is not None:
            assert made.card["extension"]["org.ivig-order-check.findings"] == before.findings
            assert made.card["indicator"] == ("critical" if any(f.severity == ERROR for f in shown) else "warning")
            carded_errors += made.card["indicator"] == "critical"
    assert not most or len(one.cards) <= max(most, carded_errors)


def test_the_default_telling_quiets_nothing() -> None:
    assert SIGN.modes == {}
    for one in PLAIN:
        for made in one.made:
            assert {what for _, what in made.shown} <= {"shown", "folded"}

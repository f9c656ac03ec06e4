"""The detail of a card: plain GitHub-flavoured Markdown, short, and harmless whatever stands in the order or the chart."""

from __future__ import annotations

import copy
import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from builder import bundle
from carded import every_card, only_card
from ivig.core.explanation import Explanation, Limit
from ivig.core.finding import ERROR, Finding, Result
from ivig.wire.card_markdown import LONGEST, Told, detail, escaped
from r4 import Json

PLAIN = {"paragraph", "bullet_list", "list_item", "inline", "text", "strong", "em", "softbreak"}
PAYLOADS = (
    "[click](https://evil.test/x)",
    "![x](https://evil.test/pixel.png)",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<https://evil.test>",
    "https://evil.test/steal?q=1",
    "www.evil.test",
    "mail me@evil.test",
    "[a]: https://evil.test 'x'",
    "`code`",
    "```\nblock\n```",
    "**bold** __bold__ *em* _em_ ~~gone~~",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "# heading",
    "> quote",
    "- item\n- item",
    "1. item",
    "---",
    "line\n\n# after a break",
    "\u2028# after a separator",
    "\u202egnirts desrever",
    "&lt;script&gt; &#60;b&#62;",
    "\\[escaped](https://evil.test)",
    "$x$",
    "*" * 400,
)
_markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def tokens(text: str) -> list[Token]:
    top = _markdown.parse(text)
    return [*top, *(child for token in top for child in token.children or ())]


def kinds(text: str) -> set[str]:
    return {re.sub(r"_(open|close)$", "", token.type) for token in tokens(text)}


def plain(text: str) -> str:
    return "".join(t.content for t in tokens(text) if t.type == "text")


def test_S_CARD_3_the_detail_is_markdown_without_html() -> None:  # noqa: N802
    for name, card in every_card():
        assert kinds(card["detail"]) <= PLAIN, name
        assert len(card["detail"]) <= LONGEST, name


def test_the_detail_considers_and_never_gives() -> None:
    """Limits quote the place in their source, in its own words."""
    for name, card in every_card():
        own = [line for line in card["detail"].splitlines() if not line.startswith("- Limit, ")]
        said = "\n".join((card["summary"], *own, *(s["label"] for s in card.get("suggestions", ()))))
        assert not re.search(r"(?im)(?:^|[-:*.;] )give\b", said), f"{name}: {said}"


def test_the_detail_tells_the_verdict_the_sum_the_data_the_limit_and_what_to_consider() -> None:
    """36 g x 5 = 180 g / 70 kg = 2.57 g/kg, above 2 g/kg."""
    said = plain(only_card(bundle("gbs", {"dose": "36 g"}))["detail"])
    for words in (
        "36 g x 5 days = 180 g",
        "180 g / 70 kg = 2.571 g/kg",
        "weight: 70 kg (2026-11-18)",
        "Consider:",
        "Limit,",
    ):
        assert words in said, words
    assert said.startswith("Should not go ahead as written")


def test_what_nobody_has_seen_in_its_source_says_so_on_the_card() -> None:
    """Also where the limit itself had no room."""
    marked = [card["detail"] for _, card in every_card() if "**unconfirmed**" in card["detail"]]
    assert marked
    assert all("(rests on an unconfirmed number)" in said for said in marked)
    told = Told([_found(n) for n in range(9)], (), (), (), False, 0, "basis")
    assert detail(told).count("(rests on an unconfirmed number)") == 9


def test_what_is_missing_names_the_rules_that_could_not_be_judged() -> None:
    said = plain(only_card(bundle("gbs", {"weight": "absent"}))["detail"])
    assert "Judged in part" in said
    assert "Not judged for want of this: " in said


def test_informations_stand_below_in_a_short_list() -> None:
    card = only_card(bundle("gbs", {"dose": "63 g", "route": "absent"}))
    before, _, after = card["detail"].partition("Also noted:")
    assert "states no route" in after
    assert "states no route" not in before + card["summary"]


# -- injection --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", PAYLOADS)
def test_whatever_is_written_in_a_text_stays_text(payload: str) -> None:
    for frame in ("- Data: {}", "**Warning: {}**", "_{}._"):
        assert kinds(frame.format(escaped(payload))) <= PLAIN, escaped(payload)
    assert kinds(f"- {escaped(payload, leads=True)}") <= PLAIN, escaped(payload, leads=True)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_renderer_makes_a_link_of_it(payload: str) -> None:
    """Renderers link bare addresses after they have taken the backslashes out."""
    shown = plain(escaped(payload))
    assert not re.search(r"\w://|www\.\w|\w@\w", shown)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.text(st.sampled_from(list("ab1 .)(<>!&#*_~`[]|\\-+=$:/@\n\t'\"")), max_size=40))
def test_no_text_makes_anything_but_text(text: str) -> None:
    assert kinds(f"- Data: {escaped(text)}") <= PLAIN
    assert kinds(f"- {escaped(text, leads=True)}\n- next") <= PLAIN
    assert kinds(f"**Warning: {escaped(text)}**") <= PLAIN


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=60))
def test_a_text_reads_as_it_was_written(text: str) -> None:
    """But for what does not show, white space, and addresses."""
    if "@" in text or "://" in text or "www." in text.lower():
        return
    wanted = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    assert plain(f"x {escaped(text)} x").removeprefix("x ").removesuffix(" x").strip() == wanted


def injected(payload: str) -> Json:
    """An order and a chart that hold a payload wherever words may stand."""
    sent = copy.deepcopy(bundle("gbs", {"dose": "63 g"}))
    for entry in sent["entry"]:
        _worded(entry["resource"], payload)
    return sent


def _worded(tree: Any, payload: str) -> None:
    if isinstance(tree, dict):
        for key, below in tree.items():
            if key in ("text", "display") and isinstance(below, str):
                tree[key] = f"{below} {payload}"
            else:
                _worded(below, payload)
    elif isinstance(tree, list):
        for below in tree:
            _worded(below, payload)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_hostile_order_makes_a_plain_card(payload: str) -> None:
    card = only_card(injected(payload))
    assert kinds(card["detail"]) <= PLAIN, card["detail"]
    assert len(card["detail"]) <= LONGEST
    assert len(card["summary"]) < 140
    assert card["summary"].isprintable()
    for suggestion in card.get("suggestions", ()):
        assert len(suggestion["label"]) < 80
        assert suggestion["label"].isprintable()


# -- room -------------------------------------------------------------------------------------------------------------


def _found(n: int) -> tuple[Finding, Explanation]:
    says = f"Finding number {n} of many: " + "words " * 15
    finding = Finding(f"dose-{n}", ERROR, Result.FLAGGED, "business-rule", says, {})
    held = Limit("a.b", "1 g", "unconfirmed", "house", "A title " * 20, "a place " * 40, date(2026, 1, 1))
    return finding, Explanation(
        f"dose-{n}", says, sums=("1 + 1 = 2 " * 40,) * 9, limits=(held,) * 9, consider=("Consider it. " * 30,) * 9
    )


@pytest.mark.parametrize("count", [1, 3, 12, 60])
def test_a_detail_has_a_hard_bound_and_says_that_it_was_shortened(count: int) -> None:
    told = Told([_found(n) for n in range(count)], (), ("again " * 50,) * 50, ("noted " * 50,) * 50, True, 3, "basis")
    said = detail(told)
    assert len(said) <= LONGEST
    assert "Finding number 0" in said
    assert "Should not go ahead as written" in said
    assert "3 more orders have findings" in said
    assert "Shortened: more in the service." in said
    assert kinds(said) <= PLAIN

"""A site's own policy: what it decides, what it softens or silences and why, and the faults for which it does not load."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec import json

from builder import bundle
from ivig.knowledge.load import HERE
from ivig.knowledge.pages import KnowledgeFault
from ivig.knowledge.policies import Known, words_of
from ivig.validator import Validator, library_of
from judged import Row, answered, flagged, not_judged, rows

POLICIES = ("us-default", "uk", "australia", "ontario")
Made = Callable[[str], Path]


@pytest.fixture
def policy(tmp_path: Path) -> Made:
    def made(keys: str, head: str = "id: ours\ntitle: Our hospital\n") -> Path:
        path = tmp_path / "ours.yaml"
        path.write_text(f"{head}keys:\n{keys}", encoding="utf-8")
        return path

    return made


HOUSE = 'source: house, at: "our committee", seen: house'
SOFT = (
    f'  severity.lab-stale: {{values: [{{from: 2026-11-01, is: information, {HOUSE}, reason: "the lab is late"}}]}}\n'
)
OFF = f'  severity.lab-stale: {{values: [{{from: 2026-11-01, is: off, {HOUSE}, reason: "the lab is late"}}]}}\n'
STALE = {"labs": {"creatinine": {"value": "1 mg/dL", "day": "2026-01-02"}}}


def by(path: Path) -> Validator:
    return Validator(library_of(path))


def judged_by(path: Path, base: str, change: dict[str, Any]) -> list[Row]:
    return rows(json.decode(answered(bundle(base, change), by(path))))


def test_a_site_states_only_what_it_decides(policy: Made) -> None:
    path = policy(f'  dose.tolerance: {{unit: "%", values: [{{from: 2026-11-20, amount: 5, {HOUSE}}}]}}\n')
    over = {"dose": "30.1 g"}  # 30.1 x 5 / 70 = 2.15 g/kg: 7.5% over
    assert "dose-course-above-range" in flagged(judged_by(path, "gbs", over))
    assert "dose-course-above-range" not in flagged(judged_by(path, "gbs", over | {"policyDate": "2026-11-19"}))
    library = library_of(path)
    assert set(library.policies) == {*POLICIES, "ours"}
    assert "policy ours, default 10 %" in library.on(date(2026, 11, 20)).policy("dose.tolerance").at


def test_a_null_ends_a_difference_and_the_default_holds_again(policy: Made) -> None:
    path = policy(
        f'  dose.tolerance: {{unit: "%", values: [{{from: 2026-11-01, amount: 5, {HOUSE}}}, '
        f"{{from: 2026-11-10, null: true, {HOUSE}}}]}}\n"
    )
    library = library_of(path)
    days = [date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 9), date(2026, 11, 10)]
    assert [library.on(day).policy("dose.tolerance").amount for day in days] == [10, 5, 5, 10]


def test_every_key_of_words_has_a_closed_list() -> None:
    keys = library_of("us-default").policy
    wordy = [key for key, series in keys.items() if any(v is not None and v.words for v in series.values)]
    known = Known(frozenset(), frozenset(), frozenset(), frozenset())
    assert [key for key in wordy if words_of(key, keys, known) is None] == []


def test_a_copy_of_the_defaults_is_a_policy_that_differs_in_nothing(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    shipped = (HERE / "policies" / "defaults.yaml").read_text("utf-8")
    path.write_text(shipped.replace("id: defaults", "id: site"), "utf-8")
    library = library_of(path)
    mine, usual = library.policy, library.under("us-default").policy
    assert {key: series.values for key, series in mine.items()} == {key: s.values for key, s in usual.items()}


def test_a_position_can_be_chosen_for_one_page(policy: Made) -> None:
    path = policy(f"  positions.itp_adult: {{values: [{{from: unknown, is: [uk], {HOUSE}}}]}}\n")
    assert "dose-course-above-range" in flagged(judged_by(path, "itp", {"dose": "70 g", "count": 2}))
    assert "dose-course-above-range" not in flagged(judged_by(path, "itp", {"dose": "70 g", "count": 1}))


def test_a_softened_rule_says_so(policy: Made) -> None:
    found = judged_by(policy(SOFT), "gbs", STALE)
    row = next(r for r in found if r.rule == "lab-stale")
    assert row.severity == "information"
    assert "Information by policy ours from 2026-11-01; warning by the rule. Reason: the lab is late" in row.diagnostics
    assert found[0].verdict == "clear"
    eve = judged_by(policy(SOFT), "gbs", STALE | {"policyDate": "2026-10-31"})
    assert next(r for r in eve if r.rule == "lab-stale").severity == "warning"


def test_a_silenced_rule_is_named_and_counts_as_judged(policy: Made) -> None:
    path = policy(OFF)
    found = judged_by(path, "gbs", STALE)
    assert "lab-stale" not in flagged(found) | not_judged(found)
    assert found[0].verdict == "clear"
    assert (
        "Silenced by policy ours from 2026-11-01: lab-stale (it had something to say). Reason: the lab is late"
        in found[0].diagnostics
    )
    quiet = judged_by(path, "gbs", {})[0].diagnostics
    assert "Silenced by policy ours from 2026-11-01: lab-stale (it had nothing to say)." in quiet
    lacking = judged_by(path, "gbs", {"weight": "absent", "labs": {"creatinine": "absent"}})
    assert "lab-stale" not in not_judged(lacking)
    assert "weight-missing" in {r.rule for r in lacking}


def test_an_error_never_softens_without_a_reason(policy: Made) -> None:
    # 60 g x 5 / 70 = 4.3 g/kg: implausible, an error. The rule's own grade stated again changes nothing.
    keys = f"  severity.dose-course-above-range: {{values: [{{from: unknown, is: warning, {HOUSE}}}]}}\n"
    found = judged_by(policy(keys), "gbs", {"dose": "36 g", "count": 5})  # 2.57 g/kg: over 1.2 times the highest range
    assert next(r for r in found if r.rule == "dose-course-above-range").severity == "error"


def test_a_raised_error_never_rests_on_an_unconfirmed_number(policy: Made) -> None:
    keys = f"  severity.course-with-plasma-exchange: {{values: [{{from: unknown, is: error, {HOUSE}}}]}}\n"
    change = {
        "procedures": [{"cpt": "36514", "words": "plasma exchange", "day": "2026-11-22", "status": "preparation"}]
    }
    plain = [r for r in judged_by(policy(""), "gbs", change) if r.rule == "course-with-plasma-exchange"]
    raised = [r for r in judged_by(policy(keys), "gbs", change) if r.rule == "course-with-plasma-exchange"]
    assert [r.severity for r in plain] == [r.severity for r in raised]


def test_a_root_can_be_softened_and_stays(policy: Made) -> None:
    keys = f'  severity.weight-missing: {{values: [{{from: 2026-11-01, is: information, {HOUSE}, reason: "weighed on the ward"}}]}}\n'
    found = judged_by(policy(keys), "gbs", {"weight": "absent"})
    row = next(r for r in found if r.rule == "weight-missing")
    assert (row.severity, row.result) == ("information", "cannot-tell")
    assert "dose-course-above-range" in row.not_judged
    assert "not checked" in found[0].text


WRONG = {
    "an unknown key": (f'  dose.tolerence: {{unit: "%", values: [{{from: unknown, amount: 5, {HOUSE}}}]}}\n', "unknown key"),
    "a wrong unit": (f'  dose.tolerance: {{unit: g, values: [{{from: unknown, amount: 5, {HOUSE}}}]}}\n', "the unit is %, not `g`"),
    "no unit": (f"  dose.tolerance: {{values: [{{from: unknown, amount: 5, {HOUSE}}}]}}\n", "the unit is %, not ``"),
    "a wrong word": (f"  weight.method: {{values: [{{from: unknown, is: guess, {HOUSE}}}]}}\n", "`guess` is not one of actual"),
    "a word for a number": (f'  dose.tolerance: {{unit: "%", values: [{{from: unknown, is: ten, {HOUSE}}}]}}\n', "a number is wanted"),
    "a number for a word": (f"  weight.method: {{values: [{{from: unknown, amount: 1, {HOUSE}}}]}}\n", "a word is wanted"),
    "a number below zero": (f'  dose.tolerance: {{unit: "%", values: [{{from: unknown, amount: -5, {HOUSE}}}]}}\n', "below zero"),
    "neither true nor false": (f"  indication.off_label_note: {{values: [{{from: unknown, is: maybe, {HOUSE}}}]}}\n", "not one of false, true"),
    "an unknown view": (f"  positions: {{values: [{{from: unknown, is: [mars], {HOUSE}}}]}}\n", "`mars` is not one of"),
    "positions of no page": (f"  positions.cidpp: {{values: [{{from: unknown, is: [uk], {HOUSE}}}]}}\n", "no indication page"),
    "a page of no list": (f"  plex.intended: {{values: [{{from: unknown, is: [cidpp], {HOUSE}}}]}}\n", "`cidpp` is not one of"),
    "two words for one": (f"  weight.method: {{values: [{{from: unknown, is: [actual, ideal], {HOUSE}}}]}}\n", "one word is wanted, not 2"),
    "no word": (f"  weight.method: {{values: [{{from: unknown, is: [], {HOUSE}}}]}}\n", "one word is wanted, not 0"),
    "a mapping for a word": (f"  weight.method: {{values: [{{from: unknown, is: {{a: b}}, {HOUSE}}}]}}\n", "holds a word"),
    "a number beyond all reason": (
        f'  dose.tolerance: {{unit: "%", values: [{{from: unknown, amount: 1e9999999999, {HOUSE}}}]}}\n',
        "no plausible number",
    ),
    "a number that is none": (f'  dose.tolerance: {{unit: "%", values: [{{from: unknown, amount: .nan, {HOUSE}}}]}}\n', "is a number"),
    "an alias": (
        f"  weight.method: &m {{values: [{{from: unknown, is: actual, {HOUSE}}}]}}\n  weight.under_age: *m\n",
        "anchors and aliases are not read",
    ),
    "a page that holds itself": ("  weight.method: &m {values: [*m]}\n", "anchors and aliases are not read"),
    "a key that is no word": ("  [weight.method]: {values: []}\n", "a key is a word"),
    "no source": ('  dose.tolerance: {unit: "%", values: [{from: unknown, amount: 5, at: "x", seen: house}]}\n', "not cited"),
    "an unknown source": (
        '  dose.tolerance: {unit: "%", values: [{from: unknown, amount: 5, source: nobody, at: "x", seen: house}]}\n',
        "unknown source `nobody`",
    ),
    "a list of keys": ("  - dose.tolerance\n", "a mapping of keys"),
    "a rule that does not exist": (SOFT.replace("lab-stale", "lab-stail"), "there is no rule lab-stail"),
    "softened without a reason": (SOFT.replace(', reason: "the lab is late"', ""), "only with `reason: ...`"),
    "softened with an empty reason": (SOFT.replace("the lab is late", " "), "only with `reason: ...`"),
    "softened from no day": (SOFT.replace("2026-11-01", "unknown"), "from a day on"),
    "silenced without a reason": (OFF.replace(', reason: "the lab is late"', ""), "only with `reason: ...`"),
    "silenced from no day": (OFF.replace("2026-11-01", "unknown"), "from a day on"),
    "a severity that is none": (SOFT.replace("information", "mild"), "a severity is one of error, warning, information, or off"),
    "a silenced root": (OFF.replace("lab-stale", "weight-missing"), "never off"),
    "a silenced note": (OFF.replace("lab-stale", "order-shape-repaired"), "never off"),
    "the verdict": (SOFT.replace("lab-stale", "order-verdict"), "no severity of its own"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_faulty_policy_does_not_load(policy: Made, wrong: str) -> None:
    keys, words = WRONG[wrong]
    with pytest.raises(KnowledgeFault) as told:
        library_of(policy(keys))
    assert any(f.file == "ours.yaml" and words in f.what for f in told.value.faults), told.value.faults


def test_a_raised_severity_needs_no_reason(policy: Made) -> None:
    library_of(policy(f"  severity.lab-stale: {{values: [{{from: unknown, is: error, {HOUSE}}}]}}\n"))


def test_all_faults_of_a_policy_are_told_at_once(policy: Made) -> None:
    several = WRONG["an unknown key"][0] + WRONG["a wrong word"][0] + WRONG["softened without a reason"][0]
    with pytest.raises(KnowledgeFault) as told:
        library_of(policy(several))
    assert len(told.value.faults) == 3
    assert {f.line for f in told.value.faults} == {4, 5, 6}


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("id: uk\ntitle: Ours\n", "is the id of a shipped policy"),
        ("title: Ours\n", "`id` is missing"),
        ("id: ours\ntitle: Ours\nkees: 1\n", "unknown key `kees`"),
        ("id: ours\ntitle: Ours\ndue: soon\n", "`due` is a day"),
        ("id: ours\ntitle: Ours\ninherits: uk\n", "unknown key `inherits`"),
    ],
)
def test_the_head_of_a_policy_is_checked(policy: Made, head: str, words: str) -> None:
    with pytest.raises(KnowledgeFault, match=words):
        library_of(policy(SOFT, head))  # type: ignore[call-arg]


def test_a_policy_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    latin, empty, broken = (tmp_path / name for name in ("latin.yaml", "empty.yaml", "broken.yaml"))
    latin.write_bytes(b"id: caf\xe9")
    empty.write_text("")
    broken.write_text("id: [")
    for path, words in (
        (latin, "not UTF-8"),
        (empty, "`keys` is missing"),
        (broken, "not YAML"),
        (tmp_path, "no such policy"),
    ):
        with pytest.raises(KnowledgeFault, match=words):
            library_of(path)
    with pytest.raises(KnowledgeFault, match="no such policy; there are australia, ontario, uk, us-default"):
        library_of("uk,ontario")


def test_a_policy_has_a_name_that_a_report_can_tell(tmp_path: Path) -> None:
    page = tmp_path / "ours.yaml"
    for name, words in (
        ('""', "the id is one word"),
        ('"a b<c>"', "the id is one word"),
        ("[ours]", "the id is one word"),
        ("defaults", "`defaults` is the id of a shipped policy"),
    ):
        page.write_text(f"id: {name}\ntitle: Ours\nkeys: {{}}\n", encoding="utf-8")
        with pytest.raises(KnowledgeFault, match=words):
            library_of(page)
    page.write_text('id: ours\ntitle: " "\nkeys: {}\n', encoding="utf-8")
    with pytest.raises(KnowledgeFault, match="the title is empty"):
        library_of(page)


def test_a_policy_that_grows_without_end_is_refused_at_once(tmp_path: Path) -> None:
    bomb, huge = tmp_path / "bomb.yaml", tmp_path / "huge.yaml"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{then}: &{then} [{', '.join([f'*{one}'] * 10)}]" for one, then in pairwise("abcdefghijkl")]
    bomb.write_text("\n".join(lines), encoding="utf-8")
    huge.write_text("id: ours\ntitle: Ours\nkeys: {}\n" + "# x\n" * 300_000, encoding="utf-8")
    with pytest.raises(KnowledgeFault, match="anchors and aliases are not read"):
        library_of(bomb)
    with pytest.raises(KnowledgeFault, match="more than 1000000 bytes"):
        library_of(huge)


def test_no_policy_refers_to_another() -> None:
    names = {p.stem for p in (HERE / "policies").glob("*.yaml")}
    assert names == {"defaults", *POLICIES}
    for path in (HERE / "policies").glob("*.yaml"):
        assert "inherits" not in path.read_text(encoding="utf-8")

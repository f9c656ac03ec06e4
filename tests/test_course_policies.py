"""Keys of the policy that make a course rule speak otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from builder import bundle
from ivig.core.finding import Report, Severity
from ivig.knowledge.load import HERE, load_library
from ivig.validator import Validator

SHIPPED = (HERE / "policies" / "us_default.yaml").read_text("utf-8")


def severities(page: str, rule: str, sent: object, folder: Path) -> list[Severity]:
    """How gravely `rule` speaks about an order by the policy of `page`."""
    made = folder / "site.yaml"
    made.write_text(page.replace("id: us_default", "id: site"), "utf-8")
    answered = Validator(load_library(policy=made)).validate(json.dumps(sent).encode())
    report = next(part for part in answered if isinstance(part, Report))
    return [f.severity for j in report.judgements for f in j.findings if f.rule == rule]


@pytest.mark.parametrize(("mapped", "severity"), [("false", Severity.INFORMATION), ("true", Severity.WARNING)])
def test_where_the_scales_are_mapped_a_missing_one_is_a_warning(
    mapped: str, severity: Severity, tmp_path: Path
) -> None:
    before = "response.scales_mapped: {values: [{from: unknown, is: false"
    assert before in SHIPPED
    page = SHIPPED.replace(before, before.replace("is: false", f"is: {mapped}"))
    sent = bundle("cidp_maintenance", {"labs": {"incat": "absent"}})
    assert severities(page, "course-response-undocumented", sent, tmp_path) == [severity]


def test_a_site_can_hold_no_page_to_fluctuations(tmp_path: Path) -> None:
    before = "gbs.second_course: {values: [{from: unknown, is: [gbs]"
    assert before in SHIPPED
    sent = bundle("gbs", {"onset": "2026-11-01", "given": [{"day": "2026-11-05"}]})
    assert severities(SHIPPED, "course-second-in-gbs", sent, tmp_path) == [Severity.WARNING]
    page = SHIPPED.replace(before, before.replace("[gbs]", "[]"))
    assert severities(page, "course-second-in-gbs", sent, tmp_path) == []
